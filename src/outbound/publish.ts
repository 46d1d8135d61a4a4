/**
 * Tells one destination the newest state of things: availability, prices, order status. Only the newest counts; what to say is
 * computed when it is sent, and what the other side confirmed (by reading it back) is kept.
 */

import { orderReference } from '../canonical/index.ts';
import type { AvailabilitySink, Connector, Outcome, StateItem, StateSink } from '../connectors/kit/index.ts';
import { hasSettleable, prepareNumbers, recordNumbers, screenNumbers, settleNumbers } from '../ledger/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import { backorderedUnits, type OrderDeps, readOrderLines } from '../orders/index.ts';
import { type Database, databaseNow, type Leases, numbers, type Tx, texts } from '../store/index.ts';
import { heldBuckets, leaseName, messageOf, runAll } from './deliver.ts';
import type { Freshness } from './freshness.ts';
import { writeDirty } from './plan.ts';
import * as statements from './publish.sql.ts';
import { retryPauseMs } from './retry.ts';

export interface PublisherOptions {
  db: Database;
  deps: OrderDeps;
  leases: Leases;
  destination: { destinationId: number; code: string };
  connector: Connector;
  /** The channel whose number this destination shows. */
  channel: ChannelEntry | null;
  concurrency: number;
  effectHorizonMs: number;
  attemptsMax: number;
  freshness: Freshness;
  random: () => number;
  onCommit: () => void;
  onError: (error: unknown) => void;
  signal: AbortSignal;
}

/** How soon to look again at a number that waits for the channel's orders to be read. */
const UNSETTLED_PAUSE_MS = 100;
/** Numbers looked at in one round; most of them need not be said. */
const AVAILABILITY_DUE_MAX = 3_000;

type Kind = 'availability' | 'price' | 'order_status';

