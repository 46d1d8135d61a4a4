/** A file read for a plan: nothing of it is written but the plan. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { basename } from 'node:path';
import { fail } from '../../canonical/index.ts';
import {
  getPlan,
  type LoadPlan,
  listPlanItems,
  PLAN_ITEMS_PER_BATCH,
  type PlanItem,
  type PlannedRow,
  PlanWriter,
} from '../../master/index.ts';
import { readLoadImpact } from '../../ops/index.ts';
import type { Opened } from '../open.ts';
import { readCsv, readHead } from './csv.ts';
import { onlyCompany } from './defaults.ts';
import { columnOf } from './fields.ts';
import { type Kind, type KindName, type ReadRow, kindOf as readerOf } from './kinds.ts';
import { kindOf } from './plan-kinds.ts';
import { checkChannel, checkCompany, readHeading, readRow } from './run.ts';

export interface PlanOptions {
  system?: string;
  company?: string;
  channel?: string;
  by: string;
  signal?: AbortSignal;
  onProgress?: (bytes: number, total: number, rows: number) => void;
}

/** Fields whose columns are called otherwise. */
const columnOfField: Readonly<Record<string, string>> = {
  ...{ substitutes: 'substitute', kit: 'component', units: 'unit', addresses: 'code' },
};

/**
 * Plans what loading the file would do.
 * @throws after the last row that could be read; then there is no plan
 */
export async function planLoad(
  opened: Opened,
  kindName: KindName,
  file: string,
  options: PlanOptions,
): Promise<LoadPlan> {
  const { db, directory } = opened;
  const head = await readHead(file);
  const system = options.system ?? 'file';
  const context = {
    ...opened,
    ...{ digest: head.digest, modifiedAt: head.modifiedAt, system, as: undefined },
    company: checkCompany(opened, options.company),
    channel: checkChannel(opened, options.channel),
  };
  const kind = readerOf(kindName, context);
  const digest = await sha256(file);
  const plan = { kind: kindName, system, file: basename(file), digest, by: options.by };
  const writer = await PlanWriter.open(db, directory, plan, kindOf);
  let columns: Map<string, number> | undefined;
  let given: ReadonlySet<string> = new Set();
  let batch: PlannedRow[] = [];
  let lines = 0;
  let open: { group: string | undefined; rows: ReadRow[] } | undefined;
  let bytes = 0;
  const flush = async () => {
    if (batch.length === 0) return;
    const rows = batch;
    batch = [];
    const of = lines;
    lines = 0;
    await writer.add(rows, of);
    options.onProgress?.(bytes, head.size, writer.counts.rows);
  };
  const close = async () => {
    if (open === undefined) return;
    batch.push(plannedRow(kind, open.rows, given));
    lines += open.rows.length;
    open = undefined;
    if (batch.length >= PLAN_ITEMS_PER_BATCH) await flush();
  };
  try {
    for await (const row of readCsv(file, head.gzip, (read) => {
      bytes = read;
    })) {
      if (columns === undefined) {
        columns = readHeading(file, row, kind);
        given = saidBy(kindName, columns, options.channel !== undefined);
        refuseUnplanned(kindName, kind, columns);
        continue;
      }
      if (options.signal?.aborted) fail('XD_SETUP_FAILED', 'ended before the end of the file: there is no plan');
      const read = readRow(kind, columns, row);
      // A row that can't be read still belongs to its group: a list without it would be another list.
      const said = (column: string) => row.fields[columns!.get(column) ?? -1]?.trim() ?? '';
      const company = said('company') || onlyCompany(context);
      const asked = { sku: said('sku').toUpperCase(), account: said('account'), company };
      const group = kind.groupOf?.(read.fault === undefined ? read.value : asked);
      if (open === undefined || group === undefined || group !== open.group) {
        await close();
        open = { group, rows: [] };
      }
      open.rows.push(read);
    }
    if (columns === undefined)
      fail('XD_VALUE_INVALID', `${file} is empty: it needs a heading with ${kind.required.join(', ')}`, {
        place: 'line 1',
      });
    await close();
    await flush();
    await writer.finish(await readLoadImpact(db, directory, kindName, writer.planId));
  } catch (error) {
    // A plan of half a file would be taken for one of the whole.
    await writer.giveUp().catch(() => {});
    throw error;
  }
  return getPlan(db, writer.planId);
}

function plannedRow(kind: Kind, rows: readonly ReadRow[], given: ReadonlySet<string>): PlannedRow {
  const { line } = rows[0]!;
  const bad = rows.find((row) => row.fault !== undefined);
  if (bad !== undefined) return { line: bad.line, record: {}, refused: bad.fault! };
  const record = kind.recordOf!(rows.map((row) => row.value)) as Record<string, unknown>;
  return { line, record: Object.fromEntries(Object.entries(record).filter(([field]) => given.has(field))) };
}

/** What a plan would leave out would be another record than the one that a load without a plan writes. */
function refuseUnplanned(name: KindName, kind: Kind, columns: ReadonlyMap<string, number>): void {
  const { keyFields, fields, alsoSaid = [], isList = false } = kindOf(name);
  if (isList) return;
  const planned = new Set(
    [...keyFields, ...fields, ...alsoSaid].map((field) => columnOf(columnOfField[field] ?? field)),
  );
  for (const column of kind.optional)
    if (columns.has(columnOf(column)) && !planned.has(columnOf(column)))
      fail('XD_VALUE_INVALID', `a plan of ${name} does not take the column ${column}; load the file without a plan`, {
        place: 'line 1',
      });
}

/** What a file without a column says nothing of stays as it is. */
function saidBy(name: KindName, columns: ReadonlyMap<string, number>, hasChannel: boolean): ReadonlySet<string> {
  const { keyFields, fields, alsoSaid = [] } = kindOf(name);
  return new Set([
    ...keyFields,
    ...[...fields, ...alsoSaid].filter((field) => columns.has(columnOf(columnOfField[field] ?? field))),
    ...(hasChannel && fields.includes('channel') ? ['channel'] : []),
    // A price says what it is for, also where that is one: it would be the price of as many as the one before was for.
    ...(name === 'prices' || name === 'contract-prices' ? ['pricePer'] : []),
  ]);
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The plan with all its items as one JSON document, a page at a time. */
export async function writePlanFile(opened: Opened, plan: LoadPlan, path: string): Promise<void> {
  const out = createWriteStream(path);
  const write = async (text: string) => {
    if (!out.write(text)) await once(out, 'drain');
  };
  const failed = once(out, 'error').then(([error]) => {
    throw error;
  });
  const work = async () => {
    await write(`${JSON.stringify(plan, null, 2).replace(/\n}$/, '')},\n  "planned": [`);
    let isFirst = true;
    for await (const item of itemsOf(opened, plan)) {
      await write(`${isFirst ? '' : ','}\n    ${JSON.stringify(item)}`);
      isFirst = false;
    }
    await write('\n  ]\n}\n');
    out.end();
    await once(out, 'finish');
  };
  await Promise.race([work(), failed]);
}

export async function* itemsOf(
  { db }: Opened,
  plan: LoadPlan,
  { state, limit = Number.POSITIVE_INFINITY }: { state?: string; limit?: number } = {},
): AsyncGenerator<PlanItem> {
  let left = limit;
  for (let after = 0; left > 0; ) {
    const items = await listPlanItems(db, plan, { after, state: state ?? null, limit: Math.min(500, left), kindOf });
    if (items.length === 0) return;
    yield* items;
    left -= items.length;
    after = items.at(-1)!.itemNo;
  }
}
