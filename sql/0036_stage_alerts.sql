-- Since when an order is in its state: what is stuck is seen by how long it has been there, by the database's clock.
alter table sales_order add column state_since timestamptz;
update sales_order set state_since = recorded_at;
alter table sales_order alter column state_since set not null, alter column state_since set default crossdock_now();

-- An order that is longer in a stage than the estate says it may. One for each time it is there; it ends when the order moves on.
create table stage_alert (
  alert_id    bigint generated always as identity primary key,
  order_id    bigint not null,
  channel_id  int not null,
  stage       text collate "C" not null,
  since       timestamptz not null,                    -- when the order entered the stage
  due_at      timestamptz not null,
  owner       text not null,
  state       text collate "C" not null default 'open', -- open | ended
  seen_by     text,                                    -- who said that they look after it
  recorded_at timestamptz not null default crossdock_now(),
  ended_at    timestamptz,
  unique (order_id, stage, since)
);
create index on stage_alert (alert_id) where state = 'open';
insert into expiring_table (table_name, retention_days) values ('stage_alert', 730);
