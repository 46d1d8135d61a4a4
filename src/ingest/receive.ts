/**
 * What arrives is stored as it came and decided in one transaction, then acknowledged: raw record, business keys, orders, stock,
 * facts and the feed's cursor are one. Messages that arrive together share the transaction (a lane).
 *
 * A repeated key with the same content gets the first answer; with other content it is set aside (from systems) or refused
 * (from API callers). An item that can't be read, or can't be applied, is set aside with class, reason and place; its
 * neighbours go on.
 */
import { CrossdockError, type ErrorCode, fail, type InboundItem } from '../canonical/index.ts';
import { changeSupplies, claimFact, type Movement, type Pair, type SupplyChange } from '../ledger/index.ts';
import { appendFacts } from '../log/index.ts';
import type { Directory } from '../master/index.ts';
import { type OrderEvent, processOrders } from '../orders/index.ts';
import {
  type Database,
  type Ids,
  isConnectionFault,
  isSerializationFault,
  Lane,
  numbers,
  type Tx,
  texts,
} from '../store/index.ts';
import { lockKeysOfParked } from './parked.sql.ts';
import * as statements from './store.sql.ts';
import { loadCodes, translate } from './translate.ts';
import { factOfMovement } from './translate-stock.ts';
import { type Fault, isFault, type StockWork, type Translated } from './translated.ts';

export const MESSAGES_PER_BATCH_MAX = 256;
/** Lines (of orders, movements, picks) decided in one transaction: it holds their locks, and everybody behind it waits. */
export const LINES_PER_BATCH_MAX = 3_000;
export const MESSAGES_WAITING_MAX = 10_000;

export interface Message {
  system: string;
  source: 'webhook' | 'poll' | 'api' | 'file';
  contentType: string;
  body: Buffer;
  items: InboundItem[];
  /** From a system: set aside what can't be applied. From a caller who waits: refuse it and keep nothing. */
  onFault: 'park' | 'refuse';
  /** Set when the message is a page of a feed: the cursor moves with it. */
  feed?: { feed: string; from: string; to: string; drainedAt: Date | null };
}

export type ItemResult =
  | { status: 'applied'; orderId: number | null; events: OrderEvent[] }
  | { status: 'duplicate'; orderId: number | null; state: 'a' | 'w' | 'p' | 's' }
  | { status: 'conflict' }
  | { status: 'parked'; class: string; reason: string }
  | { status: 'waiting'; waitKey: string }
  | { status: 'refused'; class: string; code: ErrorCode; reason: string; place: string | null };

export interface ReceiveDeps {
  db: Database;
  ids: Ids;
  directory: Directory;
  /** Called after each commit that wrote something. */
  onCommit?: () => void;
}

interface Entry {
  message: Message;
  rawId: number;
  item: InboundItem;
  translated: Translated | Fault;
  result: ItemResult | undefined;
}

/** The lane that everything inbound goes through in this process. */
export class Receiver {
  readonly #deps: ReceiveDeps;
  readonly #lane: Lane<Message, ItemResult[]>;

