/**
 * What happened to one order, over all systems: what came in, what the hub recorded, what each system was told and what it
 * said, what was set aside; and gaps: what should have followed and has not.
 */
import type { Fact } from '../log/index.ts';
import { numbers, type Queryable, texts } from '../store/index.ts';
import { gapsOf } from './gaps.ts';
import { readHistory } from './history.ts';
import { readOpenHolds, readOrderState } from './order-state.sql.ts';
import * as statements from './timeline.sql.ts';

const ENTRIES_MAX = 5_000;

const inboundStates: Readonly<Record<string, string>> = { a: 'applied', w: 'waiting', p: 'parked', s: 'superseded' };

export interface OrderFound {
  orderId: number;
  channel: string;
  externalNo: string;
  state: string;
  erpNumber: string | null;
}

/** Orders of this id, `<channel>/<external number>`, external number or ERP number. */
export async function findOrders(db: Queryable, text: string): Promise<OrderFound[]> {
  const orderId = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  const cut = text.indexOf('/');
  const rows = await db.query(statements.findOrders, [
    orderId,
    cut < 0 ? '' : text.slice(0, cut),
    cut < 0 ? '' : text.slice(cut + 1),
    text,
  ]);
  return rows.map((row) => ({
    orderId: row.order_id,
    channel: row.channel,
    externalNo: row.external_no,
    state: row.state,
    erpNumber: row.erp_number,
  }));
}

/** What is parked under `<channel>/<external number>` or an external number. */
export async function findParkedOrders(db: Queryable, text: string): Promise<{ parkedId: number; class: string }[]> {
  const cut = text.indexOf('/');
  const rows = await db.query(statements.findParkedOrders, [
    cut < 0 ? '' : text.slice(0, cut),
    cut < 0 ? '' : text.slice(cut + 1),
    text,
  ]);
  return rows.map((row) => ({ parkedId: row.parked_id, class: row.class }));
}

export type TimelineEntry = {
  /** The database's time. */
  at: string;
  what: string;
  detail: Record<string, unknown>;
} & (
  | { kind: 'message' | 'fact' | 'parked' | 'publication'; system: string; outcome: string }
  | { kind: 'delivery'; system: string; outcome: string; attempts: number }
);

export interface Gap {
  since: string;
  what: string;
}

export interface Timeline {
  orderId: number;
  order: string;
  state: string;
  erpNumber: string | null;
  entries: TimelineEntry[];
  gaps: Gap[];
  truncated: boolean;
}

