import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Kept, type QuotaAsker, type QuotaNode, roomOf, withoutKept } from './quota-rule.ts';

let ids = 0;
function node(channelId: number, more: Partial<QuotaNode> = {}): QuotaNode {
  return {
    ...{
      quotaId: ++ids,
      channelId,
      region: null,
      accountId: null,
      ringFenced: 0,
      cap: null,
      borrow: false,
      lend: false,
    },
    ...{ used: 0, setAside: 0, isRunning: true, ...more },
  };
}
function asks(channelId: number, region: string | null = null, accountId: number | null = null): QuotaAsker {
  return { channelId, region, accountId };
}
function membersOf(nodes: readonly QuotaNode[], asker: QuotaAsker): Set<number> {
  return new Set(
    nodes
      .filter(
        (one) =>
          one.channelId === asker.channelId &&
          (one.region === null || one.region === asker.region) &&
          (one.accountId === null || one.accountId === asker.accountId),
      )
      .map(({ quotaId }) => quotaId),
  );
}
const room = (nodes: readonly QuotaNode[], asker: QuotaAsker) => roomOf(nodes, asker, membersOf(nodes, asker));
const keptFrom = (nodes: readonly QuotaNode[], asker: QuotaAsker) =>
  room(nodes, asker).kept.reduce((sum, { units }) => sum + units, 0);

describe('what is ring-fenced', () => {
  it('is kept from others, not from its own, and falls with what they use and what is set aside', () => {
    const nodes = [node(1, { ringFenced: 10, used: 3, setAside: 2 })];
    expect(keptFrom(nodes, asks(2))).toBe(5);
    expect(keptFrom(nodes, asks(1))).toBe(0);
  });

  it('is kept only while its period runs', () => {
    expect(keptFrom([node(1, { ringFenced: 10, isRunning: false })], asks(2))).toBe(0);
  });

  it('of a channel holds what is kept for those below it, and more where they are kept more', () => {
    const below = [node(1, { region: 'n', ringFenced: 4 }), node(1, { region: 's', ringFenced: 8 })];
    expect(keptFrom([node(1, { ringFenced: 10 }), ...below], asks(2))).toBe(12);
    expect(keptFrom([node(1, { ringFenced: 20 }), ...below], asks(2))).toBe(20);
    // The rest of 20 is for all of the channel; of what is kept for the regions the one gets its own alone.
    expect(keptFrom([node(1, { ringFenced: 20 }), ...below], asks(1))).toBe(12);
    expect(keptFrom([node(1, { ringFenced: 20 }), ...below], asks(1, 'n'))).toBe(8 + 8);
  });

  it.each([
    [false, false, 8 + 8],
    [false, true, 8 + 8],
    [true, false, 8],
    [true, true, 0],
  ])('is borrowed from above, and beside where that lends: borrow %s, lend %s leaves %i kept', (borrow, lend, kept) => {
    const nodes = [
      node(1, { ringFenced: 20 }),
      node(1, { region: 'n', ringFenced: 4, borrow }),
      node(1, { region: 's', ringFenced: 8, lend }),
    ];
    expect(keptFrom(nodes, asks(1, 'n'))).toBe(kept);
  });

  it('of another channel is borrowed only if all up to the channel borrow, and lent only as far as those below lend', () => {
    const lender = [node(2, { ringFenced: 9, lend: true }), node(2, { region: 'n', ringFenced: 5 })];
    const borrower = (channel: boolean, region: boolean) => [
      node(1, { borrow: channel }),
      node(1, { region: 'n', borrow: region }),
      ...lender,
    ];
    expect(keptFrom(borrower(true, true), asks(1, 'n'))).toBe(5);
    expect(keptFrom(borrower(true, false), asks(1, 'n'))).toBe(9);
    expect(keptFrom(borrower(false, true), asks(1, 'n'))).toBe(9);
    // Without a quota of its own nobody borrows.
    expect(keptFrom(lender, asks(1, 'n'))).toBe(9);
  });

  it('for an account lies below its region, or below the channel where that has none', () => {
    const account = node(1, { region: 'n', accountId: 7, ringFenced: 6 });
    expect(keptFrom([account], asks(1, 'n', 8))).toBe(6);
    expect(keptFrom([account], asks(1, 'n', 7))).toBe(0);
    expect(keptFrom([node(1, { region: 'n', ringFenced: 6 }), account], asks(2))).toBe(6);
  });
});

describe('a cap', () => {
  it('is the least of all that count the order, and never below 0', () => {
    const nodes = [node(1, { cap: 10, used: 4 }), node(1, { region: 'n', cap: 5, used: 2 })];
    expect(room(nodes, asks(1, 'n')).capLeft).toBe(3);
    expect(room(nodes, asks(1, 's')).capLeft).toBe(6);
    expect(room(nodes, asks(2)).capLeft).toBe(null);
    expect(room([node(1, { cap: 5, used: 9 })], asks(1)).capLeft).toBe(0);
  });
});

