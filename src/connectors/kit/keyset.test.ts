import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InboundItem } from '../../canonical/index.ts';
import { earlierIso, type KeysetRow, keysetSource, type Place } from './keyset.ts';
import type { Source } from './types.ts';

const signal = new AbortController().signal;
const start = Date.parse('2026-03-29T00:30:00Z');
const at = (ms: number) => new Date(start + ms).toISOString();

interface Row {
  id: number;
  at: number;
  /** When readers see it: a change has the time at which its transaction began. */
  visible: number;
}

/** A system whose rows become visible at their commit. */
class Table {
  rows: Row[] = [];
  now = 0;
  reads = 0;

  source(overlapMs: number, pageMax: number): Source {
    return keysetSource({
      feed: 'rows',
      pageMax,
      overlapMs,
      read: async (after, limit) => {
        this.reads++;
        const places = this.rows
          .filter((row) => row.visible <= this.now)
          .map(
            (row): KeysetRow => ({
              at: at(row.at),
              id: String(row.id).padStart(6, '0'),
              raw: { id: row.id, at: row.at },
            }),
          )
          .filter((row) => after === undefined || isAfter(row, after))
          .sort((a, b) => (isAfter(a, b) ? 1 : -1));
        const rows = places.slice(0, limit);
        const body = Buffer.from(JSON.stringify(rows.map((row) => row.raw)));
        return { body, contentType: 'application/json', rows, more: places.length > limit };
      },
      map: (rows) => rows.map(itemOf),
      rowsOf: (body) => JSON.parse(body.toString()) as unknown[],
    });
  }
}
const isAfter = (one: Place, other: Place) => one.at > other.at || (one.at === other.at && one.id > other.id);
function itemOf(raw: unknown, itemNo: number): InboundItem {
  const { id, at: changed } = raw as { id: number; at: number };
  return { scope: 'row', key: `${id}@${changed}`, fingerprint: `${id}`, itemNo };
}

/** Reads to the end of a pass, as the poller does; what is handed over twice is kept twice. */
async function pass(source: Source, cursor: string, seen: string[]): Promise<string> {
  for (;;) {
    const page = await source.poll(cursor, signal);
    seen.push(...page.items.map((item) => item.key));
    if (page.drained) return page.cursor;
    expect(page.cursor).not.toBe(cursor);
    cursor = page.cursor;
  }
}

