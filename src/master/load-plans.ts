/**
 * Plans of loads. A set of records is put for trial in a transaction that is rolled back: what the kind's own writer refuses is refused
 * in the plan, and what it would write is read back and compared field by field with what is there.
 */
import { CrossdockError, fail, priceMicros } from '../canonical/index.ts';
import {
  type Database,
  isConnectionFault,
  isSerializationFault,
  numbers,
  type Queryable,
  texts,
} from '../store/index.ts';
import type { Directory } from './directory.ts';
import * as statements from './load-plans.sql.ts';
import {
  type RecordKey,
  type RecordKind,
  RecordsRefused,
  type Refusal,
  type Value,
  type Values,
} from './record-kind.ts';
import { type KindOf, masterKinds } from './record-kinds.ts';

export const PLAN_ITEMS_PER_BATCH = 500;

/** A row, or rows that go together, as they were read. */
export interface PlannedRow {
  line: number;
  /** By field; those that aren't said stay as they are. */
  record: Record<string, unknown>;
  refused?: Refusal;
}

export interface PlanCounts {
  rows: number;
  added: number;
  changed: number;
  unchanged: number;
  refused: number;
}

export interface LoadPlan {
  planId: number;
  kind: string;
  system: string;
  file: string;
  digest: string;
  state: statements.PlanRow['state'];
  counts: PlanCounts;
  /** What became of its items since: none where nothing was applied. */
  items: Partial<Record<statements.ItemRow['state'], number>>;
  impact: object | null;
  plannedBy: string;
  appliedBy: string | null;
  undoneBy: string | null;
  recordedAt: Date;
  plannedAt: Date | null;
  appliedAt: Date | null;
  undoneAt: Date | null;
}

export interface PlanItem {
  itemNo: number;
  line: number;
  key: Record<string, string>;
  action: 'add' | 'change' | 'refuse';
  before: Values | null;
  after: Values | null;
  state: statements.ItemRow['state'];
  code: string | null;
  reason: string | null;
}

/** Gathers the items of one plan, a batch at a time. */
export class PlanWriter {
  readonly planId: number;
  readonly counts: PlanCounts = { rows: 0, added: 0, changed: 0, unchanged: 0, refused: 0 };
  readonly #db: Database;
  readonly #directory: Directory;
  readonly #kind: RecordKind;
  #itemNo = 0;

  private constructor(db: Database, directory: Directory, kind: RecordKind, planId: number) {
    this.#db = db;
    this.#directory = directory;
    this.#kind = kind;
    this.planId = planId;
  }

  static async open(
    db: Database,
    directory: Directory,
    plan: { kind: string; system: string; file: string; digest: string; by: string },
    kindOf: KindOf = masterKinds,
  ): Promise<PlanWriter> {
    const kind = kindOf(plan.kind);
    const [row] = await db.query(statements.insertPlan, [plan.kind, plan.system, plan.file, plan.digest, plan.by]);
    return new PlanWriter(db, directory, kind, row!.plan_id);
  }

