/** Bytes into text, and text into lines, piece by piece. */
import { TextDecoder } from 'node:util';

/** The file is none of those that were agreed; nothing after `line` was read. */
export class BadFile extends Error {
  readonly line: number;
  constructor(reason: string, line: number) {
    super(reason);
    this.name = 'BadFile';
    this.line = line;
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
    return checked(decoder.decode(head, { stream: true }));
  };
  for await (const chunk of chunks) {
    if (decoder !== undefined) yield checked(decoder.decode(chunk, { stream: true }));
    else {
      head = Buffer.concat([head, chunk]);
      if (head.length >= 256) yield begin();
    }
  }
  if (decoder === undefined) yield begin();
  yield decoder!.decode();
}

function checked(text: string): string {
  if (text.includes('\0'))
    throw new BadFile('holds NUL characters: it is no text, or in another encoding than declared', 0);
  return text;
}

export interface Line {
  line: number;
  text: string;
  /** The last one, without its end. */
  open: boolean;
}

/** Lines without their ends (LF, CRLF), empty ones too. */
export async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<Line> {
  let rest = '';
  let line = 0;
  for await (const text of texts) {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    for (const part of parts) yield { line: ++line, text: part.endsWith('\r') ? part.slice(0, -1) : part, open: false };
    if (rest.length > LINE_CHARS_MAX) throw new BadFile(`a line has more than ${LINE_CHARS_MAX} characters`, line + 1);
  }
  if (rest !== '') yield { line: ++line, text: rest, open: true };
}
