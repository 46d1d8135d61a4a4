/** What purchasing should know: what waits, what is to come and to whom it is promised, and what is short. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { readPurchasing } from '../projections/index.ts';
import { pageOf, readCursor } from './cursors.ts';
import type { ApiHub } from './hub.ts';
import { companyOf } from './lookups.ts';
import { closed, code, cursor, limit, sku, skuCodeOf } from './schemas.ts';

const query = closed({
  sku: Type.Optional(sku()),
  company: Type.Optional(code()),
  short: Type.Optional(Type.Boolean({ description: 'only what is short' })),
  cursor: Type.Optional(cursor()),
  limit: limit(),
});
const shape = Type.Object({
  company: Type.String(),
  sku: Type.String(),
  unit: Type.String(),
  free: Type.Integer({ description: 'there, and promised to nobody' }),
  waiting: Type.Integer({ description: 'units that orders wait for' }),
  held: Type.Integer({ description: 'of these, what waits for a person' }),
  missing: Type.Integer({ description: 'promised beyond what is there: goods that were lost' }),
  promisedOfSupply: Type.Integer({ description: 'of the waiting units, those that are promised of what is to come' }),
  toCome: Type.Integer(),
  overdue: Type.Integer({ description: 'of what is to come, what should be there by now' }),
  toComeFree: Type.Integer({ description: 'to come and promised to nobody' }),
  short: Type.Integer({ description: 'needed beyond everything that is there and to come: what is to be bought' }),
  supplies: Type.Array(
    Type.Object({
      source: Type.String(),
      id: Type.String(),
      location: Type.String(),
      dueAt: Type.String(),
      toCome: Type.Integer(),
      promised: Type.Integer(),
      orders: Type.Integer({ description: 'to which it is promised' }),
      overdue: Type.Boolean(),
    }),
  ),
});

export function purchasingRoutes(app: FastifyInstance, hub: ApiHub): void {
  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/purchasing',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'What is promised of what is to come, and what is short, by company and SKU',
        description:
          'Only SKUs of which something waits or is to come. What waits without a promise is served from what is to come and free, before anybody else.',
        tags: ['stock'],
        querystring: query,
        response: {
          200: Type.Object({
            outlook: Type.Array(shape),
            nextCursor: Type.Union([Type.String(), Type.Null()]),
          }),
        },
      },
    },
    async (request) => {
      const { company, short, limit } = request.query;
      if (company !== undefined) companyOf(hub, company);
      const rows = await readPurchasing(hub.db, {
        ...{ company, short, limit: limit + 1 },
        after: readCursor(request.query.cursor, ['text', 'text']),
        sku: request.query.sku === undefined ? undefined : skuCodeOf(request.query.sku),
      });
      const { shown, nextCursor } = pageOf(rows, limit, (row) => [row.company, row.sku]);
      return { outlook: shown, nextCursor };
    },
  );
}
