import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { violations } from '../../test/helpers/promises.ts';
import { cancel, moved, order, SmallHub, smallEstate } from '../../test/helpers/small-hub.ts';
import type { CreditReported } from '../canonical/index.ts';
import { changeItem, creditItem, returnRequestItem } from '../connectors/kit/index.ts';
import { readCredit, readPaths } from '../credit/index.ts';
import { logLag } from '../log/index.ts';
import type { DeclaredCredit } from '../master/index.ts';
import { checkPromises } from '../ops/index.ts';
import { Database } from '../store/index.ts';
import { CREDIT_CONSUMER, followCredit, listHolds, releaseHold, sweepCredit } from './index.ts';

const database = useDatabase();
const hubs: SmallHub[] = [];
let hub: SmallHub;

async function open(credit: DeclaredCredit = {}, db?: Database): Promise<SmallHub> {
  const api = {
    company: 'acme',
    sells: 'asks' as const,
    locations: ['north', 'south', 'west'],
    credit: 'check' as const,
  };
  const unchecked = { company: 'acme', sells: 'asks' as const, locations: ['north'] };
  const estate = { ...smallEstate({ api, unchecked }), credit };
  const opened = await SmallHub.open({ url: database.url, estate, ...(db && { db }) });
  hubs.push(opened);
  return opened;
}
/** Of this test alone: the database is the file's. */
let test = 0;
const own = (name: string) => `${name}.${test}`;
const isOwn = (name: string) => name.endsWith(`.${test}`);

beforeEach(async () => {
  test++;
  hub = await open();
  await hub.seed(['A'], ['A1', 'A2', 'A3'].map(own));
  await hub.directory.loadAccounts(['A1', 'A2', 'A3'].map((code) => ({ companyId: 1, code: own(code) })));
  await hub.receive('wms', [moved(own('stock'), 'A', 'north', 100_000)]);
});
afterEach(async () => {
  expect(await violations(database.pool)).toEqual({});
  const promises = await checkPromises(hub.db);
  expect(Object.values(promises).flatMap((promise) => promise.examples)).toEqual([]);
  for (const one of hubs.splice(0)) await one.close();
});

let clock = 0;
/** Each later than the one before. */
function report(over: Partial<CreditReported> = {}) {
  const asOf = new Date(Date.now() - 30_000 + ++clock).toISOString();
  const draft = creditItem('erp', {
    ...{ kind: 'credit.reported', company: 'acme', currency: 'GBP', limitMinor: 10_000 },
    ...{ openOrdersMinor: 0, openInvoicesMinor: 0, asOf },
    ...over,
    account: own(over.account ?? 'A1'),
    orders: (over.orders ?? []).map((reference) => (reference.length > 6 ? reference : own(reference))),
    ...(over.orderLines !== undefined && {
      orderLines: over.orderLines.map((reference) => reference.replace('#', `.${test}#`)),
    }),
  });
  return { ...draft, itemNo: 0 };
}
const report1 = (over: Partial<CreditReported> = {}) => hub.receive('erp', [report(over)]);
/** One line of so many units at 1.00. */
const submit = async (no: string, units: number, account = 'A1', by = hub) => {
  const [result] = await by.receive('api', [
    order('api', own(no), [{ sku: 'A', quantity: units }], { account: own(account) }),
  ]);
  return result!;
};
const raise = (no: string, units: number, by = hub) =>
  by.receive('api', [
    {
      ...changeItem({
        ...{ kind: 'order.change_requested', channel: 'api', order: own(no), reference: own(`${no} ${units}`) },
        ...{ occurredAt: new Date().toISOString(), lines: [{ lineNo: 1, quantity: units }] },
      }),
      itemNo: 0,
    },
  ]);
const takeBack = (reference: string, no: string, units: number) =>
  hub.receive('api', [cancel('api', own(no), 1, units, own(reference))]);
