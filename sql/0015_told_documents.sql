-- Channels and the CRM are told of shipments, invoices and returns one by one: what is told only if it is new needs the order's version
-- at which it came. Rows from before count as old news: they are part of a whole state, and of no change.
alter table shipment add column order_version bigint not null default 1;
alter table shipment alter column order_version drop default;
alter table shipment add column carrier text;
alter table shipment add column parcels json;         -- [{tracking, url}], where there is more to say than one tracking number
alter table invoice add column order_version bigint not null default 1;
alter table invoice alter column order_version drop default;

-- Goods of a return come back in parts; its authorisation says only what was expected. What came back before is in the lines' numbers alone.
create table return_receipt (
  order_id      bigint not null,
  order_version bigint not null,
  return_id     bigint not null,
  lines         json not null,                        -- [{lineNo, quantity, amountMinor}]
  received_at   timestamptz not null,
  recorded_at   timestamptz not null default crossdock_now(),
  primary key (order_id, order_version)
);
