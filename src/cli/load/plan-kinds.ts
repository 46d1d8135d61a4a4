/** What can be planned: master data, and what other rooms bring. */
import { fail } from '../../canonical/index.ts';
import { kindsWith } from '../../master/index.ts';
import { pricingKinds } from '../../pricing/index.ts';
import type { KindName } from './kinds.ts';

export const kindOf = kindsWith(pricingKinds);

/** Each row is a fact under its own key. */
const FACTS: readonly KindName[] = ['stock', 'supplies', 'credit', 'orders'];

/** @throws XD_VALUE_INVALID */
export function planKindOf(name: KindName): KindName {
  if (FACTS.includes(name))
    fail(
      'XD_VALUE_INVALID',
      `there is no plan for ${name}: each row is a fact under its own key, taken once and never changed`,
      { place: 'kind' },
    );
  return kindOf(name).name as KindName;
}
