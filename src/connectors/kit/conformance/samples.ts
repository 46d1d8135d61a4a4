/** What descriptions of systems have in common: a thing to write of each kind, and the shapes that several systems share. */
import type { AvailabilityItem, DeliveryItem, OrderChangePayload, StateItem } from '../types.ts';
import type { FeedDescription, FeedRows, SystemModel } from './describe.ts';
import { type BatchTable, batchTables, sequencePages } from './models.ts';

type Entry = Record<string, unknown>;

/** The n-th number to tell a channel, for the first time. */
export function sampleAvailability(n: number): AvailabilityItem {
  return { sku: `SKU77${n}10`, from: null, quantity: 4, ordersThrough: '17' };
}

export function samplePrice(n: number): StateItem {
  return { key: `SKU77${n}10`, version: 7, base: 0, state: { unitPrice: '2.55', currency: 'GBP' } };
}

/** An order of one line that was shipped and invoiced. */
export function sampleOrderStatus(n: number): StateItem {
  const counts = { cancelled: 0, backordered: 0, refused: 0, shipped: 6, invoiced: 6, returned: 0 };
  return {
    ...{ key: `channel/77${n}10`, version: 3, base: 0 },
    state: {
      ...{ channel: 'channel', externalNo: `77${n}10`, status: 'confirmed', account: '17850', currency: 'GBP' },
      totalMinor: 1530,
      lines: [{ lineNo: 1, sku: '85123A', quantity: 6, amountMinor: 1530, ...counts }],
    },
  };
}

/** The n-th change: two units more of line 1 of an order. `sku` and `unitPrice` are the line's. */
export function sampleOrderChange(
  n: number,
  { order, sku = '85123A', unitPrice = '2.55' }: { order: string; sku?: string; unitPrice?: string },
): DeliveryItem & { payload: OrderChangePayload } {
  const reference = `A/5/77${n}10`;
  const totalMinor = 2 * Math.round(Number(unitPrice) * 100);
  const line = { lineNo: 100_000 + n, addsTo: 1, sku, quantity: 2, unitPrice, amountMinor: totalMinor };
  return { reference, payload: { reference, order, totalMinor, lines: [line] } };
}

/** Orders and cancels by a sequence, as `demandFeed` of the kit reads them; `line` is added to each line. */
export function demandRecords(pageMax: number, line: Entry = {}): FeedDescription {
  const order = { type: 'order', company: 'UK', currency: 'GBP' };
  const at = '2010-12-01T09:41:00Z';
  return {
    pageMax,
    placeFields: ['seq'],
    record: (n, _changedAt, seq) => ({
      ...{ ...order, seq, number: `53${n}65`, account: '17850', orderedAt: '2010-12-01T08:26:00Z' },
      lines: [{ lineNo: 1, sku: '85123A', quantity: 6, unitPrice: '2.55', ...line }],
    }),
    broken: (_changedAt, seq) => [
      { ...order, seq, number: `1${seq}`, account: '1', orderedAt: at, lines: [] },
      { seq, type: 'cancel', reference: `C${seq}`, account: '1', at, lines: [null] },
    ],
    unknownEnum: (_changedAt, seq) => ({ seq, type: 'wish', number: '1', account: '1' }),
  };
}

/** A batch of states that the system keeps with their version and answers with nothing else. */
export function versionTable(names: Omit<BatchTable, 'taken' | 'found'>): BatchTable {
  return { ...names, taken: () => ({}), found: ({ version }) => ({ version }) };
}

export interface ChannelRoutes {
  /** Of orders and cancels; `name` is the feed's in the description. */
  feed: { name: string; path: string };
  availability: string;
  prices: string;
  orderStatus: string;
  /** The lookup of each. */
  lookups: { availability: string; prices: string; orderStatus: string };
}

/** What a system makes of numbers; `sold`: what it sold of a SKU by itself in this check. */
export interface ChannelNumbers {
  /** What it would sell of what was written. */
  left(entry: Entry | undefined, sold: number): number;
  refuse?(entry: Entry, held: Entry | undefined, sold: number): Entry | undefined;
  /** What is answered to a number that was taken. Returning `forget` starts counting sales anew. */
  taken(entry: Entry, sold: number): { answer: Entry; forget?: boolean };
  found(entry: Entry, sold: number): Entry;
}

/** A channel that sells by itself: numbers, prices and order states in batches, orders by sequence. */
export function channelModel(rows: FeedRows, routes: ChannelRoutes, numbers: ChannelNumbers): SystemModel {
  const sold = new Map<string, number>();
  const soldOf = (sku: unknown) => sold.get(String(sku)) ?? 0;
  const { refuse } = numbers;
  const bySku = { list: 'items', lookupList: 'skus', key: 'sku' };
  const { feed, lookups } = routes;
  const model = batchTables(
    [
      {
        ...{ kind: 'availability', write: routes.availability, lookup: lookups.availability, ...bySku },
        ...(refuse && { refuse: (entry, held) => refuse(entry, held, soldOf(entry.sku)) }),
        taken(entry) {
          const { answer, forget } = numbers.taken(entry, soldOf(entry.sku));
          if (forget === true) sold.delete(String(entry.sku));
          return answer;
        },
        found: (entry) => numbers.found(entry, soldOf(entry.sku)),
      },
      versionTable({ kind: 'prices', write: routes.prices, lookup: lookups.prices, ...bySku }),
      versionTable({
        ...{ kind: 'orderStatus', write: routes.orderStatus, lookup: lookups.orderStatus },
        ...{ list: 'items', lookupList: 'numbers', key: 'number' },
      }),
    ],
    (call) => sequencePages(() => rows[feed.name]!, call, { path: feed.path }),
  );
  return {
    ...model,
    sellable: (sku) => numbers.left(model.entry('availability', sku), soldOf(sku)),
    sell: (sku, units) => void sold.set(sku, soldOf(sku) + units),
  };
}

/** Deliveries in batches, each kind with its routes, found again by their references. */
export function deliveryTables(
  kinds: Readonly<Record<string, { path: string; list: string }>>,
  answers: Pick<BatchTable, 'doubles'> & { answer(kind: string, entry: Entry, nth: number): Entry },
): BatchTable[] {
  return Object.entries(kinds).map(([kind, { path, list }]) => ({
    ...{ kind, write: `/${path}/batch`, list, lookup: `/${path}/lookup`, lookupList: 'references', key: 'reference' },
    ...(answers.doubles !== undefined && { doubles: answers.doubles }),
    taken: (entry, nth) => answers.answer(kind, entry, nth),
    found: (entry, nth) => answers.answer(kind, entry, nth),
  }));
}
