/** What the ledger counts: balances, channels' numbers and movements, and which of a movement and a count knew of the other. */
import type { NewFact } from '../log/index.ts';

export interface Balance {
  readonly skuId: number;
  readonly locationId: number;
  onHand: number;
  reserved: number;
  allocated: number;
  exposed: number;
  safetyStock: number;
  /** What other systems have allocated and nobody has picked; of that, what is beyond our own allocations of the same lines. */
  outsideOpen: number;
  outsideDeducted: number;
  version: number;
  countedAt: Date | null;
  countedSource: string | null;
  countedSequence: number | null;
  changed: boolean;
}

export interface ChannelNumber {
  readonly channelId: number;
  readonly skuId: number;
  shown: number | null;
  sending: number | null;
  readBack: number | null;
  readBackAt: Date | null;
  /** Units read as sold while it was open whether `shown` counts them already. */
  soldSince: number;
  changed: boolean;
}

export type MovementKind = 'received' | 'picked' | 'adjusted' | 'counted' | 'returned';

export interface Movement {
  skuId: number;
  locationId: number;
  kind: MovementKind;
  /** Signed base units; for `counted` the quantity counted. */
  quantity: number;
  orderId?: number | null;
  /** Of a pick: the line it served. */
  line?: LineRef;
  /** Of a count: what its source had allocated itself is left out of the quantity. */
  net?: boolean;
  source: string;
  sourceId: string;
  sourceSequence?: number | null;
  occurredAt: string;
}

/** When something was so, as its source says. */
export type Said = Pick<Movement, 'source' | 'sourceSequence' | 'occurredAt'>;

/** An order line as the outside names it, whether we know the order or not. */
export interface LineRef {
  channelId: number;
  externalNo: string;
  lineNo: number;
}

export type Pair = readonly [skuId: number, locationId: number];

/** Whether the balance's last count knew of it already. */
export function isCounted(balance: Balance, movement: Movement): boolean {
  if (balance.countedAt === null) return false;
  if (movement.source === balance.countedSource && movement.sourceSequence != null && balance.countedSequence !== null)
    return movement.sourceSequence <= balance.countedSequence;
  return Date.parse(movement.occurredAt) <= balance.countedAt.getTime();
}

type Shelf = Pick<Balance, 'onHand' | 'reserved' | 'allocated' | 'exposed' | 'safetyStock' | 'outsideDeducted'>;

/** Promised beyond what may be. Safety stock that was never filled is no shortage: nobody was promised anything. */
export function shortOf({ onHand, reserved, allocated, exposed, safetyStock, outsideDeducted }: Shelf): number {
  const most = Math.min(onHand, Math.max(0, onHand - safetyStock));
  return Math.max(0, reserved + allocated + exposed + outsideDeducted - most);
}

/** How much shorter a loss made it: beyond what may be promised, or beyond what is there at all, whichever is more. */
export function shortBy(before: Shelf, after: Shelf): number {
  const bare = (shelf: Shelf) => shortOf({ ...shelf, safetyStock: 0 });
  return Math.max(shortOf(after) - shortOf(before), bare(after) - bare(before));
}

/** Of that, what would not be missing if no other system had allocated beyond ours. */
export function shortByOutside(shelf: Shelf): number {
  return shortOf(shelf) - shortOf({ ...shelf, outsideDeducted: 0 });
}

/** Whether the one came after the other: a movement after a count, a pick after a report. */
export function isAfter(one: Said, other: Said): boolean {
  if (one.source === other.source && one.sourceSequence != null && other.sourceSequence != null)
    return one.sourceSequence > other.sourceSequence;
  return Date.parse(one.occurredAt) > Date.parse(other.occurredAt);
}

/** A fact about one balance's stream. */
export function stockFact(
  type: string,
  skuId: number,
  locationId: number,
  version: number,
  companyId: number,
  occurredAt: string,
  data: Record<string, unknown>,
): NewFact {
  return {
    type,
    stream: `stock/${skuId}@${locationId}`,
    version,
    companyId,
    occurredAt,
    data: { skuId, locationId, ...data },
  };
}