describe('a feed of changes', () => {
  it('loses nothing that commits within the overlap, whatever the page, the times and the restarts; and hands nothing over twice in one life', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at: fc.nat(40), late: fc.nat(9), wait: fc.nat(6) }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        async (changes, pageMax, restarts) => {
          const table = new Table();
          let source = table.source(10_000, pageMax);
          let cursor = '';
          const seen: string[] = [];
          let inThisLife: string[] = [];
          for (const [i, { late, wait }] of changes.entries()) {
            table.now += wait * 1_000;
            // It began up to nine seconds ago; several at one moment.
            const began = Math.max(0, table.now - late * 1_000);
            table.rows.push({ id: i, at: began, visible: table.now });
            if (restarts[i]) {
              source = table.source(10_000, pageMax);
              inThisLife = [];
            }
            const now: string[] = [];
            cursor = await pass(source, cursor, now);
            seen.push(...now);
            inThisLife.push(...now);
            expect(new Set(inThisLife).size).toBe(inThisLife.length);
          }
          expect(new Set(seen)).toEqual(new Set(table.rows.map((row) => `${row.id}@${row.at}`)));
        },
      ),
      { numRuns: 150 },
    ));

  it('whose cursor was not committed hands its page over again', async () => {
    const table = new Table();
    table.rows = [{ id: 1, at: 0, visible: 0 }];
    const source = table.source(1_000, 10);
    expect((await source.poll('', signal)).items).toHaveLength(1);
    // The page could not be stored: the poller comes back with the cursor that it has.
    const again = await source.poll('', signal);
    expect(again.items).toHaveLength(1);
    expect((await source.poll(again.cursor, signal)).items).toHaveLength(0);
  });

  it('whose place does not move hands over again what was not kept, and stands still where nothing is new', async () => {
    const table = new Table();
    table.rows = [{ id: 7, at: 5_000, visible: 0 }];
    const source = table.source(10_000, 10);
    let cursor = await pass(source, '', []);
    for (const id of [1, 2]) {
      // Committed late: before the newest place, so that the end of the pass is where it was.
      table.rows.push({ id, at: id, visible: 0 });
      const page = await source.poll(cursor, signal);
      expect(page.items.map(({ key }) => key)).toEqual([`${id}@${id}`]);
      // It could not be stored.
      expect(await source.poll(cursor, signal)).toMatchObject({ items: page.items, cursor: page.cursor });
      cursor = page.cursor;
      expect(await source.poll(cursor, signal)).toMatchObject({ items: [], cursor });
    }
  });

  it('hands over what changed again within one moment of the system, and nothing that did not', async () => {
    let raw = { id: 1, state: 'draft' };
    const source = keysetSource({
      ...{ feed: 'rows', pageMax: 10, overlapMs: 1_000, rowsOf: () => [] },
      read: async () => ({
        ...{ body: Buffer.from('{}'), contentType: 'application/json', more: false },
        rows: [{ at: at(0), id: '1', raw }],
      }),
      map: (rows) => rows.map((row, itemNo) => ({ scope: 'row', key: JSON.stringify(row), fingerprint: '', itemNo })),
    });
    const states: string[] = [];
    let cursor = '';
    for (const state of ['draft', 'draft', 'placed', 'placed']) {
      raw = { id: 1, state };
      const page = await source.poll(cursor, signal);
      states.push(...page.items.map((item) => (JSON.parse(item.key) as { state: string }).state));
      cursor = page.cursor;
    }
    expect(states).toEqual(['draft', 'placed']);
  });

  it('with a row nested deeper than JSON is written is read all the same', async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`) as unknown;
    const source = keysetSource({
      feed: 'rows',
      pageMax: 10,
      overlapMs: 60_000,
      read: async () => ({
        body: Buffer.alloc(0),
        contentType: 'application/json',
        rows: [{ at: at(0), id: '1', raw: deep }],
        more: false,
      }),
      map: (rows) => rows.map((_, itemNo): InboundItem => ({ scope: 's', key: 'deep', fingerprint: '', itemNo })),
      rowsOf: () => [],
    });
    const first = await source.poll('', signal);
    expect(first.items).toHaveLength(1);
    expect((await source.poll(first.cursor, signal)).items).toEqual([]);
  });

  it('that changes while it is read in pages is read to its end', async () => {
    const table = new Table();
    table.rows = [1, 2, 3, 4].map((id) => ({ id, at: id, visible: 0 }));
    const source = table.source(0, 2);
    const seen: string[] = [];
    const first = await source.poll('', signal);
    seen.push(...first.items.map((item) => item.key));
    // The first moves to the end: by page numbers the third would be skipped.
    table.rows[0]!.at = 9;
    await pass(source, first.cursor, seen);
    expect(seen).toEqual(['1@1', '2@2', '3@3', '4@4', '1@9']);
  });

  it('that goes back, or says that more follows nothing, stops instead of reading for ever', async () => {
    const rows: KeysetRow[] = [{ at: at(5), id: '1', raw: {} }];
    let page = { rows, more: true };
    const source = keysetSource({
      ...{ feed: 'rows', pageMax: 1, overlapMs: 0, map: () => [], rowsOf: () => [] },
      read: async () => ({ body: Buffer.from('{}'), contentType: 'application/json', ...page }),
    });
    const { cursor } = await source.poll('', signal);
    page = { rows: [{ at: at(4), id: '1', raw: {} }], more: false };
    await expect(source.poll(cursor, signal)).rejects.toMatchObject({ code: 'XD_CONNECTOR_MALFORMED' });
    page = { rows: [], more: true };
    await expect(source.poll(cursor, signal)).rejects.toMatchObject({ code: 'XD_CONNECTOR_MALFORMED' });
    await expect(source.poll('17', signal)).rejects.toMatchObject({ code: 'XD_VALUE_INVALID' });
    await expect(source.poll('{"p":{"at":5}}', signal)).rejects.toMatchObject({ code: 'XD_VALUE_INVALID' });
  });

  it('reads a record that is nested deeper than JSON is written, and remembers it', async () => {
    const raw = JSON.parse(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`) as unknown;
    const source = keysetSource({
      ...{ feed: 'rows', pageMax: 10, overlapMs: 1_000, rowsOf: () => [] },
      map: (rows) => rows.map((_, itemNo) => ({ scope: 'row', key: 'deep', fingerprint: '', itemNo })),
      read: async () => ({
        ...{ body: Buffer.from('{}'), contentType: 'application/json', more: false },
        rows: [{ at: at(1), id: '1', raw }],
      }),
    });
    const seen: string[] = [];
    const cursor = await pass(source, '', seen);
    await pass(source, cursor, seen);
    expect(seen).toEqual(['deep']);
  });

  it('costs one small page a pass while nothing happens', async () => {
    const table = new Table();
    table.rows = Array.from({ length: 500 }, (_, id) => ({ id, at: id * 1_000, visible: 0 }));
    const source = table.source(5_000, 100);
    let cursor = await pass(source, '', []);
    table.reads = 0;
    for (let i = 0; i < 10; i++) cursor = await pass(source, cursor, []);
    expect(table.reads).toBe(10);
  });
});

it('a time so much earlier has as many digits as the system writes', () => {
  expect([
    earlierIso('2026-03-29T01:00:00Z', 1_000),
    earlierIso('2026-03-29T01:00:00.5Z', 1_000),
    earlierIso('2026-03-29T01:00:00.123456Z', 1_000),
  ]).toEqual(['2026-03-29T00:59:59Z', '2026-03-29T00:59:59.5Z', '2026-03-29T00:59:59.123000Z']);
});
