/** What an ERP or a WMS allocates by itself, offset against ours: nothing is deducted twice, and nothing that is gone is promised. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InboundItem } from '../src/canonical/index.ts';
import { readAtp, reserveStock, StockSession, targetNumber } from '../src/ledger/index.ts';
import { readDeclared } from '../src/master/index.ts';
import { checkPromises, pendingWork } from '../src/ops/index.ts';
import { processOrders, sweepBackorders } from '../src/orders/index.ts';
import { Database, type Tx } from '../src/store/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { allocatedOutside, cancel, moved, order, picked, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const estate = smallEstate({
  narrow: { company: 'acme', sells: 'asks', locations: ['north'], onShort: 'refuse' },
  capped: { company: 'acme', sells: 'asks', locations: ['north'], cap: 1 },
});
estate.systems.wms = { quantities: 'net' };
const hubs: SmallHub[] = [];
const hub = () => hubs[0]!;
/** Remembers the names of the statements that transactions send. */
class Listening extends Database {
  readonly names: string[] = [];
  override transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return super.transaction((tx) =>
      work({
        xid: tx.xid,
        query: (statement, values) => {
          this.names.push(statement.name);
          return tx.query(statement, values);
        },
        write: (statement, values) => {
          this.names.push(statement.name);
          tx.write(statement, values);
        },
      }),
    );
  }
}
let skus = 0;
let sku = '';

beforeAll(async () => {
  for (let i = 0; i < 2; i++) {
    hubs.push(await SmallHub.open({ url: database.url, estate }));
    await hubs[i]!.seed(Array.from({ length: 60 }, (_, n) => `O${n}`));
  }
});
afterAll(() => Promise.all(hubs.map((one) => one.close())));

const at = (time: string) => `2026-03-02T${time}:00.000Z`;
/** A SKU of its own, with so many units in the north from nine o'clock on. */
async function stocked(quantity: number): Promise<void> {
  sku = `O${++skus}`;
  await receive('dock', moved(`open-${sku}`, sku, 'north', quantity, { occurredAt: at('08:00') }));
}
const receive = async (system: string, ...items: InboundItem[]) =>
  (await hub().receive(system, items)).map((result) => result.status);
type Rest = NonNullable<Parameters<typeof allocatedOutside>[5]>;
const outside = (quantity: number, { system = 'erp', ...rest }: Rest & { system?: string; as?: string } = {}) => {
  const { as = 'SO-1', ...others } = rest;
  return receive(system, allocatedOutside(system, `${as}-${sku}`, sku, 'north', quantity, others));
};
const line = (no = 1, name = 'A') => `api/${name}-${sku} ${no}`;
const ask = async (quantity: number, name = 'A', channel = 'api', through = hub()) =>
  (await through.receive('api', [order(channel, `${name}-${sku}`, [{ sku, quantity }])]))[0]!;
const hold = (quantity: number) =>
  hub().db.transaction(async (tx) => {
    const reservationId = (await hub().ids.reserve(tx, 'reservation_id_seq', 1)).take();
    const channel = hub().directory.channels.get('api')!;
    const [result] = await reserveStock(tx, hub().deps, [
      {
        ...{ reservationId, channel, skuId: hub().sku(sku), quantity, locationId: null, partial: false },
        ...{ purpose: 'order', expiresSeconds: 600 },
      },
    ]);
    expect(result).toMatchObject({ ok: true });
    return reservationId;
  });
