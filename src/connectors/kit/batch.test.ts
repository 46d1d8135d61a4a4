import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { batchMaxOf, deliveryKind } from './batch.ts';
import { HttpClient } from './http.ts';
import { contextFor, type FakeCall, type FakeSystem, fakeSystem } from './testing.ts';

const signal = new AbortController().signal;
let system: FakeSystem;
let client: HttpClient;

beforeEach(async () => {
  system = await fakeSystem();
  client = new HttpClient(contextFor(system.url));
});
afterEach(async () => {
  await client.close();
  await system.close();
});

const { limits } = contextFor('');
const routes = { write: '/things/batch', list: 'things', lookup: '/things/lookup', itemsMax: 4, lookupMax: 3 };
const kind = () => deliveryKind(client, limits, routes, (fields) => ({ number: fields.text('number') }));
const items = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ reference: `R${i}`, payload: { size: i } }));
const things = (call: FakeCall) => (call.body as { things: { reference: string }[] }).things;
const taken = ({ reference }: { reference: string }) => ({ reference, status: 201, number: `N-${reference}` });

describe('a batch', () => {
  it('gives each item its own outcome, in order', async () => {
    const statuses = [201, 422, 429, 500];
    system.answer((call) => ({
      json: {
        results: things(call).map((thing, i) => ({
          ...taken(thing),
          status: statuses[i],
          ...(statuses[i] !== 201 && { error: { code: 'why', message: 'because' } }),
        })),
      },
    }));
    expect(await kind().write(items(4), signal)).toEqual([
      { outcome: 'confirmed', answer: { number: 'N-R0' } },
      expect.objectContaining({ outcome: 'refused', error: '/things/batch answered 422: why: because' }),
      { outcome: 'later', error: '/things/batch answered 429: why: because' },
      { outcome: 'in_doubt', error: '/things/batch answered 500: why: because' },
    ]);
    expect(things(system.calls[0]!)[1]).toEqual({ reference: 'R1', size: 1 });
  });

  it('beyond the maximum is sent in parts, in order; an empty one not at all', async () => {
    system.answer((call) => ({ json: { results: things(call).map(taken) } }));
    expect(await kind().write([], signal)).toEqual([]);
    const outcomes = await kind().write(items(9), signal);
    expect(outcomes.map((one) => one.outcome === 'confirmed' && one.answer)).toEqual(
      items(9).map(({ reference }) => ({ number: `N-${reference}` })),
    );
    expect(system.calls.map((call) => things(call).length)).toEqual([4, 4, 1]);
  });

  it('refused as a whole is halved until the item to blame is alone', async () => {
    system.answer((call) =>
      things(call).some(({ reference }) => reference === 'R2')
        ? { status: 400, json: { error: { code: 'invalid', message: 'no' } } }
        : { json: { results: things(call).map(taken) } },
    );
    const outcomes = await kind().write(items(4), signal);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['confirmed', 'confirmed', 'refused', 'confirmed']);
    expect(system.calls).toHaveLength(5);
  });

  it.each([
    ['results are missing', {}],
    ['there are too few', { results: [taken({ reference: 'R0' })] }],
    ['they are in another order', { results: [taken({ reference: 'R1' }), taken({ reference: 'R0' })] }],
    ['they have no status', { results: [{ reference: 'R0' }, { reference: 'R1' }] }],
    [
      'they have no number',
      {
        results: [
          { reference: 'R0', status: 201 },
          { reference: 'R1', status: 201 },
        ],
      },
    ],
    ['they are nothing', { results: [null, 7] }],
  ])('is in doubt where %s', async (_name, json) => {
    system.answer({ json });
    const outcomes = await kind().write(items(2), signal);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['in_doubt', 'in_doubt']);
  });

  it('one malformed result puts only its own item in doubt', async () => {
    system.answer({ json: { results: [{ reference: 'R0', status: 'fine' }, taken({ reference: 'R1' })] } });
    const outcomes = await kind().write(items(2), signal);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['in_doubt', 'confirmed']);
  });
});

describe('a lookup', () => {
  const found = (reference: string) => ({ reference, number: `N-${reference}` });

  it('asks each reference once, in parts, and leaves out what is not there', async () => {
    system.answer((call) => ({
      json: { found: (call.body as { references: string[] }).references.filter((r) => r !== 'R2').map(found) },
    }));
    const held = await kind().locate(['R0', 'R1', 'R2', 'R3', 'R0'], signal);
    expect([...held]).toEqual(['R0', 'R1', 'R3'].map((r) => [r, { number: `N-${r}` }]));
    expect(system.calls.map((call) => (call.body as { references: string[] }).references)).toEqual([
      ['R0', 'R1', 'R2'],
      ['R3'],
    ]);
  });

  it.each([
    ['an answer without found', { json: {} }],
    ['one that was not asked for', { json: { found: [found('R9')] } }],
    ['one without a number', { json: { found: [{ reference: 'R0' }] } }],
    ['a whole refusal', { status: 413, json: {} }],
    ['a 500', { status: 500, json: {} }],
  ])('%s is an error and never "not found"', async (_name, answer) => {
    system.answer(answer);
    await expect(kind().locate(['R0'], signal)).rejects.toMatchObject({
      code: expect.stringMatching(/^XD_CONNECTOR_/),
    });
  });
});

it('an estate lowers the batch and never raises it', () => {
  expect(batchMaxOf({ ...limits, batchMax: 10 }, 100)).toBe(10);
  expect(batchMaxOf({ ...limits, batchMax: 500 }, 100)).toBe(100);
  expect(batchMaxOf(limits, 100)).toBe(100);
});
