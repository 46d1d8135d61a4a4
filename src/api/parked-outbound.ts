/** What a system did not take: to be seen, sent again, or given up. The work is the outbound room's. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { publicationKinds } from '../canonical/index.ts';
import {
  getDelivery,
  getPublication,
  listParkedDeliveries,
  listParkedPublications,
  type ParkedDelivery,
  type ParkedPublication,
  replayDelivery,
  replayPublication,
  resolveDelivery,
  resolvePublication,
} from '../outbound/index.ts';
import { keyOf } from './auth.ts';
import { pageOf, readCursor } from './cursors.ts';
import type { ApiHub } from './hub.ts';
import { nextStepOf } from './next-steps.ts';
import { closed, code, cursor, idParams, limit, text } from './schemas.ts';

const query = closed({ system: Type.Optional(code()), cursor: Type.Optional(cursor()), limit: limit() });
const publicationParams = closed({
  system: code(),
  kind: Type.Enum([...publicationKinds]),
  key: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "a SKU's or an order's id" }),
});
const resolveBody = closed({ reason: text(300, 'why, for whoever asks later') });
type PublicationParams = Static<typeof publicationParams>;

const isOpen = (state: string) => state === 'parked' || state === 'refused';

function deliveryOf(delivery: ParkedDelivery): object {
  const { deliveryId, destination, orderId, recordedAt, sentAt, endedAt, ...rest } = delivery;
  return {
    deliveryId: String(deliveryId),
    system: destination,
    orderId: orderId === null ? null : String(orderId),
    ...rest,
    recordedAt: recordedAt.toISOString(),
    sentAt: sentAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
    next: isOpen(delivery.state) ? nextStepOf('delivery', delivery.state) : null,
  };
}

function publicationOf(publication: ParkedPublication): object {
  const { destination, key, changedAt, sentAt, confirmedAt, ...rest } = publication;
  return {
    system: destination,
    key: String(key),
    ...rest,
    changedAt: changedAt.toISOString(),
    sentAt: sentAt?.toISOString() ?? null,
    confirmedAt: confirmedAt?.toISOString() ?? null,
    next: isOpen(publication.state) ? nextStepOf('publication', publication.state) : null,
  };
}

function nameOf({ system, kind, key }: PublicationParams) {
  return { destination: system, kind, key };
}

export function parkedOutboundRoutes(app: FastifyInstance, { db, onCommit }: ApiHub): void {
  const tags = ['operations'];
  const again = 'No body. What was ever sent is looked up before it is sent again.';

  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/parked/deliveries',
    {
      config: { scope: 'read' },
      schema: { summary: 'Facts that a system did not take, oldest first', tags, querystring: query },
    },
    async (request) => {
      const { system = null, limit } = request.query;
      const after = readCursor(request.query.cursor, ['number'])?.[0] ?? 0;
      const rows = await listParkedDeliveries(db, { system, after, limit: limit + 1 });
      const page = pageOf(rows, limit, (row) => [row.deliveryId]);
      return { deliveries: page.shown.map(deliveryOf), nextCursor: page.nextCursor };
    },
  );
  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/parked/deliveries/:id',
    { config: { scope: 'operate' }, schema: { summary: 'One of them with what it says', tags, params: idParams } },
    async (request) => {
      const { payload, answer, ...delivery } = await getDelivery(db, request.params.id);
      return { ...deliveryOf(delivery), payload, answer };
    },
  );
  app.post<{ Params: Static<typeof idParams> }>(
    '/v1/parked/deliveries/:id/replay',
    {
      config: { scope: 'operate' },
      schema: { summary: 'Send it again under its own reference', description: again, tags, params: idParams },
    },
    async (request) => {
      const delivery = await replayDelivery(db, request.params.id);
      onCommit();
      return deliveryOf(delivery);
    },
  );
  app.post<{ Params: Static<typeof idParams>; Body: Static<typeof resolveBody> }>(
    '/v1/parked/deliveries/:id/resolve',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Give it up: it is never sent, and what waits for it goes on',
        tags,
        params: idParams,
        body: resolveBody,
      },
    },
    async (request) => {
      const reason = `${request.body.reason} (${keyOf(request).keyId})`;
      const delivery = await resolveDelivery(db, request.params.id, reason);
      onCommit();
      return deliveryOf(delivery);
    },
  );

  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/parked/publications',
    {
      config: { scope: 'read' },
      schema: { summary: 'States that a system did not take, by system, kind and key', tags, querystring: query },
    },
    async (request) => {
      const { system = null, limit } = request.query;
      const from = readCursor(request.query.cursor, ['text', 'text', 'number']);
      const after = from === undefined ? null : { destination: from[0], kind: from[1], key: from[2] };
      const rows = await listParkedPublications(db, { system, after, limit: limit + 1 });
      const page = pageOf(rows, limit, (row) => [row.destination, row.kind, row.key]);
      return { publications: page.shown.map(publicationOf), nextCursor: page.nextCursor };
    },
  );
  app.get<{ Params: PublicationParams }>(
    '/v1/parked/publications/:system/:kind/:key',
    { config: { scope: 'read' }, schema: { summary: 'One of them', tags, params: publicationParams } },
    async (request) => publicationOf(await getPublication(db, nameOf(request.params))),
  );
  app.post<{ Params: PublicationParams }>(
    '/v1/parked/publications/:system/:kind/:key/replay',
    {
      config: { scope: 'operate' },
      schema: { summary: 'Tell the newest state again', description: again, tags, params: publicationParams },
    },
    async (request) => {
      const publication = await replayPublication(db, nameOf(request.params));
      onCommit();
      return publicationOf(publication);
    },
  );
  app.post<{ Params: PublicationParams; Body: Static<typeof resolveBody> }>(
    '/v1/parked/publications/:system/:kind/:key/resolve',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Give this state up: the system is told again at the next change',
        tags,
        params: publicationParams,
        body: resolveBody,
      },
    },
    async (request) => {
      const reason = `${request.body.reason} (${keyOf(request).keyId})`;
      const publication = await resolvePublication(db, nameOf(request.params), reason);
      onCommit();
      return publicationOf(publication);
    },
  );
}
