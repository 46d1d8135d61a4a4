/** Products, accounts and prices that systems tell: the later change holds, whatever arrives when; what refers to them finds them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nextStepOf } from '../src/api/next-steps.ts';
import type { RecordChanged } from '../src/canonical/index.ts';
import { recordItem } from '../src/connectors/kit/index.ts';
import { putPrices, putProducts } from '../src/master/index.ts';
import { useDatabase } from './helpers/database.ts';
import { moved, order, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let n = 0;

beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url });
  await hub.seed(['X']);
});
afterAll(() => hub.close());

const on = (day: number) => `2026-03-${String(day).padStart(2, '0')}T10:00:00Z`;
const tell = (...records: RecordChanged[]) =>
  hub.receive(
    'erp',
    records.map((record) => ({ ...recordItem('erp', record), itemNo: 0 })),
  );
const product = (sku: string, description: string, day: number): RecordChanged => ({
  ...{ kind: 'product.changed', sku, description, changedAt: on(day) },
});
const price = (sku: string, unitPrice: string, day: number): RecordChanged => ({
  ...{ kind: 'price.changed', sku, company: 'acme', currency: 'GBP', unitPrice, changedAt: on(day) },
});
const described = async (sku: string): Promise<string | undefined> =>
  (await database.pool.query<{ description: string }>('select description from sku where code = $1', [sku])).rows[0]
    ?.description;
const priceOf = async (sku: string): Promise<string[]> =>
  (
    await database.pool.query<{ price: string }>(
      'select unit_price::text as price from price join sku using (sku_id) where code = $1',
      [sku],
    )
  ).rows.map((row) => row.price);

describe('of two changes', () => {
  it('the later one holds, in whatever order and however often they arrive', async () => {
    const sku = `R${++n}`;
    await tell(product(sku, 'second', 2));
    expect(await tell(product(sku, 'first', 1), product(sku, 'second', 2))).toMatchObject([
      { status: 'applied' },
      { status: 'duplicate' },
    ]);
    expect(await described(sku)).toBe('second');
    await tell(product(sku, 'third', 3));
    expect(await described(sku)).toBe('third');
    await tell(price(sku, '2.50', 2), price(sku, '1.50', 1));
    await tell(price(sku, '1.25', 1));
    expect(await priceOf(sku)).toEqual(['2.50']);
    await tell(price(sku, '3.00', 3));
    expect(await priceOf(sku)).toEqual(['3.00']);
  });

  it('in one moment both are taken, one after the other', async () => {
    const sku = `R${++n}`;
    const results = await tell(product(sku, 'one', 1), product(sku, 'other', 1));
    expect(results.map(({ status }) => status)).toEqual(['applied', 'applied']);
    expect(await described(sku)).toBe('other');
  });

  it('what a person puts holds until the system changes it again', async () => {
    const sku = `R${++n}`;
    await tell(product(sku, 'of the system', 2), price(sku, '1.00', 2));
    await putProducts(hub.db, [{ sku, description: 'of a person' }]);
    await putPrices(hub.db, hub.directory, [{ sku, currency: 'GBP', company: 'acme', unitPrice: '9.00' }]);
    await tell(product(sku, 'late', 1), price(sku, '1.50', 1));
    expect([await described(sku), await priceOf(sku)]).toEqual(['of a person', ['9.00']]);
    await tell(product(sku, 'newer', 3), price(sku, '2.00', 3));
    expect([await described(sku), await priceOf(sku)]).toEqual(['newer', ['2.00']]);
  });
});

describe('prices by quantity', () => {
  const tiered = (sku: string, day: number, ...tiers: [quantityMin: number, unitPrice: string][]): RecordChanged => ({
    ...{ kind: 'price.changed', sku, company: 'acme', currency: 'GBP', priceList: 'Trade', changedAt: on(day) },
    unitPrice: tiers[0]?.[1] ?? '0',
    tiers: tiers.map(([quantityMin, unitPrice]) => ({ quantityMin, unitPrice })),
  });
  const tiersOf = async (sku: string): Promise<[number, string][]> =>
    (
      await database.pool.query<{ from: string; price: string }>(
        `select quantity_min as from, unit_price::text as price from price join sku using (sku_id) where code = $1 order by 1`,
        [sku],
      )
    ).rows.map((row) => [Number(row.from), row.price]);
  const facts = async () =>
    (await database.pool.query<{ n: number }>(`select count(*)::int as n from fact where type = 'price.changed'`))
      .rows[0]!.n;

  it('hold as a whole: what the newest set leaves out has ended, and an older one brings nothing back', async () => {
    const sku = `R${++n}`;
    await tell(product(sku, 'x', 1));
    await tell(tiered(sku, 1, [1, '4.00'], [24, '3.50'], [100, '3.00']));
    expect(await tiersOf(sku)).toEqual([[1, '4.00'], [24, '3.50'], [100, '3.00']]); // biome-ignore format: a table
    const before = await facts();
    await tell(tiered(sku, 3, [1, '4.00'], [100_000, '3.10']));
    expect(await tiersOf(sku)).toEqual([[1, '4.00'], [100_000, '3.10']]); // biome-ignore format: a table
    expect(await facts()).toBe(before + 1);
    await tell(tiered(sku, 2, [1, '4.20'], [24, '3.40']));
    await tell(tiered(sku, 4, [1, '4.00'], [100_000, '3.10']));
    expect(await tiersOf(sku)).toEqual([[1, '4.00'], [100_000, '3.10']]); // biome-ignore format: a table
    expect(await facts()).toBe(before + 1);
    await tell(tiered(sku, 5, [1, '4.00']));
    expect([await tiersOf(sku), await facts()]).toEqual([[[1, '4.00']], before + 2]);
  });

  it('a price without tiers says nothing of other quantities; two of one set are both put', async () => {
    const sku = `R${++n}`;
    await tell(product(sku, 'x', 1));
    const put = { sku, company: 'acme', currency: 'GBP', priceList: 'Trade' };
    await putPrices(hub.db, hub.directory, [
      { ...put, unitPrice: '2.00' },
      { ...put, unitPrice: '1.50', quantityMin: 12 },
    ]);
    expect(await tiersOf(sku)).toEqual([[1, '2.00'], [12, '1.50']]); // biome-ignore format: a table
    await tell({ ...price(sku, '2.20', 1), priceList: 'Trade' } as RecordChanged);
    expect(await tiersOf(sku)).toEqual([[1, '2.20'], [12, '1.50']]); // biome-ignore format: a table
  });

  it.each<[string, [number, string][], RegExp]>([
    ['none from 1', [[12, '2.00'], [24, '1.00']], /a price from 12 on, and none from 1/], // biome-ignore format: a table
    ['two from one quantity', [[1, '3.00'], [24, '2.00'], [24, '1.00']], /two prices from 24/], // biome-ignore format: a table
    ['none at all', [], /no price/],
  ])('%s: set aside as a gap with what to do, the neighbours and what was there stay', async (_, tiers, reason) => {
    const [sku, other] = [`R${++n}`, `R${++n}`];
    await tell(product(sku, 'x', 1), product(other, 'y', 1), tiered(sku, 1, [1, '5.00']));
    expect(await tell(tiered(sku, 2, ...tiers), tiered(other, 2, [1, '7.00'], [100_000, '6.00']))).toMatchObject([
      { status: 'parked', class: 'tier_gap', reason: expect.stringMatching(reason) },
      { status: 'applied' },
    ]);
    expect(nextStepOf('parked_record', 'tier_gap')).toMatch(/one price from 1 on/);
    expect([await tiersOf(sku), await tiersOf(other)]).toEqual([[[1, '5.00']], [[1, '7.00'], [100_000, '6.00']]]); // biome-ignore format: a table
  });

  it('a price of a unit nobody mapped is set aside, never taken for the price of one', async () => {
    const sku = `R${++n}`;
    const of = { ...price(sku, '120.00', 2), unit: 'Dozen' } as RecordChanged;
    await tell(product(sku, 'x', 1), price(sku, '11.00', 1));
    expect(await tell(of, product(sku, 'y', 2))).toMatchObject([
      { status: 'parked', class: 'unknown_unit', reason: expect.stringContaining('"Dozen"') },
      { status: 'applied' },
    ]);
    expect(nextStepOf('parked_record', 'unknown_unit')).toMatch(/settings \(units\)/);
    expect(await priceOf(sku)).toEqual(['11.00']);
  });
});

it('of three changes the latest holds, also where it says what was there before the one between', async () => {
  const sku = `R${++n}`;
  await tell(product(sku, 'x', 1));
  await tell(price(sku, '1.00', 1));
  await tell(price(sku, '1.00', 3));
  await tell(price(sku, '2.00', 2));
  expect(await priceOf(sku)).toEqual(['1.00']);
});

describe('an account that was merged into another', () => {
  const account = (code: string, day: number): RecordChanged => ({
    ...{ kind: 'account.changed', account: code, company: 'acme', name: code, changedAt: on(day) },
  });
  const merged = (code: string, into: string, day: number): RecordChanged => ({
    ...{ kind: 'account.merged', account: code, company: 'acme', into, changedAt: on(day) },
  });
  const orderOf = async (code: string): Promise<string> => {
    const no = `MRG${++n}`;
    const [result] = await hub.receive('shop', [
      order('api', no, [{ sku: 'X', quantity: 1, unitPrice: '1.00' }], { account: code }),
    ]);
    if (result!.status !== 'applied') return result!.status;
    const { rows } = await database.pool.query<{ code: string }>(
      'select a.code from sales_order o join account a using (account_id) where o.external_no = $1',
      [no],
    );
    return rows[0]!.code;
  };

  it('has its orders under the one that is left, also over several merges, and told in any order', async () => {
    const [a, b, c] = ['A', 'B', 'C'].map((name) => `${name}${++n}`) as [string, string, string];
    await tell(account(a, 1), account(b, 1), account(c, 1));
    expect(await orderOf(a)).toBe(a);
    expect(await tell(merged(b, c, 3))).toMatchObject([{ status: 'applied' }]);
    expect(await tell(merged(a, b, 2))).toMatchObject([{ status: 'applied' }]);
    expect([await orderOf(a), await orderOf(b), await orderOf(c)]).toEqual([c, c, c]);
    // What was known of it before comes late, and does not part them; a later change of its own does.
    await tell(account(a, 1), { ...account(b, 2), name: 'late' } as RecordChanged);
    expect([await orderOf(a), await orderOf(b)]).toEqual([c, c]);
    await tell(account(a, 4));
    expect([await orderOf(a), await orderOf(b)]).toEqual([a, c]);
  });

  it('leads on where the one it was merged into is merged itself', async () => {
    const [a, b, c] = ['A', 'B', 'C'].map((name) => `${name}${++n}`) as [string, string, string];
    await tell(account(a, 1), account(b, 1), account(c, 1));
    await tell(merged(a, b, 2));
    await tell(merged(b, c, 3));
    expect([await orderOf(a), await orderOf(b)]).toEqual([c, c]);
  });

  it('is known from then on, and takes orders though nobody had told of it', async () => {
    const [a, b] = [`A${++n}`, `B${++n}`];
    expect(await tell(merged(a, b, 2), account(b, 1))).toMatchObject([{ status: 'applied' }, { status: 'applied' }]);
    expect(await orderOf(a)).toBe(b);
  });

  it('into one that nobody knows is set aside with what to do, and its orders go on; it runs by itself when that one is told', async () => {
    const [a, b, c] = ['A', 'B', 'C'].map((name) => `${name}${++n}`) as [string, string, string];
    await tell(account(a, 1), account(c, 1));
    expect(await tell(merged(a, b, 2), account(c, 2))).toMatchObject([
      { status: 'parked', class: 'unknown_account', reason: expect.stringContaining(b) },
      { status: 'applied' },
    ]);
    expect(nextStepOf('parked_record', 'unknown_account')).toMatch(/Add the account/);
    expect(await orderOf(a)).toBe(a);
    await tell(account(b, 3));
    await hub.receiver.replayAwaited();
    expect(await orderOf(a)).toBe(b);
  });

  it('in a ring is set aside, and nothing changes', async () => {
    const [a, b] = [`A${++n}`, `B${++n}`];
    await tell(account(a, 1), account(b, 1));
    await tell(merged(a, b, 2));
    expect(await tell(merged(b, a, 3))).toMatchObject([{ status: 'parked', class: 'merge_ring' }]);
    expect([await orderOf(a), await orderOf(b)]).toEqual([b, b]);
    expect(nextStepOf('parked_record', 'merge_ring')).toMatch(/which of the accounts is left/);
  });
});

it('a page may name a product and an account and use them', async () => {
  const sku = `R${++n}`;
  const account = `NEW${n}`;
  const results = await hub.receive('erp', [
    { ...recordItem('erp', price(sku, '4.00', 1)), itemNo: 0 },
    moved(`rec-${n}`, sku, 'north', 5),
    order('api', `REC${n}`, [{ sku, quantity: 2, unitPrice: '4.00' }], { account }),
    { ...recordItem('erp', product(sku, 'new', 1)), itemNo: 3 },
    {
      ...recordItem('erp', { kind: 'account.changed', account, company: 'acme', name: 'New one', changedAt: on(1) }),
      itemNo: 4,
    },
  ]);
  expect(results.map(({ status }) => status)).toEqual(['applied', 'applied', 'applied', 'applied', 'applied']);
  const { rows } = await database.pool.query(
    `select o.state, a.name from sales_order o join account a using (account_id) where o.external_no = $1`,
    [`REC${n}`],
  );
  expect(rows).toEqual([{ state: 'accepted', name: 'New one' }]);
});

it('a changed price is a fact of its company, an unchanged one is none', async () => {
  const sku = `R${++n}`;
  await tell(product(sku, 'x', 1));
  const facts = async () =>
    (await database.pool.query<{ n: number }>(`select count(*)::int as n from fact where type = 'price.changed'`))
      .rows[0]!.n;
  const before = await facts();
  await tell(price(sku, '1.00', 1));
  expect(await facts()).toBe(before + 1);
  await tell(price(sku, '1.00', 2));
  expect(await facts()).toBe(before + 1);
});

describe('two SKUs with one GTIN', () => {
  // GTIN-13 of one item, and the same with the digits that fill it up to 14.
  const GTINS = ['4006381333931', '5901234123457', '0012345678905', '4012345678901'];
  const withGtin = (sku: string, gtin: string, day: number): RecordChanged =>
    ({ ...product(sku, sku, day), gtin }) as never;
  const holders = async () =>
    (
      await database.pool.query<{ gtin: string; sku: string }>(
        'select gtin, sku from product_gtin order by length(sku), sku',
      )
    ).rows.map(({ gtin, sku }) => `${sku} ${gtin}`);
  const lastParked = async () =>
    (
      await database.pool.query<{ parked_id: number; class: string; place: string; reason: string }>(
        'select parked_id::int, class, place, reason from parked_record order by parked_id desc limit 1',
      )
    ).rows[0]!;
  beforeEach(() => database.pool.query('delete from product_gtin'));

  it('the second is set aside, with both named and what to do; both are products, and the neighbours go on', async () => {
    const [a, b, c] = [`G${++n}`, `G${++n}`, `G${++n}`];
    const results = await tell(
      withGtin(a, GTINS[0]!, 1),
      withGtin(b, `0${GTINS[0]}`, 1),
      withGtin(c, GTINS[1]!, 1),
      price(b, '2.00', 1),
    );
    expect(results).toMatchObject([
      { status: 'applied' },
      { status: 'parked', class: 'gtin_taken' },
      { status: 'applied' },
      { status: 'applied' },
    ]);
    expect(await lastParked()).toMatchObject({
      class: 'gtin_taken',
      place: 'gtin',
      reason: expect.stringMatching(
        new RegExp(`GTIN 0${GTINS[0]} of ${b} is that of ${a} already: .*replay this, else resolve it`),
      ),
    });
    expect(await holders()).toEqual([`${a} 0${GTINS[0]}`, `${c} 0${GTINS[1]}`]);
    expect([await described(b), await priceOf(b)]).toEqual([b, ['2.00']]);
  });

  it('once the first gives it up, replaying gives it to the second', async () => {
    const [a, b] = [`G${++n}`, `G${++n}`];
    await tell(withGtin(a, GTINS[0]!, 1));
    await tell(withGtin(b, GTINS[0]!, 1));
    const { parked_id } = await lastParked();
    expect(await hub.receiver.replay([parked_id])).toEqual({ applied: 0, still: 1 });
    await tell(withGtin(a, GTINS[1]!, 2));
    expect(await hub.receiver.replay([parked_id])).toEqual({ applied: 1, still: 0 });
    expect(await holders()).toEqual([`${a} 0${GTINS[1]}`, `${b} 0${GTINS[0]}`]);
  });

  it('an older change takes nothing, one that says nothing of it changes nothing, and an empty one gives it up', async () => {
    const [a, b] = [`G${++n}`, `G${++n}`];
    await tell(withGtin(a, GTINS[0]!, 5));
    expect(await tell(withGtin(a, GTINS[1]!, 2))).toMatchObject([{ status: 'applied' }]);
    await tell(product(a, 'no word of it', 6));
    expect(await holders()).toEqual([`${a} 0${GTINS[0]}`]);
    await tell(withGtin(a, '', 7));
    expect(await holders()).toEqual([]);
    expect(await tell(withGtin(b, GTINS[0]!, 1))).toMatchObject([{ status: 'applied' }]);
  });

  it('two that exchange theirs in one page both have them, and two hubs at once give it to one', async () => {
    const [a, b] = [`G${++n}`, `G${++n}`];
    await tell(withGtin(a, GTINS[0]!, 1), withGtin(b, GTINS[1]!, 1));
    expect(await tell(withGtin(a, GTINS[1]!, 2), withGtin(b, GTINS[0]!, 2))).toMatchObject([
      { status: 'applied' },
      { status: 'applied' },
    ]);
    expect(await holders()).toEqual([`${a} 0${GTINS[1]}`, `${b} 0${GTINS[0]}`]);
    const other = await SmallHub.open({ url: database.url, holder: 'other' });
    try {
      const both = await Promise.all(
        [hub, other].map((one, at) =>
          one.receive('erp', [{ ...recordItem('erp', withGtin(`RACE${n}${at}`, GTINS[2]!, 1)), itemNo: 0 }]),
        ),
      );
      expect(
        both
          .flat()
          .map(({ status }) => status)
          .sort(),
      ).toEqual(['applied', 'parked']);
    } finally {
      await other.close();
    }
  });

  it('what an older change of one says does not keep the number from another, told with it', async () => {
    const [one, other] = [`G${++n}`, `G${++n}`];
    await tell(withGtin(one, '', 5));
    expect(await tell(withGtin(one, GTINS[3]!, 1), withGtin(other, GTINS[3]!, 6))).toMatchObject([
      { status: 'applied' },
      { status: 'applied' },
    ]);
    expect(await holders()).toEqual([`${other} 0${GTINS[3]}`]);
  });

  it.each(['4006381333930', '400638133393', 'ABC', '40063813339310000'])('%s is no GTIN', async (gtin) => {
    expect(await tell(withGtin(`G${++n}`, gtin, 1))).toMatchObject([{ status: 'parked', class: 'value_invalid' }]);
    expect((await lastParked()).place).toBe('gtin');
  });
});

it.each<[string, Partial<RecordChanged> & Pick<RecordChanged, 'kind'>, string, string]>([
  ['a unit that is no code', { kind: 'product.changed', unit: 'a pallet' } as never, 'value_invalid', 'product.unit'],
  ['a price for an unknown unit', { kind: 'price.changed', unit: 'pallet' } as never, 'unknown_unit', 'priceUnit'],
  ['an unknown company', { kind: 'price.changed', company: 'nobody' } as never, 'unknown_company', 'company'],
  ['an unknown SKU', { kind: 'price.changed', sku: 'NOPE' } as never, 'unknown_sku', 'sku'],
  ['a negative price', { kind: 'price.changed', unitPrice: '-1.00' } as never, 'value_invalid', 'unitPrice'],
  ['a day that is none', { kind: 'price.changed', validFrom: '2026-02-31x' } as never, 'value_invalid', 'validFrom'],
  ['a currency that is none', { kind: 'price.changed', currency: 'pounds' } as never, 'value_invalid', 'currency'],
  ['a time that is none', { kind: 'product.changed', changedAt: 'yesterday' } as never, 'value_invalid', 'changedAt'],
  ['a merge into nobody', { kind: 'account.merged', into: 'NOBODY' } as never, 'unknown_account', 'into'],
  ['a merge into itself', { kind: 'account.merged', into: 'SELF', account: 'SELF' } as never, 'merge_ring', 'into'],
  ['a contract with nobody', { kind: 'contract.changed', account: 'NOBODY' } as never, 'unknown_account', 'account'],
  [
    'a contract that ends before it begins',
    { kind: 'contract.changed', validFrom: '2026-02-02', validTo: '2026-02-01' } as never,
    'value_invalid',
    'validTo',
  ],
  ['a contract in no currency', { kind: 'contract.changed', currency: 'pounds' } as never, 'value_invalid', 'currency'],
  [
    'a contract’s price of nothing',
    { kind: 'contract.changed', prices: [{ sku: 'NOPE', unitPrice: '1' }] } as never,
    'unknown_sku',
    'prices[0].sku',
  ],
  [
    'a contract’s price below nothing',
    { kind: 'contract.changed', prices: [{ sku: 'X', unitPrice: '-1' }] } as never,
    'value_invalid',
    'prices[0].unitPrice',
  ],
  ['no code', { kind: 'account.changed', account: '' } as never, 'value_invalid', 'account'],
])('%s is set aside alone, and named', async (_, changes, faultClass, place) => {
  await tell({ kind: 'account.changed', account: 'SELF', company: 'acme', changedAt: on(1) });
  const whole = {
    'product.changed': product('X', 'x', 1),
    'price.changed': price('X', '1.00', 1),
    'account.changed': { kind: 'account.changed', account: 'A9', company: 'acme', changedAt: on(1) },
    'contract.changed': {
      ...{ kind: 'contract.changed', contract: 'K', account: 'SELF', company: 'acme', changedAt: on(1) },
      prices: [{ sku: 'X', unitPrice: '1.00' }],
    },
    'account.merged': { kind: 'account.merged', account: 'A9', company: 'acme', into: 'A8', changedAt: on(1) },
  }[changes.kind] as RecordChanged;
  const sku = `R${++n}`;
  const results = await tell({ ...whole, ...changes } as RecordChanged, product(sku, 'fine', 1));
  expect(results).toMatchObject([{ status: 'parked', class: faultClass }, { status: 'applied' }]);
  const { rows } = await database.pool.query<{ place: string }>(
    'select place from parked_record order by parked_id desc limit 1',
  );
  expect(rows[0]!.place).toBe(place);
  expect(await described(sku)).toBe('fine');
});

describe('what came before the record it names', () => {
  const onHand = async (sku: string) =>
    (
      await database.pool.query<{ units: number }>(
        'select on_hand::int as units from stock_balance join sku using (sku_id) where code = $1',
        [sku],
      )
    ).rows[0]?.units;

  it('runs by itself when the product is told, and its neighbours ran before', async () => {
    const [known, unknown] = [`KNOWN${++n}`, `LATER${n}`];
    await tell(product(known, 'there', 1));
    const results = await hub.receive('wms', [
      moved(`before${n}`, unknown, 'north', 7),
      moved(`other${n}`, known, 'north', 3),
    ]);
    expect(results).toMatchObject([{ status: 'parked', class: 'unknown_sku' }, { status: 'applied' }]);
    expect(await hub.receiver.replayAwaited()).toBe(0);
    await tell(product(unknown, 'told late', 1));
    expect(await hub.receiver.replayAwaited()).toBe(1);
    expect([await onHand(known), await onHand(unknown)]).toEqual([3, 7]);
    expect(await hub.receiver.replayAwaited()).toBe(0);
  });

  it('an order waits for its account, then for its second SKU', async () => {
    const [sku, later, account] = [`ONE${++n}`, `TWO${n}`, `NEW${n}`];
    await tell(product(sku, 'there', 1));
    const lines = [
      { sku, quantity: 1 },
      { sku: later, quantity: 1 },
    ];
    await hub.receive('shop', [order('shop', `early${n}`, lines, { account })]);
    await tell({ kind: 'account.changed', account, company: 'acme', name: 'New', changedAt: on(1) });
    expect(await hub.receiver.replayAwaited()).toBe(0);
    const { rows } = await database.pool.query(`select class, attempts from parked_record where key = $1`, [
      `early${n}`,
    ]);
    expect(rows).toEqual([{ class: 'unknown_sku', attempts: 1 }]);
    await tell(product(later, 'told late', 1));
    expect(await hub.receiver.replayAwaited()).toBe(1);
    const orders = await database.pool.query('select state from sales_order where external_no = $1', [`early${n}`]);
    expect(orders.rows).toHaveLength(1);
  });
});
