/** Accounts that the CRM merges or deletes, through the whole of intake: classed, set aside with what to do, neighbours untouched. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
  const settings = { auth: 'client_credentials', clientId: 'crossdock', company: 'acme', cancelStages: ['Called Off'] };
  crm = createSalesforce(contextFor(sim.url, { system: 'crm', channel: 'api', token: 'sim-token', settings }));
  product = await put({ Name: 'X', ProductCode: 'X', IsActive: true }, undefined, 'Product2');
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

let product = '';
let n = 0;
const put = async (values: object, id?: string, type = 'Account'): Promise<string> => {
  const record = { type, values: { CurrencyIsoCode: 'GBP', ...values }, ...(id !== undefined && { id }) };
  const { status, body } = await sim.post('/_drive/records', { records: [record] });
  expect(status, JSON.stringify(body)).toBe(200);
  return body.results[0].id;
};
/** Each feed to its end, a second later: times there are of whole seconds. */
async function intake(feeds = ['opportunities', 'accounts']): Promise<void> {
  time.advance(1_000);
  for (const feed of feeds)
    for (const poller of pollers.filter((one) => one.feed === feed)) while (await poller.pollOnce());
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
    await database.pool.query<{ class: string; state: string; reason: string }>(
      'select class, state, reason from parked_record where parked_id > $1 order by parked_id',
      [before],
    )
  ).rows;
const accountOf = async (no: string) =>
  (
    await database.pool.query<{ code: string }>(
      'select code from sales_order join account using (account_id) where external_no = $1',
      [no],
    )
  ).rows[0]?.code;
const nameOf = async (account: string) =>
  (await database.pool.query<{ name: string }>('select name from account where code = $1', [account])).rows[0]?.name;

it('one that was merged into another is merged here: its next order is the other’s, and neighbours go on', async () => {
  const loser = await put({ Name: 'Alpha', Crossdock_Account__c: 'M1' });
  const winner = await put({ Name: 'Beta', Crossdock_Account__c: 'M2' });
  const neighbour = await put({ Name: 'Gamma', Crossdock_Account__c: 'M3' });
  await intake();
  expect([await nameOf('M1'), await nameOf('M2'), await nameOf('M3')]).toEqual(['Alpha', 'Beta', 'Gamma']);
  await sim.post('/_drive/merge', { winner, loser });
  await put({ Name: 'Gamma Ltd' }, neighbour);
  await intake();
  await intake();
  expect([await parked(), await nameOf('M3')]).toEqual([[], 'Gamma Ltd']);
  const results = await hub.receive('crm', [
    order('api', 'AM1', [{ sku: 'X', quantity: 1 }], { account: 'M1' }),
    order('api', 'AM2', [{ sku: 'X', quantity: 1 }], { account: 'M2' }),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['applied', 'applied']);
  expect([await accountOf('AM1'), await accountOf('AM2')]).toEqual(['M2', 'M2']);
});

describe.each([
  ['before', 'opportunities', 'accounts'],
  ['after', 'accounts', 'opportunities'],
] as const)('opportunities of one that was merged, read %s the merge', (when, ...feeds) => {
  const M = (n: number) => `${when[0]!.toUpperCase()}${n}`;
  const read = () => intake(feeds);
  async function won(AccountId: string): Promise<string> {
    const id = await put(
      { Name: 'A deal', AccountId, StageName: 'Negotiation', CloseDate: '2026-03-01' },
      undefined,
      'Opportunity',
    );
    const line = { OpportunityId: id, Product2Id: product, Quantity: 2, UnitPrice: 2.55, CurrencyIsoCode: undefined };
    await put(line, undefined, 'OpportunityLineItem');
    await put({ StageName: 'Closed Won' }, id, 'Opportunity');
    return id;
  }
  let loser: string;
  let winner: string;
  beforeEach(async () => {
    loser = await put({ Name: 'Lost', Crossdock_Account__c: M(++n) });
    winner = await put({ Name: 'Won', Crossdock_Account__c: M(++n) });
    await intake(['accounts']);
  });

  it('are the orders that were taken, and one that changed besides is told', async () => {
    const taken = [await won(loser), await won(loser), await won(loser)];
    await read();
    await put({ StageName: 'Called Off' }, taken[2], 'Opportunity');
    await read();
    expect(await parked()).toEqual([]);
    await sim.post('/_drive/merge', { winner, loser });
    await put({ CloseDate: '2026-03-04' }, taken[1], 'Opportunity');
    await read();
    expect((await parked()).filter(({ state }) => state === 'open')).toEqual([
      {
        class: 'key_conflict',
        state: 'open',
        reason: expect.stringContaining(`key ${taken[1]} came before with`),
      },
    ]);
    // As it was when it was taken; what comes next is the other's.
    expect([await accountOf(taken[0]!), await accountOf(await wonOf(winner))]).toEqual([M(n - 1), M(n)]);
    await read();
    expect((await parked()).filter(({ state }) => state === 'open')).toHaveLength(1);
    const lines = await database.pool.query(
      'select quantity::int, cancelled::int from order_line join sales_order using (order_id) where external_no = $1',
      [taken[2]],
    );
    expect(lines.rows).toEqual([{ quantity: 2, cancelled: 2 }]);
  });

  it('one that a person moved to another account is told', async () => {
    const moved = await won(loser);
    await read();
    await put({ AccountId: winner }, moved, 'Opportunity');
    await read();
    expect(await parked()).toEqual([
      {
        class: 'key_conflict',
        state: 'open',
        reason: `key ${moved} came before with account "${M(n - 1)}", not "${M(n)}"`,
      },
    ]);
  });

  async function wonOf(account: string): Promise<string> {
    const id = await won(account);
    await read();
    return id;
  }
});

it('one that was merged into a record that is no account of ours says which', async () => {
  const loser = await put({ Name: 'Delta', Crossdock_Account__c: 'M4' });
  const winner = await put({ Name: 'Nobody gave it a number' });
  await sim.post('/_drive/merge', { winner, loser });
  await intake();
  expect(await parked()).toEqual([
    {
      class: 'account_merged',
      state: 'open',
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
    { class: 'value_invalid', state: 'open', reason: expect.stringContaining('a code has 1 to 80 characters') },
    {
      class: 'account_deleted',
      state: 'open',
      reason: expect.stringMatching(/^account M6 was deleted in crm, .*restore it there, or block it/),
    },
  ]);
  expect(await nameOf('M7')).toBe('Kappa');
});
