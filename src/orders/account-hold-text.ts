/** What an order says that waits for a hold of its account. */
import type { Directory } from '../master/index.ts';

export const ACCOUNT_ON_HOLD = 'account_on_hold';

/** As an order says it when it is taken, and as one is held later. */
export function accountHoldText(
  directory: Directory,
  accountId: number,
  { holdReason, holdAccountId }: { holdReason: string; holdAccountId: number },
): string {
  const of = holdAccountId === accountId ? '' : `, by account ${directory.accountCode(holdAccountId)} above it`;
  return `account ${directory.accountCode(accountId)} is on hold${of}: ${holdReason}`;
}