  constructor(deps: ReceiveDeps) {
    this.#deps = deps;
    this.#lane = new Lane({
      name: 'ingest',
      itemsMax: MESSAGES_PER_BATCH_MAX,
      weigh: linesOf,
      weightMax: LINES_PER_BATCH_MAX,
      waitingMax: MESSAGES_WAITING_MAX,
      enter: () => deps.db.turn(true),
      run: (messages) => this.#run(messages),
      overflow: (waiting) =>
        new CrossdockError('XD_BUSY', `${waiting} messages wait already`, { retryAfterSeconds: 1 }),
    });
  }

  get waiting(): number {
    return this.#lane.waiting;
  }

  /**
   * Stores and decides one message. Resolves after commit.
   * A message from a system whose decision fails with a fault of ours is stored and set aside item by item, not lost.
   */
  async receive(message: Message): Promise<ItemResult[]> {
    try {
      return await this.#lane.submit(message);
    } catch (error) {
      if (
        message.onFault === 'refuse' ||
        error instanceof CrossdockError ||
        isConnectionFault(error) ||
        isSerializationFault(error)
      )
        throw error;
      if (message.items.length > 1) return this.#receiveApart(message);
      return this.#parkWhole(message, error);
    }
  }

  drained(): Promise<void> {
    return this.#lane.drained();
  }

  /** One poisonous item among many: each goes alone; the page's cursor moves with the last. */
  async #receiveApart(message: Message): Promise<ItemResult[]> {
    const results: ItemResult[] = [];
    for (const item of message.items) {
      const { feed: _, ...rest } = message;
      results.push(...(await this.receive({ ...rest, items: [item] })));
    }
    if (message.feed !== undefined) await this.#lane.submit({ ...message, items: [] });
    return results;
  }

  async #parkWhole(message: Message, error: unknown): Promise<ItemResult[]> {
    const reason = error instanceof Error ? error.message : String(error);
    const item = message.items[0];
    if (item === undefined) throw error;
    return this.#lane.submit({
      ...message,
      items: [
        {
          ...item,
          unreadable: { reason: `could not be applied: ${reason.slice(0, 500)}`, place: item.scope, value: item.key },
        },
      ],
    });
  }

  async #run(messages: Message[]): Promise<ItemResult[][]> {
    const { db, ids, directory } = this.#deps;
    await loadCodes(
      directory,
      messages.flatMap((message) => message.items.map((item) => ({ system: message.system, item }))),
    );
    const result = await db.transaction((tx) => this.#decide(tx, messages, ids, directory));
    this.#deps.onCommit?.();
    return result;
  }

  async #decide(tx: Tx, messages: Message[], ids: Ids, directory: Directory): Promise<ItemResult[][]> {
    const orders = messages.reduce(
      (sum, m) => sum + m.items.filter((item) => item.command?.kind === 'order.submitted').length,
      0,
    );
    const orderIds = await ids.reserve(tx, 'order_id_seq', orders);
    const rawIds = await ids.reserve(tx, 'raw_id_seq', messages.length);
    const entries: Entry[] = [];
    const rows: { rawId: number; message: Message }[] = [];
    for (const message of messages) {
      const rawId = rawIds.take();
      if (message.items.length > 0) rows.push({ rawId, message });
      for (const item of message.items)
        entries.push({
          message,
          rawId,
          item,
          translated: translate(directory, message.system, item, () => orderIds.take()),
          result: undefined,
        });
    }
    orderIds.giveBack();
    // What a waiting caller gets back as refused leaves no key behind: the corrected request may use it.
    for (const entry of entries)
      if (entry.message.onFault === 'refuse' && isFault(entry.translated))
        entry.result = refusedResult(entry.translated);
    if (rows.length > 0)
      await tx.query(statements.insertRaw, [
        numbers(rows.map((r) => r.rawId)),
        texts(rows.map((r) => r.message.system)),
        texts(rows.map((r) => r.message.source)),
        texts(rows.map((r) => r.message.contentType)),
        numbers(rows.map((r) => r.message.items.length)),
        Buffer.concat(rows.map((r) => r.message.body)),
        ...cuts(rows.map((r) => r.message.body)),
      ]);
    const repeated = await claimKeys(tx, entries);
    await applyEntries(
      tx,
      this.#deps,
      entries.filter((entry) => entry.result === undefined && !repeated.has(entry)),
    );
    for (const [entry, first] of repeated) entry.result = resultOfRepeat(entry, first);
    await settleEntries(tx, entries);
    for (const message of messages) {
      const { feed } = message;
      if (feed === undefined) continue;
      const moved = await tx.query(statements.moveCursor, [
        message.system,
        feed.feed,
        feed.from,
        feed.to,
        feed.drainedAt,
      ]);
      if (moved.length === 0)
        fail('XD_STORE_SERIALIZATION', `the cursor of ${message.system}/${feed.feed} was moved by another poller`);
    }
    const results = new Map<Message, ItemResult[]>(messages.map((message) => [message, []]));
    for (const entry of entries) results.get(entry.message)!.push(entry.result!);
    return messages.map((message) => results.get(message)!);
  }

  /** Runs what was set aside again, under the same keys. @returns how many were applied */
  async replay(parkedIds: readonly number[]): Promise<{ applied: number; still: number }> {
    const { db, ids, directory } = this.#deps;
    if (parkedIds.length === 0) return { applied: 0, still: 0 };
    const outcome = await db.inTurn(async (tx) => {
      await tx.query(lockKeysOfParked, [numbers(parkedIds)]);
      // The key of a conflict is taken: what came first is applied, and running the other content would apply the key twice.
      const found = await tx.query(statements.readParked, [numbers(parkedIds)]);
      const rows = found.filter((row) => row.class !== 'key_conflict');
      const items = rows.map((row) => ({ system: row.system, item: row.item as InboundItem }));
      await loadCodes(directory, items);
      const orderIds = await ids.reserve(tx, 'order_id_seq', rows.length);
      const entries = rows.map((row): Entry => {
        const { unreadable: _, ...item } = row.item as InboundItem;
        const usable = item.command === undefined ? (row.item as InboundItem) : item;
        return {
          message: {
            system: row.system,
            source: 'api',
            contentType: '',
            body: Buffer.alloc(0),
            items: [],
            onFault: 'park',
          },
          rawId: row.raw_id,
          item: usable,
          translated: translate(directory, row.system, usable, () => orderIds.take()),
          result: undefined,
        };
      });
      orderIds.giveBack();
      await applyEntries(tx, this.#deps, entries);
      const done: number[] = [];
      const failed: { id: number; class: string; reason: string; waitKey: string | null }[] = [];
      const states: { scope: string; key: string; state: string; subject: number | null }[] = [];
      entries.forEach((entry, i) => {
        const { parked_id: id, scope, key } = rows[i]!;
        const result = entry.result!;
        if (result.status === 'applied') {
          done.push(id);
          states.push({ scope, key, state: 'a', subject: result.orderId });
        } else if (result.status === 'duplicate') {
          // A count that a later one has overtaken.
          done.push(id);
          states.push({ scope, key, state: 's', subject: null });
        } else if (result.status === 'parked') {
          failed.push({ id, class: result.class, reason: result.reason, waitKey: null });
          states.push({ scope, key, state: 'p', subject: null });
        } else if (result.status === 'waiting')
          failed.push({ id, class: 'waiting', reason: `waits for ${result.waitKey}`, waitKey: result.waitKey });
      });
      if (done.length > 0) await tx.query(statements.endParked, [numbers(done)]);
      if (failed.length > 0)
        await tx.query(statements.failParked, [
          numbers(failed.map((f) => f.id)),
          texts(failed.map((f) => f.class)),
          texts(failed.map((f) => f.reason)),
          texts(failed.map((f) => f.waitKey)),
        ]);
      await writeStates(tx, states);
      return { applied: done.length, still: failed.length + found.length - rows.length };
    });
    this.#deps.onCommit?.();
    return outcome;
  }

  /** Runs what waited for something that has come meanwhile. */
  async replayAwaited(limit = 200): Promise<number> {
    const rows = await this.#deps.db.query(statements.findAwaited, [limit]);
    if (rows.length === 0) return 0;
    try {
      return (await this.replay(rows.map((row) => row.parked_id))).applied;
    } catch (error) {
      if (rows.length === 1) throw error;
      // One of them is poisonous: alone, it fails alone.
      let applied = 0;
      for (const row of rows)
        applied += await this.replay([row.parked_id]).then(
          (r) => r.applied,
          () => 0,
        );
      return applied;
    }
  }
}

