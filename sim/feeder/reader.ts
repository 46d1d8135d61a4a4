/**
 * A gzip CSV of orders to a table in which every line has exactly one kind. A bad line is handed to `onReject` and nothing
 * else is lost; a file that is cut or damaged gives what came before the cut, with `fileError` saying so.
 */
import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import { COLUMNS, classify, hasInvoice, isProblem } from './classify.ts';
import { FileError, type LineErrorCode, type Reject, shown } from './errors.ts';
import { gunzipFile } from './gunzip.ts';
import { type RecordBlock, RecordSplitter } from './records.ts';
import { KIND, LineTable } from './table.ts';

export interface ReadOptions {
  /** Stop before the first line of the next order. Everything before it counts, of whatever kind. */
  limitOrders?: number | undefined;
  onReject?: ((reject: Reject) => void) | undefined;
}
export interface ReadResult {
  table: LineTable;
  /** Set when the file ended where it should not; the table holds what came before. */
  fileError: FileError | undefined;
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const CSV = { relax_column_count: true, record_delimiter: ['\r\n', '\n'], skip_empty_lines: true };

function tryParse(bytes: Buffer): string[][] | undefined {
  try {
    return parse(bytes, CSV) as unknown as string[][];
  } catch {
    return undefined;
  }
}

function isWhole(record: Buffer): boolean {
  const rows = tryParse(record);
  return rows?.length === 1 && rows[0]?.length === COLUMNS.length;
}

/** @throws FileError for a file that is missing, not gzip, or has other columns: nothing in it can be used */
export async function readOrders(file: string, options: ReadOptions = {}): Promise<ReadResult> {
  const reader = new Reader(options);
  let fileError: FileError | undefined;
  const splitter = new RecordSplitter(isWhole);
  try {
    let first = true;
    for await (const piece of gunzipFile(file)) {
      const marked = first && piece.subarray(0, 3).equals(BYTE_ORDER_MARK);
      first = false;
      reader.takeAll(splitter.push(marked ? piece.subarray(3) : piece), splitter);
      if (reader.full) break;
    }
  } catch (error) {
    const isCut = error instanceof FileError && (error.code === 'FEED_TRUNCATED' || error.code === 'FEED_CORRUPT');
    if (!isCut) throw error;
    fileError = new FileError(
      error.code,
      `${error.message}, in line ${splitter.reached}`,
      splitter.reached,
      error.value,
    );
  }
  if (!reader.full) reader.takeAll(splitter.end(fileError !== undefined), splitter);
  if (!reader.sawHeader) {
    if (fileError !== undefined) throw fileError;
    throw wrongColumns([]);
  }
  return { table: reader.table, fileError };
}

function wrongColumns(found: readonly string[]): FileError {
  const missing = COLUMNS.filter((column) => !found.includes(column));
  const what = missing.length > 0 ? `without ${missing.join(', ')}` : 'in another order or with others between';
  const message = `the columns must be ${COLUMNS.join(', ')}; found ${shown(found.join(', ')) || 'none'} (${what})`;
  return new FileError('FEED_WRONG_COLUMNS', message, 1, shown(found.join(',')));
}

class Reader {
  readonly table = new LineTable();
  full = false;
  sawHeader = false;
  private orders = 0;
  private readonly limitOrders: number;
  private readonly onReject: (reject: Reject) => void;
  private readonly positions = new Map<string, number>();
  private readonly orderInvoices = new Set<string>();

  constructor(options: ReadOptions) {
    this.limitOrders = options.limitOrders ?? Number.POSITIVE_INFINITY;
    this.onReject = options.onReject ?? (() => undefined);
  }

  takeAll(blocks: RecordBlock[], splitter: RecordSplitter): void {
    // A header that can't even be split is a wrong file, not a bad line.
    if (!this.sawHeader && blocks.length === 0 && splitter.bad.length > 0) throw wrongColumns([splitter.bad[0]!.value]);
    for (const block of blocks) this.takeBlock(block);
    if (this.full) return;
    for (const bad of splitter.bad) this.reject(bad.line, null, bad.code, bad.value);
    splitter.bad.length = 0;
  }

  private takeBlock(block: RecordBlock): void {
    const rows = isUtf8(block.bytes) ? tryParse(block.bytes) : undefined;
    if (rows !== undefined && rows.length === block.starts.length) {
      for (let index = 0; index < rows.length && !this.full; index += 1)
        this.takeRow(rows[index]!, block.lines[index]!);
      return;
    }
    // Something in here can't be read: take the records one by one, so that only the bad one is set aside.
    for (let index = 0; index < block.starts.length && !this.full; index += 1) {
      const record = block.bytes.subarray(block.starts[index], block.starts[index + 1] ?? block.bytes.length);
      this.takeRecord(record, block.lines[index]!);
    }
  }

  private takeRecord(record: Buffer, line: number): void {
    if (record.toString('latin1').trim() === '') return;
    const rows = tryParse(record);
    if (!isUtf8(record)) {
      const column = rows?.[0]?.findIndex((field) => field.includes('\ufffd')) ?? -1;
      const value = column < 0 ? record.toString('utf8').trimEnd() : rows![0]![column]!;
      this.reject(line, COLUMNS[column] ?? null, 'FEED_INVALID_UTF8', value);
    } else if (rows === undefined || rows.length !== 1) {
      this.reject(line, null, 'FEED_BAD_QUOTES', record.toString('utf8').trimEnd());
    } else {
      this.takeRow(rows[0]!, line);
    }
  }

  private takeRow(fields: string[], line: number): void {
    if (!this.sawHeader) {
      if (fields.length !== COLUMNS.length || COLUMNS.some((column, index) => fields[index] !== column)) {
        throw wrongColumns(fields);
      }
      this.sawHeader = true;
      return;
    }
    const result = classify(fields);
    if (isProblem(result)) {
      // A bad line keeps its position, so that its neighbours' names don't change on the day it is repaired.
      if (hasInvoice(fields)) this.nextPosition(fields[0]!);
      this.reject(line, result.column, result.code, result.value);
      return;
    }
    const { table } = this;
    if (result.kind === KIND.order_line && !this.orderInvoices.has(result.invoice)) {
      if (this.orders >= this.limitOrders) {
        this.full = true;
        return;
      }
      this.orders += 1;
      this.orderInvoices.add(Buffer.from(result.invoice).toString());
    }
    const row = table.length;
    table.read += 1;
    table.kind.push(result.kind);
    table.invoice.push(table.invoices.add(result.invoice));
    table.lineNo.push(this.nextPosition(result.invoice));
    if (result.isProduct && result.kind !== KIND.ledger_entry) {
      const sku = table.skus.add(result.code);
      table.sku.push(sku);
      if (!table.descriptions[sku]) table.descriptions[sku] = Buffer.from(fields[2]!).toString();
    } else {
      table.sku.push(table.codes.add(result.code));
      table.chargeTexts.set(row, Buffer.from(fields[2]!).toString());
    }
    table.quantity.push(result.quantity);
    table.price.push(table.prices.add(result.price));
    table.account.push(table.accounts.add(result.account));
    table.at.push(result.at);
  }

  private nextPosition(invoice: string): number {
    const position = (this.positions.get(invoice) ?? 0) + 1;
    this.positions.set(position === 1 ? Buffer.from(invoice).toString() : invoice, position);
    return position;
  }

  private reject(line: number, column: string | null, code: LineErrorCode, value: string): void {
    this.table.read += 1;
    this.table.rejected += 1;
    this.onReject({ line, column, code, value: shown(value) });
  }
}
