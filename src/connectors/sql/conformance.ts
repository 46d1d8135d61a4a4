import {
  type DatabaseDescription,
  databaseStand,
  describeSystem,
  type FeedRow,
  sampleOrderChange,
} from '../kit/conformance/index.ts';

type Rec = Record<string, unknown>;

/** Columns are texts, as those of many old systems are: anything may stand in them but what PostgreSQL has no text for. */
function cell(value: unknown): string | null {
  return value == null ? null : typeof value === 'string' ? value : JSON.stringify(value);
}

const cells = (raw: unknown): Rec =>
  Object.fromEntries(Object.entries((raw ?? {}) as Rec).map(([name, value]) => [name, cell(value)]));

const one = (table: string) => (row: FeedRow) => ({
  [table]: [{ ...cells(row.raw), id: row.n, seq: row.seq, changed: row.at }],
});

const system: DatabaseDescription = {
  setUp: `
    create table moves (id bigint, seq bigint, changed timestamptz, no text, item text, place text, n text, at text);
    create table changes (like moves);
    create table levels (like moves);
    create table open_orders (id bigint, seq bigint, changed timestamptz, no text, buyer text, currency text, ordered_at text, item text, n text, price text);
    create table orders (number bigint generated always as identity, reference text not null unique, account text, total numeric(12, 2));
    create table order_lines (number bigint, line_no int, item text, n int check (n > 0));
    create table added_lines (number bigint generated always as identity, reference text not null, of_order text not null, line_no int,
      adds_to int, item text, n int check (n > 0), unique (reference, line_no));
    create table cancelled_lines (reference text not null, of_order text, line_no int, n int);
    insert into orders (reference, account, total) values ('shop/1', '17850', 15.30);
    create table charges (reference text not null, account text, amount numeric(12, 2))`,
  feeds: {
    moves: { tables: ['moves'], rowsOf: one('moves') },
    changes: { tables: ['changes'], rowsOf: one('changes') },
    levels: { tables: ['levels'], rowsOf: one('levels') },
    open_orders: { tables: ['open_orders'], rowsOf: one('open_orders') },
  },
  effects: {
    sales_order: `select count(*)::int as n from orders o
                   where o.reference = $1 and (select count(*) from order_lines l where l.number = o.number) = 2`,
    order_change: 'select count(*)::int as n from added_lines where reference = $1 and adds_to = 1 and n = 2',
    order_cancellation: 'select count(*)::int as n from cancelled_lines where reference = $1',
    charge: 'select count(*)::int as n from charges where reference = $1',
  },
  ends: 'delete from orders where reference = $1',
  written: ['orders', 'order_lines', 'added_lines', 'cancelled_lines', 'charges'],
};

const moved = (n: number, changes: Rec = {}): Rec => ({
  ...{ no: `A${n}`, item: '85123a', place: 'N', n: '-3', at: '2010-12-01T08:26:00Z' },
  ...changes,
});
const counted = (n: number, changes: Rec = {}): Rec => ({ item: `85123-${n}`, place: 'N', n: '12', ...changes });
const ordered = (n: number, changes: Rec = {}): Rec => ({
  ...{ no: `53${n}65`, buyer: '17850', currency: 'GBP', ordered_at: '2010-12-01T08:26:00Z' },
  ...{ item: '85123A', n: '6', price: '2.55' },
  ...changes,
});

const place = { from: 'place', codes: { N: 'north', S: 'south' } };
const adjusted = {
  as: 'adjusted',
  fields: { id: 'no', sku: 'item', location: place, quantity: 'n', occurredAt: 'at' },
} as const;
const pageRows = 20;
/** As long as it takes there to commit. */
const OVERLAP_SECONDS = 300;
const brokenMoves = (seq: number) => [
  moved(seq, { n: '2,5' }),
  moved(seq, { item: '' }),
  moved(seq, { at: '2010-02-30T08:26:00Z' }),
];

/**
 * All three cursors and two writes, in a PostgreSQL. A feed by comparison names the reading in its keys where states may come back
 * (`counted`), and the thing alone where they don't (`order`).
 */
