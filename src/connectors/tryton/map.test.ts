import { expect, it } from 'vitest';
import { ownReferences } from '../kit/index.ts';
import invoices from './fixtures/invoices.json' with { type: 'json' };
import moves from './fixtures/moves.json' with { type: 'json' };
import opportunities from './fixtures/opportunities.json' with { type: 'json' };
import shipments from './fixtures/shipments.json' with { type: 'json' };
import { joinMoves, joinShipments, type MovesPage, mapMoves, mapShipments } from './map.ts';
import {
  joinInvoices,
  joinOpportunities,
  mapInvoices,
  mapOpportunities,
  type OpportunitiesPage,
} from './map-documents.ts';
import { type ListPrices, pricesOf } from './map-prices.ts';
import { joinProducts, mapProductChanges } from './map-records.ts';
import { mapAccounts, mapPrices, mapProducts } from './snapshot.ts';
import { datetimeOf, decimalOf } from './values.ts';

const page: MovesPage = moves;
const mapped = (changed: MovesPage) => mapMoves(joinMoves(changed), 'erp', ownReferences());

it('recorded moves: what was found, what was picked for us, what came back', () => {
  expect(mapped(page).map(({ scope, key, command }) => [scope, key, command?.kind])).toEqual([
    ['movement/erp', '107/to', 'stock.moved'],
    ['picked/erp', '379', 'fulfilment.picked'],
    ['picked/erp', '380', 'fulfilment.picked'],
    ['picked/erp', '389', 'fulfilment.picked'],
    ['returned/erp', '392', 'return.received'],
    ['movement/erp', '484/to', 'stock.moved'],
  ]);
  const [found, picked, , , returned] = mapped(page).map(({ command }) => command);
  expect(found).toEqual({
    kind: 'stock.moved',
    movement: 'adjusted',
    sku: 'SKU-0001',
    location: 'WEST',
    quantity: 77,
    reference: 'stock.inventory.line,107',
    occurredAt: '2026-11-23T17:32:23.725Z',
  });
  expect(picked).toEqual({
    kind: 'fulfilment.picked',
    fulfilment: 'F4559988601',
    occurredAt: '2026-11-23T17:47:06.131Z',
    lines: [{ lineNo: 2, sku: 'SKU-0012', quantity: 1 }],
  });
  expect(returned).toMatchObject({
    returnReference: 'R455998860',
    lines: [{ lineNo: 1, sku: 'SKU-0011', quantity: 1 }],
  });
});

it('a move between two locations leaves one and enters the other; inside one nothing changes', () => {
  const [first] = page.moves;
  const between = { ...first, from_location: 17, to_location: 11, internal_quantity: 5 };
  const inside = { ...first, id: 108, from_location: 17, to_location: 18 };
  const items = mapped({ ...page, moves: [between, inside] });
  expect(
    items.map(({ key, command }) => [
      key,
      (command as { location: string }).location,
      (command as { quantity: number }).quantity,
    ]),
  ).toEqual([
    ['107/from', 'EAST', -5],
    ['107/to', 'WEST', 5],
  ]);
});

it('a shipment of people beside us is an adjustment, a receipt is a receipt', () => {
  const pick = page.moves.find(({ id }) => id === 379)!;
  const theirs = page.shipments.map((row) => ({ ...row, reference: 'counter sale' }));
  expect(mapped({ ...page, moves: [pick], shipments: theirs })[0]!.command).toMatchObject({
    kind: 'stock.moved',
    movement: 'adjusted',
    location: 'EAST',
    quantity: -1,
  });
  const receipt = { ...page.moves[0], shipment: 'stock.shipment.in,7' };
  const ref = { id: 7, ref: 'stock.shipment.in,7', number: '7', reference: null };
  expect(mapped({ ...page, moves: [receipt], shipments: [ref] })[0]!.command).toMatchObject({
    movement: 'received',
    quantity: 77,
    reference: '7',
  });
});