/** The ERP knows the order: what is allocated may be picked. */
async function confirm(externalNo: string, through = hub()): Promise<void> {
  await through.db.transaction(async (tx) => {
    const { channelId } = through.directory.channels.get('api')!;
    const command = { kind: 'confirm', erpNumber: `E-${externalNo}` } as const;
    const work = { reference: { channelId, externalNo }, command, occurredAt: at('09:00') };
    await (await processOrders(tx, through.deps, [work])).finish();
  });
}
const pick = async (quantity: number, time: string, sequence?: number) => {
  await confirm(`A-${sku}`);
  const { rows } = await database.pool.query(
    'select a.fulfilment_id as id from allocation a join sales_order o using (order_id) where o.external_no = $1',
    [`A-${sku}`],
  );
  const lines = [{ lineNo: 1, sku, quantity }];
  const [status] = await receive('wms', picked(`pick-${sku}-${time}`, `F${rows[0].id}`, lines, at(time), sequence));
  expect(status).toMatch(/applied|duplicate/);
};
/** `on hand/reserved/allocated, deducted of open outside, free` in the north. */
const shelf = async () => {
  const { rows } = await database.pool.query(
    `select on_hand, reserved, allocated, exposed, outside_deducted, outside_open, safety_stock from stock_balance
      where sku_id = $1 and location_id = $2`,
    [hub().sku(sku), hub().location('north')],
  );
  const b = Object.fromEntries(Object.entries(rows[0]).map(([name, value]) => [name, Number(value)]));
  const free = b.on_hand! - b.reserved! - b.allocated! - b.exposed! - b.safety_stock! - b.outside_deducted!;
  return `${b.on_hand}/${b.reserved}/${b.allocated}, ${b.outside_deducted} of ${b.outside_open}, free ${free}`;
};
const atp = async (channel = 'api') => {
  const id = hub().sku(sku);
  return (await readAtp(hub().db, hub().directory.channels.get(channel)!, [id], hub().directory)).get(id)!.atp;
};
const shortages = async () =>
  (
    await database.pool.query(
      `select quantity, cause, owner from shortage where sku_id = $1 and state = 'open' order by shortage_id`,
      [hub().sku(sku)],
    )
  ).rows.map((row) => `${row.quantity} ${row.cause} (${row.owner})`);
/** No ERP takes part here: what it must have confirmed is not looked at. */
async function expectWhole(): Promise<void> {
  expect(await violations(database.pool)).toEqual({});
  const { I1, I2, I3, I4, I5, I9 } = await checkPromises(hub().db);
  expect([I1, I2, I3, I4, I5, I9].flatMap((promise) => promise.examples)).toEqual([]);
}

