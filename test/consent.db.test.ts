/** Other SKUs in place of what an order can't have, where whoever ordered lets them be sent, or wants to be asked. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OrderSubmitted } from '../src/canonical/index.ts';
import { putSubstitutes } from '../src/master/index.ts';
import { readOrders, settleException } from '../src/orders/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { memorySystems, moved, order, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const estate = smallEstate({
  easy: { company: 'acme', sells: 'asks', locations: ['north', 'south'], substitutes: 'allow' },
});
const systems = memorySystems();
const hubs: SmallHub[] = [];
const hub = () => hubs[0]!;
let n = 0;
let skus = ['', '', ''];

beforeAll(async () => {
  for (let i = 0; i < 2; i++) {
    hubs.push(await SmallHub.open({ url: database.url, estate, ...(i === 0 && { connectors: systems }) }));
    await hubs[i]!.seed(Array.from({ length: 24 }, (_, k) => `C${k}`));
  }
});
afterAll(() => Promise.all(hubs.map((one) => one.close())));
// For the first of them the second is sent, for that the third.
beforeEach(async () => {
  skus = [0, 1, 2].map(() => `C${n++}`);
  await putSubstitutes(hub().db, hub().directory, [
    { sku: skus[0]!, substitutes: [skus[1]!] },
    { sku: skus[1]!, substitutes: [skus[2]!] },
  ]);
});

const stock = (sku: string, quantity: number) => hub().receive('wms', [moved(`${sku} ${n}`, sku, 'north', quantity)]);
async function submit(quantity: number, rest: Partial<OrderSubmitted> = {}, channel = 'api', through = hub()) {
  const name = `${skus[0]} ${rest.externalNo ?? ''}`;
  const [result] = await through.receive('api', [
    order(channel, name, [{ sku: skus[0]!, quantity }], { ...rest, externalNo: name }),
  ]);
  expect(result).toMatchObject({ status: 'applied' });
  return (result as { orderId: number }).orderId;
}
/** `1 C3: allocated 2, backordered 1` */
async function shown(orderId: number): Promise<string[]> {
  const found = (await readOrders(hub().db, [orderId])).get(orderId)!;
  await hub().directory.loadSkuCodes([...found.lines.values()].map(({ skuId }) => skuId));
  return [...found.lines.values()].map((line) => {
    const counts = (['allocated', 'backordered', 'held', 'refused', 'substituted'] as const).filter(
      (key) => line[key] > 0,
    );
    return `${line.lineNo} ${skus.indexOf(hub().directory.skuCode(line.skuId))}: ${counts.map((key) => `${key} ${line[key]}`).join(', ')}`;
  });
}

describe('where substitutes are allowed', () => {
  it('a chain is followed to what there is, the ERP and the WMS are told of what is sent, and the line is one to whoever ordered', async () => {
    await stock(skus[0]!, 1);
    await stock(skus[1]!, 2);
    await stock(skus[2]!, 5);
    const orderId = await submit(6, { substitutes: 'allow' });
    expect(await shown(orderId)).toEqual([
      '1 0: allocated 1, refused 5, substituted 5',
      '2 1: allocated 2',
      '3 2: allocated 3',
    ]);
    await hub().settle();
    const { rows } = await database.pool.query(
      'select kind, payload from delivery where order_id = $1 order by kind desc',
      [orderId],
    );
    const lines = (kind: string) =>
      rows
        .find((row) => row.kind === kind)
        .payload.lines.map((line: { sku: string; quantity: number; standsFor?: number }) => [
          line.sku,
          line.quantity,
          line.standsFor,
        ]);
    expect(lines('sales_order')).toEqual([
      [skus[0], 1, undefined],
      [skus[1], 2, 1],
      [skus[2], 3, 1],
    ]);
    expect(lines('fulfilment').map(([sku, units]: [string, number]) => [sku, units])).toEqual([
      [skus[0], 1],
      [skus[1], 2],
      [skus[2], 3],
    ]);
    expect(await violations(database.pool)).toEqual({});
  });

  it('the order has the last word, then its channel', async () => {
    await stock(skus[1]!, 4);
    expect(await shown(await submit(1, { externalNo: 'a' }))).toEqual(['1 0: backordered 1']);
    expect(await shown(await submit(1, { externalNo: 'b', substitutes: 'never' }, 'easy'))).toEqual([
      '1 0: backordered 1',
    ]);
    expect(await shown(await submit(1, { externalNo: 'c' }, 'easy'))).toEqual([
      '1 0: refused 1, substituted 1',
      '2 1: allocated 1',
    ]);
  });

  it('the last substitute goes to one of two orders that two processes take at once', async () => {
    await stock(skus[1]!, 1);
    const ids = await Promise.all(
      hubs.map((one, i) => submit(1, { externalNo: `r${i}`, substitutes: 'allow' }, 'api', one)),
    );
    const all = (await Promise.all(ids.map(shown))).sort((a, b) => a.length - b.length);
    expect(all).toEqual([['1 0: backordered 1'], ['1 0: refused 1, substituted 1', '2 1: allocated 1']]);
    expect(await violations(database.pool)).toEqual({});
  });
});

it('where they are offered the order waits for an answer, and goes on with it', async () => {
  await stock(skus[1]!, 2);
  const orderId = await submit(3, { substitutes: 'offer' });
  expect(await shown(orderId)).toEqual(['1 0: backordered 3, held 2']);
  await hub().settle();
  expect((await database.pool.query('select 1 from delivery where order_id = $1', [orderId])).rows).toEqual([]);
  const exception = (
    await database.pool.query('select exception_id, kind from order_exception where order_id = $1', [orderId])
  ).rows[0];
  expect(exception.kind).toBe('short');
  const answer = { as: 'substitute', by: 'buyer', reason: 'agreed by telephone' } as const;
  await settleException(hub().db, hub().deps, exception.exception_id, answer);
  expect(await shown(orderId)).toEqual(['1 0: backordered 1, refused 2, substituted 2', '2 1: allocated 2']);
  await hub().settle();
  const { rows } = await database.pool.query("select 1 from delivery where order_id = $1 and kind = 'sales_order'", [
    orderId,
  ]);
  expect(rows).toHaveLength(1);
  expect(await violations(database.pool)).toEqual({});
});
