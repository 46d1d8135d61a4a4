/** What the plan needs to know of the orders that facts are about, read once for all of them. */
import type { Fact } from '../log/index.ts';
import type { Directory } from '../master/index.ts';
import type { OrderCharge, OrderEvent, OrderTax } from '../orders/index.ts';
import { numbers, type Tx } from '../store/index.ts';
import * as statements from './plan.sql.ts';

/** Of an order, what every document about it names. */
export interface Header {
  companyId: number;
  channelId: number;
  accountId: number;
  externalNo: string;
  currency: string;
  orderedAt: string;
  /** Of orders that have charges or taxes. */
  charges?: OrderCharge[];
  taxes?: OrderTax[];
}

export function orderIdOf(fact: Fact): number | null {
  return fact.stream.startsWith('order/') ? Number(fact.stream.slice(6)) : null;
}

export async function readHeaders(tx: Tx, facts: readonly Fact[]): Promise<Map<number, Header>> {
  const headers = new Map<number, Header>();
  const missing = new Set<number>();
  for (const fact of facts) {
    const orderId = orderIdOf(fact);
    if (orderId === null) continue;
    if (fact.type === 'order.accepted') {
      const event = fact.data as Extract<OrderEvent, { type: 'order.accepted' }>;
      headers.set(orderId, event);
    } else missing.add(orderId);
  }
  for (const id of headers.keys()) missing.delete(id);
  if (missing.size > 0)
    for (const row of await tx.query(statements.readHeaders, [numbers([...missing])]))
      headers.set(row.order_id, {
        companyId: row.company_id,
        channelId: row.channel_id,
        accountId: row.account_id,
        externalNo: row.external_no,
        currency: row.currency,
        orderedAt: row.ordered_at.toISOString(),
        ...(row.is_charged && { charges: row.charges ?? [], taxes: row.taxes ?? [] }),
      });
  return headers;
}

const NAMING_SKUS: ReadonlySet<string> = new Set<OrderEvent['type']>([
  'order.accepted',
  'order.lines_added',
  'fulfilment.requested',
  'return.authorised',
  'order.hold_ended',
]);

export async function loadCodes(
  directory: Directory,
  facts: readonly Fact[],
  headers: ReadonlyMap<number, Header>,
): Promise<void> {
  const skuIds = new Set<number>();
  for (const fact of facts)
    if (NAMING_SKUS.has(fact.type))
      for (const line of (fact.data as { lines: { skuId?: number }[] }).lines)
        if (line.skuId !== undefined) skuIds.add(line.skuId);
  await directory.loadSkuCodes(skuIds);
  await directory.loadAccountCodes([...headers.values()].map((header) => header.accountId));
}