describe('an allocation of another system', () => {
  it('for a line that we allocated deducts nothing more, and what goes beyond ours is deducted', async () => {
    await stocked(10);
    await ask(4);
    await outside(4, { line: line(), occurredAt: at('09:00') });
    expect(await shelf()).toBe('10/0/4, 0 of 4, free 6');
    await outside(7, { line: line(), occurredAt: at('09:01') });
    expect(await shelf()).toBe('10/0/4, 3 of 7, free 3');
    await outside(2, { line: line(), occurredAt: at('09:02') });
    expect([await shelf(), await atp()]).toEqual(['10/0/4, 0 of 2, free 6', 6]);
    await expectWhole();
  });

  it('of an order that comes later keeps its units for that order and from all others', async () => {
    await stocked(5);
    await outside(5, { line: line() });
    expect([await shelf(), await atp()]).toEqual(['5/0/0, 5 of 5, free 0', 0]);
    expect(await ask(1, 'B', 'narrow')).toMatchObject({ status: 'applied', events: [{ lines: [{ refused: 1 }] }] });
    expect(await ask(5)).toMatchObject({ status: 'applied', events: [{ allocations: [{ quantity: 5 }] }] });
    expect(await shelf()).toBe('5/0/5, 0 of 5, free 0');
    await expectWhole();
  });

  it('is its line’s beside what the channel’s limits give it', async () => {
    await stocked(10);
    await outside(5, { line: `capped/C-${sku} 1` });
    await ask(7, 'C', 'capped');
    // Five were its own, and one is the cap.
    expect(await shelf()).toBe('10/0/6, 0 of 5, free 4');
    await expectWhole();
  });

  it('in the south is where the line is allocated, though the north is asked first', async () => {
    await stocked(5);
    await receive('dock', moved(`south-${sku}`, sku, 'south', 5));
    await receive('erp', allocatedOutside('erp', `S-${sku}`, sku, 'south', 3, { line: line() }));
    const result = await ask(3);
    expect(result).toMatchObject({ events: [{ allocations: [{ locationId: hub().location('south'), quantity: 3 }] }] });
    expect([await shelf(), await atp()]).toEqual(['5/0/0, 0 of 0, free 5', 7]);
  });

  it('for nothing that we know is deducted whole until it ends', async () => {
    await stocked(10);
    await outside(3, { as: 'T-1' });
    await outside(2, { as: 'T-2', system: 'wms', line: line(1, 'unknown') });
    expect([await shelf(), await atp()]).toEqual(['10/0/0, 5 of 5, free 5', 5]);
    await outside(0, { as: 'T-1', occurredAt: at('11:00') });
    await outside(0, { as: 'T-2', system: 'wms', line: line(1, 'unknown'), occurredAt: at('11:00') });
    expect([await shelf(), await atp()]).toEqual(['10/0/0, 0 of 0, free 10', 10]);
    await expectWhole();
  });

  it('and one of a second system for the same line are the same units; two references of one system are not', async () => {
    await stocked(20);
    await outside(5, { line: line(), as: 'SO-1' });
    await outside(4, { line: line(), system: 'wms', as: 'W-1' });
    expect(await shelf()).toBe('20/0/0, 5 of 9, free 15');
    await outside(3, { line: line(), system: 'wms', as: 'W-2' });
    expect(await shelf()).toBe('20/0/0, 7 of 12, free 13');
    await expectWhole();
  });

  it('that ends ours comes free with our cancel, and one that stays is deducted from then on', async () => {
    await stocked(10);
    await ask(6);
    await outside(6, { line: line() });
    await receive('api', cancel('api', `A-${sku}`, 1, 6, `c-${sku}`, sku));
    expect(await shelf()).toBe('10/0/0, 6 of 6, free 4');
    await outside(0, { line: line(), occurredAt: at('12:00') });
    expect(await shelf()).toBe('10/0/0, 0 of 0, free 10');
  });

  it('of what was promised already is a shortage with an owner that ends with it', async () => {
    await stocked(5);
    await ask(4);
    await outside(3, { as: 'T-1' });
    expect([await shelf(), await atp()]).toEqual(['5/0/4, 3 of 3, free -2', 0]);
    expect(await shortages()).toEqual(['2 allocated outside (operations)']);
    await expectWhole();
    await outside(0, { as: 'T-1', occurredAt: at('12:00') });
    expect([await shelf(), await shortages()]).toEqual(['5/0/4, 0 of 0, free 1', []]);
  });

  it('and goods that come end as much of the shortage as they fill', async () => {
    await stocked(5);
    await ask(4);
    await outside(3, { as: 'T-1' });
    await receive('dock', moved(`one-${sku}`, sku, 'north', 1));
    expect([await shelf(), await shortages()]).toEqual([
      '6/0/4, 3 of 3, free -1',
      ['1 allocated outside (operations)'],
    ]);
    await receive('dock', moved(`lost-${sku}`, sku, 'north', -1));
    await expectWhole();
    await receive('dock', moved(`two-${sku}`, sku, 'north', 9));
    expect([await shelf(), (await shortages()).length]).toEqual(['14/0/4, 3 of 3, free 7', 1]);
    await expectWhole();
  });

  it('serves its line when it waits, also where nothing is free for anybody else', async () => {
    await stocked(0);
    await ask(3);
    await outside(3, { line: line() });
    await receive('dock', moved(`in-${sku}`, sku, 'north', 3));
    expect(await shelf()).toBe('3/0/0, 3 of 3, free 0');
    await ask(1, 'B');
    expect((await pendingWork(hub().db)).servable).toBe(1);
    expect(await sweepBackorders(hub().db, hub().deps)).toBe(1);
    expect([await shelf(), (await pendingWork(hub().db)).servable]).toEqual(['3/0/3, 0 of 3, free 0', 0]);
    await expectWhole();
  });

  it('of what a hold keeps is a shortage, and an order that is refused gets its hold back all the same', async () => {
    for (const take of [
      () => outside(3, { as: 'T-1' }),
      () => receive('dock', moved(`gone-${sku}`, sku, 'north', -3)),
    ]) {
      await stocked(5);
      const reservationId = await hold(5);
      await take();
      const twice = [1, 1].map((lineNo) => ({ lineNo, sku, quantity: 1 }));
      const reservations = [String(reservationId)];
      const [result] = await hub().receive('api', [order('api', `twice-${sku}`, twice, { reservations })]);
      expect(result).toMatchObject({ status: 'refused', class: 'duplicate_line' });
      expect(await shelf()).toMatch(/^[52]\/5\/0, [30] of [30], free -3$/);
      await expectWhole();
    }
  });

  it('is out of the number of a channel that sells by itself', async () => {
    await stocked(10);
    await outside(4, { as: 'T-1' });
    const shop = hub().directory.channels.get('shop')!;
    const pairs = shop.locationIds.map((id) => [hub().sku(sku), id] as const);
    const view = await StockSession.view(hub().db, hub().ids, pairs, [shop.channelId]);
    expect(targetNumber(view, shop, hub().sku(sku), 0)).toBe(6);
  });
});

