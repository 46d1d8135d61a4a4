/**
 * What hangs on products whose code becomes another's: stock, supplies and open orders of two SKUs are never added up, and none is moved
 * by itself. So the code of a product with any of them is not merged, and a merge is not undone once its system has brought stock by it.
 */
import type { Queryable } from '../store/index.ts';
import * as statements from './product-merges.sql.ts';

/** Why what the system calls so can't become `into`; undefined: nothing hangs on what it was here until now. */
export async function whyNotMerged(
  db: Queryable,
  { system, outsideId }: { system: string; outsideId: string },
  into: string,
): Promise<string | undefined> {
  const [own] = await db.query(statements.findOwnSku, [system, outsideId]);
  if (own === undefined || own.code === into) return undefined;
  const [{ stock, supplies, orders }] = (await db.query(statements.findHanging, [own.sku_id])) as [
    { stock: string | null; supplies: number; orders: number },
  ];
  const hanging = [
    ...(stock === null ? [] : [`stock (${stock})`]),
    ...(supplies === 0 ? [] : [`${supplies} announced supplies`]),
    ...(orders === 0 ? [] : [`${orders} open orders`]),
  ];
  if (hanging.length === 0) return undefined;
  return `${own.code}, which ${outsideId} of ${system} was until now, has ${hanging.join(', ')}: nothing of two SKUs is added up; count it to 0 and end its orders first`;
}

/** Why a merge can't be undone; undefined: nothing that was brought by it would have to be taken apart. */
export async function whyNotUndone(
  db: Queryable,
  { system, code, since }: { system: string; code: string; since: Date },
): Promise<string | undefined> {
  const [{ movements, supplies }] = (await db.query(statements.findBrought, [code, system, since])) as [
    { movements: number; supplies: number },
  ];
  if (movements === 0 && supplies === 0) return undefined;
  const brought = [
    ...(movements === 0 ? [] : [`${movements} stock movements`]),
    ...(supplies === 0 ? [] : [`${supplies} open supplies`]),
  ];
  return `${system} has brought ${brought.join(' and ')} of ${code} since they were merged, and what of its stock is whose can't be told: give its code an entry of its own (crossdock crosswalk) and count both`;
}
