export {
  type AtpView,
  atpOf,
  isLimited,
  type LocationAvailability,
  limitedTo,
  offeredTo,
  readAtp,
} from './availability.ts';
export {
  Commitments,
  type OrderLineKey,
  pairsOfCommitments,
  readOpenSupplies,
  type SupplyOffer,
} from './commitments.ts';
export { correctedSince } from './corrections.ts';
export { type KitPartView, type KitView, readKitAtp } from './kit-availability.ts';
export {
  hasSettleable,
  isWorthSending,
  type NumberToSend,
  type PreparedNumbers,
  prepareNumbers,
  recordNumbers,
  type SellingChannel,
  screenNumbers,
  settleNumbers,
  targetNumber,
} from './numbers.ts';
export { type OutsideReport, SHORT_PICKS } from './outside.ts';
export { type NestedQuota, nestingFaults } from './quota-nesting.ts';
export {
  type Kept,
  leftWithin,
  type Place,
  type QuotaAsker,
  type QuotaNode,
  type QuotaRoom,
  type SellsFrom,
  supplyWithin,
} from './quota-rule.ts';
export { QuotaBook, type QuotaOrder } from './quotas.ts';
export {
  claimFact,
  expireReservations,
  type HeldReservation,
  lockHeld,
  type ReserveItem,
  type ReserveResult,
  releaseReservations,
  reserveStock,
  writeClaims,
} from './reservations.ts';
export { applySafetyStock } from './safety-stock.ts';
export { type OutsideWork, StockSession } from './session.ts';
export {
  type Balance,
  type ChannelNumber,
  type LineRef,
  type Movement,
  type MovementKind,
  type Pair,
  stockFact,
} from './stock.ts';
export { changeSupplies, type SupplyChange } from './supply.ts';