describe('a pick', () => {
  for (const [name, ...steps] of [
    ['before their end', 'report', 'pick', 'end'],
    ['after their end', 'report', 'end', 'pick'],
    ['before their first report is heard of', 'pick', 'report', 'end'],
    ['after an end that came before the report', 'end', 'report', 'pick'],
  ] as const)
    it(`${name} takes the units once and leaves no shortage`, async () => {
      await stocked(5);
      await ask(5);
      const act = {
        report: () => outside(5, { line: line(), occurredAt: at('10:00') }),
        pick: () => pick(5, '10:30'),
        end: () => outside(0, { line: line(), occurredAt: at('10:31') }),
      };
      for (const step of steps) {
        await act[step]();
        expect((await shelf()).endsWith('free 0'), `${step}: ${await shelf()}`).toBe(true);
        await act[step]();
      }
      expect([await shelf(), await shortages()]).toEqual(['0/0/0, 0 of 0, free 0', []]);
      await expectWhole();
    });

  it.each([
    ['in order', ['10:05', '10:20']],
    ['the later one first', ['10:20', '10:05']],
  ] as const)('and another take their units out of two references of one line, %s', async (_, times) => {
    await stocked(10);
    await ask(4);
    await outside(3, { as: 'W-1', line: line(), occurredAt: at('10:00') });
    await outside(2, { as: 'W-2', line: line(), occurredAt: at('10:10') });
    for (const time of times) await pick(time === '10:05' ? 3 : 1, time);
    // The first three leave W-1, before W-2 was there; the last one leaves W-2.
    expect(await shelf()).toBe('6/0/0, 1 of 1, free 5');
    await expectWhole();
  });

  it('leaves deducted what they reported after it', async () => {
    await stocked(10);
    await ask(5);
    await pick(5, '10:30');
    await outside(2, { line: line(), occurredAt: at('10:31') });
    expect(await shelf()).toBe('5/0/0, 2 of 2, free 3');
  });

  it('is told from a report of its own source by sequence, whatever their clocks say', async () => {
    await stocked(10);
    await ask(5);
    await pick(5, '12:00', 7);
    await outside(2, { system: 'wms', line: line(), occurredAt: at('10:00'), sequence: 8 });
    expect(await shelf()).toBe('5/0/0, 2 of 2, free 3');
  });
});

