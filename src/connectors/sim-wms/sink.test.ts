import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connector, FulfilmentCancelPayload, FulfilmentPayload } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { simWms } from './index.ts';

const signal = new AbortController().signal;
let system: FakeSystem;
let wms: Connector;

beforeEach(async () => {
  system = await fakeSystem();
  wms = simWms(contextFor(system.url, { system: 'wms', channel: null }));
});
afterEach(async () => {
  await wms.close();
  await system.close();
});

const goods: FulfilmentPayload = {
  reference: 'F7',
  order: 'shop/536365',
  location: 'LON',
  lines: [{ lineNo: 1, sku: '85123A', quantity: 6 }],
};
const cancel: FulfilmentCancelPayload = { reference: 'X1', fulfilment: 'F7', lines: [{ lineNo: 1, quantity: 2 }] };

it.each([
  ['fulfilment', '/fulfilments', 'fulfilments', goods, 201],
  ['fulfilment', '/fulfilments', 'fulfilments', goods, 200],
  ['return_announcement', '/returns', 'returns', { ...goods, reference: 'R3' }, 201],
])('%s goes to %s as %s, answered %#', async (kind, path, list, payload, status) => {
  const { reference } = payload;
  const sink = wms.deliveries[kind]!;
  system.answer({ json: { results: [{ reference, status }] } });
  expect(await sink.write([{ reference, payload }], signal)).toEqual([{ outcome: 'confirmed', answer: { reference } }]);
  expect(system.calls[0]).toMatchObject({ path: `${path}/batch`, body: { [list]: [payload] } });
  system.answer({ json: { found: [{ reference, status: 200 }] } });
  expect((await sink.locate([reference], signal)).has(reference)).toBe(true);
  expect(system.calls[1]!.path).toBe(`${path}/lookup`);
});

it('a cancel gives what was cancelled and what came too late, written and looked up alike', async () => {
  const sink = wms.deliveries.fulfilment_cancel!;
  const lines = [{ lineNo: 1, cancelled: 1, tooLate: 1 }];
  const result = { reference: 'X1', status: 200, lines };
  system.answer({ json: { results: [result] } });
  expect(await sink.write([{ reference: 'X1', payload: cancel }], signal)).toEqual([
    { outcome: 'confirmed', answer: { lines } },
  ]);
  expect(system.calls[0]).toMatchObject({ path: '/fulfilment-cancels/batch', body: { cancels: [cancel] } });
  system.answer({ json: { found: [result] } });
  expect(await sink.locate(['X1'], signal)).toEqual(new Map([['X1', { lines }]]));
});

it('a cancel whose answer is not understood is in doubt, never cancelled', async () => {
  const sink = wms.deliveries.fulfilment_cancel!;
  for (const lines of [undefined, [], [{ lineNo: 1, cancelled: '2', tooLate: 0 }], [{ lineNo: 1, cancelled: 2 }]]) {
    system.answer({ json: { results: [{ reference: 'X1', status: 200, lines }] } });
    const outcomes = await sink.write([{ reference: 'X1', payload: cancel }], signal);
    expect(outcomes).toMatchObject([{ outcome: 'in_doubt' }]);
  }
});
