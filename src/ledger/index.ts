export { atpOf, type AtpView, type LocationAvailability, readAtp } from './availability.ts';
export {
  hasSettleable,
  isWorthSending,
  type NumberToSend,
  type PreparedNumbers,
  prepareNumbers,
  recordNumbers,
  screenNumbers,
  settleNumbers,
  targetNumber,
} from './numbers.ts';
export {
  expireReservations,
  type HeldReservation,
  lockHeld,
  releaseReservations,
  type ReserveItem,
  type ReserveResult,
  reserveStock,
  writeClaims,
} from './reservations.ts';
export { type Balance, type ChannelNumber, type Movement, type MovementKind, type Pair, StockSession, stockFact } from './session.ts';
