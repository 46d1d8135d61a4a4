/** Shipments, invoices and returns, told one by one to those who show them, and to nobody else. */
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { OrderStatusPart, OrderStatusState, StateItem } from '../src/connectors/kit/index.ts';
import { useDatabase } from './helpers/database.ts';
import type { MemorySystem } from './helpers/memory-system.ts';
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
} from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let n = 0;

// As every hub has it: what it numbers itself ends so.
beforeAll(() => database.pool.query(`update hub set reference_ending = '-ZZZZ'`));
beforeEach(() => {
  systems = memorySystems();
});
afterEach(async () => {
  await hub.close();
  await database.pool.query(`update lease set expires_at = '-infinity'; delete from publication; delete from delivery`);
});

/** A CRM that shows these parts of orders, and what it was told. */
async function open(wants: OrderStatusPart[] | undefined, takesChanges = false): Promise<StateItem[]> {
  const told: StateItem[] = [];
  const versions = new Map<string, number>();
  const crm: MemorySystem = Object.assign(systems.crm, {
    orderStatus: {
      batchMax: 10,
      takesChanges,
      ...(wants !== undefined && { wants }),
      write: async (items: readonly StateItem[]) =>
        items.map((item) => {
          told.push(structuredClone(item));
          versions.set(item.key, item.version);
          return { outcome: 'confirmed' as const };
        }),
      readBack: async () => versions,
    },
  });
  hub = await SmallHub.open({ url: database.url, connectors: { erp: systems.erp, wms: systems.wms, crm } });
  return told;
}

/** An order of ten of one SKU at 1.05, known to ERP and WMS. @returns its reference and its fulfilment's */
async function accepted(): Promise<{ no: string; sku: string; fulfilment: string }> {
  const no = `D${++n}`;
  const sku = `SKU-${no}`;
  await hub.seed([sku]);
  await hub.receive('wms', [moved(`in-${no}`, sku, 'north', 10)]);
  await hub.receive('api', [order('api', no, [{ sku, quantity: 10, unitPrice: '1.05' }])]);
  await hub.settle();
  const fulfilment = systems.wms.of('fulfilment').at(-1)!.reference;
  return { no, sku, fulfilment };
}

const stateOf = (item: StateItem | undefined) => item?.state as OrderStatusState | undefined;

async function leave(key: string, fulfilment: string, sku: string, quantity: number, rest: object = {}): Promise<void> {
  const lines = [{ lineNo: 1, sku, quantity }];
  const left = shipped(key, fulfilment, lines);
  await hub.receive('wms', [
    picked(`p-${key}`, fulfilment, lines),
    { ...left, command: { ...left.command!, ...rest } as typeof left.command },
  ]);
}

it('is whole, with tracking, carrier, amounts and parts of a return, to a system that takes no changes', async () => {
  const told = await open(['shipments', 'invoices', 'returns']);
  const { no, sku, fulfilment } = await accepted();
  expect(stateOf(told.at(-1))).toMatchObject({ shipments: [], invoices: [], returns: [] });
  const parcels = [{ tracking: 'T-1', url: 'https://carrier.example/T-1' }, { tracking: 'T-2' }];
  await leave(`${no}-1`, fulfilment, sku, 4, { tracking: 'T-1', carrier: 'Parcel Post', parcels });
  await leave(`${no}-2`, fulfilment, sku, 6, { tracking: 'T-3' });
  await hub.receive('erp', [
    invoiced(`I-${no}`, `api/${no}`, [{ lineNo: 1, quantity: 10, amountMinor: 1050 }]),
    invoiced(`N-${no}`, `api/${no}`, [{ lineNo: 1, quantity: 1, amountMinor: 105 }], 'credit_note'),
  ]);
  await hub.receive('api', [cancel('api', no, 1, 3, `back-${no}`, sku)]);
  await hub.settle();
  const announced = systems.wms.of('return_announcement').at(-1)!.reference;
  await hub.receive('wms', [returned(`r1-${no}`, announced, [{ lineNo: 1, sku, quantity: 1 }])]);
  await hub.receive('wms', [returned(`r2-${no}`, announced, [{ lineNo: 1, sku, quantity: 2 }])]);
  await hub.settle();
  const state = stateOf(told.at(-1))!;
  expect(state.shipments).toEqual([
    {
      shipment: `wms/SH-${no}-1`,
      location: 'north',
      tracking: 'T-1',
      carrier: 'Parcel Post',
      parcels,
      at: '2026-03-02T10:00:00.000Z',
      lines: [{ lineNo: 1, quantity: 4 }],
    },
    expect.objectContaining({
      shipment: `wms/SH-${no}-2`,
      tracking: 'T-3',
      carrier: null,
      parcels: [{ tracking: 'T-3' }],
      lines: [{ lineNo: 1, quantity: 6 }],
    }),
  ]);
  expect(state.invoices?.map(({ at: _, ...invoice }) => invoice)).toEqual([
    { document: 'invoice', reference: `erp/I-${no}`, number: `I-${no}`, currency: 'GBP', amountMinor: 1050 },
    { document: 'credit_note', reference: `erp/N-${no}`, number: `N-${no}`, currency: 'GBP', amountMinor: 105 },
  ]);
  const back = state.returns!;
  expect(back.map((part) => [part.return, part.lines])).toEqual([
    [announced, [{ lineNo: 1, quantity: 1, amountMinor: 105 }]],
    [announced, [{ lineNo: 1, quantity: 2, amountMinor: 210 }]],
  ]);
  expect(back.map(({ reference }) => reference)).toEqual(
    systems.erp.of('return_posting').map(({ reference }) => reference),
  );
  // Named as the ERP was told of them.
  expect(back.map(({ reference }) => reference)).toEqual(
    systems.erp.of('return_posting').map(({ reference }) => reference),
  );
  expect(state.lines).toMatchObject([{ shipped: 10, invoiced: 10, returned: 3 }]);
});

