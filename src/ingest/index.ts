export { type ItemResult, type Message, MESSAGES_PER_BATCH_MAX, type ReceiveDeps, Receiver } from './receive.ts';
export { Poller, type PollerOptions } from './poll.ts';
export { ORDER_LINES_MAX } from './translate.ts';
export { HOLDS_PER_BATCH_MAX, type HoldRequest, type HoldResult, ReservationDesk } from './reservations.ts';
export { editParked, findBody, getParked, listParked, type ParkedRecord, resolveParked } from './parked.ts';
