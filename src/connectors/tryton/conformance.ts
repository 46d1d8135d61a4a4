/** How Tryton answers: as test/peers/tryton and the fixtures show it. */
import { describeSystem, type FeedRows, type SystemModel, sampleOrderChange } from '../kit/conformance/index.ts';
import { type ModelRow, TrytonModel, taggedTime } from './conformance-model.ts';

const ORDER = 'shop/500';
const LINE = 900_011;
const SHIPMENT = 900_021;
const ORIGIN = 900_031;
const ASKING = 900_041;
/** Shipments that are there to be taken back: more than a batch of cancels needs. */
const CANCELLED_MAX = 12;
const at = '2026-03-01T09:00:00Z';

const decimal = (text: string) => ({ __class__: 'Decimal', decimal: text });
const unit = (symbol: string) => ({ id: 1, symbol });
const product = { id: 11, code: 'SKU-1' };
const lines = [{ lineNo: 1, sku: 'SKU-1', quantity: 2 }];
const usd = { id: 1, code: 'USD' };
const noWork = { origin: 'stock.inventory.line,7', shipment: null, internal_quantity: 2, 'product.': product };

const tables = (): Record<string, ModelRow[]> => ({
  'company.company': [{ id: 1, currency: 1 }],
  'currency.currency': [{ id: 1, code: 'USD' }],
  'product.uom': [{ id: 1, symbol: 'u' }],
  'product.category': [{ id: 4, customer_taxes_used: [] }],
  'stock.location': [
    { id: 5, type: 'warehouse', code: 'DC-EAST', storage_location: 3, output_location: 2, input_location: 1 },
    { id: 3, type: 'storage', parent: 5 },
    { id: 17, type: 'storage', parent: 3 },
  ],
  'party.party': [
    {
      ...{ id: 3, code: 'C0', name: 'Two', active: false, replaced_by: 2 },
      ...{ customer_payment_term: null, customer_location: 7, customer_tax_rule: null },
    },
    { id: 4, code: 'CREDIT-2', name: 'Another', receivable: decimal('-3.50') },
    {
      id: 2,
      code: 'C1',
      name: 'One',
      receivable: decimal('120.00'),
      customer_payment_term: 1,
      customer_location: 7,
      customer_tax_rule: null,
    },
  ],
  'party.address': [{ id: 2, party: 2, invoice: true, delivery: true, sequence: null }],
  'product.product': [{ ...product, template: 0, rec_name: 'One', default_uom: 1, account_category: 4 }],
  'sale.sale': [saleRow(500, ORDER), saleRow(501, 'shop/501'), { ...saleRow(ASKING, null), state: 'draft' }],
  'sale.line': [
    saleLine(LINE, 500, 1_000),
    saleLine(LINE + 1, 501, 6 * CANCELLED_MAX),
    { ...saleLine(LINE + 2, ASKING, 2), sequence: null },
  ],
  'stock.shipment.out': [
    { id: SHIPMENT, number: '14', state: 'done', reference: 'F4559988601' },
    { id: SHIPMENT + 1, number: '15', state: 'waiting', reference: ORDER },
    ...mine((n) => ({ id: 910_000 + n, number: `9${n}`, state: 'waiting', reference: `F9${n}` })),
  ],
  'stock.move': [
    move(ORIGIN, LINE, SHIPMENT, 0, 'done'),
    move(ORIGIN + 1, LINE, SHIPMENT + 1, 1_000, 'draft'),
    ...mine((n) => move(920_000 + n, LINE + 1, 910_000 + n, 6, 'draft')),
  ],
  'ir.note': [],
  'product.template': [{ id: 10, create_date: taggedTime('2018-01-01T00:00:00Z'), write_date: null, type: 'service' }],
  // Won: what became of their orders is noted on them, and the feed has nothing to ask of them any more.
  'sale.opportunity': mine((n) => ({ id: 930_000 + n, number: `OPP${n}`, company: 1, state: 'won', sales: [] })),
});

function mine(make: (n: number) => ModelRow): ModelRow[] {
  return Array.from({ length: CANCELLED_MAX }, (_, index) => make(index + 1));
}

