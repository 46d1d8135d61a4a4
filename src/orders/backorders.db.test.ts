import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { balances, orderState, violations } from '../../test/helpers/promises.ts';
import { moved, order, SmallHub, smallEstate } from '../../test/helpers/small-hub.ts';
import { followBackorders, sweepBackorders } from './index.ts';

const database = useDatabase();
let hub: SmallHub;
let keys = 0;

/** `far` serves the west only; `api` serves all three locations. */
beforeEach(async () => {
  const far = { company: 'acme', sells: 'asks' as const, locations: ['west'] };
  hub = await SmallHub.open({ url: database.url, estate: smallEstate({ far }) });
});
afterEach(async () => {
  expect(await violations(database.pool)).toEqual({});
  await hub.close();
});

async function waiting(channel: string, sku: string): Promise<string> {
  const no = `${channel}-${++keys}`;
  await hub.receive(channel, [order(channel, no, [{ sku, quantity: 1 }])]);
  return no;
}
const arrive = (sku: string, location: string, quantity: number) =>
  hub.receive('wms', [moved(`b${++keys}`, sku, location, quantity)]);
const line = async (no: string) => (await orderState(database.pool, no.split('-')[0]!, no))[1];
const unread = async () =>
  (
    await database.pool.query(
      `select count(*)::int as n from fact where (transaction_id, position) >
         (select transaction_id, position from log_cursor where consumer = 'backorders')`,
    )
  ).rows[0].n;
/** Until the log is read: transactions of other test files may hide its end for a moment. */
async function follow(linesMax: number): Promise<number> {
  let served = 0;
  await expect
    .poll(
      async () => {
        served += (await followBackorders(hub.db, hub.deps, linesMax)).served;
        return unread();
      },
      { timeout: 20_000 },
    )
    .toBe(0);
  return served;
}
const SLOW = { timeout: 30_000 };

describe('a waiting line', () => {
  it(
    'is served although older ones of a channel that does not serve the place would fill every page',
    SLOW,
    async () => {
      await hub.seed(['P']);
      const old = [await waiting('far', 'P'), await waiting('far', 'P'), await waiting('far', 'P')];
      const young = await waiting('api', 'P');
      await arrive('P', 'north', 2);
      expect(await follow(2)).toBe(1);
      expect(await line(young)).toBe('1: 1 allocated 1');
      for (const no of old) expect(await line(no)).toBe('1: 1 backordered 1');
      expect(await balances(database.pool, 'P')).toEqual(['north 2/0/1/0']);
      await arrive('P', 'west', 2);
      expect(await follow(2)).toBe(2);
      expect(await Promise.all(old.map(line))).toEqual(['1: 1 allocated 1', '1: 1 allocated 1', '1: 1 backordered 1']);
    },
  );

  it('beyond the page is served in the next transaction, oldest first', SLOW, async () => {
    await hub.seed(['Q']);
    const orders: string[] = [];
    for (let i = 0; i < 5; i++) orders.push(await waiting('api', 'Q'));
    await arrive('Q', 'south', 4);
    expect(await follow(2)).toBe(4);
    const served = Array.from({ length: 4 }, () => '1: 1 allocated 1');
    expect(await Promise.all(orders.map(line))).toEqual([...served, '1: 1 backordered 1']);
  });

  it('is found by the sweep although SKUs that nothing free can serve would fill it', async () => {
    await hub.seed(['S1', 'S2', 'S3']);
    for (const sku of ['S1', 'S2']) {
      await waiting('far', sku);
      await arrive(sku, 'north', 5);
    }
    const orders = [await waiting('api', 'S3'), await waiting('api', 'S3'), await waiting('api', 'S3')];
    await arrive('S3', 'north', 3);
    expect(await sweepBackorders(hub.db, hub.deps, 1, 2)).toBe(3);
    expect(await Promise.all(orders.map(line))).toEqual(orders.map(() => '1: 1 allocated 1'));
    expect(await sweepBackorders(hub.db, hub.deps, 1, 2)).toBe(0);
  });
});
