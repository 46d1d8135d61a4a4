/**
 * Plans applied and undone, a batch a transaction: who does either holds the plan's row, so two at once do it once, and what was killed
 * in the middle goes on at the first item that is still as it was.
 */
import { fail } from '../canonical/index.ts';
import { type Database, numbers, type Tx, texts } from '../store/index.ts';
import type { Directory } from './directory.ts';
import * as statements from './load-plans.sql.ts';
import {
  getPlan,
  inParts,
  isRefusal,
  isSame,
  type LoadPlan,
  PLAN_ITEMS_PER_BATCH,
  PlanStopped,
  wholeRecord,
} from './load-plans.ts';
import type { RecordKey, RecordKind, Values } from './record-kind.ts';
import { type KindOf, masterKinds } from './record-kinds.ts';

/** After so many items tables that grew are looked at anew: what was planned for small ones compares each row with each. */
const ANALYZED_ITEMS = 5_000;
const ITEM_NO_MAX = 2_147_483_647;

export interface PlanRun {
  by: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((done: number) => void) | undefined;
  itemsPerBatch?: number;
  /** Default: those of master data. */
  kindOf?: KindOf;
}

interface Outcome {
  item: statements.ItemRow;
  state: statements.ItemRow['state'];
  code?: string;
  reason?: string;
}

interface Direction {
  /** The plan's state while it runs, and from which it may begin. */
  during: 'applying' | 'undoing';
  from: readonly statements.PlanRow['state'][];
  done: readonly statements.PlanRow['state'][];
  /** The state of items that it takes. */
  takes: statements.ItemRow['state'];
  /** Those next to `from`, which is the last that was done; null: from the beginning. */
  take(tx: Tx, planId: number, from: number | null, limit: number): Promise<statements.ItemRow[]>;
  work(tx: Tx, directory: Directory, kind: RecordKind, items: readonly statements.ItemRow[]): Promise<Outcome[]>;
  /** Of an item whose values the writer refuses. */
  refused: statements.ItemRow['state'];
  ended(counts: ReadonlyMap<string, number>): statements.PlanRow['state'];
}

const forward: Direction = {
  during: 'applying',
  from: ['planned', 'applying'],
  done: ['applied', 'stale'],
  takes: 'planned',
  take: (tx, planId, from, limit) => tx.query(statements.takeItems, [planId, 'planned', from ?? 0, limit]),
  work: applyItems,
  refused: 'refused',
  ended: (counts) => ((counts.get('applied') ?? 0) === 0 && (counts.get('stale') ?? 0) > 0 ? 'stale' : 'applied'),
};

const backward: Direction = {
  during: 'undoing',
  // Also of a plan that was applied in part: what wasn't is left.
  from: ['applied', 'applying', 'undoing'],
  done: ['undone'],
  takes: 'applied',
  take: (tx, planId, from, limit) =>
    tx.query(statements.takeItemsBackwards, [planId, 'applied', from ?? ITEM_NO_MAX, limit]),
  work: undoItems,
  refused: 'kept',
  ended: () => 'undone',
};

/**
 * Writes what the plan says, each item where its record is still as it was planned on; others become `stale` and nothing of them is
 * written. Ended in the middle, the same again goes on; done already, it changes nothing.
 * @throws XD_NOT_FOUND, XD_REFUSED when it was undone or is not planned to its end
 */
export function applyPlan(db: Database, directory: Directory, planId: number, run: PlanRun): Promise<LoadPlan> {
  return runPlan(db, directory, planId, run, forward);
}

/**
 * Puts back what was there before, each item where its record still is as the plan wrote it; what the plan added is withdrawn unless
 * something names it by now. Others are `kept`, each with its reason.
 * @throws XD_NOT_FOUND, XD_REFUSED when it was never applied
 */
export function undoPlan(db: Database, directory: Directory, planId: number, run: PlanRun): Promise<LoadPlan> {
  return runPlan(db, directory, planId, run, backward);
}

