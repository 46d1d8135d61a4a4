import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A process by its id and its start: an id alone is given to another process sooner or later. */
export interface ProcessIdentity {
  pid: number;
  started: string;
}

/** @returns when the process started, in the system's own notation, or undefined when there is no such process */
export async function findProcessStart(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    // proc(5): the name may hold spaces and brackets, so fields are counted from behind its last bracket.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    return fields[19];
  }
  const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.trim() || undefined;
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await findProcessStart(identity.pid)) === identity.started;
}

/** Is that process a PostgreSQL server of this data folder, and not just one that was given its old id? */
export async function isPostmasterOf(pid: number, dataDir: string): Promise<boolean> {
  if (process.platform === 'linux') {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    return cwd === (await realpath(dataDir).catch(() => dataDir)) && (await isPostgres(pid));
  }
  const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.includes('postgres') && stdout.includes(dataDir);
}

/**
 * Lists every PostgreSQL process that works in this data folder: the server changes into it and its children inherit that.
 * Children of a killed server may live on for a moment and hold its shared memory. Empty where there is no /proc.
 */
export async function listPostgresIn(dataDir: string): Promise<number[]> {
  if (process.platform !== 'linux') return [];
  const folder = await realpath(dataDir).catch(() => dataDir);
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid <= 0) continue;
    const cwd = await readlink(join('/proc', name, 'cwd')).catch(() => '');
    if (cwd === folder && (await isPostgres(pid))) found.push(pid);
  }
  return found;
}

async function isPostgres(pid: number): Promise<boolean> {
  const exe = await readlink(`/proc/${pid}/exe`).catch(() => '');
  return /\/postgres( \(deleted\))?$/.test(exe);
}

/** Sends a signal; a process that has gone meanwhile is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
