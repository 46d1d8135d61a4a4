/** Returns: asked for, listed, inspected. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { CrossdockError, fail, fingerprint, type InboundItem, type ReturnInspected } from '../canonical/index.ts';
import { inspectionItem, returnRequestItem } from '../connectors/kit/index.ts';
import { getReturn, listReturnCandidates, listReturnedStock, listReturns, type ReturnRecord } from '../orders/index.ts';
import { databaseNow } from '../store/index.ts';
import { checkChannel, idempotencyKeyOf, keyOf } from './auth.ts';
import { itemResult, resultOf } from './cancellations.ts';
import { pageOf, readCursor } from './cursors.ts';
import type { ApiHub } from './hub.ts';
import { channelOf } from './lookups.ts';
import { findOrderId } from './orders.sql.ts';
import { getOrder } from './orders.ts';
import { receive } from './receive.ts';
import { keyHeader } from './reservations.ts';
import { closed, code, cursor, idParams, limit, list, quantity, sku, skuCodeOf, text, time, utcOf } from './schemas.ts';
import { shown as shownOrder } from './take-back.ts';

const LINES_MAX = 5_000;

const request = closed({
  channel: code(),
  order: text(100, "the channel's own order number"),
  reference: Type.Optional(text(100, 'with the order, the key of the return for ever; default: the Idempotency-Key')),
  reason: Type.Optional(text(200, 'why it comes back, for whoever looks at it')),
  at: Type.Optional(time()),
  lines: list(closed({ lineNo: quantity(), quantity: quantity() }), LINES_MAX),
});
const inspection = closed({
  reference: Type.Optional(
    text(100, 'with the return, the key of the inspection for ever; default: the Idempotency-Key'),
  ),
  by: text(100, 'who looked'),
  reason: Type.Optional(text(500, 'what was found')),
  at: Type.Optional(time()),
  lines: list(
    closed({
      lineNo: quantity(),
      restock: Type.Optional(quantity(0)),
      scrap: Type.Optional(quantity(0)),
      quarantine: Type.Optional(quantity(0)),
      from: Type.Optional(
        Type.Enum(['receipt', 'quarantine'], {
          description:
            'quarantine: units that an inspection before set apart; default receipt: those nobody has looked at',
        }),
      ),
      credited: Type.Optional(
        Type.Boolean({ description: 'false: who sent these units does not get their money; default true' }),
      ),
    }),
    LINES_MAX,
  ),
});
const query = closed({
  state: Type.Optional(
    Type.Enum(['open', 'expected', 'received', 'inspected'], {
      description: 'open: something is still to come, to be inspected or to be decided',
    }),
  ),
  channel: Type.Optional(code()),
  order: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'orderId' })),
  cursor: Type.Optional(cursor()),
  limit: limit(),
});
const shape = Type.Object({
  returnId: Type.String(),
  return: Type.String({ description: 'as other systems know it' }),
  reference: Type.String({ description: 'of whoever asked for it' }),
  reason: Type.Union([Type.String(), Type.Null()]),
  orderId: Type.String(),
  order: Type.String(),
  account: Type.String(),
  location: Type.String(),
  inspection: Type.Union([Type.String(), Type.Null()], {
    description: 'null: on hand as it comes in; before_credit, after_credit: inspected first',
  }),
  state: Type.String(),
  currency: Type.String(),
  lines: Type.Array(
    Type.Object({
      lineNo: Type.Integer(),
      sku: Type.String(),
      quantity: Type.Integer({ description: 'authorised' }),
      received: Type.Integer({ description: 'inInspection + restocked + scrapped + quarantined' }),
      inInspection: Type.Integer(),
      restocked: Type.Integer({ description: 'on hand again' }),
      scrapped: Type.Integer(),
      quarantined: Type.Integer(),
      receivedMinor: Type.Integer({ description: 'what the received units were sold for' }),
      creditMinor: Type.Integer({ description: 'of that, what who sent them gets back' }),
      creditTaxMinor: Type.Integer({ description: 'the tax beside it' }),
    }),
  ),
  inspections: Type.Array(Type.Object({}, { additionalProperties: true })),
  recordedAt: Type.String(),
});

const answerOf = (record: ReturnRecord): Static<typeof shape> => {
  const { channelId: _, returnId, orderId, recordedAt, ...rest } = record;
  return {
    ...rest,
    returnId: String(returnId),
    orderId: String(orderId),
    recordedAt: recordedAt.toISOString(),
  } as Static<typeof shape>;
};

export function returnRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;

  app.post<{ Body: Static<typeof request> }>(
    '/v1/returns',
    {
      config: { scope: 'write', perChannel: true },
      schema: {
        summary: 'Ask for a return: units of an order come back',
        description:
          'What left comes first. Units that were not picked yet are cancelled instead: nobody waits for goods that never left.',
        tags: ['returns'],
        headers: keyHeader,
        body: request,
        response: {
          200: Type.Object({
            reference: Type.String(),
            results: Type.Array(itemResult),
            returns: Type.Array(shape),
            order: Type.Object({}, { additionalProperties: true }),
          }),
        },
      },
    },
    async (asked, reply) => {
      const key = idempotencyKeyOf(asked);
      const { channel, order: externalNo, reason, lines, at } = asked.body;
      checkChannel(asked, channel);
      const [row] = await db.query(findOrderId, [channelOf(hub, channel).channelId, externalNo]);
      if (row === undefined) fail('XD_UNKNOWN_ORDER', `there is no order ${channel}/${externalNo}`, { place: 'order' });
      const order = await getOrder(hub, asked, row.order_id);
      const seen = new Set<number>();
      for (const [i, { lineNo }] of lines.entries()) {
        const place = `lines[${i}].lineNo`;
        if (seen.has(lineNo)) fail('XD_VALUE_INVALID', `${place}: line ${lineNo} appears twice`, { place });
        seen.add(lineNo);
        // A part of a kit may come back alone.
        const line = order.lines.get(lineNo);
        if (line === undefined || (line.standsFor !== null && line.setNo === null))
          fail('XD_VALUE_INVALID', `${place}: order ${order.orderId} has no line ${lineNo}`, { place });
      }
      const reference = asked.body.reference ?? key;
      const occurredAt = await timeOf(hub, at);
      const draft = returnRequestItem({
        kind: 'return.requested',
        ...{ channel, order: externalNo, reference, occurredAt, lines },
        ...(reason !== undefined && { reason }),
      });
      // Without a time nobody gave: the same request later is the same.
      const fields = [reason ?? null, at === undefined ? null : occurredAt, lines.map((l) => [l.lineNo, l.quantity])];
      const item = { ...draft, itemNo: 0, fingerprint: fingerprint('api-return-v1', fields) };
      const result = await receiveOne(hub, asked, item, reference);
      if (result.status === 200) reply.header('idempotent-replayed', 'true');
      const all = await listReturns(db, directory, { orderId: order.orderId, limit: 500 });
      const own = all.filter((one) => one.reference === reference || one.reference.startsWith(`${reference}/F`));
      return {
        ...{ reference, results: [result], returns: own.map(answerOf) },
        order: await shownOrder(hub, asked, order.orderId),
      };
    },
  );

  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/returns',
    {
      config: { scope: 'read', perChannel: true },
      schema: {
        summary: 'Returns, newest first',
        tags: ['returns'],
        querystring: query,
        response: {
          200: Type.Object({ returns: Type.Array(shape), nextCursor: Type.Union([Type.String(), Type.Null()]) }),
        },
      },
    },
    async (asked) => {
      const { state, order, limit } = asked.query;
      const channel = asked.query.channel ?? keyOf(asked).channel ?? undefined;
      if (channel !== undefined) checkChannel(asked, channel);
      const channelId = channel === undefined ? undefined : channelOf(hub, channel).channelId;
      const before = readCursor(asked.query.cursor, ['number'])?.[0];
      const filter = { state, channelId, orderId: order, before, limit: limit + 1 };
      const page = pageOf(await listReturns(db, directory, filter), limit, (one) => [one.returnId]);
      return { returns: page.shown.map(answerOf), nextCursor: page.nextCursor };
    },
  );

  app.get<{ Querystring: { account: string; sku: string } }>(
    '/v1/returns/candidates',
    {
      config: { scope: 'read' },
      schema: {
        summary:
          'What goods that came back without a return may be of: lines of an account that left and did not come back',
        tags: ['returns'],
        querystring: closed({ account: code(), sku: sku() }),
        response: { 200: Type.Object({ candidates: Type.Array(Type.Object({}, { additionalProperties: true })) }) },
      },
    },
    async (asked) => {
      const wanted = { account: asked.query.account, skus: [skuCodeOf(asked.query.sku)] };
      const found = await listReturnCandidates(db, directory, wanted, 100);
      return { candidates: found.map(({ orderId, ...rest }) => ({ orderId: String(orderId), ...rest })) };
    },
  );

  app.get<{ Querystring: { limit: number } }>(
    '/v1/returns/stock',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'What came back and is not on hand: in inspection, or set apart by one',
        tags: ['returns'],
        querystring: closed({ limit: limit() }),
        response: { 200: Type.Object({ stock: Type.Array(Type.Object({}, { additionalProperties: true })) }) },
      },
    },
    async (asked) => ({ stock: await listReturnedStock(db, directory, asked.query.limit) }),
  );

  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/returns/:id',
    {
      config: { scope: 'read', perChannel: true },
      schema: { summary: 'One return', tags: ['returns'], params: idParams, response: { 200: shape } },
    },
    async (asked) => {
      const record = await getReturn(db, directory, asked.params.id);
      checkChannel(asked, directory.channelById.get(record.channelId)?.code ?? '?', 'id');
      return answerOf(record);
    },
  );

  app.post<{ Params: Static<typeof idParams>; Body: Static<typeof inspection> }>(
    '/v1/returns/:id/inspection',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Say what became of goods that came back: on hand again, scrapped, or set apart',
        description: 'Units are decided once: more than came in and nobody has looked at is refused.',
        tags: ['returns'],
        headers: keyHeader,
        params: idParams,
        body: inspection,
        response: { 200: shape },
      },
    },
    async (asked, reply) => {
      const key = idempotencyKeyOf(asked);
      const { id } = asked.params;
      const { by, reason, at, reference = key } = asked.body;
      await getReturn(db, directory, id);
      const occurredAt = await timeOf(hub, at);
      const lines: ReturnInspected['lines'] = asked.body.lines.map((line) => ({
        ...{ restock: 0, scrap: 0, quarantine: 0 },
        ...line,
      }));
      const draft = inspectionItem('api', `R${id}/${reference}`, {
        kind: 'return.inspected',
        ...{ returnReference: directory.returnReference(id), occurredAt, by, lines },
        ...(reason !== undefined && { reason }),
      });
      const fields = [by, reason ?? null, at === undefined ? null : occurredAt, lines];
      const item = { ...draft, itemNo: 0, fingerprint: fingerprint('api-inspection-v1', fields) };
      const result = await receiveOne(hub, asked, item, reference);
      if (result.status === 200) reply.header('idempotent-replayed', 'true');
      return answerOf(await getReturn(db, directory, id));
    },
  );
}

async function timeOf(hub: ApiHub, at: string | undefined): Promise<string> {
  return at === undefined ? (await databaseNow(hub.db)).toISOString() : utcOf(at, 'at');
}

/** @throws where it was refused */
async function receiveOne(hub: ApiHub, asked: FastifyRequest, item: InboundItem, key: string) {
  const [became] = await receive(hub, asked, [item]);
  const result = resultOf(became!, key);
  if (result.status < 300) return result;
  const isConflict = result.code === 'XD_KEY_CONFLICT';
  throw new CrossdockError(
    isConflict ? 'XD_KEY_CONFLICT' : 'XD_REFUSED',
    String(result.detail),
    isConflict
      ? { place: 'reference' }
      : { place: 'lines', ...(became!.status === 'refused' && { refused: became!.class }) },
  );
}
