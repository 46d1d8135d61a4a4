-- What was set aside and waits for an item, a product or an account that has come since. wait_key: `<scope> <key>` of an item,
-- `sku <code>` or `account/<company id> <code>`.
create view awaited_record as
  select p.parked_id
    from parked_record p
    cross join lateral (select split_part(p.wait_key, ' ', 1) as scope, substr(p.wait_key, strpos(p.wait_key, ' ') + 1) as key) w
   where p.state = 'open' and p.wait_key is not null
     and case when w.scope = 'sku' then exists (select from sku s where s.code = w.key)
              when w.scope like 'account/%' then exists (select from account a where a.company_id = split_part(w.scope, '/', 2)::int and a.code = w.key)
              else exists (select from inbound i where i.scope = w.scope and i.key = w.key and i.state = 'a') end;
