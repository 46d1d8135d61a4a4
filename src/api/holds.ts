/** Why orders may not go on: listed, shown, put by a person, and released. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { holdKinds } from '../canonical/index.ts';
import { getHold, type HoldRecord, holdOrder, listHolds, releaseHold } from '../orders/index.ts';
import { checkChannel, keyOf } from './auth.ts';
import { pageOf, readCursor } from './cursors.ts';
import type { ApiHub } from './hub.ts';
import { channelOf } from './lookups.ts';
import { getOrder } from './orders.ts';
import { closed, code, cursor, idParams, limit, prose, text, time, utcOf } from './schemas.ts';

const query = closed({
  state: Type.Optional(Type.Enum(['open', 'released'])),
  kind: Type.Optional(Type.Enum([...holdKinds])),
  channel: Type.Optional(code()),
  order: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'orderId' })),
  owner: Type.Optional(text(100)),
  due: Type.Optional(Type.Boolean({ description: 'only those that somebody should have decided by now' })),
  cursor: Type.Optional(cursor()),
  limit: limit(),
});
const putting = closed({
  reason: Type.String({ pattern: '^[a-z][a-z0-9_]{0,39}$', description: 'a short code, e.g. fraud_check' }),
  detail: prose(500),
  dueAt: Type.Optional(time()),
  by: Type.Optional(text(100, 'who; default: the key')),
});
const releasing = closed({
  by: Type.Optional(text(100, 'who; default: the key')),
  reason: Type.Optional(prose(500)),
  reprice: Type.Optional(
    Type.Boolean({ description: 'of a hold for prices: its lines get the decided prices, and the amounts follow' }),
  ),
});
const nullable = (description?: string) =>
  Type.Union([Type.String(), Type.Null()], description === undefined ? {} : { description });
const shape = Type.Object({
  holdId: Type.String(),
  kind: Type.String(),
  reason: Type.String({ description: 'a code' }),
  detail: Type.String(),
  state: Type.String(),
  owner: Type.String(),
  dueAt: nullable(),
  isDue: Type.Boolean({ description: 'open, and nobody has decided in time' }),
  orderId: Type.String(),
  order: Type.String(),
  orderState: Type.String(),
  account: Type.String(),
  currency: Type.String(),
  totalMinor: Type.Integer(),
  heldBy: nullable('null: a rule'),
  releasedBy: nullable(),
  releaseReason: nullable(),
  recordedAt: Type.String(),
  endedAt: nullable(),
});

export function holdRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;
  const deps = { ids: hub.ids, directory };
  const channelCode = (id: number) => directory.channelById.get(id)?.code ?? '?';
  const shown = (record: HoldRecord): Static<typeof shape> => {
    const { channelId, externalNo, holdId, orderId, dueAt, recordedAt, endedAt, ...rest } = record;
    return {
      ...rest,
      holdId: String(holdId),
      orderId: String(orderId),
      order: `${channelCode(channelId)}/${externalNo}`,
      dueAt: dueAt?.toISOString() ?? null,
      recordedAt: recordedAt.toISOString(),
      endedAt: endedAt?.toISOString() ?? null,
    };
  };

  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/holds',
    {
      config: { scope: 'read', perChannel: true },
      schema: {
        summary: 'Why orders may not go on, newest first',
        tags: ['orders'],
        querystring: query,
        response: { 200: Type.Object({ holds: Type.Array(shape), nextCursor: nullable() }) },
      },
    },
    async (request) => {
      const { state, kind, order, owner, due, limit } = request.query;
      const code = request.query.channel ?? keyOf(request).channel ?? undefined;
      if (code !== undefined) checkChannel(request, code);
      const channelId = code === undefined ? undefined : channelOf(hub, code).channelId;
      const before = readCursor(request.query.cursor, ['number'])?.[0];
      const filter = { state, kind, channelId, orderId: order, owner, due, before, limit: limit + 1 };
      const page = pageOf(await listHolds(db, filter), limit, (row) => [row.holdId]);
      return { holds: page.shown.map(shown), nextCursor: page.nextCursor };
    },
  );

  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/holds/:id',
    {
      config: { scope: 'read', perChannel: true },
      schema: { summary: 'One of them', tags: ['orders'], params: idParams, response: { 200: shape } },
    },
    async (request) => {
      const record = await getHold(db, request.params.id);
      checkChannel(request, channelCode(record.channelId), 'id');
      return shown(record);
    },
  );

  app.post<{ Params: Static<typeof idParams>; Body: Static<typeof putting> }>(
    '/v1/orders/:id/holds',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Hold an order',
        description:
          'What it has of stock stays its own, it gets no more, and no system is asked for anything new of it. What the WMS was asked for before stays with it. The same reason and detail again is the same hold.',
        tags: ['orders'],
        params: idParams,
        body: putting,
        response: { 201: shape },
      },
    },
    async (request, reply) => {
      await getOrder(hub, request, request.params.id);
      const { reason, detail, dueAt, by } = request.body;
      const record = await holdOrder(db, deps, request.params.id, {
        ...{ reason, detail, by: by ?? `key ${keyOf(request).keyId}` },
        ...(dueAt !== undefined && { dueAt: utcOf(dueAt, 'dueAt') }),
      });
      hub.onCommit();
      reply.code(201);
      return shown(record);
    },
  );

  app.post<{ Params: Static<typeof idParams>; Body: Static<typeof releasing> }>(
    '/v1/holds/:id/release',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Release a hold',
        description: 'The same again does nothing. With the last hold of an order the ERP is told the order.',
        tags: ['orders'],
        params: idParams,
        body: releasing,
        response: { 200: shape },
      },
    },
    async (request) => {
      const { by, reason, reprice } = request.body;
      const record = await releaseHold(db, deps, request.params.id, {
        by: by ?? `key ${keyOf(request).keyId}`,
        ...{ reason, reprice },
      });
      hub.onCommit();
      return shown(record);
    },
  );
}
