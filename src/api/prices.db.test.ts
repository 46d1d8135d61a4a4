import { describe, expect, it } from 'vitest';
import { testEstate, useApi } from './testing/hub.ts';

const channels = {
  ...testEstate.channels,
  strict: { ...testEstate.channels.strict, prices: { list: 'club' } },
  planned: { ...testEstate.channels.planned, prices: { check: 'reprice' as const } },
};
const api = useApi({ estate: { ...testEstate, channels } });
const price = { sku: '85123A', currency: 'GBP' };
const get = async (query: string) => (await api.call('GET', `/v1/prices?sku=85123a&${query}`)).json();

describe('GET /v1/prices', () => {
  it('answers with the source, the next tier and why nothing else was used', async () => {
    await api.call('POST', '/v1/prices', {
      prices: [
        { ...price, unitPrice: '10.00' },
        { ...price, unitPrice: '9.00', priceList: 'club', validFrom: '2026-03-01', validTo: '2026-03-31' },
      ],
    });
    const put = await api.call('POST', '/v1/contracts', {
      contracts: [
        { contract: 'OLD', account: '17850', validTo: '2025-12-31', prices: [{ sku: '85123a', unitPrice: '1.00' }] },
        {
          ...{ contract: 'NEW', account: '17850', validFrom: '2026-04-01' },
          prices: [
            { sku: '85123A', unitPrice: '8.00' },
            { sku: '85123A', unitPrice: '70.00', pricePer: 10, quantityMin: 100 },
          ],
        },
      ],
    });
    expect(put.json()).toEqual({ written: 2, prices: 3 });
    const march = await get('account=17850&channel=strict&date=2026-03-31&quantity=3');
    expect(march).toMatchObject({ company: 'UK', account: '17850', channel: 'strict', date: '2026-03-31' });
    expect(march.items).toMatchObject([
      {
        ...{ sku: '85123A', unitPrice: '9.00', amount: '27.00', source: 'channel_list', list: 'club', contract: null },
        ...{ validFrom: '2026-03-01', validTo: '2026-03-31', next: null },
      },
    ]);
    const whys = (answer: { items: { reasons: { contract: string; list: string; why: string }[] }[] }) =>
      answer.items[0]!.reasons.map(({ contract, list, why }) => `${contract ?? list} ${why}`);
    expect(whys(march)).toEqual(['NEW contract_not_started', 'OLD contract_expired', 'club used', 'base outranked']);
    const april = await get('account=17850&channel=strict&date=2026-04-01&quantity=99');
    expect(april.items).toMatchObject([
      {
        ...{ unitPrice: '8.00', pricePer: 1, source: 'contract', contract: 'NEW', account: '17850', list: null },
        next: { quantityMin: 100, unitPrice: '70.00', pricePer: 10 },
      },
    ]);
    expect(whys(april)).toEqual(['NEW used', 'OLD contract_expired', 'club price_expired', 'base outranked']);
    const hundred = await get('account=17850&date=2026-04-01&quantity=100');
    expect(hundred.items).toMatchObject([{ unitPrice: '70.00', pricePer: 10, amountMinor: 70_000 }]);
    const euros = await get('account=17850&date=2026-04-01&currency=EUR');
    expect(euros.items).toMatchObject([{ unitPrice: null, source: null, amount: null }]);
    expect(whys(euros)).toEqual(['NEW other_currency', 'OLD contract_expired', 'base other_currency']);
  });

  it('what it does not know is refused with code and place', async () => {
    const refused = async (query: string) => {
      const answer = await api.call('GET', `/v1/prices?${query}`);
      return [answer.statusCode, answer.json().code, answer.json().place];
    };
    expect(await refused('sku=85123A&account=NO')).toEqual([422, 'XD_UNKNOWN_ACCOUNT', 'account']);
    expect(await refused('sku=85123A&sku=NO')).toEqual([422, 'XD_UNKNOWN_SKU', 'sku[1]']);
    expect(await refused('sku=85123A&channel=NO')).toEqual([422, 'XD_UNKNOWN_CHANNEL', 'channel']);
    expect(await refused('sku=85123A&date=2026-02-30')).toEqual([422, 'XD_VALUE_INVALID', 'date']);
    expect(await refused('sku=85123A&quantity=1.5')).toEqual([422, 'XD_VALUE_INVALID', 'quantity']);
  });
});