interface Recorded {
  row: statements.DuePublication;
  epoch: number;
  state: 'n' | 'd' | 'p';
  /** The version that the destination surely holds now. */
  confirmed: number | null;
  error: string | null;
  pauseMs: number;
  /** Nothing was sent because nothing differs: no freshness to measure. */
  silent?: boolean;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #adopted = new Map<number, number>();
  /** Rows that a batch of ours left on their way, with the epoch they were sent under. */
  #strays: { kind: Kind; key: number; epoch: number }[] = [];
  #adoptedAt = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  async #adopt(held: ReadonlyMap<number, number>): Promise<void> {
    const { db, destination, effectHorizonMs } = this.#options;
    if (this.#strays.length > 0) {
      const strays = this.#strays;
      await db.query(statements.doubtStrays, [
        destination.destinationId,
        texts(strays.map((stray) => stray.kind)),
        numbers(strays.map((stray) => stray.key)),
        numbers(strays.map((stray) => stray.epoch)),
        effectHorizonMs,
      ]);
      this.#strays = this.#strays.filter((stray) => !strays.includes(stray));
    }
    const fresh = [...held].filter(
      ([bucket, epoch]) => this.#adopted.get(bucket) !== epoch || performance.now() - this.#adoptedAt > 5_000,
    );
    if (fresh.length === 0) return;
    await db.query(statements.doubtOrphans, [
      destination.destinationId,
      numbers(fresh.map(([bucket]) => bucket)),
      numbers(fresh.map(([, epoch]) => epoch)),
      effectHorizonMs,
    ]);
    for (const [bucket, epoch] of fresh) this.#adopted.set(bucket, epoch);
    this.#adoptedAt = performance.now();
  }

  /** One round of stock numbers: settle what was read back, then say what changed. @returns how many rows were worked on */
  async availabilityRound(): Promise<number> {
    const { leases, destination, connector, channel } = this.#options;
    const sink = connector.availability;
    const held = heldBuckets(leases, destination.code);
    if (sink === undefined || channel === null || held.size === 0) return 0;
    await this.#adopt(held);
    const settled = held.has(0) ? await this.#settle(channel) : 0;
    const due = await this.#due('availability', held, AVAILABILITY_DUE_MAX);
    const doubtful = due.filter((row) => row.state === 'd');
    const fresh = due.filter((row) => row.state === 'n');
    const jobs: (() => Promise<void>)[] = [];
    for (const batch of chunks(doubtful, sink.batchMax))
      jobs.push(() => this.#resolveNumbers(sink, channel, batch, held));
    const worth = fresh.length === 0 ? [] : await this.#screen(channel, fresh, held);
    for (const batch of chunks(worth, sink.batchMax))
      jobs.push(() =>
        this.#keepingStrays('availability', batch, held, () => this.#sendNumbers(sink, channel, batch, held)),
      );
    await runAll(jobs, this.#options.concurrency, this.#options.onError);
    return due.length + settled;
  }

  /** The lease is renewed under the same epoch, so nobody takes over what a failed batch leaves behind: we do it ourselves. */
  async #keepingStrays(
    kind: Kind,
    rows: readonly statements.DuePublication[],
    held: ReadonlyMap<number, number>,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      for (const row of rows) this.#strays.push({ kind, key: row.key, epoch: held.get(row.bucket)! });
      throw error;
    }
  }

  /** Those whose lease is still believed in: what we can still hold back, we do not send. The others are left in doubt. */
  #stillHeld(
    kind: Kind,
    rows: readonly statements.DuePublication[],
    held: ReadonlyMap<number, number>,
  ): statements.DuePublication[] {
    const { leases, destination } = this.#options;
    const mine = rows.filter((row) => leases.epoch(leaseName(destination.code, row.bucket)) === held.get(row.bucket));
    for (const row of rows)
      if (!mine.includes(row)) this.#strays.push({ kind, key: row.key, epoch: held.get(row.bucket)! });
    return mine;
  }

  #due(kind: Kind, held: ReadonlyMap<number, number>, limit: number): Promise<statements.DuePublication[]> {
    const { db, destination } = this.#options;
    return db.query(statements.findDue, [destination.destinationId, kind, numbers([...held.keys()]), limit]);
  }

  async #settle(channel: ChannelEntry): Promise<number> {
    const { db, deps, destination, onCommit } = this.#options;
    if (!(await hasSettleable(db, channel))) return 0;
    const settled = await db.inTurn(async (tx) => {
      const result = await settleNumbers(tx, deps, channel, (skuIds) => backorderedUnits(tx, skuIds));
      const keys = [...new Set([...result.sayAgain, ...result.readAgain])];
      if (keys.length > 0) {
        const changedAt = await databaseNow(tx);
        await writeDirty(
          tx,
          keys.map((key) => ({ destinationId: destination.destinationId, kind: 'availability', key, changedAt })),
        );
      }
      if (result.readAgain.length > 0)
        await tx.query(statements.doubtAgain, [destination.destinationId, 'availability', numbers(result.readAgain)]);
      return result.settled;
    }, true);
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
        await tx.query(statements.lockPublications, named);
        await tx.query(statements.confirmUnsaid, [
          ...named,
          numbers(silent.map((row) => row.version)),
          numbers(silent.map((row) => held.get(row.bucket)!)),
          lookedAt,
        ]);
      });
    return worth.map((key) => byKey.get(key)!);
  }

  async #sendNumbers(
    sink: AvailabilitySink,
    channel: ChannelEntry,
    rows: statements.DuePublication[],
    held: ReadonlyMap<number, number>,
  ): Promise<void> {
    const { db, deps, destination, signal, effectHorizonMs, attemptsMax, random } = this.#options;
    await deps.directory.loadSkuCodes(rows.map((row) => row.key));
    const byKey = new Map(rows.map((row) => [row.key, row]));
    const skuIds = rows.map((row) => row.key).sort((a, b) => a - b);
    const prepared = await db.inTurn(async (tx) => {
      return prepareNumbers(
        tx,
        deps,
        channel,
        skuIds,
        () => backorderedUnits(tx, skuIds),
        async (wanted) => {
          const sending = wanted.map((skuId) => byKey.get(skuId)!);
          const named = [destination.destinationId, 'availability', numbers(wanted)];
          await tx.query(statements.lockPublications, named);
          const marked = await tx.query(statements.markSending, [
            ...named,
            numbers(sending.map((row) => row.version)),
            numbers(sending.map((row) => held.get(row.bucket)!)),
          ]);
          return new Set(marked.map((row) => row.key));
        },
      );
    }, true);
    const records: Recorded[] = prepared.unchanged.map((skuId) => {
      const row = byKey.get(skuId)!;
      return {
        row,
        epoch: held.get(row.bucket)!,
        state: 'n',
        confirmed: row.version,
        error: null,
        pauseMs: 0,
        silent: true,
      };
    });
    for (const skuId of prepared.unsettled) {
      const row = byKey.get(skuId)!;
      records.push({
        row,
        epoch: held.get(row.bucket)!,
        state: 'n',
        confirmed: null,
        error: null,
        pauseMs: UNSETTLED_PAUSE_MS,
      });
    }
    const mine = new Set(
      this.#stillHeld(
        'availability',
        prepared.send.map((item) => byKey.get(item.skuId)!),
        held,
      ),
    );
    const send = prepared.send.filter((item) => mine.has(byKey.get(item.skuId)!));
    if (send.length === 0) {
      await this.#record('availability', records);
      return;
    }
    const items = send.map(({ skuId, from, quantity }) => ({
      sku: deps.directory.skuCode(skuId),
      from,
      quantity,
      ordersThrough: prepared.ordersThrough,
    }));
    let outcomes: (Outcome | { outcome: 'conflict' })[];
    try {
      outcomes = await sink.write(items, signal);
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
    const readBack: { skuId: number; number: number | null }[] = [];
    send.forEach((item, i) => {
      const { skuId, quantity } = item;
      const row = byKey.get(skuId)!;
      const epoch = held.get(row.bucket)!;
      const outcome = outcomes[i] ?? { outcome: 'in_doubt', error: 'no answer for this item' };
      if (outcome.outcome === 'in_doubt' || numbersThere === undefined) {
        const error = 'error' in outcome ? outcome.error : 'could not be read back';
        records.push({ row, epoch, state: 'd', confirmed: null, error, pauseMs: effectHorizonMs });
        return;
      }
      const there = numbersThere.get(items[i]!.sku) ?? null;
      if (outcome.outcome === 'confirmed' && !isWritten(channel, item, there)) {
        // It was lost, or comes later: only after the horizon is what is read what the channel believes.
        const error = `said to be done, but it shows ${there}, not ${quantity}`;
        records.push({ row, epoch, state: 'd', confirmed: null, error, pauseMs: effectHorizonMs });
        return;
      }
      readBack.push({ skuId, number: there });
      if (outcome.outcome === 'confirmed') {
        records.push({ row, epoch, state: 'n', confirmed: row.version, error: null, pauseMs: 0 });
        return;
      }
      const error = `${outcome.outcome}: it shows ${there}, not ${quantity}`;
      if (outcome.outcome !== 'conflict' && row.attempts + 1 >= attemptsMax) {
        records.push({ row, epoch, state: 'p', confirmed: null, error: `${outcome.error}; ${error}`, pauseMs: 0 });
        return;
      }
      const retryAfterMs = outcome.outcome === 'later' ? outcome.retryAfterMs : undefined;
      const pauseMs = outcome.outcome === 'conflict' ? 0 : retryPauseMs(row.attempts, retryAfterMs, random);
      records.push({ row, epoch, state: 'n', confirmed: null, error, pauseMs });
    });
    await this.#record('availability', records, { channel, readBack });
  }

  /** After the effect horizon: what does it show? That is what it believes; then it is said again if it differs. */
  async #resolveNumbers(
    sink: AvailabilitySink,
    channel: ChannelEntry,
    rows: statements.DuePublication[],
    held: ReadonlyMap<number, number>,
  ): Promise<void> {
    const { deps, signal, random } = this.#options;
    await deps.directory.loadSkuCodes(rows.map((row) => row.key));
    let there: Map<string, number>;
    try {
      there = await sink.readBack(
        rows.map((row) => deps.directory.skuCode(row.key)),
        signal,
      );
    } catch (error) {
      await this.#record(
        'availability',
        rows.map((row) => ({
          row,
          epoch: held.get(row.bucket)!,
          state: 'd',
          confirmed: null,
          error: messageOf(error),
          pauseMs: retryPauseMs(row.attempts, undefined, random),
        })),
      );
      return;
    }
    await this.#record(
      'availability',
      rows.map((row) => ({
        row,
        epoch: held.get(row.bucket)!,
        state: 'n',
        confirmed: null,
        error: row.state === 'd' ? 'was in doubt' : null,
        pauseMs: 0,
      })),
      {
        channel,
        readBack: rows.map((row) => ({ skuId: row.key, number: there.get(deps.directory.skuCode(row.key)) ?? null })),
      },
    );
  }

  /** One round of prices and order states. @returns how many rows were worked on */
  async stateRound(): Promise<number> {
    const { leases, destination, connector, concurrency, signal, onError } = this.#options;
    const held = heldBuckets(leases, destination.code);
    if (held.size === 0) return 0;
    await this.#adopt(held);
    const kinds: [Kind, StateSink | undefined][] = [
      ['order_status', connector.orderStatus],
      ['price', connector.prices],
    ];
    let worked = 0;
    // The loop gathers before a round, so that what changes often is said once; a backlog must not pay for that at each batch.
    for (let again = true; again && !signal.aborted; ) {
      again = false;
      const jobs: (() => Promise<void>)[] = [];
      for (const [kind, sink] of kinds) {
        if (sink === undefined) continue;
        const limit = sink.batchMax * concurrency;
        const due = await this.#due(kind, held, limit);
        worked += due.length;
        if (due.length === limit) again = true;
        for (const batch of chunks(due, sink.batchMax))
          jobs.push(() => this.#keepingStrays(kind, batch, held, () => this.#sendStates(kind, sink, batch, held)));
      }
      await runAll(jobs, concurrency, (error) => {
        again = false;
        onError(error);
      });
    }
    return worked;
  }

  async #sendStates(
    kind: Kind,
    sink: StateSink,
    rows: statements.DuePublication[],
    held: ReadonlyMap<number, number>,
  ): Promise<void> {
    const { db, destination, signal, effectHorizonMs, random, attemptsMax, connector } = this.#options;
    // What is in doubt is only read back; nothing newer overtakes it on the way.
    const fresh = rows.filter((row) => row.state === 'n');
    const marked = new Set<number>();
    if (fresh.length > 0)
      await db.transaction(async (tx) => {
        const named = [destination.destinationId, kind, numbers(fresh.map((row) => row.key))];
        await tx.query(statements.lockPublications, named);
        const rowsMarked = await tx.query(statements.markSending, [
          ...named,
          numbers(fresh.map((row) => row.version)),
          numbers(fresh.map((row) => held.get(row.bucket)!)),
        ]);
        marked.clear();
        for (const row of rowsMarked) marked.add(row.key);
      });
    const sending = this.#stillHeld(
      kind,
      fresh.filter((row) => marked.has(row.key)),
      held,
    );
    marked.clear();
    for (const row of sending) marked.add(row.key);
    const states = await this.#statesOf(kind, [...sending, ...rows.filter((row) => row.state === 'd')]);
    const outcomes = new Map<number, Outcome>();
    const writable = sending.filter((row) => states.has(row.key));
    if (writable.length > 0)
      try {
        const results = await sink.write(
          writable.map((row): StateItem => ({ ...states.get(row.key)!, version: row.version })),
          signal,
        );
        writable.forEach((row, i) => {
          outcomes.set(row.key, results[i] ?? { outcome: 'in_doubt', error: 'no answer for this item' });
        });
      } catch (error) {
        for (const row of writable) outcomes.set(row.key, { outcome: 'in_doubt', error: messageOf(error) });
      }
    const toRead = [
      ...rows.filter((row) => row.state === 'd'),
      ...writable.filter((row) => outcomes.get(row.key)!.outcome === 'confirmed'),
    ].filter((row) => states.has(row.key));
    let versions: Map<string, number> | undefined;
    if (toRead.length > 0 && (connector.confirmedBy === 'read_back' || toRead.some((row) => row.state === 'd')))
      try {
        versions = await sink.readBack(
          toRead.map((row) => states.get(row.key)!.key),
          signal,
        );
      } catch (error) {
        this.#options.onError(error);
      }
    const records: Recorded[] = [];
    for (const row of rows) {
      const epoch = held.get(row.bucket)!;
      const state = states.get(row.key);
      if (row.state === 'n' && !marked.has(row.key)) continue;
      if (state === undefined) {
        // There is nothing to say about it, e.g. a SKU without a base price.
        records.push({ row, epoch, state: 'n', confirmed: row.version, error: null, pauseMs: 0, silent: true });
        continue;
      }
      const there = versions?.get(state.key);
      if (row.state === 'd') {
        const sent = row.sending_version ?? row.version;
        if (versions === undefined)
          records.push({
            row,
            epoch,
            state: 'd',
            confirmed: null,
            error: 'could not be looked up',
            pauseMs: retryPauseMs(row.attempts, undefined, random),
          });
        else if (there !== undefined && there >= sent)
          records.push({ row, epoch, state: 'n', confirmed: sent, error: null, pauseMs: 0 });
        else
          records.push({
            row,
            epoch,
            state: 'n',
            confirmed: null,
            error: 'not found after the effect horizon',
            pauseMs: 0,
          });
        continue;
      }
      const outcome = outcomes.get(row.key)!;
      if (outcome.outcome === 'confirmed') {
        const seen = connector.confirmedBy === 'answer' || (there !== undefined && there >= row.version);
        if (seen) records.push({ row, epoch, state: 'n', confirmed: row.version, error: null, pauseMs: 0 });
        else
          records.push({
            row,
            epoch,
            state: 'd',
            confirmed: null,
            error: 'said to be done, but not found',
            pauseMs: effectHorizonMs,
          });
      } else if (outcome.outcome === 'refused')
        records.push({ row, epoch, state: 'p', confirmed: null, error: outcome.error, pauseMs: 0 });
      else if (outcome.outcome === 'in_doubt')
        records.push({ row, epoch, state: 'd', confirmed: null, error: outcome.error, pauseMs: effectHorizonMs });
      else if (row.attempts + 1 >= attemptsMax)
        records.push({ row, epoch, state: 'p', confirmed: null, error: outcome.error, pauseMs: 0 });
      else
        records.push({
          row,
          epoch,
          state: 'n',
          confirmed: null,
          error: outcome.error,
          pauseMs: retryPauseMs(row.attempts, outcome.retryAfterMs, random),
        });
    }
    await this.#record(kind, records);
  }

  /** What there is to say now, by publication key. */
  async #statesOf(
    kind: Kind,
    rows: readonly statements.DuePublication[],
  ): Promise<Map<number, { key: string; state: unknown }>> {
    const { db, deps } = this.#options;
    const keys = rows.map((row) => row.key);
    return kind === 'price'
      ? priceStates(db, deps.directory, keys, this.#currency())
      : orderStates(db, deps.directory, keys);
  }

  #currency(): string {
    const { channel, deps } = this.#options;
    const company = channel === null ? undefined : deps.directory.companyById.get(channel.companyId);
    return company?.currency ?? '';
  }

  /** Writes the outcomes; with stock numbers, what was read back in the same transaction. Locks balances, then publications. */
  async #record(
    kind: Kind,
    records: readonly Recorded[],
    stock?: { channel: ChannelEntry; readBack: { skuId: number; number: number | null }[] },
  ): Promise<void> {
    const { db, deps, destination, freshness, onCommit } = this.#options;
    if (records.length === 0) return;
    const silent = new Set(records.filter((record) => record.silent).map((record) => record.row.key));
    const write = async (tx: Tx) => {
      const writeOutcomes = async () => {
        const named = [destination.destinationId, kind, numbers(records.map((r) => r.row.key))];
        const changedAt = new Map(
          (await tx.query(statements.lockPublications, named)).map((row) => [row.key, row.changed_at]),
        );
        const written = await tx.query(statements.record, [
          ...named,
          numbers(records.map((r) => r.epoch)),
          texts(records.map((r) => r.state)),
          texts(records.map((r) => r.error?.slice(0, 300) ?? null)),
          numbers(records.map((r) => r.confirmed)),
          numbers(records.map((r) => Math.round(r.pauseMs))),
        ]);
        return written.map((row) => ({ ...row, changed_at: changedAt.get(row.key)! }));
      };
      if (stock === undefined || stock.readBack.length === 0) return writeOutcomes();
      // Numbers are recorded only for rows that are still ours: whoever took over knows better than what we read.
      let written: Awaited<ReturnType<typeof writeOutcomes>> = [];
      await recordNumbers(tx, deps, stock.channel, stock.readBack, async () => {
        written = await writeOutcomes();
        return new Set(written.map((row) => row.key));
      });
      return written;
    };
    const rows = await (stock === undefined ? db.transaction(write) : db.inTurn(write, true));
    const confirmed = new Set(
      records.filter((record) => record.confirmed !== null && !record.silent).map((record) => record.row.key),
    );
    for (const row of rows)
      if (confirmed.has(row.key) && !silent.has(row.key) && row.confirmed_at !== null)
        freshness.record(`${kind}:${destination.code}`, row.confirmed_at.getTime() - row.changed_at.getTime());
    onCommit();
  }
}