const account = (code: string) => hub.directory.findAccountId(1, own(code))!;
const credit = async (code = 'A1') => {
  const id = account(code);
  const view = await readCredit(hub.db, hub.directory.credit, (await readPaths(hub.db, [id])).get(id)!);
  return `${view!.openOrdersMinor}+${view!.openInvoicesMinor}+${view!.claimedMinor} of ${view!.limitMinor}`;
};
const claim = async (no: string) => {
  const { rows } = await database.pool.query(
    `select c.amount_minor::int as amount, c.basis, c.over_by_minor::int as over, c.ended_by
       from credit_claim c join sales_order o using (order_id) where o.external_no = $1`,
    [own(no)],
  );
  return rows[0] === undefined
    ? 'none'
    : `${rows[0].amount} ${rows[0].basis}${rows[0].over > 0 ? ` over ${rows[0].over}` : ''}${rows[0].ended_by === null ? '' : `, ended by ${rows[0].ended_by}`}`;
};
const holds = async () =>
  (await listHolds(hub.db, { state: 'open', kind: 'credit', limit: 100 }))
    .filter((hold) => isOwn(hold.externalNo))
    .map((hold) => `${hold.externalNo.split('.')[0]} ${hold.reason}`)
    .sort();
/** Until the log is read: transactions of other test files may hide its end for a moment. @returns how many went on */
const follow = async () => {
  for (let all = 0; ; await new Promise((resolve) => setTimeout(resolve, 2))) {
    all += (await followCredit(hub.db, hub.deps)).released;
    if ((await logLag(hub.db, CREDIT_CONSUMER)).behind === 0) return all;
  }
};
const holdOf = async (no: string) =>
  (await listHolds(hub.db, { kind: 'credit', limit: 100 })).find((hold) => hold.externalNo === own(no))!;

describe('an order within its limit', () => {
  it('takes its part of it, and the next has what is left', async () => {
    await report1({ openOrdersMinor: 2_000, openInvoicesMinor: 1_000 });
    expect((await submit('o1', 40)).status).toBe('applied');
    expect(await credit()).toBe('2000+1000+4000 of 10000');
    await submit('o2', 30);
    expect(await credit()).toBe('2000+1000+7000 of 10000');
    expect(await holds()).toEqual([]);
    await submit('o3', 1);
    expect(await holds()).toEqual(['o3 over_credit']);
    expect(await claim('o3')).toBe('none');
    expect(await claim('o2')).toBe('3000 live');
  });

  it('is asked for again by what a change adds: two changes at once can not both take the last of it', async () => {
    await report1();
    await submit('o1', 40);
    await submit('o2', 40);
    const second = await open();
    const results = (await Promise.all([raise('o1', 55), raise('o2', 55, second)])).flat();
    expect(results.map((one) => one.status).sort()).toEqual(['applied', 'refused']);
    expect(await credit()).toBe('0+0+9500 of 10000');
    expect(results.find((one) => one.status === 'refused')).toMatchObject({ class: 'over_credit' });
    expect((await raise('o1', 30)).map((one) => one.status)).toEqual(['applied']);
  });

  it('says in its acceptance what was known', async () => {
    await report1();
    const result = await submit('o1', 40);
    const accepted = (result as { events: { credit?: object }[] }).events[0]!;
    expect(accepted.credit).toMatchObject({
      ...{ basis: 'live', holderId: account('A1'), amountMinor: 4_000, limitMinor: 10_000, exposureMinor: 0 },
    });
  });

  it('of a channel that does not check asks nobody and takes nothing', async () => {
    await hub.receive('api', [order('unchecked', own('u1'), [{ sku: 'A', quantity: 999 }], { account: own('A1') })]);
    expect(await claim('u1')).toBe('none');
    const { rows } = await database.pool.query('select 1 from account_credit where account_id = $1', [account('A1')]);
    expect(rows).toEqual([]);
  });
});

