/** The works of a batch: which orders they are about, what each reads of its order, and which balances it may move. */
import type { OrderLineKey, Pair } from '../ledger/index.ts';
import type { ChannelEntry } from '../master/index.ts';
import { numbers, type Queryable, texts } from '../store/index.ts';
import { addedSkus, endingWait, isPartOf, openPairs } from './change-needs.ts';
import type { OrderKits } from './kits.ts';
import { returnsNamed } from './returns.ts';
import { withSets } from './sets.ts';
import * as statements from './store.sql.ts';
import type { OrderParts } from './store.ts';
import type { Order, OrderCommand } from './types.ts';

export type OrderReference =
  | { orderId: number }
  | { channelId: number; externalNo: string }
  | { fulfilmentId: number }
  | { returnId: number };

export interface OrderWork {
  /** Absent for `submit`. */
  reference?: OrderReference;
  command: OrderCommand;
  occurredAt: string;
  correlationId?: string | null;
  causationId?: string | null;
  /** Soft holds that a submitted order turns into allocations. */
  reservationIds?: readonly number[];
  /** All allocations of the order count, not only those of the lines that are named: its channel has a share, a cap or a buffer. */
  isLimited?: boolean;
  /** Which work of the batch it completes: without that one nothing of it is done, and their promises change once. */
  completes?: number;
}

/** Which order each work is about; null: it is not known. */
export async function resolve(db: Queryable, works: readonly OrderWork[]): Promise<(number | null)[]> {
  const ids: (number | null)[] = works.map(() => null);
  const external: { i: number; channelId: number; externalNo: string }[] = [];
  const fulfilments: { i: number; id: number }[] = [];
  const returns: { i: number; id: number }[] = [];
  works.forEach(({ reference, command }, i) => {
    if (command.kind === 'submit') return;
    if (reference === undefined) throw new Error(`${command.kind} names no order`);
    if ('orderId' in reference) ids[i] = reference.orderId;
    else if ('externalNo' in reference) external.push({ i, ...reference });
    else if ('fulfilmentId' in reference) fulfilments.push({ i, id: reference.fulfilmentId });
    else returns.push({ i, id: reference.returnId });
  });
  if (external.length > 0) {
    const rows = await db.query(statements.findByExternal, [
      numbers(external.map((e) => e.channelId)),
      texts(external.map((e) => e.externalNo)),
    ]);
    const found = new Map(rows.map((row) => [`${row.channel_id}/${row.external_no}`, row.order_id]));
    // An order of this very batch isn't in the table yet.
    for (const { command } of works)
      if (command.kind === 'submit') found.set(`${command.channelId}/${command.externalNo}`, command.orderId);
    for (const e of external) ids[e.i] = found.get(`${e.channelId}/${e.externalNo}`) ?? null;
  }
  if (fulfilments.length > 0) {
    const rows = await db.query(statements.findByFulfilment, [numbers(fulfilments.map((f) => f.id))]);
    const found = new Map(rows.map((row) => [row.fulfilment_id, row.order_id]));
    for (const f of fulfilments) ids[f.i] = found.get(f.id) ?? null;
  }
  if (returns.length > 0) {
    const rows = await db.query(statements.findByReturn, [numbers(returns.map((r) => r.id))]);
    const found = new Map(rows.map((row) => [row.return_id, row.order_id]));
    for (const r of returns) ids[r.i] = found.get(r.id) ?? null;
  }
  return ids;
}

/** What each command reads of its order: the lines it names with their allocations, and the fulfilment or return it is about. */
export function partsOf(works: readonly OrderWork[], orderIds: readonly (number | null)[]): OrderParts {
  const parts: OrderParts = {
    orderIds: new Set(),
    lines: [],
    allocationsOf: new Set(),
    fulfilmentIds: new Set(),
    returnsOf: new Set(),
    behind: new Set(),
    whole: new Set(),
    awaitingOf: new Set(),
    changesOf: new Set(),
  };
  works.forEach(({ command, isLimited }, i) => {
    const orderId = orderIds[i];
    if (orderId === null || orderId === undefined || orderId <= 0) return;
    parts.orderIds.add(orderId);
    if (isLimited) parts.allocationsOf.add(orderId);
    if (command.kind === 'cancel' || command.kind === 'resolve_exception' || command.kind === 'request_return')
      parts.behind.add(orderId);
    if (command.kind === 'hold' || command.kind === 'release_hold') parts.behind.add(orderId);
    if (command.kind === 'release_hold' || command.kind === 'resolve_exception') parts.allocationsOf.add(orderId);
    if ('fulfilmentId' in command) parts.fulfilmentIds.add(command.fulfilmentId);
    if (command.kind === 'change' || command.kind === 'cancel_order' || command.kind === 'short_pick')
      parts.whole.add(orderId);
    if (command.kind === 'resolve_exception') parts.whole.add(orderId);
    if (command.kind === 'change' || command.kind === 'answer_cancel') parts.changesOf.add(orderId);
    if (command.kind === 'confirm_change') for (const lineNo of command.lineNos) parts.lines.push({ orderId, lineNo });
    if ('lines' in command && command.kind !== 'change')
      for (const { lineNo } of command.lines) parts.lines.push({ orderId, lineNo });
    if (command.kind === 'cancel') parts.lines.push({ orderId, lineNo: command.lineNo });
    if (command.kind === 'allocate_backorders' || command.kind === 'repromise')
      for (const lineNo of command.lineNos) parts.lines.push({ orderId, lineNo });
    // What is allocated goes to the WMS now, whichever line it is of.
    if (command.kind === 'confirm') {
      parts.allocationsOf.add(orderId);
      parts.awaitingOf.add(orderId);
    }
    if (command.kind === 'receive_return' || command.kind === 'inspect_return') parts.returnsOf.add(orderId);
  });
  return parts;
}

