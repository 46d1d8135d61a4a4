import type { InboundItem } from '../../canonical/index.ts';
import { mapDemand, soldLine, type Whose } from '../kit/index.ts';

/** What buyers did in the shop, from its feed or its webhook: orders it has sold already, and cancels. */
export function mapEvents(records: readonly unknown[], whose: Whose): InboundItem[] {
  return mapDemand(records, whose, soldLine);
}
