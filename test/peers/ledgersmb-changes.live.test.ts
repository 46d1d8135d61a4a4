/** Orders that change after a real LedgerSMB database has them, each test in a copy of its ledger. */
import pg from 'pg';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import type { InboundItem } from '../../src/canonical/index.ts';
import { type DatabaseProxy, databaseProxy } from '../../src/connectors/kit/conformance/index.ts';
import type { Connector, Outcome } from '../../src/connectors/kit/index.ts';
import { contextFor } from '../../src/connectors/kit/testing.ts';
import { ledgerSmb } from '../../src/connectors/ledgersmb/index.ts';
import { live } from './live.ts';

const signal = new AbortController().signal;
const limits = { callsPerSecond: 1_000, concurrency: 3, timeoutMs: 20_000, batchMax: null };
const settings = { company: 'US', location: 'DC-EAST', units: { ea: 1, doz: 12 }, writes: true, invoices: true };

live('Changes of orders in LedgerSMB', ['ledgersmb'], ({ ledgersmb }) => {
  const name = `changes_${process.pid}`;
  const urlOf = (database: string) =>
    Object.assign(new URL(String(ledgersmb.keys.url)), { pathname: `/${database}` }).href;
  const root = new pg.Pool({ connectionString: urlOf('postgres'), max: 1 });
  let pool: pg.Pool;
  let proxy: DatabaseProxy;
  const made: Connector[] = [];
  const ledger = (url = urlOf(name)): Connector => {
    const own = { ...settings, invoicesFrom: '2026-01-01' };
    const connector = ledgerSmb(
      contextFor(url, { system: 'ledger', channel: 'legacy', token: null, limits, settings: own }),
    );
    made.push(connector);
    return connector;
  };
  const query = async (text: string, values: unknown[] = []) => (await pool.query(text, values)).rows;

  beforeEach(async () => {
    await root.query(`drop database if exists ${name} with (force)`);
    await root.query(`create database ${name} template legacy_seed`);
    pool = new pg.Pool({ connectionString: urlOf(name), max: 2 });
    // Cut when the database is dropped.
    pool.on('error', () => {});
    await query(`update defaults set value = '0' where setting_key = 'separate_duties'`);
    proxy = await databaseProxy(urlOf(name));
  }, 120_000);
  afterEach(async () => {
    for (const connector of made.splice(0)) await connector.close();
    await proxy.close();
    await pool.end();
  });
  afterAll(async () => {
    await root.query(`drop database if exists ${name} with (force)`);
    await root.end();
  });

  type Item = { reference: string; payload: unknown };
  const write = async (by: Connector, kind: string, item: Item): Promise<Outcome> =>
    (await by.deliveries[kind]!.write([item], signal))[0]!;
  const order = (reference = 'shop/1', lineNos: readonly [number, number] = [1, 3]): Item => ({
    reference,
    payload: {
      ...{ reference, company: 'US', account: '100001', currency: 'USD', orderedAt: '2026-03-01T09:00:00.000Z' },
      totalMinor: 10_284,
      lines: [
        { lineNo: lineNos[0], sku: 'SKU0001', quantity: 12, unitPrice: '6.37', amountMinor: 7644 },
        { lineNo: lineNos[1], sku: 'SKU0006', quantity: 24, unitPrice: '1.10', amountMinor: 2640 },
      ],
    },
  });
  const added = { lineNo: 100_001, addsTo: 3, sku: 'SKU0006', quantity: 12, unitPrice: '1.10', amountMinor: 1320 };
  const fresh = { lineNo: 100_002, sku: 'SKU0002', quantity: 2, unitPrice: '3.50', amountMinor: 700 };
  const change = (reference: string, more: object = {}): Item => ({
    reference,
    payload: { reference, order: 'shop/1', totalMinor: 2020, lines: [added, fresh], ...more },
  });
  const document = (reference: string, of: [lineNo: number, quantity: number, amountMinor: number][]): Item => ({
    reference,
    payload: {
      ...{ reference, order: 'shop/1', location: 'DC-EAST', shippedAt: '2026-03-02T09:00:00.000Z' },
      lines: of.map(([lineNo, quantity, amountMinor]) => ({ lineNo, quantity, amountMinor })),
    },
  });
  /** The order as its screen would open it. */
  const there = async (reference = 'shop/1') => {
    const rows = await query(
      `select o.amount::text, o.netamount::text, o.closed, o.intnotes, p.partnumber, i.qty::int, i.unit, trim_scale(i.sellprice)::text as price,
              i.ship::int from oe o left join orderitems i on i.trans_id = o.id left join parts p on p.id = i.parts_id
        where split_part(o.intnotes, E'\\n', 1) = $1 order by i.id`,
      [`crossdock:${reference}`],
    );
    const { amount, netamount, closed, intnotes } = rows[0]!;
    return {
      ...{ amount, netamount, closed, notes: String(intnotes).split('\n').slice(1) },
      lines: rows.map((row) => [row.partnumber, row.qty, row.unit, row.price, row.ship].join(' ')),
    };
  };
  const lines = ['sku0001 12 ea 6.37 0', 'sku0006 2 doz 13.2 0'];
  const before = { amount: '102.84', netamount: '102.84', closed: false, notes: ['lines 1,3'], lines };
  const [unit, pieces] = ['ea', 2];
  const after = {
    ...{ amount: '123.04', netamount: '123.04', closed: false, notes: ['lines 1,3,100001,100002', 'added A/7/2'] },
    lines: [...lines, 'sku0006 1 doz 13.2 0', `sku0002 ${pieces} ${unit} 3.5 0`],
  };

  it('lines are added once, by whoever comes first, and its own search still finds the order', async () => {
    const [one, other] = [ledger(), ledger()];
    await write(one, 'sales_order', order());
    const outcomes = await Promise.all([one, other].map((by) => write(by, 'order_change', change('A/7/2'))));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['confirmed', 'confirmed']);
    expect(await write(one, 'order_change', change('A/7/2'))).toEqual(outcomes[0]);
    expect(await there()).toEqual(after);
    expect(await one.deliveries.order_change!.locate(['A/7/2', 'A/7/3'], signal)).toEqual(
      new Map([['A/7/2', (outcomes[0] as { answer: unknown }).answer]]),
    );
    const search = `select ordnumber, amount::text from order__search(1, null, null, $1, null, true, false, null, null, null, null, null, null)`;
    expect(await query(search, ['shop/1'])).toMatchObject([{ amount: expect.stringMatching(/^123\.04/) }]);
  });

  it('a connection that is cut before any of its statements leaves nothing; a lost commit is found', async () => {
    await write(ledger(), 'sales_order', order());
    const through = ledger(proxy.url);
    let statements = 0;
    for (let cut = 0; ; cut += 1) {
      proxy.restart();
      proxy.fate = (_text, n) => (n === cut ? 'cut_before' : 'pass');
      const outcome = await write(through, 'order_change', change('A/7/2'));
      if (outcome.outcome === 'confirmed') break;
      statements = cut + 1;
      const isCommit = proxy.statements.at(-1) === 'commit';
      expect([cut, outcome.outcome]).toEqual([cut, isCommit ? 'in_doubt' : 'later']);
      expect(await there()).toEqual(before);
    }
    // begin, lock, look, order, its lines, rules, parts, two lines, head, opened again, commit.
    expect(statements).toBe(12);
    expect(await there()).toEqual(after);
    proxy.fate = (text) => (text === 'commit' ? 'cut_after' : 'pass');
    const more = change('A/7/5', { totalMinor: 700, lines: [{ ...fresh, lineNo: 100_003 }] });
    expect(await write(through, 'order_change', more)).toMatchObject({ outcome: 'in_doubt' });
    proxy.fate = undefined;
    expect((await through.deliveries.order_change!.locate(['A/7/5'], signal)).size).toBe(1);
    expect(await write(through, 'order_change', more)).toMatchObject({ outcome: 'confirmed' });
    expect((await there()).notes).toEqual(['lines 1,3,100001,100002,100003', 'added A/7/2', 'added A/7/5']);
    expect((await there()).amount).toBe('130.04');
  }, 120_000);

  it('what was added is cancelled, shipped, invoiced and returned under its own number', async () => {
    const connector = ledger();
    const confirmed = async (kind: string, item: Item) =>
      expect(await write(connector, kind, item)).toMatchObject({ outcome: 'confirmed' });
    await confirmed('sales_order', order());
    await confirmed('order_change', change('A/7/2'));
    await confirmed(
      'order_cancellation',
      document('C/7/3', [
        [3, 12, 1320],
        [100_002, 1, 350],
      ]),
    );
    await confirmed('order_cancellation', document('C/7/4', [[100_002, 1, 350]]));
    expect(await there()).toEqual({
      ...{ amount: '102.84', netamount: '102.84', closed: false },
      notes: ['lines 1,3,100001', 'added A/7/2', 'cancelled C/7/3', 'cancelled C/7/4'],
      lines: ['sku0001 12 ea 6.37 0', 'sku0006 1 doz 13.2 0', 'sku0006 1 doz 13.2 0'],
    });
    await confirmed(
      'shipment_posting',
      document('wms/1', [
        [1, 12, 7644],
        [100_001, 12, 1320],
      ]),
    );
    await confirmed('return_posting', document('R/7/5', [[100_001, 12, 1320]]));
    await confirmed('shipment_posting', document('wms/2', [[3, 12, 1320]]));
    expect(await there()).toMatchObject({ closed: true });
    // Shipped whole it was closed by us; what is added opens it again.
    await confirmed('order_change', change('A/7/9', { totalMinor: 700, lines: [{ ...fresh, lineNo: 100_003 }] }));
    expect(await there()).toMatchObject({ closed: false, amount: '109.84' });
    const feed = connector.sources.find((source) => source.feed === 'invoices')!;
    const items: InboundItem[] = [];
    for (let cursor = ''; ; ) {
      const page = await feed.poll(cursor, signal);
      items.push(...page.items);
      cursor = page.cursor;
      if (page.drained) break;
    }
    const told = items.map(({ command }) => {
      const {
        document: kind,
        order: of,
        lines: parts,
      } = command as never as Record<string, unknown> & { lines: object[] };
      return [kind, of, ...parts.map((part) => Object.values(part).join(' '))];
    });
    expect(told).toEqual([
      ['invoice', 'shop/1', '1 12 7644', '100001 12 1320'],
      ['credit_note', 'shop/1', '100001 12 1320'],
      ['invoice', 'shop/1', '3 12 1320'],
    ]);
  });

  it.each<[string, string | null, object, string]>([
    ['an order that is not there', null, { order: 'shop/9' }, 'no order is shop/9'],
    ['one that was entered there', null, { order: 'legacy/THEIRS' }, 'was entered there'],
    [
      'one that a person closed',
      `update oe set closed = true where ponumber = 'shop/1'`,
      {},
      'was closed there before',
    ],
    [
      'a customer who has taxes by now',
      `insert into eca_tax select id, ar_ap_account_id from entity_credit_account where meta_number = '100001'`,
      {},
      'has taxes',
    ],
    ['a part nobody has', null, { lines: [{ ...added, sku: 'NONE' }] }, '0 parts have the number NONE'],
    [
      'half a dozen of what is kept in dozens',
      null,
      { lines: [{ ...added, quantity: 6 }] },
      'are no whole number of "doz"',
    ],
    ['a sum that the ledger would not make', null, { totalMinor: 2021 }, 'the ledger makes 12304 of what is 12305'],
    ['a line number that is taken', null, { lines: [{ ...added, lineNo: 3 }, fresh] }, 'has a line 3 already'],
    [
      'an order whose lines were changed there',
      `delete from orderitems where trans_id = (select id from oe where ponumber = 'shop/1') and qty = 2`,
      {},
      'was changed there: it has 1 lines, and 2 were written',
    ],
  ])('%s is refused, and nothing is changed', async (_what, spoil, more, error) => {
    const connector = ledger();
    await write(connector, 'sales_order', order());
    await query(`update oe set ordnumber = 'THEIRS' where id = (select min(id) from oe where intnotes is null)`);
    if (spoil !== null) await query(spoil);
    const was = await there();
    const outcome = await write(connector, 'order_change', change('A/7/2', more));
    expect(outcome).toMatchObject({ outcome: 'refused', error: expect.stringContaining(error) });
    expect(await there()).toEqual(was);
    expect((await connector.deliveries.order_change!.locate(['A/7/2'], signal)).size).toBe(0);
  });
});
