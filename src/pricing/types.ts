/** A price as it is decided, and what it is decided from. Pure data. Days are texts YYYY-MM-DD or an infinity, in order as texts. */

/** From the strongest to the weakest. */
export const priceSources = ['contract', 'account_list', 'channel_list', 'base'] as const;
export type PriceSource = (typeof priceSources)[number];

export const NEVER_BEGAN = '-infinity';
export const NO_END = 'infinity';

/** A unit price from a quantity on, in some days. */
export interface PriceRow {
  currency: string;
  /** Base units. */
  quantityMin: number;
  unitPrice: string;
  /** Base units that the unit price is for. */
  pricePer: number;
  validFrom: string;
  /** The last day. */
  validTo: string;
  /** The prices of its first day are all of the list: those of earlier days have ended with it. */
  whole: boolean;
}

/** A contract or a list that may have the price. */
export interface Candidate {
  source: PriceSource;
  /** The contract's code, or the list's. */
  name: string;
  /** Steps from the account to the one whose it is: 0 its own, 1 its parent's. */
  distance: number;
  /** Whose contract it is; null: it is a list. */
  accountId: number | null;
  /** Of a contract. */
  contract: { currency: string; validFrom: string; validTo: string } | null;
  /** Of this SKU, of any day and currency. */
  rows: readonly PriceRow[];
}

export interface Asked {
  /** Base units. */
  quantity: number;
  /** In the company's time zone. */
  day: string;
  currency: string;
}

/** Why a candidate gave the price or did not. */
export type LookReason =
  | 'used'
  /** It has a price, and a stronger one has, too. */
  | 'outranked'
  | 'contract_expired'
  | 'contract_not_started'
  | 'price_expired'
  | 'price_not_started'
  | 'other_currency'
  /** It has prices from a higher quantity on only. */
  | 'below_quantity'
  /** It has no price of this SKU. */
  | 'not_named';

export interface Look {
  source: PriceSource;
  name: string;
  accountId: number | null;
  why: LookReason;
  /** What it has: the price where there is one, else what stands nearest. */
  unitPrice: string | null;
  pricePer: number | null;
  currency: string | null;
  quantityMin: number | null;
  validFrom: string | null;
  validTo: string | null;
}

export interface DecidedPrice {
  unitPrice: string;
  pricePer: number;
  currency: string;
  source: PriceSource;
  /** The contract's code, or the list's. */
  name: string;
  /** Whose contract it is; null: it is a list. */
  accountId: number | null;
  quantityMin: number;
  validFrom: string;
  validTo: string;
  /** The tier that the next higher quantity reaches, in the same contract or list. */
  next: { quantityMin: number; unitPrice: string; pricePer: number } | null;
}

export interface PriceDecision {
  /** null: none of what was looked at has one. */
  price: DecidedPrice | null;
  /** In the order of precedence; empty: there was nothing to look at. */
  looks: Look[];
}
