import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { FileError, type Reject } from './errors.ts';
import { readOrders } from './reader.ts';
import { sampleCsv, writeSample } from './sample.ts';
import { csvLine, fileOf, gzipped, HEADER, hasRealFile, REAL_FILE, tempDir, withoutRealFile } from './testing/files.ts';

async function read(file: string, limitOrders?: number) {
  const rejects: Reject[] = [];
  const { table, fileError } = await readOrders(file, { limitOrders, onReject: (reject) => rejects.push(reject) });
  const keys = Array.from(
    { length: table.length },
    (_, row) => `${table.invoices.at(table.invoice.at(row))}/${table.lineNo.at(row)}`,
  );
  return { table, fileError, rejects, keys };
}

describe('kinds', () => {
  test('each line has the kind of its invoice, code, quantity and price', async () => {
    const file = fileOf(
      csvLine({ invoice: '1' }),
      csvLine({ invoice: '1', code: '84406b' }),
      csvLine({ invoice: 'C2', quantity: -6 }),
      csvLine({ invoice: '3', quantity: -6, price: '0' }),
      csvLine({ invoice: '4', price: '0.00', account: '' }),
      csvLine({ invoice: '1', code: 'POST' }),
      csvLine({ invoice: '1', code: 'gift_0001_40' }),
      csvLine({ invoice: '1', code: 'M', quantity: -1, price: '0' }),
      csvLine({ invoice: 'C2', code: 'M', quantity: -1 }),
      csvLine({ invoice: 'A5', code: 'B', price: '-11062.06' }),
    );
    const { table, keys, rejects } = await read(file);
    expect(table.byKind()).toEqual({
      order_line: 2,
      cancellation: 1,
      stock_adjustment: 1,
      zero_price_receipt: 1,
      charge: 3,
      charge_credit: 1,
      ledger_entry: 1,
    });
    expect(rejects).toEqual([]);
    expect(keys).toEqual(['1/1', '1/2', 'C2/1', '3/1', '4/1', '1/3', '1/4', '1/5', 'C2/2', 'A5/1']);
    expect(table.skus.list).toEqual(['71053', '84406B']);
    expect(table.accounts.list).toEqual(['17850', 'WALKIN']);
  });

  test.skipIf(!hasRealFile)(
    `the real file adds up to its 541,909 lines${withoutRealFile}`,
    { timeout: 120_000 },
    async () => {
      const { table, rejects, fileError } = await read(REAL_FILE);
      expect(table.byKind()).toEqual({
        order_line: 527_725,
        cancellation: 8704,
        stock_adjustment: 1324,
        zero_price_receipt: 1161,
        charge: 2408,
        charge_credit: 584,
        ledger_entry: 3,
      });
      expect({ read: table.read, rejects, fileError }).toEqual({ read: 541_909, rejects: [], fileError: undefined });
    },
  );

  test('the limit ends before the line that begins the next order', async () => {
    const lines = ['1', '1', '2', '3', '1', '4'].map((invoice) => csvLine({ invoice }));
    lines.splice(3, 0, csvLine({ invoice: 'C9', quantity: -1 }));
    expect((await read(fileOf(...lines), 2)).keys).toEqual(['1/1', '1/2', '2/1', 'C9/1']);
  });
});

