/** An order as it stands, the events that move it, and the commands that ask for them. Pure data. */
import type { PackLevel, Parcel } from '../canonical/index.ts';
import type { Position, PromisePart } from '../promise/index.ts';
import type { Billing, ChargePart, DocumentCharge, DocumentLine } from './billing-types.ts';
import type { ChangeCommand, ChangeEvent, ChangeRefusal, OrderChange } from './change-types.ts';
import type { Charged, OrderCharge, OrderTax } from './charge-types.ts';
import type {
  ExceptionKind,
  ExceptionPolicy,
  ExceptionUnits,
  OrderException,
  ShortPickCommand,
  ShortPicked,
  StandIn,
} from './exception-types.ts';
import type { AcceptedMarks, HoldKind, NewHold, OrderHold } from './hold-types.ts';
import type { PriceCheck, RepricedLine } from './price-check.ts';
import type { ReturnAuthorisation, ReturnCommand, ReturnEvent } from './return-types.ts';

export * from './billing-types.ts';
export * from './change-types.ts';
export * from './charge-types.ts';
export * from './decide-context.ts';
export * from './exception-types.ts';
export * from './hold-types.ts';
export * from './price-check.ts';
export * from './return-types.ts';

/** What a line said in its own words, where that is not what it holds: in another unit, or before it was rounded by the product's rule. */
export interface Asked {
  /** A decimal, of `unit`. */
  quantity: string;
  unit: string;
  packLevel: PackLevel;
  /** The same in base units. */
  base: number;
  /** For `pricePer` of `priceUnit`. */
  unitPrice: string;
  priceUnit: string;
  pricePer: number;
  /** Absent: nothing was rounded. */
  rounding?: 'up' | 'nearest' | 'down';
}

/** Units of a line; quantity = allocated + backordered + picked + cancelled + refused, always. */
export interface OrderLine {
  lineNo: number;
  skuId: number;
  quantity: number;
  unitPrice: string;
  /** Base units that the price is for. */
  pricePer: number;
  /** Only of an order that is taken right now. */
  priceCheck?: PriceCheck;
  /** Its part of the order's tax, for all of its units. */
  taxMinor: number;
  amountMinor: number;
  /** Units the channel sold within the number it was shown. */
  within: number;
  /** Of these, units that could not be allocated: oversell. */
  withinShort: number;
  allocated: number;
  backordered: number;
  /** Of the backordered units, those that wait for a person: no stock is given to them. */
  held: number;
  refused: number;
  /** Of the refused units, those that another line stands for. */
  substituted: number;
  /** The ordered line whose units this one delivers under another SKU; null: it was ordered. */
  standsFor: number | null;
  /** How many of its units stand for one of that line: of a substitute 1. */
  perUnit: number;
  /** The lines that only together stand for it, named by the first of them: components of a kit. null: each of its units does alone. */
  setNo: number | null;
  /** Added by a change: the line of who ordered that it belongs to, its own number where it is a new one. null: it was ordered at first. */
  addsTo: number | null;
  /** Added, and the ERP hasn't confirmed it: nothing of it is asked of the WMS. */
  awaitsErp: boolean;
  picked: number;
  shipped: number;
  invoiced: number;
  /** Asked of the WMS and not answered; still part of allocated. */
  cancelAsked: number;
  cancelled: number;
  returnExpected: number;
  returned: number;
  shippedMinor: number;
  invoicedMinor: number;
  cancelledMinor: number;
  returnedMinor: number;
  creditedMinor: number;
  /** The order's version at which something last changed that others are told of. */
  changedVersion: number;
  /** Read only where an order is read whole. */
  asked?: Asked;
}

export interface Allocation {
  allocationId: number;
  lineNo: number;
  skuId: number;
  locationId: number;
  quantity: number;
  openQuantity: number;
  /** What it leaves with. It is requested of the WMS once the ERP knows the order; it was where the order has that fulfilment. */
  fulfilmentId: number;
  /** Made for units that had waited; else with the order itself. */
  fromBackorder: boolean;
}

export interface Fulfilment {
  fulfilmentId: number;
  locationId: number;
  state: 'requested' | 'released';
}

/** What an order itself says of from where and when it is to be served. */
export interface OrderTerms {
  /** Where it goes; distances are measured to it. */
  shipTo?: Position;
  /** It is not promised before. */
  requestedAt?: string;
  /** Nothing of it leaves before all of it is there. */
  shipComplete?: true;
}

export type OrderState =
  | 'accepted'
  | 'confirmed'
  | 'released'
  | 'partly_shipped'
  | 'shipped'
  | 'closed'
  | 'cancelled'
  | 'refused';

