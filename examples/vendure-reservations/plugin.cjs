// Vendure plugin: asks Crossdock for the goods before a buyer may pay, and refuses the checkout when there are too few.
//
// Vendure checks its stock when something goes into the basket and allocates it after the payment, in two transactions without a lock:
// buyers who pay at once get goods that are not there. Crossdock decides in one place, so this asks there at the step before the payment:
//   AddingItems -> ArrangingPayment   POST /v1/reservations per SKU; short: all are given back, the transition is refused
//   ArrangingPayment -> AddingItems   DELETE each
//   paid                              kept: the order names them, and Crossdock turns them into allocations when it reads the order
//   -> Cancelled                      DELETE each; one that an order used up is no longer open, and giving it back does nothing
// A reservation that nobody gives back (a buyer who walks away, a process that dies in between) expires.
const { randomUUID } = require('node:crypto');
const {
  LanguageCode,
  Logger,
  Order,
  PluginCommonModule,
  TransactionalConnection,
  VendurePlugin,
} = require('@vendure/core');

const FIELD = 'crossdockReservations';
const CONTEXT = 'CrossdockReservations';
const TRIES = 3;
const PAUSE_MS = 200;

/**
 * @param {{ url: string, apiKey: string, channel: string, expiresInSeconds?: number, timeoutMs?: number }} options
 *   channel: the Crossdock channel whose goods are sold, one that asks (`sells: 'asks'`)
 */
function crossdockReservations(options) {
  const { url, apiKey, channel, expiresInSeconds = 900, timeoutMs = 3_000 } = options;
  let connection;

  async function call(method, path, body, key) {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await fetch(new URL(path, url), {
          method,
          headers: {
            authorization: `Bearer ${apiKey}`,
            ...(key && { 'idempotency-key': key }),
            ...(body && { 'content-type': 'application/json' }),
          },
          ...(body && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(timeoutMs),
        });
        if (response.status !== 429 && response.status < 500) return response;
        if (attempt === TRIES) throw new Error(`${method} ${path} answered ${response.status}`);
      } catch (error) {
        if (attempt === TRIES) throw error;
      }
      // The key makes the second try the same request, also when the first one was granted and only its answer was lost.
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt));
    }
  }

  async function release(ids) {
    for (const id of ids) {
      try {
        const response = await call('DELETE', `/v1/reservations/${id}`);
        if (!response.ok && response.status !== 404) throw new Error(`answered ${response.status}`);
      } catch (error) {
        // It expires by itself; a buyer must not be kept from leaving for it.
        Logger.warn(`reservation ${id} was not given back: ${error.message}`, CONTEXT);
      }
    }
  }

  /** @returns why not; undefined: everything is held */
  async function reserve(ctx, order) {
    const wanted = new Map();
    for (const line of order.lines) {
      const { sku } = line.productVariant;
      wanted.set(sku, (wanted.get(sku) ?? 0) + line.quantity);
    }
    const ids = [];
    // In one order for all buyers, so that two baskets with the same two SKUs don't each get one and neither both.
    for (const [sku, quantity] of [...wanted].sort(([one], [other]) => (one < other ? -1 : 1))) {
      if (quantity === 0) continue;
      try {
        const body = { channel, sku, quantity, purpose: 'cart', expiresInSeconds };
        const response = await call('POST', '/v1/reservations', body, `${order.code}/${sku}/${randomUUID()}`);
        const answer = await response.json();
        if (response.status === 201 || response.status === 200) {
          ids.push(answer.reservationId);
          continue;
        }
        await release(ids);
        if (answer.refused === 'atp_short') return `Only ${answer.atp} of ${sku} left`;
        Logger.error(`${sku} of order ${order.code}: ${response.status} ${answer.code ?? ''}`, CONTEXT);
        return `${sku} can't be ordered right now`;
      } catch (error) {
        await release(ids);
        // Whoever prefers to sell without an answer returns undefined here, and oversells while Crossdock is away.
        Logger.error(`${sku} of order ${order.code}: ${error.message}`, CONTEXT);
        return `${sku} can't be ordered right now`;
      }
    }
    await keep(ctx, order, ids);
    return undefined;
  }

  async function keep(ctx, order, ids) {
    order.customFields = { ...order.customFields, [FIELD]: ids };
    await connection.getRepository(ctx, Order).update(order.id, { customFields: { [FIELD]: ids } });
  }

  const held = (order) => order.customFields?.[FIELD] ?? [];

  /** @type {import('@vendure/core').OrderProcess<string>} */
  const process = {
    init(injector) {
      connection = injector.get(TransactionalConnection);
    },
    async onTransitionStart(fromState, toState, { ctx, order }) {
      if (toState === 'ArrangingPayment') {
        await release(held(order));
        return await reserve(ctx, order);
      }
      // Nothing is paid for without its goods: what was reserved may have expired while the buyer looked for a card.
      if (fromState === 'ArrangingPayment' && (toState === 'PaymentAuthorized' || toState === 'PaymentSettled')) {
        for (const id of held(order)) {
          const response = await call('GET', `/v1/reservations/${id}`);
          const { state } = response.ok ? await response.json() : {};
          if (state !== 'open') return 'The goods were held for too long; please check out once more';
        }
      }
      return undefined;
    },
    async onTransitionEnd(fromState, toState, { ctx, order }) {
      if ((fromState === 'ArrangingPayment' && toState === 'AddingItems') || toState === 'Cancelled') {
        await release(held(order));
        await keep(ctx, order, []);
      }
    },
  };

  class CrossdockReservationsPlugin {}
  VendurePlugin({
    imports: [PluginCommonModule],
    compatibility: '^3.0.0',
    configuration(config) {
      config.orderOptions.process = [...config.orderOptions.process, process];
      config.customFields.Order.push({
        name: FIELD,
        type: 'string',
        list: true,
        public: false,
        nullable: true,
        label: [{ languageCode: LanguageCode.en, value: 'Crossdock reservations' }],
      });
      return config;
    },
  })(CrossdockReservationsPlugin);
  return CrossdockReservationsPlugin;
}

module.exports = { crossdockReservations };
