export {
  type AskedLine,
  differenceOf,
  differencesText,
  isWithin,
  type PriceDifference,
  percentOf,
} from './check.ts';
export { changeContracts } from './contract-changes.ts';
export {
  type ContractPriceRecord,
  type ContractRecord,
  loadAccountsOf,
  putContractPrices,
  putContracts,
  type RefusedContract,
  writeContractPrices,
  writeContracts,
} from './contracts.ts';
export { dayIn } from './day.ts';
export { tellPriceDays } from './days.ts';
export { decidePrice } from './decide.ts';
export { pricingKinds } from './plan-kinds.ts';
export { BASE_LIST, type PriceQuestion, readPrices, readTiers } from './read.ts';
export { lookText, type ToldLook, type ToldPrice, tellPrices } from './tell.ts';
export * from './types.ts';
