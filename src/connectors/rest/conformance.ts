/**
 * How a system answers that an estate has declared: an order system with OAuth, whose feeds are read by (time, id), by time alone, by page number
 * and by token. `more` is one that signs by a key and lists by offset and by links.
 */
import { createHmac } from 'node:crypto';
import {
  type Answer,
  type Call,
  describeSystem,
  type FeedDescription,
  type FeedRow,
  type FeedRows,
  type SystemModel,
  sampleOrderChange,
} from '../kit/conformance/index.ts';
import { laterDescriptions, laterPaths } from './conformance-later.ts';
import { further, settings } from './conformance-settings.ts';
import { type Entry, only, type Table, tableOf } from './conformance-tables.ts';

const PAGE = 50;
const at = '2026-03-01T09:00:00Z';
const CLIENT = 'hub';

/** In the order in which a system with a sane index lists them. */
function inOrder(rows: readonly FeedRow[]): FeedRow[] {
  return [...rows].sort((a, b) => (a.at === b.at ? compare(idOf(a), idOf(b)) : compare(a.at, b.at)));
}

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
const idOf = ({ raw }: FeedRow) => String((raw as { id?: unknown } | null)?.id ?? '');
const raws = (rows: readonly FeedRow[]) => rows.map(({ raw }) => raw ?? null);
const since = (rows: readonly FeedRow[], from: string | undefined, isAfter = false) =>
  rows.filter((row) => {
    const [time, asked] = [Date.parse(row.at), from === undefined ? Number.NaN : Date.parse(from)];
    return Number.isNaN(asked) || (isAfter ? time > asked : time >= asked);
  });

/** Beyond (time, id). */
function byKeyset(rows: readonly FeedRow[], { query }: Call): Answer {
  const { changed_from: from, after = '', limit = '50' } = query;
  const found = inOrder(rows).filter(
    (row) =>
      from === undefined ||
      Date.parse(row.at) > Date.parse(from) ||
      (Date.parse(row.at) === Date.parse(from) && idOf(row) > after),
  );
  return { json: { data: raws(found.slice(0, Number(limit))) } };
}

/** From a time on, and it writes times without an offset. */
function byTime(rows: readonly FeedRow[], { query }: Call): Answer {
  const found = since(inOrder(rows), query.from === undefined ? undefined : `${query.from}Z`);
  return { json: { data: raws(found.slice(0, Number(query.limit))) } };
}

function byPage(rows: readonly FeedRow[], { query }: Call): Answer {
  const found = since(inOrder(rows), query.since);
  const [page, size] = [Number(query.page), Number(query.size)];
  return { json: { items: raws(found.slice((page - 1) * size, page * size)), hasMore: page * size < found.length } };
}

/** The token holds the place of the last record: it is not moved by what happens before it. */
function byToken(rows: readonly FeedRow[], { query }: Call): Answer {
  const [time = '', id = ''] = Buffer.from(query.token ?? '', 'base64url')
    .toString()
    .split(' ');
  const found = inOrder(rows).filter((row) => row.at > time || (row.at === time && idOf(row) > id));
  const part = found.slice(0, PAGE);
  const last = part.at(-1);
  const next = Buffer.from(`${last?.at} ${last && idOf(last)}`).toString('base64url');
  return { json: { list: raws(part), next: part.length < found.length ? next : null } };
}

function byOffset(rows: readonly FeedRow[], { query }: Call): Answer {
  const found = since(inOrder(rows), query.since);
  return { json: { items: raws(found.slice(Number(query.offset), Number(query.offset) + Number(query.limit))) } };
}

/** RFC 8288, with page numbers in the links. */
function byLink(rows: readonly FeedRow[], { query }: Call): Answer {
  const page = Number(query.p ?? 1);
  const found = inOrder(rows);
  const next = `</documents?p=${page + 1}>; rel="next"`;
  return {
    json: raws(found.slice((page - 1) * PAGE, page * PAGE)),
    headers: { link: `</documents?p=1>; rel="first"${page * PAGE < found.length ? `, ${next}` : ''}` },
  };
}

