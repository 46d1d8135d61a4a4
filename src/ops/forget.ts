/**
 * Forgets rows that have ended and are older than their kind is kept, where a table can't be dropped by month. Ids grow with time, so
 * a round begins at the lowest and stops where nothing is old any more: what is left there is what is still open, and that is little.
 */
import { stateRules } from '../orders/index.ts';
import { type Database, numbers, type Tx, texts } from '../store/index.ts';
import * as statements from './forget.sql.ts';

/** Ids looked at in one transaction. An order has several rows, so fewer of them. */
const IDS_PER_PAGE = 1_000;
const ORDERS_PER_PAGE = 200;
/** States that nothing leads out of. */
const ENDED = stateRules.filter(({ next }) => next.length === 0).map(({ state }) => state);

interface Pass {
  table: string;
  first: statements.First;
  idsPerPage: number;
  /** What came of facts stays while these may still be there. */
  afterFacts: boolean;
  forget(tx: Tx, from: number, to: number, before: Date): Promise<{ old: number; deleted: number }>;
}

function byId(table: string, { first, forget }: { first: statements.First; forget: statements.Forget }): Pass {
  return {
    table,
    first,
    idsPerPage: IDS_PER_PAGE,
    afterFacts: false,
    forget: async (tx, from, to, before) => (await tx.query(forget, [from, to, before]))[0]!,
  };
}

function byOrder(table: string, first: statements.First, forget: typeof statements.forgetDeliveries): Pass {
  return {
    table,
    first,
    idsPerPage: ORDERS_PER_PAGE,
    afterFacts: true,
    async forget(tx, from, to, before) {
      const ended = await tx.query(statements.lockEnded, [from, to, before, texts(ENDED)]);
      const [{ old }] = (await tx.query(statements.countOldOrders, [from, to, before])) as [{ old: number }];
      if (ended.length === 0) return { old, deleted: 0 };
      const [row] = await tx.query(forget, [numbers(ended.map(({ order_id }) => order_id)), before]);
      return { old, deleted: row!.deleted };
    },
  };
}

const passes: readonly Pass[] = [
  byOrder('delivery', statements.firstDeliveredOrder, statements.forgetDeliveries),
  { ...byId('delivery', statements.otherDeliveries), afterFacts: true },
  byOrder('publication', statements.firstPublishedOrder, statements.forgetPublications),
  byOrder('promise', statements.firstPromisedOrder, statements.forgetPromises),
  byId('reservation', statements.reservations),
  byId('parked_record', statements.parkedRecords),
  byId('shortage', statements.shortages),
  byId('stage_alert', statements.stageAlerts),
  // One a transaction: its items go with it.
  { ...byId('load_plan', statements.loadPlans), idsPerPage: 1 },
  byId('credit_claim', statements.creditClaims),
];

/**
 * @param kinds what expires, each with its moment
 * @returns rows deleted, by table; those of which none were are left out
 * Locks the orders of a page, in order; rows of ended things, which nobody else changes.
 */
export async function forgetEnded(
  db: Database,
  kinds: readonly statements.KindRow[],
  idsPerPageMax = IDS_PER_PAGE,
): Promise<Record<string, number>> {
  const expiry = new Map(kinds.map((row) => [row.table_name, row.expires_before]));
  const [{ since }] = (await db.query(statements.readFactsFrom)) as [{ since: Date }];
  const deleted: Record<string, number> = {};
  for (const { table, first, idsPerPage, afterFacts, forget } of passes) {
    const expired = expiry.get(table);
    if (expired === undefined) continue;
    const before = afterFacts && since < expired ? since : expired;
    const span = Math.min(idsPerPage, idsPerPageMax);
    for (let after = 0; ; ) {
      const [row] = await db.query(first, [after]);
      const from = row?.id;
      if (from === null || from === undefined) break;
      const page = await db.transaction(async (tx) => {
        const result = await forget(tx, from, from + span, before);
        if (result.deleted > 0) await tx.query(statements.writeKeptSince, [table, before]);
        return result;
      });
      if (page.deleted > 0) deleted[table] = (deleted[table] ?? 0) + page.deleted;
      if (page.old === 0) break;
      after = from + span - 1;
    }
  }
  return deleted;
}
