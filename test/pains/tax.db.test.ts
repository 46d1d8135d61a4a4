/** Tax of orders, in parts and in pennies: as it was agreed, in every system. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { taxMinor, taxOfBases } from '../../src/canonical/index.ts';
import type { OrderDocumentPayload, OrderStatusState, SalesOrderPayload } from '../../src/connectors/kit/index.ts';
import { checkPromises } from '../../src/ops/index.ts';
import { listExceptions, settleException } from '../../src/orders/index.ts';
import { useDatabase } from '../helpers/database.ts';
import { cancel, memorySystems, moved, order, picked, SmallHub, shipped, smallEstate } from '../helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;

beforeAll(async () => {
  systems = memorySystems();
  const { erp, wms, crm } = systems;
  const api = { company: 'acme', sells: 'asks' as const, locations: ['north', 'south', 'west'] };
  const shop = { ...smallEstate().channels.shop!, onOversold: { policy: 'hold' as const } };
  const estate = smallEstate({
    shop,
    api: { ...api, tax: { rounding: 'order', toleranceMinor: 2 } },
  });
  hub = await SmallHub.open({ url: database.url, estate, connectors: { erp, wms, crm } });
});
afterAll(() => hub.close());

const told = (no: string) =>
  systems.erp.of('sales_order').find(({ reference }) => reference === `api/${no}`)!.payload as SalesOrderPayload;

it('0.02 rounding on 1,920 units with tax per line against per order: as agreed, and the difference kept', async () => {
  // Four lines of 480 at 0.333 a unit, taxed 8.875 %.
  await hub.seed(['SMALL']);
  await hub.receive('wms', [moved('in-small', 'SMALL', 'north', 5_000)]);
  const lines = [1, 2, 3, 4].map((lineNo) => ({ lineNo, sku: 'SMALL', quantity: 480, unitPrice: '0.333' }));
  const bases = lines.map(() => 15_984);
  const byLine = taxOfBases(bases, '8.875', 'line');
  const byOrder = taxOfBases(bases, '8.875', 'order');
  expect([byLine, byOrder]).toEqual([5_676, 5_674]);
  const taxes = lines.map(({ lineNo }) => ({
    ...{ lineNo, code: 'NY', rate: '8.875', baseMinor: 15_984, taxMinor: taxMinor(15_984, '8.875') },
  }));
  expect(await hub.receive('api', [order('api', 'T1', lines, { taxes })])).toMatchObject([{ status: 'applied' }]);
  const { rows } = await database.pool.query(
    `select o.total_minor, o.tax_minor, (select sum(own_minor) from order_tax t where t.order_id = o.order_id) as own
       from sales_order o where external_no = 'T1'`,
  );
  expect(rows).toEqual([{ total_minor: 63_936, tax_minor: 5_676, own: '5676' }]);
  await hub.settle();
  expect(told('T1')).toMatchObject({
    totalMinor: 63_936,
    taxMinor: 5_676,
    charges: [],
    lines: [{ taxMinor: 1_419 }, {}, {}, {}],
  });
  // A penny beyond what may lie between is no rounding any more.
  const off = taxes.map((tax, i) => (i === 0 ? { ...tax, taxMinor: tax.taxMinor + 1 } : tax));
  expect(await hub.receive('api', [order('api', 'T2', lines, { taxes: off })])).toMatchObject([
    { status: 'refused', place: 'taxes[0].taxMinor', reason: expect.stringContaining('by order it is 5674') },
  ]);
});

it('a partial delivery is shown with the tax of what is in it, not with the tax of the whole order', async () => {
  await hub.seed(['PART']);
  await hub.receive('wms', [moved('in-part', 'PART', 'north', 10)]);
  const charges = [{ kind: 'freight' as const, code: 'STD', amountMinor: 500 }];
  const taxes = [{ code: 'VAT', rate: '20', baseMinor: 1_550, taxMinor: 310 }];
  await hub.receive('api', [order('api', 'T3', [{ sku: 'PART', quantity: 7, unitPrice: '1.50' }], { charges, taxes })]);
  await hub.settle();
  expect(told('T3')).toMatchObject({
    ...{ totalMinor: 1_550, taxMinor: 310, lines: [{ amountMinor: 1_050, taxMinor: 210 }] },
    ...{ charges: [{ chargeNo: 1, kind: 'freight', amountMinor: 500, taxMinor: 100 }] },
    taxes: [{ code: 'VAT', rate: '20', baseMinor: 1_550, taxMinor: 310 }],
  });
  const fulfilment = systems.wms.of('fulfilment').at(-1)!.reference;
  const part = (quantity: number) => [{ lineNo: 1, sku: 'PART', quantity }];
  await hub.receive('wms', [picked('p1', fulfilment, part(2)), shipped('s1', fulfilment, part(2))]);
  await hub.receive('api', [cancel('api', 'T3', 1, 1, 'C-T3', 'PART')]);
  await hub.settle();
  await hub.receive('wms', [picked('p2', fulfilment, part(4)), shipped('s2', fulfilment, part(4))]);
  await hub.settle();
  const posted = (kind: string) =>
    systems.erp
      .of(kind)
      .map(({ payload }) => payload as OrderDocumentPayload)
      .filter((payload) => payload.order === 'api/T3')
      .flatMap(({ lines }) => lines.map(({ quantity, amountMinor, taxMinor: tax }) => [quantity, amountMinor, tax]));
  expect(posted('shipment_posting')).toEqual([
    [2, 300, 60],
    [4, 600, 120],
  ]);
  expect(posted('order_cancellation')).toEqual([[1, 150, 30]]);
  const shown = systems.crm.states.get('order_status api/T3')!.state as OrderStatusState;
  expect(shown).toMatchObject({ totalMinor: 1_550, chargesMinor: 500, taxMinor: 310 });
});

it('an order that waits for a person is told with its charges and the tax of what was accepted', async () => {
  await hub.seed(['HOLD']);
  await hub.receive('wms', [moved('in-hold', 'HOLD', 'north', 3)]);
  const charges = [{ kind: 'allowance' as const, code: 'PROMO', amountMinor: -100 }];
  const taxes = [{ lineNo: 1, code: 'VAT', rate: '20', baseMinor: 400, taxMinor: 80 }];
  await hub.receive('shop', [order('shop', 'T4', [{ sku: 'HOLD', quantity: 4, within: 4 }], { charges, taxes })]);
  await hub.settle();
  const sales = () => systems.erp.of('sales_order').filter(({ reference }) => reference === 'shop/T4');
  expect(sales()).toEqual([]);
  const [held] = await listExceptions(hub.db, { state: 'open', limit: 10 });
  await settleException(hub.db, hub.deps, held!.exceptionId, { as: 'cancel', by: 'ann', reason: undefined });
  await hub.settle();
  expect(sales().map(({ payload }) => payload)).toMatchObject([
    {
      totalMinor: 200,
      taxMinor: 60,
      lines: [{ quantity: 3, taxMinor: 60 }],
      charges: [{ amountMinor: -100, taxMinor: 0 }],
    },
  ]);
});

it('what is wrong is refused with its place, and nothing is kept', async () => {
  const line = [{ sku: 'HOLD', quantity: 1 }];
  const tax = { code: 'VAT', rate: '20', baseMinor: 100, taxMinor: 20 };
  for (const [place, rest] of [
    ['taxes[0].lineNo', { taxes: [{ ...tax, lineNo: 9 }] }],
    ['taxes[0].charge', { taxes: [{ ...tax, charge: 1 }] }],
    ['taxes[0]', { taxes: [{ ...tax, lineNo: 1, charge: 1 }] }],
    ['taxes[0].rate', { taxes: [{ ...tax, rate: '-1' }] }],
    ['taxes[0].baseMinor', { taxes: [{ ...tax, baseMinor: 1.5 }] }],
    ['charges[0].amountMinor', { charges: [{ kind: 'freight' as const, code: 'X', amountMinor: 0.1 }] }],
    ['charges[0].kind', { charges: [{ kind: 'tip' as never, code: 'X', amountMinor: 1 }] }],
  ] as const)
    expect(await hub.receive('api', [order('api', 'T9', line, rest as never)]), place).toMatchObject([
      { status: 'refused', place },
    ]);
  const { rowCount } = await database.pool.query(`select from sales_order where external_no = 'T9'`);
  expect(rowCount).toBe(0);
});

it('and every promise holds', async () => {
  const verdicts = await checkPromises(hub.db);
  expect(Object.entries(verdicts).filter(([, { holds }]) => !holds)).toEqual([]);
});
