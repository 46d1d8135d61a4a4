/** Every kind of paging reads everything once, also when pages shift, tokens end and answers are no pages. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connector } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { rest } from './index.ts';
import type { FeedSettings, RestSettings } from './settings.ts';
import { feedOf, map, pagedServer, type Row, rowsOf, timeOf } from './testing.ts';

const signal = new AbortController().signal;
/** Answers of some MiB take their time on a busy machine. */
const patient = { ...contextFor('').limits, timeoutMs: 20_000 };
let system: FakeSystem;
let open: Connector[] = [];

beforeEach(async () => {
  system = await fakeSystem();
});
afterEach(async () => {
  for (const one of open) await one.close();
  open = [];
  await system.close();
});

function feed(settings: RestSettings) {
  const connector = rest(contextFor(system.url, { settings: settings as never, limits: patient }));
  open.push(connector);
  return connector.sources[0]!;
}

/** Keys handed over until a whole pass is through, and where the next one begins. */
async function pass(source: ReturnType<typeof feed>, from = '', pollsMax = 40) {
  const keys: string[] = [];
  let cursor = from;
  for (let polls = 0; polls < pollsMax; polls += 1) {
    const page = await source.poll(cursor, signal);
    for (const { key } of page.items) keys.push(key);
    cursor = page.cursor;
    if (page.drained) return { keys, cursor };
  }
  throw new Error(`no end after ${pollsMax} polls`);
}

const numbers = (keys: string[]) => keys.map(Number).sort((a, b) => a - b);
const limit = { limit: '{limit}' };
const kinds: [string, FeedSettings['paging'], Record<string, string>][] = [
  ['page', { kind: 'page', id: '/id' }, { ...limit, page: '{page}' }],
  ['offset', { kind: 'offset', id: '/id', overlap: 1 }, { ...limit, offset: '{offset}' }],
  ['token', { kind: 'token', id: '/id', next: '/next' }, { ...limit, token: '{token}' }],
  ['link', { kind: 'link', id: '/id', recheck: true }, limit],
];

