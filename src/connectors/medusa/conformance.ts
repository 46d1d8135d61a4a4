/** How Medusa's admin API answers on good days, as the recorded answers in fixtures/ and its own routes say. */
import { createHmac } from 'node:crypto';
import { type Answer, type Call, describeSystem, type FeedRows, type SystemModel } from '../kit/conformance/index.ts';

type Entry = Record<string, unknown>;

const EAST = 'sloc_01M84Q3D3PWG1SEEX6CPPN4WB8';
const WEST = 'sloc_01M84Q3EC9QQ2142M5CX2SCMYX';
const THINGS = 130;
/** Opaque to us, and with the SKU in it, so that the suite knows whom a write is about. */
const codes = Array.from({ length: THINGS }, (_, index) => `77${index + 1}10`);
const skuOf = (code: string) => `SKU${code}`;
const itemOf = (sku: string) => `iitem_${sku}`;
const variantOf = (sku: string) => `variant_${sku}`;
const productOf = (sku: string) => `prod_${sku}`;

/** Medusa writes milliseconds always, and its lists compare times as times. */
const ms = (at: string) => (/\.\d{3}Z$/.test(at) ? at : new Date(at).toISOString());

interface Level {
  stocked: number;
  /** What the level says; rows may say more. */
  reserved: number;
}

/** An order of which two units are packed, and none is shipped. */
interface StatusOrder {
  shipped: boolean;
  labels: unknown[];
  metadata: Entry | null;
}

