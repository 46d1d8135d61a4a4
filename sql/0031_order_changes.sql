-- Orders that change after they were accepted. Units that are added are lines of their own: an amount belongs to its line for ever, and
-- parts of it add up to the minor unit only while the line stays what it was.
alter table order_line
  add column adds_to    int,                           -- the line of who ordered that these units were added to; its own number: a new line
  add column awaits_erp boolean not null default false; -- added, and the ERP hasn't confirmed it: nothing of it is asked of a WMS
create index on order_line (order_id) where adds_to is not null;
create index on order_line (order_id) where awaits_erp;

-- What was asked of an order by its changes, and what each line was answered. Of two changes that their channel has numbered the higher
-- one holds, for the lines that it names, in whatever order they arrive.
create table order_change (
  order_id       bigint not null,
  change_version bigint not null,                      -- the order's version of its fact
  last_version   bigint not null,                      -- of the last fact that it led to at once
  reference      text collate "C" not null,
  number         bigint,                               -- the channel's own
  is_whole       boolean not null,                     -- lines that it does not name are removed
  lines          json not null,
  recorded_at    timestamptz not null default crossdock_now(),
  primary key (order_id, change_version)
) with (fillfactor = 90);

-- Units that a WMS was told to pick and could not find are an exception of their order, too: found elsewhere, they are `resourced`.
alter table order_exception
  add column resourced bigint not null default 0,      -- allocated at another place, at once
  drop constraint order_exception_check,
  add constraint order_exception_check
    check (units = held + backordered + cancelled + substituted + resourced and least(held, backordered, cancelled, substituted, resourced) >= 0);
