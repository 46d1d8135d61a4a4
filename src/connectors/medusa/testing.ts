/** One order of a Medusa, for tests: what its admin API does to it, by the rules of its own code. Not shipped through any door. */
import type { FakeAnswer, FakeCall } from '../kit/testing.ts';

interface Detail {
  quantity: number;
  fulfilled_quantity: number;
  shipped_quantity: number;
  return_requested_quantity: number;
  return_received_quantity: number;
  return_dismissed_quantity: number;
}
type Items = { id: string; quantity: number }[];
interface Change {
  id: string;
  change_type: string;
  status: string;
  return_id: string | null;
  internal_note: string | null;
  items: Items;
  received: Items;
  dismissed: Items;
}
interface Fulfilment {
  id: string;
  shipped_at: string | null;
  canceled_at: null;
  metadata: unknown;
  items: { line_item_id: string; quantity: number }[];
  labels: { tracking_number: string }[];
}
interface Return {
  id: string;
  status: string;
  location_id: string | null;
  items: { item_id: string; quantity: number; received_quantity: number }[];
}

const REFUSED = (message: string): FakeAnswer => ({ status: 400, json: { type: 'invalid_data', message } });

export class OrderDouble {
  readonly lines: { id: string; variant_sku: string; quantity: number; detail: Detail }[];
  readonly fulfilments: Fulfilment[] = [];
  readonly returns: Return[] = [];
  readonly changes: Change[] = [];
  metadata: Record<string, unknown> = { gift: 'yes' };
  /** What its shelf would have gained by returns: the hub's number has it already. */
  restocked = 0;
  #ids = 0;

  constructor(quantities: readonly number[]) {
    this.lines = quantities.map((quantity, i) => ({
      id: `ordli_${i + 1}`,
      variant_sku: `SKU-${i + 1}`,
      quantity,
      detail: {
        ...{ quantity, fulfilled_quantity: 0, shipped_quantity: 0 },
        ...{ return_requested_quantity: 0, return_received_quantity: 0, return_dismissed_quantity: 0 },
      },
    }));
  }

  answer(call: FakeCall): FakeAnswer {
    const { method, path } = call;
    const body = (call.body ?? {}) as Record<string, unknown>;
    if (method === 'GET') return this.#read(path);
    if (method === 'DELETE') return this.#withdraw(path);
    const [, , kind, , action, id, last] = path.split('/');
    if (kind === 'orders' && action === undefined) {
      this.metadata = body.metadata as Record<string, unknown>;
      return this.#order();
    }
    if (kind === 'orders' && last === 'shipments') return this.#ship(id!, body);
    if (kind === 'orders') return this.#fulfil(body);
    if (path === '/admin/returns') return this.#beginReturn(body);
    return this.#return(path.split('/')[3]!, path.split('/').slice(4).join('/'), body);
  }

