import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { SetupError } from './setup-error.mjs';

const WAIT_MINUTES_MAX = 15;

/**
 * One set-up at a time in a checkout: two `npm ci` would delete each other's work. A second one waits for the first. The file
 * names a process and its start, because the number of a process that died is given to another sooner or later.
 */
export async function withSetupLock(file, say, work) {
  const started = Date.now();
  let told = false;
  while (!take(file)) {
    if (!holderOf(file)) continue;
    if (!told) say('another set-up is running in this checkout, waiting for it');
    told = true;
    if (Date.now() - started > WAIT_MINUTES_MAX * 60_000) {
      throw new SetupError('locked', {
        what: `another set-up has been running for ${WAIT_MINUTES_MAX} minutes`,
        where: file,
        next: `end process ${read(file)?.pid}, then run the same command again`,
      });
    }
    await wait(200);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file) {
  const self = JSON.stringify(identify(process.pid));
  try {
    writeFileSync(file, self, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  // One that died left it behind; the next try takes it.
  if (!holderOf(file)) rmSync(file, { force: true });
  return false;
}

/** @returns the process that holds the lock and is alive */
function holderOf(file) {
  const holder = read(file);
  return holder && isSame(holder) ? holder : undefined;
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A process by its number and its start. */
export function identify(pid) {
  return { pid, started: startOf(pid) };
}

/** Is that very process still running? */
export function isSame({ pid, started }) {
  return startOf(pid) === started && isRunning(pid);
}

function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return '';
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
