import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keysetFeed } from './feed.ts';
import { HttpClient } from './http.ts';
import { contextFor, type FakeSystem, fakeSystem } from './testing.ts';

const signal = new AbortController().signal;
let system: FakeSystem;
let client: HttpClient;

beforeEach(async () => {
  system = await fakeSystem();
  client = new HttpClient(contextFor(system.url), { answerBytesMax: 2_000 });
});
afterEach(async () => {
  await client.close();
  await system.close();
});

function feed() {
  const seen: unknown[] = [];
  const source = keysetFeed({
    client,
    feed: 'events',
    path: '/events',
    limitMax: 500,
    map(records) {
      seen.push(...records);
      return records.map((record, itemNo) => ({ scope: 's', key: JSON.stringify(record), fingerprint: '', itemNo }));
    },
  });
  return { source, seen };
}

describe('a page', () => {
  it('is given byte for byte with the cursor to read on from', async () => {
    const text = '{ "records":[{"seq":8}],\n "next":8,"more":true}';
    system.answer({ text });
    const { source, seen } = feed();
    const page = await source.poll('7', signal);
    expect(page).toMatchObject({ cursor: '8', drained: false, contentType: 'application/json' });
    expect(page.body.toString()).toBe(text);
    expect(page.items.map(({ key }) => key)).toEqual(['{"seq":8}']);
    expect(source.reread!(page.body)).toEqual(page.items);
    expect(seen).toEqual([{ seq: 8 }, { seq: 8 }]);
    expect(system.calls[0]!.query).toEqual({ after: '7', limit: '500' });
  });

  it('without records is drained and keeps the cursor; the first is read after 0', async () => {
    system.answer({ json: { records: [], next: 0, more: false } });
    expect(await feed().source.poll('', signal)).toMatchObject({ cursor: '0', drained: true, items: [] });
    expect(system.calls[0]!.query.after).toBe('0');
  });

  it('that is too large is asked for in halves until it fits, and whole again later', async () => {
    system.answer((call) => {
      const limit = Number(call.query.limit);
      const after = Number(call.query.after);
      if (after === 0 && limit > 60) return { json: { text: 'x'.repeat(3_000) } };
      return { json: { records: [{}], next: after + 1, more: true } };
    });
    const { source } = feed();
    expect((await source.poll('0', signal)).cursor).toBe('1');
    expect(system.calls.map((call) => call.query.limit)).toEqual(['500', '250', '125', '62', '31']);
    await source.poll('1', signal);
    await source.poll('2', signal);
    expect(system.calls.slice(-2).map((call) => call.query.limit)).toEqual(['62', '124']);
  });

  it('of which even one record is too large stops the feed loudly', async () => {
    system.answer({ json: { text: 'x'.repeat(3_000) } });
    await expect(feed().source.poll('0', signal)).rejects.toMatchObject({ code: 'XD_CONNECTOR_MALFORMED' });
  });
});

describe('what is not the contract moves no cursor', () => {
  it.each([
    ['no object', null],
    ['no records', { next: 9, more: false }],
    ['records as an object', { records: {}, next: 9, more: false }],
    ['no next', { records: [], more: false }],
    ['a next that is a text', { records: [], next: '9', more: false }],
    ['a next beyond exact range', { records: [{}], next: 2 ** 60, more: false }],
    ['a next that goes back', { records: [{}], next: 6, more: true }],
    ['more at the same place', { records: [], next: 7, more: true }],
    ['records at the same place', { records: [{}], next: 7, more: false }],
    ['no more', { records: [], next: 7 }],
  ])('%s', async (_name, json) => {
    system.answer({ json });
    await expect(feed().source.poll('7', signal)).rejects.toMatchObject({ code: 'XD_CONNECTOR_MALFORMED' });
  });

  it('a cursor of another feed is refused before anything is asked', async () => {
    await expect(feed().source.poll('abc', signal)).rejects.toMatchObject({ code: 'XD_VALUE_INVALID' });
    expect(system.calls).toHaveLength(0);
  });
});
