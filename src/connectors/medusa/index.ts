import { type TObject, Type } from 'typebox';
import { CrossdockError } from '../../canonical/index.ts';
import { type ConnectorFactory, defineConnector, type HttpClient } from '../kit/index.ts';
import { availability, NUMBERS_MAX } from './availability.ts';
import { Catalog } from './catalog.ts';
import { hint } from './hint.ts';
import { prices } from './prices.ts';
import { OVERLAP_MS, orders } from './source.ts';
import { orderStatus } from './status.ts';
import { medusaClient } from './transport.ts';

const settings: TObject = Type.Object(
  {
    company: Type.String({ minLength: 1, description: 'whose orders they are' }),
    account: Type.String({ minLength: 1, description: "the account of buyers that are nobody's" }),
    accounts: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: "accounts by the buyer's e-mail address" }),
    ),
    locations: Type.Record(Type.String(), Type.String({ pattern: '^sloc_' }), {
      minProperties: 1,
      description: "the shop's stock location (sloc_…) of each of ours; the first one carries the channel's number",
    }),
    salesChannels: Type.Optional(
      Type.Array(Type.String({ pattern: '^sc_' }), {
        description: "the shop's sales channels (sc_…) that are our channel; default: all of them",
      }),
    ),
  },
  { additionalProperties: false },
);

interface Settings {
  company: string;
  account: string;
  accounts?: Record<string, string>;
  locations: Record<string, string>;
  salesChannels?: string[];
}

/** Medusa 2: a shop that sells by itself against its stock levels. */
export const medusa: ConnectorFactory = defineConnector(
  {
    name: 'medusa',
    summary: 'Medusa 2 shop: stock, prices and order states out, orders and cancels in',
    provenAgainst: 'Medusa 2.21.2 on PostgreSQL 15, one and two processes',
    sources: {
      orders: {
        domains: ['orders', 'cancels'],
        cursor: 'keyset',
        overlapMs: OVERLAP_MS,
        ordering: 'per_thing',
        push: true,
      },
    },
    deliveries: {},
    states: {
      availability: { batchMax: NUMBERS_MAX, readBack: 'content', guard: 'difference' },
      prices: { batchMax: 40, readBack: 'content' },
      orderStatus: { batchMax: 10, readBack: 'content' },
    },
    needs: ['token', 'channel'],
    settings,
    limits: { callsPerSecond: 15, concurrency: 4 },
    quirks: [
      'two processes with in-memory locks oversell, and the level hides it: reservation rows are added up, and a number that hides some is read back and told anew',
      'a shop that is starved of database connections hangs, or answers 401 to a good key: own deadline, and 401 is later for two minutes',
      'orders sort by one field only and lines come in any order: a page ends before its last moment, lines are numbered by their id',
      'a list of prices or variants deletes what it leaves out: prices are written whole, variants only where a product has one',
      'a fulfilment at another location than the reservation takes units off there: fulfilled where the shop reserved',
      'webhooks are lost and carry an id only: they are hints',
      'receiving a return puts its goods on the shelf: they are received as written off, the number has them already',
    ],
  },
  (context) => {
    const { system, limits, webhookSecret } = context;
    const channel = context.channel!;
    const own = context.settings as unknown as Settings;
    const locationIds = [...new Set(Object.values(own.locations))];
    const accounts = Object.fromEntries(
      Object.entries(own.accounts ?? {}).map(([mail, to]) => [mail.toLowerCase(), to]),
    );
    const client = medusaClient(context);
    const catalog = new Catalog(client);
    const whose = { system, channel, company: own.company, account: own.account, accounts };
    return {
      confirmedBy: 'read_back',
      sources: [orders(client, own.salesChannels ?? [], whose, context.clock)],
      deliveries: {},
      availability: availability(client, limits, catalog, locationIds),
      prices: prices(client, limits, catalog),
      orderStatus: orderStatus(client, limits, channel, locationIds),
      // An empty secret would make a signature that anybody can make.
      ...(webhookSecret && { hint: hint(webhookSecret, system) }),
      probe: (signal) => probe(client, locationIds, signal),
      pausedMs: () => client.pausedMs,
      close: () => client.close(),
    };
  },
);

/** Whether it answers, takes the key, and has the stock locations that the estate names. */
async function probe(
  client: HttpClient,
  locationIds: readonly string[],
  signal: AbortSignal,
): Promise<{ ok: boolean; detail: string }> {
  try {
    const { value } = await client.read('/admin/stock-locations?limit=200&fields=id', signal);
    const list = (value as { stock_locations?: unknown } | null)?.stock_locations;
    if (!Array.isArray(list)) return client.malformed('GET', '/admin/stock-locations', 'stock_locations is not a list');
    const there = new Set((list as { id?: unknown }[]).map(({ id }) => id));
    const absent = locationIds.filter((id) => !there.has(id));
    if (absent.length > 0) return { ok: false, detail: `the shop has no stock location ${absent.join(', ')}` };
    return { ok: true, detail: 'answers, takes our key and has the stock locations of the estate' };
  } catch (error) {
    if (error instanceof CrossdockError) return { ok: false, detail: `${error.code}: ${error.message}` };
    throw error;
  }
}
