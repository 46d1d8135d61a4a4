-- Prices by quantity: a list may have one from 1 on and others from more. What was there is from 1 on.
alter table price add column quantity_min bigint not null default 1 check (quantity_min >= 1);
alter table price drop constraint price_pkey;
alter table price add primary key (company_id, sku_id, price_list, currency, valid_from, quantity_min);
