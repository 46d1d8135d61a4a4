/** Credit: what the hub answers from its own knowledge. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { readCredit, readPaths } from '../credit/index.ts';
import type { ApiHub } from './hub.ts';
import { accountOf } from './lookups.ts';
import { readExposure } from './pages.sql.ts';
import { closed, code, decimalOf } from './schemas.ts';

const accountParams = closed({ id: code() });
const accountQuery = closed({ company: Type.Optional(code()) });

export function decisionRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;

  app.get<{ Params: Static<typeof accountParams>; Querystring: Static<typeof accountQuery> }>(
    '/v1/accounts/:id/credit',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'What an account owes and may owe: each part of it, as of when, and what is left',
        description:
          'exposure = open orders + open invoices as the ERP reported them + what the hub accepted and no report shows yet. `limitOf` is the account whose limit counts: the nearest one above that has any. `basis` live: the report is as fresh as the estate asks; cached: it is older, and less may be accepted on it; none: nobody has reported it. `openOrders` are the hub’s own: units neither cancelled nor invoiced.',
        tags: ['records'],
        params: accountParams,
        querystring: accountQuery,
      },
    },
    async (request) => {
      const account = await accountOf(hub, request.params.id, request.query.company, 'id');
      const [open] = await db.query(readExposure, [account.account_id]);
      const path = (await readPaths(db, [account.account_id])).get(account.account_id)!;
      const credit = await readCredit(db, directory.credit, path);
      const isReported = credit !== undefined && credit.asOf !== null;
      const money = isReported ? credit.currency : account.currency;
      const limitMinor = isReported ? credit.limitMinor : account.credit_limit_minor;
      const availableMinor = limitMinor === null ? null : limitMinor - (credit?.exposureMinor ?? open!.open_minor);
      const part = (minor: number) => ({ amount: decimalOf(minor, money), amountMinor: minor });
      if (isReported) await directory.loadAccountCodes([credit.holderId]);
      return {
        account: account.code,
        company: directory.companyById.get(account.company_id)?.code ?? null,
        currency: money,
        creditLimit: limitMinor === null ? null : decimalOf(limitMinor, money),
        limitOf: isReported ? directory.accountCode(credit.holderId) : null,
        exposure:
          credit === undefined
            ? null
            : {
                ...part(credit.exposureMinor),
                openOrders: part(credit.openOrdersMinor),
                openInvoices: part(credit.openInvoicesMinor),
                ...(credit.belowMinor !== 0 && { below: part(credit.belowMinor) }),
                accepted: { orders: credit.claims, ...part(credit.claimedMinor), onCached: part(credit.cachedMinor) },
              },
        openOrders: {
          count: open!.orders,
          amount: decimalOf(open!.open_minor, account.currency),
          amountMinor: open!.open_minor,
          oldestAt: open!.oldest_at?.toISOString() ?? null,
        },
        available: availableMinor === null ? null : decimalOf(availableMinor, money),
        asOf: credit?.asOf ?? null,
        ageSeconds: credit === undefined || credit.ageMs === null ? null : Math.floor(credit.ageMs / 1_000),
        basis: !isReported ? 'none' : credit.ageMs! <= directory.credit.freshMs ? 'live' : 'cached',
        source: isReported ? credit.source : 'open orders in the hub',
      };
    },
  );
}
