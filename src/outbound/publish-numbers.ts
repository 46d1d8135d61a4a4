/** Tells a channel that sells by itself its stock numbers: settle what was read back, then say what changed. */
import { type AvailabilitySink, askedToWaitMs, salesFeedsOf, UNIT_MISMATCH } from '../connectors/kit/index.ts';
import {
  hasSettleable,
  type PreparedNumbers,
  prepareNumbers,
  recordNumbers,
  type SellingChannel,
  screenNumbers,
  settleNumbers,
} from '../ledger/index.ts';
import { type ChannelEntry, readKitsOf } from '../master/index.ts';
import { backorderedUnits } from '../orders/index.ts';
import { databaseNow, Lane, numbers, type Tx, texts } from '../store/index.ts';
import type { Held } from './buckets.ts';
import { chunks } from './chunks.ts';
import { messageOf } from './deliver.ts';
import { judgeNumbers, type NumberOutcome, type SendingNumber } from './judge-numbers.ts';
import { writeDirty } from './plan.ts';
import type { Publications, PublisherOptions, Recorded } from './publications.ts';
import * as statements from './publish.sql.ts';
import { isPaused, Setbacks } from './retry.ts';
import { Slots } from './slots.ts';

/** How soon to look again at a number that waits for the channel's orders to be read. */
const UNSETTLED_PAUSE_MS = 100;
/** Numbers looked at in one round; most of them need not be said. */
const DUE_MAX = 3_000;
/** Numbers set aside in one turn, and batches whose outcomes are written in one. */
const PREPARE_MAX = 1_000;
/** How often a number that the channel sold on meanwhile is said again at once. */
const CONFLICT_TRIES_MAX = 3;
const BATCHES_RECORDED_MAX = 20;

/** What became of a batch, with what was read back and what of it is to be said again at once. */
interface Done {
  records: Recorded[];
  readBack: { skuId: number; number: number | null }[];
  again: readonly statements.DuePublication[];
  held: Held;
}

/** What is set aside and marked as on its way. */
interface Prepared {
  send: SendingNumber[];
  ordersThrough: string;
}

export class NumberPublisher {
  readonly #options: PublisherOptions;
  readonly #publications: Publications;
  readonly #entry: ChannelEntry;
  readonly #salesFeeds: ReturnType<typeof salesFeedsOf>;
  readonly #setbacks: Setbacks;
  readonly #slots: Slots;
  /** Numbers that a batch of ours is working on. */
  readonly #busy = new Set<number>();
  /** Outcomes of batches that end together are written in one turn. */
  readonly #done: Lane<Done, Prepared>;

