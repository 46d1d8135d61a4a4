import { countOf, eachFound, eachItem, type Item, integerOf, itemOf, linesOf, Refusal, textOf } from './lib/items.ts';
import { Lines } from './lib/lines.ts';
import { business, type Call, drive, type Entry, type Kit, type System, truthOf } from './lib/system.ts';
import { Adjustments } from './wms-adjustments.ts';
import {
  askedOf,
  CANCELLED,
  FULFILMENT_WIDTH,
  type Fulfilment,
  firstPartOf,
  type GoodsLine,
  remainingOf,
  SHIPPED,
  SHORT,
  type Stock,
  type StockEvent,
  truthOfFulfilment,
} from './wms-fulfilment.ts';
import { type Habits, habitsOf, type InspectedLine, notFoundOf, USUAL } from './wms-habits.ts';
import { Picking } from './wms-picking.ts';
import { Returns, truthOfReturn } from './wms-returns.ts';

const BATCH_MAX = 100;
const LOOKUP_MAX = 200;
const DRIVE_MAX = 500;
const SHIP_MS = [10, 40] as const;
const WRITE_OFF_MS = [0, 60] as const;
const TWO_PARTS_RATE = 0.05;
/** Of what is taken off the books because it was not found. */
const SHORT_PREFIX = 'short:';

interface CancelAnswer {
  fulfilment: string;
  lines: [lineNo: number, cancelled: number, tooLate: number][];
}

/**
 * What is physically where. A fulfilment goes from accepted (or waiting, while goods are missing) to picked, where on hand
 * falls and a cancel is too late, to shipped, in one part or two. Every change of stock is an event of the feed, and the
 * event is what is kept.
 */
