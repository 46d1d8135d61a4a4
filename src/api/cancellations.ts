/** Units asked back, and charges: batches whose items are answered one by one, in the order given. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { amountMinor, errorKinds, fail, fingerprint, type InboundItem } from '../canonical/index.ts';
import { cancelItem, repeatsApart } from '../connectors/kit/index.ts';
import { conflictText, type ItemResult } from '../ingest/index.ts';
import { checkChannel, idempotencyKeyOf } from './auth.ts';
import type { ApiHub } from './hub.ts';
import { channelOf } from './lookups.ts';
import { receive } from './receive.ts';
import { keyHeader } from './reservations.ts';
import {
  closed,
  code,
  currency,
  list,
  prose,
  quantity,
  signedPrice,
  sku,
  skuCodeOf,
  text,
  time,
  unit,
  utcOf,
} from './schemas.ts';

export const CANCELLATIONS_MAX = 500;
export const CHARGES_MAX = 500;
const LINES_MAX = 1_000;

const cancellations = closed({
  cancellations: list(
    closed({
      channel: code(),
      reference: text(100, 'with order and line, the key of each cancel for ever'),
      account: code(),
      at: time(),
      lines: list(
        closed({
          order: Type.Union([text(100), Type.Null()], {
            description: "the channel's own order number; null: not known",
          }),
          lineNo: Type.Union([quantity(), Type.Null()]),
          sku: sku(),
          quantity: quantity(),
          unit: Type.Optional(unit()),
          unitPrice: Type.Optional(signedPrice()),
        }),
        LINES_MAX,
      ),
    }),
    CANCELLATIONS_MAX,
  ),
});

const charges = closed({
  charges: list(
    closed({
      reference: text(100, 'the key of the charge for ever'),
      kind: text(60),
      account: code(),
      code: code(),
      description: Type.Optional(prose(500)),
      quantity: Type.Integer({ minimum: -1_000_000_000, maximum: 1_000_000_000 }),
      unitPrice: signedPrice(),
      currency: currency(),
      at: time(),
    }),
    CHARGES_MAX,
  ),
});

export const itemResult = Type.Object(
  { reference: Type.Optional(Type.String()), status: Type.Integer({ description: 'as an HTTP status of its own' }) },
  { additionalProperties: true },
);
const results = Type.Object({ results: Type.Array(itemResult) });

export function cancellationRoutes(app: FastifyInstance, hub: ApiHub): void {
  app.post<{ Body: Static<typeof cancellations> }>(
    '/v1/cancellations',
    {
      config: { scope: 'write', perChannel: true },
      schema: {
        summary: 'Ask units back: before the pick they are cancelled, after it they come back as a return',
        description:
          'Each line is one cancel of its own. What names no order, or one that is not known yet, is set aside (202) and not lost. The order’s own price counts.',
        tags: ['orders'],
        headers: keyHeader,
        body: cancellations,
        response: { 200: results },
      },
    },
    async (request) => {
      idempotencyKeyOf(request);
      if (hub.mustWait()) fail('XD_BUSY', 'work in flight is at its bound', { retryAfterSeconds: 1 });
      return { results: await receiveCancels(hub, request, request.body.cancellations) };
    },
  );

  app.post<{ Body: Static<typeof charges> }>(
    '/v1/charges',
    {
      config: { scope: 'write' },
      schema: {
        summary: 'Record charges: postage, fees, discounts',
        tags: ['orders'],
        headers: keyHeader,
        body: charges,
        response: { 200: results },
      },
    },
    async (request) => {
      idempotencyKeyOf(request);
      const itemsOf = (body: Static<typeof charges>) => body.charges.map(chargeItem);
      const answers = await receive(hub, request, itemsOf(request.body), {
        reread: (body) => itemsOf(JSON.parse(body.toString('utf8')) as Static<typeof charges>),
      });
      return {
        results: request.body.charges.map(({ reference }, i) => ({ reference, ...resultOf(answers[i]!, reference) })),
      };
    },
  );
}

type Cancellation = Static<typeof cancellations>['cancellations'][number];

/** One message, one item a line. Set aside rather than refused: a cancel is a wish of an account's, whoever mistyped it. */
export async function receiveCancels(
  hub: ApiHub,
  request: FastifyRequest,
  list: readonly Cancellation[],
): Promise<object[]> {
  list.forEach((cancellation, i) => {
    channelOf(hub, cancellation.channel, `cancellations[${i}].channel`);
    checkChannel(request, cancellation.channel, `cancellations[${i}].channel`);
  });
  const answers = await receive(hub, request, cancelItems(list), {
    onFault: 'park',
    reread: (body) => cancelItems((JSON.parse(body.toString('utf8')) as Static<typeof cancellations>).cancellations),
  });
  let next = 0;
  return list.map(({ reference, lines }) => {
    const parts = lines.map(({ order, lineNo, sku: code, quantity: units }) => ({
      order,
      lineNo,
      sku: skuCodeOf(code),
      quantity: units,
      ...resultOf(answers[next++]!, reference),
    }));
    return { reference, status: Math.max(...parts.map((part) => part.status)), lines: parts };
  });
}

