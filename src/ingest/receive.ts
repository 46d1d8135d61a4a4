/**
 * What arrives is stored as it came and decided in one transaction, then acknowledged: raw record, business keys, orders, stock,
 * facts and the feed's cursor are one. Messages that arrive together share the transaction (a lane).
 *
 * A repeated key with the same content gets the first answer; with other content it is set aside (from systems) or refused
 * (from API callers). An item that can't be read, or can't be applied, is set aside with class, reason and place; its
 * neighbours go on.
 */
import { CrossdockError, fail, type InboundItem } from '../canonical/index.ts';
import type { Directory } from '../master/index.ts';
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
import { applyEntries } from './apply.ts';
import { askedAccounts, type CreditAsks } from './credit-asks.ts';
import { type Entry, type ItemResult, type Message, refusedResult } from './entry.ts';
import { awaitedOf, claimKeys, resultOfRepeat, settleEntries, writeStates } from './keys.ts';
import { endMergedConflicts } from './merges.ts';
import { lockKeysOfParked } from './parked.sql.ts';
import * as statements from './store.sql.ts';
import { loadCodes, translate } from './translate.ts';
import { businessTimeOf, isFault } from './translated.ts';

export const MESSAGES_PER_BATCH_MAX = 256;
/** Lines (of orders, movements, picks) decided in one transaction: it holds their locks, and everybody behind it waits. */
export const LINES_PER_BATCH_MAX = 2_000;
export const MESSAGES_WAITING_MAX = 10_000;

export interface ReceiveDeps {
  db: Database;
  ids: Ids;
  directory: Directory;
  /** Whether the system that orders go to can be told of lines that are added; default: it can. */
  takesChanges?: boolean | undefined;
  /** Called after each commit that wrote something. */
  onCommit?: () => void;
  /** Asks the ERP for the credit of accounts whose orders are checked. */
  creditAsks?: CreditAsks | undefined;
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
      enter: () => deps.db.turn('intake'),
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
    const records = message.items.filter(isRecord);
    if (records.length > 0 && records.length < message.items.length) return this.#receiveRecordsFirst(message);
    const { creditAsks, directory } = this.#deps;
    if (creditAsks !== undefined) await creditAsks.freshen(await askedAccounts(directory, message.items));
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

  /** What names a product or an account is there before what refers to it is looked up. The page's cursor moves with the last. */
  async #receiveRecordsFirst(message: Message): Promise<ItemResult[]> {
    const { feed: _, ...rest } = message;
    const itemsInBody = message.items.length;
    const first = await this.receive({ ...rest, items: message.items.filter(isRecord), itemsInBody });
    const others = message.items.filter((item) => !isRecord(item));
    const second = await this.receive({ ...message, items: others, itemsInBody });
    return message.items.map((item) => (isRecord(item) ? first : second).shift()!);
  }

  /** One poisonous item among many: each goes alone; the page's cursor moves with the last. */
  async #receiveApart(message: Message): Promise<ItemResult[]> {
    const results: ItemResult[] = [];
    for (const item of message.items) {
      const { feed: _, ...rest } = message;
      results.push(...(await this.receive({ ...rest, items: [item], itemsInBody: message.items.length })));
    }
    if (message.feed !== undefined) await this.#lane.submit({ ...message, items: [] });
    return results;
  }

  async #parkWhole(message: Message, error: unknown): Promise<ItemResult[]> {
    const item = message.items[0];
    if (item === undefined) throw error;
    return this.#lane.submit({
      ...message,
      items: [
        {
          ...item,
          unreadable: { reason: inapplicable(error), place: item.scope, value: null },
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
      if (entry.message.onFault === 'refuse' && isFault(entry.translated) && !entry.translated.byRule)
        entry.result = refusedResult(entry.translated);
    if (rows.length > 0)
      tx.write(statements.insertRaw, [
        numbers(rows.map((r) => r.rawId)),
        texts(rows.map((r) => r.message.system)),
        texts(rows.map((r) => r.message.source)),
        texts(rows.map((r) => r.message.contentType)),
        numbers(rows.map((r) => r.message.itemsInBody ?? r.message.items.length)),
        Buffer.concat(rows.map((r) => r.message.body)),
        ...cuts(rows.map((r) => r.message.body)),
      ]);
    const repeated = await claimKeys(tx, directory, entries);
    await applyEntries(
      tx,
      this.#deps,
      entries.filter((entry) => entry.result === undefined && !repeated.has(entry)),
    );
    for (const [entry, first] of repeated) entry.result = resultOfRepeat(entry, first);
    await settleEntries(tx, entries);
    await endMergedConflicts(tx, directory, entries);
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
      const failed: { id: number; class: string; reason: string; waitKey: string | null; at: number | null }[] = [];
      const states: { scope: string; key: string; state: string; subject: number | null }[] = [];
      entries.forEach((entry, i) => {
        const { parked_id: id, scope, key } = rows[i]!;
        const result = entry.result!;
        const at = businessTimeOf(entry.item.command);
        if (result.status === 'applied') {
          done.push(id);
          states.push({ scope, key, state: 'a', subject: result.orderId });
        } else if (result.status === 'duplicate') {
          // A count that a later one has overtaken.
          done.push(id);
          states.push({ scope, key, state: 's', subject: null });
        } else if (result.status === 'parked') {
          failed.push({ id, class: result.class, reason: result.reason, waitKey: awaitedOf(entry), at });
          states.push({ scope, key, state: 'p', subject: null });
        } else if (result.status === 'waiting')
          failed.push({ id, class: 'waiting', reason: `waits for ${result.waitKey}`, waitKey: result.waitKey, at });
      });
      if (done.length > 0) tx.write(statements.endParked, [numbers(done)]);
      if (failed.length > 0)
        tx.write(statements.failParked, [
          numbers(failed.map((f) => f.id)),
          texts(failed.map((f) => f.class)),
          texts(failed.map((f) => f.reason)),
          texts(failed.map((f) => f.waitKey)),
          numbers(failed.map((f) => f.at)),
        ]);
      await writeStates(tx, states);
      await endMergedConflicts(tx, directory, entries);
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
      if (isConnectionFault(error) || isSerializationFault(error)) throw error;
      // One of them is poisonous: alone, it fails alone.
      let applied = 0;
      for (const row of rows) applied += await this.#replayAlone(row.parked_id);
      return applied;
    }
  }

  /** What can't be applied waits no more: it would be first at every look, and those behind it would never be looked at. */
  async #replayAlone(parkedId: number): Promise<number> {
    try {
      return (await this.replay([parkedId])).applied;
    } catch (error) {
      if (isConnectionFault(error) || isSerializationFault(error)) throw error;
      await this.#deps.db.transaction(async (tx) => {
        await tx.query(lockKeysOfParked, [numbers([parkedId])]);
        const [row] = await tx.query(statements.readParked, [numbers([parkedId])]);
        if (row === undefined) return;
        tx.write(statements.failParked, [
          numbers([parkedId]),
          texts(['unreadable']),
          texts([inapplicable(error)]),
          texts([null]),
          numbers([null]),
        ]);
        await writeStates(tx, [{ scope: row.scope, key: row.key, state: 'p', subject: null }]);
      });
      return 0;
    }
  }
}

/** Names something that other records refer to. */
function isRecord({ command }: InboundItem): boolean {
  return command?.kind === 'product.changed' || command?.kind === 'account.changed';
}

/** Why something that was read could not be done: a fault of ours, or a value that the database refuses. */
function inapplicable(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `could not be applied: ${reason.slice(0, 500)}`;
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
