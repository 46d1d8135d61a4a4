import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type NestedQuota, nestingFaults } from './quota-nesting.ts';

let ids = 0;
const quota = (more: Partial<NestedQuota> = {}): NestedQuota => ({
  ...{ quotaId: ++ids, channelId: 1, region: null, accountId: null, ringFenced: 0, cap: null, from: 0, to: 100 },
  ...more,
});
const all = (quotas: readonly NestedQuota[]) => new Set(quotas.map(({ quotaId }) => quotaId));
const rules = (...quotas: NestedQuota[]) =>
  nestingFaults(quotas, all(quotas)).map(({ rule, units, most }) => [rule, units, most]);
const [n, account] = [{ region: 'n' }, { region: 'n', accountId: 7 }];

it.each([
  ['a cap within the cap above', [quota({ cap: 5 }), quota({ ...n, cap: 5 })], []],
  ['a cap over the cap above', [quota({ cap: 5 }), quota({ ...n, cap: 6 })], [['cap_over_cap', 6, 5]]],
  ['a cap over one two above', [quota({ cap: 5 }), quota(n), quota({ ...account, cap: 6 })], [['cap_over_cap', 6, 5]]],
  ['parts of what is kept above', [quota({ ringFenced: 5 }), quota({ ...n, ringFenced: 5 })], []],
  [
    'more in all than is kept above',
    [quota({ ringFenced: 5 }), quota({ ...n, ringFenced: 3 }), quota({ region: 's', ringFenced: 3 })],
    [['kept_over_kept', 6, 5]],
  ],
  ['kept below one that is kept nothing', [quota({ cap: 9 }), quota({ ...n, ringFenced: 5 })], []],
  ['more than may be promised', [quota({ cap: 4 }), quota({ ...account, ringFenced: 5 })], [['kept_over_cap', 5, 4]]],
  [
    'an account in its region',
    [quota({ ...n, ringFenced: 4 }), quota({ ...account, ringFenced: 5 })],
    [['kept_over_kept', 5, 4]],
  ],
  ['other channels', [quota({ cap: 4 }), quota({ ...n, channelId: 2, ringFenced: 5 })], []],
  ['one after the other', [quota({ cap: 4, to: 50 }), quota({ ...n, cap: 5, from: 50 })], []],
  ['a moment together', [quota({ cap: 4, to: 51 }), quota({ ...n, cap: 5, from: 50 })], [['cap_over_cap', 5, 4]]],
])('%s: %#', (_, quotas, faults) => {
  expect(rules(...quotas)).toEqual(faults);
});

it('is a fault only of what is written, at whatever moment', () => {
  const [top, first, second] = [
    quota({ ringFenced: 5 }),
    quota({ ...n, ringFenced: 6, to: 50 }),
    quota({ ...n, ringFenced: 7, from: 50 }),
  ] as const;
  const faultsOf = (...written: NestedQuota[]) => nestingFaults([top, first, second], all(written));
  expect(faultsOf(top).map(({ units }) => units)).toEqual([6]);
  expect(faultsOf(second)).toMatchObject([{ quotaId: second.quotaId, above: top.quotaId, units: 7 }]);
  expect(faultsOf()).toEqual([]);
  const beside = quota({ region: 's', ringFenced: 1, to: 50 });
  expect(nestingFaults([top, first, beside], all([first]))).toMatchObject([{ quotaId: first.quotaId, units: 7 }]);
});

it('is found at any moment at which it is so, and only then', () => {
  const some = fc.uniqueArray(
    fc.record({
      place: fc.constantFrom(
        ...[
          { region: null, accountId: null },
          { region: 'n', accountId: null },
          { region: 's', accountId: null },
        ],
      ),
      begin: fc.integer({ min: 0, max: 5 }),
      last: fc.integer({ min: 1, max: 5 }),
      ringFenced: fc.integer({ min: 0, max: 6 }),
      cap: fc.option(fc.integer({ min: 6, max: 12 })),
    }),
    { maxLength: 3, selector: ({ place }) => place.region },
  );
  fc.assert(
    fc.property(some, (list) => {
      const quotas = list.map(({ place, begin, last, ...rest }) =>
        quota({ ...place, ...rest, from: begin, to: begin + last }),
      );
      const bad = Array.from({ length: 12 }, (_, moment) => {
        const at = quotas.filter(({ from, to }) => from <= moment && moment < to);
        const top = at.find(({ region }) => region === null);
        const below = at.filter(({ region }) => region !== null);
        if (top === undefined) return false;
        const kept = below.reduce((sum, { ringFenced }) => sum + ringFenced, 0);
        return (
          below.some(({ cap }) => cap !== null && top.cap !== null && cap > top.cap) ||
          (top.cap !== null && kept > top.cap) ||
          (top.ringFenced > 0 && kept > top.ringFenced)
        );
      });
      expect(nestingFaults(quotas, all(quotas)).length > 0).toBe(bad.includes(true));
    }),
    { numRuns: 500 },
  );
});
