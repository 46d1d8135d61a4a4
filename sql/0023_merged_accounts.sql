-- Two accounts of a system that became one: what arrives for the one that is gone is the other's. What it has stays under it.
alter table account add column merged_into bigint references account check (merged_into <> account_id);
create index account_merged on account (merged_into) where merged_into is not null;