describe('an order that is repriced', () => {
  it('is answered with both prices, and so is its repetition; another price under its key names the one it was sent with', async () => {
    await api.call('POST', '/v1/prices', { prices: [{ sku: '71053', currency: 'GBP', unitPrice: '3.00' }] });
    const body = {
      ...{ channel: 'planned', externalNo: 'R1', company: 'UK', account: '17850', currency: 'GBP' },
      orderedAt: '2026-03-02T09:00:00Z',
      lines: [{ lineNo: 1, sku: '71053', quantity: 2, unitPrice: '2.50' }],
    };
    const first = await api.order(body);
    expect([first.statusCode, first.json()]).toMatchObject([
      201,
      {
        totalMinor: 600,
        lines: [
          {
            ...{ unitPrice: '3.00', amountMinor: 600 },
            priceCheck: { outcome: 'repriced', askedPrice: '2.50', decidedPrice: '3.00', source: 'base', name: 'base' },
          },
        ],
      },
    ]);
    await api.call('POST', '/v1/prices', { prices: [{ sku: '71053', currency: 'GBP', unitPrice: '3.50' }] });
    expect((await api.order(body)).json()).toEqual(first.json());
    const other = await api.order({ ...body, lines: [{ ...body.lines[0]!, unitPrice: '3.00' }] } as typeof body);
    expect(other.json()).toMatchObject({
      ...{ code: 'XD_KEY_CONFLICT', place: 'lines[0].unitPrice', before: '2.50', given: '3.00' },
    });
  });
});

describe('what overlaps', () => {
  it('is refused with the days of the other; nothing of the request is written', async () => {
    const dated = { ...price, priceList: 'spring', unitPrice: '5.00', validFrom: '2026-03-01', validTo: '2026-05-31' };
    const answer = await api.call('POST', '/v1/prices', {
      prices: [dated, { ...dated, validFrom: '2026-05-31', validTo: '2026-06-30' }],
    });
    expect([answer.statusCode, answer.json()]).toMatchObject([
      409,
      {
        ...{ code: 'XD_PRICE_OVERLAP', place: 'prices[1].validFrom' },
        overlaps: { validFrom: '2026-03-01', validTo: '2026-05-31' },
      },
    ]);
    expect((await get('priceList=spring&date=2026-03-15')).items).toMatchObject([{ unitPrice: null }]);
    const contract = { account: '17850', prices: [{ sku: '85123A', unitPrice: '1' }] };
    const twice = await api.call('POST', '/v1/contracts', {
      contracts: [
        { ...contract, contract: 'E1', currency: 'EUR', validTo: '2026-05-31' },
        { ...contract, contract: 'E2', currency: 'EUR', validFrom: '2026-05-31' },
      ],
    });
    expect([twice.statusCode, twice.json()]).toMatchObject([
      409,
      { code: 'XD_PRICE_OVERLAP', place: 'contracts[1].validFrom', overlaps: { contract: 'E1' } },
    ]);
    const back = await api.call('POST', '/v1/prices', { prices: [{ ...dated, validTo: '2026-02-01' }] });
    expect([back.statusCode, back.json().place]).toEqual([422, 'prices[0].validTo']);
    const unknown = await api.call('POST', '/v1/contracts', {
      contracts: [{ ...contract, contract: 'E3', currency: 'EUR', prices: [{ sku: 'NOPE', unitPrice: '1' }] }],
    });
    expect(unknown.json()).toMatchObject({ code: 'XD_UNKNOWN_SKU', place: 'prices[0].sku' });
    // None of these contracts is there.
    const looks = (await get('account=17850&currency=EUR')).items[0].reasons as { contract: string | null }[];
    expect(looks.map(({ contract: name }) => name).filter((name) => name?.startsWith('E'))).toEqual([]);
  });
});