function linesOf(message: Message): number {
  let lines = 1;
  for (const { command } of message.items)
    lines += command !== undefined && 'lines' in command ? command.lines.length : 1;
  return lines;
}

/** Where each body starts in the whole, and how long it is. */
function cuts(bodies: readonly Buffer[]): [string, string] {
  let at = 0;
  const starts = bodies.map((body) => {
    const start = at;
    at += body.length;
    return start;
  });
  return [numbers(starts), numbers(bodies.map((body) => body.length))];
}

/**
 * Inserts the keys and counts their repeats; entries whose key is known get their result.
 * @returns entries that repeat a key which this very batch brings, each with the one that came first: its result is not known yet
 */
async function claimKeys(tx: Tx, entries: readonly Entry[]): Promise<Map<Entry, Entry>> {
  const byKey = new Map<string, [Entry, ...Entry[]]>();
  for (const entry of entries) {
    if (entry.result !== undefined) continue;
    const same = byKey.get(idOf(entry.item));
    if (same === undefined) byKey.set(idOf(entry.item), [entry]);
    else same.push(entry);
  }
  const repeated = new Map<Entry, Entry>();
  if (byKey.size === 0) return repeated;
  const firsts = [...byKey.values()].map(([first]) => first);
  const fresh = new Set(
    (
      await tx.query(statements.insertKeys, [
        texts(firsts.map((e) => e.item.scope)),
        texts(firsts.map((e) => e.item.key)),
        texts(firsts.map((e) => e.item.fingerprint)),
        numbers(firsts.map((e) => (isFault(e.translated) ? null : e.translated.orderId))),
        numbers(firsts.map((e) => e.rawId)),
        numbers(firsts.map((e) => e.item.itemNo)),
      ])
    ).map(idOf),
  );
  const repeats = [...byKey].map(([id, same]) => ({ id, same, times: same.length - (fresh.has(id) ? 1 : 0) }));
  const counted = repeats.filter(({ times }) => times > 0);
  if (counted.length === 0) return repeated;
  const rows = new Map(
    (
      await tx.query(statements.countRepeats, [
        texts(counted.map(({ same }) => same[0].item.scope)),
        texts(counted.map(({ same }) => same[0].item.key)),
        numbers(counted.map(({ times }) => times)),
      ])
    ).map((row) => [idOf(row), row]),
  );
  for (const { id, same } of counted) {
    const row = rows.get(id)!;
    const [first, ...others] = same;
    if (fresh.has(id)) for (const entry of others) repeated.set(entry, first);
    else
      for (const entry of same)
        entry.result =
          row.fingerprint === entry.item.fingerprint
            ? { status: 'duplicate', orderId: row.subject, state: row.state }
            : { status: 'conflict' };
  }
  return repeated;
}

