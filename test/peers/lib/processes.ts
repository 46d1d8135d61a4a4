import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PeerFault } from './fault.ts';

const STOP_MS_MAX = 15_000;
const LAST_LINES = 15;

/**
 * A process is known by its number and its start, since the number of one that died is given to another sooner or later: what a
 * pid file names is ended only while it is still the process that was started here.
 */
export interface ProcessId {
  readonly pid: number;
  readonly started: string;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
}

export function identify(pid: number): ProcessId {
  return { pid, started: startOf(pid) };
}

export function isSame({ pid, started }: ProcessId): boolean {
  if (startOf(pid) !== started) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function startOf(pid: number): string {
  const fields = statOf(pid);
  if (fields === undefined) return '';
  // A zombie has ended and only its parent hasn't looked yet; but while it has threads left, it still holds its ports.
  return fields[0] === 'Z' && Number(fields[17]) <= 1 ? '' : fields[19]!;
}

/** Fields of /proc/PID/stat from the state on; the name before them may hold anything. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** @returns the process that the pid file names, if it is still that one */
export function runningOf(pidFile: string): ProcessId | undefined {
  try {
    const id = JSON.parse(readFileSync(pidFile, 'utf8')) as ProcessId;
    return id.started !== '' && isSame(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Runs on by itself, in a session of its own, with its output in a log. */
export function startProcess(pidFile: string, logFile: string, command: Command): ProcessId {
  const log = openSync(logFile, 'a');
  const child = spawn(command.file, [...command.args], {
    cwd: command.cwd,
    env: { ...process.env, ...command.env },
    detached: true,
    stdio: ['ignore', log, log],
    ...(command.uid === undefined ? {} : { uid: command.uid, gid: command.gid! }),
  });
  closeSync(log);
  child.on('error', () => {}); // It shows as a process that isn't there.
  child.unref();
  const id = identify(child.pid ?? 0);
  writeFileSync(pidFile, JSON.stringify(id));
  return id;
}

/** Ends it and all of its session, and waits for that. */
export async function stopProcess(pidFile: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<boolean> {
  const id = runningOf(pidFile);
  if (id) {
    const kin = sessionOf(id.pid).map(identify);
    kill(id.pid, signal);
    const until = Date.now() + STOP_MS_MAX;
    while (isSame(id) && Date.now() < until) await wait(50);
    for (const one of [id, ...kin]) if (one.started !== '' && isSame(one)) kill(one.pid, 'SIGKILL');
    while (isSame(id)) await wait(20);
  }
  rmSync(pidFile, { force: true });
  return id !== undefined;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function sessionOf(pid: number): number[] {
  if (!existsSync('/proc')) return [pid];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && statOf(Number(name))?.[3] === String(pid))
    .map(Number);
}

/** Memory of the process and its session in MiB; pages that several share are counted once where the system tells. */
export function memoryMibOf(pid: number): number {
  let kib = 0;
  for (const one of sessionOf(pid)) {
    const text = tryRead(`/proc/${one}/smaps_rollup`)?.match(/^Pss:\s+(\d+)/m)?.[1];
    kib += Number(text ?? tryRead(`/proc/${one}/status`)?.match(/^VmRSS:\s+(\d+)/m)?.[1] ?? 0);
  }
  return Math.round(kib / 1024);
}

function tryRead(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Runs to its end, with its output in a log, of which a fault shows the last lines. */
export async function runStep(what: string, logFile: string, command: Command): Promise<void> {
  const log = openSync(logFile, 'w');
  const child = spawn(command.file, [...command.args], {
    cwd: command.cwd,
    env: { ...process.env, ...command.env },
    stdio: ['ignore', log, log],
    ...(command.uid === undefined ? {} : { uid: command.uid, gid: command.gid! }),
  });
  closeSync(log);
  running.add(child.pid ?? 0);
  const [code, why] = await new Promise<[number | null, string]>((done) => {
    child.once('error', (error) => done([1, String(error)]));
    child.once('close', (ended, signal) => done([ended, signal ? `ended by ${signal}` : `exit code ${ended}`]));
  });
  running.delete(child.pid ?? 0);
  if (code === 0) return;
  const last = lastLines(logFile);
  if (/ENOSPC|No space left on device/i.test(last)) throw diskFull(logFile, last);
  throw new PeerFault('step_failed', { what: `${what} failed (${why})`, where: logFile, why: last });
}

/** Steps that are under way: they end with this process, else the next set-up would meet them. */
const running = new Set<number>();
export function endSteps(): void {
  for (const pid of running) if (pid > 0) kill(pid, 'SIGTERM');
}

export function lastLines(file: string): string {
  const text = tryRead(file)?.trimEnd() ?? '';
  return text.split('\n').slice(-LAST_LINES).join('\n         ').slice(-3000);
}

export function diskFull(where: string, why: string): PeerFault {
  return new PeerFault('disk_full', {
    what: 'there is no space left for this peer',
    where,
    why,
    next: 'free some space, or set PEER_STATE_DIR to a folder on another disk; then run the same command again',
  });
}

export const pidFileIn = (folder: string, name: string) => join(folder, `${name}.pid`);
export const logFileIn = (folder: string, name: string) => join(folder, `${name}.log`);
