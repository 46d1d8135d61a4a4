/**
 * What a connector is. `map` functions are pure and live apart from transport; a connector never sees the database.
 * Sources give records in the system's own shape; `map` turns one into inbound items. Sinks write and look up.
 */
import type { ChargeKind, CreditReported, deliveryKinds, InboundItem, Parcel } from '../../canonical/index.ts';
import type { Clock } from './clock.ts';
import type { Declaration } from './declare.ts';

/** One page of a feed. `drained` says that nothing more was there when it was read. */
export interface FeedPage {
  /** The page as it came, byte for byte. */
  body: Buffer;
  contentType: string;
  items: InboundItem[];
  /** Where to read on; opaque to everyone else. */
  cursor: string;
  drained: boolean;
}

export interface Source {
  readonly feed: string;
  /** Reads the next page after `cursor` ('' is the beginning). */
  poll(cursor: string, signal: AbortSignal): Promise<FeedPage>;
  /**
   * The items of a page, or of a webhook with the same records, from its bytes as they were kept. A key that comes again with other
   * content is told what differs from what came first; without it, only that something does.
   */
  reread?(this: void, body: Buffer): InboundItem[];
}

/** The three outcomes of a write, and `later`: it surely had no effect and may be sent again. */
export type Outcome =
  | { outcome: 'confirmed'; answer?: unknown }
  | { outcome: 'refused'; error: string; answer?: unknown }
  | { outcome: 'in_doubt'; error: string }
  /** `ofSystem`: the whole request was put off, whatever is in it; it counts as no attempt of the item. */
  | { outcome: 'later'; error: string; retryAfterMs?: number; ofSystem?: true };

/** A fact that a destination must receive. `reference` is its business key there: the locator. */
export interface DeliveryItem {
  reference: string;
  payload: unknown;
}

export interface DeliveryKind {
  readonly batchMax: number;
  /** Lines say what their price is for (`pricePer`); else they come at the exact price of one, or not at all. */
  readonly takesPricePer?: boolean;
  write(items: readonly DeliveryItem[], signal: AbortSignal): Promise<Outcome[]>;
  /** What the destination holds under these references: its answer for those found; absent means not found. */
  locate(references: readonly string[], signal: AbortSignal): Promise<Map<string, unknown>>;
}

/** A number to show: what is there now as we know it (`from`), what shall be there. */
export interface AvailabilityItem {
  sku: string;
  from: number | null;
  quantity: number;
  /** The channel's feed cursor up to which its orders are in the ledger. */
  ordersThrough: string;
}

/** What a channel says its number is; null when it doesn't list the SKU. */
export interface AvailabilitySink {
  readonly batchMax: number;
  /** Compare-and-set, or subtraction of orders beyond `ordersThrough`, by the channel itself. `conflict`: the number was not `from`. */
  write(items: readonly AvailabilityItem[], signal: AbortSignal): Promise<(Outcome | { outcome: 'conflict' })[]>;
  readBack(skus: readonly string[], signal: AbortSignal): Promise<Map<string, number>>;
  /**
   * Of systems whose number may be something else than their own orders leave: SKUs whose number is worth reading back now, though nobody
   * wrote it. It only reads; what becomes of such a number the hub decides, as of one in doubt. Asked again and again; quick when
   * nothing happened. Naming a SKU once too often costs a reading back, so it needs to remember nothing over a restart.
   */
  doubtful?(signal: AbortSignal): Promise<readonly string[]>;
}

/** Newest state of a thing; `version` grows with it. */
export interface StateItem {
  key: string;
  version: number;
  /** The version that the destination holds, if `state` has only what changed after it; 0: it is whole. */
  base: number;
  state: unknown;
}

