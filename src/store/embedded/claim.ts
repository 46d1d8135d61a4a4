import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../canonical/errors.ts';
import { findProcessStart, isAlive, type ProcessIdentity } from './processes.ts';

/** Who holds an embedded database, kept as `owner.json` beside its data. */
export interface Owner extends ProcessIdentity {
  /** absent until the server answers */
  server?: { url: string; tcpUrl: string; port: number; socketDir: string; pid: number };
}

const ownerFile = (dir: string) => join(dir, 'owner.json');

/**
 * Takes the folder for this process. The file appears whole and only if there was none (a hard link can't overwrite), so of
 * two processes that start at once one wins; one left by a process that died is moved aside first.
 * @param what of the folder, for the message
 * @throws XD_STORE_EMBEDDED, reason in_use, naming the process that holds it
 */
export async function claim(dir: string, what = 'the database'): Promise<Owner> {
  const self: Owner = { pid: process.pid, started: (await findProcessStart(process.pid)) ?? '' };
  const draft = `${ownerFile(dir)}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(self), { mode: 0o600 });
  try {
    for (;;) {
      try {
        await link(draft, ownerFile(dir));
        return self;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = await readOwner(dir);
      if (holder && (await isAlive(holder))) inUse(dir, what, holder);
      await moveAside(dir, holder);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

export async function publish(dir: string, owner: Owner): Promise<void> {
  const draft = `${ownerFile(dir)}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(owner), { mode: 0o600 });
  await rename(draft, ownerFile(dir));
}

export async function release(dir: string, owner: Owner): Promise<void> {
  const holder = await readOwner(dir);
  if (holder && holder.pid === owner.pid && holder.started === owner.started) await rm(ownerFile(dir), { force: true });
}

/** @returns the process that holds the folder now, or undefined when none does or it has died */
export async function findOwner(dir: string): Promise<Owner | undefined> {
  const holder = await readOwner(dir);
  return holder && (await isAlive(holder)) ? holder : undefined;
}

async function readOwner(dir: string): Promise<Owner | undefined> {
  const text = await readFile(ownerFile(dir), 'utf8').catch(() => '');
  try {
    return JSON.parse(text) as Owner;
  } catch {
    // A power cut may leave the file empty; then nobody holds the folder.
    return undefined;
  }
}

/** Moves a dead owner's file away. Another starter may have replaced it since it was read: then that one is put back. */
async function moveAside(dir: string, dead: Owner | undefined): Promise<void> {
  const aside = `${ownerFile(dir)}.${randomUUID()}`;
  try {
    await rename(ownerFile(dir), aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = await readFile(aside, 'utf8');
  if (moved !== JSON.stringify(dead) && moved.trim() !== '') await link(aside, ownerFile(dir)).catch(() => {});
  await rm(aside, { force: true });
}

function inUse(dir: string, what: string, holder: Owner): never {
  fail(
    'XD_STORE_EMBEDDED',
    `${what} in ${dir} is in use by process ${holder.pid}; stop that one, or use another folder`,
    { reason: 'in_use', dir, pid: holder.pid },
  );
}
