/** What is planned where it is also sent from leaves at once: marked in the plan's own commit, sent once, and lost by nobody. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { leaseName } from '../src/outbound/index.ts';
import type { Statement, Tx } from '../src/store/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { cancel, dueNow, memorySystems, moved, order, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
let systems: ReturnType<typeof memorySystems>;
let hubs: SmallHub[] = [];
let n = 0;

beforeEach(() => {
  systems = memorySystems();
  hubs = [];
});
afterEach(async () => {
  for (const hub of hubs) {
    expect(hub.errors).toEqual([]);
    await hub.close();
  }
  await database.pool.query(`update lease set expires_at = '-infinity'; delete from delivery; delete from publication`);
});

async function open(options: Partial<Parameters<typeof SmallHub.open>[0]> = {}): Promise<SmallHub> {
  const hub = await SmallHub.open({ url: database.url, connectors: systems, atOnce: true, ...options });
  hubs.push(hub);
  await hub.seed(['X']);
  return hub;
}
async function submit(hub: SmallHub): Promise<string> {
  const no = `O${++n}`;
  await hub.receive('wms', [moved(`once-${n}`, 'X', 'north', 1)]);
  await hub.receive('api', [order('api', no, [{ sku: 'X', quantity: 1 }])]);
  return no;
}
const states = async (kind = 'sales_order'): Promise<string[]> =>
  (
    await database.pool.query<{ state: string; attempts: number }>(
      'select state::text, attempts from delivery where kind = $1 order by delivery_id',
      [kind],
    )
  ).rows.map((row) => `${row.state} ${row.attempts}`);
const stateOf = async (reference: string): Promise<string | undefined> =>
  (await database.pool.query<{ state: string }>('select state::text from delivery where reference = $1', [reference]))
    .rows[0]?.state;
function gate() {
  let open: () => void = () => {};
  const shut = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), shut };
}
const erpCount = (no: string) => systems.erp.countOf('sales_order', `api/${no}`);

it('needs nobody to look for it: the plan marks it, and it is confirmed with one attempt', async () => {
  const hub = await open();
  const no = await submit(hub);
  await hub.plan();
  await hub.sent();
  expect(erpCount(no)).toBe(1);
  expect(await states()).toEqual(['c 1']);
  // The ERP's answer is the next fact, and its delivery leaves the same way.
  await hub.plan();
  await hub.sent();
  expect(await states('fulfilment')).toEqual(['c 1']);
  expect(await violations(database.pool)).toEqual({});
});

it('is marked before its first byte: whoever looks then sees it on its way, under the lease it leaves by', async () => {
  const hub = await open();
  await submit(hub);
  let seen: unknown;
  systems.erp.beforeFirstByte = async () => {
    seen = (
      await database.pool.query(
        `select state::text, attempts, sent_at is not null as sent, lease_epoch = l.epoch as ours
           from delivery d join lease l on l.name = 'out/erp/' || d.bucket`,
      )
    ).rows;
  };
  await hub.plan();
  await hub.sent();
  expect(seen).toEqual([{ state: 's', attempts: 1, sent: true, ours: true }]);
});

it('waits where an earlier one of its key has not ended, and where two of a key are planned together', async () => {
  const hub = await open();
  systems.erp.fate = () => 'again';
  const no = await submit(hub);
  await hub.receive('api', [cancel('api', no, 1, 1, `C${n}`)]);
  await hub.plan();
  await hub.sent();
  // Both facts were read together: the order left and is to be sent again, its cancellation never left.
  expect(await states()).toEqual(['n 1']);
  expect(await states('order_cancellation')).toEqual(['n 0']);
  const other = await submit(hub);
  await hub.plan();
  await hub.sent();
  await hub.receive('api', [cancel('api', other, 1, 1, `C${n}`)]);
  await hub.plan();
  await hub.sent();
  // Here the order was planned before, and is still open.
  expect(await states('order_cancellation')).toEqual(['n 0', 'n 0']);
  systems.erp.fate = () => 'ok';
  for (let i = 0; i < 6; i++) {
    await database.pool.query(dueNow());
    await hub.dispatchers.get('erp')!.round();
  }
  const told = systems.erp.effects.map(({ kind, reference }) => `${kind} ${reference.split('/').length}`);
  expect(told.filter((one) => one.startsWith('sales_order'))).toHaveLength(2);
  for (const one of [no, other])
    expect(systems.erp.effects.findIndex((effect) => effect.reference === `api/${one}`)).toBeLessThan(
      systems.erp.effects.findIndex(
        (effect) =>
          effect.kind === 'order_cancellation' && (effect.payload as { order: string }).order === `api/${one}`,
      ),
    );
});

it('is not sent by one whose lease went while it was planned; the next looks it up and sends it once', async () => {
  const first = await open();
  const no = await submit(first);
  let second: SmallHub | undefined;
  first.db.beforeCommit = async (client) => {
    // A plan that read nothing yet, because somebody's transaction hides the facts, is not meant.
    if ((await client.query(`select from delivery where state = 's'`)).rowCount === 0) return;
    first.db.beforeCommit = undefined;
    await database.pool.query(`update lease set expires_at = '-infinity'`);
    second = await SmallHub.open({ url: database.url, connectors: systems });
    await first.leases.beat();
  };
  await first.plan();
  await first.sent();
  hubs.push(second!);
  expect([erpCount(no), await states()]).toEqual([0, ['s 1']]);
  for (let i = 0; i < 3; i++) {
    await second!.dispatchers.get('erp')!.round();
    await database.pool.query(dueNow());
  }
  expect([erpCount(no), systems.erp.lookups, await states()]).toEqual([1, 1, ['c 2']]);
});

it('is looked up by the next when its process died between the commit and the first byte', async () => {
  const first = await open();
  const no = await submit(first);
  systems.erp.beforeFirstByte = () => new Promise(() => {});
  await first.plan();
  systems.erp.beforeFirstByte = undefined;
  await database.pool.query(`update lease set expires_at = '-infinity'`);
  const second = await open();
  for (let i = 0; i < 3; i++) {
    await second.dispatchers.get('erp')!.round();
    await database.pool.query(dueNow());
  }
  expect([erpCount(no), systems.erp.lookups, await states()]).toEqual([1, 1, ['c 2']]);
});

it('is given back when it waited too long for a slot, and no attempt is counted', async () => {
  let now = 0;
  const hub = await open({ now: () => now });
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  // Two slots, both taken by writes that hang.
  systems.erp.onTheWay = () => held;
  for (let i = 0; i < 2; i++) {
    await submit(hub);
    await hub.plan();
  }
  const late = await submit(hub);
  await hub.plan();
  now = 5_001;
  release!();
  await hub.sent();
  expect(erpCount(late)).toBe(0);
  expect(await states()).toEqual(['c 1', 'c 1', 'n 0']);
  systems.erp.onTheWay = undefined;
  await hub.dispatchers.get('erp')!.round();
  expect([erpCount(late), await states()]).toEqual([1, ['c 1', 'c 1', 'c 1']]);
});

it('is given back when the process stops before its turn', async () => {
  const hub = await open();
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  systems.erp.onTheWay = () => held;
  for (let i = 0; i < 3; i++) {
    await submit(hub);
    await hub.plan();
  }
  hub.abort();
  release!();
  await hub.sent();
  expect(await states()).toEqual(['c 1', 'c 1', 'n 0']);
});

it('waits for its turn while the system asks to be left alone or puts off what it is asked', async () => {
  let now = 0;
  const hub = await open({ now: () => now });
  systems.erp.askedMs = 1_000;
  await submit(hub);
  await hub.plan();
  await hub.sent();
  expect([systems.erp.writes, await states()]).toEqual([0, ['n 0']]);
  systems.erp.askedMs = 0;
  systems.erp.fate = () => 'away';
  await hub.dispatchers.get('erp')!.round();
  await submit(hub);
  await hub.plan();
  await hub.sent();
  // It put off a whole request: nothing of the kind is tried before its pause is over.
  expect([systems.erp.writes, await states()]).toEqual([1, ['n 0', 'n 0']]);
  systems.erp.fate = () => 'refused';
  now += 60_000;
  await submit(hub);
  await hub.plan();
  await hub.sent();
  expect(await states()).toEqual(['n 0', 'n 0', 'p 1']);
  // A refusal is an answer.
  systems.erp.fate = () => 'ok';
  await submit(hub);
  await hub.plan();
  await hub.sent();
  expect(await states()).toEqual(['n 0', 'n 0', 'p 1', 'c 1']);
});

it('is sent once, also where a step reads it while its batch waits for a neighbour’s order', async () => {
  const hub = await open({ connectors: { erp: systems.erp }, effectHorizonMs: 0 });
  const dispatcher = hub.dispatchers.get('erp')!;
  systems.erp.fate = (_, { reference }) => (reference === 'api/NA' ? 'lost' : 'ok');
  await hub.receive('wms', [moved('once-n', 'X', 'north', 5)]);
  await hub.receive(
    'api',
    ['NA', 'NB'].map((no) => order('api', no, [{ sku: 'X', quantity: 1 }])),
  );
  const kind = systems.erp.deliveries.sales_order!;
  const { locate } = kind;
  const looks: ReturnType<typeof gate>[] = [];
  kind.locate = async (references, signal) => {
    const look = gate();
    const found = await locate(references, signal);
    looks.push(look);
    await look.shut;
    return found;
  };
  // The neighbour's answer can't be written, so the batch of both is under way.
  const other = await database.pool.connect();
  await other.query(`begin; select from sales_order where external_no = 'NB' for update`);
  const query = hub.db.query.bind(hub.db);
  let isFirst = true;
  hub.db.query = (async (statement: Statement, values: unknown[]) => {
    if (statement.name === 'outbound_find_due_deliveries' && isFirst) {
      isFirst = false;
      // The step has noted what is busy, and waits for a connection.
      await hub.plan();
      await expect.poll(() => stateOf('api/NA'), { timeout: 20_000 }).toBe('d');
    }
    return query(statement, values);
  }) as typeof hub.db.query;
  await dispatcher.step();
  await other.query('rollback');
  other.release();
  await expect.poll(() => stateOf('api/NB'), { timeout: 20_000 }).toBe('c');
  await hub.sent();
  // Whoever comes now looks it up, and nobody else.
  const step = dispatcher.step();
  await expect.poll(() => looks.length, { timeout: 20_000 }).toBe(1);
  await step;
  await dispatcher.step();
  looks[0]!.open();
  await expect.poll(() => stateOf('api/NA'), { timeout: 20_000 }).toBe('n');
  systems.erp.fate = () => 'ok';
  await dispatcher.round();
  expect([looks.length, erpCount('NA')]).toEqual([1, 1]);
});

it('is left to be looked up when its commit was known too late: by then it may be taken for lost', async () => {
  let now = 0;
  const hub = await open({ now: () => now });
  const no = await submit(hub);
  const dispatcher = hub.dispatchers.get('erp')!;
  const transaction = hub.db.transaction.bind(hub.db);
  let isDone = false;
  hub.db.transaction = (async (work: (tx: Tx) => Promise<unknown>) => {
    const result = await transaction(work);
    if (!isDone && (await stateOf(`api/${no}`)) === 's') {
      isDone = true;
      // Locks were waited for in the plan, then the answer to COMMIT: half a minute since the row was marked.
      now += 31_000;
      await database.pool.query(`update delivery set sent_at = sent_at - interval '31 seconds'`);
      for (let i = 0; i < 3; i++) {
        await dispatcher.round();
        await database.pool.query(dueNow());
      }
    }
    return result;
  }) as typeof hub.db.transaction;
  await hub.plan();
  await hub.sent();
  expect([isDone, erpCount(no), systems.erp.lookups]).toEqual([true, 1, 1]);
});

it('is not given back when its commit was known too late and it left meanwhile: it is there, and only its answer is not', async () => {
  let now = 0;
  const hub = await open({ now: () => now, effectHorizonMs: 0 });
  const no = await submit(hub);
  const dispatcher = hub.dispatchers.get('erp')!;
  systems.erp.fate = () => 'silent';
  const transaction = hub.db.transaction.bind(hub.db);
  let isDone = false;
  hub.db.transaction = (async (work: (tx: Tx) => Promise<unknown>) => {
    const result = await transaction(work);
    if (!isDone && (await stateOf(`api/${no}`)) === 's') {
      isDone = true;
      now += 31_000;
      await database.pool.query(`update delivery set sent_at = sent_at - interval '31 seconds'`);
      // Taken for lost, looked up and not found, sent: the ERP has it and says nothing.
      for (let i = 0; i < 5 && erpCount(no) === 0; i++) {
        await dispatcher.round();
        await database.pool.query(dueNow());
      }
      expect([erpCount(no), await stateOf(`api/${no}`)]).toEqual([1, 'd']);
    }
    return result;
  }) as typeof hub.db.transaction;
  await hub.plan();
  await hub.sent();
  expect([isDone, await stateOf(`api/${no}`)]).toEqual([true, 'd']);
  systems.erp.fate = () => 'ok';
  for (let i = 0; i < 3; i++) {
    await database.pool.query(dueNow());
    await dispatcher.round();
  }
  expect([erpCount(no), await stateOf(`api/${no}`)]).toEqual([1, 'c']);
});

it('leaves only from where its bucket is held', async () => {
  // Two processes share the ERP's buckets.
  const one = await open({ connectors: { erp: systems.erp } });
  const two = await open({ connectors: { erp: systems.erp } });
  const names = Array.from({ length: 8 }, (_, bucket) => leaseName('erp', bucket));
  await one.leases.beat();
  await two.leases.beat();
  const held = (hub: SmallHub) => names.map((name) => hub.leases.epoch(name) !== undefined);
  expect([held(one), held(two)].map((all) => all.filter(Boolean).length)).toEqual([4, 4]);
  for (let i = 0; i < 8; i++) await submit(one);
  await one.plan();
  await one.sent();
  const { rows } = await database.pool.query<{ bucket: number; state: string }>(
    `select distinct bucket, state::text as state from delivery where kind = 'sales_order' order by bucket`,
  );
  expect(rows.map(({ state }) => state)).toEqual(held(one).map((mine) => (mine ? 'c' : 'n')));
  await two.dispatchers.get('erp')!.round();
  expect(await states()).toEqual(Array.from({ length: 8 }, () => 'c 1'));
});
