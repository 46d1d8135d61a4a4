/** Orders that are stuck: listed with what they wait for, and taken care of. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { orderStages } from '../canonical/index.ts';
import { type AlertRecord, acknowledgeAlert, getAlert, listAlerts } from '../ops/index.ts';
import { checkChannel, keyOf } from './auth.ts';
import { pageOf, readCursor } from './cursors.ts';
import type { ApiHub } from './hub.ts';
import { channelOf } from './lookups.ts';
import { closed, code, cursor, idParams, limit, text } from './schemas.ts';

const query = closed({
  state: Type.Optional(Type.Enum(['open', 'ended'])),
  stage: Type.Optional(Type.Enum([...orderStages])),
  channel: Type.Optional(code()),
  owner: Type.Optional(text(100)),
  cursor: Type.Optional(cursor()),
  limit: limit(),
});
const acknowledgement = closed({ by: Type.Optional(text(100, 'who looks after it; default: the key')) });
const nullable = () => Type.Union([Type.String(), Type.Null()]);
const shape = Type.Object({
  alertId: Type.String(),
  state: Type.String(),
  stage: Type.String({ description: 'the state in which the order is longer than it may be' }),
  since: Type.String(),
  dueAt: Type.String(),
  lateSeconds: Type.Integer(),
  owner: Type.String(),
  seenBy: nullable(),
  orderId: Type.String(),
  order: Type.String(),
  account: Type.String(),
  currency: Type.String(),
  totalMinor: Type.Integer(),
  waitsFor: nullable(),
  next: nullable(),
  recordedAt: Type.String(),
  endedAt: nullable(),
});

export function alertRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;
  const channelCode = (id: number) => directory.channelById.get(id)?.code ?? '?';
  const shown = (record: AlertRecord): Static<typeof shape> => {
    const { alertId, orderId, channelId, externalNo, since, dueAt, recordedAt, endedAt, ...rest } = record;
    return {
      ...rest,
      alertId: String(alertId),
      orderId: String(orderId),
      order: `${channelCode(channelId)}/${externalNo}`,
      since: since.toISOString(),
      dueAt: dueAt.toISOString(),
      recordedAt: recordedAt.toISOString(),
      endedAt: endedAt?.toISOString() ?? null,
    };
  };

  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/alerts',
    {
      config: { scope: 'read', perChannel: true },
      schema: {
        summary: 'Orders that are longer in a stage than they may be, newest first',
        tags: ['orders'],
        querystring: query,
        response: { 200: Type.Object({ alerts: Type.Array(shape), nextCursor: nullable() }) },
      },
    },
    async (request) => {
      const { state, stage, owner, limit } = request.query;
      const code = request.query.channel ?? keyOf(request).channel ?? undefined;
      if (code !== undefined) checkChannel(request, code);
      const channelId = code === undefined ? undefined : channelOf(hub, code).channelId;
      const before = readCursor(request.query.cursor, ['number'])?.[0];
      const rows = await listAlerts(db, { state, stage, channelId, owner, before, limit: limit + 1 });
      const page = pageOf(rows, limit, (row) => [row.alertId]);
      return { alerts: page.shown.map(shown), nextCursor: page.nextCursor };
    },
  );

  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/alerts/:id',
    {
      config: { scope: 'read', perChannel: true },
      schema: { summary: 'One of them', tags: ['orders'], params: idParams, response: { 200: shape } },
    },
    async (request) => {
      const record = await getAlert(db, request.params.id);
      checkChannel(request, channelCode(record.channelId), 'id');
      return shown(record);
    },
  );

  app.post<{ Params: Static<typeof idParams>; Body: Static<typeof acknowledgement> }>(
    '/v1/alerts/:id/acknowledge',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Say who looks after it; the first who does stays',
        tags: ['orders'],
        params: idParams,
        body: acknowledgement,
        response: { 200: shape },
      },
    },
    async (request) =>
      shown(await acknowledgeAlert(db, request.params.id, request.body.by ?? `key ${keyOf(request).keyId}`)),
  );
}