/** @param orders those that lines may be added to */
function tables(orders: ReadonlySet<string>): Table[] {
  const doubled = { writePath: '/orders/import', findPath: '/orders/import', list: 'refs', key: 'ref' };
  return [
    { kind: 'sales_order', ...doubled, doubles: true, told: ({ ref }, nth) => ({ ref, no: `N-${ref}-${nth}` }) },
    {
      ...{ kind: 'shipment_posting', writePath: '/postings', findPath: '/postings/find', key: 'ref', list: 'refs' },
      ...{ many: 'items', doubles: true, told: ({ ref }) => ({ ref, code: 'ok' }) },
    },
    {
      ...{ kind: 'order_change', writePath: '/orders/additions', findPath: '/orders/additions/find', key: 'ref' },
      ...{ list: 'refs', many: 'items', doubles: true, told: ({ ref }) => ({ ref, code: 'ok' }) },
      refuses: ({ order }) => (orders.has(String(order)) ? undefined : 'bad'),
    },
    {
      ...{ kind: 'order_cancellation', writePath: '/orders/cancellations', findPath: '/orders/cancellations/find' },
      ...{ key: 'ref', list: 'refs', many: 'items', doubles: true, told: ({ ref }) => ({ ref, code: 'ok' }) },
    },
    {
      ...{ kind: 'availability', writePath: '/stock', findPath: '/stock', key: 'sku', list: 'skus', many: 'items' },
      // Only where it still is what the writer thinks.
      refuses: ({ expected }, held, sold) =>
        held !== undefined && expected !== null && Number(held.level) - sold !== expected ? 'conflict' : undefined,
      told: ({ sku, level }) => ({ sku, level, code: 'ok' }),
    },
    {
      ...{ kind: 'prices', writePath: /^\/prices\/([^/]+)$/, findPath: '/prices', key: 'sku', list: 'skus' },
      told: ({ sku, price, currency }) => ({ sku, price, currency }),
    },
    {
      ...{ kind: 'orderStatus', writePath: /^\/orders\/([^/]+)\/state$/, findPath: '/orders/states' },
      ...{ key: 'no', list: 'nos', told: ({ no, state }) => ({ no, state }) },
    },
  ];
}

/** OAuth client credentials; a session ends when the system says so. */
function signedIn(model: SystemModel, secret: () => string): SystemModel {
  let sessions = new Set<string>();
  let count = 0;
  return {
    ...model,
    roleOf: (call) => (call.path === '/oauth/token' ? 'sign_in' : model.roleOf!(call)),
    endSessions() {
      sessions = new Set();
    },
    answer(call) {
      const { path, headers } = call;
      if (path === '/oauth/token') {
        const [, who = ''] = /^Basic (.+)$/.exec(String(headers.authorization)) ?? [];
        if (Buffer.from(who, 'base64').toString() !== `${CLIENT}:${secret()}`)
          return { status: 401, json: { error: 'invalid_client' } };
        count += 1;
        sessions.add(`bearer-of-conformance-${count}`);
        return { json: { access_token: `bearer-of-conformance-${count}`, token_type: 'Bearer', expires_in: 3_600 } };
      }
      const bearer = String(headers.authorization).slice('Bearer '.length);
      return sessions.has(bearer) ? model.answer(call) : { status: 401, json: { error: 'token expired' } };
    },
  };
}

function system(rows: FeedRows): SystemModel {
  const feeds: Readonly<Record<string, (call: Call) => Answer>> = {
    '/orders': (call) => byKeyset(rows.orders!, call),
    '/price-changes': (call) => byTime(rows.prices!, call),
    '/movements': (call) => byPage(rows.movements!, call),
    '/shipments': (call) => byToken(rows.shipments!, call),
    '/ping': () => ({ json: { name: 'an order system', release: '9.4' } }),
    ...Object.fromEntries(
      Object.entries(laterPaths).map(([name, path]) => [path, (call: Call) => byPage(rows[name]!, call)]),
    ),
  };
  const open = new Set([ORDER]);
  const model = tableOf(tables(open), (call) => (call.method === 'GET' ? feeds[call.path]?.(call) : undefined));
  return signedIn({ ...model, endOrder: (no) => void open.delete(no) }, () => SECRET);
}

