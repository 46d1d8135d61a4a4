/** Products, accounts and prices in. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { fail, LIFECYCLES, ORDER_ROUNDINGS, PRIORITY_CLASSES } from '../canonical/index.ts';
import {
  ADDRESSES_MAX,
  KIT_COMPONENTS_MAX,
  putAccounts,
  putPrices,
  putProducts,
  RECORDS_MAX,
  SUBSTITUTES_MAX,
  UNITS_MAX,
} from '../master/index.ts';
import { keyOf } from './auth.ts';
import type { ApiHub } from './hub.ts';
import {
  closed,
  code,
  currency,
  date,
  list,
  packLevel,
  pricePer,
  prose,
  quantity,
  sku,
  skuCodeOf,
  text,
  unit,
  unitPrice,
} from './schemas.ts';

const as = Type.Optional(
  text(
    100,
    'in the name of this system: also what it owns; needs scope operate. Default: a person, who may put what nobody owns',
  ),
);
const measure = (what: string) =>
  Type.Optional(
    Type.Union([Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 }), Type.Null()], { description: what }),
  );
const codeOrNone = (what: string) => Type.Optional(Type.Union([text(80), Type.Null()], { description: what }));
const products = closed({
  as,
  products: list(
    closed({
      sku: sku(),
      description: Type.Optional(prose(500)),
      unit: Type.Optional(unit('its base unit: what stock, orders and prices count')),
      units: Type.Optional(
        Type.Array(
          closed({
            unit: unit('one of it is numerator / denominator base units'),
            packLevel: packLevel(),
            numerator: quantity(),
            denominator: Type.Optional(quantity()),
            gtin: Type.Optional(text(14)),
          }),
          { maxItems: UNITS_MAX, description: 'all units beside the base unit; those left out end' },
        ),
      ),
      orderMultiple: Type.Optional(quantity()),
      orderMinimum: Type.Optional(quantity()),
      orderRounding: Type.Optional(
        Type.Enum([...ORDER_ROUNDINGS], { description: 'what becomes of a line that may not be ordered so' }),
      ),
      lifecycle: Type.Optional(
        Type.Enum([...LIFECYCLES], {
          description: 'phase_out: what is left is sold and nothing waits for more; discontinued: no order takes it',
        }),
      ),
      weightG: measure('of one base unit; null: not known'),
      lengthMm: measure('of one base unit'),
      widthMm: measure('of one base unit'),
      heightMm: measure('of one base unit'),
      kit: Type.Optional(
        Type.Array(closed({ sku: sku(), quantity: quantity() }), {
          maxItems: KIT_COMPONENTS_MAX,
          description: 'all that one base unit is made of; empty: it is no kit',
        }),
      ),
      substitutes: Type.Optional(
        Type.Array(sku(), { maxItems: SUBSTITUTES_MAX, description: 'all that may be sent instead, best first' }),
      ),
    }),
    RECORDS_MAX,
  ),
});
const accounts = closed({
  as,
  accounts: list(
    closed({
      account: code(),
      company: code(),
      channel: Type.Optional(code()),
      name: Type.Optional(prose(500)),
      parent: codeOrNone('the account above it; null: none'),
      paymentTerms: codeOrNone('null: none of its own'),
      hold: Type.Optional(
        Type.Union([text(500), Type.Null()], {
          description: 'why its orders and those of the accounts below it are held; null: they are not',
        }),
      ),
      priceList: codeOrNone('null: none of its own'),
      priorityClass: Type.Optional(
        Type.Enum([...PRIORITY_CLASSES], { description: 'who gains and who loses when stock is short' }),
      ),
      shipComplete: Type.Optional(Type.Boolean()),
      region: codeOrNone('null: none'),
      addresses: Type.Optional(
        Type.Array(
          closed({
            code: text(80, 'its own code for it'),
            name: Type.Optional(prose(500)),
            lines: Type.Array(text(500), { minItems: 1, maxItems: 10 }),
            city: Type.Optional(prose(500)),
            postalCode: Type.Optional(prose(500)),
            country: Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166' }),
          }),
          { maxItems: ADDRESSES_MAX, description: 'all of them' },
        ),
      ),
    }),
    RECORDS_MAX,
  ),
});
const prices = closed({
  as,
  prices: list(
    closed({
      company: Type.Optional(code()),
      sku: sku(),
      currency: currency(),
      unitPrice: unitPrice(),
      unit: Type.Optional(unit('what the price is for')),
      pricePer: Type.Optional(pricePer()),
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
      schema: {
        summary: 'Add or change products; what is absent is not said',
        tags: ['records'],
        body: products,
        response: { 200: written },
      },
    },
    async (request) =>
      putProducts(
        hub.db,
        request.body.products.map((product) => ({
          ...product,
          sku: skuCodeOf(product.sku),
          ...systemOf(request, hub),
        })),
      ),
  );
  app.post<{ Body: Static<typeof accounts> }>(
    '/v1/accounts',
    {
      config: { scope: 'write' },
      schema: {
        summary: 'Add or change accounts; what is absent is not said',
        tags: ['records'],
        body: accounts,
        response: { 200: written },
      },
    },
    async (request) =>
      putAccounts(
        hub.db,
        hub.directory,
        request.body.accounts.map((account) => ({ ...account, ...systemOf(request, hub) })),
      ),
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
      const by = systemOf(request, hub);
      const result = await putPrices(
        hub.db,
        hub.directory,
        request.body.prices.map((price) => ({ ...price, ...by })),
      );
      if (result.written > 0) hub.onCommit();
      return result;
    },
  );
}

/** Whoever may put in a system's name what it owns may do anything with it. */
function systemOf(request: FastifyRequest, { directory }: ApiHub): { system?: string } {
  const { as: system } = request.body as { as?: string };
  if (system === undefined) return {};
  if (!keyOf(request).scopes.includes('operate'))
    fail('XD_FORBIDDEN', 'as needs scope operate', { scope: 'operate', place: 'as' });
  if (!directory.destinations.has(system))
    fail('XD_VALUE_INVALID', `as: no system ${JSON.stringify(system.slice(0, 60))}`, { place: 'as' });
  return { system };
}
