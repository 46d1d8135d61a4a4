import { expect, it } from 'vitest';
import { Unreadable } from '../kit/index.ts';
import { type CreditPage, creditOf, joinCredit, mapCredit } from './credit.ts';
import { decimalOf } from './values.ts';

const at = '2026-03-01T09:00:00.000Z';
const of = { company: 'US', account: 'C1' };
const usd = { 'currency.': { id: 1, code: 'USD' } };
const page = (more: Partial<CreditPage> = {}): CreditPage => ({
  parties: [{ id: 2, code: 'C1', receivable: decimalOf('12.50'), credit_limit_amount: decimalOf('500.00') }],
  sales: [{ id: 7, party: 2, reference: 'shop/1', ...usd }],
  orders: [],
  lines: [{ id: 70, sale: 7, quantity: 3, unit: 1, unit_price: decimalOf('12.3400') }],
  invoiced: [],
  currency: 'USD',
  at,
  ...more,
});
const reportOf = (more: Partial<CreditPage> = {}) => creditOf(joinCredit(page(more))[0]!, of, '');

it('open is what is on no posted invoice; what was added to an order is the order’s', () => {
  const report = reportOf({
    sales: [
      { id: 7, party: 2, reference: 'shop/1', ...usd },
      { id: 8, party: 2, reference: 'A/5-K7QX/3', origin: 'sale.sale,6', ...usd },
      { id: 9, party: 2, reference: 'R12', ...usd },
      { id: 10, party: 2, reference: null, ...usd },
      { id: 11, party: 3, reference: 'shop/2', ...usd },
    ],
    lines: [
      { id: 70, sale: 7, quantity: 3, unit: 1, unit_price: decimalOf('12.34') },
      { id: 80, sale: 8, sequence: 100_001, quantity: 1, unit: 1, unit_price: decimalOf('1.00') },
      { id: 110, sale: 11, quantity: 100, unit: 1, unit_price: decimalOf('99.00') },
    ],
    // The order itself is done already.
    orders: [{ id: 6, reference: 'shop/0' }],
    invoiced: [
      { origin: 'sale.line,70', quantity: 2, unit: 1 },
      // In another unit it can't be taken off: rather too much is held than too little.
      { origin: 'sale.line,80', quantity: 1, unit: 4 },
    ],
  });
  expect(report).toEqual({
    ...{ kind: 'credit.reported', ...of, currency: 'USD', limitMinor: 50_000, asOf: at },
    ...{ openOrdersMinor: 1_334, openInvoicesMinor: 1_250, orders: ['shop/1'], orderLines: ['shop/0#100001'] },
  });
});

it.each<[string, string, number]>([
  ['0.125', '1', 13],
  ['0.1249', '1', 12],
  ['-0.125', '1', -13],
  ['12.3456', '2.5', 3_086],
  ['0.0001', '49', 0],
])('%s x %s is %i cents, rounded once and half away from zero', (price, quantity, minor) => {
  const line = { id: 70, sale: 7, quantity: Number(quantity), unit: 1, unit_price: decimalOf(price) };
  const { openOrdersMinor, openInvoicesMinor } = reportOf({ lines: [line] });
  expect(openOrdersMinor + openInvoicesMinor - 1_250).toBe(minor);
  expect(openOrdersMinor).toBeGreaterThanOrEqual(0);
});

it('without modules and debts there is no limit and nothing owed; paid ahead is below nothing', () => {
  const bare = { parties: [{ id: 2, code: 'C1', receivable: null }], sales: [], lines: [] };
  expect(reportOf(bare)).toMatchObject({ limitMinor: null, openOrdersMinor: 0, openInvoicesMinor: 0, orders: [] });
  const ahead = { parties: [{ id: 2, code: 'C1', receivable: decimalOf('-3') }], sales: [], lines: [] };
  expect(reportOf(ahead)).toMatchObject({ openInvoicesMinor: -300 });
});

it('an open sale in another currency makes no number', () => {
  const sales = [{ id: 7, party: 2, reference: 'shop/1', 'currency.': { id: 2, code: 'EUR' } }];
  expect(() => reportOf({ sales })).toThrow(Unreadable);
});

it('in the feed, what can’t be told is set aside under its account, and others are told', () => {
  const rows = (row: Record<string, string | null>) => ({ key: [row.code!], rows: [row as Record<string, string>] });
  const amounts = {
    currency: 'USD',
    limit: null,
    openOrders: '1200',
    openInvoices: '-3',
    orders: 'shop/1\nshop/2',
    orderLines: 'shop/1#7',
  };
  const changes = [rows({ code: 'C1', unreadable: 'has an open sale' } as never), rows({ code: 'C2', ...amounts })];
  const items = mapCredit(
    { revision: '1', readAt: at, changes: [...changes, { key: ['C3'], rows: [] }] },
    'erp',
    'US',
    (code) => code.toLowerCase(),
  );
  expect(items).toHaveLength(2);
  expect(items[0]).toMatchObject({
    scope: 'credit/erp',
    key: `US/C1 ${at}`,
    unreadable: { reason: 'has an open sale' },
  });
  expect(items[1]!.command).toEqual({
    ...{ kind: 'credit.reported', account: 'c2', company: 'US', currency: 'USD', limitMinor: null, asOf: at },
    ...{ openOrdersMinor: 1_200, openInvoicesMinor: -3, orders: ['shop/1', 'shop/2'], orderLines: ['shop/1#7'] },
  });
});