async function priceStates(
  db: Database,
  directory: Directory,
  skuIds: number[],
  currency: string,
): Promise<Map<number, { key: string; state: unknown }>> {
  await directory.loadSkuCodes(skuIds);
  const rows = await db.query(statements.readPrices, [numbers(skuIds), currency]);
  return new Map(
    rows.map((row) => [
      row.sku_id,
      { key: directory.skuCode(row.sku_id), state: { unitPrice: row.unit_price, currency: row.currency } },
    ]),
  );
}

async function orderStates(
  db: Database,
  directory: Directory,
  orderIds: number[],
): Promise<Map<number, { key: string; state: unknown }>> {
  const orders = await readOrderLines(db, orderIds);
  const skuIds = new Set<number>();
  for (const order of orders.values()) for (const line of order.lines.values()) skuIds.add(line.skuId);
  await directory.loadSkuCodes(skuIds);
  await directory.loadAccountCodes([...orders.values()].map((order) => order.accountId));
  const states = new Map<number, { key: string; state: unknown }>();
  for (const order of orders.values()) {
    const channel = directory.channelById.get(order.channelId)!;
    states.set(order.orderId, {
      key: orderReference(channel.code, order.externalNo),
      state: {
        channel: channel.code,
        externalNo: order.externalNo,
        status: order.state,
        account: directory.accountCode(order.accountId),
        currency: order.currency,
        totalMinor: order.totalMinor,
        lines: [...order.lines.values()].map((line) => ({
          lineNo: line.lineNo,
          sku: directory.skuCode(line.skuId),
          quantity: line.quantity,
          amountMinor: line.amountMinor,
          cancelled: line.cancelled,
          backordered: line.backordered,
          shipped: line.shipped,
          invoiced: line.invoiced,
          returned: line.returned,
        })),
      },
    });
  }
  return states;
}

/** Whether what is shown can be what we wrote. Sales take a number down that means what may be sold; nothing else changes one. */
function isWritten(
  channel: ChannelEntry,
  item: { from: number | null; quantity: number },
  there: number | null,
): boolean {
  if (there === null) return false;
  if (channel.numberMeans === 'on_hand') return there === item.quantity;
  return there <= item.quantity && (there !== item.from || item.from === item.quantity);
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let i = 0; i < items.length; i += size) result.push(items.slice(i, i + size));
  return result;
}
