/**
 * What a system was told and then shows is no change of its own: an echo. Pure.
 *
 * It is told one value after another and shows some of them, later and in its own time. A value that it was told and has not shown since is an
 * echo, and so is nothing that it was told before that: a newer one took its place there. What it shows that it was not told is a change, made
 * after all that it was told until then. Its own times order what it shows, as a webhook may come late.
 */
import { priceMicros } from '../canonical/index.ts';

/** [value, when it was told], oldest first. */
export type Told = [value: string, at: string][];

export const TOLD_MAX = 16;
/** After this long an echo is no longer expected: the value was never shown, or by nobody who tells us. */
export const TOLD_MS_MAX = 3_600_000;

export interface Exchange {
  told: Told;
  /** The newest of what it said; '': nothing. */
  saidAt: string;
}

export type Heard = 'older' | 'echo' | 'change';

/** @param at a moment of the system's clock */
export function hear(exchange: Exchange, value: string, at: string): { heard: Heard; after: Exchange } {
  const { told, saidAt } = exchange;
  if (at < saidAt) return { heard: 'older', after: exchange };
  const found = told.findIndex(([one]) => one === value);
  if (found >= 0) return { heard: 'echo', after: { told: told.slice(found + 1), saidAt: at } };
  return { heard: 'change', after: { told: told.filter(([, when]) => when > at), saidAt: at } };
}

export function tell(told: Told, value: string, at: string): Told {
  const last = told.at(-1);
  // Said again because it is not known whether it arrived.
  const before = last?.[0] === value ? told.slice(0, -1) : told;
  const oldest = Date.parse(at) - TOLD_MS_MAX;
  return [...before.filter(([, when]) => Date.parse(when) >= oldest), [value, at] as Told[number]].slice(-TOLD_MAX);
}

/** One text for one price, however it is written. */
export function priceText(unitPrice: string, pricePer = 1): string {
  const micros = String(priceMicros(unitPrice));
  return pricePer === 1 ? micros : `${micros}/${pricePer}`;
}
