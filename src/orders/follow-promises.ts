/**
 * Promises follow the supply that they rest on. Behind the transaction that changes the supply, not in it: that one holds the locks of balances
 * by then, and orders are locked before them.
 */
import { endConsumer, readNext } from '../log/index.ts';
import { type Database, numbers, type Tx } from '../store/index.ts';
import { type OrderDeps, type OrderWork, processOrders } from './process.ts';
import * as statements from './promises.sql.ts';

export const PROMISE_CONSUMER = 'promises';
const FACTS_PER_READ_MAX = 5_000;
/** Lines in one transaction: it holds their orders' locks. */
const LINES_PER_TRANSACTION_MAX = 2_000;
const CHANGING = ['supply.announced', 'supply.received'];
const ended = new WeakSet<Database>();

/**
 * Follows the log to its end, beginning in the transaction that moves the cursor. Whoever dies in between leaves the rest to the sweep.
 * @returns facts read and orders promised anew
 */
export async function followPromises(
  db: Database,
  deps: OrderDeps,
  linesMax = LINES_PER_TRANSACTION_MAX,
): Promise<{ read: number; changed: number }> {
  const all = { read: 0, changed: 0 };
  if (promisingChannels(deps).length === 0) {
    // Where an earlier estate promised dates, its reader would keep all facts for ever.
    if (!ended.has(db)) await endConsumer(db, PROMISE_CONSUMER);
    ended.add(db);
    return all;
  }
  for (;;) {
    const { read, supplyIds, changed, more } = await db.inTurn(async (tx) => {
      const page = await readNext(tx, PROMISE_CONSUMER, FACTS_PER_READ_MAX, CHANGING);
      const ids = [...new Set(page.facts.map((fact) => (fact.data as { supplyId: number }).supplyId))];
      return { read: page.read, supplyIds: ids, ...(await repromise(tx, deps, ids, linesMax)) };
    });
    all.read += read;
    all.changed += changed;
    if (more) all.changed += await rest(db, deps, supplyIds, linesMax);
    if (read < FACTS_PER_READ_MAX) return all;
  }
}

/** Whatever rests on supply that is no more as it was promised upon. @returns orders promised anew */
export async function sweepPromises(
  db: Database,
  deps: OrderDeps,
  linesMax = LINES_PER_TRANSACTION_MAX,
): Promise<number> {
  return promisingChannels(deps).length === 0 ? 0 : rest(db, deps, null, linesMax);
}

/** One transaction after the other, others' between them. */
async function rest(
  db: Database,
  deps: OrderDeps,
  supplyIds: readonly number[] | null,
  linesMax: number,
): Promise<number> {
  let all = 0;
  for (;;) {
    const { changed, more } = await db.inTurn((tx) => repromise(tx, deps, supplyIds, linesMax));
    all += changed;
    if (!more) return all;
  }
}

function promisingChannels({ directory }: OrderDeps): number[] {
  return [...directory.channelById.values()]
    .filter(({ promisedBy }) => promisedBy !== null)
    .map((one) => one.channelId);
}

/** @param supplyIds null: any. Locks as {@link processOrders} does. */
async function repromise(
  tx: Tx,
  deps: OrderDeps,
  supplyIds: readonly number[] | null,
  linesMax: number,
): Promise<{ changed: number; more: boolean }> {
  if (supplyIds?.length === 0) return { changed: 0, more: false };
  const rows = await tx.query(statements.findMoved, [
    supplyIds === null ? null : numbers(supplyIds),
    linesMax,
    numbers(promisingChannels(deps)),
  ]);
  const byOrder = new Map<number, number[]>();
  for (const row of rows) {
    const lines = byOrder.get(row.order_id);
    if (lines === undefined) byOrder.set(row.order_id, [row.line_no]);
    else lines.push(row.line_no);
  }
  if (byOrder.size === 0) return { changed: 0, more: false };
  const occurredAt = new Date().toISOString();
  const works = [...byOrder].map(
    ([orderId, lineNos]): OrderWork => ({
      reference: { orderId },
      command: { kind: 'repromise', lineNos },
      occurredAt,
    }),
  );
  const batch = await processOrders(tx, deps, works);
  await batch.finish();
  const changed = batch.results.filter((result) => result.outcome === 'applied' && result.events.length > 0).length;
  return { changed, more: changed > 0 && rows.length === linesMax };
}
