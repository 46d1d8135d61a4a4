/** Stock from callers: what came, what was found to differ, what was counted. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { type InboundItem, QUANTITY_MAX } from '../canonical/index.ts';
import { movementItem } from '../connectors/kit/index.ts';
import { keyOf } from './auth.ts';
import { LARGE_BODY_BYTES_MAX, rawBodyOf } from './body.ts';
import { itemResult, resultOf } from './cancellations.ts';
import type { ApiHub } from './hub.ts';
import { closed, code, list, quantity, sku, skuCodeOf, text, time, utcOf } from './schemas.ts';

export const MOVEMENTS_MAX = 5_000;

const sequence = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: "the caller's own order of events; beats its clock",
  }),
);
const movements = closed({
  movements: list(
    closed({
      id: text(100, 'the key of the movement for ever'),
      type: Type.Enum(['received', 'adjusted']),
      sku: sku(),
      location: code(),
      quantity: Type.Integer({
        minimum: -QUANTITY_MAX,
        maximum: QUANTITY_MAX,
        description: 'base units; signed for adjusted',
      }),
      occurredAt: time(),
      sequence,
      reservation: Type.Optional(
        Type.String({ pattern: '^[0-9]{1,15}$', description: 'the hold that this adjustment uses up' }),
      ),
    }),
    MOVEMENTS_MAX,
  ),
});
const counts = closed({
  counts: list(
    closed({
      id: text(100, 'the key of the count for ever'),
      sku: sku(),
      location: code(),
      quantity: quantity(0),
      countedAt: time(),
      sequence,
    }),
    MOVEMENTS_MAX,
  ),
});
const results = Type.Object({ results: Type.Array(itemResult) });

/** One key is one source: its sequence says nothing about another's. */
function sourceOf(request: FastifyRequest): string {
  return `api:${keyOf(request).keyId}`;
}

export function stockRoutes(app: FastifyInstance, hub: ApiHub): void {
  const receive = async (request: FastifyRequest, items: InboundItem[]): Promise<object> => {
    const answers = await hub.receiver.receive({
      system: sourceOf(request),
      source: 'api',
      contentType: 'application/json',
      body: rawBodyOf(request),
      items,
      onFault: 'refuse',
    });
    return { results: answers.map((answer, i) => ({ id: items[i]!.key, ...resultOf(answer) })) };
  };

  app.post<{ Body: Static<typeof movements> }>(
    '/v1/stock-movements',
    {
      bodyLimit: LARGE_BODY_BYTES_MAX,
      config: { scope: 'write' },
      schema: {
        summary: 'Stock that came or changed; each with its own result',
        tags: ['stock'],
        body: movements,
        response: { 200: results },
      },
    },
    async (request) => {
      const system = sourceOf(request);
      return receive(
        request,
        request.body.movements.map((m, itemNo) => ({
          ...movementItem(system, m.id, {
            kind: 'stock.moved',
            movement: m.type,
            sku: skuCodeOf(m.sku),
            location: m.location,
            quantity: m.quantity,
            reference: m.id,
            occurredAt: utcOf(m.occurredAt, `movements[${itemNo}].occurredAt`),
            ...(m.sequence === undefined ? {} : { sequence: m.sequence }),
            ...(m.reservation === undefined ? {} : { reservation: m.reservation }),
          }),
          itemNo,
        })),
      );
    },
  );

  app.post<{ Body: Static<typeof counts> }>(
    '/v1/stock-counts',
    {
      bodyLimit: LARGE_BODY_BYTES_MAX,
      config: { scope: 'write' },
      schema: {
        summary: 'What was counted, and when: movements before that moment no longer change the quantity',
        tags: ['stock'],
        body: counts,
        response: { 200: results },
      },
    },
    async (request) => {
      const system = sourceOf(request);
      return receive(
        request,
        request.body.counts.map((c, itemNo) => ({
          ...movementItem(system, c.id, {
            kind: 'stock.moved',
            movement: 'counted',
            sku: skuCodeOf(c.sku),
            location: c.location,
            quantity: c.quantity,
            reference: c.id,
            occurredAt: utcOf(c.countedAt, `counts[${itemNo}].countedAt`),
            ...(c.sequence === undefined ? {} : { sequence: c.sequence }),
          }),
          itemNo,
        })),
      );
    },
  );
}
