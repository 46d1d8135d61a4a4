/** Units of one order taken back: before the pick they are cancelled, after it they come back as a return. Returns that are asked for: `returns.ts`. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { CrossdockError, fail, fingerprint, type InboundItem } from '../canonical/index.ts';
import { cancelItem, orderCancelItem } from '../connectors/kit/index.ts';
import { leftOf, type Order, type OrderEvent, rootOf } from '../orders/index.ts';
import { databaseNow, texts } from '../store/index.ts';
import { idempotencyKeyOf } from './auth.ts';
import { itemResult, resultOf } from './cancellations.ts';
import type { ApiHub } from './hub.ts';
import { orderAnswer } from './order-answer.ts';
import { knownKeys } from './orders.sql.ts';
import { getOrder } from './orders.ts';
import { receive } from './receive.ts';
import { keyHeader } from './reservations.ts';
import { closed, idParams, list, quantity, text, time, utcOf } from './schemas.ts';

const LINES_MAX = 5_000;
const lines = list(closed({ lineNo: quantity(), quantity: quantity() }), LINES_MAX);
const reference = Type.Optional(
  text(100, 'with the order and its line, the key of each part for ever; default: the Idempotency-Key'),
);

const cancel = closed({
  reference,
  at: Type.Optional(time()),
  lines: Type.Optional({ ...lines, description: 'default: everything that is left' }),
});
const answer = Type.Object({
  reference: Type.String(),
  results: Type.Array(itemResult),
  order: Type.Object({}, { additionalProperties: true }),
});

export function takeBackRoutes(app: FastifyInstance, hub: ApiHub): void {
  app.post<{ Params: Static<typeof idParams>; Body: Static<typeof cancel> }>(
    '/v1/orders/:id/cancel',
    {
      config: { scope: 'write', perChannel: true },
      schema: {
        summary: 'Cancel lines of an order, or all that is left of it',
        description:
          'What the WMS was told to pick is asked of it first; what was picked already is expected back as a return.',
        tags: ['orders'],
        headers: keyHeader,
        params: idParams,
        body: cancel,
        response: { 200: answer },
      },
    },
    async (request, reply) => {
      const order = await getOrder(hub, request, request.params.id);
      if (request.body.lines === undefined) return cancelWhole(hub, request, reply, order, request.body);
      return takeBack(hub, request, reply, order, { ...request.body, lines: request.body.lines });
    },
  );
}

interface Asked {
  reference?: string;
  at?: string;
  lines: { lineNo: number; quantity: number }[];
}

async function takeBack(
  hub: ApiHub,
  request: FastifyRequest,
  reply: FastifyReply,
  order: Order,
  asked: Asked,
): Promise<object> {
  const key = idempotencyKeyOf(request);
  const { directory } = hub;
  const name = asked.reference ?? key;
  const channel = directory.channelById.get(order.channelId)!;
  const skus = [...order.lines.values()].map((line) => line.skuId);
  await directory.loadSkuCodes(skus);
  await directory.loadAccountCodes([order.accountId]);
  const occurredAt = asked.at === undefined ? (await databaseNow(hub.db)).toISOString() : utcOf(asked.at, 'at');
  const items: InboundItem[] = [];
  const parts = asked.lines;
  const seen = new Set<number>();
  for (const [i, { lineNo, quantity }] of parts.entries()) {
    if (seen.has(lineNo))
      fail('XD_VALUE_INVALID', `lines[${i}].lineNo: line ${lineNo} appears twice`, { place: `lines[${i}].lineNo` });
    seen.add(lineNo);
    const line = order.lines.get(lineNo);
    if (line === undefined)
      fail('XD_VALUE_INVALID', `lines[${i}].lineNo: order ${order.orderId} has no line ${lineNo}`, {
        place: `lines[${i}].lineNo`,
      });
    const draft = cancelItem({
      kind: 'order.cancel_requested',
      channel: channel.code,
      reference: name,
      account: directory.accountCode(order.accountId),
      occurredAt,
      order: order.externalNo,
      lineNo,
      sku: directory.skuCode(line.skuId),
      quantity,
    });
    // Without the time: who gives none must get the first answer again, whenever he asks.
    items.push({
      ...draft,
      itemNo: items.length,
      fingerprint: fingerprint('api-cancel-v1', [
        order.externalNo,
        lineNo,
        quantity,
        asked.at === undefined ? null : occurredAt,
      ]),
    });
  }
  const results = await receive(hub, request, items);
  const answers = results.map((result, i) => ({
    lineNo: parts[i]!.lineNo,
    quantity: parts[i]!.quantity,
    ...resultOf(result, name),
  }));
  const first = answers.find((part) => part.status >= 300);
  if (first !== undefined && answers.every((part) => part.status >= 300))
    throw new CrossdockError(
      first.code === 'XD_KEY_CONFLICT' ? 'XD_KEY_CONFLICT' : 'XD_REFUSED',
      String(first.detail),
      { place: first.code === 'XD_KEY_CONFLICT' ? 'reference' : 'lines[0].quantity', results: answers },
    );
  if (answers.every((part) => part.status === 200)) reply.header('idempotent-replayed', 'true');
  return { reference: name, results: answers, order: await shown(hub, request, order.orderId) };
}

export async function shown(hub: ApiHub, request: FastifyRequest, orderId: number): Promise<object> {
  return orderAnswer(hub.directory, await getOrder(hub, request, orderId));
}

/** Everything that is left when the order is reached, at whatever stage each unit is by then. */
async function cancelWhole(
  hub: ApiHub,
  request: FastifyRequest,
  reply: FastifyReply,
  order: Order,
  asked: Omit<Asked, 'lines'>,
): Promise<object> {
  const name = asked.reference ?? idempotencyKeyOf(request);
  const channel = hub.directory.channelById.get(order.channelId)!.code;
  const occurredAt = asked.at === undefined ? (await databaseNow(hub.db)).toISOString() : utcOf(asked.at, 'at');
  const { externalNo } = order;
  const command = { channel, reference: name, order: externalNo, occurredAt };
  const draft = orderCancelItem({ kind: 'order.whole_cancel_requested', ...command });
  const isKnown = (await hub.db.query(knownKeys, [draft.scope, texts([draft.key])])).length > 0;
  if (!isKnown && [...order.lines.values()].every((line) => leftOf(line) === 0))
    fail('XD_REFUSED', `nothing is left of order ${order.orderId} that could be taken back`, {
      refused: 'over_cancel',
    });
  const [result] = await receive(hub, request, [
    {
      ...draft,
      itemNo: 0,
      // Without the time: who gives none must get the first answer again, whenever he asks.
      fingerprint: fingerprint('api-order-cancel-v1', [externalNo, asked.at === undefined ? null : occurredAt]),
    },
  ]);
  if (result!.status === 'conflict') {
    const { detail } = resultOf(result!, name);
    throw new CrossdockError('XD_KEY_CONFLICT', String(detail), { place: 'reference' });
  }
  if (result!.status === 'duplicate') reply.header('idempotent-replayed', 'true');
  const events = result!.status === 'applied' ? result!.events : [];
  return { reference: name, results: takenOf(order, events), order: await shown(hub, request, order.orderId) };
}

/** What was taken of each line that was ordered, with what was added to it and stands for it. */
function takenOf(order: Order, events: readonly OrderEvent[]): object[] {
  const taken = new Map<number, { quantity: number; did: Set<string> }>();
  for (const event of events) {
    if (!TAKES.has(event.type) || !('lines' in event)) continue;
    for (const { lineNo, quantity } of event.lines as { lineNo: number; quantity: number }[]) {
      const line = order.lines.get(lineNo);
      const root = line === undefined ? lineNo : rootOf(line);
      const sum = taken.get(root) ?? { quantity: 0, did: new Set<string>() };
      taken.set(root, { quantity: sum.quantity + quantity, did: sum.did.add(event.type) });
    }
  }
  return [...taken]
    .sort(([a], [b]) => a - b)
    .map(([lineNo, { quantity, did }]) => ({ lineNo, quantity, status: 201, outcome: 'applied', did: [...did] }));
}

const TAKES: ReadonlySet<string> = new Set(['order.lines_cancelled', 'order.cancel_asked', 'return.authorised']);
