import type { InboundItem } from '../../canonical/index.ts';
import { mapDemand, soldLine, type Whose } from '../kit/index.ts';

/** What buyers did on the marketplace: orders it has sold already, and cancels. */
export function mapOrders(records: readonly unknown[], whose: Whose): InboundItem[] {
  return mapDemand(records, whose, soldLine);
}
