/** What has ended is forgotten in time; what is open, can still be planned or must be known for ever is not. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import {
  cancel,
  invoiced,
  memorySystems,
  moved,
  order,
  picked,
  returned,
  SmallHub,
  shipped,
} from '../../test/helpers/small-hub.ts';
import { ReservationDesk } from '../ingest/index.ts';
import { reserveStock } from '../ledger/index.ts';
import { CONSUMER } from '../outbound/index.ts';
import { Database } from '../store/index.ts';
import { forgetEnded } from './forget.ts';
import { checkPromises, dropExpired } from './index.ts';

const database = useDatabase();
let systems: ReturnType<typeof memorySystems>;
let hub: SmallHub;
let n = 0;

beforeEach(async () => {
  systems = memorySystems();
  hub = await open('0');
  await query('select crossdock_ensure_partitions(crossdock_now(), 2)');
  await hub.seed(['X']);
});
afterEach(async () => {
  await setClock('0');
  await hub.close();
  await database.pool.query(
    `truncate fact, delivery, publication, sales_order, order_line, allocation, fulfilment, shipment, invoice, return_authorisation, return_receipt,
              inbound, raw_record, parked_record, reservation, shortage, stock_balance, stock_movement, stock_closing, exposure, channel_number;
     update log_cursor set transaction_id = '0', position = 0;
     update lease set expires_at = '-infinity';
     update partitioned_table set kept_since = null; update expiring_table set kept_since = null`,
  );
});

async function setClock(shift: string): Promise<void> {
  await database.pool.query(
    `alter database ${new URL(database.url).pathname.slice(1)} set crossdock.clock_shift = '${shift}'`,
  );
}
/** A hub whose database is so much later. Leases of the one before have expired by then. */
async function open(shift: string): Promise<SmallHub> {
  await setClock(shift);
  return SmallHub.open({
    url: database.url,
    connectors: systems,
    db: new Database({ url: database.url, poolMax: 6, applicationName: 'small hub' }),
  });
}
async function later(shift: string): Promise<void> {
  await hub.close();
  hub = await open(shift);
  await hub.seed(['X']);
}
const query = async (text: string) => (await database.pool.query(text)).rows;
const count = async (from: string): Promise<number> => (await query(`select count(*)::int as n from ${from}`))[0].n;
const broken = async () => Object.values(await checkPromises(hub.db)).flatMap((promise) => promise.examples);

/** An order of so many of X; backordered where there is not enough. */
async function submit(quantity = 2): Promise<string> {
  const no = `F${++n}`;
  await hub.receive('api', [order('api', no, [{ sku: 'X', quantity }])]);
  await hub.settle();
  return no;
}
const receive = (quantity: number) => hub.receive('wms', [moved(`stock-${++n}`, 'X', 'north', quantity)]);

/** An order that has left, is invoiced and closed. */
async function closedOrder(): Promise<string> {
  const no = await submit();
  const told = systems.wms
    .of('fulfilment')
    .find(({ payload }) => (payload as { order: string }).order === `api/${no}`)!;
  const lines = [{ lineNo: 1, sku: 'X', quantity: 2 }];
  await hub.receive('wms', [picked(`p-${no}`, told.reference, lines), shipped(`s-${no}`, told.reference, lines)]);
  await hub.receive('erp', [invoiced(`I-${no}`, `api/${no}`, [{ lineNo: 1, quantity: 2, amountMinor: 200 }])]);
  await hub.settle();
  return no;
}
const stateOf = async (no: string) =>
  (await query(`select state from sales_order where external_no = '${no}'`))[0].state;
const workOf = async (no: string) => {
  const id = (await query(`select order_id from sales_order where external_no = '${no}'`))[0].order_id;
  return {
    deliveries: await count(`delivery where order_id = ${id}`),
    publications: await count(`publication where kind = 'order_status' and key = ${id}`),
  };
};

