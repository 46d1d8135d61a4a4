-- Quantities in other units than a SKU's own, prices for several base units, and amounts in the minor units that a currency has.

-- Amounts were kept in hundredths whatever the currency; from now on in the currency's own minor units (ISO 4217). What was told to
-- other systems in hundredths can't be taken back, so orders in another currency have to be ended by the release that took them.
create function minor_scale(currency text) returns numeric language sql immutable parallel safe
return case
  when currency in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') then 1
  when currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 1000
  when currency in ('CLF', 'UYW') then 10000
  else 100
end;
do $$
declare
  found text;
begin
  select string_agg(distinct currency, ', ') into found from sales_order where minor_scale(currency) <> 100;
  if found is not null then
    raise exception 'there are orders in %: their amounts are hundredths, and this release keeps the minor units of each currency', found
      using hint = 'take new orders of this company in a hub of its own, and keep this one at the release before until its orders have ended';
  end if;
end $$;
update account set credit_limit_minor = round(credit_limit_minor * minor_scale(currency) / 100) where credit_limit_minor is not null and minor_scale(currency) <> 100;

-- What `quantity` base units cost at a price for `per` of them, half away from zero. Whole numbers all the way: a quotient that is cut
-- to some digits and rounded then may be off by one.
create function amount_minor(price numeric, quantity bigint, currency text, per bigint) returns bigint language sql immutable parallel safe
return (sign(price * quantity) * div(2 * abs(price * quantity * minor_scale(currency)) + per, 2::numeric * per))::bigint;

alter table order_line add column price_per bigint not null default 1 check (price_per >= 1);
alter table price add column price_per bigint not null default 1 check (price_per >= 1);

-- What a line said in its own words, where that is not what is in order_line: in another unit, or rounded by the product's rule.
create table order_line_asked (
  order_id   bigint not null,
  line_no    int not null,
  quantity   text not null,                           -- as it was given: a decimal
  unit       text collate "C" not null,
  pack_level text collate "C" not null,
  base       bigint not null,                         -- the same in base units
  unit_price text not null,
  price_unit text collate "C" not null,               -- what the price is for: price_count of these
  price_count bigint not null,
  rounding   text collate "C",                        -- up | nearest | down where the quantity was changed by it
  primary key (order_id, line_no)
);

-- One `unit` of a SKU is numerator / denominator of its base units.
create table sku_unit (
  sku_id      bigint not null references sku,
  unit        text collate "C" not null,
  pack_level  text collate "C" not null,              -- each | inner | case | layer | pallet
  numerator   bigint not null check (numerator >= 1),
  denominator bigint not null default 1 check (denominator >= 1),
  gtin        text collate "C",                       -- 14 digits, of the trade item that is one such unit
  recorded_at timestamptz not null default crossdock_now(),
  primary key (sku_id, unit)
);
create unique index on sku_unit (gtin) where gtin is not null;

-- What may be ordered of a SKU, in base units, and what becomes of a line that is something else.
alter table sku
  add column order_multiple  bigint not null default 1 check (order_multiple >= 1),
  add column order_minimum   bigint not null default 1 check (order_minimum >= 1),
  add column order_rounding  text collate "C" not null default 'refuse',   -- refuse | up | nearest | down | hold
  add column unit_changed_at timestamptz not null default '-infinity';
create index sku_order_rule on sku (sku_id) where order_multiple > 1 or order_minimum > 1;
create index sku_unit_changed on sku (unit_changed_at) where unit_changed_at > '-infinity';
