/** Where files lie: a folder of this machine, or one behind SFTP. Paths are relative to it, with `/`. */
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../canonical/index.ts';
import { CallBudget, type Clock, type ConnectorContext, mayStart, systemClock } from '../kit/index.ts';

export interface FileEntry {
  name: string;
  size: number;
  /** Of its last change, in ms; SFTP says it in whole seconds. */
  changedMs: number;
}

export interface FileStore {
  /** Files of a folder, no folders and no links. */
  list(folder: string, signal: AbortSignal): Promise<FileEntry[]>;
  /** Null: surely not there. */
  find(path: string, signal: AbortSignal): Promise<FileEntry | null>;
  read(path: string, signal: AbortSignal): AsyncIterable<Buffer>;
  /** Makes or overwrites it, and returns when it is on the other side's disk as far as that says so. */
  write(path: string, content: Buffer, signal: AbortSignal): Promise<void>;
  /** Fails where `to` exists. */
  rename(from: string, to: string, signal: AbortSignal): Promise<void>;
  remove(path: string, signal: AbortSignal): Promise<void>;
  /** Is content with a folder that is there. */
  makeFolder(folder: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** What a file is known by until it is read; a file that is written to has another one after. */
export function identityOf({ size, changedMs }: FileEntry): string {
  return `${size}-${changedMs}`;
}

/** A name from outside that stays in its folder. */
export function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name);
}

export function localStore(root: string): FileStore {
  const at = (path: string) => join(root, path);
  const missing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';
  const told = async <T>(what: string, path: string, run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      return fail(
        'XD_CONNECTOR_UNAVAILABLE',
        `${what} ${path}: ${(error as Error).message}`,
        { path },
        { cause: error },
      );
    }
  };
  const store: FileStore = {
    list: (folder, signal) =>
      told('list', folder, async () => {
        const found: FileEntry[] = [];
        for (const entry of await readdir(at(folder), { withFileTypes: true })) {
          if (!entry.isFile()) continue;
          // Gone between the two: somebody else's business.
          const file = await store.find(`${folder}/${entry.name}`, signal);
          if (file !== null) found.push(file);
        }
        return found;
      }),
    find: (path) =>
      told('look at', path, async () => {
        try {
          const { size, mtimeMs } = await stat(at(path));
          return { name: path.slice(path.lastIndexOf('/') + 1), size, changedMs: Math.trunc(mtimeMs) };
        } catch (error) {
          if (missing(error)) return null;
          throw error;
        }
      }),
    async *read(path, signal) {
      for await (const chunk of createReadStream(at(path), { signal })) yield chunk as Buffer;
    },
    write: (path, content) =>
      told('write', path, async () => {
        const file = await open(at(path), 'w');
        try {
          await file.writeFile(content);
          await file.sync();
        } finally {
          await file.close();
        }
      }),
    rename: (from, to, signal) =>
      told('rename', from, async () => {
        if ((await store.find(to, signal)) !== null) throw new Error(`${to} exists`);
        await rename(at(from), at(to));
      }),
    remove: (path) =>
      told('remove', path, async () => {
        await unlink(at(path)).catch((error: unknown) => {
          if (!missing(error)) throw error;
        });
      }),
    makeFolder: (folder) => told('make', folder, async () => void (await mkdir(at(folder), { recursive: true }))),
    close: async () => {},
  };
  return store;
}

/** The same store under a system's budget, reads and writes together; each of them is a call. */
export function budgeted(
  store: FileStore,
  limits: ConnectorContext['limits'],
  clock: Clock = systemClock,
): FileStore & { readonly pausedMs: number } {
  const budget = new CallBudget(limits, clock);
  const turn = async (signal: AbortSignal): Promise<() => void> => {
    const release = await budget.acquire(limits.timeoutMs, signal);
    if (typeof release === 'string')
      fail('XD_CONNECTOR_RATE_LIMITED', `no turn within the system's budget: ${release}`);
    if (mayStart(signal)) return release;
    release();
    return fail('XD_CONNECTOR_UNAVAILABLE', 'may not start any more');
  };
  const through = async <T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> => {
    const release = await turn(signal);
    try {
      return await run();
    } finally {
      release();
    }
  };
  return {
    get pausedMs() {
      return budget.pausedMs;
    },
    list: (folder, signal) => through(signal, () => store.list(folder, signal)),
    find: (path, signal) => through(signal, () => store.find(path, signal)),
    async *read(path, signal) {
      const release = await turn(signal);
      try {
        yield* store.read(path, signal);
      } finally {
        release();
      }
    },
    write: (path, content, signal) => through(signal, () => store.write(path, content, signal)),
    rename: (from, to, signal) => through(signal, () => store.rename(from, to, signal)),
    remove: (path, signal) => through(signal, () => store.remove(path, signal)),
    makeFolder: (folder, signal) => through(signal, () => store.makeFolder(folder, signal)),
    close() {
      budget.stop();
      return store.close();
    },
  };
}
