-- Master data with owners: what is known of accounts and products, and which system said it when.

-- said: by system, by time, the fields it said last at that time; set_by: by field, the system whose value holds. '' is whoever said it
-- before this was kept, '*' all fields that are not named.
alter table account
  add column parent_id      bigint references account check (parent_id <> account_id),
  add column payment_terms  text collate "C",
  add column hold_reason    text,                      -- not null: its orders are held
  add column price_list     text collate "C",
  add column priority_class text collate "C" not null default 'redistribute'
                            check (priority_class in ('win', 'gain', 'redistribute', 'fill', 'lose')),
  add column ship_complete  boolean not null default false,
  add column region         text collate "C",
  add column said           json not null default '{}',
  add column set_by         json not null default '{}';
-- Few are, and orders ask whether any is.
create index account_held on account (account_id) where hold_reason is not null;
create index account_parent on account (parent_id) where parent_id is not null;
create table account_address (
  account_id  bigint not null references account,
  code        text collate "C" not null,
  name        text not null default '',
  lines       text[] not null,
  city        text not null default '',
  postal_code text collate "C" not null default '',
  country     text collate "C" not null check (country ~ '^[A-Z]{2}$'),
  primary key (account_id, code)
);

alter table sku
  add column lifecycle text collate "C" not null default 'active' check (lifecycle in ('active', 'phase_out', 'discontinued')),
  add column weight_g  bigint check (weight_g >= 0),   -- of one base unit
  add column length_mm bigint check (length_mm >= 0),
  add column width_mm  bigint check (width_mm >= 0),
  add column height_mm bigint check (height_mm >= 0),
  add column said      json not null default '{}',
  add column set_by    json not null default '{}';
update sku set said = json_build_object('', json_build_object(to_char(changed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), json_build_array('*')))
 where changed_at > '-infinity';
update account set said = json_build_object('', json_build_object(to_char(changed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), json_build_array('*')))
 where changed_at > '-infinity';

create index sku_ending on sku (sku_id) where lifecycle <> 'active';

-- What a kit is made of, in base units for one of its own. A component may be a kit.
create table kit_component (
  kit_sku_id   bigint not null references sku,
  component_id bigint not null references sku check (component_id <> kit_sku_id),
  quantity     bigint not null check (quantity > 0),
  primary key (kit_sku_id, component_id)
);
create index on kit_component (component_id);

-- Who said the price that holds; '' before this was kept.
alter table price add column set_by text collate "C" not null default '';

-- What a system was told of a product's price and has not shown since: what it then says is no news. And the newest that it said itself,
-- where that changed nothing.
create table system_price (
  destination_id int not null,
  company_id     int not null,
  sku_id         bigint not null,
  price_list     text collate "C" not null,
  currency       text collate "C" not null,
  told           json not null default '[]',           -- [price, when], oldest first
  said_at        text collate "C" not null default '', -- by its own clock
  primary key (destination_id, company_id, sku_id, price_list, currency)
) with (fillfactor = 70);

-- A value that a system said of a field that another owns, for a person to take or not.
create table stewardship_item (
  item_id     bigint generated always as identity primary key,
  domain      text collate "C" not null,               -- product | account | price
  company_id  int,
  record_key  text collate "C" not null,
  field       text collate "C" not null,
  value_held  json,                                    -- when it was said
  value_said  json,
  system      text collate "C" not null,               -- who said it
  owner       text collate "C" not null,
  changed_at  timestamptz not null,
  state       text collate "C" not null default 'open' check (state in ('open', 'accepted', 'rejected')),
  decided_by  text,
  reason      text,
  recorded_at timestamptz not null default crossdock_now(),
  ended_at    timestamptz,
  check ((state = 'open') = (ended_at is null))
);
-- One at a time: what a system says later takes the place of what it said before.
create unique index on stewardship_item (domain, record_key, field, system, company_id) nulls not distinct where state = 'open';
create index on stewardship_item (domain, record_key, field, system, item_id) where state <> 'open';
