/** What ERPs say of accounts: the newest holds, and ends the claims of the orders that it contains. */
import { appendFacts, type NewFact } from '../log/index.ts';
import type { CreditPolicy } from '../master/index.ts';
import { numbers, type Tx, texts } from '../store/index.ts';
import * as statements from './credit.sql.ts';

export const REPORTED_ORDERS_MAX = 10_000;

export interface CreditReport {
  accountId: number;
  companyId: number;
  currency: string;
  /** null: it has none of its own. */
  limitMinor: number | null;
  openOrdersMinor: number;
  openInvoicesMinor: number;
  /** The moment that it shows, by its source's clock. */
  asOf: string;
  source: string;
  /** Orders of ours that it contains. */
  orders: readonly { channelId: number; externalNo: string }[];
  /** Lines that it contains of what was added to them later. */
  orderLines: readonly { channelId: number; externalNo: string; lineNo: number }[];
}

/**
 * Writes reports; of two about one account the later one. Claims end only where a report shows that very order: it is listed, or its
 * source had invoiced some of it by then. What nobody shows counts on, however new the report is.
 * @returns for each whether it was news; an older one changes nothing
 * The caller has locked the rows of all these accounts, and holds no claim's lock.
 */
export async function writeReports(tx: Tx, policy: CreditPolicy, reports: readonly CreditReport[]): Promise<boolean[]> {
  if (reports.length === 0) return [];
  const newest = new Map<number, CreditReport>();
  for (const report of reports) {
    const other = newest.get(report.accountId);
    if (other === undefined || Date.parse(report.asOf) > Date.parse(other.asOf)) newest.set(report.accountId, report);
  }
  const list = [...newest.values()];
  const written = await tx.query(statements.writeReports, [
    numbers(list.map((report) => report.accountId)),
    texts(list.map((report) => report.currency)),
    numbers(list.map((report) => report.limitMinor)),
    numbers(list.map((report) => report.openOrdersMinor)),
    numbers(list.map((report) => report.openInvoicesMinor)),
    texts(list.map((report) => report.asOf)),
    texts(list.map((report) => report.source)),
  ]);
  const rows = new Map(written.map((row) => [row.account_id, row]));
  const applied = list.filter(({ accountId }) => rows.has(accountId));
  if (applied.length > 0) {
    const listed = applied.flatMap(({ accountId, orders, orderLines }) => [
      ...orders.map((order) => ({ accountId, ...order, lineNo: 0 })),
      ...orderLines.map((line) => ({ accountId, ...line })),
    ]);
    const endShown = policy.groupReports === 'own' ? statements.endShownOfOwn : statements.endShown;
    const ended = await tx.query(endShown, [
      numbers(applied.map((report) => report.accountId)),
      texts(applied.map((report) => report.source)),
      texts(applied.map((report) => rows.get(report.accountId)!.as_of.toISOString())),
      numbers(listed.map((order) => order.accountId)),
      numbers(listed.map((order) => order.channelId)),
      texts(listed.map((order) => order.externalNo)),
      numbers(listed.map((order) => order.lineNo)),
    ]);
    const endedOf = Map.groupBy(ended, (row) => row.account_id);
    await appendFacts(
      tx,
      applied.map((report) => factOf(report, rows.get(report.accountId)!, endedOf.get(report.accountId) ?? [])),
    );
  }
  return reports.map((report) => newest.get(report.accountId) === report && rows.has(report.accountId));
}

function factOf(
  { orders: _, orderLines: __, accountId, companyId, asOf, ...report }: CreditReport,
  row: { version: number },
  ended: readonly { order_id: number; line_no: number; amount_minor: number }[],
): NewFact {
  return {
    type: 'credit.reported',
    stream: `credit/${accountId}`,
    version: row.version,
    companyId,
    occurredAt: asOf,
    data: {
      accountId,
      ...report,
      asOf,
      shown: ended.map((claim) => ({
        orderId: claim.order_id,
        ...(claim.line_no > 0 && { lineNo: claim.line_no }),
        amountMinor: claim.amount_minor,
      })),
    },
  };
}
