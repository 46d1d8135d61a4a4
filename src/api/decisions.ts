/** Prices and credit: what the hub answers from its own knowledge. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { amountMinor, fail } from '../canonical/index.ts';
import { numbers } from '../store/index.ts';
import type { ApiHub } from './hub.ts';
import { companyOf, skuIdsOf } from './lookups.ts';
import { findPrices, listAccounts, readExposure } from './pages.sql.ts';
import { closed, code, currency, date, decimalOf, list, quantity, sku, skuCodeOf } from './schemas.ts';

export const SKUS_MAX = 100;

const priceQuery = closed({
  sku: list(sku(), SKUS_MAX),
  account: Type.Optional(code()),
  company: Type.Optional(code()),
  currency: Type.Optional(currency()),
  quantity: Type.Optional(quantity()),
  date: Type.Optional(date()),
  priceList: Type.Optional(code()),
});
const accountParams = closed({ id: code() });
const accountQuery = closed({ company: Type.Optional(code()) });

export function decisionRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;

  const getAccount = async (account: string, company: string | undefined, place: string) => {
    const companyId = company === undefined ? null : companyOf(hub, company).companyId;
    const [found, other] = await db.query(listAccounts, [null, null, account, companyId, 2]);
    if (found === undefined)
      fail('XD_UNKNOWN_ACCOUNT', `no account ${JSON.stringify(account.slice(0, 60))}`, { place });
    if (other !== undefined)
      fail('XD_VALUE_INVALID', `account ${account} exists in several companies; name one`, { place: 'company' });
    return found;
  };

  app.get<{ Querystring: Static<typeof priceQuery> }>(
    '/v1/prices',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Unit prices on a day',
        description:
          'The newest price of the list at or before the day; today, in the company’s time zone, when none is given. Of prices by quantity the one that the quantity reaches. null: there is none.',
        tags: ['prices'],
        querystring: priceQuery,
      },
    },
    async (request) => {
      const { account, company, quantity: units = 1, date: day, priceList = 'base' } = request.query;
      const owner = account === undefined ? undefined : await getAccount(account, company, 'account');
      const entry =
        owner !== undefined
          ? directory.companyById.get(owner.company_id)!
          : company !== undefined
            ? companyOf(hub, company)
            : onlyCompany();
      const money = request.query.currency ?? owner?.currency ?? entry.currency;
      const codes = request.query.sku.map(skuCodeOf);
      const skuIds = await skuIdsOf(hub, codes, (i) => `sku[${i}]`);
      const asked = [numbers(skuIds), priceList, money, day ?? null, entry.timeZone, entry.companyId, units];
      const rows = await db.query(findPrices, asked);
      const found = new Map(rows.map((row) => [row.sku_id, row]));
      return {
        company: entry.code,
        account: account ?? null,
        priceList,
        currency: money,
        items: skuIds.map((skuId, i) => {
          const price = found.get(skuId);
          if (price === undefined)
            return {
              sku: codes[i],
              quantity: units,
              unit: 'each',
              unitPrice: null,
              quantityMin: null,
              validFrom: null,
              amount: null,
              amountMinor: null,
            };
          const minor = amountMinor(price.unit_price, units, money, price.price_per);
          const validFrom = price.valid_from === '-infinity' ? null : price.valid_from;
          return {
            sku: codes[i],
            quantity: units,
            unit: 'each',
            unitPrice: price.unit_price,
            quantityMin: price.quantity_min,
            validFrom,
            amount: decimalOf(minor, money),
            amountMinor: minor,
          };
        }),
      };
    },
  );

  function onlyCompany() {
    const [only, other] = [...directory.companies.values()];
    if (only === undefined || other !== undefined)
      fail('XD_VALUE_INVALID', 'name an account or a company: there are several', { place: 'company' });
    return only;
  }

  app.get<{ Params: Static<typeof accountParams>; Querystring: Static<typeof accountQuery> }>(
    '/v1/accounts/:id/credit',
    {
      config: { scope: 'read' },
      schema: {
        summary: "What an account's open orders come to, and its limit",
        description:
          'From the hub’s own open orders: units neither cancelled nor invoiced. What is invoiced and unpaid is the ERP’s to know.',
        tags: ['records'],
        params: accountParams,
        querystring: accountQuery,
      },
    },
    async (request) => {
      const account = await getAccount(request.params.id, request.query.company, 'id');
      const [open] = await db.query(readExposure, [account.account_id]);
      const limitMinor = account.credit_limit_minor;
      return {
        account: account.code,
        company: directory.companyById.get(account.company_id)?.code ?? null,
        currency: account.currency,
        creditLimit: limitMinor === null ? null : decimalOf(limitMinor, account.currency),
        openOrders: {
          count: open!.orders,
          amount: decimalOf(open!.open_minor, account.currency),
          amountMinor: open!.open_minor,
          oldestAt: open!.oldest_at?.toISOString() ?? null,
        },
        available: limitMinor === null ? null : decimalOf(limitMinor - open!.open_minor, account.currency),
        source: 'open orders in the hub',
      };
    },
  );
}