/** Units of an order, added up over its lines, and what has been said about it. */
export interface Progress {
  quantity: number;
  /** Neither cancelled nor refused. */
  open: number;
  refused: number;
  /** Waiting for a person. While there are any, no other system acts on the order. */
  held: number;
  /** Open holds on the whole order: what is allocated stays so, nothing more is, and no other system begins to act on it. */
  holds: number;
  shipped: number;
  invoiced: number;
  /** The WMS has taken a fulfilment. */
  released: boolean;
  /** The ERP has given a number. */
  confirmed: boolean;
  /** The ERP is told, or may be: nothing held the order when it was accepted, or nothing does any more. */
  told: boolean;
  /** The WMS was asked for something of it; for what, its fulfilments say. */
  handed: boolean;
}

/**
 * An order as far as it was read: `progress` is of the whole order, the maps may hold only the lines that the work at hand
 * touches, with their allocations.
 */
export interface Order {
  orderId: number;
  companyId: number;
  channelId: number;
  accountId: number;
  externalNo: string;
  state: OrderState;
  version: number;
  currency: string;
  /** Lines and charges; its tax stands beside it. */
  totalMinor: number;
  chargesMinor: number;
  taxMinor: number;
  orderedAt: string;
  erpNumber: string | null;
  progress: Progress;
  lines: Map<number, OrderLine>;
  allocations: Map<number, Allocation>;
  /** What the WMS was asked for: of all allocations that were read, and what the work names. */
  fulfilments: Map<number, Fulfilment>;
  returns: Map<number, ReturnAuthorisation>;
  exceptions: Map<number, OrderException>;
  holds: Map<number, OrderHold>;
  /** Oldest first; read for those who need them only. */
  changes: OrderChange[];
  /** Absent: it has neither charges nor taxes. */
  billing?: Billing;
  /** Absent: it says nothing of them. */
  terms?: OrderTerms;
}

export interface NewAllocation {
  allocationId: number;
  lineNo: number;
  skuId: number;
  locationId: number;
  /** What it will leave with. */
  fulfilmentId: number;
  quantity: number;
  /** Taken from the channel's own exposure at this location. */
  fromExposure: number;
}

/** Backordered units that are promised of dated supply. */
export interface NewCommitment {
  lineNo: number;
  skuId: number;
  supplyId: number;
  locationId: number;
  quantity: number;
  dueAt: string;
}

export type AcceptedLine = Extract<OrderEvent, { type: 'order.accepted' }>['lines'][number];

export type PromiseCause =
  | 'accepted'
  | 'served'
  | 'cancelled'
  | 'supply_changed'
  | 'settled'
  | 'reassigned'
  | 'added'
  | 'hold_ended'
  | 'stock_lost';

