/** Orders in, and what became of them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Static, type TSchema, Type } from 'typebox';
import { CrossdockError, chargeKinds, fail, type OrderSubmitted } from '../canonical/index.ts';
import { orderItem } from '../connectors/kit/index.ts';
import { type ItemResult, ORDER_LINES_MAX } from '../ingest/index.ts';
import { listFacts } from '../log/index.ts';
import type { Order } from '../orders/index.ts';
import { readFirstDecision, readOrders, readPromises } from '../orders/index.ts';
import { checkChannel, idempotencyKeyOf, keyOf } from './auth.ts';
import { LARGE_BODY_BYTES_MAX } from './body.ts';
import type { ApiHub } from './hub.ts';
import { channelOf } from './lookups.ts';
import { type Accepted, decisionAnswer, differenceOf, orderAnswer, saidBy, saidOf } from './order-answer.ts';
import { OrderKeys } from './order-keys.ts';
import { consent, orderTerms, termsOf } from './order-terms.ts';
import { findOrderId } from './orders.sql.ts';
import { receive } from './receive.ts';
import { keyHeader } from './reservations.ts';
import {
  checkTyped,
  closed,
  code,
  currency,
  idParams,
  list,
  packLevel,
  pricePer,
  quantity,
  sku,
  skuCodeOf,
  text,
  time,
  typedQuantity,
  unit,
  unitPrice,
  utcOf,
} from './schemas.ts';

const minor = (description: string) =>
  Type.Integer({ minimum: -1_000_000_000_000, maximum: 1_000_000_000_000, description: `minor units: ${description}` });
const submission = closed({
  company: code(),
  channel: code(),
  externalNo: text(100, "the channel's own number: with the channel, the order's key for ever"),
  account: code(),
  currency: currency(),
  orderedAt: time(),
  lines: list(
    closed({
      lineNo: quantity(),
      sku: sku(),
      quantity: typedQuantity(),
      unit: Type.Optional(unit()),
      packLevel: Type.Optional(packLevel()),
      unitPrice: unitPrice(),
      priceUnit: Type.Optional(unit("what the price is for; default the line's unit")),
      pricePer: Type.Optional(pricePer()),
    }),
    ORDER_LINES_MAX,
  ),
  charges: Type.Optional(
    list(closed({ kind: Type.Enum([...chargeKinds]), code: code(), amountMinor: minor('below 0: taken off') }), 100),
  ),
  taxes: Type.Optional(
    list(
      closed(
        {
          lineNo: Type.Optional(quantity()),
          charge: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: '1 is the first' })),
          code: code(),
          rate: Type.String({ pattern: '^\\d{1,3}(\\.\\d{1,4})?$', description: 'per cent' }),
          baseMinor: minor('what it is the tax of'),
          taxMinor: minor('as it was agreed: never worked out again'),
        },
        'of a line, of a charge, or of the whole order',
      ),
      5_000,
    ),
  ),
  reservations: Type.Optional(list(Type.String({ pattern: '^[0-9]{1,15}$' }), 1_000)),
  ...orderTerms,
  ...consent,
});
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const promisedPart = Type.Object({
  quantity: Type.Integer(),
  at: Type.Union([Type.String(), Type.Null()], { description: 'when it leaves; null: nobody knows' }),
  location: Type.Union([Type.String(), Type.Null()]),
  reason: Type.String({ description: 'stock, supply, no_supply, held, no_calendar or ship_complete' }),
});
export const priceCheck = Type.Object(
  {
    outcome: Type.String({ description: 'accepted, repriced or held' }),
    askedPrice: Type.String(),
    askedPer: Type.Integer(),
    decidedPrice: nullable(Type.String()),
    decidedPer: nullable(Type.Integer()),
    source: nullable(Type.String()),
    name: nullable(Type.String()),
  },
  { description: "where its price was not the one decided here, beyond the channel's tolerance" },
);
const ordered = Type.Object(
  {
    quantity: Type.String(),
    unit: Type.String(),
    packLevel: Type.String(),
    base: Type.Integer({ description: 'the same in base units' }),
    unitPrice: Type.String(),
    priceUnit: Type.String(),
    pricePer: Type.Integer(),
    rounding: Type.Optional(Type.String({ description: "up, nearest or down: by the product's rule" })),
  },
  { description: 'what the line said, where that is in another unit or was rounded' },
);
const decided = Type.Object({
  chargesMinor: Type.Optional(Type.Integer({ description: 'part of the total; of orders with charges or taxes' })),
  taxMinor: Type.Optional(Type.Integer({ description: 'beside the total' })),
  orderId: Type.String(),
  channel: Type.String(),
  externalNo: Type.String(),
  state: Type.String(),
  currency: Type.String(),
  total: Type.String(),
  totalMinor: Type.Integer(),
  degraded: Type.Optional(Type.String({ description: 'erp: the ERP was away when it was accepted' })),
  credit: Type.Optional(
    Type.Object(
      {
        decision: Type.String({ description: 'accepted or held' }),
        reason: nullable(Type.String({ description: 'over_credit, credit_unknown or other_currency' })),
        basis: Type.String({ description: 'live or cached: how old the report was' }),
        amountMinor: Type.Integer(),
        limitMinor: nullable(Type.Integer()),
        exposureMinor: Type.Integer({ description: 'before this order' }),
        availableMinor: nullable(Type.Integer()),
        asOf: nullable(Type.String()),
        ageSeconds: nullable(Type.Integer()),
      },
      { description: 'where the channel checks credit: what was decided, and what was known' },
    ),
  ),
  lines: Type.Array(
    Type.Object({
      lineNo: Type.Integer(),
      sku: Type.String(),
      quantity: Type.Integer(),
      unit: Type.String(),
      decision: Type.String({ description: 'allocated, partly_allocated, backordered or refused' }),
      allocated: Type.Array(Type.Object({ location: Type.String(), quantity: Type.Integer() })),
      backordered: Type.Integer(),
      kits: Type.Optional(
        Type.Integer({ description: 'of a kit: so many are set aside whole; the lines that stand for it say where' }),
      ),
      standsFor: Type.Optional(
        Type.Integer({
          description: 'the ordered line whose units this one delivers; its amount is part of that line’s',
        }),
      ),
      perUnit: Type.Optional(Type.Integer({ description: 'how many of it stand for one unit of that line' })),
      expected: Type.Array(Type.Object({ dueAt: Type.String(), location: Type.String(), quantity: Type.Integer() }), {
        description: 'backordered units that are promised of dated supply',
      }),
      promised: Type.Optional(
        Type.Array(promisedPart, { description: 'when what leaves; of channels that promise dates' }),
      ),
      refused: Type.Integer(),
      unitPrice: Type.String(),
      pricePer: Type.Optional(Type.Integer({ description: 'base units that the price is for; absent: 1' })),
      amountMinor: Type.Integer(),
      ordered: Type.Optional(ordered),
      priceCheck: Type.Optional(priceCheck),
    }),
  ),
});

export function orderRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { directory } = hub;
  const keys = new OrderKeys(hub.db);

  app.post<{ Body: Static<typeof submission> }>(
    '/v1/orders',
    {
      bodyLimit: LARGE_BODY_BYTES_MAX,
      config: { scope: 'write', perChannel: true },
      schema: {
        summary: 'Submit an order; every line is decided before the answer',
        description:
          'The key for ever is (channel, externalNo). The same order again gets the first answer with Idempotent-Replayed: true; once its facts are dropped, without `expected`.',
        tags: ['orders'],
        headers: keyHeader,
        body: submission,
        response: { 201: decided },
      },
    },
    async (request, reply) => {
      const key = idempotencyKeyOf(request);
      checkChannel(request, request.body.channel);
      channelOf(hub, request.body.channel);
      if (hub.mustWait()) fail('XD_BUSY', 'work in flight is at its bound', { retryAfterSeconds: 1 });
      const command = commandOf(request.body);
      await keys.bind(keyOf(request).keyId, key, command.channel, command.externalNo);
      const [result] = await receive(hub, request, [{ ...orderItem(command), itemNo: 0 }]);
      return answerSubmission(hub, command, result!, reply);
    },
  );

  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/orders/:id',
    {
      config: { scope: 'read', perChannel: true },
      schema: { summary: 'One order as it stands', tags: ['orders'], params: idParams },
    },
    async (request) => {
      const order = await getOrder(hub, request, request.params.id);
      await directory.loadSkuCodes([...order.lines.values()].map((line) => line.skuId));
      await directory.loadAccountCodes([order.accountId]);
      const promises = await readPromises(hub.db, [order.orderId]);
      return orderAnswer(directory, order, promises.get(order.orderId));
    },
  );
}

/** @throws XD_UNKNOWN_ORDER also for an order of a channel that this key doesn't speak for */
export async function getOrder(hub: ApiHub, request: FastifyRequest, orderId: number): Promise<Order> {
  const order = (await readOrders(hub.db, [orderId])).get(orderId);
  const bound = keyOf(request).channel;
  if (order === undefined || (bound !== null && hub.directory.channelById.get(order.channelId)?.code !== bound))
    fail('XD_UNKNOWN_ORDER', `there is no order ${orderId}`, { place: 'id' });
  return order;
}

