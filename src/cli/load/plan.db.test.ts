import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../test/helpers/database.ts';
import { order, SmallHub } from '../../../test/helpers/small-hub.ts';
import { applyPlan, getPlan, type LoadPlan, listPlanItems, undoPlan } from '../../master/index.ts';
import type { Opened } from '../open.ts';
import { type PlanOptions, planLoad, writePlanFile } from './plan.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'crossdock-plan-'));
let hub: SmallHub;
let opened: Opened;
beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url, poolMax: 8 });
  opened = { db: hub.db, directory: hub.directory, close: async () => {} };
});
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;
function fileOf(content: string): string {
  const path = join(folder, `${++files}.csv`);
  writeFileSync(path, content);
  return path;
}
const plan = (kind: Parameters<typeof planLoad>[1], content: string, options: Partial<PlanOptions> = {}) =>
  planLoad(opened, kind, fileOf(content), { by: 'ann', ...options });
const apply = (made: LoadPlan, more = {}) => applyPlan(hub.db, hub.directory, made.planId, { by: 'bob', ...more });
const undo = (made: LoadPlan, more = {}) => undoPlan(hub.db, hub.directory, made.planId, { by: 'eve', ...more });
const items = async (made: LoadPlan) =>
  (await listPlanItems(hub.db, made)).map(({ line, key, action, before, after, state, code }) => ({
    ...{ line, key: Object.values(key).join('/'), action, before, after, state, code },
  }));
const rows = (text: string, values: unknown[] = []) => database.pool.query(text, values).then((result) => result.rows);
const priceOf = async (sku: string) =>
  (await rows('select p.unit_price::text as price from price p join sku using (sku_id) where code = $1', [sku])).map(
    (row) => row.price,
  );

/** Runs the command as a user does. */
// biome-ignore lint/suspicious/noExplicitAny: documents are asserted, not typed
function crossdock(...args: string[]): Promise<{ code: number; json: any; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env }, (error, stdout, stderr) => {
      const json = args.includes('--json') && stdout !== '' ? JSON.parse(stdout) : undefined;
      resolve({ code: error === null ? 0 : Number(error.code), json, stdout, stderr });
    });
  });
}
const main = join(import.meta.dirname, '../main.ts');
let env: NodeJS.ProcessEnv;
beforeAll(() => {
  env = { ...process.env, DATABASE_URL: database.url, NODE_OPTIONS: '', NODE_COMPILE_CACHE: join(folder, 'cache') };
});

