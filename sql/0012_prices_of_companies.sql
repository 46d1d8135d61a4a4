-- A price belongs to a company: its price lists, what its channels show. Until now there was one for all that had its currency, so
-- each of them gets what it had; a price in a currency of none goes to the first.
alter table price drop constraint price_pkey;
alter table price add column company_id int references company;
insert into price (company_id, sku_id, price_list, currency, valid_from, unit_price, updated_at)
select c.company_id, p.sku_id, p.price_list, p.currency, p.valid_from, p.unit_price, p.updated_at
  from price p
  join company c on c.currency = p.currency
    or c.company_id = (select min(company_id) from company)
       and not exists (select from company o where o.currency = p.currency)
 where p.company_id is null;
delete from price where company_id is null;
alter table price alter column company_id set not null;
alter table price add primary key (company_id, sku_id, price_list, currency, valid_from);
