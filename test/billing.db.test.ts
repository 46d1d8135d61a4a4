/** Charges and tax on invoices and credit notes: once, in parts that add up, and never more than was agreed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DocumentPosted, InboundItem } from '../src/canonical/index.ts';
import type { OrderDocumentPayload, OrderStatusState } from '../src/connectors/kit/index.ts';
import { checkPromises } from '../src/ops/index.ts';
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
import { judgeBills } from './observer/promises/bills.ts';
import { connectHub, readNames } from './observer/promises/hub.ts';
import { newPromises } from './observer/promises/world.ts';

const DAY = '2026-03-02T10:00:00.000Z';
const database = useDatabase();
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let n = 0;
let no = '';
let sku = '';

beforeAll(async () => {
  systems = memorySystems();
  const { erp, wms, crm } = systems;
  const asks = { company: 'acme', sells: 'asks' as const, locations: ['north'] };
  const estate = smallEstate({
    shop: { ...smallEstate().channels.shop!, onOversold: { policy: 'hold' } },
    api: asks,
    shares: {
      ...asks,
      charges: {
        freight: { onCancel: 'share', onReturn: 'share' },
        restockingFee: { percent: '10', code: 'FEE', exceptReasons: ['damaged'] },
      },
    },
    looks: { ...asks, returns: { inspect: true }, charges: { freight: { onReturn: 'share' } } },
  });
  hub = await SmallHub.open({ url: database.url, estate, connectors: { erp, wms, crm } });
});
afterAll(() => hub.close());
beforeEach(async () => {
  no = `B${++n}`;
  sku = `SKU-${no}`;
  await hub.seed([sku]);
  await hub.receive('wms', [moved(`in-${no}`, sku, 'north', 1_000)]);
});

const freight = { kind: 'freight' as const, code: 'STD', amountMinor: 500 };
const promo = { kind: 'allowance' as const, code: 'PROMO', amountMinor: -100 };

/** Ten at 1.50, freight of 5.00, 1.00 off, and 20 % of all that. */
async function ordered(channel = 'api', quantity = 10): Promise<string> {
  const taxes = [{ code: 'VAT', rate: '20', baseMinor: quantity * 150 + 400, taxMinor: quantity * 30 + 80 }];
  const charged = { charges: [freight, promo], taxes };
  expect(
    await hub.receive(channel, [order(channel, no, [{ sku, quantity, unitPrice: '1.50' }], charged)]),
  ).toMatchObject([{ status: 'applied' }]);
  await hub.settle();
  return systems.wms.of('fulfilment').at(-1)!.reference;
}

async function leave(fulfilment: string, quantity: number, key: string): Promise<void> {
  const lines = [{ lineNo: 1, sku, quantity }];
  await hub.receive('wms', [picked(`p-${no}-${key}`, fulfilment, lines), shipped(`s-${no}-${key}`, fulfilment, lines)]);
  await hub.settle();
}

type Posted = Partial<Pick<DocumentPosted, 'charges' | 'taxMinor'>>;
function posted(
  channel: string,
  key: string,
  lines: DocumentPosted['lines'],
  { charges = [], ...rest }: Posted = {},
  document: DocumentPosted['document'] = 'invoice',
): InboundItem {
  const { command, ...draft } = invoiced(`${key}-${no}`, `${channel}/${no}`, lines, document);
  const totalMinor = [...lines, ...charges].reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  return { ...draft, command: { ...(command as DocumentPosted), totalMinor, charges, ...rest } };
}

/** As the ERP was told of this order, goods and charges apart. */
function told(kind: string, channel = 'api') {
  return systems.erp
    .of(kind)
    .map(({ payload }) => payload as OrderDocumentPayload)
    .filter((payload) => payload.order === `${channel}/${no}`)
    .map(({ lines, charges = [] }) => ({
      goods: lines.map(({ quantity, amountMinor, taxMinor }) => [quantity, amountMinor, taxMinor]),
      charges: charges.map(({ kind, code, amountMinor, taxMinor }) => [kind, code, amountMinor, taxMinor]),
    }));
}

