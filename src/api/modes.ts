/** What holds while a system is away. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { listDegradedOrders, listModes } from '../modes/index.ts';
import type { ApiHub } from './hub.ts';
import { closed, decimalOf, idParams, limit } from './schemas.ts';

const query = closed({
  state: Type.Optional(Type.Enum(['open', 'all'], { description: 'default open: those that hold now' })),
  limit: limit(),
});
const ordersQuery = closed({ limit: limit() });
const ORDERS = 100;

export function modeRoutes(app: FastifyInstance, { db, directory }: ApiHub): void {
  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/modes',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Degraded modes: which hold now, why, and what was accepted meanwhile',
        description:
          '`cause` away: the system answers nothing; drill: somebody said so, and it ends by itself at `endsAt`.',
        tags: ['operations'],
        querystring: query,
      },
    },
    async (request) => {
      const { state = 'open', limit: most = ORDERS } = request.query;
      const items = await listModes(db, { all: state === 'all', limit: most });
      return { items: items.map((mode) => ({ ...mode, modeId: String(mode.modeId) })) };
    },
  );

  app.get<{ Params: Static<typeof idParams>; Querystring: Static<typeof ordersQuery> }>(
    '/v1/modes/:id/orders',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Orders that were accepted in a mode, and what fresh credit said of them afterwards',
        description:
          '`overByMinor`: by how much the account was over its limit once the ERP was back; null: not known yet.',
        tags: ['operations'],
        params: idParams,
        querystring: ordersQuery,
      },
    },
    async (request) => {
      const orders = await listDegradedOrders(db, Number(request.params.id), request.query.limit ?? ORDERS);
      return {
        items: orders.map(({ orderId, channelId, externalNo, totalMinor, ...rest }) => ({
          ...{ orderId: String(orderId), order: `${directory.channelById.get(channelId)?.code ?? '?'}/${externalNo}` },
          ...{ ...rest, totalMinor, total: decimalOf(totalMinor, rest.currency) },
        })),
      };
    },
  );
}
