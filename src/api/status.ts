/** How things stand, for the page and for people with curl. */
import type { FastifyInstance } from 'fastify';
import type { ReservationDesk } from '../ingest/index.ts';
import { logLag } from '../log/index.ts';
import { countOpenAlerts } from '../ops/index.ts';
import { countOpenExceptions, countOpenHolds, stateRules } from '../orders/index.ts';
import { CONSUMER, type FlowFreshness, readFreshness } from '../outbound/index.ts';
import type { ApiHub } from './hub.ts';
import { nextStepOf } from './next-steps.ts';
import { remembered } from './remembered.ts';
import * as statements from './status.sql.ts';

export const STATUS_MS_MIN = 500;
export const FRESHNESS_MINUTES = 15;
const PROBLEMS_MAX = 12;

export interface DestinationStatus {
  destination: string;
  pending: number;
  sending: number;
  inDoubt: number;
  parked: number;
  refused: number;
  oldestMs: number;
}

export interface Status {
  asOf: string;
  ready: { ok: boolean; reasons: string[] };
  intake: { mustWait: boolean; waitingMessages: number; waitingReservations: number };
  facts: number;
  orders: { total: number; byState: Record<string, number>; backordered: { units: number; lines: number } };
  deliveries: DestinationStatus[];
  publications: {
    destination: string;
    kind: string;
    dirty: number;
    inDoubt: number;
    parked: number;
    oldestMs: number;
  }[];
  parked: { total: number; byClass: Record<string, number> };
  /** What orders can't have as they were ordered and a person has to decide. */
  exceptions: { open: number; units: number; oldestMs: number; byKind: Record<string, number> };
  /** Why orders may not go on; `due`: somebody should have decided by now. */
  holds: { open: number; due: number; oldestMs: number; byKind: Record<string, number> };
  /** Orders that are longer in a stage than they may be; `unseen`: nobody said that they look after it. */
  alerts: { open: number; unseen: number; oldestMs: number; byStage: Record<string, number> };
  log: { consumer: string; behind: number; oldestMs: number };
  oldestPendingMs: number;
  freshness: { minutes: number; flows: Record<string, FlowFreshness & { targetMs: number | null; late: boolean }> };
  problems: {
    kind: string;
    class: string;
    what: string;
    detail: string | null;
    place: string | null;
    at: string;
    next: string;
  }[];
}

export function statusReader(hub: ApiHub, desk: ReservationDesk): () => Promise<Status> {
  return remembered(STATUS_MS_MIN, () => readStatus(hub, desk), hub.nowMs);
}