const shown = (channel = 'api') => systems.crm.states.get(`order_status ${channel}/${no}`)!.state as OrderStatusState;
const broken = async (): Promise<string[]> =>
  Object.values(await checkPromises(hub.db)).flatMap(({ holds, examples }) => (holds ? [] : examples));

it('several invoices of one order have its freight once, and its allowance by the goods', async () => {
  const fulfilment = await ordered();
  await leave(fulfilment, 3, '1');
  await leave(fulfilment, 7, '2');
  expect(told('shipment_posting')).toEqual([
    {
      goods: [[3, 450, 90]],
      charges: [
        ['freight', 'STD', 500, 100],
        ['allowance', 'PROMO', -30, -6],
      ],
    },
    { goods: [[7, 1050, 210]], charges: [['allowance', 'PROMO', -70, -14]] },
  ]);
  // One says the tax of each part, the other that of the whole paper.
  await hub.receive('erp', [
    posted('api', 'I1', [{ lineNo: 1, quantity: 3, amountMinor: 450, taxMinor: 90 }], {
      charges: [
        { charge: 1, amountMinor: 500, taxMinor: 100 },
        { code: 'PROMO', amountMinor: -30, taxMinor: -6 },
      ],
    }),
    posted('api', 'I2', [{ lineNo: 1, quantity: 7, amountMinor: 1050 }], {
      ...{ charges: [{ code: 'PROMO', amountMinor: -70 }], taxMinor: 196 },
    }),
  ]);
  await hub.settle();
  expect(shown()).toMatchObject({
    status: 'closed',
    charges: [
      { kind: 'freight', amountMinor: 500, dueMinor: 500, invoicedMinor: 500, cancelledMinor: 0, creditedMinor: 0 },
      { kind: 'allowance', amountMinor: -100, dueMinor: -100, invoicedMinor: -100 },
    ],
  });
  const { rows } = await database.pool.query(
    `select invoice_no, total_minor, tax_minor, lines, charges from invoice where order_id = (select order_id from sales_order where external_no = $1) order by 1`,
    [no],
  );
  expect(rows).toMatchObject([
    { total_minor: 920, tax_minor: 184 },
    { total_minor: 980, tax_minor: 196, lines: [{ taxMinor: 210 }], charges: [{ chargeNo: 2, taxMinor: -14 }] },
  ]);
  expect(await broken()).toEqual([]);
});

it('what an ERP invoices twice, too high or without agreement is found by verify, until a credit note sets it right', async () => {
  const fulfilment = await ordered();
  await leave(fulfilment, 10, '1');
  const goods = { lineNo: 1, quantity: 10, amountMinor: 1500, taxMinor: 300 };
  const all = [
    { charge: 1, amountMinor: 500, taxMinor: 100 },
    { charge: 2, amountMinor: -100, taxMinor: -20 },
  ];
  await hub.receive('erp', [posted('api', 'I1', [goods], { charges: all })]);
  expect(await broken()).toEqual([]);
  const wrong: [string, DocumentPosted['lines'], Posted, RegExp][] = [
    [
      'freight twice',
      [],
      { charges: [all[0]!] },
      /charge 1 \(freight STD\): invoiced 1000 and tax 200 of 500 and 100, /,
    ],
    ['a line twice', [goods], {}, /line 1: tax of 600 invoiced, 300 of what was shipped/],
    [
      'a penny of tax',
      [{ ...goods, quantity: 0, amountMinor: 0, taxMinor: 1 }],
      {},
      /line 1: tax of \d+ invoiced, 300 of/,
    ],
    [
      'what nobody agreed to',
      [],
      { charges: [{ code: 'TIP', amountMinor: 50 }] },
      /50 of TIP is charged and was not agreed/,
    ],
    ['an allowance the other way', [], { charges: [{ charge: 2, amountMinor: 300 }] }, /charge 2 .*invoiced 200 /],
  ];
  for (const [name, lines, rest, words] of wrong) {
    const key = name.replaceAll(' ', '-');
    expect(await hub.receive('erp', [posted('api', `X-${key}`, lines, rest)]), name).toMatchObject([
      { status: 'applied' },
    ]);
    expect(await broken(), name).toContainEqual(expect.stringMatching(words));
    await hub.receive('erp', [posted('api', `N-${key}`, lines, rest, 'credit_note')]);
    expect(await broken(), `${name}, set right`).toEqual([]);
  }
  // A total that isn't its parts, and a tax that isn't.
  const off = posted('api', 'OFF', [], { charges: [] });
  await hub.receive('erp', [{ ...off, command: { ...(off.command as DocumentPosted), totalMinor: 7 } }]);
  expect(await broken()).toEqual([expect.stringMatching(/OFF-B\d+: total 7 GBP/)]);
  await database.pool.query(`update invoice set total_minor = 0 where invoice_no = $1`, [`OFF-${no}`]);
});

