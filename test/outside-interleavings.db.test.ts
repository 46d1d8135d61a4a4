/**
 * One line of ours with its allocation, its picks and its cancel, and what two other systems say of it and of others: in any order that can
 * happen, all of it twice. What is deducted in the end is compared with a model that knows no order; the promises hold at every step.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { InboundItem } from '../src/canonical/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { processOrders } from '../src/orders/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { allocatedOutside, cancel, moved, order, picked, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
const RUNS = 25;
beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url });
  await hub.seed(Array.from({ length: RUNS * 10 }, (_, n) => `X${n}`));
});
afterAll(() => hub.close());

/** Whose units a report speaks of: our line, a line of an order that never comes, or nobody's. */
const subjects = ['A 1', 'Z 1', null] as const;
const report = fc.record({
  system: fc.constantFrom('erp', 'wms'),
  reference: fc.constantFrom('R1', 'R2'),
  subject: fc.constantFrom(...subjects, 'A 1', 'A 1'),
  quantity: fc.integer({ min: 0, max: 6 }),
});
const scene = fc
  .record({
    stock: fc.integer({ min: 0, max: 25 }),
    ordered: fc.integer({ min: 1, max: 8 }),
    cancelled: fc.integer({ min: 0, max: 3 }),
    picks: fc.array(fc.record({ quantity: fc.integer({ min: 1, max: 3 }), moment: fc.nat(6) }), { maxLength: 3 }),
    reports: fc.array(report, { minLength: 1, maxLength: 7 }),
  })
  .chain((given) => {
    const acts = [
      'order',
      'cancel',
      'stock',
      ...given.picks.map((_, i) => `pick ${i}`),
      ...given.reports.map((_, i) => `report ${i}`),
    ];
    // All of it twice, shuffled.
    return fc.record({
      given: fc.constant(given),
      acts: fc.shuffledSubarray([...acts, ...acts], { minLength: acts.length * 2 }),
    });
  });

/** Reports happen at even minutes in the order in which they stand, picks between them; so is the WMS's own sequence. */
const reportMinute = (i: number) => 2 * i + 2;
const pickMinute = (moment: number, i: number) => 2 * moment + 1 + i / 10;
const at = (minute: number) => new Date(Date.UTC(2026, 2, 2, 10) + minute * 60_000).toISOString();

interface Pick {
  quantity: number;
  minute: number;
}

/** What a system has left of the reports that hold: the oldest pick first takes out of all that was said before it. */
function remaining(reports: readonly { quantity: number; minute: number }[], picks: readonly Pick[]): number {
  let used = 0;
  for (const pick of [...picks].sort((a, b) => a.minute - b.minute)) {
    const before = reports.filter((r) => r.minute < pick.minute).reduce((sum, r) => sum + r.quantity, 0);
    used += Math.min(pick.quantity, before - used);
  }
  return reports.reduce((sum, r) => sum + r.quantity, 0) - used;
}

