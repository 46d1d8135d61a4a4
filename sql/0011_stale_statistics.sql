-- After a crash PostgreSQL has forgotten how much of each table changed, so nothing analyzes it, and a question about all rows may
-- compare each with each: minutes instead of a second. Whoever asks such questions calls this first.
create function crossdock_analyze_stale() returns setof text
language plpgsql
as $$
declare
  stale record;
begin
  if pg_is_in_recovery() then
    return;
  end if;
  for stale in
    select schemaname, relname from pg_stat_user_tables
     where schemaname = current_schema() and pg_relation_size(relid) > 1048576
       and (coalesce(last_analyze, last_autoanalyze) is null or n_mod_since_analyze > n_live_tup / 10)
     order by relname
  loop
    execute format('analyze %I.%I', stale.schemaname, stale.relname);
    return next stale.relname;
  end loop;
end
$$;
