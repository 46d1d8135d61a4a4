/** Files that are not as agreed, through the whole of intake: classed, set aside with what to do, neighbours untouched. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { files } from '../src/connectors/files/index.ts';
import type { Connector } from '../src/connectors/kit/index.ts';
import { contextFor } from '../src/connectors/kit/testing.ts';
import { Poller } from '../src/ingest/index.ts';
import { useDatabase } from './helpers/database.ts';
import { SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let root: string;
let box: Connector;
let runs = 0;

beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url });
  await hub.seed(['X', 'Y', 'GRÖSSE']);
});
afterAll(() => hub.close());

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'crossdock-bad-'));
  mkdirSync(join(root, 'in'));
  runs += 1;
  box = boxOf();
});
afterEach(async () => {
  await box.close();
  rmSync(root, { recursive: true });
});

const at = '2026-03-01T09:00:00Z';
/** Ids and keys are for ever, so each test has its own. */
const id = (name: string) => `${runs}-${name}`;
const line = (name: string, sku: string, quantity: string) => `${id(name)};${sku};${quantity};${at}\r\n`;
const HEAD = 'Id;Sku;Qty;At\r\n';
const put = (name: string, content: string | Buffer) => writeFileSync(join(root, 'in', name), content);
const there = (folder: string) => readdirSync(join(root, folder)).sort();

function boxOf(more: object = {}): Connector {
  return files(
    contextFor(pathToFileURL(root).href, {
      system: 'wms',
      channel: null,
      settings: {
        inbound: [
          {
            ...{ feed: `box${runs}`, folder: 'in', match: '*.csv', format: { kind: 'csv', delimiter: ';' } },
            ...{ settle: { by: 'rename' }, finalNewline: true },
            map: {
              as: 'received',
              fields: { id: 'Id', sku: 'Sku', location: { value: 'north' }, quantity: 'Qty', occurredAt: 'At' },
            },
            ...more,
          },
        ],
      },
    }),
  );
}

/** Reads to the end, as the hub does. */
async function intake(connector = box): Promise<void> {
  const poller = new Poller({
    ...{ db: hub.db, receiver: hub.receiver, system: 'wms', source: connector.sources[0]!, pollMs: 1 },
    ...{ mayPoll: () => true, mustWait: () => false },
    onError(error) {
      throw error;
    },
  });
  while (await poller.pollOnce());
}

interface Parked {
  class: string;
  reason: string;
  place: string;
}
let parkedBefore = 0;
beforeEach(async () => {
  const { rows } = await database.pool.query<{ n: number }>(
    'select coalesce(max(parked_id), 0)::int as n from parked_record',
  );
  parkedBefore = rows[0]!.n;
});
const parked = async (): Promise<Parked[]> =>
  (
    await database.pool.query<Parked>(
      `select class, reason, place from parked_record where parked_id > $1 and state = 'open' order by parked_id`,
      [parkedBefore],
    )
  ).rows;
const applied = async (): Promise<string[]> =>
  (
    await database.pool.query<{ key: string }>(
      `select key from inbound where scope = 'movement/wms' and state = 'a' and starts_with(key, $1) order by key`,
      [`${runs}-`],
    )
  ).rows.map(({ key }) => key.slice(`${runs}-`.length));

describe('a CSV that changes its columns', () => {
  const good = () => HEAD + line('a', 'X', '1');
  const next = () => HEAD + line('z', 'Y', '9');

  it.each([
    [
      'loses one that is read',
      (text: string) => text.replaceAll(/;[^;\r]*;([^;\r]*)\r/g, ';$1\r'),
      /missing: Qty: change the map/,
    ],
    [
      'calls it otherwise',
      (text: string) => text.replace('Qty', 'Quantity'),
      /missing: Qty; instead there: Quantity: change the map/,
    ],
    ['has it twice', (text: string) => text.replace('At', 'Qty'), /the column "Qty" twice: change the map/],
  ])('and %s is set aside whole; the files before and after it are read', async (_, change, reason) => {
    put('1.csv', good());
    put('2.csv', change(HEAD + line('b', 'X', '2')));
    put('3.csv', next());
    await intake();
    expect(await parked()).toEqual([
      { class: 'file_columns', place: '/line/1', reason: expect.stringMatching(reason) },
    ]);
    expect(await applied()).toEqual(['a', 'z']);
    expect(there('in/reject')).toEqual(['2.csv', '2.csv.reason.json']);
  });

  it('and was set aside is read once the map knows the new name and it is moved back', async () => {
    put('1.csv', HEAD.replace('Qty', 'Quantity') + line('a', 'X', '4'));
    await intake();
    expect((await parked())[0]!.reason).toContain('then move the file back from in/reject');
    renameSync(join(root, 'in/reject/1.csv'), join(root, 'in/1.csv'));
    const fields = { id: 'Id', sku: 'Sku', location: { value: 'north' }, quantity: 'Quantity', occurredAt: 'At' };
    const mended = boxOf({ map: { as: 'received', fields } });
    await intake(mended);
    await mended.close();
    expect(await applied()).toEqual(['a']);
  });

  it.each([
    [
      'has another one',
      (text: string) => text.replaceAll(/;([^;\r]*)\r/g, ';note;$1\r').replace('note', 'Remark'),
      /new: Remark/,
    ],
    ['has them in another order', (text: string) => text.replaceAll(/([^;\n]*);([^;\n]*);/g, '$2;$1;'), /their order/],
  ])('and %s is read; a person is told once', async (_, change, reason) => {
    put('1.csv', good());
    put('2.csv', change(HEAD + line('b', 'Y', '2')));
    put('3.csv', change(HEAD + line('c', 'Y', '3')));
    await intake();
    expect(await parked()).toEqual([
      { class: 'file_columns_new', place: '/line/1', reason: expect.stringMatching(reason) },
    ]);
    expect(await applied()).toEqual(['a', 'b', 'c']);
  });
});