function idOf({ scope, key }: { scope: string; key: string }): string {
  return `${scope} ${key}`;
}

/** The same key twice in one batch: the second gets what became of the first. */
function resultOfRepeat(entry: Entry, first: Entry): ItemResult {
  if (first.item.fingerprint !== entry.item.fingerprint) return { status: 'conflict' };
  const result = first.result!;
  if (result.status === 'applied') return { status: 'duplicate', orderId: result.orderId, state: 'a' };
  if (result.status === 'parked') return { status: 'duplicate', orderId: null, state: 'p' };
  if (result.status === 'waiting') return { status: 'duplicate', orderId: null, state: 'w' };
  return result;
}

/** Decides and applies entries that have no result yet: orders first, then stock that moves by itself, in one ledger session; then supply. */
async function applyEntries(tx: Tx, deps: ReceiveDeps, entries: readonly Entry[]): Promise<void> {
  const works: { entry: Entry; work: Translated['works'][number] }[] = [];
  const moves: { entry: Entry; work: StockWork }[] = [];
  const supplies: { entry: Entry; change: SupplyChange }[] = [];
  const pairs: Pair[] = [];
  const holds: number[] = [];
  for (const entry of entries) {
    if (isFault(entry.translated)) {
      entry.result = parkedResult(entry.translated);
      continue;
    }
    for (const work of entry.translated.works) works.push({ entry, work });
    for (const work of entry.translated.stock) {
      moves.push({ entry, work });
      pairs.push([work.movement.skuId, work.movement.locationId]);
      if (work.reservationId !== null) holds.push(work.reservationId);
    }
    for (const change of entry.translated.supplies) {
      supplies.push({ entry, change });
      pairs.push([change.skuId, change.locationId]);
    }
  }
  const batch = await processOrders(
    tx,
    deps,
    works.map(({ work }) => work),
    pairs,
    holds,
  );
  works.forEach(({ entry }, i) => {
    const result = batch.results[i]!;
    const { waitKey } = entry.translated as Translated;
    if (result.outcome === 'applied')
      entry.result = { status: 'applied', orderId: result.orderId, events: result.events };
    else if (result.outcome === 'refused') entry.result = refusalOf(entry, result.refused, result.detail);
    else if (waitKey !== undefined && entry.message.onFault === 'park') entry.result = { status: 'waiting', waitKey };
    else entry.result = refusalOf(entry, 'unknown_order', 'the order is not known', 'XD_UNKNOWN_ORDER');
  });
  const counts: { entry: Entry; work: StockWork }[] = [];
  for (const move of moves) {
    if (move.work.movement.kind === 'counted') {
      counts.push(move);
      continue;
    }
    claimHold(batch, move.work);
    const { version, effect } = batch.stock.move(move.work.movement);
    batch.facts.push(factOfMovement(move.work, version, effect));
    move.entry.result = { status: 'applied', orderId: null, events: [] };
  }
  const counted = await batch.stock.count(counts.map(({ work }): Movement => work.movement));
  counts.forEach(({ entry, work }, i) => {
    const { applied, effect, version } = counted[i]!;
    if (applied) batch.facts.push(factOfMovement(work, version, effect));
    entry.result = applied
      ? { status: 'applied', orderId: null, events: [] }
      : { status: 'duplicate', orderId: null, state: 's' };
  });
  for (const entry of entries) {
    if (entry.result !== undefined) continue;
    if (!isFault(entry.translated)) batch.facts.push(...entry.translated.facts);
    entry.result = { status: 'applied', orderId: null, events: [] };
  }
  await batch.finish();
  // Last: what orders of this batch were promised is written, and the balances that guard it are still locked.
  const { applied, facts } = await changeSupplies(
    tx,
    supplies.map(({ change }) => change),
  );
  supplies.forEach(({ entry }, i) => {
    if (!applied[i]) entry.result = { status: 'duplicate', orderId: null, state: 's' };
  });
  if (facts.length > 0) await appendFacts(tx, facts);
}