it('what was never invoiced is missed once the order is closed, where the ERP says what its charges are', async () => {
  const fulfilment = await ordered();
  await leave(fulfilment, 10, '1');
  const goods = [{ lineNo: 1, quantity: 10, amountMinor: 1500, taxMinor: 300 }];
  await hub.receive('erp', [
    posted('api', 'I1', goods, { charges: [{ charge: 2, amountMinor: -100, taxMinor: -20 }] }),
  ]);
  expect(shown().status).toBe('shipped');
  expect(await broken()).toEqual([
    expect.stringMatching(/charge 1 \(freight STD\): invoiced 0 and tax 0 of 500 and 100/),
  ]);
  await hub.receive('erp', [posted('api', 'I2', [], { charges: [{ charge: 1, amountMinor: 500, taxMinor: 100 }] })]);
  expect(await broken()).toEqual([]);
});

it('a cancel of the whole order ends its charges and tax, once, and everybody is told', async () => {
  await ordered();
  await hub.receive('api', [cancel('api', no, 1, 4, 'C1', sku)]);
  await hub.settle();
  await hub.receive('api', [cancel('api', no, 1, 6, 'C2', sku)]);
  await hub.settle();
  await hub.receive('api', [cancel('api', no, 1, 6, 'C2', sku)]);
  // The allowance goes with the goods, the freight with the last of them.
  expect(told('order_cancellation')).toEqual([
    { goods: [[4, 600, 120]], charges: [['allowance', 'PROMO', -40, -8]] },
    {
      goods: [[6, 900, 180]],
      charges: [
        ['freight', 'STD', 500, 100],
        ['allowance', 'PROMO', -60, -12],
      ],
    },
  ]);
  expect(shown()).toMatchObject({
    status: 'cancelled',
    charges: [
      { dueMinor: 0, cancelledMinor: 500 },
      { dueMinor: 0, cancelledMinor: -100 },
    ],
  });
  expect(await broken()).toEqual([]);
});

it('a part cancel ends the share of what follows the goods, freight too where the channel says so', async () => {
  const fulfilment = await ordered('shares', 3);
  await leave(fulfilment, 1, '1');
  await hub.receive('shares', [cancel('shares', no, 1, 1, 'C1', sku)]);
  await hub.settle();
  await leave(fulfilment, 1, '2');
  expect(told('shipment_posting', 'shares').map(({ charges }) => charges)).toEqual([
    [
      ['freight', 'STD', 167, 33],
      ['allowance', 'PROMO', -33, -7],
    ],
    [
      ['freight', 'STD', 166, 34],
      ['allowance', 'PROMO', -34, -6],
    ],
  ]);
  expect(told('order_cancellation', 'shares')).toEqual([
    {
      goods: [[1, 150, 30]],
      charges: [
        ['freight', 'STD', 167, 33],
        ['allowance', 'PROMO', -33, -7],
      ],
    },
  ]);
  expect(await broken()).toEqual([]);
});

