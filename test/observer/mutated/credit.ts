/** Credit, from the ERP's own books: no account ever owed more than it may, but for what a person let go. */
import type { Findings } from '../findings.ts';
import { feed } from '../pages.ts';
import type { Source } from '../source.ts';
import type { ErpOrder, ShownOrder } from './held.ts';
import type { Wishes } from './wishes.ts';

interface Report {
  seq: number;
  kind: string;
  account: string;
  limitMinor: number | null;
  openOrdersMinor: number;
  openInvoicesMinor: number;
  orders: string[];
}
export interface CreditCounts {
  accountsLimited: number;
  reports: number;
  held: number;
  releasedByPerson: number;
  /** How near the limited accounts came, in per cent of their limits. */
  usedPercentMax: number;
}

interface Known {
  held: ReadonlyMap<string, string[]>;
  wishes: Wishes;
  crm: ReadonlyMap<string, ShownOrder>;
  erp: ReadonlyMap<string, ErpOrder>;
  source: Source;
}

export async function judgeCredit(
  findings: Findings,
  url: string,
  { held, wishes, crm, erp, source }: Known,
): Promise<CreditCounts> {
  const accountOf = new Map(source.orders.map((order) => [`${order.channel}/${order.number}`, order.account]));
  /** Minor units by which a person let each account go beyond its limit, at most. */
  const beyond = new Map<string, number>();
  const released = wishes.released.filter(({ kind }) => kind === 'credit');
  for (const { order, totalMinor } of released) {
    const account = accountOf.get(order)!;
    beyond.set(account, (beyond.get(account) ?? 0) + totalMinor);
  }
  const counts = { accountsLimited: 0, reports: 0, held: 0, releasedByPerson: released.length, usedPercentMax: 0 };
  const last = new Map<string, Report>();
  for await (const report of feed<Report>(url)) {
    if (report.kind !== 'credit') continue;
    counts.reports += 1;
    last.set(report.account, report);
    const { account, limitMinor, openOrdersMinor, openInvoicesMinor } = report;
    if (limitMinor === null) continue;
    // An order that was given up while it was held is told with its cancel right behind it: nobody owes anything for it.
    const given = report.orders
      .map((reference) => erp.get(reference)!)
      .filter((order) => order.lines.every((line) => line.cancelled === line.quantity))
      .reduce((sum, order) => sum + order.totalMinor, 0);
    const owed = openOrdersMinor + openInvoicesMinor - Math.min(openOrdersMinor, given);
    const most = limitMinor + (beyond.get(account) ?? 0);
    if (limitMinor > 0 && !beyond.has(account))
      counts.usedPercentMax = Math.max(counts.usedPercentMax, Math.floor((owed * 100) / limitMinor));
    if (owed > most) findings.add('over_limit', 'erp', `${account} (report ${report.seq})`, most, owed);
  }
  counts.accountsLimited = [...last.values()].filter(({ limitMinor }) => limitMinor !== null).length;
  for (const [order, kinds] of held) {
    if (!kinds.includes('credit')) continue;
    counts.held += 1;
    const account = accountOf.get(order)!;
    const report = last.get(account);
    if (report?.limitMinor == null) {
      findings.add('held_without_limit', 'hub', order, account, null);
      continue;
    }
    if (kinds.length > 1) continue;
    // Nothing is under way any more: what fits would have gone on by itself.
    const lines = crm.get(order)!.lines;
    const wants = lines.reduce((sum, line) => sum + (line.quantity > line.cancelled + line.refused ? 1 : 0), 0);
    const amount = crm.get(order)!.totalMinor;
    const isWhole = lines.every((line) => line.cancelled + line.refused === 0);
    const room = report.limitMinor - report.openOrdersMinor - report.openInvoicesMinor;
    if (wants > 0 && isWhole && amount <= room) findings.add('held_in_vain', 'hub', order, room, amount);
  }
  return counts;
}
