export {
  ACCOUNT_DEPTH_MAX,
  type AccountTerms,
  PRIORITY_CLASSES,
  type PriorityClass,
  readAccountTerms,
} from './account-terms.ts';
export { readDeclared } from './declared.ts';
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
export { daysOf, lockPriceWriters } from './overlaps.ts';
export * from './records.ts';
export { putSubstitutes, SUBSTITUTE_CHAIN_MAX, SUBSTITUTES_MAX, type SubstitutesRecord } from './substitutes.ts';
