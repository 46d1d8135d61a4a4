import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InboundItem } from '../../canonical/index.ts';
import type { Clock, Connector, DeliveryKind, FeedPage, RecordMap, Source } from '../kit/index.ts';
import { contextFor } from '../kit/testing.ts';
import { files } from './index.ts';
import type { Inbound } from './settings.ts';
import { fileSource } from './source.ts';
import { type FileStore, localStore } from './store.ts';

const signal = new AbortController().signal;
const fields = { id: 'Id', sku: 'Sku', location: { value: 'DC' }, quantity: 'Qty', occurredAt: 'At' };
const map: RecordMap = { as: 'adjusted', fields };
const at = '2026-03-01T09:00:00Z';
const csv = (rows: [string, string, string | number][]) =>
  ['Id,Sku,Qty,At', ...rows.map((row) => [...row, at].join(','))].map((line) => `${line}\n`).join('');
const inbound = (more: Partial<Inbound> = {}): Inbound => ({
  ...{ feed: 'stock', folder: 'in', match: '*.csv', format: { kind: 'csv' }, settle: { by: 'rename' }, map },
  ...more,
});

let root: string;
let nowMs: number;
const clock: Clock = { now: () => nowMs, after: () => () => {} };
const open: (Source & { close(): Promise<void> })[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'crossdock-files-'));
  mkdirSync(join(root, 'in'));
  nowMs = 0;
});
afterEach(async () => {
  for (const source of open.splice(0)) await source.close();
  rmSync(root, { recursive: true });
});

function sourceOf(one: Inbound = inbound(), store: FileStore = localStore(root)) {
  const source = fileSource(store, one, { system: 'box', channel: 'shop', clock, at: 'inbound' });
  open.push(source);
  return source;
}
const put = (name: string, content: string | Buffer) => writeFileSync(join(root, 'in', name), content);
const there = (folder: string) => readdirSync(join(root, folder)).sort();

/** Reads until nothing more is there. */
async function drain(
  source: Source,
  cursor = '',
): Promise<{ items: InboundItem[]; cursor: string; pages: FeedPage[] }> {
  const items: InboundItem[] = [];
  const pages: FeedPage[] = [];
  for (;;) {
    const page = await source.poll(cursor, signal);
    ({ cursor } = page);
    pages.push(page);
    items.push(...page.items);
    if (page.drained) return { items, cursor, pages };
  }
}
/** Without what to do about it: that is asked for where it is parked (test/bad-input-files.db.test.ts). */
const told = (items: InboundItem[]) =>
  items.map(({ key, command, unreadable }) =>
    unreadable
      ? `${unreadable.place} ${unreadable.reason.replace(/: (change|ask|have|resolve) .*$/, '')}`
      : `${key} ${(command as { quantity: number }).quantity}`,
  );