export default describeSystem({
  transport: 'own',
  standsIn: 'database',
  context: {
    settings: {
      feeds: [
        {
          feed: 'moves',
          query: 'select * from moves',
          cursor: { by: 'time', at: 'changed', id: 'id', idType: 'integer', overlapSeconds: OVERLAP_SECONDS },
          map: adjusted,
          pageRows,
        },
        {
          feed: 'changes',
          query: 'select * from changes',
          cursor: { by: 'sequence', id: 'seq', overlapRows: 50 },
          map: adjusted,
          pageRows,
        },
        {
          feed: 'levels',
          query: 'select item, place, n from levels',
          cursor: { by: 'snapshot', key: ['item', 'place'], gone: { n: '0' } },
          map: {
            as: 'counted',
            fields: { sku: 'item', location: place, quantity: 'n', occurredAt: { value: '2010-12-01T08:26:00Z' } },
          },
          pageRows,
        },
        {
          feed: 'open_orders',
          query: 'select distinct no, buyer, currency, ordered_at, item, n, price from open_orders',
          cursor: { by: 'snapshot', key: ['no'] },
          map: {
            as: 'order',
            fields: {
              ...{ externalNo: 'no', account: 'buyer', company: { value: 'UK' }, currency: 'currency' },
              ...{ orderedAt: 'ordered_at', sku: 'item', quantity: 'n', unitPrice: 'price' },
            },
          },
          pageRows,
        },
      ],
      writes: {
        sales_order: {
          locate: 'select number from orders where reference = :reference',
          statements: [
            {
              text: 'insert into orders (reference, account, total) values (:reference, :account, :totalMinor::numeric / 100)',
              rows: 1,
            },
            {
              text: `insert into order_lines select number, :line_lineNo::int, :line_sku, :line_quantity::int
                       from orders where reference = :reference`,
              each: 'lines',
              rows: 1,
            },
          ],
        },
        order_change: {
          locate: 'select min(number) as number from added_lines where reference = :reference having count(*) > 0',
          statements: [
            {
              // An order that is not there any more takes none: then no row is changed, and it is refused.
              text: `insert into added_lines (reference, of_order, line_no, adds_to, item, n)
                     select :reference, o.reference, :line_lineNo::int, :line_addsTo::int, :line_sku, :line_quantity::int
                       from orders o where o.reference = :order`,
              each: 'lines',
              rows: 1,
            },
          ],
        },
        order_cancellation: {
          locate:
            'select min(reference) as number from cancelled_lines where reference = :reference having count(*) > 0',
          statements: [
            {
              text: 'insert into cancelled_lines values (:reference, :order, :line_lineNo::int, :line_quantity::int)',
              each: 'lines',
              rows: 1,
            },
          ],
        },
        charge: {
          locate: 'select reference as number from charges where reference = :reference',
          statements: [
            { text: 'insert into charges values (:reference, :account, :amountMinor::numeric / 100)', rows: 1 },
          ],
        },
      },
    },
  },
  stand: (rows, spoil, { database, token }) => databaseStand(rows, spoil, database, token, system),
  feeds: {
    moves: {
      pageMax: pageRows,
      placeFields: [],
      record: (n) => moved(n),
      broken: (_at, seq) => brokenMoves(seq),
      unknownEnum: (_at, seq) => moved(seq, { place: 'Q' }),
    },
    changes: {
      pageMax: pageRows,
      placeFields: [],
      record: (n) => moved(n),
      broken: (_at, seq) => brokenMoves(seq),
      unknownEnum: (_at, seq) => moved(seq, { place: 'Q' }),
    },
    levels: {
      pageMax: pageRows,
      placeFields: [],
      record: (n) => counted(n),
      broken: (_at, seq) => [counted(seq, { n: '2,5' }), counted(seq, { n: '-1' }), counted(seq, { place: '' })],
      unknownEnum: (_at, seq) => counted(seq, { place: 'Q' }),
      thingOf: (key) => key.replace(/ \d+$/, ''),
    },
    open_orders: {
      pageMax: pageRows,
      placeFields: [],
      record: (n) => ordered(n),
      broken: (_at, seq) => [
        ordered(seq, { currency: 'pounds' }),
        ordered(seq, { n: '1.5' }),
        ordered(seq, { buyer: '' }),
      ],
    },
  },
  deliveries: {
    sales_order: (n) => ({
      reference: `shop/77${n}10`,
      payload: {
        account: '17850',
        totalMinor: 1530,
        lines: [
          { lineNo: 1, sku: '85123A', quantity: 6 },
          { lineNo: 2, sku: '71053', quantity: 1 },
        ],
      },
    }),
    order_change: (n) => sampleOrderChange(n, { order: 'shop/1' }),
    order_cancellation: (n) => ({
      reference: `C77${n}10`,
      payload: { order: 'shop/1', lines: [{ lineNo: 1, quantity: 1, amountMinor: 255 }] },
    }),
    charge: (n) => ({ reference: `C77${n}10`, payload: { account: '17850', amountMinor: 1500 } }),
  },
  skip: {
    'record.unstorable': 'PostgreSQL, which stands in, stores neither, so no row of it can hold them',
    'record.not_utf8': 'the server gives texts in UTF-8, whatever it keeps them in, and refuses what is none',
  },
});
