/** What channels, their regions and accounts are kept of a SKU, and may be promised at most. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { putQuotas, readQuotas } from '../orders/index.ts';
import { keyOf } from './auth.ts';
import { pageOf, readCursor } from './cursors.ts';
import type { ApiHub } from './hub.ts';
import { channelOf } from './lookups.ts';
import { closed, code, cursor, limit, list, quantity, sku, skuCodeOf, text, time, utcOf } from './schemas.ts';

export const QUOTAS_MAX = 1_000;

const query = closed({
  sku: Type.Optional(sku()),
  channel: Type.Optional(code()),
  all: Type.Optional(Type.Boolean({ description: 'ended ones too' })),
  cursor: Type.Optional(cursor()),
  limit: limit(),
});
const body = closed({
  quotas: list(
    closed({
      skus: list(sku(), 500),
      channel: code(),
      region: Type.Optional(text(100, 'of its accounts; absent: all of them')),
      account: Type.Optional(code()),
      from: time(),
      to: time(),
      ringFenced: Type.Optional(quantity(0)),
      cap: Type.Optional(Type.Union([quantity(0), Type.Null()])),
      borrow: Type.Optional(Type.Boolean()),
      lend: Type.Optional(Type.Boolean()),
    }),
    QUOTAS_MAX,
  ),
});
const nullable = (schema: ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>) =>
  Type.Union([schema, Type.Null()]);
const shape = Type.Object({
  quotaId: Type.String(),
  sku: Type.String(),
  channel: Type.String(),
  region: nullable(Type.String()),
  account: nullable(Type.String()),
  from: Type.String(),
  to: Type.String(),
  ringFenced: Type.Integer({ description: 'promised to nobody else' }),
  cap: nullable(Type.Integer({ description: 'the most that is promised' })),
  borrow: Type.Boolean({ description: 'may take what is kept above it, and beside it where that lends' }),
  lend: Type.Boolean({ description: 'those beside it that borrow may take what is kept for it' }),
  used: Type.Integer({ description: 'promised or shipped of what was ordered in its period' }),
  recordedAt: Type.String(),
  recordedBy: Type.String(),
});

export function quotaRoutes(app: FastifyInstance, hub: ApiHub): void {
  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/quotas',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Quotas with what is used of each, oldest first',
        tags: ['stock'],
        querystring: query,
        response: {
          200: Type.Object({ quotas: Type.Array(shape), nextCursor: Type.Union([Type.String(), Type.Null()]) }),
        },
      },
    },
    async (request) => {
      const { channel, all = false, limit } = request.query;
      const [after] = readCursor(request.query.cursor, ['number']) ?? [];
      const rows = await readQuotas(hub.db, hub.directory, {
        sku: request.query.sku === undefined ? undefined : skuCodeOf(request.query.sku),
        channelId: channel === undefined ? undefined : channelOf(hub, channel).channelId,
        ...{ all, after: after as number | undefined, limit: limit + 1 },
      });
      const { shown, nextCursor } = pageOf(rows, limit, (row) => [Number(row.quotaId)]);
      return { quotas: shown, nextCursor };
    },
  );

  app.put<{ Body: Static<typeof body> }>(
    '/v1/quotas',
    {
      config: { scope: 'write' },
      schema: {
        summary: 'Add or change quotas',
        description:
          'One of the same channel, region, account, SKU and `from` is changed; others stay. Of the same node and SKU no two hold at once (XD_QUOTA_OVERLAP). What orders of its period hold already counts; nothing is taken from anybody. `ringFenced` 0 releases what was kept. In parts of 500 SKUs: a fault in one leaves those before it written.',
        tags: ['stock'],
        body,
        response: { 200: closed({ written: Type.Integer({ description: 'quotas added or really changed' }) }) },
      },
    },
    async (request) => {
      const records = request.body.quotas.flatMap(({ skus, from, to, ...rest }, i) =>
        skus.map((one) => ({
          ...rest,
          sku: skuCodeOf(one),
          from: utcOf(from, `quotas[${i}].from`),
          to: utcOf(to, `quotas[${i}].to`),
        })),
      );
      return {
        written: await putQuotas(
          hub.db,
          { ids: hub.ids, directory: hub.directory },
          records,
          `key ${keyOf(request).keyId}`,
        ),
      };
    },
  );
}
