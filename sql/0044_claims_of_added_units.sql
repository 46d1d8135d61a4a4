-- A claim of its own for each line that a change adds to an order that the ERP has: a report that shows the order may be from before it.
alter table credit_claim
  add column line_no int not null default 0 check (line_no >= 0),  -- 0: the order as it was told first
  drop constraint credit_claim_pkey,
  add primary key (order_id, line_no);
