export {
  type AlertFilter,
  type AlertRecord,
  acknowledgeAlert,
  countOpenAlerts,
  getAlert,
  listAlerts,
  type StageTargets,
  StageWatch,
} from './alerts.ts';
export { type LoadImpact, readLoadImpact } from './load-impact.ts';
export { ensurePartitions } from './maintain.ts';
export { pendingWork } from './pending.ts';
export { Pressure, type PressureLimits } from './pressure.ts';
export { type CheckOptions, checkPromises, type PromiseName, type PromiseVerdict, promiseNames } from './promises.ts';
export { dropExpired, type RetentionResult } from './retention.ts';
