-- A month whose partition comes late may lie in the default one already: a hub that stood still for months, rows that a command
-- loaded before the next start. They move into the new partition; to refuse would stop every start of that month.
create or replace function crossdock_ensure_partitions(p_from timestamptz, p_months int) returns int
language plpgsql
as $$
declare
  parent text;
  month_start timestamptz;
  part text;
  in_month text;
  late boolean;
  made int := 0;
begin
  perform pg_advisory_xact_lock(7302001);
  for parent in select table_name from partitioned_table order by table_name loop
    for i in 0 .. p_months loop
      month_start := date_trunc('month', p_from at time zone 'UTC') at time zone 'UTC' + make_interval(months => i);
      part := parent || '_p' || to_char(month_start at time zone 'UTC', 'YYYYMM');
      if to_regclass(part) is not null then
        continue;
      end if;
      in_month := format('recorded_at >= %L and recorded_at < %L', month_start, month_start + interval '1 month');
      -- As making a partition does: nobody adds to the month between the look and the new partition.
      execute format('lock table %I in access exclusive mode', parent || '_default');
      execute format('select exists (select from %I where %s)', parent || '_default', in_month) into late;
      if not late then
        execute format('create table %I partition of %I for values from (%L) to (%L)',
          part, parent, month_start, month_start + interval '1 month');
      else
        -- Its numbers are the parent's: a partition counts none of its own.
        execute format('create table %I (like %I including all excluding identity)', part, parent);
        execute format('with moved as (delete from %I where %s returning *) insert into %I select * from moved',
          parent || '_default', in_month, part);
        execute format('alter table %I attach partition %I for values from (%L) to (%L)',
          parent, part, month_start, month_start + interval '1 month');
      end if;
      made := made + 1;
    end loop;
  end loop;
  return made;
end
$$;
