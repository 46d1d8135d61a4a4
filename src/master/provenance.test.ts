import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Owners } from '../canonical/index.ts';
import { isSameValue, keepSaid, momentOf, PERSON, Provenance, type Saying, weigh } from './provenance.ts';

const SYSTEMS = ['crm', 'erp', 'shop'];
const at = (n: number) => momentOf(new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString());

/** A record as the database keeps it: read, weighed, written. */
class Held {
  values: Record<string, unknown> = {};
  #said = '{}';
  #setBy = '{}';

  get provenance() {
    return new Provenance(JSON.parse(this.#said), JSON.parse(this.#setBy));
  }

  say(saying: Saying, owners: Owners = {}) {
    const { provenance } = this;
    const weighed = weigh('product', this.values, provenance, saying, owners);
    for (const [field, value] of weighed.apply) {
      this.values[field] = value;
      provenance.set(saying.system, field);
    }
    keepSaid('product', provenance, saying, owners, new Set());
    this.#said = JSON.stringify(provenance.said);
    this.#setBy = JSON.stringify(provenance.setters);
    return weighed;
  }
}

const change = (system: string, second: number, fields: Record<string, unknown>): Saying => ({
  ...{ system, at: at(second), fields },
});

/** Each of them another value, so that every one is a change. */
const changes = fc
  .array(
    fc.record({ system: fc.constantFrom(...SYSTEMS), second: fc.nat(30), field: fc.constantFrom('unit', 'kit') }),
    {
      maxLength: 12,
    },
  )
  .map((list) => {
    const seen = new Set<string>();
    // A system says one thing of a field in one moment.
    return list
      .filter((one) => {
        const key = JSON.stringify(one);
        return !seen.has(key) && seen.add(key);
      })
      .map(({ system, second, field }, n) => change(system, second, { [field]: `value ${n}` }));
  });
const shuffled = changes.chain((list) =>
  fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }), fc.array(fc.nat(20))),
);

function newest(list: readonly Saying[], field: string): unknown {
  const of = list.filter((one) => one.fields[field] !== undefined);
  of.sort((a, b) => (a.at! < b.at! || (a.at === b.at && a.system < b.system) ? -1 : 1));
  return of.at(-1)?.fields[field];
}

describe('of what systems say of a field', () => {
  it('the newest holds, in whatever order and however often it arrives', () => {
    fc.assert(
      fc.property(shuffled, ([list, order, repeats]) => {
        const held = new Held();
        for (const one of order) held.say(one);
        for (const n of repeats) if (order.length > 0) held.say(order[n % order.length]!);
        for (const field of ['unit', 'kit']) expect(held.values[field]).toBe(newest(list, field));
      }),
    );
  });

  it('only the word of its owner counts, whatever the others say and when', () => {
    fc.assert(
      fc.property(shuffled, fc.constantFrom(...SYSTEMS), ([list, order], owner) => {
        const held = new Held();
        const owners = { product: 'nobody', 'product.unit': owner, 'product.kit': owner };
        for (const one of order) {
          const { notOwned } = held.say(one, owners);
          const [[field, said]] = Object.entries(one.fields) as [[string, unknown]];
          expect(notOwned.map((not) => [not.field, not.owner, not.said])).toEqual(
            one.system === owner || isSameValue(held.values[field], said) ? [] : [[field, owner, said]],
          );
        }
        const own = list.filter((one) => one.system === owner);
        for (const field of ['unit', 'kit']) expect(held.values[field]).toBe(newest(own, field));
      }),
    );
  });

  it('what is held already changes nothing, whoever says it and when: no value, and whose it is', () => {
    fc.assert(
      fc.property(shuffled, fc.constantFrom(...SYSTEMS), fc.nat(60), ([, order], system, second) => {
        const held = new Held();
        for (const one of order) held.say(one);
        const before = { values: { ...held.values }, setters: held.provenance.setters };
        const weighed = held.say(change(system, second, { ...held.values }), { product: 'another' });
        expect([weighed.apply, weighed.notOwned]).toEqual([[], []]);
        expect({ values: held.values, setters: held.provenance.setters }).toEqual(before);
      }),
    );
  });

  it('a field that is not said is not touched', () => {
    const held = new Held();
    held.say(change('erp', 1, { unit: 'each', kit: 'a' }));
    held.say(change('erp', 2, { unit: undefined, kit: 'b' }));
    expect(held.values).toEqual({ unit: 'each', kit: 'b' });
    // What it said of the one field later says nothing of the other.
    held.say(change('erp', 1, { unit: 'box', kit: 'c' }));
    expect(held.values).toEqual({ unit: 'box', kit: 'b' });
  });
});

describe('what a person puts', () => {
  const person = (fields: Record<string, unknown>): Saying => ({ system: PERSON, at: null, fields });

  it('holds until a system says something later than any did before', () => {
    const held = new Held();
    held.say(change('erp', 5, { unit: 'each' }));
    held.say(person({ unit: 'box' }));
    held.say(change('erp', 5, { unit: 'each' }));
    held.say(change('crm', 4, { unit: 'bag' }));
    expect(held.values.unit).toBe('box');
    held.say(change('crm', 6, { unit: 'bag' }));
    expect([held.values.unit, held.provenance.setBy('unit')]).toEqual(['bag', 'crm']);
  });

  it('is not taken of a field that a system owns, unless it is what is held', () => {
    const held = new Held();
    held.say(change('erp', 5, { unit: 'each' }));
    const owners = { 'product.unit': 'erp' };
    expect(held.say(person({ unit: 'box', kit: 'a' }), owners)).toMatchObject({
      apply: [['kit', 'a']],
      notOwned: [{ field: 'unit', owner: 'erp', held: 'each', said: 'box' }],
    });
    expect(held.say(person({ unit: 'each' }), owners)).toMatchObject({ same: ['unit'], notOwned: [] });
  });

  it('put in the name of its owner gives way to the owner’s next word', () => {
    const held = new Held();
    const owners = { product: 'erp' };
    held.say(change('erp', 5, { unit: 'each' }), owners);
    held.say({ ...person({ unit: 'box' }), system: 'erp' }, owners);
    expect(held.values.unit).toBe('box');
    held.say(change('erp', 4, { unit: 'late' }), owners);
    expect(held.values.unit).toBe('box');
    held.say(change('erp', 6, { unit: 'bag' }), owners);
    expect(held.values.unit).toBe('bag');
  });
});

it('who said it before this was kept is overtaken by whoever says something later', () => {
  const said = { '': { [at(5)]: ['*'] } };
  const question = { system: 'erp', owner: undefined, isSame: false, field: 'unit' };
  const weighed = (second: number) =>
    weigh('product', { unit: 'x' }, new Provenance(said), change('erp', second, { unit: 'y' }), {}).apply.length;
  expect([weighed(4), weighed(5), weighed(6)]).toEqual([0, 1, 1]);
  expect(new Provenance(said).lastSaid(question.field)).toBe(at(5));
});

it('moments are told apart to the microsecond, and times beyond the calendar are refused', () => {
  expect(momentOf('2026-03-01T10:00:00.123456+01:00')).toBe('2026-03-01T09:00:00.123456Z');
  expect(momentOf('2026-03-01T09:00:00Z') < momentOf('2026-03-01T09:00:00.000001Z')).toBe(true);
  for (const time of ['yesterday', '+012026-01-01T00:00:00Z', '0000-01-01T00:00:00Z'])
    expect(() => momentOf(time)).toThrow(/no time of the years/);
});
