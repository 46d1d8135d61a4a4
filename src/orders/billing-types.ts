/** How charges and tax of an order come to be paid, in parts that add up to what was agreed. Pure data. */
import type { OrderCharge } from './charge-types.ts';

/** An amount and the tax beside it. */
export interface Taxed {
  amountMinor: number;
  taxMinor: number;
}

/** A part of a charge that goes with an event. */
export interface ChargePart extends Taxed {
  chargeNo: number;
  /** Of what came back: what the ERP is asked to credit, where it isn't the amount: some of it was credited before. */
  askedMinor?: number;
  askedTaxMinor?: number;
}

/** What is kept back of a credit. */
export interface RestockingFee extends Taxed {
  code: string;
}

/** due + cancelled + what is still to come = the charge. */
export interface ChargeProgress extends OrderCharge {
  /** The ERP was told to invoice it, with what left. */
  due: Taxed;
  cancelled: Taxed;
  /** With what came back. */
  refunded: Taxed;
  /** By its documents. */
  invoiced: Taxed;
  credited: Taxed;
}

/** Only of an order with charges or taxes. */
export interface Billing {
  charges: Map<number, ChargeProgress>;
  /** Amounts of goods. `returnedMinor`: of those that are given back for money. */
  goods: { acceptedMinor: number; cancelledMinor: number; shippedMinor: number; returnedMinor: number };
  /** Tax of lines in documents. */
  lines: Map<number, { invoicedTaxMinor: number; creditedTaxMinor: number }>;
}

/** Whether a charge stays whole (it leaves with the first goods) or follows the goods, when units are cancelled, and when they come back. */
export interface ChargeRule {
  onCancel: 'keep' | 'share';
  onReturn: 'keep' | 'share';
}

/** Of a channel: what becomes of charges that are not taken off. */
export interface ChargePolicy {
  freight: ChargeRule;
  other: ChargeRule;
  restockingFee: { percent: string; code: string; exceptReasons: readonly string[] } | null;
}

/** A charge as an invoice or a credit note has it. */
export interface DocumentCharge {
  /** Of the order's own; null: it was not agreed with it. */
  chargeNo: number | null;
  kind: string | null;
  code: string | null;
  amountMinor: number;
  /** Absent: its source says no tax. */
  taxMinor?: number;
}

export interface DocumentLine {
  lineNo: number;
  quantity: number;
  amountMinor: number;
  taxMinor?: number;
}
