export {
  ACCOUNT_DEPTH_MAX,
  type AccountTerms,
  PRIORITY_CLASSES,
  type PriorityClass,
  readAccountTerms,
} from './account-terms.ts';
export { type CreditPolicy, creditPolicyOf, type DeclaredCredit } from './credit-policy.ts';
export {
  type CrosswalkEntry,
  type CrosswalkKind,
  type CrosswalkRecord,
  crosswalkKinds,
  endCrosswalk,
  listCrosswalk,
  putCrosswalk,
  writeCrosswalk,
} from './crosswalk.ts';
export { readDeclared } from './declared.ts';
export { afterSecondsOf, type DeclaredModes, type ModeDomain, modeDomains, modeSystemsOf } from './degraded-policy.ts';
export {
  type ChannelEntry,
  type ChannelPrices,
  type CompanyEntry,
  type DeclaredEstate,
  type DestinationEntry,
  Directory,
  type LocationEntry,
  readReferenceEnding,
} from './directory.ts';
export { claimGtins } from './gtins.ts';
export { applyPlan, type PlanRun, undoPlan } from './load-plan-apply.ts';
export {
  getPlan,
  type LoadPlan,
  listPlanItems,
  listPlans,
  PLAN_ITEMS_PER_BATCH,
  type PlanCounts,
  type PlanItem,
  type PlannedRow,
  PlanWriter,
} from './load-plans.ts';
export { daysOf, lockPriceWriters } from './overlaps.ts';
export { type PlanKindName, planKinds, recordKind } from './record-kinds.ts';
export * from './records.ts';
export { putSubstitutes, SUBSTITUTE_CHAIN_MAX, SUBSTITUTES_MAX, type SubstitutesRecord } from './substitutes.ts';
