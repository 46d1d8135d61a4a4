/** Files into records, one after the other and in bounded memory. */
import { parse } from 'csv-parse/sync';
import { SaxesParser } from 'saxes';
import type { Format } from './settings.ts';
import { BadFile, decoded, type Encoding, LINE_CHARS_MAX, type Line, linesOf, TOO_LONG } from './text.ts';

export { BadFile };

export interface FileRecord {
  line: number;
  values: Record<string, unknown>;
  /** Why it can't be read; `values` then hold it as it came, as `raw`. */
  fault?: string;
}

export interface Reading {
  format: Format;
  encoding: Encoding | undefined;
  /** Elements and properties that are lists however many there are. */
  lists: readonly string[];
  /** The last line must have its end. */
  finalNewline: boolean;
  /** Told once, before the first record, of formats that name columns. Throws {@link BadFile} where they won't do. */
  onColumns(columns: readonly string[]): void;
}

const LEVELS_MAX = 32;
const COLUMNS_MAX = 2_000;

export function recordsOf(chunks: AsyncIterable<Buffer>, reading: Reading): AsyncGenerator<FileRecord> {
  const texts = decoded(chunks, reading.encoding, reading.format.kind === 'xml');
  if (reading.format.kind === 'csv') return csvRecords(texts, reading, reading.format);
  if (reading.format.kind === 'fixed') return fixedRecords(texts, reading, reading.format);
  if (reading.format.kind === 'xml') return xmlRecords(texts, reading, reading.format.record);
  return jsonRecords(texts, reading);
}

type FormatOf<K extends Format['kind']> = Extract<Format, { kind: K }>;

/**
 * A record is a line, or as many as it takes until its quotes are closed. A line whose quotes are wrong is parked alone: what follows it is
 * read as if it had not been there. (The parser's own way of skipping swallows lines up to the next quote, so it sees one record at a time.)
 */
async function* csvRecords(
  texts: AsyncIterable<string>,
  reading: Reading,
  format: FormatOf<'csv'>,
): AsyncGenerator<FileRecord> {
  const { delimiter = ',', quote = '"' } = format;
  const lines = linesOf(texts);
  const ahead: Line[] = [];
  const lineAt = async (index: number): Promise<Line | undefined> => {
    while (ahead.length <= index) {
      const { value, done } = await lines.next();
      if (done === true) return undefined;
      ahead.push(value);
    }
    return ahead[index];
  };
  let columns: readonly string[] | undefined = format.header;
  if (columns !== undefined) reading.onColumns(columns);
  for (;;) {
    const first = await lineAt(0);
    if (first === undefined) break;
    if (first.open && reading.finalNewline) throw new BadFile(OPEN_END, first.line);
    if (first.isTooLong) {
      if (columns === undefined) throw new BadFile(`its header ${TOO_LONG}`, first.line);
      ahead.shift();
      yield tooLong(first);
      continue;
    }
    let { text } = first;
    let count = 1;
    let isClosed = quotesIn(text, quote) % 2 === 0;
    while (!isClosed && count < QUOTED_LINES_MAX && text.length < LINE_CHARS_MAX) {
      const next = await lineAt(count);
      if (next === undefined || next.isTooLong) break;
      if (next.open && reading.finalNewline) throw new BadFile(OPEN_END, next.line);
      text += `\n${next.text}`;
      count += 1;
      isClosed = quotesIn(text, quote) % 2 === 0;
    }
    const { line } = first;
    const row = isClosed ? fieldsOf(text, delimiter, quote) : 'has a quote that is never closed';
    if (typeof row === 'string') {
      if (columns === undefined) throw new BadFile(`its header ${row}`, line);
      ahead.shift();
      yield { line, values: { raw: first.text }, fault: row };
      continue;
    }
    ahead.splice(0, count);
    if (text.trim() === '') continue;
    if (columns === undefined) {
      columns = headerOf(row, line);
      reading.onColumns(columns);
    } else if (row.length !== columns.length)
      yield {
        line,
        values: { raw: text },
        fault: `has ${row.length} fields where the header has ${columns.length}`,
      };
    else yield { line, values: Object.fromEntries(columns.map((name, index) => [name, row[index]])) };
  }
  if (columns === undefined) throw new BadFile('is empty', 1);
}

