/** Order states out: cancels and fulfilments, as the difference between what we say and what the shop shows. */
import type { OrderStatusState, Outcome, StateItem, StateSink } from '../kit/index.ts';
import { Fields } from '../kit/index.ts';
import { type Answered, errorResultOf, listOf, type Shop, TAKE_MAX } from './client.ts';
import { readStock } from './levels.ts';
import { isOurs, OWN_REASON } from './map.ts';
import { isDone, type Part, planStatus, type StatusPlan } from './status-plan.ts';
import { laterBy } from './stock.ts';
import { updateVariants } from './variants.ts';

export interface StatusTerms {
  batchMax: number;
  channel: string;
  shopChannel: string;
  /** The code of the shop's fulfilment handler. */
  handler: string;
  /** Told to the buyer as the way of dispatch; fulfilments under this name are ours. */
  method: string;
  /** Whether buyers see the notes about invoices and returns. */
  publicNotes: boolean;
  /** Whether what is shipped counts as delivered. */
  delivered: boolean;
  /** Whether an authorised payment is captured before its first shipment. */
  settles: boolean;
  /** The stock location that carries the number. */
  carrier(signal: AbortSignal): Promise<string>;
}

/** As many as Vendure gives at once, unless the shop was told otherwise. */
const NOTES_MAX = 1_000;
const READ = `query ($codes: [String!]) {
  orders(options: { filter: { code: { in: $codes }, orderPlacedAt: { isNull: false } }, take: 100 }) {
    totalItems items {
      id code state orderPlacedAt channels { code } payments { id state }
      lines { id createdAt quantity orderPlacedQuantity productVariant { id sku }
        fulfillmentLines { quantity fulfillment { state trackingCode } } }
      fulfillments { id state method trackingCode }
      history(options: { filter: { type: { eq: "ORDER_NOTE" } }, take: ${NOTES_MAX} }) { totalItems items { data } }
    }
  }
}`;

const FAILURE = '__typename ... on ErrorResult { errorCode message }';
const CANCEL = `mutation ($input: CancelOrderInput!) { done: cancelOrder(input: $input) { ${FAILURE} ... on Order { id } } }`;
const SETTLE = `mutation ($id: ID!) { done: settlePayment(id: $id) { ${FAILURE} ... on Payment { id state } } }`;
const FULFIL = `mutation ($input: FulfillOrderInput!) {
  done: addFulfillmentToOrder(input: $input) { ${FAILURE} ... on Fulfillment { id state } }
}`;
const NOTE = `mutation ($input: AddNoteToOrderInput!) { done: addNoteToOrder(input: $input) { __typename id } }`;
const MOVE = `mutation ($id: ID!, $state: String!) {
  done: transitionFulfillmentToState(id: $id, state: $state) {
    ${FAILURE} ... on FulfillmentStateTransitionError { transitionError } ... on Fulfillment { id state }
  }
}`;