describe.each(kinds)('%s', (kind, paging, query) => {
  it('reads all, and in the next pass only what is new', async () => {
    const rows = { list: rowsOf(1, 8) };
    system.answer(pagedServer(rows));
    const source = feed(feedOf(paging, query));
    const first = await pass(source);
    expect(first.keys.map(Number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    rows.list.push(...rowsOf(9, 9));
    expect((await pass(source, first.cursor)).keys).toEqual(['9']);
  });

  it('hands over again what was not kept, also where a pass ends where it began', async () => {
    system.answer(pagedServer({ list: rowsOf(1, 2) }));
    const source = feed(feedOf(paging, query));
    // The last page, and nothing beyond it: its cursor must differ from the beginning's, or nobody knows that it was kept.
    let cursor = '';
    let page = await source.poll(cursor, signal);
    expect((await source.poll(cursor, signal)).items).toEqual(page.items);
    while (!page.drained) {
      cursor = page.cursor;
      page = await source.poll(cursor, signal);
    }
    expect((await pass(source, page.cursor)).keys).toEqual([]);
    expect((await pass(source, page.cursor)).cursor).toBe((await pass(source, page.cursor)).cursor);
  });

  if (kind !== 'token')
    it('a record that is deleted between two pages hides none of the others', async () => {
      for (const at of [2, 3, 4]) {
        const rows = { list: rowsOf(1, 9) };
        // The first of all goes: all others move one place forward.
        system.answer(pagedServer(rows, (call) => void (call === at && rows.list.shift())));
        const { keys } = await pass(feed(feedOf(paging, query)));
        expect([...new Set(numbers(keys))], `deleted before call ${at}`).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      }
    });

  it('bytes that were kept give the same items', async () => {
    system.answer(pagedServer({ list: rowsOf(1, 3) }));
    const source = feed(feedOf(paging, query));
    const page = await source.poll('', signal);
    expect(source.reread!(page.body)).toEqual(page.items);
    expect(page.items).toHaveLength(3);
  });
});

it('where more is deleted than is read again, the pass begins again and hands over only what is new', async () => {
  const rows = { list: rowsOf(1, 9) };
  system.answer(pagedServer(rows, (call) => void (call === 2 && rows.list.splice(0, 2))));
  const source = feed(feedOf({ kind: 'offset', id: '/id', overlap: 1 }, { ...limit, offset: '{offset}' }));
  const { keys } = await pass(source);
  expect(numbers(keys)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(system.calls.map(({ query }) => query.offset).slice(0, 3)).toEqual(['0', '2', '0']);
});

it('a change moves the record to the end and another one over the line; both are read', async () => {
  const rows = { list: rowsOf(1, 7) };
  const change = { at: '/changed', overlapMs: 1000 };
  const query = { ...limit, offset: '{offset}', since: '{since}' };
  system.answer(
    pagedServer(rows, (call) => {
      if (call !== 2) return;
      rows.list = [...rows.list.slice(1), { id: 1, changed: timeOf(20) }];
    }),
  );
  const source = feed(feedOf({ kind: 'offset', id: '/id', overlap: 1, change }, query));
  const { keys, cursor } = await pass(source);
  expect([...new Set(numbers(keys))]).toEqual([1, 2, 3, 4, 5, 6, 7]);
  // The newest change less the overlap.
  expect(JSON.parse(cursor)).toEqual({ s: '2026-03-01T00:00:19.000000000Z' });
  await pass(source, cursor);
  expect(system.calls.at(-1)!.query.since).toBe('2026-03-01T00:00:19.000Z');
});

it('a page number beyond the end may be answered as the estate declares it', async () => {
  const rows = { list: rowsOf(1, 3) };
  const page = pagedServer(rows);
  system.answer((call) => (call.query.page === '2' ? { status: 404, json: {} } : page(call)));
  const paging = { kind: 'page', id: '/id' } as const;
  const query = { ...limit, page: '{page}' };
  await expect(pass(feed(feedOf(paging, query)))).rejects.toMatchObject({ code: 'XD_CONNECTOR_REFUSED' });
  expect((await pass(feed(feedOf({ ...paging, over: [404] }, query)))).keys).toEqual(['1', '2', '3']);
});

it('a system that gives fewer than it was asked for is read to its end', async () => {
  const rows = { list: rowsOf(1, 7) };
  const page = pagedServer(rows);
  system.answer((call) => page({ ...call, query: { ...call.query, limit: '2' } }));
  const { keys } = await pass(feed(feedOf({ kind: 'offset', id: '/id', overlap: 1 }, { offset: '{offset}' })));
  expect(numbers(keys)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

it('a pass ends where the system says that it does, without a call for an empty page', async () => {
  system.answer(pagedServer({ list: rowsOf(1, 5) }));
  const query = { ...limit, page: '{page}' };
  const { keys } = await pass(feed(feedOf({ kind: 'page', id: '/id', more: '/next' }, query)));
  expect(numbers(keys)).toEqual([1, 2, 3, 4, 5]);
  // The second page, and the first once more.
  expect(system.calls.map((call) => call.query.page)).toEqual(['1', '2', '1']);
});

it('a system that knows no such parameter is told of, not read for ever', async () => {
  system.answer({ json: { value: rowsOf(1, 3) } });
  const source = feed(feedOf({ kind: 'page', id: '/id' }, { page: '{page}' }));
  await expect(pass(source)).rejects.toThrow('gives the page before once more');
});

it('a token that has ended begins the pass again and loses nothing', async () => {
  const rows = { list: rowsOf(1, 7) };
  const page = pagedServer(rows);
  let ended = false;
  system.answer((call) => {
    if (call.query.token !== '3' || ended) return page(call);
    ended = true;
    return { status: 410, json: { error: 'expired' } };
  });
  const { keys } = await pass(
    feed(feedOf({ kind: 'token', id: '/id', next: '/next' }, { ...limit, token: '{token}' })),
  );
  expect(keys.map(Number)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(ended).toBe(true);
});

it('a link that leads to another host is not followed: our credentials would go there', async () => {
  system.answer({ json: { value: rowsOf(1, 3) }, headers: { link: '<http://evil.example/things>; rel="next"' } });
  const source = feed(feedOf({ kind: 'link', id: '/id' }, limit));
  await expect(source.poll('', signal)).rejects.toThrow('leads to another place than the system');
});

describe('keyset', () => {
  const paging = { kind: 'keyset', at: '/changed', id: '/id', overlapMs: 2000, numericIds: true } as const;
  const query = { ...limit, from: '{at}', id: '{id}' };

  /** Rows beyond (from, id), or from that time on where it knows no id. */
  function server(rows: { list: Row[] }, knowsIds: boolean) {
    return ({ query: { from = '', id = '', limit: most } }: { query: Record<string, string> }) => {
      const beyond = (row: Row) =>
        row.changed > from || (row.changed === from && (!knowsIds || id === '' || row.id > Number(id)));
      const sorted = rows.list
        .filter(beyond)
        .sort((a, b) =>
          a.changed === b.changed ? (knowsIds ? a.id - b.id : b.id - a.id) : a.changed < b.changed ? -1 : 1,
        );
      return { json: { value: sorted.slice(0, Number(most)) } };
    };
  }

  it.each([true, false])(
    'reads records of one moment once each, whether it is asked by id (%s) or not',
    async (knowsIds) => {
      // 8, 9, 10, 11 share a moment: as texts 10 comes before 9.
      const rows = {
        list: [...rowsOf(1, 7), ...rowsOf(8, 11).map((row) => ({ ...row, changed: timeOf(8) })), ...rowsOf(12, 13)],
      };
      system.answer(server(rows, knowsIds));
      const source = feed(feedOf({ ...paging, ties: knowsIds ? 'id' : 'time' }, query));
      const { keys, cursor } = await pass(source);
      expect(numbers(keys)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
      // One that was committed late, with an older time of its own.
      rows.list.push({ id: 99, changed: timeOf(12) });
      expect((await pass(source, cursor)).keys).toEqual(['99']);
    },
  );

  it('a page that holds one moment only grows until it holds it whole', async () => {
    system.answer(server({ list: rowsOf(1, 40).map((row) => ({ ...row, changed: timeOf(1) })) }, false));
    const { keys } = await pass(feed(feedOf({ ...paging, ties: 'time' }, query)));
    expect(new Set(keys).size).toBe(40);
  });

  it('a record without a time is parked and holds none of the others up', async () => {
    const broken = (id: number) => ({ id, changed: null }) as never;
    const rows = [...rowsOf(1, 2), broken(4)];
    system.answer(() => ({ json: { value: rows } }));
    const settings = feedOf({ ...paging, ties: 'time' }, query);
    settings.feeds!.things!.pageMax = 5;
    const source = feed(settings);
    const page = await source.poll('', signal);
    expect(page.items.map(({ key, unreadable }) => [key, unreadable?.reason])).toEqual([
      ['1', undefined],
      ['2', undefined],
      ['4', 'is missing (at)'],
    ]);
    // Another one, beside a neighbour that is known already.
    rows.push(broken(5));
    expect((await source.poll(page.cursor, signal)).items.map(({ key }) => key)).toEqual(['5']);
  });

  it('an answer that is too large is asked for by halves', async () => {
    const heavy = (ids: number[]) => ids.map((id) => ({ id, changed: timeOf(id), weight: 'x'.repeat(6 << 20) }));
    system.answer(({ query: { from = '', limit: most } }) => {
      const ids = [1, 2, 3].filter((id) => timeOf(id) > from);
      return { json: { value: heavy(ids.slice(0, Number(most))) } };
    });
    const { keys } = await pass(feed(feedOf({ ...paging, ties: 'id' }, query)));
    expect(numbers(keys)).toEqual([1, 2, 3]);
    expect(system.calls.slice(0, 2).map((call) => call.query.limit)).toEqual(['3', '1']);
  });
});

describe('what is no page', () => {
  const plain = feedOf({ kind: 'page', id: '/id' }, { page: '{page}' });

  it.each([
    [
      'HTML with 200',
      { text: '<!doctype html><title>Sign in</title>', headers: { 'content-type': 'text/html' } },
      'not JSON',
    ],
    ['another shape', { json: { items: [] } }, '/value is not a list'],
    ['half an answer', 'half' as const, 'connection'],
  ])('%s ends the poll; nothing is skipped', async (_, answer, said) => {
    system.answer(answer);
    const error: Error = await feed(plain)
      .poll('', signal)
      .then(
        () => expect.fail('no error'),
        (error) => error,
      );
    expect(error.message).toMatch(said === 'connection' ? /broke|closed|connection|other side/i : said);
  });

  it('columns that changed and nests without end are parked one by one', async () => {
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    const rows = [`{"number":5,"changed":"${timeOf(1)}"}`, `{"id":${deep},"changed":"${timeOf(1)}"}`];
    system.answer({ text: `{"value":[${rows.join()},${JSON.stringify(rowsOf(3, 3)[0])}]}` });
    const page = await feed(plain).poll('', signal);
    expect(page.items.map(({ key, unreadable }) => [key.slice(0, 11), unreadable?.reason])).toEqual([
      ['unreadable:', 'is missing (id)'],
      ['unreadable:', 'must be a text or a number (id)'],
      ['3', undefined],
    ]);
  });

  it.each([
    ['a name that nobody fills', { query: { q: '{sincee}' } }, '{sincee} is none of {page}, {since}, {limit}'],
    [
      'a mapping of a table that is not there',
      { map: { fields: { id: { from: '/id', table: 'x' } } } },
      "names the table x, which isn't there",
    ],
  ])('%s is refused at start', (_, change, message) => {
    const things = { ...plain.feeds!.things!, ...change } as FeedSettings;
    expect(() => feed({ ...plain, feeds: { things } })).toThrow(message);
  });

  it('a setting that nobody knows is refused at start', () => {
    expect(() => feed({ ...plain, pagging: {} } as never)).toThrow('systems.system.settings');
    expect(map.fields.id).toBeDefined();
  });
});
