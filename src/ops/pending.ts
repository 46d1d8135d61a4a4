import type { Database } from '../store/index.ts';
import { type PendingRow, readPending } from './pending.sql.ts';

/** What the hub still has to do, by kind; all zero means that everything it was told has reached everyone it concerns. */
export async function pendingWork(db: Database): Promise<PendingRow & { total: number }> {
  const [row] = await db.query(readPending);
  const { deliveries, publications, numbers, waiting, behind, servable } = row!;
  return { ...row!, total: deliveries + publications + numbers + waiting + behind + servable, servable };
}
