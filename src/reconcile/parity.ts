/** N-way comparison of the hub with every system of the simulated estate, once nothing is pending. */
import type { Queryable } from '../store/index.ts';
import type { Parity } from './merge.ts';
import { compareOrders } from './orders.ts';
import { readSimStats, type SimSystem, simSystems } from './sim-truth.ts';
import { compareCharges, compareWarehouse, type PartParity, type WarehouseComparison } from './warehouse.ts';

export interface Comparison {
  /** Nothing missing, extra or different anywhere, and all sums equal. */
  exact: boolean;
  parity: {
    erp: Parity & { charges: PartParity };
    crm: Parity;
    wms: WarehouseComparison;
    shop: Parity;
    marketplace: Parity;
  };
  /** Units sold within a number that could not be allocated, plus units the WMS was asked for beyond what it had. */
  oversell: number;
  oversold: { withinShort: number; askedBeyondStock: number; withinDifferent: number };
  /** Older versions written over newer ones, by the systems' own count. */
  backwards: Record<SimSystem, number>;
  /** References created twice, by the systems' own count. */
  duplicates: Record<SimSystem, number>;
}

/**
 * Merge-joins the hub's records with each system's own truth, both read in key order by pages: memory stays at a few pages
 * however long the year was.
 */
export async function compareWithSystems(
  db: Queryable,
  urls: Readonly<Record<SimSystem, string>>,
  token?: string,
): Promise<Comparison> {
  const orders = await compareOrders(db, urls, { shop: urls.shop, marketplace: urls.marketplace }, token);
  const charges = await compareCharges(db, urls.erp, token, orders.erp);
  const wms = await compareWarehouse(db, urls.wms, token);
  const backwards = {} as Record<SimSystem, number>;
  const duplicates = {} as Record<SimSystem, number>;
  let askedBeyondStock = 0;
  for (const system of simSystems) {
    const stats = await readSimStats(urls[system], token);
    backwards[system] = Number(stats.backwards ?? 0);
    duplicates[system] = Number(stats.duplicates ?? 0);
    if (system === 'wms') askedBeyondStock = Number(stats.askedBeyondStock ?? 0);
  }
  const parity = {
    erp: { ...orders.erp, charges },
    crm: orders.crm,
    wms,
    shop: orders.channels.shop!,
    marketplace: orders.channels.marketplace!,
  };
  const exact = Object.values(parity).every(
    (p) => p.missing === 0 && p.extra === 0 && p.different === 0 && p.amount.equal,
  );
  const { withinShort, withinDifferent } = orders;
  return {
    exact,
    parity,
    oversell: withinShort + askedBeyondStock,
    oversold: { withinShort, askedBeyondStock, withinDifferent },
    backwards,
    duplicates,
  };
}
