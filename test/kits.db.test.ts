/** Kits through all rooms: what is ordered is the kit, what is set aside, picked and paid for is what it is made of, and both always agree. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { putKits, putPrices, putProducts } from '../src/master/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { followBackorders, planRerun, sweepBackorders } from '../src/orders/index.ts';
import { useDatabase } from './helpers/database.ts';
import type { MemorySystem } from './helpers/memory-system.ts';
import { ModelChannel } from './helpers/model-channel.ts';
import { balances, orderState, violations } from './helpers/promises.ts';
import {
  cancel,
  changed,
  invoiced,
  item,
  memorySystems,
  moved,
  order,
  orderCancelled,
  picked,
  returned,
  SmallHub,
  shipped,
  shortPicked,
  smallEstate,
  withAvailability,
} from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let n = 0;
let keys = 0;
const sku = { kit: '', set: '', a: '', b: '', c: '' };
const A = 100_001;
const B = 100_002;

beforeEach(async () => {
  n++;
  Object.assign(sku, { kit: `KIT${n}`, set: `SET${n}`, a: `A${n}`, b: `B${n}`, c: `C${n}` });
  await open();
});
afterEach(async () => {
  expect(hub.errors).toEqual([]);
  expect(await violations(database.pool)).toEqual({});
  const broken = Object.entries(await checkPromises(hub.db)).filter(([, { holds }]) => !holds);
  expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  await end();
});
async function open(channels: Parameters<typeof smallEstate>[0] = {}): Promise<void> {
  systems = memorySystems();
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate: smallEstate(channels) });
  await hub.seed([sku.kit, sku.set, sku.a, sku.b, sku.c]);
  await made(sku.kit, [sku.a, 1], [sku.b, 2]);
}
async function end(): Promise<void> {
  await hub.leases.stop();
  await hub.close();
}
const made = (kit: string, ...parts: [code: string, quantity: number][]) =>
  putKits(hub.db, [{ sku: kit, kit: parts.map(([code, quantity]) => ({ sku: code, quantity })) }]);
const no = () => `N${n}`;
const arrive = async (...stock: [code: string, location: string, quantity: number][]) => {
  await hub.receive('wms', stock.map(([code, location, quantity]) => moved(`k${++keys}`, code, location, quantity))); // biome-ignore format: one call
};
const submit = (lines: [code: string, quantity: number, unitPrice?: string][], name = no(), channel = 'api', rest = {}) =>
  hub.receive(channel, [
    order(channel, name, lines.map(([code, quantity, unitPrice = '10.00']) => ({ sku: code, quantity, unitPrice })), rest),
  ]); // biome-ignore format: one call
const ordered = async (...lines: [code: string, quantity: number, unitPrice?: string][]) =>
  expect(await submit(lines)).toMatchObject([{ status: 'applied' }]);
const state = (name = no(), channel = 'api') => orderState(database.pool, channel, name);
const shelves = async (...codes: string[]) =>
  (await Promise.all(codes.map((code) => balances(database.pool, code)))).flat();
type Told = { reference: string; order?: string; totalMinor?: number; lines: Record<string, unknown>[] };
const told = (system: MemorySystem, kind: string, name = no(), channel = 'api') =>
  system
    .of(kind)
    .map(({ payload }) => payload as Told)
    .filter(({ order: of, reference }) => (of ?? reference) === `${channel}/${name}`);
const seen = (system: MemorySystem = systems.crm, name = no(), channel = 'api') =>
  system.states.get(`order_status ${channel}/${name}`)!.state as {
    status: string;
    totalMinor: number;
    lines: object[];
  };
const fulfilment = (i = 0) => told(systems.wms, 'fulfilment')[i]!.reference;

describe('an order of kits', () => {
  it('is told to the ERP as what it is made of at shares of the kit’s price, to the WMS as what is picked, and to who ordered in kits', async () => {
    await putPrices(hub.db, hub.directory, [
      { sku: sku.a, company: 'acme', currency: 'GBP', unitPrice: '6.00' },
      { sku: sku.b, company: 'acme', currency: 'GBP', unitPrice: '3.00' },
    ] as never);
    await arrive([sku.a, 'north', 5], [sku.b, 'north', 10], [sku.c, 'north', 1]);
    await ordered([sku.kit, 3, '9.99'], [sku.c, 1, '2.50']);
    expect(await state()).toEqual([
      'accepted',
      '1: 3 refused 3',
      '2: 1 allocated 1',
      `${A}: 3 allocated 3`,
      `${B}: 6 allocated 6`,
    ]);
    await hub.settle();
    const [sold] = told(systems.erp, 'sales_order');
    expect(sold).toMatchObject({
      totalMinor: 3247,
      lines: [
        { lineNo: 2, sku: sku.c, amountMinor: 250 },
        { lineNo: A, sku: sku.a, quantity: 3, unitPrice: '5.01', standsFor: 1, perUnit: 1, amountMinor: 1503 },
        { lineNo: B, sku: sku.b, quantity: 6, unitPrice: '2.49', standsFor: 1, perUnit: 2, amountMinor: 1494 },
      ],
    });
    expect(told(systems.wms, 'fulfilment')).toMatchObject([
      {
        lines: [
          { lineNo: A, sku: sku.a, quantity: 3 },
          { lineNo: B, sku: sku.b, quantity: 6 },
          { lineNo: 2, quantity: 1 },
        ],
      },
    ]);
    expect(seen()).toMatchObject({
      ...{ status: 'released', totalMinor: 3247 },
      lines: [
        { lineNo: 1, sku: sku.kit, quantity: 3, amountMinor: 2997, backordered: 0, refused: 0, shipped: 0 },
        { lineNo: 2 },
      ],
    });
    // A kit has left when all of it has; what it costs is told with each part.
    const all = [
      { lineNo: 2, sku: sku.c, quantity: 1 },
      { lineNo: A, sku: sku.a, quantity: 3 },
      { lineNo: B, sku: sku.b, quantity: 6 },
    ];
    await hub.receive('wms', [
      picked(`p${n}`, fulfilment(), all),
      shipped(`s${n}`, fulfilment(), [
        { lineNo: A, sku: sku.a, quantity: 3 },
        { lineNo: B, sku: sku.b, quantity: 3 },
      ]),
    ]);
    await hub.settle();
    expect(seen().lines).toMatchObject([{ shipped: 1 }, { shipped: 0 }]);
    await hub.receive('wms', [
      shipped(`t${n}`, fulfilment(), [
        { lineNo: B, sku: sku.b, quantity: 3 },
        { lineNo: 2, sku: sku.c, quantity: 1 },
      ]),
    ]);
    await hub.settle();
    expect(seen()).toMatchObject({ status: 'shipped', lines: [{ shipped: 3 }, { shipped: 1 }] });
    const posted = told(systems.erp, 'shipment_posting').flatMap(({ lines }) =>
      lines.map(({ amountMinor }) => amountMinor as number),
    );
    expect(posted.reduce((sum, amount) => sum + amount, 0)).toBe(3247);
    await hub.receive('erp', [
      invoiced(`I${n}`, `api/${no()}`, [
        { lineNo: A, quantity: 3, amountMinor: 1503 },
        { lineNo: B, quantity: 6, amountMinor: 1494 },
        { lineNo: 2, quantity: 1, amountMinor: 250 },
      ]),
    ]);
    await hub.settle();
    expect(seen()).toMatchObject({ status: 'closed', lines: [{ invoiced: 3 }, {}] });
    expect(await shelves(sku.a, sku.b)).toEqual(['north 2/0/0/0', 'north 4/0/0/0']);
  });

  it('made of kits is made of what those are made of; the same part over two ways is one', async () => {
    await made(sku.set, [sku.kit, 2], [sku.b, 1], [sku.c, 1]);
    await arrive([sku.a, 'north', 9], [sku.b, 'north', 12], [sku.c, 'north', 9]);
    await ordered([sku.set, 2], [sku.b, 1], [sku.kit, 1]);
    expect(await shelves(sku.a, sku.b, sku.c)).toEqual(['north 9/0/4/0', 'north 12/0/11/0', 'north 9/0/2/0']);
    await hub.settle();
    expect(seen().lines).toMatchObject([{ backordered: 0 }, { backordered: 0 }, { backordered: 1 }]);
    expect(told(systems.erp, 'sales_order')[0]!.totalMinor).toBe(4000);
  });

  it('waits for whole ones, and gets them when the last part of each comes', async () => {
    await arrive([sku.a, 'north', 5]);
    await ordered([sku.kit, 4]);
    expect(await shelves(sku.a)).toEqual(['north 5/0/0/0']);
    await hub.follow();
    await arrive([sku.b, 'south', 5]);
    await hub.follow();
    expect(await shelves(sku.a, sku.b)).toEqual(['north 5/0/2/0', 'south 5/0/4/0']);
    await hub.settle();
    expect(seen().lines).toMatchObject([{ quantity: 4, backordered: 2 }]);
    // What is free of one part alone serves nobody, and is looked at by nobody; a rerun leaves kits as they are.
    expect(
      (
        await planRerun(
          hub.db,
          hub.deps,
          [sku.a, sku.b].map((code) => hub.sku(code)),
        )
      ).lines,
    ).toBe(0);
    await arrive([sku.a, 'west', 7]);
    await hub.follow();
    expect(await sweepBackorders(hub.db, hub.deps)).toBe(0);
    await arrive([sku.b, 'north', 9]);
    expect(await sweepBackorders(hub.db, hub.deps)).toBe(1);
    expect((await state()).slice(2)).toEqual([`${A}: 4 allocated 4`, `${B}: 8 allocated 8`]);
  });

  it('is cancelled in kits, at whatever stage each part is, and gives everything back once', async () => {
    await arrive([sku.a, 'north', 4], [sku.b, 'north', 8]);
    await ordered([sku.kit, 5, '1.335']);
    await hub.receive('api', [cancel('api', no(), 1, 2, `c${n}`, sku.kit)]);
    expect(await shelves(sku.a, sku.b)).toEqual(['north 4/0/3/0', 'north 8/0/6/0']);
    await hub.settle();
    await hub.receive('wms', [picked(`p${n}`, fulfilment(), [{ lineNo: A, sku: sku.a, quantity: 1 }])]);
    await hub.receive('api', [orderCancelled('api', no(), `w${n}`)]);
    await hub.settle();
    expect(await state()).toEqual([
      'released',
      '1: 5 refused 5',
      `${A}: 5 picked 1 cancelled 4 return_expected 1`,
      `${B}: 10 cancelled 10`,
    ]);
    const [announced] = told(systems.wms, 'return_announcement');
    await hub.receive('wms', [returned(`r${n}`, announced!.reference, [{ lineNo: A, sku: sku.a, quantity: 1 }])]);
    await hub.settle();
    expect(await shelves(sku.a, sku.b)).toEqual(['north 4/0/0/0', 'north 8/0/0/0']);
    const amounts = [...told(systems.erp, 'order_cancellation'), ...told(systems.erp, 'return_posting')]
      .flatMap(({ lines }) => lines)
      .reduce((sum, line) => sum + (line.amountMinor as number), 0);
    expect(amounts).toBe(told(systems.erp, 'sales_order')[0]!.totalMinor);
    expect(amounts).toBe(668);
    expect(await hub.receive('api', [cancel('api', no(), A, 1, `d${n}`, sku.a)])).not.toMatchObject([
      { status: 'applied' },
    ]);
  });

  it('is changed in kits: lowered, raised, exchanged for another SKU', async () => {
    await arrive([sku.a, 'north', 9], [sku.b, 'north', 18], [sku.c, 'north', 9]);
    await ordered([sku.kit, 4]);
    await hub.settle();
    const change = async (lines: Parameters<typeof changed>[3]) =>
      (await hub.receive('api', [changed('api', no(), `ch${++keys}`, lines)], { onFault: 'refuse' }))[0]!;
    expect(await change([[1, 3]])).toMatchObject({
      status: 'applied',
      events: [{ lines: [{ asked: 1, before: 4 }] }, {}, {}],
    });
    await hub.settle();
    expect(seen().lines).toMatchObject([{ quantity: 4, cancelled: 1 }]);
    expect(await change([[1, 6]])).toMatchObject({ status: 'applied', events: [{ lines: [{ before: 3, added: { skuId: hub.sku(sku.kit), quantity: 3 } }] }, {}] }); // biome-ignore format: a row
    await hub.settle();
    expect(seen()).toMatchObject({
      totalMinor: 7000,
      lines: [{ sku: sku.kit, quantity: 7, cancelled: 1, amountMinor: 7000 }],
    });
    expect(told(systems.erp, 'order_change')).toMatchObject([
      {
        totalMinor: 3000,
        lines: [
          { sku: sku.a, quantity: 3, perUnit: 1, addsTo: 1 },
          { sku: sku.b, quantity: 6, perUnit: 2, addsTo: 1 },
        ],
      },
    ]);
    expect(told(systems.wms, 'fulfilment')).toHaveLength(2);
    expect(await shelves(sku.a, sku.b)).toEqual(['north 9/0/6/0', 'north 18/0/12/0']);
    expect(await change([[A, 9]])).toMatchObject({ class: 'line_taken' });
    await change([[1, 0], { sku: sku.c, quantity: 2, unitPrice: '1.00' }]);
    await hub.settle();
    expect(seen().lines).toMatchObject([
      { quantity: 7, cancelled: 7 },
      { sku: sku.c, quantity: 2 },
    ]);
    expect(await shelves(sku.a, sku.b)).toEqual(['north 9/0/0/0', 'north 18/0/0/0']);
  });

  it('comes back in kits and in parts: restocked once, credited by share', async () => {
    await arrive([sku.a, 'north', 3], [sku.b, 'north', 6]);
    await ordered([sku.kit, 3, '10.01']);
    await hub.settle();
    const all = [
      { lineNo: A, sku: sku.a, quantity: 3 },
      { lineNo: B, sku: sku.b, quantity: 6 },
    ];
    await hub.receive('wms', [picked(`p${n}`, fulfilment(), all), shipped(`s${n}`, fulfilment(), all)]);
    const ask = (lineNo: number, quantity: number, reference: string) =>
      hub.receive('api', [
        item('return/api', `${no()}/${reference}`, {
          kind: 'return.requested',
          channel: 'api',
          order: no(),
          reference,
          occurredAt: '2026-03-05T10:00:00.000Z',
          lines: [{ lineNo, quantity }],
        } as never),
      ]);
    expect(await ask(B, 1, `r1-${n}`)).toMatchObject([{ status: 'applied' }]);
    expect(await ask(1, 2, `r2-${n}`)).toMatchObject([{ status: 'applied' }]);
    await hub.settle();
    const announced = told(systems.wms, 'return_announcement');
    expect(announced.map(({ lines }) => lines.map(({ lineNo, quantity }) => `${lineNo} ${quantity}`))).toEqual([
      [`${B} 1`],
      [`${A} 2`, `${B} 3`],
    ]);
    const back = [
      returned(`b1-${n}`, announced[0]!.reference, [{ lineNo: B, sku: sku.b, quantity: 1 }]),
      returned(`b2-${n}`, announced[1]!.reference, [
        { lineNo: A, sku: sku.a, quantity: 2 },
        { lineNo: B, sku: sku.b, quantity: 3 },
      ]),
    ];
    await hub.receive('wms', back);
    await hub.receive('wms', back);
    await hub.settle();
    expect(await shelves(sku.a, sku.b)).toEqual(['north 2/0/0/0', 'north 4/0/0/0']);
    expect(seen().lines).toMatchObject([{ shipped: 3, returned: 2 }]);
    const credited = told(systems.erp, 'return_posting')
      .flatMap(({ lines }) => lines)
      .reduce((sum, line) => sum + (line.amountMinor as number), 0);
    expect(credited).toBe(2002);
  });

  it('taxed and inspected: tax goes with the parts, and a kit is on hand when all of it is', async () => {
    await end();
    systems = memorySystems();
    const estate = smallEstate();
    estate.locations.north!.returns = { inspect: true };
    hub = await SmallHub.open({ url: database.url, connectors: systems, estate });
    await hub.seed([sku.kit, sku.set, sku.a, sku.b, sku.c]);
    await made(sku.kit, [sku.a, 1], [sku.b, 2]);
    await arrive([sku.a, 'north', 3], [sku.b, 'north', 6]);
    const tax = { lineNo: 1, code: 'VAT', rate: '20', baseMinor: 2997, taxMinor: 599 };
    expect(await submit([[sku.kit, 3, '9.99']], no(), 'api', { taxes: [tax] })).toMatchObject([{ status: 'applied' }]);
    await hub.settle();
    const [sold] = told(systems.erp, 'sales_order');
    expect(sold!.lines.reduce((sum, line) => sum + (line.taxMinor as number), 0)).toBe(599);
    const all = [
      { lineNo: A, sku: sku.a, quantity: 3 },
      { lineNo: B, sku: sku.b, quantity: 6 },
    ];
    await hub.receive('wms', [picked(`p${n}`, fulfilment(), all), shipped(`s${n}`, fulfilment(), all)]);
    await hub.receive('api', [
      item('return/api', `${no()}/r`, {
        ...{ kind: 'return.requested', channel: 'api', order: no(), reference: `r${n}` },
        ...{ occurredAt: '2026-03-05T10:00:00.000Z', lines: [{ lineNo: 1, quantity: 2 }] },
      } as never),
    ]);
    await hub.settle();
    const { reference } = told(systems.wms, 'return_announcement')[0]!;
    await hub.receive('wms', [
      returned(`b${n}`, reference, [
        { lineNo: A, sku: sku.a, quantity: 2 },
        { lineNo: B, sku: sku.b, quantity: 4 },
      ]),
    ]);
    const look = (lineNo: number, restock: number, scrap: number) =>
      hub.receive('wms', [
        item('inspected/wms', `l${++keys}`, {
          ...{
            kind: 'return.inspected',
            returnReference: reference,
            occurredAt: '2026-03-06T10:00:00.000Z',
            by: 'ann',
          },
          lines: [{ lineNo, restock, scrap, quarantine: 0 }],
        } as never),
      ]);
    const inspected = () => (seen().lines[0] as { inspected: object }).inspected;
    await hub.settle();
    expect(inspected()).toEqual({ inInspection: 2, restocked: 0, scrapped: 0, quarantined: 0 });
    await look(A, 2, 0);
    await look(B, 1, 1);
    await hub.settle();
    expect(inspected()).toEqual({ inInspection: 1, restocked: 0, scrapped: 1, quarantined: 0 });
    await look(B, 2, 0);
    await hub.settle();
    expect(inspected()).toEqual({ inInspection: 0, restocked: 1, scrapped: 1, quarantined: 0 });
    expect(await shelves(sku.a, sku.b)).toEqual(['north 2/0/0/0', 'north 3/0/0/0']);
  });

  it('whose part is not found gets it elsewhere, or lends the others back until it is there', async () => {
    await arrive([sku.a, 'north', 3], [sku.b, 'north', 6], [sku.b, 'south', 1]);
    await ordered([sku.kit, 3]);
    await hub.settle();
    const later = (minutes: number) => new Date(Date.UTC(2026, 2, 3, 12, minutes)).toISOString();
    await hub.receive('wms', [
      shortPicked(`sp1-${n}`, fulfilment(), [{ lineNo: B, sku: sku.b, quantity: 1 }], later(0)),
    ]);
    expect((await state()).slice(2)).toEqual([`${A}: 3 allocated 3`, `${B}: 6 allocated 6`]);
    await hub.receive('wms', [
      shortPicked(`sp2-${n}`, fulfilment(), [{ lineNo: B, sku: sku.b, quantity: 1 }], later(1)),
    ]);
    await hub.settle();
    // The kit that can't be made up lends back both of its parts.
    expect((await state()).slice(2)).toEqual([
      `${A}: 3 allocated 2 backordered 1`,
      `${B}: 6 allocated 4 backordered 2`,
    ]);
    expect(seen().lines).toMatchObject([{ backordered: 1 }]);
    await followBackorders(hub.db, hub.deps);
    expect((await state()).slice(2)).toEqual([
      `${A}: 3 allocated 2 backordered 1`,
      `${B}: 6 allocated 4 backordered 2`,
    ]);
    await arrive([sku.b, 'west', 2]);
    await hub.follow();
    await hub.settle();
    expect(seen().lines).toMatchObject([{ backordered: 0 }]);
    expect((await state()).slice(2)).toEqual([`${A}: 3 allocated 3`, `${B}: 6 allocated 6`]);
  });
});

describe('what is not accepted', () => {
  it('is a kit with a part that is discontinued, and waiting for one that is phased out', async () => {
    await arrive([sku.a, 'north', 3], [sku.b, 'north', 6]);
    await putProducts(hub.db, [{ sku: sku.b, lifecycle: 'phase_out' }]);
    expect(await submit([[sku.kit, 4]], `${no()}x`)).toMatchObject([{ status: 'refused', class: 'product_phase_out' }]);
    await ordered([sku.kit, 1]);
    await putProducts(hub.db, [{ sku: sku.b, lifecycle: 'discontinued' }]);
    expect(await submit([[sku.kit, 1]], `${no()}y`)).toMatchObject([
      { status: 'refused', class: 'product_discontinued' },
    ]);
    expect(await shelves(sku.a, sku.b)).toEqual(['north 3/0/1/0', 'north 6/0/2/0']);
    await putProducts(hub.db, [{ sku: sku.b, lifecycle: 'active' }]);
  });

  it('is a unit that doesn’t convert, and more than can be counted', async () => {
    const line = { sku: sku.kit, quantity: 2, unit: 'pallet', unitPrice: '1.00' };
    expect(await hub.receive('api', [order('api', no(), [line])])).toMatchObject([
      { status: 'refused', class: 'unknown_unit' },
    ]);
    await made(sku.set, [sku.a, 1_000_000]);
    expect(await submit([[sku.set, 1_001]])).toMatchObject([{ status: 'refused', class: 'quantity_too_large' }]);
  });
});

describe('dated supply', () => {
  it('of all parts is promised to whole kits, and serves them when it comes', async () => {
    await end();
    systems = memorySystems();
    const estate = smallEstate();
    hub = await SmallHub.open({
      ...{ url: database.url, connectors: systems },
      estate: smallEstate({ api: { ...estate.channels.api!, horizonDays: 60 } as never }),
    });
    await hub.seed([sku.kit, sku.set, sku.a, sku.b, sku.c]);
    await made(sku.kit, [sku.a, 1], [sku.b, 2]);
    const dueAt = new Date(Date.now() + 86_400_000 * 5).toISOString();
    const announce = (code: string, quantity: number) =>
      item('supply/erp', `${code}-po`, {
        kind: 'supply.announced',
        ...{
          supply: `PO-${code}`,
          sku: code,
          location: 'north',
          quantity,
          dueAt,
          announcedAt: '2026-03-01T00:00:00.000Z',
        },
      } as never);
    await hub.receive('erp', [announce(sku.a, 4), announce(sku.b, 6)]);
    await ordered([sku.kit, 4]);
    const committed = await database.pool.query(
      `select s.code, sum(c.quantity)::int as units from supply_commitment c join supply using (supply_id) join sku s using (sku_id)
        where s.code = any($1) group by 1 order by 1`,
      [[sku.a, sku.b]],
    );
    expect(committed.rows).toEqual([
      { code: sku.a, units: 3 },
      { code: sku.b, units: 6 },
    ]);
    await arrive([sku.a, 'north', 4], [sku.b, 'north', 6]);
    await hub.follow();
    expect((await state()).slice(2)).toEqual([
      `${A}: 4 allocated 3 backordered 1`,
      `${B}: 8 allocated 6 backordered 2`,
    ]);
  });
});

describe('two at once', () => {
  it('a kit and a single sale race for the last of a part: exactly one gets it', async () => {
    const other = await SmallHub.open({ url: database.url, connectors: {}, estate: smallEstate() });
    await other.directory.loadSkus([sku.kit, sku.b]);
    try {
      for (let round = 0; round < 5; round++) {
        await arrive([sku.a, 'north', 1], [sku.b, 'north', 2]);
        const names = [`${no()}k${round}`, `${no()}s${round}`];
        await Promise.all([
          submit([[sku.kit, 1]], names[0]),
          other.receive('api', [order('api', names[1]!, [{ sku: sku.b, quantity: 1 }])]),
        ]);
        const kit = (await state(names[0])).slice(2);
        const single = (await state(names[1])).slice(1);
        const kitHas = kit[0] === `${A}: 1 allocated 1`;
        expect(kit).toEqual(
          kitHas ? [`${A}: 1 allocated 1`, `${B}: 2 allocated 2`] : [`${A}: 1 backordered 1`, `${B}: 2 backordered 2`],
        );
        expect(single).toEqual([kitHas ? '1: 1 backordered 1' : '1: 1 allocated 1']);
        // Everything goes back for the next round.
        for (const name of names) await hub.receive('api', [orderCancelled('api', name, `all-${name}`)]);
        await hub.receive('wms', [moved(`o${++keys}`, sku.a, 'north', -1), moved(`o${++keys}`, sku.b, 'north', -2)]);
        expect(await shelves(sku.a, sku.b)).toEqual([]);
      }
    } finally {
      await other.close();
    }
  });
});

// Last: what was shown at that risk is what no other estate would show.
describe('a channel that sells by itself', () => {
  let shop: ModelChannel;
  const reopen = async (rest: object) => {
    await end();
    shop = new ModelChannel('shop', 'net_available', `shop${n}`);
    systems = memorySystems();
    withAvailability(systems.shop, shop.sink);
    const estate = smallEstate();
    const both = smallEstate({ shop: { ...estate.channels.shop!, ...rest } as never, marketplace: undefined as never });
    delete both.channels.marketplace;
    hub = await SmallHub.open({ url: database.url, connectors: systems, estate: both });
    await hub.seed([sku.kit, sku.set, sku.a, sku.b, sku.c]);
    await made(sku.kit, [sku.a, 1], [sku.b, 2]);
  };
  const read = async () => hub.receive('shop', shop.sales.map(({ item: one }) => one)); // biome-ignore format: all of them

  it('is shown none of them: nothing could be set aside for them', async () => {
    await reopen({});
    await arrive([sku.a, 'north', 5], [sku.b, 'north', 4]);
    await hub.settle();
    expect([shop.available(sku.a), shop.available(sku.b), shop.available(sku.kit)]).toEqual([5, 4, 0]);
    const rows = await database.pool.query(
      `select shown::int from channel_number join sku s using (sku_id) where s.code = $1`,
      [sku.kit],
    );
    expect(rows.rows).toEqual([{ shown: 0 }]);
  });

  it('at shared risk is shown as many kits as what it has of each part makes, and they move with them', async () => {
    await reopen({ risk: 'shared' });
    await arrive([sku.a, 'north', 5], [sku.b, 'north', 4]);
    await hub.settle();
    expect([shop.available(sku.a), shop.available(sku.b), shop.available(sku.kit)]).toEqual([5, 4, 2]);
    await arrive([sku.b, 'south', 3]);
    await hub.settle();
    expect(shop.available(sku.kit)).toBe(3);
    shop.sell(sku.kit, 2);
    expect(await read()).toMatchObject([{ status: 'applied' }]);
    const name = `shop${n}-1`;
    expect((await state(name, 'shop')).slice(2)).toEqual([`${A}: 2 allocated 2`, `${B}: 4 allocated 4`]);
    await hub.settle();
    // What was sold as kits is not sold again as what they are made of.
    expect([shop.available(sku.a), shop.available(sku.b), shop.available(sku.kit)]).toEqual([3, 3, 1]);
    expect(seen(systems.shop, name, 'shop').lines).toMatchObject([{ quantity: 2, backordered: 0 }]);
    // Another channel's order for a part moves it as well.
    await hub.receive('wms', [moved(`l${++keys}`, sku.b, 'south', -2)]);
    await hub.settle();
    expect(shop.available(sku.kit)).toBe(0);
  });
});