function system(rows: FeedRows): SystemModel {
  const levels = new Map(codes.map((code): [string, Level] => [itemOf(skuOf(code)), { stocked: 50, reserved: 2 }]));
  const reservations = codes.map((code, index) => reservation(`resitem_${index}`, skuOf(code), 2, index));
  const prices = new Map(codes.map((code) => [variantOf(skuOf(code)), 1] as [string, number]));
  const orders = new Map(codes.map((code): [string, StatusOrder] => [code, untouched()]));
  /** A batch that holds one of these is refused whole. */
  const gone = new Set<string>();

  function answer(call: Call): Answer | undefined {
    const { method, path, params } = call;
    const body = (call.body ?? {}) as Entry;
    if (method !== 'GET' && [...gone].some((mark) => (path + call.text).includes(mark)))
      return { status: 404, json: { type: 'not_found', message: 'it is gone' } };
    if (method === 'GET') {
      if (path === '/admin/stock-locations') return { json: { stock_locations: [{ id: EAST }, { id: WEST }] } };
      if (path === '/admin/product-variants') return { json: page('variants', variants(params), params) };
      if (path === '/admin/inventory-items') return { json: page('inventory_items', items(params), params) };
      if (path === '/admin/reservations') return { json: page('reservations', reserved(params), params) };
      if (path === '/admin/orders') return { json: { orders: params.has('q') ? found(params) : listed(params) } };
      return orderOf(path, params);
    }
    if (path === '/admin/inventory-items/location-levels/batch') return { json: setLevels(body) };
    if (path === '/admin/products/batch') return { json: setPrices(body) };
    const [, code, rest] = /^\/admin\/orders\/order_(\d+)(\/.*)?$/.exec(path) ?? [];
    const order = code === undefined ? undefined : orders.get(code);
    if (order === undefined) return undefined;
    if (rest === undefined) order.metadata = (body.metadata ?? order.metadata) as Entry | null;
    else if (rest === `/fulfillments/ful_${code}/shipments`) {
      if (order.shipped)
        return { status: 400, json: { type: 'not_allowed', message: 'Shipment has already been created' } };
      order.shipped = true;
      order.labels = body.labels as unknown[];
    } else return undefined;
    return { json: { order: statusOrder(code!, order) } };
  }

  function variants(params: URLSearchParams): Entry[] {
    const ids = params.getAll('id[]');
    return codes
      .map(skuOf)
      .filter((sku) => ids.length === 0 || ids.includes(variantOf(sku)))
      .map((sku) => ({
        id: variantOf(sku),
        sku,
        product_id: productOf(sku),
        manage_inventory: true,
        inventory_items: [{ inventory_item_id: itemOf(sku), required_quantity: 1, variant_id: variantOf(sku) }],
        prices: [
          { id: `price_${sku}`, currency_code: 'usd', amount: prices.get(variantOf(sku)), rules: {} },
          { id: `price_eur_${sku}`, currency_code: 'eur', amount: 7, rules: {} },
        ],
      }));
  }

  function items(params: URLSearchParams): Entry[] {
    return params.getAll('id[]').flatMap((id) => {
      const level = levels.get(id);
      if (level === undefined) return [];
      const at = (location_id: string, { stocked, reserved: promised }: Level) => ({
        location_id,
        stocked_quantity: stocked,
        reserved_quantity: promised,
      });
      return [{ id, location_levels: [at(EAST, level), at(WEST, { stocked: 0, reserved: 0 })] }];
    });
  }

  function reserved(params: URLSearchParams): Entry[] {
    const since = params.get('updated_at[$gte]') ?? '';
    const ids = params.getAll('inventory_item_id[]');
    const by = params.get('order') === 'id' ? 'id' : 'updated_at';
    return reservations
      .filter((row) => row.updated_at >= since && (ids.length === 0 || ids.includes(row.inventory_item_id)))
      .sort((a, b) => (a[by] < b[by] ? -1 : 1));
  }

  /** All or nothing, as the shop's workflow does it. */
  function setLevels({ create = [], update = [] }: { create?: Entry[]; update?: Entry[] }): Entry {
    for (const change of update)
      if (change.location_id === EAST)
        levels.get(String(change.inventory_item_id))!.stocked = Number(change.stocked_quantity);
    const told = (change: Entry) => ({ id: `iloc_${String(change.inventory_item_id)}`, ...change });
    return { created: create.map(told), updated: update.map(told), deleted: [] };
  }

  function setPrices({ update = [] }: { update?: { id: string; variants: Entry[] }[] }): Entry {
    for (const { variants: changed } of update)
      for (const { id, prices: list } of changed)
        for (const price of list as Entry[])
          if (price.currency_code === 'usd') prices.set(String(id), Number(price.amount));
    return { created: [], updated: update.map(({ id }) => ({ id })), deleted: [] };
  }

  /** `q` finds by part of the number, as the shop's search does. */
  function found(params: URLSearchParams): Entry[] {
    const q = params.get('q')!;
    const matching = [...orders.keys()].filter((code) => code.includes(q));
    return matching.map((code) => ({ id: `order_${code}`, display_id: Number(code) })).slice(0, 50);
  }

  /** Sorted by one field only; what is of one moment comes in any order. */
  function listed(params: URLSearchParams): unknown[] {
    const since = params.get('updated_at[$gte]') ?? '';
    const until = params.get('updated_at[$lt]') ?? '9999';
    const beyond = params.get('id[$gt]') ?? '';
    const there = rows.orders!.map(({ raw, at, n }) => ({
      raw: isEntry(raw) && 'updated_at' in raw ? { ...raw, updated_at: ms(at) } : raw,
      at: ms(at),
      id: isEntry(raw) ? String(raw.id) : '',
      n,
    }));
    return there
      .filter(({ at, id }) => at >= since && at < until && (beyond === '' || id > beyond))
      .sort((a, b) => (params.get('order') === 'id' ? compare(a.id, b.id) : compare(a.at, b.at) || compare(b.id, a.id)))
      .slice(0, Number(params.get('limit')))
      .map(({ raw }) => raw);
  }

  function orderOf(path: string, params: URLSearchParams): Answer | undefined {
    const [, id, rest] = /^\/admin\/orders\/([^/]+)(\/changes)?$/.exec(path) ?? [];
    if (id === undefined) return undefined;
    if (rest !== undefined) return { json: { order_changes: [] } };
    const order = orders.get(id.replace('order_', ''));
    if (order === undefined)
      return { status: 404, json: { type: 'not_found', message: `Order with id: ${id} was not found` } };
    void params;
    return { json: { order: statusOrder(id.replace('order_', ''), order) } };
  }

  return {
    answer,
    sellable: (sku) => available(levels.get(itemOf(sku))),
    sell(sku, units) {
      levels.get(itemOf(sku))!.reserved += units;
      reservations.push(reservation(`resitem_sold_${reservations.length}`, sku, units, reservations.length));
    },
    refuse: (reference) => void gone.add(reference.slice(reference.lastIndexOf('/') + 1)),
    hide: (sku, units) =>
      void reservations.push(reservation(`resitem_hidden_${reservations.length}`, sku, units, reservations.length)),
  };
}

const available = (level: Level | undefined) => (level === undefined ? undefined : level.stocked - level.reserved);

function reservation(id: string, sku: string, quantity: number, nth: number) {
  const updated_at = new Date(Date.parse('2019-05-01T08:00:00Z') + nth).toISOString();
  return { id, quantity, updated_at, location_id: EAST, inventory_item_id: itemOf(sku), line_item_id: null };
}

function untouched(): StatusOrder {
  return { shipped: false, labels: [], metadata: null };
}

