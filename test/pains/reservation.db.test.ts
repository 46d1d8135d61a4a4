/** What users of other platforms report of reservations: one that ends while its order claims it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expireReservations, reserveStock } from '../../src/ledger/index.ts';
import { checkPromises } from '../../src/ops/index.ts';
import { useDatabase } from '../helpers/database.ts';
import { balances, violations } from '../helpers/promises.ts';
import { moved, order, SmallHub, smallEstate } from '../helpers/small-hub.ts';

const database = useDatabase();
const estate = smallEstate({ desk: { company: 'acme', sells: 'asks', locations: ['north'] } });
const hubs: SmallHub[] = [];
const SKUS = ['R0', 'R1', 'R2', 'R3', 'R4', 'R5'];

beforeAll(async () => {
  for (let i = 0; i < 3; i++) hubs.push(await SmallHub.open({ url: database.url, estate }));
  for (const hub of hubs) await hub.seed(SKUS);
});
afterAll(async () => {
  expect(await violations(database.pool)).toEqual({});
  const broken = Object.entries(await checkPromises(hubs[0]!.db)).filter(([, { holds }]) => !holds);
  expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  for (const hub of hubs) await hub.close();
});

/** Six units, held for an order that comes when the hold is just over. */
async function held(hub: SmallHub, sku: string): Promise<number> {
  await hub.receive('wms', [moved(`in ${sku}`, sku, 'north', 6)]);
  return hub.db.transaction(async (tx) => {
    const ids = await hub.ids.reserve(tx, 'reservation_id_seq', 1);
    const reservationId = ids.take();
    const [result] = await reserveStock(tx, hub.deps, [
      {
        ...{ reservationId, channel: hub.directory.channels.get('desk')!, skuId: hub.sku(sku), quantity: 6 },
        ...{ locationId: null, partial: false, purpose: 'cart', expiresSeconds: 0 },
      },
    ]);
    expect(result!.ok).toBe(true);
    return reservationId;
  });
}

it.each(SKUS)('a reservation that expires while it is claimed gives its units to one order, once (%s)', async (sku) => {
  const [mine, sweeper, other] = hubs as [SmallHub, SmallHub, SmallHub];
  const reservationId = await held(mine, sku);
  // All of them meet at the balance that guards the units.
  const gate = await database.pool.connect();
  await gate.query('begin');
  await gate.query('select from stock_balance where sku_id = $1 for update', [mine.sku(sku)]);
  const all = Promise.all([
    mine.receive('api', [
      order('desk', `${sku}-mine`, [{ sku, quantity: 6 }], { reservations: [String(reservationId)] }),
    ]),
    sweeper.db.transaction((tx) => expireReservations(tx, sweeper.deps)),
    other.receive('api', [order('desk', `${sku}-other`, [{ sku, quantity: 6 }])]),
  ]);
  await expect
    .poll(async () => {
      const { rows } = await database.pool.query(
        `select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows[0].waiting;
    })
    .toBeGreaterThanOrEqual(2);
  await gate.query('commit');
  gate.release();
  const [[named], expired, [unnamed]] = await all;
  expect([named!.status, unnamed!.status]).toEqual(['applied', 'applied']);
  const { rows } = await database.pool.query(
    `select o.external_no as no, l.allocated::int, l.backordered::int from order_line l join sales_order o using (order_id) where o.external_no like $1 order by 1`,
    [`${sku}-%`],
  );
  expect(rows.map((row) => row.allocated).sort()).toEqual([0, 6]);
  expect(rows.map((row) => row.backordered).sort()).toEqual([0, 6]);
  const ended = await database.pool.query(
    'select state, open_quantity::int as open from reservation where reservation_id = $1',
    [reservationId],
  );
  const isMine = rows.find((row) => row.no === `${sku}-mine`)!.allocated === 6;
  // Claimed or expired, never both: what expired was free for whoever came first.
  expect(ended.rows).toEqual([{ state: expired === 1 ? 'expired' : 'claimed', open: 0 }]);
  if (expired === 0) expect(isMine).toBe(true);
  expect(await balances(database.pool, sku)).toEqual(['north 6/0/6/0']);
});
