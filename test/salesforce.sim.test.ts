/** The Salesforce connector against the simulated org: what is lost, doubled or told wrongly when things go wrong. */
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ManualTime, manualTime } from '../sim/index.ts';
import { closeSims, type Opened, openSim } from '../sim/lib/testing.ts';
import type { InboundItem } from '../src/canonical/index.ts';
import type { OrderStatusState, Source, StateItem } from '../src/connectors/kit/index.ts';
import { contextFor, type ManualClock, manualClock } from '../src/connectors/kit/testing.ts';
import {
  ambiguousSkus,
  createSalesforce,
  mergesOf,
  type SalesforceConnector,
  salesforce,
} from '../src/connectors/salesforce/index.ts';

const signal = new AbortController().signal;
const START = Date.parse('2026-03-01T09:00:00Z');
const settings = { auth: 'client_credentials', clientId: 'crossdock', company: 'UK', cancelStages: ['Called Off'] };
let time: ManualTime;
let clock: ManualClock;
let sim: Opened;
let crm: SalesforceConnector;
const open: SalesforceConnector[] = [];

function connect(changes: Parameters<typeof contextFor>[1] = {}): SalesforceConnector {
  const context = contextFor(sim.url, { system: 'crm', channel: 'crm', token: 'sim-token', settings, ...changes });
  const made = createSalesforce(context, { clock, nowMs: () => time.now() });
  open.push(made);
  return made;
}

beforeEach(async () => {
  time = manualTime(START);
  clock = manualClock();
  sim = await openSim('salesforce', { time, speed: 1 });
  crm = connect();
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  await closeSims();
});

const org = (change: object) => sim.post('/_drive/org', change);
async function put(type: string, values: object, more: object = {}): Promise<string> {
  const { status, body } = await sim.post('/_drive/records', { records: [{ type, values, ...more }] });
  expect(status, JSON.stringify(body)).toBe(200);
  return body.results[0].id;
}

let account = '';
let products: string[] = [];
async function masterData(): Promise<void> {
  account = await put('Account', { Name: 'Ärzte & Co', Crossdock_Account__c: '17850', CurrencyIsoCode: 'GBP' });
  products = [];
  for (const ProductCode of ['85123a', '71053'])
    products.push(await put('Product2', { Name: ProductCode, ProductCode, IsActive: true }));
}

async function opportunity(values: object = {}, lines: object[] = [{}], more: object = {}): Promise<string> {
  const id = await put('Opportunity', {
    Name: 'A deal',
    AccountId: account,
    StageName: 'Negotiation',
    CloseDate: '2026-03-01',
    CurrencyIsoCode: 'GBP',
  });
  for (const line of lines)
    await put('OpportunityLineItem', {
      OpportunityId: id,
      Product2Id: products[0],
      Quantity: 6,
      UnitPrice: 2.55,
      ...line,
    });
  await put('Opportunity', { StageName: 'Closed Won', ...values }, { id, ...more });
  return id;
}

/** Reads until nothing more is there. */
async function drain(source: Source, from = ''): Promise<{ items: InboundItem[]; cursor: string; pages: number }> {
  const items: InboundItem[] = [];
  let cursor = from;
  for (let pages = 1; ; pages++) {
    const page = await source.poll(cursor, signal);
    // What is kept says the same as what was read.
    const kept = source.reread!(page.body).map(({ key }) => key);
    for (const item of page.items) expect(kept).toContain(item.key);
    items.push(...page.items);
    cursor = page.cursor;
    if (page.drained) return { items, cursor, pages };
  }
}
const keysOf = (items: readonly InboundItem[]) => items.map(({ key }) => key);
const feed = () => crm.sources[0]!;

