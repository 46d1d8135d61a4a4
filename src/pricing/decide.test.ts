/** Contract over account list over channel list over base; tiers; validity; currency; and what each answer says of the others. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayIn } from './day.ts';
import { decidePrice } from './decide.ts';
import { type Asked, type Candidate, NEVER_BEGAN, NO_END, type PriceRow, priceSources } from './types.ts';

const asked: Asked = { quantity: 10, day: '2026-03-10', currency: 'GBP' };
const row = (unitPrice: string, rest: Partial<PriceRow> = {}): PriceRow => ({
  ...{ currency: 'GBP', quantityMin: 1, unitPrice, pricePer: 1, validFrom: NEVER_BEGAN, validTo: NO_END, whole: false },
  ...rest,
});
const list = (source: Candidate['source'], rows: PriceRow[], rest: Partial<Candidate> = {}): Candidate => ({
  ...{ source, name: source, distance: 0, accountId: null, contract: null, rows },
  ...rest,
});
const contract = (rows: PriceRow[], from: string, to: string, rest: Partial<Candidate> = {}): Candidate =>
  list(
    'contract',
    rows.map((one) => ({ ...one, validFrom: from, validTo: to })),
    { name: 'C1', accountId: 7, contract: { currency: 'GBP', validFrom: from, validTo: to }, ...rest },
  );
const whys = (candidates: Candidate[], of: Partial<Asked> = {}) => {
  const { price, looks } = decidePrice({ ...asked, ...of }, candidates);
  return [price?.unitPrice ?? null, ...looks.map(({ source, why }) => `${source} ${why}`)];
};

describe('precedence', () => {
  const base = list('base', [row('10')]);
  const channel = list('channel_list', [row('9')]);
  const own = list('account_list', [row('8')]);
  const agreed = contract([row('12')], '2026-01-01', '2026-12-31');

  it('a contract wins over the account’s list, that over the channel’s, that over base, also where it is dearer', () => {
    expect(whys([base, channel, own, agreed])).toEqual([
      '12',
      'contract used',
      'account_list outranked',
      'channel_list outranked',
      'base outranked',
    ]);
    expect(whys([base, channel, own])[0]).toBe('8');
    expect(whys([channel, base])[0]).toBe('9');
  });

  it('an expired contract is not used, and says so', () => {
    const old = contract([row('1')], '2025-01-01', '2026-03-09');
    expect(whys([base, old])).toEqual(['10', 'contract contract_expired', 'base used']);
    const { looks } = decidePrice(asked, [base, old]);
    expect(looks[0]).toMatchObject({ name: 'C1', validTo: '2026-03-09', unitPrice: '1' });
    expect(whys([base, contract([row('1')], '2026-03-11', NO_END)])).toEqual([
      '10',
      'contract contract_not_started',
      'base used',
    ]);
  });

  it('its own contract comes before its parent’s, which comes before any list', () => {
    const parents = contract([row('7')], NEVER_BEGAN, NO_END, { name: 'P', distance: 1, accountId: 8 });
    expect(whys([own, parents, agreed])[0]).toBe('12');
    expect(whys([own, parents])[0]).toBe('7');
  });

  it('a price in another currency is none: nothing is converted', () => {
    const dollars = contract([row('1', { currency: 'USD' })], NEVER_BEGAN, NO_END);
    dollars.contract!.currency = 'USD';
    expect(whys([dollars, list('base', [row('1', { currency: 'EUR' })])])).toEqual([
      null,
      'contract other_currency',
      'base other_currency',
    ]);
  });

  it('what has no price of the SKU, or from a higher quantity on only, is passed over', () => {
    expect(whys([list('account_list', []), list('channel_list', [row('5', { quantityMin: 11 })]), base])).toEqual([
      '10',
      'account_list not_named',
      'channel_list below_quantity',
      'base used',
    ]);
  });
});

describe('tiers and days', () => {
  it('the highest tier that the quantity reaches, and the next one', () => {
    const tiers = [row('10'), row('9', { quantityMin: 12 }), row('7', { quantityMin: 144 })];
    const at = (quantity: number) => decidePrice({ ...asked, quantity }, [list('base', tiers)]).price!;
    expect([1, 11, 12, 143, 144, 1_000_000].map((quantity) => at(quantity).unitPrice)).toEqual([
      '10',
      '10',
      '9',
      '9',
      '7',
      '7',
    ]);
    expect(at(12).next).toEqual({ quantityMin: 144, unitPrice: '7', pricePer: 1 });
    expect(at(144).next).toBeNull();
  });

  it('a price holds on its first and on its last day, and on no other', () => {
    const dated = list('base', [row('5', { validFrom: '2026-03-10', validTo: '2026-03-12' })]);
    const on = (day: string) => whys([dated], { day });
    expect(on('2026-03-09')).toEqual([null, 'base price_not_started']);
    expect(on('2026-03-10')[0]).toBe('5');
    expect(on('2026-03-12')[0]).toBe('5');
    expect(on('2026-03-13')).toEqual([null, 'base price_expired']);
  });

  it('a price of one quantity from a later day on leaves the tiers of before: a sync that sends none drops none', () => {
    const before = [row('10'), row('8', { quantityMin: 100 })];
    const later = row('11', { validFrom: '2026-01-01' });
    const at = (quantity: number, rows: PriceRow[]) => whys([list('base', rows)], { quantity })[0];
    expect([at(1, [...before, later]), at(100, [...before, later])]).toEqual(['11', '8']);
    // Said as all there are: the tiers of before have ended with it.
    const whole = { ...later, whole: true };
    expect([at(1, [...before, whole]), at(100, [...before, whole])]).toEqual(['11', '11']);
  });

  it('midnight is the company’s, on the days on which clocks change, too', () => {
    const at = (moment: string) => dayIn('Europe/London', moment);
    // Winter: UTC. Clocks go forward on 29 March 2026, back on 25 October 2026.
    expect([at('2026-03-28T23:59:59.999Z'), at('2026-03-29T00:00:00.000Z')]).toEqual(['2026-03-28', '2026-03-29']);
    expect([at('2026-03-29T22:59:59.999Z'), at('2026-03-29T23:00:00.000Z')]).toEqual(['2026-03-29', '2026-03-30']);
    expect([at('2026-10-24T22:59:59.999Z'), at('2026-10-24T23:00:00.000Z')]).toEqual(['2026-10-24', '2026-10-25']);
    // The hour that comes twice is one day both times.
    expect([at('2026-10-25T00:30:00Z'), at('2026-10-25T01:30:00Z')]).toEqual(['2026-10-25', '2026-10-25']);
    expect([at('2026-10-25T23:59:59.999Z'), at('2026-10-26T00:00:00.000Z')]).toEqual(['2026-10-25', '2026-10-26']);
    // Where a midnight is left out: Chile's clocks go from 24:00 to 01:00.
    expect(dayIn('America/Santiago', '2026-09-06T04:00:00Z')).toBe('2026-09-06');
    expect(dayIn('America/Santiago', '2026-09-06T03:59:59Z')).toBe('2026-09-05');
  });
});

describe('for any candidates', () => {
  const day = fc.integer({ min: 1, max: 28 }).map((n) => `2026-03-${String(n).padStart(2, '0')}`);
  const from = fc.oneof(day, fc.constant(NEVER_BEGAN));
  const to = fc.oneof(day, fc.constant(NO_END));
  const anyRow: fc.Arbitrary<PriceRow> = fc.record({
    currency: fc.constantFrom('GBP', 'EUR'),
    quantityMin: fc.integer({ min: 1, max: 20 }),
    unitPrice: fc.integer({ min: 0, max: 99 }).map(String),
    pricePer: fc.integer({ min: 1, max: 12 }),
    validFrom: from,
    validTo: to,
    whole: fc.boolean(),
  });
  const anyCandidate: fc.Arbitrary<Candidate> = fc.record({
    source: fc.constantFrom(...priceSources),
    name: fc.constantFrom('a', 'b', 'c'),
    distance: fc.integer({ min: 0, max: 2 }),
    accountId: fc.constant(null),
    contract: fc.oneof(
      fc.constant(null),
      fc.record({ currency: fc.constantFrom('GBP', 'EUR'), validFrom: from, validTo: to }),
    ),
    rows: fc.array(anyRow, { maxLength: 8 }),
  });
  const some = fc.uniqueArray(anyCandidate, {
    maxLength: 6,
    selector: ({ source, distance, contract, name }) => `${source} ${distance} ${contract?.validFrom} ${name}`,
  });
  const question = fc.record({ quantity: fc.integer({ min: 1, max: 25 }), day, currency: fc.constant('GBP') });

  it('the order in which they are given decides nothing', () => {
    fc.assert(
      fc.property(some, question, fc.infiniteStream(fc.nat()), (candidates, of, chance) => {
        const next = chance[Symbol.iterator]();
        const shuffle = <T>(items: readonly T[]) =>
          items
            .map((item) => ({ item, at: next.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ item }) => item);
        const other = shuffle(candidates).map((one) => ({ ...one, rows: shuffle(one.rows) }));
        expect(decidePrice(of, other)).toEqual(decidePrice(of, candidates));
      }),
    );
  });

  it('every candidate is looked at once, at most one is used, and it is valid, in the currency, and of a stronger source than all that are outranked', () => {
    fc.assert(
      fc.property(some, question, (candidates, of) => {
        const { price, looks } = decidePrice(of, candidates);
        expect(looks.length).toBe(candidates.length);
        const used = looks.filter(({ why }) => why === 'used');
        expect(used.length).toBe(price === null ? 0 : 1);
        const rank = looks.findIndex(({ why }) => why === 'used');
        looks.forEach(({ why }, i) => {
          if (why === 'outranked') expect(i).toBeGreaterThan(rank);
          if (price === null) expect(why).not.toBe('outranked');
        });
        if (price === null) return;
        expect(price.currency).toBe(of.currency);
        expect(price.quantityMin <= of.quantity).toBe(true);
        expect(price.validFrom <= of.day && of.day <= price.validTo).toBe(true);
        if (price.next !== null) expect(price.next.quantityMin).toBeGreaterThan(of.quantity);
      }),
    );
  });

  it('a higher quantity never reaches a lower tier of the same source', () => {
    fc.assert(
      fc.property(some, question, fc.integer({ min: 0, max: 10 }), (candidates, of, more) => {
        const one = decidePrice(of, candidates).price;
        const other = decidePrice({ ...of, quantity: of.quantity + more }, candidates).price;
        // What has a price from a lower quantity on has one from there on.
        if (one === null) return;
        expect(other).not.toBeNull();
        if (one.source === other!.source && one.name === other!.name)
          expect(other!.quantityMin).toBeGreaterThanOrEqual(one.quantityMin);
      }),
    );
  });
});
