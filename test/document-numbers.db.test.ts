/** Numbers that outside systems give are unique within the system that gave them, and nowhere else. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { InboundItem } from '../src/canonical/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { useDatabase } from './helpers/database.ts';
import { orderState } from './helpers/promises.ts';
import { invoiced, memorySystems, moved, order, picked, SmallHub, shipped } from './helpers/small-hub.ts';

const database = useDatabase();
const systems = memorySystems();
let hub: SmallHub;

beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url, connectors: systems });
  await hub.seed(['X']);
  await hub.receive('wms', [moved('r1', 'X', 'north', 100)]);
});
afterAll(() => hub.close());

/** The same thing as another system says it. */
function saidBy(system: string, item: InboundItem): InboundItem {
  return { ...item, scope: `${item.scope.split('/')[0]}/${system}` };
}
function fulfilmentOf(reference: string): string {
  return systems.wms.of('fulfilment').find(({ payload }) => (payload as { order: string }).order === reference)!
    .reference;
}
const line = [{ lineNo: 1, sku: 'X', quantity: 2 }];
const amounts = [{ lineNo: 1, quantity: 2, amountMinor: 200 }];
const broken = async () => Object.entries(await checkPromises(hub.db)).filter(([, verdict]) => !verdict.holds);

it('two systems give out the same shipment and invoice numbers: each document is kept and told', async () => {
  await hub.receive('api', [order('api', 'O1', line), order('api', 'O2', line)]);
  await hub.settle();
  for (const [system, no] of [
    ['wms', 'O1'],
    ['wms-2', 'O2'],
  ] as const) {
    const fulfilment = fulfilmentOf(`api/${no}`);
    await hub.receive(system, [
      saidBy(system, picked('p1', fulfilment, line)),
      saidBy(system, shipped('1', fulfilment, line)),
    ]);
  }
  await hub.settle();
  await hub.receive('erp', [invoiced('7', 'api/O1', amounts)]);
  await hub.receive('erp-2', [saidBy('erp-2', invoiced('7', 'api/O2', amounts))]);
  await hub.settle();
  expect(await orderState(database.pool, 'api', 'O2')).toEqual(['closed', '1: 2 picked 2 shipped 2 invoiced 2']);
  const { rows } = await database.pool.query(
    `select o.external_no, s.source || '/' || s.shipment_no as shipment, i.source || '/' || i.invoice_no as invoice
       from sales_order o left join shipment s using (order_id) left join invoice i using (order_id) order by 1`,
  );
  expect(rows).toEqual([
    { external_no: 'O1', shipment: 'wms/SH-1', invoice: 'erp/7' },
    { external_no: 'O2', shipment: 'wms-2/SH-1', invoice: 'erp-2/7' },
  ]);
  expect(systems.erp.of('shipment_posting').map(({ reference }) => reference)).toEqual(['wms/SH-1', 'wms-2/SH-1']);
  expect(await broken()).toEqual([]);
});

it('a number that its own system gives out twice is set aside, and its order and its neighbours stay whole', async () => {
  await hub.receive('api', [order('api', 'O3', line), order('api', 'O4', line)]);
  await hub.settle();
  const [third, fourth] = [fulfilmentOf('api/O3'), fulfilmentOf('api/O4')];
  await hub.receive('wms', [picked('p3', third, line), picked('p4', fourth, line)]);
  const again = shipped('3', third, line);
  if (again.command?.kind !== 'fulfilment.shipped') throw new Error('not a shipment');
  again.command.shipment = 'SH-1';
  const results = await hub.receive('wms', [again, shipped('4', fourth, line)]);
  expect(results.map((result) => result.status)).toEqual(['parked', 'applied']);
  expect(await orderState(database.pool, 'api', 'O3')).toEqual(['released', '1: 2 picked 2']);
  expect(await orderState(database.pool, 'api', 'O4')).toEqual(['shipped', '1: 2 picked 2 shipped 2']);
  expect(await broken()).toEqual([]);
});
