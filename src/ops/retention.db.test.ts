import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { startEstate, tradeADay } from '../../test/helpers/estate.ts';
import { estateKeys } from '../estate/index.ts';
import { Database } from '../store/index.ts';
import { checkPromises, dropExpired } from './index.ts';

const database = useDatabase();
let db: Database;
beforeAll(async () => {
  const estate = await startEstate(database.url);
  try {
    await tradeADay(estate);
  } finally {
    await estate.stop();
  }
  db = new Database({ url: database.url, poolMax: 3 });
});
afterAll(() => db.end());

const rows = (text: string) => database.pool.query(text).then((result) => result.rows);
const count = async (table: string) => Number((await rows(`select count(*) as n from ${table}`))[0].n);
/** Moves this database's clock for connections made from now on. */
async function setClock(shift: string): Promise<void> {
  await database.pool.query(
    `alter database ${new URL(database.url).pathname.slice(1)} set crossdock.clock_shift = '${shift}'`,
  );
  await db.end();
  db = new Database({ url: database.url, poolMax: 3 });
}
const broken = async () => Object.values(await checkPromises(db)).flatMap((promise) => promise.examples);

test('an estate may say of every kind that is kept by days how many, and of no other', async () => {
  const kinds = estateKeys().flatMap(({ path }) => /^retention\.(.+)$/.exec(path)?.[1] ?? []);
  expect(kinds.sort()).toEqual(
    (await rows('select table_name from partitioned_table union select table_name from expiring_table order by 1')).map(
      (row) => row.table_name,
    ),
  );
});

test('nothing is dropped before its time', async () => {
  const before = await count('fact');
  expect(await dropExpired(db)).toEqual({ dropped: [], deleted: {}, kept: [] });
  expect(await count('fact')).toBe(before);
});

test('a month goes as a whole, when its last day has expired', async () => {
  const [{ months }] = await rows(
    `select count(*)::int as months from pg_inherits where inhparent = 'raw_record'::regclass`,
  );
  const raw = await count('raw_record');
  const late = await count('freshness');
  await setClock('25 days');
  expect(await dropExpired(db)).toEqual({ dropped: [], deleted: {}, kept: [] });
  await setClock('85 days');
  expect(new Set((await dropExpired(db)).dropped.map((one) => one.table))).toEqual(new Set(['freshness']));
  expect(late).toBeGreaterThan(0);
  expect(await count('freshness')).toBe(0);
  await setClock('125 days');
  const { dropped, kept } = await dropExpired(db);
  expect(kept).toEqual([]);
  // A later month of freshness may have expired meanwhile, too.
  const longer = dropped.filter((one) => one.table !== 'freshness');
  expect(new Set(longer.map((one) => one.table))).toEqual(new Set(['raw_record']));
  expect(raw).toBeGreaterThan(0);
  expect(await count('raw_record')).toBe(0);
  expect(
    (await rows(`select count(*)::int as months from pg_inherits where inhparent = 'raw_record'::regclass`))[0].months,
  ).toBe(months - longer.length);
  // The keys of what was dropped are known for ever.
  expect(await count('inbound')).toBeGreaterThan(0);
  expect(await broken()).toEqual([]);
});

test('what was not read by everyone stays, whatever its age', async () => {
  await setClock('900 days');
  await database.pool.query(`update log_cursor set position = position - 1 where consumer = 'outbound'`);
  const facts = await count('fact');
  const { dropped, kept } = await dropExpired(db, { stock_movement: 5_000 });
  // The months without facts may go.
  expect(dropped.filter((one) => one.table === 'fact')).toHaveLength(2);
  expect(kept).toMatchObject([{ table: 'fact', reason: 'outbound has not read all of it' }]);
  expect(await count('fact')).toBe(facts);
  await database.pool.query(`update log_cursor set position = position + 1 where consumer = 'outbound'`);
});

test('on hand is still what its movements gave after they are gone', async () => {
  const before = await rows('select sku_id, location_id, on_hand from stock_balance order by 1, 2');
  const { dropped } = await dropExpired(db);
  expect(dropped.map((one) => one.table)).toEqual(expect.arrayContaining(['fact', 'stock_movement']));
  expect(await count('stock_movement')).toBe(0);
  expect(await rows('select sku_id, location_id, on_hand from stock_closing order by 1, 2')).toEqual(before);
  expect(await rows('select sku_id, location_id, on_hand from stock_balance order by 1, 2')).toEqual(before);
  expect(await broken()).toEqual([]);
  // And the closing balance is looked at: a wrong one breaks I1.
  await database.pool.query('update stock_closing set on_hand = on_hand + 1 where sku_id = 1 and location_id = 1');
  expect((await checkPromises(db)).I1).toMatchObject({ holds: false, violations: 1 });
  await database.pool.query('update stock_closing set on_hand = on_hand - 1 where sku_id = 1 and location_id = 1');
});

test('rows that found no month of their own expire by themselves, and a second closing adds to the first', async () => {
  const insert = (id: number, effect: number, age: string) =>
    db.execute(
      `insert into stock_movement (movement_id, sku_id, location_id, kind, quantity, effect, balance_version, source, source_id, occurred_at, recorded_at)
       values ($1::bigint, 1, 1, 'received', $2::bigint, $2::bigint, $1::bigint, 'wms', 'late' || $1::text, crossdock_now(), crossdock_now() - $3::interval)`,
      [id, effect, age],
    );
  const [before] = await rows('select on_hand::int as on_hand from stock_closing where sku_id = 1 and location_id = 1');
  await insert(1_000_001, 5, '800 days');
  await insert(1_000_002, 7, '10 days');
  const { deleted } = await dropExpired(db);
  expect(deleted).toEqual({ stock_movement: 1 });
  expect(await rows('select effect::int as effect from stock_movement')).toEqual([{ effect: 7 }]);
  const [after] = await rows('select on_hand::int as on_hand from stock_closing where sku_id = 1 and location_id = 1');
  expect(after.on_hand).toBe(before.on_hand + 5);
});

test.each([
  [{ stock_movment: 30 }, /no kind of record stock_movment/],
  [{ fact: 0 }, /whole days from 1, not 0/],
])('a retention of %o is refused', async (retention, message) => {
  await expect(dropExpired(db, retention)).rejects.toThrow(message);
});
