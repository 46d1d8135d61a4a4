import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll } from 'vitest';
import { COLUMNS } from '../classify.ts';

/** The real file, if there is one: tests that need it skip without. */
export const REAL_FILE =
  process.env.CROSSDOCK_ORDERS_FILE ?? join(import.meta.dirname, '../../../../shared/data/online-retail.csv.gz');
export const hasRealFile = existsSync(REAL_FILE);
export const withoutRealFile = hasRealFile ? '' : ` (skipped: ${REAL_FILE} is not there)`;

export const HEADER = COLUMNS.map((column) => `"${column}"`).join(',');

const dirs: string[] = [];
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

/** A folder that goes with the tests of the file that asked for it. */
export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'xd-feed-'));
  dirs.push(dir);
  return dir;
}

export function gzipped(text: string | Buffer): string {
  const file = join(tempDir(), 'orders.csv.gz');
  writeFileSync(file, gzipSync(text));
  return file;
}

/** One line of a file; what isn't given is ordinary. */
export function csvLine(
  fields: {
    invoice?: string;
    code?: string;
    quantity?: number | string;
    at?: string;
    price?: string;
    account?: string;
  } = {},
): string {
  const {
    invoice = '536365',
    code = '71053',
    quantity = 6,
    at = '2010-12-01T08:26:00',
    price = '3.39',
    account = '17850',
  } = fields;
  return `"${invoice}","${code}","WHITE METAL LANTERN",${quantity},"${at}",${price},${account},"United Kingdom"`;
}

export function fileOf(...lines: string[]): string {
  return gzipped(`${[HEADER, ...lines].join('\n')}\n`);
}