describe('what is read', () => {
  it('a file is read once, archived after its last page is stored, and its page can be read again', async () => {
    put(
      'a.csv',
      csv([
        ['1', 'x', 5],
        ['2', 'y', -3],
      ]),
    );
    const source = sourceOf();
    const first = await source.poll('', signal);
    expect(told(first.items)).toEqual(['1 5', '2 -3']);
    expect(first.items[0]!.command).toMatchObject({
      kind: 'stock.moved',
      movement: 'adjusted',
      sku: 'X',
      location: 'DC',
    });
    expect(source.reread!(first.body)).toEqual(first.items);
    expect(there('in')).toEqual(['a.csv']);
    expect(await source.poll(first.cursor, signal)).toMatchObject({ items: [], drained: true });
    expect([there('in'), there('in/archive')]).toEqual([['archive'], ['a.csv']]);
  });

  it('a line that is wrong is parked with its number and its neighbours are read', async () => {
    put(
      'a.csv',
      `${csv([
        ['1', 'x', 5],
        ['2', 'y', 'five'],
      ])}3,"z"q,4,${at}\n4,w,1\n5,9" pipe,1,${at}\n${csv([['6', 'v', 6]]).split('\n')[1]}\n`,
    );
    expect(told((await drain(sourceOf())).items)).toEqual([
      '1 5',
      '/line/3/Qty must be a number with "." before its fraction',
      '/line/4 has characters after a closing quote',
      '/line/5 has 3 fields where the header has 4',
      '/line/6 has a quote that is never closed',
      '6 6',
    ]);
  });

  it('a restart in the middle of a file goes on behind what was handed over', async () => {
    put('a.csv', csv(Array.from({ length: 25 }, (_, n) => [String(n), 'x', n + 1] as [string, string, number])));
    const keys: string[] = [];
    let cursor = '';
    for (let page: FeedPage | undefined; page?.drained !== true; ) {
      // A new process for each page.
      page = await sourceOf(inbound({ pageRecords: 10 })).poll(cursor, signal);
      keys.push(...page.items.map(({ key }) => key));
      ({ cursor } = page);
    }
    expect(keys).toEqual(Array.from({ length: 25 }, (_, n) => String(n)));
    expect(there('in/archive')).toEqual(['a.csv']);
  });

  it('a page that was not stored is handed over once more, the same', async () => {
    put(
      'a.csv',
      csv([
        ['1', 'x', 1],
        ['2', 'x', 2],
        ['3', 'x', 3],
      ]),
    );
    const source = sourceOf(inbound({ pageRecords: 2 }));
    const first = await source.poll('', signal);
    const lost = await source.poll(first.cursor, signal);
    const again = await source.poll(first.cursor, signal);
    expect([told(lost.items), told(again.items)]).toEqual([['3 3'], ['3 3']]);
    expect(again.cursor).toBe(lost.cursor);
  });

  it('an order is not parted between two pages', async () => {
    const names = ['externalNo', 'account', 'company', 'currency', 'orderedAt', 'sku', 'quantity', 'unitPrice'];
    const lines = (no: string, count: number) =>
      Array.from({ length: count }, (_, n) => `${no},C1,UK,GBP,${at},s${n},1,2.55\n`);
    put('a.csv', `${names.join(',')}\n${lines('A', 3).join('')}${lines('B', 9).join('')}${lines('C', 2).join('')}`);
    const orders: RecordMap = { as: 'order', fields: Object.fromEntries(names.map((name) => [name, name])) };
    const { pages } = await drain(sourceOf(inbound({ map: orders, pageRecords: 4 })));
    expect(
      pages.map(({ items }) =>
        items.map(({ key, command }) => `${key} ${(command as unknown as { lines: [] }).lines.length}`),
      ),
    ).toEqual([['A 3', 'B 9'], ['C 2'], []]);
  });
});