async function runPlan(
  db: Database,
  directory: Directory,
  planId: number,
  run: PlanRun,
  direction: Direction,
): Promise<LoadPlan> {
  const { kind: name } = await getPlan(db, planId);
  const kind = (run.kindOf ?? masterKinds)(name);
  const limit = run.itemsPerBatch ?? PLAN_ITEMS_PER_BATCH;
  let from: number | null = null;
  for (let done = 0; run.signal?.aborted !== true; ) {
    const items = await takeBatch(db, directory, { planId, kind, by: run.by, limit, from }, direction);
    if (items.length === 0) break;
    done += items.length;
    from = items.at(-1)!.item_no;
    if (Math.floor(done / ANALYZED_ITEMS) > Math.floor((done - items.length) / ANALYZED_ITEMS))
      await db.query(statements.analyzeStale);
    run.onProgress?.(done);
  }
  return getPlan(db, planId);
}

/**
 * The next items, taken and done in one transaction under the plan's lock: whoever comes to it while others hold it takes those after
 * them. @returns what was settled; nothing: the plan has come to its end
 */
async function takeBatch(
  db: Database,
  directory: Directory,
  {
    planId,
    kind,
    by,
    limit,
    from,
  }: { planId: number; kind: RecordKind; by: string; limit: number; from: number | null },
  direction: Direction,
): Promise<statements.ItemRow[]> {
  const work = async (tx: Tx, items: readonly statements.ItemRow[]) => {
    await kind.lock(tx);
    await settle(tx, planId, await direction.work(tx, directory, kind, items));
  };
  let taken: statements.ItemRow[] = [];
  try {
    await db.transaction(async (tx) => {
      taken = [];
      if (!(await enter(tx, planId, by, direction))) return;
      taken = await direction.take(tx, planId, from, limit);
      // Another that ended in the middle may have left some behind.
      if (taken.length === 0 && from !== null) taken = await direction.take(tx, planId, null, limit);
      if (taken.length > 0) await work(tx, taken);
      else await end(tx, planId, by, direction);
    });
    return taken;
  } catch (error) {
    if (taken.length === 0 || !isRefusal(error)) throw error;
  }
  // Some of them can't be written: found by their places or by halving, while others may settle some of the rest.
  const refused: Outcome[] = [];
  await inParts(
    taken,
    (part) =>
      db.transaction(async (tx) => {
        const left = await stillToDo(tx, planId, by, direction, part);
        if (left.length > 0) await work(tx, left);
      }),
    (item, refusal) => refused.push({ item, state: direction.refused, ...refusal }),
  );
  if (refused.length > 0)
    await db.transaction(async (tx) => {
      const items = refused.map(({ item }) => item);
      const left = await stillToDo(tx, planId, by, direction, items);
      await settle(
        tx,
        planId,
        refused.filter(({ item }) => left.includes(item)),
      );
    });
  return taken;
}

/** Holds the plan's row until the transaction ends. @returns whether there may be something to do: false once it has come to its end */
async function enter(tx: Tx, planId: number, by: string, direction: Direction): Promise<boolean> {
  const [plan] = await tx.query(statements.lockPlan, [planId]);
  if (plan === undefined) fail('XD_NOT_FOUND', `there is no load plan ${planId}`, { planId });
  const { state } = plan;
  if (direction.done.includes(state)) return false;
  if (!direction.from.includes(state)) stopped(planId, state, direction);
  if (state !== direction.during) await tx.query(statements.setPlanState, [planId, direction.during, by]);
  return true;
}

async function end(tx: Tx, planId: number, by: string, direction: Direction): Promise<void> {
  const counted = await tx.query(statements.countItems, [planId]);
  const ended = direction.ended(new Map(counted.map((row) => [row.state, row.count])));
  await tx.query(statements.setPlanState, [planId, ended, by]);
}

