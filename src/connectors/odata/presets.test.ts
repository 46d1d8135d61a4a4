/** The declared shapes of S/4HANA and Dynamics 365 against a service with their entity sets; neither system itself was at hand. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connector, SalesOrderPayload } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { odataService } from './conformance-service.ts';
import { odata } from './index.ts';
import type { OdataSettings } from './settings.ts';

const signal = new AbortController().signal;
let system: FakeSystem;
let login: FakeSystem;
let connector: Connector | undefined;

beforeEach(async () => {
  [system, login] = await Promise.all([fakeSystem(), fakeSystem()]);
});
afterEach(async () => {
  await connector?.close();
  await Promise.all([system.close(), login.close()]);
});

const preset = (name: string) =>
  JSON.parse(readFileSync(`${import.meta.dirname}/fixtures/${name}.json`, 'utf8')) as OdataSettings;

function open(settings: OdataSettings): Connector {
  connector = odata(contextFor(system.url, { settings: settings as never }));
  return connector;
}

it('S/4HANA: products by their change, orders with their items under a CSRF token, once each', async () => {
  const service = odataService(
    '2',
    'SalesOrder',
    {
      A_Product: [
        { Product: 'MZ-01', BaseUnit: 'PC', LastChangeDateTime: '/Date(1772357400000+0000)/' },
        { Product: 'MZ-02', BaseUnit: null, LastChangeDateTime: null },
      ],
      A_SalesOrder: [],
    },
    () => system.url,
  );
  service.csrf = 'csrf';
  system.answer((call) => service.answer(call));
  const s4 = open(preset('s4hana'));
  const page = await s4.sources[0]!.poll('', signal);
  expect(page.items.map(({ key, command, unreadable }) => [key.slice(0, 5), command?.kind ?? unreadable])).toEqual([
    ['MZ-01', 'product.changed'],
    ['MZ-02', { reason: 'is missing (unit)', place: '/d/results/1/BaseUnit', value: null }],
  ]);
  expect(page.items[0]!.command).toMatchObject({ sku: 'MZ-01', unit: 'PC', changedAt: '2026-03-01T09:30:00.000Z' });

  const payload: Omit<SalesOrderPayload, 'reference'> = {
    ...{ company: 'uk', account: '17100001', currency: 'EUR', orderedAt: '2026-03-01T09:30:00.000Z', totalMinor: 510 },
    lines: [{ lineNo: 1, sku: 'MZ-01', quantity: 2, unitPrice: '2.55', amountMinor: 510 }],
  };
  const items = ['web/1', 'web/2'].map((reference) => ({ reference, payload }));
  const orders = s4.deliveries.sales_order!;
  expect(await orders.write(items, signal)).toEqual([
    { outcome: 'confirmed', answer: { number: 'new-1' } },
    { outcome: 'confirmed', answer: { number: 'new-2' } },
  ]);
  expect(service.sets.A_SalesOrder![0]).toMatchObject({
    ...{ SalesOrder: 'new-1', PurchaseOrderByCustomer: 'web/1', SoldToParty: '17100001', SalesOrderType: 'OR' },
    // A list of one stays a list; quantities are texts, as v2 writes decimals.
    to_Item: { results: [{ Material: 'MZ-01', RequestedQuantity: '2', UnderlyingPurchaseOrderItem: '1' }] },
  });
  await orders.write(items, signal);
  expect(service.effects).toEqual(['POST A_SalesOrder', 'POST A_SalesOrder']);
});

it('Dynamics 365: accounts and orders by their change, order states under their ETag', async () => {
  const guid = (last: number) => `00000000-0000-0000-0000-00000000000${last}`;
  const modifiedon = '2026-03-01T09:30:00Z';
  const order = {
    ...{
      salesorderid: guid(3),
      ordernumber: 'ORD-1',
      statecode: 1,
      modifiedon,
      createdon: modifiedon,
      description: null,
    },
    customerid_account: { accountnumber: 'A-7' },
    transactioncurrencyid: { isocurrencycode: 'EUR' },
    order_details: [{ lineitemnumber: 1, productnumber: 'mz-01', quantity: 2, priceperunit: 2.55 }],
  };
  const service = odataService(
    '4',
    'salesorderid',
    {
      // Of one moment, in the order of SQL Server, which sorts guids by their end.
      accounts: [2, 1].map((last) => ({
        accountid: guid(last),
        accountnumber: `A-${last}`,
        name: 'Smith',
        modifiedon,
      })),
      salesorders: [order],
    },
    () => system.url,
  );
  system.answer((call) => service.answer(call));
  login.answer({ json: { access_token: 'dynamics', token_type: 'Bearer', expires_in: 3599 } });
  const settings = preset('dynamics');
  const crm = open({ ...settings, auth: { ...settings.auth, tokenUrl: `${login.url}/token` } as never });
  const [accounts, orders] = crm.sources;
  expect((await accounts!.poll('', signal)).items.map(({ command }) => command)).toMatchObject([
    { kind: 'account.changed', account: 'A-1', company: 'uk', name: 'Smith' },
    { kind: 'account.changed', account: 'A-2' },
  ]);
  expect((await orders!.poll('', signal)).items[0]!.command).toEqual({
    ...{
      kind: 'order.submitted',
      channel: 'channel',
      externalNo: 'ORD-1',
      company: 'uk',
      account: 'A-7',
      currency: 'EUR',
    },
    orderedAt: '2026-03-01T09:30:00.000Z',
    lines: [{ lineNo: 1, sku: 'MZ-01', quantity: 2, unitPrice: '2.55' }],
  });
  expect(system.calls[0]!.headers.authorization).toBe('Bearer dynamics');
  expect(login.calls).toHaveLength(1);

  const state = { key: 'channel/ORD-1', version: 1, base: 0, state: { externalNo: 'ORD-1', status: 'shipped' } };
  const { orderStatus } = crm;
  expect([...(await orderStatus!.holds!([state], signal))]).toEqual([]);
  expect(await orderStatus!.write([state], signal)).toMatchObject([{ outcome: 'confirmed' }]);
  expect(service.effects).toEqual([`PATCH salesorders('${guid(3)}')`]);
  expect([...(await orderStatus!.holds!([state], signal))]).toEqual(['channel/ORD-1']);
});