export type OrderEvent =
  | ChangeEvent
  | ShortPicked
  | {
      type: 'order.promise_changed';
      ruleVersion: string;
      lines: { lineNo: number; before: PromisePart[]; after: PromisePart[]; reason: PromiseCause }[];
    }
  | {
      type: 'order.accepted';
      orderId: number;
      companyId: number;
      channelId: number;
      accountId: number;
      externalNo: string;
      currency: string;
      totalMinor: number;
      orderedAt: string;
      lines: {
        lineNo: number;
        skuId: number;
        quantity: number;
        unitPrice: string;
        /** Base units that the price is for; absent: 1. */
        pricePer?: number;
        /** Its price was not the one decided here, beyond what its channel tolerates. */
        priceCheck?: PriceCheck;
        taxMinor?: number;
        amountMinor: number;
        within: number;
        withinShort: number;
        asked?: Asked;
        backordered: number;
        refused: number;
        /** Of the backordered ones. */
        held?: number;
        /** Of the refused ones. */
        substituted?: number;
        standsFor?: number;
        /** Absent: 1. */
        perUnit?: number;
        setNo?: number;
      }[];
      allocations: NewAllocation[];
      commitments: NewCommitment[];
      /** What the channel may no longer believe because it sold it. */
      exposureUsed: { skuId: number; quantity: number }[];
      /** What was decided of its account's credit, where the channel checks it; held for it says which. */
      credit?: AcceptedMarks['credit'];
      /** When what of it leaves; of channels that promise dates. */
      promises?: { ruleVersion: string; lines: { lineNo: number; parts: PromisePart[] }[] };
      degraded?: AcceptedMarks['degraded'];
      /** It is held: the ERP hears of it when nothing of it is any more. */
      untold?: true;
      terms?: OrderTerms;
      charges?: OrderCharge[];
      taxes?: OrderTax[];
    }
  | { type: 'order.confirmed'; erpNumber: string }
  | {
      type: 'fulfilment.requested';
      fulfilmentId: number;
      locationId: number;
      lines: { lineNo: number; skuId: number; quantity: number }[];
    }
  | { type: 'fulfilment.released'; fulfilmentId: number }
  | { type: 'order.lines_allocated'; allocations: NewAllocation[] }
  | {
      /** By a rerun: what these lines had of stock and of dated supply, they have differently. */
      type: 'order.lines_reassigned';
      released: { allocationId: number; lineNo: number; skuId: number; locationId: number; quantity: number }[];
      allocations: NewAllocation[];
      /** Below 0: so much less of that supply. */
      commitments: NewCommitment[];
      /** The WMS was asked to stop units whose kit can't be made up now, and has answered: those that it has stopped are released. */
      answered?: { lineNo: number; quantity: number }[];
    }
  | {
      type: 'stock.picked';
      fulfilmentId: number;
      locationId: number;
      source: string;
      sourceId: string;
      sequence: number | null;
      lines: { lineNo: number; allocationId: number; skuId: number; quantity: number }[];
    }
  | {
      type: 'shipment.confirmed';
      /** Whose number it is. */
      source: string;
      shipment: string;
      fulfilmentId: number;
      locationId: number;
      tracking: string | null;
      carrier?: string;
      parcels?: Parcel[];
      lines: { lineNo: number; quantity: number; amountMinor: number; taxMinor?: number }[];
      /** What is to be invoiced with it. */
      charges?: ChargePart[];
    }
  | {
      type: 'document.posted';
      document: 'invoice' | 'credit_note';
      /** Whose number it is. */
      source: string;
      number: string;
      /** Lines and charges; its tax stands beside it. */
      totalMinor: number;
      currency: string;
      lines: DocumentLine[];
      /** Absent: its source says nothing of charges; so with its tax. */
      charges?: DocumentCharge[];
      taxMinor?: number;
    }
  | {
      type: 'order.lines_cancelled';
      reference: string;
      /** What of them ends with it. */
      charges?: ChargePart[];
      lines: { lineNo: number; quantity: number; amountMinor: number; fromBackorder: number; taxMinor?: number }[];
      released: { allocationId: number; lineNo: number; skuId: number; locationId: number; quantity: number }[];
      /** Set when the WMS answered: units that were asked of it and are settled by this. */
      answered: { lineNo: number; quantity: number }[];
      /** The order was held: the ERP hears of this with the order itself. */
      untold?: true;
    }
  | {
      type: 'order.cancel_asked';
      reference: string;
      fulfilmentId: number;
      lines: { lineNo: number; quantity: number }[];
    }
  | ReturnEvent
  | ({
      type: 'order.exception_raised';
      exceptionId: number;
      kind: ExceptionKind;
      lineNo: number;
      skuId: number;
      units: number;
      /** The rule; where its units went says what it came to. */
      policy: ExceptionPolicy;
    } & Omit<ExceptionUnits, 'resourced'> & { resourced?: number })
  | {
      type: 'order.exception_resolved';
      exceptionId: number;
      lineNo: number;
      /** As ordered. */
      skuId: number;
      /** Held units that this settles, by what becomes of them. */
      backordered: number;
      cancelled: number;
      substituted: number;
      /** Units that the line gives up by this itself. What a channel cancels, its cancel takes off. */
      refused: number;
      by: string;
      reason: string | null;
      /** The ERP has the order: what is given up, and what is sent instead, are facts of their own. */
      told?: true;
      /** Lines that stand for what was substituted. */
      lines: StandIn[];
      allocations: NewAllocation[];
    }
  | {
      type: 'order.held';
      holdId: number;
      kind: HoldKind;
      reason: string;
      detail: string;
      owner: string;
      /** As a person said; else by the rule, from when it was recorded. */
      dueAt: string | null;
      dueMinutes: number | null;
      /** A person; null: a rule. */
      by: string | null;
    }
  | {
      type: 'order.hold_released';
      holdId: number;
      kind: HoldKind;
      by: string;
      reason: string | null;
      /** Of a hold for credit: what was taken of the limit, and by how much it went beyond. */
      credit?: AcceptedMarks['credit'];
    }
  /** What it was accepted on while the ERP was away, live facts have confirmed. */
  | { type: 'order.degraded_ended'; mode: 'erp' }
  /** A hold for prices is released at the decided ones. */
  | { type: 'order.repriced'; holdId: number; by: string; lines: RepricedLine[] }
  | {
      type: 'order.hold_ended';
      /** What the ERP is told, now that it is: what was accepted, and what of it was cancelled meanwhile. */
      lines: {
        lineNo: number;
        skuId: number;
        quantity: number;
        unitPrice: string;
        pricePer?: number;
        taxMinor?: number;
        amountMinor: number;
        cancelled: number;
        cancelledMinor: number;
        cancelledTaxMinor?: number;
        standsFor?: number;
        perUnit?: number;
        setNo?: number;
        addsTo?: number;
      }[];
      /** What of them was cancelled meanwhile. */
      charges?: ChargePart[];
    };

export type PromiseChanged = Extract<OrderEvent, { type: 'order.promise_changed' }>;

