/** Orders that were held for credit go on by the rule once there is room: oldest first, each that fits. */
import { readPaths } from '../credit/index.ts';
import { readNext } from '../log/index.ts';
import { type Database, databaseNow, numbers, type Tx } from '../store/index.ts';
import * as statements from './holds.sql.ts';
import { type OrderDeps, type OrderWork, processOrders } from './process.ts';

export const CREDIT_CONSUMER = 'credit';
const FACTS_PER_READ_MAX = 5_000;
/** Orders looked at in one transaction: it holds their locks. */
const ORDERS_PER_TRANSACTION_MAX = 200;
/** Most of many that wait still don't fit, and looking at them must not be all that is done. */
const PAGES_MAX = 10;
const ACCOUNTS_MAX = 500;

/** Facts after which an account may have room. */
const FREEING = ['credit.reported', 'order.lines_cancelled', 'order.exception_resolved', 'order.repriced'];

export interface CreditRound {
  read: number;
  released: number;
}

/** Follows the log to its end. The cursor moves with the first page; whoever dies before the last leaves the rest to the sweep. */
export async function followCredit(
  db: Database,
  deps: OrderDeps,
  ordersMax = ORDERS_PER_TRANSACTION_MAX,
): Promise<CreditRound> {
  const all = { read: 0, released: 0 };
  for (;;) {
    const found = await db.inTurn(async (tx) => {
      const page = await readNext(tx, CREDIT_CONSUMER, FACTS_PER_READ_MAX, FREEING);
      const accountIds = new Set<number>();
      const orderIds: number[] = [];
      for (const fact of page.facts)
        if (fact.type === 'credit.reported') accountIds.add((fact.data as { accountId: number }).accountId);
        else orderIds.push(Number(fact.stream.slice('order/'.length)));
      if (orderIds.length > 0)
        for (const row of await tx.query(statements.findClaimHolders, [numbers(orderIds)]))
          accountIds.add(row.holder_id);
      // What a report of one account frees may be free for all of its group.
      if (deps.directory.credit.groupReports === 'own' && accountIds.size > 0)
        for (const path of (await readPaths(tx, [...accountIds])).values())
          for (const accountId of path) accountIds.add(accountId);
      return { read: page.read, accountIds: [...accountIds] };
    });
    all.read += found.read;
    if (found.accountIds.length > 0) all.released += await releaseFitting(db, deps, found.accountIds, ordersMax);
    if (found.read < FACTS_PER_READ_MAX) return all;
  }
}

/** Looks at whatever is held for credit. @returns orders released */
export function sweepCredit(db: Database, deps: OrderDeps, ordersMax = ORDERS_PER_TRANSACTION_MAX): Promise<number> {
  return releaseFitting(db, deps, null, ordersMax);
}

/** Accounts of orders that are held because nobody knew enough: worth asking for again. */
export async function accountsOfUnknownCredit(db: Database): Promise<number[]> {
  return (await db.query(statements.findUnknownCredit, [ACCOUNTS_MAX])).map((row) => row.account_id);
}

async function releaseFitting(
  db: Database,
  deps: OrderDeps,
  accountIds: readonly number[] | null,
  ordersMax: number,
): Promise<number> {
  if (!deps.directory.credit.releaseWhenFree) return 0;
  let released = 0;
  let after = 0;
  for (let page = 0; page < PAGES_MAX; page++) {
    const found = await db.query(statements.findCreditHolds, [
      accountIds === null ? null : numbers(accountIds),
      after,
      ordersMax,
    ]);
    if (found.length === 0) break;
    after = found.at(-1)!.hold_id;
    const occurredAt = (await databaseNow(db)).toISOString();
    released += await db.inTurn((tx) => release(tx, deps, found, occurredAt));
    if (found.length < ordersMax) break;
  }
  return released;
}

async function release(
  tx: Tx,
  deps: OrderDeps,
  holds: readonly { hold_id: number; order_id: number }[],
  occurredAt: string,
): Promise<number> {
  const works = holds.map(
    ({ hold_id: holdId, order_id: orderId }): OrderWork => ({
      reference: { orderId },
      command: { kind: 'release_hold', holdId, by: 'rule', reason: 'there is credit', isRule: true },
      occurredAt,
    }),
  );
  const batch = await processOrders(tx, deps, works);
  await batch.finish();
  return batch.results.filter((result) => result.outcome === 'applied' && result.events.length > 0).length;
}