describe('a file that is still being written', () => {
  it('is not touched under its unfinished name, nor before it was the same for long enough', async () => {
    const settling = boxOf({ settle: { by: 'unchanged', seconds: 1 } });
    put('2.csv.part', HEAD + line('b', 'X', '2'));
    put('1.csv', HEAD + line('a', 'X', '1').slice(0, 7));
    await intake(settling);
    expect([await parked(), await applied()]).toEqual([[], []]);
    put('1.csv', HEAD + line('a', 'X', '1'));
    const until = Date.now() + 20_000;
    while ((await applied()).length === 0 && Date.now() < until) {
      await intake(settling);
      await new Promise((done) => setTimeout(done, 50));
    }
    await settling.close();
    expect([await parked(), await applied()]).toEqual([[], ['a']]);
  });

  it('and whose upload stopped for longer than that is set aside; what was whole in it is read, and all of it once it is there', async () => {
    put('1.csv', HEAD + line('a', 'X', '1') + line('b', 'X', '25').slice(0, -25));
    await intake();
    expect(await parked()).toEqual([
      {
        class: 'file_unreadable',
        place: '/line/3',
        reason: expect.stringMatching(/ends within a line: only half of it may be there: ask for the file once more/),
      },
    ]);
    expect(await applied()).toEqual(['a']);
    put('1.csv', HEAD + line('a', 'X', '1') + line('b', 'X', '25'));
    await intake();
    expect(await applied()).toEqual(['a', 'b']);
  });
});

describe('a name that comes again', () => {
  it('with other content is another file: what is new is read, what is known is the same, what differs is set aside', async () => {
    put('1.csv', HEAD + line('a', 'X', '1') + line('b', 'X', '2'));
    await intake();
    put('1.csv', HEAD + line('a', 'X', '1') + line('b', 'X', '5') + line('c', 'X', '3'));
    await intake();
    expect(await parked()).toEqual([
      {
        class: 'key_conflict',
        place: 'quantity',
        reason: expect.stringMatching(/-b came before with quantity 2, not 5/),
      },
    ]);
    expect(await applied()).toEqual(['a', 'b', 'c']);
    expect(there('in/archive')).toHaveLength(2);
  });
});

describe('what a line holds', () => {
  it('a line in another encoding than declared is set aside, with what to do; one with a mark counts for more', async () => {
    put('1.csv', Buffer.from(HEAD + line('a', 'X', '1') + line('b', 'Größe', '2') + line('c', 'Y', '3'), 'latin1'));
    put('2.csv', Buffer.from(`\ufeff${HEAD}${line('d', 'Größe', '4')}`, 'utf16le'));
    await intake();
    expect(await parked()).toEqual([
      {
        class: 'unreadable',
        place: '/line/3/Sku',
        reason: expect.stringMatching(
          /not in the declared encoding: change it in the estate or ask for the agreed one/,
        ),
      },
    ]);
    expect(await applied()).toEqual(['a', 'c', 'd']);
  });

  it('UTF-8 that is read as Latin-1 names a SKU that nobody has, and is no new one', async () => {
    const latin = boxOf({ encoding: 'latin1' });
    put('1.csv', HEAD + line('a', 'Größe', '1') + line('b', 'X', '1'));
    await intake(latin);
    await latin.close();
    expect(await parked()).toEqual([
      { class: 'unknown_sku', place: 'sku', reason: expect.stringContaining('GRÃ¶ßE'.toUpperCase().slice(0, 3)) },
    ]);
    expect(await applied()).toEqual(['b']);
  });

  it('a decimal comma that was not agreed is set aside with the number, never read as thousands', async () => {
    put('1.csv', HEAD + line('a', 'X', '1') + line('b', 'X', '1,000') + line('c', 'X', '2,5') + line('d', 'Y', '3.00'));
    await intake();
    expect(await parked()).toEqual(
      ['3', '4'].map((no) => ({
        class: 'unreadable',
        place: `/line/${no}/Qty`,
        reason: expect.stringMatching(/must be a number with "\." before its fraction, found "(1,000|2,5)"/),
      })),
    );
    expect(await applied()).toEqual(['a', 'd']);
  });

  it('a byte order mark is no part of the first column', async () => {
    put('1.csv', `\ufeff${HEAD}${line('a', 'X', '1')}`);
    await intake();
    expect([await parked(), await applied()]).toEqual([[], ['a']]);
  });

  it('a line of many megabytes is set aside alone', async () => {
    put('1.csv', `${HEAD}${line('a', 'X', '1')}${'x'.repeat(5 << 20)}\r\n${line('b', 'Y', '2')}`);
    await intake();
    expect(await parked()).toEqual([
      { class: 'unreadable', place: '/line/3', reason: expect.stringContaining('has more than 1048576 characters') },
    ]);
    expect(await applied()).toEqual(['a', 'b']);
  });
});
