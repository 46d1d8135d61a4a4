/** Where the server is reached: a socket in a folder of its own, and a free port. */
import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, mkdtemp, realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place } from './run-as.ts';

/** sockaddr_un holds 108 bytes on Linux and 104 on macOS, and `/.s.PGSQL.65535` is appended. */
const SOCKET_DIR_BYTES_MAX = 80;

/**
 * The folder of the Unix socket: short, since the whole path must stay under 100 bytes, and the same for the same data, so that
 * a tool finds it again. In a folder that everybody may write to, one that isn't ours alone is never used.
 */
export async function makeSocketDir(place: Place): Promise<string> {
  const uid = place.runAs.kind === 'setuid' ? place.runAs.uid : (process.getuid?.() ?? 0);
  const base = Buffer.byteLength(tmpdir()) + 40 <= SOCKET_DIR_BYTES_MAX ? tmpdir() : '/tmp';
  const hash = createHash('sha256')
    .update(await realpath(place.dir))
    .digest('hex')
    .slice(0, 12);
  const path = join(base, `crossdock-${uid}-${hash}`);
  await mkdir(path, { mode: 0o700 }).catch((error) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  const isOurs = found.isDirectory() && (found.uid === uid || found.uid === process.getuid?.());
  const safe = isOurs && (found.mode & 0o077) === 0 ? path : await mkdtemp(join(base, 'crossdock-'));
  if (place.runAs.kind === 'setuid') await chown(safe, place.runAs.uid, place.runAs.gid);
  return safe;
}

export async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done, failed) => probe.once('error', failed).listen(0, '127.0.0.1', done));
  const { port } = probe.address() as { port: number };
  await new Promise((done) => probe.close(done));
  return port;
}
