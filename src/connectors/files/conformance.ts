import { describeSystem, type FolderFeed, folderStand, sampleOrderChange } from '../kit/conformance/index.ts';

type Rec = Record<string, unknown>;

const HEADER = ['Id', 'Sku', 'Wh', 'Qty', 'At'];

/** As a spreadsheet writes it: quoted where it must be. */
function cell(value: unknown): string {
  const text = value == null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvOf(records: readonly unknown[]): string {
  const line = (raw: unknown) =>
    typeof raw !== 'object' || raw === null || Array.isArray(raw)
      ? cell(raw ?? 'null')
      : HEADER.map((name) => cell((raw as Rec)[name])).join(',');
  return [HEADER.join(','), ...records.map(line)].map((text) => `${text}\r\n`).join('');
}

/** Columns of lines without quotes. */
const columns = (change: (cells: string[], index: number) => string[]) => (text: string) =>
  text
    .split('\r\n')
    .map((line, index) => (line === '' ? line : change(line.split(','), index).join(',')))
    .join('\r\n');

const stock: FolderFeed = {
  folder: 'stock',
  archive: 'stock/archive',
  name: (number) => `stock-${number}.csv`,
  text: csvOf,
  columns: {
    reordered: columns((cells) => cells.toReversed()),
    added: columns((cells, index) => [...cells.slice(0, 2), index === 0 ? 'Remark' : 'as agreed', ...cells.slice(2)]),
    removed: columns((cells) => cells.toSpliced(3, 1)),
    renamed: columns((cells, index) => (index === 0 ? cells.with(3, 'Quantity') : cells)),
    twice: columns((cells) => [...cells, cells[3]!]),
  },
};

const orders: FolderFeed = {
  folder: 'orders',
  archive: 'orders/archive',
  name: (number) => `orders-${number}.ndjson`,
  text: (records) => records.map((raw) => `${JSON.stringify(raw ?? null)}\n`).join(''),
};

const order = (n: number, changes: Rec = {}): Rec => ({
  externalNo: `53${n}65`,
  buyer: { id: '17850' },
  currency: 'GBP',
  orderedAt: '2010-12-01T08:26:00Z',
  lines: [{ sku: '85123A', quantity: 6, price: 2.55 }],
  ...changes,
});
const adjusted = (n: number, changes: Rec = {}): Rec => ({
  Id: `A${n}`,
  Sku: '85123a',
  Wh: 'N',
  Qty: '-3',
  At: '2010-12-01T08:26:00Z',
  ...changes,
});

const inbound = { settle: { by: 'rename' }, pageRecords: 20, finalNewline: true };

/** Two feeds of a folder and three kinds that go out. XML and fixed width have tests of their own: what the suite puts into records they can't hold. */
export default describeSystem({
  transport: 'own',
  context: {
    settings: {
      inbound: [
        {
          ...inbound,
          feed: 'stock',
          folder: 'stock',
          match: 'stock-*.csv',
          format: { kind: 'csv' },
          map: {
            as: 'adjusted',
            fields: {
              id: 'Id',
              sku: 'Sku',
              location: { from: 'Wh', codes: { N: 'north', S: 'south' } },
              quantity: 'Qty',
              occurredAt: 'At',
            },
          },
        },
        {
          ...inbound,
          feed: 'orders',
          folder: 'orders',
          match: 'orders-*.ndjson',
          format: { kind: 'ndjson' },
          map: {
            as: 'order',
            lines: 'lines',
            fields: {
              externalNo: 'externalNo',
              account: 'buyer/id',
              company: { value: 'UK' },
              currency: 'currency',
              orderedAt: 'orderedAt',
              sku: 'sku',
              quantity: 'quantity',
              unitPrice: 'price',
            },
          },
        },
      ],
      outbound: {
        sales_order: { folder: 'out/orders', format: 'json' },
        order_change: { folder: 'out/changes', format: 'json' },
        order_cancellation: { folder: 'out/cancellations', format: 'json' },
        shipment_posting: { folder: 'out/shipments', format: 'xml', root: 'shipment' },
        charge: {
          folder: 'out/charges',
          format: 'csv',
          files: 'batch',
          columns: [
            { name: 'No', from: 'reference' },
            { name: 'Account', from: 'account' },
            { name: 'Amount', from: 'amountMinor' },
          ],
        },
      },
    },
  },
  stand: (rows, spoil) =>
    folderStand(rows, spoil, {
      feeds: { stock, orders },
      deliveries: {
        ...{ sales_order: 'out/orders', order_change: 'out/changes', order_cancellation: 'out/cancellations' },
        ...{ shipment_posting: 'out/shipments', charge: 'out/charges' },
      },
    }),
  feeds: {
    stock: {
      pageMax: 20,
      placeFields: [],
      record: (n) => adjusted(n),
      broken: (_at, seq) => [
        adjusted(seq, { Qty: '2,5' }),
        adjusted(seq, { Sku: '' }),
        adjusted(seq, { At: '2010-02-30T08:26:00Z' }),
        'one cell',
      ],
      unknownEnum: (_at, seq) => adjusted(seq, { Wh: 'Q' }),
    },
    orders: {
      pageMax: 20,
      placeFields: [],
      record: (n) => order(n),
      broken: (_at, seq) => [
        order(seq, { lines: [] }),
        order(seq, { currency: 'pounds' }),
        order(seq, { lines: [{ sku: '85123A', quantity: 1.5, price: 2.55 }] }),
        'no object',
      ],
    },
  },
  deliveries: {
    sales_order: (n) => ({
      reference: `shop/77${n}10`,
      payload: { account: '17850', lines: [{ lineNo: 1, sku: '85123A', quantity: 6 }] },
    }),
    order_change: (n) => sampleOrderChange(n, { order: 'shop/1' }),
    order_cancellation: (n) => ({
      reference: `C77${n}10`,
      payload: { order: 'shop/1', lines: [{ lineNo: 1, quantity: 1, amountMinor: 255 }] },
    }),
    shipment_posting: (n) => ({ reference: `S77${n}10`, payload: { order: `shop/77${n}10`, lines: [{ lineNo: 1 }] } }),
    charge: (n) => ({ reference: `C77${n}10`, payload: { account: '17850', amountMinor: 1500 } }),
  },
});
