/** Accounts that the CRM merges or deletes, through the whole of intake: classed, set aside with what to do, neighbours untouched. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type ManualTime, manualTime } from '../sim/index.ts';
import { closeSims, type Opened, openSim } from '../sim/lib/testing.ts';
import { contextFor } from '../src/connectors/kit/testing.ts';
import { createSalesforce, type SalesforceConnector } from '../src/connectors/salesforce/index.ts';
import { Poller } from '../src/ingest/index.ts';
import { useDatabase } from './helpers/database.ts';
import { order, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let time: ManualTime;
let sim: Opened;
let crm: SalesforceConnector;
let pollers: Poller[];

beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url });
  await hub.seed(['X']);
  time = manualTime(Date.parse('2026-03-01T09:00:00Z'));
  sim = await openSim('salesforce', { time, speed: 1 });
  const settings = { auth: 'client_credentials', clientId: 'crossdock', company: 'acme' };
  crm = createSalesforce(contextFor(sim.url, { system: 'crm', channel: 'api', token: 'sim-token', settings }));
  pollers = crm.sources.map(
    (source) =>
      new Poller({
        ...{ db: hub.db, receiver: hub.receiver, system: 'crm', source, pollMs: 1 },
        ...{ mayPoll: () => true, mustWait: () => false },
        onError(error) {
          throw error;
        },
      }),
  );
});
afterAll(async () => {
  await crm.close();
  await closeSims();
  await hub.close();
});

const put = async (values: object, id?: string): Promise<string> => {
  const record = { type: 'Account', values: { CurrencyIsoCode: 'GBP', ...values }, ...(id !== undefined && { id }) };
  const { status, body } = await sim.post('/_drive/records', { records: [record] });
  expect(status, JSON.stringify(body)).toBe(200);
  return body.results[0].id;
};
/** Each feed to its end, a second later: times there are of whole seconds. */
async function intake(): Promise<void> {
  time.advance(1_000);
  for (const poller of pollers) while (await poller.pollOnce());
}
let before = 0;
beforeEach(async () => {
  const { rows } = await database.pool.query<{ n: number }>(
    'select coalesce(max(parked_id), 0)::int as n from parked_record',
  );
  before = rows[0]!.n;
});
const parked = async () =>
  (
    await database.pool.query<{ class: string; reason: string }>(
      'select class, reason from parked_record where parked_id > $1 order by parked_id',
      [before],
    )
  ).rows;
const nameOf = async (account: string) =>
  (await database.pool.query<{ name: string }>('select name from account where code = $1', [account])).rows[0]?.name;

it('one that was merged into another is told once, with what to do; both and their neighbours go on', async () => {
  const loser = await put({ Name: 'Alpha', Crossdock_Account__c: 'M1' });
  const winner = await put({ Name: 'Beta', Crossdock_Account__c: 'M2' });
  const neighbour = await put({ Name: 'Gamma', Crossdock_Account__c: 'M3' });
  await intake();
  expect([await nameOf('M1'), await nameOf('M2'), await nameOf('M3')]).toEqual(['Alpha', 'Beta', 'Gamma']);
  await sim.post('/_drive/merge', { winner, loser });
  await put({ Name: 'Gamma Ltd' }, neighbour);
  await intake();
  await intake();
  expect(await parked()).toEqual([
    {
      class: 'account_merged',
      reason: expect.stringMatching(
        /^account M1 was merged into M2 in crm; .*: merge them where credit, prices and orders are kept, let orders name M2 from then on, then resolve this$/,
      ),
    },
  ]);
  expect(await nameOf('M3')).toBe('Gamma Ltd');
  const results = await hub.receive('crm', [
    order('api', 'AM1', [{ sku: 'X', quantity: 1 }], { account: 'M1' }),
    order('api', 'AM2', [{ sku: 'X', quantity: 1 }], { account: 'M2' }),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['applied', 'applied']);
});

it('one that was merged into a record that is no account of ours says which', async () => {
  const loser = await put({ Name: 'Delta', Crossdock_Account__c: 'M4' });
  const winner = await put({ Name: 'Nobody gave it a number' });
  await sim.post('/_drive/merge', { winner, loser });
  await intake();
  expect(await parked()).toEqual([
    {
      class: 'account_merged',
      reason: expect.stringMatching(
        new RegExp(`merged into ${winner} in crm, which is no account of ours: write M4, or`),
      ),
    },
  ]);
});

it('one whose account the record that is left took over goes on as it was', async () => {
  const loser = await put({ Name: 'Eta', Crossdock_Account__c: 'M5' });
  const winner = await put({ Name: 'Theta' });
  await sim.post('/_drive/merge', { winner, loser });
  await put({ Crossdock_Account__c: 'M5' }, winner);
  await intake();
  expect([await parked(), await nameOf('M5')]).toEqual([[], 'Theta']);
});

it('one that was deleted is told, and one that can not be read keeps nobody up', async () => {
  const gone = await put({ Name: 'Zeta', Crossdock_Account__c: 'M6' });
  const long = await put({ Name: 'Iota', Crossdock_Account__c: `M${'9'.repeat(100)}` });
  await put({ Name: 'Kappa', Crossdock_Account__c: 'M7' });
  await intake();
  await sim.post('/_drive/delete', { type: 'Account', id: gone });
  await intake();
  expect(long).not.toBe('');
  expect(await parked()).toEqual([
    { class: 'value_invalid', reason: expect.stringContaining('a code has 1 to 80 characters') },
    {
      class: 'account_deleted',
      reason: expect.stringMatching(/^account M6 was deleted in crm, .*restore it there, or block it/),
    },
  ]);
  expect(await nameOf('M7')).toBe('Kappa');
});
