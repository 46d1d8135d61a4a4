/**
 * What a system did not take, for a person: seen, sent again, given up. Nothing is sent here: the hub that holds the lease does
 * it, and looks up first what was ever sent.
 */
import { fail } from '../canonical/index.ts';
import type { Queryable } from '../store/index.ts';
import * as statements from './parked.sql.ts';

const states: Readonly<Record<string, string>> = {
  n: 'pending',
  s: 'sending',
  d: 'in doubt',
  c: 'confirmed',
  r: 'refused',
  p: 'parked',
  x: 'cancelled',
};

export interface ParkedDelivery {
  deliveryId: number;
  destination: string;
  kind: string;
  /** what the destination can be asked for; the same however often it is sent */
  reference: string;
  state: string;
  attempts: number;
  error: string | null;
  resolution: string | null;
  orderId: number | null;
  /** deliveries under the same key that wait for it */
  holdsUp: number;
  recordedAt: Date;
  sentAt: Date | null;
  endedAt: Date | null;
}

/** Names a publication: a system, `availability`, `price` or `order_status`, and a SKU's or an order's id. */
export interface PublicationName {
  destination: string;
  kind: string;
  key: number;
}

export interface ParkedPublication extends PublicationName {
  /** the SKU's code or the order's number */
  what: string | null;
  state: string;
  version: number;
  confirmedVersion: number;
  attempts: number;
  error: string | null;
  resolution: string | null;
  changedAt: Date;
  sentAt: Date | null;
  confirmedAt: Date | null;
}

/** Those that need a person, oldest first. */
export async function listParkedDeliveries(
  db: Queryable,
  options: { system?: string | null; state?: 'parked' | 'refused' | null; after?: number; limit?: number } = {},
): Promise<ParkedDelivery[]> {
  const { system = null, state = null, after = 0, limit = 100 } = options;
  const letter = state === null ? null : state === 'parked' ? 'p' : 'r';
  return (await db.query(statements.listParkedDeliveries, [after, system, letter, limit])).map(deliveryOf);
}

/**
 * A delivery in whatever state, with what it says and what was answered.
 * @throws XD_NOT_FOUND
 */
export async function getDelivery(
  db: Queryable,
  deliveryId: number,
): Promise<ParkedDelivery & { payload: unknown; answer: unknown }> {
  const [row] = await db.query(statements.findDelivery, [deliveryId]);
  if (row === undefined) fail('XD_NOT_FOUND', `there is no delivery ${deliveryId}`, { deliveryId });
  return { ...deliveryOf(row), payload: row.payload, answer: row.answer };
}

/**
 * Sends it again under its own reference, with all its tries; what was ever sent is looked up first.
 * @throws XD_NOT_FOUND; XD_REFUSED when it is not parked, or was refused and what follows it has left
 */
export async function replayDelivery(db: Queryable, deliveryId: number): Promise<ParkedDelivery> {
  const [changed] = await db.query(statements.replayDelivery, [deliveryId]);
  const delivery = await getDelivery(db, deliveryId);
  if (changed === undefined) {
    const why = delivery.state === 'refused' ? 'refused, and what follows under its key has left' : delivery.state;
    fail('XD_REFUSED', `delivery ${deliveryId} is ${why}`, { deliveryId, state: delivery.state });
  }
  return delivery;
}

/**
 * Gives it up: it is never sent again, and what waits for it goes on.
 * @throws XD_NOT_FOUND; XD_REFUSED when it is not parked
 */
export async function resolveDelivery(db: Queryable, deliveryId: number, resolution: string): Promise<ParkedDelivery> {
  const [changed] = await db.query(statements.resolveDelivery, [deliveryId, resolution]);
  const delivery = await getDelivery(db, deliveryId);
  if (changed === undefined)
    fail('XD_REFUSED', `delivery ${deliveryId} is ${delivery.state}`, { deliveryId, state: delivery.state });
  return delivery;
}

/** By system, kind and key. */
export async function listParkedPublications(
  db: Queryable,
  options: { system?: string | null; after?: PublicationName | null; limit?: number } = {},
): Promise<ParkedPublication[]> {
  const { system = null, after = null, limit = 100 } = options;
  const from = [after?.destination ?? null, after?.kind ?? null, after?.key ?? null];
  return (await db.query(statements.listParkedPublications, [system, ...from, limit])).map(publicationOf);
}

/** @throws XD_NOT_FOUND */
export async function getPublication(db: Queryable, name: PublicationName): Promise<ParkedPublication> {
  const [row] = await db.query(statements.findPublication, valuesOf(name));
  if (row === undefined) fail('XD_NOT_FOUND', `${textOf(name)} is not there`, { ...name });
  return publicationOf(row);
}

/**
 * Tells it again; what was ever sent is read back first, and what is told is the newest.
 * @throws XD_NOT_FOUND; XD_REFUSED when it is not parked
 */
export async function replayPublication(db: Queryable, name: PublicationName): Promise<ParkedPublication> {
  const [changed] = await db.query(statements.replayPublication, valuesOf(name));
  return changedOrRefused(db, name, changed !== undefined);
}

/**
 * Gives this state up: the system keeps what it holds until the next change, which is told again.
 * @throws XD_NOT_FOUND; XD_REFUSED when it is not parked
 */
export async function resolvePublication(
  db: Queryable,
  name: PublicationName,
  resolution: string,
): Promise<ParkedPublication> {
  const [changed] = await db.query(statements.resolvePublication, [...valuesOf(name), resolution]);
  return changedOrRefused(db, name, changed !== undefined);
}

async function changedOrRefused(db: Queryable, name: PublicationName, isChanged: boolean): Promise<ParkedPublication> {
  const publication = await getPublication(db, name);
  if (!isChanged) fail('XD_REFUSED', `${textOf(name)} is ${publication.state}`, { ...name, state: publication.state });
  return publication;
}

function valuesOf({ destination, kind, key }: PublicationName): (string | number)[] {
  return [destination, kind, key];
}

function textOf({ destination, kind, key }: PublicationName): string {
  return `publication ${destination}/${kind}/${key}`;
}

function deliveryOf(row: statements.DeliveryRow): ParkedDelivery {
  return {
    deliveryId: row.delivery_id,
    destination: row.destination,
    kind: row.kind,
    reference: row.reference,
    state: states[row.state] ?? row.state,
    attempts: row.attempts,
    error: row.error,
    resolution: row.resolution,
    orderId: row.order_id,
    holdsUp: row.holds_up,
    recordedAt: row.recorded_at,
    sentAt: row.sent_at,
    endedAt: row.ended_at,
  };
}

function publicationOf(row: statements.PublicationRow): ParkedPublication {
  return {
    destination: row.destination,
    kind: row.kind,
    key: row.key,
    what: row.what,
    state: row.state === 'n' && row.version === row.confirmed_version ? 'confirmed' : (states[row.state] ?? row.state),
    version: row.version,
    confirmedVersion: row.confirmed_version,
    attempts: row.attempts,
    error: row.error,
    resolution: row.state === 'x' ? row.resolution : null,
    changedAt: row.changed_at,
    sentAt: row.sent_at,
    confirmedAt: row.confirmed_at,
  };
}