describe('a report', () => {
  it('that is older than what holds is superseded, the same again is a duplicate, other content is set aside', async () => {
    await stocked(10);
    expect(await outside(3, { occurredAt: at('10:00'), sequence: 5 })).toEqual(['applied']);
    expect(await outside(9, { occurredAt: at('11:00'), sequence: 4 })).toEqual(['duplicate']);
    expect(await outside(3, { occurredAt: at('10:00'), sequence: 5 })).toEqual(['duplicate']);
    expect(await outside(4, { occurredAt: at('10:00'), sequence: 5 })).toEqual(['parked']);
    expect(await shelf()).toBe('10/0/0, 3 of 3, free 7');
    const { rows } = await database.pool.query(
      `select state::text from inbound where scope = 'outside_allocation/erp' and key like $1 order by key`,
      [`SO-1-${sku}/%`],
    );
    expect(rows.map((row) => row.state)).toEqual(['s', 'a']);
  });

  it('may name another line than before: the first has it no longer', async () => {
    await stocked(10);
    await ask(4);
    await outside(4, { line: line(), occurredAt: at('10:00') });
    await outside(4, { line: line(1, 'B'), occurredAt: at('10:01') });
    expect(await shelf()).toBe('10/0/4, 4 of 4, free 2');
    await expectWhole();
  });

  it('of what nobody knows is set aside with its place and changes nothing; corrected, it runs', async () => {
    await stocked(10);
    const bad: [place: string, InboundItem][] = [
      ['sku', allocatedOutside('erp', `bad1-${sku}`, 'NOPE', 'north', 1)],
      ['location', allocatedOutside('erp', `bad2-${sku}`, sku, 'nowhere', 1)],
      ['line.channel', allocatedOutside('erp', `bad3-${sku}`, sku, 'north', 1, { line: 'nobody/1 1' })],
      ['line.lineNo', allocatedOutside('erp', `bad4-${sku}`, sku, 'north', 1, { line: 'api/1 0' })],
      ['quantity', allocatedOutside('erp', `bad5-${sku}`, sku, 'north', -1)],
      ['quantity', allocatedOutside('erp', `bad6-${sku}`, sku, 'north', 1.5)],
      ['occurredAt', allocatedOutside('erp', `bad7-${sku}`, sku, 'north', 1, { occurredAt: 'soon' })],
    ];
    const good = allocatedOutside('erp', `good-${sku}`, sku, 'north', 1);
    const results = await hub().receive('erp', [...bad.map(([, item]) => item), good]);
    expect(results.map((result) => result.status)).toEqual([...bad.map(() => 'parked'), 'applied']);
    expect(await shelf()).toBe('10/0/0, 1 of 1, free 9');
    const { rows } = await database.pool.query(
      `select parked_id, place from parked_record where scope = 'outside_allocation/erp' and state = 'open' and key like $1 order by key`,
      [`bad%-${sku}/%`],
    );
    expect(rows.map((row) => row.place)).toEqual(bad.map(([place]) => place));
    await hub().seed(['NOPE']);
    expect(await hub().receiver.replay([rows[0].parked_id])).toEqual({ applied: 1, still: 0 });
    await expectWhole();
  });

  it('is a fact with what was deducted before and after', async () => {
    await stocked(10);
    await outside(3, { line: line() });
    const { rows } = await database.pool.query(
      `select type, data from fact where stream = $1 and type = 'stock.outside_allocation_changed'`,
      [`stock/${hub().sku(sku)}@${hub().location('north')}`],
    );
    expect(rows).toEqual([
      {
        type: 'stock.outside_allocation_changed',
        data: {
          ...{ skuId: hub().sku(sku), locationId: hub().location('north'), source: 'erp', sourceId: `SO-1-${sku}` },
          line: { channelId: hub().directory.channels.get('api')!.channelId, externalNo: `A-${sku}`, lineNo: 1 },
          ...{ quantity: 3, open: 3, deducted: 3, before: 0 },
        },
      },
    ]);
  });

  it('is remembered by a hub that starts later: what ours ends then is deducted', async () => {
    await stocked(10);
    await ask(4);
    await outside(4, { line: line() });
    const later = await SmallHub.open({ url: database.url, estate });
    await later.seed([sku]);
    try {
      await later.receive('api', [cancel('api', `A-${sku}`, 1, 1, `later-${sku}`, sku)]);
      expect(await shelf()).toBe('10/0/3, 1 of 4, free 6');
    } finally {
      await later.close();
    }
    await expectWhole();
  });

  it('that cannot be applied leaves nothing of its transaction behind', async () => {
    await stocked(10);
    await outside(2, { as: 'T-1' });
    await expect(
      hub().db.transaction(async (tx) => {
        const report = {
          ...{ source: 'erp', sourceId: 'T-9', skuId: hub().sku(sku), locationId: hub().location('north') },
          ...{ line: null, quantity: 5, occurredAt: at('10:00'), sourceSequence: null },
        };
        const stock = await StockSession.open(tx, hub().ids, [[report.skuId, report.locationId]], [], {
          reports: [report],
          netCounts: [],
        });
        stock.reportOutside(report);
        await stock.flush();
        throw new Error('cut');
      }),
    ).rejects.toThrow('cut');
    expect(await shelf()).toBe('10/0/0, 2 of 2, free 8');
    await expectWhole();
  });
});

