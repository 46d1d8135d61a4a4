/** Decided anew: who gains and who loses is shown first, is what happens then, and promises no unit twice. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { supplyItem } from '../src/connectors/kit/index.ts';
import { logLag } from '../src/log/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import {
  applyRerun,
  followReruns,
  planRerun,
  processOrders,
  putQuotas,
  RERUN_CONSUMER,
  readLeftOut,
} from '../src/orders/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { cancel, memorySystems, moved, order, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const estate = smallEstate({
  far: { company: 'acme', sells: 'asks', locations: ['north', 'south'], horizonDays: 30 },
  halved: { company: 'acme', sells: 'asks', locations: ['south'], share: 0.5 },
  capless: { company: 'acme', sells: 'asks', locations: ['south', 'north'], horizonDays: 30 },
  capped: { company: 'acme', sells: 'asks', locations: ['north'], horizonDays: 30, cap: 5 },
});
const classes = { WIN: 'win', GAIN: 'gain', MID: 'redistribute', FILL: 'fill', LOSE: 'lose' };
let hub: SmallHub;
let other: SmallHub;
let n = 0;
let sku = '';

beforeEach(async () => {
  sku = `R${++n}`;
  const { erp, wms } = memorySystems();
  hub = await SmallHub.open({ url: database.url, estate, connectors: { erp, wms } });
  other = await SmallHub.open({ url: database.url, estate });
  await hub.seed([sku], Object.keys(classes));
  await other.seed([sku], Object.keys(classes));
  for (const [code, priority] of Object.entries(classes))
    await database.pool.query('update account set priority_class = $2 where code = $1', [code, priority]);
});
afterEach(async () => {
  expect(hub.errors).toEqual([]);
  expect(await violations(database.pool)).toEqual({});
  const broken = Object.entries(await checkPromises(hub.db)).filter(([, { holds }]) => !holds);
  expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  await hub.leases.stop();
  await hub.close();
  await other.close();
});

const ask = async (account: string, quantity: number, channel = 'far') => {
  const no = `${sku}-${account}`;
  const [result] = await hub.receive('api', [order(channel, no, [{ sku, quantity }], { account })]);
  return (result as { orderId: number }).orderId;
};
let announcements = 0;
const announce = (supply: string, quantity: number, days: number) =>
  hub.receive('erp', [
    {
      ...supplyItem('erp', {
        ...{ kind: 'supply.announced', supply: `${sku}-${supply}`, sku, location: 'north', quantity },
        dueAt: new Date(Date.now() + days * 86_400_000).toISOString(),
        announcedAt: new Date(Date.now() + ++announcements * 1_000).toISOString(),
      }),
      itemNo: 0,
    },
  ]);
const plan = () => planRerun(hub.db, hub.deps, [hub.sku(sku)]);
const rerun = async () => applyRerun(hub.db, hub.deps, await plan());
/** `account: allocated + promised of supply`, by account. */
const holds = async () =>
  (
    await database.pool.query(
      `select c.code, l.allocated, coalesce(s.quantity, 0) as promised
         from order_line l join sales_order o using (order_id) join account c using (account_id) join sku k using (sku_id)
         left join (select order_id, line_no, sum(quantity) as quantity from supply_commitment group by 1, 2) s using (order_id, line_no)
        where k.code = $1 order by o.order_id`,
      [sku],
    )
  ).rows.map((row) => `${row.code}: ${row.allocated} + ${row.promised}`);

