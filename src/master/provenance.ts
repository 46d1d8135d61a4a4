/**
 * Who said which field of a record when, and whose value holds. Pure.
 *
 * Two kinds of order are kept apart. What one system says of a field is ordered by that system's own times, whatever arrives when.
 * Between systems the value of the one that changed it last holds, unless one of them owns the field: then only its word counts. A system
 * that says what is held already has not changed anything, so it takes the value over from nobody: what is read back from a system that
 * was told is no change (an echo).
 */
import { fail, type Owners, ownerOf } from '../canonical/index.ts';

/** By system, by time, the fields it said last at that time. */
export type Said = Record<string, Record<string, string[]>>;
/** By field, the system whose value holds. */
export type SetBy = Record<string, string>;

/** Whoever writes without being a system. No system may be called so. */
export const PERSON = 'person';
/** Whoever said it before this was kept, of every field. */
const BEFORE = '';
const EVERY = '*';

/** To the microsecond, in a form that compares as text. @throws XD_VALUE_INVALID beyond the years 1 to 9999 */
export function momentOf(time: string): string {
  const ms = Date.parse(time);
  const iso = Number.isNaN(ms) ? '' : new Date(ms).toISOString();
  if (!/^\d{4}-/.test(iso) || iso.startsWith('0000'))
    fail('XD_VALUE_INVALID', `${JSON.stringify(time.slice(0, 40))} is no time of the years 1 to 9999`, {
      place: 'changedAt',
    });
  const micros = (/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(6, '0').slice(3, 6);
  return `${iso.slice(0, -1)}${micros}Z`;
}

export class Provenance {
  readonly #at = new Map<string, Map<string, string>>();
  readonly #setBy: Map<string, string>;
  readonly #hadSaid: boolean;

  constructor(said: Said = {}, setBy: SetBy = {}) {
    for (const [system, times] of Object.entries(said)) {
      const own = new Map<string, string>();
      for (const [at, fields] of Object.entries(times)) for (const field of fields) own.set(field, at);
      this.#at.set(system, own);
    }
    this.#setBy = new Map(Object.entries(setBy));
    this.#hadSaid = this.#at.has(BEFORE);
  }

  /** When it said the field last. */
  saidAt(system: string, field: string): string | undefined {
    const own = this.#at.get(system);
    return own?.get(field) ?? own?.get(EVERY);
  }

  /** When any system said it last. */
  lastSaid(field: string): string | undefined {
    let last: string | undefined;
    for (const system of this.#at.keys()) {
      const at = this.saidAt(system, field);
      if (at !== undefined && (last === undefined || at > last)) last = at;
    }
    return last;
  }

  /** Whose value it is; undefined: nobody ever set it. */
  setBy(field: string): string | undefined {
    return this.#setBy.get(field) ?? (this.#hadSaid ? BEFORE : undefined);
  }

  /** @returns whether that was news */
  say(system: string, field: string, at: string): boolean {
    const before = this.saidAt(system, field);
    if (before !== undefined && before >= at) return false;
    const own = this.#at.get(system) ?? new Map<string, string>();
    this.#at.set(system, own);
    own.set(field, at);
    return true;
  }

  set(system: string, field: string): void {
    this.#setBy.set(field, system);
  }

  get said(): Said {
    const said: Said = {};
    for (const [system, fields] of [...this.#at].sort(([a], [b]) => compare(a, b))) {
      const times: Record<string, string[]> = {};
      for (const [field, at] of [...fields].sort(([a], [b]) => compare(a, b))) {
        const same = times[at];
        if (same === undefined) times[at] = [field];
        else same.push(field);
      }
      said[system] = times;
    }
    return said;
  }

  get setters(): SetBy {
    return Object.fromEntries([...this.#setBy].sort(([a], [b]) => compare(a, b)));
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What a system, or a person, says of one record. */
export interface Saying {
  /** PERSON: nobody's. */
  system: string;
  /** A {@link momentOf}; null: it holds from now on, until its system says something later than it did before. */
  at: string | null;
  /** By field; what is undefined is not said. */
  fields: Readonly<Record<string, unknown>>;
}

/** same: it is held already; older: something later is known; not_owner: another system owns it; apply: it holds from now on. */
export type FieldDecision = 'same' | 'older' | 'not_owner' | 'apply';

export interface FieldQuestion {
  system: string;
  at: string | null;
  owner: string | undefined;
  isSame: boolean;
  field: string;
}

export function decideField(provenance: Provenance, question: FieldQuestion): FieldDecision {
  const { system, at, owner, isSame, field } = question;
  if (isSame) return 'same';
  if (owner !== undefined && owner !== system) return 'not_owner';
  if (at === null) return 'apply';
  const own = provenance.saidAt(system, field);
  if (own !== undefined && at < own) return 'older';
  const holder = provenance.setBy(field);
  if (holder === undefined || holder === system) return 'apply';
  // Its owner's word, against what a person or another system put there: only if it is a later one than it gave before.
  if (owner === system) return own === undefined || at > own ? 'apply' : 'older';
  const held = holder === PERSON ? undefined : provenance.saidAt(holder, field);
  if (held === undefined) {
    const last = provenance.lastSaid(field);
    return last === undefined || at > last ? 'apply' : 'older';
  }
  if (holder === BEFORE) return at >= held ? 'apply' : 'older';
  // In one moment the order of names decides, so that what arrives first does not.
  return at > held || (at === held && system > holder) ? 'apply' : 'older';
}

/** Values as they are compared: in one form, so that what is written differently is not different. */
export function isSameValue(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

export interface NotOwned {
  field: string;
  owner: string;
  held: unknown;
  said: unknown;
}

export interface Weighed {
  /** Fields that hold from now on, with their values. */
  apply: [field: string, value: unknown][];
  /** Fields that are said as they are held. */
  same: string[];
  notOwned: NotOwned[];
}

/** Weighs all that is said of one record. Changes nothing. */
export function weigh(
  domain: string,
  held: Readonly<Record<string, unknown>>,
  provenance: Provenance,
  saying: Saying,
  owners: Owners,
): Weighed {
  const weighed: Weighed = { apply: [], same: [], notOwned: [] };
  const { system, at } = saying;
  for (const [field, said] of Object.entries(saying.fields)) {
    if (said === undefined) continue;
    const owner = ownerOf(owners, domain, field);
    const isSame = isSameValue(held[field], said);
    const decision = decideField(provenance, { system, at, owner, isSame, field });
    if (decision === 'apply') weighed.apply.push([field, said]);
    else if (decision === 'same') weighed.same.push(field);
    else if (decision === 'not_owner') weighed.notOwned.push({ field, owner: owner!, held: held[field], said });
  }
  return weighed;
}

/** Keeps that it was said, of what counts: of fields that another owns nothing is kept. @returns whether that was news */
export function keepSaid(
  domain: string,
  provenance: Provenance,
  saying: Saying,
  owners: Owners,
  except: ReadonlySet<string>,
): boolean {
  if (saying.at === null) return false;
  let isNews = false;
  for (const [field, said] of Object.entries(saying.fields)) {
    if (said === undefined || except.has(field)) continue;
    const owner = ownerOf(owners, domain, field);
    if (owner !== undefined && owner !== saying.system) continue;
    if (provenance.say(saying.system, field, saying.at)) isNews = true;
  }
  return isNews;
}
