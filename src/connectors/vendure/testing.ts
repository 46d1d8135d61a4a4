/** One order of a Vendure, for tests: what the admin API's mutations do to it, by the rules of Vendure's own code. */
import type { FakeAnswer, FakeCall } from '../kit/testing.ts';

interface Fulfilment {
  id: string;
  state: string;
  method: string;
  trackingCode: string;
  lines: { orderLineId: string; quantity: number }[];
}

interface Variables {
  id?: string;
  state?: string;
  input: {
    lines: Fulfilment['lines'];
    handler: { arguments: { value: string }[] };
    note: string;
    isPublic: boolean;
  };
}

const done = (value: object): FakeAnswer => ({ json: { data: { done: value } } });

export class OrderDouble {
  readonly code = 'CODE7';
  readonly lines: { id: string; createdAt: string; quantity: number; orderPlacedQuantity: number; sku: string }[];
  readonly fulfilments: Fulfilment[] = [];
  readonly notes: { note: string; isPublic: boolean }[] = [];
  /** Units that cancelled lines put back on the shelf after they were fulfilled. */
  restocked = 0;

  constructor(quantities: readonly number[]) {
    this.lines = quantities.map((quantity, i) => ({
      ...{ id: String(i + 1), createdAt: `2026-03-01T10:00:0${i}.000Z`, sku: `SKU-${i + 1}` },
      ...{ quantity, orderPlacedQuantity: quantity },
    }));
  }

  answer(call: FakeCall): FakeAnswer {
    const { query, variables } = call.body as { query: string; variables: Variables };
    if (query.includes('login('))
      return { json: { data: { login: { __typename: 'CurrentUser' } } }, headers: { 'vendure-auth-token': 's1' } };
    if (query.includes('cancelOrder(')) return this.#cancel(variables.input);
    if (query.includes('addFulfillmentToOrder(')) return this.#fulfil(variables.input);
    if (query.includes('transitionFulfillmentToState(')) {
      const fulfilment = this.fulfilments.find(({ id }) => id === variables.id)!;
      fulfilment.state = variables.state!;
      return done({ __typename: 'Fulfillment', id: fulfilment.id, state: fulfilment.state });
    }
    if (query.includes('addNoteToOrder(')) {
      const { note, isPublic } = variables.input;
      this.notes.push({ note, isPublic });
      return done({ __typename: 'Order', id: '1' });
    }
    return this.#read();
  }

  isWrite(call: FakeCall): boolean {
    const { query } = call.body as { query: string };
    return query.includes('mutation') && !query.includes('login(');
  }

  #fulfilledOf(id: string): number {
    return this.fulfilments
      .filter(({ state }) => state !== 'Cancelled')
      .flatMap(({ lines }) => lines)
      .reduce((sum, line) => sum + (line.orderLineId === id ? line.quantity : 0), 0);
  }

  #cancel({ lines }: { lines: Fulfilment['lines'] }): FakeAnswer {
    for (const { orderLineId, quantity } of lines) {
      const line = this.lines.find(({ id }) => id === orderLineId)!;
      const open = line.quantity - this.#fulfilledOf(orderLineId);
      this.restocked += Math.max(0, quantity - open);
      line.quantity -= quantity;
    }
    return done({ __typename: 'Order', id: '1' });
  }

  #fulfil({ lines, handler }: { lines: Fulfilment['lines']; handler: { arguments: { value: string }[] } }): FakeAnswer {
    for (const { orderLineId, quantity } of lines) {
      const line = this.lines.find(({ id }) => id === orderLineId)!;
      if (quantity > line.quantity - this.#fulfilledOf(orderLineId))
        return done({
          __typename: 'ItemsAlreadyFulfilledError',
          errorCode: 'ITEMS_ALREADY_FULFILLED_ERROR',
          message: 'x',
        });
    }
    const [method, tracking] = handler.arguments.map(({ value }) => value);
    const id = String(this.fulfilments.length + 1);
    this.fulfilments.push({ id, state: 'Pending', method: method!, trackingCode: tracking!, lines });
    return done({ __typename: 'Fulfillment', id, state: 'Pending' });
  }

  #read(): FakeAnswer {
    const order = {
      ...{ id: '1', code: this.code, state: 'PaymentSettled', orderPlacedAt: '2026-03-01T10:00:00.000Z' },
      ...{ channels: [{ code: '__default_channel__' }], payments: [] },
      lines: this.lines.map(({ sku, ...line }) => ({
        ...line,
        productVariant: { id: `v${line.id}`, sku },
        fulfillmentLines: this.fulfilments.flatMap(({ state, trackingCode, lines }) =>
          lines
            .filter(({ orderLineId }) => orderLineId === line.id)
            .map(({ quantity }) => ({ quantity, fulfillment: { state, trackingCode } })),
        ),
      })),
      fulfillments: this.fulfilments.map(({ lines: _, ...shown }) => shown),
      history: { totalItems: this.notes.length, items: this.notes.map(({ note }) => ({ data: { note } })) },
    };
    return { json: { data: { orders: { totalItems: 1, items: [order] } } } };
  }
}
