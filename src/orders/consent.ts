/** What a channel that asks is short of, where whoever ordered lets other SKUs be sent instead, or wants to be asked. Pure, as `decide`. */
import type { Taker } from './taker.ts';
import type { DecideContext, ExceptionKind, Oversold } from './types.ts';

export type Consent = 'offer' | 'allow';

/** How units are decided that a line can't have as they were ordered. */
export interface ShortRule extends Oversold {
  kind: ExceptionKind;
}

/**
 * `allow`: as many as substitutes cover are sent; `offer`: as many as they could cover wait, and nothing of the order goes on until somebody
 * says what they are to be. What is left is as it would be without.
 * @param units neither there nor to come in time
 */
export function consented(
  skuId: number,
  units: number,
  isRefused: boolean,
  context: DecideContext,
  taker: Taker,
): { units: number; rule: ShortRule } {
  const otherwise = isRefused ? 'cancel' : 'backorder';
  if (context.consent === 'allow') return { units, rule: { kind: 'short', policy: 'substitute', otherwise } };
  let there = 0;
  for (const instead of context.substitutes(skuId)) there += taker.freeOf(instead);
  return { units: Math.min(units, there), rule: { kind: 'short', policy: 'hold', otherwise } };
}
