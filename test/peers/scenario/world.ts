/** The three real systems, freshly seeded, and what people do in them directly. Shares no code with the connectors. */

import { join } from 'node:path';
import type { PeerKind } from '../lib/kind.ts';
import { kindsOf, Peers, readUp, stateFolder } from '../lib/manager.ts';
import { type Json, type Seed, Shop, type ShopItem } from '../medusa-shop.ts';
import { TrytonSession } from '../tryton/client.ts';
import * as vendure from '../vendure-shop.ts';
import { raced } from './chance.ts';
import { type Meter, meterOf } from './meter.ts';

export const LOCATIONS = { EAST: 'DC-EAST', WEST: 'DC-WEST' } as const;
type Location = keyof typeof LOCATIONS;

export interface World {
  erp: TrytonSession;
  shop: Shop;
  admin: vendure.Session;
  meters: Record<'erp' | 'medusa' | 'vendure', Meter>;
  /** Storage location of each warehouse, in Tryton. */
  storages: Record<Location, number>;
  items: Map<string, ShopItem>;
  variants: Map<string, string>;
  /** Calls a second that the estate allows. */
  limits: Record<keyof World['meters'], number>;
  /** `SKU@LOCATION` → units, as Tryton says. */
  onHand(): Promise<Map<string, number>>;
  /** For Crossdock's estate: the systems behind their meters. */
  settings: Record<string, string>;
  /** Stops a system as a crash does. */
  crash(name: SystemName): Promise<void>;
  start(name: SystemName): Promise<void>;
  close(): Promise<void>;
}
export type SystemName = 'tryton' | 'medusa' | 'vendure';

export async function openWorld(hubUrl: string, say: (line: string) => void): Promise<World> {
  // Where the usual ports were taken, they were started on others.
  const shift = readUp(join(stateFolder(), 'tryton'))?.portShift ?? process.env.PEER_PORT_SHIFT ?? 0;
  const peers = new Peers(say, { shift: Number(shift) });
  const kinds = new Map(kindsOf(['tryton', 'medusa', 'vendure']).map((kind) => [kind.name, kind]));
  for (const name of ['medusa', 'vendure'])
    process.env[`${name.toUpperCase()}_WEBHOOK_URL`] = `${hubUrl}/ingest/${name}`;
  const fresh = async (kind: PeerKind) => {
    const { built } = await peers.up(kind);
    if (!built) await peers.reset(kind);
  };
  await Promise.all([...kinds.values()].map(fresh));
  const up = (name: SystemName) => readUp(join(peers.folder, name))!;

  const erp = await new TrytonSession(up('tryton').url, String(up('tryton').database)).login();
  const seed = up('medusa') as unknown as Seed;
  const shop = new Shop(seed, seed.url);
  vendure.openAt(up('vendure').url);
  const admin = await vendure.administrator();
  const meters = {
    erp: await meterOf(up('tryton').url),
    medusa: await meterOf(seed.url),
    vendure: await meterOf(up('vendure').url),
  };
  const items = new Map<string, ShopItem>();
  const variants = new Map<string, string>();
  for (const sku of raced) {
    items.set(sku, await shop.item(sku));
    variants.set(sku, (await vendure.variantOf(admin, sku)).id);
  }
  const storages = await storagesOf(erp);
  return {
    erp,
    shop,
    admin,
    meters,
    items,
    variants,
    storages,
    limits: { erp: 30, medusa: 15, vendure: 30 },
    onHand: () => onHandOf(erp, storages),
    settings: {
      TRYTON_URL: `${meters.erp.url}/${String(up('tryton').database)}`,
      TRYTON_TOKEN: String(up('tryton').password),
      MEDUSA_URL: meters.medusa.url,
      MEDUSA_KEY: seed.secretKey,
      MEDUSA_WEBHOOK_SECRET: String(up('medusa').webhookSecret),
      MEDUSA_EAST: shop.east,
      MEDUSA_WEST: shop.west,
      VENDURE_URL: meters.vendure.url,
      VENDURE_PASSWORD: String(up('vendure').password),
      VENDURE_WEBHOOK_SECRET: String(up('vendure').webhookSecret),
    },
    async crash(name) {
      for (const program of programsOf[name]) await peers.kill(kinds.get(name)!, program);
    },
    async start(name) {
      await peers.up(kinds.get(name)!);
    },
    async close() {
      await Promise.all(Object.values(meters).map((meter) => meter.close()));
    },
  };
}

const programsOf: Record<SystemName, string[]> = { tryton: ['trytond'], medusa: ['medusa'], vendure: ['vendure'] };

async function storagesOf(erp: TrytonSession): Promise<Record<Location, number>> {
  const fields = ['code', 'storage_location'];
  const found = (await erp.searchRead('stock.location', [['type', '=', 'warehouse']], fields)) as Json[];
  const of = (code: string): number => found.find((one) => one.code === code)!.storage_location;
  return { EAST: of(LOCATIONS.EAST), WEST: of(LOCATIONS.WEST) };
}

export const today = () => {
  const now = new Date();
  return { __class__: 'date', year: now.getUTCFullYear(), month: now.getUTCMonth() + 1, day: now.getUTCDate() };
};

/** Units in each place, as people count them. */
export async function count(
  { erp, storages }: World,
  units: ReadonlyMap<string, Record<Location, number>>,
): Promise<void> {
  const products = (await erp.searchRead('product.product', [['code', 'in', [...units.keys()]]], ['code'])) as Json[];
  const ids = new Map<string, number>(products.map(({ code, id }) => [code, id]));
  for (const location of Object.keys(LOCATIONS) as Location[]) {
    const lines = [...units].map(([sku, at]) => ({ product: ids.get(sku), quantity: at[location] }));
    const values = { location: storages[location], date: today(), empty_quantity: 'keep', lines: [['create', lines]] };
    const inventory = await erp.model('stock.inventory', 'create', [values]);
    await erp.model('stock.inventory', 'confirm', inventory);
  }
}

async function onHandOf(erp: TrytonSession, storages: Record<Location, number>): Promise<Map<string, number>> {
  const units = new Map<string, number>();
  for (const [location, id] of Object.entries(storages)) {
    const context = { ...erp.context, locations: [id], stock_date_end: today(), with_childs: true };
    const params = [[['code', 'in', raced]], 0, null, null, ['code', 'quantity'], context];
    for (const { code, quantity } of (await erp.call('model.product.product.search_read', params)) as Json[])
      units.set(`${code}@${location}`, quantity);
  }
  return units;
}
