/** Tells a system the newest state of orders and prices. */
import {
  askedToWaitMs,
  type Outcome,
  type PriceState,
  type StateItem,
  type StateSink,
  unitMismatchOf,
} from '../connectors/kit/index.ts';
import {
  type ChannelEntry,
  type DestinationEntry,
  type Directory,
  findOwnPrices,
  keepToldPrices,
} from '../master/index.ts';
import { dayIn, readPrices } from '../pricing/index.ts';
import { type Database, databaseNow, numbers, type Tx, texts } from '../store/index.ts';
import type { Held } from './buckets.ts';
import { chunks } from './chunks.ts';
import { messageOf } from './deliver.ts';
import { orderStates, type Said } from './order-states.ts';
import { doubtNumbersOf } from './plan.ts';
import type { Kind, Publications, PublisherOptions, Recorded } from './publications.ts';
import * as statements from './publish.sql.ts';
import { isPaused, retryPauseMs, Setbacks } from './retry.ts';
import { runAll } from './slots.ts';

/** In ms, by kind. */
export type Gather = Readonly<Record<'order_status' | 'price', number>>;

interface ToldPrice {
  unitPrice: string;
  pricePer?: number;
}

const itemOf = ({ key, state }: Said, version: number, base: number): StateItem => ({ key, state, version, base });

export class StatePublisher {
  readonly #options: PublisherOptions;
  readonly #publications: Publications;
  readonly #setbacks: Setbacks;

  constructor(options: PublisherOptions, publications: Publications) {
    this.#options = options;
    this.#publications = publications;
    this.#setbacks = new Setbacks(options.random);
  }

