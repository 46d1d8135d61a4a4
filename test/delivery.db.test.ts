/** Facts to destinations that lie, lose, are slow or refuse: each exactly one effect, in order per key, whoever sends. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useDatabase } from './helpers/database.ts';
import type { Fate, MemorySystem } from './helpers/memory-system.ts';
import { orderState, violations } from './helpers/promises.ts';
import { cancel, dueNow, memorySystems, moved, order, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
let systems: ReturnType<typeof memorySystems>;
let hubs: SmallHub[] = [];
let keys = 0;

async function open(options: Partial<Parameters<typeof SmallHub.open>[0]> = {}): Promise<SmallHub> {
  const hub = await SmallHub.open({ url: database.url, connectors: systems, ...options });
  hubs.push(hub);
  await hub.seed(['X']);
  return hub;
}
beforeEach(() => {
  systems = memorySystems();
  hubs = [];
});
afterEach(async () => {
  await hubs[0]?.plan();
  for (const hub of hubs) await hub.close();
  await database.pool.query(`update lease set expires_at = '-infinity'; delete from delivery; delete from publication`);
});

async function submit(hub: SmallHub, quantity = 1): Promise<string> {
  const no = `D${++keys}`;
  await hub.receive('wms', [moved(`m${keys}`, 'X', 'north', quantity)]);
  await hub.receive('api', [order('api', no, [{ sku: 'X', quantity }])]);
  await hub.plan();
  return no;
}

const states = async (kind = 'sales_order'): Promise<string[]> =>
  (
    await database.pool.query(
      'select state::text, attempts, error from delivery where kind = $1 order by delivery_id',
      [kind],
    )
  ).rows.map((row) => `${row.state} ${row.attempts}${row.error === null ? '' : ` ${row.error}`}`);
const due = () => database.pool.query(dueNow());
const erpCount = (no: string) => systems.erp.countOf('sales_order', `api/${no}`);
const round = (hub: SmallHub, code = 'erp') => hub.dispatchers.get(code)!.round();
function once(system: MemorySystem, ...fates: Fate[]): void {
  system.fate = () => fates.shift() ?? 'ok';
}

describe('a system that asks to be left alone', () => {
  it('is left alone: nothing is begun, so no attempt is spent and nothing is in doubt', async () => {
    const hub = await open();
    const no = await submit(hub);
    systems.erp.askedMs = 1_000;
    for (let i = 0; i < 30; i++) {
      await due();
      expect(await round(hub)).toBe(0);
    }
    expect([systems.erp.writes, systems.erp.lookups]).toEqual([0, 0]);
    expect(await states()).toEqual(['n 0']);
    systems.erp.askedMs = 0;
    await round(hub);
    expect(erpCount(no)).toBe(1);
  });

  it('is not told order states either', async () => {
    const hub = await open();
    await submit(hub);
    systems.crm.askedMs = 1_000;
    await hub.publishers.get('crm')!.stateRound();
    expect(systems.crm.writes).toBe(0);
    systems.crm.askedMs = 0;
    await hub.publishers.get('crm')!.stateRound();
    expect(systems.crm.writes).toBe(1);
  });
});

describe('a system that is away', () => {
  it('spends no attempt of what waits for it, however long: deliveries, states and lookups', async () => {
    const hub = await open({ attemptsMax: 3, effectHorizonMs: 1 });
    const no = await submit(hub);
    systems.erp.fate = () => 'away';
    systems.crm.fate = () => 'away';
    for (let i = 0; i < 10; i++) {
      await due();
      await round(hub);
      await hub.publishers.get('crm')!.stateRound();
    }
    expect(await states()).toEqual(['n 0 could not be reached']);
    const { rows } = await database.pool.query(
      `select state::text, attempts from publication join destination using (destination_id) where code = 'crm'`,
    );
    expect(rows).toEqual([{ state: 'n', attempts: 0 }]);
    // It takes it and goes away before it has said so.
    once(systems.erp, 'silent');
    await due();
    await round(hub);
    const { locate } = systems.erp.deliveries.sales_order!;
    systems.erp.deliveries.sales_order!.locate = () => Promise.reject(new Error('could not be reached'));
    for (let i = 0; i < 10; i++) {
      await due();
      await round(hub);
    }
    expect(await states()).toEqual(['d 1 could not be looked up: could not be reached']);
    systems.erp.deliveries.sales_order!.locate = locate;
    await due();
    await round(hub);
    expect(await states()).toEqual(['c 1']);
    expect(erpCount(no)).toBe(1);
  });
});

describe('a delivery', () => {
  it('without an answer is in doubt, is found, and is not sent again', async () => {
    const hub = await open({ effectHorizonMs: 3_600_000 });
    const no = await submit(hub);
    once(systems.erp, 'silent');
    await round(hub);
    expect(await states()).toEqual(['d 1 the connection was cut']);
    expect(await round(hub), 'nothing is done before the effect horizon').toBe(0);
    expect(systems.erp.lookups).toBe(0);
    await due();
    await round(hub);
    expect(await states()).toEqual(['c 1']);
    expect([erpCount(no), systems.erp.writes]).toEqual([1, 1]);
    expect((await orderState(database.pool, 'api', no))[0]).toBe('confirmed');
  });

  it('that is not found after the horizon is sent again, and only then', async () => {
    const hub = await open();
    const no = await submit(hub);
    once(systems.erp, 'lost');
    await round(hub);
    await round(hub);
    expect(await states()).toEqual(['n 1 not found after the effect horizon']);
    await round(hub);
    expect(await states()).toEqual(['c 2']);
    expect([erpCount(no), systems.erp.lookups]).toEqual([1, 1]);
  });

  it('that takes effect late, within the horizon, has one effect', async () => {
    const hub = await open({ effectHorizonMs: 3_600_000 });
    const no = await submit(hub);
    once(systems.erp, 'late');
    await round(hub);
    systems.erp.settleLate();
    await due();
    await round(hub);
    expect([await states(), erpCount(no)]).toEqual([['c 1'], 1]);
  });

  it('that was answered 200 and lost is noticed at once where answers are not believed', async () => {
    systems = memorySystems('read_back');
    const hub = await open();
    const no = await submit(hub);
    once(systems.erp, 'lied');
    await round(hub);
    expect(await states()).toEqual(['d 1 said to be done, but not found']);
    await round(hub);
    await round(hub);
    expect([await states(), erpCount(no)]).toEqual([['c 2'], 1]);
  });

  it('that is refused is parked and blocks its own key only', async () => {
    const hub = await open();
    const first = await submit(hub);
    await hub.receive('api', [cancel('api', first, 1, 1, `C${first}`)]);
    const second = await submit(hub);
    once(systems.erp, 'refused');
    await hub.settle();
    expect(await states()).toEqual(['p 1 409 no', 'c 1']);
    expect(await states('order_cancellation')).toEqual(['n 0']);
    expect([erpCount(first), erpCount(second)]).toEqual([0, 1]);
  });

  it('that fails too often is parked with its last error', async () => {
    const hub = await open({ attemptsMax: 3 });
    await submit(hub);
    systems.erp.fate = () => 'again';
    for (let i = 0; i < 5; i++) {
      await round(hub);
      await due();
    }
    expect(await states()).toEqual(['p 3 3 attempts; the last: 429']);
    expect(systems.erp.writes).toBe(3);
  });

  it('of a poisonous answer is parked alone; its neighbours are confirmed', async () => {
    const hub = await open();
    const orders = [await submit(hub), await submit(hub), await submit(hub)];
    await hub.settle();
    for (const no of orders) await hub.receive('api', [cancel('api', no, 1, 1, `C${no}`)]);
    await hub.plan();
    let n = 0;
    systems.wms.answer = () => ({ lines: [{ lineNo: 1, cancelled: ++n === 2 ? 9 : 1, tooLate: 0 }] });
    await round(hub, 'wms');
    expect(hub.errors).toEqual([]);
    expect((await states('fulfilment_cancel')).map((state) => state[0])).toEqual(['c', 'p', 'c']);
    expect((await states('fulfilment_cancel'))[1]).toContain('over_cancel');
    expect(await Promise.all(orders.map(async (no) => (await orderState(database.pool, 'api', no))[0]))).toEqual([
      'cancelled',
      'released',
      'cancelled',
    ]);
  });

  it('whose outcome could not be written is in doubt, although the lease is still the same', async () => {
    const hub = await open();
    const no = await submit(hub);
    systems.erp.onTheWay = async () => {
      systems.erp.onTheWay = undefined;
      // The hub's next transaction breaks, however often it is tried: the one that would write the outcome.
      hub.db.beforeCommit = () => {
        throw Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
      };
    };
    await round(hub);
    hub.db.beforeCommit = undefined;
    expect(hub.errors.map(String)).toEqual(['Error: Connection terminated unexpectedly']);
    expect(await states()).toEqual(['s 1']);
    await round(hub);
    expect([await states(), erpCount(no), systems.erp.writes]).toEqual([['c 1'], 1, 1]);
  });
});

describe('a sender that is gone', () => {
  it('leaves what it had on its way in doubt: it is looked up before a second send', async () => {
    const first = await open();
    const no = await submit(first);
    let arrived = () => {};
    const sending = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    let wake = () => {};
    const paused = new Promise<void>((resolve) => {
      wake = resolve;
    });
    systems.erp.fate = () => 'ok';
    systems.erp.onTheWay = async () => {
      systems.erp.onTheWay = undefined;
      arrived();
      await paused;
    };
    const late = round(first);
    await sending;
    // Paused before its packet left. Its leases run out, another takes them over under a greater epoch.
    await database.pool.query(`update lease set expires_at = '-infinity'`);
    const second = await open();
    await round(second);
    expect(systems.erp.lookups).toBe(1);
    expect(await states()).toEqual(['n 1 not found after the effect horizon']);
    await round(second);
    expect(await states()).toEqual(['c 2']);
    const { rows: before } = await database.pool.query('select * from delivery order by delivery_id');
    // Now it wakes. Its packet can't be stopped, but what it writes afterwards changes nothing.
    wake();
    await late;
    const { rows: after } = await database.pool.query('select * from delivery order by delivery_id');
    expect(after).toEqual(before);
    expect((await orderState(database.pool, 'api', no))[0]).toBe('confirmed');
    expect(before[0].lease_epoch).toBeGreaterThan(1);
  });
});

describe('a sender that another took over from', () => {
  it('writes no outcome of its own over what the other does not know yet', async () => {
    const first = await open();
    const no = await submit(first);
    const [arrived, paused] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    systems.erp.onTheWay = async () => {
      systems.erp.onTheWay = undefined;
      arrived.resolve();
      await paused.promise;
    };
    const late = round(first);
    await arrived.promise;
    await database.pool.query(`update lease set expires_at = '-infinity'`);
    const second = await open();
    await round(second);
    once(systems.erp, 'silent');
    await round(second);
    const [before] = await states();
    expect(before).toMatch(/^d 2 /);
    // The second's write took effect; what the first is told of its own says nothing of that.
    systems.erp.fate = () => 'refused';
    paused.resolve();
    await late;
    expect(await states()).toEqual([before]);
    systems.erp.fate = () => 'ok';
    await round(second);
    expect([await states(), erpCount(no)]).toEqual([['c 2'], 1]);
  });

  it('begins nothing that the other has under its epoch, though it still believes in its lease', async () => {
    const first = await open();
    await submit(first);
    await database.pool.query(`update lease set expires_at = '-infinity'`);
    const second = await open();
    once(systems.erp, 'again');
    await round(second);
    await due();
    const { writes } = systems.erp;
    await round(first);
    expect(systems.erp.writes).toBe(writes);
    expect((await states())[0]).toMatch(/^n 1/);
    await round(second);
    expect(await states()).toEqual(['c 2']);
  });
});

describe('two processes', () => {
  it('deliver in order per key over retries and doubts, each fact once', async () => {
    let random = 7;
    const next = () => {
      random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
      return random / 2 ** 31;
    };
    const one = await open();
    const two = await open();
    // Both are alive now, so each takes its share.
    await one.leases.beat();
    await two.leases.beat();
    await one.leases.beat();
    await two.leases.beat();
    const orders: string[] = [];
    for (let i = 0; i < 24; i++) orders.push(await submit(one, 3));
    for (const [i, no] of orders.entries())
      for (let part = 1; part <= 3; part++) await one.receive('api', [cancel('api', no, 1, 1, `K${i}-${part}`)]);
    await one.plan();
    systems.erp.fate = () => (['ok', 'ok', 'silent', 'lost', 'again'] as const)[Math.floor(next() * 5)]!;
    for (let i = 0; i < 40; i++) {
      await Promise.all([round(one), round(two)]);
      await due();
    }
    systems.erp.fate = () => 'ok';
    for (let i = 0; i < 8; i++) {
      await Promise.all([round(one), round(two)]);
      await due();
    }
    expect([...one.errors, ...two.errors]).toEqual([]);
    const { rows } = await database.pool.query(
      `select count(*)::int as n, count(*) filter (where state = 'c')::int as done from delivery where destination_id = $1`,
      [one.directory.destinations.get('erp')!.destinationId],
    );
    expect(rows[0]).toEqual({ n: 24 * 4, done: 24 * 4 });
    for (const no of orders) {
      const mine = systems.erp.effects.filter(
        ({ reference, payload }) => reference === `api/${no}` || (payload as { order?: string }).order === `api/${no}`,
      );
      const versions = mine.map(({ kind, reference }) =>
        kind === 'sales_order' ? 1 : Number(reference.split('/')[2]),
      );
      expect(versions).toEqual([...versions].sort((a, b) => a - b));
      expect(new Set(versions).size).toBe(4);
    }
    expect(await violations(database.pool)).toEqual({});
  });
});
