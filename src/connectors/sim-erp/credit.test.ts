import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connector } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { simErp } from './index.ts';
import { mapDocuments } from './map.ts';

const signal = new AbortController().signal;
let system: FakeSystem;
let erp: Connector;
beforeEach(async () => {
  system = await fakeSystem();
  erp = simErp(contextFor(system.url, { system: 'erp', channel: null }));
});
afterEach(async () => {
  await erp.close();
  await system.close();
});

const amounts = { currency: 'GBP', limitMinor: 5_000, openOrdersMinor: 1_200, openInvoicesMinor: -300 };
const record = {
  company: 'UK',
  account: '17850',
  ...amounts,
  orders: ['shop/1'],
  orderLines: ['shop/1#2'],
  at: '2026-03-01T09:00:00.120Z',
};
const report = {
  ...{ kind: 'credit.reported', company: 'UK', account: '17850', ...amounts },
  ...{ asOf: '2026-03-01T09:00:00.120Z', orders: ['shop/1'], orderLines: ['shop/1#2'] },
};

it('accounts are asked for by company and code; one that keeps no credit is left out', async () => {
  system.answer({ json: { found: [{ key: 'UK/17850', ...record }] } });
  const accounts = [
    { company: 'UK', account: '17850' },
    { company: 'UK', account: 'none' },
  ];
  expect(await erp.credit!.ask(accounts, signal)).toEqual([report]);
  expect(system.calls[0]).toMatchObject({ path: '/credit/lookup', body: { accounts: ['UK/17850', 'UK/none'] } });
});

it('an answer that is not the contract is a fault, and no limit is none, not zero', async () => {
  system.answer({ json: { found: [{ key: 'UK/17850', ...record, openOrdersMinor: 1.5 }] } });
  await expect(erp.credit!.ask([{ company: 'UK', account: '17850' }], signal)).rejects.toThrow(/openOrdersMinor/);
  system.answer({ json: { found: [{ key: 'UK/17850', ...record, limitMinor: null }] } });
  const [free] = await erp.credit!.ask([{ company: 'UK', account: '17850' }], signal);
  expect(free!.limitMinor).toBeNull();
});

it('the same comes by the feed, each state under a key of its own; what can not be read says where', () => {
  const page = [
    { seq: 1, kind: 'credit', ...record },
    { seq: 2, kind: 'credit', ...record, openOrdersMinor: 0 },
    { seq: 3, kind: 'credit', ...record, orders: [7] },
  ];
  const items = mapDocuments(page, 'erp');
  expect(items[0]!.command).toEqual(report);
  expect(items[0]!.scope).toBe('credit/erp');
  expect(new Set(items.map(({ key }) => key)).size).toBe(3);
  expect(items[2]!.unreadable?.place).toBe('/records/2/orders');
});
