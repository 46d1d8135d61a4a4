/** What an order would be promised if it came now; nothing is taken. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import type { OrderSubmitted } from '../canonical/index.ts';
import { ORDER_LINES_MAX, orderTermsOf } from '../ingest/index.ts';
import { checkPromise } from '../orders/index.ts';
import { checkChannel } from './auth.ts';
import { LARGE_BODY_BYTES_MAX } from './body.ts';
import type { ApiHub } from './hub.ts';
import { channelOf, skuIdsOf } from './lookups.ts';
import { promisedAnswer } from './order-answer.ts';
import { orderTerms, termsOf } from './order-terms.ts';
import { promisedPart } from './orders.ts';
import { closed, code, list, quantity, sku, skuCodeOf, time } from './schemas.ts';

const question = closed({ channel: code(), sku: sku(), quantity: quantity(), requestedAt: Type.Optional(time()) });
const questions = closed({
  channel: code(),
  lines: list(closed({ sku: sku(), quantity: quantity() }), ORDER_LINES_MAX),
  ...orderTerms,
});
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

export function promiseRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;

  const check = async (
    channelCode: string,
    lines: readonly { sku: string; quantity: number }[],
    given: Pick<OrderSubmitted, 'shipTo' | 'requestedAt' | 'shipComplete'>,
    place: (i: number) => string,
  ) => {
    const channel = channelOf(hub, channelCode);
    const codes = lines.map((line) => skuCodeOf(line.sku));
    const skuIds = await skuIdsOf(hub, codes, place);
    const terms = orderTermsOf(directory, channel, null, given);
    const promise = await checkPromise(db, hub, {
      channel,
      lines: lines.map(({ quantity: units }, i) => ({ skuId: skuIds[i]!, quantity: units })),
      ...(terms !== undefined && { terms }),
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
      const { channel, requestedAt, ...line } = request.query;
      checkChannel(request, channel);
      return check(channel, [line], termsOf({ ...(requestedAt !== undefined && { requestedAt }) }), () => 'sku');
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
      const { channel, lines, ...rest } = request.body;
      checkChannel(request, channel);
      return check(channel, lines, termsOf(rest), (i) => `lines[${i}].sku`);
    },
  );
}
