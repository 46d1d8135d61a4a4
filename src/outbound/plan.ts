/**
 * Reads the log and writes outbound work: which destination must receive which fact, and whose state is no longer what it was
 * told. One transaction: what is planned and how far the log is read are one.
 */

import { documentReference, orderReference } from '../canonical/index.ts';
import type {
  ChargePayload,
  FulfilmentCancelPayload,
  FulfilmentPayload,
  OrderDocumentPayload,
} from '../connectors/kit/index.ts';
import { type Fact, readNext } from '../log/index.ts';
import type { Directory } from '../master/index.ts';
import type { OrderEvent } from '../orders/index.ts';
import { type Database, documents, numbers, type Tx, texts } from '../store/index.ts';
import { AtOnce, type Sender } from './at-once.ts';
import { BUCKETS } from './buckets.ts';
import { kitsDirty } from './kit-dirt.ts';
import {
  addedToOrder,
  cancelledWhileHeld,
  changedNumbers,
  chargesOf,
  orderAsAccepted,
  orderAsReleased,
} from './order-payloads.ts';
import * as statements from './plan.sql.ts';
import { type Header, loadCodes, orderIdOf, readHeaders } from './plan-headers.ts';
import { restockedSkus, returnPosting } from './return-payloads.ts';
import { inStreamOrder, type PlannedStreams } from './stream-order.ts';

export const CONSUMER = 'outbound';

/** Which system serves a domain; null where none is declared. */
export interface Routing {
  orders: string | null;
  fulfilment: string | null;
  accounts: string | null;
}

export interface PlanDeps {
  db: Database;
  directory: Directory;
  routing: Routing;
  /** By destination, where this process sends: what is planned for it may leave at once. */
  senders?: ReadonlyMap<number, Sender>;
  /** Whether a system can be told a kind of state; default: it can. What nobody can be told is not marked for ever. */
  tells?: (system: string, kind: string) => boolean;
  /** What this process has planned lately. */
  planned?: PlannedStreams;
}

/** Something of which a destination no longer holds the newest state; an order with its version. */
export interface Dirt {
  destinationId: number;
  kind: string;
  key: number;
  changedAt: Date;
  version?: number;
}

interface Work {
  deliveries: {
    destinationId: number;
    bucket: number;
    key: number;
    kind: string;
    reference: string;
    position: number;
    orderId: number | null;
    payload: unknown;
  }[];
  dirty: Map<string, Dirt>;
  takenBack: TakenBack[];
}

/** An order whose channel may sell units of it once more: it took them back itself, or will when it is told. */
export interface TakenBack {
  destinationId: number;
  orderId: number;
}

/** Plans the next facts. @returns how many were read */
export async function planNext(deps: PlanDeps, limit = 1_000): Promise<number> {
  const planned = await deps.db.transaction(async (tx) => {
    const { read, facts: next, epoch } = await readNext(tx, CONSUMER, limit);
    if (read === 0) return undefined;
    deps.planned?.enter(epoch);
    const facts = await inStreamOrder(tx, CONSUMER, next, deps.planned);
    const work: Work = { deliveries: [], dirty: new Map(), takenBack: [] };
    const headers = await readHeaders(tx, facts);
    await loadCodes(deps.directory, facts, headers);
    for (const fact of facts) plan(deps, fact, headers, work);
    await kitsDirty(tx, work.dirty);
    const { deliveries } = work;
    const atOnce = new AtOnce(deps.senders ?? new Map());
    const written = await writeDeliveries(tx, deliveries, atOnce.epochs(deliveries));
    await writeDirty(tx, [...work.dirty.values()]);
    doubtNumbersOf(tx, work.takenBack);
    return { read, facts, send: () => atOnce.send(deliveries, written) };
  });
  if (planned === undefined) return 0;
  deps.planned?.add(planned.facts);
  planned.send();
  return planned.read;
}

