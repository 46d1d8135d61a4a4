/** What rows mean that name no company or currency. */
import type { LoadContext } from './kinds.ts';

export function onlyCompany({ directory, company }: LoadContext): string | undefined {
  return company ?? (directory.companies.size === 1 ? [...directory.companies.keys()][0] : undefined);
}

export function currencyOf({ directory }: LoadContext, company: string | undefined): string | undefined {
  return company === undefined ? undefined : directory.companies.get(company)?.currency;
}
