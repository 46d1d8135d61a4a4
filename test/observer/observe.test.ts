import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSample } from '../../sim/feeder/sample.ts';
import { startFakeHub } from '../../sim/feeder/testing/fake-hub.ts';
import { SIM_KINDS, startSim } from '../../sim/index.ts';
import { FINDINGS_MAX } from './findings.ts';
import { type Observation, type ObserveOptions, observe } from './observe.ts';
import { settleAll, type TakenCancel, type TakenCharge, type TakenOrder, type Urls } from './testing/honest-hub.ts';
import { type Edit, startTamper, type Tamper, type Told } from './testing/tamper.ts';

const dir = mkdtempSync(join(tmpdir(), 'xd-observe-'));
const file = join(dir, 'orders.csv.gz');
const tampers = {} as Record<keyof Urls, Tamper>;
const closing: (() => unknown)[] = [() => rmSync(dir, { recursive: true, force: true })];
let options: ObserveOptions;
let honest: Observation;

/** A year in a minute: systems, feeder and a hub that can be checked by reading, once for all tests of this file. */
beforeAll(async () => {
  writeSample(file, 21, 90);
  const urls = {} as Urls;
  for (const kind of SIM_KINDS) {
    const sim = await startSim(kind, { data: join(dir, 'sim'), token: 't', speed: 50, unreadMax: 100_000 });
    closing.push(() => sim.close());
    urls[kind] = sim.url;
    tampers[kind] = await startTamper(sim.url);
    closing.push(() => tampers[kind].close());
  }
  const hub = await startFakeHub();
  closing.push(() => hub.close());
  const places = ['shop', 'marketplace', 'crm', 'wms'].flatMap((kind) => [`--${kind}`, urls[kind as keyof Urls]]);
  const state = ['--state', join(dir, 'feeder'), '--no-listing-wait', '--json'];
  const args = ['--orders', file, '--seed', '3', ...places, '--hub', hub.url, '--hub-key', 'key', ...state];
  const feeder = spawn(process.execPath, [join(import.meta.dirname, '../../sim/feeder/main.ts'), ...args]);
  expect(await new Promise((resolve) => feeder.on('exit', resolve))).toBe(0);

  const orders: TakenOrder[] = (hub.taken.get('orders') ?? []).map((body) => {
    const { externalNo, ...order } = body as Omit<TakenOrder, 'number'> & { externalNo: string };
    return { ...order, number: externalNo, channel: 'api' };
  });
  const cancels = (hub.taken.get('cancellations') ?? []).flatMap(
    (body) => (body as { cancellations: TakenCancel[] }).cancellations,
  );
  for (const channel of ['shop', 'marketplace', 'crm'] as const) {
    const page = await (await fetch(`${urls[channel]}/_control/events?after=0&limit=500`)).json();
    for (const record of (page as { records: (TakenOrder & TakenCancel & { type: string })[] }).records) {
      if (record.type === 'order') orders.push({ ...record, channel });
      else cancels.push(record);
    }
  }
  const charges = (hub.taken.get('charges') ?? []).flatMap((body) => (body as { charges: TakenCharge[] }).charges);
  orders.sort((a, b) => (a.number < b.number ? -1 : 1));
  await settleAll(urls, orders, cancels, charges);
  const { shop, marketplace, crm, erp, wms } = tampers;
  options = { shop: shop.url, marketplace: marketplace.url, crm: crm.url, erp: erp.url, wms: wms.url, orders: file };
  honest = await observe(options);
}, 60_000);
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

test('finds nothing wrong where nothing is wrong, and everything has happened', () => {
  expect(honest.findings).toEqual([]);
  expect(honest.holds).toBe(true);
  const { parity, units, source, oversell, stock, charges } = honest.counts;
  const same = { missing: 0, extra: 0, different: 0, amount: 0 };
  expect(parity.crm).toEqual({ orders: 90, lines: source.lines, ...same });
  expect(parity.erp).toMatchObject(same);
  expect(parity.erp.lines).toBeLessThan(source.lines);
  expect(parity.shop.orders + parity.marketplace.orders).toBeGreaterThan(30);
  expect(units.ordered).toBe(source.units);
  expect(units.shipped + units.cancelled + units.backordered + units.refused).toBe(units.ordered);
  for (const happened of [
    units.shipped,
    units.cancelled,
    units.returned,
    units.backordered,
    units.refused,
    stock.adjusted,
  ]) {
    expect(happened).not.toBe(0);
  }
  expect(stock.onHand).toBe(stock.received - stock.picked + stock.returned + stock.adjusted);
  expect([oversell, charges]).toEqual([0, { missing: 0, extra: 0, different: 0 }]);
});

