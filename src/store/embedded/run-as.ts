import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chown, lchown, lstat, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { fail } from '../../canonical/errors.ts';
import { type Binaries, copyBinaries } from './binaries.ts';

const run = promisify(execFile);

/**
 * Who the server runs as. PostgreSQL refuses to run as root, or as a user id that has no name (containers with a random one), so these
 * need a way round:
 * - `user_namespace`: the server believes it is another user while its files stay ours. Nothing has to be copied or handed
 *   over, and it works below a home folder that only root may enter. Containers often forbid it.
 * - `setuid`: it really becomes another user: the one who owns the folder, else nobody.
 */
export type RunAs =
  | { kind: 'self' }
  | { kind: 'user_namespace'; prefix: string[] }
  | { kind: 'setuid'; uid: number; gid: number };

export interface Place {
  runAs: RunAs;
  binaries: Binaries;
  /** may differ from the folder asked for, see {@link choosePlace} */
  dir: string;
}

const NOBODY = 65534;
/** As whom: the first that has a name here. A fresh Debian knows no user 1000, all know nobody. */
const NAMESPACES = [1000, NOBODY].map(
  (id): RunAs => ({
    kind: 'user_namespace',
    prefix: ['unshare', '--user', `--map-user=${id}`, `--map-group=${id}`, '--'],
  }),
);
/** Root's own folder for what another user must be able to reach. */
const SHARED_DIR = '/var/lib/crossdock';

/**
 * Decides who the server runs as, and from where, by trying each way and not by guessing from versions.
 * @param dir where the data should lie; it exists
 * @returns the same folder, except when root may neither use a user namespace nor hand the folder to another user because
 *   that user can't reach it: then one below /var/lib/crossdock
 */
export async function choosePlace(
  dir: string,
  binaries: Binaries,
  log: (line: string) => void,
  only: 'any' | RunAs['kind'] = 'any',
): Promise<Place> {
  const uid = process.getuid?.();
  if (uid !== 0) {
    const self: RunAs = { kind: 'self' };
    if (uid === undefined || (await hasName(self))) return { runAs: self, binaries, dir };
    for (const runAs of NAMESPACES)
      if ((await hasName(runAs)) && (await canWrite(runAs, dir))) return { runAs, binaries, dir };
    fail(
      'XD_STORE_EMBEDDED',
      `PostgreSQL refuses to run as user ${uid}, which has no name on this machine, and no user namespace is allowed; ` +
        'start as a user that /etc/passwd knows, or set DATABASE_URL to a server of your own',
      { reason: 'no_user_name', dir },
    );
  }

  const owner = await stat(dir);
  const ways: RunAs[] = [];
  const asOwner: RunAs = { kind: 'setuid', uid: owner.uid, gid: owner.gid };
  if (owner.uid !== 0) ways.push(asOwner);
  for (const namespace of NAMESPACES) if (await hasName(namespace)) ways.push(namespace);
  if (owner.uid !== NOBODY) ways.push({ kind: 'setuid', uid: NOBODY, gid: NOBODY });

  for (const runAs of ways.filter((way) => only === 'any' || way.kind === only)) {
    const reachable = await reach(runAs, binaries);
    if (!reachable) continue;
    await handOver(dir, runAs);
    if (await canWrite(runAs, dir)) return { runAs, binaries: reachable, dir };
  }

  const nobody: RunAs = { kind: 'setuid', uid: NOBODY, gid: NOBODY };
  const reachable = await reach(nobody, binaries);
  const moved = join(SHARED_DIR, createHash('sha256').update(resolve(dir)).digest('hex').slice(0, 16));
  if (reachable && only !== 'user_namespace') {
    // One by one: a mode given to a recursive mkdir would close the upper folder as well.
    await mkdir(SHARED_DIR, { recursive: true, mode: 0o755 });
    await mkdir(moved, { recursive: true, mode: 0o700 });
    await handOver(moved, nobody);
    if (await canWrite(nobody, moved)) {
      await writeFile(join(dir, 'WHERE.txt'), `The database lies in ${moved}: its user can't enter this folder.\n`);
      log(`the database's user can't enter ${dir}; its data lies in ${moved}`);
      return { runAs: nobody, binaries: reachable, dir: moved };
    }
  }
  fail(
    'XD_STORE_EMBEDDED',
    `PostgreSQL refuses to run as root, and this machine allows neither a user namespace nor another user for ${dir}; ` +
      'start as an ordinary user, or set DATABASE_URL to a server of your own',
    { reason: 'root_refused', dir },
  );
}

/** The command line, and the user for `spawn`, that run a program so. */
export function commandAs(runAs: RunAs, file: string, args: string[]) {
  if (runAs.kind === 'user_namespace') {
    const [first, ...rest] = runAs.prefix;
    return { file: first!, args: [...rest, file, ...args], user: {} };
  }
  return { file, args, user: runAs.kind === 'setuid' ? { uid: runAs.uid, gid: runAs.gid } : {} };
}

/** The environment for PostgreSQL: nothing of the caller's PG* variables, no locale but C. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

/** Makes folders, giving those that root makes in another user's folder to that user, so that they can use them later. */
export async function makeOwnedFolder(path: string): Promise<void> {
  const missing: string[] = [];
  let at = resolve(path);
  let owner = await lstat(at).catch(() => undefined);
  while (!owner && at !== dirname(at)) {
    missing.unshift(at);
    at = dirname(at);
    owner = await lstat(at).catch(() => undefined);
  }
  for (const folder of missing) {
    await mkdir(folder, { mode: 0o755 }).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
    if (process.getuid?.() === 0 && owner && owner.uid !== 0) await chown(folder, owner.uid, owner.gid);
  }
}

/** Gives files to the user who will work on them; does nothing when they are that user's already. */
export async function handOver(path: string, runAs: RunAs): Promise<void> {
  if (runAs.kind === 'self') return;
  const [uid, gid] = runAs.kind === 'setuid' ? [runAs.uid, runAs.gid] : [process.getuid!(), process.getgid!()];
  const found = await lstat(path);
  if (found.uid !== uid) await lchown(path, uid, gid);
  if (!found.isDirectory()) return;
  for (const name of await readdir(path)) {
    const below = join(path, name);
    // A data folder that is this user's already is so all the way down; it may hold a hundred thousand files.
    // Another start may be trying the folder at this moment and take its trial file away again.
    const there = await lstat(below).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (there !== undefined && there.uid !== uid) await handOver(below, runAs);
  }
}

/** initdb and the server ask for the name of the user they run as, and end when there is none. */
function hasName(runAs: RunAs): Promise<boolean> {
  return works(runAs, 'id', ['-un']);
}

async function reach(runAs: RunAs, binaries: Binaries): Promise<Binaries | undefined> {
  if (await works(runAs, binaries.postgres, ['--version'])) return binaries;
  if (runAs.kind !== 'setuid') return undefined;
  const copied = await copyBinaries(binaries, SHARED_DIR).catch(() => undefined);
  return copied && (await works(runAs, copied.postgres, ['--version'])) ? copied : undefined;
}

function canWrite(runAs: RunAs, dir: string): Promise<boolean> {
  // PostgreSQL asks for its folder's full path, so every folder above it must be open to its user as well.
  return works(runAs, '/bin/sh', ['-c', 'cd "$1" && test -w . && test "$(/bin/pwd -P)"', 'sh', dir]);
}

async function works(runAs: RunAs, file: string, args: string[]): Promise<boolean> {
  const command = commandAs(runAs, file, args);
  return run(command.file, command.args, { cwd: '/', env: cleanEnvironment(), ...command.user }).then(
    () => true,
    () => false,
  );
}