describe('what systems were told', () => {
  it('of a closed order goes with its facts; of one that waits, and with a fact left, nothing does', async () => {
    await receive(10);
    const closed = await closedOrder();
    const refused = await submit(1);
    await hub.receive('api', [cancel('api', refused, 1, 1, `C${n}`)]);
    await hub.settle();
    const waiting = await submit(50);
    expect([await stateOf(closed), await stateOf(refused)]).toEqual(['closed', 'cancelled']);
    await query(
      `insert into promise (order_id, line_no, order_version, part, quantity, channel_id, account_id, reason, cause, rule_version)
       select order_id, 1, 1, 1, 1, channel_id, account_id, 'no_supply', 'accepted', 'r' from sales_order
        where external_no in ('${closed}', '${waiting}')`,
    );
    const before = { closed: await workOf(closed), waiting: await workOf(waiting) };
    expect(before.closed).toEqual({ deliveries: 3, publications: 1 });

    await later('1000 days');
    // Facts are kept longer than what came of them: what they could plan again is known by its reference.
    expect((await dropExpired(hub.db, { fact: 5_000, stock_movement: 5_000 })).deleted).not.toHaveProperty('delivery');
    expect(await workOf(closed)).toEqual(before.closed);

    // Nor is it when somebody has not read them.
    await query(`update log_cursor set position = position - 1 where consumer = '${CONSUMER}'`);
    expect((await dropExpired(hub.db)).kept).toMatchObject([{ table: 'fact' }]);
    expect(await workOf(closed)).toEqual(before.closed);
    await query(`update log_cursor set position = position + 1 where consumer = '${CONSUMER}'`);

    const { deleted } = await dropExpired(hub.db);
    expect(deleted).toMatchObject({ publication: 2, promise: 1 });
    expect(await query('select o.external_no from promise p join sales_order o using (order_id)')).toEqual([
      { external_no: waiting },
    ]);
    expect(await workOf(closed)).toEqual({ deliveries: 0, publications: 0 });
    expect(await workOf(refused)).toEqual({ deliveries: 0, publications: 0 });
    expect(await workOf(waiting)).toEqual(before.waiting);
    expect(await broken()).toEqual([]);
    // A second round finds nothing more.
    expect((await dropExpired(hub.db)).deleted).toEqual({});
  });

  it('of one whose order has a newer fact stays as a whole', async () => {
    await receive(10);
    const no = await closedOrder();
    await later('900 days');
    await hub.receive('api', [cancel('api', no, 1, 1, `C${n}`)]);
    await hub.settle();
    const before = await workOf(no);
    await later('1000 days');
    await dropExpired(hub.db);
    expect(await count('fact')).toBeGreaterThan(0);
    expect(await workOf(no)).toEqual(before);
    expect(await broken()).toEqual([]);
  });

  it('stays while a person must look at it, or while it is not told', async () => {
    await receive(10);
    const parked = await closedOrder();
    const dirty = await closedOrder();
    await query(
      `update delivery set state = 'p', ended_at = null, error = 'no' where kind = 'shipment_posting' and order_id = (select order_id from sales_order where external_no = '${parked}');
       update publication set version = version + 1 where kind = 'order_status' and key = (select order_id from sales_order where external_no = '${dirty}')`,
    );
    await later('1000 days');
    await dropExpired(hub.db);
    expect(await workOf(parked)).toEqual({ deliveries: 3, publications: 0 });
    expect(await workOf(dirty)).toEqual({ deliveries: 0, publications: 1 });
  });

  it('of a charge goes when the facts of its time are gone', async () => {
    await hub.receive('api', [
      {
        scope: 'charge/api',
        key: `CH${++n}`,
        fingerprint: 'f',
        itemNo: 0,
        command: {
          kind: 'charge.recorded',
          reference: `CH${n}`,
          charge: 'postage',
          account: 'A1',
          code: 'POST',
          quantity: 1,
          amountMinor: 1800,
          currency: 'GBP',
          occurredAt: '2026-03-02T10:00:00.000Z',
        },
      },
    ]);
    await hub.settle();
    await later('1000 days');
    await dropExpired(hub.db, { fact: 5_000 });
    expect(await count(`delivery where kind = 'charge'`)).toBe(1);
    await dropExpired(hub.db, { delivery: 5_000 });
    expect(await count(`delivery where kind = 'charge'`)).toBe(1);
    await dropExpired(hub.db);
    expect(await count(`delivery where kind = 'charge'`)).toBe(0);
    expect(await broken()).toEqual([]);
  });

  it('of an order that comes back after years is told anew, whole, and goods go where they came from', async () => {
    await receive(10);
    const no = await closedOrder();
    await later('1000 days');
    await dropExpired(hub.db);
    const told = systems.crm.states.get(`order_status api/${no}`)!.version;
    await hub.receive('api', [cancel('api', no, 1, 1, `C${n}`)]);
    await hub.settle();
    const announced = systems.wms.of('return_announcement').at(-1)!;
    expect(announced.payload).toMatchObject({ order: `api/${no}`, location: 'north' });
    await hub.receive('wms', [returned(`b-${no}`, announced.reference, [{ lineNo: 1, sku: 'X', quantity: 1 }])]);
    await hub.settle();
    const state = systems.crm.states.get(`order_status api/${no}`)!;
    expect(state.version).toBeGreaterThan(told);
    expect(state).toMatchObject({ base: 0, state: { lines: [{ lineNo: 1, shipped: 2, returned: 1 }] } });
    expect(systems.crm.backwards).toBe(0);
    expect(await broken()).toEqual([]);
  });

  it('goes a page at a time, and what can not go holds up no page after it', async () => {
    await submit(50);
    await receive(10);
    const closed = [await closedOrder(), await closedOrder(), await closedOrder()];
    await later('1000 days');
    await dropExpired(hub.db, { delivery: 5_000, publication: 5_000 });
    let pages = 0;
    hub.db.beforeCommit = () => {
      pages++;
    };
    const before = new Date((await query('select crossdock_now() as now'))[0].now);
    const deleted = await forgetEnded(hub.db, [{ table_name: 'delivery', expires_before: before }], 1);
    hub.db.beforeCommit = undefined;
    expect(pages).toBeGreaterThan(3);
    expect(deleted.delivery).toBe(9);
    for (const no of closed) expect((await workOf(no)).deliveries).toBe(0);
  });
});

