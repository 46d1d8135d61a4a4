import {
  type DatabaseDescription,
  databaseStand,
  describeSystem,
  type FeedRow,
  sampleOrderChange,
} from '../kit/conformance/index.ts';

type Rec = Record<string, unknown>;

const text = (value: unknown): string | null =>
  value == null ? null : typeof value === 'string' ? value : JSON.stringify(value);
/** Its columns of numbers and days hold nothing else. */
const number = (value: unknown): string | null =>
  /^-?\d{1,12}(\.\d{1,9})?$/.test(text(value) ?? '') ? text(value) : null;
const day = (value: unknown): string | null => (/^20\d\d-[01]\d-[0-2]\d$/.test(text(value) ?? '') ? text(value) : null);

/** Of the ledger's own tables what this connector touches, under their names; `once`: what has an id is there once, as its keys see to. */
const system: DatabaseDescription = {
  setUp: `
    create table defaults (setting_key text primary key, value text);
    insert into defaults values ('curr', 'USD:EUR'), ('sonumber', '1000'), ('version', '1.6.33'), ('audittrail', '0');
    create table entity_credit_account (id int, entity_id int, entity_class int, meta_number text, creditlimit numeric, terms int, curr text,
      startdate date, enddate date, taxincluded boolean, ar_ap_account_id int);
    create table entity (id int);
    create table company (entity_id int, legal_name text, tax_id text);
    create table eca_tax (eca_id int);
    create table ar (id int, invnumber text, ordnumber text, transdate date, netamount numeric, curr text, intnotes text, invoice boolean,
      approved boolean, reverse boolean);
    create table invoice (id int, trans_id int, parts_id int, qty numeric, sellprice numeric, unit text);
    create table parts (id int, partnumber text, description text, unit text, listprice numeric, sellprice numeric, onhand numeric,
      obsolete boolean default false, assembly boolean default false, inventory_accno_id int, income_accno_id int);
    create sequence ids start 1000000;
    create table oe (id int default nextval('ids'), ordnumber text, transdate date, amount numeric, netamount numeric, taxincluded boolean,
      curr text, closed boolean default false, quotation boolean default false, terms smallint, ponumber text, intnotes text,
      entity_credit_account int, oe_class_id int default 1);
    create table orderitems (id int default nextval('ids'), trans_id int, parts_id int, description text, qty numeric, sellprice numeric,
      discount numeric, unit text, ship numeric);
    create index on entity_credit_account (id);
    create index on parts (id);
    create index on parts (partnumber);
    create index on oe (id);
    create index on oe (ordnumber);
    create index on orderitems (id);
    create index on orderitems (trans_id);
    create function setting_increment(which text) returns text language sql as
      $f$ update defaults set value = (value::int + 1)::text where setting_key = which returning value $f$;
    create function once() returns trigger language plpgsql as $f$
      begin execute format('delete from %I where id = $1', tg_table_name) using new.id; return new; end $f$;
    create trigger once before insert on entity_credit_account for each row execute function once();
    create trigger once before insert on parts for each row execute function once();
    create trigger once before insert on oe for each row execute function once();
    create trigger once before insert on orderitems for each row execute function once();
    insert into entity_credit_account (id, entity_class, meta_number, terms, curr) values (900001, 2, '100005', 30, 'USD');
    insert into parts (id, partnumber, description, unit) values (900001, 'sku0001', 'ITEM 1', 'ea'), (900002, 'sku0006', 'ITEM 6', 'doz');
    insert into oe (id, ordnumber, transdate, amount, netamount, curr, intnotes, entity_credit_account)
      select 800000 + n, 'SOC' || n, '2026-03-01', 15, 15, 'USD', 'crossdock:shop/88' || n || E'10\\nlines 1,2', 900001
        from generate_series(1, 60) n;
    insert into orderitems (id, trans_id, parts_id, qty, sellprice, discount, unit, ship)
      select 700000 + 10 * n + l, 800000 + n, 900000 + l, case l when 1 then 3 else 1 end, case l when 1 then 2 else 9 end, 0,
             case l when 1 then 'ea' else 'doz' end, 0
        from generate_series(1, 60) n, generate_series(1, 2) l`,
  feeds: {
    orders: {
      tables: ['oe', 'orderitems', 'parts', 'entity_credit_account'],
      rowsOf: (row) => {
        const raw = (row.raw ?? {}) as Rec;
        return {
          oe: [
            {
              ...{ id: row.n, ordnumber: text(raw.ordnumber), transdate: day(raw.transdate), curr: text(raw.curr) },
              entity_credit_account: row.n,
              ...{ closed: false, quotation: false, oe_class_id: 1 },
            },
          ],
          orderitems: [
            {
              ...{ id: row.n, trans_id: row.n, parts_id: row.n, qty: number(raw.quantity), ship: '0' },
              ...{ sellprice: number(raw.price), discount: '0', unit: text(raw.unit) },
            },
          ],
          parts: [partOf(row)],
          entity_credit_account: [accountOf(row)],
        };
      },
    },
  },
  effects: {
    sales_order: `select count(*)::int as n from oe
                   where split_part(intnotes, E'\\n', 1) = 'crossdock:' || $1
                     and (select count(*) from orderitems i where i.trans_id = oe.id) = 2`,
    order_change: `select count(*)::int as n from oe
                   where 'added ' || $1 = any(string_to_array(intnotes, E'\\n')) and amount = 19 and netamount = 19 and not closed
                     and intnotes like E'%\\nlines 1,2,100%'
                     and (select sum(qty) from orderitems i where i.trans_id = oe.id) = 6`,
    order_cancellation: `select count(*)::int as n from oe
                   where 'cancelled ' || $1 = any(string_to_array(intnotes, E'\\n')) and amount = 11
                     and (select sum(qty) from orderitems i where i.trans_id = oe.id) = 2`,
  },
  ends: `update oe set closed = true where split_part(intnotes, E'\\n', 1) = 'crossdock:' || $1`,
  written: ['oe', 'orderitems'],
};

