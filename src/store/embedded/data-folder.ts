/** The folder of the data, before a server runs on it: writable, without what an earlier process left, set up whole. */
import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, lstat, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fail } from '../../canonical/errors.ts';
import { diskFull, FREE_BYTES_MIN, rethrowFileError } from './faults.ts';
import { isPostmasterOf, listPostgresIn, signal } from './processes.ts';
import { cleanEnvironment, commandAs, handOver, makeOwnedFolder, type Place } from './run-as.ts';

const run = promisify(execFile);

export const ROLE = 'crossdock';

export async function prepareFolder(dir: string): Promise<void> {
  try {
    await makeOwnedFolder(dir);
    // Its own name for each start: two of one process may come at once.
    const probe = join(dir, `.write-probe-${randomUUID()}`);
    await writeFile(probe, '');
    await rm(probe);
    if (process.getuid?.() === (await stat(dir)).uid) await chmod(dir, 0o700);
  } catch (error) {
    rethrowFileError(error, dir);
  }
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize < FREE_BYTES_MIN) diskFull(dir, { freeBytes: bavail * bsize, neededBytes: FREE_BYTES_MIN });
}

/**
 * Ends what an earlier process left running on this data. Whoever calls holds the claim, so the earlier owner is dead; its
 * guard is about to stop the server, or was killed with it. A `postmaster.pid` whose process is gone is left to PostgreSQL,
 * which checks the shared memory named there; only one whose number belongs to a stranger now must go, since PostgreSQL
 * would take the stranger for a server.
 */
export async function clearAway(dataDir: string, log: (line: string) => void): Promise<void> {
  const pidFile = join(dataDir, 'postmaster.pid');
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
  if (pid > 0 && (await isPostmasterOf(pid, dataDir))) {
    log(`stopping the database that an earlier process left running (process ${pid})`);
    for (const [how, seconds] of [
      ['SIGINT', 20],
      ['SIGQUIT', 10],
      ['SIGKILL', 10],
    ] as const) {
      signal(pid, how);
      if (await untilGone(() => isPostmasterOf(pid, dataDir), seconds)) break;
    }
  }
  // Children of a killed server end by themselves, unless they are deep in a computation.
  const isLeft = async () => (await listPostgresIn(dataDir)).length > 0;
  if (!(await untilGone(isLeft, 2))) {
    for (const child of await listPostgresIn(dataDir)) signal(child, 'SIGKILL');
    await untilGone(isLeft, 10);
  }
  if (pid > 0 && process.platform === 'linux') await rm(pidFile, { force: true });
}

async function untilGone(isThere: () => Promise<boolean>, seconds: number): Promise<boolean> {
  const until = Date.now() + seconds * 1000;
  while (await isThere()) {
    if (Date.now() > until) return false;
    await wait(20);
  }
  return true;
}

/** Makes the data folder aside and renames it, so that one that was cut short is never taken for a whole one. */
export async function initialise(place: Place, dataDir: string, log: (line: string) => void): Promise<void> {
  const half = `${dataDir}.half`;
  if (await exists(join(dataDir, 'PG_VERSION'))) return;
  if (await exists(half)) log('an earlier set-up of the database stopped half-way; starting it again');
  await rm(half, { recursive: true, force: true });
  const passwordFile = join(place.dir, 'password');
  await writeFile(passwordFile, `${randomBytes(18).toString('base64url')}\n`, { mode: 0o600 });
  await handOver(passwordFile, place.runAs);
  const args = ['-D', half, '-U', ROLE, `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C'];
  const command = commandAs(place.runAs, place.binaries.initdb, [
    ...args,
    '--auth-local=trust',
    '--auth-host=scram-sha-256',
  ]);
  const options = { cwd: '/', env: cleanEnvironment(), ...command.user };
  try {
    await run(command.file, command.args, options);
  } catch (cause) {
    const printed = String((cause as { stderr?: string }).stderr ?? cause);
    if (/No space left on device/.test(printed)) diskFull(place.dir, { printed });
    fail(
      'XD_STORE_EMBEDDED',
      `initdb could not make ${dataDir}: ${printed.trim()}`,
      { reason: 'start_failed', printed },
      { cause },
    );
  }
  await rename(half, dataDir);
}

export async function refuseOtherVersion(dataDir: string): Promise<void> {
  const version = (await readFile(join(dataDir, 'PG_VERSION'), 'utf8')).trim();
  if (version === '18') return;
  fail(
    'XD_STORE_VERSION',
    `${dataDir} was written by PostgreSQL ${version} and this is 18; move it aside, or use that version through DATABASE_URL`,
    { dataDir, version },
  );
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
