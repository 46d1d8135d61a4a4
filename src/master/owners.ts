/**
 * Who owns which field, as the last start declared it. Read in the transaction that writes: what the database says holds for every process
 * at once, also for a command that has no estate file at hand.
 */
import { type MasterDomain, type Owners, type Ownership, ownerOf } from '../canonical/index.ts';
import type { Queryable } from '../store/index.ts';
import { readOwners } from './owners.sql.ts';
import { PERSON } from './provenance.ts';

export interface OwnerRules {
  owners: Owners;
  ownership: Readonly<Record<string, Ownership>>;
}

export async function readOwnerRules(db: Queryable): Promise<OwnerRules> {
  const rules = Object.fromEntries((await db.query(readOwners)).map((row) => [row.name, row.settings]));
  return { owners: (rules.owners ?? {}) as Owners, ownership: (rules.ownership ?? {}) as OwnerRules['ownership'] };
}

/** What becomes of a value that another system than the owner says. What a person says is refused: they see it at once. */
export function policyOf(rules: OwnerRules, domain: MasterDomain, system: string): Ownership {
  return system === PERSON ? 'refuse' : (rules.ownership[domain] ?? 'refuse');
}

/** Whether this system may bring a record that nobody knew: the owner of the whole domain decides what there is. */
export function mayCreate({ owners }: OwnerRules, domain: MasterDomain, system: string): boolean {
  const owner = ownerOf(owners, domain);
  return owner === undefined || owner === system;
}
