/**
 * Asks Crossdock before a cart becomes an order. Put this file into the shop's src/workflows/hooks/.
 *
 * The shop's own check can pass twice for the last unit as soon as it runs in two processes. Crossdock decides each hold in one place, so
 * what was held is there. A cart that can't be held whole is refused with what is missing; its other holds are given back.
 *
 * A hold that nobody gives back (a process that dies) ends by itself after CROSSDOCK_HOLD_SECONDS. Each try takes holds of its own: under
 * the key of an earlier try the first answer would come again, though that hold was given back meanwhile.
 */
const { randomUUID } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { MedusaError, Modules } = require('@medusajs/framework/utils');
const { StepResponse } = require('@medusajs/framework/workflows-sdk');
const { completeCartWorkflow } = require('@medusajs/medusa/core-flows');

const url = process.env.CROSSDOCK_URL;
const channel = process.env.CROSSDOCK_CHANNEL ?? 'web';
const timeoutMs = Number(process.env.CROSSDOCK_TIMEOUT_MS ?? 5_000);
const holdSeconds = Number(process.env.CROSSDOCK_HOLD_SECONDS ?? 900);
const key =
  process.env.CROSSDOCK_KEY ??
  (process.env.CROSSDOCK_KEY_FILE && readFileSync(process.env.CROSSDOCK_KEY_FILE, 'utf8').trim());

/** Holds of carts that this process is completing; the order gets their numbers. */
const held = new Map();

async function call(method, path, headers, body) {
  const res = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await res.text();
  return { status: res.status, value: text.startsWith('{') ? JSON.parse(text) : {} };
}

/** Once more where nobody knows whether it was held: under one key it is held once. */
async function hold(sku, quantity) {
  const idempotencyKey = randomUUID();
  const body = { channel, sku, quantity, purpose: 'cart', expiresInSeconds: holdSeconds };
  for (let tries = 2; ; ) {
    try {
      const answer = await call('POST', '/v1/reservations', { 'idempotency-key': idempotencyKey }, body);
      if (answer.status < 500 && answer.status !== 429) return answer;
      if (--tries === 0) return answer;
    } catch (error) {
      if (--tries === 0) throw error;
    }
  }
}

async function giveBack(ids) {
  // What fails here ends by itself.
  await Promise.allSettled(ids.map((id) => call('DELETE', `/v1/reservations/${id}`, {})));
}

/** Two lines of one SKU are one wish: each alone could pass. */
function wishesOf(cart) {
  const wishes = new Map();
  for (const { variant_sku: sku, quantity, variant } of cart.items ?? []) {
    if (!sku || variant?.manage_inventory === false) continue;
    wishes.set(sku, (wishes.get(sku) ?? 0) + Number(quantity));
  }
  return wishes;
}

async function reserve({ cart }) {
  // The shop completes a completed cart again by giving its order.
  if (!url || cart.completed_at) return new StepResponse(undefined, []);
  const ids = [];
  try {
    for (const [sku, quantity] of wishesOf(cart)) {
      const { status, value } = await hold(sku, quantity);
      if (status === 201 || status === 200) ids.push(value.reservationId);
      else if (value.code === 'XD_ATP_SHORT')
        throw new MedusaError(MedusaError.Types.NOT_ALLOWED, `Not enough stock of ${sku}: ${value.atp ?? 0} left`);
      else throw new Error(`Crossdock answered ${status} ${value.code ?? ''}`);
    }
  } catch (error) {
    await giveBack(ids);
    if (error instanceof MedusaError) throw error;
    // Sold unasked, it could be sold twice; whoever would rather sell decides so here.
    throw new MedusaError(MedusaError.Types.NOT_ALLOWED, `Stock can't be held now, please try again: ${error.message}`);
  }
  held.set(cart.id, ids);
  return new StepResponse(undefined, { cart: cart.id, ids });
}

/** The completion failed later on: nothing was sold. */
async function release(given) {
  if (!given?.ids) return;
  held.delete(given.cart);
  await giveBack(given.ids);
}

completeCartWorkflow.hooks.validate(reserve, release);

/** The connector reads the holds from the order, so that they become its allocations. */
completeCartWorkflow.hooks.orderCreated(async ({ order_id, cart_id }, { container }) => {
  const ids = held.get(cart_id);
  held.delete(cart_id);
  if (!ids?.length) return;
  const orders = container.resolve(Modules.ORDER);
  const order = await orders.retrieveOrder(order_id, { select: ['id', 'metadata'] });
  await orders.updateOrders(order_id, { metadata: { ...order.metadata, crossdock_reservations: ids } });
});
