import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { FileError } from './errors.ts';

const GZIP_MAGIC = [0x1f, 0x8b];

/**
 * The bytes of a gzip file, piece by piece. A stream that fails drops what it had already unpacked but not yet handed out;
 * here each compressed piece is written only after the one before was fully unpacked, so a cut file gives every byte
 * before the cut and then the error.
 * @throws FileError
 */
export async function* gunzipFile(file: string): AsyncGenerator<Buffer> {
  const input = createReadStream(file, { highWaterMark: 64 * 1024 });
  const gunzip = createGunzip({ chunkSize: 128 * 1024 });
  let unpacked: Buffer[] = [];
  let failure: (Error & { code?: string }) | undefined;
  gunzip.on('data', (piece: Buffer) => unpacked.push(piece));
  // A write that meets damaged bytes never calls back, so whoever waits also hears of the error.
  const failed = new Promise<void>((resolve) => {
    gunzip.on('error', (error) => {
      failure = error;
      resolve();
    });
  });
  let first = true;
  try {
    for await (const piece of input as AsyncIterable<Buffer>) {
      if (first && GZIP_MAGIC.some((byte, index) => piece[index] !== byte)) {
        throw new FileError('FEED_NOT_GZIP', `${file} is not a gzip file`, 1, piece.subarray(0, 8).toString('hex'));
      }
      first = false;
      await Promise.race([failed, new Promise<void>((resolve) => gunzip.write(piece, () => resolve()))]);
      yield* unpacked;
      unpacked = [];
      if (failure !== undefined) break;
    }
    if (first) throw new FileError('FEED_NOT_GZIP', `${file} is empty`, 1, '');
    if (failure === undefined) {
      const ended = new Promise<void>((resolve) => gunzip.once('end', resolve));
      gunzip.end();
      await Promise.race([failed, ended]);
      yield* unpacked;
    }
  } catch (error) {
    if (error instanceof FileError) throw error;
    const code = (error as { code?: string }).code ?? '';
    if (code === 'ENOENT') throw new FileError('FEED_FILE_MISSING', `${file} does not exist`, null, file);
    throw new FileError('FEED_FILE_UNREADABLE', `${file} cannot be read (${code})`, null, file);
  } finally {
    input.destroy();
    gunzip.destroy();
  }
  if (failure !== undefined) {
    const code = failure.code === 'Z_BUF_ERROR' ? 'FEED_TRUNCATED' : 'FEED_CORRUPT';
    const what = code === 'FEED_TRUNCATED' ? 'ends in the middle' : 'is damaged';
    throw new FileError(code, `${file} ${what}: ${failure.message}`, null, failure.message);
  }
}
