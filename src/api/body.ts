/** Bodies: kept as they came, judged as bytes first, and only then parsed. */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CrossdockError, fail } from '../canonical/index.ts';

export const BODY_BYTES_MAX = 4 * 1024 * 1024;
export const LARGE_BODY_BYTES_MAX = 16 * 1024 * 1024;
export const DEPTH_MAX = 32;

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came, byte for byte; null when there was none. */
    rawBody: Buffer | null;
  }
}

const NONE = Buffer.alloc(0);

export function rawBodyOf(request: FastifyRequest): Buffer {
  return request.rawBody ?? NONE;
}

export function useBodies(app: FastifyInstance): void {
  app.decorateRequest('rawBody', null);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    request.rawBody = body as Buffer;
    try {
      done(null, parseJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

/**
 * Parses JSON from outside. Depth is counted on the bytes: a parser that recurses would meet its own limit first, and
 * building 10,000 nested objects to refuse them is work for an attacker.
 */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) fail('XD_BODY_INVALID', 'the body is empty; JSON was expected', { place: 'position 0' });
  if (!isUtf8(body))
    fail('XD_BODY_INVALID', 'the body is not valid UTF-8', { place: `position ${firstBadByte(body)}` });
  checkDepth(body);
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    const message = (error as Error).message;
    const position = /position (\d+)/.exec(message)?.[1];
    throw new CrossdockError(
      'XD_BODY_INVALID',
      `the body is not JSON: ${message.slice(0, 200)}`,
      position === undefined ? { place: 'body' } : { place: `position ${position}` },
      { cause: error },
    );
  }
}

const REPLACEMENT = '\ufffd';
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function checkDepth(body: Buffer): void {
  let depth = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]!;
    if (byte === QUOTE) {
      i = endOfString(body, i);
      if (i < 0) return;
    } else if (byte === 0x7b || byte === 0x5b) {
      depth++;
      if (depth > DEPTH_MAX)
        fail('XD_BODY_TOO_DEEP', `the body is nested deeper than ${DEPTH_MAX} levels`, { place: `position ${i}` });
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
}

/** The closing quote of the text that opens at `from`, or -1: a quote after an even number of backslashes. */
function endOfString(body: Buffer, from: number): number {
  for (let end = body.indexOf(QUOTE, from + 1); end >= 0; end = body.indexOf(QUOTE, end + 1)) {
    let backslashes = 0;
    while (body[end - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}

/** Where decoding first had to put a replacement character that is not in the bytes themselves. */
function firstBadByte(body: Buffer): number {
  const text = body.toString('utf8');
  let offset = 0;
  let from = 0;
  for (let at = text.indexOf(REPLACEMENT); at >= 0; at = text.indexOf(REPLACEMENT, from)) {
    offset += Buffer.byteLength(text.slice(from, at));
    if (!body.subarray(offset, offset + 3).equals(REPLACEMENT_BYTES)) return offset;
    offset += 3;
    from = at + 1;
  }
  return offset;
}