/** What may ask for goods back: of a line once, to one place, and with a return that is asked for a second time, of what can't be stopped. */
export const mayReturn: ReadonlySet<OrderCommand['kind']> = new Set([
  'cancel',
  'answer_cancel',
  'cancel_order',
  'request_return',
]);

/** Fulfilments at one place: one, and one for each line that awaits the ERP. */
export function placesFor(lineNos: readonly number[], order: Order | undefined): number {
  return 1 + lineNos.filter((lineNo) => order?.lines.get(lineNo)?.awaitsErp === true).length;
}

/** Lines of known orders that wait for stock and may cease to: what they hold of dated supply may end. */
export function waitingLines(
  works: readonly OrderWork[],
  orderIds: readonly (number | null)[],
  orders: ReadonlyMap<number, Order>,
): OrderLineKey[] {
  const waiting: OrderLineKey[] = [];
  works.forEach(({ command }, i) => {
    const order = orders.get(orderIds[i]!);
    if (order === undefined) return;
    const lineNos = endingWait(command, order);
    for (const lineNo of new Set(lineNos))
      if ((order.lines.get(lineNo)?.backordered ?? 0) > 0) waiting.push({ orderId: order.orderId, lineNo });
  });
  return waiting;
}

export function pairsOf(
  command: OrderCommand,
  order: Order | undefined,
  channel: ChannelEntry,
  kits: OrderKits,
): Pair[] {
  const pairs: Pair[] = [];
  const everywhere = (skuId: number) => {
    const parts = kits.skuIdsOf(skuId);
    // The kit's own number is its channel's, too.
    const isShown = channel.sellsByItself && parts[0] !== skuId;
    for (const part of isShown ? [skuId, ...parts] : parts)
      for (const locationId of channel.locationIds) pairs.push([part, locationId]);
  };
  switch (command.kind) {
    case 'submit':
      for (const line of command.lines) everywhere(line.skuId);
      return pairs;
    case 'allocate_backorders': {
      const named = order === undefined ? [] : withSets(order.lines, command.lineNos);
      for (const line of order?.lines.values() ?? [])
        if (line.backordered > line.held && named.includes(line.lineNo)) everywhere(line.skuId);
      return pairs;
    }
    case 'reassign':
      for (const { lineNo, release, take, commitments } of command.lines) {
        const skuId = order?.lines.get(lineNo)?.skuId;
        if (skuId === undefined) continue;
        everywhere(skuId);
        for (const { allocationId } of release) {
          const allocation = order!.allocations.get(allocationId);
          if (allocation !== undefined) pairs.push([skuId, allocation.locationId]);
        }
        for (const { locationId } of [...take, ...commitments]) pairs.push([skuId, locationId]);
      }
      return pairs;
    case 'cancel':
      for (const a of order?.allocations.values() ?? [])
        if (a.lineNo === command.lineNo || isPartOf(order!.lines.get(a.lineNo), command.lineNo))
          pairs.push([a.skuId, a.locationId]);
      return pairs;
    case 'change':
      for (const skuId of addedSkus(command, order)) everywhere(skuId);
      return [...pairs, ...openPairs(order)];
    case 'cancel_order':
      return openPairs(order);
    case 'short_pick':
      for (const { lineNo } of command.lines) {
        const skuId = order?.lines.get(lineNo)?.skuId;
        if (skuId !== undefined) everywhere(skuId);
      }
      return [...pairs, ...openPairs(order)];
    case 'pick':
    case 'answer_cancel':
      for (const a of order?.allocations.values() ?? [])
        if (a.fulfilmentId === command.fulfilmentId) pairs.push([a.skuId, a.locationId]);
      return pairs;
    case 'request_return': {
      const named = new Set(command.lines.map(({ lineNo }) => lineNo));
      for (const a of order?.allocations.values() ?? [])
        if (named.has(a.lineNo) || [...named].some((lineNo) => isPartOf(order!.lines.get(a.lineNo), lineNo)))
          pairs.push([a.skuId, a.locationId]);
      return pairs;
    }
    case 'receive_return':
    case 'inspect_return':
      for (const { locationId } of order === undefined ? [] : returnsNamed(order, command))
        for (const { lineNo } of command.lines) {
          const line = order!.lines.get(lineNo);
          if (line !== undefined) pairs.push([line.skuId, locationId]);
        }
      return pairs;
    default:
      return pairs;
  }
}

export function unlimited(channel: ChannelEntry): ChannelEntry {
  return { ...channel, share: 1, cap: null, buffer: 0 };
}