describe('signing in', () => {
  it('by assertion, with a key as it stands in an environment', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await org({ app: { publicKey: publicKey.export({ type: 'spki', format: 'pem' }) } });
    const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const jwt = { ...settings, auth: 'jwt', username: 'integration@example.test' };
    const one = connect({ token: pem.replaceAll('\n', '\\n'), settings: jwt });
    expect(await one.probe(signal)).toEqual({
      ok: true,
      detail: 'answers, lets us in and has Crossdock_Order__c; 1 of 100000 calls of the day are used',
    });
    const other = connect({ token: pem, settings: { ...jwt, username: 'nobody' } });
    expect((await other.probe(signal)).detail).toContain("sign-in refused: invalid_grant: user hasn't approved");
  });

  it('refused is told without the secret, nothing is sent, and it is not tried at each call', async () => {
    const one = connect({ token: 'wrong-secret' });
    const outcomes = await one.orderStatus!.write([state('crm/1', 1)], signal);
    expect(outcomes).toMatchObject([
      { outcome: 'later', ofSystem: true, error: expect.stringContaining('invalid_client') },
    ]);
    await one.orderStatus!.write([state('crm/1', 1)], signal);
    expect(JSON.stringify(outcomes)).not.toContain('wrong-secret');
    expect(sim.stats()).toMatchObject({ calls: 1, sessions: 0 });
  });

  it('a session that ended is begun anew once, and what it refused goes through', async () => {
    await masterData();
    await crm.probe(signal);
    await clock.advance(10_000);
    await sim.post('/_drive/expire', {});
    const both = await Promise.all([
      crm.orderStatus!.write([state('crm/1', 1)], signal),
      crm.orderStatus!.readBack(['x'], signal),
    ]);
    expect(both[0]).toEqual([{ outcome: 'confirmed' }]);
    expect(sim.stats()).toMatchObject({ sessions: 2 });
  });

  it('an org that moved is asked at its new address', async () => {
    await crm.probe(signal);
    const moved = await openSim('salesforce', { time });
    // Both orgs make the same second session, so that the one that is given here is good there.
    const form = { grant_type: 'client_credentials', client_id: 'crossdock', client_secret: 'sim-token' };
    for (const _ of [1, 2])
      await fetch(`${moved.url}/services/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) });
    await org({ app: { instanceUrl: moved.url } });
    await clock.advance(10_000);
    await sim.post('/_drive/expire', {});
    expect((await crm.probe(signal)).detail).toContain('could not sign in');
    const before = sim.stats().apiUsed;
    expect(await crm.probe(signal)).toMatchObject({ ok: true, detail: expect.stringContaining('; 1 of 100000') });
    expect([sim.stats().apiUsed, moved.stats().apiUsed]).toEqual([before, 1]);
  });

  it.each([
    ['auth', { auth: 'password' }],
    ['username', { auth: 'jwt' }],
    ['company', { company: undefined }],
    ['timeZone', { timeZone: 'Mars/North' }],
    ['skuField', { skuField: "Name FROM User WHERE Name='" }],
    ['overlapMs', { overlapMs: -1 }],
  ])('a wrong setting %s is named', (name, change) => {
    const given = Object.fromEntries(
      Object.entries({ ...settings, ...change }).filter(([, value]) => value !== undefined),
    );
    expect(() => salesforce(contextFor('http://x', { settings: given }))).toThrow(new RegExp(`settings.${name}`));
  });

  it('a key that is none is refused before anything is sent, without being shown', () => {
    const jwt = { ...settings, auth: 'jwt', username: 'u' };
    expect(() => connect({ token: 'no-key-at-all', settings: jwt })).toThrow(/crm\.token is no RSA private key/);
    expect(() => connect({ token: 'no-key-at-all', settings: jwt })).not.toThrow(/no-key-at-all/);
  });
});

describe('opportunities', () => {
  beforeEach(masterData);

  it('a won one is an order under its id, net of discounts, at the day it was closed', async () => {
    crm = connect({ settings: { ...settings, timeZone: 'Europe/London' } });
    const id = await opportunity({ CloseDate: '2026-07-01' }, [
      {},
      { Product2Id: products[1], Quantity: 12, UnitPrice: 3.39, Discount: 12.5 },
    ]);
    const { items } = await drain(feed());
    expect(items.map(({ scope, key, command }) => ({ scope, key, command }))).toEqual([
      {
        scope: 'order/crm',
        key: id,
        command: {
          kind: 'order.submitted',
          channel: 'crm',
          externalNo: id,
          company: 'UK',
          account: '17850',
          currency: 'GBP',
          orderedAt: '2026-06-30T23:00:00.000Z',
          lines: [
            { lineNo: 1, sku: '85123A', quantity: 6, unitPrice: '2.55' },
            { lineNo: 2, sku: '71053', quantity: 12, unitPrice: '2.96625' },
          ],
        },
      },
    ]);
  });

  it('two hundred and ten of one second are all read once, page by page, and a pass without news hands nothing over', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 210; n++) ids.push(await opportunity());
    const first = await drain(feed());
    expect(first.pages).toBe(2);
    expect([...keysOf(first.items)].sort()).toEqual([...ids].sort());
    expect((await drain(feed(), first.cursor)).items).toEqual([]);
  }, 60_000);

  it('two changes within one second are both handed over', async () => {
    const id = await opportunity();
    const first = await drain(feed());
    await put('Opportunity', { CloseDate: '2026-03-05' }, { id });
    const second = await drain(feed(), first.cursor);
    expect(second.items).toMatchObject([{ key: id, command: { orderedAt: '2026-03-05T00:00:00.000Z' } }]);
    expect(second.items[0]!.fingerprint).not.toBe(first.items[0]!.fingerprint);
  });

  it('what commits after a later change was read is read by the next pass', async () => {
    const late = await opportunity({}, [{}], { commitAfterMs: 240_000 });
    time.advance(60_000);
    const early = await opportunity();
    const first = await drain(feed());
    expect(keysOf(first.items)).toEqual([early]);
    time.advance(200_000);
    expect(keysOf((await drain(feed(), first.cursor)).items)).toEqual([late]);
  });

  it('the same again after a restart has the same keys and fingerprints', async () => {
    await opportunity();
    const first = await drain(feed());
    crm = connect();
    const again = await drain(feed(), first.cursor);
    expect(again.items).toEqual(first.items);
  });

  it('a change while pages are read moves a record to the end and loses none', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 210; n++) {
      if (n % 50 === 0) time.advance(1_000);
      ids.push(await opportunity());
    }
    const one = await feed().poll('', signal);
    expect(one.drained).toBe(false);
    time.advance(5_000);
    // One that was read already, and one that was to come.
    for (const id of [ids[3], ids[205]]) await put('Opportunity', { Name: 'Touched' }, { id });
    const rest = await drain(feed(), one.cursor);
    const seen = new Set([...keysOf(one.items), ...keysOf(rest.items)]);
    expect(seen.size).toBe(210);
  }, 60_000);

  it('answers in many pages, and lines of one record in several, are all read', async () => {
    const lines = Array.from({ length: 7 }, (_, n) => ({ Quantity: n + 1 }));
    for (let n = 0; n < 5; n++) await opportunity({}, lines);
    await org({ rowsMax: 2, childrenMax: 3 });
    const { items } = await drain(feed());
    expect(items).toHaveLength(5);
    for (const { command } of items)
      expect((command as { lines: { quantity: number }[] }).lines.map((line) => line.quantity)).toEqual([
        1, 2, 3, 4, 5, 6, 7,
      ]);
  });

  it('one without products, account or whole units is set aside alone, with what to look at', async () => {
    const good = await opportunity();
    const bare = await opportunity({}, []);
    const nobody = await opportunity({ AccountId: null });
    const half = await opportunity({}, [{ Quantity: 1.5 }]);
    const unnamed = await put('Account', { Name: 'New' });
    const numberless = await opportunity({ AccountId: unnamed });
    const byKey = new Map((await drain(feed())).items.map((item) => [item.key, item]));
    expect(byKey.get(good)!.command).toBeDefined();
    const whyOf = (id: string) => byKey.get(id)!.unreadable;
    expect(whyOf(bare)).toMatchObject({
      place: expect.stringMatching(/OpportunityLineItems$/),
      reason: expect.stringContaining('products'),
    });
    expect(whyOf(nobody)).toMatchObject({ place: expect.stringMatching(/Account$/) });
    expect(whyOf(half)).toMatchObject({ place: expect.stringMatching(/Quantity$/), value: '1.5' });
    expect(whyOf(numberless)).toMatchObject({ place: expect.stringMatching(/Account\/Crossdock_Account__c$/) });
  });

  it.each([
    ['called off', (id: string) => put('Opportunity', { StageName: 'Called Off' }, { id })],
    ['deleted', (id: string) => sim.post('/_drive/delete', { type: 'Opportunity', id })],
  ])('one that is %s after it was won asks for each of its lines back, once', async (_, act) => {
    const id = await opportunity({}, [{}, { Product2Id: products[1], Quantity: 2 }]);
    const first = await drain(feed());
    time.advance(30_000);
    await act(id);
    const second = await drain(feed(), first.cursor);
    expect(second.items.map(({ scope, key, command }) => [scope, key, command?.kind])).toEqual([
      ['cancel/crm', `${id}/${id}/1`, 'order.cancel_requested'],
      ['cancel/crm', `${id}/${id}/2`, 'order.cancel_requested'],
    ]);
    expect(second.items[1]!.command).toMatchObject({
      order: id,
      lineNo: 2,
      quantity: 2,
      occurredAt: '2026-03-01T09:00:30.000Z',
    });
    expect((await drain(feed(), second.cursor)).items).toEqual([]);
  });

  it('touched after it was called off, the cancel stays the same thing', async () => {
    const id = await opportunity();
    await put('Opportunity', { StageName: 'Called Off' }, { id });
    const first = await drain(feed());
    time.advance(60_000);
    await put('Opportunity', { Name: 'Touched' }, { id });
    const second = await drain(feed(), first.cursor);
    expect(second.items.map(({ key, fingerprint }) => [key, fingerprint])).toEqual(
      first.items.map(({ key, fingerprint }) => [key, fingerprint]),
    );
  });

  it('with a storm of faults every one is handed over under one key', async () => {
    const ids = new Set<string>();
    for (let n = 0; n < 60; n++) ids.add(await opportunity());
    await sim.post('/_control/faults', {
      profile: { errorBefore: 0.2, errorAfter: 0.1, reset: 0.1, tooMany: 0.1 },
      seed: 7,
    });
    const seen = new Map<string, string>();
    let cursor = '';
    for (let tries = 0; tries < 60; tries++) {
      try {
        const page = await feed().poll(cursor, signal);
        for (const { key, fingerprint } of page.items) seen.set(key, fingerprint);
        cursor = page.cursor;
        if (page.drained) break;
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^XD_CONNECTOR_/);
        await clock.advance(10_000);
      }
    }
    expect([...seen.keys()].sort()).toEqual([...ids].sort());
  });
});

function state(key: string, version: number, changes: Partial<OrderStatusState> = {}, base = 0): StateItem {
  const [channel = '', externalNo = ''] = key.split('/');
  const line = {
    lineNo: 1,
    sku: '85123A',
    quantity: 6,
    amountMinor: 1530,
    cancelled: 0,
    backordered: 0,
    refused: 0,
    shipped: 4,
    invoiced: 4,
    returned: 0,
  };
  const whole: OrderStatusState = {
    channel,
    externalNo,
    status: 'shipped',
    account: '17850',
    currency: 'GBP',
    totalMinor: 1530,
    lines: [line],
  };
  return { key, version, base, state: { ...whole, ...changes } };
}
const lineOf = (lineNo: number, changes: object = {}) => ({
  ...(state('a/b', 1).state as OrderStatusState).lines[0]!,
  lineNo,
  ...changes,
});
const callsBy = async (act: () => Promise<unknown>): Promise<number> => {
  const before = sim.stats().calls as number;
  await act();
  return (sim.stats().calls as number) - before;
};

describe('order states', () => {
  const write = (...items: StateItem[]) => crm.orderStatus!.write(items, signal);
  const held = (...keys: string[]) => crm.orderStatus!.readBack(keys, signal);
  const orders = async () => Object.values(await sim.truth('Crossdock_Order__c'));
  const lines = async () => Object.values(await sim.truth('Crossdock_Order_Line__c'));

  beforeEach(async () => {
    await masterData();
    await crm.probe(signal);
  });

  it('one alone is one call, whole, with exact money; its version is read back', async () => {
    expect(await callsBy(() => write(state('shop/1', 3, { totalMinor: 9_007_199_254_740_991 })))).toBe(1);
    expect(await orders()).toMatchObject([
      {
        Crossdock_Reference__c: 'shop/1',
        Account__c: account,
        Status__c: 'shipped',
        Total__c: '90071992547409.91',
        Version__c: '3',
        CurrencyIsoCode: 'GBP',
      },
    ]);
    expect(await lines()).toMatchObject([
      { Crossdock_Reference__c: 'shop/1/1', Shipped__c: '4', Amount__c: '15.30', Sku__c: '85123A' },
    ]);
    expect(await held('shop/1', 'shop/2', 'SHOP/1')).toEqual(new Map([['shop/1', 3]]));
  });

  it('documents are records of their own where the org has an object for them, once each, with exact money', async () => {
    const at = '2026-03-02T10:00:00.000Z';
    const parcels = [{ tracking: 'T-1' }, { tracking: 'T-2' }];
    const shipments = [
      {
        ...{ shipment: 'wms/S-1', location: 'EAST', tracking: 'T-1', carrier: 'Parcel Post', parcels, at },
        lines: [{ lineNo: 1, quantity: 4 }],
      },
    ];
    const invoices = [
      { document: 'invoice' as const, reference: 'erp/9', number: '9', currency: 'GBP', amountMinor: 1021, at },
    ];
    const returns = [{ reference: 'R/4/9', return: 'R12', at, lines: [{ lineNo: 1, quantity: 1, amountMinor: 255 }] }];
    const documents = async () => Object.values(await sim.truth('Crossdock_Document__c'));
    const told = { shipments, invoices, returns };
    expect(crm.orderStatus!.wants).toBeUndefined();
    await write(state('shop/1', 1, told));
    expect(await documents()).toEqual([]);
    crm = connect({ settings: { ...settings, documentObject: 'Crossdock_Document__c' } });
    await crm.probe(signal);
    expect(crm.orderStatus!.wants).toEqual(['shipments', 'invoices', 'returns']);
    expect(await callsBy(() => write(state('shop/1', 2, told)))).toBe(1);
    await write(state('shop/1', 2, told), state('shop/2', 1, { shipments }));
    expect(
      (await documents()).map((record) => (record as Record<string, unknown>).Crossdock_Reference__c).sort(),
    ).toEqual(['shop/1/invoice erp/9', 'shop/1/return R/4/9', 'shop/1/shipment wms/S-1', 'shop/2/shipment wms/S-1']);
    expect(await documents()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ Kind__c: 'invoice', Number__c: '9', Amount__c: '10.21', Date__c: '2026-03-02' }),
        expect.objectContaining({ Kind__c: 'return', Number__c: 'R12', Amount__c: '2.55' }),
        expect.objectContaining({ Kind__c: 'shipment', Tracking__c: 'T-1, T-2', Carrier__c: 'Parcel Post' }),
      ]),
    );
    // What comes later hangs on what is there; alone it is told beside the rest.
    const later = {
      ...state('shop/1', 3, { invoices: [{ ...invoices[0]!, reference: 'erp/10', number: '10' }] }),
      base: 2,
    };
    expect(await write(later)).toEqual([{ outcome: 'confirmed' }]);
    expect((await documents()).length).toBe(5);
  });

  it('two hundred are three calls; told again they are the same records', async () => {
    const items = Array.from({ length: 200 }, (_, n) => state(`shop/${n}`, 1));
    expect(await callsBy(() => write(...items))).toBe(3);
    expect(new Set((await write(...items)).map(({ outcome }) => outcome))).toEqual(new Set(['confirmed']));
    expect([(await orders()).length, (await lines()).length]).toEqual([200, 200]);
    expect((await held(...items.map(({ key }) => key))).size).toBe(200);
  });

  it('a poison order in a batch is refused alone, says why, and holds no version', async () => {
    const poison = state('shop/2', 1, { lines: [lineOf(1), lineOf(2, { sku: 'x'.repeat(81) })] });
    const unknown = state('shop/3', 1, { account: 'nobody' });
    const outcomes = await write(state('shop/1', 1), poison, unknown, state('shop/4', 1));
    expect(outcomes).toMatchObject([
      { outcome: 'confirmed' },
      { outcome: 'refused', error: expect.stringContaining('STRING_TOO_LONG') },
      {
        outcome: 'refused',
        error: expect.stringMatching(/Foreign key external ID: nobody.*nothing has the external id/),
      },
      { outcome: 'confirmed' },
    ]);
    expect(await held('shop/1', 'shop/2', 'shop/3', 'shop/4')).toEqual(
      new Map([
        ['shop/1', 1],
        ['shop/4', 1],
      ]),
    );
  });

  it('alone, an order with a poison line leaves nothing behind', async () => {
    const outcomes = await write(state('shop/2', 1, { lines: [lineOf(1), lineOf(2, { sku: 'x'.repeat(81) })] }));
    expect(outcomes).toMatchObject([{ outcome: 'refused', error: expect.stringContaining('STRING_TOO_LONG') }]);
    expect(await orders()).toEqual([]);
  });

  it.each([
    ['UNABLE_TO_LOCK_ROW', 'later'],
    ['FIELD_CUSTOM_VALIDATION_EXCEPTION', 'refused'],
    ['DUPLICATES_DETECTED', 'refused'],
    ['REQUIRED_FIELD_MISSING', 'refused'],
    ['A_CODE_NOBODY_KNOWS', 'refused'],
  ])('%s of one record is %s, among others and alone; the next telling passes', async (code, outcome) => {
    const failing = (times: number) => org({ failures: [{ key: 'shop/2/1', code, message: 'as asked', times }] });
    await failing(1);
    expect(await write(state('shop/1', 1), state('shop/2', 1))).toMatchObject([
      { outcome: 'confirmed' },
      { outcome, error: expect.stringContaining(code) },
    ]);
    await failing(1);
    expect(await write(state('shop/2', 1))).toMatchObject([{ outcome, error: expect.stringContaining(code) }]);
    expect(await held('shop/2')).toEqual(new Map());
    expect(await write(state('shop/2', 1))).toEqual([{ outcome: 'confirmed' }]);
  });

  it('changes build on the version that is there, else nothing is changed', async () => {
    await write(state('shop/1', 1, { lines: [lineOf(1, { shipped: 0 }), lineOf(2, { shipped: 0 })] }));
    const change = (base: number) => state('shop/1', 5, { lines: [lineOf(2, { shipped: 6 })] }, base);
    expect(await write(change(3))).toEqual([{ outcome: 'conflict' }]);
    expect(await held('shop/1')).toEqual(new Map([['shop/1', 1]]));
    expect(await write(change(1))).toEqual([{ outcome: 'confirmed' }]);
    expect((await lines()).map((line) => line.Shipped__c)).toEqual(['0', '6']);
  });

  it('one that somebody deleted in the org is told anew, whole', async () => {
    await write(state('shop/1', 1));
    const [id] = Object.keys(await sim.truth('Crossdock_Order__c'));
    await sim.post('/_drive/delete', { type: 'Crossdock_Order__c', id });
    expect(await write(state('shop/1', 2, {}, 1))).toEqual([{ outcome: 'conflict' }]);
    expect(await write(state('shop/1', 2))).toEqual([{ outcome: 'confirmed' }]);
    expect(await held('shop/1')).toEqual(new Map([['shop/1', 2]]));
  });

  it('in an org of one currency another one is refused, and none is named', async () => {
    await opportunity();
    await org({ multiCurrency: false });
    crm = connect({ settings: { ...settings, currency: 'GBP' } });
    const outcomes = await write(state('shop/1', 1), state('shop/2', 1, { currency: 'EUR' }));
    expect(outcomes).toMatchObject([
      { outcome: 'confirmed' },
      { outcome: 'refused', error: expect.stringContaining('GBP only') },
    ]);
    expect((await drain(feed())).items).toMatchObject([{ command: { currency: 'GBP' } }]);
  });

  it('an answer that is lost after the effect is in doubt; the version read back settles it', async () => {
    await sim.post('/_control/faults', { profile: { errorAfter: 1 } });
    expect(await write(state('shop/1', 1))).toMatchObject([{ outcome: 'in_doubt' }]);
    await expect(held('shop/1')).rejects.toMatchObject({ code: 'XD_CONNECTOR_UNAVAILABLE' });
    await sim.post('/_control/faults', { profile: 'none' });
    expect(await held('shop/1')).toEqual(new Map([['shop/1', 1]]));
  });

  it('cut off in the middle, the version does not say more than is there', async () => {
    const items = [state('shop/1', 1), state('shop/2', 1)];
    // The orders are taken, their lines are not.
    await org({ used: 99_998 });
    expect(await write(...items)).toMatchObject([{ outcome: 'later' }, { outcome: 'later' }]);
    expect((await orders()).map((order) => order.Version__c ?? null)).toEqual([null, null]);
    await org({ used: 0 });
    await clock.advance(400_000);
    expect(await held('shop/1', 'shop/2')).toEqual(new Map());
    expect(await write(...items)).toEqual([{ outcome: 'confirmed' }, { outcome: 'confirmed' }]);
    expect([(await orders()).length, (await lines()).length]).toEqual([2, 2]);
  });
});

describe('the calls of a day', () => {
  beforeEach(async () => {
    await masterData();
    await crm.probe(signal);
  });

  it('below the share nothing waits; beyond it work begins more slowly, and not at all near the end', async () => {
    const pauseAt = async (used: number): Promise<number> => {
      await clock.advance(600_000);
      await org({ used, max: 5_000 });
      await crm.probe(signal);
      return crm.pausedMs!();
    };
    expect(await pauseAt(3_000)).toBe(0);
    // 17,280 ms is how often a call becomes free.
    const [early, late, last] = [await pauseAt(4_000), await pauseAt(4_600), await pauseAt(4_900)];
    expect([early, late, last]).toEqual([17_301, 58_988, 300_000]);
    await expect(feed().poll('', signal)).rejects.toMatchObject({
      code: 'XD_CONNECTOR_RATE_LIMITED',
      details: { retryAfterMs: 300_000 },
    });
    expect(await crm.orderStatus!.write([state('shop/1', 1)], signal)).toMatchObject([
      { outcome: 'later', ofSystem: true, retryAfterMs: 300_000 },
    ]);
    expect(await pauseAt(100)).toBe(0);
    expect(await crm.orderStatus!.write([state('shop/1', 1)], signal)).toEqual([{ outcome: 'confirmed' }]);
  });

  it('work that has begun is ended, though the share is passed in its middle', async () => {
    await org({ used: 3_999, max: 5_000 });
    expect(await crm.orderStatus!.write([state('shop/1', 1), state('shop/2', 1)], signal)).toEqual([
      { outcome: 'confirmed' },
      { outcome: 'confirmed' },
    ]);
    expect(crm.pausedMs!()).toBeGreaterThan(0);
  });

  it('REQUEST_LIMIT_EXCEEDED puts everything off, and blames no item', async () => {
    await org({ used: 5_000, max: 5_000 });
    const outcomes = await crm.orderStatus!.write([state('shop/1', 1)], signal);
    expect(outcomes).toMatchObject([
      { outcome: 'later', ofSystem: true, retryAfterMs: 300_000, error: expect.stringContaining('TotalRequests') },
    ]);
    expect(await callsBy(() => crm.orderStatus!.write([state('shop/1', 1)], signal))).toBe(0);
  });
});

describe('master data and loads', () => {
  beforeEach(async () => {
    await masterData();
    // Time runs a thousand times as fast here.
    crm = connect({ limits: { ...contextFor('').limits, timeoutMs: 1_000_000 } });
  });
  async function all<K extends 'accounts' | 'products' | 'prices'>(kind: K, bulk: boolean) {
    const read = [];
    const waited = setInterval(() => {
      time.advance(200);
      void clock.advance(1_000);
    }, 5);
    try {
      for await (const page of crm.snapshot(kind, { bulk }, signal)) read.push(...page);
    } finally {
      clearInterval(waited);
    }
    return read;
  }

  it.each([
    ['pages', false],
    ['a bulk query', true],
  ])('accounts by %s: merged ones name who took their place', async (_, bulk) => {
    const winner = await put('Account', { Name: 'Winner', Crossdock_Account__c: '2' });
    const last = await put('Account', { Name: 'Last', Crossdock_Account__c: '3' });
    await sim.post('/_drive/merge', { winner, loser: account });
    await sim.post('/_drive/merge', { winner: last, loser: winner });
    await put('Account', { Name: 'Nobody gave it a number' });
    const accounts = (await all('accounts', bulk)).map((read) => ('record' in read ? read.record : expect.fail()));
    expect(
      accounts.map(({ account: no, mergedInto, isDeleted, currency }) => [no, mergedInto, isDeleted, currency]),
    ).toEqual([
      ['17850', winner, true, 'GBP'],
      ['2', last, true, null],
      ['3', null, false, null],
      [null, null, false, null],
    ]);
    expect(mergesOf(accounts)).toEqual({
      into: new Map([
        ['17850', '3'],
        ['2', '3'],
      ]),
      lost: [],
    });
  });

  it.each([
    ['pages', false],
    ['a bulk query', true],
  ])('products and prices by %s: one without SKU is told alone, two with one SKU are found', async (_, bulk) => {
    const twin = await put('Product2', { Name: 'Twin', ProductCode: '71053', IsActive: true });
    await put('Product2', { Name: 'Nameless', IsActive: true });
    const read = await all('products', bulk);
    expect(read.filter((one) => 'unreadable' in one)).toMatchObject([
      { unreadable: { place: '/records/3/ProductCode' } },
    ]);
    const known = read.flatMap((one) => ('record' in one ? [one.record] : []));
    expect(ambiguousSkus(known)).toEqual(new Map([['71053', [products[1], twin]]]));
    const book = await put('Pricebook2', { Name: 'Trade', IsActive: true, IsStandard: false });
    const price = { Pricebook2Id: book, Product2Id: products[0], IsActive: true, CurrencyIsoCode: 'EUR' };
    await sim.post('/_drive/records', { records: [{ type: 'PricebookEntry', values: { ...price, UnitPrice: 12.1 } }] });
    expect(await all('prices', bulk)).toEqual([
      {
        record: {
          priceList: book,
          priceListName: 'Trade',
          isStandard: false,
          sku: '85123A',
          currency: 'EUR',
          unitPrice: '12.1',
          isActive: true,
        },
      },
    ]);
  });

  it('deletions between two times, and from where to ask next', async () => {
    time.advance(60_000);
    await sim.post('/_drive/delete', { type: 'Product2', id: products[1] });
    const between = (start: string, end: string) => crm.deleted('products', start, end, signal);
    expect(await between('2026-03-01T09:00:30Z', '2026-03-01T09:05:00Z')).toEqual({
      deleted: [{ id: products[1], at: '2026-03-01T09:01:00.000Z' }],
      coveredTo: '2026-03-01T09:05:00.000Z',
    });
    expect((await between('2026-03-01T08:00:00Z', '2026-03-01T09:01:00Z')).deleted).toEqual([]);
    // Further back than the org remembers, "nothing was deleted" would be a guess.
    await expect(between('2009-01-01T00:00:00Z', '2026-03-01T09:05:00Z')).rejects.toMatchObject({
      code: 'XD_CONNECTOR_REFUSED',
    });
  });

  it('a load tells each row: taken, refused with its reason, and not reached when the job broke off', async () => {
    await org({ bulkFailAfterRows: 3 });
    const row = (no: string, Name: string | null) => ({ Crossdock_Account__c: no, Name });
    const rows = [
      row('10', 'A "quoted", one\nof two lines'),
      row('11', 'x'.repeat(256)),
      row('17850', 'Renamed'),
      row('12', 'Later'),
    ];
    const ticking = setInterval(() => {
      time.advance(200);
      void clock.advance(1_000);
    }, 5);
    const outcomes = await crm
      .load({ object: 'Account', externalId: 'Crossdock_Account__c', rows }, signal)
      .finally(() => clearInterval(ticking));
    expect(outcomes).toMatchObject([
      { outcome: 'confirmed', answer: { created: true } },
      { outcome: 'refused', error: expect.stringContaining('STRING_TOO_LONG') },
      { outcome: 'confirmed', answer: { id: account, created: false } },
      { outcome: 'later', error: expect.stringContaining('before this row') },
    ]);
    const names = Object.values(await sim.truth('Account')).map(({ Name }) => Name);
    expect(names).toEqual(['Renamed', 'A "quoted", one\nof two lines']);
    await expect(
      crm.load({ object: 'Account', externalId: 'Crossdock_Account__c', rows: [row('1', 'a'), row('1', 'b')] }, signal),
    ).rejects.toMatchObject({
      code: 'XD_VALUE_INVALID',
    });
  });
});
