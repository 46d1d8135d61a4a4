/** What may happen in a run. Numbers named `nth` choose among what there is, so that any part of a run is a run. */
import fc from 'fast-check';

export type Step =
  | { do: 'receive'; sku: number; place: number; units: number }
  | { do: 'lose'; sku: number; place: number; units: number }
  /** `channel`: 0 asks for no credit, 1 does. */
  | { do: 'order'; channel: number; lines: { sku: number; units: number; price: string }[] }
  | { do: 'cancel'; nth: number; line: number; units: number; twice: boolean }
  | { do: 'cancel_whole'; nth: number; twice: boolean }
  | {
      do: 'change';
      nth: number;
      /** 0: the channel gives it none. */
      number: number;
      isWhole: boolean;
      isPartial: boolean;
      twice: boolean;
      /** `line` beyond those there are: a new one, with a number or without. */
      lines: { line: number; units: number; sku: number | null; price: string | null; isNumbered: boolean }[];
    }
  | { do: 'hold'; nth: number }
  | { do: 'release'; nth: number }
  | { do: 'backorders' }
  | { do: 'tell' }
  | { do: 'pick'; nth: number; units: number }
  | { do: 'ship'; nth: number; units: number }
  | { do: 'miss'; nth: number; units: number }
  | { do: 'send_back'; nth: number; line: number; units: number; twice: boolean }
  | { do: 'inspect'; nth: number; isQuarantined: boolean; restock: number; scrap: number; quarantine: number }
  | { do: 'report'; limit: number; open: number; shows: boolean[] }
  | { do: 'refund'; nth: number; line: number; units: number }
  | { do: 'invoice'; nth: number }
  | { do: 'give_back'; nth: number; units: number }
  | { do: 'deliver'; nth: number; times: number }
  | { do: 'deliver_again'; nth: number };

const nth = fc.nat(20);
const units = fc.integer({ min: 1, max: 9 });
const sku = fc.nat(1);
const place = fc.nat(1);
// Thirds of a penny, prices that round up and down, one that is whole.
const price = fc.constantFrom('1.00', '2.55', '0.333333', '0.005', '12.345', '7.1');

const rarely = fc.nat(7).map((n) => n === 7);
const wish = fc.record({
  ...{ line: fc.nat(4), units: fc.nat(12), isNumbered: fc.boolean() },
  ...{ sku: fc.option(sku, { freq: 2 }), price: fc.option(price) },
});

function step<S extends Step>(
  weight: number,
  arbitrary: fc.Arbitrary<S>,
): { weight: number; arbitrary: fc.Arbitrary<Step> } {
  return { weight, arbitrary };
}
const kind = <K extends Step['do']>(name: K) => fc.constant(name);

const few = fc.nat(3);

/** At least 30 steps. */
const list: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    step(4, fc.record({ do: kind('receive'), sku, place, units: fc.integer({ min: 1, max: 15 }) })),
    step(1, fc.record({ do: kind('lose'), sku, place, units })),
    step(
      5,
      fc.record({
        ...{ do: kind('order'), channel: fc.nat(1) },
        lines: fc.array(fc.record({ sku, units, price }), { minLength: 1, maxLength: 3 }),
      }),
    ),
    step(4, fc.record({ do: kind('cancel'), nth, line: fc.nat(2), units, twice: fc.boolean() })),
    step(1, fc.record({ do: kind('cancel_whole'), nth, twice: fc.boolean() })),
    step(
      6,
      fc.record({
        ...{ do: kind('change'), nth, number: fc.nat(4), isWhole: rarely, isPartial: fc.boolean(), twice: rarely },
        lines: fc.array(wish, { minLength: 1, maxLength: 2 }),
      }),
    ),
    step(1, fc.record({ do: kind('hold'), nth })),
    step(2, fc.record({ do: kind('release'), nth })),
    step(2, fc.record({ do: kind('backorders') })),
    step(4, fc.record({ do: kind('pick'), nth, units })),
    step(2, fc.record({ do: kind('miss'), nth, units: fc.integer({ min: 1, max: 4 }) })),
    step(4, fc.record({ do: kind('ship'), nth, units })),
    step(2, fc.record({ do: kind('invoice'), nth })),
    step(1, fc.record({ do: kind('refund'), nth, line: fc.nat(2), units })),
    step(
      2,
      fc.record({ do: kind('send_back'), nth, line: fc.nat(2), units: fc.integer({ min: 1, max: 4 }), twice: rarely }),
    ),
    step(3, fc.record({ do: kind('give_back'), nth, units })),
    step(2, fc.record({ do: kind('inspect'), nth, isQuarantined: rarely, restock: few, scrap: few, quarantine: few })),
    step(
      1,
      fc.record({
        ...{ do: kind('report'), limit: fc.integer({ min: 0, max: 20_000 }), open: fc.nat(6_000) },
        shows: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
      }),
    ),
    step(9, fc.record({ do: kind('deliver'), nth, times: fc.integer({ min: 1, max: 2 }) })),
    step(1, fc.record({ do: kind('deliver_again'), nth })),
  ),
  { minLength: 32, maxLength: 56 },
);

/** Runs that are played beside each other: all systems are told at the same moments of all of them. */
export function runsOf(seed: number, runs: number, together: number): Step[][][] {
  const groups: Step[][][] = [];
  const lists = fc.sample(list, { seed, numRuns: runs });
  const moments = fc.sample(fc.array(fc.nat(12), { minLength: 56, maxLength: 56 }), { seed, numRuns: runs });
  for (let i = 0; i < runs; i += together) {
    const told = moments[i]!;
    groups.push(
      lists
        .slice(i, i + together)
        .map((steps) => steps.flatMap((one, n): Step[] => (told[n] === 0 ? [one, { do: 'tell' }] : [one]))),
    );
  }
  return groups;
}