export function wms(kit: Kit): System {
  const stocks: Stock[] = [];
  const stockByKey = new Map<string, Stock>();
  const fulfilments = new Map<string, Fulfilment>();
  const cancels = new Map<string, CancelAnswer>();
  const receipts = new Set<string>();
  /** Orders of which units were not found once, and what of that is still on the books, by fulfilment. */
  const shortOrders = new Set<string>();
  const unwritten = new Map<string, { location: string; lines: GoodsLine[] }>();
  let habits: Habits = USUAL;
  let onHand = 0;
  let shipments = 0;
  /** Accepted or picked and not yet shipped, without those that wait for stock. */
  let open = 0;

  const stockOf = (location: string, sku: string): Stock => {
    const key = `${location}/${sku}`;
    let stock = stockByKey.get(key);
    if (stock === undefined) {
      stock = { id: stocks.length, sku, onHand: 0, queue: [], need: 0 };
      stocks.push(stock);
      stockByKey.set(key, stock);
    }
    return stock;
  };

  const change = (location: string, sku: string, quantity: number): Stock => {
    const stock = stockOf(location, sku);
    stock.onHand += quantity;
    onHand += quantity;
    return stock;
  };

  const delay = ([min, max]: readonly [number, number], act: () => void): void => {
    kit.time.after(kit.random.between(min, max) / kit.speed, act);
  };

  const append = (event: Omit<StockEvent, 'seq' | 'id'>): StockEvent => {
    const record = kit.feed.append({ id: `ev-${kit.feed.last + 1}`, ...event });
    applyEvent(record);
    return record;
  };

  const now = (): string => new Date(kit.time.now()).toISOString();

  const remainingLines = (fulfilment: Fulfilment): GoodsLine[] => remainingOf(fulfilment, stocks);

  const pick = (fulfilment: Fulfilment): void => {
    const { reference, order, location } = fulfilment;
    const wanted = remainingLines(fulfilment);
    const missing = shortOrders.has(order)
      ? undefined
      : notFoundOf(wanted, habits.shortPicks, kit.named(`short/${order}`));
    if (missing !== undefined) {
      append({ type: 'short_picked', at: now(), location, reference, order, reason: 'not_found', lines: [missing] });
      writeOffSoon(reference);
      if (fulfilment.stage === 'cancelled') return;
    }
    append({ type: 'picked', at: now(), location, reference, order, lines: remainingLines(fulfilment) });
    delay(SHIP_MS, () => ship(fulfilment));
  };

  /** Somebody looks for it, and takes it off the books. */
  const writeOffSoon = (fulfilment: string): void =>
    delay(WRITE_OFF_MS, () => {
      const { location, lines } = unwritten.get(fulfilment)!;
      const gone = lines.map((line) => ({ ...line, quantity: -line.quantity }));
      const reference = `${SHORT_PREFIX}${fulfilment}`;
      append({ type: 'adjusted', at: now(), location, reference, order: null, lines: gone });
    });

  const ship = (fulfilment: Fulfilment): void => {
    const { reference, order, location } = fulfilment;
    let lines = remainingLines(fulfilment);
    const first = fulfilment.shipped === 0;
    const inTwo = first && kit.random.chance(TWO_PARTS_RATE) ? firstPartOf(lines) : undefined;
    if (inTwo !== undefined) lines = inTwo;
    const number = shipments + 1;
    const labels = { shipment: `SHP-${number}`, tracking: `TRK${String(number).padStart(10, '0')}` };
    append({ type: 'shipped', at: now(), location, reference, order, lines, ...labels });
    if (inTwo !== undefined) delay(SHIP_MS, () => ship(fulfilment));
  };

  const picking = new Picking({
    stocks,
    pick,
    missed: (fulfilment, units) => kit.keep({ do: 'missed', reference: fulfilment.reference, units }),
  });

  const returns = new Returns({
    named: kit.named,
    delay,
    append: (event) => append({ ...event, at: now() }),
    arrived: (location, sku) => picking.arrived(stockOf(location, sku)),
  });

  const adjustments = new Adjustments({
    onHand: (location, sku) => stockByKey.get(`${location}/${sku}`)?.onHand ?? 0,
    append: (event) => append({ type: 'adjusted', order: null, ...event }),
    keep: (entry) => commit(entry),
    arrived: (location, sku) => picking.arrived(stockOf(location, sku)),
  });

  const pickSoon = (fulfilment: Fulfilment): void => delay(habits.pickMs, () => tryPick(fulfilment));
  const tryPick = (fulfilment: Fulfilment): void => {
    if (fulfilment.stage === 'accepted') picking.attempt(fulfilment);
  };
  const applyEvent = (event: StockEvent): void => {
    const { type, location, reference, lines } = event;
    if (type === 'shipped') {
      const fulfilment = fulfilments.get(reference)!;
      shipments += 1;
      fulfilment.shipped += 1;
      for (const { lineNo, quantity } of lines as GoodsLine[])
        fulfilment.lines.add(fulfilment.lines.rowOf(lineNo), SHIPPED, quantity);
      if (remainingLines(fulfilment).length === 0) {
        fulfilment.stage = 'shipped';
        open -= 1;
      }
      return;
    }
    if (type === 'short_picked') {
      applyShort(event);
      return;
    }
    if (type === 'inspected') {
      for (const line of returns.applyInspected(reference, lines as InspectedLine[]))
        change(location, line.sku, line.quantity);
      return;
    }
    if (type === 'returned') {
      for (const line of returns.applyReturned(reference, lines as GoodsLine[]))
        change(location, line.sku, line.quantity);
      return;
    }
    const sign = type === 'picked' ? -1 : 1;
    for (const { sku, quantity } of lines as GoodsLine[]) change(location, sku, sign * quantity);
    if (type === 'adjusted' && reference.startsWith(SHORT_PREFIX))
      unwritten.delete(reference.slice(SHORT_PREFIX.length));
    if (type === 'picked') fulfilments.get(reference)!.stage = 'picked';
    if (type === 'received') receipts.add(reference);
    if (type === 'adjusted') adjustments.applied(reference, lines as GoodsLine[]);
  };

  const applyShort = ({ location, reference, order, lines }: StockEvent): void => {
    const fulfilment = fulfilments.get(reference)!;
    for (const { lineNo, quantity } of lines as GoodsLine[])
      fulfilment.lines.add(fulfilment.lines.rowOf(lineNo), SHORT, quantity);
    shortOrders.add(order!);
    unwritten.set(reference, { location, lines: lines as GoodsLine[] });
    if (remainingLines(fulfilment).length > 0) return;
    fulfilment.stage = 'cancelled';
    open -= 1;
  };

  const restore = (entry: Entry): void => {
    const reference = entry.reference as string;
    switch (entry.do) {
      case 'fulfil': {
        const location = entry.location as string;
        const rows = (entry.lines as [number, string, number][]).map(([lineNo, sku, quantity]) => {
          return [lineNo, stockOf(location, sku).id, quantity];
        });
        const lines = new Lines(FULFILMENT_WIDTH, rows);
        const rank = fulfilments.size;
        const fulfilment: Fulfilment = {
          rank,
          reference,
          order: entry.order as string,
          location,
          lines,
          stage: 'accepted',
          tried: false,
          shipped: 0,
          waitsFor: [],
        };
        fulfilments.set(reference, fulfilment);
        open += 1;
        return;
      }
      case 'cancel': {
        const answer = { fulfilment: entry.fulfilment as string, lines: entry.lines as CancelAnswer['lines'] };
        cancels.set(reference, answer);
        const fulfilment = fulfilments.get(answer.fulfilment)!;
        for (const [lineNo, cancelled] of answer.lines) {
          if (cancelled > 0) fulfilment.lines.add(fulfilment.lines.rowOf(lineNo), CANCELLED, cancelled);
        }
        if (fulfilment.stage === 'accepted' && remainingLines(fulfilment).length === 0) {
          fulfilment.stage = 'cancelled';
          open -= 1;
        }
        return;
      }
      case 'return':
        returns.announce(reference, entry, habits.inspects);
        return;
      case 'habits':
        habits = entry.habits as Habits;
        return;
      case 'missed':
        fulfilments.get(reference)!.tried = true;
        picking.askedBeyondStock += entry.units as number;
        return;
      case 'adjustment':
        adjustments.restore(entry);
        return;
    }
  };

  const commit = (entry: Entry): void => {
    kit.keep(entry);
    restore(entry);
  };

  const goodsOf = (item: Item): [number, string, number][] => {
    const seen = new Set<number>();
    return linesOf(item).map((line) => {
      const lineNo = integerOf(line, 'lineNo');
      if (seen.has(lineNo)) throw new Refusal(422, 'repeated_line', `line ${lineNo} is there twice`);
      seen.add(lineNo);
      return [lineNo, textOf(line, 'sku'), countOf(line, 'quantity')];
    });
  };

  const fulfil = (item: Item, call: Call): object => {
    const reference = textOf(item, 'reference');
    if (fulfilments.has(reference)) return { reference, status: 200 };
    const entry = { order: textOf(item, 'order'), location: textOf(item, 'location'), lines: goodsOf(item) };
    if (call.lost()) return { reference, status: 201 };
    commit({ do: 'fulfil', reference, ...entry });
    pickSoon(fulfilments.get(reference)!);
    return { reference, status: 201 };
  };

  const cancelAnswer = (reference: string, { lines }: CancelAnswer): object => {
    return {
      reference,
      status: 200,
      lines: lines.map(([lineNo, cancelled, tooLate]) => ({ lineNo, cancelled, tooLate })),
    };
  };

  const cancel = (item: Item, call: Call): object => {
    const reference = textOf(item, 'reference');
    const known = cancels.get(reference);
    if (known !== undefined) return cancelAnswer(reference, known);
    const fulfilment = fulfilments.get(textOf(item, 'fulfilment'));
    if (fulfilment === undefined) throw new Refusal(404, 'unknown_fulfilment', `no fulfilment ${item.fulfilment}`);
    const taken = new Map<number, number>();
    const lines = linesOf(item).map((line): CancelAnswer['lines'][number] => {
      const lineNo = integerOf(line, 'lineNo');
      const quantity = countOf(line, 'quantity');
      const row = fulfilment.lines.rowOf(lineNo);
      if (row < 0) throw new Refusal(422, 'unknown_line', `fulfilment ${fulfilment.reference} has no line ${lineNo}`);
      const before = fulfilment.lines.get(row, CANCELLED) + (taken.get(row) ?? 0);
      const asked = askedOf(fulfilment.lines, row) + fulfilment.lines.get(row, CANCELLED);
      const left = fulfilment.stage === 'accepted' ? asked - before : 0;
      const cancelled = Math.min(quantity, left);
      taken.set(row, (taken.get(row) ?? 0) + cancelled);
      return [lineNo, cancelled, quantity - cancelled];
    });
    const answer = { fulfilment: fulfilment.reference, lines };
    if (!call.lost()) {
      commit({ do: 'cancel', reference, ...answer });
      picking.reduced(fulfilment);
    }
    return cancelAnswer(reference, answer);
  };

  const takeBack = (item: Item, call: Call): object => {
    const reference = textOf(item, 'reference');
    if (returns.all.has(reference)) return { reference, status: 200 };
    const entry = { order: textOf(item, 'order'), location: textOf(item, 'location'), lines: goodsOf(item) };
    if (call.lost()) return { reference, status: 201 };
    commit({ do: 'return', reference, ...entry });
    returns.arriveSoon(reference);
    return { reference, status: 201 };
  };

  const receive = (item: Item): object => {
    const reference = textOf(item, 'reference');
    if (receipts.has(reference)) return { reference, status: 200 };
    const location = textOf(item, 'location');
    const lines = linesOf(item).map((line, row) => ({
      lineNo: row + 1,
      sku: textOf(line, 'sku'),
      quantity: countOf(line, 'quantity'),
    }));
    append({ type: 'received', at: textOf(item, 'at'), location, reference, order: null, lines });
    for (const { sku } of lines) picking.arrived(stockOf(location, sku));
    return { reference, status: 201 };
  };

  const resume = (): void => {
    for (const fulfilment of fulfilments.values()) {
      if (fulfilment.stage === 'picked') delay(SHIP_MS, () => ship(fulfilment));
      else if (fulfilment.stage === 'accepted' && fulfilment.tried) picking.attempt(fulfilment);
      else if (fulfilment.stage === 'accepted') pickSoon(fulfilment);
    }
    returns.resume();
    for (const fulfilment of unwritten.keys()) writeOffSoon(fulfilment);
  };

  const lookups: [path: string, find: (reference: string) => object[]][] = [
    ['fulfilments', (reference) => (fulfilments.has(reference) ? [{ reference, status: 200 }] : [])],
    ['returns', (reference) => (returns.all.has(reference) ? [{ reference, status: 200 }] : [])],
    [
      'fulfilment-cancels',
      (reference) => (cancels.has(reference) ? [cancelAnswer(reference, cancels.get(reference)!)] : []),
    ],
  ];

  return {
    feedPath: '/events',
    routes: [
      business('POST', '/fulfilments/batch', (call) =>
        eachItem(call.body, 'fulfilments', BATCH_MAX, 'reference', (item) => fulfil(item, call)),
      ),
      business('POST', '/fulfilment-cancels/batch', (call) =>
        eachItem(call.body, 'cancels', BATCH_MAX, 'reference', (item) => cancel(item, call)),
      ),
      business('POST', '/returns/batch', (call) =>
        eachItem(call.body, 'returns', BATCH_MAX, 'reference', (item) => takeBack(item, call)),
      ),
      ...lookups.map(([path, find]) =>
        business('POST', `/${path}/lookup`, ({ body }) => eachFound(body, 'references', LOOKUP_MAX, find)),
      ),
      drive('habits', ({ body }) => {
        commit({ do: 'habits', habits: habitsOf(itemOf(body), habits) });
        return { habits };
      }),
      drive('receipts', ({ body }) => eachItem(body, 'receipts', DRIVE_MAX, 'reference', receive)),
      drive('adjustments', ({ body }) =>
        eachItem(body, 'adjustments', DRIVE_MAX, 'reference', (item) => adjustments.adjust(item)),
      ),
    ],
    restore,
    restoreRecord: (record) => applyEvent(record as unknown as StockEvent),
    resume,
    pending: () => open - picking.waiting + returns.awaited + unwritten.size,
    stats: () => ({
      askedBeyondStock: picking.askedBeyondStock,
      waitingForStock: picking.waiting,
      onHand,
      fulfilments: fulfilments.size,
      shipments,
    }),
    truths: {
      fulfilments: truthOf(fulfilments, (fulfilment) => truthOfFulfilment(fulfilment, stocks)),
      stock: truthOf(stockByKey, (stock) => ({ onHand: stock.onHand })),
      returns: truthOf(returns.all, truthOfReturn),
    },
  };
}
