/**
 * A plan of 100,000 prices, made and applied, against the load of the same file without a plan; and how much memory a plan of 100,000
 * rows takes beyond one of 10,000. Nothing else runs meanwhile.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { planLoad } from '../src/cli/load/plan.ts';
import { kindOf } from '../src/cli/load/plan-kinds.ts';
import { load } from '../src/cli/load/run.ts';
import { applyPlan, Directory, type LoadPlan, undoPlan } from '../src/master/index.ts';
import { Database } from '../src/store/index.ts';
import { type BenchResult, type CaseResult, describeMachine, expect, measureCase, type Rounds } from './lib/measure.ts';
import { openSetting } from './lib/setting.ts';

const ROWS = 100_000;
const FEW = 10_000;

export async function run(rounds: Rounds): Promise<BenchResult> {
  const setting = await openSetting();
  const folder = await mkdtemp(join(tmpdir(), 'xd-plan-'));
  const db = new Database({ url: setting.url });
  try {
    const directory = await Directory.open(db, {
      companies: { ACME: { currency: 'GBP', timeZone: 'Europe/London' } },
      ...{ locations: {}, systems: {}, channels: {} },
    });
    const opened = { db, directory, close: async () => {} };
    await setting.rows(
      `insert into sku (code, description) select 'P' || n, 'product ' || n from generate_series(1, $1::int) as n`,
      [ROWS],
    );
    let pence = 100;
    /** Each row changes a price: no two files say the same. */
    const file = async (rows = ROWS) => {
      pence++;
      const path = join(folder, 'prices.csv');
      const price = `${Math.floor(pence / 100)}.${String(pence % 100).padStart(2, '0')}`;
      await writeFile(
        path,
        `sku,unit_price\n${Array.from({ length: rows }, (_, i) => `P${i + 1},${price}\n`).join('')}`,
      );
      return path;
    };
    const timed = async (work: () => Promise<unknown>, rows = ROWS) => {
      const started = performance.now();
      await work();
      return rows / ((performance.now() - started) / 1_000);
    };
    const plan = async (path: string, rows = ROWS, isNew = false) => {
      const made = await planLoad(opened, 'prices', path, { by: 'bench' });
      expect(isNew ? made.counts.added : made.counts.changed, rows, 'planned');
      return made;
    };
    const loadAll = async () => {
      const path = await file();
      return timed(async () => expect((await load(opened, 'prices', path, { restart: true })).applied, ROWS, 'loaded'));
    };
    const between = async () => {
      await setting.rows('delete from load_plan');
      await setting.admin.query('vacuum analyze');
    };
    const first = await file();
    rounds.say('first plan, all new');
    const added = await plan(first, ROWS, true);
    const addedAt = await timed(() => applyPlan(db, directory, added.planId, { by: 'bench', kindOf }));
    await between();
    let planned: LoadPlan | undefined;
    const cases: CaseResult[] = [
      await measureCase(
        {
          ...{ case: 'plan-prices-100000', unit: 'rows/s', atLeast: 0.25, between, baseline: loadAll },
          product: async () => {
            const path = await file();
            return timed(async () => {
              planned = await plan(path);
            });
          },
        },
        rounds,
      ),
      await measureCase(
        {
          ...{ case: 'apply-prices-100000', unit: 'rows/s', atLeast: 0.4, between, baseline: loadAll },
          product: async () => {
            planned = await plan(await file());
            return timed(async () => {
              const done = await applyPlan(db, directory, planned!.planId, { by: 'bench', kindOf });
              expect(done.items.applied, ROWS, 'applied');
            });
          },
        },
        rounds,
      ),
    ];
    planned = await plan(await file());
    await applyPlan(db, directory, planned.planId, { by: 'bench', kindOf });
    const undoAt = await timed(() => undoPlan(db, directory, planned!.planId, { by: 'bench', kindOf }));
    const memory: Record<string, number> = {};
    for (const rows of [FEW, ROWS, FEW, ROWS]) {
      const path = await file(rows);
      memory[`plan${rows}`] = Math.min(
        memory[`plan${rows}`] ?? Number.POSITIVE_INFINITY,
        await grownMb(() => plan(path, rows)),
      );
    }
    return {
      name: 'plan',
      machine: await describeMachine(setting),
      cases,
      figures: {
        rows: ROWS,
        applyNewRowsPerSecond: Math.round(addedAt),
        undoRowsPerSecond: Math.round(undoAt),
        heapGrownMb: memory,
      },
    };
  } finally {
    await db.end();
    await rm(folder, { recursive: true, force: true });
    await setting.close();
  }
}

/** By how much what the heap holds once its rubbish is gone grew at most while it ran, looked at four times a second. */
async function grownMb(work: () => Promise<unknown>): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = held();
  let most = before;
  const look = setInterval(() => {
    most = Math.max(most, held());
  }, 250);
  try {
    await work();
  } finally {
    clearInterval(look);
  }
  return Math.round(((most - before) / 1_048_576) * 10) / 10;
}
