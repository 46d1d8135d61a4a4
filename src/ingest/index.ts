export { conflictText } from './conflicts.ts';
export type { ItemResult, Message } from './entry.ts';
export { termsOf as orderTermsOf } from './order-terms.ts';
export { editParked, findBody, getParked, listParked, type ParkedRecord, resolveParked } from './parked.ts';
export { Poller, type PollerOptions } from './poll.ts';
export { MESSAGES_PER_BATCH_MAX, type ReceiveDeps, Receiver } from './receive.ts';
export { HOLDS_PER_BATCH_MAX, type HoldRequest, type HoldResult, ReservationDesk } from './reservations.ts';
export { type Came, MESSAGES_TOLD_MAX, type RecordTold, type Rereads, tellRecords } from './tell.ts';
export { ORDER_LINES_MAX } from './translate.ts';
