import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome, StateItem } from '../kit/index.ts';
import {
  contextFor,
  type FakeAnswer,
  type FakeCall,
  type FakeSystem,
  fakeSystem,
  type ManualClock,
  manualClock,
} from '../kit/testing.ts';
import { bulkUpsert } from './bulk.ts';
import { Salesforce } from './client.ts';
import { createSalesforce } from './index.ts';
import { settingsOf } from './settings.ts';

const signal = new AbortController().signal;
const settings = { auth: 'jwt', clientId: 'c', username: 'u', company: 'UK' };
const secret = { auth: 'client_credentials', clientId: 'c', company: 'UK' };
let system: FakeSystem;
let clock: ManualClock;

beforeEach(async () => {
  clock = manualClock();
  system = await fakeSystem();
});
afterEach(() => system.close());

type Answering = (call: Omit<FakeCall, 'body'>) => FakeAnswer;
/** A system that signs in, and answers everything else so. */
function answering(answer: FakeAnswer | Answering): void {
  system.answer((call) => {
    if (call.path === '/services/oauth2/token') return { json: { access_token: 't', instance_url: system.url } };
    return typeof answer === 'function' ? answer(call) : answer;
  });
}

const state: StateItem = {
  key: 'channel/1',
  version: 1,
  base: 0,
  state: {
    channel: 'channel',
    externalNo: '1',
    status: 'new',
    account: 'a',
    currency: 'GBP',
    totalMinor: 0,
    lines: [],
  },
};

describe.each([1, 2])('a write of %i, its reading back and the feed, answered', (count) => {
  const errors = (code: string) => ({ json: [{ errorCode: code, message: 'said so' }] });
  it.each<[name: string, answer: FakeAnswer, outcome: Outcome['outcome']]>([
    ['with 429', { status: 429, json: {}, headers: { 'retry-after': '0' } }, 'later'],
    ['with a limit', { status: 403, ...errors('REQUEST_LIMIT_EXCEEDED') }, 'later'],
    ['with a session that never holds', { status: 401, ...errors('INVALID_SESSION_ID') }, 'later'],
    ['with a 401 that says nothing', { status: 401, text: 'no' }, 'later'],
    ['with a missing object', { status: 404, ...errors('NOT_FOUND') }, 'refused'],
    ['with a whole 4xx', { status: 400, ...errors('JSON_PARSER_ERROR') }, 'refused'],
    ['with 500', { status: 500, ...errors('UNKNOWN_EXCEPTION') }, 'in_doubt'],
    ['with 503', { status: 503, ...errors('SERVER_UNAVAILABLE') }, 'in_doubt'],
    ['with a page of HTML', { text: '<html>Maintenance</html>' }, 'in_doubt'],
    ['with what nobody asked for', { json: [{ success: true }, { success: true }, { success: true }] }, 'in_doubt'],
    ['with an object', { json: { ok: true } }, 'in_doubt'],
    ['with a reset', 'reset', 'in_doubt'],
    ['half', 'half', 'in_doubt'],
  ])('%s', async (_, answer, outcome) => {
    answering(answer);
    const crm = createSalesforce(
      contextFor(system.url, {
        token: 'secret',
        settings: secret,
        limits: { ...contextFor('').limits, timeoutMs: 10_000 },
      }),
    );
    const items = [state, { ...state, key: 'channel/2' }].slice(0, count);
    const outcomes = await crm.orderStatus!.write(items, signal);
    expect(outcomes.map((one) => one.outcome)).toEqual(items.map(() => outcome));
    const refused = { code: expect.stringMatching(/^XD_CONNECTOR_/) };
    await expect(crm.orderStatus!.readBack(['channel/1'], signal)).rejects.toMatchObject(refused);
    await expect(crm.sources[0]!.poll('', signal)).rejects.toMatchObject(refused);
    expect((await crm.probe(signal)).ok).toBe(false);
    expect(JSON.stringify(outcomes)).not.toContain('secret');
    await crm.close();
  });
});

