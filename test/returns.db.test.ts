/** Goods that come back: on hand once, credited once, whatever order the facts of them arrive in. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InboundItem, RequestedAs, ReturnInspected } from '../src/canonical/index.ts';
import type { OrderDocumentPayload } from '../src/connectors/kit/index.ts';
import { listParked } from '../src/ingest/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { getReturn, listReturnedStock, listReturns, readOrders } from '../src/orders/index.ts';
import { useDatabase } from './helpers/database.ts';
import {
  cancel,
  invoiced,
  item,
  memorySystems,
  moved,
  order,
  picked,
  returned,
  SmallHub,
  shipped,
  smallEstate,
} from './helpers/small-hub.ts';

const DAY = '2026-03-02T10:00:00.000Z';
const database = useDatabase();
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let n = 0;

beforeAll(async () => {
  systems = memorySystems();
  // What the WMS is asked to stop it has picked already: it only hasn't said so.
  systems.wms.answer = (kind, { payload }) =>
    kind === 'fulfilment_cancel'
      ? {
          lines: (payload as { lines: { lineNo: number; quantity: number }[] }).lines.map((line) => ({
            lineNo: line.lineNo,
            cancelled: 0,
            tooLate: line.quantity,
          })),
        }
      : {};
  const estate = smallEstate();
  estate.locations.north!.returns = { inspect: true };
  estate.locations.south!.returns = { inspect: true, credit: 'receipt' };
  hub = await SmallHub.open({
    url: database.url,
    estate,
    connectors: { erp: systems.erp, wms: systems.wms, crm: systems.crm },
  });
});
afterAll(async () => {
  await hub.close();
});

/** A hundred units at a place, five of them ordered at 1.05 and known to ERP and WMS. */
async function accepted(location = 'north') {
  const no = `R${++n}`;
  const sku = `SKU-${no}`;
  await hub.seed([sku]);
  await hub.receive('wms', [moved(`in-${no}`, sku, location, 100)]);
  await hub.receive('api', [order('api', no, [{ sku, quantity: 5, unitPrice: '1.05' }])]);
  await hub.settle();
  const fulfilment = systems.wms.of('fulfilment').at(-1)!.reference;
  const { rows } = await database.pool.query('select order_id from sales_order where external_no = $1', [no]);
  const orderId = Number(rows[0].order_id);
  return { no, sku, fulfilment, orderId, lines: [{ lineNo: 1, sku, quantity: 5 }] };
}
const asked = (no: string, reference: string, quantity: number, reason?: string): InboundItem =>
  item('return/api', `${reference}/${no}`, {
    kind: 'return.requested',
    ...{ channel: 'api', order: no, reference, occurredAt: DAY, lines: [{ lineNo: 1, quantity }] },
    ...(reason !== undefined && { reason }),
  });
const came = (key: string, requestedAs: RequestedAs, sku: string, quantity: number): InboundItem =>
  item('returned/wms', key, {
    kind: 'return.received',
    ...{ returnReference: '', requestedAs, occurredAt: DAY, lines: [{ lineNo: 1, sku, quantity }] },
  });
const looked = (
  key: string,
  named: { requestedAs: RequestedAs } | { returnReference: string },
  line: Partial<ReturnInspected['lines'][number]>,
): InboundItem =>
  item('inspected/wms', key, {
    kind: 'return.inspected',
    returnReference: '',
    ...named,
    ...{ occurredAt: DAY, by: 'ann', lines: [{ lineNo: 1, restock: 0, scrap: 0, quarantine: 0, ...line }] },
  });

async function onHand(sku: string): Promise<number> {
  const { rows } = await database.pool.query(
    'select sum(on_hand)::int as units from stock_balance join sku using (sku_id) where code = $1',
    [sku],
  );
  return rows[0].units;
}

const postings = (no: string) =>
  systems.erp
    .of('return_posting')
    .map(({ payload }) => payload as OrderDocumentPayload)
    .filter((payload) => payload.order === `api/${no}`);

async function leave({ no, fulfilment, lines }: Awaited<ReturnType<typeof accepted>>): Promise<void> {
  await hub.receive('wms', [picked(`p-${no}`, fulfilment, lines), shipped(`s-${no}`, fulfilment, lines)]);
}