export interface StateSink {
  readonly batchMax: number;
  /** Whether it takes what changed since a version that the destination holds; default: each state is whole. */
  readonly takesChanges?: boolean;
  /** Of orders: what it shows beside the lines' numbers. Nothing else is read for it, or sent to it. */
  readonly wants?: readonly OrderStatusPart[];
  /** `conflict`: the destination does not hold `base`, and nothing was changed. */
  write(items: readonly StateItem[], signal: AbortSignal): Promise<(Outcome | { outcome: 'conflict' })[]>;
  /** The version that the destination holds; absent means none. Of systems that keep no version, what {@link holds} says. */
  readBack(keys: readonly string[], signal: AbortSignal): Promise<Map<string, number>>;
  /** Instead of {@link readBack}, of systems that keep no version: which of these states are there, by key. Each is whole. */
  holds?(items: readonly StateItem[], signal: AbortSignal): Promise<Set<string>>;
}

/** What a price publication says. */
export interface PriceState {
  unitPrice: string;
  currency: string;
  /** What the price is for one of; absent: the base unit. */
  unit?: string;
  /** The price is for so many of it; absent: 1. No connector made by `defineConnector` is handed another: see `one-unit.ts`. */
  pricePer?: number;
  /** What the number beside it counts; a price for another unit is not written. */
  quantityUnit?: string;
}

/** What an order status publication says: numbers, from which every system takes what it shows. */
export interface OrderStatusState {
  channel: string;
  externalNo: string;
  status: string;
  account: string;
  currency: string;
  /** Lines and charges. */
  totalMinor: number;
  /** Of orders with charges or taxes only: what of the total is charges, and the tax beside it. */
  chargesMinor?: number;
  taxMinor?: number;
  /** Of orders that have any: how far each has come. */
  charges?: ChargeStatus[];
  /** It was accepted, and what of it is promised was promised, on what was known before the ERP went away; nothing live has confirmed that yet. */
  degraded?: 'erp';
  /** Those that changed after `base`. */
  lines: {
    lineNo: number;
    sku: string;
    quantity: number;
    amountMinor: number;
    cancelled: number;
    backordered: number;
    /** Units that were not accepted: nothing of them follows, and the ERP holds the line without them. */
    refused: number;
    shipped: number;
    invoiced: number;
    returned: number;
    /** When what of it leaves; absent: its channel promises no dates. */
    promised?: PromisedState[];
    /** What that was promised upon: accepted, or what changed it since. */
    promisedUpon?: string;
    /** Of its returned units, those of returns that are inspected: each is in one of them. Absent: there are none. */
    inspected?: { inInspection: number; restocked: number; scrapped: number; quarantined: number };
  }[];
  /**
   * What left, was invoiced and came back: each part only for a sink that {@link StateSink.wants} it, oldest first. All of it where
   * `base` is 0, else what came after `base`; what came while it was read may come again with the next state, under the same reference.
   */
  shipments?: ShipmentState[];
  invoices?: InvoiceState[];
  returns?: ReturnState[];
}

/** A charge of an order, and how far it has come. */
export interface ChargeStatus extends ChargeState {
  /** To be invoiced, with what left. */
  dueMinor: number;
  cancelledMinor: number;
  /** Given back with what came back. */
  refundedMinor: number;
  /** As documents of the ERP say. */
  invoicedMinor: number;
  creditedMinor: number;
}

/** Units of a line that are to leave together. */
export interface PromisedState {
  quantity: number;
  /** null: nobody knows, and `reason` says why. */
  at: string | null;
  location: string | null;
  reason: string;
}

export type OrderStatusPart = 'shipments' | 'invoices' | 'returns';

export interface ShipmentState {
  /** `<system>/<number>`: the same for ever, and no other shipment's. */
  shipment: string;
  location: string;
  /** Of the first parcel; null where nobody knows one. */
  tracking: string | null;
  carrier: string | null;
  parcels: Parcel[];
  at: string;
  lines: { lineNo: number; quantity: number }[];
}

export interface InvoiceState {
  document: 'invoice' | 'credit_note';
  /** `<system>/<number>`, no other document's of its kind. */
  reference: string;
  /** As it stands on the paper. */
  number: string;
  currency: string;
  /** Lines and charges. */
  amountMinor: number;
  /** Absent: its source says none. */
  taxMinor?: number;
  at: string;
}

