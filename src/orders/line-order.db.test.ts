/** What is decided does not hang on the order in which a statement reads lines. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { memorySystems, order, SmallHub, smallEstate } from '../../test/helpers/small-hub.ts';
import { lockOrders } from './store.ts';

const database = useDatabase();
let hub: SmallHub;
beforeAll(async () => {
  const estate = smallEstate({ api: { company: 'acme', sells: 'asks', locations: ['north'] } });
  hub = await SmallHub.open({ url: database.url, estate, connectors: memorySystems() });
  await hub.seed(['L']);
});
afterAll(() => hub.close());

it('lines of an order are in the order of their numbers, whichever are asked for first', async () => {
  const lines = Array.from({ length: 4 }, (_, i) => ({ sku: 'L', quantity: i + 1 }));
  const [result] = await hub.receive('api', [order('api', 'O1', lines)]);
  const { orderId } = result as { orderId: number };
  const none = new Set<number>();
  const orders = await hub.db.transaction((tx) =>
    lockOrders(tx, {
      orderIds: new Set([orderId]),
      lines: [4, 2, 3, 1].map((lineNo) => ({ orderId, lineNo })),
      ...{ allocationsOf: none, fulfilmentIds: none, returnsOf: none, behind: none, whole: none, awaitingOf: none },
      changesOf: none,
    }),
  );
  expect([...orders.get(orderId)!.lines.keys()]).toEqual([1, 2, 3, 4]);
});