it('a fraction of a unit and a product without a code are set aside, neighbours untouched', () => {
  const [first, second, third] = page.moves;
  const half = { ...first, internal_quantity: 0.5 };
  const nameless = { ...second, 'product.': { id: 12, code: null } };
  const items = mapped({ ...page, moves: [half, nameless, third!] });
  expect(items.map(({ key, unreadable }) => [key, unreadable?.place])).toEqual([
    ['107/to', '/moves/0/internal_quantity'],
    ['379', '/moves/1/product./code'],
    ['380', undefined],
  ]);
});

it('a move that Tryton touched again (new costs) is the same thing', () => {
  const touched = page.moves.map((move) => ({ ...move, write_date: { ...(move.write_date as object), hour: 23 } }));
  const prints = (items: ReturnType<typeof mapped>) => items.map(({ key, fingerprint }) => [key, fingerprint]);
  expect(prints(mapped({ ...page, moves: touched }))).toEqual(prints(mapped(page)));
});

it('recorded shipments of ours, one each, lines in order', () => {
  const items = mapShipments(joinShipments(shipments), 'erp', ownReferences());
  expect(items.map(({ key, command }) => [key, command])).toEqual([
    [
      '14',
      {
        kind: 'fulfilment.shipped',
        fulfilment: 'F4559988601',
        shipment: '14',
        tracking: null,
        occurredAt: expect.stringMatching(/^2026-11-23T17:47:/),
        lines: [
          { lineNo: 1, sku: 'SKU-0011', quantity: 2 },
          { lineNo: 2, sku: 'SKU-0012', quantity: 1 },
        ],
      },
    ],
    [
      '15',
      expect.objectContaining({ fulfilment: 'F4559988602', lines: [{ lineNo: 1, sku: 'SKU-0011', quantity: 1 }] }),
    ],
  ]);
});

it('parcels of a shipment: of packages with their links, or of notes, and never a part of what tells two apart', () => {
  const shipment = 'stock.shipment.out,14';
  const carried = shipments.shipments.map((row) => ({ ...row, 'carrier.': { id: 1, rec_name: 'Parcel Post' } }));
  const packages = [
    { id: 1, shipment, shipping_reference: 'T-1', shipping_tracking_url: 'https://carrier.example/T-1' },
    { id: 2, shipment, shipping_reference: 'T-2', shipping_tracking_url: null },
    { id: 3, shipment, shipping_reference: null },
    { id: 4, shipment: 'stock.shipment.out,15', shipping_reference: 'T-5' },
  ];
  const notes = [{ id: 9, resource: shipment, message: 'Tracking: T-2, T-3\nT-4' }];
  const told = mapShipments(
    joinShipments({ ...shipments, shipments: carried, packages, notes }),
    'erp',
    ownReferences(),
    'Tracking:',
  );
  expect(told.map(({ command }) => command)).toMatchObject([
    {
      tracking: 'T-1',
      carrier: 'Parcel Post',
      parcels: [
        { tracking: 'T-1', url: 'https://carrier.example/T-1' },
        { tracking: 'T-2' },
        { tracking: 'T-3' },
        { tracking: 'T-4' },
      ],
    },
    { tracking: 'T-5', carrier: 'Parcel Post' },
  ]);
  expect(told[1]!.command).not.toHaveProperty('parcels');
  const untold = mapShipments(joinShipments(shipments), 'erp', ownReferences());
  expect(told.map(({ key, fingerprint }) => [key, fingerprint])).toEqual(
    untold.map(({ key, fingerprint }) => [key, fingerprint]),
  );
});

it('recorded invoices and a credit note: net per line, to the minor unit, of the order that was returned', () => {
  const items = mapInvoices(joinInvoices(invoices, ownReferences()), 'erp');
  const told = items.map(({ key, command }) => {
    if (command?.kind !== 'document.posted') return key;
    return [key.split('/')[0], command.totalMinor, command.lines.map((line) => line.amountMinor)];
  });
  expect(told).toEqual([
    ['invoice', 2593, [2468, 125]],
    ['invoice', 1234, [1234]],
    ['credit_note', 1234, [1234]],
  ]);
  expect(new Set(items.map(({ command }) => (command as { order: string }).order)).size).toBe(1);
});

