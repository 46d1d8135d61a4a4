import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { violations } from '../../test/helpers/promises.ts';
import { cancel, moved, order, SmallHub } from '../../test/helpers/small-hub.ts';
import { fingerprint } from '../canonical/index.ts';
import { resolveParked } from './index.ts';

const database = useDatabase();
let hub: SmallHub;
const PATIENT = { timeout: 20_000 };
beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url });
  await hub.seed(['X']);
});
afterAll(() => hub.close());

describe('a repeat is counted at its key', () => {
  const repeats = async () =>
    Object.fromEntries(
      (await database.pool.query('select key, repeats from inbound order by key')).rows.map((r) => [r.key, r.repeats]),
    );

  it('within the message that brings the key, in another message of its batch, and later', async () => {
    const once = moved('once', 'X', 'north', 1);
    const thrice = moved('thrice', 'X', 'north', 1);
    await hub.receive('wms', [thrice, once, thrice, thrice]);
    expect(await repeats()).toEqual({ once: 0, thrice: 2 });
    await Promise.all([hub.receive('wms', [thrice]), hub.receive('wms', [thrice, thrice]), hub.receive('wms', [once])]);
    expect(await repeats()).toEqual({ once: 1, thrice: 5 });
  });

  it('also with other content, which is set aside', async () => {
    await hub.receive('shop', [order('shop', 'S1', [{ sku: 'X', quantity: 1 }])]);
    const other = order('shop', 'S1', [{ sku: 'X', quantity: 2 }]);
    const same = order('shop', 'S1', [{ sku: 'X', quantity: 1 }]);
    const results = await hub.receive('shop', [other, order('shop', 'S2', [{ sku: 'X', quantity: 1 }]), same]);
    expect(results.map((result) => result.status)).toEqual(['parked', 'applied', 'duplicate']);
    expect(await repeats()).toMatchObject({ S1: 2, S2: 0 });
    expect(await violations(database.pool)).toEqual({});
  });
});

describe('other content under a known key is set aside', () => {
  const reread = (body: Buffer) => JSON.parse(body.toString()) as ReturnType<typeof order>[];
  const send = (items: ReturnType<typeof order>[], more: object = { reread }) =>
    hub.receive('shop', items, { body: Buffer.from(JSON.stringify(items)), ...more });
  const parkedAs = async (key: string) =>
    (
      await database.pool.query(
        `select place, reason from parked_record where key = $1 and class = 'key_conflict' order by parked_id`,
        [key],
      )
    ).rows;

  it('with the field that differs, and both values', async () => {
    await send([order('shop', 'D0', [{ sku: 'X', quantity: 3 }]), order('shop', 'D1', [{ sku: 'X', quantity: 3 }])]);
    const other = order('shop', 'D1', [{ sku: 'X', quantity: 4 }]);
    const longer = order('shop', 'D1', [
      { sku: 'X', quantity: 3 },
      { sku: 'X', quantity: 1 },
    ]);
    expect(await send([other, longer])).toMatchObject([
      { status: 'parked', difference: { place: 'lines[0].quantity', before: 3, given: 4 } },
      { status: 'parked', difference: { place: 'lines' } },
    ]);
    expect(await parkedAs('D1')).toEqual([
      { place: 'lines[0].quantity', reason: 'key D1 came before with lines[0].quantity 3, not 4' },
      { place: 'lines', reason: 'key D1 came before with lines "1 entries", not "2 entries"' },
    ]);
  });

  it('within one message too', async () => {
    const twice = [1, 2].map((quantity) => order('shop', 'D2', [{ sku: 'X', quantity }]));
    expect((await send(twice, {})).map(({ status }) => status)).toEqual(['applied', 'parked']);
    expect(await parkedAs('D2')).toMatchObject([{ place: 'lines[0].quantity' }]);
  });

  it('with its key alone where the first can’t be read again', async () => {
    await send([order('shop', 'D3', [{ sku: 'X', quantity: 1 }])]);
    const other = () => [order('shop', 'D3', [{ sku: 'X', quantity: 2 }])];
    await send(other(), {});
    await send(other(), {
      reread: () => {
        throw new SyntaxError('not JSON');
      },
    });
    const said = { place: 'D3', reason: 'key D3 came before with other content' };
    expect(await parkedAs('D3')).toEqual([said, said]);
    expect(await violations(database.pool)).toEqual({});
  });
});

it('what can’t be read is set aside with place and value', async () => {
  const unreadable = { reason: 'must be an RFC 3339 time', place: '/records/0/orderedAt', value: '2026-02-30' };
  await hub.receive('shop', [
    { scope: 'order/shop', key: 'U1', fingerprint: 'v1:x', itemNo: 0, unreadable },
    {
      scope: 'order/shop',
      key: 'U2',
      fingerprint: 'v1:y',
      itemNo: 1,
      unreadable: { ...unreadable, value: 'x'.repeat(200) },
    },
  ]);
  const { rows } = await database.pool.query(
    `select class, place, reason from parked_record where key in ('U1', 'U2') order by parked_id`,
  );
  const said = { class: 'unreadable', place: '/records/0/orderedAt' };
  expect(rows).toEqual([
    { ...said, reason: 'must be an RFC 3339 time, found "2026-02-30"' },
    { ...said, reason: `must be an RFC 3339 time, found "${'x'.repeat(59)}…` },
  ]);
});