describe('bad lines', () => {
  const good = (invoice: string): string => csvLine({ invoice });
  const bad: [string, string, string | null, string][] = [
    ['FEED_BAD_DATE', csvLine({ invoice: '2', at: '2011-02-30T08:00:00' }), 'InvoiceDate', '2011-02-30T08:00:00'],
    [
      'FEED_QUANTITY_TOO_LARGE',
      csvLine({ invoice: '2', quantity: '99999999999999999999' }),
      'Quantity',
      '99999999999999999999',
    ],
    ['FEED_BAD_QUANTITY', csvLine({ invoice: '2', quantity: '1.5' }), 'Quantity', '1.5'],
    ['FEED_NO_KIND', csvLine({ invoice: '2', quantity: 0 }), 'Quantity', '2 71053 × 0 at 3.39'],
    ['FEED_NEGATIVE_PRICE', csvLine({ invoice: '2', price: '-3.39' }), 'UnitPrice', '-3.39'],
    ['FEED_BAD_PRICE', csvLine({ invoice: '2', price: '1e3' }), 'UnitPrice', '1e3'],
    ['FEED_PRICE_TOO_LARGE', csvLine({ invoice: '2', price: '123456789' }), 'UnitPrice', '123456789'],
    ['FEED_BAD_INVOICE', csvLine({ invoice: 'X2' }), 'InvoiceNo', 'X2'],
    ['FEED_BAD_CODE', csvLine({ invoice: '2', code: '' }), 'StockCode', ''],
    ['FEED_BAD_ACCOUNT', csvLine({ invoice: '2', account: '1 2' }), 'CustomerID', '1 2'],
    ['FEED_COLUMN_COUNT', '"2","71053",6', null, '3 columns: 2,71053,6'],
  ];
  test.each(bad)('%s is set aside with place and value, its neighbours are not', async (code, line, column, value) => {
    const { keys, rejects, table } = await read(fileOf(good('1'), good('1'), line, good('3')));
    expect(rejects).toEqual([{ line: 4, column, code, value }]);
    expect(keys).toEqual(['1/1', '1/2', '3/1']);
    expect([table.read, table.rejected]).toEqual([4, 1]);
  });

  test('a set-aside line keeps its position, so that its neighbours keep theirs when it is repaired', async () => {
    const { keys } = await read(fileOf(good('1'), csvLine({ invoice: '1', price: '-1' }), good('1')));
    expect(keys).toEqual(['1/1', '1/3']);
  });

  test('bytes that are not UTF-8 cost their own line', async () => {
    const [before, after] = csvLine({ invoice: '2' }).split('LANTERN') as [string, string];
    const file = gzipped(
      Buffer.concat([
        Buffer.from(`${HEADER}\n${good('1')}\n${before}`),
        Buffer.from([0xc3, 0x28]),
        Buffer.from(`${after}\n${good('3')}\n`),
      ]),
    );
    const { keys, rejects } = await read(file);
    expect(rejects).toEqual([
      { line: 3, column: 'Description', code: 'FEED_INVALID_UTF8', value: 'WHITE METAL \ufffd(' },
    ]);
    expect(keys).toEqual(['1/1', '3/1']);
  });

  test.each([
    ['in quotes', `"2","71053","${'x'.repeat(1 << 20)}",6,"2010-12-01T08:26:00",3.39,17850,"UK"`],
    ['without quotes', `2,71053,${'x'.repeat(1 << 20)},6,2010-12-01T08:26:00,3.39,17850,UK`],
  ])('a megabyte in one field (%s) costs its own line', async (_, line) => {
    const { keys, rejects } = await read(fileOf(good('1'), line, good('3')));
    expect(rejects.map(({ line: at, code }) => [at, code])).toEqual([[3, 'FEED_RECORD_TOO_LONG']]);
    expect(rejects[0]!.value.length).toBeLessThanOrEqual(201);
    expect(keys).toEqual(['1/1', '3/1']);
  });

  test.each([0, 1, 5, 900, 3000])(
    'a quote that never closes, %i lines before the end, costs its own line',
    async (after) => {
      const open = '"2","71053","6 INCH " PLATE,6,"2010-12-01T08:26:00",3.39,17850,"UK"';
      const rest = Array.from({ length: after }, (_, index) => good(String(index + 3)));
      const { keys, rejects } = await read(fileOf(good('1'), open, ...rest));
      expect(rejects.map(({ line, code }) => [line, code])).toEqual([[3, 'FEED_BAD_QUOTES']]);
      expect(keys.length).toBe(1 + after);
    },
  );

  test('two lines with a stray quote each cost themselves and nothing between them', async () => {
    const open = '"2","71053","6 INCH " PLATE,6,"2010-12-01T08:26:00",3.39,17850,"UK"';
    const { keys, rejects } = await read(fileOf(good('1'), open, good('3'), good('4'), open, good('5')));
    expect(rejects.map(({ line }) => line)).toEqual([3, 6]);
    expect(keys).toEqual(['1/1', '3/1', '4/1', '5/1']);
  });

  test('a description may hold line ends, commas and quotes; lines after it keep their number', async () => {
    const spread = '"2","71053","TWO\nLINES, ""QUOTED""",6,"2010-12-01T08:26:00",3.39,17850,"UK"';
    const { table, keys, rejects } = await read(fileOf(spread, good('3'), 'broken', good('4')));
    expect(keys).toEqual(['2/1', '3/1', '4/1']);
    expect(table.descriptions[0]).toBe('TWO\nLINES, "QUOTED"');
    expect(rejects.map(({ line }) => line)).toEqual([5]);
  });

  test('a last line without an end, CRLF and a byte order mark are nothing special', async () => {
    const file = gzipped(`\ufeff${HEADER}\r\n${good('1')}\r\n\r\n${good('2')}`);
    const { keys, rejects } = await read(file);
    expect(keys).toEqual(['1/1', '2/1']);
    expect(rejects).toEqual([]);
  });
});

