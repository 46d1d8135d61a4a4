import { sql } from '../store/index.ts';

// In the order of the numbers, so that two batches that exchange them wait for one another instead of for ever.
export const lockGtins = sql<{ gtin: string }>(
  'master_lock_gtins',
  `select gtin from product_gtin where sku = any($1::text[]) or gtin = any($2::text[]) order by gtin for update`,
);
// What a later change said holds.
export const releaseGtins = sql<{ gtin: string }>(
  'master_release_gtins',
  `delete from product_gtin p
    using unnest($1::text[], $2::text[], $3::timestamptz[]) as t(sku, gtin, changed_at)
     left join sku s on s.code = t.sku
    where p.sku = t.sku and p.gtin <> t.gtin and coalesce(s.changed_at, '-infinity') <= t.changed_at
   returning p.gtin`,
);
export const claimGtins = sql<{ gtin: string }>(
  'master_claim_gtins',
  `insert into product_gtin (gtin, sku)
   select t.gtin, t.sku
     from unnest($1::text[], $2::text[], $3::timestamptz[]) with ordinality as t(sku, gtin, changed_at, nth)
     left join sku s on s.code = t.sku
    where coalesce(s.changed_at, '-infinity') <= t.changed_at
    -- Of two that name one number at once the first has it.
    order by t.gtin, t.nth
   on conflict (gtin) do nothing
   returning gtin`,
);
export const findTaken = sql<{ sku: string; holder: string }>(
  'master_find_taken_gtins',
  `select t.sku, p.sku as holder
     from unnest($1::text[], $2::text[], $3::timestamptz[]) as t(sku, gtin, changed_at)
     join product_gtin p on p.gtin = t.gtin and p.sku <> t.sku
     left join sku s on s.code = t.sku
    where coalesce(s.changed_at, '-infinity') <= t.changed_at`,
);