it('new supply goes to who wins before who came first; who loses what is told before', async () => {
  await announce('PO1', 10, 5);
  await ask('MID', 6);
  await ask('LOSE', 4);
  await ask('WIN', 8);
  expect(await holds()).toEqual(['MID: 0 + 6', 'LOSE: 0 + 4', 'WIN: 0 + 0']);
  const preview = await plan();
  expect(preview).toMatchObject({ lines: 3, skus: 1 });
  expect(
    preview.changes.map(({ externalNo, verdict, after }) => [externalNo, verdict, after.map((part) => part.quantity)]),
  ).toEqual([
    [`${sku}-MID`, 'loses', [2]],
    [`${sku}-LOSE`, 'loses', []],
    [`${sku}-WIN`, 'gains', [8]],
  ]);
  expect(await holds()).toEqual(['MID: 0 + 6', 'LOSE: 0 + 4', 'WIN: 0 + 0']);
  expect(await applyRerun(hub.db, hub.deps, preview)).toEqual({ applied: 3, stale: 0 });
  expect(await holds()).toEqual(['MID: 0 + 2', 'LOSE: 0 + 0', 'WIN: 0 + 8']);
  expect((await plan()).changes).toEqual([]);
  await announce('PO2', 20, 9);
  await rerun();
  expect(await holds()).toEqual(['MID: 0 + 6', 'LOSE: 0 + 4', 'WIN: 0 + 8']);
});

it('what has come is given to who waits, dearest class first, and the WMS is asked for it', async () => {
  const lost = await ask('MID', 5);
  const won = await ask('WIN', 4);
  await hub.settle();
  await hub.receive('wms', [moved(`${sku}r`, sku, 'north', 6)]);
  await rerun();
  expect(await holds()).toEqual(['MID: 2 + 0', 'WIN: 4 + 0']);
  await hub.settle();
  const { rows } = await database.pool.query(
    'select order_id, state from fulfilment where order_id = any($1) order by order_id',
    [[lost, won]],
  );
  expect(rows).toEqual([
    { order_id: lost, state: 'released' },
    { order_id: won, state: 'released' },
  ]);
});

it('what the WMS was not asked for may go to another, what it was asked for stays', async () => {
  await hub.receive('wms', [moved(`${sku}r`, sku, 'north', 6)]);
  await ask('MID', 6);
  const won = await ask('WIN', 4);
  expect((await plan()).changes.map(({ verdict }) => verdict)).toEqual(['loses', 'gains']);
  await hub.settle();
  expect((await plan()).changes).toEqual([]);
  await hub.receive('shop', [cancel('far', `${sku}-WIN`, 1, 1, `${sku}c`, sku)]);
  expect((await database.pool.query('select backordered from order_line where order_id = $1', [won])).rows).toEqual([
    { backordered: 3 },
  ]);
});

it('gain keeps, fill gets no more, lost goods are missed by the lowest first', async () => {
  await hub.receive('wms', [moved(`${sku}r`, sku, 'north', 9)]);
  await ask('GAIN', 3);
  await ask('FILL', 3);
  await ask('LOSE', 3);
  // A pallet is gone before anybody was asked to pick.
  await hub.receive('wms', [moved(`${sku}l`, sku, 'north', -4)]);
  const preview = await plan();
  expect(preview.changes.map(({ externalNo, verdict }) => [externalNo, verdict])).toEqual([
    [`${sku}-FILL`, 'loses'],
    [`${sku}-LOSE`, 'loses'],
  ]);
  await applyRerun(hub.db, hub.deps, preview);
  expect(await holds()).toEqual(['GAIN: 3 + 0', 'FILL: 2 + 0', 'LOSE: 0 + 0']);
  await hub.receive('wms', [moved(`${sku}x`, sku, 'north', 9)]);
  await rerun();
  expect(await holds()).toEqual(['GAIN: 3 + 0', 'FILL: 2 + 0', 'LOSE: 3 + 0']);
});

it('two at once, or an order that changed meanwhile, give nothing twice', async () => {
  await announce('PO1', 10, 5);
  await ask('MID', 10);
  await ask('WIN', 6);
  const decided = await plan();
  const results = await Promise.all([applyRerun(hub.db, hub.deps, decided), applyRerun(other.db, other.deps, decided)]);
  expect(results.reduce((sum, { applied }) => sum + applied, 0)).toBeGreaterThanOrEqual(2);
  expect(await holds()).toEqual(['MID: 0 + 4', 'WIN: 0 + 6']);
  await announce('PO1', 12, 5);
  const old = await plan();
  await hub.receive('shop', [cancel('far', `${sku}-MID`, 1, 9, `${sku}c`, sku)]);
  expect(await applyRerun(hub.db, hub.deps, old)).toEqual({ applied: 0, stale: 1 });
});