describe('a repeat that another version of the mapping read', () => {
  const readBy = (version: string, quantity: number) => ({
    ...moved('mapped', 'X', 'south', quantity),
    fingerprint: fingerprint(version, [quantity]),
  });

  it('is no other content: the two can not be compared, and the first stays', async () => {
    await hub.receive('wms', [readBy('m1', 4)]);
    const again = await hub.receive('wms', [readBy('m2', 4)]);
    expect(again).toMatchObject([{ status: 'duplicate', state: 'a' }]);
    const both = await hub.receive('wms', [readBy('m1', 4), readBy('m2', 4), readBy('m1', 5)]);
    expect(both.map((result) => result.status)).toEqual(['duplicate', 'duplicate', 'parked']);
    const { rows } = await database.pool.query(
      `select on_hand::int as on_hand, (select repeats from inbound where key = 'mapped') as repeats
         from stock_balance where location_id = $1`,
      [hub.location('south')],
    );
    expect(rows).toEqual([{ on_hand: 4, repeats: 4 }]);
  });

  it('is the same thing twice in one batch, too', async () => {
    const twice = ['m1', 'm2'].map((version) => ({ ...readBy(version, 3), key: 'mapped-twice' }));
    const results = await hub.receive('wms', twice);
    expect(results.map((result) => result.status)).toEqual(['applied', 'duplicate']);
  });
});

describe('what was parked locks its key before anything else, as what arrives does', () => {
  let n = 0;
  /** A cancel that waited for its order, which is there now; its key is locked by somebody else, as a repeat of it would. */
  async function contend(work: (parkedId: number) => Promise<unknown>, then: (take: Take) => Promise<unknown>) {
    const no = `L${++n}`;
    await hub.receive('shop', [cancel('shop', no, 1, 1, `C${no}`)]);
    await hub.receive('shop', [order('shop', no, [{ sku: 'X', quantity: 2 }])]);
    const { rows } = await database.pool.query(`select parked_id from parked_record where key = 'C${no}/${no}/1'`);
    const other = await database.pool.connect();
    let working: Promise<unknown> | undefined;
    try {
      await other.query(`begin`);
      await other.query(`select from inbound where key = 'C${no}/${no}/1' for update`);
      working = work(Number(rows[0].parked_id));
      working.catch(() => {});
      await expect
        .poll(async () => {
          const waits = await database.pool.query(
            `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          );
          return waits.rows[0].n;
        }, PATIENT)
        .toBe(1);
      await then((table, where) => other.query(`select from ${table} where ${where} for update nowait`));
    } finally {
      await other.query('commit');
      other.release();
      await working;
    }
    return no;
  }
  type Take = (table: string, where: string) => Promise<unknown>;

  it('a replay', async () => {
    let replayed: unknown;
    const no = await contend(
      async (parkedId) => {
        replayed = await hub.receiver.replay([parkedId]);
      },
      (take) => take('sales_order', `external_no = 'L${n}'`),
    );
    expect(replayed).toEqual({ applied: 1, still: 0 });
    const { rows } = await database.pool.query(
      `select l.cancelled::int as cancelled from order_line l join sales_order o using (order_id) where o.external_no = '${no}'`,
    );
    expect(rows).toEqual([{ cancelled: 1 }]);
  });

  it('giving it up', async () => {
    await contend(
      (parkedId) => resolveParked(hub.db, parkedId, 'typed by mistake'),
      (take) => take('parked_record', `key = 'CL${n}/L${n}/1'`),
    );
    const { rows } = await database.pool.query(
      `select i.state::text as key, p.state as parked from inbound i join parked_record p using (scope, key) where key = 'CL${n}/L${n}/1'`,
    );
    expect(rows).toEqual([{ key: 's', parked: 'resolved' }]);
  });
});

it('what waited and can not be applied is set aside with its reason, and what waits behind it runs', async () => {
  await hub.receive('shop', [cancel('shop', 'P1', 1, 1, 'CP'), cancel('shop', 'P2', 1, 1, 'CP')]);
  await hub.receive(
    'shop',
    ['P1', 'P2'].map((no) => order('shop', no, [{ sku: 'X', quantity: 2 }])),
  );
  // What a newer version wrote, or an edit left, and this one does not know.
  const poison = `update parked_record set item = jsonb_set(item::jsonb, '{command,kind}', '"order.beamed"')::json where key = 'CP/P1/1'`;
  await database.pool.query(poison);
  // One at a time: it stands first at every look.
  expect(await hub.receiver.replayAwaited(1)).toBe(0);
  expect(await hub.receiver.replayAwaited(1)).toBe(1);
  expect(await hub.receiver.replayAwaited(1)).toBe(0);
  const { rows } = await database.pool.query(
    `select key, p.class, p.reason, p.wait_key, p.state, p.attempts, i.state::text as of_key
       from parked_record p join inbound i using (scope, key) where key like 'CP/%' order by key`,
  );
  expect(rows).toMatchObject([
    {
      class: 'unreadable',
      reason: 'could not be applied: unknown command order.beamed',
      wait_key: null,
      state: 'open',
      attempts: 1,
      of_key: 'p',
    },
    { state: 'replayed', of_key: 'a' },
  ]);
  expect(await violations(database.pool)).toEqual({});
});