describe('a count', () => {
  const count = (system: string, quantity: number, time: string, rest: object = {}) =>
    moved(`count-${system}-${sku}-${time}`, sku, 'north', quantity, {
      movement: 'counted',
      occurredAt: at(time),
      ...rest,
    });

  it('of a system that is net is less than what is there by what that system has allocated, by no other’s', async () => {
    await stocked(10);
    await outside(3, { system: 'wms', as: 'W-1', occurredAt: at('09:00') });
    await outside(2, { system: 'erp', occurredAt: at('09:00') });
    expect(await receive('wms', count('wms', 7, '10:00'))).toEqual(['applied']);
    expect(await shelf()).toBe('10/0/0, 5 of 5, free 5');
    expect(await receive('erp', count('erp', 7, '11:00'))).toEqual(['applied']);
    expect(await shelf()).toBe('7/0/0, 5 of 5, free 2');
    expect(await receive('erp', count('erp', 7, '12:00', { net: true }))).toEqual(['applied']);
    expect(await shelf()).toBe('9/0/0, 5 of 5, free 4');
    expect(await receive('wms', count('wms', 9, '13:00', { net: false }))).toEqual(['applied']);
    expect(await shelf()).toBe('9/0/0, 5 of 5, free 4');
    await expectWhole();
  });

  it('that is net knew what held at its own moment, though it ended before the count was heard of', async () => {
    await stocked(10);
    const report = (quantity: number, time: string) =>
      allocatedOutside('wms', `W-${sku}`, sku, 'north', quantity, { occurredAt: at(time) });
    // One page: allocated, counted, less of it, ended.
    expect(
      await receive('wms', report(4, '09:00'), count('wms', 6, '10:00'), report(1, '10:05'), report(0, '10:06')),
    ).toEqual(['applied', 'applied', 'applied', 'applied']);
    expect(await shelf()).toBe('10/0/0, 0 of 0, free 10');
    // And one that comes after all of them.
    expect(await receive('wms', count('wms', 8, '10:05'))).toEqual(['applied']);
    expect(await shelf()).toBe('9/0/0, 0 of 0, free 9');
  });

  it('that is net adds nothing for units that were picked before it', async () => {
    await stocked(10);
    await ask(4);
    await outside(4, { system: 'wms', line: line(), as: 'W-1', occurredAt: at('09:00') });
    await pick(3, '09:30');
    expect(await shelf()).toBe('7/0/1, 0 of 1, free 6');
    await receive('wms', count('wms', 6, '10:00'));
    expect(await shelf()).toBe('7/0/1, 0 of 1, free 6');
    // Units that were picked after it were in what it had allocated.
    await pick(1, '11:00');
    await receive('wms', count('wms', 6, '10:30'));
    expect(await shelf()).toBe('6/0/0, 0 of 0, free 6');
    await expectWhole();
  });

  it('is net when the estate said so at the last start, also for whoever has no estate file at hand', async () => {
    const declared = await readDeclared(hub().db);
    const later = await SmallHub.open({ url: database.url, estate: declared });
    try {
      expect(['wms', 'erp', 'nobody'].map((system) => later.directory.countsNet(system))).toEqual([true, false, false]);
    } finally {
      await later.close();
    }
  });

  it('alone can be net', async () => {
    await stocked(10);
    expect(await receive('erp', moved(`net-${sku}`, sku, 'north', 1, { net: true }))).toEqual(['parked']);
    expect(await shelf()).toBe('10/0/0, 0 of 0, free 10');
  });
});

