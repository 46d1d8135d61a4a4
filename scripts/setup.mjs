import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { findNode } from '../bin/find-node.mjs';
import { checkPlatform } from './platform.mjs';
import { startProgress } from './progress.mjs';
import { SetupError } from './setup-error.mjs';
import { identify, isSame, withSetupLock } from './setup-lock.mjs';

const FREE_MB_MIN = 1200;

/**
 * Makes the checkout ready: dependencies as in the lockfile, and Node 24 among them.
 * What is up to date is skipped; that look costs a few milliseconds.
 * @returns the Node to go on with, and what was done
 */
export async function setUp(root, say) {
  checkPlatform();
  const stamp = stampOf(root);
  if (isStamped(root, stamp)) return { node: findNode(root), installed: false };

  refuseUnwritable(root);
  const state = makeStateFolder(root);
  return withSetupLock(join(state, 'setup.lock'), say, async () => {
    // The other one may have done everything while we waited.
    if (isStamped(root, stamp)) return { node: findNode(root), installed: false };
    const running = join(state, 'setup-running');
    const isHalf = existsSync(running);
    if (isHalf) {
      say('an earlier set-up stopped half-way; doing it again from the start');
      await endOrphan(running);
    }
    const installed = isHalf || !matchesLockfile(root);
    if (installed) {
      refuseFullDisk(root);
      writeFileSync(running, '{}');
      rmSync(stampFile(root), { force: true });
      await npmInstall(root, running);
    }
    const node = findNode(root);
    if (!node) {
      throw new SetupError('node_missing', {
        what: 'Node 24 was not installed',
        where: join(root, 'node_modules'),
        why: 'npm left out optional dependencies (its setting omit=optional, or --no-optional)',
        next: 'run: npm config delete omit; then the same command again',
      });
    }
    writeFileSync(stampFile(root), stamp);
    rmSync(running, { force: true });
    return { node, installed };
  });
}

const stampFile = (root) => join(root, 'node_modules', '.crossdock-setup');

function stampOf(root) {
  let lockfile;
  try {
    lockfile = readFileSync(join(root, 'package-lock.json'));
  } catch (cause) {
    throw new SetupError('lockfile_missing', {
      what: 'package-lock.json is missing',
      where: root,
      next: 'restore it from the repository: git checkout -- package-lock.json',
      cause,
    });
  }
  const hash = createHash('sha256').update(lockfile).digest('hex');
  return `${hash} ${process.platform}-${process.arch}\n`;
}

