import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CrossdockError } from '../../canonical/index.ts';
import { HttpClient } from './http.ts';
import type { Auth, Fault, HttpAnswer } from './http-contract.ts';
import { SIGN_IN_PAUSE_MS } from './sign-in.ts';
import { contextFor, type FakeAnswer, type FakeSystem, fakeSystem, type ManualClock, manualClock } from './testing.ts';

const signal = new AbortController().signal;
let system: FakeSystem;
let clock: ManualClock;
let one: HttpClient;

/** Signs in at /login; the session is in the answer. */
const auth: Auth = {
  signIn: async (send) => {
    const answer = await send({ method: 'POST', path: '/login', json: { user: 'crossdock' } });
    if (answer.status !== 200) throw new Error('no');
    return { 'x-session': (answer.value as { session: string }).session };
  },
};
/** 200 `{"error": …}`, as many systems say it. */
function faultOf({ value }: HttpAnswer): Fault | undefined {
  const error = (value as { error?: string; retryAfterMs?: number } | undefined)?.error;
  if (error === undefined) return undefined;
  const { retryAfterMs } = value as { retryAfterMs?: number };
  return { class: error as Fault['class'], message: 'said so', ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

beforeEach(async () => {
  system = await fakeSystem();
  clock = manualClock();
  one = new HttpClient(contextFor(system.url), { clock, auth, faultOf });
});
afterEach(async () => {
  await one.close();
  await system.close();
});

/** Sessions are numbered; those before `valid` have ended. */
function sessions(valid: { from: number }, answer: FakeAnswer = { json: { ok: true } }): { logins: number } {
  const seen = { logins: 0 };
  system.answer((call) => {
    if (call.path === '/login') return { json: { session: `s${++seen.logins}` } };
    const session = Number(String(call.headers['x-session'] ?? 's0').slice(1));
    return session >= valid.from ? answer : { status: 401, json: {} };
  });
  return seen;
}

describe('a session', () => {
  it('is begun once for all calls, and not by the token', async () => {
    const seen = sessions({ from: 1 });
    await Promise.all([1, 2, 3].map(() => one.read('/things', signal)));
    await one.write('/things', {}, signal);
    expect(seen.logins).toBe(1);
    expect(system.calls.every((call) => call.headers.authorization === undefined)).toBe(true);
  });

  it('that has ended is begun anew, and what it refused is asked once more: a refusal has no effect', async () => {
    const valid = { from: 1 };
    const seen = sessions(valid);
    await one.read('/things', signal);
    await clock.advance(SIGN_IN_PAUSE_MS);
    valid.from = 2;
    expect(await one.write('/things', { n: 1 }, signal)).toMatchObject({ answered: true, value: { ok: true } });
    expect(seen.logins).toBe(2);
    expect(system.calls.filter((call) => call.path === '/things' && call.method === 'POST')).toHaveLength(2);
  });

  it('that is not given in time keeps nobody who is not wanted any more; the others get it', async () => {
    let give = (): void => {};
    const given = new Promise<void>((resolve) => {
      give = resolve;
    });
    const slow = new HttpClient(contextFor(system.url), {
      clock,
      auth: { signIn: () => given.then(() => ({ 'x-session': 's1' })) },
    });
    system.answer({ json: { ok: true } });
    const stop = new AbortController();
    const [asked, sent] = [slow.read('/things', stop.signal), slow.write('/things', {}, stop.signal)];
    const other = slow.read('/others', signal);
    stop.abort();
    await expect(asked).rejects.toMatchObject({ code: 'XD_CONNECTOR_UNAVAILABLE' });
    expect(await sent).toMatchObject({ outcome: { outcome: 'later' } });
    give();
    expect(await other).toMatchObject({ value: { ok: true } });
    expect(system.calls.map(({ path }) => path)).toEqual(['/others']);
    await slow.close();
  });

  it('that is refused at once is not begun again and again: what is asked waits', async () => {
    const seen = sessions({ from: 1_000 });
    for (let i = 0; i < 5; i++)
      expect(await one.write('/things', {}, signal)).toMatchObject({ outcome: { outcome: 'later', ofSystem: true } });
    await expect(one.read('/things', signal)).rejects.toMatchObject({ code: 'XD_CONNECTOR_UNAVAILABLE' });
    expect(seen.logins).toBe(1);
  });

  it.each<[string, FakeAnswer]>([
    ['is refused', { status: 403, json: {} }],
    ['breaks off', 'reset'],
  ])('whose beginning %s: nothing of the write was sent, and it is not tried at each call', async (_, answer) => {
    system.answer(answer);
    for (let i = 0; i < 3; i++)
      expect(await one.write('/things', {}, signal)).toMatchObject({
        outcome: { outcome: 'later', ofSystem: true, error: expect.stringContaining('could not sign in') },
      });
    expect(system.calls.map((call) => call.path)).toEqual(['/login']);
    sessions({ from: 1 });
    await clock.advance(SIGN_IN_PAUSE_MS);
    expect(await one.write('/things', {}, signal)).toMatchObject({ answered: true });
  });
});

it('an error map that fails says nothing of a write that was sent: it is in doubt', async () => {
  sessions({ from: 1 });
  const broken = new HttpClient(contextFor(system.url), {
    faultOf: () => {
      throw new CrossdockError('XD_CONNECTOR_MALFORMED', 'not its contract');
    },
  });
  system.answer({ json: { ok: true } });
  expect(await broken.write('/things', {}, signal)).toMatchObject({ outcome: { outcome: 'in_doubt' } });
  await broken.close();
});

describe('a failure under HTTP 200', () => {
  it.each([
    ['later', { outcome: 'later', ofSystem: true }, false],
    ['refused', { outcome: 'refused' }, true],
    ['operator', { outcome: 'refused' }, false],
    ['in_doubt', { outcome: 'in_doubt' }, false],
  ])('is %s where the system means that', async (error, outcome, itemsToBlame) => {
    sessions({ from: 1 }, { json: { error } });
    expect(await one.write('/things', {}, signal)).toMatchObject({ answered: false, outcome, itemsToBlame });
    const code = itemsToBlame || error === 'operator' ? 'XD_CONNECTOR_REFUSED' : 'XD_CONNECTOR_UNAVAILABLE';
    await expect(one.read('/things', signal)).rejects.toMatchObject({ code });
  });

  it('that says how long to wait holds all calls back', async () => {
    sessions({ from: 1 }, { json: { error: 'later', retryAfterMs: 700 } });
    await one.write('/things', {}, signal);
    expect(one.pausedMs).toBe(700);
  });

  it('signs in again where it means that', async () => {
    let isFirst = true;
    system.answer((call) => {
      if (call.path === '/login') return { json: { session: 's1' } };
      if (!isFirst) return { json: { ok: true } };
      isFirst = false;
      return { json: { error: 'signed_out' } };
    });
    await one.read('/login', signal).catch(() => {});
    isFirst = true;
    await clock.advance(SIGN_IN_PAUSE_MS);
    expect(await one.write('/things', {}, signal)).toMatchObject({ answered: true });
  });
});

it('sends methods, headers and bodies as they are given', async () => {
  sessions({ from: 1 });
  await one.send({ method: 'PATCH', path: '/a', json: { n: 1 }, headers: { 'if-match': '"7"' } }, signal);
  await one.send({ method: 'DELETE', path: '/b' }, signal);
  await one.ask({ method: 'POST', path: '/c', raw: { body: '"text"', contentType: 'application/x-ndjson' } }, signal);
  const sent = system.calls.filter((call) => call.path !== '/login');
  expect(sent.map((call) => [call.method, call.headers['if-match'], call.headers['content-type'], call.body])).toEqual([
    ['PATCH', '"7"', 'application/json', { n: 1 }],
    ['DELETE', undefined, undefined, undefined],
    ['POST', undefined, 'application/x-ndjson', 'text'],
  ]);
});

describe('a sign-in', () => {
  it('that is put off with 429 pauses all calls for as long as the system says, and says so', async () => {
    system.answer({ status: 429, json: {}, headers: { 'retry-after': '30' } });
    expect(await one.write('/things', {}, signal)).toMatchObject({
      outcome: { outcome: 'later', retryAfterMs: 30_000 },
    });
    expect(one.pausedMs).toBe(30_000);
    await clock.advance(SIGN_IN_PAUSE_MS + 1);
    await expect(one.read('/things', signal)).rejects.toMatchObject({
      details: { retryAfterMs: 30_000 - SIGN_IN_PAUSE_MS - 1 },
    });
    expect(system.calls).toHaveLength(1);
  });

  it('that hangs holds nobody who is stopped; the others get it', async () => {
    let answer: (() => void) | undefined;
    const waits = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const slow = new HttpClient(contextFor(system.url), {
      auth: { signIn: () => waits.then(() => ({ 'x-session': 's1' })) },
    });
    system.answer({ json: { ok: true } });
    const stop = new AbortController();
    const [stopped, other] = [slow.read('/things', stop.signal), slow.read('/things', signal)];
    stop.abort();
    await expect(stopped).rejects.toMatchObject({ code: 'XD_CONNECTOR_UNAVAILABLE' });
    answer!();
    expect(await other).toMatchObject({ value: { ok: true } });
    expect(await slow.send({ method: 'POST', path: '/things' }, AbortSignal.abort())).toMatchObject({
      outcome: { outcome: 'later' },
    });
    await slow.close();
  });
});
