-- From where and when orders are served, and what of it they were promised.

-- What a location declares of it: calendar and its rule, position, cost, receiving days; null: nothing.
alter table location add column settings json;

-- What few orders say of from where and when they are to be served.
alter table sales_order
  add column ship_complete boolean not null default false, -- nothing of it leaves before all of it is there
  add column requested_at  timestamptz,                     -- it is not promised before
  add column ship_to       json;                            -- {latitude, longitude}: distances are measured to it