function tooLong({ line, text }: Line): FileRecord {
  return { line, values: { raw: text }, fault: TOO_LONG };
}

const OPEN_END = 'ends within a line: only half of it may be there';
/** Lines of one record; a text of more is a quote that somebody forgot. */
const QUOTED_LINES_MAX = 200;

function quotesIn(text: string, quote: string): number {
  return quote === '' || !text.includes(quote) ? 0 : text.split(quote).length - 1;
}

/** @returns a record's fields, or why there are none */
function fieldsOf(text: string, delimiter: string, quote: string): string[] | string {
  if (quotesIn(text, quote) === 0) return text.split(delimiter);
  try {
    const rows: string[][] = parse(text, { delimiter, quote, relax_column_count: true });
    return rows.length === 1 ? rows[0]! : 'is no CSV';
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'CSV_INVALID_CLOSING_QUOTE') return 'has characters after a closing quote';
    if (code === 'INVALID_OPENING_QUOTE') return 'has a quote within a field that does not begin with one';
    return `is no CSV (${code ?? 'unknown'})`;
  }
}

function headerOf(row: readonly string[], line: number): string[] {
  const names = row.map((name) => name.trim());
  if (names.length > COLUMNS_MAX) throw new BadFile(`its header has more than ${COLUMNS_MAX} columns`, line);
  const twice = names.find((name, index) => name !== '' && names.indexOf(name) !== index);
  if (twice !== undefined) throw new BadFile(`its header has the column "${twice}" twice`, line, 'file_columns');
  return names.map((name, index) => name || `#${index + 1}`);
}

async function* fixedRecords(
  texts: AsyncIterable<string>,
  reading: Reading,
  format: FormatOf<'fixed'>,
): AsyncGenerator<FileRecord> {
  const { columns, lineChars, skipLines = 0 } = format;
  const needed = Math.max(...columns.map(({ from, length }) => from - 1 + length));
  reading.onColumns(columns.map(({ name }) => name));
  let empty = true;
  for await (const whole of linesOf(texts)) {
    const { line, text, open } = whole;
    empty = false;
    if (open && reading.finalNewline) throw new BadFile(OPEN_END, line);
    if (whole.isTooLong) {
      yield tooLong(whole);
      continue;
    }
    if (line <= skipLines || text.trim() === '' || text === '\x1a') continue;
    const chars = [...text];
    const isWrong = lineChars === undefined ? chars.length < needed : chars.length !== lineChars;
    if (isWrong) {
      const fault = `has ${chars.length} characters where ${lineChars ?? `at least ${needed}`} were agreed`;
      yield { line, values: { raw: text }, fault };
    } else {
      const values = columns.map(({ name, from, length }) => [
        name,
        chars
          .slice(from - 1, from - 1 + length)
          .join('')
          .trim(),
      ]);
      yield { line, values: Object.fromEntries(values) };
    }
  }
  if (empty) throw new BadFile('is empty', 1);
}

async function* jsonRecords(texts: AsyncIterable<string>, reading: Reading): AsyncGenerator<FileRecord> {
  let empty = true;
  for await (const whole of linesOf(texts)) {
    const { line, text, open } = whole;
    empty = false;
    if (whole.isTooLong) {
      if (open) throw new BadFile(OPEN_END, line);
      yield tooLong(whole);
      continue;
    }
    if (text.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(text, asWritten);
    } catch {
      // The last one without its end: the rest of it isn't there yet, or never came.
      if (open) throw new BadFile(OPEN_END, line);
      yield { line, values: { raw: text }, fault: 'is no JSON' };
      continue;
    }
    if (open && reading.finalNewline) throw new BadFile(OPEN_END, line);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      yield { line, values: { raw: text }, fault: 'is no JSON object' };
    else yield { line, values: flat(value as Record<string, unknown>, reading.lists) };
  }
  if (empty) throw new BadFile('is empty', 1);
}

