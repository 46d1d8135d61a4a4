import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { violations } from '../../test/helpers/promises.ts';
import { moved, order, SmallHub } from '../../test/helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url });
  await hub.seed(['X']);
});
afterAll(() => hub.close());

describe('a repeat is counted at its key', () => {
  const repeats = async () =>
    Object.fromEntries(
      (await database.pool.query('select key, repeats from inbound order by key')).rows.map((r) => [r.key, r.repeats]),
    );

  it('within the message that brings the key, in another message of its batch, and later', async () => {
    const once = moved('once', 'X', 'north', 1);
    const thrice = moved('thrice', 'X', 'north', 1);
    await hub.receive('wms', [thrice, once, thrice, thrice]);
    expect(await repeats()).toEqual({ once: 0, thrice: 2 });
    await Promise.all([hub.receive('wms', [thrice]), hub.receive('wms', [thrice, thrice]), hub.receive('wms', [once])]);
    expect(await repeats()).toEqual({ once: 1, thrice: 5 });
  });

  it('also with other content, which is set aside', async () => {
    await hub.receive('shop', [order('shop', 'S1', [{ sku: 'X', quantity: 1 }])]);
    const other = order('shop', 'S1', [{ sku: 'X', quantity: 2 }]);
    const same = order('shop', 'S1', [{ sku: 'X', quantity: 1 }]);
    const results = await hub.receive('shop', [other, order('shop', 'S2', [{ sku: 'X', quantity: 1 }]), same]);
    expect(results.map((result) => result.status)).toEqual(['parked', 'applied', 'duplicate']);
    expect(await repeats()).toMatchObject({ S1: 2, S2: 0 });
    expect(await violations(database.pool)).toEqual({});
  });
});