function commandOf(body: Static<typeof submission>): OrderSubmitted {
  return {
    kind: 'order.submitted',
    channel: body.channel,
    externalNo: body.externalNo,
    company: body.company,
    account: body.account,
    currency: body.currency,
    orderedAt: utcOf(body.orderedAt, 'orderedAt'),
    lines: body.lines.map((line, i) => {
      checkTyped(line, `lines[${i}].quantity`);
      return { ...line, sku: skuCodeOf(line.sku) };
    }),
    ...(body.charges !== undefined && { charges: body.charges }),
    ...(body.taxes !== undefined && { taxes: body.taxes }),
    ...(body.reservations === undefined ? {} : { reservations: body.reservations }),
    ...termsOf(body),
    ...(body.substitutes !== undefined && { substitutes: body.substitutes }),
  };
}

async function answerSubmission(
  hub: ApiHub,
  command: OrderSubmitted,
  result: ItemResult,
  reply: FastifyReply,
): Promise<object> {
  switch (result.status) {
    case 'applied': {
      const accepted = result.events.find((event): event is Accepted => event.type === 'order.accepted');
      if (accepted === undefined) fail('XD_INTERNAL', `order ${result.orderId} was applied without a decision`);
      reply.code(201);
      return answer(hub, accepted);
    }
    case 'duplicate': {
      const accepted = result.orderId === null ? undefined : await findDecision(hub, result.orderId, command);
      // It came before by another way and was set aside there.
      if (accepted === undefined)
        fail('XD_REFUSED', `order ${command.externalNo} came before and was set aside; it waits to be looked at`, {
          place: 'externalNo',
        });
      reply.code(201).header('idempotent-replayed', 'true');
      return answer(hub, accepted);
    }
    case 'conflict':
      throw await conflictOf(hub, command);
    case 'refused':
      throw new CrossdockError(result.code, result.reason, {
        refused: result.class,
        ...(result.place === null ? {} : { place: result.place }),
      });
    default:
      fail('XD_INTERNAL', `order ${command.externalNo} was ${result.status} although its caller waits`);
  }
}