it('in any order and twice, deducts what others have beyond ours and no unit twice', async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  let run = 0;
  const seen = { offset: 0, beyond: 0, picked: 0, short: 0 };
  await fc.assert(
    fc.asyncProperty(scene, async ({ given, acts }) => {
      const n = run++;
      const sku = `X${n}`;
      const items: Record<string, [string, InboundItem]> = {
        order: ['api', order('api', `A${n}`, [{ sku, quantity: given.ordered }])],
        stock: ['dock', moved(`stock${n}`, sku, 'north', given.stock + 1)],
        cancel: ['api', cancel('api', `A${n}`, 1, given.cancelled, `c${n}`, sku)],
      };
      given.reports.forEach(({ system, reference, subject, quantity }, i) => {
        const minute = reportMinute(i);
        // The WMS's clock says nothing: its sequence does.
        const when = system === 'wms' ? { occurredAt: at(-minute), sequence: minute * 10 } : { occurredAt: at(minute) };
        const line = subject === null ? undefined : `api/${subject.replace(' ', `${n} `)}`;
        items[`report ${i}`] = [
          system,
          allocatedOutside(system, `${reference}-${n}`, sku, 'north', quantity, { ...when, line }),
        ];
      });
      const done: Pick[] = [];
      for (const act of acts) {
        if (act === 'cancel' && given.cancelled === 0) continue;
        if (act.startsWith('pick')) {
          const i = Number(act.slice(5));
          const { quantity, moment } = given.picks[i]!;
          if (await pick(n, sku, i, quantity, pickMinute(moment, i)))
            done.push({ quantity, minute: pickMinute(moment, i) });
        } else {
          const [system, item] = items[act]!;
          await hub.receive(system, [item]);
        }
        expect(await violations(database.pool), act).toEqual({});
      }
      while ((await hub.backorders([sku])) > 0);

      const { rows } = await database.pool.query(
        `select b.on_hand, b.allocated, b.outside_open, b.outside_deducted, coalesce(l.allocated, 0) as ours,
                coalesce(l.picked, 0) as picked, coalesce(l.backordered, 0) as backordered
           from stock_balance b left join order_line l using (sku_id) where b.sku_id = $1 and b.location_id = $2`,
        [hub.sku(sku), hub.location('north')],
      );
      const found = Object.fromEntries(Object.entries(rows[0]).map(([name, value]) => [name, Number(value)])) as Record<
        string,
        number
      >;
      const newest = new Map<string, { system: string; subject: string | null; quantity: number; minute: number }>();
      for (const [i, r] of given.reports.entries())
        newest.set(`${r.system} ${r.reference}`, { ...r, minute: reportMinute(i) });
      const expected = { open: 0, deducted: 0 };
      for (const subject of subjects) {
        const bySystem = ['erp', 'wms'].map((system) => {
          const own = [...newest.values()].filter((r) => r.system === system && r.subject === subject);
          return remaining(own, subject === 'A 1' ? done : []);
        });
        const [erp, wms] = bySystem as [number, number];
        expected.open += erp + wms;
        if (subject === null) expected.deducted += erp + wms;
        else expected.deducted += Math.max(0, Math.max(erp, wms) - (subject === 'A 1' ? found.ours! : 0));
        if (subject === 'A 1' && Math.max(erp, wms) > 0 && found.ours! > 0) seen.offset++;
      }
      expect({ open: found.outside_open, deducted: found.outside_deducted }).toEqual(expected);
      const units = done.reduce((sum, p) => sum + p.quantity, 0);
      expect([found.on_hand, found.picked, found.allocated]).toEqual([given.stock + 1 - units, units, found.ours]);
      const free = found.on_hand! - found.allocated! - found.outside_deducted!;
      const { rows: short } = await database.pool.query(
        `select coalesce(sum(quantity), 0)::int as units from shortage where sku_id = $1 and state = 'open'`,
        [hub.sku(sku)],
      );
      // What is missing is recorded to the unit, and nothing waits while it could be served.
      expect(short[0].units).toBe(Math.max(0, -free));
      if (found.backordered! > 0) expect(free).toBeLessThanOrEqual(0);
      if (expected.deducted > 0) seen.beyond++;
      if (units > 0) seen.picked++;
      if (free < 0) seen.short++;
      const { I1, I2, I3, I4 } = await checkPromises(hub.db);
      expect([I1, I2, I3, I4].flatMap((promise) => promise.examples)).toEqual([]);
    }),
    { numRuns: RUNS, seed },
  );
  // A property over nothing would hold, too.
  for (const [what, times] of Object.entries(seen)) expect(times, `${what}, seed ${seed}`).toBeGreaterThan(0);
}, 120_000);

/** Picks of the order's allocation, once the ERP knows it. @returns whether units left */
async function pick(n: number, sku: string, i: number, quantity: number, minute: number): Promise<boolean> {
  const { rows } = await database.pool.query(
    `select a.fulfilment_id as id, o.channel_id from allocation a join sales_order o using (order_id)
      where o.external_no = $1 and a.open_quantity >= $2 and a.location_id = $3 order by a.allocation_id limit 1`,
    [`A${n}`, quantity, hub.location('north')],
  );
  if (rows.length === 0) return false;
  await hub.db.transaction(async (tx) => {
    const reference = { channelId: Number(rows[0].channel_id), externalNo: `A${n}` };
    const command = { kind: 'confirm', erpNumber: `E${n}` } as const;
    await (await processOrders(tx, hub.deps, [{ reference, command, occurredAt: at(0) }])).finish();
  });
  const lines = [{ lineNo: 1, sku, quantity }];
  const sequence = Math.round(minute * 10);
  const [result] = await hub.receive('wms', [picked(`pick${n}-${i}`, `F${rows[0].id}`, lines, at(minute), sequence)]);
  return result!.status === 'applied';
}
