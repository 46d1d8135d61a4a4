/** Shops put goods back on the shelf once for the refund and once more for the cancel of the same order: 101 of 100. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { InboundItem } from '../../src/canonical/index.ts';
import { useDatabase } from '../helpers/database.ts';
import { cancel, item, memorySystems, moved, order, picked, returned, SmallHub } from '../helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let n = 0;

beforeAll(async () => {
  systems = memorySystems();
  const { erp, wms } = systems;
  hub = await SmallHub.open({ url: database.url, connectors: { erp, wms } });
});
afterAll(() => hub.close());

/** A hundred units, one of them ordered. */
async function sold() {
  const no = `P${++n}`;
  const sku = `SKU-${no}`;
  await hub.seed([sku]);
  await hub.receive('wms', [moved(`in-${no}`, sku, 'north', 100)]);
  await hub.receive('api', [order('api', no, [{ sku, quantity: 1 }])]);
  return { no, sku };
}

const refund = (no: string): InboundItem =>
  item('return/api', `refund/${no}`, {
    kind: 'return.requested',
    ...{ channel: 'api', order: no, reference: 'refund', occurredAt: '2026-03-02T10:00:00.000Z' },
    lines: [{ lineNo: 1, quantity: 1 }],
  });

async function there(sku: string) {
  const { rows } = await database.pool.query(
    'select sum(on_hand)::int as "onHand", sum(on_hand - allocated)::int as free from stock_balance join sku using (sku_id) where code = $1',
    [sku],
  );
  return rows[0];
}

for (const refundFirst of [true, false])
  it(`refund with restock ${refundFirst ? 'and then' : 'after the'} cancel, before the pick: 100 of 100`, async () => {
    const { no, sku } = await sold();
    expect(await there(sku)).toEqual({ onHand: 100, free: 99 });
    const facts = [refund(no), cancel('api', no, 1, 1, 'cancel', sku)];
    const results = [];
    for (const fact of refundFirst ? facts : facts.reverse()) results.push(...(await hub.receive('shop', [fact])));
    expect(results).toMatchObject([{ status: 'applied' }, { status: 'parked' }]);
    expect(await there(sku)).toEqual({ onHand: 100, free: 100 });
  });

it('refund with restock and then cancel, after the pick: 100 of 100, once the goods are there', async () => {
  const { no, sku } = await sold();
  await hub.settle();
  const fulfilment = systems.wms.of('fulfilment').at(-1)!.reference;
  const lines = [{ lineNo: 1, sku, quantity: 1 }];
  await hub.receive('wms', [picked(`p-${no}`, fulfilment, lines)]);
  await hub.receive('shop', [refund(no)]);
  expect(await hub.receive('shop', [cancel('api', no, 1, 1, 'cancel', sku)])).toMatchObject([
    { status: 'parked', class: 'over_cancel' },
  ]);
  expect(await there(sku)).toEqual({ onHand: 99, free: 99 });
  await hub.settle();
  const announced = systems.wms.of('return_announcement').at(-1)!.reference;
  const receipt = returned(`r-${no}`, announced, lines);
  await hub.receive('wms', [receipt, receipt]);
  expect(await hub.receive('wms', [returned(`r2-${no}`, announced, lines)])).toMatchObject([{ class: 'over_return' }]);
  expect(await there(sku)).toEqual({ onHand: 100, free: 100 });
});
