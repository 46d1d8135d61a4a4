/**
 * The numbers that channels sell against by themselves, and what is set aside for them.
 *
 * One invariant keeps oversell at 0: exposure ≥ the number the channel may still believe + units it sold that we have not read.
 * - Raising: what is added is set aside and committed before the first byte is sent.
 * - Lowering: nothing is freed by the answer alone, because it may be a lie and because sales made under the old number may not
 *   be read yet. The number is read back; then each feed that brings the channel's orders or cancels is read to the end by a poll that
 *   began later; only then does the exposure fall to what was read back.
 * - A sale that we read takes its units out of the exposure (orders room), whatever is on its way at that moment.
 */

import { appendFacts } from '../log/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import { databaseNow, type Ids, type Queryable, type Tx, texts } from '../store/index.ts';
import { KitNumbers } from './kit-numbers.ts';
import * as statements from './numbers.sql.ts';
import { leftWithin, type QuotaRoom } from './quota-rule.ts';
import { QuotaBook } from './quotas.ts';
import { StockSession } from './session.ts';
import type { Pair } from './stock.ts';

/** SKUs settled in one transaction: short, because it holds their locks. */
const SETTLE_MAX = 200;

export interface NumberToSend {
  skuId: number;
  /** What we believe the channel shows now; null when it was never told. */
  from: number | null;
  quantity: number;
}

export interface PreparedNumbers {
  send: NumberToSend[];
  /** Nothing to say: the number differs too little or not at all. */
  unchanged: number[];
  /** May not be raised before what was read back is settled. */
  unsettled: number[];
  ordersThrough: string;
}

/** A channel that sells by itself, with the feeds of its system that bring what it sold and took back; the first brings its orders. */
export type SellingChannel = ChannelEntry & { readonly salesFeeds: readonly string[] };

interface LedgerDeps {
  ids: Ids;
  directory: Directory;
}

function pairs(channel: ChannelEntry, skuIds: readonly number[]): Pair[] {
  return skuIds.flatMap((skuId) => channel.locationIds.map((locationId): Pair => [skuId, locationId]));
}

/** What quotas leave to a channel of a SKU, whoever buys there. */
export interface QuotaLimit {
  room: QuotaRoom;
  /** What of the free units may be its own, per place of the channel. */
  left(stock: StockSession, channel: ChannelEntry, skuId: number): number[];
}

function quotaLimits(book: QuotaBook, directory: Directory, channel: ChannelEntry) {
  return (skuId: number): QuotaLimit | undefined => {
    const room = book.roomOfChannel(skuId, channel);
    if (room === undefined) return undefined;
    const sellsFrom = (channelId: number) => directory.channelById.get(channelId)?.locationIds ?? [];
    return {
      room,
      left: (stock, { locationIds }) =>
        leftWithin(
          room,
          locationIds.map((locationId) => ({ locationId, units: stock.free(skuId, locationId) })),
          sellsFrom,
        ),
    };
  };
}

/**
 * What the channel shall show: its share of what is physically there and promised to nobody else, after waiting backorders.
 * Pure over the locked session.
 */
export function targetNumber(
  stock: StockSession,
  channel: ChannelEntry,
  skuId: number,
  backordered: number,
  quota?: QuotaLimit,
): number {
  let physical = 0;
  let raisable = 0;
  let own = 0;
  const left = quota?.left(stock, channel, skuId);
  channel.locationIds.forEach((locationId, i) => {
    const free = stock.free(skuId, locationId);
    const mayHave = left === undefined ? Math.max(0, free) : left[i]!;
    const exposed = stock.exposure(channel.channelId, skuId, locationId);
    physical += Math.max(0, Math.min(free, mayHave) + exposed);
    raisable += mayHave;
    own += exposed;
  });
  let target = Math.floor(channel.share * Math.max(0, physical - backordered)) - channel.buffer;
  if (channel.cap !== null) target = Math.min(target, channel.cap);
  if (quota !== undefined && quota.room.capLeft !== null) target = Math.min(target, quota.room.capLeft);
  return Math.max(0, Math.min(target, own + raisable));
}

/**
 * Whether a number is worth sending: always when new, to or from 0, or when stock is wanted back; else beyond the tolerance.
 * @param mustFall stock is wanted back, or it shows more than is set aside for it
 */
export function isWorthSending(
  channel: ChannelEntry,
  shown: number | null,
  target: number,
  mustFall: boolean,
): boolean {
  if (shown === null) return true;
  if (shown === target) return false;
  if (shown === 0 || target === 0 || (mustFall && target < shown)) return true;
  return Math.abs(target - shown) > channel.tolerance * Math.max(shown, target);
}

/**
 * Looks without locking which numbers are worth saying. What changes after the look makes its publication dirty again, so a
 * stale "nothing to say" lasts only until then.
 */
