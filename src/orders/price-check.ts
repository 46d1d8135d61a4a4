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

/** A line that gets the decided price when its hold is released. */
export interface RepricedLine {
  lineNo: number;
  unitPrice: string;
  /** Base units that the price is for; absent: 1. */
  pricePer?: number;
  /** Of the whole line, as it was ordered, and of what of it was cancelled. */
  amountMinor: number;
  cancelledMinor: number;
  /** What it cost before. */
  beforeMinor: number;
  askedPrice: string;
  askedPer: number;
  source: PriceSource;
  name: string;
}