it('a batch size of the estate holds', async () => {
  const crm = createSalesforce(
    contextFor(system.url, { token: 's', settings: secret, limits: { ...contextFor('').limits, batchMax: 7 } }),
  );
  expect(crm.orderStatus!.batchMax).toBe(7);
  await crm.close();
});

describe('a load', () => {
  const load = { object: 'Account', externalId: 'K', rows: [{ K: '1' }, { K: '2' }] };
  const job = '750000000000001AAA';
  async function run(answer: Answering, options = { deadlineMs: 60_000 }): Promise<Outcome[]> {
    answering(answer);
    const context = contextFor(system.url, {
      token: 's',
      settings: secret,
      limits: { ...contextFor('').limits, timeoutMs: 10_000_000 },
    });
    const client = new Salesforce(context, settingsOf('crm', secret, true), { clock });
    const ticking = setInterval(() => void clock.advance(1_000), 2);
    try {
      return await bulkUpsert(client, load, options, signal);
    } finally {
      clearInterval(ticking);
      await client.close();
    }
  }
  const isPart = (call: Omit<FakeCall, 'body'>, part: string) => call.path.endsWith(part);
  const results = (call: Omit<FakeCall, 'body'>): FakeAnswer => {
    if (isPart(call, '/successfulResults/')) return { text: 'sf__Id,sf__Created,K\n001,true,1\n' };
    if (isPart(call, '/failedResults/')) return { text: 'sf__Id,sf__Error,K\n,"UNABLE_TO_LOCK_ROW:busy:--",2\n' };
    return { text: '' };
  };

  it('whose closing was not answered is settled by its state: not closed, nothing was done', async () => {
    const outcomes = await run((call) => {
      if (call.method === 'POST') return { json: { id: job } };
      if (call.method === 'PATCH') return { status: 500, json: {} };
      if (call.method === 'PUT') return { status: 201, text: '' };
      return { json: { state: 'Open' } };
    });
    expect(outcomes).toMatchObject([{ outcome: 'later' }, { outcome: 'later' }]);
  });

  it('whose closing was not answered and arrived is worked off', async () => {
    let polls = 0;
    const outcomes = await run((call) => {
      if (call.method === 'POST') return { json: { id: job } };
      if (call.method === 'PATCH') return 'reset';
      if (call.method === 'PUT') return { status: 201, text: '' };
      if (isPart(call, job)) return { json: { state: ++polls < 3 ? 'InProgress' : 'JobComplete' } };
      return results(call);
    });
    expect(outcomes).toMatchObject([
      { outcome: 'confirmed' },
      { outcome: 'later', error: expect.stringContaining('UNABLE_TO_LOCK_ROW') },
    ]);
  });

  it.each<[string, FakeCall['method']]>([
    ['making', 'POST'],
    ['upload', 'PUT'],
  ])('whose %s was lost did nothing, since nobody closed it', async (_, lost) => {
    const outcomes = await run((call) => {
      if (call.method === lost) return 'reset';
      return { json: { id: job, state: 'Aborted' } };
    });
    expect(outcomes).toMatchObject([{ outcome: 'later' }, { outcome: 'later' }]);
    expect(system.calls.some((call) => call.method === 'PATCH')).toBe(lost === 'PUT');
  });

  it.each<[string, FakeAnswer]>([
    ['that is never worked off', { json: { state: 'InProgress' } }],
    ['whose state is HTML', { text: '<html>' }],
  ])('%s is in doubt', async (_, answer) => {
    const outcomes = await run((call) => {
      if (call.method === 'POST') return { json: { id: job } };
      if (call.method === 'PUT') return { status: 201, text: '' };
      return call.method === 'PATCH' ? { json: { state: 'UploadComplete' } } : answer;
    });
    expect(outcomes).toMatchObject([{ outcome: 'in_doubt' }, { outcome: 'in_doubt' }]);
  });
});

it('a private key is needed to sign in by assertion', () => {
  expect(() => createSalesforce(contextFor(system.url, { token: 's', settings }))).toThrow('no RSA private key');
});
