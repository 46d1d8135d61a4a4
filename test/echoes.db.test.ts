/** Two systems that show each other's prices: what one of them was told and shows is no change, so the loop ends and the last edit holds. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RecordChanged } from '../src/canonical/index.ts';
import { recordItem } from '../src/connectors/kit/index.ts';
import { useDatabase } from './helpers/database.ts';
import { MemorySystem } from './helpers/memory-system.ts';
import { SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
type Shop = 'shop' | 'marketplace';
let shops: Record<Shop, MemorySystem>;
let writes: Record<Shop, string[]>;
let n = 0;
let sku = '';

beforeEach(async () => {
  sku = `E${++n}`;
  shops = { shop: new MemorySystem('shop', []), marketplace: new MemorySystem('marketplace', []) };
  writes = { shop: [], marketplace: [] };
  for (const system of ['shop', 'marketplace'] as const)
    shops[system].fate = (kind, { payload }) => {
      if (kind === 'price') writes[system].push((payload as { unitPrice: string }).unitPrice);
      return 'ok';
    };
  hub = await SmallHub.open({ url: database.url, estate: smallEstate(), connectors: shops });
  await hub.seed([sku]);
});
afterEach(async () => {
  expect(hub.errors).toEqual([]);
  await hub.leases.stop();
  await hub.close();
});

const at = (second: number) => new Date(Date.now() + 1_000 * second).toISOString();
/** What a shop shows by now, as its webhook or its feed says it. */
const shows = (system: Shop, unitPrice: string, second: number) => {
  const record: RecordChanged = {
    ...{ kind: 'price.changed', sku, company: 'acme', currency: 'GBP', unitPrice, changedAt: at(second) },
  };
  return hub.receive(system, [{ ...recordItem(system, record), itemNo: 0 }]);
};
const held = async () =>
  (
    await database.pool.query('select unit_price::text as price from price join sku using (sku_id) where code = $1', [
      sku,
    ])
  ).rows[0]?.price;
const told = (system: Shop) => writes[system];
const facts = async () =>
  (
    await database.pool.query(
      `select count(*)::int as n from fact f, sku s where type = 'price.changed' and s.code = $1 and f.data::jsonb -> 'skuIds' @> to_jsonb(s.sku_id)`,
      [sku],
    )
  ).rows[0].n as number;

it('two quick edits: both shops end with the last, each is told once, and nothing goes round', async () => {
  await shows('shop', '10.00', 1);
  await hub.settle();
  // The second edit was made before the first one's echo came.
  await shows('shop', '11.00', 2);
  await shows('marketplace', '10.00', 3);
  await hub.settle();
  await shows('marketplace', '11.00', 4);
  await shows('marketplace', '10.000', 3);
  await hub.settle();
  expect([await held(), told('shop'), told('marketplace'), await facts()]).toEqual([
    '11.00',
    [],
    ['10.00', '11.00'],
    2,
  ]);
});

it('an edit of the other shop after that is one, and its own echo is none', async () => {
  await shows('shop', '10.00', 1);
  await hub.settle();
  await shows('marketplace', '10.00', 2);
  await shows('marketplace', '12.00', 3);
  await hub.settle();
  await shows('shop', '12.00', 4);
  await hub.settle();
  expect([await held(), told('shop'), told('marketplace'), await facts()]).toEqual(['12.00', ['12.00'], ['10.00'], 2]);
  // Back to what it was once told: it has shown that, so this is a change.
  await shows('marketplace', '10.00', 5);
  await hub.settle();
  expect([await held(), told('shop'), await facts()]).toEqual(['10.00', ['12.00', '10.00'], 3]);
});

it('a shop whose own edit may have been overwritten by what it was told is told again', async () => {
  await shows('shop', '10.00', -20);
  await hub.settle();
  // Made before it was told 10.00 and heard of after: it shows 10.00 by now.
  await shows('marketplace', '12.00', -5);
  await hub.settle();
  await shows('marketplace', '10.00', 2);
  await shows('marketplace', '12.00', 3);
  await shows('shop', '12.00', 4);
  await hub.settle();
  expect([await held(), told('shop'), told('marketplace'), await facts()]).toEqual([
    '12.00',
    ['12.00'],
    ['10.00', '12.00'],
    2,
  ]);
});