function plan(deps: PlanDeps, fact: Fact, headers: ReadonlyMap<number, Header>, work: Work): void {
  const { directory, routing } = deps;
  const orderId = orderIdOf(fact);
  if (orderId !== null) {
    const header = headers.get(orderId);
    if (header === undefined) throw new Error(`fact ${fact.position} is about order ${orderId}, which is not there`);
    planOrderFact(deps, fact, orderId, header, work);
    return;
  }
  const data = fact.data as { skuId?: number; skuIds?: number[]; channelId?: number };
  if (fact.type === 'price.changed') {
    // Of earlier versions: a price was everybody's.
    const concerned = directory.selfSelling.filter(
      ({ companyId }) => fact.companyId === 0 || companyId === fact.companyId,
    );
    for (const channel of concerned)
      for (const skuId of data.skuIds ?? []) dirty(deps, work, channel.system, 'price', skuId, fact.recordedAt);
    return;
  }
  if (fact.type === 'charge.recorded') {
    if (routing.orders === null) return;
    const charge = fact.data as {
      reference: string;
      charge: string;
      account: string;
      code: string;
      quantity: number;
      amountMinor: number;
      currency: string;
    };
    const payload: ChargePayload = {
      reference: charge.reference,
      kind: charge.charge,
      account: charge.account,
      code: charge.code,
      quantity: charge.quantity,
      amountMinor: charge.amountMinor,
      currency: charge.currency,
      at: fact.occurredAt,
    };
    // A charge belongs to no order; its own position orders it among nothing else.
    deliver(deps, work, routing.orders, {
      key: fact.position,
      kind: 'charge',
      reference: charge.reference,
      position: fact.position,
      orderId: null,
      payload,
    });
    return;
  }
  if (fact.type.startsWith('stock.') || fact.type === 'quota.changed') {
    for (const skuId of data.skuIds ?? (data.skuId === undefined ? [] : [data.skuId]))
      availabilityDirty(deps, work, skuId, fact.recordedAt);
  }
}

