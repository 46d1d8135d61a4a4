export { type History, type OutboundState, readHistory, type ToldFact, type ToldState } from './history.ts';
export { type PromiseRecord, readPromiseRecords } from './promise-records.ts';
export { type Outlook, type OutlookFilter, readPurchasing } from './purchasing.ts';
export {
  findOrders,
  findParkedOrders,
  type Gap,
  listCame,
  type OrderFound,
  readTimeline,
  type Timeline,
  type TimelineEntry,
} from './timeline.ts';
