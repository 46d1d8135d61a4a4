/** Products, accounts and prices in. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { putAccounts, putPrices, putProducts, RECORDS_MAX } from '../master/index.ts';
import type { ApiHub } from './hub.ts';
import { closed, code, currency, date, list, prose, quantity, sku, skuCodeOf, text, unitPrice } from './schemas.ts';

const products = closed({
  products: list(
    closed({
      sku: sku(),
      description: Type.Optional(prose(500)),
      unit: Type.Optional(text(20)),
    }),
    RECORDS_MAX,
  ),
});
const accounts = closed({
  accounts: list(
    closed({
      account: code(),
      company: code(),
      channel: Type.Optional(code()),
      name: Type.Optional(prose(500)),
    }),
    RECORDS_MAX,
  ),
});
const prices = closed({
  prices: list(
    closed({
      company: Type.Optional(code()),
      sku: sku(),
      currency: currency(),
      unitPrice: unitPrice(),
      quantityMin: Type.Optional(quantity()),
      priceList: Type.Optional(code()),
      validFrom: Type.Optional(date()),
      validTo: Type.Optional(date()),
    }),
    RECORDS_MAX,
  ),
});
const written = closed({ written: Type.Integer({ description: 'added or really changed' }) });

export function recordRoutes(app: FastifyInstance, hub: ApiHub): void {
  app.post<{ Body: Static<typeof products> }>(
    '/v1/products',
    {
      config: { scope: 'write' },
      schema: { summary: 'Add or change products', tags: ['records'], body: products, response: { 200: written } },
    },
    async (request) =>
      putProducts(
        hub.db,
        request.body.products.map((product) => ({ ...product, sku: skuCodeOf(product.sku) })),
      ),
  );
  app.post<{ Body: Static<typeof accounts> }>(
    '/v1/accounts',
    {
      config: { scope: 'write' },
      schema: { summary: 'Add or change accounts', tags: ['records'], body: accounts, response: { 200: written } },
    },
    async (request) => putAccounts(hub.db, hub.directory, request.body.accounts),
  );
  app.post<{ Body: Static<typeof prices> }>(
    '/v1/prices',
    {
      config: { scope: 'write' },
      schema: {
        summary: 'Add or change prices; what really changed is told to the channels',
        description:
          '`validTo` is the last day; a price without it holds until the next one of its kind begins. One with it stands alone in its days (XD_PRICE_OVERLAP, with the days of the other).',
        tags: ['prices'],
        body: prices,
        response: { 200: written },
      },
    },
    async (request) => {
      const result = await putPrices(hub.db, hub.directory, request.body.prices);
      if (result.written > 0) hub.onCommit();
      return result;
    },
  );
}
