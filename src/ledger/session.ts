/**
 * The ledger's unit of work: balances locked in one ordered statement, changed in memory, written in sets.
 * Inside one transaction a session is opened once, over all (SKU, location) pairs that the work may touch.
 */
import { type Ids, numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import { balanceOf, distinct, emptyBalance, isOverPromised, pairKey, takenOf } from './balances.ts';
import { OutsideAllocations, type OutsideReport } from './outside.ts';
import * as statements from './session.sql.ts';
import {
  type Balance,
  type ChannelNumber,
  isAfter,
  isCounted,
  type LineRef,
  type Movement,
  type Pair,
  shortBy,
  shortByOutside,
  shortOf,
} from './stock.ts';
import {
  type BookedMovement,
  type Exposure,
  OUTSIDE_CAUSE,
  SAFETY_CAUSE,
  type Shortage,
  writeChanges,
} from './write-changes.ts';

/** What of other systems' allocations a session is opened for, besides the work on orders. */
export interface OutsideWork {
  reports: readonly OutsideReport[];
  /** Counts that leave out what their source has allocated. */
  netCounts: readonly Movement[];
}

const NO_OUTSIDE: OutsideWork = { reports: [], netCounts: [] };

export class StockSession {
  readonly #tx: Tx | undefined;
  readonly #ids: Ids;
  readonly #balances = new Map<number, Balance>();
  readonly #exposures = new Map<string, Exposure & { changed: boolean }>();
  readonly #numbers = new Map<string, ChannelNumber>();
  readonly #movements: BookedMovement[] = [];
  readonly #shortages: Shortage[] = [];
  readonly #watermarks = new Set<Balance>();
  readonly #safeties = new Set<Balance>();
  #outside = new OutsideAllocations();
  readonly #outsideChanged = new Set<Balance>();
  /** SKUs whose promisable quantity rose: what backorders wait for. */
  readonly freed = new Set<number>();
  /** SKUs whose promisable quantity changed at all: what publications follow. */
  readonly touched = new Set<number>();

  private constructor(tx: Tx | undefined, ids: Ids) {
    this.#tx = tx;
    this.#ids = ids;
  }

  /**
   * Locks the balances of all pairs in (sku_id, location_id) order, creating missing ones in the same order, then reads the
   * exposures and channel numbers of the named channels for these SKUs, and other systems' allocations where there are any.
   */
  static async open(
    tx: Tx,
    ids: Ids,
    pairs: Iterable<Pair>,
    channelIds: readonly number[] = [],
    outside: OutsideWork = NO_OUTSIDE,
  ): Promise<StockSession> {
    const session = new StockSession(tx, ids);
    const all = distinct(pairs);
    if (all.length === 0) return session;
    const values = [numbers(all.map((pair) => pair[0])), numbers(all.map((pair) => pair[1]))];
    let rows = await tx.query(statements.lockBalances, values);
    if (rows.length < all.length) {
      await tx.query(statements.createBalances, values);
      rows = await tx.query(statements.lockBalances, values);
    }
    session.#fill(rows);
    // Only now: what the locks guard is read in a later statement than the locks were taken in.
    await session.#readChannels(tx, all, channelIds);
    session.#outside = await OutsideAllocations.open(
      tx,
      session.#balances.values(),
      outside.reports,
      outside.netCounts,
    );
    return session;
  }

  /**
   * The same balances without a lock, as they are at this moment; missing ones are zero. For looking, to find what is worth
   * locking; such a session is never flushed.
   */
  static async view(
    db: Queryable,
    ids: Ids,
    pairs: Iterable<Pair>,
    channelIds: readonly number[],
  ): Promise<StockSession> {
    const session = new StockSession(undefined, ids);
    const all = distinct(pairs);
    if (all.length === 0) return session;
    const values = [numbers(all.map((pair) => pair[0])), numbers(all.map((pair) => pair[1]))];
    session.#fill(await db.query(statements.readBalances, values));
    for (const pair of all) {
      const key = pairKey(...pair);
      if (!session.#balances.has(key)) session.#balances.set(key, emptyBalance(pair));
    }
    await session.#readChannels(db, all, channelIds);
    return session;
  }

  #fill(rows: readonly statements.BalanceRow[]): void {
    for (const row of rows) this.#balances.set(pairKey(row.sku_id, row.location_id), balanceOf(row));
  }

  async #readChannels(db: Queryable, pairs: readonly Pair[], channelIds: readonly number[]): Promise<void> {
    if (channelIds.length === 0) return;
    const keys = [numbers(channelIds), numbers([...new Set(pairs.map((pair) => pair[0]))])];
    for (const row of await db.query(statements.readExposures, keys))
      this.#exposures.set(`${row.channel_id}/${row.sku_id}/${row.location_id}`, {
        channelId: row.channel_id,
        skuId: row.sku_id,
        locationId: row.location_id,
        quantity: row.quantity,
        changed: false,
      });
    for (const row of await db.query(statements.readChannelNumbers, keys))
      this.#numbers.set(`${row.channel_id}/${row.sku_id}`, {
        channelId: row.channel_id,
        skuId: row.sku_id,
        shown: row.shown,
        sending: row.sending,
        readBack: row.read_back,
        readBackAt: row.read_back_at,
        soldSince: row.sold_since,
        changed: false,
      });
  }

  balance(skuId: number, locationId: number): Balance {
    const balance = this.#balances.get(pairKey(skuId, locationId));
    if (balance === undefined) throw new Error(`balance of SKU ${skuId} at location ${locationId} was not locked`);
    return balance;
  }

  /** What may be promised to someone who asks: nothing that lies in an exposure. May be negative after a loss. */
  free(skuId: number, locationId: number): number {
    const b = this.balance(skuId, locationId);
    return b.onHand - b.reserved - b.allocated - b.exposed - b.safetyStock - b.outsideDeducted;
  }

  /** What another system has allocated to this line beyond ours: deducted for everybody else, and this line's to take. */
  keptFor(skuId: number, locationId: number, line: LineRef): number {
    return this.#outside.isEmpty ? 0 : this.#outside.keptFor(skuId, locationId, line);
  }

  exposure(channelId: number, skuId: number, locationId: number): number {
    return this.#exposures.get(`${channelId}/${skuId}/${locationId}`)?.quantity ?? 0;
  }

  channelNumber(channelId: number, skuId: number): ChannelNumber {
    const key = `${channelId}/${skuId}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = {
        channelId,
        skuId,
        shown: null,
        sending: null,
        readBack: null,
        readBackAt: null,
        soldSince: 0,
        changed: false,
      };
      this.#numbers.set(key, number);
    }
    return number;
  }

  setExposure(channelId: number, skuId: number, locationId: number, quantity: number): void {
    if (quantity < 0) throw new Error(`exposure of SKU ${skuId} would be ${quantity}`);
    const key = `${channelId}/${skuId}/${locationId}`;
    let exposure = this.#exposures.get(key);
    const before = exposure?.quantity ?? 0;
    if (before === quantity) return;
    if (exposure === undefined) {
      exposure = { channelId, skuId, locationId, quantity: 0, changed: true };
      this.#exposures.set(key, exposure);
    }
    exposure.quantity = quantity;
    exposure.changed = true;
    const balance = this.#change(skuId, locationId);
    balance.exposed += quantity - before;
    if (quantity < before) this.freed.add(skuId);
  }

  /** Firm commitment. @throws if it would promise more than there is (I3): the caller decides on locked rows. */
  allocate(skuId: number, locationId: number, quantity: number, line?: LineRef): void {
    const balance = this.#change(skuId, locationId);
    const before = takenOf(balance);
    balance.allocated += quantity;
    if (line !== undefined) this.#offset(balance, line, quantity);
    if (isOverPromised(balance, before))
      throw new Error(`allocating ${quantity} of SKU ${skuId} at location ${locationId} promises more than there is`);
  }

  /** Ends a commitment without goods leaving. */
  release(skuId: number, locationId: number, quantity: number, line?: LineRef): void {
    const balance = this.#change(skuId, locationId);
    balance.allocated -= quantity;
    if (line !== undefined) this.#offset(balance, line, -quantity);
    if (balance.allocated < 0) throw new Error(`allocated of SKU ${skuId} at location ${locationId} would be negative`);
    this.freed.add(skuId);
  }

  reserve(skuId: number, locationId: number, quantity: number): void {
    const balance = this.#change(skuId, locationId);
    const before = takenOf(balance);
    balance.reserved += quantity;
    if (balance.reserved < 0) throw new Error(`reserved of SKU ${skuId} at location ${locationId} would be negative`);
    if (quantity > 0 && isOverPromised(balance, before))
      throw new Error(`reserving ${quantity} of SKU ${skuId} at location ${locationId} promises more than there is`);
    if (quantity < 0) this.freed.add(skuId);
  }

  /** What was claimed of a hold and is not used after all: it was promised before, so nothing is asked, also not after a loss. */
  unclaim(skuId: number, locationId: number, quantity: number): void {
    this.#change(skuId, locationId).reserved += quantity;
  }

  /**
   * Sets what is kept out of all promises. Promises that reach into it stay and new ones are refused until the balance is whole;
   * what they hold of it is a shortage with an owner, which ends when the safety stock is set again.
   */
  setSafetyStock(skuId: number, locationId: number, quantity: number): Balance {
    const balance = this.#change(skuId, locationId);
    if (quantity < balance.safetyStock) this.freed.add(skuId);
    balance.safetyStock = quantity;
    this.#safeties.add(balance);
    return balance;
  }

  /**
   * Books what another system says it has allocated. It has done so already: where we promised the same units, what is missing
   * is a shortage with an owner, which ends when that system or we give way.
   * @returns whether it holds now, or an earlier one than what holds changed nothing
   */
  reportOutside(report: OutsideReport): { applied: boolean; before: number; balance: Balance } {
    const { skuId, locationId } = report;
    const before = this.balance(skuId, locationId).outsideDeducted;
    const applied = this.#outside.report(report);
    const balance = applied ? this.#change(skuId, locationId) : this.balance(skuId, locationId);
    this.#sumOutside(balance);
    return { applied, before, balance };
  }

  /** Units that were set aside as not found, and are known of by now. */
  #found(balance: Balance, { occurredAt }: Movement, units: number): number {
    if (this.#outside.isEmpty) return 0;
    const found = this.#outside.found(balance.skuId, balance.locationId, occurredAt, units);
    if (found > 0) this.#sumOutside(balance);
    return found;
  }

  #offset(balance: Balance, line: LineRef, quantity: number): void {
    if (this.#outside.isEmpty) return;
    this.#outside.allocated(balance.skuId, balance.locationId, line, quantity);
    this.#sumOutside(balance);
  }

  #sumOutside(balance: Balance): void {
    const sums = this.#outside.sums(balance.skuId, balance.locationId);
    if (sums === undefined || (sums.open === balance.outsideOpen && sums.deducted === balance.outsideDeducted)) return;
    if (sums.deducted < balance.outsideDeducted) this.freed.add(balance.skuId);
    balance.outsideOpen = sums.open;
    balance.outsideDeducted = sums.deducted;
    this.#outsideChanged.add(balance);
  }

  /**
   * Books a movement. One that a later count already knew of does nothing to the quantity but is kept. On hand may fall
   * below what is promised only by a loss; the shortage is then an exception with an owner.
   * @returns the version of the balance's stream, the effect on on hand, and units that were set aside as not found and no longer are
   */
  move(movement: Movement): { version: number; effect: number; found: number } {
    const balance = this.#change(movement.skuId, movement.locationId);
    // Written off or found again: what was set aside as not found is known of by now.
    const found = movement.kind === 'adjusted' ? this.#found(balance, movement, Math.abs(movement.quantity)) : 0;
    const effect = isCounted(balance, movement) ? 0 : movement.quantity;
    const before = { ...balance };
    balance.onHand += effect;
    if (effect > 0) this.freed.add(movement.skuId);
    const short = shortBy(before, balance);
    if (effect < 0 && movement.kind !== 'picked' && short > 0)
      this.#shortages.push({
        skuId: movement.skuId,
        locationId: movement.locationId,
        quantity: short,
        cause: `${movement.kind} ${movement.source}/${movement.sourceId}`,
      });
    const { skuId, locationId, line, quantity } = movement;
    if (line !== undefined && !this.#outside.isEmpty) {
      this.#outside.picked(skuId, locationId, line, -quantity, movement);
      this.#sumOutside(balance);
    }
    this.#movements.push({ ...movement, effect, balanceVersion: balance.version });
    return { version: balance.version, effect, found };
  }

  /**
   * Books counts: on hand becomes what was counted plus what moved after that moment, and plus what the source left out of a net count
   * because it had allocated it. A count older than the
   * balance's watermark changes nothing.
   * @returns per count whether it was applied, its effect, and units that are no longer set aside as not found
   */
  async count(
    counts: readonly Movement[],
  ): Promise<{ applied: boolean; effect: number; version: number; found: number }[]> {
    if (counts.length === 0) return [];
    const after = new Map(
      (
        await this.#locked.query(statements.sumAfter, [
          numbers(counts.map((_, i) => i)),
          numbers(counts.map((count) => count.skuId)),
          numbers(counts.map((count) => count.locationId)),
          texts(counts.map((count) => count.occurredAt)),
          texts(counts.map((count) => count.source)),
          numbers(counts.map((count) => count.sourceSequence ?? null)),
        ])
      ).map((row) => [row.n, row.effect]),
    );
    return counts.map((count, i) => {
      const current = this.balance(count.skuId, count.locationId);
      if (isCounted(current, count)) return { applied: false, effect: 0, version: current.version, found: 0 };
      const balance = this.#change(count.skuId, count.locationId);
      const found = this.#found(balance, count, Number.POSITIVE_INFINITY);
      // Movements of this very session are not in the table yet.
      let later = after.get(i) ?? 0;
      for (const m of this.#movements)
        if (m.skuId === count.skuId && m.locationId === count.locationId && isAfter(m, count)) later += m.effect;
      const there = count.quantity + (count.net === true ? this.#outside.heldAt(count) : 0);
      const effect = there + later - balance.onHand;
      const before = { ...balance };
      balance.onHand += effect;
      if (effect > 0) this.freed.add(count.skuId);
      const short = shortBy(before, balance);
      if (short > 0)
        this.#shortages.push({
          skuId: count.skuId,
          locationId: count.locationId,
          quantity: short,
          cause: `counted ${count.source}/${count.sourceId}`,
        });
      balance.countedAt = new Date(count.occurredAt);
      balance.countedSource = count.source;
      balance.countedSequence = count.sourceSequence ?? null;
      this.#watermarks.add(balance);
      this.#movements.push({ ...count, effect, balanceVersion: balance.version });
      return { applied: true, effect, version: balance.version, found };
    });
  }

  get #locked(): Tx {
    if (this.#tx === undefined) throw new Error('a view of the ledger can not be changed');
    return this.#tx;
  }

  #change(skuId: number, locationId: number): Balance {
    const balance = this.balance(skuId, locationId);
    balance.changed = true;
    balance.version++;
    this.touched.add(skuId);
    return balance;
  }

  /** Writes everything that changed. */
  async flush(): Promise<void> {
    const safeties = [...this.#safeties];
    for (const balance of safeties) {
      const { skuId, locationId } = balance;
      const quantity = shortOf(balance) - shortOf({ ...balance, safetyStock: 0 });
      if (quantity > 0) this.#shortages.push({ skuId, locationId, quantity, cause: SAFETY_CAUSE });
    }
    const changed = [...this.#balances.values()].filter((balance) => balance.changed);
    const outside = [...this.#outsideChanged];
    for (const balance of outside) {
      const { skuId, locationId } = balance;
      const quantity = shortByOutside(balance);
      if (quantity > 0) this.#shortages.push({ skuId, locationId, quantity, cause: OUTSIDE_CAUSE });
    }
    await this.#outside.flush(this.#locked);
    await writeChanges(this.#locked, this.#ids, {
      balances: changed,
      watermarks: [...this.#watermarks],
      safeties,
      outside,
      eased: changed.filter((balance) => balance.outsideDeducted > 0 && !this.#outsideChanged.has(balance)),
      movements: this.#movements,
      exposures: [...this.#exposures.values()].filter((exposure) => exposure.changed),
      channelNumbers: [...this.#numbers.values()].filter((number) => number.changed),
      shortages: this.#shortages,
    });
  }
}