/** Those of them that nobody else has settled meanwhile. */
async function stillToDo(
  tx: Tx,
  planId: number,
  by: string,
  direction: Direction,
  items: readonly statements.ItemRow[],
): Promise<statements.ItemRow[]> {
  if (!(await enter(tx, planId, by, direction))) return [];
  const open = await tx.query(statements.findItemsIn, [
    planId,
    numbers(items.map((item) => item.item_no)),
    direction.takes,
  ]);
  const numbersOf = new Set(open.map((row) => row.item_no));
  return items.filter((item) => numbersOf.has(item.item_no));
}

function stopped(planId: number, state: string, direction: Direction): never {
  const what = direction === forward ? 'applied' : 'undone';
  throw new PlanStopped('XD_REFUSED', `load plan ${planId} is ${state}: it can't be ${what}`, { planId, state });
}

async function settle(tx: Tx, planId: number, outcomes: readonly Outcome[]): Promise<void> {
  await tx.query(statements.setItemStates, [
    planId,
    numbers(outcomes.map(({ item }) => item.item_no)),
    texts(outcomes.map(({ state }) => state)),
    texts(outcomes.map(({ code }) => code ?? null)),
    texts(outcomes.map(({ reason }) => reason ?? null)),
  ]);
}

async function applyItems(
  tx: Tx,
  directory: Directory,
  kind: RecordKind,
  items: readonly statements.ItemRow[],
): Promise<Outcome[]> {
  const keys = items.map((item) => JSON.parse(item.key) as RecordKey);
  const known = await kind.read(tx, keys);
  const outcomes = items.map((item, i): Outcome => {
    const values = known.get(i)?.values ?? null;
    if (item.before === null)
      return values === null
        ? { item, state: 'applied' }
        : { item, state: 'stale', code: 'stale', reason: 'it has been added meanwhile' };
    const other = values === null ? 'it is gone' : differing(kind, values, item.before as Values);
    return other === null
      ? { item, state: 'applied' }
      : { item, state: 'stale', code: 'stale', reason: `changed since it was planned: ${other}` };
  });
  const records = items.flatMap((item, i) =>
    outcomes[i]!.state === 'applied' ? [wholeRecord(kind, keys[i]!, known.get(i)?.values ?? null, item.after!)] : [],
  );
  if (records.length > 0) await kind.put(tx, directory, records);
  return outcomes;
}

async function undoItems(
  tx: Tx,
  directory: Directory,
  kind: RecordKind,
  items: readonly statements.ItemRow[],
): Promise<Outcome[]> {
  const keys = items.map((item) => JSON.parse(item.key) as RecordKey);
  const known = await kind.read(tx, keys);
  const outcomes = items.map((item, i): Outcome => {
    const values = known.get(i)?.values ?? null;
    const other = values === null ? 'it is gone' : differing(kind, values, item.after as Values);
    return other === null
      ? { item, state: 'undone' }
      : { item, state: 'kept', code: 'stale', reason: `changed since it was applied: ${other}` };
  });
  // What was added first: it may be what the others were changed for.
  const added = items.flatMap((item, i) => (item.before === null && outcomes[i]!.state === 'undone' ? [i] : []));
  if (added.length > 0) {
    const stay = await kind.withdraw(
      tx,
      directory,
      added.map((i) => keys[i]!),
    );
    for (const [nth, usedBy] of stay)
      outcomes[added[nth]!] = {
        item: items[added[nth]!]!,
        state: 'kept',
        code: 'in_use',
        reason: `named by ${usedBy}`,
      };
  }
  const records = items.flatMap((item, i) =>
    item.before !== null && outcomes[i]!.state === 'undone'
      ? [wholeRecord(kind, keys[i]!, known.get(i)!.values, item.before)]
      : [],
  );
  if (records.length > 0) await kind.put(tx, directory, records);
  return outcomes;
}

/** The first field that is not as it was, with what it is now. */
function differing(kind: RecordKind, values: Values, expected: Values): string | null {
  for (const [field, value] of Object.entries(expected))
    if (!isSame(kind, field, values[field] ?? null, value))
      return `${field} is ${JSON.stringify(values[field] ?? null)}`;
  return null;
}
