/** A copy of a file on this machine's disk: what is read must not change while it is read, and must be the same after a restart. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FileEntry, type FileStore, identityOf } from './store.ts';

export interface Copy {
  digest: string;
  read(): AsyncIterable<Buffer>;
  remove(): Promise<void>;
}

/** @returns null: the file wasn't the same before and after, or gave another number of bytes than it has */
export async function copyOf(
  store: FileStore,
  path: string,
  entry: FileEntry,
  signal: AbortSignal,
): Promise<Copy | null> {
  const spooled = join(tmpdir(), `crossdock-file-${process.pid}-${randomUUID()}`);
  const remove = () => unlink(spooled).catch(() => {});
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    const target = await open(spooled, 'wx', 0o600);
    try {
      for await (const chunk of store.read(path, signal)) {
        hash.update(chunk);
        bytes += chunk.length;
        await target.write(chunk);
      }
    } finally {
      await target.close();
    }
    const after = await store.find(path, signal);
    if (bytes === entry.size && after !== null && identityOf(after) === identityOf(entry))
      return {
        digest: hash.digest('hex').slice(0, 32),
        read: () => createReadStream(spooled) as AsyncIterable<Buffer>,
        remove,
      };
  } catch (error) {
    await remove();
    throw error;
  }
  await remove();
  return null;
}