describe('soft holds', () => {
  it('that ended long ago are forgotten, their keys are not: what comes again holds nothing', async () => {
    await receive(10);
    const desk = new ReservationDesk({ db: hub.db, ids: hub.ids, directory: hub.directory });
    const request = {
      ...{ scope: 'reservation/k', key: 'held', channel: hub.directory.channels.get('api')!, sku: 'X' },
      ...{ skuId: hub.sku('X'), quantity: 3, location: null, locationId: null, partial: false, purpose: 'cart' },
      expiresSeconds: 60,
    };
    const first = await desk.reserve(request);
    expect(first).toMatchObject({ status: 'held' });
    expect(await desk.reserve(request)).toMatchObject({ ...first, status: 'repeated' });
    // Open, whatever its age: its end is the ledger's to write.
    await later('100 days');
    expect((await dropExpired(hub.db)).deleted).toEqual({});
    expect(await count('reservation')).toBe(1);
    await query(`update reservation set state = 'expired', open_quantity = 0; update stock_balance set reserved = 0`);
    expect((await dropExpired(hub.db)).deleted).toEqual({ reservation: 1 });
    const again = new ReservationDesk({ db: hub.db, ids: hub.ids, directory: hub.directory });
    expect(await again.reserve({ ...request, channel: hub.directory.channels.get('api')! })).toEqual({
      status: 'forgotten',
      reservationId: (first as { reservationId: number }).reservationId,
    });
    expect(await count('reservation')).toBe(0);
    expect(await broken()).toEqual([]);
    // One that is missing from the time that is kept is lost.
    await query(`update inbound set recorded_at = recorded_at + interval '99 days' where scope = 'reservation/k'`);
    expect(await broken()).toEqual([expect.stringContaining('which is not there')]);
  });

  it('are kept from their expiry on, not from their beginning', async () => {
    await receive(10);
    const channel = hub.directory.channels.get('api')!;
    await hub.db.transaction((tx) =>
      reserveStock(tx, hub.deps, [
        {
          reservationId: 1,
          channel,
          skuId: hub.sku('X'),
          quantity: 1,
          locationId: null,
          partial: false,
          purpose: 'quote',
          expiresSeconds: 60,
        },
      ]),
    );
    await query(
      `update reservation set state = 'released', open_quantity = 0, expires_at = expires_at + interval '20 days'; update stock_balance set reserved = 0`,
    );
    await later('100 days');
    expect((await dropExpired(hub.db)).deleted).toEqual({});
    await later('115 days');
    expect((await dropExpired(hub.db)).deleted).toEqual({ reservation: 1 });
  });
});

describe('exceptions', () => {
  it('that were set aside go when they are settled, not when they are open', async () => {
    await query(
      `insert into parked_record (scope, key, system, class, reason, item, raw_id, item_no, state, ended_at) values
         ('s', 'open', 'wms', 'unreadable', 'r', '{}', 0, 0, 'open', null),
         ('s', 'done', 'wms', 'unreadable', 'r', '{}', 0, 0, 'replayed', crossdock_now()),
         ('s', 'given up', 'wms', 'unreadable', 'r', '{}', 0, 0, 'resolved', crossdock_now() + interval '50 days')`,
    );
    await later('100 days');
    expect((await dropExpired(hub.db)).deleted).toEqual({ parked_record: 1 });
    expect(await query('select key from parked_record order by 1')).toEqual([{ key: 'given up' }, { key: 'open' }]);
    expect((await dropExpired(hub.db, { parked_record: 10 })).deleted).toEqual({ parked_record: 1 });
    expect(await query('select key from parked_record order by 1')).toEqual([{ key: 'open' }]);
  });

  it('shortages stay while they are open, and a while after they ended', async () => {
    await query(
      `insert into shortage (sku_id, location_id, quantity, cause, state, ended_at) values
         (1, 1, 1, 'open', 'open', null), (1, 1, 2, 'ended at once', 'ended', crossdock_now()),
         (1, 1, 3, 'ended late', 'ended', crossdock_now() + interval '500 days'), (1, 1, 4, 'of an earlier version', 'ended', null)`,
    );
    const causes = async () => (await query('select cause from shortage order by shortage_id')).map((row) => row.cause);
    await later('700 days');
    await dropExpired(hub.db);
    expect(await causes()).toHaveLength(4);
    await later('1000 days');
    await dropExpired(hub.db);
    expect(await causes()).toEqual(['open', 'ended late']);
    await later('1300 days');
    await dropExpired(hub.db);
    expect(await causes()).toEqual(['open']);
  });
});
