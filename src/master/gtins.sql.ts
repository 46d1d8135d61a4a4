import { sql } from '../store/index.ts';

// In the order of the numbers, so that two batches that exchange them wait for one another instead of for ever.
export const lockGtins = sql<{ gtin: string }>(
  'master_lock_gtins',
  `select gtin from product_gtin where sku = any($1::text[]) or gtin = any($2::text[]) order by gtin for update`,
);
export const releaseGtins = sql<{ gtin: string }>(
  'master_release_gtins',
  `delete from product_gtin p using unnest($1::text[], $2::text[]) as t(sku, gtin) where p.sku = t.sku and p.gtin <> t.gtin returning p.gtin`,
);
export const claimGtins = sql<{ gtin: string }>(
  'master_claim_gtins',
  `insert into product_gtin (gtin, sku)
   select t.gtin, t.sku from unnest($1::text[], $2::text[]) with ordinality as t(sku, gtin, nth)
    -- Of two that name one number at once the first has it.
    order by t.gtin, t.nth
   on conflict (gtin) do nothing
   returning gtin`,
);
export const findTaken = sql<{ sku: string; holder: string }>(
  'master_find_taken_gtins',
  `select t.sku, p.sku as holder
     from unnest($1::text[], $2::text[]) as t(sku, gtin)
     join product_gtin p on p.gtin = t.gtin and p.sku <> t.sku`,
);