export async function screenNumbers(
  db: Queryable,
  deps: LedgerDeps,
  channel: ChannelEntry,
  skuIds: readonly number[],
  backordered: ReadonlyMap<number, number>,
): Promise<{ worth: number[]; unchanged: number[] }> {
  const kits = await KitNumbers.read(db, skuIds);
  const all = pairs(channel, kits.withParts(skuIds));
  const stock = await StockSession.view(db, deps.ids, all, [channel.channelId]);
  const quotaOf = quotaLimits(await QuotaBook.view(db, deps.directory, skuIds), deps.directory, channel);
  const worth: number[] = [];
  const unchanged: number[] = [];
  for (const skuId of skuIds) {
    const waiting = backordered.get(skuId) ?? 0;
    const number = stock.channelNumber(channel.channelId, skuId);
    if (kits.has(skuId)) {
      const target = kits.targetOf(stock, channel, skuId);
      const says = number.sending !== null || isWorthSending(channel, number.shown, target, true);
      (says ? worth : unchanged).push(skuId);
      continue;
    }
    const isBare = isUncovered(stock, channel, skuId);
    const target = targetNumber(stock, channel, skuId, waiting, quotaOf(skuId));
    // What it shows may be right, and only to be set aside for it.
    const says =
      number.sending !== null ||
      (isBare && number.soldSince === 0) ||
      isWorthSending(channel, number.shown, target, waiting > 0 || isBare);
    (says ? worth : unchanged).push(skuId);
  }
  return { worth, unchanged };
}

/**
 * Computes what to say for each SKU, sets aside what is added, and marks it as on its way. Commit before sending.
 * @param claim asked under the locks with all that should be said; only what it gives back is set aside and sent
 * Locks stock_balance by (sku_id, location_id), then quota by (sku_id, quota_id).
 */
export async function prepareNumbers(
  tx: Tx,
  deps: LedgerDeps,
  channel: SellingChannel,
  skuIds: readonly number[],
  readBackordered: () => Promise<Map<number, number>>,
  claim: (skuIds: number[]) => Promise<ReadonlySet<number>>,
): Promise<PreparedNumbers> {
  const kits = await KitNumbers.read(tx, skuIds);
  const stock = await StockSession.open(tx, deps.ids, pairs(channel, kits.withParts(skuIds)), [channel.channelId]);
  const quotaOf = quotaLimits(await QuotaBook.open(tx, deps.directory, skuIds), deps.directory, channel);
  const backordered = await readBackordered();
  const [cursor] = await tx.query(statements.readOrdersThrough, [channel.system ?? '', channel.salesFeeds[0] ?? '']);
  const parked = await parkedSales(tx, channel);
  const wanted: NumberToSend[] = [];
  const unchanged: number[] = [];
  const unsettled: number[] = [];
  for (const skuId of skuIds) {
    const waiting = backordered.get(skuId) ?? 0;
    const number = stock.channelNumber(channel.channelId, skuId);
    if (kits.has(skuId)) {
      const quantity = kits.targetOf(stock, channel, skuId);
      const isRaised = quantity > shownOf(number) && parked(skuId);
      if (isRaised || (number.sending === null && !isWorthSending(channel, number.shown, quantity, true)))
        unchanged.push(skuId);
      else wanted.push({ skuId, from: number.shown, quantity });
      continue;
    }
    // What came since it was read to show more than there was is its own before anybody else's, whatever is said to it then. Not while
    // it is open what of it was sold: then it is read once more.
    if (number.shown !== null && number.soldSince === 0) cover(stock, channel, skuId, number.shown);
    const quota = quotaOf(skuId);
    const target = targetNumber(stock, channel, skuId, waiting, quota);
    const mustFall =
      waiting > 0 || isUncovered(stock, channel, skuId) || (quota?.room.capLeft ?? shownOf(number)) < shownOf(number);
    if (number.sending === null && !isWorthSending(channel, number.shown, target, mustFall)) {
      unchanged.push(skuId);
      continue;
    }
    const shown = number.shown ?? 0;
    const raisable = raisableOf(stock, channel, skuId, quota);
    // Said again when the order is applied: that is a change.
    if (target > shown && parked(skuId)) {
      unchanged.push(skuId);
      continue;
    }
    const quantity = channel.numberMeans === 'net_available' ? Math.min(target, shown + raisable) : target;
    // The rest that is asked for lies in units that are not free before the channel's orders are read to the end; settling looks
    // at the number again. Meanwhile it is told what it may have, if that is worth a word.
    if (quantity < target && number.readBack !== null && !isWorthSending(channel, number.shown, quantity, mustFall)) {
      unsettled.push(skuId);
      continue;
    }
    wanted.push({ skuId, from: number.shown, quantity });
  }
  const claimed = wanted.length === 0 ? new Set<number>() : await claim(wanted.map((item) => item.skuId));
  const send = wanted.filter((item) => claimed.has(item.skuId));
  for (const { skuId, from, quantity } of send) {
    // A net number is raised by compare-and-set, and what it is raised by is set aside on top of all that is: the base may be
    // low because of sales that we have not read, and those must stay covered. A number that means `on_hand` carries the orders it
    // knows of, so that all together never exceed it.
    const own = exposureOf(stock, channel, skuId);
    const raised = channel.numberMeans === 'net_available' ? quantity - (from ?? 0) : quantity - own;
    // What a kit's number rests on is set aside for its components.
    if (!kits.has(skuId)) raiseExposure(stock, channel, skuId, raised);
    const number = stock.channelNumber(channel.channelId, skuId);
    number.sending = quantity;
    number.readBack = null;
    number.readBackAt = null;
    number.soldSince = 0;
    number.changed = true;
  }
  await stock.flush();
  return { send, unchanged, unsettled, ordersThrough: cursor?.cursor ?? '' };
}