const SECRET = 'client-secret-of-conformance';
const ORDER = 'web/1';

function order(n: number, changed: string): Entry {
  return {
    ...{ id: `o${String(n).padStart(6, '0')}`, no: `77${n}`, buyer: { code: '17850' }, cur: 'GBP' },
    ...{ created: '2026-03-01T08:26:00Z', changed },
    rows: [{ pos: 1, item: '85123a', n: '6', uom: 'PCE', net: '2.55' }],
    extras: [
      { type: 'CARRIAGE', code: 'POST', amount: '4.50' },
      { type: 'BONUS', code: 'SPRING', amount: '-1.00' },
    ],
    vat: [
      { pos: 1, code: 'S', rate: '20', of: '15.30', amount: '3.06' },
      { extra: 1, code: 'S', rate: '20', of: '4.50', amount: '0.90' },
    ],
  };
}

const orders: FeedDescription = {
  pageMax: PAGE,
  placeFields: ['id', 'changed'],
  record: order,
  broken: (changed, seq) => [
    { ...order(seq, changed), rows: [] },
    { ...order(seq, changed), cur: 'pounds' },
    { ...order(seq, changed), rows: [{ pos: 1, item: 'A', n: '6', uom: 'a unit that nobody mapped', net: '1' }] },
    { ...order(seq, changed), created: '2026-02-30T08:26:00Z' },
    { ...order(seq, changed), extras: [{ type: 'CARRIAGE', code: 'POST', amount: '4.505' }] },
    { ...order(seq, changed), vat: [{ pos: 1, code: 'S', rate: null, of: '15.30', amount: '3.06' }] },
  ],
  unknownEnum: (changed, seq) => ({
    ...order(seq, changed),
    extras: [{ type: 'a charge that came later', code: 'X', amount: '1.00' }],
  }),
  deleted: (n, changed) => ({ ...only(order(n, changed), ['id', 'no']), changed, deleted: true }),
};

function movement(n: number, changed: string): Entry {
  return {
    ...{ id: `m${String(n).padStart(6, '0')}`, what: 'adjusted', sku: '85123A', place: 'LON', quantity: -2 },
    ...{ reference: `count ${n}`, changed, booked: at },
  };
}

function shipment(n: number, changed: string): Entry {
  return {
    ...{ id: `s${String(n).padStart(6, '0')}`, changed, fulfilment: 'F7', parcel: `P-${n}`, tracking: null },
    // As its clock on the wall says.
    left: '2026-07-01 10:30:00',
    goods: [{ line: 1, sku: '85123A', quantity: 6 }],
  };
}

function price(n: number, changed: string): Entry {
  return { id: n, sku: `85${n}A`, currency: 'GBP', net: 2.55, changed: changed.replace(/Z$/, '') };
}

const lines = [{ lineNo: 1, sku: '85123A', quantity: 6, unitPrice: '2.55', amountMinor: 1530 }];

