/** JSON whose numbers keep their digits, read and written; CSV as RFC 4180 has it. */
import { ApiError, Decimal } from './store.ts';

/** Numbers become {@link Decimal}s with the text they were written as. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'), function (this: unknown, _key: string, value: unknown, context?: unknown) {
      if (typeof value !== 'number') return value;
      return new Decimal((context as { source?: string } | undefined)?.source ?? String(value));
    } as (this: unknown, key: string, value: unknown) => unknown);
  } catch (error) {
    throw new ApiError('JSON_PARSER_ERROR', (error as Error).message);
  }
}

export function toJson(value: unknown): string {
  if (value instanceof Decimal) return /[.]/.test(value.text) ? value.text : `${value.text}.0`;
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{${parts.map(([key, one]) => `${JSON.stringify(key)}:${toJson(one)}`).join(',')}}`;
}

export function toCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\n`).join('');
}

export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex;
    const found = cell.exec(text);
    if (found === null) throw new ApiError('INVALIDJOB', `the CSV breaks off at character ${at}`);
    row.push(found[1]?.replaceAll('""', '"') ?? found[2]!);
    if (found[3] === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}
