/** The safety stock that locations declare, brought to the balances that there are; new ones are created with it. */
import { appendFacts, type NewFact } from '../log/index.ts';
import { type Database, type Ids, numbers } from '../store/index.ts';
import * as statements from './safety-stock.sql.ts';
import { StockSession } from './session.ts';
import { type Pair, stockFact } from './stock.ts';

/** Balances changed in one transaction: short, because it holds their locks while other hubs sell. */
const BALANCES_MAX = 500;

/**
 * Brings every balance to its location's declared safety stock. Safe beside running hubs, and in many processes at once.
 * Existing promises stay, new ones are refused; each change is a fact, so that numbers are said again and what is freed finds its
 * backorders.
 * @returns how many balances were changed
 * Locks stock_balance by (sku_id, location_id), then the locations for share. Whoever declares locks only a location.
 */
export async function applySafetyStock(
  db: Database,
  deps: { ids: Ids },
  balancesMax: number = BALANCES_MAX,
): Promise<number> {
  let changed = 0;
  for (let after: Pair = [0, 0]; ; ) {
    const rows = await db.query(statements.findOutdated, [...after, balancesMax]);
    if (rows.length === 0) return changed;
    const pairs = rows.map((row): Pair => [row.sku_id, row.location_id]);
    changed += await applyTo(db, deps, pairs);
    after = pairs.at(-1)!;
  }
}

function applyTo(db: Database, deps: { ids: Ids }, pairs: readonly Pair[]): Promise<number> {
  return db.inTurn(async (tx) => {
    const stock = await StockSession.open(tx, deps.ids, pairs);
    const locations = await tx.query(statements.lockDeclared, [numbers([...new Set(pairs.map(([, id]) => id))])]);
    const declared = new Map(locations.map((row) => [row.location_id, row]));
    const occurredAt = new Date().toISOString();
    const facts: NewFact[] = [];
    for (const [skuId, locationId] of pairs) {
      const { company_id: companyId, safety_stock: safetyStock } = declared.get(locationId)!;
      const before = stock.balance(skuId, locationId).safetyStock;
      // Another start may have been faster.
      if (before === safetyStock) continue;
      const { version } = stock.setSafetyStock(skuId, locationId, safetyStock);
      facts.push(
        stockFact('stock.safety_stock_changed', skuId, locationId, version, companyId, occurredAt, {
          safetyStock,
          before,
        }),
      );
    }
    await stock.flush();
    if (facts.length > 0) await appendFacts(tx, facts);
    return facts.length;
  });
}