function planOrderFact(deps: PlanDeps, fact: Fact, orderId: number, header: Header, work: Work): void {
  const { directory, routing } = deps;
  const event = fact.data as OrderEvent;
  const channel = directory.channelById.get(header.channelId)!;
  const reference = orderReference(channel.code, header.externalNo);
  // In order per key, and the key is what must be in order: an order in the ERP; in the WMS a fulfilment and its cancels, or a
  // return. An order that is served week by week would otherwise wait for itself.
  const to = (system: string | null, kind: string, ref: string, payload: unknown, key = orderId) => {
    if (system !== null)
      deliver(deps, work, system, { key, kind, reference: ref, position: fact.position, orderId, payload });
  };
  const status = () => {
    dirty(deps, work, routing.accounts, 'order_status', orderId, fact.recordedAt, fact.version);
    if (channel.system !== routing.accounts)
      dirty(deps, work, channel.system, 'order_status', orderId, fact.recordedAt, fact.version);
  };
  const takenBack = () => {
    const destination =
      channel.sellsByItself && channel.numberMeans === 'net_available'
        ? directory.destinations.get(channel.system ?? '')
        : undefined;
    if (destination !== undefined) work.takenBack.push({ destinationId: destination.destinationId, orderId });
  };
  switch (event.type) {
    case 'order.accepted': {
      const payload = orderAsAccepted(directory, header, event);
      // An order is told once and whole: one that is held, when nothing of it is any more.
      const isHeld = event.untold === true || event.lines.some((line) => (line.held ?? 0) > 0);
      if (payload.lines.length > 0 && !isHeld) to(routing.orders, 'sales_order', reference, payload);
      const { taken, sold } = changedNumbers(event);
      for (const skuId of taken) availabilityDirty(deps, work, skuId, fact.recordedAt);
      for (const skuId of sold) dirty(deps, work, channel.system, 'availability', skuId, fact.recordedAt);
      status();
      return;
    }
    case 'order.lines_added': {
      const added = addedToOrder(
        ...([directory, header, event, directory.documentReference('A', orderId, fact.version), reference] as const),
      );
      if (added !== undefined && event.untold !== true) to(routing.orders, 'order_change', added.reference, added);
      const { taken, sold } = changedNumbers(event);
      for (const skuId of taken) availabilityDirty(deps, work, skuId, fact.recordedAt);
      for (const skuId of sold) dirty(deps, work, channel.system, 'availability', skuId, fact.recordedAt);
      status();
      return;
    }
    case 'fulfilment.short_picked':
      // Found elsewhere, they are taken from what others were offered.
      for (const { skuId } of event.lines) availabilityDirty(deps, work, skuId, fact.recordedAt);
      status();
      return;
    case 'order.changed':
    case 'order.change_confirmed':
      return;
    case 'order.change_too_late':
    case 'order.promise_changed':
      status();
      return;
    case 'order.lines_reassigned':
      for (const part of event.released) availabilityDirty(deps, work, part.skuId, fact.recordedAt);
      status();
      return;
    case 'order.lines_allocated':
      // What was free waited for these lines: no channel was offered it, so no number changes.
      status();
      return;
    case 'order.confirmed':
      status();
      return;
    case 'fulfilment.requested': {
      const payload: FulfilmentPayload = {
        reference: directory.fulfilmentReference(event.fulfilmentId),
        order: reference,
        location: directory.locationById.get(event.locationId)!.code,
        lines: event.lines.map((line) => ({
          lineNo: line.lineNo,
          sku: directory.skuCode(line.skuId),
          quantity: line.quantity,
        })),
      };
      to(routing.fulfilment, 'fulfilment', payload.reference, payload, event.fulfilmentId);
      return;
    }
    case 'order.cancel_asked': {
      // One cancel document may name several lines of one fulfilment: its own reference doesn't tell them apart, the version does.
      const ref = `${event.reference}/${fact.version}${directory.referenceEnding}`;
      const payload: FulfilmentCancelPayload = {
        reference: ref,
        fulfilment: directory.fulfilmentReference(event.fulfilmentId),
        lines: event.lines,
      };
      to(routing.fulfilment, 'fulfilment_cancel', ref, payload, event.fulfilmentId);
      return;
    }
    case 'order.lines_cancelled': {
      const payload: OrderDocumentPayload = {
        reference: directory.documentReference('C', orderId, fact.version),
        order: reference,
        lines: event.lines.map(({ fromBackorder: _, ...line }) => line),
        ...chargesOf(header, event.charges),
      };
      if (event.untold !== true) to(routing.orders, 'order_cancellation', payload.reference, payload);
      for (const part of event.released) availabilityDirty(deps, work, part.skuId, fact.recordedAt);
      takenBack();
      status();
      return;
    }
    case 'order.exception_raised':
      return;
    case 'order.held':
    case 'order.hold_released':
    case 'order.repriced':
    case 'order.degraded_ended':
      status();
      return;
    case 'order.exception_resolved':
      for (const { skuId } of event.allocations) availabilityDirty(deps, work, skuId, fact.recordedAt);
      if (event.refused > 0) availabilityDirty(deps, work, event.skuId, fact.recordedAt);
      status();
      return;
    case 'order.hold_ended': {
      to(routing.orders, 'sales_order', reference, orderAsReleased(directory, header, event));
      const cancelled = cancelledWhileHeld(
        event,
        directory.documentReference('C', orderId, fact.version),
        reference,
        header,
      );
      if (cancelled !== undefined) to(routing.orders, 'order_cancellation', cancelled.reference, cancelled);
      return;
    }
    case 'return.authorised': {
      const payload: FulfilmentPayload = {
        reference: directory.returnReference(event.returnId),
        order: reference,
        location: directory.locationById.get(event.locationId)!.code,
        lines: event.lines.map((line) => ({
          lineNo: line.lineNo,
          sku: directory.skuCode(line.skuId),
          quantity: line.quantity,
        })),
      };
      to(routing.fulfilment, 'return_announcement', payload.reference, payload, event.returnId);
      takenBack();
      return;
    }
    case 'return.received':
    case 'return.inspected': {
      const posting = returnPosting(directory.documentReference('R', orderId, fact.version), reference, event, header);
      if (posting !== undefined) to(routing.orders, 'return_posting', posting.reference, posting);
      for (const skuId of restockedSkus(event)) availabilityDirty(deps, work, skuId, fact.recordedAt);
      status();
      return;
    }
    case 'shipment.confirmed': {
      const payload: OrderDocumentPayload = {
        reference: documentReference(event.source, event.shipment),
        order: reference,
        location: directory.locationById.get(event.locationId)!.code,
        shippedAt: fact.occurredAt,
        lines: event.lines,
        ...chargesOf(header, event.charges),
      };
      to(routing.orders, 'shipment_posting', payload.reference, payload);
      status();
      return;
    }
    case 'document.posted':
    case 'fulfilment.released':
      status();
      return;
    case 'stock.picked':
      // On hand and allocated fall together, so nothing changes for anybody, unless a count knew of the pick before we did.
      for (const skuId of (fact.data as { countedBefore?: number[] }).countedBefore ?? [])
        availabilityDirty(deps, work, skuId, fact.recordedAt);
      return;
    default: {
      const never: never = event;
      throw new Error(`unknown fact ${(never as OrderEvent).type}`);
    }
  }
}