it('an invoice of two orders is a document to each; what people sold by themselves is none', () => {
  const raw = joinInvoices(invoices, ownReferences())[0]!;
  const [one, two] = raw.lines;
  const shared = { ...raw, lines: [one!, { ...two!, order: 'shop/other' }, { ...two!, order: 'counter' }] };
  const items = mapInvoices([shared], 'erp');
  const number = String(raw.invoice.number);
  expect(items.map(({ key }) => key)).toEqual([`invoice/${number} ${one!.order}`, `invoice/${number} shop/other`]);
});

it('a won opportunity is an order; once our order has taken its sale over it is no news', () => {
  const opening = { channel: 'crm', companyCode: 'US', accountOf: (code: string) => code };
  const recorded: OpportunitiesPage = opportunities;
  const [sale] = recorded.sales;
  // Our order has numbered its lines.
  const lines = recorded.lines.map((line, i) => ({ ...line, sequence: i + 1 }));
  const map = (changes: object) =>
    mapOpportunities(joinOpportunities({ ...recorded, lines, sales: [{ ...sale, ...changes }] }), opening);
  const [draft] = map({ state: 'draft', reference: null });
  expect(draft!.command).toMatchObject({
    kind: 'order.submitted',
    channel: 'crm',
    account: 'CUST-0001',
    currency: 'USD',
  });
  expect(map({ state: 'draft', reference: 'crm/13' })).toEqual([]);
  const kinds = map({ state: 'cancelled', reference: null }).map(({ command }) => command?.kind);
  expect(kinds).toEqual(['order.submitted', 'order.cancel_requested', 'order.cancel_requested']);
  expect(map({ state: 'cancelled', reference: null })[0]!.fingerprint).toBe(draft!.fingerprint);
  const ours = map({ state: 'cancelled', reference: 'crm/13' }).map(({ command }) => command?.kind);
  expect(ours).toEqual(['order.cancel_requested', 'order.cancel_requested']);
});

it('two products with one code are set aside both', () => {
  const product = (id: number, code: string | null) => ({ id, code, name: 'x', 'default_uom.': { symbol: 'u' } });
  const { rows, unreadable } = mapProducts([product(1, 'A'), product(2, 'a'), product(3, 'B'), product(4, null)]);
  expect(rows.map(({ sku }) => sku)).toEqual(['B']);
  expect(unreadable.map(({ id }) => id)).toEqual([1, 2, 4]);
});

it('no credit limit is none, not zero, and prices keep their digits', () => {
  const party = {
    id: 1,
    code: 'C1',
    name: 'x',
    credit_limit_amount: null,
    credit_amount: decimalOf('10.50'),
    'sale_price_list.': null,
  };
  const limited = { ...party, id: 2, credit_limit_amount: decimalOf('0') };
  const { rows } = mapAccounts([party, limited], { code: 'US', currency: 'USD' }, (code) => code);
  expect(rows.map(({ creditLimitMinor, creditUsedMinor }) => [creditLimitMinor, creditUsedMinor])).toEqual([
    [null, 1050],
    [0, 1050],
  ]);
  const of = { priceList: 'L', quantityMin: 24, currency: 'USD' };
  expect(mapPrices([{ id: 1, code: 'a', sale_price_uom: decimalOf('16.0560') }], of).rows).toEqual([
    { sku: 'A', ...of, unitPrice: '16.056' },
  ]);
});

it('a product is its variants, each with the list price; what has no code is none, what is broken stands alone', () => {
  const at = datetimeOf('2026-03-01T09:00:00.000000Z');
  const template = {
    id: 1,
    name: 'Box',
    list_price: decimalOf('9.9900'),
    'default_uom.': { symbol: 'u' },
    write_date: at,
  };
  const page = {
    templates: [template, { ...template, id: 2, list_price: 9.99 }],
    variants: [
      { id: 1, template: 1, code: 'a' },
      { id: 2, template: 1, code: null },
      { id: 3, template: 2, code: 'b' },
    ],
    currency: 'USD',
  };
  const items = mapProductChanges(joinProducts(page), {
    ...{ system: 'erp', code: 'US', time: 'write_date' as const },
    units: { u: 'each' },
  });
  expect(items.map(({ command, unreadable }) => command ?? unreadable?.place)).toEqual([
    { kind: 'product.changed', sku: 'A', description: 'Box', unit: 'each', changedAt: '2026-03-01T09:00:00.000Z' },
    {
      kind: 'price.changed',
      sku: 'A',
      company: 'US',
      currency: 'USD',
      unit: 'each',
      unitPrice: '9.99',
      changedAt: '2026-03-01T09:00:00.000Z',
    },
    '/templates/1/list_price',
  ]);
});