describe('never half a file', () => {
  it('by size and time: unchanged for so long as we saw it ourselves, whatever its own time says', async () => {
    const source = sourceOf(inbound({ settle: { by: 'unchanged', seconds: 10 } }));
    const poll = async () => (await source.poll('', signal)).items.length;
    put('a.csv', csv([['1', 'x', 1]]));
    utimesSync(join(root, 'in/a.csv'), 1, 1);
    expect(await poll()).toBe(0);
    nowMs = 9_999;
    expect(await poll()).toBe(0);
    // It grew: once more from the beginning.
    put(
      'a.csv',
      csv([
        ['1', 'x', 1],
        ['2', 'x', 2],
      ]),
    );
    nowMs = 12_000;
    expect(await poll()).toBe(0);
    nowMs = 21_999;
    expect(await poll()).toBe(0);
    nowMs = 22_000;
    expect(await poll()).toBe(2);
  });

  it('an empty file waits ten times as long, and is then told as bad', async () => {
    const source = sourceOf(inbound({ settle: { by: 'unchanged', seconds: 10 } }));
    put('a.csv', '');
    await source.poll('', signal);
    nowMs = 99_999;
    expect((await source.poll('', signal)).items).toEqual([]);
    nowMs = 100_000;
    expect(told((await drain(source)).items)).toEqual(['/line/1 a.csv is empty']);
  });

  it('by a marker, which goes with it', async () => {
    const source = sourceOf(inbound({ settle: { by: 'marker', suffix: '.done' }, match: '*' }));
    put('a.csv', csv([['1', 'x', 1]]));
    expect((await drain(source)).items).toEqual([]);
    put('a.csv.done', '');
    expect(told((await drain(source)).items)).toEqual(['1 1']);
    expect([there('in'), there('in/archive')]).toEqual([['archive'], ['a.csv']]);
  });

  it('by its name: what is still being written is called otherwise', async () => {
    for (const name of ['.a.csv', 'b.csv.tmp', 'c.part', 'd.csv~', 'E.FILEPART']) put(name, csv([['1', 'x', 1]]));
    expect((await drain(sourceOf(inbound({ match: '*' })))).items).toEqual([]);
    renameSync(join(root, 'in/b.csv.tmp'), join(root, 'in/b.csv'));
    expect(told((await drain(sourceOf(inbound({ match: '*' })))).items)).toEqual(['1 1']);
  });

  it('one that changes while it is copied is left for later', async () => {
    put('a.csv', csv([['1', 'x', 1]]));
    const store = localStore(root);
    let isWriting = true;
    const growing: FileStore = {
      ...store,
      async *read(path, s) {
        yield* store.read(path, s);
        if (isWriting)
          put(
            'a.csv',
            csv([
              ['1', 'x', 1],
              ['2', 'x', 2],
            ]),
          );
      },
    };
    const source = sourceOf(inbound(), growing);
    expect(await source.poll('', signal)).toMatchObject({ items: [], drained: true, cursor: '' });
    isWriting = false;
    expect(told((await drain(source)).items)).toEqual(['1 1', '2 2']);
  });

  it('one that changed after it was read is not archived but read again', async () => {
    put('a.csv', csv([['1', 'x', 1]]));
    const source = sourceOf();
    const { cursor } = await source.poll('', signal);
    put(
      'a.csv',
      csv([
        ['1', 'x', 1],
        ['2', 'x', 2],
      ]),
    );
    const rest = await drain(source, cursor);
    expect(told(rest.items)).toEqual(['1 1', '2 2']);
    expect(there('in/archive')).toEqual(['a.csv']);
  });

  it('one that is replaced between two pages is read as what it is now', async () => {
    put(
      'a.csv',
      csv([
        ['1', 'x', 1],
        ['2', 'x', 2],
      ]),
    );
    const { cursor } = await sourceOf(inbound({ pageRecords: 1 })).poll('', signal);
    put(
      'a.csv',
      csv([
        ['7', 'x', 7],
        ['8', 'x', 8],
        ['9', 'x', 9],
      ]),
    );
    expect(told((await drain(sourceOf(), cursor)).items)).toEqual(['7 7', '8 8', '9 9']);
  });

  it('one that is taken away while it is read is told, and the feed goes on', async () => {
    put(
      'a.csv',
      csv([
        ['1', 'x', 1],
        ['2', 'x', 2],
      ]),
    );
    const { cursor } = await sourceOf(inbound({ pageRecords: 1 })).poll('', signal);
    rmSync(join(root, 'in/a.csv'));
    put('b.csv', csv([['3', 'x', 3]]));
    expect(told((await drain(sourceOf(), cursor)).items)).toEqual([
      '/record/1 a.csv was taken away while it was read; 1 records of it were handed over',
      '3 3',
    ]);
  });

  it('a last line without its end makes the file bad where its end was agreed', async () => {
    put(
      'a.csv',
      csv([
        ['1', 'x', 12],
        ['2', 'x', 345],
      ]).slice(0, -4),
    );
    const { items } = await drain(sourceOf(inbound({ finalNewline: true })));
    expect(told(items)).toEqual(['1 12', '/line/3 a.csv ends within a line: only half of it may be there']);
    expect(JSON.parse(readFileSync(join(root, 'in/reject/a.csv.reason.json'), 'utf8'))).toMatchObject({
      file: 'a.csv',
      line: 3,
      reason: 'ends within a line: only half of it may be there',
    });
    expect(there('in/reject')).toEqual(['a.csv', 'a.csv.reason.json']);
  });
});