it('a return asks for tax, the share of the freight and less a fee, and no more than was not credited ahead', async () => {
  const fulfilment = await ordered('shares', 10);
  await leave(fulfilment, 10, '1');
  await hub.receive('erp', [
    posted('shares', 'I1', [{ lineNo: 1, quantity: 10, amountMinor: 1500, taxMinor: 300 }], {
      charges: [
        { charge: 1, amountMinor: 500, taxMinor: 100 },
        { charge: 2, amountMinor: -100, taxMinor: -20 },
      ],
    }),
  ]);
  const back = async (reference: string, quantity: number, reason: string) => {
    const lines = [{ lineNo: 1, quantity }];
    await hub.receive('shares', [
      item('return/shares', `${reference}/${no}`, {
        kind: 'return.requested',
        ...{ channel: 'shares', order: no, reference, reason, occurredAt: DAY, lines },
      }),
    ]);
    await hub.settle();
    const announced = systems.wms.of('return_announcement').at(-1)!.reference;
    await hub.receive('wms', [returned(`r-${no}-${reference}`, announced, [{ lineNo: 1, sku, quantity }])]);
    await hub.settle();
  };
  await back('R1', 2, 'too big');
  // A refund ahead of its goods: of the line's next 300 it gave 100 already.
  await hub.receive('erp', [
    posted(
      'shares',
      'N1',
      [{ lineNo: 1, quantity: 2, amountMinor: 300, taxMinor: 60 }],
      {
        charges: [
          { charge: 1, amountMinor: 100, taxMinor: 20 },
          { charge: 2, amountMinor: -20, taxMinor: -4 },
          { code: 'FEE', amountMinor: -30, taxMinor: -6 },
        ],
      },
      'credit_note',
    ),
  ]);
  await back('R2', 3, 'damaged');
  expect(told('return_posting', 'shares')).toEqual([
    {
      goods: [[2, 300, 60]],
      charges: [
        ['freight', 'STD', 100, 20],
        ['allowance', 'PROMO', -20, -4],
        ['restocking', 'FEE', -30, -6],
      ],
    },
    {
      goods: [[3, 450, 90]],
      charges: [
        ['freight', 'STD', 150, 30],
        ['allowance', 'PROMO', -30, -6],
      ],
    },
  ]);
  await hub.settle();
  expect(shown('shares').charges).toMatchObject([{ refundedMinor: 250, creditedMinor: 100 }, { refundedMinor: -50 }]);
  expect(await broken()).toEqual([]);
});

it('a credit note over more than was invoiced is found', async () => {
  const fulfilment = await ordered();
  await leave(fulfilment, 10, '1');
  await hub.receive('erp', [posted('api', 'I1', [{ lineNo: 1, quantity: 4, amountMinor: 600, taxMinor: 120 }])]);
  await hub.receive('api', [cancel('api', no, 1, 8, 'C1', sku)]);
  const credit = (amountMinor: number, taxMinor: number) =>
    posted('api', `N${amountMinor}`, [{ lineNo: 1, quantity: 1, amountMinor, taxMinor }], {}, 'credit_note');
  await hub.receive('erp', [credit(600, 120)]);
  expect(await broken()).toEqual([]);
  await hub.receive('erp', [credit(150, 30)]);
  expect(await broken()).toEqual([
    expect.stringMatching(/line 1: tax of 120 invoiced, .* 150 credited/),
    expect.stringMatching(/line 1: 750 credited of 600 invoiced/),
  ]);
  await hub.receive('erp', [
    posted('api', 'I2', [{ lineNo: 1, quantity: 6, amountMinor: 900, taxMinor: 180 }], {
      charges: [
        { charge: 1, amountMinor: 500, taxMinor: 100 },
        { charge: 2, amountMinor: -100, taxMinor: -20 },
      ],
    }),
  ]);
  expect(await broken()).toEqual([]);
});

