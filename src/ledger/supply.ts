/** Dated supply as its sources announce it, and as receipts use it up. */
import type { NewFact } from '../log/index.ts';
import { numbers, type Tx, texts } from '../store/index.ts';
import { writeCommitments } from './commitments.ts';
import * as statements from './supply.sql.ts';

export interface SupplyChange {
  source: string;
  sourceId: string;
  skuId: number;
  locationId: number;
  companyId: number;
  occurredAt: string;
  correlationId: string;
  /** What is announced, or the units that a receipt brought of it. */
  change: { announced: { quantity: number; dueAt: string; announcedAt: string } } | { received: number };
}

/** Units of a line that wait without this supply from now on, because less of it is to come. */
interface Uncommitted {
  orderId: number;
  lineNo: number;
  quantity: number;
}

/**
 * Applies announcements and receipts, in the order given. An announcement older than the one that holds changes nothing. Commitments
 * beyond what is still to come end, those of the newest orders first; their lines go on waiting.
 * @returns whether each was applied, and the facts to record
 * The caller has locked the balances of all (SKU, location) pairs: they guard supplies and commitments.
 */
export async function changeSupplies(
  tx: Tx,
  changes: readonly SupplyChange[],
): Promise<{ applied: boolean[]; facts: NewFact[] }> {
  if (changes.length === 0) return { applied: [], facts: [] };
  const named = [
    texts(changes.map((c) => c.source)),
    texts(changes.map((c) => c.sourceId)),
    numbers(changes.map((c) => c.skuId)),
    numbers(changes.map((c) => c.locationId)),
  ];
  await tx.query(statements.createSupplies, named);
  const supplies = new Map(
    (await tx.query(statements.readNamedSupplies, named)).map((row) => [
      keyOf(row.source, row.source_id, row.sku_id, row.location_id),
      row,
    ]),
  );
  const applied: boolean[] = [];
  const facts: NewFact[] = [];
  const newest = new Map<number, { uncommitted: Uncommitted[] }>();
  for (const { source, sourceId, skuId, locationId, companyId, occurredAt, correlationId, change } of changes) {
    const supply = supplies.get(keyOf(source, sourceId, skuId, locationId))!;
    const isStale =
      'announced' in change &&
      supply.announced_at !== null &&
      Date.parse(change.announced.announcedAt) < supply.announced_at.getTime();
    applied.push(!isStale);
    if (isStale) continue;
    if ('announced' in change) {
      supply.quantity = change.announced.quantity;
      supply.due_at = new Date(change.announced.dueAt);
      supply.announced_at = new Date(change.announced.announcedAt);
    } else supply.received += change.received;
    supply.version++;
    const { quantity, received } = supply;
    const dueAt = supply.due_at?.toISOString() ?? null;
    const data = {
      ...{ supplyId: supply.supply_id, skuId, locationId, source, sourceId, quantity, received, dueAt },
      uncommitted: [] as Uncommitted[],
    };
    facts.push({
      type: 'announced' in change ? 'supply.announced' : 'supply.received',
      stream: `supply/${supply.supply_id}`,
      version: supply.version,
      companyId,
      occurredAt,
      correlationId,
      data,
    });
    newest.set(supply.supply_id, data);
  }
  const changed = [...supplies.values()].filter((supply) => newest.has(supply.supply_id));
  if (changed.length === 0) return { applied, facts };
  for (const [supplyId, uncommitted] of await uncommit(tx, changed)) newest.get(supplyId)!.uncommitted = uncommitted;
  await tx.query(statements.writeSupplies, [
    numbers(changed.map((s) => s.supply_id)),
    numbers(changed.map((s) => s.quantity)),
    numbers(changed.map((s) => s.received)),
    texts(changed.map((s) => s.due_at?.toISOString() ?? null)),
    texts(changed.map((s) => s.announced_at?.toISOString() ?? null)),
    numbers(changed.map((s) => s.version)),
  ]);
  return { applied, facts };
}

async function uncommit(tx: Tx, supplies: readonly statements.SupplyRow[]): Promise<Map<number, Uncommitted[]>> {
  const rows = await tx.query(statements.readSupplyCommitments, [numbers(supplies.map((s) => s.supply_id))]);
  const excess = new Map(supplies.map((s) => [s.supply_id, -Math.max(0, s.quantity - s.received)]));
  for (const row of rows) excess.set(row.supply_id, excess.get(row.supply_id)! + row.quantity);
  const ended = new Map<number, Uncommitted[]>();
  const changed = [];
  // Newest orders first.
  for (const { supply_id: supplyId, order_id: orderId, line_no: lineNo, quantity } of rows) {
    const units = Math.min(quantity, Math.max(0, excess.get(supplyId)!));
    if (units === 0) continue;
    excess.set(supplyId, excess.get(supplyId)! - units);
    changed.push({ supplyId, orderId, lineNo, quantity: quantity - units });
    ended.set(supplyId, [...(ended.get(supplyId) ?? []), { orderId, lineNo, quantity: units }]);
  }
  await writeCommitments(tx, changed);
  return ended;
}

function keyOf(source: string, sourceId: string, skuId: number, locationId: number): string {
  return JSON.stringify([source, sourceId, skuId, locationId]);
}
