/** Units and order rules have owners like every other field; and what a system reads back of what it was told is no change. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProductChanged, RecordChanged } from '../src/canonical/index.ts';
import { recordItem } from '../src/connectors/kit/index.ts';
import { type DeclaredEstate, decideStewardship, listStewardship, putProducts, putUnits } from '../src/master/index.ts';
import { useDatabase } from './helpers/database.ts';
import { MemorySystem } from './helpers/memory-system.ts';
import { SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const owners = { product: 'erp', 'product.units': 'wms', 'product.gtin': 'wms', price: 'erp' };
const steward = { product: 'steward', price: 'steward' } as const;
const shop = new MemorySystem('shop', []);
let hub: SmallHub;
let sku = '';
let n = 0;
const declare = async (rules: Pick<DeclaredEstate, 'owners' | 'ownership'>) => {
  const opened = await SmallHub.open({ url: database.url, estate: { ...smallEstate(), ...rules }, poolMax: 1 });
  await opened.close();
};
beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url, estate: { ...smallEstate(), owners }, connectors: { shop } });
});
beforeEach(async () => {
  sku = `U${++n}`;
  await declare({ owners });
  await database.pool.query('delete from stewardship_item');
  await tell('erp', product(1, { description: 'Nail', lifecycle: 'active', orderMultiple: 10, orderRounding: 'up' }));
});
afterAll(async () => {
  await hub.leases.stop();
  await hub.close();
});

const on = (day: number) => `2026-03-${String(day).padStart(2, '0')}T10:00:00Z`;
const tell = (system: string, ...records: RecordChanged[]) =>
  hub.receive(
    system,
    records.map((record) => ({ ...recordItem(system, record), itemNo: 0 })),
  );
const product = (day: number, fields: Partial<ProductChanged>): RecordChanged => ({
  ...{ kind: 'product.changed', sku, changedAt: on(day) },
  ...fields,
});
const rows = (text: string, values: unknown[] = []) => database.pool.query(text, values).then((result) => result.rows);
const BOX = { unit: 'BX', packLevel: 'case' as const, numerator: 1_000 };
const unitsOf = async () =>
  (
    await rows(
      'select u.unit, numerator::int as n, gtin from sku_unit u join sku using (sku_id) where code = $1 order by 1',
      [sku],
    )
  ).map((row) => [row.unit, row.n, row.gtin]);
const ruleOf = async () => {
  const [row] = await rows(
    'select order_multiple::int as m, order_minimum::int as l, order_rounding as r from sku where code = $1',
    [sku],
  );
  return [row.m, row.l, row.r];
};
const stateOf = () =>
  rows(
    `select s.*, (select json_agg(u order by u.unit) from sku_unit u where u.sku_id = s.sku_id) as units from sku s where code = $1`,
    [sku],
  );

describe('units and order rules', () => {
  it('are taken from their owner only; what another says is shown with both values, and the rest of its record is taken', async () => {
    expect(await tell('wms', product(2, { units: [BOX] }))).toMatchObject([{ status: 'applied' }]);
    expect(await tell('erp', product(3, { description: 'Nails', units: [{ ...BOX, numerator: 500 }] }))).toMatchObject([
      {
        ...{ status: 'parked', class: 'not_owner', place: 'units' },
        reason: expect.stringMatching(/^units is owned by wms; erp says .*"numerator":500.*, held is .*1000/),
      },
    ]);
    expect(await tell('wms', product(4, { orderMultiple: 12, orderMinimum: 5, orderRounding: 'down' }))).toMatchObject([
      { status: 'parked', class: 'not_owner', place: 'orderMultiple' },
    ]);
    expect([await unitsOf(), await ruleOf()]).toEqual([[['BX', 1_000, null]], [10, 1, 'up']]);
    expect(await rows('select description from sku where code = $1', [sku])).toEqual([{ description: 'Nails' }]);
    // People are told at once, and nothing is written.
    await expect(putUnits(hub.db, [{ sku, units: [] }])).rejects.toThrow(/units\[0\].units: units is owned by wms/);
    await expect(putProducts(hub.db, [{ sku, description: 'x', orderMinimum: 3 }])).rejects.toThrow(/owned by erp/);
    await putUnits(hub.db, [{ sku, units: [{ ...BOX, numerator: 100 }], system: 'wms' }]);
    expect(await unitsOf()).toEqual([['BX', 100, null]]);
  });

  it('of an older message do not come back, and each field has a time of its own', async () => {
    await tell('wms', product(9, { units: [BOX] }));
    await tell('wms', product(5, { units: [{ ...BOX, numerator: 7 }] }));
    expect(await unitsOf()).toEqual([['BX', 1_000, null]]);
    // What was said of another field later holds nothing of this one back.
    await tell('erp', product(8, { description: 'later' }));
    await tell('erp', product(6, { orderMinimum: 20 }));
    expect(await ruleOf()).toEqual([10, 20, 'up']);
  });

  it('wait for a steward where the estate says so; accepted they hold', async () => {
    await declare({ owners, ownership: steward });
    await tell('shop', product(5, { units: [BOX], orderMultiple: 6 }));
    const items = await listStewardship(hub.db, { state: 'open', record: sku });
    expect(items.map(({ field, said, owner }) => [field, said, owner]).sort()).toEqual([
      ['orderMultiple', 6, 'erp'],
      ['units', [{ ...BOX, denominator: 1 }], 'wms'],
    ]);
    for (const { itemId } of items)
      await decideStewardship(hub.db, hub.directory, itemId, { state: 'accepted', by: 'ann' });
    expect([await unitsOf(), await ruleOf()]).toEqual([[['BX', 1_000, null]], [6, 1, 'up']]);
    // The owner's next word counts again.
    await tell('wms', product(6, { units: [] }));
    expect(await unitsOf()).toEqual([]);
  });
});

describe('what a system reads back of what it was told', () => {
  beforeEach(() => declare({ owners, ownership: steward }));

  it('of a product, its number, measures, units and order rules is no change, and nobody is asked', async () => {
    const gtin = '4006381333931';
    await tell('wms', product(2, { gtin, units: [{ ...BOX, gtin: '96385074' }] }));
    await tell('erp', product(2, { weightG: 5, orderMinimum: 20 }));
    const before = await stateOf();
    const facts = await rows('select count(*)::int as n from fact');
    const whole: Partial<ProductChanged> = {
      ...{
        description: 'Nail',
        lifecycle: 'active',
        weightG: 5,
        orderMultiple: 10,
        orderMinimum: 20,
        orderRounding: 'up',
      },
      // Written another way, it is the same.
      ...{ gtin: `0${gtin}`, units: [{ ...BOX, denominator: 1, gtin: '00000096385074' }] },
    };
    for (const system of ['shop', 'marketplace', 'crm'])
      expect(await tell(system, product(20, whole))).toMatchObject([{ status: 'applied' }]);
    expect(await stateOf()).toEqual(before);
    expect(await rows('select count(*)::int as n from fact')).toEqual(facts);
    expect(await listStewardship(hub.db, { record: sku })).toEqual([]);
    expect(
      await rows(`select 1 from parked_record where state = 'open' and class = 'not_owner' and system = 'crm'`),
    ).toEqual([]);
    expect(before[0].set_by).toMatchObject({ units: 'wms', orderMultiple: 'erp' });
  });

  it('of a price is none either, also where it shows an older one that it was told', async () => {
    const price = (unitPrice: string, second: number): RecordChanged => ({
      ...{ kind: 'price.changed', sku, company: 'acme', currency: 'GBP', unitPrice },
      changedAt: new Date(Date.now() + 1_000 * second).toISOString(),
    });
    const said: string[] = [];
    shop.fate = (kind, { payload }) => {
      if (kind === 'price') said.push((payload as { unitPrice: string }).unitPrice);
      return 'ok';
    };
    await tell('erp', price('10.00', 1));
    await hub.settle();
    await tell('erp', price('11.00', 2));
    await hub.settle();
    expect(said).toEqual(['10.00', '11.00']);
    const facts = await rows('select count(*)::int as n from fact');
    const held = await rows('select p.* from price p join sku using (sku_id) where code = $1', [sku]);
    for (const [i, shown] of ['10.00', '11.0', '11.00'].entries())
      expect(await tell('shop', price(shown, 10 + i))).toMatchObject([{ status: 'applied' }]);
    await hub.settle();
    expect(said).toEqual(['10.00', '11.00']);
    expect(await rows('select p.* from price p join sku using (sku_id) where code = $1', [sku])).toEqual(held);
    expect(await rows('select count(*)::int as n from fact')).toEqual(facts);
    expect(await listStewardship(hub.db, { domain: 'price' })).toEqual([]);
    // What it was not told is asked about.
    await tell('shop', price('12.00', 20));
    expect(await listStewardship(hub.db, { domain: 'price' })).toMatchObject([{ state: 'open', system: 'shop' }]);
  });
});
