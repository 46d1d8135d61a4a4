/** Bytes into text, and text into lines, piece by piece. */
import { TextDecoder } from 'node:util';

/** file_columns: others than agreed · file_unreadable: not whole, or no such file at all */
export type FileFault = 'file_columns' | 'file_unreadable';

/** The file is none of those that were agreed; nothing after `line` was read. */
export class BadFile extends Error {
  readonly line: number;
  /** As what it is set aside. */
  readonly class: FileFault;
  constructor(reason: string, line: number, kind: FileFault = 'file_unreadable') {
    // It may name what stands in the file, and is kept: no database stores a NUL.
    super(reason.replaceAll('\0', '\ufffd'));
    this.name = 'BadFile';
    this.line = line;
    this.class = kind;
  }
}

export type Encoding = 'utf-8' | 'latin1' | 'utf-16le' | 'utf-16be';
const MARKS: readonly [Encoding, number[]][] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];
/** A line beyond it is no record of a drop box; neither is one that never ends. */
export const LINE_CHARS_MAX = 1 << 20;

/**
 * What isn't of the encoding becomes U+FFFD and is refused where it is read, so that one byte spoils one line. A byte order mark counts
 * for more than what is declared.
 */
export async function* decoded(
  chunks: AsyncIterable<Buffer>,
  declared: Encoding | undefined,
  isXml = false,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let head: Buffer = Buffer.alloc(0);
  const begin = () => {
    const marked = MARKS.find(([, mark]) => mark.every((byte, index) => head[index] === byte))?.[0];
    const own = isXml
      ? /^<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']/.exec(head.subarray(0, 200).toString('latin1'))?.[1]
      : undefined;
    const name = marked ?? declared ?? own ?? 'utf-8';
    try {
      decoder = new TextDecoder(name);
    } catch {
      throw new BadFile(`says it is in ${name}, which nobody here reads`, 1);
    }
    const text = decoder.decode(head, { stream: true });
    // What has them in its first line has them everywhere; a stray one further down spoils its line only, where it is read.
    if (text.split('\n', 1)[0]!.includes('\0'))
      throw new BadFile('holds NUL characters: it is no text, or in another encoding than declared', 1);
    return text;
  };
  for await (const chunk of chunks) {
    if (decoder !== undefined) yield decoder.decode(chunk, { stream: true });
    else {
      head = Buffer.concat([head, chunk]);
      if (head.length >= 256) yield begin();
    }
  }
  if (decoder === undefined) yield begin();
  yield decoder!.decode();
}

export interface Line {
  line: number;
  text: string;
  /** The last one, without its end. */
  open: boolean;
  /** It has more characters than a line may have; `text` is its beginning. */
  isTooLong: boolean;
}

export const TOO_LONG = `has more than ${LINE_CHARS_MAX} characters`;
const BEGINNING_CHARS = 200;

/** Lines without their ends (LF, CRLF), empty ones too. Of one that is too long no more than that is held. */
export async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<Line> {
  let rest = '';
  let line = 0;
  // The rest of a line of which enough was seen.
  let isSkipping = false;
  const made = (text: string, open: boolean): Line => {
    const isTooLong = isSkipping || text.length > LINE_CHARS_MAX;
    isSkipping = false;
    line += 1;
    if (isTooLong) return { line, text: text.slice(0, BEGINNING_CHARS), open, isTooLong };
    return { line, text: !open && text.endsWith('\r') ? text.slice(0, -1) : text, open, isTooLong };
  };
  for await (const text of texts) {
    const parts = (isSkipping ? text : rest + text).split('\n');
    if (isSkipping && parts.length > 1) parts[0] = rest;
    if (isSkipping && parts.length === 1) continue;
    rest = parts.pop()!;
    for (const part of parts) yield made(part, false);
    if (rest.length <= LINE_CHARS_MAX) continue;
    isSkipping = true;
    rest = rest.slice(0, BEGINNING_CHARS);
  }
  if (rest !== '') yield made(rest, true);
}