/** Goods of a return that came in at once; a return may come in parts. */
export interface ReturnState {
  /** As the ERP's `return_posting` names it: the same for ever. */
  reference: string;
  /** The return as the WMS was told of it. */
  return: string;
  at: string;
  lines: { lineNo: number; quantity: number; amountMinor: number }[];
}

/** An account's credit, asked for now. */
export interface CreditSource {
  /** Accounts a call. */
  readonly accountsMax: number;
  /** What the system has of these accounts at this moment; one that it says nothing of is left out. It only reads. */
  ask(accounts: readonly { company: string; account: string }[], signal: AbortSignal): Promise<CreditReported[]>;
}

/** What is asked of a system's prices. `account` null: what it asks everybody. */
export interface QuoteItem {
  account: string | null;
  sku: string;
  /** Base units. */
  quantity: number;
  currency: string;
  /** YYYY-MM-DD */
  day: string;
}
export interface Quote {
  unitPrice: string;
  /** Base units that the unit price is for. */
  pricePer: number;
  currency: string;
}
/** What a system would ask, shows or has quoted: read only, for comparing. */
export interface QuoteDesk {
  readonly batchMax: number;
  /** account: it knows what each account pays; everybody: it shows one price to all, of one unit. */
  readonly asks: 'account' | 'everybody';
  /** whether it should have a price of whatever is sold; else only of what somebody quoted. */
  readonly isWhole: boolean;
  /** In the order asked; null: it has none. It answers in whatever currency it has: nothing is converted. */
  ask(items: readonly QuoteItem[], signal: AbortSignal): Promise<(Quote | null)[]>;
}

export interface Connector {
  readonly name: string;
  /** Whether an answer of success is believed (`answer`) or looked up before it counts (`read_back`). */
  readonly confirmedBy: 'answer' | 'read_back';
  readonly sources: readonly Source[];
  /**
   * Which feeds bring what a channel sold or took back, those with orders first; default: all. What is set aside for a channel that sells
   * by itself is freed only when each of them was read to its end. {@link defineConnector} takes them from the declared domains.
   */
  readonly salesFeeds?: readonly string[];
  readonly deliveries: Readonly<Record<string, DeliveryKind>>;
  readonly availability?: AvailabilitySink;
  readonly prices?: StateSink;
  readonly orderStatus?: StateSink;
  /** Of an ERP that can be asked what an account owes, at any moment. */
  readonly credit?: CreditSource;
  readonly quotes?: QuoteDesk;
  /**
   * Verifies a webhook that only says that something happened (throws XD_UNAUTHENTICATED when it isn't the system's).
   * @returns the feeds that are worth reading now; what is in the message counts for nothing
   */
  hint?(headers: Readonly<Record<string, string | undefined>>, body: Buffer): string[];
  /** Verifies a webhook's signature over the raw body and maps it; throws XD_UNAUTHENTICATED when it isn't the system's. */
  webhook?(headers: Readonly<Record<string, string | undefined>>, body: Buffer): InboundItem[];
  probe(signal: AbortSignal): Promise<{ ok: boolean; detail: string }>;
  /** How long the system asked to be left alone, in ms; 0 when it may be called. Nothing is begun before. */
  pausedMs?(): number;
  close(): Promise<void>;
}

export interface ConnectorContext {
  system: string;
  /** The channel whose orders come from this system, if any. */
  channel: string | null;
  url: string;
  /** How the hub's own references end (`F12-K7QX`): those of another hub of the same system end otherwise. Default: with nothing. */
  referenceEnding?: string;
  token: string | null;
  webhookSecret: string | null;
  settings: Readonly<Record<string, unknown>>;
  limits: { callsPerSecond: number; concurrency: number; timeoutMs: number; batchMax: number | null };
  /** Where time is not the system's: tests let it pass. */
  clock?: Clock;
}

