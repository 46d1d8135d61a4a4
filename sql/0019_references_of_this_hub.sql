-- What the hub names by its own numbers (F12, R5, C/7/3) is looked up in systems by that name, for ever. Another hub of theirs, or this one
-- over a new database, counts from one, too: the ending tells them apart. Databases that named things before keep their names.
create table hub (
  is_only          boolean primary key default true check (is_only),
  reference_ending text collate "C" not null check (reference_ending ~ '^(-[0-9A-Z]{4})?$')
);
insert into hub (reference_ending)
select case when exists (select from sales_order) then ''
            else '-' || string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + get_byte(uuid_send(gen_random_uuid()), n) % 32, 1), '') end
  from generate_series(0, 3) as n;

create function reference_ending() returns text language sql stable parallel safe
return (select reference_ending from hub);
create function fulfilment_reference(fulfilment_id bigint) returns text language sql stable parallel safe
return 'F' || fulfilment_id::text || reference_ending();
create function return_reference(return_id bigint) returns text language sql stable parallel safe
return 'R' || return_id::text || reference_ending();