it('inspections are told with the order: what is restocked, scrapped, set apart, and not looked at yet', async () => {
  const fulfilment = await ordered('looks');
  await leave(fulfilment, 10, '1');
  await hub.receive('looks', [cancel('looks', no, 1, 8, 'C1', sku)]);
  await hub.settle();
  const announced = systems.wms.of('return_announcement').at(-1)!.reference;
  await hub.receive('wms', [returned(`r-${no}`, announced, [{ lineNo: 1, sku, quantity: 8 }])]);
  await hub.settle();
  expect(shown('looks').lines[0]).toMatchObject({
    ...{ returned: 8, inspected: { inInspection: 8, restocked: 0, scrapped: 0, quarantined: 0 } },
  });
  const inspected = (key: string, units: object) =>
    item('inspected/wms', `${key}-${no}`, {
      ...{ kind: 'return.inspected', returnReference: announced, occurredAt: DAY, by: 'ann' },
      lines: [{ lineNo: 1, restock: 0, scrap: 0, quarantine: 0, ...units }],
    } as NonNullable<InboundItem['command']>);
  await hub.receive('wms', [inspected('a', { restock: 3, quarantine: 2 })]);
  await hub.settle();
  expect(shown('looks').lines[0]).toMatchObject({
    inspected: { inInspection: 3, restocked: 3, scrapped: 0, quarantined: 2 },
  });
  await hub.receive('wms', [
    inspected('b', { scrap: 2, from: 'quarantine' }),
    inspected('c', { restock: 2, scrap: 1, credited: false }),
  ]);
  await hub.settle();
  expect(shown('looks').lines[0]).toMatchObject({
    ...{ returned: 8, inspected: { inInspection: 0, restocked: 5, scrapped: 3, quarantined: 0 } },
  });
  // Freight by what is credited: 5 of 10; of three units nothing.
  expect(told('return_posting', 'looks')).toEqual([
    {
      goods: [[3, 450, 90]],
      charges: [
        ['freight', 'STD', 150, 30],
        ['allowance', 'PROMO', -30, -6],
      ],
    },
    {
      goods: [[2, 300, 60]],
      charges: [
        ['freight', 'STD', 100, 20],
        ['allowance', 'PROMO', -20, -4],
      ],
    },
    { goods: [[3, 0, 0]], charges: [] },
  ]);
  expect(await broken()).toEqual([]);
});

it('an order that was held is told with what of its charges and tax was cancelled meanwhile', async () => {
  const few = `FEW-${no}`;
  await hub.seed([few]);
  await hub.receive('wms', [moved(`few-${no}`, few, 'north', 3)]);
  const taxes = [{ code: 'VAT', rate: '20', baseMinor: 1_000, taxMinor: 200 }];
  const line = { sku: few, quantity: 4, within: 4, unitPrice: '1.50' };
  await hub.receive('shop', [order('shop', no, [line], { charges: [freight, promo], taxes })]);
  await hub.settle();
  // With the unit that was held nothing holds it any more.
  await hub.receive('shop', [cancel('shop', no, 1, 2, `C-${no}`, few)]);
  await hub.settle();
  expect(systems.erp.of('sales_order').at(-1)!.payload).toMatchObject({ totalMinor: 1_000, taxMinor: 200 });
  expect(told('order_cancellation', 'shop')).toEqual([
    { goods: [[2, 300, 60]], charges: [['allowance', 'PROMO', -50, -10]] },
  ]);
  expect(await broken()).toEqual([]);
});

