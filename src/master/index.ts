export {
  ACCOUNT_DEPTH_MAX,
  type AccountTerms,
  readAccountTerms,
} from './account-terms.ts';
export { ADDRESSES_MAX, accountValues } from './account-values.ts';
export { type AccountRecord, putAccounts, writeAccounts } from './accounts.ts';
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
export type { DeclaredEstate } from './declared-estate.ts';
export { afterSecondsOf, type DeclaredModes, type ModeDomain, modeDomains, modeSystemsOf } from './degraded-policy.ts';
export { Directory, readReferenceEnding } from './directory.ts';
export type { ChannelEntry, ChannelPrices, CompanyEntry, DestinationEntry, LocationEntry } from './entries.ts';
export type { Finding, Findings } from './findings.ts';
export { type KitLeaf, readKitLeaves, readKitPrices, readKits, readKitsOf } from './kits.ts';
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
export { writeIdentities } from './match-index.ts';
export {
  type MatchField,
  type MatchKind,
  type MatchRecord,
  type MatchRule,
  matchFields,
  matchKinds,
  scoreOf,
} from './match-rules.ts';
export {
  apartMatch,
  getMatch,
  listMatches,
  type MatchCase,
  matchRecords,
  matchRules,
  mergeMatch,
  undoMatch,
} from './matches.ts';
export { type OrderStops, readOrderStops } from './order-stops.ts';
export { daysOf, lockPriceWriters } from './overlaps.ts';
export { type OwnerRules, readOwnerRules } from './owners.ts';
export { admitPrices, findOwnPrices, keepToldPrices } from './price-owners.ts';
export { KIT_DEPTH_MAX, SUBSTITUTE_CHAIN_MAX } from './product-lists.ts';
export { KIT_COMPONENTS_MAX, productValues, SUBSTITUTES_MAX } from './product-values.ts';
export {
  type KitRecord,
  type ProductRecord,
  putKits,
  putProducts,
  putSubstitutes,
  putUnits,
  type SubstitutesRecord,
  type UnitsRecord,
  type WriteOptions,
  type Written,
  writeProducts,
} from './products.ts';
export { momentOf, PERSON } from './provenance.ts';
export { column, type RecordKey, type RecordKind, RecordsRefused } from './record-kind.ts';
export { type KindOf, kindsWith, masterKinds } from './record-kinds.ts';
export * from './records.ts';
export { decideStewardship } from './steward.ts';
export { getStewardship, listStewardship, type StewardshipItem } from './stewardship.ts';
export {
  checkProductUnits,
  readOrderRules,
  readUnits,
  UNITS_MAX,
} from './units.ts';
