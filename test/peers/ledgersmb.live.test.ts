/** Against a real LedgerSMB database. What it writes it takes out again. */
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { InboundItem } from '../../src/canonical/index.ts';
import { type Connector, type SalesOrderPayload, type Source, sqlClientFor } from '../../src/connectors/kit/index.ts';
import { contextFor } from '../../src/connectors/kit/testing.ts';
import { ledgerSmb, ledgerSnapshot } from '../../src/connectors/ledgersmb/index.ts';
import { live } from './live.ts';

live('LedgerSMB', ['ledgersmb'], ({ ledgersmb }) => {
  const at = (user: string) => {
    const url = new URL(String(ledgersmb.keys.url));
    [url.username, url.password] = user.split(':') as [string, string];
    return url.href;
  };
  const admin = new pg.Pool({ connectionString: at('peer:peer'), max: 2 });
  const signal = new AbortController().signal;
  const settings = { company: 'US', location: 'DC-EAST', units: { ea: 1, doz: 12 } };
  const limits = { callsPerSecond: 1_000, concurrency: 3, timeoutMs: 5_000, batchMax: null };
  const made: Connector[] = [];
  const ledger = (user: string, more: object = {}): Connector => {
    const context = contextFor(at(user), {
      system: 'legacy',
      channel: 'legacy',
      token: null,
      limits,
      settings: { ...settings, ...more },
    });
    const connector = ledgerSmb(context);
    made.push(connector);
    return connector;
  };
  const run = `t${process.pid}`;
  const clean = () =>
    admin.query(
      `with gone as (delete from oe where intnotes like 'crossdock:${run}/%' returning id) delete from orderitems where trans_id in (select id from gone)`,
    );
  beforeAll(clean);
  afterAll(async () => {
    await clean();
    for (const connector of made) await connector.close();
    await admin.end();
  });
  async function drain(source: Source, cursor = ''): Promise<{ items: InboundItem[]; cursor: string }> {
    const items: InboundItem[] = [];
    for (;;) {
      const page = await source.poll(cursor, signal);
      ({ cursor } = page);
      items.push(...page.items);
      if (page.drained) return { items, cursor };
    }
  }

  it('master data: 140 parts, 60 accounts, 0 is no limit, duplicates by tax id', async () => {
    const client = sqlClientFor(contextFor(at('hub:hub-pw'), { system: 'legacy', token: null, limits }), true);
    const { products, accounts } = await ledgerSnapshot(client, settings, signal);
    await client.close();
    expect([products.length, accounts.length]).toEqual([140, 60]);
    expect(products.filter(({ isObsolete }) => isObsolete)).toHaveLength(14);
    expect(products.filter(({ pieces }) => pieces === 12)).toHaveLength(23);
    expect(accounts.find(({ account }) => account === '100007')).toMatchObject({
      creditLimitMinor: null,
      currency: 'USD',
    });
    expect(accounts.find(({ account }) => account === '100005')).toMatchObject({ creditLimitMinor: 50_000 });
    expect(accounts.find(({ account }) => account === '100013')).toMatchObject({ name: 'Customer 013 LLC' });
    expect(accounts.find(({ account }) => account === '100011')).toMatchObject({ sameTaxId: ['100010'] });
    expect(accounts.filter(({ endedOn }) => endedOn !== null).map(({ account }) => account)).toEqual([
      '100017',
      '100034',
      '100051',
    ]);
  });

  it('products, prices and accounts are told once', async () => {
    const { sources } = ledger('hub:hub-pw');
    const [products, accounts] = [await drain(sources[0]!), await drain(sources[1]!)];
    const kinds = (items: InboundItem[]) => {
      const counts: Record<string, number> = {};
      for (const { command } of items) counts[command?.kind ?? 'parked'] = (counts[command?.kind ?? 'parked'] ?? 0) + 1;
      return counts;
    };
    const priced = kinds(products.items);
    expect(priced['product.changed']).toBe(126);
    expect(priced['price.changed']! + (priced.parked ?? 0)).toBe(126);
    expect(kinds(accounts.items)).toEqual({ 'account.changed': 60 });
    expect((await drain(sources[0]!, products.cursor)).items).toEqual([]);
  });

  it('stock in pieces; numbers below 0 are parked; a second look tells only what changed', async () => {
    const source = ledger('hub:hub-pw').sources.find(({ feed }) => feed === 'stock')!;
    const { items, cursor } = await drain(source);
    const { rows } =
      await admin.query(`select count(*) filter (where onhand >= 0)::int as good, count(*) filter (where onhand < 0)::int as bad,
        sum(onhand * case unit when 'doz' then 12 else 1 end) filter (where onhand >= 0)::int as pieces from parts where not obsolete`);
    const good = items.filter(({ unreadable }) => unreadable === undefined);
    const pieces = good.reduce((sum, { command }) => sum + (command as { quantity: number }).quantity, 0);
    expect({ good: good.length, bad: items.length - good.length, pieces }).toEqual(rows[0]);
    await admin.query(`update parts set onhand = onhand + 1 where partnumber = 'sku0006'`);
    const second = await drain(ledger('hub:hub-pw').sources.find(({ feed }) => feed === 'stock')!, cursor);
    await admin.query(`update parts set onhand = onhand - 1 where partnumber = 'sku0006'`);
    expect(second.items.map(({ key }) => key.replace(/ \d+$/, ''))).toEqual(['SKU0006@DC-EAST']);
    expect(
      (await drain(ledger('hub:hub-pw').sources.find(({ feed }) => feed === 'stock')!, second.cursor)).items,
    ).toHaveLength(1);
  });

  it('open orders with what is still to be shipped, to the cent', async () => {
    const { items } = await drain(ledger('hub:hub-pw').sources.find(({ feed }) => feed === 'orders')!);
    expect(items.filter(({ unreadable }) => unreadable !== undefined)).toEqual([]);
    const { rows } = await admin.query(`select count(distinct o.id)::int as orders, count(*)::int as lines,
        sum((i.qty - i.ship) * case i.unit when 'doz' then 12 else 1 end)::int as pieces
        from oe o join orderitems i on i.trans_id = o.id where not o.closed and i.qty > i.ship and o.intnotes is null`);
    const lines = items.flatMap(({ command }) => (command as unknown as { lines: { quantity: number }[] }).lines);
    expect({
      orders: items.length,
      lines: lines.length,
      pieces: lines.reduce((sum, { quantity }) => sum + quantity, 0),
    }).toEqual(rows[0]);
  });

  const order = (
    no: string,
    more: Partial<SalesOrderPayload> = {},
  ): { reference: string; payload: SalesOrderPayload } => {
    const lines = [
      { lineNo: 1, sku: 'SKU0001', quantity: 3, unitPrice: '6.37', amountMinor: 1911 },
      { lineNo: 2, sku: 'SKU0006', quantity: 24, unitPrice: '1.10', amountMinor: 2640 },
    ];
    const payload = {
      company: 'US',
      account: '100001',
      currency: 'USD',
      orderedAt: '2026-03-01T09:00:00.000Z',
      totalMinor: 4551,
      lines,
      ...more,
    };
    return { reference: `${run}/${no}`, payload: { reference: `${run}/${no}`, ...payload } };
  };

  it('an order is written once, by whoever comes first, in their units, and is no news to us', async () => {
    const [one, other] = [ledger('peer:peer', { writes: true }), ledger('peer:peer', { writes: true })];
    const feed = one.sources.find((source) => source.feed === 'orders')!;
    const { cursor } = await drain(feed);
    const outcomes = (
      await Promise.all([one, other].map((side) => side.deliveries.sales_order!.write([order('1')], signal)))
    ).flat();
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['confirmed', 'confirmed']);
    const numbers = outcomes.map((outcome) => (outcome as { answer: { number: string } }).answer.number);
    expect(numbers[0]).toBe(numbers[1]);
    const { rows } = await admin.query(
      `select o.ordnumber, o.amount::text, o.netamount::text, o.closed, o.ponumber, i.qty::int, i.unit, trim_scale(i.sellprice)::text as price, i.ship::int
         from oe o join orderitems i on i.trans_id = o.id where o.intnotes = $1 order by i.id`,
      [`crossdock:${run}/1\nlines 1,2`],
    );
    const head = {
      ordnumber: numbers[0],
      amount: '45.51',
      netamount: '45.51',
      closed: false,
      ponumber: `${run}/1`,
      ship: 0,
    };
    expect(rows).toEqual([
      { ...head, qty: 3, unit: 'ea', price: '6.37' },
      { ...head, qty: 2, unit: 'doz', price: '13.2' },
    ]);
    // The application's own search finds it as an open order.
    const search = await admin.query(
      `select ordnumber from order__search(1, null, null, $1, null, true, false, null, null, null, null, null, null)`,
      [`${run}/1`],
    );
    expect(search.rows.map((row) => row.ordnumber)).toEqual([numbers[0]]);
    expect((await drain(feed, cursor)).items).toEqual([]);
    expect(await one.deliveries.sales_order!.locate([`${run}/1`, `${run}/9`], signal)).toEqual(
      new Map([[`${run}/1`, { number: numbers[0] }]]),
    );
  });

  const line = order('x').payload.lines[0]!;
  it.each([
    ['a currency that needs a rate', { currency: 'EUR' }, 'EUR needs an exchange rate to USD'],
    ['a customer nobody has', { account: '999999' }, 'no customer has the number 999999'],
    ['a customer who left', { account: '100017' }, 'customer 100017 is not active'],
    [
      'half a dozen of what is kept in dozens',
      { lines: [{ ...line, sku: 'SKU0006', quantity: 6 }] },
      'are no whole number of "doz"',
    ],
    ['an obsolete part', { lines: [{ ...line, sku: 'SKU0010-OLD' }] }, 'is obsolete'],
    ['a part nobody has', { lines: [{ ...line, sku: 'NONE' }] }, '0 parts have the number NONE'],
    ['a total that the ledger would not make', { totalMinor: 4552 }, 'the ledger makes 4551 of what is 4552 here'],
  ])('%s is refused, and neither order nor number is used up', async (_, more, error) => {
    const before = await admin.query(
      `select value, (select count(*) from oe)::int as n from defaults where setting_key = 'sonumber'`,
    );
    const [outcome] = await ledger('peer:peer', { writes: true }).deliveries.sales_order!.write(
      [order('no', more as never)],
      signal,
    );
    expect(outcome).toMatchObject({ outcome: 'refused', error: expect.stringContaining(error) });
    const after = await admin.query(
      `select value, (select count(*) from oe)::int as n from defaults where setting_key = 'sonumber'`,
    );
    expect(after.rows).toEqual(before.rows);
  });

  it('a customer with taxes is refused: only the application calculates them', async () => {
    await admin
      .query(`insert into eca_tax select id, ar_ap_account_id from entity_credit_account where meta_number = '100002'`)
      .catch(() => {});
    const { rows } = await admin.query(
      `select 1 from eca_tax t join entity_credit_account a on a.id = t.eca_id where a.meta_number = '100002'`,
    );
    const [outcome] = await ledger('peer:peer', { writes: true }).deliveries.sales_order!.write(
      [order('2', { account: '100002' })],
      signal,
    );
    await admin.query(
      `delete from eca_tax where eca_id = (select id from entity_credit_account where meta_number = '100002')`,
    );
    expect(rows).toHaveLength(1);
    expect(outcome).toMatchObject({ outcome: 'refused', error: expect.stringContaining('has taxes') });
  });

  it('without leave to write it has no deliveries, and the probe says what it is', async () => {
    const reading = ledger('hub:hub-pw');
    expect(reading.deliveries).toEqual({});
    expect(await reading.probe(signal)).toEqual({ ok: true, detail: 'LedgerSMB 1.6.33' });
  });
});
