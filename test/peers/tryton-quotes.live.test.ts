/** What the real Tryton would ask, against its lists, read whole. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { contextFor } from '../../src/connectors/kit/testing.ts';
import { type TrytonConnector, tryton } from '../../src/connectors/tryton/index.ts';
import { Tryton } from '../../src/connectors/tryton/rpc.ts';
import { live } from './live.ts';

const signal = new AbortController().signal;
const settings = { user: 'crossdock', companyCode: 'US', warehouses: { EAST: 'DC-EAST' } };
const day = new Date().toISOString().slice(0, 10);

live('Prices of Tryton', ['tryton'], ({ tryton: peer }) => {
  const context = contextFor(`${peer.url}${String(peer.keys.database)}`, {
    ...{ system: 'tryton', channel: null, token: 'crossdock-pw', settings },
    limits: { callsPerSecond: 100, concurrency: 4, timeoutMs: 60_000, batchMax: null },
  });
  const connector = tryton(context);
  const raw = new Tryton(context, settings);
  beforeAll(() => raw.company(signal), 30_000);
  afterAll(async () => {
    await connector.close();
    await raw.client.close();
  });

  it('prices by customer and quantity are those of their lists; what it has not has none', async () => {
    const lists = await raw.search('product.price_list', [], ['name'], signal);
    const all = await raw.search('party.party', [['code', 'like', 'CUST-%']], ['code', 'sale_price_list'], signal);
    const parties = all.filter((party) => party.sale_price_list !== null);
    const tiered = lists.find(({ name }) => name === 'Distributor')!;
    const distributor = parties.find((party) => party.sale_price_list === tiered.id)!;
    const other = parties.find((party) => party.sale_price_list !== tiered.id)!;
    const of = (account: string | null, sku: string, quantity: number) => ({
      account,
      sku,
      quantity,
      currency: 'USD',
      day,
    });
    const code = String(distributor.code);
    const items = [
      of(code, 'SKU-0011', 1),
      of(code, 'sku-0011', 24),
      of(code, 'SKU-0011', 100),
      of(String(other.code), 'SKU-0011', 1),
      of(null, 'SKU-0012', 1),
      of(code, 'NO-SUCH-SKU', 1),
      of('NOBODY', 'SKU-0011', 1),
    ];
    const quotes = await connector.quotes!.ask(items, signal);
    expect(quotes.slice(5)).toEqual([null, null]);
    // Its own snapshot of lists, tier by tier.
    const { rows } = await (connector as TrytonConnector).snapshots.prices(signal);
    const tier = (list: unknown, sku: string, quantityMin: number) =>
      rows.find(
        (row) =>
          row.priceList === lists.find(({ id }) => id === list)!.name &&
          row.sku === sku &&
          row.quantityMin === quantityMin,
      )!.unitPrice;
    const usd = (unitPrice: string) => ({ unitPrice, pricePer: 1, currency: 'USD' });
    expect(quotes.slice(0, 4)).toEqual([
      usd(tier(tiered.id, 'SKU-0011', 1)),
      usd(tier(tiered.id, 'SKU-0011', 24)),
      usd(tier(tiered.id, 'SKU-0011', 100)),
      usd(tier(other.sale_price_list, 'SKU-0011', 1)),
    ]);
    expect(new Set(quotes.slice(0, 3).map((one) => one!.unitPrice)).size).toBe(3);
    expect(quotes[4]).not.toBeNull();
    expect(await connector.quotes!.ask([], signal)).toEqual([]);
  });
});
