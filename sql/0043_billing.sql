-- Charges and tax are told, invoiced, cancelled and credited in parts. How far each charge has come; guarded by the order's row.
-- amount = due + cancelled + what is still to come; refunded is of what is due.
alter table order_charge
  add column due_minor           bigint not null default 0,  -- told with what left
  add column due_tax_minor       bigint not null default 0,
  add column cancelled_minor     bigint not null default 0,
  add column cancelled_tax_minor bigint not null default 0,
  add column refunded_minor      bigint not null default 0,  -- with what came back
  add column refunded_tax_minor  bigint not null default 0,
  add column invoiced_minor      bigint not null default 0,  -- by the documents of whoever invoices
  add column invoiced_tax_minor  bigint not null default 0,
  add column credited_minor      bigint not null default 0,
  add column credited_tax_minor  bigint not null default 0;

-- Of an order with charges or taxes: the goods that its charges follow, as amounts. Others have no row.
create table order_billing (
  order_id        bigint primary key,
  accepted_minor  bigint not null,
  cancelled_minor bigint not null default 0,
  shipped_minor   bigint not null default 0,
  returned_minor  bigint not null default 0             -- given back for money
) with (fillfactor = 70);
-- Tax of its lines in the documents of whoever invoices; only of lines of which there is any.
create table order_line_tax (
  order_id       bigint not null,
  line_no        int not null,
  invoiced_minor bigint not null default 0,
  credited_minor bigint not null default 0,
  primary key (order_id, line_no)
) with (fillfactor = 70);

-- Orders from before.
insert into order_billing (order_id, accepted_minor, cancelled_minor, shipped_minor, returned_minor)
select o.order_id, coalesce(sum(round(l.amount_minor * (l.quantity - l.refused)::numeric / l.quantity)), 0), coalesce(sum(l.cancelled_minor), 0),
       coalesce(sum(l.shipped_minor), 0), coalesce(sum(l.returned_minor), 0)
  from sales_order o join order_line l using (order_id) where o.is_charged group by o.order_id;

-- What documents said beside lines; null: their source says nothing of charges, or of tax.
alter table invoice
  add column charges   json,                            -- [{chargeNo, kind, code, amountMinor, taxMinor}]
  add column tax_minor bigint;
alter table shipment add column charges json;           -- [{chargeNo, amountMinor, taxMinor}]
-- The same for what came back.
alter table return_line
  add column received_tax_minor bigint not null default 0,
  add column decided_tax_minor  bigint not null default 0,
  add column credit_tax_minor   bigint not null default 0;

-- What `verify` asks of parts of amounts. Whether one goes beyond the whole, or against it.
create function goes_beyond(part numeric, whole numeric) returns boolean language sql immutable parallel safe
return sign(part) * sign(whole) < 0 or abs(part) > abs(whole);
-- What was invoiced, less what of it was credited beyond what came back: a credit note may set right what was too much.
create function net_invoiced(invoiced numeric, credited numeric, back numeric) returns numeric language sql immutable parallel safe
return invoiced - credited + greatest(least(credited, greatest(back, 0)), least(back, 0));
-- Whether more was given back than was charged.
create function over_credited(invoiced numeric, credited numeric, whole numeric) returns boolean language sql immutable parallel safe
return credited <> 0 and (invoiced - credited) * sign(whole) < 0;
-- Of the tax of a line, what belongs to units counted from the end of what was accepted.
create function tax_from_end(tax bigint, quantity bigint, accepted bigint, units bigint) returns numeric language sql immutable parallel safe
return round(tax * accepted::numeric / quantity) - round(tax * (accepted - units)::numeric / quantity);
-- The same of its amount.
create function amount_from_end(price numeric, accepted bigint, units bigint, currency text, per bigint) returns bigint language sql immutable parallel safe
return amount_minor(price, accepted, currency, per) - amount_minor(price, accepted - units, currency, per);