function saleRow(id: number, reference: string | null): ModelRow {
  const of = { party: 2, shipment_address: 2, company: 1, currency: 1, origin: null, create_date: taggedTime(at) };
  return { id, number: String(id), state: 'processing', reference, ...of };
}

function saleLine(id: number, sale: number, quantity: number): ModelRow {
  const goods = { product: 11, unit: 1, quantity, unit_price: decimal('12.3400'), taxes: [] };
  return { id, sale, sequence: 1, type: 'line', ...goods };
}

function move(id: number, line: number, shipment: number, quantity: number, state: string): ModelRow {
  const of = { product: 11, quantity, internal_quantity: quantity, sale_exception_state: '' };
  return { id, origin: `sale.line,${line}`, shipment: `stock.shipment.out,${shipment}`, state, ...of };
}

/** What a search of a model finds of the feeds' rows, with what Tryton knows of them besides what it is asked for. */
function listed(rows: FeedRows): TrytonModel['extra'] {
  const of = (feed: string, besides: object = {}) =>
    (rows[feed] ?? []).map(({ raw }) => ({ ...besides, ...(raw as ModelRow) }));
  /** For what hangs on a row: once, however often the row is listed. */
  const idsOf = (...feeds: string[]) => [...new Set(feeds.flatMap((feed) => of(feed)).map(({ id }) => id))];
  const own = { company: 1 };
  return (model, { price_list: list, quantity = 0 }) => {
    switch (model) {
      case 'stock.move':
        return [
          ...of('moves', { ...own, state: 'done' }),
          ...idsOf('shipments').map((id) => ({ ...move(5_000_000 + id, LINE, id, 2, 'done'), product: 11 })),
        ];
      case 'stock.shipment.out':
        return of('shipments', { ...own, state: 'done' });
      case 'account.invoice':
        return of('invoices', { ...own, type: 'out', state: 'posted' });
      case 'account.invoice.line':
        return idsOf('invoices').map((id) => {
          const amount = decimal('24.68');
          return { id: 6_000_000 + id, invoice: id, origin: `sale.line,${LINE}`, type: 'line', quantity: 2, amount };
        });
      case 'sale.opportunity':
        return of('opportunities', own);
      case 'product.template':
        return [...of('products', { type: 'goods' }), ...of('products_new', { type: 'goods' })];
      case 'product.product':
        return [
          ...idsOf('products', 'products_new').map((id) => ({ id: 7_000_000 + id, code: `SKU-${id}`, template: id })),
          // Of one product the prices in lists: 20.07 with the formula of the tier that the quantity reaches.
          ...(list === undefined
            ? []
            : [
                {
                  ...{ id: 12, code: 'SKU-2', type: 'goods', salable: true, template: 10, sale_uom: 1 },
                  sale_price_uom: decimal(Number(quantity) >= 24 ? '15.0525' : '16.0560'),
                },
              ]),
        ];
      case 'product.price_list':
        return [...of('price_lists', own), ...of('price_lists_new', own)];
      case 'product.price_list.line':
        return idsOf('price_lists', 'price_lists_new').flatMap((id) => [
          { id: id * 10, price_list: id, quantity: null, product: null, category: null },
          { id: id * 10 + 1, price_list: id, quantity: 24, product: null, category: null },
        ]);
      case 'party.party':
        return [...of('accounts'), ...of('accounts_new')];
    }
    return [];
  };
}

