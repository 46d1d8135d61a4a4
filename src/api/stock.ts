/** Stock from callers: what came, what was found to differ, what was counted, what is to come. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { type InboundItem, QUANTITY_MAX } from '../canonical/index.ts';
import { movementItem, outsideAllocationItem, supplyItem } from '../connectors/kit/index.ts';
import { keyOf } from './auth.ts';
import { LARGE_BODY_BYTES_MAX } from './body.ts';
import { itemResult, resultOf } from './cancellations.ts';
import type { ApiHub } from './hub.ts';
import { receive } from './receive.ts';
import { closed, code, list, quantity, sku, skuCodeOf, text, time, unit, utcOf } from './schemas.ts';

export const MOVEMENTS_MAX = 5_000;

const sequence = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: "the caller's own order of events; beats its clock",
  }),
);
const source = () => text(100, "whose id of the supply it is; default: this API key's own");
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
        description: 'signed for adjusted',
      }),
      unit: Type.Optional(unit()),
      occurredAt: time(),
      sequence,
      reservation: Type.Optional(
        Type.String({ pattern: '^[0-9]{1,15}$', description: 'the hold that this adjustment uses up' }),
      ),
      supply: Type.Optional(
        closed({ id: text(100), source: Type.Optional(source()) }, 'the announced supply that this receipt brings'),
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
      unit: Type.Optional(unit()),
      countedAt: time(),
      sequence,
      net: Type.Optional(
        Type.Boolean({
          description:
            'whether the quantity leaves out what this key has reported as allocated (POST /v1/outside-allocations); default false',
        }),
      ),
    }),
    MOVEMENTS_MAX,
  ),
});
const allocations = closed({
  allocations: list(
    closed({
      reference: text(100, 'what the caller calls it; with SKU and location, what later reports are about'),
      sku: sku(),
      location: code(),
      quantity: Type.Integer({
        minimum: 0,
        maximum: QUANTITY_MAX,
        description: 'allocated and not yet picked; 0 ends it',
      }),
      unit: Type.Optional(unit()),
      occurredAt: time(),
      sequence,
      line: Type.Optional(
        closed(
          { channel: code(), externalNo: text(100), lineNo: Type.Integer({ minimum: 1, maximum: 1_000_000 }) },
          'the order line it is for, also before Crossdock knows the order',
        ),
      ),
    }),
    MOVEMENTS_MAX,
  ),
});
const supplies = closed({
  supplies: list(
    closed({
      id: text(100, 'with SKU and location, the supply that is announced'),
      sku: sku(),
      location: code(),
      quantity: Type.Integer({
        minimum: 0,
        maximum: QUANTITY_MAX,
        description: 'all of it, also what was received already; 0 withdraws it',
      }),
      unit: Type.Optional(unit()),
      dueAt: time(),
      announcedAt: Type.String({
        format: 'date-time',
        maxLength: 40,
        description: 'RFC 3339; of two announcements of one supply the later one holds',
      }),
      source: Type.Optional(source()),
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
  const book = async <B>(
    request: FastifyRequest,
    body: B,
    itemsOf: (body: B, system: string) => InboundItem[],
    ids: readonly { id: string }[],
  ): Promise<object> => {
    const system = sourceOf(request);
    const answers = await receive(hub, request, itemsOf(body, system), {
      system,
      reread: (kept) => itemsOf(JSON.parse(kept.toString('utf8')) as B, system),
    });
    return { results: answers.map((answer, i) => ({ id: ids[i]!.id, ...resultOf(answer, ids[i]!.id) })) };
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
    async (request) => book(request, request.body, movementItems, request.body.movements),
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
    async (request) => book(request, request.body, countItems, request.body.counts),
  );

  app.post<{ Body: Static<typeof allocations> }>(
    '/v1/outside-allocations',
    {
      bodyLimit: LARGE_BODY_BYTES_MAX,
      config: { scope: 'write' },
      schema: {
        summary: 'What another system has allocated itself: deducted only beyond our own allocation of the same line',
        description:
          'A newer report of one reference, SKU and location replaces the older, by sequence or else by time. Systems that name the same order line mean the same units.',
        tags: ['stock'],
        body: allocations,
        response: { 200: results },
      },
    },
    async (request) =>
      book(
        request,
        request.body,
        allocationItems,
        request.body.allocations.map(({ reference }) => ({ id: reference })),
      ),
  );

  app.post<{ Body: Static<typeof supplies> }>(
    '/v1/supplies',
    {
      bodyLimit: LARGE_BODY_BYTES_MAX,
      config: { scope: 'write' },
      schema: {
        summary: 'What is to come, and when: a later announcement replaces quantity and date',
        description:
          'Promised to channels that ask, within their horizonDays. A receipt that names it (`supply` of a movement) uses it up. What is late counts until it is received or withdrawn.',
        tags: ['stock'],
        body: supplies,
        response: { 200: results },
      },
    },
    async (request) => book(request, request.body, supplyItems, request.body.supplies),
  );
}

function movementItems({ movements: list }: Static<typeof movements>, system: string): InboundItem[] {
  return list.map((m, itemNo) => ({
    ...movementItem(system, m.id, {
      kind: 'stock.moved',
      movement: m.type,
      sku: skuCodeOf(m.sku),
      location: m.location,
      quantity: m.quantity,
      ...(m.unit !== undefined && { unit: m.unit }),
      reference: m.id,
      occurredAt: utcOf(m.occurredAt, `movements[${itemNo}].occurredAt`),
      ...(m.sequence === undefined ? {} : { sequence: m.sequence }),
      ...(m.reservation === undefined ? {} : { reservation: m.reservation }),
      ...(m.supply === undefined ? {} : { supply: m.supply }),
    }),
    itemNo,
  }));
}

function countItems({ counts: list }: Static<typeof counts>, system: string): InboundItem[] {
  return list.map((c, itemNo) => ({
    ...movementItem(system, c.id, {
      kind: 'stock.moved',
      movement: 'counted',
      sku: skuCodeOf(c.sku),
      location: c.location,
      quantity: c.quantity,
      ...(c.unit !== undefined && { unit: c.unit }),
      reference: c.id,
      occurredAt: utcOf(c.countedAt, `counts[${itemNo}].countedAt`),
      ...(c.sequence === undefined ? {} : { sequence: c.sequence }),
      ...(c.net === undefined ? {} : { net: c.net }),
    }),
    itemNo,
  }));
}

function allocationItems({ allocations: list }: Static<typeof allocations>, system: string): InboundItem[] {
  return list.map(({ line, sequence, ...a }, itemNo) => ({
    ...outsideAllocationItem(system, {
      kind: 'stock.allocated_outside',
      reference: a.reference,
      sku: skuCodeOf(a.sku),
      location: a.location,
      quantity: a.quantity,
      ...(a.unit !== undefined && { unit: a.unit }),
      occurredAt: utcOf(a.occurredAt, `allocations[${itemNo}].occurredAt`),
      ...(sequence === undefined ? {} : { sequence }),
      ...(line === undefined ? {} : { line }),
    }),
    itemNo,
  }));
}

function supplyItems({ supplies: list }: Static<typeof supplies>, system: string): InboundItem[] {
  return list.map((s, itemNo) => ({
    ...supplyItem(system, {
      kind: 'supply.announced',
      supply: s.id,
      sku: skuCodeOf(s.sku),
      location: s.location,
      quantity: s.quantity,
      ...(s.unit !== undefined && { unit: s.unit }),
      dueAt: utcOf(s.dueAt, `supplies[${itemNo}].dueAt`),
      announcedAt: utcOf(s.announcedAt, `supplies[${itemNo}].announcedAt`),
      ...(s.source === undefined ? {} : { source: s.source }),
    }),
    itemNo,
  }));
}