/** Numbers stay the texts they were: 0.10 is a price, and no float on its way to one. */
function asWritten(this: unknown, _: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? (context?.source ?? String(value)) : value;
}

type Tree = Record<string, unknown>;

/** `{buyer: {id: 1}}` as `{'buyer/id': 1}`; a list stays one, of flat things. */
function flat(tree: Tree, lists: readonly string[], at = '', into: Tree = {}, level = 0): Tree {
  for (const [name, value] of Object.entries(tree)) {
    const path = at === '' ? name : `${at}/${name}`;
    const things = Array.isArray(value) ? value : lists.includes(path) ? [value] : undefined;
    if (things !== undefined)
      into[path] = things.map((one) => (isTree(one) && level < LEVELS_MAX ? flat(one, [], '', {}, level + 1) : one));
    else if (isTree(value) && level < LEVELS_MAX) flat(value, lists, path, into, level + 1);
    else into[path] = value;
  }
  return into;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Element {
  name: string;
  line: number;
  text: string;
  children: Tree | undefined;
}

async function* xmlRecords(
  texts: AsyncIterable<string>,
  reading: Reading,
  recordName: string,
): AsyncGenerator<FileRecord> {
  const parser = new SaxesParser();
  const local = (name: string) => name.slice(name.indexOf(':') + 1);
  let queue: FileRecord[] = [];
  /** Elements of the record that is read, the record first. */
  const within: Element[] = [];
  let chars = 0;
  let level = 0;
  parser.on('doctype', () => {
    throw new BadFile('has a DOCTYPE, which is not read', parser.line);
  });
  parser.on('opentag', ({ name, attributes }) => {
    level += 1;
    if (level > LEVELS_MAX) throw new BadFile(`has more than ${LEVELS_MAX} levels`, parser.line);
    if (within.length === 0 && local(name) !== recordName) return;
    if (within.length === 0) chars = 0;
    const attrs = Object.entries(attributes).filter(([key]) => key !== 'xmlns' && !key.startsWith('xmlns:'));
    const children =
      attrs.length === 0 ? undefined : Object.fromEntries(attrs.map(([key, value]) => [`@${local(key)}`, value]));
    within.push({ name: local(name), line: parser.line, text: '', children });
  });
  const onText = (text: string) => {
    const here = within.at(-1);
    if (here === undefined) return;
    chars += text.length;
    if (chars > LINE_CHARS_MAX) throw new BadFile(`a record has more than ${LINE_CHARS_MAX} characters`, parser.line);
    here.text += text;
  };
  parser.on('text', onText);
  parser.on('cdata', onText);
  parser.on('closetag', () => {
    level -= 1;
    const done = within.pop();
    if (done === undefined) return;
    const text = done.text.trim();
    const value: unknown =
      done.children === undefined ? text : text === '' ? done.children : { ...done.children, '#text': text };
    const parent = within.at(-1);
    if (parent === undefined) {
      const values = isTree(value) ? flat(value, reading.lists) : { '#text': value };
      queue.push({ line: done.line, values });
      return;
    }
    parent.children ??= {};
    const before = Object.hasOwn(parent.children, done.name) ? parent.children[done.name] : undefined;
    if (before === undefined) parent.children[done.name] = value;
    else if (Array.isArray(before)) before.push(value);
    else parent.children[done.name] = [before, value];
  });
  const run = (act: () => void) => {
    try {
      act();
    } catch (error) {
      if (error instanceof BadFile) throw error;
      throw new BadFile(`is no whole XML: ${(error as Error).message.replace(/^\S*\d+:\d+: /, '')}`, parser.line);
    }
  };
  for await (const text of texts) {
    // What came before a fault is whole and is read.
    let fault: unknown;
    try {
      run(() => void parser.write(text));
    } catch (error) {
      fault = error;
    }
    const found = queue;
    queue = [];
    yield* found;
    if (fault !== undefined) throw fault;
  }
  run(() => void parser.close());
  yield* queue;
}
