-- Since when a kind is surely kept: what verify may expect to find. Written with each drop; null while nothing was ever dropped.
alter table partitioned_table add column kept_since timestamptz;
