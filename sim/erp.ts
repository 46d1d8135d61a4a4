import { CreditBook } from './erp-credit.ts';
import { countOf, eachFound, eachItem, type Item, integerOf, linesOf, priceOf, Refusal, textOf } from './lib/items.ts';
import { Lines, Texts } from './lib/lines.ts';
import { quotesOf } from './lib/quotes.ts';
import { business, type Call, drive, type Entry, type Kit, type Route, type System, truthOf } from './lib/system.ts';

const BATCH_MAX = 100;
const CHARGES_MAX = 200;
const LOOKUP_MAX = 200;
const PRICES_MAX = 500;
const POST_MS_MIN = 2;
const POST_MS_MAX = 8;

/** Columns of an order's lines. */
const SKU = 1;
const QUANTITY = 2;
const AMOUNT = 3;
const CANCELLED = 4;
const CANCELLED_MINOR = 5;
const SHIPPED = 6;
const INVOICED = 7;
const INVOICED_MINOR = 8;
const RETURNED = 9;
const CREDITED_MINOR = 10;
/** The line that it was added to, or stands for; 0: none. */
const ROOT = 11;
const WIDTH = 12;

interface Order {
  count: number;
  account: string;
  currency: string;
  totalMinor: number;
  lines: Lines;
}

interface Charge {
  count: number;
  charge: Item;
}

interface Change {
  number: string;
  reference: string;
  order: string;
  lines: [lineNo: number, quantity: number, amountMinor: number][];
}

type Book = 'order' | 'change' | 'cancellation' | 'shipment' | 'return' | 'charge';
const PREFIX: Record<Book, string> = {
  order: 'SO',
  change: 'AM',
  cancellation: 'CA',
  shipment: 'SH',
  return: 'RT',
  charge: 'CH',
};

/**
 * The record of orders and money. It makes a new document for every create, also for a reference it has seen, as many
 * ERPs do: whoever writes twice finds it out from the lookups. After a shipment or a return it posts the invoice or the
 * credit note by itself, for exactly the lines that it was told.
 */
