/** Whether an account may owe so much more. Pure: it reads what is known of the account and what the estate allows. */
import type { CreditPolicy } from '../master/index.ts';

/** What is known of the account whose limit counts, while its row is locked. */
export interface Standing {
  holderId: number;
  currency: string;
  /** null: it has none, and neither has any account above it. */
  limitMinor: number | null;
  openOrdersMinor: number;
  openInvoicesMinor: number;
  /** Reported of the accounts below, where the estate says that a group's own report lacks it; below 0: paid ahead. */
  belowMinor: number;
  /** Accounts below of which amounts are reported in another currency: nobody can add those. */
  foreignBelow: number;
  /** What the hub accepted and no report contains yet. */
  claimedMinor: number;
  /** Of that, what was accepted on a cached report. */
  cachedMinor: number;
  /** When it was so in its source; null: nobody ever said. */
  asOf: string | null;
  ageMs: number | null;
}

export interface CreditAsk {
  accountId: number;
  amountMinor: number;
  currency: string;
  /** What the order comes to with it; absent: it is all of the order. */
  orderMinor?: number;
  /** A person decides: beyond the limit, or on what is not known, too; the record says by how much. */
  isOverridden?: boolean;
}

export type CreditBasis = 'live' | 'cached';

export type CreditRefusal = 'over_credit' | 'credit_unknown' | 'other_currency';

/** What was known when it was decided; told with the order. */
export interface CreditRecord {
  basis: CreditBasis;
  /** The account whose limit counted. */
  holderId: number;
  amountMinor: number;
  currency: string;
  limitMinor: number | null;
  /** Before this order: open orders, open invoices, what is reported of accounts below, and claims together. */
  exposureMinor: number;
  asOf: string | null;
  ageSeconds: number | null;
}

export type CreditDecision =
  | ({ decision: 'accepted'; overByMinor: number } & CreditRecord)
  | ({ decision: 'refused'; reason: CreditRefusal; detail: string } & CreditRecord);

export function exposureOf(standing: Standing): number {
  return standing.openOrdersMinor + standing.openInvoicesMinor + standing.belowMinor + standing.claimedMinor;
}

export function decideCredit(standing: Standing, policy: CreditPolicy, ask: CreditAsk): CreditDecision {
  const { amountMinor, currency } = ask;
  const exposureMinor = exposureOf(standing);
  const isLive = standing.ageMs !== null && standing.ageMs <= policy.freshMs;
  const record: CreditRecord = {
    basis: isLive ? 'live' : 'cached',
    holderId: standing.holderId,
    amountMinor,
    currency,
    limitMinor: standing.limitMinor,
    exposureMinor,
    asOf: standing.asOf,
    ageSeconds: standing.ageMs === null ? null : Math.floor(standing.ageMs / 1_000),
  };
  const refuse = (reason: CreditRefusal, detail: string): CreditDecision => ({
    decision: 'refused',
    reason,
    detail,
    ...record,
  });
  // A limit in another currency says nothing about this amount, and a rate is nobody's promise: no person can wave that through either.
  if (standing.asOf !== null && standing.currency !== currency)
    return refuse('other_currency', `the order is in ${currency}, the limit in ${standing.currency}: never converted`);
  const { limitMinor } = standing;
  const overByMinor = limitMinor === null ? 0 : Math.max(0, exposureMinor + amountMinor - limitMinor);
  if (ask.isOverridden !== true) {
    if (overByMinor > 0)
      return refuse(
        'over_credit',
        `${amountMinor} on top of ${exposureMinor} is ${overByMinor} more than the limit of ${limitMinor} (minor units, ${currency})`,
      );
    if (standing.foreignBelow > 0)
      return refuse(
        'other_currency',
        `${standing.foreignBelow} accounts below have amounts in other currencies than ${standing.currency}: never converted`,
      );
    const beyond = isLive ? undefined : beyondCached(standing, policy, ask);
    if (beyond !== undefined) return refuse('credit_unknown', beyond);
  }
  return { decision: 'accepted', overByMinor, ...record };
}

/** Why so much may not be accepted on a report of this age. */
function beyondCached(
  standing: Standing,
  { cached }: CreditPolicy,
  { amountMinor, orderMinor = amountMinor }: CreditAsk,
): string | undefined {
  if (standing.ageMs === null) return 'nobody has reported the credit of this account';
  const minutes = Math.floor(standing.ageMs / 60_000);
  if (standing.ageMs > cached.ageMinutesMax * 60_000)
    return `the report is ${minutes} minutes old, at most ${cached.ageMinutesMax} may be`;
  const { orderMinorMax, totalMinorMax } = cached;
  if (orderMinorMax !== null && orderMinor > orderMinorMax)
    return `the report is ${minutes} minutes old: at most ${orderMinorMax} an order is accepted on it, not ${orderMinor}`;
  if (totalMinorMax !== null && standing.cachedMinor + amountMinor > totalMinorMax)
    return `the report is ${minutes} minutes old: at most ${totalMinorMax} in all is accepted on such, and ${standing.cachedMinor} is already`;
  return undefined;
}