function system(rows: FeedRows): SystemModel {
  const tryton = new TrytonModel(tables(), listed(rows));
  const count = (model: string, is: (row: ModelRow) => boolean) => tryton.of(model).filter(is).length;
  const movesOf = (shipment: ModelRow) =>
    tryton.of('stock.move').filter((one) => one.shipment === `stock.shipment.out,${shipment.id}`);
  /** As many as were made, once one of them counts. */
  const done = (model: string, reference: string, counts: (row: ModelRow) => boolean) =>
    tryton.of(model).some((row) => row.reference === reference && counts(row))
      ? count(model, (row) => row.reference === reference)
      : 0;
  return {
    answer: (call) => tryton.answer(call),
    roleOf: (call) => tryton.roleOf(call),
    refuse: (reference) => tryton.refuse(reference.slice(reference.lastIndexOf('/') + 1)),
    endOrder(order) {
      for (const sale of tryton.of('sale.sale')) if (sale.reference === order) sale.state = 'cancelled';
    },
    effects(kind, reference) {
      switch (kind) {
        case 'sales_order':
        case 'order_change':
        case 'return_announcement':
          return done('sale.sale', reference, ({ state }) => state === 'processing');
        case 'fulfilment':
          return done('stock.shipment.out', reference, ({ state }) => state !== 'draft');
        case 'order_cancellation':
          return done('stock.shipment.out', reference, (shipment) =>
            movesOf(shipment).every((one) => one.sale_exception_state === 'ignored'),
          );
        case 'fulfilment_cancel': {
          const n = Number(/^X77(\d+)10$/.exec(reference)?.[1]);
          const left = tryton.of('stock.move').find(({ id }) => id === 920_000 + n);
          return (6 - Number(left?.quantity ?? 0)) / 2;
        }
      }
      return 0;
    },
    did(kind, reference) {
      if (kind === 'shipment_posting') {
        const number = reference.slice(reference.lastIndexOf('/') + 1);
        tryton.add('stock.shipment.out', { number, state: 'done', reference: 'F4559988602' });
        return;
      }
      const back = tryton.add('sale.sale', { reference: 'R455998860', state: 'processing', origin: 'sale.sale,500' });
      const { id: _none, ...values } = saleLine(0, back.id, -2);
      const line = tryton.add('sale.line', values);
      tryton.add('stock.move', { origin: `sale.line,${line.id}`, state: 'done', quantity: 2, shipment: null });
    },
  };
}

export default describeSystem({
  context: {
    channel: 'shop',
    settings: { user: 'crossdock', companyCode: 'US', warehouses: { EAST: 'DC-EAST' }, credit: true },
  },
  system,
  orderStatus: (n) => {
    const line = { lineNo: 1, sku: 'SKU-0011', quantity: 6, amountMinor: 600, backordered: 0, refused: 0 };
    const counts = { cancelled: 2, shipped: 4, invoiced: 0, returned: 0 };
    const head = { channel: 'shop', externalNo: `OPP${n}`, status: 'shipped', account: 'A', currency: 'USD' };
    return {
      key: `shop/OPP${n}`,
      version: 3,
      base: 0,
      state: { ...head, totalMinor: 600, lines: [{ ...line, ...counts }] },
    };
  },
  feeds: {
    moves: {
      pageMax: 500,
      placeFields: ['write_date', 'id'],
      record: (n, changedAt) => ({
        id: n,
        write_date: taggedTime(changedAt),
        from_location: 3,
        to_location: 2,
        origin: `stock.move,${ORIGIN}`,
        shipment: `stock.shipment.out,${SHIPMENT}`,
        internal_quantity: 2,
        'product.': product,
      }),
      broken: (changedAt) => [
        // Half a unit, as its floats can say it.
        {
          id: 2,
          write_date: taggedTime(changedAt),
          from_location: 3,
          to_location: 9,
          ...noWork,
          internal_quantity: 0.5,
        },
        { id: 2, write_date: taggedTime(changedAt), from_location: 3, to_location: 9, ...noWork, 'product.': null },
      ],
    },
    shipments: {
      pageMax: 500,
      placeFields: ['write_date', 'id'],
      record: (n, changedAt) => ({
        id: n,
        write_date: taggedTime(changedAt),
        number: `S${n}`,
        reference: 'F4559988601',
      }),
      broken: (changedAt) => [{ id: 2, write_date: taggedTime(changedAt), number: null, reference: 'F4559988601' }],
    },
    invoices: {
      pageMax: 500,
      placeFields: ['write_date', 'id'],
      record: (n, changedAt) => ({
        id: n,
        write_date: taggedTime(changedAt),
        number: `INV2026-${n}`,
        invoice_date: { __class__: 'date', year: 2026, month: 3, day: 1 },
        'currency.': { id: 1, code: 'USD' },
      }),
      broken: (changedAt) => [
        { id: 2, write_date: taggedTime(changedAt), number: 'INV-2', invoice_date: '2026-03-01', 'currency.': usd },
        { id: 2, write_date: taggedTime(changedAt), number: 'INV-2', invoice_date: null, 'currency.': null },
      ],
    },
    opportunities: {
      pageMax: 500,
      placeFields: ['write_date', 'id'],
      record: (n, changedAt) => ({
        id: n,
        write_date: taggedTime(changedAt),
        number: `O${n}`,
        state: 'converted',
        sales: [ASKING],
      }),
      broken: (changedAt) => [
        { id: 2, write_date: taggedTime(changedAt), number: null, state: 'converted', sales: [ASKING] },
      ],
    },
    products: productFeed('write_date'),
    products_new: productFeed('create_date'),
    price_lists: listFeed('write_date'),
    price_lists_new: listFeed('create_date'),
    accounts: accountFeed('write_date'),
    accounts_new: accountFeed('create_date'),
  },
  undescribed: { credit: 'its keys name the moment of the reading, so that no two readings are the same' },
  credit: (n) => ({ company: 'US', account: n === 1 ? 'C1' : `CREDIT-${n}` }),
  lookedUp: ['shipment_posting', 'return_posting'],
  deliveries: {
    sales_order: (n) => ({
      reference: `shop/77${n}10`,
      payload: {
        reference: `shop/77${n}10`,
        company: 'US',
        account: 'C1',
        currency: 'USD',
        orderedAt: at,
        totalMinor: 2468,
        lines: [{ ...lines[0]!, unitPrice: '12.34', amountMinor: 2468 }],
      },
    }),
    order_change: (n) => sampleOrderChange(n, { order: ORDER, sku: 'SKU-1', unitPrice: '12.34' }),
    fulfilment: (n) => ({
      reference: `F77${n}10`,
      payload: { reference: `F77${n}10`, order: ORDER, location: 'EAST', lines },
    }),
    fulfilment_cancel: (n) => ({ reference: `X77${n}10`, payload: { fulfilment: `F9${n}`, lines } }),
    order_cancellation: (n) => ({
      reference: `C/5/77${n}10`,
      payload: { order: ORDER, lines: [{ lineNo: 1, quantity: 2, amountMinor: 2468 }] },
    }),
    shipment_posting: (n) => ({
      reference: `erp/77${n}10`,
      payload: { order: ORDER, location: 'EAST', shippedAt: at, lines: [{ lineNo: 1, quantity: 2, amountMinor: 0 }] },
    }),
    return_announcement: (n) => ({
      reference: `R77${n}10`,
      payload: { reference: `R77${n}10`, order: ORDER, location: 'EAST', lines },
    }),
    return_posting: (n) => ({
      reference: `R77${n}10`,
      payload: { order: ORDER, lines: [{ lineNo: 1, quantity: 2, amountMinor: 2468 }] },
    }),
  },
});

