/** What was set aside, for a person: seen, corrected, given up. Running it again is the receiver's. */
import { fail, type InboundItem } from '../canonical/index.ts';
import { type Database, numbers, type Queryable } from '../store/index.ts';
import * as statements from './parked.sql.ts';

export interface ParkedRecord {
  parkedId: number;
  scope: string;
  key: string;
  system: string;
  class: string;
  reason: string;
  place: string | null;
  waitKey: string | null;
  item: InboundItem;
  rawId: number;
  itemNo: number;
  state: 'open' | 'replayed' | 'resolved';
  attempts: number;
  resolution: string | null;
  recordedAt: Date;
  endedAt: Date | null;
}

export async function listParked(
  db: Queryable,
  {
    state = 'open',
    kind = null,
    system = null,
    after = 0,
    limit = 100,
  }: { state?: string; kind?: string | null; system?: string | null; after?: number; limit?: number } = {},
): Promise<ParkedRecord[]> {
  return (await db.query(statements.listParked, [state, kind, system, after, limit])).map(recordOf);
}

/** @throws XD_NOT_FOUND */
export async function getParked(db: Queryable, parkedId: number): Promise<ParkedRecord> {
  const [row] = await db.query(statements.findParked, [parkedId]);
  return row === undefined ? notParked(parkedId) : recordOf(row);
}

/** The message it came in, as it came; undefined when it is older than what is kept. */
export async function findBody(
  db: Queryable,
  rawId: number,
): Promise<{ contentType: string; body: Buffer; recordedAt: Date } | undefined> {
  const [row] = await db.query(statements.readBody, [rawId]);
  return row === undefined ? undefined : { contentType: row.content_type, body: row.body, recordedAt: row.recorded_at };
}

/**
 * Replaces what the item says. Its key, scope and fingerprint stay: it is the same thing, read better. The message it came
 * in is never changed.
 * @throws XD_REFUSED when it is not open any more, XD_VALUE_INVALID when the new item names another key
 */
export async function editParked(
  db: Database,
  parkedId: number,
  edit: (item: InboundItem) => InboundItem,
): Promise<ParkedRecord> {
  return db.transaction(async (tx) => {
    const [row] = await tx.query(statements.lockParked, [parkedId]);
    const record = openRecord(row, parkedId);
    const item = edit(structuredClone(record.item));
    for (const name of ['scope', 'key', 'fingerprint', 'itemNo'] as const)
      if (item[name] !== record.item[name])
        fail('XD_VALUE_INVALID', `${name} is ${JSON.stringify(record.item[name])} and can't be changed`, {
          place: name,
        });
    if (item.command === undefined)
      fail('XD_VALUE_INVALID', 'command is missing: what the item asks for, e.g. {"kind": "stock.moved", …}', {
        place: 'command',
      });
    const { unreadable: _, ...readable } = item;
    await tx.query(statements.editParked, [parkedId, JSON.stringify(readable)]);
    return { ...record, item: readable, place: null };
  });
}

/** Gives it up, with a reason: its key is superseded and never applied. */
export async function resolveParked(db: Database, parkedId: number, resolution: string): Promise<ParkedRecord> {
  return db.transaction(async (tx) => {
    await tx.query(statements.lockKeysOfParked, [numbers([parkedId])]);
    const [row] = await tx.query(statements.lockParked, [parkedId]);
    const record = openRecord(row, parkedId);
    await tx.query(statements.resolveParked, [parkedId, resolution]);
    if (record.class !== 'key_conflict') await tx.query(statements.supersedeKey, [record.scope, record.key]);
    return { ...record, state: 'resolved', resolution };
  });
}

function openRecord(row: statements.ParkedRecordRow | undefined, parkedId: number): ParkedRecord {
  if (row === undefined) return notParked(parkedId);
  if (row.state !== 'open')
    fail('XD_REFUSED', `parked ${parkedId} is ${row.state} already`, { parkedId, state: row.state });
  return recordOf(row);
}

function notParked(parkedId: number): never {
  fail('XD_NOT_FOUND', `nothing is parked under ${parkedId}`, { parkedId });
}

function recordOf(row: statements.ParkedRecordRow): ParkedRecord {
  return {
    parkedId: row.parked_id,
    scope: row.scope,
    key: row.key,
    system: row.system,
    class: row.class,
    reason: row.reason,
    place: row.place,
    waitKey: row.wait_key,
    item: row.item as InboundItem,
    rawId: row.raw_id,
    itemNo: row.item_no,
    state: row.state,
    attempts: row.attempts,
    resolution: row.resolution,
    recordedAt: row.recorded_at,
    endedAt: row.ended_at,
  };
}
