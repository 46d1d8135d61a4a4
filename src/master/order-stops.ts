/** What master data says against new orders: accounts on hold, products that end. */
import { numbers, type Queryable } from '../store/index.ts';
import { type AccountTerms, readAccountTerms } from './account-terms.ts';
import { readEnding, readWhether } from './order-stops.sql.ts';

export interface OrderStops {
  /** Accounts that are held, themselves or by one above them. */
  held: ReadonlyMap<number, AccountTerms & { holdReason: string; holdAccountId: number }>;
  ending: ReadonlyMap<number, { sku: string; lifecycle: 'phase_out' | 'discontinued' }>;
}

/** Undefined: there is nothing. */
export async function readOrderStops(
  db: Queryable,
  accountIds: Iterable<number>,
  skuIds: Iterable<number>,
): Promise<OrderStops | undefined> {
  const [whether] = await db.query(readWhether);
  const terms = whether!.held ? await readAccountTerms(db, accountIds) : new Map<number, AccountTerms>();
  const rows = whether!.ending ? await db.query(readEnding, [numbers([...new Set(skuIds)])]) : [];
  const held = new Map([...terms].filter(([, { holdReason }]) => holdReason !== null)) as Map<number, never>;
  if (held.size === 0 && rows.length === 0) return undefined;
  return { held, ending: new Map(rows.map(({ sku_id, code, lifecycle }) => [sku_id, { sku: code, lifecycle }])) };
}
