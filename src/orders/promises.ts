/**
 * What orders were promised, in one transaction: read under the orders' locks, changed with what happens to the orders, written in sets.
 * Only of channels that promise dates; nobody else pays for it.
 */
import type { Commitments } from '../ledger/index.ts';
import type { Directory } from '../master/index.ts';
import {
  isSamePromise,
  notBefore,
  type PromisePart,
  type PromiseReason,
  type PromiseSource,
  promiseComplete,
  promiseOf,
  sourceOf,
  withoutStock,
  withStock,
  withWaiting,
} from '../promise/index.ts';
import { databaseNow, numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import { isHeld } from './holds.ts';
import { promiseTime, sourcesOf, waitingSources } from './promise-sources.ts';
import * as statements from './promises.sql.ts';
import type { Order, OrderCommand, OrderEvent, PromiseCause, PromiseChanged } from './types.ts';
import type { ChangedOrder } from './write-orders.ts';

type Accepted = Extract<OrderEvent, { type: 'order.accepted' }>;

/** What never changes a promise. */
const UNTOUCHED: ReadonlySet<OrderCommand['kind']> = new Set([
  'confirm',
  'end_degraded',
  'release',
  'pick',
  'ship',
  'post_document',
  'receive_return',
]);

const causes: Partial<Record<OrderEvent['type'], PromiseCause>> = {
  'order.lines_allocated': 'served',
  'order.lines_reassigned': 'reassigned',
  'order.lines_added': 'added',
  'fulfilment.short_picked': 'stock_lost',
  'order.lines_cancelled': 'cancelled',
  'order.exception_resolved': 'settled',
  'order.hold_ended': 'hold_ended',
  'order.hold_released': 'hold_ended',
};

export class PromiseBook {
  readonly #directory: Directory;
  readonly #now: number;
  readonly #byOrder = new Map<number, Map<number, PromisePart[]>>();
  /** By the lines of an order, until it is settled: what those that were touched were promised before, and what changed that. */
  readonly #before = new Map<Map<number, PromisePart[]>, Map<number, { parts: PromisePart[]; cause: PromiseCause }>>();

  private constructor(directory: Directory, now: number) {
    this.#directory = directory;
    this.#now = now;
  }

  /** Undefined: none of these orders is of a channel that promises dates. The orders are locked. */
  static async open(
    tx: Tx,
    directory: Directory,
    works: readonly { command: OrderCommand }[],
    orderIds: readonly (number | null)[],
    orders: ReadonlyMap<number, Order>,
  ): Promise<PromiseBook | undefined> {
    const isPromised = (channelId: number) => (directory.channelById.get(channelId)?.promisedBy ?? null) !== null;
    const known = new Set<number>();
    let isAny = false;
    works.forEach(({ command }, i) => {
      if (command.kind === 'submit') isAny ||= isPromised(command.channelId);
      const order = orders.get(orderIds[i]!);
      const isWhole = order?.terms?.shipComplete === true && !order.progress.handed;
      if (order === undefined || !isPromised(order.channelId) || (UNTOUCHED.has(command.kind) && !isWhole)) return;
      known.add(order.orderId);
    });
    if (!isAny && known.size === 0) return undefined;
    const book = new PromiseBook(directory, (await databaseNow(tx)).getTime());
    for (const [orderId, lines] of await readPromises(tx, [...known])) book.#byOrder.set(orderId, lines);
    return book;
  }

  /** Of a new order: its acceptance says what was promised with it. */
  accept(event: Accepted): void {
    const ruleVersion = this.#directory.channelById.get(event.channelId)?.promisedBy ?? null;
    if (ruleVersion === null) return;
    const time = promiseTime(this.#directory, Math.max(this.#now, Date.parse(event.orderedAt)), event.terms);
    const sources = [...sourcesOf(event)];
    const parts =
      event.terms?.shipComplete === true
        ? promiseComplete(
            sources.map(([, of]) => of),
            time,
          )
        : sources.map(([, of]) => promiseOf(of, time));
    const lines = sources.map(([lineNo], i) => ({ lineNo, parts: parts[i]! }));
    event.promises = { ruleVersion, lines };
    this.#byOrder.set(event.orderId, new Map(lines.map(({ lineNo, parts }) => [lineNo, parts])));
  }

  /** After an event: what lies there for its lines, and what they wait for by now. */
  follow(order: Order, event: OrderEvent, commitments: Commitments): void {
    const lines = this.#byOrder.get(order.orderId);
    const cause = causes[event.type];
    if (lines === undefined || cause === undefined) return;
    const time = promiseTime(this.#directory, this.#now, order.terms);
    const touched = new Set<number>();
    const change = (lineNo: number, parts: PromisePart[]) => {
      touched.add(lineNo);
      this.#put(lines, lineNo, parts, cause);
    };
    if ('released' in event)
      for (const { lineNo, locationId, quantity } of event.released)
        change(lineNo, withoutStock(lines.get(lineNo) ?? [], locationId, quantity));
    if (event.type === 'fulfilment.short_picked')
      for (const { lineNo, quantity } of event.lines)
        change(lineNo, withoutStock(lines.get(lineNo) ?? [], event.locationId, quantity));
    if ('allocations' in event && event.type !== 'order.accepted')
      for (const { lineNo, locationId, quantity } of event.allocations)
        change(lineNo, withStock(lines.get(lineNo) ?? [], locationId, quantity, time));
    if (event.type === 'order.lines_cancelled' || event.type === 'order.lines_added')
      for (const { lineNo } of event.lines) touched.add(lineNo);
    if (event.type === 'order.exception_resolved') touched.add(event.lineNo);
    if (event.type === 'order.lines_reassigned') for (const { lineNo } of event.commitments) touched.add(lineNo);
    for (const lineNo of touched) this.recheck(order, lineNo, commitments, cause);
    if (cause === 'hold_ended' && !isHeld(order))
      for (const lineNo of order.lines.keys())
        this.#put(lines, lineNo, notBefore(lines.get(lineNo) ?? [], time), cause);
    if (order.terms?.shipComplete === true && !order.progress.handed) this.#dateWhole(order, lines, cause);
  }

  /** What a line waits for, as it is by now. */
  recheck(order: Order, lineNo: number, commitments: Commitments, cause: PromiseCause): void {
    const lines = this.#byOrder.get(order.orderId);
    const line = order.lines.get(lineNo);
    if (lines === undefined || line === undefined) return;
    const supplies = commitments.of({ orderId: order.orderId, lineNo, skuId: line.skuId });
    const covered = supplies.reduce((sum, { quantity }) => sum + quantity, 0);
    const waiting: PromiseSource[] = [
      ...supplies.map((supply) => ({ kind: 'supply' as const, ...supply })),
      ...waitingSources(Math.max(0, line.backordered - covered), line.held),
    ];
    const time = promiseTime(this.#directory, this.#now, order.terms);
    this.#put(lines, lineNo, withWaiting(lines.get(lineNo) ?? [], waiting, time), cause);
    if (order.terms?.shipComplete === true && !order.progress.handed) this.#dateWhole(order, lines, cause);
  }

  /** One that leaves only whole: each part of it leaves with the last. */
  #dateWhole(order: Order, lines: Map<number, PromisePart[]>, cause: PromiseCause): void {
    const time = promiseTime(this.#directory, this.#now, order.terms);
    const list = [...lines];
    const parts = promiseComplete(
      list.map(([, of]) => of.map(sourceOf)),
      time,
    );
    list.forEach(([lineNo], i) => {
      this.#put(lines, lineNo, parts[i]!, cause);
    });
  }

  #put(lines: Map<number, PromisePart[]>, lineNo: number, parts: PromisePart[], cause: PromiseCause): void {
    // What came first is why: what was not found is the cause also of what came instead.
    let before = this.#before.get(lines);
    if (before === undefined) {
      before = new Map();
      this.#before.set(lines, before);
    }
    if (!before.has(lineNo)) before.set(lineNo, { parts: lines.get(lineNo) ?? [], cause });
    lines.set(lineNo, parts);
  }

  /** What was changed since it was last asked; undefined: nothing. To be called once after each work, or after the last of one order. */
  settle(order: Order): PromiseChanged | undefined {
    const lines = this.#byOrder.get(order.orderId);
    const before = lines === undefined ? undefined : this.#before.get(lines);
    if (lines === undefined || before === undefined) return undefined;
    this.#before.delete(lines);
    const changed: PromiseChanged['lines'] = [];
    for (const [lineNo, { parts, cause }] of before) {
      const after = lines.get(lineNo) ?? [];
      if (order.lines.has(lineNo) && !isSamePromise(parts, after))
        changed.push({ lineNo, before: parts, after, reason: cause });
    }
    if (changed.length === 0) return undefined;
    const ruleVersion = this.#directory.channelById.get(order.channelId)?.promisedBy ?? '';
    return { type: 'order.promise_changed', ruleVersion, lines: changed.sort((a, b) => a.lineNo - b.lineNo) };
  }
}

/** What holds now, by order and line. */
export async function readPromises(
  db: Queryable,
  orderIds: readonly number[],
): Promise<Map<number, Map<number, PromisePart[]>>> {
  const byOrder = new Map<number, Map<number, PromisePart[]>>(orderIds.map((orderId) => [orderId, new Map()]));
  if (orderIds.length === 0) return byOrder;
  for (const row of await db.query(statements.readPromises, [numbers(orderIds)])) {
    const lines = byOrder.get(row.order_id)!;
    const part: PromisePart = {
      quantity: row.quantity,
      at: row.promised_at?.toISOString() ?? null,
      locationId: row.location_id,
      supplyId: row.supply_id,
      dueAt: row.due_at?.toISOString() ?? null,
      reason: row.reason as PromiseReason,
    };
    const list = lines.get(row.line_no);
    if (list === undefined) lines.set(row.line_no, [part]);
    else list.push(part);
  }
  return byOrder;
}

/** Promises of these changes, as records: what is promised from now on, and what that replaces. */
export function writePromises(tx: Tx, changed: readonly ChangedOrder[]): void {
  const made: {
    order: Order;
    lineNo: number;
    version: number;
    part: PromisePart;
    at: number;
    cause: string;
    rule: string;
  }[] = [];
  const lines: { orderId: number; lineNo: number; version: number }[] = [];
  for (const { order, events } of changed)
    for (const { event, version } of events) {
      if (event.type !== 'order.promise_changed' && event.type !== 'order.accepted') continue;
      const { lines: told, rule } =
        event.type === 'order.promise_changed'
          ? { lines: event.lines, rule: event.ruleVersion }
          : {
              lines: (event.promises?.lines ?? []).map(({ lineNo, parts }) => ({
                lineNo,
                after: parts,
                reason: 'accepted',
              })),
              rule: event.promises?.ruleVersion ?? '',
            };
      for (const { lineNo, after, reason: cause } of told) {
        if (version > 1) lines.push({ orderId: order.orderId, lineNo, version });
        after.forEach((part, at) => {
          made.push({ order, lineNo, version, part, at, cause, rule });
        });
      }
    }
  if (made.length > 0)
    tx.write(statements.insertPromises, [
      numbers(made.map(({ order }) => order.orderId)),
      numbers(made.map(({ lineNo }) => lineNo)),
      numbers(made.map(({ version }) => version)),
      numbers(made.map(({ at }) => at + 1)),
      numbers(made.map(({ part }) => part.quantity)),
      texts(made.map(({ part }) => part.at)),
      numbers(made.map(({ part }) => part.locationId)),
      numbers(made.map(({ part }) => part.supplyId)),
      texts(made.map(({ part }) => part.dueAt)),
      numbers(made.map(({ order }) => order.channelId)),
      numbers(made.map(({ order }) => order.accountId)),
      texts(made.map(({ part }) => part.reason)),
      texts(made.map(({ cause }) => cause)),
      texts(made.map(({ rule }) => rule)),
    ]);
  if (lines.length > 0)
    tx.write(statements.replacePromises, [
      numbers(lines.map(({ orderId }) => orderId)),
      numbers(lines.map(({ lineNo }) => lineNo)),
      numbers(lines.map(({ version }) => version)),
    ]);
}
