-- The trade item number of a product, of one SKU only: which of two is meant by it, nobody could tell.
create table product_gtin (
  gtin        text collate "C" primary key,            -- 14 digits
  sku         text collate "C" not null,
  recorded_at timestamptz not null default crossdock_now()
);
create index on product_gtin (sku);