/** Goods that leave under a hold use it up: reserved and on hand fall together. */
function claimHold(batch: Awaited<ReturnType<typeof processOrders>>, work: StockWork): void {
  if (work.reservationId === null || work.movement.quantity >= 0) return;
  for (const hold of batch.held.get(work.reservationId) ?? []) {
    if (hold.skuId !== work.movement.skuId || hold.locationId !== work.movement.locationId) continue;
    const used = Math.min(hold.openQuantity, -work.movement.quantity);
    if (used === 0) return;
    batch.stock.reserve(hold.skuId, hold.locationId, -used);
    hold.openQuantity -= used;
    const { version } = batch.stock.balance(hold.skuId, hold.locationId);
    batch.facts.push(claimFact(hold, used, version, work.companyId, work.movement.occurredAt));
  }
}

/** Writes what became of entries that were not applied: set aside, waiting, or forgotten because the caller was told. */
async function settleEntries(tx: Tx, entries: readonly Entry[]): Promise<void> {
  const states: { scope: string; key: string; state: string; subject: number | null }[] = [];
  const removed: Entry[] = [];
  const parked: { entry: Entry; class: string; reason: string; place: string | null; waitKey: string | null }[] = [];
  for (const entry of entries) {
    const result = entry.result!;
    const { scope, key } = entry.item;
    const place = isFault(entry.translated) ? entry.translated.place : null;
    if (result.status === 'parked') {
      states.push({ scope, key, state: 'p', subject: null });
      parked.push({ entry, class: result.class, reason: result.reason, place, waitKey: null });
    } else if (result.status === 'waiting') {
      states.push({ scope, key, state: 'w', subject: null });
      parked.push({ entry, class: 'waiting', reason: `waits for ${result.waitKey}`, place, waitKey: result.waitKey });
    } else if (result.status === 'conflict' && entry.message.onFault === 'park') {
      // The first content stays applied; what differs is looked at by a person.
      parked.push({
        entry,
        class: 'key_conflict',
        reason: `key ${key} came before with other content`,
        place: key,
        waitKey: null,
      });
      entry.result = { status: 'parked', class: 'key_conflict', reason: 'the key came before with other content' };
    } else if (result.status === 'duplicate' && result.state === 's')
      states.push({ scope, key, state: 's', subject: null });
    else if (result.status === 'refused' && !isFault(entry.translated)) removed.push(entry);
  }
  await writeStates(tx, states);
  if (removed.length > 0)
    await tx.query(statements.removeKeys, [
      texts(removed.map((e) => e.item.scope)),
      texts(removed.map((e) => e.item.key)),
    ]);
  if (parked.length > 0)
    await tx.query(statements.insertParked, [
      texts(parked.map((p) => p.entry.item.scope)),
      texts(parked.map((p) => p.entry.item.key)),
      texts(parked.map((p) => p.entry.message.system)),
      texts(parked.map((p) => p.class)),
      texts(parked.map((p) => p.reason)),
      texts(parked.map((p) => p.place)),
      texts(parked.map((p) => p.waitKey)),
      texts(parked.map((p) => JSON.stringify(p.entry.item))),
      numbers(parked.map((p) => p.entry.rawId)),
      numbers(parked.map((p) => p.entry.item.itemNo)),
    ]);
}

async function writeStates(
  tx: Tx,
  states: readonly { scope: string; key: string; state: string; subject: number | null }[],
): Promise<void> {
  if (states.length === 0) return;
  await tx.query(statements.setStates, [
    texts(states.map((s) => s.scope)),
    texts(states.map((s) => s.key)),
    texts(states.map((s) => s.state)),
    numbers(states.map((s) => s.subject)),
  ]);
}

function parkedResult(fault: Fault): ItemResult {
  return { status: 'parked', class: fault.class, reason: fault.reason };
}

function refusedResult(fault: Fault): ItemResult {
  return { status: 'refused', class: fault.class, code: fault.code, reason: fault.reason, place: fault.place };
}

function refusalOf(entry: Entry, kind: string, detail: string, code: ErrorCode = 'XD_REFUSED'): ItemResult {
  return entry.message.onFault === 'park'
    ? { status: 'parked', class: kind, reason: detail }
    : { status: 'refused', class: kind, code, reason: detail, place: null };
}
