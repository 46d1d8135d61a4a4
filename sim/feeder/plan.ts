/**
 * From lines to what happens: master data, opening stock and one merged stream of events in file order. Pure; an event is
 * a number and its rows, and its body is built when it is sent.
 */
import { type Channel, channelOf } from './channels.ts';
import { type Matches, matchCancellations } from './matching.ts';
import { planStock, type Receipt, type StockPlan } from './stock-plan.ts';
import { KIND, type LineTable } from './table.ts';

export const COMPANY = 'UK';
export const CURRENCY = 'GBP';

/** `rows` are rows of the table; `at` is business time, seconds since 1970. */
export type FeedEvent =
  | { type: 'order' | 'cancel'; channel: Channel; account: string; number: string; at: number; rows: number[] }
  | { type: 'charges'; number: string; at: number; rows: number[] }
  | { type: 'write_off'; number: string; at: number; rows: number[] }
  | { type: 'zero_price_receipt'; number: string; at: number; rows: number[] }
  | { type: 'receipt'; at: number; receipt: Receipt };

export interface Plan {
  table: LineTable;
  seed: number;
  events: FeedEvent[];
  matches: Matches;
  stock: StockPlan;
  orders: number;
  /** SKUs that somebody ordered; the table's `skus` also hold those that were only received or written off. */
  skusOrdered: number;
  /** By SKU number; undefined for a SKU that never had a price. */
  basePrices: (string | undefined)[];
  units: { ordered: number; cancelled: number; writeOff: number; zeroPrice: number };
}

export function planFeed(table: LineTable, seed: number): Plan {
  const { orders, events } = gatherEvents(table);
  const demand = new Map<string, number>();
  const units = { ordered: 0, cancelled: 0, writeOff: 0, zeroPrice: 0 };
  for (let row = 0; row < table.length; row += 1) {
    const quantity = table.quantity.at(row);
    switch (table.kind.at(row)) {
      case KIND.order_line: {
        const sku = table.skus.at(table.sku.at(row));
        demand.set(sku, (demand.get(sku) ?? 0) + quantity);
        units.ordered += quantity;
        break;
      }
      case KIND.cancellation:
        units.cancelled -= quantity;
        break;
      case KIND.stock_adjustment:
        units.writeOff -= quantity;
        break;
      case KIND.zero_price_receipt:
        units.zeroPrice += quantity;
        break;
    }
  }
  const first = orders[0]?.at ?? (table.length > 0 ? table.at.at(0) : 0);
  const last = Math.max(first, orders.at(-1)?.at ?? first);
  const stock = planStock(seed, demand, first, last);
  return {
    table,
    seed,
    events: mergeReceipts(events, stock.weekly),
    matches: matchCancellations(table),
    stock,
    orders: orders.length,
    skusOrdered: demand.size,
    basePrices: basePrices(table),
    units,
  };
}

/** Each invoice is one event per kind, at the place of its first line; an order waits for no line that comes later. */
function gatherEvents(table: LineTable): { events: FeedEvent[]; orders: FeedEvent[] } {
  const events: FeedEvent[] = [];
  const orders: FeedEvent[] = [];
  const orderOf = new Map<number, number[]>();
  /** What is open for the invoice of the line before; another invoice in between closes it (orders stay open). */
  let open = new Map<string, number[]>();
  let openInvoice = -1;
  for (let row = 0; row < table.length; row += 1) {
    const invoice = table.invoice.at(row);
    const kind = table.kind.at(row);
    const number = table.invoices.at(invoice);
    const account = table.accounts.at(table.account.at(row));
    const at = table.at.at(row);
    if (invoice !== openInvoice) {
      open = new Map();
      openInvoice = invoice;
    }
    if (kind === KIND.order_line) {
      const known = orderOf.get(invoice);
      if (known !== undefined) {
        known.push(row);
        continue;
      }
      const rows = [row];
      orderOf.set(invoice, rows);
      const event: FeedEvent = { type: 'order', channel: channelOf(account), account, number, at, rows };
      events.push(event);
      orders.push(event);
      continue;
    }
    const type = kind === KIND.cancellation ? 'cancel' : typeOf(kind);
    const key = `${type}/${account}`;
    const known = open.get(key);
    if (known !== undefined && type !== 'write_off') {
      known.push(row);
      continue;
    }
    const rows = [row];
    open.set(key, rows);
    events.push(
      type === 'cancel' ? { type, channel: channelOf(account), account, number, at, rows } : { type, number, at, rows },
    );
  }
  return { events, orders };
}

function typeOf(kind: number): 'charges' | 'zero_price_receipt' | 'write_off' {
  if (kind === KIND.zero_price_receipt) return 'zero_price_receipt';
  return kind === KIND.stock_adjustment ? 'write_off' : 'charges';
}

/** A delivery arrives before the first event that is later than it. */
function mergeReceipts(events: FeedEvent[], weekly: readonly Receipt[]): FeedEvent[] {
  const merged: FeedEvent[] = [];
  let next = 0;
  for (const event of events) {
    while (next < weekly.length && weekly[next]!.at <= event.at) merged.push(receiptEvent(weekly[next++]!));
    merged.push(event);
  }
  while (next < weekly.length) merged.push(receiptEvent(weekly[next++]!));
  return merged;
}

function receiptEvent(receipt: Receipt): FeedEvent {
  return { type: 'receipt', at: receipt.at, receipt };
}

/** The price that a SKU has most often; of equally frequent ones the one that came first. */
function basePrices(table: LineTable): (string | undefined)[] {
  const counts: Map<number, number>[] = table.skus.list.map(() => new Map());
  for (let row = 0; row < table.length; row += 1) {
    const kind = table.kind.at(row);
    if (kind !== KIND.order_line && kind !== KIND.cancellation) continue;
    const prices = counts[table.sku.at(row)]!;
    const price = table.price.at(row);
    prices.set(price, (prices.get(price) ?? 0) + 1);
  }
  return counts.map((prices) => {
    let best: number | undefined;
    let most = 0;
    for (const [price, count] of prices) {
      if (count > most) {
        best = price;
        most = count;
      }
    }
    return best === undefined ? undefined : table.prices.at(best);
  });
}
