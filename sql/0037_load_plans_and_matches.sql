-- What a load would do, before it does it: a plan, and an item for each record that it adds, changes or refuses. Each item is applied
-- where the record still is as it was planned on, and undone where it still is as the plan wrote it; its state says how far that came.
create table load_plan (
  plan_id     bigint generated always as identity primary key,
  kind        text collate "C" not null,              -- products | accounts | prices | substitutes | crosswalk
  system      text collate "C" not null,              -- whose codes the file has
  file        text not null,
  digest      text collate "C" not null,              -- SHA-256 of the file's bytes
  state       text collate "C" not null default 'planning'
    check (state in ('planning', 'planned', 'applying', 'applied', 'undoing', 'undone', 'stale')),
  counts      json not null default '{}',             -- as planned; what became of it is counted from the items
  impact      json,                                   -- what it would touch, as of planned_at
  planned_by  text not null,
  applied_by  text,
  undone_by   text,
  recorded_at timestamptz not null default crossdock_now(),
  planned_at  timestamptz,
  applied_at  timestamptz,
  undone_at   timestamptz
);
create table load_plan_item (
  plan_id    bigint not null references load_plan on delete cascade,
  item_no    int not null,
  line       int not null,                            -- of the file, the heading being 1
  key        text collate "C" not null,               -- a JSON list, as the kind's key fields stand
  action     text collate "C" not null check (action in ('add', 'change', 'same', 'refuse')),
  before     json,                                    -- the fields that change; null: there was no such record
  after      json,
  subject_id bigint,                                  -- the SKU or account it is about, where there is one already
  state      text collate "C" not null
    check (state in ('planned', 'applied', 'stale', 'refused', 'undone', 'kept')),
  code       text collate "C",
  reason     text,
  primary key (plan_id, item_no)
);
-- One record is named once in a plan: of two rows nobody could say which was meant.
create unique index on load_plan_item (plan_id, key) where action <> 'refuse';
create index on load_plan_item (plan_id, state, item_no);
insert into expiring_table (table_name, retention_days) values ('load_plan', 730);

-- A record that was added and taken back: its id and code stay, because processes remember them; nobody finds it by its code until it is
-- put again.
alter table sku add column withdrawn_at timestamptz;
alter table account add column withdrawn_at timestamptz;
create index on sku (withdrawn_at) where withdrawn_at is not null;
create index on account (withdrawn_at) where withdrawn_at is not null;

alter table crosswalk_entry
  add column recorded_at timestamptz not null default crossdock_now(),
  add column recorded_by text;
-- Not looked for in what operators wrote before.
alter table crosswalk_entry add constraint crosswalk_entry_valid check (valid_from < valid_to) not valid;
create index on crosswalk_entry (kind, our_code);

-- When what was set aside happened in business: codes in it are those of that time.
alter table parked_record add column business_at timestamptz;

