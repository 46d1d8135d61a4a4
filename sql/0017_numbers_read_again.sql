-- A number that is on its way when its channel takes units back is read once more after it was written.
alter table publication add column read_again boolean not null default false;
