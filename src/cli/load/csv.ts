/** Rows of a CSV file, gzip too, each with its line; what comes before a fault is never lost. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { fail } from '../../canonical/index.ts';

/** A record longer than this is a quote that was never closed. */
export const RECORD_BYTES_MAX = 4_000_000;
const HEAD_BYTES = 1_000_000;

export interface CsvRow {
  /** The line of the file on which it begins; the heading is line 1. */
  line: number;
  fields: string[];
  raw: string;
}

export interface FileHead {
  size: number;
  modifiedAt: Date;
  gzip: boolean;
  /** Of the first megabyte and the size: enough to know the file again. */
  digest: string;
}

export async function readHead(file: string): Promise<FileHead> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    fail(
      'XD_SETUP_FAILED',
      code === 'ENOENT' ? `there is no file ${file}` : `${file} can't be read (${code})`,
      { file },
      { cause },
    );
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) fail('XD_SETUP_FAILED', `${file} is not a file`, { file });
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(HEAD_BYTES, stat.size)), 0);
    const head = buffer.subarray(0, bytesRead);
    const digest = createHash('sha256').update(head).update(String(stat.size)).digest('hex').slice(0, 16);
    return { size: stat.size, modifiedAt: stat.mtime, gzip: head[0] === 0x1f && head[1] === 0x8b, digest };
  } finally {
    await handle.close();
  }
}

/**
 * @param onBytes how many bytes of the file have been read
 * @throws after the last row that could be read: XD_BODY_INVALID naming the line
 */
export async function* readCsv(file: string, gzip: boolean, onBytes: (bytes: number) => void): AsyncGenerator<CsvRow> {
  const source = createReadStream(file);
  const stream = gzip ? source.pipe(createGunzip()) : source;
  // A fault of the file itself ends the packed stream too; both say so here and nowhere else.
  if (gzip) source.on('error', (error) => stream.destroy(error));
  let ready: CsvRow[] = [];
  let lines = 0;
  const parser = parse({
    bom: true,
    info: true,
    raw: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: RECORD_BYTES_MAX,
    // Rows are taken here, because a stream that breaks throws away what it holds.
    on_record: (entry: unknown) => {
      const { record, raw, info } = entry as { record: string[]; raw: string; info: { lines: number } };
      ready.push({ line: lines + 1, fields: record, raw });
      lines = info.lines;
      return null;
    },
  });
  parser.resume();
  let broken: Error | undefined;
  parser.on('error', (error) => {
    broken ??= error;
  });
  const take = () => {
    const rows = ready;
    ready = [];
    return rows;
  };
  const tell = (what: string, cause: unknown): never =>
    fail(
      'XD_BODY_INVALID',
      `${file}, after line ${lines}: ${what}`,
      { file, line: lines, place: `line ${lines + 1}` },
      { cause },
    );
  try {
    for await (const chunk of stream) {
      await new Promise<void>((resolve) => parser.write(chunk, () => resolve()));
      onBytes(source.bytesRead);
      yield* take();
      if (broken !== undefined) break;
    }
    if (broken === undefined) {
      await new Promise<void>((resolve) => {
        parser.on('error', () => resolve());
        parser.end(() => resolve());
      });
      yield* take();
    }
  } catch (error) {
    yield* take();
    tell(gzip ? `the gzip data is broken or cut off (${(error as Error).message})` : (error as Error).message, error);
  } finally {
    source.destroy();
    parser.destroy();
  }
  if (broken !== undefined) tell(reasonOf(broken), broken);
}

function reasonOf(error: Error): string {
  const { code } = error as Error & { code?: string };
  if (code === 'CSV_QUOTE_NOT_CLOSED' || code === 'CSV_MAX_RECORD_SIZE') return 'a quote is opened and never closed';
  return error.message;
}
