/** Prices as they are kept and decided: what overlaps is refused at load, a tier is never dropped by a sync, a shop shows what is decided. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PriceChanged } from '../src/canonical/index.ts';
import { putAccounts, putPrices, writePrices } from '../src/master/index.ts';
import {
  type Candidate,
  decidePrice,
  NEVER_BEGAN,
  NO_END,
  type PriceQuestion,
  putContractPrices,
  putContracts,
  readPrices,
  tellPriceDays,
} from '../src/pricing/index.ts';
import { useDatabase } from './helpers/database.ts';
import { item, memorySystems, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const systems = memorySystems();
let hub: SmallHub;

beforeAll(async () => {
  const estate = smallEstate();
  estate.channels.shop = { ...estate.channels.shop!, prices: { list: 'web' } };
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate });
  await hub.seed(['X', 'Y', 'Z'], ['A1', 'A2']);
  await hub.directory.loadAccounts(['A1', 'A2'].map((code) => ({ companyId: company(), code })));
});
afterAll(() => hub.close());

const company = () => hub.directory.companies.get('acme')!.companyId;
const account = (code: string) => hub.directory.findAccountId(company(), code)!;
const question = (sku: string, rest: Partial<PriceQuestion> = {}): PriceQuestion => ({
  ...{ companyId: company(), accountId: null, channelId: null, skuId: hub.sku(sku), quantity: 1 },
  ...{ day: '2026-03-10', currency: 'GBP' },
  ...rest,
});
const decide = async (sku: string, rest: Partial<PriceQuestion> = {}) =>
  (await readPrices(hub.db, hub.directory, [question(sku, rest)]))[0]!;
const put = (sku: string, unitPrice: string, rest: object = {}) =>
  putPrices(hub.db, hub.directory, [{ sku, unitPrice, currency: 'GBP', ...rest }]);
const rows = (text: string) => database.pool.query(text).then((result) => result.rows);

describe('validity', () => {
  const list = { priceList: 'dated' };

  test('a price with an end stands alone in its days; what would stand in them is refused and names them', async () => {
    await put('X', '5', { ...list, validFrom: '2026-01-01', validTo: '2026-03-31' });
    const overlapping = [
      { validFrom: '2026-03-31' },
      { validFrom: '2026-03-01', validTo: '2026-03-02' },
      { validTo: '2026-01-01' },
      {},
    ];
    for (const days of overlapping)
      await expect(put('X', '6', { ...list, ...days })).rejects.toMatchObject({
        code: 'XD_PRICE_OVERLAP',
        details: { place: 'prices[0].validFrom', overlaps: { validFrom: '2026-01-01', validTo: '2026-03-31' } },
      });
    expect(await put('X', '6', { ...list, validFrom: '2026-04-01' })).toEqual({ written: 1 });
    expect(await put('X', '4', { ...list, validTo: '2025-12-31' })).toEqual({ written: 1 });
    // Another quantity, currency, list or SKU is another price.
    expect(await put('X', '3', { ...list, quantityMin: 10 })).toEqual({ written: 1 });
    expect(await put('X', '3', { ...list, currency: 'EUR' })).toEqual({ written: 1 });
    expect(await put('Y', '3', list)).toEqual({ written: 1 });
    const on = async (day: string) => (await decide('X', { list: 'dated', day })).price?.unitPrice;
    expect([await on('2025-12-31'), await on('2026-01-01'), await on('2026-03-31'), await on('2026-04-01')]).toEqual([
      '4',
      '5',
      '5',
      '6',
    ]);
  });

  test('prices without an end follow one another', async () => {
    await put('Z', '1', { priceList: 'open' });
    await put('Z', '3', { priceList: 'open', validFrom: '2026-03-10' });
    await put('Z', '2', { priceList: 'open', validFrom: '2026-03-01' });
    const on = async (day: string) => (await decide('Z', { list: 'open', day })).price?.unitPrice;
    expect([await on('2026-02-28'), await on('2026-03-01'), await on('2026-03-09'), await on('2026-03-10')]).toEqual([
      '1',
      '2',
      '2',
      '3',
    ]);
  });

  test('one that is ended in the same set makes room; of two that overlap in one set the later is refused', async () => {
    const one = { sku: 'Y', currency: 'GBP', priceList: 'set', unitPrice: '1' };
    await putPrices(hub.db, hub.directory, [one]);
    const { refused } = await hub.db.transaction((tx) =>
      writePrices(tx, hub.directory, [
        { ...one, validTo: '2026-05-31' },
        { ...one, unitPrice: '2', validFrom: '2026-06-01', validTo: '2026-06-30' },
        { ...one, unitPrice: '9', validFrom: '2026-06-15', validTo: '2026-07-15' },
        { ...one, unitPrice: '3', validFrom: '2026-07-01' },
      ]),
    );
    expect(refused).toEqual([
      {
        at: 2,
        reason:
          'the price of Y in list set, GBP, from 2026-06-15 to 2026-07-15 overlaps the one from 2026-06-01 to 2026-06-30: end one of them first',
        overlaps: { validFrom: '2026-06-01', validTo: '2026-06-30' },
      },
    ]);
    expect(
      await rows(
        `select valid_from::text, valid_to::text, unit_price::text as price from price where price_list = 'set' order by valid_from`,
      ),
    ).toEqual([
      { valid_from: '-infinity', valid_to: '2026-05-31', price: '1' },
      { valid_from: '2026-06-01', valid_to: '2026-06-30', price: '2' },
      { valid_from: '2026-07-01', valid_to: 'infinity', price: '3' },
    ]);
  });

  test('two loads at once, each sound, do not overlap together', async () => {
    const results = await Promise.allSettled([
      put('Z', '1', { priceList: 'race', validFrom: '2026-01-01', validTo: '2026-06-30' }),
      put('Z', '2', { priceList: 'race', validFrom: '2026-06-01', validTo: '2026-12-31' }),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await rows(`select count(*)::int as n from price where price_list = 'race'`)).toEqual([{ n: 1 }]);
  });

  test('a price of a system that overlaps is set aside, and its neighbours are taken', async () => {
    await put('X', '5', { priceList: 'fed', validFrom: '2026-01-01', validTo: '2026-01-31' });
    const changed = (key: string, rest: Partial<PriceChanged>) =>
      item('price.changed/erp', key, {
        ...{ kind: 'price.changed', sku: 'X', company: 'acme', currency: 'GBP', unitPrice: '6', priceList: 'fed' },
        changedAt: '2026-02-01T00:00:00Z',
        ...rest,
      });
    const results = await hub.receive('erp', [
      changed('p1', { validFrom: '2026-01-31', validTo: '2026-02-28' }),
      changed('p2', { validFrom: '2026-02-01', validTo: '2026-02-28' }),
      changed('p3', { validFrom: '2026-02-28', validTo: '2026-02-01' }),
    ]);
    expect(results).toMatchObject([
      { status: 'parked', class: 'price_overlap', place: 'validFrom' },
      { status: 'applied' },
      { status: 'parked', class: 'value_invalid' },
    ]);
  });
});

describe('tiers', () => {
  test('a sync that says one price drops no tier; one that says all of them ends the rest, from its day on', async () => {
    const all = { priceList: 'steps', currency: 'GBP', sku: 'X', unitPrice: '10' };
    const tiers = [
      { quantityMin: 1, unitPrice: '10' },
      { quantityMin: 100, unitPrice: '8' },
    ];
    await putPrices(hub.db, hub.directory, [{ ...all, tiers, validFrom: '2026-01-01' }]);
    await put('X', '11', { priceList: 'steps', validFrom: '2026-02-01' });
    const at = async (quantity: number, day: string) =>
      (await decide('X', { list: 'steps', quantity, day })).price?.unitPrice;
    expect([await at(1, '2026-02-01'), await at(100, '2026-02-01')]).toEqual(['11', '8']);
    // Said later, of an earlier day: what was said of the later day alone still holds there.
    const fewer = [{ quantityMin: 1, unitPrice: '9' }];
    await putPrices(hub.db, hub.directory, [{ ...all, tiers: fewer, validFrom: '2026-01-15' }]);
    expect([await at(100, '2026-01-14'), await at(100, '2026-01-15'), await at(100, '2026-02-01')]).toEqual([
      '8',
      '9',
      '11',
    ]);
  });
});

describe('contracts', () => {
  const one = { contract: 'K1', account: 'A1' };

  test('of one account and currency no two on the same day', async () => {
    await putContracts(hub.db, hub.directory, [{ ...one, validFrom: '2026-01-01', validTo: '2026-06-30' }]);
    for (const days of [{}, { validFrom: '2026-06-30' }, { validTo: '2026-01-01' }])
      await expect(putContracts(hub.db, hub.directory, [{ ...one, contract: 'K2', ...days }])).rejects.toMatchObject({
        code: 'XD_PRICE_OVERLAP',
        details: {
          place: 'contracts[0].validFrom',
          overlaps: { contract: 'K1', validFrom: '2026-01-01', validTo: '2026-06-30' },
        },
      });
    expect(await rows(`select count(*)::int as n from contract`)).toEqual([{ n: 1 }]);
    await putContracts(hub.db, hub.directory, [
      { ...one, contract: 'K2', validFrom: '2026-07-01' },
      { ...one, contract: 'KE', currency: 'EUR' },
      { ...one, contract: 'KB', account: 'A2' },
    ]);
    // Its end may move, but not into the next one's days; with another account or currency it is another contract.
    await expect(
      putContracts(hub.db, hub.directory, [{ ...one, validFrom: '2026-01-01', validTo: '2026-07-01' }]),
    ).rejects.toMatchObject({ code: 'XD_PRICE_OVERLAP' });
    await expect(putContracts(hub.db, hub.directory, [{ ...one, account: 'A2' }])).rejects.toMatchObject({
      code: 'XD_VALUE_INVALID',
      details: { place: 'contracts[0].account' },
    });
    await expect(putContracts(hub.db, hub.directory, [{ ...one, account: 'NO' }])).rejects.toMatchObject({
      code: 'XD_UNKNOWN_ACCOUNT',
    });
  });

  test('two loads of contracts at once do not overlap together', async () => {
    await putAccounts(hub.db, hub.directory, [{ account: 'A3', company: 'acme' }]);
    const results = await Promise.allSettled(
      ['R1', 'R2', 'R3'].map((contract) => putContracts(hub.db, hub.directory, [{ contract, account: 'A3' }])),
    );
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1);
  });

  test('its price wins on its days, and not after them; a parent’s list and another account do not get it', async () => {
    await put('X', '10');
    await put('X', '9', { priceList: 'web' });
    await putContractPrices(hub.db, hub.directory, [
      { contract: 'K1', sku: 'X', unitPrice: '7' },
      { contract: 'K1', sku: 'X', unitPrice: '60', pricePer: 10, quantityMin: 50 },
    ]);
    const accountId = account('A1');
    expect((await decide('X', { accountId })).price).toMatchObject({
      ...{ unitPrice: '7', pricePer: 1, source: 'contract', name: 'K1', accountId, validTo: '2026-06-30' },
      next: { quantityMin: 50, unitPrice: '60', pricePer: 10 },
    });
    expect((await decide('X', { accountId, quantity: 50 })).price).toMatchObject({ unitPrice: '60', pricePer: 10 });
    const after = await decide('X', { accountId, day: '2026-07-01' });
    expect(after.price).toMatchObject({ unitPrice: '10', source: 'base' });
    expect(after.looks.map(({ name, why }) => `${name} ${why}`)).toEqual([
      'K2 not_named',
      'K1 contract_expired',
      'KE other_currency',
      'base used',
    ]);
    expect((await decide('X', { accountId: account('A2') })).price).toMatchObject({ unitPrice: '10' });
    const channelId = hub.directory.channels.get('shop')!.channelId;
    expect((await decide('X', { channelId })).price).toMatchObject({ unitPrice: '9', source: 'channel_list' });
    expect((await decide('X', { channelId, accountId })).price).toMatchObject({ source: 'contract' });
  });
});

test('an account has its own contract and list, else those of the nearest account above it', async () => {
  await hub.seed(['L'], ['TOP', 'MID', 'LOW']);
  await hub.directory.loadAccounts(['TOP', 'MID', 'LOW'].map((code) => ({ companyId: company(), code })));
  await database.pool.query(
    `update account a set parent_id = p.account_id from account p where (a.code, p.code) in (('LOW', 'MID'), ('MID', 'TOP'))`,
  );
  await database.pool.query(`update account set price_list = 'group' where code = 'TOP'`);
  await put('L', '10');
  await put('L', '9', { priceList: 'group' });
  const accountId = account('LOW');
  const channelId = hub.directory.channels.get('shop')!.channelId;
  expect((await decide('L', { accountId, channelId })).price).toMatchObject({ unitPrice: '9', source: 'account_list' });
  await putContracts(hub.db, hub.directory, [
    { contract: 'GT', account: 'TOP' },
    { contract: 'GM', account: 'MID' },
  ]);
  await putContractPrices(hub.db, hub.directory, [{ contract: 'GT', sku: 'L', unitPrice: '8' }]);
  const { price, looks } = await decide('L', { accountId });
  expect(price).toMatchObject({ unitPrice: '8', name: 'GT', accountId: account('TOP') });
  expect(looks.map(({ name, why }) => `${name} ${why}`)).toEqual([
    ...['GM not_named', 'GT used', 'group outranked', 'base outranked'],
  ]);
  await putContractPrices(hub.db, hub.directory, [{ contract: 'GM', sku: 'L', unitPrice: '8.50' }]);
  expect((await decide('L', { accountId })).price).toMatchObject({ unitPrice: '8.50', accountId: account('MID') });
  expect((await decide('L', { accountId: account('TOP') })).price).toMatchObject({ unitPrice: '8' });
});

test('a shop shows the price of its list, else base', async () => {
  await put('Y', '3');
  await hub.settle();
  const shown = (system: 'shop' | 'marketplace') =>
    [...systems[system].states]
      .map(([key, { state }]) => `${key} ${(state as { unitPrice: string }).unitPrice}`)
      .toSorted();
  expect(shown('shop')).toEqual(['price L 10', 'price X 9', 'price Y 3']);
  expect(shown('marketplace')).toEqual(['price L 10', 'price X 10', 'price Y 3']);
});

test('a price that begins or ends is told on its day, and so is another list of a channel', async () => {
  await hub.seed(['D', 'E']);
  const today = (await rows(`select (crossdock_now() at time zone 'Europe/London')::date::text as day`))[0]
    .day as string;
  const dayAfter = (n: number) => new Date(Date.parse(today) + n * 86_400_000).toISOString().slice(0, 10);
  await put('D', '5', { validTo: today });
  await put('D', '6', { validFrom: dayAfter(1) });
  await put('E', '1', { priceList: 'other' });
  await put('E', '2');
  await tellPriceDays(hub.db, hub.directory);
  await hub.settle();
  const shown = (sku: string) => (systems.shop.states.get(`price ${sku}`)!.state as { unitPrice: string }).unitPrice;
  expect([shown('D'), shown('E')]).toEqual(['5', '2']);
  expect(await tellPriceDays(hub.db, hub.directory)).toBe(0);
  // As if the day began that was told yesterday; two processes find it at once.
  await database.pool.query(`update price set valid_to = valid_to - 1 where sku_id = $1 and unit_price = 5`, [
    hub.sku('D'),
  ]);
  await database.pool.query(`update price set valid_from = valid_from - 1 where sku_id = $1 and unit_price = 6`, [
    hub.sku('D'),
  ]);
  await database.pool.query('update price_day set day = day - 1');
  const told = await Promise.all([tellPriceDays(hub.db, hub.directory), tellPriceDays(hub.db, hub.directory)]);
  expect(told.toSorted()).toEqual([0, 1]);
  await hub.settle();
  expect(shown('D')).toBe('6');
  const channel = hub.directory.channels.get('shop')!;
  channel.prices = { ...channel.prices, list: 'other' };
  expect(await tellPriceDays(hub.db, hub.directory)).toBeGreaterThanOrEqual(1);
  await hub.settle();
  expect([shown('E'), shown('X')]).toEqual(['1', '10']);
});

test('what is read decides as all rows there are would', async () => {
  await hub.seed(['Q']);
  const skuId = hub.sku('Q');
  const day = fc.constantFrom('2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04');
  const anyRow = fc.record({
    currency: fc.constantFrom('GBP', 'GBP', 'EUR'),
    quantityMin: fc.integer({ min: 1, max: 3 }),
    unitPrice: fc.integer({ min: 1, max: 99 }).map(String),
    validFrom: fc.oneof(day, fc.constant(NEVER_BEGAN)),
    validTo: fc.oneof(day, fc.constant(NO_END)),
    whole: fc.boolean(),
  });
  const sets = fc.uniqueArray(anyRow, {
    maxLength: 12,
    selector: ({ currency, quantityMin, validFrom }) => `${currency} ${quantityMin} ${validFrom}`,
  });
  await fc.assert(
    fc.asyncProperty(sets, day, fc.integer({ min: 1, max: 4 }), async (drawn, on, quantity) => {
      const all = drawn.filter((one) => one.validFrom <= one.validTo);
      await database.pool.query('delete from price where sku_id = $1', [skuId]);
      for (const one of all)
        await database.pool.query(
          `insert into price (company_id, sku_id, price_list, currency, valid_from, valid_to, quantity_min, unit_price, whole) values ($1, $2, 'base', $3, $4, $5, $6, $7, $8)`,
          [company(), skuId, one.currency, one.validFrom, one.validTo, one.quantityMin, one.unitPrice, one.whole],
        );
      const base: Candidate = {
        ...{ source: 'base', name: 'base', distance: 0, accountId: null, contract: null },
        rows: all.map((one) => ({ ...one, pricePer: 1 })),
      };
      const of = { quantity, day: on, currency: 'GBP' };
      const wanted = decidePrice(of, [base]);
      const found = await decide('Q', of);
      expect(found.price).toEqual(wanted.price);
      expect(found.looks.map(({ why }) => why)).toEqual(wanted.looks.map(({ why }) => why));
    }),
    { numRuns: 60 },
  );
});
