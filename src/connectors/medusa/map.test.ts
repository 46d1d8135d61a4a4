import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import type { OrderSubmitted } from '../../canonical/index.ts';
import { mapCatalog } from './catalog.ts';
import { exactNumber, perUnit } from './decimals.ts';
import recorded from './fixtures/orders.json' with { type: 'json' };
import variants from './fixtures/variants.json' with { type: 'json' };
import { mapOrders } from './map.ts';
import { rowsOfPage } from './source.ts';

// biome-ignore lint/suspicious/noExplicitAny: recorded JSON that tests spoil
type Json = Record<string, any>;

const settings = { system: 'shop-m', channel: 'web', company: 'main', account: 'WALK-IN', accounts: {} };
const rows = () => rowsOfPage(Buffer.from(JSON.stringify(recorded)));
const first = () => structuredClone(rows()[0]!.order) as Json;
const mapOne = (order: unknown) => mapOrders([{ order }], settings);

describe('recorded orders', () => {
  it('are read whole, with exact prices, and lines numbered by their id', () => {
    const [item] = mapOrders(rows(), settings);
    const { lines, ...order } = item!.command as OrderSubmitted;
    expect(order).toMatchObject({ kind: 'order.submitted', channel: 'web', currency: 'USD', account: 'WALK-IN' });
    expect(item!.key).toBe(String(first().display_id));
    expect(lines.map(({ lineNo }) => lineNo)).toEqual([1, 2]);
    expect(lines.map(({ sku, quantity, unitPrice }) => ({ sku, quantity, unitPrice })).sort(bySku)).toEqual([
      { sku: 'SKU-0040', quantity: 3, unitPrice: '59.8' },
      { sku: 'SKU-0041', quantity: 2, unitPrice: '61.17' },
    ]);
    const turned = first();
    turned.items.reverse();
    expect(mapOne(turned)).toEqual(mapOne(first()));
  });

  it('that were edited are told as they were placed; each edit of the merchant is a cancel of its own, ours are none', () => {
    const edited = mapOrders(rows(), settings).filter(({ command }) => command?.kind !== 'order.submitted');
    const told = edited.map(({ key, command }) => ({ key, command: command as unknown as Record<string, unknown> }));
    const changes = Object.values(recorded.edited)[0]!.changes;
    const [one, , three] = changes;
    const own = told.filter(({ key }) => changes.some(({ id }) => key.startsWith(id)));
    expect(own.map(({ key, command }) => [key.split('/')[0], command.sku, command.quantity])).toEqual([
      [one!.id, 'SKU-0040', 1],
      [three!.id, 'SKU-0041', 2],
    ]);
    const submitted = mapOrders(rows().slice(1, 2), settings)[0]!.command as OrderSubmitted;
    expect(submitted.lines.map(({ sku, quantity }) => [sku, quantity]).sort()).toEqual([
      ['SKU-0040', 5],
      ['SKU-0041', 2],
    ]);
  });

  it('that were cancelled are told with what was left; not when the cancel was ours', () => {
    const last = rows().at(-1)!;
    const items = mapOrders([last], settings);
    expect(items.map(({ command }) => command?.kind)).toEqual(['order.submitted', 'order.cancel_requested']);
    expect(items[1]!.command).toMatchObject({ sku: 'SKU-0040', quantity: 2, lineNo: 1 });
    const ours = { ...(last.order as object), metadata: { crossdock_cancelled: '1' } };
    expect(mapOne(ours).map(({ command }) => command?.kind)).toEqual(['order.submitted']);
  });
});

