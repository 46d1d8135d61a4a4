/** Soft holds: they expire, or become allocations, or are claimed by the movement they were made for. */
import { appendFacts, type NewFact } from '../log/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import { type Ids, numbers, type Tx, texts } from '../store/index.ts';
import { limitedTo, offeredTo } from './availability.ts';
import { leftWithin } from './quota-rule.ts';
import { QuotaBook } from './quotas.ts';
import * as statements from './session.sql.ts';
import { StockSession } from './session.ts';
import type { Pair } from './stock.ts';

export interface ReserveItem {
  reservationId: number;
  channel: ChannelEntry;
  skuId: number;
  quantity: number;
  /** Only there; otherwise anywhere in the channel's locations. */
  locationId: number | null;
  /** Take what there is, instead of all or nothing. */
  partial: boolean;
  purpose: string;
  expiresSeconds: number;
}

export type ReserveResult =
  | { ok: true; reservationId: number; expiresAt: Date; lines: { locationId: number; quantity: number }[] }
  | { ok: false; refused: 'atp_short'; asked: number; atp: number };

/** Until the rows are written and the database's clock is known. */
const NEVER = new Date(0);

interface LedgerDeps {
  ids: Ids;
  directory: Directory;
}

/**
 * Decides reservations one after the other against locked balances and writes all in sets. A channel that asks holds at most what
 * its number says of stock that is there: its share, less its buffer, up to its cap.
 * A channel that sells by itself reserves from its own exposure's free rest like any other: from what nobody was shown.
 * What quotas keep for others it can't hold, nor more than its caps leave.
 * Locks stock_balance by (sku_id, location_id), then quota by (sku_id, quota_id).
 */
export async function reserveStock(tx: Tx, deps: LedgerDeps, items: readonly ReserveItem[]): Promise<ReserveResult[]> {
  const pairs = new Map<number, Set<number>>();
  for (const item of items) {
    let locations = pairs.get(item.skuId);
    if (locations === undefined) {
      locations = new Set();
      pairs.set(item.skuId, locations);
    }
    for (const locationId of item.locationId === null ? item.channel.locationIds : [item.locationId])
      locations.add(locationId);
  }
  const list: Pair[] = [];
  for (const [skuId, locations] of pairs) for (const locationId of locations) list.push([skuId, locationId]);
  const stock = await StockSession.open(tx, deps.ids, list);
  const quotas = await QuotaBook.open(tx, deps.directory, pairs.keys());
  const sellsFrom = (channelId: number) => deps.directory.channelById.get(channelId)?.locationIds ?? [];
  const rows: { item: ReserveItem; locationId: number; quantity: number; version: number }[] = [];
  const results = items.map((item): ReserveResult => {
    const locations = item.locationId === null ? item.channel.locationIds : [item.locationId];
    let atp = 0;
    let within = 0;
    let whole: number | undefined;
    const room = quotas.roomOfChannel(item.skuId, item.channel);
    const places = locations.map((locationId) => ({ locationId, units: stock.free(item.skuId, locationId) }));
    const left = room === undefined ? undefined : leftWithin(room, places, sellsFrom);
    const offered = new Map<number, number>();
    places.forEach(({ locationId, units }, i) => {
      const here = offeredTo(item.channel, units);
      const mayHave = left === undefined ? here : Math.min(here, left[i]!);
      offered.set(locationId, mayHave);
      if (whole === undefined && mayHave >= item.quantity) whole = locationId;
      atp += here;
      within += mayHave;
    });
    atp = Math.min(limitedTo(item.channel, atp), within, room?.capLeft ?? within);
    if (atp === 0 || (atp < item.quantity && !item.partial))
      return { ok: false, refused: 'atp_short', asked: item.quantity, atp };
    let missing = Math.min(item.quantity, atp);
    const lines: { locationId: number; quantity: number }[] = [];
    for (const locationId of whole === undefined ? locations : [whole]) {
      const quantity = Math.min(missing, offered.get(locationId)!);
      if (quantity === 0) continue;
      stock.reserve(item.skuId, locationId, quantity);
      quotas.hold(item.channel.channelId, item.skuId, quantity);
      rows.push({ item, locationId, quantity, version: stock.balance(item.skuId, locationId).version });
      lines.push({ locationId, quantity });
      missing -= quantity;
      if (missing === 0) break;
    }
    return { ok: true, reservationId: item.reservationId, expiresAt: NEVER, lines };
  });
  if (rows.length > 0) {
    const [clock] = await tx.query(statements.insertReservations, [
      numbers(rows.map((r) => r.item.reservationId)),
      numbers(rows.map((r) => r.locationId)),
      numbers(rows.map((r) => r.item.skuId)),
      numbers(rows.map((r) => r.item.channel.channelId)),
      numbers(rows.map((r) => r.quantity)),
      texts(rows.map((r) => r.item.purpose)),
      numbers(rows.map((r) => r.item.expiresSeconds)),
      numbers([...new Set(rows.map((r) => r.item.skuId))].filter((skuId) => quotas.has(skuId))),
    ]);
    results.forEach((result, i) => {
      if (result.ok) result.expiresAt = new Date(clock!.now.getTime() + items[i]!.expiresSeconds * 1_000);
    });
    await stock.flush();
    const occurredAt = new Date().toISOString();
    await appendFacts(
      tx,
      rows.map(
        (r): NewFact => ({
          type: 'stock.reserved',
          stream: `stock/${r.item.skuId}@${r.locationId}`,
          version: r.version,
          companyId: r.item.channel.companyId,
          occurredAt,
          data: {
            skuId: r.item.skuId,
            locationId: r.locationId,
            quantity: r.quantity,
            reservationId: r.item.reservationId,
          },
        }),
      ),
    );
  }
  return results;
}

