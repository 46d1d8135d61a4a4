/**
 * Invoices in a real LedgerSMB database: what the connector writes is compared, row by row, with what the application's own code makes of
 * the same, in a copy of the same ledger.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { InboundItem } from '../../src/canonical/index.ts';
import { type DatabaseProxy, databaseProxy } from '../../src/connectors/kit/conformance/index.ts';
import type { Connector, Outcome } from '../../src/connectors/kit/index.ts';
import { contextFor } from '../../src/connectors/kit/testing.ts';
import { ledgerSmb } from '../../src/connectors/ledgersmb/index.ts';
import { stateFolder } from './lib/manager.ts';
import { live } from './live.ts';

const signal = new AbortController().signal;
const limits = { callsPerSecond: 1_000, concurrency: 3, timeoutMs: 20_000, batchMax: null };
const settings = {
  company: 'US',
  location: 'DC-EAST',
  units: { ea: 1, doz: 12, hr: 1 },
  writes: true,
  invoices: true,
  charges: { late_fee: 'LATE-FEE' },
  invoicesFrom: '2026-01-01',
};

live('Invoices in LedgerSMB', ['ledgersmb'], ({ ledgersmb }) => {
  const serverUrl = String(ledgersmb.keys.url);
  const names = ['ours', 'theirs'].map((side) => `invoices_${side}_${process.pid}`) as [string, string];
  const urlOf = (name: string) => Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  const root = new pg.Pool({ connectionString: urlOf('postgres'), max: 1 });
  let pools: [pg.Pool, pg.Pool];
  let proxy: DatabaseProxy;
  const made: Connector[] = [];
  const ledger = (more: object = {}, url = urlOf(names[0])): Connector => {
    const context = { system: 'ledger', channel: 'legacy', token: null, limits, settings: { ...settings, ...more } };
    const connector = ledgerSmb(contextFor(url, context));
    made.push(connector);
    return connector;
  };
  const ours = async (text: string, values: unknown[] = []) => (await pools[0].query(text, values)).rows;
  const both = async (text: string) => {
    for (const pool of pools) await pool.query(text);
  };

  // A ledger with goods that were bought in two lots, and a service: sales have a cost then, and charges something to be.
  beforeEach(async () => {
    for (const name of names) {
      await root.query(`drop database if exists ${name} with (force)`);
      await root.query(`create database ${name} template legacy_seed`);
    }
    pools = names.map((name) => {
      const pool = new pg.Pool({ connectionString: urlOf(name), max: 2 });
      // Cut when the database is dropped.
      pool.on('error', () => {});
      return pool;
    }) as [pg.Pool, pg.Pool];
    await both(`
      insert into ap (invnumber, transdate, entity_credit_account, amount, netamount, curr, invoice, approved)
      select 'LOT-' || n, date '2026-01-01' + n, (select min(id) from entity_credit_account), 100, 100, 'USD', true, true
        from generate_series(1, 2) n;
      insert into invoice (trans_id, parts_id, qty, allocated, sellprice)
      select a.id, p.id, -10, 0, case a.invnumber when 'LOT-1' then 2.5 else 3.1 end from ap a, parts p where p.id in (1, 6);
      insert into parts (partnumber, description, unit, sellprice, income_accno_id, expense_accno_id)
      values ('LATE-FEE', 'Paid late', 'hr', 0, 15, 19)`);
    proxy = await databaseProxy(urlOf(names[0]));
  }, 120_000);
  afterEach(async () => {
    for (const connector of made.splice(0)) await connector.close();
    await proxy.close();
    for (const pool of pools) await pool.end();
  });
  beforeAll(async () => void (await root.query('select 1')));
  afterAll(async () => {
    for (const name of names) await root.query(`drop database if exists ${name} with (force)`);
    await root.end();
  });

  const duties = (value: '0' | '1') =>
    both(`update defaults set value = '${value}' where setting_key = 'separate_duties'`);
  const lines = [
    { lineNo: 1, sku: 'SKU0001', quantity: 12, unitPrice: '6.37', amountMinor: 7644 },
    { lineNo: 3, sku: 'SKU0006', quantity: 24, unitPrice: '1.10', amountMinor: 2640 },
  ];
  const salesOrder = {
    reference: 'shop/1',
    payload: {
      reference: 'shop/1',
      company: 'US',
      account: '100001',
      currency: 'USD',
      orderedAt: '2026-03-01T09:00:00.000Z',
      totalMinor: 10_284,
      lines,
    },
  };
  const document = (
    reference: string,
    of: [lineNo: number, quantity: number, amountMinor: number][],
    more: object = {},
  ) => ({
    reference,
    payload: {
      reference,
      order: 'shop/1',
      location: 'DC-EAST',
      shippedAt: '2026-03-02T09:00:00.000Z',
      lines: of.map(([lineNo, quantity, amountMinor]) => ({ lineNo, quantity, amountMinor })),
      ...more,
    },
  });
  const write = async (
    connector: Connector,
    kind: string,
    item: { reference: string; payload: unknown },
  ): Promise<Outcome> => (await connector.deliveries[kind]!.write([item], signal))[0]!;
  const confirmed = async (connector: Connector, kind: string, item: { reference: string; payload: unknown }) => {
    const outcome = await write(connector, kind, item);
    expect(outcome).toMatchObject({ outcome: 'confirmed' });
    return (outcome as { answer: { number: string; isDraft?: true } }).answer;
  };

  /** The application's own code, with what its screen would send. */
  async function postThere(form: Record<string, string>): Promise<string> {
    const share = join(stateFolder(), 'ledgersmb', 'root', 'usr', 'share', 'ledgersmb');
    expect(existsSync(share)).toBe(true);
    const { port } = new URL(serverUrl);
    const [row] = (await pools[1].query(`select id from entity_credit_account where meta_number = '100001'`)).rows;
    const fields = {
      ...{
        login: 'peer',
        customer: 'x',
        customer_id: String(row.id),
        currency: 'USD',
        defaultcurrency: 'USD',
        terms: '30',
      },
      ...{ AR: '1200--x', paidaccounts: '0', taxaccounts: '', ponumber: 'shop/1', crdate: form.transdate, ...form },
    };
    const { stdout } = await promisify(execFile)(
      'perl',
      [
        ...['-I', 'lib', '-I', 'old/lib', join(import.meta.dirname, 'ledgersmb', 'post-invoice.pl')],
        ...[`dbname=${names[1]};host=127.0.0.1;port=${port}`, JSON.stringify(fields)],
      ],
      { cwd: share, env: { ...process.env, LSMB_CONFIG_FILE: join(stateFolder(), 'ledgersmb', 'ledgersmb.conf') } },
    );
    return (JSON.parse(stdout) as { number: string }).number;
  }

  /** All that an invoice touches. What the hub keeps in the internal note is its own. */
  const books = (pool: pg.Pool) =>
    Promise.all(
      [
        `select id, invnumber, transdate::text, duedate::text, crdate::text, entity_credit_account, trim_scale(amount) as amount,
                trim_scale(netamount) as netamount, invoice, terms, taxincluded, curr, person_id, approved, reverse, is_return, ordnumber,
                ponumber, on_hand from (select *, on_hold as on_hand from ar) r order by id`,
        `select id, trans_id, parts_id, description, trim_scale(qty) as qty, trim_scale(allocated) as allocated,
                trim_scale(sellprice) as sellprice, precision, trim_scale(fxsellprice) as fxsellprice, discount, assemblyitem, unit,
                deliverydate from invoice order by id`,
        `select entry_id, trans_id, chart_id, trim_scale(amount) as amount, transdate::text, source, cleared, fx_transaction, memo,
                invoice_id, approved from acc_trans order by entry_id`,
        'select * from invoice_tax_form order by invoice_id',
        'select id, table_name, approved, approved_by from transactions order by id',
        'select id, trim_scale(onhand) as onhand from parts order by id',
        `select setting_key, value from defaults where setting_key <> 'sonumber' order by 1`,
        `select account_number, trim_scale(debits) as debits, trim_scale(credits) as credits, trim_scale(ending_balance) as balance
           from trial_balance__generate(null, null, null, null, 'none', null, null, false, true)`,
      ].map(async (text) => (await pool.query(text)).rows),
    );
  const sameBooks = async () => expect(await books(pools[0])).toEqual(await books(pools[1]));
  const balance = () =>
    ours(`select trans_id, sum(amount)::text as sum from acc_trans group by 1 having sum(amount) <> 0`);

  describe.each(['0', '1'] as const)('with separate duties %s', (separate) => {
    beforeEach(() => duties(separate));
    const first = {
      ...{ transdate: '2026-03-02', duedate: '2026-04-01', separate_duties: separate === '1' ? '1' : '' },
      ...{
        rowcount: '2',
        id_1: '1',
        description_1: 'ITEM 1 (safety)',
        unit_1: 'ea',
        discount_1: '0',
        precision_1: '2',
      },
      ...{ id_2: '6', description_2: 'ITEM 6 (electrical)', unit_2: 'doz', discount_2: '0', precision_2: '2' },
    };

    it('a shipment, a part of one, and what came back are posted as the application posts them, to the last row', async () => {
      const connector = ledger();
      const { number: ordnumber } = await confirmed(connector, 'sales_order', salesOrder);
      // 12 of the first lot and 2 of the second; a share of the amount that no price in cents makes.
      const shipped = await confirmed(
        connector,
        'shipment_posting',
        document('wms/1', [
          [1, 12, 7644],
          [3, 12, 1320],
        ]),
      );
      const part = await confirmed(connector, 'shipment_posting', document('wms/2', [[3, 12, 1321]]));
      const back = await confirmed(connector, 'return_posting', document('R/1/5', [[1, 3, 1000]]));
      const numbers = [
        await postThere({ ...first, ordnumber, qty_1: '12', sellprice_1: '6.37', qty_2: '1', sellprice_2: '13.2' }),
        await postThere({
          ...{ ...first, ordnumber, rowcount: '1', id_1: '6', qty_1: '1', sellprice_1: '13.21', unit_1: 'doz' },
          description_1: 'ITEM 6 (electrical)',
        }),
        await postThere({
          ...{
            ...first,
            ordnumber,
            rowcount: '1',
            qty_1: '3',
            sellprice_1: '3.333333',
            precision_1: '6',
            reverse: '1',
          },
        }),
      ];
      expect([shipped, part, back].map(({ number }) => number)).toEqual(numbers);
      expect([shipped, part, back].map(({ isDraft }) => isDraft === true)).toEqual(Array(3).fill(separate === '1'));
      await sameBooks();
      if (separate === '1') {
        for (const pool of pools)
          for (const number of numbers)
            await pool.query('select draft_approve(id) from ar where invnumber = $1', [number]);
        await both('update transactions set approved_by = null, approved_at = null');
        await sameBooks();
      }
      expect(await balance()).toEqual([]);
    }, 120_000);
  });

  describe('once, whatever happens', () => {
    beforeEach(() => duties('0'));
    const shipment = document('wms/1', [
      [1, 12, 7644],
      [3, 12, 1320],
    ]);
    const count = async () =>
      (
        await ours(`select (select count(*) from ar)::int as invoices, (select count(*) from acc_trans)::int as rows,
                          (select trim_scale(onhand)::int from parts where id = 1) as on_hand,
                          (select value from defaults where setting_key = 'sinumber') as number`)
      )[0];
    const posted = { invoices: 1, rows: 10, on_hand: 39, number: '2' };
    const nothing = { invoices: 0, rows: 0, on_hand: 51, number: '1' };

    it('a connection that is cut before any of its statements leaves nothing, and it is for later', async () => {
      await confirmed(ledger(), 'sales_order', salesOrder);
      const through = ledger({}, proxy.url);
      let statements = 0;
      for (let cut = 0; ; cut++) {
        proxy.restart();
        proxy.fate = (_text, n) => (n === cut ? 'cut_before' : 'pass');
        const outcome = await write(through, 'shipment_posting', shipment);
        if (outcome.outcome === 'confirmed') break;
        statements = cut + 1;
        expect([cut, await count()]).toEqual([cut, nothing]);
        // The last of them is the commit: it never came, but nobody here can know.
        const isCommit = proxy.statements.at(-1) === 'commit';
        expect([cut, outcome.outcome]).toEqual([cut, isCommit ? 'in_doubt' : 'later']);
        expect(await through.deliveries.shipment_posting!.locate(['wms/1'], signal)).toEqual(new Map());
      }
      // begin, lock, look, rules, order, its lines, number, head, ids, lines, forms, amounts, parts twice, cost, shipped twice, commit.
      expect(statements).toBe(18);
      expect(await count()).toEqual(posted);
    }, 120_000);

    it('a commit whose answer is lost is in doubt, and found; written again it is the same invoice', async () => {
      await confirmed(ledger(), 'sales_order', salesOrder);
      const through = ledger({}, proxy.url);
      proxy.fate = (text) => (text === 'commit' ? 'cut_after' : 'pass');
      expect(await write(through, 'shipment_posting', shipment)).toMatchObject({ outcome: 'in_doubt' });
      proxy.fate = undefined;
      const found = new Map([['wms/1', { number: '2' }]]);
      expect(await through.deliveries.shipment_posting!.locate(['wms/1', 'wms/2'], signal)).toEqual(found);
      expect(await confirmed(through, 'shipment_posting', shipment)).toEqual({ number: '2' });
      expect(await count()).toEqual(posted);
    });

    it('two hubs at once make one invoice; two shipments of one order make two', async () => {
      await confirmed(ledger(), 'sales_order', salesOrder);
      const sides = [ledger(), ledger()];
      const outcomes = await Promise.all([
        ...sides.map((side) => write(side, 'shipment_posting', shipment)),
        write(sides[1]!, 'shipment_posting', document('wms/2', [[3, 12, 1320]])),
      ]);
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(3).fill('confirmed'));
      expect((await count())!.invoices).toBe(2);
      // Both are on the order, which is done with that.
      const rows = await ours(`select o.closed, i.ship::int as ship from oe o join orderitems i on i.trans_id = o.id
                                where o.intnotes like 'crossdock:shop/1%' order by i.id`);
      expect(rows).toEqual([
        { closed: true, ship: 12 },
        { closed: true, ship: 2 },
      ]);
      expect(await balance()).toEqual([]);
    });

    const { payload } = shipment;
    it.each<[string, string, string | null, object, string]>([
      [
        'a day in a closed period',
        'shipment_posting',
        `insert into account_checkpoint (end_date, account_id, amount) values ('2026-03-02', 3, 0)`,
        payload,
        '2026-03-02 is in a closed period (until 2026-03-02)',
      ],
      [
        'a customer with taxes',
        'shipment_posting',
        'insert into eca_tax select id, ar_ap_account_id from entity_credit_account',
        payload,
        'customer 100001 has taxes',
      ],
      ['an order nobody wrote', 'shipment_posting', null, { ...payload, order: 'shop/9' }, 'no order is shop/9'],
      [
        'a line that the order lacks',
        'shipment_posting',
        null,
        { ...payload, lines: [{ lineNo: 2, quantity: 1, amountMinor: 1 }] },
        'the order has no line 2',
      ],
      [
        'half a dozen of what is kept in dozens',
        'shipment_posting',
        null,
        { ...payload, lines: [{ lineNo: 3, quantity: 6, amountMinor: 660 }] },
        'no whole number of "doz"',
      ],
      [
        'an order that was changed there',
        'shipment_posting',
        'delete from orderitems where parts_id = 6',
        payload,
        'was changed there: it has 1 lines, and 2 were written',
      ],
      [
        'a part without an account for its income',
        'shipment_posting',
        'update parts set income_accno_id = null where id = 1',
        payload,
        'part sku0001 has no account for its income',
      ],
      [
        'numbers without gaps',
        'shipment_posting',
        `insert into defaults values ('gapless_ar', '1')`,
        payload,
        'numbers of invoices have no gaps',
      ],
      [
        'numbers with a template',
        'shipment_posting',
        `update defaults set value = 'I<?lsmb DATE ?>1' where setting_key = 'sinumber'`,
        payload,
        'numbers of invoices have a template',
      ],
      [
        'more cancelled than is left',
        'order_cancellation',
        'update orderitems set ship = 10 where parts_id = 1',
        { ...payload, lines: [{ lineNo: 1, quantity: 3, amountMinor: 1911 }] },
        'line 1 has 2 left, and 3 are to be cancelled',
      ],
      [
        'a cancel of another amount',
        'order_cancellation',
        null,
        { ...payload, lines: [{ lineNo: 1, quantity: 3, amountMinor: 1910 }] },
        'the ledger makes 8373 of what is left, which is 8374 here',
      ],
    ])('%s is refused, and nothing is left of it', async (_, kind, before, changed, error) => {
      const connector = ledger();
      await confirmed(connector, 'sales_order', salesOrder);
      if (before !== null) await ours(before);
      const state = await books(pools[0]);
      const orders = await ours('select * from oe order by id');
      const outcome = await write(connector, kind, { reference: 'x/1', payload: { ...changed, reference: 'x/1' } });
      expect(outcome).toMatchObject({ outcome: 'refused', error: expect.stringContaining(error) });
      expect(await books(pools[0])).toEqual(state);
      expect(await ours('select * from oe order by id')).toEqual(orders);
    });

    it('a poison document among good ones is refused alone', async () => {
      const connector = ledger();
      await confirmed(connector, 'sales_order', salesOrder);
      const outcomes = await connector.deliveries.shipment_posting!.write(
        [document('wms/1', [[1, 6, 3822]]), document('wms/2', [[2, 1, 1]]), document('wms/3', [[1, 6, 3822]])],
        signal,
      );
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['confirmed', 'refused', 'confirmed']);
      // More left than was there: the ledger lets that be, and the stock feed parks what is below nothing.
      expect((await count())!.on_hand).toBe(39);
    });
  });

  it('a cancellation lowers the order as its screen would, once, and what is left closes with its shipment', async () => {
    await duties('0');
    const connector = ledger();
    await confirmed(connector, 'sales_order', salesOrder);
    const cancel = document('C/7/3', [
      [1, 12, 7644],
      [3, 12, 1320],
    ]);
    const { number } = await confirmed(connector, 'order_cancellation', cancel);
    expect(await confirmed(ledger(), 'order_cancellation', cancel)).toEqual({ number });
    expect(await connector.deliveries.order_cancellation!.locate(['C/7/3', 'C/7/4'], signal)).toEqual(
      new Map([['C/7/3', { number }]]),
    );
    const order = () =>
      ours(`select o.amount::text, o.closed, o.intnotes, i.qty::int as qty, i.unit from oe o
                                join orderitems i on i.trans_id = o.id where o.intnotes like 'crossdock:%'`);
    const left = { amount: '13.20', intnotes: 'crossdock:shop/1\nlines 3\ncancelled C/7/3', qty: 1, unit: 'doz' };
    expect(await order()).toEqual([{ ...left, closed: false }]);
    // It is still the order that it was, under the number that its line has here.
    expect(await connector.deliveries.sales_order!.locate(['shop/1'], signal)).toEqual(
      new Map([['shop/1', { number }]]),
    );
    await confirmed(connector, 'shipment_posting', document('wms/1', [[3, 12, 1320]]));
    expect(await order()).toEqual([{ ...left, closed: true }]);
  });

  it('a charge is an invoice of a service; one that gives back is reversed; others are refused', async () => {
    await duties('0');
    const connector = ledger();
    const charge = (reference: string, amountMinor: number, more: object = {}) => ({
      reference,
      payload: {
        ...{ reference, kind: 'fee', account: '100001', code: 'late_fee', quantity: 3, amountMinor, currency: 'USD' },
        ...{ at: '2026-03-05T00:00:00.000Z', ...more },
      },
    });
    await confirmed(connector, 'charge', charge('fee/1', 1000));
    await confirmed(connector, 'charge', charge('fee/1', 1000));
    await confirmed(connector, 'charge', charge('fee/2', -250));
    const rows =
      await ours(`select r.amount::text, coalesce(r.reverse, false) as reverse, i.qty::int as qty, count(t.*)::int as rows,
                                    (select sum(amount) from acc_trans x where x.trans_id = r.id)::text as sum
                               from ar r join invoice i on i.trans_id = r.id join acc_trans t on t.trans_id = r.id
                              group by r.id, i.id order by r.id`);
    expect(rows).toEqual([
      { amount: '10.00', reverse: false, qty: 3, rows: 4, sum: '0.00' },
      { amount: '-2.50', reverse: true, qty: -3, rows: 4, sum: '0.00' },
    ]);
    const refused = async (more: object) =>
      (await write(connector, 'charge', charge('fee/3', 100, more))) as { error: string };
    expect((await refused({ code: 'toll' })).error).toContain('nobody mapped the charge toll');
    expect((await refused({ account: '999' })).error).toContain('no customer has the number 999');
    const goods = ledger({ charges: { late_fee: 'sku0001' } });
    expect(await write(goods, 'charge', charge('fee/4', 100))).toMatchObject({
      outcome: 'refused',
      error: expect.stringContaining('is goods'),
    });
    // Of no order, so nobody is told.
    expect(await told(connector)).toEqual([]);
  });

  /** What the feed tells, shortly. */
  async function told(connector: Connector): Promise<unknown[]> {
    const source = connector.sources.find(({ feed }) => feed === 'invoices')!;
    const { items } = await source.poll('', signal);
    return items.map(({ scope, key, command, unreadable }: InboundItem) => {
      if (unreadable !== undefined) return [key, unreadable.reason];
      const { order, totalMinor, lines: of } = command as { order: string; totalMinor: number; lines: object[] };
      return [scope, key, order, totalMinor, of.map((line) => Object.values(line).join('/'))];
    });
  }

  it('posted invoices are told with their lines: those of the hub, and those that were made there for its orders', async () => {
    await duties('1');
    const connector = ledger();
    const { number } = await confirmed(connector, 'sales_order', salesOrder);
    await confirmed(
      connector,
      'shipment_posting',
      document('wms/1', [
        [1, 12, 7644],
        [3, 12, 1320],
      ]),
    );
    await confirmed(connector, 'return_posting', document('R/1/5', [[3, 12, 1320]]));
    // A draft is no news.
    expect(await told(connector)).toEqual([]);
    await ours('select draft_approve(id) from ar where invoice');
    await ours(`
      with r as (insert into ar (invnumber, transdate, entity_credit_account, amount, netamount, curr, invoice, approved, ordnumber)
        select n, '2026-03-04', (select min(id) from entity_credit_account), 6.37, 6.37, c, true, true, o
          from (values ('BY-HAND', 'USD', '${number}'), ('EUROS', 'EUR', '${number}'), ('TWICE', 'USD', 'SO000003'),
                       ('NO-LINE', 'USD', '${number}'), ('NO-ORDER', 'USD', null)) as t (n, c, o) returning id, invnumber)
      insert into invoice (trans_id, parts_id, qty, allocated, sellprice, unit)
      select id, case invnumber when 'NO-LINE' then 2 else 1 end, 1, 0, 6.37, 'ea' from r`);
    await ours(`insert into oe (ordnumber, entity_credit_account, oe_class_id)
                select 'SO000003', min(id), 1 from entity_credit_account`);
    const scope = 'document/ledger';
    expect(await told(connector)).toEqual([
      [scope, 'invoice/2', 'shop/1', 8964, ['1/12/7644', '3/12/1320']],
      [scope, 'credit_note/3', 'shop/1', 1320, ['3/12/1320']],
      [scope, 'invoice/BY-HAND', 'shop/1', 637, ['1/1/637']],
      ['invoice/EUROS', 'is at a rate, which only the application knows'],
      ['invoice/TWICE', 'is the number of 2 orders'],
      ['invoice/NO-LINE', 'stands on no line of the order'],
    ]);
  });

  it('an order that was entered there is invoiced by its number, and stays open there: nobody is told again of its rest', async () => {
    await duties('0');
    const connector = ledger();
    const feed = connector.sources.find((source) => source.feed === 'orders')!;
    const { items, cursor } = await feed.poll('', signal);
    const order = items[0]!.command as unknown as {
      externalNo: string;
      lines: { lineNo: number; quantity: number; unitPrice: string }[];
    };
    const [line] = order.lines as [(typeof order.lines)[number]];
    const amount = Math.round(Number(line.unitPrice) * line.quantity * 100);
    const item = document('wms/1', [[line.lineNo, line.quantity, amount]], { order: `legacy/${order.externalNo}` });
    await confirmed(connector, 'shipment_posting', item);
    expect((await feed.poll(cursor, signal)).items).toEqual([]);
    expect(await told(connector)).toEqual([
      [
        'document/ledger',
        'invoice/2',
        `legacy/${order.externalNo}`,
        amount,
        [`${line.lineNo}/${line.quantity}/${amount}`],
      ],
    ]);
    const cancel = document('C/1/2', [[line.lineNo, 1, 1]], { order: `legacy/${order.externalNo}` });
    expect(await write(connector, 'order_cancellation', cancel)).toMatchObject({
      outcome: 'refused',
      error: expect.stringContaining('was entered there'),
    });
  });
});