async function replayed(): Promise<void> {
  while ((await hub.receiver.replayAwaited()) > 0);
}

it('goods in inspection are not on hand, and the ERP hears of them once they are decided', async () => {
  const one = await accepted();
  await leave(one);
  await hub.receive('api', [asked(one.no, 'RMA', 4, 'too big')]);
  await hub.settle();
  const announced = systems.wms.of('return_announcement').at(-1)!.reference;
  await hub.receive('wms', [returned(`r-${one.no}`, announced, [{ lineNo: 1, sku: one.sku, quantity: 4 }])]);
  await hub.settle();
  expect(await onHand(one.sku)).toBe(95);
  expect(postings(one.no)).toEqual([]);
  expect(await listReturnedStock(hub.db, hub.directory, 10)).toContainEqual({
    ...{ sku: one.sku, location: 'north', inInspection: 4, quarantined: 0 },
  });
  await hub.receive('wms', [looked(`i1-${one.no}`, { returnReference: announced }, { restock: 2, quarantine: 1 })]);
  await hub.receive('wms', [
    looked(`i2-${one.no}`, { returnReference: announced }, { scrap: 1, credited: false }),
    looked(`i2-${one.no}`, { returnReference: announced }, { scrap: 1, credited: false }),
  ]);
  await hub.settle();
  expect(await onHand(one.sku)).toBe(97);
  expect(postings(one.no).map(({ lines }) => lines)).toEqual([
    [{ lineNo: 1, quantity: 2, amountMinor: 210 }],
    [{ lineNo: 1, quantity: 1, amountMinor: 0 }],
  ]);
  const [record] = await listReturns(hub.db, hub.directory, { orderId: one.orderId, limit: 10 });
  expect(record).toMatchObject({
    ...{ reference: 'RMA', reason: 'too big', state: 'received', inspection: 'before_credit' },
    lines: [{ received: 4, inInspection: 0, restocked: 2, scrapped: 1, quarantined: 1, creditMinor: 210 }],
  });
  await hub.receive('wms', [
    looked(`i3-${one.no}`, { returnReference: announced }, { restock: 1, from: 'quarantine' }),
  ]);
  await hub.settle();
  expect(await onHand(one.sku)).toBe(98);
  expect(postings(one.no).at(-1)!.lines).toEqual([{ lineNo: 1, quantity: 1, amountMinor: 105 }]);
  expect((await getReturn(hub.db, hub.directory, record!.returnId)).state).toBe('inspected');
});

it('what is credited as it comes in is not credited again when it is inspected', async () => {
  const one = await accepted('south');
  await leave(one);
  await hub.receive('api', [asked(one.no, 'RMA', 2)]);
  const requestedAs = { channel: 'api', order: one.no, reference: 'RMA' };
  await hub.receive('wms', [came(`r-${one.no}`, requestedAs, one.sku, 2)]);
  await hub.settle();
  expect(await onHand(one.sku)).toBe(95);
  expect(postings(one.no).map(({ lines }) => lines)).toEqual([[{ lineNo: 1, quantity: 2, amountMinor: 210 }]]);
  await hub.receive('wms', [looked(`i-${one.no}`, { requestedAs }, { restock: 1, scrap: 1 })]);
  await hub.settle();
  expect(await onHand(one.sku)).toBe(96);
  expect(postings(one.no)).toHaveLength(1);
});

it('more than is expected, and more than came in, are set aside and change nothing', async () => {
  const one = await accepted();
  await leave(one);
  await hub.receive('api', [asked(one.no, 'RMA', 2)]);
  const requestedAs = { channel: 'api', order: one.no, reference: 'RMA' };
  expect(await hub.receive('wms', [came(`r-${one.no}`, requestedAs, one.sku, 3)])).toMatchObject([
    { status: 'parked', class: 'over_return' },
  ]);
  expect(await hub.receive('api', [looked(`x-${one.no}`, { requestedAs }, { restock: 1 })])).toMatchObject([
    { status: 'refused', class: 'not_received' },
  ]);
  expect((await readOrders(hub.db, [one.orderId])).get(one.orderId)!.lines.get(1)).toMatchObject({
    ...{ returnExpected: 2, returned: 0 },
  });
  expect(await onHand(one.sku)).toBe(95);
});