async function answer(hub: ApiHub, accepted: Accepted): Promise<object> {
  await hub.directory.loadSkuCodes(accepted.lines.map((line) => line.skuId));
  return decisionAnswer(hub.directory, accepted);
}

/** As it was said first; of an order whose facts are dropped, from its rows, in the order of lines in which it is sent again. */
async function findDecision(hub: ApiHub, orderId: number, given: OrderSubmitted): Promise<Accepted | undefined> {
  const [fact] = await listFacts(hub.db, [{ stream: `order/${orderId}`, version: 1 }]);
  if (fact !== undefined) return fact.data as Accepted;
  const accepted = await readFirstDecision(hub.db, orderId);
  if (accepted === undefined) return undefined;
  const placeOf = new Map(given.lines.map((line, i) => [line.lineNo, i]));
  const place = (lineNo: number) => placeOf.get(lineNo) ?? given.lines.length;
  return { ...accepted, lines: accepted.lines.toSorted((a, b) => place(a.lineNo) - place(b.lineNo)) };
}

/** What it was sent with, where it got another price. */
function askedOf({ priceCheck }: Accepted['lines'][number]): { unitPrice?: string; pricePer?: number } {
  return priceCheck === undefined ? {} : { unitPrice: priceCheck.askedPrice, pricePer: priceCheck.askedPer };
}

async function conflictOf(hub: ApiHub, command: OrderSubmitted): Promise<CrossdockError> {
  const { directory } = hub;
  const name = `${command.channel}/${command.externalNo}`;
  const channel = channelOf(hub, command.channel);
  const [row] = await hub.db.query(findOrderId, [channel.channelId, command.externalNo]);
  const accepted = row === undefined ? undefined : await findDecision(hub, row.order_id, command);
  if (accepted === undefined)
    return new CrossdockError('XD_KEY_CONFLICT', `order ${name} came before with other content`, {
      place: 'externalNo',
      key: name,
    });
  await directory.loadSkuCodes(accepted.lines.map((line) => line.skuId));
  await directory.loadAccountCodes([accepted.accountId]);
  const difference = differenceOf(
    {
      company: directory.companyById.get(accepted.companyId)?.code ?? '',
      account: directory.accountCode(accepted.accountId),
      currency: accepted.currency,
      orderedAt: accepted.orderedAt,
      lines: accepted.lines
        .filter((line) => line.standsFor === undefined)
        .map((line) => ({ ...saidOf({ ...line, ...askedOf(line) }), sku: directory.skuCode(line.skuId) })),
    },
    { ...command, lines: command.lines.map((line) => saidBy(line)) },
  );
  const details = { key: name, orderId: String(accepted.orderId) };
  if (difference === undefined)
    return new CrossdockError('XD_KEY_CONFLICT', `order ${name} came before, written differently`, {
      ...details,
      place: 'externalNo',
    });
  const { place, before, given } = difference;
  return new CrossdockError(
    'XD_KEY_CONFLICT',
    `order ${name} came before with ${place} ${JSON.stringify(before)}, not ${JSON.stringify(given)}`,
    { ...details, place, field: place, before, given },
  );
}
