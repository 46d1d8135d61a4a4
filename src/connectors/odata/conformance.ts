/**
 * How systems with OData answer: v4 as Dynamics 365 has it (guids, JSON numbers, OAuth, messages of several parts) with what S/4HANA's v4 services
 * add (texts for decimals, changes kept track of), and in `v2` as SAP's gateways do (CSRF tokens, `/Date(…)/`, MERGE). From the public rules.
 */
import {
  type Call,
  describeSystem,
  type FeedDescription,
  type FeedRow,
  type FeedRows,
  type SystemModel,
  sampleOrderChange,
} from '../kit/conformance/index.ts';
import { AS_IS, type Entity, odataService, type Service } from './conformance-service.ts';
import { settings, settingsV2 } from './conformance-settings.ts';

const PAGE = 50;
/** Smaller than what is asked for: its next links are followed. */
const SERVER_PAGE = 20;
const SECRET = 'client-secret-of-conformance';
const BEARER = 'bearer-of-conformance';
const CSRF = 'csrf-of-conformance';
const WRITTEN = 60;
const at = '2026-03-01T09:00:00Z';

const guid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const numbers = Array.from({ length: WRITTEN }, (_, index) => index + 1);

/** Entities that are there before anybody writes: what is said of a thing that the system doesn't know is refused. */
const stock = () => numbers.map((n) => ({ Id: `SKU77${n}10`, Material: `SKU77${n}10`, Number: '0', Plant: '1010' }));
const priceList = () =>
  numbers.map((n) => ({ Id: `SKU77${n}10`, Material: `SKU77${n}10`, Price: '0', Currency: 'EUR' }));
const orderList = () => numbers.map((n) => ({ Id: `77${n}10`, OrderNo: `77${n}10`, Note: '' }));

/** A row as the service holds it: its place in what changed is its version. */
function entities(rows: readonly FeedRow[] = []): Entity[] {
  return rows.map(({ raw, seq }) =>
    typeof raw === 'object' && raw !== null && !Array.isArray(raw)
      ? { ...raw, version: seq }
      : { [AS_IS]: raw ?? null, version: seq },
  );
}

/** Read anew at each question: the suite moves rows about. */
function feedSets(rows: FeedRows, feeds: Readonly<Record<string, string>>): Record<string, Entity[]> {
  const sets: Record<string, Entity[]> = {};
  for (const [set, feed] of Object.entries(feeds))
    Object.defineProperty(sets, set, { enumerable: true, get: () => entities(rows[feed]) });
  return sets;
}

