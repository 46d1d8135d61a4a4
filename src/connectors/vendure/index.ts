import { fail } from '../../canonical/index.ts';
import { batchMaxOf, type ConnectorFactory, defineConnector } from '../kit/index.ts';
import { Catalog } from './catalog.ts';
import { type Answered, probe, Shop, TAKE_MAX } from './client.ts';
import { declaration } from './declaration.ts';
import { hint } from './hint.ts';
import { DEFAULT_CHANNEL, type OrderTerms } from './map.ts';
import { openLook } from './open-look.ts';
import { prices } from './prices.ts';
import type { Settings } from './settings.ts';
import { orders } from './source.ts';
import { orderStatus } from './status.ts';
import { availability } from './stock.ts';

const LOOK_EVERY_MS = 60_000;
const LOCATIONS = '{ stockLocations(options: { take: 100 }) { items { id name } } }';

/** Vendure 3 as a channel that sells by itself. One system of the estate is one channel of the shop. */
export const vendure: ConnectorFactory = defineConnector(declaration, (context) => {
  const { system, limits, webhookSecret } = context;
  const given = context.settings as Settings;
  const { shopChannel = DEFAULT_CHANNEL, shopChannelToken, reserve = 0 } = given;
  if ((shopChannel === DEFAULT_CHANNEL) !== (shopChannelToken === undefined))
    fail('XD_ESTATE_INVALID', `systems.${system}.settings: shopChannel and shopChannelToken go together`);
  const channel = context.channel!;
  const terms: OrderTerms = {
    system,
    channel,
    company: given.company,
    account: given.account,
    accounts: given.accounts ?? {},
    shopChannel,
    ...(given.reservationsField !== undefined && { reservationsField: given.reservationsField }),
  };
  const shop = new Shop(context, given.user, shopChannelToken);
  const catalog = new Catalog(shop);
  const locations = locationsOf(shop, system, given.locations);
  const everyMs = given.lookEveryMs ?? LOOK_EVERY_MS;
  const look = openLook(shop, { everyMs });
  const corrects = given.correctLevels ?? true;
  const batchMax = batchMaxOf(limits, TAKE_MAX);
  return {
    confirmedBy: 'read_back',
    sources: [orders(shop, terms, look)],
    deliveries: {},
    availability: availability(shop, catalog, { batchMax, locations, reserve, corrects, everyMs }),
    prices: prices(shop, catalog, batchMax),
    orderStatus: orderStatus(shop, {
      batchMax: batchMaxOf(limits, 20),
      channel,
      shopChannel,
      handler: given.fulfilmentHandler ?? 'manual-fulfillment',
      method: given.fulfilmentMethod ?? 'Crossdock',
      publicNotes: given.publicNotes ?? false,
      delivered: given.delivered ?? false,
      settles: given.settlePayments ?? false,
      carrier: async (signal) => (await locations(signal))[0]!,
    }),
    // An empty secret would make a signature that anybody can make.
    ...(webhookSecret && { hint: hint(webhookSecret, system, given.signatureHeader ?? 'x-peer-signature') }),
    probe: (signal) => probe(shop, signal),
    pausedMs: () => shop.http.pausedMs,
    close: () => shop.http.close(),
  };
});

/** Ids of the named stock locations, read once. */
function locationsOf(shop: Shop, system: string, names: readonly string[]) {
  let known: readonly string[] | undefined;
  return async (signal: AbortSignal): Promise<readonly string[]> => {
    if (known !== undefined) return known;
    const { data } = await shop.ask(LOCATIONS, {}, signal);
    const items = (data.stockLocations as { items?: Answered[] } | null)?.items ?? [];
    const ids = new Map(items.map(({ id, name }) => [name, id]));
    known = names.map((name) => {
      const id = ids.get(name);
      if (typeof id === 'string') return id;
      return fail('XD_CONNECTOR_REFUSED', `${system} has no stock location ${JSON.stringify(name)}`, { system });
    });
    return known;
  };
}
