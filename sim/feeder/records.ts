/**
 * Bytes to whole CSV records, so that one bad record can't take its neighbours with it. A quote that is never closed would
 * make a CSV parser swallow the rest of the file; here a record that grows past its limit, or that spans lines and doesn't
 * hold the right columns, costs its first line only and reading goes on with the next.
 */
import type { LineErrorCode } from './errors.ts';

export const RECORD_BYTES_MAX = 64 * 1024;
const QUOTE = 0x22;
const NEWLINE = 0x0a;
const SHOWN_BYTES_MAX = 200;

/** Whole records side by side: record i begins at `starts[i]` and on line `lines[i]` of the file. */
export interface RecordBlock {
  bytes: Buffer;
  starts: number[];
  lines: number[];
}
export interface BadRecord {
  line: number;
  code: LineErrorCode;
  value: string;
}

export class RecordSplitter {
  private carry: Buffer = Buffer.alloc(0);
  /** Line of the first byte of `carry`. */
  private line = 1;
  private scanned = 0;
  private inQuote = false;
  private linesInside = 0;
  private dropping: BadRecord | undefined;
  readonly bad: BadRecord[] = [];
  private readonly isWhole: (record: Buffer) => boolean;

  /** @param isWhole judges a record that spans several lines: does it hold the right columns? */
  constructor(isWhole: (record: Buffer) => boolean) {
    this.isWhole = isWhole;
  }

  /** Line of the first byte that is in no whole record yet. */
  get reached(): number {
    return this.line;
  }

  /** @returns the whole records that are known now; what is bad is appended to `bad` */
  push(piece: Buffer): RecordBlock[] {
    let bytes = piece;
    if (this.dropping !== undefined) {
      const end = bytes.indexOf(NEWLINE);
      if (end < 0) return [];
      this.bad.push(this.dropping);
      this.dropping = undefined;
      this.line += 1;
      bytes = bytes.subarray(end + 1);
    }
    return this.scan(this.carry.length === 0 ? bytes : Buffer.concat([this.carry, bytes]), false);
  }

  /** @param cut the file ended where it should not: a last line without an end is half a line */
  end(cut: boolean): RecordBlock[] {
    if (this.dropping !== undefined) {
      this.bad.push(this.dropping);
      this.dropping = undefined;
      return [];
    }
    const rest = this.carry;
    if (rest.length === 0) return [];
    if (cut) {
      // Only the last physical line is half; lines before it that an open quote had joined are still judged.
      const last = rest.lastIndexOf(NEWLINE);
      const blocks = last < 0 ? [] : this.scan(Buffer.from(rest.subarray(0, last + 1)), true);
      if (last + 1 < rest.length) this.bad.push(badRecord(this.line, 'FEED_TRUNCATED', rest.subarray(last + 1)));
      return blocks;
    }
    return this.scan(rest[rest.length - 1] === NEWLINE ? rest : Buffer.concat([rest, Buffer.from('\n')]), true);
  }

  private scan(buffer: Buffer, last: boolean): RecordBlock[] {
    const blocks: RecordBlock[] = [];
    let blockStart = 0;
    let block: RecordBlock = { bytes: buffer, starts: [], lines: [] };
    let start = 0;
    let at = this.scanned;
    const closeBlock = (end: number): void => {
      if (block.starts.length > 0) {
        block.bytes = buffer.subarray(blockStart, end);
        blocks.push(block);
      }
      block = { bytes: buffer, starts: [], lines: [] };
    };
    const giveUp = (code: LineErrorCode): void => {
      // The first physical line is bad; everything after it is read again.
      const lineEnd = buffer.indexOf(NEWLINE, start);
      closeBlock(start);
      this.bad.push(badRecord(this.line, code, buffer.subarray(start, lineEnd)));
      this.line += 1;
      start = lineEnd + 1;
      blockStart = start;
      at = start;
      this.inQuote = false;
      this.linesInside = 0;
    };
    for (;;) {
      for (; at < buffer.length; at += 1) {
        const byte = buffer[at];
        if (byte === QUOTE) {
          this.inQuote = !this.inQuote;
        } else if (byte === NEWLINE) {
          if (this.inQuote) {
            this.linesInside += 1;
          } else {
            const tooLong = at - start > RECORD_BYTES_MAX;
            if (tooLong || (this.linesInside > 0 && !this.isWhole(buffer.subarray(start, at + 1)))) {
              giveUp(tooLong && this.linesInside === 0 ? 'FEED_RECORD_TOO_LONG' : 'FEED_BAD_QUOTES');
              at -= 1;
              continue;
            }
            block.starts.push(start - blockStart);
            block.lines.push(this.line);
            this.line += 1 + this.linesInside;
            this.linesInside = 0;
            start = at + 1;
          }
        }
        if (this.inQuote && this.linesInside > 0 && at - start > RECORD_BYTES_MAX) {
          giveUp('FEED_BAD_QUOTES');
          at -= 1;
        }
      }
      // An open quote at the very end: its line is bad, the lines it had joined are not.
      if (last && start < buffer.length) giveUp('FEED_BAD_QUOTES');
      else break;
    }
    closeBlock(start);
    const rest = buffer.subarray(start);
    if (this.linesInside === 0 && rest.length > RECORD_BYTES_MAX) {
      this.dropping = badRecord(this.line, 'FEED_RECORD_TOO_LONG', rest);
      this.carry = Buffer.alloc(0);
      this.scanned = 0;
      this.inQuote = false;
    } else {
      this.carry = Buffer.from(rest);
      this.scanned = rest.length;
    }
    return blocks;
  }
}

function badRecord(line: number, code: LineErrorCode, bytes: Buffer): BadRecord {
  const text = bytes.subarray(0, SHOWN_BYTES_MAX).toString('utf8').trimEnd();
  return { line, code, value: bytes.length > SHOWN_BYTES_MAX ? `${text}…` : text };
}
