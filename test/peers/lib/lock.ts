import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { PeerFault } from './fault.ts';
import { identify, isSame, type ProcessId } from './processes.ts';

const WAIT_MINUTES_MAX = 15;

/** One action on a peer at a time; a lock whose holder has died is taken over. */
export async function withLock<T>(file: string, say: (line: string) => void, work: () => Promise<T>): Promise<T> {
  const from = Date.now();
  let isTold = false;
  while (!take(file)) {
    if (!isTold) say('another command is at work on it, waiting');
    isTold = true;
    if (Date.now() - from > WAIT_MINUTES_MAX * 60_000)
      throw new PeerFault('locked', {
        what: `another command has been at work for ${WAIT_MINUTES_MAX} minutes`,
        where: file,
        next: `end process ${holderOf(file)?.pid}, then run the same command again`,
      });
    await wait(200);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  try {
    writeFileSync(file, JSON.stringify(identify(process.pid)), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (!holderOf(file)) rmSync(file, { force: true });
  return false;
}

function holderOf(file: string): ProcessId | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as ProcessId;
    return isSame(holder) ? holder : undefined;
  } catch {
    return undefined;
  }
}
