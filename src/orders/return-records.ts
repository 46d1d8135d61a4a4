/** Returns as people look at them: listed, shown, what lies there undecided, and what goods without a return may be of. */
import { fail } from '../canonical/index.ts';
import type { Directory } from '../master/index.ts';
import { type Queryable, texts } from '../store/index.ts';
import type { Inspection } from './return-types.ts';
import * as statements from './returns.sql.ts';

export interface ReturnRecord {
  returnId: number;
  /** As other systems know it. */
  return: string;
  /** Of whoever asked for it. */
  reference: string;
  reason: string | null;
  orderId: number;
  /** `<channel>/<its number>` */
  order: string;
  channelId: number;
  account: string;
  location: string;
  inspection: Inspection | null;
  state: 'expected' | 'received' | 'inspected';
  currency: string;
  lines: statements.ListedReturn['lines'];
  inspections: { at: string; by: string; reason: string | null; lines: unknown[] }[];
  recordedAt: Date;
}

export interface ReturnFilter {
  /** open: something of it is still to come, to be inspected or to be decided. */
  state?: 'open' | 'expected' | 'received' | 'inspected' | undefined;
  channelId?: number | undefined;
  orderId?: number | undefined;
  /** Only older ones. */
  before?: number | undefined;
  limit: number;
}

/** Newest first. */
export async function listReturns(
  db: Queryable,
  directory: Directory,
  { state, channelId, orderId, before, limit }: ReturnFilter,
): Promise<ReturnRecord[]> {
  const parameters = [before ?? null, state ?? null, channelId ?? null, orderId ?? null, null, limit];
  return (await db.query(statements.listReturns, parameters)).map((row) => recordOf(directory, row));
}

/** @throws XD_NOT_FOUND */
export async function getReturn(db: Queryable, directory: Directory, returnId: number): Promise<ReturnRecord> {
  const [row] = await db.query(statements.listReturns, [null, null, null, null, returnId, 1]);
  if (row === undefined) fail('XD_NOT_FOUND', `there is no return ${returnId}`, { place: 'id' });
  return recordOf(directory, row);
}

function recordOf(directory: Directory, row: statements.ListedReturn): ReturnRecord {
  return {
    returnId: row.return_id,
    return: directory.returnReference(row.return_id),
    reference: row.reference,
    reason: row.reason,
    orderId: row.order_id,
    order: `${directory.channelById.get(row.channel_id)?.code ?? '?'}/${row.external_no}`,
    channelId: row.channel_id,
    account: row.account,
    location: directory.locationById.get(row.location_id)?.code ?? String(row.location_id),
    inspection: row.inspection,
    state: row.state,
    currency: row.currency,
    lines: row.lines,
    inspections: (row.inspections ?? []).map(({ at, ...rest }) => ({ at: new Date(at).toISOString(), ...rest })),
    recordedAt: row.recorded_at,
  };
}

export interface ReturnedStock {
  sku: string;
  location: string;
  inInspection: number;
  quarantined: number;
}

/** What came back and is not on hand. */
export async function listReturnedStock(db: Queryable, directory: Directory, limit: number): Promise<ReturnedStock[]> {
  return (await db.query(statements.sumReturned, [limit])).map((row) => ({
    sku: row.sku,
    location: directory.locationById.get(row.location_id)?.code ?? String(row.location_id),
    inInspection: row.in_inspection,
    quarantined: row.quarantined,
  }));
}

export interface ReturnCandidate {
  orderId: number;
  order: string;
  lineNo: number;
  sku: string;
  /** Units that left and neither came back nor are expected. */
  quantity: number;
}

/** Newest first. */
export async function listReturnCandidates(
  db: Queryable,
  directory: Directory,
  { account, skus }: { account: string; skus: readonly string[] },
  limit: number,
): Promise<ReturnCandidate[]> {
  const rows = await db.query(statements.findCandidates, [texts(skus), account, limit]);
  return rows.map((row) => ({
    orderId: row.order_id,
    order: `${directory.channelById.get(row.channel_id)?.code ?? '?'}/${row.external_no}`,
    lineNo: row.line_no,
    sku: row.sku,
    quantity: row.quantity,
  }));
}