export function erp(kit: Kit): System {
  const skus = new Texts();
  const orders = new Map<string, Order>();
  const charges = new Map<string, Charge>();
  const credit = new CreditBook(kit);
  /** Document numbers by reference; a second one is a duplicate. */
  const numbers: Record<Book, Map<string, string[]>> = {
    order: new Map(),
    change: new Map(),
    cancellation: new Map(),
    shipment: new Map(),
    return: new Map(),
    charge: new Map(),
  };
  const made: Record<Book, number> = { order: 0, change: 0, cancellation: 0, shipment: 0, return: 0, charge: 0 };
  /** Shipments and returns by their own number whose invoice or credit note is still to be posted. */
  const unposted = new Map<string, { kind: 'invoice' | 'credit_note'; change: Change }>();
  let duplicates = 0;

  /** A lost write takes a number too: a gap in the numbers is all that is left of it. */
  const nextNumber = (book: Book): string => {
    made[book] += 1;
    return `${PREFIX[book]}-${made[book]}`;
  };

  const note = (book: Book, reference: string, number: string): void => {
    made[book] = Math.max(made[book], Number(number.slice(PREFIX[book].length + 1)));
    const known = numbers[book].get(reference);
    if (known === undefined) {
      numbers[book].set(reference, [number]);
      return;
    }
    known.push(number);
    duplicates += 1;
  };

  const applyOrder = (entry: Entry): void => {
    const reference = entry.reference as string;
    note('order', reference, entry.number as string);
    const known = orders.get(reference);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    const rows = rowsOf(entry);
    orders.set(reference, {
      count: 1,
      account: entry.account as string,
      currency: entry.currency as string,
      totalMinor: entry.totalMinor as number,
      lines: new Lines(WIDTH, rows),
    });
    credit.ordered(entry);
  };

  const rowsOf = (entry: Entry): number[][] =>
    (entry.lines as [number, string, number, string, number, number?][]).map(
      ([lineNo, sku, quantity, , amount, root = 0]) => [
        ...[lineNo, skus.idOf(sku), quantity, amount],
        ...Array.from({ length: ROOT - 4 }, () => 0),
        root,
      ],
    );

  /** Lines that were added to an order; a second copy of the same document adds nothing but itself. */
  const applyAddition = (entry: Entry): void => {
    const reference = entry.reference as string;
    const isNew = !numbers.change.has(reference);
    note('change', reference, entry.number as string);
    if (!isNew) return;
    const order = orders.get(entry.order as string)!;
    order.totalMinor += entry.totalMinor as number;
    order.lines.append(rowsOf(entry));
    const lineNos = (entry.lines as [number][]).map(([lineNo]) => lineNo);
    credit.added(entry.order as string, lineNos, entry.totalMinor as number);
  };

  const applyChange = (book: 'cancellation' | 'shipment' | 'return', change: Change): void => {
    note(book, change.reference, change.number);
    const { lines } = orders.get(change.order)!;
    for (const [lineNo, quantity, amountMinor] of change.lines) {
      const row = lines.rowOf(lineNo);
      if (book === 'shipment') lines.add(row, SHIPPED, quantity);
      if (book === 'return') lines.add(row, RETURNED, quantity);
      if (book === 'cancellation') {
        lines.add(row, CANCELLED, quantity);
        lines.add(row, CANCELLED_MINOR, amountMinor);
        credit.cancelled(change.order, amountMinor);
      }
    }
    if (book === 'shipment') unposted.set(change.number, { kind: 'invoice', change });
    if (book === 'return') unposted.set(change.number, { kind: 'credit_note', change });
  };

  const applyDocument = (record: Item): void => {
    if (record.kind === 'credit') return;
    if (record.kind === 'price') {
      prices.set(record.sku as string, { unitPrice: record.unitPrice as string, currency: record.currency as string });
      return;
    }
    const invoice = record.kind === 'invoice';
    unposted.delete(`${invoice ? PREFIX.shipment : PREFIX.return}-${(record.number as string).slice(4)}`);
    const { lines } = orders.get(record.order as string)!;
    for (const line of record.lines as { lineNo: number; quantity: number; amountMinor: number }[]) {
      const row = lines.rowOf(line.lineNo);
      if (invoice) lines.add(row, INVOICED, line.quantity);
      lines.add(row, invoice ? INVOICED_MINOR : CREDITED_MINOR, line.amountMinor);
      credit[invoice ? 'invoiced' : 'credited'](record.order as string, line.amountMinor);
    }
  };

  const applyCharge = (entry: Entry): void => {
    const charge = entry.charge as Item;
    const reference = charge.reference as string;
    note('charge', reference, entry.number as string);
    const known = charges.get(reference);
    if (known === undefined) charges.set(reference, { count: 1, charge });
    else known.count += 1;
  };

  const quotes = quotesOf(kit);
  const prices = new Map<string, { unitPrice: string; currency: string }>();
  let pricedAt = 0;

  /** Two prices of one SKU never change at one moment: of two, a reader must know which is the later one. */
  const setPrice = (item: Item): object => {
    const sku = textOf(item, 'sku');
    pricedAt = Math.max(kit.time.now(), pricedAt + 1);
    const head = { sku, company: textOf(item, 'company'), currency: textOf(item, 'currency') };
    const record = { ...head, unitPrice: priceOf(item, 'unitPrice'), at: new Date(pricedAt).toISOString() };
    applyDocument(kit.feed.append({ kind: 'price', ...record }));
    return { sku, status: 200 };
  };

  const restore = (entry: Entry): void => {
    if (quotes.restore(entry)) return;
    if (entry.do === 'order') applyOrder(entry);
    else if (entry.do === 'charge') applyCharge(entry);
    else if (entry.do === 'credit_limit' || entry.do === 'payment') credit.restore(entry);
    else if (entry.do === 'change') applyAddition(entry);
    else applyChange(entry.do as 'cancellation', entry as unknown as Change);
  };

  const commit = (entry: Entry): void => {
    kit.keep(entry);
    restore(entry);
  };

  const post = (number: string): void => {
    const work = unposted.get(number);
    if (work === undefined) return;
    const { kind, change } = work;
    const lines = change.lines.map(([lineNo, quantity, amountMinor]) => ({ lineNo, quantity, amountMinor }));
    const totalMinor = lines.reduce((sum, line) => sum + line.amountMinor, 0);
    applyDocument(
      kit.feed.append({
        kind,
        number: `${kind === 'invoice' ? 'INV' : 'CRN'}-${number.slice(3)}`,
        order: change.order,
        reference: change.reference,
        currency: orders.get(change.order)!.currency,
        lines,
        totalMinor,
        at: new Date(kit.time.now()).toISOString(),
      }),
    );
    credit.tell(change.order);
  };

  const postSoon = (number: string): void => {
    kit.time.after(kit.random.between(POST_MS_MIN, POST_MS_MAX) / kit.speed, () => post(number));
  };

  const pricedLines = (item: Item): { totalMinor: number; lines: unknown[][] } => {
    const totalMinor = integerOf(item, 'totalMinor');
    let sum = 0;
    const lines = linesOf(item).map((line) => {
      const amountMinor = integerOf(line, 'amountMinor');
      sum += amountMinor;
      const head = [integerOf(line, 'lineNo'), textOf(line, 'sku'), countOf(line, 'quantity')];
      const root = line.addsTo ?? line.standsFor;
      return [...head, priceOf(line, 'unitPrice'), amountMinor, ...(root === undefined ? [] : [root])];
    });
    for (const charge of (item.charges ?? []) as Item[]) sum += integerOf(charge, 'amountMinor');
    if (sum !== totalMinor)
      throw new Refusal(422, 'total_mismatch', `totalMinor ${totalMinor}, lines add up to ${sum}`);
    return { totalMinor, lines };
  };

  const createAddition = (item: Item, call: Call): object => {
    const reference = textOf(item, 'reference');
    const orderKey = textOf(item, 'order');
    const order = orders.get(orderKey);
    if (order === undefined) throw new Refusal(404, 'unknown_order', `no order ${orderKey}`);
    const { totalMinor, lines } = pricedLines(item);
    // Another copy of a document that it has: it makes a second one, as of every create.
    const isCopy = numbers.change.has(reference);
    for (const [lineNo] of lines)
      if (!isCopy && order.lines.rowOf(lineNo as number) >= 0)
        throw new Refusal(409, 'line_exists', `order ${orderKey} has a line ${String(lineNo)}`);
    const number = nextNumber('change');
    if (!call.lost()) {
      commit({ do: 'change', number, reference, order: orderKey, totalMinor, lines });
      credit.tell(orderKey);
    }
    return { reference, status: 201, number };
  };

  const createOrder = (item: Item, call: Call): object => {
    const reference = textOf(item, 'reference');
    const { totalMinor, lines } = pricedLines(item);
    const head = { company: textOf(item, 'company'), account: textOf(item, 'account') };
    const terms = { currency: textOf(item, 'currency'), orderedAt: textOf(item, 'orderedAt'), totalMinor };
    const number = nextNumber('order');
    if (!call.lost()) {
      commit({ do: 'order', number, reference, ...head, ...terms, lines });
      credit.tell(reference);
    }
    return { reference, status: 201, number };
  };

  const createChange = (book: 'cancellation' | 'shipment' | 'return', item: Item, call: Call): object => {
    const reference = textOf(item, 'reference');
    const orderKey = textOf(item, 'order');
    const order = orders.get(orderKey);
    if (order === undefined) throw new Refusal(404, 'unknown_order', `no order ${orderKey}`);
    const asked = new Map<number, number>();
    const lines = linesOf(item).map((line): Change['lines'][number] => {
      const lineNo = integerOf(line, 'lineNo');
      const row = order.lines.rowOf(lineNo);
      if (row < 0) throw new Refusal(422, 'unknown_line', `order ${orderKey} has no line ${lineNo}`);
      const quantity = countOf(line, 'quantity');
      const sum = (asked.get(row) ?? 0) + quantity;
      asked.set(row, sum);
      if (book === 'cancellation') {
        const open = order.lines.get(row, QUANTITY) - order.lines.get(row, CANCELLED) - order.lines.get(row, SHIPPED);
        if (sum > open) throw new Refusal(409, 'not_open', `line ${lineNo} of ${orderKey}: ${sum} asked, ${open} open`);
      }
      return [lineNo, quantity, integerOf(line, 'amountMinor')];
    });
    const number = nextNumber(book);
    if (call.lost()) return { reference, status: 201, number };
    commit({ do: book, number, reference, order: orderKey, lines });
    if (book === 'cancellation') credit.tell(orderKey);
    if (book !== 'cancellation') postSoon(number);
    return { reference, status: 201, number };
  };

  const createCharge = (item: Item, call: Call): object => {
    const charge = {
      reference: textOf(item, 'reference'),
      kind: textOf(item, 'kind'),
      account: textOf(item, 'account'),
      code: textOf(item, 'code'),
      quantity: integerOf(item, 'quantity'),
      amountMinor: integerOf(item, 'amountMinor'),
      currency: textOf(item, 'currency'),
      at: textOf(item, 'at'),
    };
    const number = nextNumber('charge');
    if (!call.lost()) commit({ do: 'charge', number, charge });
    return { reference: charge.reference, status: 201, number };
  };

  const lookup = (path: string, book: Book): Route =>
    business('POST', `/${path}/lookup`, ({ body }) =>
      eachFound(body, 'references', LOOKUP_MAX, (reference) =>
        (numbers[book].get(reference) ?? []).map((number) => ({ reference, number })),
      ),
    );
  const change = (path: string, book: 'cancellation' | 'shipment' | 'return'): Route =>
    business('POST', `/${path}/batch`, (call) =>
      eachItem(call.body, path, BATCH_MAX, 'reference', (item) => createChange(book, item, call)),
    );

  return {
    feedPath: '/documents',
    routes: [
      business('POST', '/sales-orders/batch', (call) =>
        eachItem(call.body, 'orders', BATCH_MAX, 'reference', (item) => createOrder(item, call)),
      ),
      business('POST', '/order-changes/batch', (call) =>
        eachItem(call.body, 'changes', BATCH_MAX, 'reference', (item) => createAddition(item, call)),
      ),
      change('cancellations', 'cancellation'),
      change('shipments', 'shipment'),
      change('returns', 'return'),
      business('POST', '/charges/batch', (call) =>
        eachItem(call.body, 'charges', CHARGES_MAX, 'reference', (item) => createCharge(item, call)),
      ),
      lookup('sales-orders', 'order'),
      lookup('order-changes', 'change'),
      lookup('cancellations', 'cancellation'),
      lookup('shipments', 'shipment'),
      lookup('returns', 'return'),
      lookup('charges', 'charge'),
      ...credit.routes,
      ...quotes.routes,
      drive('prices', ({ body }) => eachItem(body, 'prices', PRICES_MAX, 'sku', setPrice)),
    ],
    restore,
    restoreRecord: applyDocument,
    resume: () => {
      for (const number of unposted.keys()) postSoon(number);
    },
    pending: () => unposted.size,
    stats: () => ({ duplicates, documents: kit.feed.last, orders: orders.size, charges: charges.size }),
    truths: {
      orders: truthOf(orders, ({ lines, ...order }) => ({
        ...order,
        lines: lines.map((row) => ({
          lineNo: lines.get(row, 0),
          sku: skus.textOf(lines.get(row, SKU)),
          quantity: lines.get(row, QUANTITY),
          amountMinor: lines.get(row, AMOUNT),
          cancelled: lines.get(row, CANCELLED),
          cancelledMinor: lines.get(row, CANCELLED_MINOR),
          shipped: lines.get(row, SHIPPED),
          invoiced: lines.get(row, INVOICED),
          invoicedMinor: lines.get(row, INVOICED_MINOR),
          returned: lines.get(row, RETURNED),
          creditedMinor: lines.get(row, CREDITED_MINOR),
          ...(lines.get(row, ROOT) > 0 && { root: lines.get(row, ROOT) }),
        })),
      })),
      prices: truthOf(prices, (price) => price),
      charges: truthOf(charges, ({ count, charge }) => ({ count, ...charge })),
    },
  };
}
