/**
 * Whether two records are the same one: exact, normalised and scored rules. Pure; the same for a and b as for b and a, and the same every
 * time. Scores lie between 0 and 1 and decide nothing but whether a person is asked.
 */
import { gtin14Of } from '../canonical/index.ts';

/** What is compared. Absent and empty say nothing. */
export interface MatchRecord {
  name?: string;
  taxId?: string;
  email?: string;
  postalCode?: string;
  description?: string;
  gtin?: string;
}
export type MatchField = keyof MatchRecord;
/** By kind of record. */
export const matchFields = {
  account: ['name', 'taxId', 'email', 'postalCode'],
  product: ['description', 'gtin'],
} as const satisfies Record<string, readonly MatchField[]>;
export type MatchKind = keyof typeof matchFields;
export const matchKinds = Object.keys(matchFields) as MatchKind[];
const allFields = [...matchFields.account, ...matchFields.product];
/** Those that are words: likeness counts, and they are found by their beginnings. */
const isText = (field: MatchField) => field === 'name' || field === 'description';

export type MatchRule =
  | { by: 'exact'; field: MatchField }
  | { by: 'normalised'; fields: readonly MatchField[] }
  /** From `same` on they are one; from `unsure` on a person is asked; below it they are two. */
  | { by: 'scored'; weights: Partial<Record<MatchField, number>>; same: number; unsure: number };

export interface Scored<C> {
  candidate: C;
  rule: MatchRule['by'];
  score: number;
}
export type Verdict<C> =
  | { verdict: 'same'; match: Scored<C> }
  | { verdict: 'unsure'; matches: Scored<C>[] }
  | { verdict: 'new' };

export const CANDIDATES_MAX = 20;

/** Words that say what a firm is in law, not which one it is. */
const LEGAL_FORMS = new Set(
  `ab ag aps as asa bhd bv bvba co company corp corporation doo eg ek ev gbr gesmbh gmbh inc incorporated kft kg kgaa lda limited llc llp
   ltd mbh na nv oe og ohg oy oyj plc pte pty pvt sa sarl sas sas sdn se sl sp sprl spa spol srl sro ug und and et y e zoo`.split(
    /\s+/,
  ),
);

/** As {@link plainWordsOf}, without legal form. */
export function wordsOf(text: string): string[] {
  const words = plainWordsOf(text);
  const named = words.filter((word) => !LEGAL_FORMS.has(word));
  // A firm may be called nothing else.
  return named.length === 0 ? words : named;
}

/** Words in lower case without marks and punctuation; ue, oe and ae are ü, ö and ä. */
function plainWordsOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      .replaceAll('ß', 'ss')
      .normalize('NFKD')
      .replaceAll(/\p{M}/gu, '')
      .replaceAll('ø', 'o')
      .replaceAll('æ', 'a')
      .replaceAll('ł', 'l')
      // "S. A." and "G.m.b.H." are written with and without.
      .replaceAll(/(?<=\b\p{L})\.\s?(?=\p{L}\b)/gu, '')
      .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
      .replaceAll(/([aou])e/g, '$1')
      .trim()
      .split(' ')
      .filter((word) => word !== '')
  );
}

export function normalised(field: MatchField, value: string | undefined): string {
  if (value === undefined) return '';
  if (field === 'name') return wordsOf(value).join(' ');
  if (field === 'description') return plainWordsOf(value).join(' ');
  if (field === 'gtin') return gtin14Of(value) ?? '';
  if (field === 'email') return value.trim().toLowerCase();
  return value.toUpperCase().replaceAll(/[^\p{L}\p{N}]+/gu, '');
}

