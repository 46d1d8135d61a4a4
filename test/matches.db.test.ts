/** Accounts of a system with codes of its own: from the record that arrives to whose its orders are. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AccountChanged } from '../src/canonical/index.ts';
import { apartMatch, getMatch, listMatches, mergeMatch, undoMatch } from '../src/master/index.ts';
import { useDatabase } from './helpers/database.ts';
import { item, order, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'crossdock-matches-'));
const estate = {
  ...smallEstate(),
  matching: {
    account: {
      systems: ['shop'],
      rules: [
        { by: 'exact' as const, field: 'taxId' as const },
        { by: 'normalised' as const, fields: ['name' as const, 'postalCode' as const] },
        { by: 'scored' as const, weights: { name: 3, postalCode: 1 }, same: 0.95, unsure: 0.6 },
      ],
    },
  },
};
let hub: SmallHub;
beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url, estate, poolMax: 8 });
  await hub.seed(['X'], ['1001']);
});
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

const rows = (text: string, values: unknown[] = []) => database.pool.query(text, values).then((result) => result.rows);
let changes = 0;
function account(system: string, code: string, fields: Partial<AccountChanged>) {
  const changedAt = new Date(Date.UTC(2026, 3, 1) + ++changes * 1000).toISOString();
  const command: AccountChanged = { kind: 'account.changed', account: code, company: 'acme', changedAt, ...fields };
  return item(`account/${system}`, `${code}/${changes}`, command);
}
const tell = (system: string, code: string, fields: Partial<AccountChanged>, to = hub) =>
  to.receive(system, [account(system, code, fields)]).then(([result]) => result!);
const buy = (externalNo: string, code: string, orderedAt = '2026-03-02T10:00:00Z') =>
  hub
    .receive('shop', [order('shop', externalNo, [{ sku: 'X', quantity: 1 }], { account: code, orderedAt })])
    .then(([r]) => r!);
const buyerOf = async (externalNo: string) =>
  (
    await rows('select a.code from sales_order o join account a using (account_id) where external_no = $1', [
      externalNo,
    ])
  )[0]?.code;
const meaning = async (outsideId: string) =>
  (
    await rows(
      `select our_code from crosswalk_entry where system = 'shop' and outside_id = $1 and valid_to = 'infinity'`,
      [outsideId],
    )
  ).map((row) => row.our_code);
const decision = { by: 'ann' };
const openCase = async (outsideId: string) =>
  (await listMatches(hub.db, hub.directory, { state: 'open' })).find((one) => one.outsideId === outsideId)!;

test('the same tax id is the same account: a rule merges, and orders are its', async () => {
  await tell('erp', 'E1', { name: 'Müller & Söhne GmbH', taxId: 'DE 123', postalCode: '10115' });
  expect((await tell('shop', '77', { name: 'Whoever', taxId: 'de123' })).status).toBe('applied');
  expect(await meaning('77')).toEqual(['E1']);
  await buy('M1', '77');
  expect(await buyerOf('M1')).toBe('E1');
  const [one] = await listMatches(hub.db, hub.directory, { state: 'merged' });
  expect(one).toMatchObject({ outsideId: '77', code: 'E1', decidedBy: 'rule', reason: 'exact' });
  expect(one!.candidates).toMatchObject([{ code: 'E1', rule: 'exact', score: '1' }]);
});

test('a code that another account of ours has by chance is not that account', async () => {
  // 1001 is ours; the shop has one of its own.
  expect(await buy('N1', '1001')).toMatchObject({ status: 'parked', class: 'unknown_account' });
  expect((await tell('shop', '1001', { name: 'Nobody Else' })).status).toBe('applied');
  expect(await meaning('1001')).toEqual(['shop-1001']);
  expect(await hub.receiver.replayAwaited()).toBe(1);
  expect(await buyerOf('N1')).toBe('shop-1001');
  // Systems that are not matched name ours, as ever.
  await hub.receive('marketplace', [order('marketplace', 'N2', [{ sku: 'X', quantity: 1 }], { account: '1001' })]);
  expect(await buyerOf('N2')).toBe('1001');
});

describe('what is not sure waits for a person', () => {
  test('and runs as whose it is, once somebody says that they are the same', async () => {
    await tell('erp', 'E2', { name: 'Smith Ltd', postalCode: 'M1 1AE' });
    expect(await tell('shop', '78', { name: 'Smiht Limited', postalCode: 'M11AE' })).toMatchObject({
      status: 'parked',
      class: 'match',
    });
    expect((await buy('U1', '78')).status).toBe('parked');
    expect(await hub.receiver.replayAwaited()).toBe(0);
    // Told again, it is the same case.
    await tell('shop', '78', { name: 'Smiht Limited', postalCode: 'M11AE', email: 'a@smith.example' });
    const one = await openCase('78');
    expect(one).toMatchObject({ record: { email: 'a@smith.example' }, candidates: [{ code: 'E2', rule: 'scored' }] });
    expect(Number(one.candidates[0]!.score)).toBeGreaterThan(0.6);
    const [first, second] = await Promise.all([
      mergeMatch(hub.db, hub.directory, one.matchId, decision),
      mergeMatch(hub.db, hub.directory, one.matchId, { by: 'bob' }),
    ]);
    // The same by two at once is done once.
    expect([first.state, second.state, first.decidedBy]).toEqual(['merged', 'merged', second.decidedBy]);
    expect(await hub.receiver.replayAwaited()).toBe(3);
    expect(await buyerOf('U1')).toBe('E2');
    expect(await rows('select 1 from awaited_record')).toEqual([]);
    await expect(apartMatch(hub.db, hub.directory, one.matchId, decision)).rejects.toThrow(/is merged \(E2\) already/);
  });

  test('kept apart it is an account of its own, and they are never proposed again', async () => {
    await tell('erp', 'E3', { name: 'Jones Brothers', postalCode: 'B1' });
    await tell('shop', '79', { name: 'Jones Brother', postalCode: 'B1' });
    const one = await openCase('79');
    const done = await apartMatch(hub.db, hub.directory, one.matchId, { by: 'ann', reason: 'called them' });
    expect(done).toMatchObject({ state: 'apart', code: '79', decidedBy: 'ann', reason: 'called them' });
    await hub.receiver.replayAwaited();
    expect(await rows(`select name from account where code = '79'`)).toEqual([{ name: 'Jones Brother' }]);
    await buy('A1', '79');
    expect(await buyerOf('A1')).toBe('79');
    // Somebody ends the entry: it is looked at again, and E3 is not among those that it may be.
    await rows(`update crosswalk_entry set valid_to = crossdock_now() where system = 'shop' and outside_id = '79'`);
    await tell('shop', '79', { name: 'Jones Brother', postalCode: 'B1' });
    expect(await meaning('79')).toEqual(['79']);
  });

  test('two that are surely alike: one must be named', async () => {
    await tell('erp', 'E4', { name: 'Twin AG', postalCode: '1' });
    await tell('erp', 'E5', { name: 'Twin', postalCode: '1' });
    await tell('shop', '80', { name: 'TWIN A.G.', postalCode: '1' });
    const one = await openCase('80');
    expect(one.candidates.map(({ code }) => code)).toEqual(['E4', 'E5']);
    await expect(mergeMatch(hub.db, hub.directory, one.matchId, decision)).rejects.toThrow(/E4, E5: name one of them/);
    await expect(mergeMatch(hub.db, hub.directory, one.matchId, { ...decision, code: 'E1' })).rejects.toThrow(
      /name one/,
    );
    expect((await mergeMatch(hub.db, hub.directory, one.matchId, { ...decision, code: 'E5' })).code).toBe('E5');
    await expect(mergeMatch(hub.db, hub.directory, one.matchId, { ...decision, code: 'E4' })).rejects.toThrow(
      /is merged/,
    );
    await expect(getMatch(hub.db, hub.directory, 999_999)).rejects.toThrow(/no match 999999/);
  });
});

test('a merge is undone: what comes later is its own, what happened before stays', async () => {
  await tell('erp', 'E6', { name: 'Brown', taxId: 'GB6' });
  await tell('shop', '81', { name: 'Browne', taxId: 'GB6' });
  await buy('D1', '81');
  const one = (await listMatches(hub.db, hub.directory, { state: 'merged' })).find((c) => c.outsideId === '81')!;
  const undone = await undoMatch(hub.db, hub.directory, one.matchId, { by: 'ann', reason: 'two firms' });
  expect(undone).toMatchObject({ state: 'undone', code: '81', decidedBy: 'ann' });
  const later = new Date(Date.now() + 60_000).toISOString();
  await buy('D2', '81', later);
  // Ordered before the merge was undone, and late.
  await buy('D3', '81');
  expect([await buyerOf('D1'), await buyerOf('D2'), await buyerOf('D3')]).toEqual(['E6', '81', 'E6']);
  // The same tax id does not bring them together again.
  await tell('shop', '81', { name: 'Browne', taxId: 'GB6' });
  expect(await meaning('81')).toEqual(['81']);
  expect((await undoMatch(hub.db, hub.directory, one.matchId, decision)).state).toBe('undone');
});

test('two processes that are told of one account at once take it once', async () => {
  const other = await SmallHub.open({ url: database.url, estate });
  const [here, there] = await Promise.all([
    tell('shop', '90', { name: 'Racing Green', taxId: 'GB90' }),
    tell('shop', '91', { name: 'Racing Green Ltd', taxId: 'GB 90' }, other),
  ]);
  await other.close();
  expect([here.status, there.status]).toEqual(['applied', 'applied']);
  const [one] = await meaning('90');
  expect(await meaning('91')).toEqual([one]);
  expect(await rows(`select count(*)::int as count from account where name like 'Racing%'`)).toEqual([{ count: 1 }]);
});

test('without matching nothing of this happens', async () => {
  await hub.receive('marketplace', [account('marketplace', 'K1', { name: 'Smith Ltd', postalCode: 'M1 1AE' })]);
  expect(await rows(`select code from account where code = 'K1'`)).toEqual([{ code: 'K1' }]);
  expect(await rows(`select 1 from crosswalk_entry where system = 'marketplace'`)).toEqual([]);
});

test('on the command line', async () => {
  const run = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const env = {
        ...process.env,
        DATABASE_URL: database.url,
        NODE_OPTIONS: '',
        NODE_COMPILE_CACHE: join(folder, 'cache'),
      };
      const main = join(import.meta.dirname, '../src/cli/main.ts');
      execFile(process.execPath, [main, 'matches', ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  await tell('erp', 'E9', { name: 'Fischer Handel', postalCode: '8010' });
  await tell('shop', '99', { name: 'Fisher Handel', postalCode: '8010' });
  const listed = await run('ls');
  expect([listed.code, listed.stdout]).toEqual([
    3,
    expect.stringMatching(/shop +99 +Fisher Handel +open +E9 \(0\.\d+\)/),
  ]);
  const { matchId } = await openCase('99');
  const shown = await run('show', String(matchId));
  expect(shown.stdout).toMatch(/name +Fisher Handel +Fischer Handel/);
  expect(shown.stdout).toMatch(/rule +scored/);
  const merged = await run('merge', String(matchId), '--reason', 'one letter', '--json');
  expect([merged.code, JSON.parse(merged.stdout)]).toEqual([
    0,
    expect.objectContaining({ state: 'merged', code: 'E9', reason: 'one letter' }),
  ]);
  expect((await run('undo', String(matchId))).stdout).toMatch(/undone by .*: ?|undone/);
  expect((await run('merge', 'x')).code).toBe(2);
  expect((await run('show', '999999')).code).toBe(1);
});
