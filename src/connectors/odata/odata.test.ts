/** v2 and v4 against a small service that keeps their public rules; no live system was used. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connector, ConnectorContext } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { jsonAnswers, multipartAnswers } from './batch.ts';
import { type Entity, odataService, type Service } from './conformance-service.ts';
import { odata } from './index.ts';
import { literal } from './protocol.ts';
import type { OdataSettings } from './settings.ts';

const signal = new AbortController().signal;
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

function connect(settings: Partial<OdataSettings>, changes: Partial<ConnectorContext> = {}): Connector {
  const connector = odata(contextFor(system.url, { settings: { version: '4', ...settings } as never, ...changes }));
  open.push(connector);
  return connector;
}

function serve(version: '2' | '4', sets: Record<string, Entity[]>): Service {
  const service = odataService(version, 'Id', sets, () => system.url);
  system.answer((call) => service.answer(call));
  return service;
}

const secondOf = (second: number) => new Date(Date.UTC(2026, 2, 1) + second * 1000).toISOString();
const rowsOf = (from: number, to: number, version = '4'): Entity[] =>
  Array.from({ length: to - from + 1 }, (_, index) => {
    const at = secondOf(from + index);
    const Id = String(from + index).padStart(3, '0');
    // As SAP writes it.
    return { Id, ChangedAt: version === '2' ? `/Date(${Date.parse(at)}+0000)/` : at, Amount: '1.50' };
  });

const map: NonNullable<OdataSettings['feeds']>[string]['map'] = {
  fields: {
    id: '/Id',
    movement: { value: 'adjusted' },
    ...{ sku: { value: 'A' }, location: { value: 'L' }, quantity: { value: 1 }, reference: '/Id' },
    at: { from: '/ChangedAt', as: 'time' },
  },
};
const keyset = { kind: 'keyset', at: 'ChangedAt', id: 'Id', overlapMs: 2000 } as const;
const feedOf = (paging: NonNullable<OdataSettings['feeds']>[string]['paging'], pageMax = 3) => ({
  things: { kind: 'movement' as const, set: 'Things', pageMax, paging, map },
});

async function pass(connector: Connector, from = '') {
  const keys: string[] = [];
  for (let cursor = from, polls = 0; polls < 40; polls += 1) {
    const page = await connector.sources[0]!.poll(cursor, signal);
    for (const { key } of page.items) keys.push(key);
    cursor = page.cursor;
    if (page.drained) return { keys, cursor };
  }
  throw new Error('no end');
}
const numbers = (keys: string[]) => [...new Set(keys.map(Number))].sort((a, b) => a - b);

describe.each(['2', '4'] as const)('v%s feeds', (version) => {
  it.each(['id', 'time'] as const)(
    'by (time, id), ties by %s, also where the server pages below what is asked',
    async (ties) => {
      const service = serve(version, { Things: [...rowsOf(1, 5, version), ...rowsOf(6, 8, version)] });
      // Three of one moment.
      for (const row of service.sets.Things!.slice(3, 6)) row.ChangedAt = service.sets.Things![3]!.ChangedAt;
      service.serverPage = 2;
      const connector = connect({ version, feeds: feedOf({ ...keyset, ties }) });
      const { keys, cursor } = await pass(connector);
      expect(numbers(keys)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      expect(keys.length).toBe(8);
      service.sets.Things!.push(...rowsOf(9, 9, version));
      expect((await pass(connector, cursor)).keys).toEqual(['009']);
      const time = (second: string) =>
        version === '2' ? `datetimeoffset'2026-03-01T00:00:${second}Z'` : `2026-03-01T00:00:${second}Z`;
      const { $filter } = system.calls.at(-1)!.query;
      expect($filter).toBe(
        ties === 'id'
          ? `(ChangedAt gt ${time('09')} or (ChangedAt eq ${time('09')} and Id gt '009'))`
          : `(ChangedAt ge ${time('08')})`,
      );
    },
  );

  it('by pages: what is deleted before a page hides nothing behind it', async () => {
    for (const at of [2, 3, 4]) {
      const service = serve(version, { Things: rowsOf(1, 9, version) });
      service.serverPage = 3;
      let done = false;
      service.before = (call) => {
        if (call === at && !done) {
          done = true;
          service.sets.Things!.shift();
        }
      };
      const { keys } = await pass(connect({ version, feeds: feedOf({ kind: 'pages', id: 'Id', at: 'ChangedAt' }) }));
      expect(numbers(keys), `deleted before call ${at}`).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  it('bytes that were kept give the same items', async () => {
    serve(version, { Things: rowsOf(1, 2, version) });
    const [source] = connect({ version, feeds: feedOf(keyset) }).sources;
    const page = await source!.poll('', signal);
    expect(source!.reread!(page.body)).toEqual(page.items);
    expect(page.items).toHaveLength(2);
  });
});

describe('deltas', () => {
  it('bring what changed since; what was deleted is parked, not passed over', async () => {
    const service = serve('4', { Things: rowsOf(1, 4) });
    service.serverPage = 3;
    const connector = connect({ feeds: feedOf({ kind: 'delta', id: 'Id' }) });
    const first = await pass(connector);
    expect(numbers(first.keys)).toEqual([1, 2, 3, 4]);
    expect(system.calls[0]!.headers.prefer).toBe('odata.track-changes,odata.maxpagesize=3');
    Object.assign(service.sets.Things![1]!, { version: 2 });
    service.removed.push({ '@removed': { reason: 'deleted' }, '@odata.id': "Things('004')", Id: '004' });
    service.sets.Things![1]!.Amount = '2';
    const page = await connector.sources[0]!.poll(first.cursor, signal);
    expect(page.items.map(({ key, unreadable }) => [key, unreadable?.reason])).toEqual([
      ['002', undefined],
      ['004', 'is missing (at)'],
    ]);
    expect((await pass(connector, page.cursor)).keys).toEqual([]);
  });

  it('a link that has ended begins again and hands over only what is new', async () => {
    const service = serve('4', { Things: rowsOf(1, 2) });
    const connector = connect({ feeds: feedOf({ kind: 'delta', id: 'Id' }) });
    const { cursor } = await pass(connector);
    service.sets.Things!.push(...rowsOf(3, 3));
    system.answer((call) =>
      call.query.$deltatoken === undefined
        ? service.answer(call)
        : { status: 410, json: { error: { code: 'gone', message: '' } } },
    );
    expect((await pass(connector, cursor)).keys).toEqual(['003']);
  });
});

const order = {
  set: 'Orders',
  reference: 'PurchaseOrderByCustomer',
  body: { fields: { SoldToParty: '/account', poison: { from: '/poison', optional: true } } },
  answer: { fields: { number: '/Id' } },
} as const satisfies NonNullable<OdataSettings['deliveries']>[string];
const items = (...names: string[]) =>
  names.map((reference) => ({
    reference,
    payload: { account: 'A', ...(reference.includes('bad') && { poison: true }) },
  }));

describe.each([
  ['2', 'multipart'],
  ['4', 'multipart'],
  ['4', 'json'],
] as const)('v%s $batch as %s', (version, form) => {
  const settings = { version, batch: { form, itemsMax: 10 }, deliveries: { sales_order: order } };

  it('tells of each write by itself, and writes nothing twice', async () => {
    const service = serve(version, { Orders: [{ Id: '1', PurchaseOrderByCustomer: 'web/1' }] });
    const { sales_order: kind } = connect(settings).deliveries;
    const told = await kind!.write(items('web/1', 'web/2', 'web/bad', "web/o'3"), signal);
    expect(told.map(({ outcome }) => outcome)).toEqual(['confirmed', 'confirmed', 'refused', 'confirmed']);
    expect(told[0]).toMatchObject({ answer: { number: '1' } });
    expect(told[2]).toMatchObject({ error: '$batch: 400 BAD: said' });
    expect(service.effects).toEqual(['POST Orders', 'POST Orders']);
    expect(service.sets.Orders!.map((one) => one.PurchaseOrderByCustomer)).toEqual(['web/1', 'web/2', "web/o'3"]);
    // Once more: all but the poison is there.
    await kind!.write(items('web/1', 'web/2', "web/o'3"), signal);
    expect(service.effects).toHaveLength(2);
    expect([...(await kind!.locate(["web/o'3", 'web/4'], signal))]).toEqual([["web/o'3", { number: 'new-3' }]]);
  });

  it('an answer that breaks off leaves what it does not speak of in doubt', async () => {
    serve(version, { Orders: [] });
    const { sales_order: kind } = connect({
      ...settings,
      deliveries: { sales_order: { ...order, idempotency: 'native' as const } },
    }).deliveries;
    system.answer(
      form === 'json'
        ? { json: { responses: [] } }
        : { text: '--b\r\n', headers: { 'content-type': 'multipart/mixed; boundary=b' } },
    );
    const told = await kind!.write(items('web/1', 'web/2'), signal);
    expect(told.map(({ outcome }) => outcome)).toEqual(['in_doubt', 'in_doubt']);
    system.answer({ text: '<html>', headers: { 'content-type': 'text/html' } });
    expect((await kind!.write(items('web/1', 'web/2'), signal)).map(({ outcome }) => outcome)).toEqual([
      'in_doubt',
      'in_doubt',
    ]);
    system.answer({ status: 503, json: {} });
    expect((await kind!.write(items('web/1', 'web/2'), signal)).map(({ outcome }) => outcome)).toEqual([
      'in_doubt',
      'in_doubt',
    ]);
  });
});

describe('answers of a batch', () => {
  it('two to one write are none, and one to a write that nobody sent is nobody’s', () => {
    const responses = [
      { id: '1', status: 201, body: {} },
      { id: '1', status: 400, body: {} },
      { id: '7', status: 201, body: {} },
      { id: '2', status: 204 },
    ];
    expect(jsonAnswers({ responses }, 2).map((one) => one?.status)).toEqual([undefined, 204]);
  });

  it('without Content-IDs they are taken by their order only if there are as many as writes', () => {
    const part = (status: number) => `--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 ${status} X\r\n\r\n\r\n`;
    const read = (text: string) =>
      multipartAnswers(Buffer.from(text), 'multipart/mixed; boundary="b"', 2).map((one) => one?.status);
    expect(read(`${part(201)}${part(400)}--b--`)).toEqual([201, 400]);
    expect(read(`${part(400)}--b--`)).toEqual([undefined, undefined]);
  });
});

describe.each(['2', '4'] as const)('v%s updates', (version) => {
  const stock = {
    set: 'Stock',
    key: 'Material',
    filter: "Plant eq '1010'",
    quantity: 'Number',
    body: { fields: { Number: { from: '/quantity', as: 'decimal' as const } } },
  };
  const merge = version === '2' ? ('tunnel' as const) : ('patch' as const);
  const write = (from: number | null, quantity: number) => [{ sku: 'A', from, quantity, ordersThrough: '' }];
  const held = () => [
    { Id: 'a1', Material: 'A', Plant: '1010', Number: '5.000' },
    { Id: 'a2', Material: 'A', Plant: '2020', Number: '9' },
  ];

  it('set a number only where it is what we think, and under the ETag of what was read', async () => {
    const service = serve(version, { Stock: held() });
    const { availability } = connect({ version, merge, availability: stock });
    expect([...(await availability!.readBack(['A', 'B'], signal))]).toEqual([['A', 5]]);
    expect(await availability!.write(write(4, 7), signal)).toEqual([{ outcome: 'conflict' }]);
    expect(service.effects).toEqual([]);
    expect(await availability!.write(write(5, 7), signal)).toMatchObject([{ outcome: 'confirmed' }]);
    expect(service.sets.Stock!.map((one) => one.Number)).toEqual(['7', '9']);
    // Somebody else changes it between our reading and our writing.
    service.before = () => {
      const last = system.calls.at(-1)!;
      if (last.method !== 'GET') Object.assign(service.sets.Stock![0]!, { version: 9, Number: '6' });
    };
    expect(await availability!.write(write(7, 8), signal)).toEqual([{ outcome: 'conflict' }]);
    expect(service.sets.Stock![0]!.Number).toBe('6');
  });

  it('are refused where one entity is meant and none or two are there', async () => {
    serve(version, { Stock: [...held(), { Id: 'a3', Material: 'A', Plant: '1010', Number: '1' }] });
    expect(
      await connect({ version, merge, availability: stock }).availability!.write(write(null, 1), signal),
    ).toMatchObject([{ outcome: 'refused', error: 'Stock holds 2 entities of Material A: one is meant' }]);
  });
});

describe("SAP's CSRF token", () => {
  it('is fetched before the first write and again when its session has ended', async () => {
    const service = serve('2', { Orders: [] });
    service.csrf = 'token-1';
    const { sales_order: kind } = connect({
      version: '2',
      csrf: true,
      auth: { kind: 'basic', user: 'HUB' },
      deliveries: { sales_order: order },
    }).deliveries;
    expect(await kind!.write(items('web/1'), signal)).toMatchObject([{ outcome: 'confirmed' }]);
    const fetches = () => system.calls.filter(({ headers }) => headers['x-csrf-token'] === 'Fetch').length;
    expect(fetches()).toBe(1);
    expect(system.calls.at(-1)!.headers.authorization).toMatch(/^Basic /);
    // Just fetched: not at each refusal anew. Nothing was done, so it is later.
    service.csrf = 'token-2';
    expect(await kind!.write(items('web/2'), signal)).toMatchObject([{ outcome: 'later' }]);
    expect(service.effects).toEqual(['POST Orders']);
  });
});

describe('bad answers', () => {
  it.each([
    ['HTML with 200', { text: '<html>' }, 'not JSON'],
    [
      '200 with an error in it',
      { json: { error: { code: 'E1', message: 'broke while it wrote' } } },
      'E1: broke while it wrote',
    ],
    ['another shape', { json: { d: [] } }, 'no list of entities'],
  ])('%s ends a poll and leaves a write unsent', async (_, answer, said) => {
    system.answer(answer);
    const connector = connect({ feeds: feedOf(keyset), deliveries: { sales_order: order } });
    await expect(connector.sources[0]!.poll('', signal)).rejects.toThrow(said);
    expect(await connector.deliveries.sales_order!.write(items('web/1'), signal)).toMatchObject([
      { outcome: 'later', ofSystem: true },
    ]);
    expect(system.calls.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('nothing that a reference says ends its literal', () => {
    expect(literal("x' or 1 eq 1 or 'a' eq 'a", 'string', '4')).toBe("'x'' or 1 eq 1 or ''a'' eq ''a'");
    expect(() => literal('1 or 1 eq 1', 'number', '4')).toThrow('is no number');
    expect(() => literal('1', 'guid', '2')).toThrow('is no guid');
    expect(literal('2026-03-01T00:00:00Z', 'datetime', '2')).toBe("datetime'2026-03-01T00:00:00'");
  });

  it('settings that cannot work are refused at start', () => {
    expect(() => connect({ version: '2', batch: { form: 'json', itemsMax: 2 } })).toThrow('OData v2 has no JSON batch');
    expect(() => connect({ feeds: feedOf({ ...keyset, id: 'Id eq 1 or' }) })).toThrow('is no property');
    expect(() => connect({ version: '3' as never })).toThrow('settings.version');
  });
});
