/** Drives a real Vendure shop as its buyers and its people do, without the connector's code. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export const vendureUrl = process.env.VENDURE_URL ?? 'http://127.0.0.1:18200';
let base = vendureUrl;

/** Sessions from now on are those of another shop. */
export function openAt(url: string): void {
  base = url;
}

/** Whether a system answers there; a test that is skipped says so. */
export async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) })).status < 500;
  } catch {
    return false;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers of GraphQL, read by tests that fail where they are otherwise.
export type Any = any;

export class Session {
  #token: string | undefined;
  readonly #api: 'shop-api' | 'admin-api';
  readonly #channel: string | undefined;
  constructor(api: 'shop-api' | 'admin-api', channel?: string) {
    this.#api = api;
    this.#channel = channel;
  }

  /** The one field's value; a failure of any kind is thrown with its code. */
  async ask(query: string, variables: object = {}): Promise<Any> {
    const response = await fetch(`${base}/${this.#api}`, {
      method: 'POST',
      body: JSON.stringify({ query, variables }),
      headers: {
        'content-type': 'application/json',
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        ...(this.#channel !== undefined && { 'vendure-token': this.#channel }),
      },
    });
    this.#token = response.headers.get('vendure-auth-token') ?? this.#token;
    const { errors, data } = (await response.json()) as Any;
    if (errors) throw new Error(`${errors[0].extensions?.code}: ${errors[0].message}`);
    const values = Object.values(data) as Any[];
    const [first] = values;
    if (values.length === 1 && first?.errorCode)
      throw new Error(`${first.errorCode}: ${first.transitionError ?? first.message}`);
    return values.length === 1 ? values[0] : data;
  }
}

const FAILURE = '__typename ... on ErrorResult { errorCode message }';

export async function administrator(channel?: string): Promise<Session> {
  const session = new Session('admin-api', channel);
  const login = `mutation ($u: String!, $p: String!) { login(username: $u, password: $p) { ${FAILURE} } }`;
  await session.ask(login, { u: 'superadmin', p: 'superadmin-pw' });
  return session;
}

export async function variantOf(admin: Session, sku: string): Promise<Any> {
  const query = `query ($s: String!) { productVariants(options: { filter: { sku: { eq: $s } } }) { items {
    id sku price outOfStockThreshold stockLevels { stockLocationId stockOnHand stockAllocated } } } }`;
  return (await admin.ask(query, { s: sku })).items[0];
}

export async function updateVariants(admin: Session, input: object[]): Promise<void> {
  await admin.ask('mutation ($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) { id } }', {
    i: input,
  });
}

/** A basket that is ready to be paid. */
export async function basket(lines: [variant: string, quantity: number][], channel?: string): Promise<Session> {
  const shop = new Session('shop-api', channel);
  for (const [v, n] of lines)
    await shop.ask(
      `mutation ($v: ID!, $n: Int!) { addItemToOrder(productVariantId: $v, quantity: $n) { ${FAILURE} ... on Order { code } } }`,
      { v, n },
    );
  const customer = { emailAddress: `b${Math.random()}@example.com`, firstName: 'Ada', lastName: 'Buyer' };
  await shop.ask(`mutation ($c: CreateCustomerInput!) { setCustomerForOrder(input: $c) { ${FAILURE} } }`, {
    c: customer,
  });
  const address = { streetLine1: '1 Main St', city: 'Austin', postalCode: '73301', countryCode: 'US' };
  await shop.ask(`mutation ($a: CreateAddressInput!) { setOrderShippingAddress(input: $a) { ${FAILURE} } }`, {
    a: address,
  });
  const [method] = await shop.ask('{ eligibleShippingMethods { id } }');
  await shop.ask(`mutation ($m: [ID!]!) { setOrderShippingMethod(shippingMethodId: $m) { ${FAILURE} } }`, {
    m: [method.id],
  });
  return shop;
}

export async function arrange(shop: Session): Promise<void> {
  await shop.ask(
    `mutation { transitionOrderToState(state: "ArrangingPayment") { ${FAILURE} ... on OrderStateTransitionError { transitionError } } }`,
  );
}

export async function pay(shop: Session): Promise<Any> {
  return shop.ask(`mutation { addPaymentToOrder(input: { method: "standard-payment", metadata: {} }) { ${FAILURE}
    ... on Order { id code state totalWithTax } } }`);
}

export async function buy(lines: [variant: string, quantity: number][], channel?: string): Promise<Any> {
  const shop = await basket(lines, channel);
  await arrange(shop);
  return pay(shop);
}

export async function orderOf(admin: Session, id: string): Promise<Any> {
  return admin.ask(
    `query ($i: ID!) { order(id: $i) { id code state subTotal payments { id state }
    lines { id quantity orderPlacedQuantity productVariant { id sku } }
    fulfillments { id state method trackingCode lines { orderLineId quantity } } } }`,
    { i: id },
  );
}

export async function cancel(
  admin: Session,
  orderId: string,
  lines?: { orderLineId: string; quantity: number }[],
): Promise<void> {
  const input = { orderId, reason: 'asked by the buyer', ...(lines && { lines }) };
  await admin.ask(`mutation ($i: CancelOrderInput!) { cancelOrder(input: $i) { ${FAILURE} ... on Order { state } } }`, {
    i: input,
  });
}

/** The seeded marketplace lacks what a buyer needs: stock, a way of dispatch and of payment. */
export async function openMarketplace(admin: Session): Promise<void> {
  const { channels, stockLocations, shippingMethods, paymentMethods } = await admin.ask(
    '{ channels { items { id code } } stockLocations { items { id } } shippingMethods { items { id } } paymentMethods { items { id } } }',
  );
  const c = channels.items.find((entry: Any) => entry.code === 'marketplace').id;
  const ids = (list: Any) => list.items.map((entry: Any) => entry.id);
  await admin.ask(
    'mutation ($c: ID!, $i: [ID!]!) { assignStockLocationsToChannel(input: { channelId: $c, stockLocationIds: $i }) { id } }',
    { c, i: ids(stockLocations) },
  );
  await admin.ask(
    'mutation ($c: ID!, $i: [ID!]!) { assignShippingMethodsToChannel(input: { channelId: $c, shippingMethodIds: $i }) { id } }',
    { c, i: ids(shippingMethods) },
  );
  await admin.ask(
    'mutation ($c: ID!, $i: [ID!]!) { assignPaymentMethodsToChannel(input: { channelId: $c, paymentMethodIds: $i }) { id } }',
    { c, i: ids(paymentMethods) },
  );
}

/** Runs all, so many at a time; what each came to. */
export async function pool<T>(jobs: (() => Promise<T>)[], parallel: number): Promise<PromiseSettledResult<T>[]> {
  const results: PromiseSettledResult<T>[] = new Array(jobs.length);
  let next = 0;
  const work = async () => {
    while (next < jobs.length) {
      const at = next++;
      [results[at]] = (await Promise.allSettled([jobs[at]!()])) as [PromiseSettledResult<T>];
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return results;
}

/** Stands in front of the shop and counts the requests whose body names something. */
export async function countingProxy(): Promise<{ url: string; count(word: string): number; close(): Promise<void> }> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    bodies.push(body.toString());
    const { host: _, connection: __, ...headers } = request.headers as Record<string, string>;
    const answer = await fetch(base + request.url, { method: request.method!, headers, body });
    const session = answer.headers.get('vendure-auth-token');
    response.writeHead(answer.status, {
      'content-type': 'application/json',
      ...(session && { 'vendure-auth-token': session }),
    });
    response.end(await answer.text());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: (word) => bodies.filter((body) => body.includes(word)).length,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