async function readStatus(hub: ApiHub, desk: ReservationDesk): Promise<Status> {
  const { db } = hub;
  const [counted] = await db.query(statements.countFacts);
  const { facts, now } = counted!;
  const since = new Date(now.getTime() - FRESHNESS_MINUTES * 60_000);
  const [orders, [backordered], deliveries, publications, parked, problems] = await Promise.all([
    db.query(statements.countOrders),
    db.query(statements.sumBackordered),
    db.query(statements.countDeliveries),
    db.query(statements.countPublications),
    db.query(statements.countParked),
    db.query(statements.listProblems, [PROBLEMS_MAX]),
  ]);
  const [flows, lag, exceptions, holds, alerts] = await Promise.all([
    readFreshness(db, since),
    logLag(db, CONSUMER),
    countOpenExceptions(db),
    countOpenHolds(db),
    countOpenAlerts(db),
  ]);
  // In the order in which an order walks through them.
  const byState: Record<string, number> = {};
  for (const { state } of [...stateRules].reverse())
    byState[state] = orders.find((row) => row.state === state)?.orders ?? 0;
  const destinations = destinationsOf(deliveries);
  const dirty = publications.map((row) => ({
    destination: row.destination,
    kind: row.kind,
    dirty: row.dirty,
    inDoubt: row.in_doubt,
    parked: row.parked,
    oldestMs: Math.round(row.oldest_ms ?? 0),
  }));
  return {
    asOf: now.toISOString(),
    ready: hub.ready(),
    intake: { mustWait: hub.mustWait(), waitingMessages: hub.receiver.waiting, waitingReservations: desk.waiting },
    facts,
    orders: {
      total: orders.reduce((sum, row) => sum + row.orders, 0),
      byState,
      backordered: { units: backordered!.units, lines: backordered!.lines },
    },
    deliveries: destinations,
    publications: dirty,
    parked: {
      total: parked.reduce((sum, row) => sum + row.records, 0),
      byClass: Object.fromEntries(parked.map((row) => [row.class, row.records])),
    },
    exceptions: {
      open: exceptions.reduce((sum, row) => sum + row.exceptions, 0),
      units: exceptions.reduce((sum, row) => sum + row.units, 0),
      oldestMs: Math.max(0, ...exceptions.map((row) => row.oldestMs)),
      byKind: Object.fromEntries(exceptions.map((row) => [row.kind, row.exceptions])),
    },
    holds: {
      open: holds.reduce((sum, row) => sum + row.holds, 0),
      due: holds.reduce((sum, row) => sum + row.due, 0),
      oldestMs: Math.max(0, ...holds.map((row) => row.oldestMs)),
      byKind: Object.fromEntries(holds.map((row) => [row.kind, row.holds])),
    },
    alerts: {
      open: alerts.reduce((sum, row) => sum + row.alerts, 0),
      unseen: alerts.reduce((sum, row) => sum + row.unseen, 0),
      oldestMs: Math.max(0, ...alerts.map((row) => row.oldestMs)),
      byStage: Object.fromEntries(alerts.map((row) => [row.stage, row.alerts])),
    },
    log: { consumer: CONSUMER, behind: lag.behind, oldestMs: Math.round(lag.oldestMs) },
    oldestPendingMs: Math.max(0, ...destinations.map((d) => d.oldestMs), ...dirty.map((p) => p.oldestMs)),
    freshness: { minutes: FRESHNESS_MINUTES, flows: withTargets(flows, hub.freshnessTargetsMs ?? {}) },
    problems: problems.map((row) => ({
      kind: row.kind,
      class: row.class,
      what: row.what.slice(0, 200),
      detail: row.detail?.slice(0, 300) ?? null,
      place: row.place,
      at: row.at.toISOString(),
      next: nextStepOf(row.kind, row.class),
    })),
  };
}

function destinationsOf(
  rows: readonly { destination: string; state: string; deliveries: number; oldest_ms: number | null }[],
): DestinationStatus[] {
  const names = { n: 'pending', s: 'sending', d: 'inDoubt', p: 'parked', r: 'refused' } as const;
  const found = new Map<string, DestinationStatus>();
  for (const row of rows) {
    const entry = found.get(row.destination) ?? {
      destination: row.destination,
      pending: 0,
      sending: 0,
      inDoubt: 0,
      parked: 0,
      refused: 0,
      oldestMs: 0,
    };
    found.set(row.destination, entry);
    entry[names[row.state as keyof typeof names]] = row.deliveries;
    entry.oldestMs = Math.max(entry.oldestMs, Math.round(row.oldest_ms ?? 0));
  }
  return [...found.values()];
}

/** Every flow with a target is shown, also one that has said nothing lately. */
function withTargets(
  flows: Record<string, FlowFreshness>,
  targets: Readonly<Record<string, number>>,
): Status['freshness']['flows'] {
  const result: Status['freshness']['flows'] = {};
  for (const flow of [...new Set([...Object.keys(targets), ...Object.keys(flows)])].sort()) {
    const seen = flows[flow] ?? { count: 0, p50: 0, p95: 0, p99: 0, max: 0 };
    const targetMs = targets[flow] ?? null;
    result[flow] = { ...seen, targetMs, late: targetMs !== null && seen.p99 > targetMs };
  }
  return result;
}

export function statusRoutes(app: FastifyInstance, read: () => Promise<Status>): void {
  app.get(
    '/v1/status',
    {
      config: { scope: 'read' },
      schema: { summary: 'How things stand: counts, lateness per flow, latest problems', tags: ['operations'] },
    },
    async () => read(),
  );
}
