-- Goods that come back are inspected before they are on hand again, where the estate says so. What came and nobody has looked at, and what
-- is set apart, is in no balance: it is not on hand, and nothing of it is promised to anybody.
alter table location add column returns json;           -- as the estate declares it
alter table return_authorisation
  add column reason     text,
  add column inspection text collate "C";             -- null: goods are on hand as they come in | before_credit | after_credit

-- How far each line of a return has come. Guarded by the order's row. in inspection = received - restocked - scrapped - quarantined.
create table return_line (
  order_id       bigint not null,
  return_id      bigint not null,
  line_no        int not null,
  sku_id         bigint not null,
  location_id    int not null,
  quantity       bigint not null,                     -- authorised
  received       bigint not null default 0,
  restocked      bigint not null default 0,           -- on hand again
  scrapped       bigint not null default 0,
  quarantined    bigint not null default 0,
  received_minor bigint not null default 0,           -- what the received units were sold for
  decided_minor  bigint not null default 0,           -- of that, of units that were restocked or scrapped
  credit_minor   bigint not null default 0,           -- of that, what who sent them gets back
  primary key (order_id, return_id, line_no),
  check (least(quantity, restocked, scrapped, quarantined, received - restocked - scrapped - quarantined) >= 0),
  check (credit_minor between 0 and received_minor and decided_minor between 0 and received_minor)
) with (fillfactor = 70);
create index on return_line (return_id);
create index on return_line (sku_id, location_id) where received > restocked + scrapped;

-- Returns from before: what came in was on hand at once, and the ERP was asked for all of it.
insert into return_line (order_id, return_id, line_no, sku_id, location_id, quantity, received, restocked, received_minor, decided_minor, credit_minor)
select r.order_id, r.return_id, x."lineNo", l.sku_id, r.location_id, sum(x.quantity), coalesce(max(c.units), 0), coalesce(max(c.units), 0),
       coalesce(max(c.minor), 0), coalesce(max(c.minor), 0), coalesce(max(c.minor), 0)
  from return_authorisation r
 cross join lateral json_to_recordset(r.lines) as x("lineNo" int, quantity bigint)
  join order_line l on l.order_id = r.order_id and l.line_no = x."lineNo"
  left join (select t.order_id, t.return_id, y."lineNo" as line_no, sum(y.quantity) as units, sum(y."amountMinor") as minor
               from return_receipt t cross join lateral json_to_recordset(t.lines) as y("lineNo" int, quantity bigint, "amountMinor" bigint)
              group by t.order_id, t.return_id, y."lineNo") c
       on c.order_id = r.order_id and c.return_id = r.return_id and c.line_no = x."lineNo"
 group by r.order_id, r.return_id, x."lineNo", l.sku_id, r.location_id;

-- What became of goods of a return, each time somebody said it.
create table return_inspection (
  order_id      bigint not null,
  order_version bigint not null,
  return_id     bigint not null,
  lines         json not null,                        -- [{lineNo, restock, scrap, quarantine, from, credited, amountMinor, creditMinor, askedMinor}]
  inspected_by  text not null,
  reason        text,
  inspected_at  timestamptz not null,
  recorded_at   timestamptz not null default crossdock_now(),
  primary key (order_id, order_version)
);

-- What waits for a return: until it is authorised under the reference that it was asked for with, or until so many units of a line came.
-- or are set apart. wait_key: `authorised <order id> <reference>`, `returned <return id> <line number> <units>`, `quarantined …` the same.
create view awaited_return as
  select p.parked_id
    from parked_record p
    join return_authorisation r
      on r.order_id = case when p.wait_key like 'authorised %' then split_part(p.wait_key, ' ', 2)::bigint end
     and (r.reference = substr(p.wait_key, 13 + length(split_part(p.wait_key, ' ', 2)))
          or starts_with(r.reference, substr(p.wait_key, 13 + length(split_part(p.wait_key, ' ', 2))) || '/F'))
   where p.state = 'open' and p.wait_key like 'authorised %'
  union
  select p.parked_id
    from parked_record p
    join return_line l
      on l.return_id = case when p.wait_key ~ '^(returned|quarantined) ' then split_part(p.wait_key, ' ', 2)::bigint end
     and l.line_no = case when p.wait_key ~ '^(returned|quarantined) ' then split_part(p.wait_key, ' ', 3)::int end
     and case when p.wait_key like 'returned %' then l.received else l.quarantined end
         >= case when p.wait_key ~ '^(returned|quarantined) ' then split_part(p.wait_key, ' ', 4)::bigint end
   where p.state = 'open' and p.wait_key ~ '^(returned|quarantined) ';

-- What an order costs beside its goods, and its tax as whoever sold it said: agreed with the order and never worked out again.
create table order_charge (
  order_id     bigint not null,
  charge_no    int not null,
  kind         text collate "C" not null,             -- freight | allowance | surcharge | other
  code         text collate "C" not null,
  amount_minor bigint not null,                       -- below 0: taken off
  tax_minor    bigint not null,                       -- its part of the order's tax
  primary key (order_id, charge_no)
);
create table order_tax (
  order_id   bigint not null,
  tax_no     int not null,
  line_no    int,                                     -- of a line, of a charge, or of the whole order
  charge_no  int,
  code       text collate "C" not null,
  rate       numeric not null,                        -- per cent
  base_minor bigint not null,
  tax_minor  bigint not null,
  own_minor  bigint,                                  -- what our rounding rule makes of it; null: the channel declares none
  primary key (order_id, tax_no),
  check (line_no is null or charge_no is null)
);
alter table sales_order
  add column is_charged    boolean not null default false, -- has charges or taxes: others are not asked for any
  add column charges_minor bigint not null default 0,
  add column tax_minor     bigint not null default 0;
alter table order_line add column tax_minor bigint not null default 0; -- its part of the order's tax, for all of its units
