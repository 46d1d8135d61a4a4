/** What changes after an order was taken, and what accounts carry beside their name, against the simulated org. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { manualTime } from '../sim/index.ts';
import { closeSims, type Opened, openSim } from '../sim/lib/testing.ts';
import type { OrderStatusState, StateItem } from '../src/connectors/kit/index.ts';
import { contextFor } from '../src/connectors/kit/testing.ts';
import { createSalesforce, type SalesforceConnector } from '../src/connectors/salesforce/index.ts';

const signal = new AbortController().signal;
const settings = { auth: 'client_credentials', clientId: 'crossdock', company: 'UK' };
const time = manualTime(Date.parse('2026-03-01T09:00:00Z'));
let sim: Opened;
const open: SalesforceConnector[] = [];

function connect(more: object = {}): SalesforceConnector {
  const own = { ...settings, ...more };
  const context = contextFor(sim.url, { system: 'crm', channel: 'crm', token: 'sim-token', settings: own });
  const made = createSalesforce(context, { nowMs: () => time.now() });
  open.push(made);
  return made;
}
beforeEach(async () => {
  sim = await openSim('salesforce', { time, speed: 1 });
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  await closeSims();
});
async function put(values: object, id?: string): Promise<string> {
  const { status, body } = await sim.post('/_drive/records', { records: [{ type: 'Account', values, id }] });
  expect(status, JSON.stringify(body)).toBe(200);
  return body.results[0].id;
}

type Line = OrderStatusState['lines'][number];
const line = (more: Partial<Line> = {}): Line => ({
  ...{ lineNo: 1, sku: '85123A', quantity: 6, amountMinor: 1530 },
  ...{ cancelled: 0, backordered: 0, refused: 0, shipped: 0, invoiced: 0, returned: 0, ...more },
});
const state = (version: number, base: number, totalMinor: number, lines: Line[]): StateItem => ({
  ...{ key: 'shop/1', version, base },
  state: {
    ...{ channel: 'shop', externalNo: '1', status: 'confirmed', account: '17850', currency: 'GBP', totalMinor, lines },
  },
});
const records = async (type: string) => Object.values(await sim.truth(type)) as Record<string, unknown>[];

it('what was added to an order is there once, though the answer is lost, and a cancel of part of it follows', async () => {
  await put({ Name: 'One', Crossdock_Account__c: '17850', CurrencyIsoCode: 'GBP' });
  const crm = connect();
  await crm.probe(signal);
  await crm.orderStatus!.write([state(1, 0, 1530, [line()])], signal);
  // Four more of line 1, and a line that is new; who ordered sees one line of ten.
  const added = line({ lineNo: 2, sku: '71053', quantity: 1, amountMinor: 339 });
  const change = state(2, 0, 2889, [line({ quantity: 10, amountMinor: 2550 }), added]);
  await sim.post('/_control/faults', { profile: { errorAfter: 1 } });
  expect(await crm.orderStatus!.write([change], signal)).toMatchObject([{ outcome: 'in_doubt' }]);
  await sim.post('/_control/faults', { profile: 'none' });
  expect(await crm.orderStatus!.readBack(['shop/1'], signal)).toEqual(new Map([['shop/1', 2]]));
  // Sent again all the same, as a process may that forgot it all.
  expect(await connect().orderStatus!.write([change], signal)).toEqual([{ outcome: 'confirmed' }]);
  const shown = async () =>
    (await records('Crossdock_Order_Line__c')).map((one) => [
      one.Sku__c,
      one.Quantity__c,
      one.Cancelled__c,
      one.Amount__c,
    ]);
  expect(await shown()).toEqual([
    ['85123A', '10', '0', '25.50'],
    ['71053', '1', '0', '3.39'],
  ]);
  await crm.orderStatus!.write([state(3, 2, 2889, [line({ quantity: 10, amountMinor: 2550, cancelled: 3 })])], signal);
  expect(await shown()).toEqual([
    ['85123A', '10', '3', '25.50'],
    ['71053', '1', '0', '3.39'],
  ]);
  expect(await records('Crossdock_Order__c')).toMatchObject([{ Total__c: '28.89', Version__c: '3' }]);
});

it('when the last of a line is promised is shown where the org has a field, and is empty where nobody knows', async () => {
  await put({ Name: 'One', Crossdock_Account__c: '17850', CurrencyIsoCode: 'GBP' });
  const part = (at: string | null) => ({ quantity: 3, at, location: at === null ? null : 'EAST', reason: 'in_stock' });
  const [early, late] = ['2026-03-02T15:00:00.000Z', '2026-03-09T15:00:00.000Z'];
  const crm = connect({ promiseField: 'Promised__c' });
  const shown = async (version: number, promised: Line['promised']) => {
    const item = state(version, version - 1, 1530, [line({ ...(promised && { promised }) })]);
    expect(await crm.orderStatus!.write([item], signal)).toEqual([{ outcome: 'confirmed' }]);
    return String((await records('Crossdock_Order_Line__c'))[0]!.Promised__c ?? null);
  };
  await crm.probe(signal);
  expect(Date.parse(await shown(1, [part(late), part(early)]))).toBe(Date.parse(late));
  expect(Date.parse(await shown(2, [part(early)]))).toBe(Date.parse(early));
  // A channel that promises no dates says nothing, and nothing is taken away.
  expect(Date.parse(await shown(3, undefined))).toBe(Date.parse(early));
  expect(await shown(4, [part(early), part(null)])).toBe('null');
  // Without the setting the org needs no such field.
  const plain = connect();
  await plain.orderStatus!.write([state(5, 4, 1530, [line({ promised: [part(late)] })])], signal);
  expect((await records('Crossdock_Order_Line__c'))[0]!.Promised__c ?? null).toBeNull();
});

it('accounts are told with what stands above them and how they pay, where settings ask for it', async () => {
  const group = await put({ Name: 'Group', Crossdock_Account__c: '100', Payment_Terms__c: 'NET30' });
  const stranger = await put({ Name: 'No account of ours' });
  const shop = await put({ Name: 'Shop', Crossdock_Account__c: '101', ParentId: group });
  await put({ Name: 'Other', Crossdock_Account__c: '102', ParentId: stranger });
  const told = async (crm: SalesforceConnector) => {
    const feed = crm.sources.find((source) => source.feed === 'accounts')!;
    const { items } = await feed.poll('', signal);
    expect(items.filter(({ unreadable }) => unreadable !== undefined)).toEqual([]);
    return items.map(({ command }) => {
      const { account, parent, paymentTerms } = command as {
        account: string;
        parent?: unknown;
        paymentTerms?: unknown;
      };
      return [account, parent, paymentTerms];
    });
  };
  const asked = { accountParents: true, paymentTermsField: 'Payment_Terms__c' };
  expect((await told(connect(asked))).sort()).toEqual([
    ['100', null, 'NET30'],
    ['101', '100', null],
    ['102', null, null],
  ]);
  expect((await told(connect())).sort()).toEqual(
    ['100', '101', '102'].map((account) => [account, undefined, undefined]),
  );
  // Moved out of the group, it has nobody above it any more.
  await put({ ParentId: null }, shop);
  expect(await told(connect(asked))).toContainEqual(['101', null, null]);
});
