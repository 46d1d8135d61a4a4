import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connector, Outcome } from '../kit/index.ts';
import { contextFor, type FakeAnswer, type FakeCall, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import recorded from './fixtures/faults.json' with { type: 'json' };
import { tryton } from './index.ts';
import { faultOf } from './rpc.ts';

const signal = new AbortController().signal;
const settings = { user: 'crossdock', companyCode: 'US', warehouses: { EAST: 'DC-EAST' } };
const reference = 'shop/1';
const lines = [{ lineNo: 1, sku: 'SKU-1', quantity: 3, unitPrice: '12.34', amountMinor: 3702 }];
const payload = {
  reference,
  company: 'US',
  account: 'C1',
  currency: 'USD',
  orderedAt: '2026-03-01T09:00:00Z',
  totalMinor: 3702,
  lines,
};
let system: FakeSystem;
let connector: Connector;

beforeEach(async () => {
  system = await fakeSystem();
  connector = tryton(contextFor(system.url, { settings }));
});
afterEach(async () => {
  await connector.close();
  await system.close();
});

type Rpc = { method: string; params: unknown[] };
const rpcOf = (call: FakeCall) => call.body as Rpc;
const result = (value: unknown): FakeAnswer => ({ json: { id: 1, result: value } });
/** A Tryton of one sale: what is there follows from the buttons that were pressed. */
function behave(changes: Record<string, (rpc: Rpc) => FakeAnswer | undefined>, state?: string): void {
  let now = state;
  const known: Record<string, unknown[]> = {
    'party.party': [{ id: 2, code: 'C1', customer_payment_term: 1, customer_location: 7, customer_tax_rule: null }],
    'party.address': [{ id: 2, party: 2, invoice: false, delivery: false }],
    'product.product': [
      { id: 11, code: 'SKU-1', rec_name: 'One', default_uom: 1, 'account_category.': { customer_taxes_used: [4] } },
    ],
    'currency.currency': [{ id: 1, code: 'USD' }],
    'stock.location': [{ id: 5, code: 'DC-EAST', storage_location: 3, output_location: 2, input_location: 1 }],
  };
  system.answer((call) => {
    const rpc = rpcOf(call);
    const changed = changes[rpc.method]?.(rpc);
    if (changed !== undefined) return changed;
    if (rpc.method === 'common.db.login') return result([7, 'session']);
    if (rpc.method === 'model.res.user.get_preferences') return result({ company: 1, language: 'en' });
    const model = /^model\.(.*)\.search_read$/.exec(rpc.method)?.[1];
    if (model === 'sale.sale')
      return result(now === undefined ? [] : [{ id: 9, number: now === 'draft' ? null : '58', state: now, reference }]);
    if (model !== undefined) return result(known[model] ?? []);
    const next = { create: 'draft', quote: 'quotation', confirm: 'processing' }[rpc.method.split('.').at(-1)!];
    if (next !== undefined) now = next;
    return result([9]);
  });
}
const write = async (): Promise<Outcome> =>
  (await connector.deliveries.sales_order!.write([{ reference, payload }], signal))[0]!;
const pressed = () =>
  system.calls.map((call) => rpcOf(call).method).filter((method) => /sale\.sale\.(create|quote|confirm)$/.test(method));

it('an order is made with its unit, price, taxes and line numbers, and walked to confirmed', async () => {
  behave({});
  expect(await write()).toEqual({ outcome: 'confirmed', answer: { number: '58' } });
  expect(pressed()).toEqual(['model.sale.sale.create', 'model.sale.sale.quote', 'model.sale.sale.confirm']);
  const [values] = rpcOf(system.calls.find((call) => rpcOf(call).method.endsWith('create'))!).params[0] as Record<
    string,
    unknown
  >[];
  expect(values).toMatchObject({
    reference,
    party: 2,
    currency: 1,
    warehouse: 5,
    invoice_method: 'shipment',
    shipment_method: 'order',
  });
  expect(values!.lines).toEqual([
    [
      'create',
      [
        {
          type: 'line',
          sequence: 1,
          product: 11,
          unit: 1,
          quantity: 3,
          unit_price: { __class__: 'Decimal', decimal: '12.3400' },
          description: 'One',
          taxes: [['add', [4]]],
        },
      ],
    ],
  ]);
  const { authorization } = system.calls.at(-1)!.headers;
  expect(Buffer.from(authorization!.replace('Session ', ''), 'base64').toString()).toBe('crossdock:7:session');
});

it.each([
  ['draft', ['model.sale.sale.quote', 'model.sale.sale.confirm']],
  ['quotation', ['model.sale.sale.confirm']],
  ['processing', []],
])('after a crash that left it %s it is gone on from there', async (state, steps) => {
  behave({}, state);
  expect(await write()).toEqual({ outcome: 'confirmed', answer: { number: '58' } });
  expect(pressed()).toEqual(steps);
});

const partyRow = (id: number, code: string, of: object = {}) => ({
  ...{ id, code, customer_payment_term: id, customer_location: 7, customer_tax_rule: null, active: true },
  replaced_by: null,
  ...of,
});
/** Answers a search of parties by code, or by id. */
const partiesOf =
  (...parties: ReturnType<typeof partyRow>[]) =>
  ({ params }: Rpc) => {
    const [[[field, , values]]] = params as [[['code' | 'id', string, unknown[]]]];
    return result(parties.filter((party) => [values].flat().includes(party[field])));
  };

it('an order of a party that was replaced is the sale of the one that is left', async () => {
  const gone = { active: false };
  behave({
    'model.party.party.search_read': partiesOf(
      partyRow(1, 'C1', { ...gone, replaced_by: 4 }),
      partyRow(4, 'C4', { ...gone, replaced_by: 2 }),
      partyRow(2, 'C2'),
    ),
  });
  expect(await write()).toMatchObject({ outcome: 'confirmed' });
  const made = system.calls.map(rpcOf).find(({ method }) => method === 'model.sale.sale.create');
  expect((made!.params[0] as unknown[])[0]).toMatchObject({ party: 2, payment_term: 2 });
});

it.each([
  ['put away', partiesOf(partyRow(1, 'C1', { active: false }))],
  ['replaced in a ring', partiesOf(partyRow(1, 'C1', { active: false, replaced_by: 1 }))],
])('an order of a party that was %s is refused, and nothing is made', async (_, parties) => {
  behave({ 'model.party.party.search_read': parties });
  expect(await write()).toEqual({ outcome: 'refused', error: 'Tryton has no party for account C1' });
  expect(pressed()).toEqual([]);
});

it('a draft is not there yet for a lookup, so the hub sends it again', async () => {
  behave({}, 'quotation');
  expect(await connector.deliveries.sales_order!.locate([reference], signal)).toEqual(new Map());
  behave({}, 'processing');
  expect(await connector.deliveries.sales_order!.locate([reference], signal)).toEqual(
    new Map([[reference, { number: '58' }]]),
  );
});

const html: FakeAnswer = { text: '<html>Sorry</html>', headers: { 'content-type': 'text/html' } };
it.each<[string, FakeAnswer, Outcome['outcome'], RegExp]>([
  ['the credit limit', recorded.credit, 'refused', /credit limit of \$500\.00/],
  [
    'a warning that a person must confirm',
    { json: { id: 1, error: ['UserWarning', ['w', 'Sure?', '']] } },
    'refused',
    /Sure\?/,
  ],
  ['a table that is locked', recorded.locked, 'later', /could not obtain lock/],
  ['a record changed meanwhile', recorded.concurrency, 'later', /ConcurrencyException/],
  [
    'a connection lost while committing',
    { json: { id: 1, error: ['server closed the connection', ''] } },
    'in_doubt',
    /closed/,
  ],
  ['429', { status: 429, json: {}, headers: { 'retry-after': '0' } }, 'later', /429/],
  ['500', { status: 500, json: {} }, 'in_doubt', /500/],
  ['a page of HTML with status 200', html, 'in_doubt', /not JSON/],
  ['an answer without a result', { json: { id: 1 } }, 'in_doubt', /no result/],
  ['half an answer', 'half', 'in_doubt', /broke off/],
])('%s at confirm', async (_name, answer, outcome, error) => {
  behave({ 'model.sale.sale.confirm': () => answer }, 'quotation');
  expect(await write()).toMatchObject({ outcome, error: expect.stringMatching(error) });
});

it('a session that ended is begun anew, and the call asked once more', async () => {
  let ended = false;
  behave({}, 'processing');
  await write();
  const signIns = () => system.calls.filter((call) => rpcOf(call).method === 'common.db.login').length;
  expect(signIns()).toBe(1);
  behave(
    {
      'model.sale.sale.search_read': () => {
        if (ended) return undefined;
        ended = true;
        return recorded.noLogin;
      },
    },
    'processing',
  );
  // The kit signs in again at the earliest 5 s after the last time: until then it is later.
  expect(await write()).toMatchObject({ outcome: 'later' });
  expect(await write()).toMatchObject({ outcome: 'confirmed' });
});

it('user and token that are not taken put everything off, and neither is told', async () => {
  behave({ 'common.db.login': () => recorded.badLogin });
  const outcome = await write();
  expect(outcome).toMatchObject({ outcome: 'later', error: expect.stringContaining("doesn't take user and token") });
  expect(JSON.stringify(outcome)).not.toContain('token-of-a-test');
  expect(pressed()).toEqual([]);
});

it.each<[string, FakeAnswer, RegExp]>([
  ['does not know us', recorded.badLogin, /doesn't take user and token/],
  ['fails', { status: 500, json: {} }, /answered 500/],
  ['is something else', html, /could not sign in/],
])('the probe of a system that %s says so and does not throw', async (_name, answer, detail) => {
  behave({ 'common.db.login': () => answer });
  expect(await connector.probe(signal)).toEqual({ ok: false, detail: expect.stringMatching(detail) });
});

it('confirmations never meet each other', async () => {
  let under = 0;
  let most = 0;
  behave({}, 'processing');
  const real = connector.deliveries.sales_order!;
  behave(
    {
      'model.sale.sale.search_read': () => {
        under += 1;
        most = Math.max(most, under);
        setImmediate(() => (under -= 1));
        return undefined;
      },
    },
    'processing',
  );
  await Promise.all(Array.from({ length: 5 }, () => real.write([{ reference, payload }], signal)));
  expect(most).toBe(1);
});

it('errors as Tryton sends them are classed by what may have happened', () => {
  const classes = Object.entries(recorded).map(([name, answer]) => [
    name,
    faultOf({ value: 'json' in answer ? answer.json : undefined })?.class,
  ]);
  expect(Object.fromEntries(classes)).toEqual({
    noLogin: undefined,
    badLogin: undefined,
    noField: 'refused',
    noRecord: 'refused',
    credit: 'refused',
    manual: 'refused',
    locked: 'later',
    concurrency: 'later',
  });
});