function productFeed(time: 'write_date' | 'create_date') {
  const record = (n: number, changedAt: string) => ({
    id: n,
    [time]: taggedTime(changedAt),
    name: `Thing ${n}`,
    'default_uom.': unit('u'),
    list_price: decimal('20.0700'),
    products: [7_000_000 + n],
  });
  return {
    pageMax: 500,
    placeFields: [time, 'id'],
    record,
    broken: (changedAt: string) => [
      { ...record(2, changedAt), list_price: 20.07 },
      { ...record(2, changedAt), name: null },
    ],
  };
}

function listFeed(time: 'write_date' | 'create_date') {
  const record = (n: number, changedAt: string) => ({ id: n, [time]: taggedTime(changedAt), name: `List ${n}` });
  return {
    pageMax: 1,
    placeFields: [time, 'id'],
    record,
    broken: (changedAt: string) => [{ ...record(2, changedAt), name: null }],
  };
}

function accountFeed(time: 'write_date' | 'create_date') {
  const record = (n: number, changedAt: string) => ({
    id: 8_000_000 + n,
    [time]: taggedTime(changedAt),
    code: `CUST-${n}`,
    name: `Customer ${n}`,
    active: true,
    'replaced_by.': null,
  });
  return {
    pageMax: 500,
    placeFields: [time, 'id'],
    record,
    broken: (changedAt: string) => [{ ...record(2, changedAt), code: 'x\0y' }],
    // A party that was replaced is put away, and names the one that is left.
    merged: (n: number, into: number, changedAt: string) => ({
      ...record(n, changedAt),
      active: false,
      'replaced_by.': { id: 8_000_000 + into, code: `CUST-${into}` },
    }),
  };
}