  /** @param rows at most {@link PLAN_ITEMS_PER_BATCH}; `lines` counts the file's rows among them */
  async add(rows: readonly PlannedRow[], lines: number): Promise<void> {
    const drafts = rows.map((row) => ({ ...row, key: row.refused ? '' : keyText(this.#kind, row.record) }));
    const refused = new Map<PlannedRow, Refusal>();
    const good: typeof drafts = [];
    const lineOf = new Map<string, number>();
    for (const row of drafts) {
      const first = lineOf.get(row.key);
      if (row.refused !== undefined) refused.set(row, row.refused);
      else if (first !== undefined) refused.set(row, namedTwice(first));
      else {
        lineOf.set(row.key, row.line);
        good.push(row);
      }
    }
    const found = await tryOut(this.#db, this.#directory, this.#kind, good, refused);
    const items = drafts.map((row) => {
      const what = found.get(row);
      const refusal = refused.get(row);
      if (refusal !== undefined || what === undefined) return itemOf(row, refusal);
      const fields = Object.keys(what.after).filter(
        (field) =>
          what.before === null || !isSame(this.#kind, field, what.before[field] ?? null, what.after[field] ?? null),
      );
      if (fields.length === 0) return { ...itemOf(row), action: 'same' as const };
      const only = (values: Values) => Object.fromEntries(fields.map((field) => [field, values[field] ?? null]));
      return {
        ...itemOf(row),
        action: what.before === null ? ('add' as const) : ('change' as const),
        before: what.before === null ? null : JSON.stringify(only(what.before)),
        after: JSON.stringify(only(what.after)),
        subjectId: what.subjectId,
      };
    });
    const numbered = items.map((item) => ({ ...item, itemNo: ++this.#itemNo }));
    const inserted = await this.#insert(numbered);
    const named = numbered.filter((item) => !inserted.has(item.itemNo));
    if (named.length > 0) {
      // An earlier batch names them: asked for only then, because the first rows of a large file are far away.
      const keys = texts(named.map((item) => item.key));
      const first = new Map(
        (await this.#db.query(statements.findFirstLines, [this.planId, keys])).map((row) => [row.key, row.line]),
      );
      for (const item of named)
        Object.assign(item, { ...itemOf(item, namedTwice(first.get(item.key)!)), itemNo: item.itemNo });
      await this.#insert(named);
    }
    this.counts.rows += lines;
    for (const { action } of numbered)
      this.counts[({ add: 'added', change: 'changed', same: 'unchanged', refuse: 'refused' } as const)[action]]++;
  }

  /** @returns the numbers of those that were inserted: others name a record that has an item */
  async #insert(items: readonly (ReturnType<typeof itemOf> & { itemNo: number })[]): Promise<Set<number>> {
    const rows = await this.#db.query(statements.insertItems, [
      this.planId,
      numbers(items.map((item) => item.itemNo)),
      numbers(items.map((item) => item.line)),
      texts(items.map((item) => item.key)),
      texts(items.map((item) => item.action)),
      texts(items.map((item) => item.before)),
      texts(items.map((item) => item.after)),
      numbers(items.map((item) => item.subjectId)),
      texts(items.map((item) => (item.action === 'refuse' ? 'refused' : 'planned'))),
      texts(items.map((item) => item.code)),
      texts(items.map((item) => item.reason)),
    ]);
    return new Set(rows.map((row) => row.item_no));
  }

  /** Keys of what stays the same were kept to find a record that is named twice; now nobody asks. */
  async finish(impact: object | null): Promise<void> {
    await this.#db.query(statements.removeSame, [this.planId]);
    await this.#db.query(statements.finishPlan, [this.planId, JSON.stringify(this.counts), JSON.stringify(impact)]);
  }

  async giveUp(): Promise<void> {
    await this.#db.query(statements.removePlan, [this.planId]);
  }
}

function namedTwice(line: number): Refusal {
  return { code: 'named_twice', reason: `stands on line ${line} already` };
}

interface Draft extends PlannedRow {
  key: string;
}

function itemOf(row: { line: number; key: string }, refusal?: Refusal) {
  return {
    ...{ line: row.line, key: row.key, action: refusal === undefined ? 'same' : 'refuse' },
    ...{ before: null as string | null, after: null as string | null, subjectId: null as number | null },
    ...{ code: refusal?.code ?? null, reason: refusal?.reason ?? null },
  } as {
    line: number;
    key: string;
    action: 'add' | 'change' | 'same' | 'refuse';
    before: string | null;
    after: string | null;
    subjectId: number | null;
    code: string | null;
    reason: string | null;
  };
}

interface Tried {
  before: Values | null;
  after: Values;
  subjectId: number | null;
}

/** The plan as a whole is not what it has to be: no matter of one item. */
export class PlanStopped extends CrossdockError {}

/** What ends a transaction that was for trial only. */
class Enough extends Error {}

async function tryOut(
  db: Database,
  directory: Directory,
  kind: RecordKind,
  rows: readonly Draft[],
  refused: Map<PlannedRow, Refusal>,
): Promise<Map<PlannedRow, Tried>> {
  const tried = new Map<PlannedRow, Tried>();
  await inParts(
    rows,
    async (part) => {
      const keys = part.map(({ key }) => JSON.parse(key) as RecordKey);
      const found = new Map<PlannedRow, Tried>();
      await db
        .transaction(async (tx) => {
          const before = await kind.read(tx, keys);
          await kind.put(
            tx,
            directory,
            part.map(({ record }, i) => wholeRecord(kind, keys[i]!, before.get(i)?.values ?? null, record)),
          );
          const after = await kind.read(tx, keys);
          found.clear();
          part.forEach((row, i) => {
            const known = before.get(i);
            // Nothing before and nothing after: it says that there is none.
            const values = after.get(i)?.values ?? {};
            const subjectId = known?.subjectId ?? (kind.isSubject ? null : (after.get(i)?.subjectId ?? null));
            found.set(row, { before: known?.values ?? null, after: values, subjectId });
          });
          throw new Enough();
        })
        .catch((error: unknown) => {
          if (!(error instanceof Enough)) throw error;
        });
      for (const [row, what] of found) tried.set(row, what);
    },
    (row, refusal) => refused.set(row, refusal),
  );
  return tried;
}

/** A record with its key, what is said of it, and for the rest what is there. */
export function wholeRecord(
  kind: RecordKind,
  key: RecordKey,
  known: Values | null,
  said: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const values = Object.fromEntries(
    [...kind.fields, ...(kind.alsoSaid ?? [])].flatMap((field) =>
      said[field] === undefined ? [] : [[field, said[field]]],
    ),
  );
  return { ...known, ...values, ...Object.fromEntries(kind.keyFields.map((field, i) => [field, key[i]!])) };
}

/**
 * Does `work` for all of them, in as large parts as it can be done: what is refused by its place is left out, and what breaks a part for
 * another reason is found by halving. `work` must leave nothing when it fails.
 */
export async function inParts<T>(
  all: readonly T[],
  work: (part: readonly T[]) => Promise<void>,
  refuse: (one: T, refusal: Refusal) => void,
): Promise<void> {
  let left = all;
  while (left.length > 0) {
    try {
      await work(left);
      return;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const refused = refusalsOf(error);
      if (refused === undefined && left.length > 1) {
        const half = left.length >> 1;
        await inParts(left.slice(0, half), work, refuse);
        await inParts(left.slice(half), work, refuse);
        return;
      }
      const named = refused ?? new Map([[0, refusalOf(error)]]);
      for (const [i, refusal] of named) refuse(left[i]!, refusal);
      left = left.filter((_, i) => !named.has(i));
    }
  }
}

/** Whether it is the records' fault: else the same again may do. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof PlanStopped || isConnectionFault(error) || isSerializationFault(error)) return false;
  return !(error instanceof CrossdockError && error.retry === 'later');
}

function refusalsOf(error: unknown): ReadonlyMap<number, Refusal> | undefined {
  if (error instanceof RecordsRefused) return error.refused;
  if (!(error instanceof CrossdockError)) return undefined;
  const at = /\[(\d+)\]/.exec(String(error.details.place ?? ''))?.[1];
  return at === undefined ? undefined : new Map([[Number(at), refusalOf(error)]]);
}

function refusalOf(error: unknown): Refusal {
  const own =
    error instanceof CrossdockError && typeof error.details.refused === 'string' ? error.details.refused : undefined;
  const code = own ?? (error instanceof CrossdockError ? error.code : 'XD_INTERNAL');
  const message = error instanceof Error ? error.message : String(error);
  return { code, reason: message.replace(/^\w+\[\d+\]\.?/, '').slice(0, 500) };
}

export function isSame(kind: RecordKind, field: string, one: Value, other: Value): boolean {
  const isDecimal = kind.decimals?.includes(field) === true && typeof one === 'string' && typeof other === 'string';
  return isDecimal ? priceMicros(one) === priceMicros(other) : JSON.stringify(one) === JSON.stringify(other);
}

function keyText(kind: RecordKind, record: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(kind.keyFields.map((field) => String(record[field] ?? '')));
}

/** @throws XD_NOT_FOUND */
export async function getPlan(db: Queryable, planId: number): Promise<LoadPlan> {
  const [row] = await db.query(statements.findPlan, [planId]);
  if (row === undefined) fail('XD_NOT_FOUND', `there is no load plan ${planId}`, { planId });
  return planOf(row, await db.query(statements.countItems, [planId]));
}

export async function listPlans(
  db: Queryable,
  { before = null, state = null, limit = 100 }: { before?: number | null; state?: string | null; limit?: number } = {},
): Promise<LoadPlan[]> {
  const rows = await db.query(statements.listPlans, [before, state, limit]);
  return Promise.all(rows.map(async (row) => planOf(row, await db.query(statements.countItems, [row.plan_id]))));
}

export async function listPlanItems(
  db: Queryable,
  plan: LoadPlan,
  {
    after = 0,
    state = null,
    limit = 500,
    kindOf = masterKinds,
  }: { after?: number; state?: string | null; limit?: number; kindOf?: KindOf } = {},
): Promise<PlanItem[]> {
  const { keyFields } = kindOf(plan.kind);
  const rows = await db.query(statements.listItems, [plan.planId, after, state, limit]);
  return rows.map((row) => {
    const key = row.key === '' ? [] : (JSON.parse(row.key) as string[]);
    return {
      ...{ itemNo: row.item_no, line: row.line, action: row.action as PlanItem['action'], state: row.state },
      key: Object.fromEntries(key.map((value, i) => [keyFields[i]!, value])),
      ...{ before: row.before as Values | null, after: row.after as Values | null, code: row.code, reason: row.reason },
    };
  });
}

function planOf(row: statements.PlanRow, counted: readonly { state: string; count: number }[]): LoadPlan {
  return {
    planId: row.plan_id,
    kind: row.kind,
    ...{ system: row.system, file: row.file, digest: row.digest, state: row.state },
    counts: row.counts as PlanCounts,
    items: Object.fromEntries(counted.map(({ state, count }) => [state, count])),
    impact: row.impact,
    ...{ plannedBy: row.planned_by, appliedBy: row.applied_by, undoneBy: row.undone_by },
    ...{ recordedAt: row.recorded_at, plannedAt: row.planned_at, appliedAt: row.applied_at, undoneAt: row.undone_at },
  };
}
