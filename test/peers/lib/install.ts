/** What peers need from outside: Debian's packages and npm packages. One apt-get at a time; npm runs beside it. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PeerFault } from './fault.ts';
import { diskFull, lastLines, logFileIn, runStep } from './processes.ts';

const UNREACHABLE =
  /Temporary failure|Could not (?:connect|resolve)|Failed to fetch|Unable to (?:connect|locate package)|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ERR_SOCKET_TIMEOUT|ENETUNREACH|EHOSTUNREACH/i;

/** @returns installed version by package; those that are missing are not in it */
export function debianVersions(packages: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  if (packages.length === 0) return found;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholders
  const asked = spawnSync('dpkg-query', ['-W', '-f=${Package} ${Version} ${db:Status-Status}\n', ...packages]);
  for (const line of String(asked.stdout ?? '').split('\n')) {
    const [name, version, status] = line.split(' ');
    if (status === 'installed') found.set(name!, version!);
  }
  return found;
}

export const missingOf = (packages: readonly string[]) => {
  const have = debianVersions(packages);
  return packages.filter((name) => !have.has(name));
};

/** @throws PeerFault where Debian packages can't be installed */
export function refuseWithoutApt(missing: readonly string[]): void {
  const list = missing.join(' ');
  if (spawnSync('apt-get', ['--version']).status !== 0)
    throw new PeerFault('apt_missing', {
      what: `this peer needs Debian packages, and there is no apt-get: ${list}`,
      next: 'run it on Debian 12, or in a container of it',
    });
  if (process.getuid?.() !== 0)
    throw new PeerFault('not_root', {
      what: `Debian packages are missing, and only root may install them: ${list}`,
      next: `run: sudo apt-get install --no-install-recommends ${list}`,
    });
}

let turn: Promise<unknown> = Promise.resolve();
/** One at a time in this process; other processes are waited for through dpkg's own lock. */
export function withApt<T>(work: () => Promise<T>): Promise<T> {
  const mine = turn.then(work, work);
  turn = mine.catch(() => {});
  return mine;
}

const POLICY = '/usr/sbin/policy-rc.d';
let isUpdated = false;

export async function aptGet(folder: string, args: readonly string[]): Promise<void> {
  const log = logFileIn(folder, 'apt');
  const command = { file: 'apt-get', cwd: '/', env: { DEBIAN_FRONTEND: 'noninteractive' } };
  const lock = ['-o', 'DPkg::Lock::Timeout=600'];
  // Packages must not start services: a peer has its own ports and state, and a container has no init.
  const isOurs = !existsSync(POLICY);
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    // Old lists may do; if they don't, the install says so.
    if (!isUpdated)
      await runStep('apt-get update', log, { ...command, args: [...lock, '-qq', 'update'] }).catch(() => {});
    isUpdated = true;
    await runStep(`apt-get ${args[0]}`, log, { ...command, args: [...lock, ...args] });
  } catch (error) {
    if (!(error instanceof PeerFault) || error.reason === 'disk_full') throw error;
    const why = lastLines(log);
    throw new PeerFault(UNREACHABLE.test(why) ? 'apt_unreachable' : 'apt_failed', {
      what: 'Debian packages could not be installed',
      where: log,
      why,
      next: 'check the network and /etc/apt/sources.list, then run the same command again',
    });
  } finally {
    if (isOurs) rmSync(POLICY, { force: true });
  }
}

export async function installDebian(folder: string, packages: readonly string[]): Promise<void> {
  if (missingOf(packages).length === 0) return;
  refuseWithoutApt(missingOf(packages));
  await withApt(async () => {
    const missing = missingOf(packages);
    if (missing.length === 0) return;
    await aptGet(folder, ['install', '-y', '--no-install-recommends', ...missing]);
  });
}

/**
 * Copies the app of a peer into its state folder and installs what its lockfile says. No install script is run: none is needed.
 * A half-finished install has no stamp and is done again from nothing. Not `npm ci`: it refuses a lockfile without the packages for
 * other platforms, which not every registry has. `npm install` keeps to the versions and hashes of the lockfile as well.
 */
export async function installApp(source: string, folder: string): Promise<string> {
  const app = join(folder, 'app');
  mkdirSync(app, { recursive: true });
  cpSync(source, app, { recursive: true, filter: (path) => !path.startsWith(join(source, 'node_modules')) });
  const lock = readFileSync(join(source, 'package-lock.json'));
  const stamp = `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}`;
  const stampFile = join(app, 'node_modules', '.peer-install');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return app;
  const npm = process.env.npm_execpath?.endsWith('.js')
    ? { file: process.execPath, args: [process.env.npm_execpath] }
    : { file: 'npm', args: [] };
  const log = logFileIn(folder, 'npm');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--no-progress'];
  const retries = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=8000'];
  // What npm gives to the scripts it runs is about this checkout, and would be taken for settings of the peer's.
  const env = Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => /^npm_(package|lifecycle)/.test(name))
      .map((name) => [name, '']),
  );
  try {
    rmSync(join(app, 'node_modules'), { recursive: true, force: true });
    await runStep('npm install', log, { ...npm, args: [...npm.args, 'install', ...flags, ...retries], cwd: app, env });
  } catch (error) {
    if (!(error instanceof PeerFault) || error.reason === 'disk_full') throw error;
    const why = lastLines(log);
    throw new PeerFault(UNREACHABLE.test(why) ? 'registry_unreachable' : 'npm_failed', {
      what: 'npm could not install the packages of this peer',
      where: log,
      why,
      next: 'check the network, proxy or mirror (npm config get registry), then run the same command again',
    });
  }
  writeFileSync(stampFile, stamp);
  return app;
}

export function refuseFullDisk(folder: string, mbMin: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const freeMb = Math.floor((bavail * bsize) / 1024 / 1024);
  if (freeMb < mbMin) throw diskFull(folder, `${freeMb} MB are free and ${mbMin} MB are needed`);
}

/** May another user walk into this folder? PostgreSQL refuses to run as root, so its data must be reachable for someone else. */
export function isOpenToOthers(folder: string): boolean {
  for (let path = folder; ; path = join(path, '..')) {
    if (existsSync(path) && (statSync(path).mode & 0o001) === 0) return false;
    if (path === '/') return true;
  }
}
