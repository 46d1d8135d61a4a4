/** Kits as orders and numbers need them: what they are made of in the end, and which are made of a SKU. */
import { numbers, type Queryable } from '../store/index.ts';
import * as statements from './kits.sql.ts';
import { KIT_DEPTH_MAX } from './product-lists.ts';

/** So many base units of what is no kit itself are in one kit. */
export interface KitLeaf {
  skuId: number;
  quantity: number;
}

/** By kit; what is no kit is left out. A quantity beyond what a number holds is the largest one. */
export async function readKitLeaves(db: Queryable, skuIds: readonly number[]): Promise<Map<number, KitLeaf[]>> {
  const kits = new Map<number, KitLeaf[]>();
  if (skuIds.length === 0) return kits;
  for (const row of await db.query(statements.readKitLeaves, [numbers(skuIds), KIT_DEPTH_MAX])) {
    const leaf = { skuId: row.sku_id, quantity: Math.min(Number(row.quantity), Number.MAX_SAFE_INTEGER) };
    const known = kits.get(row.kit_sku_id);
    if (known === undefined) kits.set(row.kit_sku_id, [leaf]);
    else known.push(leaf);
  }
  return kits;
}

/** Base prices that hold today, by SKU. */
export async function readKitPrices(
  db: Queryable,
  skuIds: readonly number[],
): Promise<Map<number, { companyId: number; currency: string; unitPrice: string; pricePer: number }[]>> {
  const prices = new Map<number, { companyId: number; currency: string; unitPrice: string; pricePer: number }[]>();
  for (const row of await db.query(statements.readKitPrices, [numbers(skuIds)])) {
    const { company_id: companyId, currency, unit_price: unitPrice, price_per: pricePer } = row;
    const known = prices.get(row.sku_id) ?? [];
    known.push({ companyId, currency, unitPrice, pricePer });
    prices.set(row.sku_id, known);
  }
  return prices;
}

/** The kits that a SKU is part of, by SKU; those that are part of none are left out. */
export async function readKitsOf(db: Queryable, skuIds: readonly number[]): Promise<Map<number, number[]>> {
  const kits = new Map<number, number[]>();
  if (skuIds.length === 0) return kits;
  for (const row of await db.query(statements.readKitsOf, [numbers(skuIds), KIT_DEPTH_MAX])) {
    const known = kits.get(row.sku_id);
    if (known === undefined) kits.set(row.sku_id, [row.kit_sku_id]);
    else known.push(row.kit_sku_id);
  }
  return kits;
}

/** Those of them that are kits, with their codes. */
export async function readKits(db: Queryable, skuIds: readonly number[]): Promise<Map<number, string>> {
  return new Map((await db.query(statements.readKits, [numbers(skuIds)])).map((row) => [row.sku_id, row.code]));
}