it('is only what came since, to a system that takes changes, and all of it when it holds nothing', async () => {
  const told = await open(['shipments', 'invoices'], true);
  const { no, sku, fulfilment } = await accepted();
  await leave(`${no}-1`, fulfilment, sku, 4);
  await hub.settle();
  await leave(`${no}-2`, fulfilment, sku, 6);
  await hub.settle();
  await hub.receive('erp', [invoiced(`I-${no}`, `api/${no}`, [{ lineNo: 1, quantity: 10, amountMinor: 1050 }])]);
  await hub.settle();
  const shown = (item: StateItem | undefined) => {
    const state = stateOf(item)!;
    return [state.shipments!.map(({ shipment }) => shipment), state.invoices!.map(({ number }) => number)];
  };
  expect(told.slice(-3).map(shown)).toEqual([
    [[`wms/SH-${no}-1`], []],
    [[`wms/SH-${no}-2`], []],
    [[], [`I-${no}`]],
  ]);
  expect(told.slice(-3).every(({ base }) => base > 0)).toBe(true);
  expect(stateOf(told.at(-1))).not.toHaveProperty('returns');
  await database.pool.query('update publication set confirmed_version = 0, version = version + 1');
  await hub.settle();
  expect(shown(told.at(-1))).toEqual([[`wms/SH-${no}-1`, `wms/SH-${no}-2`], [`I-${no}`]]);
});

it('costs nothing where nobody shows it: no statement more, nothing told', async () => {
  const told = await open(undefined);
  const { no, sku, fulfilment } = await accepted();
  const asked: string[] = [];
  const { query } = hub.db;
  hub.db.query = function (this: typeof hub.db, statement: { name: string }, ...rest: never[]) {
    asked.push(statement.name);
    return (query as (...all: unknown[]) => unknown).call(this, statement, ...rest);
  } as typeof hub.db.query;
  await leave(`${no}-1`, fulfilment, sku, 4, { tracking: 'T-1' });
  await hub.settle();
  expect(stateOf(told.at(-1))).toMatchObject({ lines: [{ shipped: 4 }] });
  expect(Object.keys(told.at(-1)!.state as object)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(shipments|invoices|returns)$/)]),
  );
  expect(asked.filter((name) => name.startsWith('orders_read_told'))).toEqual(['orders_read_told_lines']);
});

it('is the same when the WMS says it twice', async () => {
  const told = await open(['shipments']);
  const { no, sku, fulfilment } = await accepted();
  await leave(`${no}-1`, fulfilment, sku, 4, { tracking: 'T-1' });
  await hub.settle();
  const before = told.length;
  await leave(`${no}-1`, fulfilment, sku, 4, { tracking: 'T-1' });
  await hub.settle();
  expect(told.length).toBe(before);
  expect(stateOf(told.at(-1))!.shipments).toHaveLength(1);
});