  /**
   * @param gatherMs how long a change must have stood: an order changes often in a short time, and is told once; prices come in whole lists
   * @returns how many rows were worked on
   */
  async round(gatherMs: Gather): Promise<number> {
    const { connector, concurrency, signal, onError } = this.#options;
    const publications = this.#publications;
    const held = await publications.held();
    if (held.size === 0) return 0;
    const kinds: [keyof Gather, StateSink | undefined][] = [
      ['order_status', connector.orderStatus],
      ['price', connector.prices],
    ];
    let worked = 0;
    // The loop pauses before a round; a backlog must not pay for that at each batch.
    for (let again = true; again && !signal.aborted && !isPaused(connector); ) {
      again = false;
      const jobs: (() => Promise<void>)[] = [];
      for (const [kind, sink] of kinds) {
        if (sink === undefined) continue;
        const limit = sink.batchMax * concurrency;
        const due = await publications.due(kind, held, limit, gatherMs[kind]);
        worked += due.length;
        if (due.length === limit) again = true;
        for (const batch of chunks(due, sink.batchMax))
          jobs.push(() => publications.keepingStrays(kind, batch, held, () => this.#send(kind, sink, batch, held)));
      }
      await runAll(jobs, concurrency, (error) => {
        again = false;
        onError(error);
      });
    }
    return worked;
  }

  async #send(kind: Kind, sink: StateSink, due: statements.DuePublication[], held: Held): Promise<void> {
    const { db, destination, signal, effectHorizonMs, random, attemptsMax, connector } = this.#options;
    // Of an order only what the destination does not hold yet; nothing new of one that is in doubt, which is only read back.
    const baseOf = (row: statements.DuePublication) =>
      row.state === 'd' ? row.version : sink.takesChanges === true ? row.confirmed_version : 0;
    const states = await this.#statesOf(kind, due, baseOf);
    // An order is told as it is now, often further than the log is planned; what is planned then was said already.
    const rows = due.map((row) =>
      row.state === 'd' ? row : { ...row, version: Math.max(row.version, states.get(row.key)?.version ?? 0) },
    );
    const unfit = kind === 'price' ? unfitOf(states) : new Map<number, string>();
    const fresh = rows.filter((row) => row.state === 'n' && states.has(row.key) && !unfit.has(row.key));
    const units = (field: 'unit' | 'quantityUnit') =>
      texts(
        fresh.map((row) => (kind === 'price' ? ((states.get(row.key)!.state as PriceState)[field] ?? null) : null)),
      );
    const marked = new Set<number>();
    if (fresh.length > 0)
      await db.transaction(async (tx) => {
        const named = [destination.destinationId, kind, numbers(fresh.map((row) => row.key))];
        tx.write(statements.lockPublications, named);
        const rowsMarked = await tx.query(statements.markSending, [
          ...named,
          numbers(fresh.map((row) => row.version)),
          numbers(fresh.map((row) => held.get(row.bucket)!)),
          ...[units('unit'), units('quantityUnit')],
        ]);
        marked.clear();
        for (const row of rowsMarked) marked.add(row.key);
        if (kind === 'price') await this.#keepTold(tx, rowsMarked, states);
      });
    const writable = this.#publications.stillHeld(
      kind,
      fresh.filter((row) => marked.has(row.key)),
      held,
    );
    marked.clear();
    for (const row of writable) marked.add(row.key);
    const outcomes = new Map<number, Outcome>();
    if (writable.length > 0)
      try {
        const write = async (part: readonly statements.DuePublication[], base: typeof baseOf, known: typeof states) => {
          const results = await sink.write(
            part.map((row) => itemOf(known.get(row.key)!, row.version, base(row))),
            this.#publications.whileOurs(part, held, signal),
          );
          const conflicts: statements.DuePublication[] = [];
          part.forEach((row, i) => {
            const outcome = results[i] ?? { outcome: 'in_doubt', error: 'no answer for this item' };
            if (outcome.outcome === 'conflict') {
              conflicts.push(row);
              outcomes.set(row.key, { outcome: 'later', error: `it does not hold version ${base(row)}` });
            } else outcomes.set(row.key, outcome);
          });
          return conflicts;
        };
        // It holds less than it said, e.g. after a restore: it is told everything.
        const lacking = await write(writable, baseOf, states);
        const whole = () => 0;
        if (lacking.length > 0) await write(lacking, whole, await this.#statesOf(kind, lacking, whole));
      } catch (error) {
        for (const row of writable) outcomes.set(row.key, { outcome: 'in_doubt', error: messageOf(error) });
      }
    const toRead = [
      ...rows.filter((row) => row.state === 'd'),
      ...writable.filter((row) => outcomes.get(row.key)!.outcome === 'confirmed'),
    ].filter((row) => states.has(row.key));
    let versions: Map<string, number> | undefined;
    const lookups = `${kind} lookup`;
    let lookAgainMs = 0;
    if (toRead.length > 0 && (connector.confirmedBy === 'read_back' || toRead.some((row) => row.state === 'd')))
      try {
        versions = await this.#versionsThere(kind, sink, toRead, states);
      } catch (error) {
        lookAgainMs = this.#setbacks.pauseMs(lookups, askedToWaitMs(error));
        this.#options.onError(error);
      }
    if (versions !== undefined) this.#setbacks.end(lookups);
    const putOffMs = this.#setbacks.after(kind, [...outcomes.values()]);
    const records: Recorded[] = [];
    for (const row of rows) {
      const epoch = held.get(row.bucket)!;
      const state = states.get(row.key);
      if (state === undefined) {
        // There is nothing to say about it, e.g. a SKU without a base price.
        records.push({ row, epoch, state: 'n', confirmed: row.version, error: null, pauseMs: 0, silent: true });
        continue;
      }
      const mismatch = row.state === 'n' ? unfit.get(row.key) : undefined;
      if (mismatch !== undefined) {
        records.push({ row, epoch, state: 'p', confirmed: null, error: mismatch, pauseMs: 0 });
        continue;
      }
      if (row.state === 'n' && !marked.has(row.key)) continue;
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
            pauseMs: lookAgainMs,
            blameless: true,
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
            blameless: true,
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
      else if (outcome.ofSystem === true && putOffMs !== undefined)
        records.push({
          row,
          epoch,
          state: 'n',
          confirmed: null,
          error: outcome.error,
          pauseMs: putOffMs,
          blameless: true,
        });
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
    if (records.length === 0) return;
    await this.#doubtNumbers(
      records.filter(({ row, confirmed }) => confirmed !== null && states.get(row.key)?.takesBack === true),
    );
    const written = await db.transaction((tx) => this.#publications.write(tx, kind, records));
    this.#publications.committed(kind, records, written);
  }

  /** Before it is told: what it shows from then on may be this, and then it is no change. */
  async #keepTold(tx: Tx, rows: readonly { key: number }[], states: ReadonlyMap<number, Said>): Promise<void> {
    const { channel, deps, destination } = this.#options;
    if (channel === null || rows.length === 0) return;
    const { companyId, currency } = deps.directory.companyById.get(channel.companyId)!;
    const prices = rows.map(({ key }) => ({ skuId: key, ...(states.get(key)!.state as ToldPrice) }));
    await keepToldPrices(tx, { ...destination, companyId, currency }, prices, new Date());
  }

  /** Before it is written that they were told: doubted twice is one look more, doubted never is units sold twice. */
  async #doubtNumbers(told: readonly Recorded[]): Promise<void> {
    const { db, destination } = this.#options;
    if (told.length === 0) return;
    const orders = told.map(({ row }) => ({ destinationId: destination.destinationId, orderId: row.key }));
    await db.transaction(async (tx) => doubtNumbersOf(tx, orders));
  }

