export * from './decide-credit.ts';
export { readPaths } from './paths.ts';
export { type CreditReport, REPORTED_ORDERS_MAX, writeReports } from './reports.ts';
export { type AccountPath, CreditSession } from './session.ts';
export {
  type ClaimView,
  type CreditView,
  endUncheckedClaims,
  listClaims,
  readAges,
  readCompanies,
  readCredit,
} from './standing.ts';