it('two at once promise no unit of dated supply twice to a line that only gains', async () => {
  await ask('MID', 4);
  await announce('PO1', 20, 5);
  const decided = await plan();
  const results = await Promise.all([applyRerun(hub.db, hub.deps, decided), applyRerun(other.db, other.deps, decided)]);
  expect(results.map(({ applied, stale }) => [applied, stale]).sort()).toEqual([
    [0, 1],
    [1, 0],
  ]);
  expect(await holds()).toEqual(['MID: 0 + 4']);
});

it('an order of which one line has changed meanwhile gives up nothing of another', async () => {
  const second = `${sku}B`;
  await hub.seed([second]);
  await announce('PO1', 5, 9);
  const lines = [sku, second].map((of) => ({ sku: of, quantity: 5 }));
  await hub.receive('api', [order('far', `${sku}-TWO`, lines, { account: 'MID' })]);
  await announce('PO2', 5, 5);
  await hub.receive('wms', [moved(`${sku}r`, second, 'north', 2)]);
  const decided = await planRerun(hub.db, hub.deps, [hub.sku(sku), hub.sku(second)]);
  expect(decided.changes.map(({ verdict }) => verdict)).toEqual(['gains', 'gains']);
  await hub.backorders([second]);
  expect(await applyRerun(hub.db, hub.deps, decided)).toEqual({ applied: 0, stale: 1 });
  expect(await holds()).toEqual(['MID: 0 + 5']);
  await rerun();
  expect(await holds()).toEqual(['MID: 0 + 5']);
  expect((await plan()).changes).toEqual([]);
});

it('keeps orders on hold out of it, and counts what it leaves as it is', async () => {
  await announce('PO1', 4, 5);
  await hub.receive('wms', [moved(`${sku}r`, sku, 'north', 3)]);
  const held = await ask('MID', 4);
  await ask('LOSE', 2);
  await ask('WIN', 4);
  await hub.db.inTurn(async (tx) => {
    const hold = { kind: 'manual' as const, reason: 'asked', detail: '' };
    const command = { kind: 'hold' as const, hold, dueAt: null, by: 'eve' };
    const works = [{ reference: { orderId: held }, command, occurredAt: new Date().toISOString() }];
    await (await processOrders(tx, hub.deps, works)).finish();
  });
  expect((await plan()).changes.map(({ externalNo }) => externalNo)).toEqual([`${sku}-LOSE`, `${sku}-WIN`]);
  expect(await readLeftOut(hub.db, hub.deps, [hub.sku(sku)])).toEqual({ onHold: 1, atWms: 0, soldByItself: 0 });
});

it('gives orders of limited channels what they would get if they came now, and takes nothing that their limits alone would not give', async () => {
  await announce('PO1', 4, 5);
  await ask('MID', 4, 'capped');
  await ask('WIN', 4);
  await rerun();
  expect(await holds()).toEqual(['MID: 0 + 0', 'WIN: 0 + 4']);
  await announce('PO2', 20, 9);
  await ask('LOSE', 9, 'capped');
  await rerun();
  expect(await holds()).toEqual(['MID: 0 + 4', 'WIN: 0 + 4', 'LOSE: 0 + 5']);
});

it('leaves orders of a channel with a share what they have, and gives them their share of what comes', async () => {
  await hub.receive('wms', [moved(`${sku}r`, sku, 'south', 4)]);
  await ask('GAIN', 9, 'halved');
  await ask('FILL', 1, 'halved');
  await rerun();
  expect(await holds()).toEqual(['GAIN: 2 + 0', 'FILL: 1 + 0']);
  await hub.receive('wms', [moved(`${sku}s`, sku, 'south', 2)]);
  await rerun();
  // Of 6 that are there, its own, or of those behind it, half.
  expect(await holds()).toEqual(['GAIN: 3 + 0', 'FILL: 1 + 0']);
  expect((await plan()).changes).toEqual([]);
});

