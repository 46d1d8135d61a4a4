/** What an order costs beside its goods, and its tax. Pure data. */
import type { ChargeKind } from '../canonical/index.ts';

export interface OrderCharge {
  chargeNo: number;
  kind: ChargeKind;
  code: string;
  amountMinor: number;
  /** Its part of the order's tax. */
  taxMinor: number;
}

/** As whoever sold the order worked it out. */
export interface OrderTax {
  taxNo: number;
  /** Both null: of the whole order. */
  lineNo: number | null;
  chargeNo: number | null;
  code: string;
  rate: string;
  baseMinor: number;
  taxMinor: number;
  /** What our rounding rule makes of it; null: there is none. */
  ownMinor: number | null;
}

/** As an order is submitted with them. */
export interface Charged {
  charges: Omit<OrderCharge, 'taxMinor'>[];
  taxes: OrderTax[];
}