async function endReservations(
  tx: Tx,
  deps: LedgerDeps,
  rows: readonly statements.ReservationRow[],
  state: 'released' | 'expired',
): Promise<number> {
  const open = rows.filter((row) => row.state === 'open' && row.open_quantity > 0);
  if (open.length === 0) return 0;
  const stock = await StockSession.open(
    tx,
    deps.ids,
    open.map((row): Pair => [row.sku_id, row.location_id]),
  );
  const facts: NewFact[] = [];
  const occurredAt = new Date().toISOString();
  for (const row of open) {
    stock.reserve(row.sku_id, row.location_id, -row.open_quantity);
    facts.push({
      type: state === 'expired' ? 'stock.reservation_expired' : 'stock.reservation_released',
      stream: `stock/${row.sku_id}@${row.location_id}`,
      version: stock.balance(row.sku_id, row.location_id).version,
      companyId: deps.directory.channelById.get(row.channel_id)?.companyId ?? 0,
      occurredAt,
      data: {
        skuId: row.sku_id,
        locationId: row.location_id,
        quantity: row.open_quantity,
        reservationId: row.reservation_id,
      },
    });
  }
  tx.write(statements.writeReservations, [
    numbers(open.map((row) => row.reservation_id)),
    numbers(open.map((row) => row.location_id)),
    numbers(open.map(() => 0)),
    texts(open.map(() => state)),
  ]);
  await stock.flush();
  await appendFacts(tx, facts);
  return open.length;
}

/** Gives reservations back. Ending one that has ended does nothing. */
export async function releaseReservations(
  tx: Tx,
  deps: LedgerDeps,
  reservationIds: readonly number[],
): Promise<number> {
  const rows = await tx.query(statements.lockReservations, [numbers(reservationIds)]);
  return endReservations(tx, deps, rows, 'released');
}

/** Ends what has expired by the database's clock. A claim that holds the row wins. */
export async function expireReservations(tx: Tx, deps: LedgerDeps, limit = 1_000): Promise<number> {
  const rows = await tx.query(statements.lockExpired, [limit]);
  return endReservations(tx, deps, rows, 'expired');
}

/** An open hold that a movement or an order claims. Locked; the caller changes the balance it guards. */
export interface HeldReservation {
  reservationId: number;
  channelId: number;
  skuId: number;
  locationId: number;
  openQuantity: number;
}

/** Locks reservations that are to be claimed; before the balances. Only what is still open is returned. */
export async function lockHeld(tx: Tx, reservationIds: readonly number[]): Promise<HeldReservation[]> {
  if (reservationIds.length === 0) return [];
  const rows = await tx.query(statements.lockReservations, [numbers(reservationIds)]);
  return rows
    .filter((row) => row.state === 'open' && row.open_quantity > 0)
    .map((row) => ({
      reservationId: row.reservation_id,
      channelId: row.channel_id,
      skuId: row.sku_id,
      locationId: row.location_id,
      openQuantity: row.open_quantity,
    }));
}

/** What an order or a movement took of a hold. `version` is the balance's, right after. */
export function claimFact(
  hold: HeldReservation,
  quantity: number,
  version: number,
  companyId: number,
  occurredAt: string,
): NewFact {
  const { skuId, locationId, reservationId } = hold;
  return {
    type: 'stock.reservation_claimed',
    stream: `stock/${skuId}@${locationId}`,
    version,
    companyId,
    occurredAt,
    data: { skuId, locationId, quantity, reservationId },
  };
}

/** Writes what was claimed of held reservations. */
export async function writeClaims(tx: Tx, held: readonly HeldReservation[]): Promise<void> {
  if (held.length === 0) return;
  tx.write(statements.writeReservations, [
    numbers(held.map((h) => h.reservationId)),
    numbers(held.map((h) => h.locationId)),
    numbers(held.map((h) => h.openQuantity)),
    texts(held.map((h) => (h.openQuantity === 0 ? 'claimed' : 'open'))),
  ]);
}
