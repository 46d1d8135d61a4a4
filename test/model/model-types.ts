/** What the model knows of orders, lines, parcels and what is under way. */

/** Minor units that no report of the ERP contains yet; null: none. */
export interface Claim {
  minor: number | null;
  /** What the command at hand changes of it. */
  change: number;
}

export interface ModelLine {
  lineNo: number;
  /** The line of who ordered that it belongs to; its own number: that line. */
  root: number;
  /** By a change, after the ERP was told the order. */
  isAdded: boolean;
  /** Added, and the ERP doesn't know it. */
  awaitsErp: boolean;
  sku: string;
  quantity: number;
  /** Millionths of the major unit. */
  micros: bigint;
  backordered: number;
  picked: number;
  shipped: number;
  invoiced: number;
  cancelAsked: number;
  cancelled: number;
  returnExpected: number;
  returned: number;
  /** Its own, where the ERP had the order without it. */
  claim: Claim | null;
  shippedMinor: number;
  invoicedMinor: number;
  cancelledMinor: number;
  returnedMinor: number;
  /** By the ERP, asked or not. */
  creditedMinor: number;
  /** Of goods that came back: due to be credited, and what of it the ERP was asked for, as it had not credited it before. */
  dueMinor: number;
  creditAskedMinor: number;
}

/** Units that are allocated together leave together: a parcel to be, at one location. */
export interface Parcel {
  location: string;
  /** Of the WMS; null: not asked of it. */
  reference: string | null;
  /** Waits to be seen at the WMS. */
  isAsked: boolean;
  /** `nth`: in the order in which they were allocated. */
  parts: { nth: number; lineNo: number; sku: string; open: number }[];
}

export interface ModelOrder {
  no: string;
  lines: ModelLine[];
  parcels: Parcel[];
  channel: ModelChannel;
  /** To the ERP, or about to be: nothing held it when it came, or nothing does any more. */
  isTold: boolean;
  isConfirmed: boolean;
  isReleased: boolean;
  /** The last one last. */
  holds: ('credit' | 'manual')[];
  /** What it takes of its account's credit as it was told first. */
  claim: Claim;
  changes: { number: number; isWhole: boolean; lines: number[] }[];
}

export interface ModelChannel {
  code: string;
  checksCredit: boolean;
  /** What is not found is looked for elsewhere; if it is nowhere, this. */
  notFound: 'backorder' | 'cancel';
}

/** What a change says a line shall be. */
export interface Wish {
  /** null: a new line without a number. */
  lineNo: number | null;
  quantity: number;
  /** null: as it is. */
  sku: string | null;
  micros: bigint | null;
}

export interface Ask {
  order: ModelOrder;
  parcel: Parcel;
  /** What is stopped too late stays with the order: a change asked, no cancel. */
  isChange: boolean;
  lines: { lineNo: number; quantity: number }[];
}
export interface BackLine {
  lineNo: number;
  sku: string;
  left: number;
  received: number;
  restocked: number;
  scrapped: number;
  quarantined: number;
  receivedMinor: number;
  decidedMinor: number;
}
export interface Back {
  order: ModelOrder;
  location: string;
  reference: string | null;
  lines: BackLine[];
}

export interface Inspection {
  reference: string;
  lineNo: number;
  from: 'receipt' | 'quarantine';
  restock: number;
  scrap: number;
  quarantine: number;
}

export interface CreditReport {
  at: number;
  limit: number;
  open: number;
  /** What of ours it contains: orders by their number, and lines that were added to them, as `M1-2#100001`. */
  orders: readonly string[];
  lines: readonly string[];
}

export type Answer = 'applied' | 'over_cancel' | 'over_return' | 'over_short' | 'duplicate' | 'waiting';

/** What becomes of one line by a change. */
export interface Turn {
  lineNo: number;
  less: number;
  more: { lineNo: number; root: number; sku: string; quantity: number; micros: bigint } | null;
}
