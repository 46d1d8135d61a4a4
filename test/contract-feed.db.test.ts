/** Contracts and their prices as a system tells them: late, doubled, overlapping, of accounts and products that come later. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ContractChanged } from '../src/canonical/index.ts';
import { recordItem } from '../src/connectors/kit/index.ts';
import { putAccounts, putPrices, putProducts } from '../src/master/index.ts';
import { readPrices } from '../src/pricing/index.ts';
import { useDatabase } from './helpers/database.ts';
import { SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url });
  await hub.seed(['X', 'Y'], ['A1', 'A2', 'A3', 'A4']);
  await putProducts(hub.db, [
    { sku: 'B', units: [{ unit: 'box', packLevel: 'case', numerator: 12, denominator: 1 }] } as never,
  ]);
  await putPrices(
    hub.db,
    hub.directory,
    ['X', 'Y', 'B'].map((sku) => ({ sku, currency: 'GBP', unitPrice: '10.00' })),
  );
});
afterAll(() => hub.close());

const on = (day: number) => `2026-04-${String(day).padStart(2, '0')}T08:00:00.000Z`;
const contract = (code: string, day: number, rest: Partial<ContractChanged> = {}): ContractChanged => ({
  ...{ kind: 'contract.changed', company: 'acme', account: 'A1', contract: code, changedAt: on(day) },
  ...rest,
});
const tell = (records: readonly ContractChanged[], by = hub) =>
  by.receive(
    'erp',
    records.map((record, itemNo) => ({ ...recordItem('erp', record), itemNo })),
  );
async function priceFor(account: string, sku: string, { quantity = 1, day = '2026-04-20' } = {}) {
  const { companyId } = hub.directory.companies.get('acme')!;
  await hub.directory.loadAccounts([{ companyId, code: account }]);
  await hub.directory.loadSkus([sku]);
  const [found] = await readPrices(hub.db, hub.directory, [
    {
      ...{ companyId, accountId: hub.directory.findAccountId(companyId, account)!, channelId: null, quantity, day },
      ...{ skuId: hub.directory.findSkuId(sku)!, currency: 'GBP' },
    },
  ]);
  const price = found!.price;
  return price === null ? 'none' : `${price.unitPrice}/${price.pricePer} by ${price.name}`;
}
const held = async (code: string) =>
  (
    await database.pool.query(
      `select c.valid_from::text as from, c.valid_to::text as to, s.code, p.quantity_min, p.unit_price::text as price, p.price_per
         from contract c left join contract_price p using (contract_id) left join sku s using (sku_id)
        where c.code = $1 order by s.code, p.quantity_min`,
      [code],
    )
  ).rows.map((row) => `${row.from}..${row.to} ${row.code} ${row.quantity_min}+ ${row.price}/${row.price_per}`);

test('a contract with all of its prices, in their own units, decides what its account pays', async () => {
  const prices = [
    { sku: 'X', unitPrice: '9.00' },
    { sku: 'X', unitPrice: '7.50', quantityMin: 100 },
    { sku: 'B', unitPrice: '100.00', unit: 'box' },
  ];
  expect(await tell([contract('K1', 1, { prices, validTo: '2026-04-30' })])).toMatchObject([{ status: 'applied' }]);
  expect(await priceFor('A1', 'X')).toBe('9.00/1 by K1');
  expect(await priceFor('A1', 'X', { quantity: 100 })).toBe('7.50/1 by K1');
  expect(await priceFor('A1', 'B')).toBe('100.00/12 by K1');
  expect(await priceFor('A1', 'Y')).toBe('10.00/1 by base');
  expect(await priceFor('A2', 'X')).toBe('10.00/1 by base');
  expect(await priceFor('A1', 'X', { day: '2026-05-01' })).toBe('10.00/1 by base');
});

test('what is not among the prices any more has ended; a change that names none says nothing of them', async () => {
  await tell([
    contract('K2', 1, {
      account: 'A2',
      prices: [
        { sku: 'X', unitPrice: '5' },
        { sku: 'Y', unitPrice: '6' },
      ],
    }),
  ]);
  await tell([contract('K2', 2, { account: 'A2', validTo: '2026-12-31' })]);
  expect(await held('K2')).toEqual(['-infinity..2026-12-31 X 1+ 5/1', '-infinity..2026-12-31 Y 1+ 6/1']);
  await tell([contract('K2', 3, { account: 'A2', prices: [{ sku: 'Y', unitPrice: '6.5' }] })]);
  expect(await held('K2')).toEqual(['-infinity..infinity Y 1+ 6.5/1']);
  await tell([contract('K2', 4, { account: 'A2', prices: [] })]);
  expect(await held('K2')).toEqual(['-infinity..infinity null null+ null/null']);
});

test('the last change holds, in whatever order they come, together or one by one, and also where only prices changed', async () => {
  const changes = [1, 2, 3].map(
    (day) => (code: string) =>
      contract(code, day, {
        account: 'A3',
        currency: 'GBP',
        validFrom: `2026-0${day}-01`,
        validTo: '2026-12-31',
        prices: [{ sku: 'X', unitPrice: `${day}` }],
      }),
  );
  // The newest has the validity of the second: only its prices tell them apart.
  changes[2] = (code) => ({ ...changes[1]!(code), changedAt: on(3), prices: [{ sku: 'Y', unitPrice: '3' }] });
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  for (const [n, order] of orders.entries()) {
    const [one, all] = [`S${n}`, `T${n}`];
    for (const i of order) await tell([changes[i]!(one)]);
    expect(await held(one)).toEqual(['2026-02-01..2026-12-31 Y 1+ 3/1']);
    await tell([contract(one, 9, { account: 'A3', validFrom: '2020-01-01', validTo: `2020-01-0${n + 1}` })]);
    await database.pool.query('delete from contract_price');
    await database.pool.query(`delete from contract where code like 'S%' or code like 'T%'`);
    await tell(order.map((i) => changes[i]!(all)));
    expect(await held(all)).toEqual(['2026-02-01..2026-12-31 Y 1+ 3/1']);
    await database.pool.query('delete from contract_price');
    await database.pool.query(`delete from contract where code like 'S%' or code like 'T%'`);
  }
});

test('one that overlaps another is set aside and named, and changes nothing; so is one of another account or currency', async () => {
  await tell([contract('O1', 1, { account: 'A4', validTo: '2026-06-30', prices: [{ sku: 'X', unitPrice: '4' }] })]);
  const before = await held('O1');
  const results = await tell([
    contract('O2', 2, { account: 'A4', validFrom: '2026-06-30', prices: [{ sku: 'X', unitPrice: '1' }] }),
    contract('O1', 2, { account: 'A2', prices: [] }),
    contract('O3', 2, { account: 'A4', validFrom: '2026-07-01', prices: [{ sku: 'Y', unitPrice: '2' }] }),
  ]);
  expect(results).toMatchObject([
    { status: 'parked', class: 'price_overlap' },
    { status: 'parked', class: 'value_invalid' },
    { status: 'applied' },
  ]);
  expect(await tell([contract('O1', 3, { account: 'A4', currency: 'EUR' })])).toMatchObject([
    { status: 'parked', class: 'value_invalid' },
  ]);
  expect([await held('O1'), await held('O2')]).toEqual([before, []]);
  expect(await priceFor('A4', 'X')).toBe('4/1 by O1');
});

test('of an account or a product that comes later it waits for that, whole, and runs by itself', async () => {
  const prices = [
    { sku: 'X', unitPrice: '8' },
    { sku: 'LATER', unitPrice: '9' },
  ];
  expect(await tell([contract('W1', 1, { account: 'NEW', prices })])).toMatchObject([
    { status: 'parked', class: 'unknown_account' },
  ]);
  await putAccounts(hub.db, hub.directory, [{ account: 'NEW', company: 'acme' }]);
  await hub.receiver.replayAwaited();
  expect(await held('W1')).toEqual([]);
  await putProducts(hub.db, [{ sku: 'LATER' }]);
  while ((await hub.receiver.replayAwaited()) > 0);
  expect(await held('W1')).toEqual(['-infinity..infinity LATER 1+ 9/1', '-infinity..infinity X 1+ 8/1']);
});

test('two systems’ processes at once tell contracts that overlap: one of them is taken', async () => {
  await putAccounts(hub.db, hub.directory, [{ account: 'A5', company: 'acme' }]);
  const others = await Promise.all([0, 1, 2].map(() => SmallHub.open({ url: database.url })));
  const results = await Promise.all(
    others.map((other, i) =>
      tell([contract(`P${i}`, 1, { account: 'A5', prices: [{ sku: 'X', unitPrice: '1' }] })], other),
    ),
  );
  expect(
    results
      .flat()
      .map(({ status }) => status)
      .sort(),
  ).toEqual(['applied', 'parked', 'parked']);
  for (const other of others) await other.close();
});

test('where another system owns prices, it is not taken', async () => {
  const estate = { ...smallEstate(), owners: { price: 'crm' } };
  const owned = await SmallHub.open({ url: database.url, estate });
  expect(await tell([contract('Q1', 1, { account: 'A1', validFrom: '2027-01-01' })], owned)).toMatchObject([
    { status: 'parked', class: 'not_owner' },
  ]);
  expect(await held('Q1')).toEqual([]);
  await owned.close();
});
