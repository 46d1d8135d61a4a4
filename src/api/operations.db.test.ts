import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { STATUS_MS_MIN } from './status.ts';
import { useApi } from './testing/hub.ts';

const api = useApi();
const keyed = { 'idempotency-key': 'k' };

function orderOf(externalNo: string, quantity = 2) {
  return {
    company: 'UK',
    channel: 'api',
    externalNo,
    account: '17850',
    currency: 'GBP',
    orderedAt: '2026-02-03T10:00:00Z',
    lines: [{ lineNo: 1, sku: '85123A', quantity, unitPrice: '10.05' }],
  };
}

describe('records', () => {
  it('products and accounts come back by page', async () => {
    const first = (await api.call('GET', '/v1/products?limit=1')).json();
    expect(first.products).toMatchObject([{ sku: '71053', unit: 'each' }]);
    const second = (await api.call('GET', `/v1/products?limit=1&cursor=${first.nextCursor}`)).json();
    expect([second.products[0].sku, second.nextCursor]).toEqual(['85123A', null]);
    expect((await api.call('GET', '/v1/products?sku=85123a')).json().products).toHaveLength(1);
    expect((await api.call('GET', '/v1/accounts?company=UK')).json().accounts).toMatchObject([
      { account: '17850', company: 'UK', currency: 'GBP', creditLimit: null },
    ]);
    expect((await api.call('GET', '/v1/shipments?channel=api')).json()).toEqual({ shipments: [], nextCursor: null });
    expect((await api.call('GET', '/v1/invoices?order=1')).json()).toEqual({ invoices: [], nextCursor: null });
  });

  it('shipments and invoices name their order', async () => {
    const { orderId } = (await api.order(orderOf('D1'))).json();
    const { db } = api.hub;
    await db.execute(
      `insert into shipment (shipment_no, source, order_id, fulfilment_id, lines, shipped_at, order_version)
       values ('S-1', 'wms', $1, 7, '[{"lineNo":1,"quantity":2}]', now(), 2), ('S-1', 'wms-2', $1, 8, '[]', now(), 3)`,
      [orderId],
    );
    await db.execute(
      `insert into invoice (invoice_no, kind, source, order_id, currency, total_minor, lines, posted_at, order_version)
       values ('I-1', 'invoice', 'erp', $1, 'GBP', 2010, '[]', now(), 4), ('I-1', 'credit_note', 'erp', $1, 'GBP', 5, '[]', now(), 5),
              ('I-1', 'invoice', 'erp-2', $1, 'GBP', 7, '[]', now(), 6)`,
      [orderId],
    );
    const pages = async (list: 'shipments' | 'invoices') => {
      const rows: Record<string, unknown>[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page: { nextCursor: string | null; [list: string]: unknown } = (
          await api.call('GET', `/v1/${list}?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`)
        ).json();
        rows.push(...(page[list] as Record<string, unknown>[]));
        cursor = page.nextCursor;
      }
      return rows;
    };
    expect(await pages('shipments')).toMatchObject([
      { shipment: 'S-1', source: 'wms', order: 'api/D1', fulfilment: 'F7', lines: [{ lineNo: 1, quantity: 2 }] },
      { shipment: 'S-1', source: 'wms-2', fulfilment: 'F8' },
    ]);
    expect(await pages('invoices')).toMatchObject([
      { kind: 'credit_note', source: 'erp', total: '0.05' },
      { kind: 'invoice', source: 'erp', total: '20.10' },
      { kind: 'invoice', source: 'erp-2', total: '0.07' },
    ]);
  });

  it('the newest price at or before the day asked wins', async () => {
    const price = { sku: '85123A', currency: 'GBP', unitPrice: '2.55' };
    await api.call('POST', '/v1/prices', {
      prices: [price, { ...price, unitPrice: '3.105', validFrom: '2026-02-01' }],
    });
    const at = async (query: string) => (await api.call('GET', `/v1/prices?sku=85123A&${query}`)).json();
    const named = { list: 'base', contract: null, account: null };
    const found = { unitPrice: '2.55', pricePer: 1, currency: 'GBP', quantityMin: 1, validFrom: null, validTo: null };
    expect((await at('date=2026-01-31&quantity=3')).items).toEqual([
      {
        ...{ sku: '85123A', quantity: 3, unit: 'each', source: 'base', next: null, amount: '7.65', amountMinor: 765 },
        ...named,
        ...found,
        reasons: [{ source: 'base', why: 'used', ...named, ...found }],
      },
    ]);
    expect((await at('date=2026-02-01&quantity=3')).items).toMatchObject([
      { unitPrice: '3.105', validFrom: '2026-02-01', amount: '9.32' },
    ]);
    expect(await at('account=17850&date=2026-02-01')).toMatchObject({
      company: 'UK',
      account: '17850',
      currency: 'GBP',
    });
    expect((await at('currency=EUR')).items).toMatchObject([{ unitPrice: null, amount: null }]);
  });

  it('of prices by quantity the highest that the quantity reaches', async () => {
    const price = { sku: '85123A', currency: 'GBP', priceList: 'trade' };
    await api.call('POST', '/v1/prices', {
      prices: [
        { ...price, unitPrice: '2.00' },
        { ...price, unitPrice: '1.50', quantityMin: 24 },
        { ...price, unitPrice: '1.00', quantityMin: 100_000 },
      ],
    });
    const of = async (quantity: number) =>
      (await api.call('GET', `/v1/prices?sku=85123A&priceList=trade&quantity=${quantity}`)).json().items[0];
    expect(await of(23)).toMatchObject({ unitPrice: '2.00', quantityMin: 1, amount: '46.00' });
    expect(await of(24)).toMatchObject({ unitPrice: '1.50', quantityMin: 24, amount: '36.00' });
    expect(await of(99_999)).toMatchObject({ unitPrice: '1.50' });
    expect(await of(100_000)).toMatchObject({ unitPrice: '1.00', quantityMin: 100_000 });
  });

  it('credit counts what an account that was merged into it has open', async () => {
    await api.order(orderOf('K0', 4));
    const { openOrders } = (await api.call('GET', '/v1/accounts/17850/credit')).json();
    await api.hub.db.execute(
      `insert into account (company_id, code, currency) select company_id, 'LEFT', currency from account where code = '17850'`,
    );
    const into = (other: string) =>
      api.hub.db.execute(`update account set merged_into = ${other} where code = '17850'`);
    await into(`(select account_id from account where code = 'LEFT')`);
    expect((await api.call('GET', '/v1/accounts/LEFT/credit')).json().openOrders).toEqual(openOrders);
    expect(openOrders.amountMinor).toBeGreaterThan(0);
    await into('null');
    expect((await api.call('GET', '/v1/accounts/LEFT/credit')).json().openOrders.amountMinor).toBe(0);
  });

  it('credit is what open orders come to', async () => {
    await api.hub.db.execute('update account set credit_limit_minor = 10000');
    const before = (await api.call('GET', '/v1/accounts/17850/credit')).json();
    const { orderId } = (await api.order(orderOf('K1', 4))).json();
    const after = (await api.call('GET', '/v1/accounts/17850/credit')).json();
    expect(after).toMatchObject({
      creditLimit: '100.00',
      currency: 'GBP',
      openOrders: { count: before.openOrders.count + 1 },
    });
    expect(after.openOrders.amountMinor - before.openOrders.amountMinor).toBe(4020);
    await api.call('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineNo: 1, quantity: 3 }] }, keyed);
    const cancelled = (await api.call('GET', '/v1/accounts/17850/credit')).json();
    expect(cancelled.openOrders.amountMinor - before.openOrders.amountMinor).toBe(1005);
    expect(Number(cancelled.available)).toBeCloseTo((10_000 - cancelled.openOrders.amountMinor) / 100, 2);
  });
});

describe('what the ERP reported of an account', () => {
  it('is shown with each part of its exposure, its age and what is left', async () => {
    await api.hub.db.execute(
      `insert into account_credit (account_id, currency, limit_minor, open_orders_minor, open_invoices_minor, as_of, source, version)
       select account_id, 'GBP', 10000, 2000, 1500, crossdock_now() - interval '90 seconds', 'erp', 1 from account where code = '17850'`,
    );
    await api.hub.db.execute(
      `insert into credit_claim (order_id, holder_id, account_id, amount_minor, taken_minor, basis)
       select 900001, account_id, account_id, 700, 700, 'cached' from account where code = '17850'`,
    );
    const credit = (await api.call('GET', '/v1/accounts/17850/credit')).json();
    expect(credit).toMatchObject({
      ...{
        currency: 'GBP',
        creditLimit: '100.00',
        limitOf: '17850',
        available: '58.00',
        basis: 'cached',
        source: 'erp',
      },
      exposure: {
        ...{ amount: '42.00', amountMinor: 4_200 },
        openOrders: { amount: '20.00', amountMinor: 2_000 },
        openInvoices: { amount: '15.00', amountMinor: 1_500 },
        accepted: { orders: 1, amountMinor: 700, onCached: { amountMinor: 700 } },
      },
    });
    expect(credit.ageSeconds).toBeGreaterThanOrEqual(90);
    await api.hub.db.execute('delete from credit_claim');
    await api.hub.db.execute('delete from account_credit');
  });

  it('and what holds while a system is away: none, then a drill with its orders', async () => {
    expect((await api.call('GET', '/v1/modes')).json()).toEqual({ items: [] });
    await api.hub.db.execute(
      `insert into degraded_mode (domain, system, cause, detail, entered_by, ends_at)
       values ('erp', 'erp', 'drill', 'drill for 10 minutes', 'eve', crossdock_now() + interval '10 minutes')`,
    );
    const [mode] = (await api.call('GET', '/v1/modes')).json().items;
    expect(mode).toMatchObject({ domain: 'erp', cause: 'drill', state: 'open', by: 'eve', orders: 0 });
    expect((await api.call('GET', `/v1/modes/${mode.modeId}/orders`)).json()).toEqual({ items: [] });
    await api.hub.db.execute('update degraded_mode set ends_at = crossdock_now()');
    expect((await api.call('GET', '/v1/modes')).json()).toEqual({ items: [] });
    expect((await api.call('GET', '/v1/modes?state=all')).json().items).toMatchObject([{ state: 'left' }]);
    await api.hub.db.execute('delete from degraded_mode');
  });
});

describe('how things stand', () => {
  it('health is open and tells whether the database answers', async () => {
    for (const url of ['/livez', '/readyz', '/startupz']) {
      const answer = await api.app.inject({ url });
      expect([answer.statusCode, answer.json()]).toEqual([200, { ok: true, reasons: [] }]);
    }
    const { ready } = api.hub;
    api.hub.ready = () => ({ ok: false, reasons: ['no lease yet'] });
    const answer = await api.app.inject({ url: '/readyz' });
    expect([answer.statusCode, answer.json()]).toEqual([503, { ok: false, reasons: ['no lease yet'] }]);
    expect((await api.app.inject({ url: '/livez' })).statusCode).toBe(200);
    api.hub.ready = ready;
  });

  it('status counts orders, outbound and what was set aside, with the next step', async () => {
    const { db } = api.hub;
    await db.execute(
      `insert into parked_record (scope, key, system, class, reason, place, item, raw_id, item_no) values ('order/shop', 'P1', 'shop', 'unknown_sku', 'no SKU "X"', 'lines[0].sku', '{}', 1, 0)`,
    );
    await db.execute(`insert into delivery (destination_id, bucket, key, kind, reference, fact_position, payload, state, recorded_at)
      select destination_id, 0, 1, 'sales_order', 'api/' || s, 1, '{}', s::"char", now() - interval '10 seconds' from destination, unnest(array['n', 'd', 'r', 'c']) s where code = 'erp'`);
    await db.execute(
      `insert into publication (destination_id, kind, key, bucket, version) select destination_id, 'availability', 1, 0, 2 from destination where code = 'shop'`,
    );
    api.hub.freshness.record('availability:shop', 3_000);
    await api.hub.freshness.flush(db);
    api.nowMs += STATUS_MS_MIN;
    const status = (await api.call('GET', '/v1/status')).json();
    const rows = await db.execute('select count(*)::int as n from sales_order');
    expect(status.orders.total).toBe(rows[0]!.n);
    expect(Object.keys(status.orders.byState)).toEqual([
      'accepted',
      'confirmed',
      'released',
      'partly_shipped',
      'shipped',
      'closed',
      'cancelled',
      'refused',
    ]);
    expect(status.deliveries).toMatchObject([
      { destination: 'erp', pending: 1, sending: 0, inDoubt: 1, refused: 1, parked: 0 },
    ]);
    expect(status.publications).toMatchObject([{ destination: 'shop', kind: 'availability', dirty: 1 }]);
    expect(status.oldestPendingMs).toBeGreaterThanOrEqual(10_000);
    expect(status.parked.byClass).toEqual({ unknown_sku: 1 });
    expect(status.freshness.flows['availability:shop']).toMatchObject({
      count: 1,
      max: 3_000,
      targetMs: 2_000,
      late: true,
    });
    expect(status.problems).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          kind: 'parked_record',
          class: 'unknown_sku',
          place: 'lines[0].sku',
          next: expect.stringMatching(/Add the product/),
        }),
        expect.objectContaining({ kind: 'delivery', class: 'refused', what: 'sales_order api/r → erp' }),
      ]),
    );
  });

  it('many who look at once cost one look', async () => {
    const lookedAt = async () => (await api.call('GET', '/v1/status')).json().asOf as string;
    const before = await lookedAt();
    api.nowMs += STATUS_MS_MIN;
    const looks = new Set(await Promise.all(Array.from({ length: 20 }, lookedAt)));
    expect(looks.size).toBe(1);
    expect(looks).not.toContain(before);
    api.nowMs += STATUS_MS_MIN - 1;
    expect(looks).toContain(await lookedAt());
    api.nowMs += 1;
    expect(looks).not.toContain(await lookedAt());
  });

  it('metrics are those of Prometheus', async () => {
    const answer = await api.call('GET', '/metrics');
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expect(answer.body).toMatch(/^crossdock_orders\{state="accepted"\} \d+$/m);
    expect(answer.body).toMatch(/^crossdock_freshness_ms\{flow="availability:shop",quantile="0.99"\} 3000$/m);
    expect(answer.body).toMatch(/^crossdock_process_resident_memory_bytes \d+$/m);
  });

  it('the page is one file that runs its own script and nothing else', async () => {
    const answer = await api.app.inject({ url: '/' });
    expect(answer.statusCode).toBe(200);
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toMatch(
      /default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self'/,
    );
    expect(answer.body).not.toMatch(/https?:\/\//);
    expect(answer.body).not.toMatch(/ (style|on\w+)=/);
  });
});

