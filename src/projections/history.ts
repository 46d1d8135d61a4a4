/** What the hub recorded of one order and what it told each system: what the timeline and the API's own are made of. */
import { type Fact, listStream } from '../log/index.ts';
import type { Queryable } from '../store/index.ts';
import * as statements from './history.sql.ts';

const states = {
  n: 'pending',
  s: 'sending',
  d: 'in_doubt',
  c: 'confirmed',
  r: 'refused',
  p: 'parked',
  x: 'cancelled',
} as const;
/** Where a delivery or a publication stands. */
export type OutboundState = (typeof states)[keyof typeof states];

export interface ToldFact {
  destination: string;
  kind: string;
  reference: string;
  factPosition: number;
  state: OutboundState;
  attempts: number;
  recordedAt: Date;
  sentAt: Date | null;
  endedAt: Date | null;
  error: string | null;
  /** Why a person gave it up. */
  resolution: string | null;
  answer: unknown;
}

export interface ToldState {
  destination: string;
  kind: string;
  version: number;
  confirmedVersion: number;
  state: OutboundState;
  attempts: number;
  changedAt: Date;
  sentAt: Date | null;
  confirmedAt: Date | null;
  error: string | null;
}

export interface History {
  facts: Fact[];
  deliveries: ToldFact[];
  publications: ToldState[];
}

/** @param entriesMax facts and deliveries at the most, each */
export async function readHistory(db: Queryable, orderId: number, entriesMax: number): Promise<History> {
  const facts = await listStream(db, `order/${orderId}`, entriesMax);
  const deliveries = await db.query(statements.listDeliveries, [orderId, entriesMax]);
  const publications = await db.query(statements.listPublications, [orderId]);
  return {
    facts,
    deliveries: deliveries.map((row) => ({
      destination: row.destination,
      kind: row.kind,
      reference: row.reference,
      factPosition: row.fact_position,
      state: states[row.state],
      attempts: row.attempts,
      recordedAt: row.recorded_at,
      sentAt: row.sent_at,
      endedAt: row.ended_at,
      error: row.error,
      resolution: row.resolution,
      answer: row.answer,
    })),
    publications: publications.map((row) => ({
      destination: row.destination,
      kind: row.kind,
      version: row.version,
      confirmedVersion: row.confirmed_version,
      state: states[row.state],
      attempts: row.attempts,
      changedAt: row.changed_at,
      sentAt: row.sent_at,
      confirmedAt: row.confirmed_at,
      error: row.error,
    })),
  };
}
