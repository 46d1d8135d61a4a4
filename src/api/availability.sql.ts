import { sql } from '../store/index.ts';

/** Those of which there are quotas: their numbers are read anew. */
const WITH_QUOTAS =
  'array(select distinct q.sku_id from quota q where q.sku_id = any($1::bigint[]) and q.valid_to > crossdock_now())::text[] as with_quotas';
// Whether a further look is needed; see the ledger's `readKitAtp`.
const HAS_KITS = 'exists (select from kit_component where kit_sku_id = any($1::bigint[])) as has_kits';

/**
 * One row however many SKUs are asked for: their numbers in the order asked, as one text. Rows and columns are what a
 * driver spends its time on; 64 calls of 20 SKUs over 3 locations would be 3,840 rows of 8 columns.
 * The subquery keeps the plan at one index range per SKU, whatever the planner believes of the list's length.
 */
export const packFree = sql<{ as_of: Date; has_kits: boolean; packed: string | null; with_quotas: string[] }>(
  'api_pack_free',
  `select crossdock_now() as as_of, ${HAS_KITS}, string_agg(
            coalesce((select sum(greatest(0, floor($3::float8 * greatest(0, b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted))))
                        from stock_balance b where b.sku_id = t.sku_id and b.location_id = any($2::int[])), 0)::bigint::text,
            ',' order by t.n) as packed, ${WITH_QUOTAS}
     from unnest($1::bigint[]) with ordinality as t(sku_id, n)`,
);

// As one that asks, with what may be promised of dated supply beside it: buffer and cap come between them.
export const packFreeAndSupply = sql<{
  as_of: Date;
  has_kits: boolean;
  packed: string | null;
  packed_supply: string | null;
  with_quotas: string[];
}>(
  'api_pack_free_and_supply',
  `select crossdock_now() as as_of, ${HAS_KITS}, string_agg(
            coalesce((select sum(greatest(0, floor($3::float8 * greatest(0, b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted))))
                        from stock_balance b where b.sku_id = t.sku_id and b.location_id = any($2::int[])), 0)::bigint::text,
            ',' order by t.n) as packed,
          string_agg(dated_supply(t.sku_id, $2::int[], $4::int)::text, ',' order by t.n) as packed_supply, ${WITH_QUOTAS}
     from unnest($1::bigint[]) with ordinality as t(sku_id, n)`,
);

export const packExposed = sql<{ as_of: Date; has_kits: boolean; packed: string | null }>(
  'api_pack_exposed',
  `select crossdock_now() as as_of, ${HAS_KITS}, string_agg(
            coalesce((select sum(e.quantity) from exposure e
                       where e.channel_id = $3::int and e.sku_id = t.sku_id and e.location_id = any($2::int[])), 0)::bigint::text,
            ',' order by t.n) as packed
     from unnest($1::bigint[]) with ordinality as t(sku_id, n)`,
);