describe('a plan', () => {
  test('says field by field what would change, and writes none of it', async () => {
    await hub.seed(['P1', 'P2', 'P3'], ['A1']);
    await rows(`update sku set description = 'a lamp' where code = 'P1'`);
    const before = await rows('select sku_id, code, description, unit, changed_at, updated_at from sku order by code');
    const facts = await rows('select count(*)::int as count from fact');
    const made = await plan(
      'products',
      'sku,description\nP1,a better lamp\nP2,\nP4,new\n,nothing\nP1,said twice\nP3,third\n',
    );
    expect(made).toMatchObject({
      state: 'planned',
      plannedBy: 'ann',
      counts: { rows: 6, added: 1, changed: 2, unchanged: 1, refused: 2 },
      items: { planned: 3, refused: 2 },
      impact: { subjects: { kind: 'sku', count: 2 }, openOrders: { orders: 0, lines: 0 } },
    });
    expect(made.digest).toMatch(/^[0-9a-f]{64}$/);
    const no = { before: null, after: null, state: 'refused' };
    expect(await items(made)).toEqual([
      {
        line: 2,
        key: 'P1',
        action: 'change',
        before: { description: 'a lamp' },
        after: { description: 'a better lamp' },
        state: 'planned',
        code: null,
      },
      {
        line: 4,
        key: 'P4',
        action: 'add',
        before: null,
        after: {
          ...{ description: 'new', unit: 'each', gtin: null, lifecycle: 'active' },
          ...{ weightG: null, lengthMm: null, widthMm: null, heightMm: null },
          ...{ orderMultiple: 1, orderMinimum: 1, orderRounding: 'refuse' },
        },
        state: 'planned',
        code: null,
      },
      { line: 5, key: '', action: 'refuse', ...no, code: 'XD_VALUE_INVALID' },
      { line: 6, key: 'P1', action: 'refuse', ...no, code: 'named_twice' },
      {
        line: 7,
        key: 'P3',
        action: 'change',
        before: { description: '' },
        after: { description: 'third' },
        state: 'planned',
        code: null,
      },
    ]);
    expect(await rows('select sku_id, code, description, unit, changed_at, updated_at from sku order by code')).toEqual(
      before,
    );
    expect(await rows('select count(*)::int as count from fact')).toEqual(facts);
  });

  test('leaves alone what the file has no column for', async () => {
    await hub.seed(['L1'], []);
    await rows(`update sku set description = 'kept' where code = 'L1'`);
    const made = await plan('products', 'sku,gtin\nL1,4006381333931\n');
    expect((await items(made)).map(({ before, after }) => ({ before, after }))).toEqual([
      { before: { gtin: null }, after: { gtin: '04006381333931' } },
    ]);
    await apply(made);
    expect(await rows(`select description from sku where code = 'L1'`)).toEqual([{ description: 'kept' }]);
    // What the writer itself refuses is refused in the plan.
    const other = await plan('products', 'sku,gtin\nL2,4006381333931\nL3,\n');
    expect((await items(other)).map(({ key, action, code }) => [key, action, code])).toEqual([
      ['L2', 'refuse', 'gtin_taken'],
      ['L3', 'add', null],
    ]);
    await undo(made);
    expect(await rows(`select * from product_gtin`)).toEqual([]);
  });

  test('of prices says how far they move, what hangs on them and who would be told', async () => {
    await hub.seed(['M1', 'M2', 'M3', 'M4'], ['A1']);
    await plan('prices', 'sku,unit_price\nM1,10.00\nM2,3.00\nM3,2.50\n').then((made) => apply(made));
    await hub.receive('api', [order('api', 'M-1', [{ sku: 'M1', quantity: 5 }])]);
    const made = await plan('prices', 'sku,unit_price\nM1,11.25\nM2,2.00\nM3,2.5\nM4,1\nNONE,1\nM3,-1\n');
    expect(made.counts).toEqual({ rows: 6, added: 1, changed: 2, unchanged: 1, refused: 2 });
    expect(made.impact).toEqual({
      subjects: { kind: 'sku', count: 3 },
      openOrders: { orders: 1, lines: 1 },
      prices: {
        rise: {
          line: 2,
          key: ['acme', 'M1', 'base', 'GBP', '', '1'],
          before: '10.00',
          after: '11.25',
          percent: '12.50',
        },
        fall: {
          line: 3,
          key: ['acme', 'M2', 'base', 'GBP', '', '1'],
          before: '3.00',
          after: '2.00',
          percent: '-33.33',
        },
        published: 0,
        channels: [
          { channel: 'marketplace', skus: 3 },
          { channel: 'shop', skus: 3 },
        ],
      },
    });
    const codes = (await items(made)).filter(({ action }) => action === 'refuse').map(({ line, code }) => [line, code]);
    expect(codes.sort()).toEqual([
      [6, 'XD_UNKNOWN_SKU'],
      [7, 'XD_VALUE_INVALID'],
    ]);
  });

  test('of a large file finds a record that stands far above, too', async () => {
    const codes = Array.from({ length: 700 }, (_, i) => `F${i}`);
    const made = await plan('products', `sku,description\n${codes.map((sku) => `${sku},a`).join('\n')}\nF3,a\nF4,b\n`);
    expect(made.counts).toEqual({ rows: 702, added: 700, changed: 0, unchanged: 0, refused: 2 });
    const refused = await listPlanItems(hub.db, made, { state: 'refused' });
    expect(refused.map(({ line, key, code, reason }) => [line, key.sku, code, reason])).toEqual([
      [702, 'F3', 'named_twice', 'stands on line 5 already'],
      [703, 'F4', 'named_twice', 'stands on line 6 already'],
    ]);
    expect((await plan('products', `sku,description\nP1,a lamp\n`)).counts).toMatchObject({ unchanged: 1, changed: 0 });
  });

  test('of a file that breaks off is none', async () => {
    await expect(plan('products', 'sku,description\nB1,x\nB2,"never closed\n')).rejects.toThrow(/quote/);
    expect(await rows(`select 1 from load_plan where state = 'planning'`)).toEqual([]);
    expect(
      await rows(`select 1 from load_plan_item i left join load_plan p using (plan_id) where p.plan_id is null`),
    ).toEqual([]);
  });

  test('is for records only: facts have keys of their own', async () => {
    const { code, stderr } = await crossdock('load', 'stock', fileOf('sku,location,quantity\n'), '--plan');
    expect([code, stderr]).toEqual([1, expect.stringContaining('there is no plan for stock')]);
  });
});