function statusOrder(code: string, { shipped, labels, metadata }: StatusOrder): Entry {
  const detail = { quantity: 3, fulfilled_quantity: 2, shipped_quantity: shipped ? 2 : 0 };
  return {
    id: `order_${code}`,
    display_id: Number(code),
    status: 'pending',
    version: 1,
    metadata,
    items: [{ ...line(`ordli_${code}`, skuOf(code), 3), detail: { ...detail, return_received_quantity: 0 } }],
    fulfillments: [
      {
        id: `ful_${code}`,
        location_id: EAST,
        shipped_at: shipped ? '2026-11-23T17:53:54.432Z' : null,
        canceled_at: null,
        metadata: null,
        items: [{ id: `fulit_${code}`, line_item_id: `ordli_${code}`, quantity: 2 }],
        labels,
      },
    ],
  };
}

function line(id: string, sku: string, quantity: number): Entry {
  return {
    id,
    title: `Item ${sku}`,
    variant_id: variantOf(sku),
    variant_sku: sku,
    is_tax_inclusive: false,
    raw_unit_price: { value: '59.8', precision: 20 },
    unit_price: 59.8,
    quantity,
    raw_quantity: { value: String(quantity), precision: 20 },
    raw_subtotal: { value: '179.4', precision: 20 },
    subtotal: 179.4,
    raw_discount_subtotal: { value: '0', precision: 20 },
    discount_subtotal: 0,
    tax_lines: [],
    adjustments: [],
  };
}

function page(name: string, list: readonly unknown[], params: URLSearchParams): Entry {
  const offset = Number(params.get('offset') ?? 0);
  const limit = Number(params.get('limit') ?? 50);
  return { [name]: list.slice(offset, offset + limit), count: list.length, offset, limit };
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** A later order has an earlier id, as ids of processes that don't share a clock may. */
const order = (n: number, at: string): Entry => ({
  id: `order_${String(1_000_000 - n)}`,
  display_id: 53_000 + n,
  status: 'pending',
  version: 1,
  currency_code: 'usd',
  email: 'buyer@example.com',
  sales_channel_id: 'sc_01M84Q3C9GZ9H46D6HCDWFGABQ',
  created_at: '2026-11-23T17:51:45.537Z',
  updated_at: ms(at),
  canceled_at: null,
  metadata: null,
  total: 179.4,
  items: [line(`ordli_${n}_a`, 'SKU-0040', 3), line(`ordli_${n}_b`, 'SKU-0041', 2)],
});

export default describeSystem({
  system,
  context: {
    settings: {
      company: 'main',
      account: 'WALK-IN',
      locations: { EAST, WEST },
    },
  },
  feeds: {
    orders: {
      pageMax: 50,
      placeFields: ['id', 'updated_at'],
      record: order,
      broken: (at) => [
        { ...order(2, at), display_id: null },
        { ...order(2, at), items: [] },
        { ...order(2, at), items: [{ ...line('ordli_1', 'SKU-0040', 1), variant_sku: null }] },
        { ...order(2, at), items: [{ ...line('ordli_1', 'SKU-0040', 1), raw_unit_price: null, unit_price: 'free' }] },
      ],
      unknownEnum: (at) => ({ ...order(2, at), status: 'haunted' }),
      deleted: (n, at) => ({ ...order(n, at), status: 'canceled', canceled_at: '2026-11-23T17:53:13.310Z' }),
    },
  },
  availability: (n) => ({ sku: skuOf(`77${n}10`), from: null, quantity: 4, ordersThrough: '' }),
  prices: (n) => ({
    key: skuOf(`77${n}10`),
    version: 7,
    base: 0,
    state: { unitPrice: '2.55', currency: 'USD' },
  }),
  orderStatus: (n) => ({
    key: `channel/77${n}10`,
    version: 3,
    base: 0,
    state: {
      channel: 'channel',
      externalNo: `77${n}10`,
      status: 'shipped',
      account: 'WALK-IN',
      currency: 'USD',
      totalMinor: 17_940,
      shipments: [
        {
          ...{ shipment: 'wms/S1', location: 'EAST', at: '2026-11-23T17:53:54Z', lines: [{ lineNo: 1, quantity: 2 }] },
          ...{ tracking: '1Z-1', carrier: 'UPS', parcels: [{ tracking: '1Z-1', carrier: 'UPS' }] },
        },
      ],
      lines: [
        {
          lineNo: 1,
          sku: skuOf(`77${n}10`),
          quantity: 3,
          amountMinor: 17_940,
          ...{ cancelled: 0, backordered: 0, refused: 0, shipped: 2, invoiced: 0, returned: 0 },
        },
      ],
    },
  }),
  hint: {
    feed: 'orders',
    body: ([first]) => Buffer.from(JSON.stringify({ event: 'order.placed', data: { id: (first as Entry).id }, at: 1 })),
    headers: (body, secret) => ({ 'x-peer-signature': createHmac('sha256', secret).update(body).digest('hex') }),
  },
});
