/** A hub for tests of the API: an estate of its own, a database, no outbound. */
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll } from 'vitest';
import { useDatabase } from '../../../test/helpers/database.ts';
import { fail, type InboundItem } from '../../canonical/index.ts';
import { Receiver } from '../../ingest/index.ts';
import { type DeclaredEstate, Directory, putAccounts, putProducts } from '../../master/index.ts';
import { Freshness } from '../../outbound/index.ts';
import { Database, Ids } from '../../store/index.ts';
import { type ApiHub, buildApi, createApiKey } from '../index.ts';
import type { NewApiKey } from '../keys.ts';

const locations = ['LON', 'MAN'];

export const testEstate = {
  companies: { UK: { currency: 'GBP', timeZone: 'Europe/London' } },
  locations: {
    LON: { company: 'UK', region: 'south', priority: 1 },
    MAN: { company: 'UK', region: 'north', priority: 2 },
  },
  systems: { erp: {}, shop: {} },
  channels: {
    api: { company: 'UK', sells: 'asks' as const, locations },
    planned: { company: 'UK', sells: 'asks' as const, locations, share: 0.5, buffer: 1, horizonDays: 14 },
    strict: {
      company: 'UK',
      sells: 'asks' as const,
      locations: ['LON'],
      onShort: 'refuse' as const,
      buffer: 1,
      cap: 5,
    },
    shop: { company: 'UK', system: 'shop', sells: 'by_itself' as const, locations, share: 0.5 },
  },
};

export const SIGNATURE = 'signed by the shop';

export interface TestHub {
  app: FastifyInstance;
  hub: ApiHub;
  key: string;
  keyId: string;
  busy: boolean;
  /** The clock of what the API remembers; it stands still until a test moves it. */
  nowMs: number;
  commits: number;
  errors: object[];
  call(method: string, url: string, body?: unknown, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  /** Submits an order under a key of its own. */
  order(body: { externalNo: string }): Promise<LightMyRequestResponse>;
  makeKey(options: Partial<NewApiKey>): Promise<{ key: string; keyId: string }>;
  /** Brings `quantity` of a SKU to a location, as a WMS would. */
  receive(sku: string, location: string, quantity: number): Promise<void>;
}

/** For one test file: database, directory, an application that doesn't listen, and a key with every scope. */
export function useApi(options: { skus?: readonly string[]; estate?: DeclaredEstate } = {}): TestHub {
  const database = useDatabase();
  const test = { busy: false, nowMs: 1_000_000, commits: 0, errors: [] as object[] } as TestHub;
  let db: Database;
  let receipts = 0;
  beforeAll(async () => {
    db = new Database({ url: database.url, poolMax: 6 });
    const directory = await Directory.open(db, options.estate ?? testEstate);
    const ids = new Ids();
    const receiver = new Receiver({ db, ids, directory });
    await putProducts(
      db,
      (options.skus ?? ['85123A', '71053']).map((sku) => ({ sku, description: `product ${sku}` })),
    );
    await putAccounts(db, directory, [{ account: '17850', company: 'UK', channel: 'api', name: 'A shop' }]);
    test.hub = {
      db,
      directory,
      ids,
      receiver,
      freshness: new Freshness(),
      freshnessTargetsMs: { 'availability:shop': 2_000 },
      nowMs: () => test.nowMs,
      mustWait: () => test.busy,
      ready: () => ({ ok: true, reasons: [] }),
      webhook: (system, headers, body) => (system === 'shop' ? webhook(headers, body) : undefined),
      onCommit: () => {
        test.commits++;
      },
      log: { info: () => {}, warn: () => {}, error: (fields) => test.errors.push(fields) },
    };
    test.app = buildApi(test.hub);
    await test.app.ready();
    test.makeKey = (given) => createApiKey(db, { name: 'test', scopes: ['read', 'write', 'operate'], ...given });
    ({ key: test.key, keyId: test.keyId } = await test.makeKey({}));
    test.call = (method, url, body, headers = {}) => {
      const given: InjectOptions = {
        method: method as 'GET',
        url,
        headers: { authorization: `Bearer ${test.key}`, ...headers },
      };
      if (body !== undefined) given.payload = body as object;
      return test.app.inject(given);
    };
    test.order = (body) => test.call('POST', '/v1/orders', body, { 'idempotency-key': `key of ${body.externalNo}` });
    test.receive = async (sku, location, quantity) => {
      receipts++;
      const [result] = await receiver.receive({
        system: 'wms',
        source: 'poll',
        contentType: 'application/json',
        body: Buffer.from('{}'),
        onFault: 'refuse',
        items: [
          {
            scope: 'movement/wms',
            key: `receipt-${receipts}`,
            fingerprint: 'x',
            itemNo: 0,
            command: {
              kind: 'stock.moved',
              movement: 'received',
              sku,
              location,
              quantity,
              reference: `receipt-${receipts}`,
              occurredAt: '2026-01-05T08:00:00.000Z',
            },
          },
        ],
      });
      if (result!.status !== 'applied') throw new Error(`receipt was ${JSON.stringify(result)}`);
    };
  });
  afterAll(async () => {
    await test.app?.close();
    await db?.end();
  });
  return test;
}

function webhook(headers: Readonly<Record<string, string | undefined>>, body: Buffer): InboundItem[] {
  if (headers['x-shop-signature'] !== SIGNATURE) fail('XD_UNAUTHENTICATED', 'no valid signature');
  return [
    {
      scope: 'unreadable/shop',
      key: body.toString('hex').slice(0, 100),
      fingerprint: body.toString('hex').slice(0, 100),
      itemNo: 0,
      unreadable: { reason: 'a test', place: '', value: null },
    },
  ];
}