describe('applied', () => {
  test('it writes what was planned, and what changed meanwhile stays and is named', async () => {
    await hub.seed(['C1', 'C2', 'C3'], []);
    const made = await plan('products', 'sku,description\nC1,one\nC2,two\nC3,three\nC4,four\nC5,five\n');
    await rows(`update sku set description = 'somebody else' where code = 'C2'`);
    // Another field of it changes: that is no conflict.
    await rows(`insert into product_gtin (gtin, sku) values ('00000000000017', 'C3')`);
    await hub.seed(['C5'], []);
    const done = await apply(made);
    expect(done).toMatchObject({ state: 'applied', appliedBy: 'bob', items: { applied: 3, stale: 2 } });
    expect(
      (await listPlanItems(hub.db, made, { state: 'stale' })).map(({ key, code, reason }) => [key.sku, code, reason]),
    ).toEqual([
      ['C2', 'stale', 'changed since it was planned: description is "somebody else"'],
      ['C5', 'stale', 'it has been added meanwhile'],
    ]);
    expect(await rows(`select code, description from sku where code like 'C_' order by code`)).toEqual([
      { code: 'C1', description: 'one' },
      { code: 'C2', description: 'somebody else' },
      { code: 'C3', description: 'three' },
      { code: 'C4', description: 'four' },
      { code: 'C5', description: '' },
    ]);
    expect(await rows(`select gtin from product_gtin where sku = 'C3'`)).toEqual([{ gtin: '00000000000017' }]);
    // The same again changes nothing.
    await rows(`update sku set description = 'later' where code = 'C1'`);
    expect((await apply(made)).items).toEqual({ applied: 3, stale: 2 });
    expect(await rows(`select description from sku where code = 'C1'`)).toEqual([{ description: 'later' }]);
    expect(
      await apply(
        await plan('products', 'sku,description\nC1,x\n').then(async (other) => {
          await rows(`update sku set description = 'y' where code = 'C1'`);
          return other;
        }),
      ),
    ).toMatchObject({ state: 'stale' });
  });

  test('a price for several units is planned, applied and undone with what it is for', async () => {
    await hub.seed(['PP'], []);
    const per = () =>
      rows(`select unit_price::text as price, price_per as per from price join sku using (sku_id) where code = 'PP'`);
    await apply(await plan('prices', 'sku,unit_price,price_per\nPP,100.00,12\n'));
    expect(await per()).toEqual([{ price: '100.00', per: 12 }]);
    const made = await plan('prices', 'sku,unit_price,price_per\nPP,100.00,10\n');
    expect(made.items).toEqual({ planned: 1 });
    await apply(made);
    expect(await per()).toEqual([{ price: '100.00', per: 10 }]);
    await undo(made);
    expect(await per()).toEqual([{ price: '100.00', per: 12 }]);
    // Without the column the price is for one.
    await apply(await plan('prices', 'sku,unit_price\nPP,9.00\n'));
    expect(await per()).toEqual([{ price: '9.00', per: 1 }]);
  });

  test('by two at once it is applied once', async () => {
    const codes = Array.from({ length: 60 }, (_, i) => `T${i}`);
    await hub.seed(codes, []);
    const made = await plan('prices', `sku,unit_price\n${codes.map((sku, i) => `${sku},${i + 1}.50`).join('\n')}\n`);
    const since = (await rows('select coalesce(max(position), 0) as at from fact'))[0].at;
    let commits = 0;
    hub.db.beforeCommit = () => {
      commits++;
    };
    await Promise.all([1, 2, 3].map(() => apply(made, { itemsPerBatch: 7 })));
    hub.db.beforeCommit = undefined;
    // Each batch is one transaction, whoever comes to it: nobody begins what another one does, and each looks once in vain.
    expect(commits).toBeLessThanOrEqual(Math.ceil(60 / 7) + 3);
    expect((await getPlan(hub.db, made.planId)).items).toEqual({ applied: 60 });
    const told = await rows(
      `select s.value::int as sku from fact, json_array_elements_text(data -> 'skuIds') s where type = 'price.changed' and position > $1`,
      [since],
    );
    expect(told.map((row) => row.sku).sort((a, b) => a - b)).toEqual(
      codes.map((sku) => hub.sku(sku)).sort((a, b) => a - b),
    );
  });

  test('a writer who comes between what is read and what is put waits, and wins afterwards', async () => {
    await hub.seed(['W1'], []);
    const made = await plan('products', 'sku,description\nW1,planned\n');
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let reached: () => void = () => {};
    const atCommit = new Promise<void>((resolve) => {
      reached = resolve;
    });
    hub.db.beforeCommit = async () => {
      reached();
      await held;
    };
    const applying = apply(made);
    await atCommit;
    hub.db.beforeCommit = undefined;
    let isWritten = false;
    const other = rows(`update sku set description = 'by hand' where code = 'W1'`).then(() => {
      isWritten = true;
    });
    const waits = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%by hand%' and datname = current_database()`;
    while ((await rows(waits)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isWritten).toBe(false);
    release();
    expect((await applying).items).toEqual({ applied: 1 });
    await other;
    expect(await rows(`select description from sku where code = 'W1'`)).toEqual([{ description: 'by hand' }]);
  });

  test('an item that the writer refuses by then is left out, and the others are written', async () => {
    await hub.seed(['R1', 'R2', 'R3'], []);
    const made = await plan('products', 'sku,gtin\nR1,4006381333948\nR2,4006381333955\nR3,4006381333962\n');
    expect(made.counts).toMatchObject({ changed: 3 });
    await rows(`insert into product_gtin (gtin, sku) values ('04006381333955', 'OTHER')`);
    expect((await apply(made)).items).toEqual({ applied: 2, refused: 1 });
    expect((await listPlanItems(hub.db, made, { state: 'refused' })).map(({ key, code }) => [key.sku, code])).toEqual([
      ['R2', 'gtin_taken'],
    ]);
    expect(await rows(`select sku from product_gtin where sku like 'R_' order by 1`)).toEqual([
      { sku: 'R1' },
      { sku: 'R3' },
    ]);
  });
});

describe('undone', () => {
  test('it puts back what was there, withdraws what it added, and names what it keeps', async () => {
    await hub.seed(['U1', 'U2'], ['A1']);
    await rows(`update sku set description = 'was ' || code where code in ('U1', 'U2')`);
    const made = await plan('products', 'sku,description\nU1,new one\nU2,new two\nU3,three\nU4,four\nU5,five\n');
    await expect(undo(made)).rejects.toThrow(/is planned: it can't be undone/);
    await apply(made);
    await hub.directory.loadSkus(['U3', 'U4', 'U5']);
    const ids = await rows(`select code, sku_id from sku where code in ('U3', 'U4') order by code`);
    await rows(`update sku set description = 'edited' where code = 'U2'`);
    await hub.receive('api', [order('api', 'U-1', [{ sku: 'U3', quantity: 1 }])]);
    const undone = await undo(made);
    expect(undone).toMatchObject({ state: 'undone', undoneBy: 'eve', items: { undone: 3, kept: 2 } });
    expect(
      (await listPlanItems(hub.db, made, { state: 'kept' })).map(({ key, code, reason }) => [key.sku, code, reason]),
    ).toEqual([
      ['U2', 'stale', 'changed since it was applied: description is "edited"'],
      ['U3', 'in_use', 'named by stock'],
    ]);
    expect(
      await rows(
        `select code, description, withdrawn_at is not null as withdrawn from sku where code like 'U_' order by code`,
      ),
    ).toEqual([
      { code: 'U1', description: 'was U1', withdrawn: false },
      { code: 'U2', description: 'edited', withdrawn: false },
      { code: 'U3', description: 'three', withdrawn: false },
      { code: 'U4', description: 'four', withdrawn: true },
      { code: 'U5', description: 'five', withdrawn: true },
    ]);
    // Nobody finds it any more, also who has met it; put again, it is the one that it was.
    await hub.directory.forgetWithdrawn();
    const refused = await hub.receive('api', [order('api', 'U-2', [{ sku: 'U4', quantity: 1 }])]);
    expect(refused[0]).toMatchObject({ status: 'refused', code: 'XD_UNKNOWN_SKU' });
    await hub.seed(['U4'], []);
    expect(await rows(`select code, sku_id from sku where code in ('U3', 'U4') order by code`)).toEqual(ids);
    // A second time changes nothing; an undone plan is not applied again.
    expect((await undo(made)).items).toEqual({ undone: 3, kept: 2 });
    await expect(apply(made)).rejects.toThrow(/is undone: it can't be applied/);
  });

  test('prices are told again, also those that are gone', async () => {
    await hub.seed(['V1', 'V2'], []);
    await apply(await plan('prices', 'sku,unit_price\nV1,1.00\n'));
    const made = await plan('prices', 'sku,unit_price\nV1,2.00\nV2,3.00\n');
    await apply(made);
    expect([await priceOf('V1'), await priceOf('V2')]).toEqual([['2.00'], ['3.00']]);
    const since = (await rows('select max(position) as at from fact'))[0].at;
    expect((await undo(made)).items).toEqual({ undone: 2 });
    expect([await priceOf('V1'), await priceOf('V2')]).toEqual([['1.00'], []]);
    const told = await rows(
      `select s.value::int as sku from fact, json_array_elements_text(data -> 'skuIds') s where type = 'price.changed' and position > $1 order by 1`,
      [since],
    );
    expect(told.map((row) => row.sku)).toEqual([hub.sku('V1'), hub.sku('V2')]);
  });

  test('accounts and lists of substitutes go the same way', async () => {
    await hub.seed(['S1', 'S2', 'S3'], ['B1']);
    const accounts = await plan('accounts', 'account,name,channel\nB1,Smith,api\nB2,Jones,\nB3,,nowhere\n');
    expect(accounts.counts).toEqual({ rows: 3, added: 1, changed: 1, unchanged: 0, refused: 1 });
    await apply(accounts);
    await undo(accounts);
    expect(
      await rows(
        `select code, name, channel, withdrawn_at is null as there from account where code like 'B_' order by code`,
      ),
    ).toEqual([
      { code: 'B1', name: '', channel: null, there: true },
      { code: 'B2', name: 'Jones', channel: null, there: false },
    ]);
    const lists = await plan('substitutes', 'sku,substitute\nS1,S2\nS1,S3\nS2,S1\nS3,NONE\n');
    expect((await items(lists)).map(({ key, action, after, code }) => [key, action, after, code])).toEqual([
      ['S1', 'add', { substitutes: ['S2', 'S3'] }, null],
      ['S2', 'refuse', null, 'XD_SUBSTITUTE_CYCLE'],
      ['S3', 'refuse', null, 'XD_UNKNOWN_SKU'],
    ]);
    await apply(lists);
    const change = await plan('substitutes', 'sku,substitute\nS1,S3\n');
    await apply(change);
    await undo(change);
    const list = `select rank, o.code from sku_substitute u join sku o on o.sku_id = u.substitute_id order by rank`;
    expect(await rows(list)).toEqual([
      { rank: 1, code: 'S2' },
      { rank: 2, code: 'S3' },
    ]);
    await undo(lists);
    expect(await rows(list)).toEqual([]);
  });
});

describe('on the command line', () => {
  const many = 4_000;
  test('killed in the middle it goes on where it stood, and every price is told once', async () => {
    const codes = Array.from({ length: many }, (_, i) => `K${String(i).padStart(4, '0')}`);
    await hub.seed(codes, []);
    const file = fileOf(`sku,unit_price\n${codes.map((sku) => `${sku},7.00`).join('\n')}\n`);
    const out = join(folder, 'plan.json');
    const planned = await crossdock('load', 'prices', file, '--plan', '--out', out, '--json');
    expect(planned.code).toBe(0);
    const { planId } = planned.json;
    expect(planned.json).toMatchObject({ counts: { rows: many, added: many }, itemsLeftOut: many - 20 });
    const written = JSON.parse(readFileSync(out, 'utf8'));
    expect([written.planId, written.planned.length]).toEqual([planId, many]);
    const since = (await rows('select coalesce(max(position), 0) as at from fact'))[0].at;
    const child = spawn(process.execPath, [main, 'load', '--apply', String(planId)], { env, stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    for (;;) {
      const { items: states } = await getPlan(hub.db, planId);
      if ((states.applied ?? 0) > 0) break;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    child.kill('SIGKILL');
    await ended;
    const half = await getPlan(hub.db, planId);
    expect(half.state).toBe('applying');
    expect(half.items.planned).toBeGreaterThan(0);
    const again = await crossdock('load', '--apply', out, '--json');
    expect([again.code, again.json.state, again.json.items]).toEqual([0, 'applied', { applied: many }]);
    const [told] = await rows(
      `select count(*)::int as told, count(distinct s.value)::int as skus
         from fact, json_array_elements_text(data -> 'skuIds') s where type = 'price.changed' and position > $1`,
      [since],
    );
    expect(told).toEqual({ told: many, skus: many });
    expect((await rows(`select count(*)::int as count from price where unit_price = 7`))[0].count).toBe(many);
  });

  test('a stranger reads what would happen, applies it, takes it back', async () => {
    await hub.seed(['Z1'], []);
    const planned = await crossdock('load', 'products', fileOf('sku,description\nZ1,new name\n,x\n'), '--plan');
    expect(planned.code).toBe(3);
    expect(planned.stdout).toMatch(/2 rows: 0 added, 1 changed, 0 unchanged, 1 refused/);
    expect(planned.stdout).toMatch(/2 +change +Z1 +description +new name +planned/);
    expect(planned.stdout).toMatch(/3 +refuse .*XD_VALUE_INVALID: sku is empty/);
    const planId = /--apply (\d+)/.exec(planned.stdout)![1]!;
    expect(await crossdock('load', '--apply', planId)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/is applied: 1 applied, 1 refused/),
    });
    const shown = await crossdock('load', 'plans', 'show', planId, '--json');
    expect([shown.code, shown.json.state, shown.json.shown.length]).toEqual([0, 'applied', 2]);
    expect(await crossdock('load', '--undo', planId)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/is undone: 1 refused, 1 undone/),
    });
    const listed = await crossdock('load', 'plans', 'ls', '--json');
    expect(listed.json.plans[0]).toMatchObject({
      planId: Number(planId),
      state: 'undone',
      plannedBy: expect.any(String),
    });
    expect((await crossdock('load', '--apply', '999999')).code).toBe(1);
    expect((await crossdock('load', 'products', '--apply', planId)).code).toBe(2);
    expect((await crossdock('load', 'products')).code).toBe(2);
  });
});

test('the whole plan is written as one document, however it is refused', async () => {
  const made = await plan('products', 'sku\nQ1\n\nQ2\n');
  const path = join(folder, 'whole.json');
  await writePlanFile(opened, made, path);
  expect(JSON.parse(readFileSync(path, 'utf8')).planned).toHaveLength(2);
  await expect(writePlanFile(opened, made, join(folder, 'no', 'such', 'folder.json'))).rejects.toThrow(/ENOENT/);
});