-- As before, and through the crosswalk: a record that names a code of its system runs when an entry says what it means.
-- wait_key: `<scope> <key>` of an item, `sku <code>`, `account/<company id> <code>`, `location <code>` or `crosswalk/<kind> <outside id>`.
create or replace view awaited_record as
  select p.parked_id from parked_record p join sku s on s.code = substr(p.wait_key, 5) and s.withdrawn_at is null
   where p.state = 'open' and p.wait_key like 'sku %'
  union all
  select p.parked_id
    from parked_record p
    join account a on a.company_id = substr(split_part(p.wait_key, ' ', 1), 9)::int and a.code = substr(p.wait_key, strpos(p.wait_key, ' ') + 1)
     and a.withdrawn_at is null
   where p.state = 'open' and p.wait_key ~ '^account/[0-9]+ '
  union all
  select p.parked_id
    from parked_record p
    join inbound i on i.scope = split_part(p.wait_key, ' ', 1) and i.key = substr(p.wait_key, strpos(p.wait_key, ' ') + 1) and i.state = 'a'
   where p.state = 'open' and p.wait_key is not null and p.wait_key !~ '^(sku|account/[0-9]+|location|crosswalk/[a-z]+) '
  union all
  select p.parked_id
    from parked_record p
    join crosswalk_entry c on c.system = p.system and c.kind = 'sku' and c.outside_id = substr(p.wait_key, 5)
     and c.valid_from <= coalesce(p.business_at, crossdock_now()) and c.valid_to > coalesce(p.business_at, crossdock_now())
    join sku s on s.code = c.our_code and s.withdrawn_at is null
   where p.state = 'open' and p.wait_key like 'sku %'
  union all
  select p.parked_id
    from parked_record p
    join crosswalk_entry c on c.system = p.system and c.kind = 'account' and c.outside_id = substr(p.wait_key, strpos(p.wait_key, ' ') + 1)
     and c.valid_from <= coalesce(p.business_at, crossdock_now()) and c.valid_to > coalesce(p.business_at, crossdock_now())
    join account a on a.company_id = substr(split_part(p.wait_key, ' ', 1), 9)::int and a.code = c.our_code and a.withdrawn_at is null
   where p.state = 'open' and p.wait_key ~ '^account/[0-9]+ '
  union all
  select p.parked_id
    from parked_record p
    join crosswalk_entry c on c.system = p.system and c.kind = 'location' and c.outside_id = substr(p.wait_key, 10)
     and c.valid_from <= coalesce(p.business_at, crossdock_now()) and c.valid_to > coalesce(p.business_at, crossdock_now())
    join location l on l.code = c.our_code
   where p.state = 'open' and p.wait_key like 'location %'
  union all
  select p.parked_id
    from parked_record p
    join crosswalk_entry c on c.system = p.system and c.kind = substr(split_part(p.wait_key, ' ', 1), 11)
     and c.outside_id = substr(p.wait_key, strpos(p.wait_key, ' ') + 1)
     and c.valid_from <= coalesce(p.business_at, crossdock_now()) and c.valid_to > coalesce(p.business_at, crossdock_now())
   where p.state = 'open' and p.wait_key like 'crosswalk/%';

-- What accounts are known by beside their names, as each system said it last.
create table account_identity (
  account_id bigint not null references account on delete cascade,
  kind       text collate "C" not null check (kind in ('taxId', 'email', 'postalCode')),
  system     text collate "C" not null,
  value      text not null,
  primary key (account_id, kind, system)
);
-- What records are found by when one arrives that may be the same; seen_at: what they were made of.
create table match_key (
  kind       text collate "C" not null,               -- account
  company_id int not null,
  key        text collate "C" not null,
  subject_id bigint not null,
  primary key (kind, company_id, key, subject_id)
);
create index on match_key (kind, subject_id);
create table match_subject (
  kind       text collate "C" not null,
  subject_id bigint not null,
  seen_at    timestamptz not null,
  primary key (kind, subject_id)
);
-- A record of a system that may be one of ours: decided by a rule or a person, or open.
create table match_case (
  match_id    bigint generated always as identity primary key,
  kind        text collate "C" not null,
  system      text collate "C" not null,
  company_id  int not null,
  outside_id  text collate "C" not null,
  record      json not null,                          -- as it arrived last
  state       text collate "C" not null check (state in ('open', 'merged', 'apart', 'undone')),
  our_code    text collate "C",                       -- what it is here, once that is decided
  decided_by  text,                                   -- a person, or `rule`
  reason      text,
  recorded_at timestamptz not null default crossdock_now(),
  decided_at  timestamptz
);
create unique index on match_case (kind, system, company_id, outside_id) where state = 'open';
create index on match_case (state, match_id);
create table match_candidate (
  match_id   bigint not null references match_case on delete cascade,
  our_code   text collate "C" not null,
  rule       text collate "C" not null,
  score      numeric not null check (score between 0 and 1),
  record     json not null,                           -- ours, as it was compared
  primary key (match_id, our_code)
);
-- Two that are not the same: never proposed again.
create table match_apart (
  kind       text collate "C" not null,
  system     text collate "C" not null,
  company_id int not null,
  outside_id text collate "C" not null,
  our_code   text collate "C" not null,
  primary key (kind, system, company_id, outside_id, our_code)
);