/** Builds a connector; what it can do is said before it is built. */
export type ConnectorFactory = ((context: ConnectorContext) => Connector) & { readonly declaration?: Declaration };

/** Delivery kinds that flows use; a connector serves those of its domain. */
export type DeliveryKindName = (typeof deliveryKinds)[number];

/** What was accepted: a line without its refused units, and no line of which nothing is left. */
export interface SalesOrderPayload {
  reference: string;
  company: string;
  account: string;
  currency: string;
  orderedAt: string;
  totalMinor: number;
  /**
   * `standsFor`: the line delivers another SKU in place of that line's units, at its price; that line has so many fewer. Where a kit was ordered, the lines
   * that stand for it are what it is made of: `perUnit` of each are in one, at their shares of its price, and the kit's own line is not among these.
   */
  lines: {
    lineNo: number;
    sku: string;
    quantity: number;
    unitPrice: string;
    /** Base units that the price is for; absent: 1. Of a system that knows only a price of one, see `lineOfOne`. */
    pricePer?: number;
    amountMinor: number;
    /** Its part of the order's tax, where there is one. */
    taxMinor?: number;
    standsFor?: number;
    perUnit?: number;
    /** Of an order that was held: the line that these units were added to meanwhile. */
    addsTo?: number;
  }[];
  /** What it costs beside its goods, part of the total, and its tax, which is not: only of orders that have any. */
  charges?: ChargeState[];
  taxes?: TaxState[];
  /** Of what was accepted: lines and charges. */
  taxMinor?: number;
}
/** Freight, allowances and the like. */
export interface ChargeState {
  chargeNo: number;
  kind: ChargeKind;
  code: string;
  /** Below 0: taken off. */
  amountMinor: number;
  taxMinor: number;
}
/** As whoever sold the order worked it out: of a line, of a charge, or, where it names neither, of the whole order. */
export interface TaxState {
  lineNo?: number;
  chargeNo?: number;
  code: string;
  /** Per cent. */
  rate: string;
  baseMinor: number;
  taxMinor: number;
}
/** Lines that were added to an order; each belongs to it from now on as its first ones do. */
export interface OrderChangePayload {
  reference: string;
  order: string;
  /** Of the added lines. */
  totalMinor: number;
  /** `addsTo`: the ordered line that the units were added to; absent: a new line. */
  lines: (SalesOrderPayload['lines'][number] & { addsTo?: number })[];
}
/** order_cancellation, shipment_posting (with location and shippedAt) and return_posting. */
export interface OrderDocumentPayload {
  reference: string;
  order: string;
  location?: string;
  shippedAt?: string;
  /** `taxMinor`: of just these units, where the order's line is taxed. */
  lines: { lineNo: number; quantity: number; amountMinor: number; taxMinor?: number }[];
  /** What of the order's charges goes with them: is to be invoiced, ends, or is to be credited. Only where there is any. */
  charges?: DocumentChargeState[];
}
/** Of a return: below 0 what is taken off the credit, such as a restocking fee, which is no charge of the order (`chargeNo` null). */
export interface DocumentChargeState {
  chargeNo: number | null;
  kind: ChargeKind | 'restocking';
  code: string;
  amountMinor: number;
  taxMinor: number;
}
export interface ChargePayload {
  reference: string;
  kind: string;
  account: string;
  code: string;
  quantity: number;
  amountMinor: number;
  currency: string;
  at: string;
}
/** fulfilment and return_announcement. */
export interface FulfilmentPayload {
  reference: string;
  order: string;
  location: string;
  lines: { lineNo: number; sku: string; quantity: number }[];
}
export interface FulfilmentCancelPayload {
  reference: string;
  fulfilment: string;
  lines: { lineNo: number; quantity: number }[];
}
/** What a WMS answers to a fulfilment cancel. */
export interface FulfilmentCancelAnswer {
  lines: { lineNo: number; cancelled: number; tooLate: number }[];
}
/** What an ERP answers to a sales order. */
export interface SalesOrderAnswer {
  number: string;
}
