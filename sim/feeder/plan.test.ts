import { describe, expect, test } from 'vitest';
import { cancelBodies, chargeBodies, masterData, orderBody, referenceOf, zeroPriceBody } from './bodies.ts';
import { channelOf } from './channels.ts';
import { type FeedEvent, planFeed } from './plan.ts';
import { readOrders } from './reader.ts';
import { sampleCsv } from './sample.ts';
import { openingOf, RECEIPT_LINES_MAX, type Receipt, suppliedOf } from './stock-plan.ts';
import { csvLine, fileOf, gzipped, hasRealFile, REAL_FILE, withoutRealFile } from './testing/files.ts';

async function planOf(file: string, seed = 1) {
  return planFeed((await readOrders(file)).table, seed);
}
type Invoice = Extract<FeedEvent, { type: 'order' | 'cancel' }>;
const invoices = (events: FeedEvent[], type: 'order' | 'cancel'): Invoice[] =>
  events.filter((event): event is Invoice => event.type === type);

describe('orders', () => {
  test('an invoice is one order also when another lies between its lines, and exact repeats are lines', async () => {
    const plan = await planOf(
      fileOf(
        csvLine({ invoice: '1' }),
        csvLine({ invoice: '1', code: 'POST' }),
        csvLine({ invoice: '1' }),
        csvLine({ invoice: '2', account: '' }),
        csvLine({ invoice: '1', code: '84406b', price: '2.1', at: '2011-06-01T08:27:00' }),
      ),
    );
    const orders = invoices(plan.events, 'order').map((event) => orderBody(plan, event));
    expect(orders.map(({ number, account, lines }) => [number, account, lines.length])).toEqual([
      ['1', '17850', 3],
      ['2', 'WALKIN', 1],
    ]);
    expect(orders[0]).toEqual({
      number: '1',
      account: '17850',
      company: 'UK',
      currency: 'GBP',
      orderedAt: '2010-12-01T08:26:00Z',
      lines: [
        { lineNo: 1, sku: '71053', quantity: 6, unitPrice: '3.39' },
        { lineNo: 3, sku: '71053', quantity: 6, unitPrice: '3.39' },
        { lineNo: 4, sku: '84406B', quantity: 6, unitPrice: '2.1' },
      ],
    });
  });

  test('accounts spread over the four channels and people without one go to the shop', () => {
    expect(channelOf('WALKIN')).toBe('shop');
    const counts: Record<string, number> = {};
    for (let account = 12_000; account < 16_000; account += 1) {
      const channel = channelOf(String(account));
      counts[channel] = (counts[channel] ?? 0) + 1;
    }
    expect(Object.keys(counts).sort()).toEqual(['api', 'crm', 'marketplace', 'shop']);
    for (const count of Object.values(counts)) expect(Math.abs(count - 1000)).toBeLessThan(100);
  });
});

describe('cancellations', () => {
  const buy = (invoice: string, quantity: number, account = '7', code = '71053', price = '3.39') =>
    csvLine({ invoice, quantity, account, code, price });
  const cancelsOf = async (...lines: string[]) => {
    const plan = await planOf(fileOf(...lines));
    return invoices(plan.events, 'cancel').flatMap((event) =>
      cancelBodies(plan, event).map((cancel) => [
        cancel.reference,
        ...cancel.lines.map((line) => `${line.order}/${line.lineNo} ${line.quantity} @${line.unitPrice}`),
      ]),
    );
  };

  test('the newest earlier line goes first, the rest falls on older ones', async () => {
    expect(await cancelsOf(buy('1', 5), buy('2', 4, '7', '71053', '2'), buy('C3', -6))).toEqual([
      ['C3/1', '2/1 4 @2', '1/1 2 @3.39'],
    ]);
  });
  test('what is already undone is not undone again', async () => {
    expect(
      await cancelsOf(buy('1', 5), buy('C2', -3), buy('C3', -1), buy('4', 9), buy('C5', -10), buy('C6', -1)),
    ).toEqual([
      ['C2/1', '1/1 3 @3.39'],
      ['C3/1', '1/1 1 @3.39'],
      ['C5/1', '4/1 9 @3.39', '1/1 1 @3.39'],
      ['C6/1', 'null/null 1 @3.39'],
    ]);
  });
  test('the rest that finds no original is sent without one, at its own price', async () => {
    expect(await cancelsOf(buy('1', 5), buy('C2', -8, '7', '71053', '1'))).toEqual([
      ['C2/1', '1/1 5 @3.39', 'null/null 3 @1'],
    ]);
  });
  test('another account, another SKU and a later line are no original', async () => {
    expect(await cancelsOf(buy('1', 5, '8'), buy('1', 5, '7', '84406'), buy('C2', -1), buy('3', 5))).toEqual([
      ['C2/1', 'null/null 1 @3.39'],
    ]);
  });
  test('SKUs that differ by case are one', async () => {
    expect(await cancelsOf(buy('1', 5, '7', '85123a'), buy('C2', -1, '7', '85123A'))).toEqual([
      ['C2/1', '1/1 1 @3.39'],
    ]);
  });
});