export async function readTimeline(db: Queryable, order: OrderFound): Promise<Timeline> {
  const history = await readHistory(db, order.orderId, ENTRIES_MAX);
  const { facts, deliveries, publications } = history;
  const keys = keysOf(order, facts);
  const inbound = await db.query(statements.listInbound, [
    texts(keys.map(([scope]) => scope)),
    texts(keys.map(([, key]) => key)),
  ]);
  const parked = await db.query(statements.listParkedOf, [
    `order/${order.channel}`,
    order.externalNo,
    `${order.channel}/${order.externalNo}`,
    `cancel/${order.channel}`,
    texts(referencesOf(facts)),
  ]);
  const [cursor] = await db.query(statements.readCursor, [`order/${order.orderId}`]);
  const state = await db.query(readOrderState, [numbers([order.orderId])]);
  const holds = await db.query(readOpenHolds, [order.orderId]);

  const entries: TimelineEntry[] = [];
  for (const row of inbound)
    entries.push({
      at: row.recorded_at.toISOString(),
      kind: 'message',
      system: row.system ?? row.scope.slice(row.scope.indexOf('/') + 1),
      what: `${row.scope} ${row.key}`,
      outcome: inboundStates[row.state] ?? row.state,
      detail: { by: row.source, message: row.raw_id, repeats: row.repeats, scope: row.scope, key: row.key },
    });
  for (const fact of facts)
    entries.push({
      at: fact.recordedAt.toISOString(),
      kind: 'fact',
      system: 'hub',
      what: fact.type,
      outcome: `version ${fact.version}`,
      detail: { occurredAt: fact.occurredAt, cause: fact.correlationId ?? fact.causationId ?? null, data: fact.data },
    });
  for (const row of deliveries) {
    const common = {
      kind: 'delivery',
      system: row.destination,
      what: `${row.kind} ${row.reference}`,
      attempts: row.attempts,
    } as const;
    entries.push({ ...common, at: row.recordedAt.toISOString(), outcome: 'planned', detail: {} });
    if (row.sentAt !== null)
      entries.push({
        ...common,
        at: row.sentAt.toISOString(),
        outcome: row.attempts > 1 ? `sent, attempt ${row.attempts}` : 'sent',
        detail: {},
      });
    if (row.endedAt !== null)
      entries.push({
        ...common,
        at: row.endedAt.toISOString(),
        outcome: row.state.replace('_', ' '),
        detail: { error: row.error, resolution: row.resolution, answer: row.answer },
      });
  }
  for (const row of publications)
    if (row.confirmedAt !== null)
      entries.push({
        at: row.confirmedAt.toISOString(),
        kind: 'publication',
        system: row.destination,
        what: row.kind,
        outcome: `confirmed version ${row.confirmedVersion} of ${row.version}`,
        detail: { changedAt: row.changedAt.toISOString(), error: row.error },
      });
  for (const row of parked)
    entries.push({
      at: row.recorded_at.toISOString(),
      kind: 'parked',
      system: row.scope.slice(row.scope.indexOf('/') + 1),
      what: `${row.scope} ${row.key}`,
      outcome: row.state,
      detail: {
        parkedId: row.parked_id,
        class: row.class,
        reason: row.reason,
        resolution: row.resolution,
        endedAt: row.ended_at?.toISOString() ?? null,
        message: row.raw_id,
        ...{ scope: row.scope, key: row.key, fingerprint: row.fingerprint },
      },
    });
  entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : rankOf(a) - rankOf(b)));
  return {
    orderId: order.orderId,
    order: `${order.channel}/${order.externalNo}`,
    state: order.state,
    erpNumber: order.erpNumber,
    entries,
    gaps: gapsOf({ ...history, parked, unread: cursor?.unread ?? [], lines: state, holds }),
    truncated: facts.length === ENTRIES_MAX || deliveries.length === ENTRIES_MAX,
  };
}

/** What came for the order, each once: by its key, and the message it came in. */
export function listCame({ entries }: Timeline): { scope: string; key: string; rawId: number; fingerprint?: string }[] {
  const came = new Map<string, { scope: string; key: string; rawId: number; fingerprint?: string }>();
  for (const { kind, detail } of entries) {
    if (kind !== 'message' && kind !== 'parked') continue;
    const { scope, key, message, fingerprint } = detail as {
      scope: string;
      key: string;
      message: number;
      fingerprint?: string;
    };
    const name = JSON.stringify([scope, key, message]);
    if (!came.has(name) || fingerprint !== undefined)
      came.set(name, { scope, key, rawId: message, ...(fingerprint !== undefined && { fingerprint }) });
  }
  return [...came.values()];
}

const ranks = ['message', 'fact', 'delivery', 'publication', 'parked'];

function rankOf(entry: TimelineEntry): number {
  return ranks.indexOf(entry.kind);
}

/** The keys under which something came for this order; a fact names the one it came from. */
function keysOf(order: OrderFound, facts: readonly Fact[]): [string, string][] {
  const keys = new Map<string, [string, string]>();
  const add = (scope: string, key: string) => keys.set(`${scope} ${key}`, [scope, key]);
  add(`order/${order.channel}`, order.externalNo);
  for (const { correlationId } of facts) {
    if (correlationId === null || correlationId === undefined) continue;
    // `<kind>/<who>/<key>`: both a scope and a key may hold a slash, so only the first two parts are the scope.
    const [kind, who, ...key] = correlationId.split('/');
    if (key.length > 0) add(`${kind}/${who}`, key.join('/'));
  }
  return [...keys.values()];
}

function referencesOf(facts: readonly Fact[]): string[] {
  const references: string[] = [];
  for (const { type, data } of facts) {
    const { fulfilmentId, returnId } = data as { fulfilmentId?: number; returnId?: number };
    if (type === 'fulfilment.requested' && fulfilmentId !== undefined) references.push(`F${fulfilmentId}`);
    if (type === 'return.authorised' && returnId !== undefined) references.push(`R${returnId}`);
  }
  return references;
}
