/**
 * What connectors and the API hand to ingest: the outside said something, in our words but still with outside codes.
 * `key` is unique for ever within `scope`; `ingest` resolves codes and decides.
 */
import type { CreditReported, RecordChanged } from './record-commands.ts';
import type { PackLevel } from './units.ts';

export interface SubmittedLine {
  lineNo: number;
  sku: string;
  /** Of `unit`; a fraction of one is a decimal string. */
  quantity: number | string;
  /** Absent: the SKU's base unit. */
  unit?: string;
  /** Checked against the unit's own, where it is said. */
  packLevel?: PackLevel;
  /** For `pricePer` (default 1) of `priceUnit` (default: the line's unit). */
  unitPrice: string;
  priceUnit?: string;
  pricePer?: number;
  /** Units a self-selling channel already sold within the number it was shown; absent where it can't say. */
  within?: number;
}

/** Where an order goes, as far as whoever brings it knows: a position, or what the estate's table has one for. */
export interface ShipTo {
  position?: { latitude: number; longitude: number };
  /** ISO 3166, two letters. */
  country?: string;
  postalCode?: string;
}

export const chargeKinds = ['freight', 'allowance', 'surcharge', 'other'] as const;
export type ChargeKind = (typeof chargeKinds)[number];

/** What an order costs beside its goods. */
export interface SubmittedCharge {
  kind: ChargeKind;
  /** Of whoever charges it. */
  code: string;
  /** Below 0: taken off. */
  amountMinor: number;
}

/** A tax as whoever sold the order worked it out: of one line, of one charge (1 is the first), or of the whole order. */
export interface SubmittedTax {
  lineNo?: number;
  charge?: number;
  code: string;
  /** Per cent, e.g. "20". */
  rate: string;
  baseMinor: number;
  taxMinor: number;
}

export interface OrderSubmitted {
  kind: 'order.submitted';
  channel: string;
  externalNo: string;
  company: string;
  account: string;
  currency: string;
  orderedAt: string;
  lines: SubmittedLine[];
  /** Soft holds to be turned into allocations. */
  reservations?: string[];
  charges?: SubmittedCharge[];
  taxes?: SubmittedTax[];
  shipTo?: ShipTo;
  /** It is wanted then, and promised not before. */
  requestedAt?: string;
  /** Whether other SKUs may be sent for what it can't have; absent: as its channel has it. */
  substitutes?: 'never' | 'offer' | 'allow';
  /** Whether nothing of it leaves before all of it is there; absent: as its channel or its account has it. */
  shipComplete?: boolean;
}

export interface CancelRequested {
  kind: 'order.cancel_requested';
  channel: string;
  reference: string;
  account: string;
  occurredAt: string;
  /** `order` is the channel's own number; null when the channel doesn't know which order it undoes. */
  order: string | null;
  lineNo: number | null;
  sku: string;
  unit?: string;
  quantity: number;
}

/**
 * Everything of an order that is left, whatever stage each unit is at: before the pick it is cancelled, after it it comes back.
 */
export interface OrderCancelRequested {
  kind: 'order.whole_cancel_requested';
  channel: string;
  /** With the order its key for ever. */
  reference: string;
  /** The channel's own number of the order. */
  order: string;
  occurredAt: string;
}

/** A line as it shall be from now on. */
export interface ChangedLineRequested {
  /** As the channel numbers it; absent: a new line, which the hub numbers. */
  lineNo?: number;
  /** Of a new line, or another one than before; absent: as it is. */
  sku?: string;
  /** All units of it; 0 removes the line. */
  quantity: number;
  /** Of units that are added; absent: the price that the line has. */
  unitPrice?: string;
  /** Of the units that are added, those that a self-selling channel sold within the number it was shown; absent where it can't say. */
  within?: number;
  /** The day on which it is wanted, YYYY-MM-DD. */
  requestedOn?: string;
}

/** An order that was changed after it was placed. */
export interface OrderChangeRequested {
  kind: 'order.change_requested';
  channel: string;
  /** With the order its key for ever. */
  reference: string;
  /** The channel's own number of the order. */
  order: string;
  /** The channel's own number of the change, growing with each: of two the higher one holds for the lines that it names. */
  number?: number;
  occurredAt: string;
  /** Lines that it does not name are removed. */
  whole?: boolean;
  /** A line that can't be changed any more is left as it is; else nothing is changed then. */
  partial?: boolean;
  lines: ChangedLineRequested[];
}

export interface StockMoved {
  kind: 'stock.moved';
  movement: 'received' | 'adjusted' | 'counted';
  sku: string;
  /** What the quantity counts; absent: the base unit. So with the others. */
  unit?: string;
  location: string;
  /** Signed for `adjusted`; the counted quantity for `counted`. */
  quantity: number;
  reference: string;
  occurredAt: string;
  sequence?: number;
  /** The reservation this adjustment was held under, if any. */
  reservation?: string;
  /** Of a count: what its source has allocated itself is left out. Default: what the estate declares of the system. */
  net?: boolean;
  /** The announced supply that a receipt brings; its source is the receipt's own system unless named. */
  supply?: { source?: string; id: string };
}

/**
 * What another system has allocated, in its own name for it. A newer report of the same reference, SKU and location replaces the older:
 * by the source's own sequence where both have one, else by time.
 */
export interface OutsideAllocated {
  kind: 'stock.allocated_outside';
  /** What the source calls it. */
  reference: string;
  sku: string;
  unit?: string;
  location: string;
  /** What it has allocated and not yet picked; 0: ended. */
  quantity: number;
  occurredAt: string;
  sequence?: number;
  /** The order line it is for, known to us or not yet; absent: the source names none that is ours. */
  line?: { channel: string; externalNo: string; lineNo: number };
}

