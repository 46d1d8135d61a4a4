-- Master data: who and what the facts are about. Small integers for what the estate declares, codes for people.
create table company (
  company_id int generated always as identity primary key,
  code       text collate "C" not null unique,
  currency   text collate "C" not null,
  time_zone  text collate "C" not null
);
create table location (
  location_id int generated always as identity primary key,
  code        text collate "C" not null unique,
  company_id  int not null references company,
  region      text collate "C" not null,
  priority    int not null default 0,
  safety_stock bigint not null default 0               -- as declared, per SKU; each balance of the location follows it
);
create table channel (
  channel_id  int generated always as identity primary key,
  code        text collate "C" not null unique,
  company_id  int not null references company,
  settings    json not null
);
create table sku (
  sku_id      bigint generated always as identity primary key,
  code        text collate "C" not null unique,
  description text not null default '',
  unit        text collate "C" not null default 'each',
  updated_at  timestamptz not null default crossdock_now()
);
create table account (
  account_id bigint generated always as identity primary key,
  company_id int not null references company,
  code       text collate "C" not null,
  channel    text collate "C",
  name       text not null default '',
  currency   text collate "C" not null,
  credit_limit_minor bigint,
  updated_at timestamptz not null default crossdock_now(),
  unique (company_id, code)
);
-- A price is a unit price of a list from a day on; the newest at or before the day asked wins.
create table price (
  sku_id     bigint not null references sku,
  price_list text collate "C" not null,
  currency   text collate "C" not null,
  valid_from date not null default '-infinity',
  unit_price numeric not null check (unit_price >= 0),
  updated_at timestamptz not null default crossdock_now(),
  primary key (sku_id, price_list, currency, valid_from)
);
-- Outside id -> our code, per system, with validity.
create table crosswalk_entry (
  system     text collate "C" not null,
  kind       text collate "C" not null,               -- sku | account | location
  outside_id text collate "C" not null,
  our_code   text collate "C" not null,
  valid_from timestamptz not null default '-infinity',
  valid_to   timestamptz not null default 'infinity',
  primary key (system, kind, outside_id, valid_from)
);
