/** The requests that the feeder of the simulated estate makes, as it makes them. */
import { describe, expect, it } from 'vitest';
import { useApi } from './testing/hub.ts';

const api = useApi();
const keyed = (key: string) => ({ 'idempotency-key': key });

describe('what the feeder sends', () => {
  it('products, accounts and prices', async () => {
    const products = await api.call(
      'POST',
      '/v1/products',
      { products: [{ sku: '22423', description: 'CAKESTAND', unit: 'each' }] },
      keyed('p'),
    );
    expect([products.statusCode, products.json()]).toEqual([200, { written: 1 }]);
    const accounts = await api.call(
      'POST',
      '/v1/accounts',
      { accounts: [{ account: 'walk-in', company: 'UK', channel: 'api' }] },
      keyed('a'),
    );
    expect([accounts.statusCode, accounts.json()]).toEqual([200, { written: 1 }]);
    const prices = { prices: [{ sku: '22423', currency: 'GBP', unitPrice: '12.75', priceList: 'base' }] };
    expect((await api.call('POST', '/v1/prices', prices, keyed('c'))).json()).toEqual({ written: 1 });
    expect((await api.call('POST', '/v1/prices', prices, keyed('c'))).json()).toEqual({ written: 0 });
    expect((await api.call('GET', '/v1/prices?sku=22423')).json().items).toMatchObject([{ unitPrice: '12.75' }]);
    const others = { prices: [{ ...prices.prices[0], company: 'NOBODY' }] };
    expect((await api.call('POST', '/v1/prices', others)).json()).toMatchObject({
      code: 'XD_UNKNOWN_COMPANY',
      place: 'prices[0].company',
    });
    // Another company's is not shown for this one.
    await api.hub.db.execute(
      `with other as (insert into company (code, currency, time_zone) values ('OTHER', 'GBP', 'UTC') returning company_id)
       update price set company_id = other.company_id from other`,
    );
    expect((await api.call('GET', '/v1/prices?sku=22423')).json().items).toMatchObject([{ unitPrice: null }]);
  });

  it('a cancel of an allocated line, one of an unknown order, one that names none, and again', async () => {
    await api.receive('85123A', 'LON', 10);
    const order = {
      company: 'UK',
      channel: 'api',
      externalNo: '536365',
      account: '17850',
      currency: 'GBP',
      orderedAt: '2010-12-01T08:26:00Z',
      lines: [{ lineNo: 1, sku: '85123A', quantity: 6, unitPrice: '2.55' }],
    };
    expect((await api.call('POST', '/v1/orders', order, keyed('api/536365'))).statusCode).toBe(201);
    const line = { sku: '85123A', quantity: 2, unitPrice: '2.55' };
    const at = '2010-12-02T09:00:00Z';
    const body = {
      cancellations: [
        { channel: 'api', reference: 'C1/1', account: '17850', at, lines: [{ order: '536365', lineNo: 1, ...line }] },
        { channel: 'api', reference: 'C1/2', account: '17850', at, lines: [{ order: '999999', lineNo: 1, ...line }] },
        { channel: 'api', reference: 'C1/3', account: '17850', at, lines: [{ order: null, lineNo: null, ...line }] },
      ],
    };
    const first = await api.call('POST', '/v1/cancellations', body, keyed('c1'));
    expect(first.statusCode).toBe(200);
    expect(first.json().results).toMatchObject([
      { reference: 'C1/1', status: 201, lines: [{ outcome: 'applied', did: ['order.lines_cancelled'] }] },
      { reference: 'C1/2', status: 202, lines: [{ outcome: 'waiting', waitsFor: 'order/api 999999' }] },
      { reference: 'C1/3', status: 202, lines: [{ outcome: 'parked', class: 'no_original' }] },
    ]);
    const again = await api.call('POST', '/v1/cancellations', body, keyed('c1'));
    expect(
      again
        .json()
        .results.map((r: { status: number; lines: { outcome: string }[] }) => [r.status, r.lines[0]!.outcome]),
    ).toEqual([
      [200, 'repeated'],
      [200, 'waiting'],
      [200, 'parked'],
    ]);
  });

  it('charges, of which one came before with another price', async () => {
    const charge = {
      reference: '536370/5',
      kind: 'charge',
      account: '12583',
      code: 'POST',
      description: 'POSTAGE',
      quantity: 3,
      unitPrice: '18.00',
      currency: 'GBP',
      at: '2010-12-01T08:45:00Z',
    };
    const first = await api.call('POST', '/v1/charges', { charges: [charge] }, keyed('x'));
    expect(first.json()).toEqual({ results: [{ reference: '536370/5', status: 201, outcome: 'applied' }] });
    const ledger = { ...charge, reference: 'A563186/1', quantity: 1, unitPrice: '-11062.06' };
    const second = await api.call(
      'POST',
      '/v1/charges',
      { charges: [{ ...charge, unitPrice: '19.00' }, ledger] },
      keyed('y'),
    );
    expect(second.json().results).toMatchObject([{ status: 422, code: 'XD_KEY_CONFLICT' }, { status: 201 }]);
  });

  it('a write-off takes what there is, once, and nothing when there is nothing', async () => {
    await api.receive('71053', 'MAN', 4);
    const body = {
      channel: 'api',
      sku: '71053',
      quantity: 9,
      location: 'MAN',
      partial: true,
      purpose: 'write_off',
      expiresInSeconds: 3600,
    };
    const first = await api.call('POST', '/v1/reservations', body, keyed('write_off/1'));
    expect(first.statusCode).toBe(201);
    expect(first.json()).toMatchObject({
      reservationId: expect.stringMatching(/^\d+$/),
      unit: 'each',
      lines: [{ location: 'MAN', quantity: 4 }],
    });
    const again = await api.call('POST', '/v1/reservations', body, keyed('write_off/1'));
    expect([again.statusCode, again.headers['idempotent-replayed'], again.body]).toEqual([201, 'true', first.body]);
    const none = await api.call('POST', '/v1/reservations', body, keyed('write_off/2'));
    expect([none.statusCode, none.json()]).toMatchObject([
      409,
      { code: 'XD_ATP_SHORT', retry: 'never', refused: 'atp_short', asked: 9, atp: 0 },
    ]);
    expect(none.headers['retry-after']).toBeUndefined();
  });
});