describe('master data and charges', () => {
  test('the base price is the most frequent one, of equals the earliest', async () => {
    const prices = ['2', '3', '3', '2', '9'].map((price) => csvLine({ price }));
    const plan = await planOf(fileOf(...prices, csvLine({ code: '84406', quantity: -1, price: '0' })));
    expect(masterData(plan)).toEqual({
      products: [
        { sku: '71053', description: 'WHITE METAL LANTERN', unit: 'each' },
        { sku: '84406', description: 'WHITE METAL LANTERN', unit: 'each' },
      ],
      accounts: [{ account: '17850', company: 'UK', channel: channelOf('17850') }],
      prices: [{ sku: '71053', currency: 'GBP', unitPrice: '2', priceList: 'base' }],
    });
  });

  test('charges keep sign, code and description under the name of their line', async () => {
    const plan = await planOf(
      fileOf(
        csvLine(),
        csvLine({ code: 'M', price: '0' }),
        csvLine({ invoice: 'A2', code: 'B', quantity: 1, price: '-1.5' }),
      ),
    );
    const rows = plan.events.flatMap((event) => (event.type === 'charges' ? event.rows : []));
    expect(chargeBodies(plan, rows)).toMatchObject([
      {
        reference: '536365/2',
        kind: 'charge',
        code: 'M',
        quantity: 6,
        unitPrice: '0',
        description: 'WHITE METAL LANTERN',
      },
      { reference: 'A2/1', kind: 'ledger_entry', code: 'B', quantity: 1, unitPrice: '-1.5', currency: 'GBP' },
    ]);
  });
});

describe('stock', () => {
  const bySku = (receipts: Receipt[]): Map<string, number> => {
    const sums = new Map<string, number>();
    for (const { sku, quantity } of receipts.flatMap((receipt) => receipt.lines)) {
      sums.set(sku, (sums.get(sku) ?? 0) + quantity);
    }
    return sums;
  };

  test.each([1, 7])(
    'opening is 60 % and deliveries are 30 % of what each SKU will sell, to the unit (seed %i)',
    async (seed) => {
      const plan = await planOf(gzipped(sampleCsv(3, 800)), seed);
      const demand = new Map<string, number>();
      for (const event of invoices(plan.events, 'order')) {
        for (const { sku, quantity } of orderBody(plan, event).lines)
          demand.set(sku, (demand.get(sku) ?? 0) + quantity);
      }
      const opening = bySku(plan.stock.opening);
      const weekly = bySku(plan.stock.weekly);
      for (const [sku, units] of demand) {
        expect([sku, opening.get(sku) ?? 0, weekly.get(sku) ?? 0]).toEqual([sku, openingOf(units), suppliedOf(units)]);
      }
      const lines = [...plan.stock.opening, ...plan.stock.weekly].flatMap((receipt) => receipt.lines);
      expect(Math.min(...lines.map((line) => line.quantity))).toBeGreaterThan(0);
      const references = [...plan.stock.opening, ...plan.stock.weekly].map((receipt) => receipt.reference);
      expect(new Set(references).size).toBe(references.length);
    },
  );

  test('the same seed plans the same, another seed does not', async () => {
    const file = gzipped(sampleCsv(3, 200));
    const [one, again, other] = [await planOf(file, 5), await planOf(file, 5), await planOf(file, 6)];
    expect(again.stock).toEqual(one.stock);
    expect(again.events).toEqual(one.events);
    expect(other.stock).not.toEqual(one.stock);
  });

  test('what is found at price 0 is a receipt of its own', async () => {
    const plan = await planOf(fileOf(csvLine(), csvLine({ invoice: '9', price: '0', quantity: 12, code: '22139' })));
    const event = plan.events.find((each) => each.type === 'zero_price_receipt')!;
    expect(zeroPriceBody(plan, event as Extract<FeedEvent, { type: 'zero_price_receipt' }>)).toMatchObject({
      reference: 'zero/9/1',
      lines: [{ sku: '22139', quantity: 12 }],
    });
  });
});

test('the stream is in business time, holds every line once, and an original comes before what undoes it', async () => {
  const plan = await planOf(gzipped(sampleCsv(11, 600)));
  const seen = new Set<number>();
  let at = 0;
  for (const event of plan.events) {
    expect(event.at).toBeGreaterThanOrEqual(at);
    at = event.at;
    if (!('rows' in event)) continue;
    for (const row of event.rows) {
      expect(seen.has(row)).toBe(false);
      seen.add(row);
      for (let index = plan.matches.from.get(row) ?? 0; index < (plan.matches.to.get(row) ?? 0); index += 1) {
        const original = plan.matches.original[index]!;
        if (original >= 0) expect([referenceOf(plan, row), seen.has(original)]).toEqual([referenceOf(plan, row), true]);
      }
    }
  }
  expect(seen.size).toBe(plan.table.length);
});

test.skipIf(!hasRealFile)(
  `the real year: 19,773 orders of 3,791 SKUs, planned within its limits${withoutRealFile}`,
  { timeout: 120_000 },
  async () => {
    const before = process.cpuUsage();
    const plan = await planOf(REAL_FILE);
    const { user, system } = process.cpuUsage(before);
    expect([plan.orders, plan.skusOrdered, plan.table.accounts.list.length]).toEqual([19_773, 3791, 4373]);
    expect(plan.units).toEqual({ ordered: 5_576_996, cancelled: 272_030, writeOff: 206_898, zeroPrice: 68_024 });
    expect([plan.matches.unitsMatched, plan.matches.unitsWithoutOriginal]).toEqual([252_977, 19_053]);
    for (const receipt of [...plan.stock.opening, ...plan.stock.weekly]) {
      expect(receipt.lines.length).toBeLessThanOrEqual(RECEIPT_LINES_MAX);
    }
    expect((user + system) / 1e6).toBeLessThan(15);
  },
);
