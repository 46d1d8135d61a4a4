import { sql } from '../store/index.ts';

// By key, page after page: one pass over the balances however many there are.
export const findOutdated = sql<{ sku_id: number; location_id: number }>(
  'ledger_find_outdated_safety_stock',
  `select b.sku_id, b.location_id
     from stock_balance b join location l using (location_id)
    where b.safety_stock <> l.safety_stock and (b.sku_id, b.location_id) > ($1::bigint, $2::int)
    order by b.sku_id, b.location_id limit $3::int`,
);

// Held until the balances are written: a start that declares another value meanwhile waits, and then looks at what we wrote.
export const lockDeclared = sql<{ location_id: number; company_id: number; safety_stock: number }>(
  'ledger_lock_declared_safety_stock',
  `select location_id, company_id, safety_stock from location
    where location_id = any($1::int[]) order by location_id for share`,
);
