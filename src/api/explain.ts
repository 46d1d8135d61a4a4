/** "Why does it say 17?": every input of a channel's number for one SKU, and how old each is. */
import { type AtpView, readAtp, readKitAtp } from '../ledger/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import { type QuotaTold, readQuotas } from '../orders/index.ts';
import { type Database, databaseNow, numbers } from '../store/index.ts';
import * as statements from './explain.sql.ts';

export const PARTS_MAX = 100;
export const MOVEMENTS_MAX = 20;

export interface ExplainDeps {
  db: Database;
  directory: Directory;
}

export function ruleOf(directory: Directory, channel: ChannelEntry): object {
  const { sellsByItself, share, buffer, cap, horizonDays, tolerance, onShort } = channel;
  const locations = channel.locationIds.map((id) => directory.locationById.get(id)!.code);
  const formula = sellsByItself
    ? 'the sum of what is set aside for this channel (its exposure) at its locations, at most cap'
    : 'sum over its locations of floor(share × max(0, on hand − reserved − allocated − exposed − safety stock − outside deducted)), less buffer, plus dated supply inside the horizon, at most cap';
  const sells = sellsByItself ? 'by_itself' : 'asks';
  return { sells, locations, share, buffer, cap, horizonDays, tolerance, onShort, formula };
}

/** What quotas do to a number: kept for others, and what the channel's own cap leaves. */
async function quotaOf(
  { db, directory }: ExplainDeps,
  { kept, capLeft }: NonNullable<AtpView['quota']>,
): Promise<object> {
  const quotas = new Map<number, QuotaTold>();
  for (const quota of await readQuotas(db, directory, { quotaIds: kept.map(({ quotaId }) => quotaId) }))
    quotas.set(Number(quota.quotaId), quota);
  return {
    capLeft,
    keptForOthers: kept.map(({ quotaId, units }) => {
      const { channel, region, account, to } = quotas.get(quotaId)!;
      return { quotaId: String(quotaId), channel, region, account, to, units };
    }),
  };
}