it('keeps within quotas: nobody gets what is kept for others, whatever the class', async () => {
  await announce('PO1', 10, 5);
  await ask('LOSE', 6, 'capless');
  await ask('WIN', 9);
  const quota = (channel: string, rest: object) =>
    putQuotas(
      hub.db,
      hub.deps,
      [{ sku, channel, from: '2020-01-01T00:00:00Z', to: '2099-01-01T00:00:00Z', ...rest }],
      'eve',
    );
  await quota('capless', { ringFenced: 4 });
  await quota('far', { cap: 8 });
  expect(await holds()).toEqual(['LOSE: 0 + 6', 'WIN: 0 + 4']);
  await rerun();
  expect(await holds()).toEqual(['LOSE: 0 + 4', 'WIN: 0 + 6']);
  await announce('PO2', 10, 9);
  await rerun();
  expect(await holds()).toEqual(['LOSE: 0 + 6', 'WIN: 0 + 8']);
  expect((await plan()).changes).toEqual([]);
});

const SEED = Number(process.env.SEED ?? 7);
it(`shows before what happens then, whatever there is, also when two do it at once (seed ${SEED})`, {
  timeout: 300_000,
}, async () => {
  let state = SEED;
  const below = (most: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * most);
  };
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const accounts = Object.keys(classes);
  const channels = ['far', 'capped', 'halved', 'capless', 'api'];
  let changes = 0;
  for (let round = 0; round < 18; round++) {
    const of = `${sku}X${round}`;
    await hub.seed([of], accounts);
    const on = async (kind: 'stock' | 'supply', quantity: number) => {
      const location = pick(['north', 'south']);
      if (kind === 'stock') return hub.receive('wms', [moved(`${of}-${++n}`, of, location, quantity)]);
      const command = {
        ...{ kind: 'supply.announced' as const, supply: `${of}-${++n}`, sku: of, location, quantity },
        dueAt: new Date(Date.now() + (1 + below(20)) * 86_400_000).toISOString(),
        announcedAt: new Date().toISOString(),
      };
      return hub.receive('erp', [{ ...supplyItem('erp', command), itemNo: 0 }]);
    };
    const submit = () =>
      hub.receive('api', [
        order(pick(channels), `${of}-${++n}`, [{ sku: of, quantity: 1 + below(9) }], { account: pick(accounts) }),
      ]);
    for (let i = 0; i < 2; i++) await on('stock', 1 + below(12));
    await on('supply', 1 + below(12));
    for (let i = 0; i < 4; i++) await submit();
    if (round % 3 > 0) {
      const period = { sku: of, from: '2020-01-01T00:00:00Z', to: '2099-01-01T00:00:00Z' };
      const quota = (channel: string) => {
        const ringFenced = below(8);
        return {
          ...{ ...period, channel, ringFenced, borrow: below(2) === 0, lend: below(2) === 0 },
          cap: below(2) === 0 ? null : ringFenced + below(10),
        };
      };
      await putQuotas(hub.db, hub.deps, channels.filter(() => below(2) === 0).map(quota), 'eve');
    }
    for (let i = 0; i < 3; i++) await submit();
    await on('supply', 1 + below(12));
    await on('stock', 1 + below(6));
    const decided = await planRerun(hub.db, hub.deps, [hub.sku(of)], pick(['all', 'all', 'free']));
    changes += decided.changes.length;
    const readHeld = async () =>
      new Map(
        (
          await database.pool.query(
            `select l.order_id, l.allocated::int as allocated, coalesce(sum(c.quantity), 0)::int as promised
               from order_line l left join supply_commitment c using (order_id, line_no) where l.sku_id = $1 group by l.order_id, l.allocated`,
            [hub.sku(of)],
          )
        ).rows.map((row) => [Number(row.order_id), [row.allocated, row.promised]]),
      );
    const expected = await readHeld();
    const sum = (parts: readonly { quantity: number; supplyId: number | null }[], isSupply: boolean) =>
      parts.reduce((all, part) => all + ((part.supplyId !== null) === isSupply ? part.quantity : 0), 0);
    for (const { orderId, before, after } of decided.changes) {
      const has = expected.get(orderId)!;
      expected.set(
        orderId,
        [false, true].map((isSupply, k) => has[k] + sum(after, isSupply) - sum(before, isSupply)),
      );
    }
    await Promise.all([
      applyRerun(hub.db, hub.deps, decided),
      ...(round % 2 === 0 ? [applyRerun(other.db, other.deps, decided)] : []),
    ]);
    expect([round, ...(await readHeld())]).toEqual([round, ...expected]);
  }
  expect(changes).toBeGreaterThan(10);
});

