import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpClient } from '../http.ts';
import { contextFor, type FakeSystem, fakeSystem } from '../testing.ts';
import { type Recorder, startRecorder } from './record.ts';
import { replay } from './replay.ts';
import { Scrubber } from './scrub.ts';

const folder = mkdtempSync(join(tmpdir(), 'crossdock-record-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TOKEN = 'tok_7Hq2xV9mK4tR';
const HIDDEN = 's3cr3t/with+signs=';
const signal = new AbortController().signal;
const closing: { close(): Promise<void> }[] = [];
let system: FakeSystem;
let recorder: Recorder;

beforeEach(async () => {
  system = await fakeSystem();
  recorder = await startRecorder({ url: `${system.url}/api`, secrets: [HIDDEN] });
});
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
  await recorder.close();
  await system.close();
});

function client(url: string, token = TOKEN): HttpClient {
  const made = new HttpClient(contextFor(url, { token }));
  closing.push(made);
  return made;
}

const order = {
  number: '1001',
  customer: { name: 'Zoë Müller', email: 'zoe.mueller@example.com', phone: '+49 170 1234567' },
  shippingAddress: { firstName: 'Zoë', lastName: 'Müller', street: 'Lange Straße 7', city: 'Göttingen', zip: '37073' },
  note: 'call Zoë Müller, zoe.mueller@example.com',
  lines: [{ sku: '85123A', name: 'White hanging heart', quantity: 6, unitPrice: '2.55' }],
};

describe('a recording', () => {
  it('holds what was said below the system’s address, and passes it on unchanged', async () => {
    system.answer({ json: { orders: [order] }, headers: { etag: '"7"', 'x-request-id': 'r-1' } });
    const asked = await client(recorder.url).read('/orders?b=2&a=1', signal);
    expect(asked.value).toEqual({ orders: [order] });
    expect(system.calls[0]).toMatchObject({ method: 'GET', path: '/api/orders', query: { a: '1', b: '2' } });
    expect(system.calls[0]!.headers.authorization).toBe(`Bearer ${TOKEN}`);
    const [exchange] = recorder.recording().exchanges;
    expect(exchange).toMatchObject({ method: 'GET', address: '/orders?a=1&b=2', answer: { status: 200 } });
    expect(exchange!.answer.headers).toEqual({ 'content-type': 'application/json', etag: '"7"' });
  });

  it('holds no name, address or number of a person, also in free text, and what stands for one is the same everywhere', async () => {
    system.answer({ json: { orders: [order, { ...order, number: '1002' }] } });
    await client(recorder.url).read('/orders', signal);
    system.answer({ json: { customers: [{ email: 'ZOE.mueller@example.com', name: 'Z. Other' }] } });
    await client(recorder.url).read('/customers?email=zoe.mueller%40example.com', signal);
    const text = JSON.stringify(recorder.recording());
    for (const person of ['Zoë', 'Müller', 'zoe.', 'example.com', '1234567', 'Lange', 'Göttingen', '37073', 'Other'])
      expect(text).not.toContain(person);
    for (const kept of ['1001', '1002', '85123A', 'White hanging heart', '2.55']) expect(text).toContain(kept);
    const emails = new Set(text.match(/person-[0-9a-f]{10}@example\.invalid/g));
    expect(emails.size).toBe(1);
    const { exchanges } = recorder.recording();
    expect(exchanges[1]!.address).toMatch(/^\/customers\?email=person-.+invalid$/);
  });

  it('gives other pseudonyms in another recording, unless both are made under one key', () => {
    const [one, other] = [new Scrubber(), new Scrubber()];
    expect(one.value(order)).toEqual(one.value(order));
    expect(one.value(order)).not.toEqual(other.value(order));
    const key = Buffer.alloc(32, 7);
    expect(new Scrubber({ key }).value(order)).toEqual(new Scrubber({ key }).value(order));
  });

  it('leaves what it has scrubbed as it is', () => {
    const once = new Scrubber().value(order);
    expect(new Scrubber().value(once)).toEqual(once);
  });
});

