import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CrossdockError } from '../../canonical/index.ts';
import { CallBudget } from './budget.ts';
import { HttpClient } from './http.ts';
import { retryAfterMsOf } from './http-answers.ts';
import type { HttpOptions } from './http-contract.ts';
import { permitted } from './permit.ts';
import { contextFor, type FakeAnswer, type FakeSystem, fakeSystem } from './testing.ts';
import type { ConnectorContext } from './types.ts';

const signal = new AbortController().signal;
const closing: { close(): unknown }[] = [];
let system: FakeSystem;

beforeEach(async () => {
  system = await fakeSystem();
});
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
  await system.close();
});

function client(changes: Partial<ConnectorContext> = {}, options: HttpOptions = {}): HttpClient {
  const made = new HttpClient(contextFor(system.url, { system: 'wms-y', ...changes }), options);
  closing.push(made);
  return made;
}

const limits = (changes: Partial<ConnectorContext['limits']>) => ({ ...contextFor('').limits, ...changes });

async function refusal(promise: Promise<unknown>): Promise<CrossdockError> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(CrossdockError);
  return error as CrossdockError;
}

describe('what is sent', () => {
  it('the token, JSON and the base path of the URL', async () => {
    system.answer({ json: { ok: 1 } });
    const answer = await client({ url: `${system.url}/api/` }).read('/things?after=1', signal);
    expect(answer.value).toEqual({ ok: 1 });
    expect(answer.body.toString()).toBe('{"ok":1}');
    expect(system.calls[0]).toMatchObject({ method: 'GET', path: '/api/things', query: { after: '1' } });
    expect(system.calls[0]!.headers.authorization).toBe('Bearer token-of-a-test');
  });

  it('no token where there is none, and never one that a header can not carry', async () => {
    system.answer({ json: {} });
    await client({ token: null }).read('/', signal);
    expect(system.calls[0]!.headers).not.toHaveProperty('authorization');
    for (const token of ['', 'two\nlines', 'ü'])
      expect(() => client({ token })).toThrow(expect.objectContaining({ code: 'XD_ESTATE_INVALID' }));
    for (const url of ['nowhere', 'ftp://x/', 'http://user:hidden@x/'])
      expect(() => client({ url })).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('hidden') }),
      );
  });

  it('nothing, when the permission goes while the call waits for its connection: surely without effect', async () => {
    system.answer({ json: {} });
    const asked: number[] = [];
    const gone = permitted(signal, () => asked.push(1) < 0);
    expect(await client().write('/x', {}, gone)).toMatchObject({ answered: false, outcome: { outcome: 'later' } });
    expect([asked, system.calls]).toEqual([[1], []]);
    expect(
      await client().write(
        '/x',
        {},
        permitted(signal, () => true),
      ),
    ).toMatchObject({ answered: true });
    expect(system.calls).toHaveLength(1);
  });

  it('many calls over few connections', async () => {
    system.answer({ json: {} });
    const one = client({ limits: limits({ concurrency: 2 }) });
    await Promise.all(Array.from({ length: 50 }, () => one.read('/', signal)));
    expect(system.calls).toHaveLength(50);
    expect(new Set(system.calls.map((call) => call.port)).size).toBe(2);
  });
});

