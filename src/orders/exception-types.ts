/** What an order can't have as it was ordered. Pure data. */

/**
 * oversold: its channel sold them by itself; short: whoever ordered lets other SKUs be sent, or wants to be asked; short_picked: the WMS could not
 * find them.
 */
export type ExceptionKind = 'oversold' | 'short' | 'short_picked';
/** What becomes of units that an order can't have as they were ordered. */
export type ExceptionPolicy = 'resource' | 'backorder' | 'cancel' | 'substitute' | 'hold';

/** Where an exception's units went; those that are held wait for a person. */
export interface ExceptionUnits {
  held: number;
  backordered: number;
  cancelled: number;
  substituted: number;
  /** Of a short pick: allocated at another place at once. */
  resourced: number;
}

/** What an order can't have as it was ordered. units = held + backordered + cancelled + substituted + resourced, always; open while units are held. */
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
  policy: Exclude<ExceptionPolicy, 'resource'> | undefined;
  /** For units that no substitute covers. */
  otherwise: Exclude<ExceptionPolicy, 'substitute' | 'resource'>;
}

/** What becomes of units that a WMS could not find, as the estate declares it. */
export interface OnShortPick {
  policy: ExceptionPolicy;
  /** For units that no other place, or no substitute, covers. */
  otherwise: Exclude<ExceptionPolicy, 'substitute' | 'resource'>;
}

/** Units that the WMS was told to pick and did not find. */
export interface ShortPicked {
  type: 'fulfilment.short_picked';
  fulfilmentId: number;
  locationId: number;
  source: string;
  sourceId: string;
  reason: string | null;
  lines: { lineNo: number; allocationId: number; skuId: number; quantity: number }[];
}

export interface ShortPickCommand {
  kind: 'short_pick';
  fulfilmentId: number;
  source: string;
  sourceId: string;
  reason: string | null;
  occurredAt: string;
  lines: { lineNo: number; quantity: number }[];
}
