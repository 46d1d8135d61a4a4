export { readUnconfirmed } from '../modes/index.ts';
export { acceptedOf } from './accepted.ts';
export { type AccountHoldsRound, followAccountHolds } from './account-holds.ts';
export { allocateBackorders, BACKORDER_CONSUMER, followBackorders, sweepBackorders } from './backorders.ts';
export { checkPromise, type PromiseAnswer, type PromiseQuestion } from './check-promise.ts';
export { accountsOfUnknownCredit, CREDIT_CONSUMER, followCredit, sweepCredit } from './credit-releases.ts';
export { decide } from './decide.ts';
export { checkDegraded, releaseDegraded } from './degraded-releases.ts';
export { evolve } from './evolve.ts';
export {
  countOpenExceptions,
  type ExceptionFilter,
  type ExceptionRecord,
  getException,
  listExceptions,
  type Settlement,
  settleException,
} from './exception-records.ts';
export { readFirstDecision } from './first-decision.ts';
export { followPromises, PROMISE_CONSUMER, sweepPromises } from './follow-promises.ts';
export { followReruns, RERUN_CONSUMER, sweepReruns } from './follow-reruns.ts';
export {
  countOpenHolds,
  endDueHolds,
  getHold,
  type HoldFilter,
  type HoldRecord,
  holdOrder,
  listHolds,
  releaseHold,
} from './hold-records.ts';
export { type KitProgress, kitProgress } from './kit-progress.ts';
export { leftOf, partsOf, rootOf } from './line-parts.ts';
export { eventRules, mayMove, stateOf, stateRules } from './machine.ts';
export {
  backorderedUnits,
  type OrderBatch,
  type OrderDeps,
  type OrderReference,
  type OrderWork,
  processOrders,
  type WorkResult,
} from './process.ts';
export { readPromises } from './promises.ts';
export {
  putQuotas,
  type QuotaFilter,
  type QuotaRecord,
  type QuotaTold,
  readQuotas,
  tellQuotaPeriods,
} from './quota-records.ts';
export {
  applyRerun,
  type LeftOut,
  planRerun,
  type RerunLine,
  type RerunPart,
  type RerunPlan,
  type RerunReach,
  type RerunResult,
  readLeftOut,
} from './rerun.ts';
export {
  getReturn,
  listReturnCandidates,
  listReturnedStock,
  listReturns,
  type ReturnCandidate,
  type ReturnedStock,
  type ReturnFilter,
  type ReturnRecord,
} from './return-records.ts';
export { lockOrders, readOrders, readToldOrders, type ToldOrder } from './store.ts';
export { standInsOf } from './take-back.ts';
export {
  readToldCharges,
  readToldDocuments,
  readToldInspections,
  readToldPromises,
  type ToldDocuments,
  type ToldInspection,
  type ToldPart,
  type ToldPromise,
} from './told.ts';
export * from './types.ts';