export default describeSystem({
  context: { token: SECRET, settings: (url) => settings(url, CLIENT, PAGE) },
  secrets: ['bearer-of-conformance'],
  system,
  feeds: {
    orders,
    prices: {
      pageMax: PAGE,
      placeFields: ['id', 'changed'],
      record: price,
      broken: (changed, seq) => [
        { ...price(seq, changed), net: 'on request' },
        { ...price(seq, changed), sku: null },
      ],
    },
    movements: {
      pageMax: PAGE,
      placeFields: ['id', 'changed'],
      record: movement,
      broken: (changed, seq) => [{ ...movement(seq, changed), quantity: 1.5 }],
      unknownEnum: (changed, seq) => ({ ...movement(seq, changed), what: 'teleported' }),
    },
    shipments: {
      pageMax: PAGE,
      placeFields: ['id', 'changed'],
      record: shipment,
      broken: (changed, seq) => [
        { ...shipment(seq, changed), left: 'yesterday' },
        { ...shipment(seq, changed), goods: [null] },
      ],
    },
    ...laterDescriptions(PAGE),
  },
  deliveries: {
    sales_order: (n) => ({
      reference: `web/77${n}10`,
      payload: { company: 'UK', account: '17850', currency: 'GBP', orderedAt: at, totalMinor: 1530, lines },
    }),
    order_change: (n) => sampleOrderChange(n, { order: ORDER }),
    order_cancellation: (n) => ({
      reference: `C77${n}10`,
      payload: { reference: `C77${n}10`, order: ORDER, lines: [{ lineNo: 1, quantity: 1, amountMinor: 255 }] },
    }),
    shipment_posting: (n) => ({
      reference: `S77${n}10`,
      payload: { order: ORDER, location: 'LON', shippedAt: at, lines },
    }),
  },
  availability: (n) => ({ sku: `SKU77${n}10`, from: null, quantity: 4, ordersThrough: '17' }),
  prices: (n) => ({ key: `SKU77${n}10`, version: 7, base: 0, state: { unitPrice: '2.50', currency: 'GBP' } }),
  orderStatus: (n) => ({
    ...{ key: `channel/77${n}10`, version: 3, base: 0 },
    state: { channel: 'channel', externalNo: `77${n}10`, status: 'shipped', currency: 'GBP', totalMinor: 1530, lines },
  }),
  hint: {
    feed: 'orders',
    body: (records) => Buffer.from(JSON.stringify({ event: 'orders.changed', records })),
    headers: (body, secret) => ({
      'x-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    }),
  },
});

/** One that is asked by offset and by links, and knows us by a key in a header. */
export const more = describeSystem({
  context: { channel: null, settings: further(PAGE) },
  system: (rows) => {
    const model = tableOf([], ({ method, path, query, ...call }) => {
      if (method !== 'GET') return undefined;
      if (path === '/movements') return byOffset(rows.movements!, { method, path, query, ...call });
      if (path === '/documents') return byLink(rows.documents!, { method, path, query, ...call });
      return path === '/ping' ? { json: { release: '2' } } : undefined;
    });
    return {
      ...model,
      answer: (call) =>
        call.headers['x-api-key'] === undefined ? { status: 401, json: { error: 'who are you?' } } : model.answer(call),
    };
  },
  feeds: {
    movements: {
      pageMax: PAGE,
      placeFields: ['id', 'changed'],
      record: movement,
      broken: (changed, seq) => [{ ...movement(seq, changed), booked: '2026-13-01T00:00:00Z' }],
    },
    documents: {
      pageMax: PAGE,
      placeFields: ['id', 'changed'],
      record: (n, changed) => ({
        ...{ id: `d${String(n).padStart(6, '0')}`, changed, type: 'INV', number: `INV-${n}`, order: 'web/536365' },
        ...{ currency: 'GBP', total: '15.30', posted: at, rows: [{ line: 1, quantity: 6, amount: '15.30' }] },
      }),
      broken: (changed, seq) => [
        {
          ...{ id: `d9${seq}`, changed, type: 'INV', number: `INV-9${seq}`, order: 'web/1', currency: 'GBP' },
          ...{ total: '1.005', posted: at, rows: [{ line: 1, quantity: 6, amount: '15.30' }] },
        },
      ],
      unknownEnum: (changed, seq) => ({
        ...{ id: `d9${seq}`, changed, type: 'PRO_FORMA', number: `INV-9${seq}`, order: 'web/1', currency: 'GBP' },
        ...{ total: '15.30', posted: at, rows: [{ line: 1, quantity: 6, amount: '15.30' }] },
      }),
    },
  },
});
