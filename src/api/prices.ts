/** Which price holds: for an account, in a channel, of a quantity, on a day; and why. Contracts in. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { fail } from '../canonical/index.ts';
import { RECORDS_MAX } from '../master/index.ts';
import { dayIn, type PriceQuestion, putContracts, readPrices, tellPrices } from '../pricing/index.ts';
import { databaseNow } from '../store/index.ts';
import type { ApiHub } from './hub.ts';
import { accountOf, channelOf, companyOf, skuIdsOf } from './lookups.ts';
import { closed, code, currency, date, decimalOf, list, quantity, sku, skuCodeOf, unitPrice } from './schemas.ts';

export const SKUS_MAX = 100;
export const CONTRACT_PRICES_MAX = 10_000;

const priceQuery = closed({
  sku: list(sku(), SKUS_MAX),
  account: Type.Optional(code()),
  company: Type.Optional(code()),
  channel: Type.Optional(code()),
  currency: Type.Optional(currency()),
  quantity: Type.Optional(quantity()),
  date: Type.Optional(date()),
  priceList: Type.Optional(code()),
});
const contracts = closed({
  contracts: list(
    closed({
      company: Type.Optional(code()),
      account: code(),
      contract: code(),
      currency: Type.Optional(currency()),
      validFrom: Type.Optional(date()),
      validTo: Type.Optional(date()),
      prices: Type.Optional(
        Type.Array(
          closed({
            sku: sku(),
            unitPrice: unitPrice(),
            pricePer: Type.Optional(quantity()),
            quantityMin: Type.Optional(quantity()),
          }),
          { maxItems: RECORDS_MAX, description: 'added or changed; others of the contract stay' },
        ),
      ),
    }),
    RECORDS_MAX,
  ),
});
const written = closed({
  written: Type.Integer({ description: 'contracts added or really changed' }),
  prices: Type.Integer({ description: 'prices of them added or really changed' }),
});

export function priceRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;

  app.get<{ Querystring: Static<typeof priceQuery> }>(
    '/v1/prices',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Unit prices on a day, each with its reason',
        description:
          'The first that has one: a contract of the account or its nearest ancestor, the account’s list, the channel’s list, base. Today, in the company’s time zone, when no date is given. Of prices by quantity the one that the quantity reaches; `next`: from which quantity on another holds. `reasons`: what was looked at, in that order, and why each was used or not. `unitPrice` null: there is no price. With `priceList` only that list is asked.',
        tags: ['prices'],
        querystring: priceQuery,
      },
    },
    async (request) => {
      const { account, company, channel: channelCode, quantity: units = 1, priceList } = request.query;
      const channel = channelCode === undefined ? undefined : channelOf(hub, channelCode);
      const named = company ?? (channel && directory.companyById.get(channel.companyId)!.code);
      const owner = account === undefined ? undefined : await accountOf(hub, account, named, 'account');
      const entry =
        owner !== undefined
          ? directory.companyById.get(owner.company_id)!
          : named !== undefined
            ? companyOf(hub, named)
            : onlyCompany();
      if (channel !== undefined && channel.companyId !== entry.companyId)
        fail('XD_VALUE_INVALID', `channel ${channel.code} does not belong to company ${entry.code}`, {
          place: 'channel',
        });
      const money = request.query.currency ?? entry.currency;
      const skuIds = await skuIdsOf(hub, request.query.sku.map(skuCodeOf), (i) => `sku[${i}]`);
      if (owner !== undefined) await directory.loadMerged([{ companyId: owner.company_id, code: owner.code }]);
      const day = request.query.date ?? dayIn(entry.timeZone, await databaseNow(db));
      const questions = skuIds.map(
        (skuId): PriceQuestion => ({
          companyId: entry.companyId,
          // Of an account that was merged into another: the other's prices.
          accountId: owner === undefined ? null : directory.followAccount(owner.account_id),
          channelId: channel?.channelId ?? null,
          skuId,
          quantity: units,
          day,
          currency: money,
          list: priceList,
        }),
      );
      const told = await tellPrices(directory, questions, await readPrices(db, directory, questions));
      return {
        company: entry.code,
        account: account ?? null,
        channel: channelCode ?? null,
        priceList: priceList ?? null,
        currency: money,
        date: day,
        items: told.map((item) => ({
          ...item,
          amount: item.amountMinor === null ? null : decimalOf(item.amountMinor, money),
        })),
      };
    },
  );

  function onlyCompany() {
    const [only, other] = [...directory.companies.values()];
    if (only === undefined || other !== undefined)
      fail('XD_VALUE_INVALID', 'name an account or a company: there are several', { place: 'company' });
    return only;
  }

  app.post<{ Body: Static<typeof contracts> }>(
    '/v1/contracts',
    {
      config: { scope: 'write' },
      schema: {
        summary: 'Add or change contracts of accounts, and their prices',
        description:
          'All or none. Of one account and currency no two are valid on the same day (XD_PRICE_OVERLAP, with the one it overlaps).  `validTo` is the last day; without it a contract has no end.',
        tags: ['prices'],
        body: contracts,
        response: { 200: written },
      },
    },
    async (request) => {
      const records = request.body.contracts;
      const prices = records.flatMap(({ company, contract, prices: own = [] }) =>
        own.map((price) => ({
          ...price,
          ...(company !== undefined && { company }),
          contract,
          sku: skuCodeOf(price.sku),
        })),
      );
      if (prices.length > CONTRACT_PRICES_MAX)
        fail('XD_VALUE_INVALID', `${prices.length} prices, at most ${CONTRACT_PRICES_MAX}`, { place: 'contracts' });
      return putContracts(db, directory, records, prices);
    },
  );
}
