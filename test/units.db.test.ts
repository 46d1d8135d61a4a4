/** What is counted in one unit here and listed by another there: neither price nor number leaves, and what was sold is taken for what it was. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inOneUnit } from '../src/connectors/kit/index.ts';
import { putPrices, putProducts } from '../src/master/index.ts';
import { useDatabase } from './helpers/database.ts';
import { ModelChannel } from './helpers/model-channel.ts';
import { violations } from './helpers/promises.ts';
import { cancel, memorySystems, moved, order, SmallHub, smallEstate, withAvailability } from './helpers/small-hub.ts';

const database = useDatabase();
const systems = memorySystems();
const shop = new ModelChannel('shop', 'net_available');
const marketplace = new ModelChannel('marketplace', 'on_hand');
withAvailability(systems.shop, shop.sink);
withAvailability(systems.marketplace, marketplace.sink);
let hub: SmallHub;

beforeAll(async () => {
  const estate = smallEstate();
  estate.channels.shop = { ...estate.channels.shop!, soldIn: { nail: 'BX' } };
  for (const system of [systems.shop, systems.marketplace]) {
    const { prices } = inOneUnit({ deliveries: {}, prices: system.prices } as never as typeof system);
    Object.defineProperty(system, 'prices', { value: prices });
  }
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate });
  await hub.seed(['NAIL', 'LAMP']);
  await hub.db.transaction((tx) =>
    putProducts(tx, [{ sku: 'NAIL', units: [{ unit: 'BX', packLevel: 'case', numerator: 1_000 }] }]),
  );
});
afterAll(() => hub.close());

const parked = async () =>
  (
    await database.pool.query(
      `select d.code, p.kind, s.code as sku, p.error as last_error from publication p join destination d using (destination_id)
         join sku s on s.sku_id = p.key where p.state = 'p' order by 1, 2, 3`,
    )
  ).rows;

test('52,900 pieces of what a shop lists by the box of 1,000 are shown to nobody, and no price of a box or a piece with them', async () => {
  await hub.receive('wms', [moved('R1', 'NAIL', 'north', 52_900), moved('R2', 'LAMP', 'north', 10)]);
  await putPrices(hub.db, hub.directory, [
    { sku: 'NAIL', currency: 'GBP', unitPrice: '10.20', unit: 'BX' },
    { sku: 'LAMP', currency: 'GBP', unitPrice: '10.00', pricePer: 12 },
  ]);
  await hub.settle();
  const shown = (system: 'shop' | 'marketplace') =>
    [...systems[system].states].map(([key, { state }]) => [key, state]).sort();
  const each = { currency: 'GBP', unit: 'each', quantityUnit: 'each' };
  // The marketplace lists pieces: it has the exact price of one. 10.00 for 12 has none, and is shown nowhere.
  expect(shown('shop')).toEqual([]);
  expect(shown('marketplace')).toEqual([['price NAIL', { ...each, unitPrice: '0.0102' }]]);
  expect(shop.available('NAIL')).toBe(0);
  expect(marketplace.available('NAIL')).toBeGreaterThan(1_000);
  expect(await parked()).toEqual([
    {
      code: 'marketplace',
      kind: 'price',
      sku: 'LAMP',
      last_error: expect.stringMatching(/^unit_inexact: 10.00 for 12/),
    },
    {
      code: 'shop',
      kind: 'availability',
      sku: 'NAIL',
      last_error: expect.stringMatching(/^unit_mismatch: it is listed by BX, and the number counts each/),
    },
    { code: 'shop', kind: 'price', sku: 'LAMP', last_error: expect.stringMatching(/^unit_inexact/) },
    {
      code: 'shop',
      kind: 'price',
      sku: 'NAIL',
      last_error: expect.stringMatching(/^unit_mismatch: the price is for one BX/),
    },
  ]);
});

test('a price in one unit beside a number in another can not be written at all, whoever writes it', async () => {
  const put = (set: string, where: string) =>
    database.pool.query(`update publication set ${set} where kind = 'price' and ${where}`);
  const rows = (
    await database.pool.query(
      `select state, price_unit, quantity_unit from publication where kind = 'price' and price_unit is not null`,
    )
  ).rows;
  // What was sent says its unit; what was refused never was on its way.
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.every((row) => row.price_unit === row.quantity_unit && row.price_unit === 'each')).toBe(true);
  await expect(put(`price_unit = 'BX', quantity_unit = 'each'`, 'true')).rejects.toThrow(/publication_one_unit/);
  await expect(put(`price_unit = 'BX', quantity_unit = null`, 'true')).rejects.toThrow(/publication_one_unit/);
  await expect(put(`state = 's', price_unit = null, quantity_unit = null`, 'true')).rejects.toThrow(
    /publication_price_unit/,
  );
});

test('what the shop sold of it are boxes, and so is what it takes back; the ERP has the exact amounts', async () => {
  const [sold] = await hub.receive('shop', [order('shop', 'B1', [{ sku: 'NAIL', quantity: 5, unitPrice: '2.55' }])]);
  expect(sold).toMatchObject({ status: 'applied' });
  await hub.receive('shop', [cancel('shop', 'B1', 1, 2, 'C1', 'NAIL')]);
  const { rows } = await database.pool.query(
    `select l.quantity::int, l.cancelled::int, l.price_per::int, l.amount_minor::int, a.quantity as asked, a.unit
       from order_line l join sales_order o using (order_id) left join order_line_asked a using (order_id, line_no) where o.external_no = 'B1'`,
  );
  expect(rows).toEqual([
    { quantity: 5_000, cancelled: 2_000, price_per: 1_000, amount_minor: 5 * 255, asked: '5', unit: 'BX' },
  ]);
  await hub.settle();
  expect(await violations(database.pool)).toEqual({});
});
