/** What a place has been told of itself since units were not found there. */
import { numbers, type Queryable, texts } from '../store/index.ts';
import * as statements from './session.sql.ts';

/**
 * Units of each that are known of by now: all of them where the place was counted since, else what was written off or found again. The
 * balances are locked, so nothing comes between.
 */
export async function correctedSince(
  db: Queryable,
  missing: readonly { skuId: number; locationId: number; occurredAt: string }[],
): Promise<number[]> {
  const corrected = missing.map(() => 0);
  for (const row of await db.query(statements.sumCorrected, [
    numbers(missing.map((_, n) => n)),
    numbers(missing.map((m) => m.skuId)),
    numbers(missing.map((m) => m.locationId)),
    texts(missing.map((m) => m.occurredAt)),
  ]))
    corrected[row.n] = row.counted ? Number.POSITIVE_INFINITY : row.units;
  return corrected;
}