function partOf({ n, raw }: FeedRow): Rec {
  const { partnumber, description, unit, listprice, sellprice, onhand } = (raw ?? {}) as Rec;
  return {
    ...{ id: n, partnumber: text(partnumber), description: text(description), unit: text(unit) },
    ...{ listprice: number(listprice), sellprice: number(sellprice), onhand: number(onhand) },
  };
}

function accountOf({ n, raw }: FeedRow): Rec {
  const { meta_number, creditlimit, curr } = (raw ?? {}) as Rec;
  return {
    ...{ id: n, entity_id: n, entity_class: 2, meta_number: text(meta_number) },
    ...{ creditlimit: number(creditlimit), curr: text(curr), terms: 30 },
  };
}

const ordered = (n: number, changes: Rec = {}): Rec => ({
  ...{ ordnumber: `SO53${n}`, meta_number: '100001', curr: 'USD', transdate: '2026-06-28' },
  ...{ partnumber: 'sku0021', unit: 'ea', quantity: '2', price: '33.77' },
  ...changes,
});

/** As many changes as a comparison hands over at once. */
const pageMax = 500;
const lines = [
  { lineNo: 1, sku: 'SKU0001', quantity: 3, unitPrice: '2.00', amountMinor: 600 },
  { lineNo: 2, sku: 'SKU0006', quantity: 12, unitPrice: '0.75', amountMinor: 900 },
];

/**
 * Orders, both ways. Its other feeds tell when they were read, in facts and keys, so no reading of theirs equals another; invoices go through
 * the ledger's own stored functions. Those are held by its own tests and the live one.
 */
export default describeSystem({
  transport: 'own',
  standsIn: 'database',
  context: {
    settings: {
      company: 'US',
      location: 'DC-EAST',
      units: { ea: 1, doz: 12 },
      writes: true,
      invoices: true,
      charges: { late_fee: 'LATE-FEE' },
      invoicesFrom: '2026-01-01',
    },
  },
  stand: (rows, spoil, { database, token }) => databaseStand(rows, spoil, database, token, system),
  feeds: {
    orders: {
      ...{ pageMax, placeFields: [], record: (n) => ordered(n) },
      broken: (_at, seq) => [
        ordered(seq, { curr: 'dollars' }),
        ordered(seq, { quantity: '1.5' }),
        ordered(seq, { unit: 'box' }),
      ],
    },
  },
  deliveries: {
    sales_order: (n) => ({
      reference: `shop/77${n}10`,
      payload: {
        company: 'US',
        account: '100005',
        currency: 'USD',
        orderedAt: '2026-03-01T09:00:00Z',
        totalMinor: 1500,
        lines,
      },
    }),
    order_change: (n) => sampleOrderChange(n, { order: `shop/88${n}10`, sku: 'SKU0001', unitPrice: '2.00' }),
    order_cancellation: (n) => ({
      reference: `C77${n}10`,
      payload: { order: `shop/88${n}10`, lines: [{ lineNo: 1, sku: 'SKU0001', quantity: 2, amountMinor: 400 }] },
    }),
  },
  skip: {
    'declaration.described':
      'products, accounts, stock and invoices say in facts and keys when they were read, so that no two readings are the same',
    'record.no_record':
      'its columns have types: what is no record is in no row, and an order line without a quantity is not open',
    'record.unstorable': 'PostgreSQL, which stands in, stores neither, so no row of it can hold them',
    'record.not_utf8': 'the server gives texts in UTF-8, whatever it keeps them in, and refuses what is none',
  },
});