/** Of two texts: twice the pairs of letters that they share, in parts of all that they have. Words in any order. */
export function similarity(one: string, other: string): number {
  if (one === other) return one === '' ? 0 : 1;
  const [a, b] = [pairsOf(one), pairsOf(other)];
  let shared = 0;
  let all = 0;
  for (const [pair, count] of a) {
    all += count;
    shared += Math.min(count, b.get(pair) ?? 0);
  }
  for (const count of b.values()) all += count;
  return all === 0 ? 0 : (2 * shared) / all;
}

function pairsOf(text: string): Map<string, number> {
  const pairs = new Map<string, number>();
  for (const word of text.split(' ')) {
    const letters = [...` ${word} `];
    if (word !== '')
      for (let i = 0; i + 1 < letters.length; i++) {
        const pair = letters[i]! + letters[i + 1]!;
        pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
      }
  }
  return pairs;
}

/** How like two records are by these weights. A field that only one of them has counts against them; one that neither has doesn't count. */
export function scoreOf(weights: Partial<Record<MatchField, number>>, one: MatchRecord, other: MatchRecord): number {
  let reached = 0;
  let possible = 0;
  for (const field of allFields) {
    const weight = weights[field] ?? 0;
    const [a, b] = [normalised(field, one[field]), normalised(field, other[field])];
    if (weight === 0 || (a === '' && b === '')) continue;
    possible += weight;
    if (a !== '' && b !== '') reached += weight * (isText(field) ? similarity(a, b) : a === b ? 1 : 0);
  }
  return possible === 0 ? 0 : Math.min(1, reached / possible);
}

/** The first rule that finds something decides; where it finds several, a person does. */
export function decideMatch<C extends { record: MatchRecord; code: string }>(
  rules: readonly MatchRule[],
  record: MatchRecord,
  candidates: readonly C[],
): Verdict<C> {
  for (const rule of rules) {
    if (rule.by === 'scored') {
      const scored = candidates
        .map((candidate) => ({ candidate, rule: rule.by, score: scoreOf(rule.weights, record, candidate.record) }))
        .filter(({ score }) => score >= rule.unsure)
        .sort((a, b) => b.score - a.score || (a.candidate.code < b.candidate.code ? -1 : 1))
        .slice(0, CANDIDATES_MAX);
      const sure = scored.filter(({ score }) => score >= rule.same);
      if (sure.length === 1) return { verdict: 'same', match: sure[0]! };
      if (scored.length > 0) return { verdict: 'unsure', matches: scored };
      continue;
    }
    const fields = rule.by === 'exact' ? [rule.field] : rule.fields;
    const wanted = fields.map((field) => valueBy(rule, field, record));
    if (wanted.includes('')) continue;
    const equal = candidates
      .filter((candidate) => fields.every((field, i) => valueBy(rule, field, candidate.record) === wanted[i]))
      .map((candidate) => ({ candidate, rule: rule.by, score: 1 }))
      .sort((a, b) => (a.candidate.code < b.candidate.code ? -1 : 1));
    if (equal.length === 1) return { verdict: 'same', match: equal[0]! };
    if (equal.length > 1) return { verdict: 'unsure', matches: equal.slice(0, CANDIDATES_MAX) };
  }
  return { verdict: 'new' };
}

/** Exact is what people type: an e-mail's case and the spaces of a tax id are none of it. */
function valueBy(rule: MatchRule, field: MatchField, record: MatchRecord): string {
  return rule.by === 'exact' && isText(field) ? (record[field] ?? '').trim() : normalised(field, record[field]);
}

/** What a record is found by: records without one in common are no candidates of each other. */
export function matchKeysOf(record: MatchRecord): string[] {
  const keys: string[] = [];
  for (const field of allFields) {
    const value = normalised(field, record[field]);
    if (value === '') continue;
    keys.push(`${field}:${value}`);
    if (!isText(field)) continue;
    // The beginnings of words, so that an ending that differs hides nobody.
    for (const word of new Set(value.split(' '))) if (word.length >= 3) keys.push(`word:${word.slice(0, 4)}`);
  }
  return keys.map((key) => key.slice(0, 200));
}
