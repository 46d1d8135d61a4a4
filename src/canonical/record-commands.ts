/** What systems say of their records: products, accounts, prices, and what accounts owe. */
import type { OrderRounding, PackLevel } from './units.ts';

/** A product as its system has it. Of two, the one that changed later holds, in whatever order they arrive; so with what follows. */
export interface ProductChanged {
  kind: 'product.changed';
  sku: string;
  description?: string;
  unit?: string;
  /** Of its trade item; one SKU has it. '': it has none any more. Absent: nothing is said of it; so with all that follows. */
  gtin?: string;
  /** phase_out: what is left is sold, nothing waits for more; discontinued: no order takes it any more. */
  lifecycle?: Lifecycle;
  /** Of one base unit; null: it is not known any more. */
  weightG?: number | null;
  lengthMm?: number | null;
  widthMm?: number | null;
  heightMm?: number | null;
  /** All that it is made of; none: it is no kit any more. */
  kit?: KitComponent[];
  /** All that may be sent instead of it, best first. */
  substitutes?: string[];
  /** All units beside the base unit: what isn't among them any more has ended. Absent: nothing is said of them. */
  units?: ProductUnit[];
  /** In base units. */
  orderMultiple?: number;
  orderMinimum?: number;
  /** What becomes of a line that is something else. */
  orderRounding?: OrderRounding;
  changedAt: string;
}

/** One `unit` is numerator / denominator (default 1) base units. */
export interface ProductUnit {
  unit: string;
  packLevel: PackLevel;
  numerator: number;
  denominator?: number;
  gtin?: string;
}

export const LIFECYCLES = ['active', 'phase_out', 'discontinued'] as const;
export type Lifecycle = (typeof LIFECYCLES)[number];

/** So many base units of it are in one base unit of the kit. */
export interface KitComponent {
  sku: string;
  quantity: number;
}

export interface AccountChanged {
  kind: 'account.changed';
  account: string;
  company: string;
  channel?: string;
  name?: string;
  /** The account above it, of the same company; null: there is none. Absent: nothing is said of it; so with all that follows. */
  parent?: string | null;
  paymentTerms?: string | null;
  /** Why its orders and those of all accounts below it are held; null: they are not. */
  hold?: string | null;
  priceList?: string | null;
  priorityClass?: PriorityClass;
  shipComplete?: boolean;
  region?: string | null;
  /** All of them. */
  addresses?: AccountAddress[];
  /** By these it is matched with accounts of other systems, where the estate says so. Absent: nothing is said of it. */
  taxId?: string;
  email?: string;
  postalCode?: string;
  changedAt: string;
}

/** Who gains and who loses when stock is short, first to last. */
export const PRIORITY_CLASSES = ['win', 'gain', 'redistribute', 'fill', 'lose'] as const;
export type PriorityClass = (typeof PRIORITY_CLASSES)[number];

/** Where goods go, by the account's own code for it. */
export interface AccountAddress {
  code: string;
  name?: string;
  lines: string[];
  city?: string;
  postalCode?: string;
  /** ISO 3166, two letters. */
  country: string;
}

/** An account that its system has replaced by another of the same company: what comes for it from now on is the other's. */
export interface AccountMerged {
  kind: 'account.merged';
  account: string;
  company: string;
  into: string;
  changedAt: string;
}

/** A unit price from a quantity on. */
export interface PriceTier {
  /** In base units. */
  quantityMin: number;
  unitPrice: string;
}

export interface PriceChanged {
  kind: 'price.changed';
  sku: string;
  company: string;
  currency: string;
  /** From 1 on. */
  unitPrice: string;
  /** By quantity, all of them, also the one from 1 on: what isn't among them any more has ended. Absent: nothing is said of other quantities. */
  tiers?: PriceTier[];
  /** What it, and each tier's, is the price of: `pricePer` (default 1) of `unit` (default: the SKU's base unit). */
  unit?: string;
  pricePer?: number;
  priceList?: string;
  /** A day, YYYY-MM-DD. */
  validFrom?: string;
  /** The last day; absent: until the next one of its kind begins. */
  validTo?: string;
  changedAt: string;
}

/** What was agreed with an account for some time. It keeps its account and currency for ever. */
export interface ContractChanged {
  kind: 'contract.changed';
  company: string;
  account: string;
  contract: string;
  /** Default: the company's. */
  currency?: string;
  /** A day, YYYY-MM-DD; absent: it has always been valid. */
  validFrom?: string;
  /** The last day; absent: it has no end yet. */
  validTo?: string;
  /** All prices of it: what is not among them any more has ended. Absent: nothing is said of them. */
  prices?: ContractPriceChanged[];
  changedAt: string;
}

export interface ContractPriceChanged {
  sku: string;
  unitPrice: string;
  /** From how many base units on; default 1. */
  quantityMin?: number;
  /** What it is the price of: `pricePer` (default 1) of `unit` (default: the SKU's base unit). */
  unit?: string;
  pricePer?: number;
}

export type RecordChanged = ProductChanged | AccountChanged | AccountMerged | PriceChanged | ContractChanged;

/** What an account owes and may owe, as its ERP has it at one moment. Of two the one of the later moment holds. */
export interface CreditReported {
  kind: 'credit.reported';
  account: string;
  company: string;
  currency: string;
  /** null: it has none of its own. */
  limitMinor: number | null;
  openOrdersMinor: number;
  /** Below 0: paid ahead. */
  openInvoicesMinor: number;
  asOf: string;
  /** Orders of ours that the amounts contain, as `<channel>/<number>`; absent: the source can't say which. */
  orders?: string[];
  /**
   * Lines that were added to orders of ours once it had them, and that the amounts contain, as `<channel>/<number>#<line>`. An order that is
   * only named may be contained without them.
   */
  orderLines?: string[];
}