describe('where no other system has allocated', () => {
  it('nobody asks for what they have: an order and its cancel send nothing more than before', async () => {
    await stocked(20);
    const listening = new Listening({ url: database.url, poolMax: 4 });
    const quiet = await SmallHub.open({ url: database.url, estate, db: listening });
    await quiet.seed([sku]);
    const told = (about: string) => listening.names.splice(0).filter((name) => name.includes(about));
    try {
      await ask(3, 'A', 'api', quiet);
      await confirm(`A-${sku}`, quiet);
      await quiet.receive('api', [cancel('api', `A-${sku}`, 1, 1, `q-${sku}`, sku)]);
      expect(told('outside').concat(told('own_allocations'), told('shortages'))).toEqual([]);
      await outside(1);
      await ask(1, 'B', 'api', quiet);
      expect(told('outside')).toEqual(['ledger_read_outside_allocations']);
    } finally {
      await quiet.close();
    }
  });
});

describe('a race', () => {
  /** Holds the SKU's balances until all of them wait there, one after the other. */
  async function inQueue(...acts: (() => Promise<unknown>)[]): Promise<void> {
    const client = await database.pool.connect();
    const done: Promise<unknown>[] = [];
    const waiting = `select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    try {
      await client.query('begin');
      await client.query('select from stock_balance where sku_id = $1 order by location_id for update', [
        hub().sku(sku),
      ]);
      for (const [i, act] of acts.entries()) {
        done.push(act());
        await expect
          .poll(async () => (await client.query(waiting)).rows[0].n, { message: 'it waits for the balances' })
          .toBe(i + 1);
      }
      await client.query('commit');
    } finally {
      client.release();
    }
    await Promise.all(done);
  }
  const report = (name: string) => () =>
    hubs[1]!.receive('erp', [allocatedOutside('erp', `R-${sku}`, sku, 'north', 5, { line: line(1, name) })]);

  it('of a report with the order it is for deducts the units once, whoever is first', async () => {
    await stocked(5);
    await inQueue(report('A'), () => ask(5));
    expect(await shelf()).toBe('5/0/5, 0 of 5, free 0');
    await stocked(5);
    await inQueue(() => ask(5), report('A'));
    expect(await shelf()).toBe('5/0/5, 0 of 5, free 0');
    await expectWhole();
  });

  it('of a report with another order for the last units gives them to the first', async () => {
    await stocked(5);
    await inQueue(report('A'), () => ask(5, 'B'));
    expect([await shelf(), await shortages()]).toEqual(['5/0/0, 5 of 5, free 0', []]);
    await stocked(5);
    await inQueue(() => ask(5, 'B'), report('A'));
    expect([await shelf(), await shortages()]).toEqual([
      '5/0/5, 5 of 5, free -5',
      ['5 allocated outside (operations)'],
    ]);
    await expectWhole();
  });
});
