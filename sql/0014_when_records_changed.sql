-- Products, accounts and prices arrive from their systems too: of two changes the later one holds, in whatever order they come.
alter table sku add column changed_at timestamptz not null default '-infinity';
alter table account add column changed_at timestamptz not null default '-infinity';
alter table price add column changed_at timestamptz not null default '-infinity';
