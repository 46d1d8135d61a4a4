import { expect, it } from 'vitest';
import { matchRecords } from '../master/index.ts';
import { testEstate, useApi } from './testing/hub.ts';

const api = useApi({ skus: ['85123A', '71053'], estate: testEstate });
const put = (entries: object[], headers?: Record<string, string>) =>
  api.call('PUT', '/v1/crosswalk', { entries }, headers);
const list = async (query: string) => (await api.call('GET', `/v1/crosswalk${query}`)).json();

it('entries are put all or none, and listed by page and by time', async () => {
  const entry = { system: 'erp', kind: 'sku', outsideId: '4711', code: '85123A', validTo: '2026-03-01T01:00:00+01:00' };
  const next = { system: 'erp', kind: 'sku', outsideId: '4711', code: '71053', validFrom: '2026-03-01T00:00:00Z' };
  expect((await put([entry, next])).json()).toEqual({ written: 2 });
  expect((await put([entry, next])).json()).toEqual({ written: 0 });
  const overlap = await put([
    { ...entry, outsideId: '4712' },
    { ...entry, validFrom: '2026-02-01T00:00:00Z', validTo: undefined },
  ]);
  expect([overlap.statusCode, overlap.json()]).toMatchObject([
    409,
    { code: 'XD_REFUSED', place: 'crosswalk[1].outsideId' },
  ]);
  expect((await put([{ ...entry, kind: 'shelf' }])).statusCode).toBe(422);
  expect((await put([{ ...entry, outsideId: '4713', code: 'NONE' }])).json().code).toBe('XD_UNKNOWN_SKU');
  const first = await list('?system=erp&limit=1');
  expect(first.entries).toMatchObject([
    { outsideId: '4711', code: '85123A', validFrom: null, validTo: '2026-03-01T00:00:00.000Z' },
  ]);
  const rest = await list(`?system=erp&limit=5&cursor=${first.nextCursor}`);
  expect([rest.entries.map((one: { code: string }) => one.code), rest.nextCursor]).toEqual([['71053'], null]);
  expect((await list('?outsideId=4711&at=2026-04-01T00:00:00Z')).entries).toMatchObject([{ code: '71053' }]);
  expect((await list('?cursor=WyJhIl0')).code).toBe('XD_VALUE_INVALID');
});

it('matches are listed, shown and decided', async () => {
  const { db, directory } = api.hub;
  const companyId = directory.companies.get('UK')!.companyId;
  await db.transaction(async (tx) => {
    const scored = [{ by: 'scored' as const, weights: { name: 1 }, same: 0.99, unsure: 0.5 }];
    const arrive = (outsideId: string, name: string) =>
      matchRecords(tx, directory, 'account', scored, [{ system: 'shop', companyId, outsideId, record: { name } }]);
    await arrive('1', 'Fischer Handel');
    await arrive('2', 'Fisher Handel');
    await arrive('3', 'Fischer Handels');
  });
  const { matches } = (await api.call('GET', '/v1/matches?state=open')).json();
  expect(matches).toMatchObject([{ outsideId: '3' }, { outsideId: '2', candidates: [{ code: '1', rule: 'scored' }] }]);
  const [three, two] = matches as [{ matchId: string }, { matchId: string }];
  expect((await api.call('GET', `/v1/matches/${two.matchId}`)).json()).toEqual(two);
  const decide = (id: string, what: string, body: object) => api.call('POST', `/v1/matches/${id}/${what}`, body);
  expect((await decide(two.matchId, 'merge', { by: 'ann', reason: 'one letter' })).json()).toMatchObject({
    ...{ state: 'merged', code: '1', decidedBy: 'ann', reason: 'one letter' },
  });
  expect((await decide(two.matchId, 'apart', {})).statusCode).toBe(409);
  expect((await decide(two.matchId, 'undo', {})).json()).toMatchObject({
    state: 'undone',
    code: '2',
    decidedBy: expect.stringMatching(/^key /),
  });
  expect((await decide(three.matchId, 'apart', { code: '1' })).statusCode).toBe(400);
  expect((await decide(three.matchId, 'apart', {})).json()).toMatchObject({ state: 'apart', code: '3' });
  expect((await decide('999999', 'merge', {})).json().code).toBe('XD_NOT_FOUND');
});
