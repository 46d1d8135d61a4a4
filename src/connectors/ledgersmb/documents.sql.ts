/** LedgerSMB 1.6's tables of invoices, in the order in which its own `post_invoice` (`IS.pm`) fills them. Values are bound. */

/** The first line of a note; browsers make the ends of lines longer. */
const FIRST_LINE = `split_part(translate(intnotes, E'\\r', ''), E'\\n', 1)`;

export const documentsBy = `
select ${FIRST_LINE} as note, invnumber as number, approved::text from ar where ${FIRST_LINE} = any($1::text[]) order by id`;

export const ordersByNote = `
select ${FIRST_LINE} as note, ordnumber as number from oe where oe_class_id = 1 and ${FIRST_LINE} = any($1::text[]) order by id`;

/** Of lines below the first one: cancellations and changes. */
export const notedBy = `
select n.line as note, o.ordnumber as number
  from oe o cross join unnest(string_to_array(translate(o.intnotes, E'\\r', ''), E'\\n')) as n (line)
 where o.oe_class_id = 1 and o.intnotes like 'crossdock:%' and n.line = any($1::text[]) order by o.id`;

/** What decides whether an invoice can be written by SQL alone, and how. */
export const invoiceRules = `
select (select value from defaults where setting_key = 'curr') as currencies,
       (select value from defaults where setting_key = 'sinumber') as sinumber,
       (select value from defaults where setting_key = 'gapless_ar') as gapless,
       (select value from defaults where setting_key = 'separate_duties') as separate_duties,
       (select value from defaults where setting_key = 'version') as version,
       (select max(end_date)::text from account_checkpoint) as closed_to,
       current_date::text as today`;

const ACCOUNT = `
       a.id::text as account_id, a.meta_number, a.ar_ap_account_id::text, a.curr as account_curr, a.terms::text as account_terms,
       coalesce(a.taxincluded, false)::text as taxincluded, (select count(*) from eca_tax t where t.eca_id = a.id)::text as taxes,
       a.startdate::text, a.enddate::text`;

/** An order of ours by its note, or one that was read from here by its number. Locked, so that two documents of it do not count twice. */
export const orderFor = `
select o.id::text, o.ordnumber, o.curr, o.intnotes, o.terms::text, coalesce(o.closed, false)::text as closed,
       trim_scale(o.amount)::text as amount, ${ACCOUNT}
  from oe o join entity_credit_account a on a.id = o.entity_credit_account
 where o.oe_class_id = 1 and not coalesce(o.quotation, false)
   and (${FIRST_LINE.replace('intnotes', 'o.intnotes')} = $1
        or o.ordnumber = $2 and coalesce(o.intnotes, '') not like 'crossdock:%')
 order by o.id for update of o for share of a`;

export const accountFor = `
select ${ACCOUNT} from entity_credit_account a where a.entity_class = 2 and a.meta_number = $1 for share of a`;

/** The price is what the order's own screen makes of price and discount. */
export const orderLines = `
select i.id::text, i.parts_id::text, p.partnumber, coalesce(i.description, p.description) as description, coalesce(i.unit, '') as unit,
       trim_scale(i.qty)::text as qty, trim_scale(coalesce(i.ship, 0))::text as ship, p.income_accno_id::text,
       trim_scale(i.sellprice - round(i.sellprice * coalesce(i.discount, 0), greatest(2, scale(trim_scale(i.sellprice)))))::text as price
  from orderitems i join parts p on p.id = i.parts_id where i.trans_id = $1::int order by i.id for update of i`;

export const servicePart = `
select p.id::text as parts_id, p.partnumber, p.description, coalesce(p.unit, '') as unit, p.income_accno_id::text,
       (p.inventory_accno_id is null and not coalesce(p.assembly, false))::text as service,
       coalesce(p.obsolete, false)::text as obsolete
  from parts p where p.partnumber = $1`;

/** The application's own function for its numbers; the row it changes is the lock that the application takes, too. */
export const nextInvoiceNumber = `select setting_increment('sinumber') as number`;

/** `reverse` is null where it is none, as the application leaves it. The person is who the session belongs to. */
export const insertInvoice = `
insert into ar (invnumber, ordnumber, transdate, crdate, duedate, entity_credit_account, amount, netamount, invoice, terms, intnotes,
                taxincluded, curr, person_id, ponumber, approved, reverse, is_return)
values ($1, $2, $3::date, $3::date, $3::date + $4::int, $5::int, $6::numeric, $6::numeric, true, $4::smallint, $7, false, $8,
        person__get_my_entity_id(), $9, $10::boolean, nullif($11::boolean, false), false)
returning id::text`;

export const nextLineIds = `select nextval('invoice_id_seq')::text as id from generate_series(1, $1::int)`;