export async function explainAvailability(deps: ExplainDeps, channel: ChannelEntry, skuId: number): Promise<object> {
  const { db, directory } = deps;
  await directory.loadSkuCodes([skuId]);
  // Each statement sees its own moment; the balances come first, and `asOf` is before all of them.
  const asOf = await databaseNow(db);
  const view = (await readAtp(db, channel, [skuId], directory)).get(skuId)!;
  const kit = (await readKitAtp(db, channel, [skuId], directory)).get(skuId);
  if (kit !== undefined) await directory.loadSkuCodes(kit.parts.map((part) => part.skuId));
  const [
    balances,
    exposures,
    shown,
    reservations,
    allocations,
    outside,
    [backorders],
    supplies,
    movements,
    feeds,
    publications,
  ] = await Promise.all([
    db.query(statements.readBalances, [skuId]),
    db.query(statements.readExposures, [skuId]),
    db.query(statements.readNumbers, [skuId]),
    db.query(statements.listReservations, [skuId, PARTS_MAX]),
    db.query(statements.listAllocations, [skuId, PARTS_MAX]),
    db.query(statements.listOutside, [skuId, PARTS_MAX]),
    db.query(statements.sumBackorders, [skuId]),
    db.query(statements.listSupplies, [
      skuId,
      numbers(channel.locationIds),
      channel.sellsByItself ? 0 : channel.horizonDays,
      PARTS_MAX,
    ]),
    db.query(statements.listMovements, [skuId, MOVEMENTS_MAX]),
    db.query(statements.readFeeds),
    db.query(statements.readPublications, [skuId]),
  ]);
  const locationCode = (id: number) => directory.locationById.get(id)?.code ?? String(id);
  const channelCode = (id: number) => directory.channelById.get(id)?.code ?? String(id);
  const served = new Set(channel.locationIds);
  return {
    sku: directory.skuCode(skuId),
    unit: directory.skuUnit(skuId),
    channel: channel.code,
    asOf: asOf.toISOString(),
    ...(view.quota !== undefined && { quota: await quotaOf(deps, view.quota) }),
    atp: kit?.atp ?? view.atp,
    // As many as each component is there for; those that allow for no more are what limits it.
    kit:
      kit === undefined
        ? null
        : {
            components: kit.parts.map((part) => ({
              sku: directory.skuCode(part.skuId),
              ...{ quantity: part.quantity, atp: part.atp, kits: part.kits },
              limits: part.kits === Math.min(...kit.parts.map(({ kits }) => kits)),
            })),
          },
    rule: ruleOf(directory, channel),
    locations: balances.map((b) => ({
      location: locationCode(b.location_id),
      served: served.has(b.location_id),
      onHand: b.on_hand,
      reserved: b.reserved,
      allocated: b.allocated,
      exposed: b.exposed,
      safetyStock: b.safety_stock,
      outsideOpen: b.outside_open,
      outsideDeducted: b.outside_deducted,
      free: b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted,
      version: b.version,
      countedAt: b.counted_at?.toISOString() ?? null,
      countedBy: b.counted_source,
    })),
    exposures: exposures.map((e) => ({
      channel: channelCode(e.channel_id),
      location: locationCode(e.location_id),
      quantity: e.quantity,
    })),
    numbers: shown.map((n) => ({
      channel: channelCode(n.channel_id),
      shown: n.shown,
      sending: n.sending,
      readBack: n.read_back,
      readBackAt: n.read_back_at?.toISOString() ?? null,
    })),
    reservations: {
      truncated: reservations.length === PARTS_MAX,
      open: reservations.map((r) => ({
        reservationId: String(r.reservation_id),
        channel: channelCode(r.channel_id),
        location: locationCode(r.location_id),
        quantity: r.open_quantity,
        purpose: r.purpose,
        expiresAt: r.expires_at.toISOString(),
      })),
    },
    allocations: {
      truncated: allocations.length === PARTS_MAX,
      open: allocations.map((a) => ({
        orderId: String(a.order_id),
        order: `${channelCode(a.channel_id)}/${a.external_no}`,
        lineNo: a.line_no,
        location: locationCode(a.location_id),
        quantity: a.open_quantity,
        fulfilment: a.fulfilment_id === null ? null : directory.fulfilmentReference(a.fulfilment_id),
      })),
    },
    outside: {
      truncated: outside.length === PARTS_MAX,
      // Deducted is of the whole line: what all that name it have beyond ours.
      open: outside.map((x) => ({
        source: `${x.source}/${x.source_id}`,
        location: locationCode(x.location_id),
        order: x.channel_id === null ? null : `${channelCode(x.channel_id)}/${x.external_no}`,
        lineNo: x.line_no,
        quantity: x.quantity,
        open: x.open_quantity,
        ours: x.ours,
        deducted: x.deducted,
        reportedAt: x.occurred_at.toISOString(),
      })),
    },
    backorders: { units: backorders!.units, orders: backorders!.orders },
    supply: {
      // What counts, less what is committed, less backordered units that wait without a commitment.
      promisable: kit?.supply ?? view.supply,
      truncated: supplies.length === PARTS_MAX,
      announced: supplies.map((s) => ({
        supply: `${s.source}/${s.source_id}`,
        location: locationCode(s.location_id),
        quantity: s.quantity,
        received: s.received,
        committed: s.committed,
        dueAt: s.due_at.toISOString(),
        counted: s.counted,
      })),
    },
    movements: movements.map((m) => ({
      kind: m.kind,
      location: locationCode(m.location_id),
      quantity: m.quantity,
      effect: m.effect,
      source: `${m.source}/${m.source_id}`,
      occurredAt: m.occurred_at.toISOString(),
      recordedAt: m.recorded_at.toISOString(),
    })),
    freshness: {
      sources: feeds.map((f) => ({
        system: f.system,
        feed: f.feed,
        readToEndAt: f.drained_at?.toISOString() ?? null,
        ageMs: f.age_ms === null ? null : Math.round(f.age_ms),
      })),
      published: publications.map((p) => ({
        destination: p.code,
        told: p.version <= p.confirmed_version,
        changedAt: p.changed_at.toISOString(),
        confirmedAt: p.confirmed_at?.toISOString() ?? null,
        error: p.error,
      })),
    },
  };
}