function cancelItems(list: readonly Cancellation[]): InboundItem[] {
  const items: InboundItem[] = [];
  // The n-th line of one key is a line of its own, as in every feed.
  const apart = repeatsApart();
  list.forEach((cancellation, i) => {
    const occurredAt = utcOf(cancellation.at, `cancellations[${i}].at`);
    for (const line of cancellation.lines) {
      const draft = cancelItem({
        kind: 'order.cancel_requested',
        channel: cancellation.channel,
        reference: cancellation.reference,
        account: cancellation.account,
        occurredAt,
        order: line.order,
        lineNo: line.lineNo,
        sku: skuCodeOf(line.sku),
        quantity: line.quantity,
        ...(line.unit !== undefined && { unit: line.unit }),
      });
      items.push({ ...apart(draft), itemNo: items.length });
    }
  });
  return items;
}

function chargeItem(charge: Static<typeof charges>['charges'][number], itemNo: number): InboundItem {
  const { reference, kind, account, code: chargeCode, quantity: units, unitPrice, currency: money, at } = charge;
  const occurredAt = utcOf(at, `charges[${itemNo}].at`);
  const minor = amountMinor(unitPrice, units, money);
  return {
    scope: 'charge/api',
    key: reference,
    fingerprint: fingerprint('v1', [kind, account, chargeCode, units, unitPrice, money, occurredAt]),
    itemNo,
    command: {
      kind: 'charge.recorded',
      reference,
      charge: kind,
      account,
      code: chargeCode,
      quantity: units,
      amountMinor: minor,
      currency: money,
      occurredAt,
    },
  };
}

export interface ItemAnswer {
  status: number;
  outcome: string;
  code?: string;
  detail?: string;
  [detail: string]: unknown;
}

/** What became of one item, with a status of its own. */
export function resultOf(result: ItemResult, key: string): ItemAnswer {
  switch (result.status) {
    case 'applied': {
      const did = result.events.map((event) => event.type);
      return {
        status: 201,
        outcome: 'applied',
        ...(result.orderId === null ? {} : { orderId: String(result.orderId), did }),
      };
    }
    case 'duplicate':
      return { status: 200, outcome: { a: 'repeated', w: 'waiting', p: 'parked', s: 'superseded' }[result.state] };
    case 'waiting':
      return { status: 202, outcome: 'waiting', waitsFor: result.waitKey };
    case 'parked':
      if (result.class === 'key_conflict')
        return {
          ...{ status: 422, outcome: 'parked', code: 'XD_KEY_CONFLICT', class: result.class, detail: result.reason },
          ...result.difference,
        };
      return { status: 202, outcome: 'parked', class: result.class, detail: result.reason };
    case 'conflict':
      return {
        status: 422,
        outcome: 'refused',
        code: 'XD_KEY_CONFLICT',
        detail: conflictText(key, result.difference),
        ...(result.difference ?? { place: key }),
      };
    case 'refused':
      return {
        status: errorKinds[result.code].status,
        outcome: 'refused',
        code: result.code,
        detail: result.reason,
        ...(result.place === null ? {} : { place: result.place }),
      };
    default: {
      const never: never = result;
      throw new Error(`unknown result ${(never as ItemResult).status}`);
    }
  }
}
