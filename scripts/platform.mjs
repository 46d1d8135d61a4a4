import { existsSync } from 'node:fs';
import { NODE_MAJOR, NODE_PACKAGES } from '../bin/find-node.mjs';
import { SetupError } from './setup-error.mjs';

const PLATFORMS = 'Linux (glibc) and macOS on x64 or arm64; Windows on x64 with DATABASE_URL';

/** @throws SetupError where neither the packaged Node nor the embedded database could run */
export function checkPlatform(env = process.env) {
  const platform = `${process.platform}-${process.arch}`;
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) {
    throw new SetupError('node_too_old', {
      what: `Node ${process.versions.node} is too old to set Crossdock up`,
      where: process.execPath,
      why: 'set-up needs Node 20 or later; it then brings Node 24 for itself',
      next: 'install Node 20 or later and run the same command again',
    });
  }
  if (!NODE_PACKAGES[platform] && major < NODE_MAJOR) {
    throw new SetupError('platform_unsupported', {
      what: `there is no packaged Node ${NODE_MAJOR} for ${platform}`,
      why: `supported are ${PLATFORMS}`,
      next: `install Node ${NODE_MAJOR} yourself and run the same command with it`,
    });
  }
  const isMusl = process.platform === 'linux' && !existsSync(glibcLoader());
  if (isMusl && (major < NODE_MAJOR || !env.DATABASE_URL)) {
    throw new SetupError('platform_unsupported', {
      what: 'this Linux has no glibc (musl, as on Alpine), which the packaged Node and PostgreSQL need',
      where: glibcLoader(),
      next: `use a Debian, Ubuntu or Fedora image, or Node ${NODE_MAJOR} and a DATABASE_URL of your own`,
    });
  }
  if (process.platform === 'win32' && !env.DATABASE_URL) {
    throw new SetupError('platform_unsupported', {
      what: 'there is no embedded database for Windows',
      next: 'run it inside WSL 2, or set DATABASE_URL to a PostgreSQL 15 to 18',
    });
  }
}

function glibcLoader() {
  return process.arch === 'arm64' ? '/lib/ld-linux-aarch64.so.1' : '/lib64/ld-linux-x86-64.so.2';
}
