/** What becomes of orders that were taken while the ERP was away, once it is back: held ones go on, all are held against fresh credit. */
import { readAges, readCredit, readPaths } from '../credit/index.ts';
import { listUnchecked, readOpenModes, writeChecked } from '../modes/index.ts';
import { type Database, databaseNow } from '../store/index.ts';
import * as statements from './holds.sql.ts';
import { type OrderDeps, type OrderWork, processOrders } from './process.ts';

const ORDERS_MAX = 200;
/** After this long, what is known is written, also where nobody reported anything new. */
const WAIT_SECONDS_MAX = 600;

/** @returns orders released */
export async function releaseDegraded(db: Database, deps: OrderDeps): Promise<number> {
  const found = await db.query(statements.findDegradedHolds, [ORDERS_MAX]);
  if (found.length === 0 || (await readOpenModes(db)).some(({ domain }) => domain === 'erp')) return 0;
  const occurredAt = (await databaseNow(db)).toISOString();
  const works = found.map(
    ({ hold_id: holdId, order_id: orderId }): OrderWork => ({
      reference: { orderId },
      command: { kind: 'release_hold', holdId, by: 'rule', reason: 'the ERP is back', isRule: true },
      occurredAt,
    }),
  );
  return db.inTurn(async (tx) => {
    const batch = await processOrders(tx, deps, works);
    await batch.finish();
    return batch.results.filter((result) => result.outcome === 'applied' && result.events.length > 0).length;
  });
}

/**
 * Holds orders of modes that were left against credit as it is now. What that allows is degraded no more, and systems are told; what it doesn't
 * stays marked, for a person.
 * @param freshen asks the ERP, where it can be asked
 * @returns how many were looked at
 */
export async function checkDegraded(
  db: Database,
  deps: OrderDeps,
  freshen: (accountIds: readonly number[]) => Promise<void> = async () => {},
): Promise<number> {
  const policy = deps.directory.credit;
  const orders = await listUnchecked(db, ORDERS_MAX);
  if (orders.length === 0) return 0;
  const accountIds = [...new Set(orders.map(({ accountId }) => accountId))];
  await freshen(accountIds);
  const paths = await readPaths(db, accountIds);
  const ages = await readAges(db, [...new Set([...paths.values()].flat())]);
  const views = new Map<number, number | null>();
  for (const [accountId, path] of paths) {
    const credit = await readCredit(db, policy, path);
    const isKnown = credit !== undefined && credit.asOf !== null;
    const byMinor = !isKnown ? null : credit.availableMinor === null ? 0 : Math.max(0, -credit.availableMinor);
    views.set(accountId, byMinor);
  }
  // Fresh is what was reported of a moment after it was back.
  const isFresh = (accountId: number, secondsSince: number) =>
    (paths.get(accountId) ?? []).some((id) => (ages.get(id) ?? Number.POSITIVE_INFINITY) < secondsSince * 1_000);
  const checked = orders.flatMap(({ accountId, secondsSince, ...order }) => {
    if (isFresh(accountId, secondsSince)) return [{ ...order, overByMinor: views.get(accountId) ?? null }];
    return secondsSince > WAIT_SECONDS_MAX ? [{ ...order, overByMinor: null }] : [];
  });
  if (checked.length === 0) return 0;
  const occurredAt = (await databaseNow(db)).toISOString();
  await db.inTurn(async (tx) => {
    // Their rows are this transaction's from here on: whoever comes next writes, and says, nothing of them.
    const written = await writeChecked(tx, checked);
    const works = checked
      .filter(({ orderId, overByMinor }) => overByMinor === 0 && written.has(orderId))
      .map(
        ({ orderId }): OrderWork => ({
          reference: { orderId },
          command: { kind: 'end_degraded', mode: 'erp' },
          occurredAt,
        }),
      );
    if (works.length === 0) return;
    const batch = await processOrders(tx, deps, works);
    await batch.finish();
  });
  return checked.length;
}