/**
 * Which SKUs have sales in orders that were set aside. Until a person has decided about such an order its units stay in the
 * exposure: nothing of it is freed and the number is not raised.
 */
async function parkedSales(db: Queryable, channel: ChannelEntry): Promise<(skuId: number) => boolean> {
  const rows = await db.query(statements.readParkedSales, [`order/${channel.code}`]);
  const skuIds = new Set(rows.map((row) => row.sku_id));
  return (skuId) => skuIds.has(null) || skuIds.has(skuId);
}

function exposureOf(stock: StockSession, channel: ChannelEntry, skuId: number): number {
  let own = 0;
  for (const locationId of channel.locationIds) own += stock.exposure(channel.channelId, skuId, locationId);
  return own;
}

/** Only a channel that took units back by itself shows more than we gave it. */
function isUncovered(stock: StockSession, channel: ChannelEntry, skuId: number): boolean {
  const { shown } = stock.channelNumber(channel.channelId, skuId);
  return channel.numberMeans === 'net_available' && shown !== null && shown > exposureOf(stock, channel, skuId);
}

/** What a channel was read to show is set aside for it as far as it is free; the rest of it must fall. */
function cover(stock: StockSession, channel: ChannelEntry, skuId: number, units: number): void {
  if (channel.numberMeans !== 'net_available') return;
  const missing = units - exposureOf(stock, channel, skuId);
  raiseExposure(stock, channel, skuId, Math.min(missing, raisableOf(stock, channel, skuId)));
}

function shownOf({ shown }: { shown: number | null }): number {
  return shown ?? 0;
}

function raisableOf(stock: StockSession, channel: ChannelEntry, skuId: number, quota?: QuotaLimit): number {
  if (quota !== undefined) return quota.left(stock, channel, skuId).reduce((sum, units) => sum + units, 0);
  let raisable = 0;
  for (const locationId of channel.locationIds) raisable += Math.max(0, stock.free(skuId, locationId));
  return raisable;
}

/** Sets aside `units` more where they are free, fullest location first. The caller has made sure that there are as many. */
function raiseExposure(stock: StockSession, channel: ChannelEntry, skuId: number, units: number): void {
  let missing = units;
  if (missing <= 0) return;
  const byFree = channel.locationIds
    .map((locationId) => ({ locationId, free: stock.free(skuId, locationId) }))
    .sort((a, b) => b.free - a.free);
  for (const { locationId, free } of byFree) {
    const add = Math.min(missing, Math.max(0, free));
    if (add === 0) continue;
    stock.setExposure(channel.channelId, skuId, locationId, stock.exposure(channel.channelId, skuId, locationId) + add);
    missing -= add;
    if (missing === 0) return;
  }
  throw new Error(`${missing} units of SKU ${skuId} are not free for channel ${channel.code}`);
}

/**
 * Records what the channel said its numbers are, read back after a write; null: it lists none. What could not be read is not
 * among them: what was sent stays in doubt with its exposure.
 * @param keep asked under the locks which of them are still ours to record: another holder may have taken over meanwhile, and what
 * we read is then older than what it did
 */