  #detail(id: string): Detail {
    return this.lines.find((line) => line.id === id)!.detail;
  }

  #order(): FakeAnswer {
    const items = this.lines.map((line) => ({ ...line, is_tax_inclusive: false, raw_quantity: null }));
    const order = { id: 'order_1', display_id: 7, status: 'pending', version: 1, metadata: this.metadata };
    return { json: { order: { ...order, items, fulfillments: this.fulfilments } } };
  }

  #read(path: string): FakeAnswer {
    if (path === '/admin/orders') return { json: { orders: [{ id: 'order_1', display_id: 7 }] } };
    if (path === '/admin/reservations') return { json: { reservations: [] } };
    if (path === '/admin/returns') return { json: { returns: this.returns } };
    if (path.endsWith('/changes')) return { json: { order_changes: this.changes } };
    return this.#order();
  }

  #fulfil({ items, metadata }: Record<string, unknown>): FakeAnswer {
    for (const { id, quantity } of items as Items)
      if (quantity > this.#detail(id).quantity - this.#detail(id).fulfilled_quantity)
        return REFUSED(`Quantity to fulfill exceeds the remaining quantity of ${id}`);
    for (const { id, quantity } of items as Items) this.#detail(id).fulfilled_quantity += quantity;
    this.fulfilments.push({
      id: `ful_${++this.#ids}`,
      shipped_at: null,
      canceled_at: null,
      metadata,
      items: (items as Items).map(({ id, quantity }) => ({ line_item_id: id, quantity })),
      labels: [],
    });
    return this.#order();
  }

  #ship(id: string, { items, labels }: Record<string, unknown>): FakeAnswer {
    const fulfilment = this.fulfilments.find((one) => one.id === id)!;
    if (fulfilment.shipped_at !== null) return REFUSED('Shipment has already been created');
    fulfilment.shipped_at = '2026-03-02T10:00:00.000Z';
    fulfilment.labels = labels as Fulfilment['labels'];
    for (const { id: line, quantity } of items as Items) this.#detail(line).shipped_quantity += quantity;
    return this.#order();
  }

  #open(): Change | undefined {
    return this.changes.find(({ status }) => status === 'pending');
  }

  #begin(change_type: string, return_id: string, internal_note: unknown): FakeAnswer | undefined {
    if (this.#open() !== undefined) return REFUSED('Order (order_1) already has an existing active order change');
    const note = typeof internal_note === 'string' ? internal_note : null;
    const empty = { items: [], received: [], dismissed: [] };
    this.changes.push({
      id: `ordch_${++this.#ids}`,
      change_type,
      status: 'pending',
      return_id,
      internal_note: note,
      ...empty,
    });
    return undefined;
  }

  #beginReturn({ location_id, internal_note }: Record<string, unknown>): FakeAnswer {
    const id = `return_${++this.#ids}`;
    const refused = this.#begin('return_request', id, internal_note);
    if (refused !== undefined) return refused;
    this.returns.push({ id, status: 'open', location_id: (location_id as string) ?? null, items: [] });
    return { json: { return: { id } } };
  }

  #return(id: string, action: string, body: Record<string, unknown>): FakeAnswer {
    const one = this.returns.find((known) => known.id === id)!;
    const answer = { json: { return: { id } } };
    if (action === '') {
      one.location_id = body.location_id as string;
      return answer;
    }
    if (action === 'receive') return this.#begin('return_receive', id, body.internal_note) ?? answer;
    const change = this.#open();
    if (change?.return_id !== id) return REFUSED('An active Order Change is required to proceed');
    const items = (body.items ?? []) as Items;
    if (action === 'request-items') {
      for (const { id: line, quantity } of items) {
        const { fulfilled_quantity, return_requested_quantity } = this.#detail(line);
        if (quantity > fulfilled_quantity - return_requested_quantity)
          return REFUSED('Cannot request to return more items than what was fulfilled');
      }
      change.items = items;
    } else if (action === 'dismiss-items' || action === 'receive-items') {
      for (const { id: line, quantity } of items)
        if (quantity > this.#detail(line).return_requested_quantity)
          return REFUSED('Cannot receive more items than what was requested to be returned');
      if (action === 'dismiss-items') change.dismissed.push(...items);
      else change.received.push(...items);
    } else if (action === 'request') {
      for (const { id: line, quantity } of change.items) this.#detail(line).return_requested_quantity += quantity;
      one.status = 'requested';
      one.items = change.items.map(({ id: item_id, quantity }) => ({ item_id, quantity, received_quantity: 0 }));
      change.status = 'confirmed';
    } else {
      if (one.location_id === null) return REFUSED('Cannot receive the Return at location null');
      for (const [list, field] of [
        [change.received, 'return_received_quantity'],
        [change.dismissed, 'return_dismissed_quantity'],
      ] as const)
        for (const { id: line, quantity } of list) {
          this.#detail(line)[field] += quantity;
          this.#detail(line).return_requested_quantity -= quantity;
          if (field === 'return_received_quantity') this.restocked += quantity;
          // As in its own code: set, not added.
          one.items.find(({ item_id }) => item_id === line)!.received_quantity = quantity;
        }
      one.status = one.items.every((item) => item.received_quantity === item.quantity)
        ? 'received'
        : 'partially_received';
      change.status = 'confirmed';
    }
    return answer;
  }

  #withdraw(path: string): FakeAnswer {
    const change = this.#open();
    if (change === undefined) return REFUSED('An active Order Change is required to proceed');
    this.changes.splice(this.changes.indexOf(change), 1);
    if (path.endsWith('/request')) {
      const at = this.returns.findIndex(({ id }) => id === change.return_id);
      this.returns.splice(at, 1);
    }
    return { json: { deleted: true } };
  }
}
