import {
  countOf,
  eachItem,
  type Item,
  integerOf,
  integerOrNull,
  linesOf,
  priceOf,
  Refusal,
  textOf,
  textOrNull,
} from './items.ts';
import { drive, type Kit, type Route } from './system.ts';

const ORDERS_MAX = 50;
const CANCELS_MAX = 500;

export interface RequestLine {
  lineNo: number;
  sku: string;
  quantity: number;
  unitPrice: string;
  /** Only where the system sells by itself: units sold within its number. */
  within?: number;
}

export interface OrderRecord {
  seq: number;
  type: 'order';
  number: string;
  account: string;
  company: string;
  currency: string;
  orderedAt: string;
  lines: RequestLine[];
}

export interface CancelRecord {
  seq: number;
  type: 'cancel';
  reference: string;
  account: string;
  at: string;
  lines: { order: string | null; lineNo: number | null; sku: string; quantity: number; unitPrice: string }[];
}

/** What buyers do in a shop, a marketplace or at a salesperson's desk: order, and ask for it back. Each once. */
export function requestsOf(
  kit: Kit,
  on: {
    sell?: (line: RequestLine, all: RequestLine[]) => number;
    order?: (record: OrderRecord) => void;
    cancel?: (record: CancelRecord) => void;
  },
) {
  const numbers = new Set<string>();
  const cancels = new Set<string>();

  const apply = (record: OrderRecord | CancelRecord): void => {
    if (record.type === 'order') {
      numbers.add(record.number);
      on.order?.(record);
    } else {
      cancels.add(record.reference);
      on.cancel?.(record);
    }
  };

  const order = (item: Item): object => {
    const number = textOf(item, 'number');
    if (numbers.has(number)) return { number, status: 200 };
    const lines: RequestLine[] = [];
    for (const raw of linesOf(item)) {
      const line: RequestLine = {
        lineNo: integerOf(raw, 'lineNo'),
        sku: textOf(raw, 'sku'),
        quantity: countOf(raw, 'quantity'),
        unitPrice: priceOf(raw, 'unitPrice'),
      };
      if (on.sell) line.within = on.sell(line, lines);
      lines.push(line);
    }
    const head = { number, account: textOf(item, 'account'), company: textOf(item, 'company') };
    const rest = { currency: textOf(item, 'currency'), orderedAt: textOf(item, 'orderedAt'), lines };
    apply(kit.feed.append({ type: 'order' as const, ...head, ...rest }));
    return { number, status: 201 };
  };

  const cancel = (item: Item): object => {
    const reference = textOf(item, 'reference');
    if (cancels.has(reference)) return { reference, status: 200 };
    const lines = linesOf(item).map((line) => ({
      order: textOrNull(line, 'order'),
      lineNo: integerOrNull(line, 'lineNo'),
      sku: textOf(line, 'sku'),
      quantity: countOf(line, 'quantity'),
      unitPrice: priceOf(line, 'unitPrice'),
    }));
    const head = { reference, account: textOf(item, 'account'), at: textOf(item, 'at') };
    apply(kit.feed.append({ type: 'cancel' as const, ...head, lines }));
    return { reference, status: 201 };
  };

  const routes: Route[] = [
    drive('orders', ({ body }) => {
      // Buyers wait while nobody reads: a feeder can't run away from its reader.
      if (kit.feed.unread > kit.unreadMax) throw new Refusal(503, 'unread', `${kit.feed.unread} records are unread`, 1);
      return eachItem(body, 'orders', ORDERS_MAX, 'number', order);
    }),
    drive('cancels', ({ body }) => eachItem(body, 'cancels', CANCELS_MAX, 'reference', cancel)),
  ];
  return { routes, restoreRecord: (record: Item) => apply(record as unknown as OrderRecord | CancelRecord) };
}
