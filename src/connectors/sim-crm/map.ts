import type { InboundItem } from '../../canonical/index.ts';
import { askedLine, mapDemand, type Whose } from '../kit/index.ts';

/** Requests of salespeople: orders that ask before they promise, and cancels. */
export function mapRequests(records: readonly unknown[], whose: Whose): InboundItem[] {
  return mapDemand(records, whose, askedLine);
}
