/** What an account owes and may owe, as it stands, for whoever asks. Reads without locking. */
import type { CreditPolicy } from '../master/index.ts';
import { numbers, type Queryable } from '../store/index.ts';
import * as statements from './credit.sql.ts';
import { exposureOf, type Standing } from './decide-credit.ts';
import { type AccountPath, holderOf, standingOf, sumsFor } from './session.ts';

export interface CreditView extends Standing {
  source: string;
  exposureMinor: number;
  /** null: no limit. Below 0: over it. */
  availableMinor: number | null;
  claims: number;
}

/** Of the account whose limit counts for the first of the path; undefined: nobody has reported any of them. */
export async function readCredit(
  db: Queryable,
  policy: CreditPolicy,
  path: AccountPath,
): Promise<CreditView | undefined> {
  const ids = [numbers(path)];
  const rows = new Map((await db.query(statements.readAccounts, ids)).map((row) => [row.account_id, row]));
  const sums = new Map((await db.query(sumsFor(policy), ids)).map((row) => [row.holder_id, row]));
  const standing = holderOf(
    path.flatMap((id) => {
      const row = rows.get(id);
      return row === undefined ? [] : [standingOf(row, sums.get(id))];
    }),
  );
  if (standing === undefined) return undefined;
  const [counted] = await db.query(statements.countClaims, [standing.holderId]);
  const exposureMinor = exposureOf(standing);
  return {
    ...standing,
    source: rows.get(standing.holderId)!.source,
    exposureMinor,
    availableMinor: standing.limitMinor === null ? null : standing.limitMinor - exposureMinor,
    claims: counted!.orders,
  };
}

export interface ClaimView {
  orderId: number;
  /** A line that was added once the ERP had the order; 0: the order itself. */
  lineNo: number;
  channelId: number;
  externalNo: string;
  amountMinor: number;
  basis: string;
  overByMinor: number;
  recordedAt: string;
}

/** Open claims against an account's limit, oldest first. */
export async function listClaims(db: Queryable, holderId: number, limit: number): Promise<ClaimView[]> {
  return (await db.query(statements.readClaims, [holderId, limit])).map((row) => ({
    orderId: row.order_id,
    lineNo: row.line_no,
    channelId: row.channel_id,
    externalNo: row.external_no,
    amountMinor: row.amount_minor,
    basis: row.basis,
    overByMinor: row.over_by_minor,
    recordedAt: row.recorded_at.toISOString(),
  }));
}

/** Ends claims of orders whose channels are not checked any more. @returns how many */
export async function endUncheckedClaims(db: Queryable, checkedChannelIds: readonly number[]): Promise<number> {
  return (await db.query(statements.endUnchecked, [numbers(checkedChannelIds)])).length;
}

/** How old the newest report of each is, in ms; absent: there is none. */
export async function readAges(db: Queryable, accountIds: readonly number[]): Promise<Map<number, number>> {
  if (accountIds.length === 0) return new Map();
  const rows = await db.query(statements.readAges, [numbers(accountIds)]);
  return new Map(rows.map((row) => [row.account_id, row.age_ms]));
}

/** Whose account each is. */
export async function readCompanies(db: Queryable, accountIds: readonly number[]): Promise<Map<number, number>> {
  const rows = await db.query(statements.readCompanies, [numbers(accountIds)]);
  return new Map(rows.map((row) => [row.account_id, row.company_id]));
}
