import fc from 'fast-check';
import { expect, test } from 'vitest';
import { channelOf } from './channels.ts';
import { type MutatedEvent, type Mutations, mutate, mutationRates, USUAL_RATES } from './mutations.ts';
import { type Plan, planFeed } from './plan.ts';
import { readOrders } from './reader.ts';
import { sampleCsv } from './sample.ts';
import { gzipped } from './testing/files.ts';

async function planOf(orders: number, seed: number, limitOrders?: number): Promise<Plan> {
  const { table } = await readOrders(gzipped(sampleCsv(5, orders)), {
    ...(limitOrders !== undefined && { limitOrders }),
  });
  return planFeed(table, seed);
}
const numberOf = (event: MutatedEvent): string | undefined => ('number' in event ? event.number : undefined);

test('the same file and seed mutate the same; another seed does not', async () => {
  const plan = await planOf(300, 7);
  expect(mutate(plan)).toEqual(mutate(plan));
  const keys = ({ changes, partCancels, returns }: Mutations) =>
    [changes, partCancels, returns].map((map) => [...map.keys()]);
  expect(keys(mutate(plan))).not.toEqual(keys(mutate({ ...plan, seed: 8 })));
});

test('an order meets the same in a slice of the file as in the whole', async () => {
  const whole = mutate(await planOf(300, 7));
  const slice = mutate(await planOf(300, 7, 100));
  expect(slice.changes.size).toBeGreaterThan(0);
  for (const [number, change] of slice.changes) {
    // Which SKU is new depends on those that the file knows.
    const { lines } = whole.changes.get(number)!;
    expect(change.lines.map(({ quantity }) => quantity)).toEqual(lines.map(({ quantity }) => quantity));
  }
});

test('shares are what they were asked to be', async () => {
  const plan = await planOf(2_000, 3);
  const { changes, partCancels, returns } = mutate(plan);
  for (const [of, rate] of [
    [changes, 0.05],
    [partCancels, 0.05],
    [returns, 0.02],
  ] as const) {
    // Within five deviations of what chance gives.
    expect(Math.abs(of.size - plan.orders * rate)).toBeLessThan(5 * Math.sqrt(plan.orders * rate));
  }
  const nothing = mutate(
    plan,
    mutationRates('{"changed":0,"cancelledInPart":0,"returned":0,"overCredit":0,"substitutes":0,"pricesDrifting":0}'),
  );
  expect(nothing.events).toEqual(plan.events);
  expect(nothing.late).toEqual([]);
});

test('each mutation is one that its order can have', async () => {
  const plan = await planOf(200, 1);
  const { table, matches } = plan;
  const rate = fc.double({ min: 0, max: 0.33, noNaN: true });
  fc.assert(
    fc.property(fc.nat(1_000), rate, rate, rate, (seed, changed, cancelledInPart, returned) => {
      const seeded = { ...plan, seed };
      const mutations = mutate(seeded, {
        ...USUAL_RATES,
        changed,
        cancelledInPart,
        returned,
        overCredit: 4,
        substitutes: 9,
      });
      const rowsOf = new Map(
        plan.events.flatMap((event) => (event.type === 'order' ? [[event.number, event.rows]] : [])),
      );
      const touched = new Set<string>();
      for (const of of [mutations.changes, mutations.partCancels, mutations.returns])
        for (const number of of.keys()) {
          expect(touched.has(number)).toBe(false);
          touched.add(number);
        }
      for (const [number, { kinds, lines }] of mutations.changes) {
        expect(lines.length).toBe(kinds.length);
        expect(new Set(lines.map(({ lineNo }) => lineNo)).size).toBe(lines.length);
        for (const [index, { lineNo, quantity, sku, unitPrice }] of lines.entries()) {
          const row = rowsOf.get(number)!.find((each) => table.lineNo.at(each) === lineNo);
          if (kinds[index] === 'add') {
            expect([row, typeof sku, typeof unitPrice]).toEqual([undefined, 'string', 'string']);
            expect(quantity).toBeGreaterThan(0);
            continue;
          }
          const ordered = table.quantity.at(row!);
          expect(matches.cancelled[row!]).toBe(0);
          if (kinds[index] === 'raise') expect(quantity).toBeGreaterThan(ordered);
          if (kinds[index] === 'lower') expect(quantity > 0 && quantity < ordered).toBe(true);
          if (kinds[index] === 'remove') expect(quantity).toBe(0);
        }
      }
      for (const { row, quantity } of mutations.partCancels.values())
        expect(quantity >= 1 && quantity <= table.quantity.at(row) && matches.cancelled[row] === 0).toBe(true);
      for (const { lines } of mutations.returns.values()) {
        expect(new Set(lines.map(({ row }) => row)).size).toBe(lines.length);
        for (const { row, quantity } of lines) expect(quantity >= 1 && quantity <= table.quantity.at(row)).toBe(true);
      }
      const skus = [...mutations.substitutes].flat();
      expect([skus.length, new Set(skus).size]).toEqual([8, 8]);
      expect(mutations.limits.length).toBe(4);
      for (const { account, limitMinor, paysMinor } of mutations.limits) {
        expect(['crm', 'api']).toContain(channelOf(account));
        expect(limitMinor > 0 && paysMinor >= 0 && paysMinor <= limitMinor).toBe(true);
      }
      // Nothing of the file is lost or moved, and what happens to an order happens after it, in its own lane.
      const all = [...mutations.events, ...mutations.late];
      expect(mutations.events.filter((event) => plan.events.includes(event as never))).toEqual(plan.events);
      const seen = new Set<string>();
      for (const event of all) {
        if (event.type === 'order') seen.add(event.number);
        if (['change', 'part_cancel', 'return'].includes(event.type)) expect(seen.has(numberOf(event)!)).toBe(true);
      }
      expect(all.filter(({ type }) => type === 'change').length).toBe(mutations.changes.size);
      expect(all.filter(({ type }) => type === 'part_cancel').length).toBe(mutations.partCancels.size);
      expect(all.filter(({ type }) => type === 'return').length).toBe(mutations.returns.size);
    }),
    { numRuns: 30 },
  );
});

test('a price moves in steps of a few per cent, but for mistakes, which are put right', async () => {
  const { prices } = mutate(await planOf(300, 2), { ...USUAL_RATES, pricesDrifting: 1 });
  const bySku = Map.groupBy(prices, ({ sku }) => sku);
  let mistakes = 0;
  for (const steps of bySku.values()) {
    expect(steps.map(({ place }) => place)).toEqual(steps.map(({ place }) => place).sort((a, b) => a - b));
    for (const { unitPrice, place } of steps) {
      expect(unitPrice).toMatch(/^\d+\.\d\d$/);
      expect(Number(unitPrice) > 0 && place >= 0 && place <= 1).toBe(true);
    }
    const last = Number(steps.at(-1)!.unitPrice);
    mistakes += steps.filter(({ unitPrice }) => Number(unitPrice) < last / 5).length;
    expect(last * 5).toBeGreaterThan(Math.max(...steps.map(({ unitPrice }) => Number(unitPrice))));
  }
  expect(mistakes).toBeGreaterThan(0);
});

test.each([
  ['{"chaned":1}', /unknown rate chaned; known: changed/],
  ['{"changed":-1}', /must be a number from 0/],
  ['{"changed":"x"}', /must be a number from 0/],
])('rates %s are refused', (text, reason) => {
  expect(() => mutationRates(text)).toThrow(reason);
  expect(mutationRates('')).toEqual(USUAL_RATES);
});
