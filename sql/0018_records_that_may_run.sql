-- What was set aside and waits for an item, a product or an account that has come since. wait_key: `<scope> <key>` of an item,
-- `sku <code>` or `account/<company id> <code>`. One join a kind, each by the key of what is awaited.
create view awaited_record as
  select p.parked_id from parked_record p join sku s on s.code = substr(p.wait_key, 5)
   where p.state = 'open' and p.wait_key like 'sku %'
  union all
  select p.parked_id
    from parked_record p
    join account a on a.company_id = substr(split_part(p.wait_key, ' ', 1), 9)::int and a.code = substr(p.wait_key, strpos(p.wait_key, ' ') + 1)
   where p.state = 'open' and p.wait_key ~ '^account/[0-9]+ '
  union all
  select p.parked_id
    from parked_record p
    join inbound i on i.scope = split_part(p.wait_key, ' ', 1) and i.key = substr(p.wait_key, strpos(p.wait_key, ' ') + 1) and i.state = 'a'
   where p.state = 'open' and p.wait_key is not null and p.wait_key !~ '^(sku|account/[0-9]+) ';
