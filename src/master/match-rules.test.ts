import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decideMatch,
  type MatchRecord,
  type MatchRule,
  matchKeysOf,
  normalised,
  scoreOf,
  similarity,
} from './match-rules.ts';

const rules: MatchRule[] = [
  { by: 'exact', field: 'taxId' },
  { by: 'normalised', fields: ['name', 'postalCode'] },
  { by: 'scored', weights: { name: 3, postalCode: 1, email: 2 }, same: 0.95, unsure: 0.6 },
];
const ours = (code: string, record: MatchRecord) => ({ code, record });
const muller = ours('A1', { name: 'Müller & Söhne GmbH & Co. KG', postalCode: '10115', taxId: 'DE 123 456 789' });
const smith = ours('A2', { name: 'Smith Ltd.', postalCode: 'SW1A 1AA', email: 'buy@smith.example' });

describe('names', () => {
  test.each([
    ['Müller & Söhne GmbH & Co. KG', 'MUELLER UND SOEHNE'],
    ['Smith Ltd.', 'smith limited'],
    ['Société Générale S.A.', 'Societe Generale SA'],
    ['Weiß G.m.b.H.', 'WEISS GmbH'],
    ['Ø-Bageri ApS', 'o bageri'],
  ])('%s is %s', (one, other) => expect(normalised('name', one)).toBe(normalised('name', other)));

  test('that are nothing but a legal form stay what they are', () => {
    expect(normalised('name', 'Co. KG')).not.toBe('');
    expect(normalised('name', ' - ')).toBe('');
  });
});

describe('a record', () => {
  const decided = (record: MatchRecord, candidates = [muller, smith]) => {
    const verdict = decideMatch(rules, record, candidates);
    if (verdict.verdict === 'same') return ['same', verdict.match.candidate.code, verdict.match.rule];
    return verdict.verdict === 'unsure'
      ? ['unsure', ...verdict.matches.map(({ candidate }) => candidate.code)]
      : ['new'];
  };
  test.each<[string, MatchRecord, string[]]>([
    ['the same tax id, written otherwise', { name: 'Whoever', taxId: 'de123456789' }, ['same', 'A1', 'exact']],
    ['name and postal code, normalised', { name: 'Mueller u. Soehne', postalCode: 'D-10115' }, ['unsure', 'A1']],
    ['name and postal code alike', { name: 'Mueller und Soehne', postalCode: '10115' }, ['same', 'A1', 'normalised']],
    [
      'a name with a slip, same e-mail',
      { name: 'Smiht Ltd', email: 'BUY@smith.example', postalCode: 'SW1A1AA' },
      ['unsure', 'A2'],
    ],
    ['the same name elsewhere', { name: 'Smith', postalCode: 'M1 1AE' }, ['new']],
    ['another', { name: 'Jones', postalCode: '99999' }, ['new']],
    ['nothing at all', {}, ['new']],
  ])('with %s', (_, record, expected) => expect(decided(record)).toEqual(expected));

  test('that two have the same tax id of is for a person', () => {
    const twin = ours('A0', { name: 'Other', taxId: 'DE123456789' });
    expect(decided({ taxId: 'DE123456789' }, [muller, twin])).toEqual(['unsure', 'A0', 'A1']);
  });

  test('that two are surely alike is for a person', () => {
    const twin = ours('A0', { ...smith.record });
    expect(decided({ name: 'Smith Ltd', email: 'buy@smith.example' }, [smith, twin])[0]).toBe('unsure');
  });
});

const text = fc.oneof(fc.string(), fc.constantFrom('Müller GmbH', 'Mueller', 'Smith', 'smith ltd', '10115', ''));
const record = fc.record({ name: text, taxId: text, email: text, postalCode: text }, { requiredKeys: [] });
const weights = fc.record({ name: fc.nat(5), email: fc.nat(5), postalCode: fc.nat(5), taxId: fc.nat(5) });

describe('always', () => {
  test('a score is between 0 and 1, the same both ways and every time, and 1 of a record with itself', () => {
    fc.assert(
      fc.property(record, record, weights, (one, other, by) => {
        const score = scoreOf(by, one, other);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        expect(scoreOf(by, other, one)).toBe(score);
        expect(scoreOf(by, one, other)).toBe(score);
        const self = scoreOf(by, one, one);
        expect(self === 0 || self === 1).toBe(true);
      }),
    );
  });

  test('likeness is symmetric and bounded, and 1 only where the same pairs of letters stand', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        expect(similarity(one, other)).toBe(similarity(other, one));
        expect(similarity(one, other)).toBeLessThanOrEqual(1);
        expect(similarity(one, one)).toBe(one === '' ? 0 : 1);
      }),
    );
  });

  test('the order of candidates decides nothing, and what is the same one way is so the other way', () => {
    fc.assert(
      fc.property(record, fc.array(record, { maxLength: 6 }), (one, others) => {
        const candidates = others.map((other, i) => ours(`A${i}`, other));
        const verdict = decideMatch(rules, one, candidates);
        expect(decideMatch(rules, one, candidates.toReversed())).toEqual(verdict);
        for (const candidate of candidates) {
          const there = decideMatch(rules, one, [candidate]).verdict;
          expect(decideMatch(rules, candidate.record, [ours('B', one)]).verdict).toBe(there);
        }
      }),
    );
  });

  test('records that a rule calls the same have a key in common, so that they find each other', () => {
    fc.assert(
      fc.property(record, record, (one, other) => {
        if (decideMatch(rules.slice(0, 2), one, [ours('A', other)]).verdict !== 'same') return;
        const keys = new Set(matchKeysOf(one));
        expect(matchKeysOf(other).some((key) => keys.has(key))).toBe(true);
      }),
    );
  });

  test('products are compared by number and by words, none of which is a legal form', () => {
    expect(normalised('gtin', '4006381333931')).toBe('04006381333931');
    expect(normalised('gtin', '4006381333932')).toBe('');
    expect(normalised('description', 'Lämp, CO & AG  set')).toBe('lamp co ag set');
    const exact: MatchRule = { by: 'exact', field: 'gtin' };
    const one = { code: 'A', record: { description: 'Lamp', gtin: '04006381333931' } };
    expect(decideMatch([exact], { gtin: '4006381333931' }, [one])).toMatchObject({ verdict: 'same' });
    // A number with a wrong check digit is none, and no number is nobody's.
    expect(decideMatch([exact], { gtin: '4006381333932' }, [one])).toEqual({ verdict: 'new' });
    expect(decideMatch([exact], { description: 'Lamp' }, [one])).toEqual({ verdict: 'new' });
    expect(matchKeysOf({ description: 'Lamp', gtin: '4006381333931' })).toEqual([
      'description:lamp',
      'word:lamp',
      'gtin:04006381333931',
    ]);
  });

  test('a normalised text is normalised', () => {
    fc.assert(
      fc.property(fc.constantFrom('taxId', 'email', 'postalCode'), fc.string(), (field, value) => {
        const once = normalised(field as 'taxId', value);
        expect(normalised(field as 'taxId', once)).toBe(once);
      }),
    );
  });
});
