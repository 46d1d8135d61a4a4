export { DeliveryDispatcher, type DispatcherOptions, heldBuckets, leaseName, messageOf } from './deliver.ts';
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
export { BUCKETS, CONSUMER, type PlanDeps, planNext, type Routing, writeDirty } from './plan.ts';
export { Publisher, type PublisherOptions } from './publish.ts';
export { retryPauseMs } from './retry.ts';
