/** What a session changed, written in sets: a statement a table. */
import { type Ids, numbers, type Tx, texts } from '../store/index.ts';
import { writeOutsideSums } from './outside.sql.ts';
import * as statements from './session.sql.ts';
import { type Balance, type ChannelNumber, type Movement, shortByOutside } from './stock.ts';

/** The cause of a shortage that no loss made: safety stock was raised above what was free. */
export const SAFETY_CAUSE = 'safety stock raised';
/** The cause of one that another system made: it allocated what we had promised, or shown to a channel. */
export const OUTSIDE_CAUSE = 'allocated outside';

export interface BookedMovement extends Movement {
  effect: number;
  balanceVersion: number;
}

export interface Exposure {
  channelId: number;
  skuId: number;
  locationId: number;
  quantity: number;
}

export interface Shortage {
  skuId: number;
  locationId: number;
  quantity: number;
  cause: string;
}

export interface Changes {
  balances: readonly Balance[];
  /** Balances whose last count is another now. */
  watermarks: readonly Balance[];
  /** Balances whose safety stock was set: the shortages that it made before end. */
  safeties: readonly Balance[];
  /** Balances of which other systems' allocations, or ours against them, changed: the same. */
  outside: readonly Balance[];
  /** Others that changed where other systems have allocated beyond ours: goods may have come for what was missing. */
  eased: readonly Balance[];
  movements: readonly BookedMovement[];
  exposures: readonly Exposure[];
  channelNumbers: readonly ChannelNumber[];
  shortages: readonly Shortage[];
}

export async function writeChanges(tx: Tx, ids: Ids, changes: Changes): Promise<void> {
  const { balances, watermarks, safeties, outside, eased, movements, exposures, channelNumbers, shortages } = changes;
  if (balances.length > 0)
    tx.write(statements.writeBalances, [
      numbers(balances.map((b) => b.skuId)),
      numbers(balances.map((b) => b.locationId)),
      numbers(balances.map((b) => b.onHand)),
      numbers(balances.map((b) => b.reserved)),
      numbers(balances.map((b) => b.allocated)),
      numbers(balances.map((b) => b.exposed)),
      numbers(balances.map((b) => b.version)),
    ]);
  if (watermarks.length > 0) {
    tx.write(statements.writeWatermarks, [
      numbers(watermarks.map((b) => b.skuId)),
      numbers(watermarks.map((b) => b.locationId)),
      texts(watermarks.map((b) => b.countedAt!.toISOString())),
      texts(watermarks.map((b) => b.countedSource)),
      numbers(watermarks.map((b) => b.countedSequence)),
    ]);
  }
  if (safeties.length > 0) {
    const pairs = [numbers(safeties.map((b) => b.skuId)), numbers(safeties.map((b) => b.locationId))];
    tx.write(statements.writeSafetyStock, [...pairs, numbers(safeties.map((b) => b.safetyStock))]);
    tx.write(statements.endShortages, [...pairs, SAFETY_CAUSE]);
  }
  if (outside.length > 0) {
    const pairs = [numbers(outside.map((b) => b.skuId)), numbers(outside.map((b) => b.locationId))];
    const sums = [numbers(outside.map((b) => b.outsideOpen)), numbers(outside.map((b) => b.outsideDeducted))];
    tx.write(writeOutsideSums, [...pairs, ...sums]);
    tx.write(statements.endShortages, [...pairs, OUTSIDE_CAUSE]);
  }
  if (eased.length > 0)
    tx.write(statements.easeShortages, [
      numbers(eased.map((b) => b.skuId)),
      numbers(eased.map((b) => b.locationId)),
      OUTSIDE_CAUSE,
      numbers(eased.map((b) => shortByOutside(b))),
    ]);
  if (movements.length > 0) {
    const movementIds = await ids.reserve(tx, 'movement_id_seq', movements.length);
    tx.write(statements.insertMovements, [
      numbers(movements.map(() => movementIds.take())),
      numbers(movements.map((m) => m.skuId)),
      numbers(movements.map((m) => m.locationId)),
      texts(movements.map((m) => m.kind)),
      numbers(movements.map((m) => m.quantity)),
      numbers(movements.map((m) => m.effect)),
      numbers(movements.map((m) => m.balanceVersion)),
      numbers(movements.map((m) => m.orderId ?? null)),
      texts(movements.map((m) => m.source)),
      texts(movements.map((m) => m.sourceId)),
      numbers(movements.map((m) => m.sourceSequence ?? null)),
      texts(movements.map((m) => m.occurredAt)),
      numbers(movements.map((m) => m.line?.lineNo ?? null)),
    ]);
  }
  if (exposures.length > 0)
    tx.write(statements.writeExposures, [
      numbers(exposures.map((e) => e.channelId)),
      numbers(exposures.map((e) => e.skuId)),
      numbers(exposures.map((e) => e.locationId)),
      numbers(exposures.map((e) => e.quantity)),
    ]);
  if (channelNumbers.length > 0)
    tx.write(statements.writeChannelNumbers, [
      numbers(channelNumbers.map((n) => n.channelId)),
      numbers(channelNumbers.map((n) => n.skuId)),
      numbers(channelNumbers.map((n) => n.shown)),
      numbers(channelNumbers.map((n) => n.sending)),
      numbers(channelNumbers.map((n) => n.readBack)),
      texts(channelNumbers.map((n) => n.readBackAt?.toISOString() ?? null)),
      numbers(channelNumbers.map((n) => n.soldSince)),
    ]);
  if (shortages.length > 0)
    tx.write(statements.insertShortages, [
      numbers(shortages.map((s) => s.skuId)),
      numbers(shortages.map((s) => s.locationId)),
      numbers(shortages.map((s) => s.quantity)),
      texts(shortages.map((s) => s.cause)),
    ]);
}