const regions = [null, 'n', 's'] as const;
const someNodes = fc
  .uniqueArray(
    fc.record({
      channelId: fc.integer({ min: 1, max: 3 }),
      region: fc.constantFrom(...regions),
      accountId: fc.constantFrom(null, 7, 8),
      ringFenced: fc.integer({ min: 0, max: 12 }),
      cap: fc.option(fc.integer({ min: 0, max: 15 })),
      borrow: fc.boolean(),
      lend: fc.boolean(),
      used: fc.constant(0),
    }),
    { maxLength: 8, selector: ({ channelId, region, accountId }) => `${channelId}/${region}/${accountId}` },
  )
  .map((list) => list.map((one) => node(one.channelId, one)));
const someOrder = fc.record({
  channelId: fc.integer({ min: 1, max: 3 }),
  region: fc.constantFrom(...regions),
  accountId: fc.constantFrom(null, 7, 8),
  wants: fc.integer({ min: 1, max: 15 }),
});
const sellsFrom = (channelId: number) => [[10, 11], [11, 12], [12]][channelId - 1]!;

describe('orders one after the other', () => {
  it('never get more than is there, than a cap leaves, or what is kept for others and does not lend', () => {
    fc.assert(
      fc.property(
        someNodes,
        fc.array(someOrder, { maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 3, maxLength: 3 }),
        (nodes, orders, units) => {
          const free = new Map(units.map((quantity, i) => [10 + i, quantity]));
          for (const { wants, ...asker } of orders) {
            const members = membersOf(nodes, asker);
            const { capLeft, kept } = roomOf(nodes, asker, members);
            const places = sellsFrom(asker.channelId).map((locationId) => ({
              locationId,
              units: free.get(locationId)!,
            }));
            const { left } = withoutKept(places, kept, sellsFrom);
            let missing = Math.min(wants, capLeft ?? wants);
            places.forEach(({ locationId }, i) => {
              const taken = Math.min(missing, left[i]!);
              missing -= taken;
              free.set(locationId, free.get(locationId)! - taken);
              for (const one of nodes) if (members.has(one.quotaId)) one.used += taken;
            });
            for (const quantity of free.values()) expect(quantity).toBeGreaterThanOrEqual(0);
          }
          for (const { cap, used } of nodes) if (cap !== null) expect(used).toBeLessThanOrEqual(cap);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('of others leave a channel that lends nothing what it is kept, where it sells and as far as it was there', () => {
    fc.assert(
      fc.property(
        someNodes,
        fc.array(someOrder, { maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 3, maxLength: 3 }),
        (some, orders, units) => {
          const nodes = some.map((one) => ({ ...one, lend: false, cap: null }));
          const free = new Map(units.map((quantity, i) => [10 + i, quantity]));
          const there = () => sellsFrom(1).reduce((sum, at) => sum + free.get(at)!, 0);
          const before = there();
          for (const { wants, ...asker } of orders) {
            if (asker.channelId === 1) continue;
            const { kept } = roomOf(nodes, asker, membersOf(nodes, asker));
            const places = sellsFrom(asker.channelId).map((locationId) => ({
              locationId,
              units: free.get(locationId)!,
            }));
            const { left } = withoutKept(places, kept, sellsFrom);
            let missing = wants;
            places.forEach(({ locationId }, i) => {
              const taken = Math.min(missing, left[i]!);
              missing -= taken;
              free.set(locationId, free.get(locationId)! - taken);
            });
          }
          // Nobody of the channel has asked yet: all that is kept for it still is.
          const kept = keptFrom(
            nodes.filter(({ channelId }) => channelId === 1),
            asks(9),
          );
          expect(there()).toBeGreaterThanOrEqual(Math.min(before, kept));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('what is kept at places', () => {
  const kept = (channelId: number, units: number): Kept => ({ channelId, quotaId: channelId, units });
  it('leaves those that the asker comes to last first, and only where both sell', () => {
    const places = [10, 11, 12].map((locationId) => ({ locationId, units: 5 }));
    expect(withoutKept(places, [kept(2, 6)], sellsFrom)).toEqual({ left: [5, 4, 0], missing: [] });
    expect(withoutKept(places, [kept(2, 7), kept(3, 9)], sellsFrom)).toEqual({
      left: [5, 0, 0],
      missing: [kept(3, 4), kept(2, 2)],
    });
    expect(withoutKept([{ locationId: 10, units: 5 }], [kept(3, 9)], sellsFrom)).toEqual({ left: [5], missing: [] });
  });
});
