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
const CHANGES_MAX = 50;

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

/** What lines of an order shall be from now on: a wish, until somebody says what became of it. */
export interface ChangeRecord {
  seq: number;
  type: 'change';
  order: string;
  reference: string;
  at: string;
  /** `quantity`: all units of the line. A line that is not there yet has SKU and price. */
  lines: ChangeLine[];
}
export interface ChangeLine {
  lineNo: number;
  sku?: string;
  quantity: number;
  unitPrice?: string;
  within?: number;
}

/** Goods that their buyer wants to give back. */
export interface ReturnRecord {
  seq: number;
  type: 'return';
  order: string;
  reference: string;
  reason: string;
  at: string;
  lines: { lineNo: number; quantity: number }[];
}

type Wish = CancelRecord | ChangeRecord | ReturnRecord;

/** What buyers do in a shop, a marketplace or at a salesperson's desk: order, change it, ask for it back, send goods back. Each once. */
export function requestsOf(
  kit: Kit,
  on: {
    sell?: (line: RequestLine, all: RequestLine[]) => number;
    order?: (record: OrderRecord) => void;
    cancel?: (record: CancelRecord) => void;
    /** Units of it that were sold within the number: of those that a change adds to this line. */
    sellMore?: (order: string, line: ChangeLine, before: readonly ChangeLine[]) => number;
    change?: (record: ChangeRecord) => void;
  },
) {
  const numbers = new Set<string>();
  const wishes: Record<Wish['type'], Set<string>> = { cancel: new Set(), change: new Set(), return: new Set() };

  const apply = (record: OrderRecord | Wish): void => {
    if (record.type === 'order') {
      numbers.add(record.number);
      on.order?.(record);
      return;
    }
    wishes[record.type].add(record.reference);
    if (record.type === 'cancel') on.cancel?.(record);
    if (record.type === 'change') on.change?.(record);
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
    if (wishes.cancel.has(reference)) return { reference, status: 200 };
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

  const knownOrder = (item: Item): string => {
    const order = textOf(item, 'order');
    if (!numbers.has(order)) throw new Refusal(404, 'unknown_order', `no order ${order}`);
    return order;
  };

  const change = (item: Item): object => {
    const reference = textOf(item, 'reference');
    if (wishes.change.has(reference)) return { reference, status: 200 };
    const number = knownOrder(item);
    const lines: ChangeLine[] = [];
    for (const raw of linesOf(item)) {
      const line: ChangeLine = {
        lineNo: integerOf(raw, 'lineNo'),
        quantity: countOf(raw, 'quantity', 0),
        ...(raw.sku !== undefined && { sku: textOf(raw, 'sku'), unitPrice: priceOf(raw, 'unitPrice') }),
      };
      const within = on.sellMore?.(number, line, lines);
      lines.push(within === undefined ? line : { ...line, within });
    }
    apply(kit.feed.append({ type: 'change' as const, order: number, reference, at: textOf(item, 'at'), lines }));
    return { reference, status: 201 };
  };

  const giveBack = (item: Item): object => {
    const reference = textOf(item, 'reference');
    if (wishes.return.has(reference)) return { reference, status: 200 };
    const head = { order: knownOrder(item), reference, reason: textOf(item, 'reason'), at: textOf(item, 'at') };
    const lines = linesOf(item).map((line) => ({
      lineNo: integerOf(line, 'lineNo'),
      quantity: countOf(line, 'quantity'),
    }));
    apply(kit.feed.append({ type: 'return' as const, ...head, lines }));
    return { reference, status: 201 };
  };

  const routes: Route[] = [
    drive('orders', ({ body }) => {
      // Buyers wait while nobody reads: a feeder can't run away from its reader.
      if (kit.feed.unread > kit.unreadMax) throw new Refusal(503, 'unread', `${kit.feed.unread} records are unread`, 1);
      return eachItem(body, 'orders', ORDERS_MAX, 'number', order);
    }),
    drive('cancels', ({ body }) => eachItem(body, 'cancels', CANCELS_MAX, 'reference', cancel)),
    drive('changes', ({ body }) => eachItem(body, 'changes', CHANGES_MAX, 'reference', change)),
    drive('returns', ({ body }) => eachItem(body, 'returns', CHANGES_MAX, 'reference', giveBack)),
  ];
  return { routes, restoreRecord: (record: Item) => apply(record as unknown as OrderRecord | Wish) };
}
