/** A log restored into another cluster: its facts and cursors name transactions that are still to come there. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginEpoch, logLag, readFrom, readNext } from '../src/log/index.ts';
import { checkPromises, pendingWork } from '../src/ops/index.ts';
import { BACKORDER_CONSUMER, followBackorders } from '../src/orders/index.ts';
import { CONSUMER, planNext } from '../src/outbound/index.ts';
import { runDoctor } from '../src/store/doctor.ts';
import { useDatabase } from './helpers/database.ts';
import { orderState } from './helpers/promises.ts';
import { memorySystems, moved, order, routing, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let keys = 0;
const PATIENT = { timeout: 20_000, interval: 1 };
const SLOW = { timeout: 30_000 };

beforeEach(async () => {
  systems = memorySystems();
  hub = await SmallHub.open({ url: database.url, connectors: systems });
  await hub.seed(['X']);
  await hub.receive('wms', [moved(`r${++keys}`, 'X', 'north', 100)]);
});
afterEach(async () => {
  await hub.close();
  await database.pool.query(`update lease set expires_at = '-infinity'`);
});

async function submit(): Promise<string> {
  const no = `O${++keys}`;
  await hub.receive('api', [order('api', no, [{ sku: 'X', quantity: 1 }])]);
  return no;
}
const rows = async (text: string) => (await database.pool.query(text)).rows;
const told = (no: string) => systems.erp.countOf('sales_order', `api/${no}`);
const behind = async () => (await logLag(hub.db, CONSUMER)).behind;
/** What a logical dump brings along: everything as it was, under numbers that this cluster has not given out yet. */
const restore = () =>
  database.pool.query(`
    update fact set transaction_id = (transaction_id::text::bigint + 1000000000)::text::xid8;
    update log_cursor set transaction_id = (transaction_id::text::bigint + 1000000000)::text::xid8 where transaction_id <> '0'`);
const epochFinding = async () =>
  (await runDoctor(database.url)).findings.find((finding) => finding.code === 'store.log_epoch')?.level;

describe('after a restore into another cluster', () => {
  it('the doctor says so, and a reader says so instead of standing still', async () => {
    await submit();
    await hub.plan();
    expect(await epochFinding()).toBe('ok');
    await restore();
    expect(await epochFinding()).toBe('error');
    await expect(planNext({ db: hub.db, directory: hub.directory, routing })).rejects.toMatchObject({
      code: 'XD_LOG_EPOCH',
    });
    await hub.db.transaction(beginEpoch);
    expect(await epochFinding()).toBe('ok');
    await hub.plan();
  });

  it('what was unread is read, in order, then what is new; nothing twice, nothing skipped', async () => {
    const before = await submit();
    await hub.settle();
    const unread = [await submit(), await submit(), await submit()];
    // The last of them began first: it stands before the others although it was recorded after them.
    await database.pool.query(
      `update fact set transaction_id = (select min(transaction_id) from fact where position > (select position from log_cursor where consumer = 'outbound'))
        where position = (select max(position) from fact)`,
    );
    await restore();
    await hub.db.transaction(beginEpoch);
    const after = await submit();
    expect(await behind()).toBeGreaterThanOrEqual(4);
    expect((await pendingWork(hub.db)).behind).toBeGreaterThanOrEqual(4);
    await hub.settle();
    for (const no of [before, ...unread, after]) {
      expect([no, told(no)]).toEqual([no, 1]);
      expect((await orderState(database.pool, 'api', no))[0]).toBe('released');
    }
    expect(await behind()).toBe(0);
    const [cursor] = await rows(`select epoch from log_cursor where consumer = 'outbound'`);
    expect(cursor).toEqual({ epoch: (await rows('select max(epoch) as n from log_epoch'))[0].n });
    expect((await checkPromises(hub.db)).I6.examples).toEqual([]);
  });

  it('a second restore before anybody read changes nothing', async () => {
    const first = await submit();
    await restore();
    await hub.db.transaction(beginEpoch);
    const second = await submit();
    await restore();
    await hub.db.transaction(beginEpoch);
    const third = await submit();
    await hub.settle();
    expect([told(first), told(second), told(third)]).toEqual([1, 1, 1]);
  });

  it('a log that was written to before the epoch was raised keeps old and new apart', async () => {
    const old = await submit();
    await restore();
    const early = await submit();
    await hub.db.transaction(beginEpoch);
    await hub.settle();
    expect([told(old), told(early)]).toEqual([1, 1]);
  });

  // Transactions of other test files may hide the end of the log for a moment: readers come again until they have seen it.
  it('backorders are followed, and a consumer that never read begins with the oldest fact', SLOW, async () => {
    await restore();
    await hub.db.transaction(beginEpoch);
    await submit();
    await expect
      .poll(async () => {
        await followBackorders(hub.db, hub.deps);
        return (await logLag(hub.db, BACKORDER_CONSUMER)).behind;
      }, PATIENT)
      .toBe(0);
    const seen: number[] = [];
    const all = (await rows('select position from fact order by position')).map((row) => row.position);
    await expect
      .poll(async () => {
        const { facts } = await hub.db.transaction((tx) => readNext(tx, 'newcomer', 7));
        seen.push(...facts.map((fact) => fact.position));
        return seen.length;
      }, PATIENT)
      .toBe(all.length);
    expect([...seen].sort((a, b) => a - b)).toEqual(all);
  });

  it('a reader from outside goes on where it was', SLOW, async () => {
    let place = { epoch: 1, transactionId: '0', position: 0 };
    const seen: number[] = [];
    const readAll = async () => {
      const all = (await rows('select position from fact order by position')).map((row) => row.position);
      await expect
        .poll(async () => {
          const page = await readFrom(hub.db, place, 3);
          place = page.place;
          seen.push(...page.facts.map((fact) => fact.position));
          return seen.length;
        }, PATIENT)
        .toBe(all.length);
      expect([...seen].sort((a, b) => a - b)).toEqual(all);
    };
    await submit();
    await readAll();
    await submit();
    await restore();
    // Its id names the transaction as it was called then; what it has read stays read.
    place.transactionId = String(BigInt(place.transactionId) + 1_000_000_000n);
    await hub.db.transaction(beginEpoch);
    await submit();
    await readAll();
  });
});