describe('events', () => {
  beforeAll(async () => {
    await api.app.listen({ host: '127.0.0.1', port: 0 });
  });

  /** Reads events until there are `count`, then hangs up. */
  function read(
    path: string,
    count: number,
    headers: Record<string, string> = {},
  ): Promise<{ id: string; event: string; data: Record<string, unknown> }[]> {
    return new Promise((resolve, reject) => {
      const { port } = api.app.server.address() as AddressInfo;
      const request = get(
        { port, host: '127.0.0.1', path, headers: { authorization: `Bearer ${api.key}`, ...headers } },
        (response) => {
          let text = '';
          response.on('data', (piece) => {
            text += piece;
            const events = text
              .split('\n\n')
              .slice(0, -1)
              .filter((block) => block.startsWith('id: '));
            if (events.length < count) return;
            request.destroy();
            resolve(
              events.map((block) => {
                const fields = Object.fromEntries(
                  block
                    .split('\n')
                    .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
                );
                return { id: fields.id!, event: fields.event!, data: JSON.parse(fields.data!) };
              }),
            );
          });
        },
      );
      request.on('error', (error) => reject(error));
    });
  }

  it('a reader gets every fact, and goes on where it was', async () => {
    const all = await api.hub.db.execute('select count(*)::int as n from fact');
    const n = all[0]!.n as number;
    expect(n).toBeGreaterThan(3);
    const events = await read('/v1/events?after=0', n);
    expect(new Set(events.map((event) => event.id)).size).toBe(n);
    expect(events.find((event) => event.event === 'crossdock.order.accepted.v1')!.data).toMatchObject({
      specversion: '1.0',
      source: '/crossdock',
      subject: expect.stringMatching(/^order\//),
      streamversion: 1,
      company: 'UK',
      data: { channel: 'api', lines: [{ sku: '85123A' }] },
    });
    const rest = await read('/v1/events', n - 2, { 'last-event-id': events[1]!.id });
    expect(rest.map((event) => event.id)).toEqual(events.slice(2).map((event) => event.id));
    const some = await read('/v1/events?after=0&type=order.lines_cancelled', 1);
    expect(some[0]!.event).toBe('crossdock.order.lines_cancelled.v1');
  });

  it('a fact that is recorded now arrives now', async () => {
    const waiting = read('/v1/events?type=order.accepted', 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await api.order(orderOf('E1'));
    expect((await waiting)[0]!.data).toMatchObject({ data: { externalNo: 'E1' } });
  });

  it('an open stream does not hold the close up', async () => {
    const path = '/v1/events';
    const ended = read(path, 1).catch(() => 'ended');
    await new Promise((resolve) => setTimeout(resolve, 100));
    // It reads while the close begins, so it ends after the connections without work were closed.
    const reading = api.hub.db.execute(
      'do $$ begin lock table fact in access exclusive mode; perform pg_sleep(0.8); end $$',
    );
    await new Promise((resolve) => setTimeout(resolve, 400));
    const began = performance.now();
    await api.app.close();
    expect(performance.now() - began).toBeLessThan(2_000);
    await reading;
    void ended;
  });
});