/** What is to come. A later announcement of the same id, SKU and location replaces quantity and date. */
export interface SupplyAnnounced {
  kind: 'supply.announced';
  /** Whose id it is; the announcing system unless named. */
  source?: string;
  supply: string;
  sku: string;
  unit?: string;
  location: string;
  /** All units of it, those received already too; 0 withdraws it. */
  quantity: number;
  dueAt: string;
  /** When it was said: of two announcements the later one holds, in whatever order they arrive. */
  announcedAt: string;
}

export interface FulfilmentPicked {
  kind: 'fulfilment.picked';
  fulfilment: string;
  occurredAt: string;
  sequence?: number;
  lines: { lineNo: number; sku: string; quantity: number }[];
}

/** What a shipment travels in. */
export interface Parcel {
  tracking: string;
  /** Where its carrier shows it. */
  url?: string;
}

/** Units of a fulfilment that were not where they should be. They were not picked, and won't be for it. */
export interface FulfilmentShortPicked {
  kind: 'fulfilment.short_picked';
  fulfilment: string;
  /** As the WMS says it; absent: it says none. */
  reason?: string;
  occurredAt: string;
  sequence?: number;
  /** Units that were not found. */
  lines: { lineNo: number; sku: string; quantity: number }[];
}

export interface FulfilmentShipped {
  kind: 'fulfilment.shipped';
  fulfilment: string;
  shipment: string;
  tracking: string | null;
  /** Who carries it, in its source's own name. */
  carrier?: string;
  /** All parcels of it, where there is more to say of them than `tracking`. */
  parcels?: Parcel[];
  occurredAt: string;
  lines: { lineNo: number; sku: string; quantity: number }[];
}

/** Who has goods wants to give them back: the permission for it. */
export interface ReturnRequested {
  kind: 'return.requested';
  channel: string;
  /** The channel's own number. */
  order: string;
  /** Of whoever asks: with the order, the key of the return for ever. */
  reference: string;
  reason?: string;
  occurredAt: string;
  lines: { lineNo: number; quantity: number }[];
}

/** A return as it was asked for, for sources that do not know our reference. */
export interface RequestedAs {
  channel: string;
  order: string;
  reference: string;
}

export interface ReturnReceived {
  kind: 'return.received';
  /** Ours; '' where its source knows none. */
  returnReference: string;
  requestedAs?: RequestedAs;
  /** Who sent the goods, where they came without any reference. */
  account?: string;
  occurredAt: string;
  sequence?: number;
  lines: { lineNo: number; sku: string; quantity: number }[];
}

/** Somebody looked at goods that came back. */
export interface ReturnInspected {
  kind: 'return.inspected';
  returnReference: string;
  requestedAs?: RequestedAs;
  occurredAt: string;
  sequence?: number;
  /** Who looked, and what was found. */
  by: string;
  reason?: string;
  lines: {
    lineNo: number;
    restock: number;
    scrap: number;
    quarantine: number;
    /** quarantine: units that an inspection before set apart; default: those that came in and nobody has looked at. */
    from?: 'receipt' | 'quarantine';
    /** false: who sent them does not get their money, e.g. for what they broke; default true. */
    credited?: boolean;
  }[];
}

export interface DocumentPosted {
  kind: 'document.posted';
  document: 'invoice' | 'credit_note';
  number: string;
  order: string;
  currency: string;
  /** Lines and charges; its tax stands beside it. */
  totalMinor: number;
  occurredAt: string;
  lines: { lineNo: number; quantity: number; amountMinor: number; taxMinor?: number }[];
  /** Absent: its source says nothing of charges. None: there are none on it. */
  charges?: PostedCharge[];
  /** Of the whole document. Absent: what lines and charges say of it; nothing where they say none. */
  taxMinor?: number;
}

/** A charge of a document: one of its order's by number (1 is the first), by code, or by kind where there is one of it. */
export interface PostedCharge {
  charge?: number;
  kind?: string;
  code?: string;
  /** Of an invoice, what is charged; of a credit note, what is given back; below 0 what is taken off that. */
  amountMinor: number;
  taxMinor?: number;
}

export interface ChargeRecorded {
  kind: 'charge.recorded';
  reference: string;
  charge: string;
  account: string;
  code: string;
  quantity: number;
  amountMinor: number;
  currency: string;
  occurredAt: string;
}

export type InboundCommand =
  | OrderSubmitted
  | CancelRequested
  | OrderCancelRequested
  | OrderChangeRequested
  | StockMoved
  | OutsideAllocated
  | SupplyAnnounced
  | FulfilmentPicked
  | FulfilmentShortPicked
  | FulfilmentShipped
  | ReturnRequested
  | ReturnReceived
  | ReturnInspected
  | DocumentPosted
  | ChargeRecorded
  | CreditReported
  | RecordChanged;

/** One item of a message that arrived. An item that could not be read has no command but a reason. */
export interface InboundItem {
  scope: string;
  key: string;
  fingerprint: string;
  itemNo: number;
  command?: InboundCommand;
  /** `class`: as what it is set aside, where what helps is another thing than correcting it. */
  unreadable?: { reason: string; place: string; value: unknown; class?: string };
}

/**
 * What one system calls a document, as others are told of it: two systems may give out the same number. One from before sources were
 * kept has its number alone.
 */
export function documentReference(source: string | undefined, number: string): string {
  return source === undefined || source === '' ? number : `${source}/${number}`;
}

/** Order references as other systems know them: `<channel>/<external number>`. */
export function orderReference(channel: string, externalNo: string): string {
  return `${channel}/${externalNo}`;
}
