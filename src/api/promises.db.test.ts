/** What an order would be promised, asked over HTTP. */
import { expect, it } from 'vitest';
import { testEstate, useApi } from './testing/hub.ts';

const api = useApi({
  estate: {
    ...testEstate,
    calendars: { uk: { timeZone: 'Europe/London', workingDays: ['mon', 'wed'], cutOff: '14:00' } },
    locations: {
      LON: { ...testEstate.locations.LON, calendar: 'uk', position: { latitude: 51.5, longitude: -0.1 } },
      MAN: { ...testEstate.locations.MAN, calendar: 'uk', position: { latitude: 53.5, longitude: -2.2 } },
    },
    channels: {
      ...testEstate.channels,
      api: { ...testEstate.channels.api, sourcing: { rank: ['distance'], version: 'spring' } },
    },
  },
});

it('units, dates and places a line, decided together; nothing is taken', async () => {
  await api.receive('85123A', 'LON', 5);
  await api.receive('85123A', 'MAN', 4);
  const lines = [
    { sku: '85123a', quantity: 4 },
    { sku: '85123A', quantity: 7 },
  ];
  const body = { channel: 'api', lines, shipTo: { position: { latitude: 53.4, longitude: -2 } } };
  const first = await api.call('POST', '/v1/promises/check', body);
  expect(first.statusCode).toBe(200);
  const answer = first.json();
  expect(answer).toMatchObject({ channel: 'api', ruleVersion: 'spring', completeAt: null });
  expect(
    answer.lines.map(
      (line: { refused: number; promised: { quantity: number; location: string; reason: string }[] }) => [
        line.refused,
        ...line.promised.map((part) => `${part.quantity} ${part.location} ${part.reason}`),
      ],
    ),
  ).toEqual([
    [0, '4 MAN stock'],
    [0, '5 LON stock', '2 null no_supply'],
  ]);
  const at = new Date(answer.lines[0].promised[0].at);
  expect(['Mon', 'Wed']).toContain(at.toUTCString().slice(0, 3));
  expect(at.getTime()).toBeGreaterThan(Date.now());
  expect((await api.call('POST', '/v1/promises/check', body)).json().lines).toEqual(answer.lines);
  const one = await api.call('GET', '/v1/promises/check?channel=api&sku=85123A&quantity=9');
  expect(one.json()).toMatchObject({ lines: [{ sku: '85123A', quantity: 9, unit: 'each', refused: 0 }] });
  expect(one.json().completeAt).toBe(one.json().lines[0].promised[0].at);
});

it('a channel without a rule gives places, and no dates it does not know', async () => {
  const answer = await api.call('GET', '/v1/promises/check?channel=strict&sku=71053&quantity=2');
  expect(answer.json().lines).toEqual([{ sku: '71053', quantity: 2, unit: 'each', refused: 2, promised: [] }]);
});

it.each([
  ['an unknown channel', '?channel=nope&sku=71053&quantity=2', 422, 'XD_UNKNOWN_CHANNEL', 'channel'],
  ['an unknown SKU', '?channel=api&sku=NOPE&quantity=2', 422, 'XD_UNKNOWN_SKU', 'sku'],
  ['no units', '?channel=api&sku=71053&quantity=0', 422, 'XD_VALUE_INVALID', 'quantity'],
])('%s is refused with its place', async (_, query, status, code, place) => {
  const answer = await api.call('GET', `/v1/promises/check${query}`);
  expect([answer.statusCode, answer.json().code, answer.json().place]).toEqual([status, code, place]);
});

it('a key that speaks for one channel asks for no other', async () => {
  const { key } = await api.makeKey({ channel: 'shop', scopes: ['read'] });
  const headers = { authorization: `Bearer ${key}` };
  const answer = await api.call('GET', '/v1/promises/check?channel=api&sku=71053&quantity=1', undefined, headers);
  expect(answer.json().code).toBe('XD_FORBIDDEN');
});

it('every promise of an order is a record: what holds, and with `past` what held before', async () => {
  await api.receive('71053', 'LON', 3);
  const submitted = await api.order({
    ...{ company: 'UK', channel: 'api', externalNo: 'P-1', account: '17850', currency: 'GBP' },
    orderedAt: '2026-03-02T09:00:00Z',
    lines: [{ lineNo: 1, sku: '71053', quantity: 5, unitPrice: '1.00' }],
  } as { externalNo: string });
  expect(submitted.statusCode, submitted.body).toBe(201);
  const { orderId } = submitted.json();
  const asked = async (query = '') => (await api.call('GET', `/v1/orders/${orderId}/promises${query}`)).json();
  const first = await asked();
  expect(first).toMatchObject({ truncated: false });
  const common = { lineNo: 1, standsFor: null, sku: '71053', channel: 'api', account: '17850', ruleVersion: 'spring' };
  expect(first.promises).toMatchObject([
    { ...common, quantity: 3, location: 'LON', reason: 'stock', cause: 'accepted', replacedVersion: null },
    { ...common, quantity: 2, location: null, promisedAt: null, reason: 'no_supply', replacedVersion: null },
  ]);
  const cancelled = await api.call(
    'POST',
    `/v1/orders/${orderId}/cancel`,
    {
      reference: 'c1',
      lines: [{ lineNo: 1, quantity: 2 }],
    },
    { 'idempotency-key': 'c1' },
  );
  expect(cancelled.statusCode, cancelled.body).toBe(200);
  expect((await asked()).promises).toMatchObject([{ quantity: 3, cause: 'cancelled', replacedVersion: null }]);
  const past = (await asked('?past=true')).promises;
  expect(past.map((one: { quantity: number }) => one.quantity)).toEqual([3, 3, 2]);
  expect(past[1].replacedVersion).toBe(past[0].orderVersion);
  expect((await api.call('GET', '/v1/orders/999999/promises')).json()).toMatchObject({ code: 'XD_UNKNOWN_ORDER' });
});