describe('what comes again, and what breaks on the way', () => {
  it('a line that can not be read is the same thing in another file, at another time and under another name', async () => {
    const bad = csv([['1', 'x', '2,5']]);
    put('a.csv', bad);
    const source = sourceOf();
    const first = await drain(source);
    put('b.csv', bad);
    utimesSync(join(root, 'in/b.csv'), 1_000_000, 1_000_000);
    const second = await drain(source, first.cursor);
    const named = ({ items }: { items: InboundItem[] }) =>
      items.map(({ scope, key, fingerprint: f }) => [scope, key, f]);
    expect(named(second)).toEqual(named(first));
    expect(first.items).toHaveLength(1);
  });

  it('what a file says of itself is read like columns, and groups records', async () => {
    const of = { ...fields, reference: '$ref' };
    put('a.csv', csv([['1', 'x', 5]]));
    const { items } = await drain(sourceOf(inbound({ map: { as: 'adjusted', fields: of } })));
    expect(items[0]!.command).toMatchObject({ reference: 'a.csv:2' });
  });

  it('a NUL in one line spoils that line', async () => {
    put(
      'a.csv',
      csv([
        ['1', 'x', 5],
        ['2', 'a\0b', 6],
        ['3', 'z', 7],
      ]),
    );
    expect(told((await drain(sourceOf())).items)).toEqual(['1 5', expect.stringMatching(/^\/line\/3/), '3 7']);
  });

  it('a line that never ends spoils that line, wherever the bytes are cut', async () => {
    const [head, first, last] = csv([
      ['1', 'x', 5],
      ['3', 'z', 7],
    ]).split(/(?<=\n)/) as [string, string, string];
    for (const chars of [(1 << 20) + 1, 3 << 20]) {
      put('a.csv', `${head}${first}${'x'.repeat(chars)}\n${last}"${'y'.repeat(chars)}`);
      expect(told((await drain(sourceOf())).items)).toEqual([
        '1 5',
        '/line/3 has more than 1048576 characters',
        '3 7',
        '/line/5 has more than 1048576 characters',
      ]);
    }
  });

  it('a cursor that is none is refused', async () => {
    for (const cursor of ['-1', '"a"', '[]', 'true', '{"count":1}'])
      await expect(sourceOf().poll(cursor, signal)).rejects.toMatchObject({ code: 'XD_VALUE_INVALID' });
  });
});

describe('columns', () => {
  it('one that is read and was renamed makes the file bad, with what is there instead; the next file is read', async () => {
    put('a.csv', csv([['1', 'x', 1]]).replace('Qty', 'Quantity'));
    put('b.csv', csv([['2', 'x', 2]]));
    expect(told((await drain(sourceOf())).items)).toEqual([
      '/line/1 a.csv has other columns than agreed; missing: Qty; instead there: Quantity',
      '2 2',
    ]);
    expect([there('in/reject'), there('in/archive')]).toEqual([['a.csv', 'a.csv.reason.json'], ['b.csv']]);
  });

  it('others that came, went or moved are named once, and the file is read', async () => {
    put('a.csv', csv([['1', 'x', 1]]));
    put('b.csv', `Colour,At,Qty,Sku,Id\nred,${at},2,x,2\n`);
    put('c.csv', `Colour,At,Qty,Sku,Id\nred,${at},3,x,3\n`);
    expect(told((await drain(sourceOf())).items)).toEqual([
      '1 1',
      '2 2',
      '/line/1 the columns changed; new: Colour; the file is read, as the map finds all it needs',
      '3 3',
    ]);
  });

  it.each([
    ['twice', 'Id,Sku,Qty,At,Qty\n', 'its header has the column "Qty" twice'],
    [
      'as HTML',
      '<html><body>502 Bad Gateway</body></html>\n',
      'has other columns than agreed; missing: Id, Sku, Qty, At',
    ],
  ])('a header %s is bad', async (_, text, reason) => {
    put('a.csv', text);
    expect(told((await drain(sourceOf())).items)[0]).toContain(reason);
  });
});

describe('without leave to move files', () => {
  it('those that were read are remembered by name, size and time, as long as they are there', async () => {
    const box = inbound({ archive: null });
    put('a.csv', csv([['1', 'x', 1]]));
    put('b.csv', csv([['2', 'x', 2]]));
    const first = await drain(sourceOf(box));
    expect(told(first.items)).toEqual(['1 1', '2 2']);
    expect((await drain(sourceOf(box), first.cursor)).items).toEqual([]);
    put(
      'a.csv',
      csv([
        ['1', 'x', 1],
        ['3', 'x', 3],
      ]),
    );
    rmSync(join(root, 'in/b.csv'));
    const second = await drain(sourceOf(box), first.cursor);
    expect(told(second.items)).toEqual(['1 1', '3 3']);
    expect(second.cursor).not.toContain('b.csv');
    expect(there('in')).toEqual(['a.csv']);
  });
});

