/** The walk that all systems that hold orders have in common: each order of the source once, each line as it was ordered. */
import type { Findings } from './findings.ts';
import { truth } from './pages.ts';
import type { Source, SourceOrder } from './source.ts';
import { noParity, type Parity } from './tally.ts';

export interface HeldLine {
  lineNo: number;
  sku: string;
  quantity: number;
  amountMinor?: number;
}
export interface HeldOrder<L extends HeldLine> {
  key: string;
  account: string;
  currency?: string;
  totalMinor: number;
  count?: number;
  lines: L[];
}

const CURRENCY = 'GBP';

/**
 * @param isWanted which orders of the source this system must hold; it may hold no others
 * @param unitsOf how many units of a line it must hold; of a line without any, nothing
 * @param judge what else must be true of a line; false when it is not
 */
export async function compareOrders<L extends HeldLine>(
  source: Source,
  findings: Findings,
  system: string,
  url: string,
  isWanted: (order: SourceOrder) => boolean,
  unitsOf: (row: number) => number,
  judge: (line: L, row: number, key: string) => boolean,
): Promise<Parity> {
  const parity = noParity();
  const seen = new Uint8Array(source.orders.length);
  for await (const held of truth<HeldOrder<L>>(url, 'orders')) {
    parity.orders += 1;
    parity.lines += held.lines.length;
    const place = source.findOrder(held.key);
    const order = place === undefined ? undefined : source.orders[place]!;
    if (order === undefined || !isWanted(order)) {
      parity.extra += 1;
      findings.add('order_extra', system, held.key, null, held.key);
      continue;
    }
    // The same order under two names, or one name with several documents.
    const count = seen[place!]! + (held.count ?? 1);
    seen[place!] = Math.min(count, 255);
    let isSame = findings.same('order_count', system, order.number, 1, count);
    isSame = findings.same('account', system, order.number, order.account, held.account) && isSame;
    if (held.currency !== undefined) {
      isSame = findings.same('currency', system, order.number, CURRENCY, held.currency) && isSame;
    }
    isSame = compareLines(source, findings, system, order, held, parity, unitsOf, judge) && isSame;
    if (!isSame) parity.different += 1;
  }
  source.orders.forEach((order, place) => {
    if (seen[place] !== 0 || !isWanted(order)) return;
    parity.missing += 1;
    for (const row of order.rows) parity.amount += Math.abs(source.amount(row, unitsOf(row)));
    findings.add('order_missing', system, order.number, order.number, null);
  });
  return parity;
}

function compareLines<L extends HeldLine>(
  source: Source,
  findings: Findings,
  system: string,
  order: SourceOrder,
  held: HeldOrder<L>,
  parity: Parity,
  unitsOf: (row: number) => number,
  judge: (line: L, row: number, key: string) => boolean,
): boolean {
  let isSame = true;
  let total = 0;
  const found = new Set<number>();
  for (const line of held.lines) {
    const row = source.findRow(order, line.lineNo);
    const key = `${order.number}/${line.lineNo}`;
    if (row === undefined || found.has(row)) {
      findings.add(row === undefined ? 'line_extra' : 'line_twice', system, key, null, line.sku);
      isSame = false;
      continue;
    }
    found.add(row);
    isSame = findings.same('sku', system, key, source.sku(row), line.sku) && isSame;
    isSame = findings.same('quantity', system, key, unitsOf(row), line.quantity) && isSame;
    if (line.amountMinor !== undefined) {
      const amount = source.amount(row, unitsOf(row));
      isSame = findings.same('amount', system, key, amount, line.amountMinor) && isSame;
    }
    isSame = judge(line, row, key) && isSame;
  }
  for (const row of order.rows) {
    const units = unitsOf(row);
    total += source.amount(row, units);
    if (found.has(row) || units === 0) continue;
    findings.add('line_missing', system, source.key(order, row), source.sku(row), null);
    isSame = false;
  }
  parity.amount += Math.abs(total - held.totalMinor);
  return findings.same('total', system, order.number, total, held.totalMinor) && isSame;
}
