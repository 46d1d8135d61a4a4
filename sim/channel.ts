import { countOf, eachFound, eachItem, type Item, integerOf, linesOf, priceOf, Refusal, textOf } from './lib/items.ts';
import { amountMinorOf, Lines, Texts } from './lib/lines.ts';
import { type Promised, type PromisedRows, promisedOf, withPromised } from './lib/promised.ts';
import { type CancelRecord, type ChangeLine, type ChangeRecord, type OrderRecord, requestsOf } from './lib/requests.ts';
import { business, type Call, type Entry, type Kit, type Route, type Truth, truthOf } from './lib/system.ts';

const STATUS_MAX = 200;
const PRICES_MAX = 250;

/** Columns of an order's lines. */
const SKU = 1;
const QUANTITY = 2;
const PRICE = 3;
const WITHIN = 4;
const CANCEL_REQUESTED = 5;
const CANCELLED = 6;
const SHIPPED = 7;
const RETURNED = 8;
const BACKORDERED = 9;
const REFUSED = 10;
const AMOUNT = 11;
const WIDTH = 12;

/** What a buyer asked a line to become, and what of that was sold within the number. */
interface Asked {
  quantity: number;
  within: number;
  unitPrice: string | undefined;
}

interface Sale {
  account: string;
  statusVersion: number;
  status: string | null;
  lines: Lines;
  /** Tracking numbers by shipment, of orders that were told any. */
  shipments?: Map<string, string[]>;
  promised?: Map<number, Promised[]> | undefined;
  /** By line, of changed orders. */
  asked?: Map<number, Asked>;
}

interface Price {
  version: number;
  unitPrice: string;
  currency: string;
}

/** Columns of a status line after its line number, as they are named on the wire. */
const TOLD = { cancelled: CANCELLED, backordered: BACKORDERED, refused: REFUSED, shipped: SHIPPED, returned: RETURNED };
type StatusRow = [lineNo: number, ...counts: number[]];
/** What a line is by now, where the caller says it. */
type Told = [lineNo: number, sku: string, quantity: number, amountMinor: number];

/** The number that a channel sells from; what it means differs between the shop and the marketplace. */
export interface Numbers {
  /** Never below 0. */
  available(sku: string): number;
  sold(sku: string, units: number, seq: number): void;
}

/** Shipments with their tracking numbers, where the caller tells any. */
function shipmentsOf(item: Item): [shipment: string, tracking: string[]][] | undefined {
  if (item.shipments === undefined) return undefined;
  if (!Array.isArray(item.shipments)) throw new Refusal(422, 'invalid', 'shipments must be a list');
  return (item.shipments as Item[]).map((shipment) => {
    const { tracking } = shipment;
    if (!Array.isArray(tracking) || !tracking.every((number) => typeof number === 'string'))
      throw new Refusal(422, 'invalid', 'tracking must be a list of texts');
    return [textOf(shipment, 'shipment'), tracking];
  });
}