function deliver(
  deps: PlanDeps,
  work: Work,
  system: string,
  delivery: Omit<Work['deliveries'][number], 'destinationId' | 'bucket'>,
): void {
  const destination = deps.directory.destinations.get(system);
  if (destination !== undefined)
    work.deliveries.push({ destinationId: destination.destinationId, bucket: bucketOf(delivery.key), ...delivery });
}

function dirty(
  deps: PlanDeps,
  work: Work,
  system: string | null,
  kind: string,
  key: number,
  changedAt: Date,
  version?: number,
): void {
  const destination = system === null ? undefined : deps.directory.destinations.get(system);
  if (destination === undefined || deps.tells?.(destination.code, kind) === false) return;
  const id = `${destination.destinationId}/${kind}/${key}`;
  const known = work.dirty.get(id);
  if (known === undefined)
    work.dirty.set(id, {
      destinationId: destination.destinationId,
      kind,
      key,
      changedAt,
      ...(version === undefined ? {} : { version }),
    });
  else if (version !== undefined) known.version = Math.max(known.version ?? 0, version);
}

function availabilityDirty(deps: PlanDeps, work: Work, skuId: number, changedAt: Date): void {
  for (const channel of deps.directory.selfSelling) dirty(deps, work, channel.system, 'availability', skuId, changedAt);
}

/** What these channels show of the orders' SKUs is read again: taking back units raises their number without us. */
export function doubtNumbersOf(tx: Tx, orders: readonly TakenBack[]): void {
  if (orders.length === 0) return;
  tx.write(statements.doubtNumbersOfOrders, [
    numbers(orders.map(({ destinationId }) => destinationId)),
    numbers(orders.map(({ orderId }) => orderId)),
  ]);
}

/** Buckets spread keys over processes; a key stays in its bucket for ever. */
export function bucketOf(key: number): number {
  return key % BUCKETS;
}

/** @param epochs under which token each may leave at once @returns those that were not there before */
async function writeDeliveries(
  tx: Tx,
  deliveries: Work['deliveries'],
  epochs: readonly (number | null)[],
): Promise<statements.PlannedDelivery[]> {
  if (deliveries.length === 0) return [];
  return tx.query(statements.insertDeliveries, [
    numbers(deliveries.map((d) => d.destinationId)),
    numbers(deliveries.map((d) => d.bucket)),
    numbers(deliveries.map((d) => d.key)),
    texts(deliveries.map((d) => d.kind)),
    texts(deliveries.map((d) => d.reference)),
    numbers(deliveries.map((d) => d.position)),
    numbers(deliveries.map((d) => d.orderId)),
    documents(deliveries.map((d) => JSON.stringify(d.payload))),
    numbers(epochs),
  ]);
}

/** Marks publications as no longer what the destination holds. */
export async function writeDirty(tx: Tx, dirt: readonly Dirt[]): Promise<void> {
  if (dirt.length === 0) return;
  tx.write(statements.markDirty, [
    numbers(dirt.map((d) => d.destinationId)),
    texts(dirt.map((d) => d.kind)),
    numbers(dirt.map((d) => d.key)),
    numbers(dirt.map((d) => bucketOf(d.key))),
    texts(dirt.map((d) => d.changedAt.toISOString())),
    numbers(dirt.map((d) => d.version ?? null)),
  ]);
}
