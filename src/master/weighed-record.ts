/** One record while a batch weighs what is said of it, in the order in which it was said. Pure. */
import type { MasterDomain } from '../canonical/index.ts';
import { type Finding, notOwnerFinding } from './findings.ts';
import { type OwnerRules, policyOf } from './owners.ts';
import { keepSaid, Provenance, type Said, type Saying, type SetBy, weigh } from './provenance.ts';
import type { Moot, Queued } from './stewardship.ts';

/** For the steward: what was queued, and what is settled by what was said. */
export interface ForSteward {
  queued: Queued[];
  moot: Moot[];
}

export class WeighedRecord {
  readonly values: Record<string, unknown>;
  readonly provenance: Provenance;
  /** Fields whose value is another than before. */
  readonly changed = new Set<string>();
  /** Whether it is known of later than before that something was said. */
  isNews = false;
  /** The newest time that counts; null: none does. */
  at: string | null = null;

  constructor(values: Record<string, unknown>, said: Said, setBy: SetBy) {
    this.values = values;
    this.provenance = new Provenance(said, setBy);
  }

  get isChanged(): boolean {
    return this.changed.size > 0 || this.isNews;
  }

  /**
   * @param check why a value that would hold can't be taken, e.g. because it names something nobody knows
   * @param whole nothing of it is taken where something can't be
   */
  weigh(
    id: { domain: MasterDomain; companyId: number | null; record: string },
    saying: Saying,
    rules: OwnerRules,
    { check, whole }: { check: (field: string, value: unknown) => Finding | undefined; whole: boolean },
    steward: ForSteward,
  ): Finding[] {
    const { domain } = id;
    const { system, at } = saying;
    const weighed = weigh(domain, this.values, this.provenance, saying, rules.owners);
    const findings: Finding[] = [];
    const open = new Set<string>();
    const queued: Queued[] = [];
    for (const not of weighed.notOwned) {
      if (policyOf(rules, domain, system) === 'refuse') findings.push(notOwnerFinding(system, not));
      else queued.push({ ...id, ...not, system, at });
    }
    for (const [field, value] of weighed.apply) {
      const finding = check(field, value);
      if (finding === undefined) continue;
      findings.push(finding);
      open.add(field);
    }
    if (whole && findings.length > 0) return findings;
    for (const [field, value] of weighed.apply) {
      if (open.has(field)) continue;
      this.values[field] = value;
      this.changed.add(field);
      this.provenance.set(system, field);
    }
    if (keepSaid(domain, this.provenance, saying, rules.owners, open)) this.isNews = true;
    const counts = this.isNews || weighed.apply.length > open.size;
    if (counts && at !== null && (this.at === null || at > this.at)) this.at = at;
    steward.queued.push(...queued);
    if (at !== null && rules.ownership[domain] === 'steward')
      steward.moot.push(...weighed.same.map((field) => ({ ...id, field, system, at })));
    return findings;
  }
}
