/** What orders can't have as they were ordered: listed, shown, and settled by a person where a rule leaves it to one. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { type ExceptionRecord, getException, listExceptions, settleException } from '../orders/index.ts';
import { checkChannel, keyOf } from './auth.ts';
import { pageOf, readCursor } from './cursors.ts';
import type { ApiHub } from './hub.ts';
import { channelOf } from './lookups.ts';
import { closed, code, cursor, idParams, limit, prose, text } from './schemas.ts';

const query = closed({
  state: Type.Optional(Type.Enum(['open', 'resolved'])),
  kind: Type.Optional(Type.Enum(['oversold', 'short', 'short_picked'])),
  channel: Type.Optional(code()),
  order: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'orderId' })),
  cursor: Type.Optional(cursor()),
  limit: limit(),
});
const settlement = closed({
  as: Type.Enum(['backorder', 'substitute', 'cancel'], {
    description:
      "backorder: the units wait for stock; substitute: the product's substitutes are sent instead; cancel: the channel is told to take them back",
  }),
  otherwise: Type.Optional(
    Type.Enum(['backorder', 'cancel'], {
      description: 'for units that no substitute covers; default: then nothing is settled, and that is the answer',
    }),
  ),
  by: Type.Optional(text(100, 'who decided; default: the key')),
  reason: Type.Optional(prose(500)),
});
const quantities = {
  units: Type.Integer({ description: 'held + backordered + cancelled + substituted + resourced' }),
  held: Type.Integer({ description: 'wait for a person' }),
  backordered: Type.Integer(),
  cancelled: Type.Integer(),
  substituted: Type.Integer(),
  resourced: Type.Integer({ description: 'of a short pick: taken from another place at once' }),
};
const shape = Type.Object({
  exceptionId: Type.String(),
  kind: Type.String(),
  state: Type.String({ description: 'open while units are held' }),
  policy: Type.String({ description: 'the rule it was decided by when it was found' }),
  orderId: Type.String(),
  order: Type.String(),
  lineNo: Type.Integer(),
  sku: Type.String(),
  ...quantities,
  unit: Type.String(),
  substitutes: Type.Array(Type.Object({ lineNo: Type.Integer(), sku: Type.String(), quantity: Type.Integer() }), {
    description: 'the lines that stand for this one',
  }),
  resolvedBy: Type.Union([Type.String(), Type.Null()], { description: 'null: its rule' }),
  reason: Type.Union([Type.String(), Type.Null()]),
  recordedAt: Type.String(),
  endedAt: Type.Union([Type.String(), Type.Null()]),
});

export function exceptionRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;
  const channelCode = (id: number) => directory.channelById.get(id)?.code ?? '?';
  const shown = (record: ExceptionRecord): Static<typeof shape> => {
    const { exceptionId, orderId, channelId, externalNo, standIns, recordedAt, endedAt, ...rest } = record;
    return {
      ...rest,
      exceptionId: String(exceptionId),
      orderId: String(orderId),
      order: `${channelCode(channelId)}/${externalNo}`,
      substitutes: standIns,
      recordedAt: recordedAt.toISOString(),
      endedAt: endedAt?.toISOString() ?? null,
    };
  };

  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/exceptions',
    {
      config: { scope: 'read', perChannel: true },
      schema: {
        summary: 'What orders can’t have as they were ordered, newest first',
        description:
          'oversold: units that a channel sold by itself and that could not be allocated; short: units that an order could not have, of which substitutes are sent or offered; short_picked: units that a WMS was told to pick and could not find.',
        tags: ['orders'],
        querystring: query,
        response: {
          200: Type.Object({ exceptions: Type.Array(shape), nextCursor: Type.Union([Type.String(), Type.Null()]) }),
        },
      },
    },
    async (request) => {
      const { state, kind, order, limit } = request.query;
      const code = request.query.channel ?? keyOf(request).channel ?? undefined;
      if (code !== undefined) checkChannel(request, code);
      const channelId = code === undefined ? undefined : channelOf(hub, code).channelId;
      const before = readCursor(request.query.cursor, ['number'])?.[0];
      const rows = await listExceptions(db, { state, kind, channelId, orderId: order, before, limit: limit + 1 });
      const page = pageOf(rows, limit, (row) => [row.exceptionId]);
      return { exceptions: page.shown.map(shown), nextCursor: page.nextCursor };
    },
  );

  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/exceptions/:id',
    {
      config: { scope: 'read', perChannel: true },
      schema: { summary: 'One of them', tags: ['orders'], params: idParams, response: { 200: shape } },
    },
    async (request) => {
      const record = await getException(db, request.params.id);
      checkChannel(request, channelCode(record.channelId), 'id');
      return shown(record);
    },
  );

  app.post<{ Params: Static<typeof idParams>; Body: Static<typeof settlement> }>(
    '/v1/exceptions/:id/resolve',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Settle the units that are held',
        description:
          'The same again does nothing; once it is settled otherwise it is refused. With the last held unit of an order the ERP is told the order.',
        tags: ['orders'],
        params: idParams,
        body: settlement,
        response: { 200: shape },
      },
    },
    async (request) => {
      const { as, otherwise, by, reason } = request.body;
      const deps = { ids: hub.ids, directory };
      const record = await settleException(db, deps, request.params.id, {
        ...{ as, otherwise, reason },
        by: by ?? `key ${keyOf(request).keyId}`,
      });
      hub.onCommit();
      return shown(record);
    },
  );
}