describe('a secret can not get into a recording', () => {
  it.each<[where: string, answer: unknown]>([
    ['in a field of any name', { id: TOKEN, nested: [{ x: `prefix ${HIDDEN} suffix` }] }],
    ['as the name of a field', { [TOKEN]: 1, [HIDDEN]: 2 }],
    ['as base64', { x: Buffer.from(HIDDEN).toString('base64'), y: Buffer.from(TOKEN).toString('base64url') }],
    [
      'as hex and as part of an address',
      { x: Buffer.from(HIDDEN).toString('hex'), y: `https://x/?t=${encodeURIComponent(HIDDEN)}` },
    ],
    [
      'in a field named for it, though nobody knows it',
      { access_token: 'nobody-told-7', clientSecret: 'nobody-told-7' },
    ],
    ['as a signed token', { x: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.nobody-told-7' }],
    [
      'in an error that repeats the header',
      { error: { message: `no user for Bearer ${TOKEN} and Basic bm9ib2R5LXRvbGQtNw==` } },
    ],
  ])('%s', async (_where, answer) => {
    system.answer({ json: answer });
    const http = client(recorder.url);
    await http.send(
      { method: 'POST', path: `/login?key=${encodeURIComponent(HIDDEN)}`, json: { password: HIDDEN, grant: TOKEN } },
      signal,
    );
    const file = join(folder, 'secret.json');
    await recorder.save(file);
    const text = readFileSync(file, 'utf8');
    for (const secret of [TOKEN, HIDDEN, 'nobody-told-7'])
      for (const form of [
        secret,
        encodeURIComponent(secret),
        ...(['base64', 'base64url', 'hex'] as const).map((as) => Buffer.from(secret).toString(as)),
      ])
        expect(text).not.toContain(form.replace(/=+$/, ''));
  });

  it('in text, a form or XML', () => {
    const scrubber = new Scrubber({ secrets: [HIDDEN] });
    expect(
      scrubber.body(`user=x&client_secret=abc&y=${encodeURIComponent(HIDDEN)}`, 'application/x-www-form-urlencoded'),
    ).toBe('user=x&client_secret=scrubbed-secret&y=scrubbed-secret');
    const xml = scrubber.body(
      '<a token="abc"><Password>abc</Password><ns:Email>z@example.com</ns:Email></a>',
      'text/xml',
    );
    expect(xml).toMatch(
      /^<a token="scrubbed-secret"><Password>scrubbed-secret<\/Password><ns:Email>person-\w+@example\.invalid/,
    );
  });

  it('a cookie that the system gave', async () => {
    system.answer({ json: { again: 'cookie-value-77' }, headers: { 'set-cookie': 'sid=cookie-value-77; Path=/' } });
    await client(recorder.url).read('/', signal);
    expect(JSON.stringify(recorder.recording())).not.toContain('cookie-value-77');
  });

  it('whatever JSON it stands in', () => {
    const scrubber = new Scrubber({ secrets: [HIDDEN] });
    const secret = fc.tuple(fc.string(), fc.string()).map(([before, after]) => before + HIDDEN + after);
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue(),
        secret,
        fc.array(tie('tree')),
        fc.dictionary(fc.oneof(fc.string(), secret), tie('tree')),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(scrubber.found(JSON.stringify(scrubber.value(value)) ?? '').filter((one) => one === 'a secret')).toEqual(
          [],
        );
      }),
      { numRuns: 300 },
    );
  });

  it('what is left all the same keeps the file from being written', async () => {
    await recorder.close();
    // A field that is kept on purpose holds an address that stands elsewhere as personal data.
    recorder = await startRecorder({ url: system.url, keep: ['remark'] });
    system.answer({ json: { email: 'zoe@example.com', remark: 'zoe@example.com' } });
    await client(recorder.url).read('/', signal);
    const file = join(folder, 'never.json');
    await expect(recorder.save(file)).rejects.toMatchObject({ code: 'XD_REFUSED' });
    expect(existsSync(file)).toBe(false);
  });
});

describe('a replay', () => {
  const recorded = async () => {
    system.answer(
      { json: { page: 1, next: `${system.url}/api/orders?page=2` } },
      { json: { page: 2 } },
      { json: { created: true } },
    );
    const http = client(recorder.url);
    const first = (await http.read('/orders?page=1', signal)).value as { next: string };
    expect(first.next).toBe(`${recorder.url}/api/orders?page=2`);
    await http.read('/orders?page=2', signal);
    await http.write('/orders', { number: '7', at: { b: 1, a: 2 } }, signal);
    return recorder.recording();
  };

  it('answers in whatever order it is asked, with its own address in it', async () => {
    const played = await replay(await recorded());
    const http = client(played.url);
    expect(await http.write('/orders', { at: { a: 2, b: 1 }, number: '7' }, signal)).toMatchObject({
      answered: true,
      value: { created: true },
    });
    expect((await http.read('/orders?page=2', signal)).value).toEqual({ page: 2 });
    expect(played.unused).toEqual(['GET /orders?page=1']);
    const first = (await http.read('/orders?page=1', signal)).value;
    expect(first).toEqual({ page: 1, next: `${played.url}/api/orders?page=2` });
    expect(played.unused).toEqual([]);
    await played.finish();
  });

  it('a question that was not recorded fails loudly, also where the connector swallows it', async () => {
    const played = await replay(await recorded());
    const http = client(played.url);
    expect(await http.write('/orders', { number: '8' }, signal)).toMatchObject({ answered: false });
    await expect(http.read('/orders?page=3', signal)).rejects.toMatchObject({ code: 'XD_CONNECTOR_UNAVAILABLE' });
    await expect(played.finish()).rejects.toThrow(
      /not recorded:\n.*POST \/orders \{"number":"8"\}.*\n.*GET \/orders\?page=3/,
    );
  });

  it('a question that comes more often than it was recorded is one that was not', async () => {
    const recording = await recorded();
    const played = await replay(recording);
    const http = client(played.url);
    await http.read('/orders?page=1', signal);
    await expect(http.read('/orders?page=1', signal)).rejects.toMatchObject({ code: 'XD_CONNECTOR_UNAVAILABLE' });
    await expect(played.finish()).rejects.toThrow(/recorded 1 times, asked 2 times/);
    const again = await replay(recording, { repeatLast: true });
    for (let i = 0; i < 3; i++) await client(again.url).read('/orders?page=1', signal);
    await again.finish();
  });
});
