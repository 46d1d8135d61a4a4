/**
 * Random sessions of several workers over shared balances, on real PostgreSQL. The order in which they commit is the
 * database's; afterwards the promises are read from the rows alone.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ItemResult } from '../src/ingest/index.ts';
import { expireReservations, releaseReservations, reserveStock } from '../src/ledger/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { cancel, memorySystems, moved, order, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
const CODES = ['A', 'B', 'C'];
const PLACES = ['north', 'south', 'west'];
let hubs: SmallHub[] = [];

beforeAll(async () => {
  hubs = [];
  // Only the first delivers: the others are processes that take things in.
  for (let i = 0; i < 3; i++)
    hubs.push(await SmallHub.open({ url: database.url, connectors: i === 0 ? memorySystems() : {} }));
});
afterAll(() => Promise.all(hubs.map((hub) => hub.close())));

type Act =
  | { do: 'move'; sku: string; place: string; quantity: number; minutes: number }
  | { do: 'count'; sku: string; place: string; quantity: number; minutes: number }
  | { do: 'order'; channel: string; lines: { sku: string; quantity: number; within: number }[] }
  | { do: 'cancel'; nth: number; quantity: number }
  | { do: 'hold'; sku: string; quantity: number }
  | { do: 'free'; nth: number }
  | { do: 'backorders' }
  | { do: 'expire' };

const sku = fc.constantFrom(...CODES);
const place = fc.constantFrom(...PLACES);
const minutes = fc.integer({ min: 0, max: 59 });
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('move' as const),
      sku,
      place,
      quantity: fc.integer({ min: -3, max: 12 }).filter((n) => n !== 0),
      minutes,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('count' as const), sku, place, quantity: fc.nat(15), minutes }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('order' as const),
      channel: fc.constantFrom('api', 'shop', 'marketplace'),
      lines: fc.array(fc.record({ sku, quantity: fc.integer({ min: 1, max: 6 }), within: fc.nat(2) }), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('cancel' as const),
      nth: fc.nat(20),
      quantity: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('hold' as const), sku, quantity: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('free' as const), nth: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.constant<Act>({ do: 'backorders' }) },
  { weight: 1, arbitrary: fc.constant<Act>({ do: 'expire' }) },
);

let run = 0;

/** What became of the acts, by kind: promises that hold because nothing happened would prove nothing. */
const acts: Record<string, { tried: number; done: number }> = {};

function note(act: Act['do'], done: boolean): void {
  acts[act] ??= { tried: 0, done: 0 };
  acts[act].tried++;
  if (done) acts[act].done++;
}

function inRun(given: Act, n: number): Act {
  if ('lines' in given) return { ...given, lines: given.lines.map((line) => ({ ...line, sku: `${line.sku}${n}` })) };
  return 'sku' in given ? { ...given, sku: `${given.sku}${n}` } : given;
}

describe('any interleaving of sessions', () => {
  it('keeps on hand the sum of movements, promises the sum of their rows, and no unit promised twice', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 20, maxLength: 60 }), async (given) => {
        run++;
        // SKUs of their own per run; in every second run nothing is lost, so no shortage excuses anything.
        const SKUS = CODES.map((code) => `${code}${run}`);
        for (const hub of hubs) await hub.seed(SKUS);
        const lossless = run % 2 === 0;
        // A little of everything at the beginning: what follows is scarcity, not emptiness.
        for (const sku of SKUS)
          for (const place of PLACES) await hubs[0]!.receive('wms', [moved(`open-${sku}-${place}`, sku, place, 5)]);
        const held: number[] = [];
        const orders: [channel: string, no: string][] = [];
        let n = 0;
        const take = async (what: Act['do'], taken: Promise<ItemResult[]>): Promise<void> => {
          for (const { status } of await taken) note(what, !['parked', 'refused', 'conflict'].includes(status));
        };
        const perform = async (hub: SmallHub, given: Act): Promise<void> => {
          const key = `${run}-${++n}`;
          const action = inRun(given, run);
          if (lossless && (action.do === 'count' || (action.do === 'move' && action.quantity < 0))) return;
          const occurredAt = `2026-03-0${1 + (run % 8)}T10:${'minutes' in action ? String(action.minutes).padStart(2, '0') : '00'}:00.000Z`;
          switch (action.do) {
            case 'move':
              await take(
                'move',
                hub.receive('wms', [moved(key, action.sku, action.place, action.quantity, { occurredAt })]),
              );
              return;
            case 'count':
              await take(
                'count',
                hub.receive('wms', [
                  moved(key, action.sku, action.place, action.quantity, { movement: 'counted', occurredAt }),
                ]),
              );
              return;
            case 'order': {
              orders.push([action.channel, key]);
              const lines = action.lines.map((line) => ({ ...line, within: Math.min(line.within, line.quantity) }));
              await take('order', hub.receive(action.channel, [order(action.channel, key, lines)]));
              return;
            }
            case 'cancel': {
              const target = orders[action.nth % Math.max(1, orders.length)];
              if (target !== undefined)
                await take('cancel', hub.receive('crm', [cancel(target[0], target[1], 1, action.quantity, key)]));
              return;
            }
            case 'hold':
              await hub.db.transaction(async (tx) => {
                const ids = await hub.ids.reserve(tx, 'reservation_id_seq', 1);
                const reservationId = ids.take();
                const [result] = await reserveStock(tx, hub.deps, [
                  {
                    reservationId,
                    channel: hub.directory.channels.get('api')!,
                    skuId: hub.sku(action.sku),
                    quantity: action.quantity,
                    locationId: null,
                    partial: true,
                    purpose: 'order',
                    expiresSeconds: n % 3 === 0 ? 0 : 600,
                  },
                ]);
                note('hold', result!.ok);
                if (result!.ok) held.push(reservationId);
              });
              return;
            case 'free':
              if (held.length > 0) {
                const [mine] = held.splice(action.nth % held.length, 1);
                note('free', (await hub.db.transaction((tx) => releaseReservations(tx, hub.deps, [mine!]))) > 0);
              }
              return;
            case 'backorders':
              await hub.backorders(SKUS);
              return;
            case 'expire':
              await hub.db.transaction((tx) => expireReservations(tx, hub.deps));
              return;
          }
        };
        // Each worker starts its next act when its last one is answered; nobody waits for another.
        const queue = [...given];
        await Promise.all(
          hubs
            .flatMap((hub) => [hub, hub])
            .map(async (hub) => {
              for (let next = queue.shift(); next !== undefined; next = queue.shift()) await perform(hub, next);
            }),
        );
        // These channels were never told a number, so what they say they sold within it is oversell, and rightly found.
        expect(await violations(database.pool, ['oversell'])).toEqual({});
      }),
      { numRuns: 15, seed },
    );
    const all = Object.values(acts);
    const share = all.reduce((sum, { done }) => sum + done, 0) / all.reduce((sum, { tried }) => sum + tried, 0);
    expect(share, `done of tried: ${JSON.stringify(acts)}`).toBeGreaterThanOrEqual(0.8);
  }, 60_000);
});
