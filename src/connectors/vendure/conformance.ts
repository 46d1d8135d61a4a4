/** How Vendure's admin API answers on good days, as the recorded answers in fixtures/ and its own services say. */
import { createHmac } from 'node:crypto';
import {
  type Answer,
  type Call,
  describeSystem,
  type FeedRows,
  type Role,
  type SystemModel,
} from '../kit/conformance/index.ts';

type Entry = Record<string, unknown>;

const THINGS = 130;
const PASSWORD = 'conformance-password-8Rw2nL';
const SESSION = 'conformance-session-5Yt7Kd';
/** Vendure lists at most so many rows, whatever is asked for. */
const ROWS_MAX = 100;
const EAST = '1';
const WEST = '2';
const codes = Array.from({ length: THINGS }, (_, index) => `77${index + 1}10`);
const skuOf = (code: string) => `SKU${code}`;
/** Ids are what a shop makes them; with the SKU in it the suite knows whom a write is about. */
const idOf = (sku: string) => `v-${sku}`;

const ms = (at: string) => new Date(at).toISOString();

interface Variant {
  id: string;
  sku: string;
  onHand: Record<string, number>;
  allocated: Record<string, number>;
  threshold: number;
  usesGlobal: boolean;
  price: number;
}

/** An error of the whole request, under HTTP 200. */
const errors = (code: string, message: string): Answer => ({
  json: { errors: [{ message, extensions: { code } }], data: null },
});