function isStamped(root, stamp) {
  try {
    return readFileSync(stampFile(root), 'utf8') === stamp && findNode(root) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Someone may have run `npm ci` by hand: npm writes its own list last, so when that agrees with the lockfile nothing has to
 * be done again.
 */
function matchesLockfile(root) {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const found = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages;
    for (const [path, entry] of Object.entries(wanted)) {
      if (path === '' || entry.link) continue;
      const have = found[path];
      if (!have && entry.optional) continue;
      if (!have || have.version !== entry.version || have.integrity !== entry.integrity) return false;
      if (!existsSync(join(root, path, 'package.json'))) return false;
    }
    return findNode(root) !== undefined;
  } catch {
    return false;
  }
}

function makeStateFolder(root) {
  const folder = join(root, '.crossdock');
  mkdirSync(folder, { recursive: true });
  // Root working in someone's checkout must not leave a folder behind that its owner can't use.
  const owner = statSync(root);
  if (process.getuid?.() === 0 && statSync(folder).uid !== owner.uid && owner.uid !== 0) {
    chownSync(folder, owner.uid, owner.gid);
  }
  return folder;
}

function refuseUnwritable(root) {
  for (const folder of [root, join(root, 'node_modules'), join(root, '.crossdock')]) {
    if (!existsSync(folder)) continue;
    try {
      accessSync(folder, constants.W_OK);
    } catch (cause) {
      throw new SetupError('dir_unwritable', {
        what: "set-up can't write into the checkout",
        where: folder,
        why: `it belongs to user ${statSync(folder).uid}, and this is user ${process.getuid?.() ?? '?'}`,
        next: `run: sudo chown -R "$(id -un)" ${JSON.stringify(root)}, or clone it where you may write`,
        cause,
      });
    }
  }
}

function refuseFullDisk(root) {
  const { bavail, bsize } = statfsSync(root);
  const freeMb = Math.floor((bavail * bsize) / 1024 / 1024);
  if (freeMb < FREE_MB_MIN) throw diskFull(root, `${freeMb} MB are free and ${FREE_MB_MIN} MB are needed`);
}

function diskFull(root, why) {
  return new SetupError('disk_full', {
    what: 'there is no space left for the dependencies and the database',
    where: root,
    why,
    next: 'free some space, or clone it to another disk; then run the same command again',
  });
}

/** No install scripts are run: nothing here needs one, and many places forbid them. */
async function npmInstall(root, running) {
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--no-progress', '--loglevel=http'];
  const retries = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=8000'];
  const npm = process.env.npm_execpath?.endsWith('.js')
    ? { file: process.execPath, args: [process.env.npm_execpath] }
    : { file: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [] };
  const progress = startProgress('Installing dependencies', countPackages(root));
  const child = spawn(npm.file, [...npm.args, 'ci', ...flags, ...retries], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'development' },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  // Should this process be killed, the next set-up finds the npm that goes on without it.
  if (child.pid) writeFileSync(running, JSON.stringify(identify(child.pid)));
  let printed = '';
  const read = (chunk) => {
    const text = String(chunk);
    printed = (printed + text).slice(-20_000);
    progress.step(text.split(/\.tgz\b/).length - 1);
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const pass = (name) => child.kill(name);
  process.on('SIGTERM', pass);
  process.on('SIGINT', pass);
  const [code, signal] = await new Promise((done) => {
    child.once('error', (error) => {
      printed += String(error);
      done([1, null]);
    });
    child.once('close', (...ended) => done(ended));
  });
  process.off('SIGTERM', pass);
  process.off('SIGINT', pass);
  progress.end(code === 0 ? 'done' : 'failed');
  if (signal === 'SIGINT' || signal === 'SIGTERM') {
    throw new SetupError('interrupted', { what: 'set-up was interrupted', next: 'run the same command again' });
  }
  if (code !== 0) throw explainNpm(root, signal ? `npm was ended by ${signal}` : printed);
}

/** Two of them at once would delete each other's files, so one whose set-up was killed is ended first. */
async function endOrphan(running) {
  let npm;
  try {
    npm = JSON.parse(readFileSync(running, 'utf8'));
  } catch {
    return;
  }
  for (let tries = 0; npm.pid && isSame(npm) && tries < 100; tries += 1) {
    process.kill(npm.pid, tries < 50 ? 'SIGTERM' : 'SIGKILL');
    await wait(100);
  }
}

function countPackages(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const fits = (list, value) => !list || [list].flat().includes(value);
  return Object.entries(packages).filter(
    ([path, { os, cpu }]) => path !== '' && fits(os, process.platform) && fits(cpu, process.arch),
  ).length;
}

function explainNpm(root, printed) {
  const errors = printed
    .split('\n')
    .filter((line) => /^npm (error|ERR!)/.test(line) && !/complete log of this run/.test(line))
    .map((line) => line.replace(/^npm (error|ERR!) ?/, ''))
    .filter((line) => line && !/^ +at /.test(line));
  const other = printed.split('\n').filter((line) => line && !/^npm (http|warn)/.test(line));
  const why = (errors.length ? errors.slice(0, 5) : other.slice(-4)).join('; ');
  if (/ENOSPC|EDQUOT/.test(printed)) return diskFull(root, why);
  if (/\bE(ACCES|PERM|ROFS)\b/.test(printed)) {
    return new SetupError('dir_unwritable', {
      what: "npm can't write where it must",
      where: root,
      why,
      next: "make the checkout and npm's cache folder (npm config get cache) belong to the user who runs this",
    });
  }
  if (
    /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ERR_SOCKET_TIMEOUT|ENETUNREACH|EHOSTUNREACH|CERT|network/i.test(
      why,
    )
  ) {
    return new SetupError('registry_unreachable', {
      what: 'the npm registry could not be reached',
      where: process.env.npm_config_registry ?? 'the address that this prints: npm config get registry',
      why,
      next: 'check the network, proxy (npm config get proxy) or mirror (npm config set registry …), then run the same command again',
    });
  }
  return new SetupError('npm_failed', {
    what: 'npm could not install the dependencies',
    where: root,
    why,
    next: 'run: npm ci --ignore-scripts, and see what it says',
  });
}
