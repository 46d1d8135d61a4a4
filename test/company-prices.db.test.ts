/** A price belongs to a company: what one company changes, the channels of another neither hear nor show. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { putPrices } from '../src/master/index.ts';
import { useDatabase } from './helpers/database.ts';
import { memorySystems, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const systems = memorySystems();
let hub: SmallHub;

beforeAll(async () => {
  const estate = smallEstate();
  estate.companies.zeta = { currency: 'GBP', timeZone: 'Europe/London' };
  estate.locations.west = { company: 'zeta', region: 'w', priority: 3 };
  estate.channels.marketplace = { ...estate.channels.marketplace!, company: 'zeta', locations: ['west'] };
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate });
  await hub.seed(['X', 'Y']);
});
afterAll(() => hub.close());
beforeEach(() => {
  systems.shop.states.clear();
  systems.marketplace.states.clear();
});

const shows = (system: 'shop' | 'marketplace') =>
  Object.fromEntries(
    [...systems[system].states].map(([key, { state }]) => [key, (state as { unitPrice: string }).unitPrice]),
  );
const put = (prices: { company?: string; sku: string; unitPrice: string }[]) =>
  putPrices(
    hub.db,
    hub.directory,
    prices.map((price) => ({ ...price, currency: 'GBP' })),
  );
const companyOf = (code: string) => hub.directory.companies.get(code)!.companyId;

test('each channel shows its own company’s price, and the fact names whose it is', async () => {
  expect(
    await put([
      { company: 'acme', sku: 'X', unitPrice: '1.00' },
      { company: 'zeta', sku: 'X', unitPrice: '2.00' },
      { company: 'zeta', sku: 'Y', unitPrice: '3.00' },
    ]),
  ).toEqual({ written: 3 });
  await hub.settle();
  expect([shows('shop'), shows('marketplace')]).toEqual([
    { 'price X': '1.00' },
    { 'price X': '2.00', 'price Y': '3.00' },
  ]);
  const { rows } = await database.pool.query(
    `select company_id, data->'skuIds' as skus from fact where type = 'price.changed' order by company_id`,
  );
  expect(rows).toEqual([
    { company_id: companyOf('acme'), skus: [hub.sku('X')] },
    { company_id: companyOf('zeta'), skus: [hub.sku('X'), hub.sku('Y')] },
  ]);
});

test('a change of one company is nothing to the channels of another', async () => {
  expect(await put([{ company: 'zeta', sku: 'X', unitPrice: '2.50' }])).toEqual({ written: 1 });
  await hub.plan();
  const { rows } = await database.pool.query(
    `select d.code from publication p join destination d using (destination_id) where p.kind = 'price' and p.is_dirty`,
  );
  expect(rows).toEqual([{ code: 'marketplace' }]);
  await hub.settle();
  expect([shows('shop'), shows('marketplace')]).toEqual([{}, { 'price X': '2.50' }]);
});

test('where there are several companies a price names its own', async () => {
  await expect(put([{ sku: 'X', unitPrice: '1' }])).rejects.toMatchObject({ code: 'XD_VALUE_INVALID' });
  await expect(put([{ company: 'nobody', sku: 'X', unitPrice: '1' }])).rejects.toMatchObject({
    code: 'XD_UNKNOWN_COMPANY',
    details: { place: 'prices[0].company' },
  });
});

test('prices of before go to every company that has their currency, and those of no company to the first', async () => {
  const client = await database.pool.connect();
  try {
    await client.query(`begin; create schema before; set local search_path = before;
      create table company (company_id int primary key, currency text);
      create table price (sku_id bigint not null, price_list text not null, currency text not null,
        valid_from date not null default '-infinity', unit_price numeric not null, updated_at timestamptz not null default now(),
        primary key (sku_id, price_list, currency, valid_from));
      insert into company values (1, 'GBP'), (2, 'GBP'), (3, 'EUR');
      insert into price (sku_id, price_list, currency, unit_price) values (7, 'base', 'GBP', 1), (7, 'base', 'EUR', 2), (7, 'base', 'USD', 3)`);
    await client.query(readFileSync(join(import.meta.dirname, '../sql/0012_prices_of_companies.sql'), 'utf8'));
    const { rows } = await client.query('select company_id, currency from price order by 1, 2');
    expect(rows.map((row) => `${row.company_id} ${row.currency}`)).toEqual(['1 GBP', '1 USD', '2 GBP', '3 EUR']);
  } finally {
    await client.query('rollback');
    client.release();
  }
});