export type OrderEventType = OrderEvent['type'];

export interface SubmitCommand {
  kind: 'submit';
  orderId: number;
  companyId: number;
  channelId: number;
  accountId: number;
  externalNo: string;
  currency: string;
  orderedAt: string;
  /** `within` null: the channel can't say; what lies in its exposure then is within its number. */
  lines: {
    lineNo: number;
    skuId: number;
    quantity: number;
    unitPrice: string;
    /** Base units that the price is for; absent: 1. */
    pricePer?: number;
    priceCheck?: PriceCheck;
    within: number | null;
    asked?: Asked;
    /** The rule that its quantity breaks, for a person to look at. */
    breaks?: 'order_minimum' | 'order_multiple';
  }[];
  terms?: OrderTerms;
  /** Whether other SKUs may be sent for what it can't have; absent: never. */
  consent?: 'offer' | 'allow';
  charged?: Charged;
}

export type OrderCommand =
  | SubmitCommand
  | ChangeCommand
  | ShortPickCommand
  | { kind: 'confirm'; erpNumber: string }
  | { kind: 'release'; fulfilmentId: number }
  | { kind: 'allocate_backorders'; lineNos: readonly number[] }
  | {
      kind: 'reassign';
      lines: {
        lineNo: number;
        /** Units that it waits for, none of them held, when that was decided. */
        waiting: number;
        /** Of these, what it was promised of dated supply by then. */
        promised: number;
        /** What it was decided upon where something limits what is given; if that has changed, it is limited once more. */
        basis?: string;
        release: { allocationId: number; quantity: number }[];
        take: { locationId: number; quantity: number }[];
        commitments: Omit<NewCommitment, 'lineNo' | 'skuId'>[];
      }[];
    }
  /** What these lines wait for may have changed; what they are promised follows it. */
  | { kind: 'repromise'; lineNos: readonly number[] }
  | {
      kind: 'pick';
      fulfilmentId: number;
      source: string;
      sourceId: string;
      sequence: number | null;
      lines: { lineNo: number; quantity: number }[];
    }
  | {
      kind: 'ship';
      fulfilmentId: number;
      source: string;
      shipment: string;
      tracking: string | null;
      carrier?: string;
      parcels?: Parcel[];
      lines: { lineNo: number; quantity: number }[];
    }
  | {
      kind: 'post_document';
      document: 'invoice' | 'credit_note';
      source: string;
      number: string;
      totalMinor: number;
      currency: string;
      lines: DocumentLine[];
      /** `charge`: its number in the order, 1 is the first. */
      charges?: { charge?: number; kind?: string; code?: string; amountMinor: number; taxMinor?: number }[];
      taxMinor?: number;
    }
  | {
      kind: 'resolve_exception';
      exceptionId: number;
      as: Exclude<ExceptionPolicy, 'hold' | 'resource'>;
      /** For units that no substitute covers; without it such a resolution is refused. */
      otherwise: 'backorder' | 'cancel' | null;
      by: string;
      reason: string | null;
    }
  | {
      kind: 'hold';
      /** A second one of the same kind and reason is the same. */
      hold: NewHold;
      dueAt: string | null;
      /** null: a rule. */
      by: string | null;
    }
  /** `isRule`: what held it is looked at again, and holds it on if it still does. */
  | { kind: 'end_degraded'; mode: 'erp' }
  /** `reprice`: lines that are held for their price get the decided one. */
  | { kind: 'release_hold'; holdId: number; by: string; reason: string | null; isRule?: boolean; reprice?: boolean }
  | { kind: 'cancel'; reference: string; lineNo: number; quantity: number }
  | {
      kind: 'answer_cancel';
      reference: string;
      fulfilmentId: number;
      /** The order's version in which it was asked, where that is known. */
      askedVersion?: number;
      /** `asked`: what this answer is to, where that is known. Some of it may have been settled meanwhile: it was not found. */
      lines: { lineNo: number; cancelled: number; tooLate: number; asked?: number }[];
    }
  | ReturnCommand;

export type Decision =
  /** `superseded`: something newer was said already. */
  | { ok: true; events: OrderEvent[]; superseded?: true }
  | {
      ok: false;
      refused:
        | 'unknown_line'
        | 'over_cancel'
        | 'over_pick'
        | 'over_ship'
        | 'over_return'
        | 'unknown_fulfilment'
        | 'unknown_return'
        | 'duplicate_line'
        | 'other_currency'
        | 'unknown_exception'
        | 'exception_resolved'
        | 'no_substitute'
        | 'unknown_hold'
        | 'order_ended'
        | 'not_inspected'
        | 'not_received'
        | ChangeRefusal
        | (string & {});
      detail: string;
      /** What it may wait for, where it came before its time. */
      waitFor?: string;
    };