describe('a lie is found, and named', () => {
  const remove: Edit = (records) => void records.splice(3, 1);
  const line =
    (change: (line: Told) => void): Edit =>
    (records) => {
      const found = records
        .flatMap((record) => record.lines ?? [])
        .find((each) => each.shipped > 1 && each.cancelled > 0);
      const other = records.flatMap((record) => record.lines ?? []).find((each) => each.shipped > 1);
      if (found ?? other) change(found ?? other);
    };
  const first =
    (change: (record: Told) => void): Edit =>
    (records) => {
      if (records.length > 0) change(records[0]!);
    };
  const lies: [string, keyof Urls, string, Edit, string[]][] = [
    ['an order is not in the ERP', 'erp', 'orders', remove, ['erp.order_missing']],
    ['an order is in the ERP twice', 'erp', 'orders', first((order) => (order.count = 2)), ['erp.order_count']],
    [
      'the same order is there under two names',
      'erp',
      'orders',
      (records) => void records.push({ ...records[0], key: `ZZ/${records[0]!.key.slice(3)}` }),
      ['erp.order_count'],
    ],
    [
      'an order nobody made',
      'erp',
      'orders',
      (records) => void records.push({ ...records[0], key: 'ZZ/1' }),
      ['erp.order_extra'],
    ],
    ['another account', 'erp', 'orders', first((order) => (order.account = 'x')), ['erp.account']],
    ['another currency', 'crm', 'orders', first((order) => (order.currency = 'EUR')), ['crm.currency']],
    ['a total that is a penny off', 'erp', 'orders', first((order) => (order.totalMinor += 1)), ['erp.total']],
    ['an amount that is a penny off', 'crm', 'orders', line((each) => (each.amountMinor -= 1)), ['crm.amount']],
    ['a quantity', 'erp', 'orders', line((each) => (each.quantity += 1)), ['erp.quantity']],
    ['another SKU', 'shop', 'orders', line((each) => (each.sku = '1')), ['shop.sku']],
    ['a line too few', 'shop', 'orders', first((order) => order.lines.pop()), ['shop.line_missing']],
    ['a line twice', 'crm', 'orders', first((order) => order.lines.push(order.lines[0])), ['crm.line_twice']],
    [
      'a line that was never ordered',
      'crm',
      'orders',
      first((order) => order.lines.push({ ...order.lines[0], lineNo: 999 })),
      ['crm.line_extra'],
    ],
    ['a price', 'marketplace', 'orders', line((each) => (each.unitPrice = '0.01')), ['marketplace.unit_price']],
    [
      'shipped units that were not invoiced',
      'erp',
      'orders',
      line((each) => (each.invoiced -= 1)),
      ['erp.invoiced', 'erp.invoiced_amount', 'crm.invoiced'],
    ],
    [
      'an invoice that is two pence off',
      'erp',
      'orders',
      line((each) => (each.invoicedMinor += 2)),
      ['erp.invoiced_amount'],
    ],
    [
      'a cancel that never reached the ERP',
      'erp',
      'orders',
      line((each) => (each.cancelled -= 1)),
      ['erp.undone', 'crm.cancelled'],
    ],
    ['a credit note for nothing', 'erp', 'orders', line((each) => (each.creditedMinor += 5)), ['erp.credited_amount']],
    [
      'units that shipped in the ERP only',
      'erp',
      'orders',
      line((each) => (each.shipped += 1)),
      ['erp.invoiced', 'wms.shipped', 'crm.shipped'],
    ],
    ['a status that is behind', 'shop', 'orders', line((each) => (each.shipped -= 1)), ['shop.shipped']],
    [
      'a refusal that nobody else knows of',
      'crm',
      'orders',
      line((each) => (each.refused += 1)),
      ['erp.quantity', 'erp.total'],
    ],
    ['a backorder that is forgotten', 'crm', 'orders', line((each) => (each.backordered += 1)), ['crm.backordered']],
    [
      'a wish that was never heard',
      'shop',
      'orders',
      line((each) => (each.cancelRequested += 1)),
      ['shop.cancel_requested'],
    ],
    [
      'units sold within the number and not given',
      'marketplace',
      'orders',
      line((each) => (each.within = 1000)),
      ['marketplace.oversold'],
    ],
    ['a fulfilment that is missing', 'wms', 'fulfilments', remove, ['wms.shipped']],
    ['a return that is missing', 'wms', 'returns', (records) => void records.pop(), ['wms.returned']],
    [
      'a fulfilment of nothing',
      'wms',
      'fulfilments',
      first((each) => (each.order = 'UK/1')),
      ['wms.fulfilment_of_nothing'],
    ],
    ['goods that vanished', 'wms', 'stock', first((each) => (each.onHand -= 1)), ['wms.on_hand']],
    [
      'goods that came from nowhere',
      'wms',
      'events',
      first((event) => (event.lines[0].quantity += 1)),
      ['wms.received', 'wms.on_hand'],
    ],
    [
      'goods written off that nobody wrote off',
      'wms',
      'events',
      (records) => {
        for (const event of records.filter((each) => each.type === 'adjusted')) event.lines[0].quantity -= 500;
      },
      ['wms.written_off', 'wms.on_hand'],
    ],
    ['a charge that is missing', 'erp', 'charges', remove, ['erp.charge_missing']],
    ['a charge twice', 'erp', 'charges', first((charge) => (charge.count = 2)), ['erp.charge_count']],
    [
      'a charge of another amount',
      'erp',
      'charges',
      first((charge) => (charge.amountMinor += 1)),
      ['erp.charge_amount'],
    ],
    [
      'a number beyond the shelves',
      'shop',
      'numbers',
      first((number) => (number.available = 1_000_000)),
      ['channels.shown_beyond'],
    ],
    ['an older version over a newer one', 'crm', 'stats', first((stats) => (stats.backwards = 1)), ['crm.backwards']],
    ['a document made twice', 'erp', 'stats', first((stats) => (stats.duplicates = 1)), ['erp.duplicates']],
    ['work that is not done', 'wms', 'stats', first((stats) => (stats.pending = 1)), ['wms.pending']],
    [
      'picks beyond the shelves',
      'wms',
      'stats',
      first((stats) => (stats.askedBeyondStock = 7)),
      ['wms.asked_beyond_stock'],
    ],
  ];
  test.each(lies)('%s', async (_, system, kind, edit, codes) => {
    tampers[system].edits.set(kind, edit);
    try {
      const { holds, findings, counts } = await observe(options);
      expect(holds).toBe(false);
      expect(Object.keys(counts.findings)).toEqual(expect.arrayContaining(codes));
      expect(findings.length).toBeLessThanOrEqual(FINDINGS_MAX);
      if (codes.some((code) => /oversold|asked_beyond/.test(code))) expect(counts.oversell).toBeGreaterThan(0);
    } finally {
      tampers[system].edits.clear();
    }
  });

  test('a page given twice is not believed', async () => {
    tampers.crm.edits.set('orders', (records) => records.splice(0, 0, records[0]!));
    await expect(observe(options)).rejects.toThrow(/after/);
    tampers.crm.edits.clear();
  });

  test('a thousand differences leave room for the one that matters', async () => {
    tampers.crm.edits.set('orders', (records) => {
      for (const record of records) for (const each of record.lines) each.amountMinor += 1;
    });
    tampers.wms.edits.set('stats', ([stats]) => {
      stats!.askedBeyondStock = 1;
    });
    const { findings, counts } = await observe(options);
    tampers.crm.edits.clear();
    tampers.wms.edits.clear();
    expect(counts.findings['crm.amount']).toBe(counts.source.lines);
    expect(findings.length).toBeLessThanOrEqual(FINDINGS_MAX);
    expect(findings.map((finding) => finding.code)).toContain('asked_beyond_stock');
  });
});

// Four processes of its own, on a machine that may be busy.
test('the command prints the same and exits 3 on findings, 2 when something is missing', {
  timeout: 30_000,
}, async () => {
  const run = (args: string[]) =>
    new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args]);
      let [out, err] = ['', ''];
      child.stdout.on('data', (piece) => {
        out += piece;
      });
      child.stderr.on('data', (piece) => {
        err += piece;
      });
      child.on('close', (code) => resolve({ code, out, err }));
    });
  const urls = SIM_KINDS.flatMap((kind) => [`--${kind}`, tampers[kind].url]);
  const good = await run(['--orders', file, ...urls]);
  expect([good.code, JSON.parse(good.out)]).toEqual([0, honest]);
  const fewer = await run(['--orders', file, '--limit-orders', '50', ...urls]);
  expect(fewer.code).toBe(3);
  const missing = await run(urls);
  expect([missing.code, missing.err.split('\n')[0]]).toEqual([2, '--orders is missing']);
  const half = await run(['--orders', file, ...urls, '--database-url', 'postgres://nowhere']);
  const together = '--database-url, --journals and --answered belong together';
  expect([half.code, half.err.split('\n')[0]]).toEqual([2, together]);
});
