/** What holds for an account's orders, read once a batch: its own terms, and what it has from those above it. */
import type { PriorityClass } from '../canonical/index.ts';
import { numbers, type Queryable } from '../store/index.ts';
import { readTerms } from './account-terms.sql.ts';

/** Accounts from one to the top, itself among them. */
export const ACCOUNT_DEPTH_MAX = 8;

export interface AccountTerms {
  accountId: number;
  companyId: number;
  parentId: number | null;
  /** Itself first, then what is above it. */
  path: number[];
  /** Its own, else that of the nearest above it: a hold of a whole group holds each of it. */
  holdReason: string | null;
  /** Whose that is. */
  holdAccountId: number | null;
  /** Its own, else that of the nearest above it that has one; so with the price list. */
  paymentTerms: string | null;
  priceList: string | null;
  priorityClass: PriorityClass;
  shipComplete: boolean;
  region: string | null;
}

export async function readAccountTerms(
  db: Queryable,
  accountIds: Iterable<number>,
): Promise<Map<number, AccountTerms>> {
  const ids = [...new Set(accountIds)];
  if (ids.length === 0) return new Map();
  const rows = await db.query(readTerms, [numbers(ids), ACCOUNT_DEPTH_MAX]);
  return new Map(
    rows.map((row) => [
      row.account_id,
      {
        accountId: row.account_id,
        companyId: row.company_id,
        parentId: row.parent_id,
        path: row.path.map(Number),
        holdReason: row.hold_reason,
        holdAccountId: row.hold_account_id,
        paymentTerms: row.payment_terms,
        priceList: row.price_list,
        priorityClass: row.priority_class as PriorityClass,
        shipComplete: row.ship_complete,
        region: row.region,
      },
    ]),
  );
}