describe('formats and encodings', () => {
  const german = 'Id;Sku;Qty;At\r\n1;Größe;1.000;01.03.2026\r\n';
  const format = { kind: 'csv', delimiter: ';' } as const;
  const germanMap: RecordMap = {
    as: 'adjusted',
    fields: {
      ...fields,
      quantity: { from: 'Qty', decimal: ',', thousands: '.' },
      occurredAt: { from: 'At', time: 'dd.MM.yyyy' },
    },
  };
  const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
  it.each([
    ['UTF-8 with a mark', Buffer.from(`\ufeff${german}`), undefined],
    ['Latin-1', Buffer.from(german, 'latin1'), 'latin1'],
    ['UTF-16 with a mark, whatever is declared', utf16(german), 'latin1'],
    ['UTF-16 big-endian', utf16(german).swap16(), undefined],
    ['UTF-16 without a mark', Buffer.from(german, 'utf16le'), 'utf-16le'],
  ] as const)('%s', async (_, bytes, encoding) => {
    put('a.csv', bytes);
    const { items } = await drain(sourceOf(inbound({ format, map: germanMap, ...(encoding && { encoding }) })));
    expect(items[0]!.command).toMatchObject({ sku: 'GRÖSSE', quantity: 1000, occurredAt: '2026-03-01T00:00:00.000Z' });
  });

  it('Latin-1 that is declared as UTF-8 parks the lines it spoils', async () => {
    put('a.csv', Buffer.from(`${german}2;ok;7;01.03.2026\r\n`, 'latin1'));
    expect(told((await drain(sourceOf(inbound({ format, map: germanMap })))).items)).toEqual([
      '/line/2/Sku is not in the declared encoding',
      '2 7',
    ]);
  });

  it('UTF-16 without a mark that is declared as UTF-8 is told as what it is', async () => {
    put('a.csv', Buffer.from(german, 'utf16le'));
    expect(told((await drain(sourceOf(inbound({ format })))).items)[0]).toContain('holds NUL characters');
  });

  it('fixed width, with a line that is too short', async () => {
    const columns = [
      { name: 'Id', from: 1, length: 4 },
      { name: 'Sku', from: 5, length: 6 },
      { name: 'Qty', from: 11, length: 4 },
      { name: 'At', from: 15, length: 8 },
    ];
    const fixedMap: RecordMap = { as: 'adjusted', fields: { ...fields, occurredAt: { from: 'At', time: 'yyyyMMdd' } } };
    put('a.csv', 'HDR\n0001x     000520260301\n0002y     00\n0003é𝒙    -00120260301\n\x1a');
    expect(
      told((await drain(sourceOf(inbound({ format: { kind: 'fixed', columns, skipLines: 1 }, map: fixedMap })))).items),
    ).toEqual(['0001 5', '/line/3 has 12 characters where at least 22 were agreed', '0003 -1']);
  });

  it('NDJSON keeps numbers as they are written', async () => {
    const names = ['externalNo', 'account', 'company', 'currency', 'orderedAt'];
    const orders: RecordMap = {
      as: 'order',
      lines: 'lines',
      fields: {
        ...Object.fromEntries(names.map((name) => [name, name])),
        account: 'buyer/id',
        sku: 'sku',
        quantity: 'quantity',
        unitPrice: 'price',
      },
    };
    const order = (no: string, price: string) =>
      `{"externalNo":"${no}","buyer":{"id":"C1"},"company":"UK","currency":"GBP","orderedAt":"${at}","lines":[{"sku":"a","quantity":2,"price":${price}}]}\n`;
    put('a.ndjson', `${order('A', '0.10')}{"externalNo":\n${order('B', '12345678.123456')}${order('C', '1e3')}`);
    const { items } = await drain(sourceOf(inbound({ match: '*.ndjson', format: { kind: 'ndjson' }, map: orders })));
    expect(
      items.map(
        ({ command, unreadable }) =>
          unreadable?.reason ?? (command as { lines: { unitPrice: string }[] }).lines[0]!.unitPrice,
      ),
    ).toEqual(['0.10', 'is no JSON', '12345678.123456', 'must be a number with "." before its fraction']);
  });

  const xmlMap: RecordMap = {
    as: 'shipped',
    lines: 'items/item',
    fields: {
      id: '@id',
      fulfilment: 'ref',
      shipment: 'ref',
      occurredAt: 'at',
      lineNo: '@no',
      sku: 'sku',
      quantity: 'count',
    },
  };
  const xml = inbound({ match: '*.xml', format: { kind: 'xml', record: 'ship' }, map: xmlMap });
  const ship = (id: string) =>
    `<x:ship id="${id}"><x:ref>F1</x:ref><at>${at}</at><items><item no="1"><sku>A&amp;B</sku><count>2</count></item></items></x:ship>`;

  it('XML: elements, attributes and prefixes; one line is a list as well', async () => {
    put('a.xml', `<?xml version="1.0" encoding="UTF-8"?><x:all xmlns:x="urn:x">${ship('1')}${ship('2')}</x:all>`);
    const { items } = await drain(sourceOf(xml));
    expect(items.map(({ key, command }) => [key, command])).toMatchObject([
      ['1', { kind: 'fulfilment.shipped', fulfilment: 'F1', lines: [{ lineNo: 1, sku: 'A&B', quantity: 2 }] }],
      ['2', {}],
    ]);
  });

  it.each([
    ['cut short', (s: string) => s.slice(0, -30), 2, 'is no whole XML'],
    [
      'with entities of its own',
      (s: string) => s.replace('?>', '?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
      1,
      'has a DOCTYPE',
    ],
  ])('XML %s is bad; what came whole before it is read', async (_, change, count, reason) => {
    put('a.xml', change(`<?xml version="1.0"?><all xmlns:x="urn:x">\n${ship('1')}\n${ship('2')}</all>`));
    const { items } = await drain(sourceOf(xml));
    expect(items).toHaveLength(count);
    expect(items.at(-1)!.unreadable?.reason).toContain(reason);
  });

  it('a file of 60 MB is read in little memory', { timeout: 120_000 }, async () => {
    const line = (n: number) => `${n},${'x'.repeat(160)},${(n % 9) + 1},${at}\n`;
    const parts = ['Id,Sku,Qty,At\n'];
    for (let n = 0; n < 300_000; n++) parts.push(line(n));
    put('a.csv', parts.splice(0).join(''));
    global.gc?.();
    const source = sourceOf(inbound({ pageRecords: 2_000 }));
    const before = process.memoryUsage().heapUsed;
    let [count, peak, cursor] = [0, 0, ''];
    for (let page: FeedPage | undefined; page?.drained !== true; ) {
      page = await source.poll(cursor, signal);
      count += page.items.length;
      ({ cursor } = page);
      peak = Math.max(peak, process.memoryUsage().heapUsed - before);
    }
    expect(count).toBe(300_000);
    expect(peak).toBeLessThan(200 * 1024 * 1024);
  });
});

describe('facts as files', () => {
  const order = { reference: 'shop/1', account: 'C,1', lines: [{ lineNo: 1, sku: 'A', quantity: 2 }] };
  const items = [
    { reference: 'shop/1', payload: order },
    { reference: 'shop/2', payload: { ...order, account: 'é' } },
  ];
  const boxOf = (outbound: object): Connector =>
    files(
      contextFor(pathToFileURL(root).href, {
        system: 'box',
        channel: null,
        settings: { outbound: { sales_order: { folder: 'out', ...outbound } } },
      }),
    );
  const kindOf = (outbound: object): DeliveryKind => boxOf(outbound).deliveries.sales_order!;
  const out = () => there('out').filter((name) => name !== '.sent');

  it('one each, under a name of its own, and never twice, whether or not the partner took it', async () => {
    const orders = kindOf({ format: 'json' });
    const [first, second] = await orders.write(items, signal);
    expect([first!.outcome, second!.outcome]).toEqual(['confirmed', 'confirmed']);
    expect(out()).toEqual([
      expect.stringMatching(/^sales_order-shop_1-[0-9a-f]{10}\.json$/),
      expect.stringMatching(/^sales_order-shop_2-/),
    ]);
    expect(JSON.parse(readFileSync(join(root, 'out', out()[0]!), 'utf8'))).toEqual(order);
    for (const name of out()) rmSync(join(root, 'out', name));
    expect(await orders.write(items, signal)).toEqual([first, second]);
    expect(out()).toEqual([]);
    expect([...(await orders.locate(['shop/1', 'shop/3'], signal)).keys()]).toEqual(['shop/1']);
  });

  it('where nothing can be looked up nothing is written, and it is for later', async () => {
    const orders = kindOf({ format: 'json' });
    expect(await orders.write(items, AbortSignal.abort())).toMatchObject([{ outcome: 'later' }, { outcome: 'later' }]);
    writeFileSync(join(root, 'out'), '');
    expect(await orders.write(items, signal)).toMatchObject([{ outcome: 'later' }, { outcome: 'later' }]);
    rmSync(join(root, 'out'));
    expect(await orders.write(items, signal)).toMatchObject([{ outcome: 'confirmed' }, { outcome: 'confirmed' }]);
    expect(out()).toHaveLength(2);
  });

  it('one that was never renamed was not sent', async () => {
    const orders = kindOf({ format: 'json' });
    const [{ number }] = (await orders.write(items.slice(0, 1), signal)).map(
      (one) => (one as { answer: { number: string } }).answer,
    ) as [{ number: string }];
    // As a crash between the mark and the rename leaves it.
    renameSync(join(root, 'out', number), join(root, 'out', `.${number}.tmp`));
    expect((await orders.locate(['shop/1'], signal)).size).toBe(0);
    expect((await orders.write(items.slice(0, 1), signal))[0]!.outcome).toBe('confirmed');
    expect(out()).toEqual([number]);
  });

  it('a batch is one file, and each of it is found', async () => {
    const orders = kindOf({
      format: 'csv',
      files: 'batch',
      columns: [
        { name: 'No', from: 'reference' },
        { name: 'Acc', from: 'account' },
        { name: 'Sku', from: 'lines.sku' },
      ],
    });
    expect((await orders.write(items, signal)).map(({ outcome }) => outcome)).toEqual(['confirmed', 'confirmed']);
    expect(out()).toHaveLength(1);
    expect(readFileSync(join(root, 'out', out()[0]!), 'utf8')).toBe('No,Acc,Sku\r\nshop/1,"C,1",A\r\nshop/2,é,A\r\n');
    expect((await orders.locate(['shop/1', 'shop/2'], signal)).size).toBe(2);
    await orders.write([items[1]!], signal);
    expect(out()).toHaveLength(1);
  });

  it('XML is escaped, and a column that is missing is refused before anything is written', async () => {
    const wrong = kindOf({ format: 'csv', columns: [{ name: 'X', from: 'nothing' }] });
    expect(await wrong.write(items.slice(0, 1), signal)).toEqual([
      { outcome: 'refused', error: 'the payload has no nothing' },
    ]);
    const orders = kindOf({ format: 'xml', root: 'order' });
    await orders.write([{ reference: 'a<b', payload: { note: 'x & \u0001', lines: [{ sku: '1' }] } }], signal);
    expect(readFileSync(join(root, 'out', out()[0]!), 'utf8')).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<order>\n  <note>x &amp; \ufffd</note>\n  <line>\n    <sku>1</sku>\n  </line>\n  <reference>a&lt;b</reference>\n</order>\n',
    );
  });
});

it.each([
  ['http://x/', {}, 'must be file:///folder or sftp://user@host/folder'],
  ['file:///tmp', { inbound: [inbound(), inbound()] }, 'has the feed stock twice'],
  [
    'file:///tmp',
    { inbound: [inbound({ map: { as: 'adjusted', fields: {} } })] },
    'settings.inbound.0.map.fields.id is missing',
  ],
  ['file:///tmp', { outbound: { sales_order: { folder: 'o', format: 'csv' } } }, 'columns is missing: csv needs it'],
  ['file:///tmp', { colour: 1 }, 'settings'],
])('a drop box at %s that could not work is refused at the start', (url, settings, error) => {
  expect(() => files(contextFor(url, { system: 'box', channel: 'shop', settings }))).toThrow(error);
});
