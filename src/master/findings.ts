/** What of a record was not taken, and why. The rest of it is taken, unless whoever writes it wants all or nothing. */
import { type ErrorCode, fail } from '../canonical/index.ts';
import type { NotOwned } from './provenance.ts';

export interface Finding {
  /** As what it is set aside. */
  class:
    | 'not_owner'
    | 'unknown_account'
    | 'unknown_sku'
    | 'account_cycle'
    | 'account_depth'
    | 'kit_cycle'
    | 'kit_depth'
    | 'substitute_cycle'
    | 'substitute_chain'
    | 'price_overlap'
    | 'value_invalid'
    | 'gtin_taken'
    | 'unit_in_use';
  code: ErrorCode;
  field: string;
  reason: string;
  /** What lets it run when it comes. */
  waitKey?: string;
}

export type Findings<R> = Map<R, Finding[]>;

export function addFinding<R>(findings: Findings<R>, record: R, finding: Finding): void {
  const known = findings.get(record);
  if (known === undefined) findings.set(record, [finding]);
  else known.push(finding);
}

export function notOwnerFinding(system: string, { field, owner, held, said }: NotOwned): Finding {
  const reason = `${field} is owned by ${owner}; ${system} says ${shown(said)}, held is ${shown(held)}`;
  return { class: 'not_owner', code: 'XD_NOT_OWNER', field, reason };
}

/** @throws the first of them, by the place of its record: what a person puts is put whole or not at all */
export function failAtFirst<R>(findings: Findings<R>, records: readonly R[], list: string): void {
  for (const [i, record] of records.entries())
    for (const { code, field, reason } of findings.get(record) ?? []) {
      const place = `${list}[${i}].${field}`;
      fail(code, `${place}: ${reason}`, { place });
    }
}

export function shown(value: unknown): string {
  const text = JSON.stringify(value ?? null);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
