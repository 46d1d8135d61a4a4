/** What was refused is nobody's demand: the ERP gets what was accepted, the CRM and the channel hear of the rest. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listStream } from '../src/log/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { gapsOf } from '../src/projections/gaps.ts';
import { useDatabase } from './helpers/database.ts';
import { orderState, violations } from './helpers/promises.ts';
import { invoiced, memorySystems, moved, order, picked, SmallHub, shipped, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const systems = memorySystems();
let hub: SmallHub;

beforeAll(async () => {
  const estate = smallEstate();
  estate.channels.api!.onShort = 'refuse';
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate });
  await hub.seed(['X', 'Y']);
  await hub.receive('wms', [moved('r1', 'X', 'north', 5)]);
});
afterAll(() => hub.close());

const told = (no: string) =>
  systems.erp
    .of('sales_order')
    .filter((effect) => effect.reference === `api/${no}`)
    .map((effect) => effect.payload);
const shown = (no: string) => systems.crm.states.get(`order_status api/${no}`)?.state;
const brokenPromises = async () =>
  Object.entries(await checkPromises(hub.db))
    .filter(([, { holds }]) => !holds)
    .map(([name, { examples }]) => `${name}: ${examples.join('; ')}`);

it('an order of which every unit was refused goes to the CRM as a status and to nobody else', async () => {
  await hub.receive('api', [order('api', 'R1', [{ sku: 'Y', quantity: 3 }])]);
  await hub.settle();
  expect(hub.errors).toEqual([]);
  expect(await orderState(database.pool, 'api', 'R1')).toEqual(['refused', '1: 3 refused 3']);
  expect(told('R1')).toEqual([]);
  expect(shown('R1')).toMatchObject({ status: 'refused', totalMinor: 300, lines: [{ quantity: 3, refused: 3 }] });
});

it('the ERP is told the accepted part of a line and no line of which nothing was accepted', async () => {
  await hub.receive('api', [
    order('api', 'R2', [
      { sku: 'Y', quantity: 2, unitPrice: '4.00' },
      { sku: 'X', quantity: 8, unitPrice: '0.335' },
    ]),
  ]);
  await hub.settle();
  expect(await orderState(database.pool, 'api', 'R2')).toEqual([
    'released',
    '1: 2 refused 2',
    '2: 8 allocated 5 refused 3',
  ]);
  expect(told('R2')).toMatchObject([
    { totalMinor: 168, lines: [{ lineNo: 2, sku: 'X', quantity: 5, unitPrice: '0.335', amountMinor: 168 }] },
  ]);
  expect((told('R2')[0] as { lines: unknown[] }).lines).toHaveLength(1);
  expect(shown('R2')).toMatchObject({ totalMinor: 800 + 268, lines: [{ refused: 2 }, { quantity: 8, refused: 3 }] });
});

it('amounts of its shipments add up to what the ERP was told, and every promise holds', async () => {
  const fulfilment = systems.wms.of('fulfilment').at(-1)!.reference;
  for (const [n, quantity] of [2, 3].entries())
    await hub.receive('wms', [
      picked(`p${n}`, fulfilment, [{ lineNo: 2, sku: 'X', quantity }]),
      shipped(`s${n}`, fulfilment, [{ lineNo: 2, sku: 'X', quantity }]),
    ]);
  await hub.settle();
  const posted = systems.erp
    .of('shipment_posting')
    .map((effect) => (effect.payload as { lines: { amountMinor: number }[] }).lines[0]!.amountMinor);
  expect(posted.reduce((sum, amount) => sum + amount, 0)).toBe(168);
  await hub.receive('erp', [invoiced('I1', 'api/R2', [{ lineNo: 2, quantity: 5, amountMinor: 168 }])]);
  await hub.settle();
  expect((await orderState(database.pool, 'api', 'R2'))[0]).toBe('closed');
  expect(await violations(database.pool)).toEqual({});
  expect(await brokenPromises()).toEqual([]);
});

it('nothing is missing from the timeline of an order that nobody was told of, because it was refused', async () => {
  const { rows } = await database.pool.query(`select order_id::int as id from sales_order where external_no = 'R1'`);
  const facts = await listStream(hub.db, `order/${rows[0].id}`);
  // A delivery of another kind: the hub does tell somebody of orders.
  const other = {
    destination: 'erp',
    kind: 'charge',
    reference: 'X',
    factPosition: 0,
    state: 'confirmed' as const,
    attempts: 1,
    recordedAt: new Date(),
    sentAt: new Date(),
    endedAt: new Date(),
    error: null,
    resolution: null,
    answer: null,
  };
  expect(
    gapsOf({ facts, deliveries: [other], publications: [], parked: [], unread: [], lines: [], holds: [] }),
  ).toEqual([]);
});