export const insertLines = `
insert into invoice (id, trans_id, parts_id, description, qty, sellprice, precision, fxsellprice, discount, allocated, unit)
select l.id, $1::int, l.parts_id, l.description, l.qty, l.price, greatest(2, scale(trim_scale(l.price))), l.price, 0, 0, l.unit
  from unnest($2::int[], $3::int[], $4::text[], $5::numeric[], $6::numeric[], $7::text[])
       as l (id, parts_id, description, qty, price, unit)`;

/** A row for each line, as the application has one: nothing of it is reported on a form unless somebody ticks it. */
export const insertTaxForms = `insert into invoice_tax_form (invoice_id, reportable) select unnest($1::int[]), false`;

/** Each amount twice: in money, and what a rate makes more of it, which is nothing here. The largest first; last what is owed. */
export const insertAmounts = `
insert into acc_trans (trans_id, chart_id, amount, transdate, invoice_id, fx_transaction)
select $1::int, l.chart_id, case when fx then 0 else l.amount end, $2::date, l.invoice_id, fx
  from unnest($3::int[], $4::numeric[], $5::int[]) with ordinality as l (chart_id, amount, invoice_id, n)
 cross join unnest(array[false, true]) with ordinality as f (fx, m)
 order by l.invoice_id is null, l.amount desc, l.n, f.m`;

/** In the order of their numbers, so that two invoices wait for each other and never in a ring. */
export const lockParts = `select id::text from parts where id = any($1::int[]) order by id for update`;

export const takeOnHand = `
update parts p set onhand = coalesce(p.onhand, 0) - l.qty
  from (select parts_id, sum(qty) as qty from unnest($1::int[], $2::numeric[]) as t (parts_id, qty) group by parts_id) l
 where p.id = l.parts_id and (p.inventory_accno_id is not null or p.assembly)`;

/** The application's own cost of goods. Of a draft it comes when somebody approves it. */
export const addCostOfGoods = `
select cogs__add_for_ar_line(id) from (select id from invoice where trans_id = $1::int order by id) l`;

export const shipLines = `
update orderitems i set ship = coalesce(i.ship, 0) + l.qty
  from (select id, sum(qty) as qty from unnest($1::int[], $2::numeric[]) as t (id, qty) group by id) l where i.id = l.id`;

export const lowerLines = `
update orderitems i set qty = i.qty - l.qty
  from (select id, sum(qty) as qty from unnest($1::int[], $2::numeric[]) as t (id, qty) group by id) l where i.id = l.id`;

/** As the order's screen saves it: a line of nothing is none. */
export const dropLines = `delete from orderitems where trans_id = $1::int and qty = 0`;

export const closeShipped = `
update oe set closed = true
 where id = $1::int and not exists (select from orderitems i where i.trans_id = oe.id and i.qty > coalesce(i.ship, 0))`;

/** What was added is still to be shipped. */
export const openAgain = `update oe set closed = false where id = $1::int and closed`;

export const changeOrder = `
update oe set amount = $2::numeric, netamount = $2::numeric, intnotes = $3 where id = $1::int`;

/**
 * Posted invoices of a time on, with what their orders are and on which rows of those their parts stand. Only those whose order is known
 * here: what is invoiced without one is nobody's news.
 */
export const postedInvoices = `
select r.invnumber, r.intnotes, r.curr, r.transdate::text as transdate, trim_scale(r.netamount)::text as netamount,
       coalesce(r.reverse, false)::text as reverse, r.ordnumber, coalesce(o.count, 0)::text as orders, o.note as order_note,
       i.id::text as line_id, p.partnumber, coalesce(i.unit, '') as unit, trim_scale(i.qty)::text as quantity,
       round(i.qty * i.sellprice, 2)::text as amount, l.rows, (p.inventory_accno_id is null and not coalesce(p.assembly, false))::text as service,
       (select split_part(value, ':', 1) from defaults where setting_key = 'curr') as own_curr
  from ar r join invoice i on i.trans_id = r.id join parts p on p.id = i.parts_id
  left join lateral (select count(*) as count, min(x.id) as id, min(x.intnotes) as note from oe x
                      where x.oe_class_id = 1 and not coalesce(x.quotation, false) and x.ordnumber = r.ordnumber) o on true
  left join lateral (select string_agg(x.n::text, ',' order by x.n) as rows
                       from (select y.parts_id, row_number() over (order by y.id) as n from orderitems y where y.trans_id = o.id) x
                      where x.parts_id = i.parts_id) l on true
 where r.invoice and r.approved and r.transdate >= $2::date and (r.intnotes like 'crossdock:%' or o.count > 0)
 order by r.id, i.id limit $1`;