it('goods that nobody announced are set aside with the orders that they may be of', async () => {
  const one = await accepted();
  await leave(one);
  const key = `blind-${one.no}`;
  const blind = item('returned/wms', key, {
    kind: 'return.received',
    ...{ returnReference: '', account: 'A1', occurredAt: DAY, lines: [{ lineNo: 1, sku: one.sku, quantity: 1 }] },
  });
  await hub.receive('wms', [blind]);
  const [parked] = (await listParked(hub.db, { kind: 'blind_return' })).filter((record) => record.key === key);
  expect(parked!.reason).toContain(`may be of api/${one.no} line 1 (5 of ${one.sku})`);
  expect(await onHand(one.sku)).toBe(95);
});

describe('in any order, doubled and late', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  const runs = Number(process.env.RUNS ?? 8);
  it(`${runs} orders with refund, receipts, inspections and a cancel end the same (SEED=${seed})`, async () => {
    let state = seed;
    const chance = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * below);
    };
    for (let run = 0; run < runs; run++) {
      const one = await accepted();
      const { no, sku, fulfilment, lines } = one;
      const rma = { channel: 'api', order: no, reference: `RMA-${no}` };
      const late = { channel: 'api', order: no, reference: `C-${no}` };
      const facts: [string, InboundItem][] = [
        ['wms', picked(`p-${no}`, fulfilment, lines)],
        ['wms', shipped(`s-${no}`, fulfilment, lines)],
        ['erp', invoiced(`I-${no}`, `api/${no}`, [{ lineNo: 1, quantity: 5, amountMinor: 525 }])],
        ['erp', invoiced(`N-${no}`, `api/${no}`, [{ lineNo: 1, quantity: 1, amountMinor: 105 }], 'credit_note')],
        ['shop', asked(no, rma.reference, 3)],
        ['shop', cancel('api', no, 1, 1, late.reference, sku)],
        ['wms', came(`r1-${no}`, rma, sku, 2)],
        ['wms', came(`r2-${no}`, rma, sku, 1)],
        ['wms', came(`r3-${no}`, late, sku, 1)],
        ['wms', looked(`i1-${no}`, { requestedAs: rma }, { restock: 1, scrap: 1 })],
        ['wms', looked(`i2-${no}`, { requestedAs: rma }, { quarantine: 1 })],
        ['wms', looked(`i3-${no}`, { requestedAs: rma }, { restock: 1, from: 'quarantine' })],
        ['wms', looked(`i4-${no}`, { requestedAs: late }, { restock: 1 })],
      ];
      const twice = [...facts, ...facts];
      for (let i = twice.length - 1; i > 0; i--) {
        const j = chance(i + 1);
        [twice[i], twice[j]] = [twice[j]!, twice[i]!];
      }
      for (const [system, fact] of twice) {
        await hub.receive(system, [fact]);
        if (chance(3) === 0) await hub.settle();
        if (chance(3) === 0) await replayed();
      }
      for (let round = 0; round < 3; round++) {
        await hub.settle();
        await replayed();
      }
      const found = (await readOrders(hub.db, [one.orderId])).get(one.orderId)!;
      expect(found.lines.get(1), `run ${run}`).toMatchObject({
        ...{ picked: 5, shipped: 5, cancelled: 0, cancelAsked: 0, returnExpected: 0, returned: 4, returnedMinor: 420 },
      });
      expect([...found.returns.values()].map((one) => one.state)).toEqual(['inspected', 'inspected']);
      expect(await onHand(sku), `run ${run}`).toBe(98);
      const told = postings(no).flatMap(({ lines }) => lines);
      expect(told.reduce((sum, line) => sum + line.quantity, 0)).toBe(4);
      const credited = told.reduce((sum, line) => sum + line.amountMinor, 0);
      expect([315, 420]).toContain(credited);
      expect(await listParked(hub.db, { kind: 'waiting' })).toEqual([]);
    }
  }, 120_000);

  it('and every promise holds', async () => {
    await hub.settle();
    const verdicts = await checkPromises(hub.db);
    expect(Object.entries(verdicts).filter(([, { holds }]) => !holds)).toEqual([]);
  });
});