/** What a shop and a marketplace have in common: they sell by themselves, show a price and show what became of an order. */
export function channel(kit: Kit, numbers: Numbers, paths: { setPrice: string; findPrice: string }) {
  const skus = new Texts();
  const prices = new Texts();
  const orders = new Map<string, Sale>();
  const priceList = new Map<string, Price>();
  let backwards = 0;
  let soldWithin = 0;
  let backordered = 0;

  const applyOrder = (record: OrderRecord): void => {
    const rows = record.lines.map(({ lineNo, sku, quantity, unitPrice, within = 0 }) => {
      if (within > 0) numbers.sold(sku, within, record.seq);
      soldWithin += within;
      backordered += quantity - within;
      const nothing = Array.from({ length: AMOUNT - WITHIN - 1 }, () => 0);
      const amount = amountMinorOf(quantity, unitPrice);
      return [lineNo, skus.idOf(sku), quantity, prices.idOf(unitPrice), within, ...nothing, amount];
    });
    const lines = new Lines(WIDTH, rows);
    orders.set(record.number, { account: record.account, statusVersion: 0, status: null, lines });
  };

  /** Units that are sold more are gone from the number at once; the order shows them when it is told of them. */
  const applyChange = (record: ChangeRecord): void => {
    const sale = orders.get(record.order)!;
    for (const { lineNo, sku, quantity, unitPrice, within = 0 } of record.lines) {
      const row = sale.lines.rowOf(lineNo);
      const sold = sku ?? skus.textOf(sale.lines.get(row, SKU));
      if (within > 0) numbers.sold(sold, within, record.seq);
      sale.asked = (sale.asked ?? new Map()).set(lineNo, { quantity, within, unitPrice });
    }
  };

  const applyTold = (sale: Sale, [lineNo, sku, quantity, amountMinor]: Told): void => {
    let row = sale.lines.rowOf(lineNo);
    const asked = sale.asked?.get(lineNo);
    if (row < 0) {
      const price = prices.idOf(asked?.unitPrice ?? '0');
      sale.lines.append([[lineNo, skus.idOf(sku), 0, price, ...Array.from({ length: WIDTH - WITHIN }, () => 0)]]);
      row = sale.lines.rowOf(lineNo);
    }
    const { lines } = sale;
    if (quantity > lines.get(row, QUANTITY) && asked !== undefined) {
      lines.add(row, WITHIN, asked.within);
      soldWithin += asked.within;
      asked.within = 0;
    }
    lines.set(row, SKU, skus.idOf(sku));
    lines.set(row, QUANTITY, quantity);
    lines.set(row, AMOUNT, amountMinor);
  };

  /** The buyer's wish is noted on the lines it names; the goods stay sold until somebody says otherwise. */
  const applyCancel = (record: CancelRecord): void => {
    for (const line of record.lines) {
      if (line.order === null || line.lineNo === null) continue;
      const lines = orders.get(line.order)?.lines;
      const row = lines?.rowOf(line.lineNo) ?? -1;
      if (row >= 0) lines?.add(row, CANCEL_REQUESTED, line.quantity);
    }
  };

  const requests = requestsOf(kit, {
    sell: ({ sku, quantity }, before) => {
      let left = numbers.available(sku);
      for (const line of before) if (line.sku === sku) left -= line.within ?? 0;
      return Math.min(quantity, left);
    },
    order: applyOrder,
    cancel: applyCancel,
    sellMore: (number, line, before) => {
      const { lines } = orders.get(number)!;
      const skuOf = (each: ChangeLine) => each.sku ?? skus.textOf(lines.get(lines.rowOf(each.lineNo), SKU));
      const row = lines.rowOf(line.lineNo);
      if (row < 0 && line.sku === undefined)
        throw new Refusal(422, 'unknown_line', `order ${number} has no line ${line.lineNo}`);
      const sku = skuOf(line);
      let left = numbers.available(sku);
      for (const other of before) if (skuOf(other) === sku) left -= other.within ?? 0;
      const more = line.quantity - (row < 0 ? 0 : lines.get(row, QUANTITY));
      return Math.max(0, Math.min(more, left));
    },
    change: applyChange,
  });

  const restore = (entry: Entry): boolean => {
    if (entry.do === 'price') {
      const { sku, ...price } = entry as unknown as Price & { sku: string; do?: string };
      delete price.do;
      if (price.version < (priceList.get(sku)?.version ?? 0)) backwards += 1;
      priceList.set(sku, price);
      return true;
    }
    if (entry.do !== 'status') return false;
    const sale = orders.get(entry.number as string)!;
    const version = entry.version as number;
    if (version < sale.statusVersion) backwards += 1;
    sale.statusVersion = version;
    sale.status = entry.status as string;
    for (const told of (entry.told ?? []) as Told[]) applyTold(sale, told);
    for (const [lineNo, ...counts] of entry.lines as StatusRow[]) {
      const row = sale.lines.rowOf(lineNo);
      if (row < 0) continue;
      for (const [at, column] of Object.values(TOLD).entries()) sale.lines.set(row, column, counts[at]!);
    }
    if (entry.promised !== undefined)
      sale.promised = withPromised(sale.promised, entry.promised as PromisedRows, entry.base as number);
    if (entry.shipments !== undefined) {
      // What only says what changed is added to what is here; the same one again takes its own place.
      const known = (entry.base as number) > 0 ? (sale.shipments ?? []) : [];
      sale.shipments = new Map([...known, ...(entry.shipments as [string, string[]][])]);
    }
    return true;
  };

  const commit = (entry: Entry): void => {
    kit.keep(entry);
    restore(entry);
  };

  const setStatus = (item: Item, call: Call): object => {
    const number = textOf(item, 'number');
    const sale = orders.get(number);
    if (sale === undefined) throw new Refusal(404, 'unknown_order', `no order ${number}`);
    // What only says what changed must build on what is here.
    const base = item.base === undefined ? 0 : countOf(item, 'base', 0);
    if (base > sale.statusVersion)
      throw new Refusal(409, 'base_missing', `order ${number} is at version ${sale.statusVersion}, not ${base}`);
    const given = linesOf(item, base > 0 ? 0 : 1);
    const promised = promisedOf(given);
    const lines = given.map((line): StatusRow => {
      return [integerOf(line, 'lineNo'), ...Object.keys(TOLD).map((name) => countOf(line, name, 0))];
    });
    const shipments = shipmentsOf(item);
    const told = given
      .filter((line) => line.amountMinor !== undefined)
      .map((line): Told => {
        const [sku, amountMinor] = [textOf(line, 'sku'), integerOf(line, 'amountMinor')];
        return [integerOf(line, 'lineNo'), sku, countOf(line, 'quantity'), amountMinor];
      });
    const entry = {
      do: 'status',
      number,
      version: countOf(item, 'version'),
      status: textOf(item, 'status'),
      lines,
      ...(told.length > 0 && { told }),
      ...((shipments !== undefined || promised.length > 0) && { base }),
      ...(shipments !== undefined && { shipments }),
      ...(promised.length > 0 && { promised }),
    };
    if (!call.lost()) commit(entry);
    return { number, status: 200 };
  };

  const setPrice = (item: Item, call: Call): object => {
    const sku = textOf(item, 'sku');
    const version = countOf(item, 'version');
    const entry = {
      do: 'price',
      sku,
      version,
      unitPrice: priceOf(item, 'unitPrice'),
      currency: textOf(item, 'currency'),
    };
    if (!call.lost()) commit(entry);
    return { sku, status: 200 };
  };

  const routes: Route[] = [
    business('POST', paths.setPrice, (call) =>
      eachItem(call.body, 'items', PRICES_MAX, 'sku', (item) => setPrice(item, call)),
    ),
    business('POST', paths.findPrice, ({ body }) =>
      eachFound(body, 'skus', PRICES_MAX, (sku) => {
        const price = priceList.get(sku);
        return price === undefined ? [] : [{ sku, ...price }];
      }),
    ),
    business('POST', '/orders/status', (call) =>
      eachItem(call.body, 'items', STATUS_MAX, 'number', (item) => setStatus(item, call)),
    ),
    business('POST', '/orders/status/lookup', ({ body }) =>
      eachFound(body, 'numbers', STATUS_MAX, (number) => {
        const sale = orders.get(number);
        return sale === undefined ? [] : [{ number, version: sale.statusVersion }];
      }),
    ),
    ...requests.routes,
  ];

  const ordersTruth: Truth = truthOf(
    orders,
    ({ account, statusVersion, status, lines, shipments, promised, asked }) => ({
      account,
      totalMinor: lines.map((row) => lines.get(row, AMOUNT)).reduce((sum, amount) => sum + amount, 0),
      lines: lines.map((row) => ({
        lineNo: lines.get(row, 0),
        sku: skus.textOf(lines.get(row, SKU)),
        quantity: lines.get(row, QUANTITY),
        unitPrice: prices.textOf(lines.get(row, PRICE)),
        within: lines.get(row, WITHIN),
        cancelRequested: lines.get(row, CANCEL_REQUESTED),
        cancelled: lines.get(row, CANCELLED),
        shipped: lines.get(row, SHIPPED),
        returned: lines.get(row, RETURNED),
        backordered: lines.get(row, BACKORDERED),
        refused: lines.get(row, REFUSED),
        ...(asked?.has(lines.get(row, 0)) && { asked: asked.get(lines.get(row, 0))!.quantity }),
        ...(promised?.has(lines.get(row, 0)) && { promised: promised.get(lines.get(row, 0)) }),
      })),
      statusVersion,
      status,
      ...(shipments !== undefined && {
        shipments: [...shipments].map(([shipment, tracking]) => ({ shipment, tracking })),
      }),
    }),
  );

  return {
    routes,
    restore,
    restoreRecord: requests.restoreRecord,
    ordersTruth,
    pricesTruth: truthOf(priceList, (price) => price),
    stats: () => ({ backwards, soldWithin, backordered, orders: orders.size }),
  };
}