function modelOf(service: Service, written: Readonly<Record<string, string>>): SystemModel {
  const refused = new Set<string>();
  service.refuses = (entity) =>
    Object.values(written).some((property) => refused.has(String(entity[property] ?? '').replace(/^.*\//, '')));
  const stockOf = (sku: string) => service.sets.Stock!.find((one) => one.Material === sku);
  return {
    answer: (call) => service.answer({ ...call, body: call.body ?? call.text }),
    roleOf: ({ method }) => (method === 'GET' ? 'read' : 'write'),
    effects: (kind, reference) =>
      service.sets[SETS[kind]!]!.filter((one) => one.CustomerReference === reference).length,
    refuse: (reference) => void refused.add(reference.slice(reference.lastIndexOf('/') + 1)),
    sellable: (sku) => Number(stockOf(sku)?.Number ?? 0),
    sell(sku, units) {
      const held = stockOf(sku);
      if (held !== undefined)
        Object.assign(held, { Number: String(Number(held.Number) - units), version: Number(held.version ?? 1) + 1 });
    },
  };
}

/** By kind of delivery, where it is made. */
const SETS: Readonly<Record<string, string>> = {
  sales_order: 'Orders',
  order_change: 'OrderAdditions',
  order_cancellation: 'OrderCancellations',
};
const written = {
  OrderAdditions: 'CustomerReference',
  OrderCancellations: 'CustomerReference',
  Orders: 'CustomerReference',
  Stock: 'Material',
  Prices: 'Material',
  OrderStates: 'OrderNo',
};

/** OAuth client credentials. */
function system(rows: FeedRows): SystemModel {
  const service = odataService(
    '4',
    'Id',
    Object.assign(
      feedSets(rows, { SalesOrders: 'orders', Accounts: 'accounts', Movements: 'movements', Products: 'products' }),
      { Orders: [], OrderAdditions: [], OrderCancellations: [] },
      { Stock: stock(), Prices: priceList(), OrderStates: orderList() },
    ),
    () => 'http://inside:8000',
  );
  service.serverPage = SERVER_PAGE;
  service.tracked.add('Movements');
  const model = modelOf(service, written);
  let sessions = new Set<string>();
  let count = 0;
  return {
    ...model,
    roleOf: (call) => (call.path === '/oauth/token' ? 'sign_in' : model.roleOf!(call)),
    endSessions() {
      sessions = new Set();
    },
    answer(call) {
      const { path, headers, text } = call;
      if (path === '/oauth/token') {
        if (new URLSearchParams(text).get('client_secret') !== SECRET)
          return { status: 401, json: { error: 'invalid_client' } };
        count += 1;
        sessions.add(`Bearer ${BEARER}-${count}`);
        return { json: { access_token: `${BEARER}-${count}`, token_type: 'Bearer', expires_in: '3599' } };
      }
      if (!sessions.has(String(headers.authorization)))
        return { status: 401, json: { error: { code: '0x80040220', message: 'expired' } } };
      return model.answer(call);
    },
  };
}

function order(n: number, changed: string): Entity {
  return {
    ...{ Id: guid(n), OrderNo: `ORD-${n}`, State: 1, ModifiedOn: changed, CreatedOn: at, Currency: 'EUR' },
    Customer: { AccountNumber: 'A-7' },
    Lines: [{ LineNo: 1, Product: 'mz-01', Quantity: 2, Price: 2.55 }],
  };
}

function account(n: number, changed: string): Entity {
  return { Id: `A${String(n).padStart(6, '0')}`, AccountNumber: `A-${n}`, Name: 'Smith', ModifiedOn: changed };
}

function movement(n: number, changed: string): Entity {
  return {
    ...{ Id: `M${String(n).padStart(6, '0')}`, Type: 'adjusted', Material: 'MZ-01', Place: 'LON', Quantity: '-2.000' },
    ...{ Reference: `count ${n}`, ChangedAt: changed, PostedAt: at },
  };
}

function product(n: number, changed: string): Entity {
  return { Id: `P${String(n).padStart(6, '0')}`, Product: `MZ-${n}`, BaseUnit: 'PC', ChangedAt: changed };
}

const lines = [{ lineNo: 1, sku: 'MZ-01', quantity: 2, unitPrice: '2.55', amountMinor: 510 }];
const place = { pageMax: PAGE, placeFields: ['Id', 'ModifiedOn', 'ChangedAt'] };

const products: FeedDescription = {
  ...place,
  record: product,
  broken: (changed, seq) => [{ ...product(seq, changed), Product: { name: 'MZ' } }],
};

export default describeSystem({
  context: { token: SECRET, settings: (url) => settings(url, PAGE) },
  secrets: [BEARER],
  system,
  feeds: {
    orders: {
      ...place,
      record: order,
      broken: (changed, seq) => [
        { ...order(seq, changed), Customer: null },
        { ...order(seq, changed), Lines: [] },
        { ...order(seq, changed), Lines: [{ LineNo: 1, Product: 'mz-01', Quantity: 1.5, Price: 1 }] },
        { ...order(seq, changed), CreatedOn: '2026-02-30T09:00:00Z' },
      ],
    },
    accounts: {
      ...place,
      record: account,
      broken: (changed, seq) => [{ ...account(seq, changed), AccountNumber: null }],
      // Dynamics deactivates the one and says which it went into.
      merged: (n, into, changed) => ({ ...account(n, changed), StateCode: 1, MasterId: guid(into), Merged: true }),
    },
    movements: {
      ...place,
      record: movement,
      broken: (changed, seq) => [{ ...movement(seq, changed), Quantity: '1.5' }],
      unknownEnum: (changed, seq) => ({ ...movement(seq, changed), Type: 'teleported' }),
      deleted: (n) => ({ '@removed': { reason: 'deleted' }, '@odata.id': `Movements('${n}')`, Id: `M${n}` }),
    },
    products,
  },
  deliveries: {
    sales_order: (n) => ({
      reference: `web/77${n}10`,
      payload: { company: 'UK', account: '17100001', currency: 'EUR', orderedAt: at, totalMinor: 510, lines },
    }),
    order_change: (n) => sampleOrderChange(n, { order: 'web/1', sku: 'MZ-01' }),
    order_cancellation: (n) => ({
      reference: `C77${n}10`,
      payload: { order: 'web/1', lines: [{ lineNo: 1, quantity: 1, amountMinor: 255 }] },
    }),
  },
  availability: (n) => ({ sku: `SKU77${n}10`, from: null, quantity: 4, ordersThrough: '17' }),
  prices: (n) => ({ key: `SKU77${n}10`, version: 7, base: 0, state: { unitPrice: '2.50', currency: 'EUR' } }),
  orderStatus: (n) => ({
    ...{ key: `channel/77${n}10`, version: 3, base: 0 },
    state: { channel: 'channel', externalNo: `77${n}10`, status: 'shipped', currency: 'EUR', totalMinor: 510, lines },
  }),
});

const ticks = (time: string) => `/Date(${Date.parse(time)}+0000)/`;

function productV2(n: number, changed: string): Entity {
  return { Id: `P${String(n).padStart(6, '0')}`, Product: `MZ-${n}`, BaseUnit: 'PC', ChangedAt: ticks(changed) };
}

function documentV2(n: number, changed: string): Entity {
  return {
    ...{ Id: `D${String(n).padStart(6, '0')}`, ChangedAt: ticks(changed), Type: 'F2', BillingDocument: `90${n}` },
    ...{ Order: 'web/77110', Currency: 'EUR', Total: '5.10', PostedAt: ticks(at) },
    Items: { results: [{ Item: '10', Line: 1, Quantity: '2.000', Amount: '5.10' }] },
  };
}

/** In v2 the ticks are UTC, whatever stands behind them. */
const inOffset = (raw: unknown, offset: string) =>
  JSON.parse(JSON.stringify(raw).replaceAll('+0000)/', `${offset.replace(':', '')})/`)) as unknown;

/** SAP's gateways: a password with each call, and a token with its cookie for each write. */
function systemV2(rows: FeedRows): SystemModel {
  const service = odataService(
    '2',
    'Id',
    Object.assign(feedSets(rows, { A_Product: 'products', A_BillingDocument: 'documents' }), {
      ...{ Orders: [], Stock: stock() },
    }),
    () => 'http://inside:8000',
  );
  service.serverPage = SERVER_PAGE;
  service.csrf = `${CSRF}-1`;
  const model = modelOf(service, { Orders: 'CustomerReference', Stock: 'Material' });
  const isFetch = ({ headers }: Call) => headers['x-csrf-token'] === 'Fetch';
  return {
    ...model,
    roleOf: (call) => (isFetch(call) ? 'sign_in' : model.roleOf!(call)),
    endSessions() {
      service.csrf = `${CSRF}-2`;
    },
    answer(call) {
      const [, who = ''] = /^Basic (.+)$/.exec(String(call.headers.authorization)) ?? [];
      if (Buffer.from(who, 'base64').toString() !== `HUB:${SECRET}`)
        return { status: 401, text: '<html>Logon failed</html>', headers: { 'content-type': 'text/html' } };
      return model.answer(call);
    },
  };
}

export const v2 = describeSystem({
  context: { channel: null, token: SECRET, settings: settingsV2(PAGE) },
  secrets: [CSRF],
  skip: {
    'write.foreign_200':
      'v2 answers an update with 204 and nothing in it; of creates, which name what was made, the check of v4 tells',
  },
  system: systemV2,
  feeds: {
    products: {
      ...{ pageMax: PAGE, placeFields: ['Id', 'ChangedAt'], inOffset, record: productV2 },
      broken: (changed, seq) => [{ ...productV2(seq, changed), Product: null }],
    },
    documents: {
      ...{ pageMax: SERVER_PAGE, placeFields: ['Id', 'ChangedAt'], inOffset, record: documentV2 },
      broken: (changed, seq) => [
        { ...documentV2(seq, changed), Total: '5.105' },
        { ...documentV2(seq, changed), PostedAt: '/Date(soon)/' },
        { ...documentV2(seq, changed), Items: { __deferred: { uri: 'Items' } } },
      ],
      unknownEnum: (changed, seq) => ({ ...documentV2(seq, changed), Type: 'ZX' }),
    },
  },
  deliveries: {
    sales_order: (n) => ({
      reference: `web/77${n}10`,
      payload: { company: 'UK', account: '17100001', currency: 'EUR', orderedAt: at, totalMinor: 510, lines },
    }),
  },
  availability: (n) => ({ sku: `SKU77${n}10`, from: null, quantity: 4, ordersThrough: '17' }),
});
