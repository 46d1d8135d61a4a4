/** What an order would be promised if it came now, nothing taken; and what orders were promised. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import type { OrderSubmitted } from '../canonical/index.ts';
import { ORDER_LINES_MAX, orderTermsOf } from '../ingest/index.ts';
import { readUnconfirmed } from '../modes/index.ts';
import { checkPromise } from '../orders/index.ts';
import { readPromiseRecords } from '../projections/index.ts';
import { checkChannel } from './auth.ts';
import { LARGE_BODY_BYTES_MAX } from './body.ts';
import type { ApiHub } from './hub.ts';
import { accountIdOf, channelOf, skuIdsOf } from './lookups.ts';
import { promisedAnswer } from './order-answer.ts';
import { orderTerms, termsOf } from './order-terms.ts';
import { getOrder, promisedPart } from './orders.ts';
import { CODE_CHARACTERS_MAX, closed, code, idParams, list, quantity, sku, skuCodeOf, text, time } from './schemas.ts';

const account = () =>
  Type.Optional(text(CODE_CHARACTERS_MAX, 'whose quotas hold; absent: what anybody would be promised'));
const question = closed({
  channel: code(),
  account: account(),
  sku: sku(),
  quantity: quantity(),
  requestedAt: Type.Optional(time()),
});
const questions = closed({
  channel: code(),
  account: account(),
  lines: list(closed({ sku: sku(), quantity: quantity() }), ORDER_LINES_MAX),
  ...orderTerms,
});
const which = closed({ past: Type.Optional(Type.Boolean()) });
const answer = Type.Object({
  channel: Type.String(),
  asOf: Type.String(),
  ruleVersion: Type.Union([Type.String(), Type.Null()], {
    description: 'of the rule that the dates are from; null: the channel declares none',
  }),
  completeAt: Type.Union([Type.String(), Type.Null()], {
    description: 'when the last of it leaves; null: nobody knows',
  }),
  lines: Type.Array(
    Type.Object({
      sku: Type.String(),
      quantity: Type.Integer(),
      unit: Type.String(),
      refused: Type.Integer({ description: 'units that the channel would not take an order for' }),
      promised: Type.Array(promisedPart),
    }),
  ),
});

const RECORDS_MAX = 2_000;

const record = Type.Object({
  lineNo: Type.Integer(),
  standsFor: Type.Union([Type.Integer(), Type.Null()], {
    description: 'the ordered line that this one leaves in place of',
  }),
  sku: Type.String(),
  quantity: Type.Integer({ description: 'base units' }),
  promisedAt: Type.Union([Type.String(), Type.Null()], { description: 'when it leaves; null: nobody knows' }),
  location: Type.Union([Type.String(), Type.Null()]),
  supply: Type.Union([Type.String(), Type.Null()], {
    description: 'system and number of what is to come; null: it is there',
  }),
  supplyDueAt: Type.Union([Type.String(), Type.Null()], { description: 'as announced when this was promised' }),
  channel: Type.String(),
  account: Type.String(),
  reason: Type.String({ description: 'stock, supply, no_supply, held, no_calendar or ship_complete' }),
  cause: Type.String({ description: 'what it was promised upon: accepted, served, cancelled, supply_changed …' }),
  ruleVersion: Type.String(),
  orderVersion: Type.Integer(),
  replacedVersion: Type.Union([Type.Integer(), Type.Null()], {
    description: 'version of the order since which something else is promised; null: it holds',
  }),
  recordedAt: Type.String(),
});
const records = Type.Object({
  promises: Type.Array(record),
  degraded: Type.Optional(
    Type.Literal('erp', {
      description: 'promised while the ERP was away, and nothing live has confirmed the order since',
    }),
  ),
  truncated: Type.Boolean({ description: 'there are more than are shown' }),
});

export function promiseRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;

  const check = async (
    channelCode: string,
    accountCode: string | undefined,
    lines: readonly { sku: string; quantity: number }[],
    given: Pick<OrderSubmitted, 'shipTo' | 'requestedAt' | 'shipComplete'>,
    place: (i: number) => string,
  ) => {
    const channel = channelOf(hub, channelCode);
    const codes = lines.map((line) => skuCodeOf(line.sku));
    const skuIds = await skuIdsOf(hub, codes, place);
    const terms = orderTermsOf(directory, channel, null, given);
    const accountId = accountCode === undefined ? undefined : await accountIdOf(hub, channel.companyId, accountCode);
    const promise = await checkPromise(db, hub, {
      channel,
      lines: lines.map(({ quantity: units }, i) => ({ skuId: skuIds[i]!, quantity: units })),
      ...(terms !== undefined && { terms }),
      ...(accountId !== undefined && { accountId }),
    });
    const dates = promise.lines.flatMap(({ parts }) => parts.map(({ at }) => at));
    return {
      channel: channel.code,
      asOf: promise.asOf.toISOString(),
      ruleVersion: channel.promisedBy,
      completeAt: dates.length === 0 || dates.includes(null) ? null : (dates as string[]).sort().at(-1)!,
      lines: promise.lines.map(({ quantity: units, refused, parts }, i) => ({
        ...{ sku: codes[i]!, quantity: units, unit: directory.skuUnit(skuIds[i]!), refused },
        promised: promisedAnswer(directory, parts),
      })),
    };
  };

  app.get<{ Querystring: Static<typeof question> }>(
    '/v1/promises/check',
    {
      config: { scope: 'read', perChannel: true },
      schema: {
        summary: 'When so many units would leave, if they were ordered now',
        description: 'Decided as an order is, from stock and dated supply inside the horizon; nothing is taken.',
        tags: ['promises'],
        querystring: question,
        response: { 200: answer },
      },
    },
    async (request) => {
      const { channel, account: of, requestedAt, ...line } = request.query;
      checkChannel(request, channel);
      return check(channel, of, [line], termsOf({ ...(requestedAt !== undefined && { requestedAt }) }), () => 'sku');
    },
  );

  app.post<{ Body: Static<typeof questions> }>(
    '/v1/promises/check',
    {
      bodyLimit: LARGE_BODY_BYTES_MAX,
      config: { scope: 'read', perChannel: true },
      schema: {
        summary: 'When the lines of an order would leave, if it came now',
        description: 'Decided as an order is, all lines together; nothing is taken.',
        tags: ['promises'],
        body: questions,
        response: { 200: answer },
      },
    },
    async (request) => {
      const { channel, account: of, lines, ...rest } = request.body;
      checkChannel(request, channel);
      return check(channel, of, lines, termsOf(rest), (i) => `lines[${i}].sku`);
    },
  );

  app.get<{ Params: Static<typeof idParams>; Querystring: Static<typeof which> }>(
    '/v1/orders/:id/promises',
    {
      config: { scope: 'read', perChannel: true },
      schema: {
        summary: 'What an order is promised, and why; with `past` also what it was promised before',
        description: `By line, newest first, at most ${RECORDS_MAX}. Empty where the channel declares neither calendars nor sourcing.`,
        tags: ['promises'],
        params: idParams,
        querystring: which,
        response: { 200: records },
      },
    },
    async (request) => {
      const { orderId } = await getOrder(hub, request, request.params.id);
      const { past = false } = request.query;
      const found = await readPromiseRecords(db, orderId, { past, max: RECORDS_MAX + 1 });
      const promises = found.slice(0, RECORDS_MAX).map((one) => ({
        ...one,
        promisedAt: one.promisedAt?.toISOString() ?? null,
        supplyDueAt: one.supplyDueAt?.toISOString() ?? null,
        recordedAt: one.recordedAt.toISOString(),
      }));
      const isDegraded = (await readUnconfirmed(db, [orderId])).has(orderId);
      const degraded = isDegraded ? { degraded: 'erp' as const } : {};
      return { promises, ...degraded, truncated: found.length > RECORDS_MAX };
    },
  );
}