  constructor(options: PublisherOptions, publications: Publications, channel: ChannelEntry) {
    this.#options = options;
    this.#publications = publications;
    this.#entry = channel;
    this.#salesFeeds = salesFeedsOf(options.connector);
    this.#setbacks = new Setbacks(options.random);
    this.#slots = new Slots(options.concurrency, options.onError);
    this.#done = new Lane({
      name: `numbers of ${options.destination.code}`,
      itemsMax: BATCHES_RECORDED_MAX,
      waitingMax: Number.POSITIVE_INFINITY,
      enter: () => options.db.turn('numbers'),
      run: (batches) => this.#record(batches),
      overflow: (waiting) => new Error(`${waiting} batches wait`),
    });
  }

  /** As it is now: what is kept out of all numbers changes while a hub runs. */
  get #channel(): SellingChannel {
    return { ...this.#entry, salesFeeds: this.#salesFeeds };
  }

  /** Begins what is due and waits until it has ended. @returns how many rows were worked on */
  async round(sink: AvailabilitySink): Promise<number> {
    const settled = await this.settle();
    const begun = await this.step(sink);
    await this.settled();
    return settled + begun;
  }

  /** Frees what a channel may no longer believe. @returns how many numbers were looked at */
  async settle(): Promise<number> {
    const held = await this.#publications.held();
    return held.has(0) ? this.#settle(this.#channel) : 0;
  }

  /** Resolves when nothing is under way. */
  settled(): Promise<void> {
    return this.#slots.settled();
  }

  /**
   * Begins what is due; resolves when all of it is under way, so that one slow number holds up no other.
   * @returns how many rows were looked at
   */
  async step(sink: AvailabilitySink): Promise<number> {
    const publications = this.#publications;
    const held = await publications.held();
    if (held.size === 0 || isPaused(this.#options.connector)) return 0;
    // What a batch of ours was working on when we looked may be read in a state that it has left since.
    const busy = new Set(this.#busy);
    const found = (await publications.due('availability', held, DUE_MAX + busy.size)).filter(
      (row) => !busy.has(row.key),
    );
    const due = await this.#withoutOtherUnits(found, held);
    const doubtful = due.filter((row) => row.state === 'd');
    const fresh = due.filter((row) => row.state === 'n');
    const begun: Promise<void>[] = [];
    const begin = (rows: readonly statements.DuePublication[], work: () => Promise<void>) => {
      for (const row of rows) this.#busy.add(row.key);
      const done = () => {
        for (const row of rows) this.#busy.delete(row.key);
      };
      begun.push(this.#slots.begin(() => work().finally(done)));
    };
    for (const batch of chunks(doubtful, sink.batchMax)) begin(batch, () => this.#resolve(sink, batch, held));
    const worth = fresh.length === 0 ? [] : await this.#screen(this.#channel, fresh, held);
    for (const part of chunks(worth, PREPARE_MAX))
      try {
        const { send, ordersThrough } = await publications.keepingStrays('availability', part, held, () =>
          this.#prepare(part, held),
        );
        for (const batch of chunks(send, sink.batchMax)) {
          const rows = batch.map((item) => item.row);
          const work = () => this.#send(sink, batch, ordersThrough, held);
          begin(rows, () => publications.keepingStrays('availability', rows, held, work));
        }
      } catch (error) {
        // What the other parts have set aside is sent all the same.
        this.#options.onError(error);
      }
    await Promise.all(begun);
    return found.length;
  }

  /** A number counts base units: of a listing that sells another unit it would be shown as so many of that. Nothing is set aside for it. */
  async #withoutOtherUnits(rows: statements.DuePublication[], held: Held): Promise<statements.DuePublication[]> {
    const { db, deps } = this.#options;
    const { soldIn } = this.#channel;
    if (soldIn.size === 0 || rows.length === 0) return rows;
    await deps.directory.loadSkuCodes(rows.map((row) => row.key));
    const unitOf = (row: statements.DuePublication) => soldIn.get(deps.directory.skuCode(row.key));
    const isOther = (row: statements.DuePublication) =>
      (unitOf(row) ?? deps.directory.skuUnit(row.key)) !== deps.directory.skuUnit(row.key);
    const other = rows.filter(isOther);
    if (other.length > 0) {
      const records = other.map((row): Recorded => {
        const error = `${UNIT_MISMATCH}: it is listed by ${unitOf(row)}, and the number counts ${deps.directory.skuUnit(row.key)}`;
        return { row, epoch: held.get(row.bucket)!, state: 'p', confirmed: null, error, pauseMs: 0 };
      });
      await db.transaction((tx) => this.#publications.write(tx, 'availability', records));
    }
    return rows.filter((row) => !isOther(row));
  }

  async #settle(channel: SellingChannel): Promise<number> {
    const { db, deps, destination, onCommit } = this.#options;
    if (!(await hasSettleable(db, channel))) return 0;
    const settled = await db.inTurn(async (tx) => {
      const result = await settleNumbers(tx, deps, channel, (skuIds) => backorderedUnits(tx, skuIds));
      const keys = [...new Set([...result.sayAgain, ...result.readAgain])];
      await this.#sayAgain(tx, keys);
      if (result.readAgain.length > 0)
        tx.write(statements.doubtAgain, [destination.destinationId, 'availability', numbers(result.readAgain)]);
      return result.settled;
    }, 'numbers');
    if (settled > 0) onCommit();
    return settled;
  }

  /** Ends what need not be said, found without a lock. @returns what is worth saying */
  async #screen(
    channel: ChannelEntry,
    rows: statements.DuePublication[],
    held: ReadonlyMap<number, number>,
  ): Promise<statements.DuePublication[]> {
    const { db, deps, destination } = this.#options;
    const keys = rows.map((row) => row.key);
    const lookedAt = await databaseNow(db);
    const { worth, unchanged } = await screenNumbers(db, deps, channel, keys, await backorderedUnits(db, keys));
    const byKey = new Map(rows.map((row) => [row.key, row]));
    const silent = unchanged.map((key) => byKey.get(key)!);
    if (silent.length > 0)
      await db.transaction(async (tx) => {
        const named = [destination.destinationId, 'availability', numbers(silent.map((row) => row.key))];
        tx.write(statements.lockPublications, named);
        tx.write(statements.confirmUnsaid, [
          ...named,
          numbers(silent.map((row) => row.version)),
          numbers(silent.map((row) => held.get(row.bucket)!)),
          lookedAt,
        ]);
      });
    return worth.map((key) => byKey.get(key)!);
  }

  /** Sets aside what is added and marks it as on its way. @returns what is to be sent */
  async #prepare(rows: readonly statements.DuePublication[], held: Held): Promise<Prepared> {
    const { db, deps } = this.#options;
    await deps.directory.loadSkuCodes(rows.map((row) => row.key));
    const owned = ownedBy(rows, held);
    const prepared = await db.inTurn((tx) => this.#setAside(tx, owned), 'numbers');
    await this.#recordUnsaid(prepared, owned);
    return this.#sendable(prepared, rows, held);
  }

  /** Locks balances, then publications. */
  async #setAside(tx: Tx, owned: Owned): Promise<PreparedNumbers> {
    const { deps, destination } = this.#options;
    const skuIds = [...owned.keys()].sort((a, b) => a - b);
    const prepared = await prepareNumbers(
      tx,
      deps,
      this.#channel,
      skuIds,
      () => backorderedUnits(tx, skuIds),
      async (wanted) => {
        const named = [destination.destinationId, 'availability', numbers(wanted)];
        tx.write(statements.lockPublications, named);
        const marked = await tx.query(statements.markSending, [
          ...named,
          numbers(wanted.map((skuId) => owned.get(skuId)!.row.version)),
          numbers(wanted.map((skuId) => owned.get(skuId)!.epoch)),
          ...[texts(wanted.map(() => null)), texts(wanted.map(() => null))],
        ]);
        return new Set(marked.map((row) => row.key));
      },
    );
    // Numbers of kits rest on what is set aside for their components.
    if (this.#channel.sharedRisk) {
      const kits = await readKitsOf(
        tx,
        prepared.send.map(({ skuId }) => skuId),
      );
      await this.#sayAgain(tx, [...new Set([...kits.values()].flat())]);
    }
    return prepared;
  }

  async #sayAgain(tx: Tx, keys: readonly number[]): Promise<void> {
    if (keys.length === 0) return;
    const { destinationId } = this.#options.destination;
    const changedAt = await databaseNow(tx);
    const dirt = keys.map((key) => ({ destinationId, kind: 'availability', key, changedAt }));
    await writeDirty(tx, dirt);
  }

  /** These move no stock, so they need no turn, and what is to be sent doesn't wait for one. */
  async #recordUnsaid({ unchanged, unsettled }: PreparedNumbers, owned: Owned): Promise<void> {
    const records = [
      ...unchanged.map((skuId) => ({ ...owned.get(skuId)!, confirmed: owned.get(skuId)!.row.version, pauseMs: 0 })),
      ...unsettled.map((skuId) => ({ ...owned.get(skuId)!, confirmed: null, pauseMs: UNSETTLED_PAUSE_MS })),
    ].map((record): Recorded => ({ ...record, state: 'n', error: null, silent: true, blameless: true }));
    if (records.length === 0) return;
    const written = await this.#options.db.transaction((tx) => this.#publications.write(tx, 'availability', records));
    this.#publications.committed('availability', records, written);
  }

  /** Those of `rows` that were set aside and may still be sent; what another process took over is left in doubt. */
  #sendable(prepared: PreparedNumbers, rows: readonly statements.DuePublication[], held: Held): Prepared {
    const byKey = new Map(rows.map((row) => [row.key, row]));
    const sending = prepared.send.flatMap((item): SendingNumber[] => {
      const row = byKey.get(item.skuId);
      return row === undefined ? [] : [{ ...item, row }];
    });
    const named = sending.map((item) => item.row);
    const mine = new Set(this.#publications.stillHeld('availability', named, held));
    return { send: sending.filter((item) => mine.has(item.row)), ordersThrough: prepared.ordersThrough };
  }

  async #send(
    sink: AvailabilitySink,
    batch: readonly SendingNumber[],
    ordersThrough: string,
    held: Held,
    triesLeft = CONFLICT_TRIES_MAX,
  ): Promise<void> {
    const { deps, signal } = this.#options;
    const channel = this.#channel;
    const items = batch.map(({ skuId, from, quantity }) => ({
      sku: deps.directory.skuCode(skuId),
      from,
      quantity,
      ordersThrough,
    }));
    let outcomes: NumberOutcome[];
    try {
      const rows = batch.map((item) => item.row);
      outcomes = await sink.write(items, this.#publications.whileOurs(rows, held, signal));
    } catch (error) {
      outcomes = items.map(() => ({ outcome: 'in_doubt', error: messageOf(error) }));
    }
    // What may still take effect later can't be settled by reading now.
    const readable = items.filter((_, i) => outcomes[i]?.outcome !== 'in_doubt').map((item) => item.sku);
    let numbersThere: Map<string, number> | undefined;
    if (readable.length > 0)
      try {
        numbersThere = await sink.readBack(readable, signal);
      } catch (error) {
        this.#options.onError(error);
      }
    const { records, readBack, conflicts } = judgeNumbers(
      this.#options,
      this.#setbacks,
      channel,
      batch,
      outcomes,
      numbersThere,
      held,
    );
    await this.#recordAndSay(sink, { records, readBack, again: triesLeft > 0 ? conflicts : [], held }, triesLeft);
  }

  /** After the effect horizon: what does it show? That is what it believes; then it is said again if it differs. */
  async #resolve(sink: AvailabilitySink, rows: readonly statements.DuePublication[], held: Held): Promise<void> {
    const { deps, signal } = this.#options;
    await deps.directory.loadSkuCodes(rows.map((row) => row.key));
    let there: Map<string, number>;
    try {
      there = await sink.readBack(
        rows.map((row) => deps.directory.skuCode(row.key)),
        signal,
      );
    } catch (error) {
      const pauseMs = this.#setbacks.pauseMs('availability lookup', askedToWaitMs(error));
      await this.#done.submit({
        records: rows.map((row) => ({
          row,
          epoch: held.get(row.bucket)!,
          state: 'd',
          confirmed: null,
          error: messageOf(error),
          pauseMs,
          blameless: true,
        })),
        readBack: [],
        again: [],
        held,
      });
      return;
    }
    this.#setbacks.end('availability lookup');
    const records = rows.map(
      (row): Recorded => ({
        row,
        epoch: held.get(row.bucket)!,
        state: 'n',
        confirmed: null,
        error: 'was in doubt',
        pauseMs: 0,
        blameless: true,
      }),
    );
    const readBack = rows.map((row) => ({
      skuId: row.key,
      number: there.get(deps.directory.skuCode(row.key)) ?? null,
    }));
    await this.#recordAndSay(sink, { records, readBack, again: rows, held }, CONFLICT_TRIES_MAX);
  }

  /**
   * Writes what became of a batch, and says again what is to be said at once. Not in the next round: a channel sells on, and the
   * sooner a compare-and-set follows what was read, the likelier it still finds it.
   */
  async #recordAndSay(sink: AvailabilitySink, done: Done, triesLeft: number): Promise<void> {
    const { again, held } = done;
    await this.#publications.keepingStrays('availability', again, held, async () => {
      const { send, ordersThrough } = await this.#done.submit(done);
      if (send.length > 0) await this.#send(sink, send, ordersThrough, held, triesLeft - 1);
    });
  }

  /** Writes outcomes, what was read back, and what is said again. Locks balances, then publications. Called within a turn. */
  async #record(batches: readonly Done[]): Promise<Prepared[]> {
    const { db, deps } = this.#options;
    const publications = this.#publications;
    const records = batches.flatMap((batch) => batch.records);
    const readBack = batches.flatMap((batch) => batch.readBack);
    let written: Awaited<ReturnType<typeof publications.write>> = [];
    const again: Owned = new Map();
    const prepared = await db.transaction(async (tx) => {
      again.clear();
      if (readBack.length === 0) {
        written = await publications.write(tx, 'availability', records);
        return NOTHING;
      }
      // Numbers are recorded only for rows that are still ours: whoever took over knows better than what we read.
      let ours: ReadonlySet<number> = new Set();
      await recordNumbers(tx, deps, this.#channel, readBack, async () => {
        written = await publications.write(tx, 'availability', records);
        ours = new Set(written.map((row) => row.key));
        return ours;
      });
      for (const batch of batches)
        for (const [key, owner] of ownedBy(batch.again, batch.held)) if (ours.has(key)) again.set(key, owner);
      return again.size === 0 ? NOTHING : this.#setAside(tx, again);
    });
    publications.committed('availability', records, written);
    await this.#recordUnsaid(prepared, again);
    return batches.map((batch) => this.#sendable(prepared, batch.again, batch.held));
  }
}

const NOTHING: PreparedNumbers = { send: [], unchanged: [], unsettled: [], ordersThrough: '' };

/** Publications by key, each with the fencing token it is worked on under. */
type Owned = Map<number, { row: statements.DuePublication; epoch: number }>;

function ownedBy(rows: readonly statements.DuePublication[], held: Held): Owned {
  return new Map(rows.map((row) => [row.key, { row, epoch: held.get(row.bucket)! }]));
}