  /** The versions that the destination holds; where it keeps none, those whose state it shows. */
  async #versionsThere(
    kind: Kind,
    sink: StateSink,
    rows: readonly statements.DuePublication[],
    states: ReadonlyMap<number, Said>,
  ): Promise<Map<string, number>> {
    const { signal } = this.#options;
    if (sink.holds === undefined)
      return sink.readBack(
        rows.map((row) => states.get(row.key)!.key),
        signal,
      );
    const whole = await this.#statesOf(kind, rows, () => 0);
    const shown = rows.filter((row) => whole.has(row.key));
    const items = shown.map((row) => itemOf(whole.get(row.key)!, row.version, 0));
    const there = await sink.holds(items, signal);
    // What it shows now is the newest there is to say, and so at least what was sent.
    return new Map(
      shown.filter((row) => there.has(whole.get(row.key)!.key)).map((row) => [whole.get(row.key)!.key, row.version]),
    );
  }

  /** What there is to say now, by publication key. */
  async #statesOf(
    kind: Kind,
    rows: readonly statements.DuePublication[],
    baseOf: (row: statements.DuePublication) => number,
  ): Promise<Map<number, Said>> {
    const { db, deps } = this.#options;
    if (kind === 'price')
      return priceStates(
        db,
        deps.directory,
        rows.map((row) => row.key),
        this.#options.channel,
        this.#options.destination,
      );
    return orderStates(
      db,
      deps.directory,
      rows.map((row) => ({ orderId: row.key, version: baseOf(row) })),
      { channel: this.#options.channel, wants: this.#options.connector.orderStatus?.wants ?? [] },
    );
  }
}

/** Prices that stand in another unit than the number beside them, and why each is not sent. */
function unfitOf(states: ReadonlyMap<number, Said>): Map<number, string> {
  return new Map(
    [...states].flatMap(([key, { state }]) => {
      const why = unitMismatchOf(state as PriceState);
      return why === undefined ? [] : [[key, why] as const];
    }),
  );
}

/** What everybody is asked there: no account's contract or list, from 1 on, today where the company is. */
async function priceStates(
  db: Database,
  directory: Directory,
  skuIds: readonly number[],
  channel: ChannelEntry | null,
  destination: DestinationEntry,
): Promise<Map<number, Said>> {
  if (channel === null) return new Map();
  const { companyId, currency, timeZone } = directory.companyById.get(channel.companyId)!;
  await directory.loadSkuCodes(skuIds);
  const day = dayIn(timeZone, await databaseNow(db));
  const { channelId } = channel;
  const decisions = await readPrices(
    db,
    directory,
    skuIds.map((skuId) => ({ companyId, accountId: null, channelId, skuId, quantity: 1, day, currency })),
  );
  const prices = skuIds.flatMap((skuId, i) => {
    const { price } = decisions[i]!;
    return price === null ? [] : [{ skuId, price }];
  });
  // Told its own price it would lose what it was changed to meanwhile.
  const own = await findOwnPrices(
    db,
    { ...destination, companyId, currency },
    prices.map(({ skuId, price }) => ({ skuId, ...price })),
  );
  return new Map(
    prices
      .filter(({ skuId }) => !own.has(skuId))
      .map(({ skuId, price: { unitPrice, pricePer } }) => {
        const key = directory.skuCode(skuId);
        const quantityUnit = directory.skuUnit(skuId);
        // The number beside it counts base units: what is listed by another unit has no price that fits it.
        const unit = channel.soldIn.get(key) ?? quantityUnit;
        const state: PriceState = { unitPrice, currency, unit, quantityUnit, ...(pricePer !== 1 && { pricePer }) };
        return [skuId, { key, state }];
      }),
  );
}