it('of its own accord gives what nobody has to the dearest class that waits, and takes from nobody', async () => {
  await hub.receive('wms', [moved(`${sku}r`, sku, 'north', 4)]);
  await announce('PO1', 6, 5);
  await ask('LOSE', 10);
  await ask('MID', 3);
  await ask('WIN', 4);
  expect(await holds()).toEqual(['LOSE: 4 + 6', 'MID: 0 + 0', 'WIN: 0 + 0']);
  const free = () => planRerun(hub.db, hub.deps, [hub.sku(sku)], 'free');
  expect((await free()).changes).toEqual([]);
  // A pallet is lost: who has it keeps it until somebody decides.
  await hub.receive('wms', [moved(`${sku}l`, sku, 'north', -2)]);
  expect((await free()).changes).toEqual([]);
  await announce('PO2', 5, 9);
  expect((await free()).changes.map(({ externalNo, priority, verdict }) => [externalNo, priority, verdict])).toEqual([
    [`${sku}-WIN`, 'win', 'gains'],
    [`${sku}-MID`, 'redistribute', 'gains'],
  ]);
  await applyRerun(hub.db, hub.deps, await free());
  expect(await holds()).toEqual(['LOSE: 4 + 6', 'MID: 0 + 1', 'WIN: 0 + 4']);
  await hub.receive('wms', [moved(`${sku}b`, sku, 'north', 2)]);
});

it('what is freed goes to the dearest class that waits, then to who came first', async () => {
  await ask('LOSE', 3, 'api');
  await ask('MID', 3, 'api');
  await ask('WIN', 3, 'api');
  await hub.receive('wms', [moved(`${sku}r`, sku, 'north', 5)]);
  await hub.backorders([sku]);
  expect(await holds()).toEqual(['LOSE: 0 + 0', 'MID: 2 + 0', 'WIN: 3 + 0']);
});

it('follows the log: new supply and a cancel are decided anew without anybody asking, once by two that follow', async () => {
  await followReruns(hub.db, hub.deps);
  await announce('PO1', 6, 5);
  await ask('MID', 6);
  await ask('WIN', 4);
  const follow = async () => {
    // Other files' transactions hold readers back, on a busy machine for seconds.
    for (let i = 0; i < 600; i++) {
      await Promise.all([followReruns(hub.db, hub.deps), followReruns(other.db, other.deps)]);
      if ((await logLag(hub.db, RERUN_CONSUMER)).behind === 0) return;
      await pause(25);
    }
    throw new Error('the log was not read to its end');
  };
  await follow();
  expect(await holds()).toEqual(['MID: 0 + 2', 'WIN: 0 + 4']);
  await hub.receive('shop', [cancel('far', `${sku}-WIN`, 1, 3, `${sku}c`, sku)]);
  await follow();
  expect(await holds()).toEqual(['MID: 0 + 5', 'WIN: 0 + 1']);
});
