/** Credit: what the hub answers from its own knowledge. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
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
        summary: "What an account's open orders come to, and its limit",
        description:
          'From the hub’s own open orders: units neither cancelled nor invoiced. What is invoiced and unpaid is the ERP’s to know.',
        tags: ['records'],
        params: accountParams,
        querystring: accountQuery,
      },
    },
    async (request) => {
      const account = await accountOf(hub, request.params.id, request.query.company, 'id');
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