export function orderStatus(shop: Shop, terms: StatusTerms): StateSink {
  return {
    batchMax: terms.batchMax,
    wants: ['shipments', 'invoices', 'returns'],
    async write(items, signal) {
      let there: Map<string, Fields>;
      try {
        there = await read(items, signal);
      } catch (error) {
        return items.map(() => laterBy(error));
      }
      const outcomes: Outcome[] = [];
      for (const item of items) outcomes.push(await writeOne(item, there.get(item.key), signal));
      return outcomes;
    },
    readBack: async () => new Map(),
    async holds(items, signal) {
      const there = await read(items, signal);
      const isThere = (item: StateItem) => {
        const order = there.get(item.key);
        return order !== undefined && isDone(planStatus(order, item.state as OrderStatusState, terms));
      };
      return new Set(items.filter(isThere).map((item) => item.key));
    },
  };

  async function read(items: readonly StateItem[], signal: AbortSignal): Promise<Map<string, Fields>> {
    const ours = items.filter((item) => (item.state as OrderStatusState).channel === terms.channel);
    const keys = new Map(ours.map((item) => [(item.state as OrderStatusState).externalNo, item.key]));
    const codes = [...keys.keys()];
    const found = new Map<string, Fields>();
    for (let from = 0; from < codes.length; from += TAKE_MAX) {
      const { data } = await shop.ask(READ, { codes: codes.slice(from, from + TAKE_MAX) }, signal);
      const { items: orders } = listOf(data, 'orders') ?? shop.malformed('orders is not a list');
      for (const raw of orders) {
        const order = new Fields(raw, '/orders/items');
        const key = keys.get(order.text('code'));
        if (key !== undefined && isOurs(order, terms)) found.set(key, order);
      }
    }
    return found;
  }

  /** Each step is a difference, so a state that was half written is finished by the next attempt. */
  async function writeOne(item: StateItem, order: Fields | undefined, signal: AbortSignal): Promise<Outcome> {
    const state = item.state as OrderStatusState;
    if (order === undefined)
      return { outcome: 'refused', error: `the shop has no order ${state.externalNo} in this channel` };
    const plan = planStatus(order, state, terms);
    if (plan.impossible !== undefined) return { outcome: 'refused', error: plan.impossible };
    const reason = `${OWN_REASON} ${item.key} version ${item.version}`;
    const { orderId, cancel, settle, fulfil, move, notes } = plan;
    if (cancel.length > 0) {
      const done = await step(CANCEL, { input: { orderId, lines: cancel, reason, cancelShipping: false } }, signal);
      if ('outcome' in done) return done;
    }
    for (const id of settle) {
      const done = await step(SETTLE, { id }, signal);
      if ('outcome' in done) return done;
    }
    const moves = [...move];
    for (const parcel of fulfil) {
      const made = await fulfilled(plan, parcel, signal);
      if ('outcome' in made) return made;
      moves.push({ id: String(made.value.id), from: String(made.value.state) });
    }
    for (const { id, from } of moves) {
      const states = [...(from === 'Shipped' ? [] : ['Shipped']), ...(terms.delivered ? ['Delivered'] : [])];
      for (const to of states) {
        const done = await step(MOVE, { id, state: to }, signal);
        if ('outcome' in done) return done;
      }
    }
    for (const note of notes) {
      const done = await step(NOTE, { input: { id: orderId, note, isPublic: terms.publicNotes } }, signal);
      if ('outcome' in done) return done;
    }
    return { outcome: 'confirmed' };
  }

  async function fulfilled(
    plan: StatusPlan,
    { method, tracking, lines }: StatusPlan['fulfil'][number],
    signal: AbortSignal,
  ): Promise<{ value: Answered } | Outcome> {
    const handlerArguments = [
      { name: 'method', value: method },
      { name: 'trackingCode', value: tracking },
    ];
    const input = { lines, handler: { code: terms.handler, arguments: handlerArguments } };
    const made = await step(FULFIL, { input }, signal);
    if (!('outcome' in made) || made.outcome !== 'refused' || !made.error.startsWith('INSUFFICIENT_STOCK_ON_HAND'))
      return made;
    try {
      await supply(plan, lines, signal);
    } catch (error) {
      return laterBy(error);
    }
    return step(FULFIL, { input }, signal);
  }

  /**
   * Goods of orders that the shop took beyond its stock came to us and left, and it never heard of them: they were never for sale there.
   * On hand is raised by what lacks, only as far as the shop still has nothing to sell.
   */
  async function supply(plan: StatusPlan, lines: readonly Part[], signal: AbortSignal): Promise<void> {
    const units = new Map<string, number>();
    for (const { orderLineId, quantity } of lines) {
      const variant = plan.variants.get(orderLineId)!;
      units.set(variant, (units.get(variant) ?? 0) + quantity);
    }
    const carrier = await terms.carrier(signal);
    const stocks = await readStock(shop, [...units.keys()], signal);
    const inputs = [...stocks.values()].flatMap((stock) => {
      const onHand = stock.levels.reduce((sum, level) => sum + level.onHand, 0);
      const allocated = stock.levels.reduce((sum, level) => sum + level.allocated, 0);
      const lacking = units.get(stock.id)! - onHand;
      if (lacking <= 0 || onHand + lacking - allocated - stock.threshold > 0) return [];
      const level = stock.levels.find(({ location }) => location === carrier);
      return [
        { id: stock.id, stockLevels: [{ stockLocationId: carrier, stockOnHand: (level?.onHand ?? 0) + lacking }] },
      ];
    });
    await updateVariants(shop, inputs, signal);
  }

  async function step(
    mutation: string,
    variables: unknown,
    signal: AbortSignal,
  ): Promise<{ value: Answered } | Outcome> {
    const answer = await shop.send(mutation, variables, signal);
    if (!answer.answered) return answer.outcome;
    const { done } = answer.value as Answered;
    const failure = errorResultOf(done);
    if (failure !== undefined) return { outcome: 'refused', error: `${failure.code}: ${failure.message}` };
    if (typeof done !== 'object' || done === null) return { outcome: 'in_doubt', error: 'it answered no result' };
    return { value: done as Answered };
  }
}
