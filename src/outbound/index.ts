export type { Sender } from './at-once.ts';
export { BUCKETS, leaseName } from './buckets.ts';
export { DeliveryDispatcher, type DispatcherOptions } from './deliver.ts';
export { doubtWhatIsOpen } from './doubt-open.ts';
export { type FlowFreshness, Freshness, readFreshness } from './freshness.ts';
export { Outcomes } from './outcomes.ts';
export {
  getDelivery,
  getPublication,
  listParkedDeliveries,
  listParkedPublications,
  type ParkedDelivery,
  type ParkedPublication,
  type PublicationName,
  replayDelivery,
  replayPublication,
  resolveDelivery,
  resolvePublication,
} from './parked.ts';
export { CONSUMER, type PlanDeps, planNext, type Routing, writeDirty } from './plan.ts';
export { Publisher, type PublisherOptions } from './publish.ts';
export { republishNumbers } from './republish.ts';
export { retryPauseMs } from './retry.ts';
export { PlannedStreams } from './stream-order.ts';