describe('a report', () => {
  it('ends the claims of the orders that it shows, and no others', async () => {
    await report1();
    await submit('o1', 10);
    await submit('o2', 20);
    await report1({ openOrdersMinor: 1_000, orders: ['api/o1', 'shop/else', 'nonsense'] });
    expect(await credit()).toBe('1000+0+2000 of 10000');
    expect(await claim('o1')).toBe('1000 live, ended by report');
    await report1({ openOrdersMinor: 1_000 });
    expect(await credit()).toBe('1000+0+2000 of 10000');
  });

  it('without a list ends nothing, however new; once its source has invoiced some of an order, that is in it', async () => {
    await report1();
    await submit('o1', 10);
    const { orders: _, ...rest } = report().command as CreditReported;
    await hub.receive('erp', [{ ...creditItem('erp', { ...rest, openOrdersMinor: 1_000 }), itemNo: 0 }]);
    expect(await credit()).toBe('1000+0+1000 of 10000');
    const posted = new Date(Date.now() - 20_000).toISOString();
    await database.pool.query(
      `insert into invoice (invoice_no, kind, source, order_id, currency, total_minor, lines, posted_at, order_version)
       select 'I1', 'invoice', 'erp', order_id, 'GBP', 0, '[]', $1::timestamptz, 1 from sales_order where external_no = $2`,
      [posted, own('o1')],
    );
    await report1({ asOf: new Date(Date.now() - 21_000).toISOString() });
    expect(await claim('o1')).toBe('1000 live');
    await report1({ asOf: new Date(Date.now() - 19_000).toISOString(), openInvoicesMinor: 1_000 });
    expect(await credit()).toBe('0+1000+0 of 10000');
    await database.pool.query('delete from invoice');
  });

  it('that is older than the last one changes nothing, and is told so', async () => {
    const older = report({ openOrdersMinor: 9_999, orders: ['api/o1'] });
    await report1({ limitMinor: 5_000 });
    await submit('o1', 10);
    const [result] = await hub.receive('erp', [older]);
    expect(result).toMatchObject({ status: 'duplicate', state: 's' });
    expect(await credit()).toBe('0+0+1000 of 5000');
  });

  it('of the future counts as of now, and keeps later ones from nothing', async () => {
    await report1({ asOf: '2999-01-01T00:00:00Z', openOrdersMinor: 1 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const [result] = await report1({ asOf: new Date(Date.now() + 60_000).toISOString(), openOrdersMinor: 2 });
    expect(result!.status).toBe('applied');
    expect(await credit()).toBe('2+0+0 of 10000');
  });

  it.each([
    ['limitMinor', { limitMinor: -1 }],
    ['openOrdersMinor', { openOrdersMinor: 1.5 }],
    ['openInvoicesMinor', { openInvoicesMinor: 2 ** 60 }],
    ['currency', { currency: 'pounds' }],
    ['asOf', { asOf: 'yesterday' }],
    ['company', { company: 'nobody' }],
    ['orders', { orders: Array.from({ length: 10_001 }, (_, i) => `api/x${i}`) }],
  ])('with a wrong %s is set aside, and refused to who waits with its place', async (place, over) => {
    const [result] = await report1(over);
    expect(result!.status).toBe('parked');
    expect(await hub.receive('api', [report(over)])).toMatchObject([{ status: 'refused', place }]);
  });

  it('of an account that comes later waits for it', async () => {
    const [result] = await report1({ account: 'LATER' });
    expect(result).toMatchObject({ status: 'parked', class: 'unknown_account' });
  });
});

describe('units added to an order that a report shows already', () => {
  const claims = async (no: string) => {
    const { rows } = await database.pool.query(
      `select c.line_no, c.amount_minor::int as amount, c.ended_by
         from credit_claim c join sales_order o using (order_id) where o.external_no = $1 order by c.line_no`,
      [own(no)],
    );
    return rows.map((row) => `${row.line_no}: ${row.amount}${row.ended_by === null ? '' : ` ${row.ended_by}`}`);
  };

  it('count by themselves until a report shows those very lines', async () => {
    await report1();
    await submit('o1', 40);
    await report1({ openOrdersMinor: 4_000, orders: ['api/o1'] });
    expect(await credit()).toBe('4000+0+0 of 10000');
    expect((await raise('o1', 90))[0]!.status).toBe('applied');
    expect(await credit()).toBe('4000+0+5000 of 10000');
    expect(await raise('o1', 101)).toMatchObject([{ status: 'refused', class: 'over_credit' }]);
    await raise('o1', 100);
    await submit('o2', 1);
    expect(await holds()).toEqual(['o2 over_credit']);
    // Made before the lines arrived there: it shows the order, and not all of it.
    await report1({ openOrdersMinor: 4_000, orders: ['api/o1'] });
    expect(await credit()).toBe('4000+0+6000 of 10000');
    await report1({ openOrdersMinor: 9_000, orders: ['api/o1'], orderLines: ['api/o1#100001', 'shop/else#3'] });
    expect(await claims('o1')).toEqual(['0: 4000 report', '100001: 5000 report', '100002: 1000']);
    expect(await credit()).toBe('9000+0+1000 of 10000');
    await report1({ openOrdersMinor: 9_000, orders: ['api/o1'], orderLines: ['api/o1#100001'] });
    expect(await credit()).toBe('9000+0+1000 of 10000');
  });

  it('falls with units that are asked back and never left: they are cancelled', async () => {
    await report1();
    await submit('RB', 40);
    const asked = returnRequestItem({
      ...{ kind: 'return.requested', channel: 'api', order: own('RB'), reference: own('rma') },
      ...{ occurredAt: new Date().toISOString(), lines: [{ lineNo: 1, quantity: 15 }] },
    });
    expect(await hub.receive('api', [{ ...asked, itemNo: 0 }])).toMatchObject([{ status: 'applied' }]);
    expect(await claim('RB')).toBe('2500 live');
  });

  it('are free again when they are cancelled, and no others with them', async () => {
    await report1();
    await submit('o1', 10);
    await report1({ openOrdersMinor: 1_000, orders: ['api/o1'] });
    await raise('o1', 30);
    // Of what was ordered first: the report's amount stands until the next one.
    await takeBack('x1', 'o1', 10);
    expect(await claims('o1')).toEqual(['0: 1000 report', '100001: 2000']);
    await takeBack('x2', 'o1', 5);
    expect(await claims('o1')).toEqual(['0: 1000 report', '100001: 1500']);
    await takeBack('x3', 'o1', 15);
    expect(await claims('o1')).toEqual(['0: 1000 report', '100001: 0 order']);
    expect(await credit()).toBe('1000+0+0 of 10000');
  });

  it('are shown by an invoice of them, and not by one of other lines', async () => {
    await report1();
    await submit('o1', 10);
    await raise('o1', 30);
    const invoice = (no: string, lineNo: number) =>
      database.pool.query(
        `insert into invoice (invoice_no, kind, source, order_id, currency, total_minor, lines, posted_at, order_version)
         select $1, 'invoice', 'erp', order_id, 'GBP', 0, $2::json, $3::timestamptz, 1 from sales_order where external_no = $4`,
        [
          own(no),
          JSON.stringify([{ lineNo, quantity: 0, amountMinor: 0 }]),
          new Date(Date.now() - 60_000).toISOString(),
          own('o1'),
        ],
      );
    await invoice('I1', 1);
    await report1({ openInvoicesMinor: 1_000 });
    expect(await claims('o1')).toEqual(['0: 1000 report', '100001: 2000']);
    await invoice('I2', 100_001);
    await report1({ openInvoicesMinor: 3_000 });
    expect(await claims('o1')).toEqual(['0: 1000 report', '100001: 2000 report']);
    expect(await credit()).toBe('0+3000+0 of 10000');
    await database.pool.query('delete from invoice');
  });

  it('added twice at once by two processes while a report comes: each claim begins once and ends once', async () => {
    await report1({ limitMinor: 3_500 });
    await submit('o1', 10);
    await submit('o2', 10);
    const [left, right] = [await open(), await open()];
    const [raised] = await Promise.all([
      Promise.all([raise('o1', 25, left), raise('o2', 25, right)]),
      report1({ limitMinor: 3_500, openOrdersMinor: 2_000, orders: ['api/o1', 'api/o2'] }),
      hub.receive('erp', [
        report({ limitMinor: 3_500, openOrdersMinor: 2_000, orders: ['api/o1', 'api/o2'] }),
        report({ limitMinor: 3_500, openOrdersMinor: 2_000, orders: ['api/o2', 'api/o1'] }),
      ]),
    ]);
    expect(
      raised
        .flat()
        .map(({ status }) => status)
        .sort(),
    ).toEqual(['applied', 'refused']);
    expect(await credit()).toBe('2000+0+1500 of 3500');
    const { rows } = await database.pool.query(
      `select count(*)::int as ended from fact f cross join lateral json_array_elements(f.data->'shown') s
        where f.type = 'credit.reported' and (s->>'orderId')::bigint in (select order_id from sales_order where external_no = any($1))`,
      [[own('o1'), own('o2')]],
    );
    expect(rows[0].ended).toBe(2);
  });

  it('with a wrong line is set aside, with its place', async () => {
    const [result] = await report1({ orderLines: ['api/o1#first'] });
    expect(result!.status).toBe('parked');
    expect(await hub.receive('api', [report({ orderLines: ['api/o1'] })])).toMatchObject([
      { status: 'refused', place: 'orderLines' },
    ]);
  });
});

describe('what is given up', () => {
  it('is free again, to the minor unit, and what was shown stays shown', async () => {
    await report1();
    await submit('o1', 10);
    await takeBack('x1', 'o1', 4);
    expect(await claim('o1')).toBe('600 live');
    await takeBack('x2', 'o1', 6);
    expect(await claim('o1')).toBe('0 live, ended by order');
    await submit('o2', 10);
    await report1({ openOrdersMinor: 1_000, orders: ['api/o2'] });
    await takeBack('x3', 'o2', 5);
    expect(await claim('o2')).toBe('1000 live, ended by report');
    expect(await credit()).toBe('1000+0+0 of 10000');
  });
});

describe('held for credit', () => {
  it('an order goes on by the rule once a report frees enough, the oldest that fits first', async () => {
    await report1({ openOrdersMinor: 9_500 });
    for (const [no, units] of [
      ['o1', 30],
      ['o2', 8],
      ['o3', 20],
      ['o4', 1],
    ] as const)
      await submit(no, units);
    expect(await holds()).toEqual(['o1 over_credit', 'o2 over_credit', 'o3 over_credit']);
    expect(await follow()).toBe(0);
    await report1({ openOrdersMinor: 6_900 });
    expect(await follow()).toBe(1);
    expect(await holds()).toEqual(['o2 over_credit', 'o3 over_credit']);
    expect(await credit()).toBe('6900+0+3100 of 10000');
    await takeBack('x1', 'o1', 10);
    expect(await follow()).toBe(1);
    expect(await holds()).toEqual(['o3 over_credit']);
    expect(await claim('o2')).toBe('800 live');
    expect(await holdOf('o2')).toMatchObject({ releasedBy: 'rule', releaseReason: 'there is credit' });
    expect(await sweepCredit(hub.db, hub.deps)).toBe(0);
  });

  it('an order that a person releases goes beyond the limit, and the record says by how much', async () => {
    await report1({ openOrdersMinor: 9_500 });
    await submit('o1', 30);
    await takeBack('x1', 'o1', 10);
    const hold = await holdOf('o1');
    await releaseHold(hub.db, hub.deps, hold.holdId, { by: 'eve', reason: 'they always pay' });
    await releaseHold(hub.db, hub.deps, hold.holdId, { by: 'eve', reason: 'again' });
    expect(await claim('o1')).toBe('2000 live over 1500');
    const { rows } = await database.pool.query(
      `select data from fact where type = 'order.hold_released' and data->>'by' = 'eve' and data->>'reason' is not null`,
    );
    expect(rows).toHaveLength(1);
    expect(rows[0].data.credit).toMatchObject({ overByMinor: 1_500, exposureMinor: 9_500, limitMinor: 10_000 });
    await submit('o2', 1);
    expect(await holds()).toEqual(['o2 over_credit']);
  });

  it('an order stays so where the estate leaves it to people', async () => {
    hub = await open({ releaseWhenFree: false });
    await report1({ limitMinor: 0 });
    await submit('o1', 5);
    await report1();
    expect(await follow()).toBe(0);
    expect(await holds()).toEqual(['o1 over_credit']);
  });

  it('an order is not told to the ERP before, and keeps what it was promised', async () => {
    await report1({ limitMinor: 0 });
    await submit('o1', 5);
    const { rows } = await database.pool.query(
      `select is_told, (select sum(open_quantity)::int from allocation a where a.order_id = o.order_id) as allocated
         from sales_order o where external_no = $1`,
      [own('o1')],
    );
    expect(rows).toEqual([{ is_told: false, allocated: 5 }]);
  });

  it('an order of which everything is cancelled is held by nothing, and takes nothing', async () => {
    await report1({ limitMinor: 0 });
    await submit('o1', 5);
    await takeBack('x1', 'o1', 5);
    expect(await holds()).toEqual([]);
    expect(await claim('o1')).toBe('none');
  });
});

describe('by policy', () => {
  it('an order beyond the limit is refused as a whole, and nothing of it is left', async () => {
    hub = await open({ onOver: 'refuse' });
    await report1({ limitMinor: 400 });
    expect(await submit('o1', 5)).toMatchObject({ status: 'refused', class: 'over_credit' });
    expect((await submit('o2', 4)).status).toBe('applied');
    const { rows } = await database.pool.query('select external_no from sales_order where account_id = $1', [
      account('A1'),
    ]);
    expect(rows).toEqual([{ external_no: own('o2') }]);
    expect(await credit()).toBe('0+0+400 of 400');
  });

  it('so much is accepted on a cached report, an order and in all, and its age is said', async () => {
    hub = await open({ freshMs: 20_000, cached: { orderMinorMax: 500, totalMinorMax: 800, ageMinutesMax: 60 } });
    await report1({ asOf: new Date(Date.now() - 300_000).toISOString() });
    await submit('large', 6);
    const accepted = await submit('o1', 5);
    await submit('o2', 4);
    await submit('o3', 3);
    expect(await holds()).toEqual(['large credit_unknown', 'o2 credit_unknown']);
    expect(await claim('o3')).toBe('300 cached');
    const known = (accepted as { events: { credit?: { ageSeconds: number } }[] }).events[0]!.credit!;
    expect(known).toMatchObject({ basis: 'cached' });
    expect(known.ageSeconds).toBeGreaterThanOrEqual(300);
    await report1({ asOf: new Date().toISOString() });
    expect(await follow()).toBe(2);
    expect(await claim('o2')).toBe('400 live');
  });

  it('what nobody ever reported is unknown; a person may let it go', async () => {
    await submit('o1', 5);
    expect(await holds()).toEqual(['o1 credit_unknown']);
    await releaseHold(hub.db, hub.deps, (await holdOf('o1')).holdId, { by: 'eve' });
    expect(await claim('o1')).toBe('500 cached');
  });

  it('nothing is converted: an order in another currency than the limit is held, and nobody waves it through', async () => {
    await report1({ currency: 'EUR' });
    await submit('o1', 5);
    expect(await holds()).toEqual(['o1 other_currency']);
    await expect(releaseHold(hub.db, hub.deps, (await holdOf('o1')).holdId, { by: 'eve' })).rejects.toThrow(
      /in GBP, the limit in EUR/,
    );
    await report1();
    expect(await follow()).toBe(1);
  });
});

describe('of a group', () => {
  beforeEach(async () => {
    await database.pool.query('update account set parent_id = $1 where account_id = any($2)', [
      account('A1'),
      [account('A2'), account('A3')],
    ]);
  });

  it('the limit of the one above counts for all that have none, together', async () => {
    await report1({ limitMinor: 1_000 });
    await report1({ account: 'A2', limitMinor: null, openOrdersMinor: 77 });
    await submit('o2', 6, 'A2');
    await submit('o3', 5, 'A3');
    expect(await holds()).toEqual(['o3 over_credit']);
    expect(await credit('A3')).toBe('0+0+600 of 1000');
    await report1({ account: 'A2', limitMinor: null, orders: ['api/o2'] });
    expect(await claim('o2')).toBe('600 live');
    await report1({ limitMinor: 1_000, openOrdersMinor: 100, orders: ['api/o2'] });
    expect(await claim('o2')).toBe('600 live, ended by report');
    expect(await follow()).toBe(1);
  });

  it('one with a limit of its own has that', async () => {
    await report1({ limitMinor: 0 });
    await report1({ account: 'A2', limitMinor: 500 });
    await submit('o2', 5, 'A2');
    expect(await holds()).toEqual([]);
    expect(await credit('A2')).toBe('0+0+500 of 500');
    expect(await credit('A1')).toBe('0+0+0 of 0');
  });

  it('of which the ERP reports each account by itself, what is reported below counts too, once', async () => {
    hub = await open({ groupReports: 'own' });
    await report1({ limitMinor: 10_000, openOrdersMinor: 1_000 });
    await report1({ account: 'A2', limitMinor: null, openOrdersMinor: 2_000, openInvoicesMinor: 500 });
    await report1({ account: 'A3', limitMinor: 100, openOrdersMinor: 77 });
    const exposed = async (code: string) => {
      const view = await readCredit(
        hub.db,
        hub.directory.credit,
        (await readPaths(hub.db, [account(code)])).get(account(code))!,
      );
      return `${view!.openOrdersMinor}+${view!.belowMinor}+${view!.claimedMinor}=${view!.exposureMinor} of ${view!.limitMinor}`;
    };
    // A3 has a limit of its own, so what it owes is not the group's.
    expect(await exposed('A2')).toBe('1000+2500+0=3500 of 10000');
    expect(await exposed('A3')).toBe('77+0+0=77 of 100');
    await submit('o1', 5, 'A1');
    await submit('o2', 50, 'A2');
    expect(await exposed('A1')).toBe('1000+2500+5500=9000 of 10000');
    await submit('o3', 11, 'A2');
    expect(await holds()).toEqual(['o3 over_credit']);
    // Shown by the report of its own account, and by that alone: there its amount is by then.
    await report1({ openOrdersMinor: 1_000, orders: ['api/o2'] });
    expect(await claim('o2')).toBe('5000 live');
    await report1({
      account: 'A2',
      limitMinor: null,
      openOrdersMinor: 7_000,
      openInvoicesMinor: 500,
      orders: ['api/o2'],
    });
    expect(await claim('o2')).toBe('5000 live, ended by report');
    expect(await exposed('A2')).toBe('1000+7500+500=9000 of 10000');
    // What one account of the group paid is free for all of it.
    await report1({ account: 'A2', limitMinor: null, openOrdersMinor: 7_000, openInvoicesMinor: 0 });
    expect(await follow()).toBe(1);
    expect(await exposed('A1')).toBe('1000+7000+1600=9600 of 10000');
    // Amounts of another currency can't be added, and so nobody knows what the group owes.
    await report1({ account: 'A2', limitMinor: null, currency: 'EUR', openOrdersMinor: 1 });
    await submit('o4', 1, 'A1');
    expect(await holds()).toEqual(['o4 other_currency']);
  });

  it('a report of one below and orders of others meet: no order is counted in neither', async () => {
    hub = await open({ groupReports: 'own' });
    await report1({ limitMinor: 1_000 });
    await submit('o2', 9, 'A2');
    const shows = report({ account: 'A2', limitMinor: null, openOrdersMinor: 900, orders: ['api/o2'] });
    const others = await Promise.all([open({ groupReports: 'own' }), open({ groupReports: 'own' })]);
    await Promise.all([
      hub.receive('erp', [shows]),
      ...Array.from({ length: 20 }, (_, i) => submit(`n${i}`, 1, 'A3', others[i % 2]!)),
    ]);
    expect(await holds()).toHaveLength(19);
    const view = await readCredit(hub.db, hub.directory.credit, [account('A1')]);
    expect(view!.exposureMinor).toBe(1_000);
  });

  it('what an account has that was merged into another counts for the other', async () => {
    await report1({ account: 'A2', limitMinor: 500 });
    await report1({ limitMinor: 1_000 });
    await submit('o2', 5, 'A2');
    await database.pool.query('update account set parent_id = null, merged_into = $1 where account_id = $2', [
      account('A1'),
      account('A2'),
    ]);
    expect(await credit('A1')).toBe('0+0+500 of 1000');
    await report1({ limitMinor: 1_000, openOrdersMinor: 500, orders: ['api/o2'] });
    expect(await credit('A1')).toBe('500+0+0 of 1000');
  });
});

describe('two at once', () => {
  it('the last credit goes to exactly one of two processes', async () => {
    await report1({ limitMinor: 1_000 });
    const one = new Database({ url: database.url, poolMax: 4 });
    const other = new Database({ url: database.url, poolMax: 4 });
    const [left, right] = [await open({}, one), await open({}, other)];
    await left.directory.loadAccounts([{ companyId: 1, code: own('A1') }]);
    // Both have decided before either commits, or the second waits for the first one's row: never both before it.
    let arrived = 0;
    let go = () => {};
    const met = new Promise<void>((resolve) => {
      go = resolve;
    });
    const barrier = async () => {
      if (++arrived === 2) go();
      await Promise.race([met, new Promise((resolve) => setTimeout(resolve, 300))]);
    };
    one.beforeCommit = barrier;
    other.beforeCommit = barrier;
    await Promise.all([submit('left', 7, 'A1', left), submit('right', 7, 'A1', right)]);
    expect(await holds()).toHaveLength(1);
    expect(await credit()).toBe('0+0+700 of 1000');
  });

  it('a hundred that ask at once get what there is, and no more', async () => {
    await report1({ limitMinor: 1_050 });
    const [left, right] = [await open({}), await open({})];
    await Promise.all(Array.from({ length: 100 }, (_, i) => submit(`n${i}`, 1, 'A1', i % 2 === 0 ? left : right)));
    expect(await credit()).toBe('0+0+1000 of 1050');
  });
});
