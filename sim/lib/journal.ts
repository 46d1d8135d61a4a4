import { closeSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const READ_BYTES = 1 << 20;
const NEWLINE = 10;

/**
 * One append-only file of JSON lines: the storage of a system. Lines of one turn of the event loop go out in one write
 * (group commit); an answer waits for {@link Journal.flushed}. Not synced to the platter: the process may die at any
 * moment and loses nothing, which is what the chaos runs do; the machine may not.
 */
export interface Journal {
  append(line: string): void;
  /** Undefined when nothing waits, so that reads answer without a turn of the loop. */
  flushed(): Promise<void> | undefined;
  close(): void;
}

/** Opens the file and gives every whole line to `restore`; a torn last line was never answered and is cut off. */
export function openJournal(path: string, restore: (line: string) => void): Journal {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, 'a+');
  ftruncateSync(fd, readLines(fd, path, restore));

  let lines: string[] = [];
  let turn: { promise: Promise<void>; resolve: () => void } | undefined;
  let closed = false;

  const write = (): void => {
    const done = turn;
    turn = undefined;
    if (lines.length > 0) {
      const bytes = Buffer.from(`${lines.join('\n')}\n`);
      lines = [];
      // A full disk throws here and ends the process: answering for what is not kept would be worse.
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    }
    done?.resolve();
  };

  return {
    append(line) {
      if (closed) return;
      lines.push(line);
      if (turn !== undefined) return;
      turn = Promise.withResolvers<void>();
      setImmediate(() => {
        if (!closed) write();
      });
    },
    flushed: () => turn?.promise,
    close() {
      if (closed) return;
      write();
      closed = true;
      closeSync(fd);
    },
  };
}

/** @returns the length in bytes of the part that is whole */
function readLines(fd: number, path: string, restore: (line: string) => void): number {
  const chunk = Buffer.allocUnsafe(READ_BYTES);
  let rest: Buffer = Buffer.alloc(0);
  let position = 0;
  let whole = 0;
  let broken: { error: unknown; at: number } | undefined;
  for (;;) {
    const got = readSync(fd, chunk, 0, READ_BYTES, position);
    if (got === 0) break;
    position += got;
    let bytes = chunk.subarray(0, got);
    if (rest.length > 0) bytes = Buffer.concat([rest, bytes]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      // Only the very last line can be torn; anything unreadable before it is damage, which nobody should paper over.
      if (broken !== undefined) {
        throw new Error(`read ${path}: unreadable line at byte ${broken.at}`, { cause: broken.error });
      }
      try {
        restore(bytes.toString('utf8', start, end));
        whole += end + 1 - start;
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        broken = { error, at: whole };
      }
      start = end + 1;
    }
    rest = Buffer.from(bytes.subarray(start));
  }
  return whole;
}
