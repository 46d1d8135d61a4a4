/** LedgerSMB 1.6's own tables. Values are bound; names of columns are the maps'. */

export const products = `
select p.id::text, p.partnumber, p.description, coalesce(p.unit, '') as unit, trim_scale(p.listprice)::text as listprice,
       trim_scale(p.sellprice)::text as sellprice, p.obsolete::text, p.assembly::text,
       (select split_part(value, ':', 1) from defaults where setting_key = 'curr') as curr
  from parts p order by p.id limit $1`;

export const accounts = `
select a.id::text, a.meta_number, c.legal_name, c.tax_id, trim_scale(a.creditlimit)::text as creditlimit, a.terms::text, a.curr,
       a.enddate::text
  from entity_credit_account a join entity e on e.id = a.entity_id left join company c on c.entity_id = e.id
 where a.entity_class = 2 order by a.id limit $1`;

export const stock = `
select p.partnumber, trim_scale(coalesce(p.onhand, 0))::text as onhand, coalesce(p.unit, '') as unit
  from parts p
 where not coalesce(p.obsolete, false) and p.inventory_accno_id is not null and not coalesce(p.assembly, false)
 limit $1`;

/** Only what is still to be shipped. The price is what the order's own screen makes of price and discount. */
export const openOrders = `
select o.ordnumber, a.meta_number, o.curr, o.transdate::text as transdate, i.line_no::text as line_no, p.partnumber,
       coalesce(i.unit, '') as unit, trim_scale(i.qty - coalesce(i.ship, 0))::text as quantity,
       trim_scale(i.sellprice - round(i.sellprice * coalesce(i.discount, 0), greatest(2, scale(trim_scale(i.sellprice)))))::text as price
  from oe o
  join entity_credit_account a on a.id = o.entity_credit_account
  join (select x.*, row_number() over (partition by x.trans_id order by x.id) as line_no from orderitems x) i on i.trans_id = o.id
  join parts p on p.id = i.parts_id
 where o.oe_class_id = 1 and not o.closed and not coalesce(o.quotation, false) and i.qty > coalesce(i.ship, 0)
   and coalesce(o.intnotes, '') not like 'crossdock:%'
 order by o.id, i.line_no limit $1`;

export const now = `select to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as t`;

export const lockReference = 'select pg_advisory_xact_lock(hashtextextended($1, 0))';

/** What decides whether an order can be written by SQL alone. */
export const rules = `
select (select value from defaults where setting_key = 'curr') as currencies,
       (select value from defaults where setting_key = 'sonumber') as sonumber,
       (select value from defaults where setting_key = 'audittrail') as audittrail,
       (select value from defaults where setting_key = 'version') as version`;

export const account = `
select a.id::text, a.terms::text, a.curr, coalesce(a.taxincluded, false)::text as taxincluded,
       (select count(*) from eca_tax t where t.eca_id = a.id)::text as taxes,
       (coalesce(a.enddate, 'infinity') < $2::date or coalesce(a.startdate, '-infinity') > $2::date)::text as ended
  from entity_credit_account a where a.entity_class = 2 and a.meta_number = $1 for share of a`;

export const parts = `
select p.id::text, p.partnumber, p.description, coalesce(p.unit, '') as unit, coalesce(p.obsolete, false)::text as obsolete
  from parts p where upper(p.partnumber) = any($1::text[])`;

/** The application's own function for its numbers; the row it changes is the lock that the application takes, too. */
export const nextNumber = `select setting_increment('sonumber') as number`;

export const insertOrder = `
insert into oe (ordnumber, transdate, amount, netamount, taxincluded, curr, closed, quotation, terms, ponumber, intnotes,
                entity_credit_account, oe_class_id)
values ($1, $2::date, $3::numeric, $3::numeric, false, $4, false, false, $5::smallint, $6, $7, $8::int, 1)
returning id::text`;

export const insertLine = `
insert into orderitems (trans_id, parts_id, description, qty, sellprice, discount, unit, ship)
values ($1::int, $2::int, $3, $4::numeric, $5::numeric, 0, $6, 0)`;
