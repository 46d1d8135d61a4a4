-- A price may end: valid_to is the last day it holds. One without an end holds until the next one of its kind begins; one with an end
-- stands alone in its days. `whole`: the prices of this day are all of the list, so those of earlier days have ended with it.
alter table price add column valid_to date not null default 'infinity' check (valid_to >= valid_from);
alter table price add column whole boolean not null default false;
create index price_valid_from on price (company_id, valid_from) where valid_from > '-infinity';
create index price_valid_to on price (company_id, valid_to) where valid_to < 'infinity';

-- Prices agreed with one account for some time. Of one account and currency no two are valid on the same day.
create table contract (
  contract_id bigint generated always as identity primary key,
  company_id  int not null references company,
  account_id  bigint not null references account,
  code        text collate "C" not null,
  currency    text collate "C" not null,
  valid_from  date not null default '-infinity',
  valid_to    date not null default 'infinity' check (valid_to >= valid_from),
  changed_at  timestamptz not null default '-infinity',
  updated_at  timestamptz not null default crossdock_now(),
  unique (company_id, code)
);
create index contract_account on contract (account_id, valid_to);
create table contract_price (
  contract_id  bigint not null references contract,
  sku_id       bigint not null references sku,
  quantity_min bigint not null default 1 check (quantity_min >= 1),
  unit_price   numeric not null check (unit_price >= 0),
  price_per    bigint not null default 1 check (price_per >= 1),
  updated_at   timestamptz not null default crossdock_now(),
  primary key (contract_id, sku_id, quantity_min)
);

-- Lines whose price was not the one decided here, beyond what their channel tolerates; as they came, and what was done.
create table price_difference (
  order_id      bigint not null,
  line_no       int not null,
  sku_id        bigint not null,
  outcome       text collate "C" not null check (outcome in ('accepted', 'repriced', 'held')),
  asked_price   numeric not null,
  asked_per     bigint not null,
  decided_price numeric,                               -- null: there was no price
  decided_per   bigint,
  source        text collate "C",                      -- contract | account_list | channel_list | base
  name          text collate "C",                      -- the contract's code, or the list's
  recorded_at   timestamptz not null default crossdock_now(),
  primary key (order_id, line_no)
);

-- Up to which day channels were told of prices that begin and end, and which lists they showed then. What began before this was kept is told once more.
create table price_day (
  company_id int primary key references company,
  day        date not null,
  lists      text[] not null
);
insert into price_day (company_id, day, lists) select company_id, '-infinity', '{}' from company;