describe('bad files', () => {
  const failure = async (file: string): Promise<FileError> => {
    const error = await readOrders(file).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FileError);
    return error as FileError;
  };

  test('a missing file', async () => {
    const file = `${tempDir()}/none.csv.gz`;
    expect(await failure(file)).toMatchObject({ code: 'FEED_FILE_MISSING', value: file });
  });
  test('a folder', async () => {
    expect(await failure(tempDir())).toMatchObject({ code: 'FEED_FILE_UNREADABLE' });
  });
  test.each(['', 'InvoiceNo,StockCode\n'])('a file that is not gzip: %j', async (text) => {
    const file = `${tempDir()}/plain.csv`;
    writeFileSync(file, text);
    expect(await failure(file)).toMatchObject({ code: 'FEED_NOT_GZIP' });
  });
  test.each([
    ['another name', HEADER.replace('Quantity', 'Qty')],
    ['one less', HEADER.replace(',"Country"', '')],
    [
      'another order',
      '"StockCode","InvoiceNo","Description","Quantity","InvoiceDate","UnitPrice","CustomerID","Country"',
    ],
    ['nothing at all', ''],
  ])('wrong columns: %s', async (_, header) => {
    const error = await failure(gzipped(`${header}\n${csvLine()}\n`));
    expect(error).toMatchObject({ code: 'FEED_WRONG_COLUMNS', line: 1 });
    expect(error.message).toContain('the columns must be InvoiceNo, StockCode');
  });

  test.each([0.2, 0.5, 0.9, 0.999])('a file cut at %d gives every line before the cut', async (part) => {
    const bytes = gzipSync(sampleCsv(5, 400));
    const file = `${tempDir()}/cut.csv.gz`;
    writeFileSync(file, bytes.subarray(0, Math.floor(bytes.length * part)));
    const whole = await read(gzipped(sampleCsv(5, 400)));
    const { keys, fileError, rejects } = await read(file);
    // Where it broke off: the line after the last whole one, the header being the first.
    expect(fileError).toMatchObject({ code: 'FEED_TRUNCATED', line: keys.length + 2 });
    expect(keys).toEqual(whole.keys.slice(0, keys.length));
    expect(keys.length).toBeGreaterThan(whole.keys.length * part * 0.7);
    expect(rejects.length).toBeLessThanOrEqual(1);
    for (const reject of rejects) expect(reject.code).toBe('FEED_TRUNCATED');
  });

  test('a file damaged in the middle gives what came before', async () => {
    const file = `${tempDir()}/damaged.csv.gz`;
    writeSample(file, 5, 3000);
    const bytes = readFileSync(file);
    bytes.fill(0xff, bytes.length - 2000, bytes.length - 1000);
    writeFileSync(file, bytes);
    const { keys, fileError } = await read(file);
    expect(fileError?.code).toBe('FEED_CORRUPT');
    expect(keys.length).toBeGreaterThan(5000);
  });
});
