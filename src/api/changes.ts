/** An order that is changed after it was placed: each line is answered, all of them or none. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { CrossdockError, fail, fingerprint, type OrderChangeRequested } from '../canonical/index.ts';
import { changeItem } from '../connectors/kit/index.ts';
import { conflictText, type ItemResult } from '../ingest/index.ts';
import type { ChangedLine, Order, OrderChange } from '../orders/index.ts';
import { databaseNow } from '../store/index.ts';
import { idempotencyKeyOf } from './auth.ts';
import { LARGE_BODY_BYTES_MAX } from './body.ts';
import type { ApiHub } from './hub.ts';
import { orderAnswer } from './order-answer.ts';
import { getOrder, priceCheck } from './orders.ts';
import { receive } from './receive.ts';
import { keyHeader } from './reservations.ts';
import { closed, date, idParams, quantity, sku, skuCodeOf, text, time, unitPrice, utcOf } from './schemas.ts';

const LINES_MAX = 5_000;

const body = closed({
  reference: Type.Optional(text(100, 'with the order its key for ever; default: the Idempotency-Key')),
  number: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description:
        "the channel's own number of the change, growing: of two the higher one holds for the lines it names",
    }),
  ),
  at: Type.Optional(time()),
  whole: Type.Optional(Type.Boolean({ description: 'lines that it does not name are removed' })),
  partial: Type.Optional(
    Type.Boolean({ description: 'a line that can not be changed is left as it is; default: then nothing is changed' }),
  ),
  lines: Type.Array(
    closed({
      lineNo: Type.Optional({ ...quantity(), description: 'absent: a new line, which is given a number' }),
      sku: Type.Optional({ ...sku(), description: 'of a new line, or another one in its place; default: as it is' }),
      quantity: { ...quantity(0), description: 'all units that the line shall have from now on; 0 removes it' },
      unitPrice: Type.Optional({ ...unitPrice(), description: 'of units that are added; default: the price it has' }),
      requestedOn: Type.Optional(date()),
    }),
    { maxItems: LINES_MAX },
  ),
});
const line = Type.Object({
  lineNo: Type.Integer(),
  quantity: Type.Integer({ description: 'as asked' }),
  before: Type.Integer(),
  outcome: Type.String({
    description: 'applied, asked (the WMS answers), unchanged, superseded; else why not: too_late, order_ended, …',
  }),
  detail: Type.Optional(Type.String()),
  added: Type.Optional(
    Type.Object(
      {
        lineNo: Type.Integer(),
        sku: Type.String(),
        quantity: Type.Integer(),
        priceCheck: Type.Optional(priceCheck),
      },
      {
        description: 'units that were added, and the line that holds them',
      },
    ),
  ),
  cancelled: Type.Optional(Type.Integer({ description: 'units given up at once' })),
  asked: Type.Optional(Type.Integer({ description: 'units that the WMS is asked to stop' })),
  tooLate: Type.Optional(Type.Object({ units: Type.Integer(), stage: Type.String() })),
  requestedOn: Type.Optional(Type.String()),
});
const change = {
  reference: Type.String(),
  number: Type.Union([Type.Integer(), Type.Null()]),
  whole: Type.Boolean(),
  lines: Type.Array(line),
};

type Body = Static<typeof body>;

export function changeRoutes(app: FastifyInstance, hub: ApiHub): void {
  app.post<{ Params: Static<typeof idParams>; Body: Body }>(
    '/v1/orders/:id/changes',
    {
      bodyLimit: LARGE_BODY_BYTES_MAX,
      config: { scope: 'write', perChannel: true },
      schema: {
        summary: 'Change lines of an order: other quantities, lines added or removed, another SKU',
        description:
          'All or nothing, unless `partial`. Before the pick only: what can not be given back any more is refused (`too_late`) with the stage it is at. What is added stands as lines of its own with amounts of their own; who ordered sees the sum.',
        tags: ['orders'],
        headers: keyHeader,
        params: idParams,
        body,
        response: { 200: Type.Object({ ...change, order: Type.Object({}, { additionalProperties: true }) }) },
      },
    },
    async (request, reply) => {
      const key = idempotencyKeyOf(request);
      const order = await getOrder(hub, request, request.params.id);
      if (hub.mustWait()) fail('XD_BUSY', 'work in flight is at its bound', { retryAfterSeconds: 1 });
      return answerChange(hub, request, reply, order, key);
    },
  );

  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/orders/:id/changes',
    {
      config: { scope: 'read', perChannel: true },
      schema: {
        summary: 'How an order was changed, oldest first',
        tags: ['orders'],
        params: idParams,
        response: { 200: Type.Object({ changes: Type.Array(Type.Object(change)) }) },
      },
    },
    async (request) => {
      const { changes } = await getOrder(hub, request, request.params.id);
      await loadSkus(hub, changes);
      return { changes: changes.map((one) => shown(hub, one)) };
    },
  );
}

async function answerChange(
  hub: ApiHub,
  request: FastifyRequest<{ Body: Body }>,
  reply: FastifyReply,
  order: Order,
  key: string,
): Promise<object> {
  const asked = request.body;
  const reference = asked.reference ?? key;
  if (asked.lines.length === 0 && asked.whole !== true)
    fail('XD_VALUE_INVALID', 'lines: a change names at least one, or is whole', { place: 'lines' });
  const occurredAt = asked.at === undefined ? (await databaseNow(hub.db)).toISOString() : utcOf(asked.at, 'at');
  const command: OrderChangeRequested = {
    kind: 'order.change_requested',
    channel: hub.directory.channelById.get(order.channelId)!.code,
    order: order.externalNo,
    reference,
    occurredAt,
    ...(asked.number !== undefined && { number: asked.number }),
    ...(asked.whole !== undefined && { whole: asked.whole }),
    ...(asked.partial !== undefined && { partial: asked.partial }),
    lines: asked.lines.map(({ sku: code, ...rest }) => ({
      ...rest,
      ...(code !== undefined && { sku: skuCodeOf(code) }),
    })),
  };
  const { number = null, whole = false, partial = false, lines, at } = asked;
  const [result] = await receive(hub, request, [
    {
      ...changeItem(command),
      itemNo: 0,
      // Without the time: who gives none must get the first answer again, whenever it asks.
      fingerprint: fingerprint('api-change-v1', [number, whole, partial, at === undefined ? null : occurredAt, lines]),
    },
  ]);
  refuse(result!, reference);
  const now = await getOrder(hub, request, order.orderId);
  const done = now.changes.findLast((one) => one.reference === reference);
  if (result!.status === 'duplicate') {
    if (result!.state === 's' || done === undefined) {
      if (result!.state !== 's' && done === undefined)
        fail('XD_REFUSED', `change ${reference} came before and was set aside; it waits to be looked at`, {
          place: 'reference',
        });
      return { ...supersededAnswer(asked, reference), order: await shownOrder(hub, now) };
    }
    reply.header('idempotent-replayed', 'true');
  }
  if (done === undefined) fail('XD_INTERNAL', `change ${reference} of order ${order.orderId} left no record`);
  await loadSkus(hub, [done]);
  return { ...shown(hub, done), order: await shownOrder(hub, now) };
}

function refuse(result: ItemResult, reference: string): void {
  if (result.status === 'refused')
    throw new CrossdockError(result.code, result.reason, {
      refused: result.class,
      place: result.place ?? 'lines',
    });
  if (result.status === 'conflict')
    throw new CrossdockError('XD_KEY_CONFLICT', conflictText(reference, result.difference), {
      ...(result.difference ?? { place: 'reference' }),
    });
}

/** Everything that it asks was asked in a newer change. */
function supersededAnswer({ lines, number, whole = false }: Body, reference: string): object {
  return {
    ...{ reference, number: number ?? null, whole },
    lines: lines.map(({ lineNo = 0, quantity: units }) => ({
      lineNo,
      quantity: units,
      before: 0,
      outcome: 'superseded',
    })),
  };
}

async function loadSkus(hub: ApiHub, changes: readonly OrderChange[]): Promise<void> {
  const skuIds = changes.flatMap(({ lines }) =>
    lines.flatMap(({ added }) => (added === undefined ? [] : [added.skuId])),
  );
  await hub.directory.loadSkuCodes(skuIds);
}

function shown({ directory }: ApiHub, { reference, number, isWhole, lines }: OrderChange): object {
  return {
    ...{ reference, number, whole: isWhole },
    lines: lines.map(({ added, undone: _, ...rest }: ChangedLine) => ({
      ...rest,
      ...(added !== undefined && {
        added: {
          ...{ lineNo: added.lineNo, sku: directory.skuCode(added.skuId), quantity: added.quantity },
          ...(added.priceCheck !== undefined && { priceCheck: added.priceCheck }),
        },
      }),
    })),
  };
}

async function shownOrder(hub: ApiHub, order: Order): Promise<object> {
  await hub.directory.loadSkuCodes([...order.lines.values()].map((one) => one.skuId));
  await hub.directory.loadAccountCodes([order.accountId]);
  return orderAnswer(hub.directory, order);
}