// Last of all: over what the tests before have left.
describe('the observer, who shares no code with the hub', () => {
  const LAST = `order_id = (select max(order_id) from order_charge c where due_minor > 0 and exists (select from invoice i where i.order_id = c.order_id))`;
  const inspected = `(order_id, order_version) = (select order_id, min(order_version) from return_inspection group by order_id limit 1)`;
  const factOf = (type: string, rest = 'true') =>
    `(stream, stream_version) = (select stream, stream_version from fact where type = '${type}' and ${rest} order by stream limit 1)`;
  const edited = (path: string, to: string, where: string, table = 'fact', column = 'data') =>
    `update ${table} set ${column} = jsonb_set(${column}::jsonb, '${path}', '${to}')::json where ${where}`;
  const lies: [string, string, 'I8' | 'I10', RegExp][] = [
    ['nothing', '', 'I10', /^$/],
    [
      'freight that left twice',
      `update order_charge set due_minor = due_minor * 2 where kind = 'freight' and ${LAST}`,
      'I10',
      /due is 1000, its facts give 500/,
    ],
    [
      'a charge that nobody was told of',
      edited('{charges}', '[]', factOf('shipment.confirmed', `data::text like '%"charges"%'`)),
      'I10',
      /left and .* was cancelled of/,
    ],
    [
      'tax of a shipment that is a penny off',
      edited('{lines,0,taxMinor}', '1', factOf('shipment.confirmed', `data::text like '%taxMinor%'`)),
      'I10',
      /left and .* was cancelled of/,
    ],
    [
      'a total without its charges',
      `update sales_order set total_minor = total_minor - 500 where ${LAST}`,
      'I10',
      /total with charges/,
    ],
    [
      'an order whose tax is not its taxes',
      `update sales_order set tax_minor = tax_minor + 1 where ${LAST}`,
      'I10',
      /tax: \d+ instead of/,
    ],
    [
      'an invoice that is a penny more than its parts',
      `update invoice set total_minor = total_minor + 1 where kind = 'invoice' and ${LAST}`,
      'I10',
      /invoice .* total: \d+ instead of/,
    ],
    [
      'tax of an invoice that is not its parts',
      `update invoice set tax_minor = tax_minor + 1 where kind = 'invoice' and ${LAST}`,
      'I10',
      /invoice .* tax: \d+ instead of/,
    ],
    [
      'an invoice twice',
      `insert into invoice (invoice_no, kind, source, order_id, currency, total_minor, lines, charges, tax_minor, posted_at, order_version) select invoice_no || '-2', kind, source, order_id, currency, total_minor, lines, charges, tax_minor, posted_at, order_version from invoice where kind = 'invoice' and ${LAST}`,
      'I10',
      /was invoiced of/,
    ],
    [
      'a credit note over what was never invoiced',
      `insert into invoice (invoice_no, kind, source, order_id, currency, total_minor, lines, charges, tax_minor, posted_at, order_version) select 'N-LIE', 'credit_note', source, order_id, currency, 9000, '[{"lineNo":1,"quantity":1,"amountMinor":9000,"taxMinor":0}]', '[]', 0, posted_at, order_version from invoice where kind = 'invoice' and ${LAST} limit 1`,
      'I10',
      /was credited of/,
    ],
    [
      'a posting that told the ERP another amount',
      edited(
        '{lines,0,amountMinor}',
        '7',
        `delivery_id = (select min(delivery_id) from delivery where kind = 'shipment_posting')`,
        'delivery',
        'payload',
      ),
      'I10',
      /the ERP was told .* by shipment_posting/,
    ],
    [
      'a cancel of which the ERP was told no charges',
      edited(
        '{charges}',
        '[]',
        `delivery_id = (select min(delivery_id) from delivery where kind = 'order_cancellation' and payload::text like '%freight%')`,
        'delivery',
        'payload',
      ),
      'I10',
      /the ERP was told .* by order_cancellation/,
    ],
    [
      'a unit that was restocked twice',
      `update return_line set restocked = restocked + 1, scrapped = scrapped - 1 where scrapped > 0`,
      'I8',
      /came back, restocked, scrapped, set apart/,
    ],
    ['an inspection that nobody made', `delete from return_inspection where ${inspected}`, 'I8', /as it was told/],
    [
      'goods on hand again without a return',
      `update stock_movement set quantity = quantity + 1 where kind = 'returned' and movement_id = (select min(movement_id) from stock_movement where kind = 'returned')`,
      'I8',
      /on hand again by movements/,
    ],
    [
      'a line that came back and no return',
      `update order_line set returned = returned + 1 where (order_id, line_no) = (select order_id, line_no from order_line where returned > 0 order by 1 limit 1)`,
      'I8',
      /returned, its returns say/,
    ],
  ];

  it.each(lies)('names %s', async (_, lie, promise, words) => {
    const client = await connectHub(database.url);
    try {
      await client.query('begin isolation level repeatable read');
      if (lie !== '') expect((await client.query(lie)).rowCount, lie).toBeGreaterThan(0);
      const promises = newPromises();
      await judgeBills({ client, names: await readNames(client), promises });
      const { named } = promises[promise].verdict;
      if (lie === '') expect([...promises.I8.verdict.named, ...named]).toEqual([]);
      else expect(named).toEqual(expect.arrayContaining([expect.stringMatching(words)]));
      expect(promises.I10.verdict.looked).toMatchObject({ 'lines and charges': expect.any(Number) });
    } finally {
      await client.query('rollback');
      await client.end();
    }
  });
});
