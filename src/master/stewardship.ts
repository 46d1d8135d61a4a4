/** Values that a system said of fields that another owns, for a person to take or not. */
import { fail, type MasterDomain } from '../canonical/index.ts';
import { numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import * as statements from './stewardship.sql.ts';

export interface StewardshipItem {
  itemId: number;
  domain: MasterDomain;
  companyId: number | null;
  /** The code of a SKU or an account; of a price `<SKU>/<list>/<currency>/<first day>`. */
  record: string;
  field: string;
  /** What was held when it was said. */
  held: unknown;
  said: unknown;
  system: string;
  owner: string;
  changedAt: Date;
  state: 'open' | 'accepted' | 'rejected';
  decidedBy: string | null;
  reason: string | null;
  recordedAt: Date;
  endedAt: Date | null;
}

export interface Queued {
  domain: MasterDomain;
  companyId: number | null;
  record: string;
  field: string;
  held: unknown;
  said: unknown;
  system: string;
  owner: string;
  /** null: now. */
  at: string | null;
}
/** What a system says as it is held: what it said before of that field is settled. */
export type Moot = Pick<Queued, 'domain' | 'companyId' | 'record' | 'field' | 'system'> & { at: string };

const keyOf = ({ domain, companyId, record, field, system }: Omit<Moot, 'at'>) =>
  JSON.stringify([domain, companyId, record, field, system]);

/** Locks nothing that a record needs: the records are locked already. */
export async function queueForSteward(tx: Tx, queued: readonly Queued[]): Promise<void> {
  const last = new Map<string, Queued>();
  for (const item of queued) {
    const before = last.get(keyOf(item));
    if (before?.at == null || item.at === null || item.at >= before.at) last.set(keyOf(item), item);
  }
  const items = [...last.values()];
  if (items.length === 0) return;
  await tx.query(statements.queueItems, [
    texts(items.map((i) => i.domain)),
    numbers(items.map((i) => i.companyId)),
    texts(items.map((i) => i.record)),
    texts(items.map((i) => i.field)),
    texts(items.map((i) => JSON.stringify(i.held ?? null))),
    texts(items.map((i) => JSON.stringify(i.said ?? null))),
    texts(items.map((i) => i.system)),
    texts(items.map((i) => i.owner)),
    texts(items.map((i) => i.at)),
  ]);
}

export async function endMoot(tx: Tx, moot: readonly Moot[]): Promise<void> {
  if (moot.length === 0) return;
  await tx.query(statements.endMoot, [
    texts(moot.map((i) => i.domain)),
    numbers(moot.map((i) => i.companyId)),
    texts(moot.map((i) => i.record)),
    texts(moot.map((i) => i.field)),
    texts(moot.map((i) => i.system)),
    texts(moot.map((i) => i.at)),
  ]);
}

export async function listStewardship(
  db: Queryable,
  {
    state,
    domain,
    system,
    record,
    before,
    limit = 100,
  }: {
    state?: StewardshipItem['state'] | undefined;
    domain?: string | undefined;
    system?: string | undefined;
    record?: string | undefined;
    before?: number | undefined;
    limit?: number;
  } = {},
): Promise<StewardshipItem[]> {
  const values = [state ?? null, domain ?? null, system ?? null, record ?? null, before ?? null, limit];
  return (await db.query(statements.listItems, values)).map(itemOf);
}

/** @throws XD_NOT_FOUND */
export async function getStewardship(db: Queryable, itemId: number): Promise<StewardshipItem> {
  const [row] = await db.query(statements.findItem, [itemId]);
  return row === undefined ? fail('XD_NOT_FOUND', `there is no stewardship item ${itemId}`, { itemId }) : itemOf(row);
}

/**
 * Ends it. The record it is about is locked before: whoever queues has locked it, too.
 * @throws XD_REFUSED when it was decided otherwise meanwhile, or its system says something else by now
 */
export async function endStewardship(
  tx: Tx,
  seen: StewardshipItem,
  state: 'accepted' | 'rejected',
  by: string,
  reason: string | null,
): Promise<StewardshipItem> {
  const [row] = await tx.query(statements.lockItem, [seen.itemId]);
  const now = itemOf(row!);
  if (now.state !== 'open')
    fail('XD_REFUSED', `stewardship item ${seen.itemId} is ${now.state} already`, {
      itemId: seen.itemId,
      state: now.state,
    });
  if (JSON.stringify(now.said) !== JSON.stringify(seen.said))
    fail('XD_REFUSED', `${now.system} says something else by now: look at stewardship item ${seen.itemId} again`, {
      itemId: seen.itemId,
    });
  const [ended] = await tx.query(statements.endItem, [seen.itemId, state, by, reason]);
  return itemOf(ended!);
}

function itemOf(row: statements.StewardshipRow): StewardshipItem {
  return {
    itemId: row.item_id,
    domain: row.domain as MasterDomain,
    companyId: row.company_id,
    record: row.record_key,
    field: row.field,
    held: row.value_held,
    said: row.value_said,
    system: row.system,
    owner: row.owner,
    changedAt: row.changed_at,
    state: row.state,
    decidedBy: row.decided_by,
    reason: row.reason,
    recordedAt: row.recorded_at,
    endedAt: row.ended_at,
  };
}