export async function recordNumbers(
  tx: Tx,
  deps: LedgerDeps,
  channel: ChannelEntry,
  readBack: readonly { skuId: number; number: number | null }[],
  keep: () => Promise<ReadonlySet<number>>,
): Promise<void> {
  const stock = await StockSession.open(
    tx,
    deps.ids,
    pairs(
      channel,
      readBack.map((item) => item.skuId),
    ),
    [channel.channelId],
  );
  const kept = await keep();
  const now = await databaseNow(tx);
  for (const item of readBack) {
    if (!kept.has(item.skuId)) continue;
    const number = stock.channelNumber(channel.channelId, item.skuId);
    // A number that means `on_hand` stays what was told; what was read as sold since then has left it.
    if (item.number === null) number.shown = null;
    else number.shown = channel.numberMeans === 'on_hand' ? Math.max(0, item.number - number.soldSince) : item.number;
    number.sending = null;
    number.readBack = item.number ?? 0;
    cover(stock, channel, item.skuId, number.readBack);
    number.readBackAt = now;
    number.changed = true;
  }
  await stock.flush();
}

function settleable({ channelId, system, salesFeeds }: SellingChannel, limit: number) {
  return [channelId, system ?? '', limit, texts(salesFeeds)];
}

/** Whether {@link settleNumbers} would find something; looked up without taking a turn. */
export async function hasSettleable(db: Queryable, channel: SellingChannel): Promise<boolean> {
  return (await db.query(statements.findSettleable, settleable(channel, 1))).length > 0;
}

/**
 * Frees what a channel may no longer believe: for numbers read back before each of its feeds that brings sales was last read to the
 * end.
 *
 * Was something sold while it was open whether the number read back counts it already, it is read once more, so that
 * what we believe it shows is never too high for long.
 * @returns how many were looked at, the SKUs whose number should be said again, and those to read back again
 */
export async function settleNumbers(
  tx: Tx,
  deps: LedgerDeps,
  channel: SellingChannel,
  readBackordered: (skuIds: number[]) => Promise<Map<number, number>>,
  limit = SETTLE_MAX,
): Promise<{ settled: number; sayAgain: number[]; readAgain: number[] }> {
  const rows = await tx.query(statements.findSettleable, settleable(channel, limit));
  if (rows.length === 0) return { settled: 0, sayAgain: [], readAgain: [] };
  const drainedAt = rows[0]!.drained_at.getTime();
  const candidates = rows.map((row) => row.sku_id);
  const stock = await StockSession.open(tx, deps.ids, pairs(channel, candidates), [channel.channelId]);
  const backordered = await readBackordered(candidates);
  const quotaOf = quotaLimits(await QuotaBook.open(tx, deps.directory, candidates), deps.directory, channel);
  const parked = await parkedSales(tx, channel);
  const lowered: number[] = [];
  const sayAgain: number[] = [];
  const readAgain: number[] = [];
  for (const skuId of candidates) {
    const number = stock.channelNumber(channel.channelId, skuId);
    // Looked up again under the lock: it may be on its way anew, or have been read back after that poll began.
    if (number.readBack === null || number.readBackAt === null || number.sending !== null) continue;
    if (number.readBackAt.getTime() >= drainedAt) continue;
    // A number that means `on_hand` is less the sales that were read since it was said, whichever order was read last when it was.
    let surplus = -(channel.numberMeans === 'on_hand' ? (number.shown ?? 0) : number.readBack);
    for (const locationId of channel.locationIds) surplus += stock.exposure(channel.channelId, skuId, locationId);
    if (parked(skuId)) surplus = 0;
    // From where the least is free first: what is short comes back first.
    const byFree = channel.locationIds
      .map((locationId) => ({ locationId, free: stock.free(skuId, locationId) }))
      .sort((a, b) => a.free - b.free);
    if (surplus > 0) lowered.push(skuId);
    for (const { locationId } of byFree) {
      if (surplus <= 0) break;
      const exposed = stock.exposure(channel.channelId, skuId, locationId);
      const drop = Math.min(exposed, surplus);
      if (drop > 0) stock.setExposure(channel.channelId, skuId, locationId, exposed - drop);
      surplus -= drop;
    }
    if (number.soldSince === 0) cover(stock, channel, skuId, number.readBack);
    number.readBack = null;
    // Until it is read again it stays open, so that sales read in between are counted for the next settling.
    if (channel.numberMeans === 'net_available' && number.soldSince > 0) readAgain.push(skuId);
    else number.readBackAt = null;
    number.soldSince = 0;
    number.changed = true;
    const waiting = backordered.get(skuId) ?? 0;
    const mustFall = waiting > 0 || isUncovered(stock, channel, skuId);
    if (isWorthSending(channel, number.shown, targetNumber(stock, channel, skuId, waiting, quotaOf(skuId)), mustFall))
      sayAgain.push(skuId);
  }
  await stock.flush();
  if (lowered.length > 0)
    await appendFacts(tx, [
      {
        type: 'stock.exposure_lowered',
        stream: `channel/${channel.channelId}`,
        version: 0,
        companyId: channel.companyId,
        occurredAt: new Date().toISOString(),
        data: { channelId: channel.channelId, skuIds: lowered },
      },
    ]);
  return { settled: candidates.length, sayAgain, readAgain };
}
