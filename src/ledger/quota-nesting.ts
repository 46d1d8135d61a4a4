/** Whether quotas of one SKU fit into those that they lie below. Pure. */
import { depthOf, placeOf, placesAbove, type QuotaAsker } from './quota-rule.ts';

export interface NestedQuota extends QuotaAsker {
  quotaId: number;
  ringFenced: number;
  cap: number | null;
  /** ms since 1970; `to` is not in it. */
  from: number;
  to: number;
}

export interface NestingFault {
  /** What doesn't fit, and where: of several below one, one of those that are written. */
  quotaId: number;
  above: number;
  rule: 'cap_over_cap' | 'kept_over_cap' | 'kept_over_kept';
  /** Of those below together where they are kept something, and the most that it may be. */
  units: number;
  most: number;
}

/**
 * At no moment may a cap be more than the cap above it, nor those below one node be kept more in all than it may be promised, or than it is
 * kept where it is kept something.
 * @param written only of these: where accounts have moved since, what was put before may not fit any more
 * @returns the faults of the first moment that has any
 */
export function nestingFaults(quotas: readonly NestedQuota[], written: ReadonlySet<number>): NestingFault[] {
  // What runs changes where one begins; where one ends there is less of it.
  for (const moment of [...new Set(quotas.map(({ from }) => from))].sort((a, b) => a - b)) {
    const running = quotas
      .filter(({ from, to }) => from <= moment && moment < to)
      .sort((a, b) => depthOf(a) - depthOf(b));
    const byPlace = new Map(running.map((quota) => [placeOf(quota), quota]));
    const faults: NestingFault[] = [];
    const below = new Map<NestedQuota, NestedQuota[]>();
    /** The least of the caps of a node and above it. */
    const capOf = new Map<NestedQuota, { cap: number; quotaId: number }>();
    for (const quota of running) {
      const above = byPlace.get(placesAbove(quota).find((place) => byPlace.has(place)) ?? '');
      const capAbove = above === undefined ? undefined : capOf.get(above);
      const { quotaId, cap } = quota;
      if (cap !== null && capAbove !== undefined && cap > capAbove.cap)
        faults.push({ quotaId, above: capAbove.quotaId, rule: 'cap_over_cap', units: cap, most: capAbove.cap });
      const least = cap !== null && cap <= (capAbove?.cap ?? cap) ? { cap, quotaId } : capAbove;
      if (least !== undefined) capOf.set(quota, least);
      if (above === undefined) continue;
      const list = below.get(above);
      if (list === undefined) below.set(above, [quota]);
      else list.push(quota);
    }
    for (const [above, list] of below) {
      const units = list.reduce((sum, { ringFenced }) => sum + ringFenced, 0);
      const { quotaId } = list.find((one) => one.ringFenced > 0 && written.has(one.quotaId)) ?? list[0]!;
      const cap = capOf.get(above);
      const fault = { quotaId, above: above.quotaId, units };
      if (cap !== undefined && units > cap.cap) faults.push({ ...fault, rule: 'kept_over_cap', most: cap.cap });
      else if (above.ringFenced > 0 && units > above.ringFenced)
        faults.push({ ...fault, rule: 'kept_over_kept', most: above.ringFenced });
    }
    const found = faults.filter(({ quotaId, above }) => written.has(quotaId) || written.has(above));
    if (found.length > 0) return found;
  }
  return [];
}
