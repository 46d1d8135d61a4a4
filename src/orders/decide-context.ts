/** What a decision may read: stock, supply, what the channel declares, and ids to take. */
import type { ChargePolicy } from './billing-types.ts';
import type { OnShortPick, Oversold } from './exception-types.ts';
import type { HoldKind, OrderHold, ReleaseVerdict, Verdict } from './hold-types.ts';
import type { Inspection } from './return-types.ts';
import type { NewCommitment, Order, OrderEvent, SubmitCommand } from './types.ts';

/** What may be taken for a SKU at a location: `free` for anyone who asks, `own` set aside for this order's channel. */
export interface Offer {
  locationId: number;
  /** Below 0 where something is missing. */
  free: number;
  own: number;
  /** What is physically there and promised to nobody else: `own` may be worth less after a loss. */
  physical: number;
}

/** What of a SKU one order may be promised. */
export interface Offered {
  /** In the channel's order of locations. */
  places: readonly Offer[];
  /** The most that may be allocated of `free` over all places. */
  allocatable: number;
  /** The most of that and dated supply together. */
  promisable: number;
}

/** Of a channel that declares sourcing: over how many places what it orders may be split; null: any number. */
export interface SplitRule {
  orderMax: number | null;
  lineMax: number | null;
}

/** So many of a SKU are in one of a kit, down to what is no kit; each SKU once. */
export interface KitPart {
  skuId: number;
  quantity: number;
  /** Its share of the kit's price, beside the others'. */
  weight: number;
}

export interface DecideContext {
  /** undefined: none is declared; what no place has alone comes from the fullest. Else from as few as can, the best ranked of those. */
  split?: SplitRule | undefined;
  /** Read only. */
  offers(skuId: number): Offered;
  /** What another system has allocated to this line there, so that no offer holds it: it is the line's, beside its channel's limits. */
  kept(skuId: number, locationId: number, lineNo: number): number;
  /** Dated supply that this order's channel may promise, soonest first. */
  supplies(skuId: number): readonly Pick<NewCommitment, 'supplyId' | 'locationId' | 'quantity' | 'dueAt'>[];
  /** Units of a supply that are promised to nobody. */
  supplyLeft(skuId: number, supplyId: number): number;
  /** Units of it that this line is promised; without a supply: of all that is to come. */
  promisedOf(lineNo: number, skuId: number, supplyId?: number): number;
  onShort: 'backorder' | 'refuse';
  /** Whether the system that orders go to can be told of lines that are added. */
  takesChanges: boolean;
  /** Of a channel that sells by itself: what becomes of units that it sold and that can't be allocated. */
  oversold?: Oversold | undefined;
  onShortPick: OnShortPick;
  /** Of a new order of a channel that asks: whether other SKUs may be sent; absent: never. */
  consent?: 'offer' | 'allow' | undefined;
  /** What may be sent instead of a SKU, best first. */
  substitutes(skuId: number): readonly number[];
  /** What one of a SKU is made of, where that is a kit. */
  kit?(skuId: number): readonly KitPart[] | undefined;
  /** Kits may take what is set aside for the channel: its numbers of kits rest on it. */
  kitsFromOwn?: boolean;
  /** Whether a new order may go on as it was decided; asked once, with what it would become. */
  judge(accepted: Extract<OrderEvent, { type: 'order.accepted' }>): Verdict;
  /** Whether a hold may be released; asked once, with the order as it is. */
  judgeRelease(order: Order, hold: OrderHold, by: { isRule: boolean; reprice: boolean }): ReleaseVerdict;
  /** Units that a change adds, with the prices that they get. */
  adjustAdded?(order: Order, submit: SubmitCommand): SubmitCommand;
  /** Whose a hold is, and when somebody should have looked, as the estate declares. */
  holdTerms(kind: HoldKind): { owner: string; dueMinutes: number | null };
  takeHoldId(): number;
  takeExceptionId(): number;
  takeAllocationId(): number;
  takeFulfilmentId(): number;
  takeReturnId(): number;
  /** What becomes of charges; default: they stay as they were agreed. */
  charging?: ChargePolicy | undefined;
  /** Whether goods that come back there are inspected; default: nowhere. */
  inspection?(locationId: number): Inspection | undefined;
}