function system(rows: FeedRows): SystemModel {
  const variants = new Map(codes.map(skuOf).map((sku): [string, Variant] => [idOf(sku), variantOf(sku)]));
  const told = new Map(codes.map((code): [string, Entry] => [code, statusOrder(code)]));
  /** Sold beside what the suite lists: rows that lose nothing. */
  const sold: Entry[] = [];
  const gone = new Set<string>();
  let signedIn = false;

  function answer(call: Call): Answer | undefined {
    if (call.method !== 'POST' || call.path !== '/admin-api') return undefined;
    const { query = '', variables = {} } = (call.body ?? {}) as { query?: string; variables?: Entry };
    if (query.includes('login(')) {
      if (variables.password !== PASSWORD)
        return data({
          login: { __typename: 'InvalidCredentialsError', errorCode: 'INVALID_CREDENTIALS_ERROR', message: 'no' },
        });
      signedIn = true;
      return { ...data({ login: { __typename: 'CurrentUser' } }), headers: { 'vendure-auth-token': SESSION } };
    }
    if (!signedIn || call.headers.authorization !== `Bearer ${SESSION}`)
      return errors('FORBIDDEN', 'You are not currently authorized to perform this action');
    if ([...gone].some((mark) => /^\s*mutation/.test(query) && call.text.includes(mark)))
      return errors('ENTITY_NOT_FOUND', 'it could not be found');
    if (query.includes('updateProductVariants')) return update(variables.input as Entry[]);
    if (query.includes('cancelOrder')) return cancel(variables.input as Entry);
    if (query.includes('mutation')) return undefined;
    if (query.includes('stockLocations'))
      return data({
        stockLocations: {
          items: [
            { id: EAST, name: 'DC-EAST' },
            { id: WEST, name: 'DC-WEST' },
          ],
        },
      });
    if (query.includes('activeChannel {') && !query.includes('productVariants'))
      return data({ activeChannel: { code: '__default_channel__', defaultCurrencyCode: 'USD' } });
    if (query.includes('productVariants')) return listVariants(query, variables);
    if (query.includes('placed: orders')) return gate();
    if (query.includes('orders(')) return listOrders(query, variables);
    return undefined;
  }

  /** One transaction: one that is not there fails all. */
  function update(input: Entry[]): Answer {
    for (const { id } of input)
      if (!variants.has(String(id))) return errors('ENTITY_NOT_FOUND', `No ProductVariant with the id "${String(id)}"`);
    for (const { id, stockLevels = [], outOfStockThreshold, useGlobalOutOfStockThreshold, prices = [] } of input) {
      const variant = variants.get(String(id))!;
      for (const level of stockLevels as Entry[])
        variant.onHand[String(level.stockLocationId)] = Number(level.stockOnHand);
      if (typeof outOfStockThreshold === 'number') variant.threshold = outOfStockThreshold;
      if (typeof useGlobalOutOfStockThreshold === 'boolean') variant.usesGlobal = useGlobalOutOfStockThreshold;
      for (const price of prices as Entry[]) if (price.currencyCode === 'USD') variant.price = Number(price.price);
    }
    return data({ updateProductVariants: input.map(({ id }) => ({ id })) });
  }

  function cancel({ orderId, lines = [] }: Entry): Answer {
    const order = told.get(String(orderId).replace('o', ''));
    if (order === undefined) return errors('ENTITY_NOT_FOUND', `No Order with the id "${String(orderId)}"`);
    for (const part of lines as Entry[]) {
      const found = (order.lines as Entry[]).find(({ id }) => id === part.orderLineId)!;
      if (Number(part.quantity) > Number(found.quantity))
        return data({
          done: { __typename: 'QuantityTooGreatError', errorCode: 'QUANTITY_TOO_GREAT_ERROR', message: 'too many' },
        });
      found.quantity = Number(found.quantity) - Number(part.quantity);
    }
    return data({ done: { __typename: 'Order', id: orderId } });
  }

  function listVariants(query: string, variables: Entry): Answer {
    const {
      skip = 0,
      take = ROWS_MAX,
      filter,
      ids,
    } = variables as { skip?: number; take?: number; filter?: Entry; ids?: string[] };
    const skus = (filter?.sku as { in?: string[] } | undefined)?.in;
    const found = [...variants.values()].filter(
      ({ id, sku }) => (ids === undefined || ids.includes(id)) && (skus === undefined || skus.includes(sku)),
    );
    const items = found.slice(skip, skip + Math.min(take, ROWS_MAX)).map((variant) => ({
      id: variant.id,
      sku: variant.sku,
      trackInventory: 'INHERIT',
      outOfStockThreshold: variant.threshold,
      useGlobalOutOfStockThreshold: variant.usesGlobal,
      stockLevels: [EAST, WEST].map((at) => ({
        stockLocationId: at,
        stockOnHand: variant.onHand[at],
        stockAllocated: variant.allocated[at],
      })),
      prices: [{ price: variant.price, currencyCode: 'USD' }],
    }));
    return data({
      productVariants: { totalItems: found.length, items },
      ...(query.includes('globalSettings') && { globalSettings: { trackInventory: true, outOfStockThreshold: 0 } }),
      ...(query.includes('activeChannel') && {
        activeChannel: { code: '__default_channel__', pricesIncludeTax: false },
      }),
    });
  }

  function all(): { raw: unknown; at: string; id: string }[] {
    return [
      ...rows.orders!.map(({ raw, at }) => ({
        raw,
        at: isEntry(raw) && typeof raw.orderPlacedAt === 'string' ? ms(raw.orderPlacedAt) : ms(at),
        id: isEntry(raw) ? String(raw.id) : '',
      })),
      ...sold.map((raw) => ({ raw, at: String(raw.orderPlacedAt), id: String(raw.id) })),
    ].sort((a, b) => compare(a.at, b.at) || Number(a.id) - Number(b.id));
  }

  function gate(): Answer {
    const newest = all().at(-1);
    const items = newest === undefined ? [] : [{ id: newest.id, orderPlacedAt: newest.at, updatedAt: newest.at }];
    return data({ placed: { items }, changed: { items } });
  }

  function listOrders(query: string, variables: Entry): Answer {
    const {
      skip = 0,
      take = ROWS_MAX,
      filter,
      codes: named,
      ids,
    } = variables as {
      skip?: number;
      take?: number;
      filter?: { _and?: Record<string, { after?: string }>[] };
      codes?: string[];
      ids?: string[];
    };
    if (named !== undefined) {
      const items = named.flatMap((code) => told.get(code) ?? []);
      return data({ orders: { totalItems: items.length, items } });
    }
    const since = filter?._and?.flatMap((part) => [part.orderPlacedAt?.after, part.updatedAt?.after]).find(Boolean);
    const found = all().filter(
      ({ at, id }) => (since === undefined || at > since) && (ids === undefined || ids.includes(id)),
    );
    void query;
    const items = found.slice(skip, skip + Math.min(take, ROWS_MAX)).map(({ raw }) => raw);
    return data({ orders: { totalItems: found.length, items } });
  }

  function take(sku: string, units: number, inLevel: boolean): void {
    const variant = variants.get(idOf(sku))!;
    if (inLevel) variant.allocated[EAST] = variant.allocated[EAST]! + units;
    sold.push(order(900_000 + sold.length, '2026-11-23T17:00:00Z', { id: variant.id, sku }, units));
  }

  return {
    answer,
    roleOf,
    sellable: (sku) => saleable(variants.get(idOf(sku))),
    sell: (sku, units) => take(sku, units, true),
    hide: (sku, units) => take(sku, units, false),
    refuse: (reference) => void gone.add(reference.slice(reference.lastIndexOf('/') + 1)),
  };
}