describe('an order', () => {
  it('with tax inside or a discount is told net, per unit', () => {
    const order = first();
    const [line] = order.items;
    Object.assign(line, { quantity: 3, raw_quantity: { value: '3' }, is_tax_inclusive: true });
    Object.assign(line, { raw_unit_price: { value: '12' }, raw_subtotal: { value: '30.25' } });
    line.raw_discount_subtotal = { value: '0.25' };
    order.items = [line];
    const command = mapOne(order)[0]!.command as OrderSubmitted;
    expect(command.lines).toMatchObject([{ quantity: 3, unitPrice: '10' }]);
  });

  it.each<[string, (order: Json) => void, string]>([
    ['no SKU', (order) => (order.items[0].variant_sku = null), '/items/0/variant_sku'],
    ['half a unit', (order) => (order.items[0].raw_quantity.value = '1.5'), '/items/0/quantity'],
    [
      'a price that is no number',
      (order) => {
        order.items[0].raw_unit_price = { value: 'free' };
        order.items[0].unit_price = null;
      },
      '/items/0/unit_price',
    ],
    ['a negative price', (order) => (order.items[0].raw_unit_price.value = '-1'), '/items/0/unit_price'],
    ['a state that nobody knows', (order) => (order.status = 'haunted'), '/status'],
    ['no lines', (order) => (order.items = []), '/items'],
  ])('with %s is set aside with its place; its neighbour is read', (_name, spoil, place) => {
    const bad = first();
    spoil(bad);
    const items = mapOrders([{ order: bad }, rows()[2]!], settings);
    expect(items[0]!.unreadable?.place).toBe(`/orders/0${place}`);
    expect(items[1]!.command?.kind).toBe('order.submitted');
  });

  it('that is a draft is none yet, and an edit that adds units is for a person', () => {
    expect(mapOne({ ...first(), status: 'draft' })).toEqual([]);
    const order = first();
    const change = {
      ...{ id: 'ordch_1', version: 2, status: 'confirmed', internal_note: null, confirmed_at: order.updated_at },
      actions: [{ action: 'ITEM_UPDATE', ordering: 1, details: { reference_id: order.items[0].id, quantity: 9 } }],
    };
    const items = mapOrders([{ order, original: order, changes: [change] }], settings);
    expect(items).toHaveLength(2);
    expect(items[1]!.unreadable?.reason).toContain('adds units');
  });

  it('carries what the checkout held, and the account of a known buyer', () => {
    const order = { ...first(), email: 'Ada@Example.com', metadata: { crossdock_reservations: ['17', 18, 'x'] } };
    const items = mapOrders([{ order }], { ...settings, accounts: { 'ada@example.com': 'C-9' } });
    expect(items[0]!.command).toMatchObject({ account: 'C-9', reservations: ['17'] });
  });
});

describe('numbers', () => {
  it('are divided and written without a float', () => {
    expect(perUnit('10', '0', 3)).toBe('3.333333');
    expect(perUnit('0.3', '0.1', 2)).toBe('0.1');
    expect(perUnit('20', '0', 3)).toBe('6.666667');
    expect(exactNumber('36.330')).toBe(36.33);
    expect(exactNumber('0.1')).toBe(0.1);
    expect(exactNumber('9007199254740993.01')).toBeUndefined();
  });
});

describe('the catalog', () => {
  it('reads recorded variants; a SKU of two variants is nobody’s, kits have no number', () => {
    const { entries } = mapCatalog(variants.variants);
    expect([...entries.keys()].sort()).toEqual(['SKU-0040', 'SKU-0041']);
    expect([...entries.values()].every(({ alone, inventoryItemId }) => alone && inventoryItemId !== null)).toBe(true);
    const [one, two] = variants.variants;
    const twins = mapCatalog([one!, { ...two!, sku: one!.sku.toLowerCase() }]);
    expect([twins.entries.size, [...twins.ambiguous]]).toEqual([0, ['SKU-0040']]);
    const kit = { ...one!, inventory_items: [{ inventory_item_id: 'iitem_1', required_quantity: 2 }] };
    expect(mapCatalog([kit]).entries.get('SKU-0040')!.inventoryItemId).toBeNull();
  });
});

function bySku(a: { sku: string }, b: { sku: string }): number {
  return a.sku < b.sku ? -1 : 1;
}
