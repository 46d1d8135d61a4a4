/** What parties owe, as the real Tryton has it, against what it computes itself. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CreditReported, InboundItem } from '../../src/canonical/index.ts';
import type { SalesOrderPayload } from '../../src/connectors/kit/index.ts';
import { contextFor } from '../../src/connectors/kit/testing.ts';
import { tryton } from '../../src/connectors/tryton/index.ts';
import { Tryton } from '../../src/connectors/tryton/rpc.ts';
import { dateOf, decimalText } from '../../src/connectors/tryton/values.ts';
import { live } from './live.ts';

const signal = new AbortController().signal;
const run = `k${Date.now().toString(36)}`;
const settings = {
  ...{ user: 'crossdock', companyCode: 'US', warehouses: { EAST: 'DC-EAST' } },
  ...{ accounts: { 'walk-in': 'CUST-0020' }, credit: true, accountTerms: true },
};

live('Credit in Tryton', ['tryton'], ({ tryton: peer }) => {
  const context = contextFor(`${peer.url}${String(peer.keys.database)}`, {
    ...{ system: 'tryton', channel: null, token: 'crossdock-pw', settings },
    limits: { callsPerSecond: 100, concurrency: 4, timeoutMs: 60_000, batchMax: null },
  });
  const connector = tryton(context);
  const raw = new Tryton(context, settings);
  beforeAll(() => raw.company(signal), 30_000);
  afterAll(async () => {
    await connector.close();
    await raw.client.close();
  });
  const write = async (kind: string, item: { reference: string }) =>
    (await connector.deliveries[kind]!.write([{ reference: item.reference, payload: item }], signal))[0]!;
  const order = (no: number, account: string): SalesOrderPayload => ({
    ...{ reference: `shop/${run}-${no}`, company: 'US', account, currency: 'USD' },
    ...{ orderedAt: new Date().toISOString(), totalMinor: 3702 },
    lines: [{ lineNo: 1, sku: 'SKU-0011', quantity: 3, unitPrice: '12.34', amountMinor: 3702 }],
  });
  const ask = async (...accounts: string[]) =>
    new Map(
      (
        await connector.credit!.ask(
          accounts.map((account) => ({ company: 'US', account })),
          signal,
        )
      ).map((one) => [one.account, one]),
    );
  /** What Tryton itself holds against a limit, by its own modules. */
  const usedThere = async (code: string) => {
    const [party] = await raw.search('party.party', [['code', '=', code]], ['credit_amount'], signal);
    return Math.round(Number(decimalText(party!.credit_amount, '')) * 100);
  };
  const used = ({ openOrdersMinor, openInvoicesMinor }: CreditReported) => openOrdersMinor + openInvoicesMinor;

  it('limit, open orders and invoices are what Tryton computes; an order moves from the one to the other', async () => {
    const before = (await ask('walk-in')).get('walk-in')!;
    expect(before).toMatchObject({ kind: 'credit.reported', company: 'US', currency: 'USD', limitMinor: 50_000 });
    expect(used(before)).toBe(await usedThere('CUST-0020'));
    const sent = order(1, 'walk-in');
    expect(await write('sales_order', sent)).toMatchObject({ outcome: 'confirmed' });
    const change = {
      ...{ reference: `A/${Date.now()}/2`, order: sent.reference, totalMinor: 1234 },
      lines: [{ lineNo: 100_001, addsTo: 1, sku: 'SKU-0011', quantity: 1, unitPrice: '12.34', amountMinor: 1234 }],
    };
    expect(await write('order_change', change)).toMatchObject({ outcome: 'confirmed' });
    const open = (await ask('walk-in')).get('walk-in')!;
    expect(open.openOrdersMinor - before.openOrdersMinor).toBe(4936);
    expect(open.openInvoicesMinor).toBe(before.openInvoicesMinor);
    // The order, and what was added is part of it.
    expect(open.orders).toContain(sent.reference);
    expect(open.orders!.filter((one) => one.startsWith('A/'))).toEqual([]);
    expect(open.orderLines).toContain(`${sent.reference}#100001`);
    expect(used(open)).toBe(await usedThere('CUST-0020'));

    const [sku] = await raw.search('product.product', [['code', '=', 'SKU-0011']], ['code'], signal);
    const [east] = await raw.search('stock.location', [['code', '=', 'DC-EAST']], ['storage_location'], signal);
    const lines = [['create', [{ product: sku!.id, quantity: 500 }]]];
    const stock = {
      location: east!.storage_location,
      date: dateOf(new Date().toISOString()),
      empty_quantity: 'keep',
      lines,
    };
    const counted = await raw.write('model.stock.inventory.create', [[stock]], signal);
    const press = async (method: string, ids: unknown) => {
      const written = await raw.write(`model.${method}`, [ids], signal);
      if (!written.done) throw new Error(JSON.stringify(written.outcome));
    };
    await press('stock.inventory.confirm', (counted as { value: number[] }).value);
    const fulfilment = {
      ...{ reference: `F${Date.now() % 1_000_000_000}7`, order: sent.reference, location: 'EAST' },
      lines: [{ lineNo: 1, sku: 'SKU-0011', quantity: 2 }],
    };
    expect(await write('fulfilment', fulfilment)).toMatchObject({ outcome: 'confirmed' });
    const [shipment] = await raw.search('stock.shipment.out', [['reference', '=', fulfilment.reference]], [], signal);
    for (const step of ['pick', 'pack', 'done']) await press(`stock.shipment.out.${step}`, [shipment!.id]);
    // Invoiced and not posted yet, it is still an order.
    expect((await ask('walk-in')).get('walk-in')!).toMatchObject({ openOrdersMinor: open.openOrdersMinor });
    const [sale] = await raw.search('sale.sale', [['reference', '=', sent.reference]], ['invoices'], signal);
    for (const invoice of sale!.invoices as number[]) {
      const values = { invoice_date: dateOf(new Date().toISOString()) };
      await raw.write('model.account.invoice.write', [[invoice], values], signal);
      await press('account.invoice.post', [invoice]);
    }
    const invoiced = (await ask('walk-in')).get('walk-in')!;
    expect(invoiced.openOrdersMinor - open.openOrdersMinor).toBe(-2468);
    expect(invoiced.openInvoicesMinor - open.openInvoicesMinor).toBe(2468);
    expect(used(invoiced)).toBe(await usedThere('CUST-0020'));
  });

  it('no limit is none, and what Tryton has no party for is left out', async () => {
    const told = await ask('CUST-0007', 'CUST-0005', 'NOBODY');
    expect([...told.keys()].sort()).toEqual(['CUST-0005', 'CUST-0007']);
    expect(told.get('CUST-0007')!.limitMinor).toBeNull();
    expect(told.get('CUST-0005')!.limitMinor).toBe(50_000);
    expect(await connector.credit!.ask([{ company: 'another', account: 'CUST-0005' }], signal)).toEqual([]);
  });

  it('the feed tells every party once, and then the one whose credit changed', async () => {
    const feed = connector.sources.find((source) => source.feed === 'credit')!;
    const drain = async (from: string) => {
      const items: InboundItem[] = [];
      for (let cursor = from; ; ) {
        const page = await feed.poll(cursor, signal);
        items.push(...page.items);
        cursor = page.cursor;
        if (page.drained) return { items, cursor };
      }
    };
    const first = await drain('');
    expect(first.items.filter(({ unreadable }) => unreadable !== undefined)).toEqual([]);
    const accounts = first.items.map(({ command }) => (command as CreditReported).account);
    expect(new Set(accounts).size).toBe(accounts.length);
    expect(accounts).toContain('walk-in');
    expect((await drain(first.cursor)).items).toEqual([]);
    const sent = order(2, 'CUST-0015');
    expect(await write('sales_order', sent)).toMatchObject({ outcome: 'confirmed' });
    const { items } = await drain(first.cursor);
    expect(items).toHaveLength(1);
    const report = items[0]!.command as CreditReported;
    expect(report).toMatchObject({ account: 'CUST-0015', orders: expect.arrayContaining([sent.reference]) });
    expect(used(report)).toBe(await usedThere('CUST-0015'));
  });

  it('accounts are told with their payment term where settings ask for it', async () => {
    const feed = connector.sources.find((source) => source.feed === 'accounts_new')!;
    const { items } = await feed.poll('', signal);
    const told = items.map(({ command }) => command as { account: string; paymentTerms?: string | null });
    const terms = await raw.search('party.party', [['code', '=', 'CUST-0001']], ['customer_payment_term.name'], signal);
    const there = (terms[0]!['customer_payment_term.'] as { name?: string } | null)?.name ?? null;
    expect(told.find(({ account }) => account === 'CUST-0001')).toMatchObject({ paymentTerms: there });
    expect(there).not.toBeNull();
  });
});
