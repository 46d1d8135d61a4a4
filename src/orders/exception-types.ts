/** What an order can't have as it was ordered. Pure data. */

/** oversold: its channel sold them by itself; short: whoever ordered lets other SKUs be sent, or wants to be asked. */
export type ExceptionKind = 'oversold' | 'short';
/** What becomes of units that an order can't have as they were ordered. */
export type ExceptionPolicy = 'backorder' | 'cancel' | 'substitute' | 'hold';

/** Where an exception's units went; those that are held wait for a person. */
export interface ExceptionUnits {
  held: number;
  backordered: number;
  cancelled: number;
  substituted: number;
}

/** What an order can't have as it was ordered. units = held + backordered + cancelled + substituted, always; open while units are held. */
export interface OrderException extends ExceptionUnits {
  exceptionId: number;
  kind: ExceptionKind;
  lineNo: number;
  skuId: number;
  policy: ExceptionPolicy;
  units: number;
  resolvedBy: string | null;
  reason: string | null;
}

/** A line that delivers another SKU at the ordered line's price. */
export interface StandIn {
  lineNo: number;
  standsFor: number;
  skuId: number;
  quantity: number;
  unitPrice: string;
  /** Absent: 1. */
  pricePer?: number;
  amountMinor: number;
}

/** As the estate declares it. `policy` undefined: as onShort says. */
export interface Oversold {
  policy: ExceptionPolicy | undefined;
  /** For units that no substitute covers. */
  otherwise: Exclude<ExceptionPolicy, 'substitute'>;
}
