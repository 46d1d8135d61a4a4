import { sql } from '../store/index.ts';

// Down to what is no kit itself; what comes over several ways is added up. More steps than a kit may have are never there.
export const readKitLeaves = sql<{ kit_sku_id: number; sku_id: number; quantity: string }>(
  'master_read_kit_leaves',
  `with recursive made as (
     select kit_sku_id, component_id, quantity::numeric as quantity, 1 as step from kit_component where kit_sku_id = any($1::bigint[])
      union all
     select m.kit_sku_id, k.component_id, m.quantity * k.quantity, m.step + 1
       from made m join kit_component k on k.kit_sku_id = m.component_id where m.step < $2::int)
   select kit_sku_id, component_id as sku_id, sum(quantity)::text as quantity from made m
    where not exists (select from kit_component k where k.kit_sku_id = m.component_id)
    group by kit_sku_id, component_id order by kit_sku_id, component_id`,
);
export const readKits = sql<{ sku_id: number; code: string }>(
  'master_read_kits',
  `select sku_id, code from sku where sku_id in (select kit_sku_id from kit_component where kit_sku_id = any($1::bigint[]))`,
);
// What one of each costs anybody today.
export const readKitPrices = sql<{
  sku_id: number;
  company_id: number;
  currency: string;
  unit_price: string;
  price_per: number;
}>(
  'master_read_kit_prices',
  `select distinct on (company_id, sku_id, currency) sku_id, company_id, currency, unit_price::text as unit_price, price_per from price
    where sku_id = any($1::bigint[]) and price_list = 'base' and quantity_min = 1
      and valid_from <= crossdock_now()::date and valid_to >= crossdock_now()::date
    order by company_id, sku_id, currency, valid_from desc`,
);
// Kits that any of these is a part of, over any number of steps.
export const readKitsOf = sql<{ sku_id: number; kit_sku_id: number }>(
  'master_read_kits_of',
  `with recursive above as (
     select component_id as sku_id, kit_sku_id, 1 as step from kit_component where component_id = any($1::bigint[])
      union
     select a.sku_id, k.kit_sku_id, a.step + 1 from above a join kit_component k on k.component_id = a.kit_sku_id where a.step < $2::int)
   select distinct sku_id, kit_sku_id from above order by sku_id, kit_sku_id`,
);