const at = { __class__: 'datetime', year: 2026, month: 3, day: 1, hour: 9, minute: 0, second: 0, microsecond: 0 };
const later = { ...at, hour: 10 };
const item = { id: 11, code: 'SKU-1', write_date: at };
const priced = (list: number, quantity: number, price: string, unit = 'u') => ({
  ...{ id: 11, list, quantity, sale_price_uom: decimalOf(price), 'sale_uom.': { id: 1, symbol: unit } },
});
const line = (id: number, list: number, quantity: number | null, of: object = {}) => ({
  ...{ id, price_list: list, quantity, product: null, category: null, write_date: later, ...of },
});
const tiersIn = (lines: ReturnType<typeof line>[], prices: ReturnType<typeof priced>[], ids = [1]) => {
  const lists = ids.map((id) => ({ id, name: `L${id}`, currency: 'USD', create_date: at }));
  const page: ListPrices = { lists, lines, prices };
  return pricesOf(item, page, { system: 'erp', code: 'US', units: { u: 'each' } }, '/x').map(
    ({ command, unreadable }) => ({
      ...(command as { tiers?: unknown; unit?: string; changedAt?: string }),
      unreadable,
    }),
  );
};
const from = (quantityMin: number, unitPrice: string) => ({ quantityMin, unitPrice });

it('tiers may lie far apart, and the change of a line is the change of the price', () => {
  const prices = [priced(1, 1, '2.00'), priced(1, 100_000, '1.50')];
  expect(tiersIn([line(1, 1, null), line(2, 1, 100_000)], prices)).toMatchObject([
    { tiers: [from(1, '2'), from(100_000, '1.5')], unit: 'each', changedAt: '2026-03-01T10:00:00.000Z' },
  ]);
  // A list without a line for it asks the product's own price; one for its category may, or not: the server says.
  expect(tiersIn([line(1, 1, 24, { product: 99 })], [priced(1, 1, '2.00')])).toMatchObject([{ tiers: [from(1, '2')] }]);
  const byCategory = [line(1, 1, 24, { category: 5 })];
  expect(tiersIn(byCategory, [priced(1, 1, '2.00'), priced(1, 24, '1.00')])).toMatchObject([
    { tiers: [from(1, '2'), from(24, '1')] },
  ]);
  // For the product itself and for all: the first line holds in Tryton, and it is one price.
  const both = [line(1, 1, null, { product: 11 }), line(2, 1, null)];
  expect(tiersIn(both, [priced(1, 1, '2.00')])).toMatchObject([{ tiers: [from(1, '2')] }]);
});

it('a list with a gap is told as it stands, for the hub to set aside; the other list is read', () => {
  const prices = [priced(1, 1, '3.00'), priced(1, 12, '2.00'), priced(2, 1, '9.00')];
  expect(tiersIn([line(1, 1, 12), line(2, 2, null)], prices, [1, 2])).toMatchObject([
    { tiers: [from(12, '2')] },
    { tiers: [from(1, '9')] },
  ]);
  const twice = [line(1, 1, null), line(2, 1, 12), line(3, 1, 12), line(4, 2, null)];
  expect(tiersIn(twice, prices, [1, 2])).toMatchObject([
    { tiers: [from(1, '3'), from(12, '2'), from(12, '2')] },
    { tiers: [from(1, '9')] },
  ]);
});

it('a tier from half a unit, or a price that is no decimal, is set aside alone; a unit keeps its name', () => {
  const prices = [priced(1, 1, '3.00'), priced(2, 1, '9.00', 'Dozen')];
  const [half, dozen] = tiersIn([line(1, 1, 0.5), line(2, 2, null)], prices, [1, 2]);
  expect(half!.unreadable).toMatchObject({ reason: 'must be a whole number of base units', value: 0.5 });
  expect(dozen).toMatchObject({ unit: 'Dozen', tiers: [from(1, '9')] });
});
