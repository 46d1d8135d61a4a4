/** What became of a line whose price is not the one decided here. Pure data. */
import type { PriceSource } from '../pricing/index.ts';

export interface PriceCheck {
  outcome: 'accepted' | 'repriced' | 'held';
  askedPrice: string;
  /** Base units that the asked price is for. */
  askedPer: number;
  /** null: there is no price. */
  decidedPrice: string | null;
  decidedPer: number | null;
  source: PriceSource | null;
  /** The contract's code, or the list's. */
  name: string | null;
}