describe('a write', () => {
  const cases: [name: string, answer: FakeAnswer, outcome: string][] = [
    ['429', { status: 429, json: {}, headers: { 'retry-after': '7' } }, 'later'],
    ['401', { status: 401, json: {} }, 'later'],
    ['403', { status: 403, json: {} }, 'later'],
    ['404 of the route', { status: 404, json: {} }, 'later'],
    ['400', { status: 400, json: {} }, 'refused'],
    ['413', { status: 413, json: {} }, 'refused'],
    ['422', { status: 422, json: {} }, 'refused'],
    ['408', { status: 408, json: {} }, 'in_doubt'],
    ['500', { status: 500, json: {} }, 'in_doubt'],
    ['503', { status: 503, json: {}, headers: { 'retry-after': '1' } }, 'in_doubt'],
    ['504', { status: 504, text: '<html>gateway</html>' }, 'in_doubt'],
    ['a redirect', { status: 302, json: {}, headers: { location: '/login' } }, 'in_doubt'],
    ['a page instead of JSON', { text: '<html>welcome</html>' }, 'in_doubt'],
    ['an empty answer', { text: '' }, 'in_doubt'],
    ['an answer larger than is read', { json: { text: 'x'.repeat(5_000) } }, 'in_doubt'],
    ['a reset', 'reset', 'in_doubt'],
    ['half an answer', 'half', 'in_doubt'],
    ['silence', 'silence', 'in_doubt'],
  ];
  it.each(cases)('%s', async (_name, answer, outcome) => {
    system.answer(answer);
    // Only silence is waited for to the end.
    const one = client({ limits: limits({ timeoutMs: answer === 'silence' ? 80 : 5_000 }) }, { answerBytesMax: 4_000 });
    const answered = await one.write('/things', { secret: 'payload' }, signal);
    expect(answered).toMatchObject({ answered: false, outcome: { outcome } });
    expect(system.calls).toHaveLength(1);
    expect(JSON.stringify(answered)).not.toMatch(/payload|token-of-a-test/);
  });

  it('a success is the answer', async () => {
    system.answer({ status: 201, json: { results: [] } });
    expect(await client().write('/things', {}, signal)).toMatchObject({ answered: true, value: { results: [] } });
  });

  it('is later when the connection is refused or the name unknown', async () => {
    const dead = await fakeSystem();
    await dead.close();
    for (const url of [dead.url, 'http://no-such-host.invalid']) {
      const answered = await client({ url }).write('/', {}, signal);
      expect(answered).toMatchObject({ answered: false, outcome: { outcome: 'later' } });
    }
  });

  it('is later when TLS fails, because its bytes never left', async () => {
    const answered = await client({ url: system.url.replace('http:', 'https:') }).write('/', {}, signal);
    expect(answered).toMatchObject({ outcome: { outcome: 'later' } });
    expect(system.calls).toHaveLength(0);
  });

  it('is later when stopped while it waits for its turn, in doubt when stopped after it was sent', async () => {
    system.answer('silence');
    const one = client({ limits: limits({ concurrency: 1 }) });
    const first = new AbortController();
    const second = new AbortController();
    const sent = one.write('/1', {}, first.signal);
    const waiting = one.write('/2', {}, second.signal);
    while (system.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    second.abort();
    first.abort();
    expect(await sent).toMatchObject({ outcome: { outcome: 'in_doubt' } });
    expect(await waiting).toMatchObject({ outcome: { outcome: 'later' } });
    expect(system.calls.map((call) => call.path)).toEqual(['/1']);
  });

  it('is later when the deadline comes while it still connects', async () => {
    // Takes the connection and never says a word: TLS waits for one before the first byte of a request.
    const mute = await rawServer(() => {});
    closing.push(mute);
    const one = client({ url: mute.url.replace('http:', 'https:'), limits: limits({ timeoutMs: 60 }) });
    expect(await one.write('/', {}, signal)).toMatchObject({ outcome: { outcome: 'later' } });
  });
});

describe('a pause the system asked for', () => {
  it('holds back reads and writes alike, says how long, and sends nothing', async () => {
    system.answer({ status: 429, json: {}, headers: { 'retry-after': '7' } });
    const one = client();
    expect(await one.write('/', {}, signal)).toMatchObject({ outcome: { outcome: 'later', retryAfterMs: 7_000 } });
    expect(await one.write('/', {}, signal)).toMatchObject({
      outcome: { outcome: 'later', retryAfterMs: expect.toSatisfy((ms: number) => ms > 6_000 && ms <= 7_000) },
    });
    const error = await refusal(one.read('/', signal));
    expect(error.code).toBe('XD_CONNECTOR_RATE_LIMITED');
    expect(error.details.retryAfterMs).toBeGreaterThan(6_000);
    expect(system.calls).toHaveLength(1);
  });

  it('is a second where a 429 does not say, and none where a 503 does not', async () => {
    system.answer({ status: 503, json: {} });
    const one = client();
    await one.write('/', {}, signal);
    await one.write('/', {}, signal);
    expect(system.calls).toHaveLength(2);
    system.answer({ status: 429, json: {} });
    expect(await one.write('/', {}, signal)).toMatchObject({ outcome: { retryAfterMs: 1_000 } });
    await one.write('/', {}, signal);
    expect(system.calls).toHaveLength(3);
  });

  it('is read as seconds or as a date against the answer’s own clock, and bounded', () => {
    expect(retryAfterMsOf({ 'retry-after': '2' })).toBe(2_000);
    expect(retryAfterMsOf({ 'retry-after': '999999' })).toBe(300_000);
    const date = 'Wed, 21 Oct 2015 07:28:00 GMT';
    expect(retryAfterMsOf({ 'retry-after': 'Wed, 21 Oct 2015 07:28:09 GMT', date })).toBe(9_000);
    expect(retryAfterMsOf({ 'retry-after': 'Wed, 21 Oct 2015 07:27:00 GMT', date })).toBe(0);
    expect(retryAfterMsOf({ 'retry-after': 'soon' })).toBeUndefined();
    expect(retryAfterMsOf({})).toBeUndefined();
  });
});

describe('a read', () => {
  const cases: [name: string, answer: FakeAnswer, code: string][] = [
    ['429', { status: 429, json: {} }, 'XD_CONNECTOR_RATE_LIMITED'],
    ['500', { status: 500, json: {} }, 'XD_CONNECTOR_UNAVAILABLE'],
    ['401', { status: 401, json: {} }, 'XD_CONNECTOR_REFUSED'],
    ['a redirect', { status: 301, json: {} }, 'XD_CONNECTOR_MALFORMED'],
    ['no JSON', { text: '{"records":[' }, 'XD_CONNECTOR_MALFORMED'],
    ['too much', { json: { text: 'x'.repeat(5_000) } }, 'XD_CONNECTOR_MALFORMED'],
    ['a reset', 'reset', 'XD_CONNECTOR_UNAVAILABLE'],
    ['half an answer', 'half', 'XD_CONNECTOR_UNAVAILABLE'],
    ['silence', 'silence', 'XD_CONNECTOR_UNAVAILABLE'],
  ];
  it.each(cases)('%s', async (_name, answer, code) => {
    system.answer(answer);
    // Only silence is waited for to the end.
    const one = client({ limits: limits({ timeoutMs: answer === 'silence' ? 80 : 5_000 }) }, { answerBytesMax: 4_000 });
    const error = await refusal(one.read('/things?after=17', signal));
    expect(error.code).toBe(code);
    expect(error.message).toContain('wms-y GET /things');
    expect(error.message).not.toMatch(/token-of-a-test|after=17/);
  });

  it('a dead system is unavailable, and the next call works when it is back', async () => {
    system.answer('reset', { json: { back: true } });
    const one = client();
    expect((await refusal(one.read('/', signal))).retry).toBe('later');
    expect((await one.read('/', signal)).value).toEqual({ back: true });
  });

  it('an answer that trickles is cut at the deadline, however often a byte comes', async () => {
    const trickle = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n');
      const timer = setInterval(() => socket.write(' '), 5);
      socket.on('close', () => clearInterval(timer));
    });
    closing.push(trickle);
    const started = performance.now();
    await refusal(client({ url: trickle.url, limits: limits({ timeoutMs: 60 }) }).read('/', signal));
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('systems that are more than JSON at one address', () => {
  it('a success that is a text, or empty, is given as it is where it was asked for; elsewhere it is no contract', async () => {
    system.answer({ text: 'Id,Name\n1,"ä"\n' });
    const asked = await client().ask({ method: 'GET', path: '/results', answers: 'text' }, signal);
    expect(asked.value).toBe('Id,Name\n1,"ä"\n');
    expect((await refusal(client().read('/results', signal))).code).toBe('XD_CONNECTOR_MALFORMED');
    system.answer({ status: 201, text: '' });
    const put = {
      method: 'PUT',
      path: '/batch',
      raw: { body: 'Id,Name', contentType: 'text/csv' },
      answers: 'text',
    } as const;
    expect(await client().send(put, signal)).toMatchObject({ answered: true, value: '' });
    expect(system.calls.at(-1)).toMatchObject({ body: 'Id,Name', headers: { 'content-type': 'text/csv' } });
    system.answer({ status: 400, json: { message: 'no such column' } });
    expect(await client().send(put, signal)).toMatchObject({
      outcome: { outcome: 'refused', error: expect.stringContaining('no such column') },
    });
  });

  it('two clients of one budget are counted together and wait together', async () => {
    system.answer({ json: {} });
    const budget = new CallBudget(limits({}), { now: () => 0, after: () => () => {} });
    const [signIn, records] = [client({}, { budget }), client({}, { budget })];
    await signIn.read('/token', signal);
    budget.pause(1_000);
    for (const one of [signIn, records])
      expect((await refusal(one.read('/records', signal))).details.retryAfterMs).toBe(1_000);
    expect(system.calls).toHaveLength(1);
  });
});

it('after closing nothing is sent any more', async () => {
  system.answer({ json: {} });
  const one = client();
  await one.close();
  expect(await one.write('/', {}, signal)).toMatchObject({ outcome: { outcome: 'later' } });
  expect(system.calls).toHaveLength(0);
  closing.length = 0;
});

it('who we are is asked for anew when it is over, before a call would be refused for it', async () => {
  let signedIn = 0;
  let over = false;
  const auth = {
    async signIn() {
      signedIn += 1;
      over = false;
      return { authorization: `Bearer ${signedIn}` };
    },
    isOver: () => over,
  };
  const one = client({ token: null }, { auth });
  system.answer({ json: {} });
  await one.read('/', signal);
  await one.read('/', signal);
  over = true;
  await one.read('/', signal);
  expect(system.calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer 1', 'Bearer 1', 'Bearer 2']);
});

it('an answer that is no JSON is one where it was asked for, and a refusal has its status', async () => {
  const one = client();
  const headers = { 'content-type': 'multipart/mixed; boundary=b' };
  system.answer({ text: '--b--', headers });
  const path = '/$batch';
  expect(await one.send({ method: 'POST', path }, signal)).toMatchObject({ outcome: { outcome: 'in_doubt' } });
  const answer = await one.send({ method: 'POST', path, answers: 'any' }, signal);
  expect(answer).toMatchObject({ answered: true, status: 200, headers, body: Buffer.from('--b--') });
  expect((await one.ask({ method: 'GET', path, answers: 'any' }, signal)).body.toString()).toBe('--b--');
  system.answer({ status: 412, json: {} });
  expect(await one.send({ method: 'PATCH', path }, signal)).toMatchObject({ answered: false, status: 412 });
});

interface RawServer {
  url: string;
  close(): Promise<void>;
}

async function rawServer(onRequest: (socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => onRequest(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('what is ours', () => {
  it('credentials that the system repeats in its answer stand in no error, outcome or answer of ours', async () => {
    const secret = 'token-that-nobody-may-see';
    const http = client({ token: secret });
    system.answer({ status: 422, json: { error: { code: 'bad', message: `no user for Bearer ${secret} über` } } });
    expect((await refusal(http.read('/', signal))).message).toMatch(/bad: no user for \*\*\* über$/);
    expect(await http.write('/', {}, signal)).toMatchObject({
      outcome: { outcome: 'refused', error: expect.stringMatching(/: bad: no user for \*\*\* über$/) },
    });
    system.answer({ json: { session: secret, name: 'Zoë' } });
    const { value, body } = await http.read('/', signal);
    expect([value, body.toString()]).toEqual([{ session: '***', name: 'Zoë' }, '{"session":"***","name":"Zoë"}']);
  });

  it.each([
    [
      'in its body',
      { raw: { body: 'client_secret=said+in%20a+form', contentType: 'text/plain' }, secrets: ['said in a form'] },
    ],
    ['in its own header', { headers: { authorization: 'Basic c2FpZC1pbi1hLWhlYWRlcg==' } }],
  ])('nor do those that a call says %s', async (_, said) => {
    const http = client();
    system.answer((call) => ({
      status: 400,
      json: { error: `no: ${call.headers.authorization ?? ''} said in a form said%20in%20a%20form` },
    }));
    const request = { method: 'POST', path: '/token', ...said } as const;
    const { message } = await refusal(http.ask(request, signal));
    const given = 'secrets' in said ? /said.in/ : /c2FpZC1pbi1hLWhlYWRlcg/;
    expect(message).not.toMatch(given);
    expect(message).toContain('***');
  });

  it('may be closed twice', async () => {
    const http = client();
    await http.close();
    await http.close();
  });
});
