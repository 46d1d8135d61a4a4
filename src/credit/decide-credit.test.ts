import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { creditPolicyOf } from '../master/index.ts';
import { type CreditAsk, decideCredit, exposureOf, type Standing } from './decide-credit.ts';

const MINUTE = 60_000;

function standing(over: Partial<Standing> = {}): Standing {
  return {
    holderId: 1,
    currency: 'GBP',
    limitMinor: 10_000,
    openOrdersMinor: 2_000,
    openInvoicesMinor: 3_000,
    belowMinor: 0,
    foreignBelow: 0,
    claimedMinor: 1_000,
    cachedMinor: 0,
    asOf: '2026-03-02T10:00:00.000Z',
    ageMs: 0,
    ...over,
  };
}
const ask = (amountMinor: number, over: Partial<CreditAsk> = {}): CreditAsk => ({
  accountId: 1,
  amountMinor,
  currency: 'GBP',
  ...over,
});
const policy = creditPolicyOf({
  freshMs: MINUTE,
  cached: { orderMinorMax: 1_500, totalMinorMax: 2_000, ageMinutesMax: 60 },
});
/** `accepted live`, `refused over_credit`. */
const shown = (over: Partial<Standing>, amountMinor: number, asked: Partial<CreditAsk> = {}) => {
  const decision = decideCredit(standing(over), policy, ask(amountMinor, asked));
  return decision.decision === 'accepted'
    ? `accepted ${decision.basis}${decision.overByMinor > 0 ? ` over by ${decision.overByMinor}` : ''}`
    : `refused ${decision.reason}`;
};

describe('an order', () => {
  it.each([
    ['up to the last penny is within', {}, 4_000, 'accepted live'],
    ['one penny more is over', {}, 4_001, 'refused over_credit'],
    ['no limit is none', { limitMinor: null }, 9_000_000, 'accepted live'],
    [
      'a limit of 0 is a limit',
      { limitMinor: 0, openOrdersMinor: 0, openInvoicesMinor: 0, claimedMinor: 0 },
      1,
      'refused over_credit',
    ],
    ['what was paid ahead counts for the account', { openInvoicesMinor: -5_000 }, 12_000, 'accepted live'],
    ['what is reported of accounts below counts', { belowMinor: 3_000 }, 1_001, 'refused over_credit'],
    ['up to what they leave', { belowMinor: 3_000 }, 1_000, 'accepted live'],
    ['of which one is in another currency', { foreignBelow: 1 }, 1, 'refused other_currency'],
    ['already over, by what was invoiced', { openInvoicesMinor: 30_000 }, 1, 'refused over_credit'],
    ['in another currency', { currency: 'EUR' }, 1, 'refused other_currency'],
    ['never reported', { asOf: null, ageMs: null, limitMinor: null }, 1, 'refused credit_unknown'],
    ['on a report of just the age that is live', { ageMs: MINUTE }, 4_000, 'accepted live'],
    ['on a cached report, within its bounds', { ageMs: MINUTE + 1 }, 1_500, 'accepted cached'],
    ['on a cached report, too large an order', { ageMs: MINUTE + 1 }, 1_501, 'refused credit_unknown'],
    ['on a cached report, too much in all', { ageMs: MINUTE + 1, cachedMinor: 600 }, 1_401, 'refused credit_unknown'],
    [
      'on a cached report, the last of all that may be',
      { ageMs: MINUTE + 1, cachedMinor: 600 },
      1_400,
      'accepted cached',
    ],
    ['on a report that is too old', { ageMs: 60 * MINUTE + 1 }, 1, 'refused credit_unknown'],
    ['on a report that is just not too old', { ageMs: 60 * MINUTE }, 1, 'accepted cached'],
    ['beyond limit and bounds says the limit', { ageMs: MINUTE + 1 }, 4_001, 'refused over_credit'],
  ] as const)('%s', (_, over, amountMinor, expected) => expect(shown(over, amountMinor)).toBe(expected));

  it('goes beyond the limit and what is known when a person says so, and it says by how much', () => {
    expect(shown({}, 4_250, { isOverridden: true })).toBe('accepted live over by 250');
    expect(shown({ asOf: null, ageMs: null, limitMinor: null }, 5, { isOverridden: true })).toBe('accepted cached');
    expect(shown({ currency: 'EUR' }, 1, { isOverridden: true })).toBe('refused other_currency');
  });

  it('of which a part was accepted before is one order for what may be taken on a cached report', () => {
    expect(shown({ ageMs: MINUTE + 1 }, 500, { orderMinor: 1_501 })).toBe('refused credit_unknown');
    expect(shown({ ageMs: MINUTE + 1 }, 500, { orderMinor: 1_500 })).toBe('accepted cached');
  });

  it('says what was known: basis, limit, exposure, as of when, how old', () => {
    expect(decideCredit(standing({ ageMs: 90_500 }), policy, ask(700))).toEqual({
      decision: 'accepted',
      overByMinor: 0,
      basis: 'cached',
      holderId: 1,
      amountMinor: 700,
      currency: 'GBP',
      limitMinor: 10_000,
      exposureMinor: 6_000,
      asOf: '2026-03-02T10:00:00.000Z',
      ageSeconds: 90,
    });
  });
});

const standings = fc.record({
  holderId: fc.constant(1),
  currency: fc.constant('GBP'),
  limitMinor: fc.option(fc.integer({ min: 0, max: 50_000 }), { nil: null }),
  openOrdersMinor: fc.integer({ min: 0, max: 30_000 }),
  openInvoicesMinor: fc.integer({ min: -5_000, max: 30_000 }),
  belowMinor: fc.integer({ min: -5_000, max: 30_000 }),
  foreignBelow: fc.constant(0),
  claimedMinor: fc.integer({ min: 0, max: 30_000 }),
  cachedMinor: fc.integer({ min: 0, max: 5_000 }),
  asOf: fc.constant('2026-03-02T10:00:00.000Z'),
  ageMs: fc.integer({ min: 0, max: 120 * MINUTE }),
});

describe('whatever is known', () => {
  it('orders taken one after the other never pass the limit, nor what may be taken on cached credit', () => {
    fc.assert(
      fc.property(standings, fc.array(fc.integer({ min: 1, max: 9_000 }), { maxLength: 12 }), (start, amounts) => {
        const now = { ...start };
        for (const amountMinor of amounts) {
          const decision = decideCredit(now, policy, ask(amountMinor));
          if (decision.decision === 'refused') continue;
          now.claimedMinor += amountMinor;
          if (decision.basis === 'cached') now.cachedMinor += amountMinor;
        }
        if (now.claimedMinor > start.claimedMinor && now.limitMinor !== null)
          expect(exposureOf(now)).toBeLessThanOrEqual(now.limitMinor);
        if (now.cachedMinor > start.cachedMinor) expect(now.cachedMinor).toBeLessThanOrEqual(2_000);
      }),
    );
  });

  it('more room never refuses what less room accepted', () => {
    fc.assert(
      fc.property(standings, fc.integer({ min: 1, max: 9_000 }), fc.nat(9_000), (start, amountMinor, freed) => {
        if (decideCredit(start, policy, ask(amountMinor)).decision === 'refused') return;
        const roomier = { ...start, openInvoicesMinor: start.openInvoicesMinor - freed };
        expect(decideCredit(roomier, policy, ask(amountMinor)).decision).toBe('accepted');
      }),
    );
  });
});