function roleOf({ body }: Call): Role {
  const query = String((body as { query?: unknown } | undefined)?.query ?? '');
  if (query.includes('login(')) return 'sign_in';
  return /^\s*mutation/.test(query) ? 'write' : 'read';
}

/** As ProductVariantService.getSaleableStockLevel reckons over the locations of a channel. */
function saleable(variant: Variant | undefined): number | undefined {
  if (variant === undefined) return undefined;
  const sum = (of: Record<string, number>) => Object.values(of).reduce((total, one) => total + one, 0);
  return sum(variant.onHand) - sum(variant.allocated) - (variant.usesGlobal ? 0 : variant.threshold);
}

function variantOf(sku: string): Variant {
  return {
    id: idOf(sku),
    sku,
    onHand: { [EAST]: 50, [WEST]: 3 },
    allocated: { [EAST]: 0, [WEST]: 0 },
    threshold: 0,
    usesGlobal: true,
    price: 100,
  };
}

/** Three units sold, of which we say that one is cancelled. */
function statusOrder(code: string): Entry {
  const sku = skuOf(code);
  return {
    id: `o${code}`,
    code,
    state: 'PaymentSettled',
    orderPlacedAt: '2026-11-23T17:28:43.433Z',
    channels: [{ code: '__default_channel__' }],
    payments: [{ id: `p${code}`, state: 'Settled' }],
    lines: [{ ...line(`l${code}`, { id: idOf(sku), sku }, 3), fulfillmentLines: [] }],
    fulfillments: [],
  };
}

function line(id: string, productVariant: { id: string; sku: string }, quantity: number): Entry {
  return {
    id,
    createdAt: '2026-11-23T17:28:41.947Z',
    quantity,
    orderPlacedQuantity: quantity,
    proratedUnitPrice: 911,
    proratedLinePrice: 911 * quantity,
    productVariant,
    fulfillmentLines: [],
  };
}

function order(n: number, at: string, variant = { id: 'v-OTHER', sku: 'SKU-0003' }, quantity = 5): Entry {
  return {
    id: String(n),
    code: `BU8CAKEUK9${n}`,
    state: 'PaymentAuthorized',
    orderPlacedAt: ms(at),
    updatedAt: ms(at),
    currencyCode: 'USD',
    channels: [{ code: '__default_channel__' }],
    customer: { emailAddress: 'buyer@example.com' },
    lines: [line(`4${n}`, variant, quantity)],
    modifications: [],
    history: { items: [] },
  };
}

const data = (of: Entry): Answer => ({ json: { data: of } });

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

export default describeSystem({
  system,
  context: {
    token: PASSWORD,
    settings: { user: 'crossdock', company: 'US', account: 'WALK-IN', locations: ['DC-EAST', 'DC-WEST'] },
  },
  secrets: [SESSION],
  feeds: {
    orders: {
      pageMax: ROWS_MAX,
      placeFields: ['id', 'orderPlacedAt', 'updatedAt'],
      record: (n, at) => order(n, at),
      broken: (at) => [
        { ...order(2, at), lines: [] },
        { ...order(2, at), code: null },
        { ...order(2, at), currencyCode: 'dollars' },
        { ...order(2, at), lines: [{ ...line('1', { id: '3', sku: 'SKU-0003' }, 1), productVariant: null }] },
      ],
      deleted: (n, at) => ({ ...order(n, at), state: 'Cancelled' }),
    },
  },
  availability: (n) => ({ sku: skuOf(`77${n}10`), from: null, quantity: 4, ordersThrough: '' }),
  prices: (n) => ({ key: skuOf(`77${n}10`), version: 7, base: 0, state: { unitPrice: '2.55', currency: 'USD' } }),
  orderStatus: (n) => ({
    key: `channel/77${n}10`,
    version: 3,
    base: 0,
    state: {
      channel: 'channel',
      externalNo: `77${n}10`,
      status: 'accepted',
      account: 'WALK-IN',
      currency: 'USD',
      totalMinor: 2_733,
      shipments: [],
      lines: [
        {
          lineNo: 1,
          sku: skuOf(`77${n}10`),
          quantity: 3,
          amountMinor: 2_733,
          ...{ cancelled: 1, backordered: 0, refused: 0, shipped: 0, invoiced: 0, returned: 0 },
        },
      ],
    },
  }),
  hint: {
    feed: 'orders',
    body: ([first]) => Buffer.from(JSON.stringify({ event: 'order.placed', id: (first as Entry).id })),
    headers: (body, secret) => ({ 'x-peer-signature': createHmac('sha256', secret).update(body).digest('hex') }),
  },
  skip: {
    'record.unknown_enum':
      'a shop names the states of its orders as it likes: what was placed is an order in each of them',
  },
});
