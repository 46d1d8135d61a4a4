import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { moved, order, SmallHub, smallEstate } from '../../test/helpers/small-hub.ts';
import type { CreditReported } from '../canonical/index.ts';
import type { CreditSource } from '../connectors/kit/index.ts';
import { CreditAsks, type ItemResult, Receiver } from './index.ts';

const database = useDatabase();
let hub: SmallHub;
let receiver: Receiver;
let asks: CreditAsks;
let calls: string[][];
let answer: (accounts: readonly { company: string; account: string }[]) => Promise<CreditReported[]>;
const errors: unknown[] = [];
let test = 0;
let skippedMs = 0;
const own = (name: string) => `${name}.${test}`;
const codes = ['A1', 'A2', 'A3'];

beforeEach(async () => {
  test++;
  skippedMs = 0;
  errors.length = 0;
  calls = [];
  const api = { company: 'acme', sells: 'asks' as const, locations: ['north'], credit: 'check' as const };
  const unchecked = { company: 'acme', sells: 'asks' as const, locations: ['north'] };
  const credit = { freshMs: 60_000, liveTimeoutMs: 200, cached: { orderMinorMax: 300 } };
  hub = await SmallHub.open({ url: database.url, estate: { ...smallEstate({ api, unchecked }), credit } });
  await hub.seed(['A'], codes.map(own));
  await hub.receive('wms', [moved(own('stock'), 'A', 'north', 10_000)]);
  answer = async (accounts) => accounts.map(({ account }) => reported(account));
  const source: CreditSource = {
    accountsMax: 2,
    ask: async (accounts) => {
      calls.push(accounts.map(({ account }) => account.split('.')[0]!));
      return answer(accounts);
    },
  };
  asks = new CreditAsks({
    ...{ db: hub.db, directory: hub.directory, system: 'erp', source, onError: (error) => errors.push(error) },
    now: () => performance.now() + skippedMs,
  });
  receiver = new Receiver({ ...{ db: hub.db, ids: hub.ids, directory: hub.directory }, creditAsks: asks });
});
afterEach(async () => {
  asks.close();
  await hub.close();
});

function reported(account: string, over: Partial<CreditReported> = {}): CreditReported {
  return {
    ...{ kind: 'credit.reported', account, company: 'acme', currency: 'GBP', limitMinor: 1_000 },
    ...{ openOrdersMinor: 0, openInvoicesMinor: 0, asOf: new Date().toISOString(), orders: [] },
    ...over,
  };
}
async function submit(no: string, units: number, account = 'A1', channel = 'api'): Promise<string> {
  const item = order(channel, own(no), [{ sku: 'A', quantity: units }], { account: own(account) });
  const rest = { contentType: 'application/json', body: Buffer.from(own(no)), items: [item] };
  const [result] = await receiver.receive({ system: 'api', source: 'api', onFault: 'refuse', ...rest });
  return shown(result!);
}
function shown(result: ItemResult): string {
  if (result.status !== 'applied') return result.status;
  const [accepted] = result.events as { credit?: { decision: string; basis: string; reason?: string } }[];
  const credit = accepted!.credit;
  return credit === undefined ? 'unchecked' : `${credit.decision} ${credit.reason ?? credit.basis}`;
}

describe('before an order is decided', () => {
  it('the ERP is asked, and not again while its answer is fresh', async () => {
    expect(await submit('o1', 4)).toBe('accepted live');
    expect(await submit('o2', 4)).toBe('accepted live');
    expect(await submit('o3', 4)).toBe('held over_credit');
    expect(calls).toEqual([['A1']]);
  });

  it('each account is asked for once, however many orders wait, and so many a call as the system takes', async () => {
    const orders = codes.flatMap((account, a) => [0, 1, 2].map((n) => submit(`n${a}${n}`, 1, account)));
    expect(new Set(await Promise.all(orders))).toEqual(new Set(['accepted live']));
    expect(calls.flat().sort()).toEqual(codes);
    expect(Math.max(...calls.map((call) => call.length))).toBeLessThanOrEqual(2);
  });

  it('nobody is asked for a channel that does not check', async () => {
    expect(await submit('u1', 4, 'A1', 'unchecked')).toBe('unchecked');
    expect(calls).toEqual([]);
  });
});

describe('where no answer comes', () => {
  const cache = async (ageMs: number) => {
    answer = async (accounts) =>
      accounts.map(({ account }) => reported(account, { asOf: new Date(Date.now() - ageMs).toISOString() }));
    expect(await submit('first', 1)).toBe('accepted cached');
    skippedMs += 120_000;
  };

  it('in time, the order is decided on what was reported last, and those behind it wait for nobody', async () => {
    await cache(120_000);
    let late = () => {};
    answer = (accounts) =>
      new Promise((resolve) => {
        late = () => resolve(accounts.map(({ account }) => reported(account, { limitMinor: 9_000 })));
      });
    expect(await submit('o1', 3)).toBe('accepted cached');
    expect(await submit('o2', 4)).toBe('held credit_unknown');
    const started = performance.now();
    expect(await submit('o3', 2)).toBe('accepted cached');
    expect(performance.now() - started).toBeLessThan(200);
    expect(calls).toHaveLength(2);
    late();
    await expect.poll(() => submit(`late${Math.random()}`, 4), { timeout: 5_000 }).toBe('accepted live');
  });

  it('because it fails, the order is decided at once, and the fault is told', async () => {
    await cache(120_000);
    answer = () => Promise.reject(new Error('the ERP is away'));
    expect(await submit('o1', 3)).toBe('accepted cached');
    expect(errors).toEqual([new Error('the ERP is away')]);
    skippedMs += 6_000;
    answer = async (accounts) => accounts.map(({ account }) => reported(account));
    expect(await submit('o2', 4)).toBe('accepted live');
  });

  it('an answer that is not ours to read counts for nobody, its neighbours do', async () => {
    answer = async (accounts) =>
      accounts.map(({ account }) => reported(account, account.startsWith('A2') ? { currency: 'pounds' } : {}));
    const both = await Promise.all([submit('o1', 1, 'A1'), submit('o2', 1, 'A2')]);
    expect(both).toEqual(['accepted live', 'held credit_unknown']);
    expect(String(errors[0])).toMatch(/credit of A2.*currency/);
  });
});
