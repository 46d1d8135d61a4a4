/** Soft holds. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { CrossdockError, fail, toBase } from '../canonical/index.ts';
import { ReservationDesk } from '../ingest/index.ts';
import { releaseReservations } from '../ledger/index.ts';
import { checkChannel, idempotencyKeyOf, keyOf } from './auth.ts';
import type { ApiHub } from './hub.ts';
import { channelOf, locationOf, skuIdOf } from './lookups.ts';
import { readReservation } from './reservations.sql.ts';
import { checkTyped, closed, code, idParams, sku, skuCodeOf, text, typedQuantity, unit } from './schemas.ts';

const request = closed({
  channel: code(),
  sku: sku(),
  quantity: typedQuantity(),
  unit: Type.Optional(unit()),
  location: Type.Optional(code()),
  partial: Type.Optional(Type.Boolean({ description: 'take what there is, instead of all or nothing; default false' })),
  purpose: Type.Optional(text(40, 'order, quote, cart, write_off …; default order')),
  expiresInSeconds: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 2_592_000,
      description: "default and maximum: the channel's reservationMaxSeconds",
    }),
  ),
});
const lines = Type.Array(closed({ location: Type.String(), quantity: Type.Integer() }));
const held = closed({ reservationId: Type.String(), expiresAt: Type.String(), unit: Type.String(), lines });
const shown = closed({
  reservationId: Type.String(),
  channel: Type.String(),
  sku: Type.String(),
  unit: Type.String(),
  purpose: Type.String(),
  state: Type.String({ description: 'open, claimed, released or expired' }),
  expiresAt: Type.String(),
  lines: Type.Array(closed({ location: Type.String(), quantity: Type.Integer(), openQuantity: Type.Integer() })),
});

async function quantityOf({ directory }: ApiHub, skuId: number, said: Static<typeof request>): Promise<number> {
  checkTyped(said, 'quantity');
  if (said.unit === undefined) return said.quantity as number;
  await directory.loadUnits([skuId]);
  const units = directory.unitsOf(skuId);
  return toBase({ quantity: said.quantity, unit: said.unit }, units, 'quantity');
}

export function reservationRoutes(app: FastifyInstance, hub: ApiHub): ReservationDesk {
  const { db, ids, directory } = hub;
  const desk = new ReservationDesk({ db, ids, directory, onCommit: () => hub.onCommit() });

  app.post<{ Body: Static<typeof request> }>(
    '/v1/reservations',
    {
      config: { scope: 'write', perChannel: true },
      schema: {
        summary: 'Hold stock for a while',
        tags: ['reservations'],
        headers: keyHeader,
        body: request,
        response: { 200: held, 201: held },
      },
    },
    async (req, reply) => {
      const key = idempotencyKeyOf(req);
      const { body } = req;
      checkChannel(req, body.channel);
      const channel = channelOf(hub, body.channel);
      const locationId = body.location === undefined ? null : locationOf(hub, body.location).locationId;
      if (locationId !== null && !channel.locationIds.includes(locationId))
        fail('XD_VALUE_INVALID', `channel ${channel.code} is not served from location ${body.location}`, {
          place: 'location',
        });
      const code = skuCodeOf(body.sku);
      const expiresSeconds = body.expiresInSeconds ?? channel.reservationMaxSeconds;
      if (expiresSeconds > channel.reservationMaxSeconds)
        fail(
          'XD_VALUE_INVALID',
          `expiresInSeconds of channel ${channel.code} is at most ${channel.reservationMaxSeconds}, not ${expiresSeconds}`,
          { place: 'expiresInSeconds' },
        );
      const skuId = directory.findSkuId(code) ?? (await skuIdOf(hub, code, 'sku'));
      const quantity = await quantityOf(hub, skuId, body);
      const result = await desk.reserve({
        scope: `reservation/${keyOf(req).keyId}`,
        key,
        channel,
        sku: code,
        ...{ skuId, quantity },
        location: body.location ?? null,
        locationId,
        partial: body.partial ?? false,
        purpose: body.purpose ?? 'order',
        expiresSeconds,
      });
      if (result.status === 'short')
        throw new CrossdockError(
          'XD_ATP_SHORT',
          `${result.asked} of ${code} asked, ${result.atp} available to promise`,
          { refused: 'atp_short', asked: result.asked, atp: result.atp, sku: code },
        );
      if (result.status === 'conflict')
        throw new CrossdockError(
          'XD_KEY_CONFLICT',
          `key ${key} was used before with another ${result.field}: ${JSON.stringify(result.before)}`,
          { place: result.field, field: result.field, key },
        );
      if (result.status === 'forgotten')
        fail(
          'XD_NOT_FOUND',
          `key ${key} was granted reservation ${result.reservationId}, which ended and is no longer kept`,
          { place: 'idempotency-key', key },
        );
      if (result.status === 'repeated') reply.header('idempotent-replayed', 'true');
      reply.code(201);
      return {
        reservationId: String(result.reservationId),
        expiresAt: result.expiresAt.toISOString(),
        unit: directory.skuUnit(skuId),
        lines: result.lines.map((line) => ({
          location: directory.locationById.get(line.locationId)!.code,
          quantity: line.quantity,
        })),
      };
    },
  );

  const read = async (id: number, req: Parameters<typeof checkChannel>[0]) => {
    const rows = await db.query(readReservation, [id]);
    const [first] = rows;
    if (first === undefined) fail('XD_NOT_FOUND', `there is no reservation ${id}`, { place: 'id' });
    const channel = directory.channelById.get(first.channel_id)?.code ?? '?';
    checkChannel(req, channel, 'id');
    const open = rows.find((row) => row.state === 'open');
    return {
      reservationId: String(id),
      channel,
      sku: first.sku,
      unit: first.unit,
      purpose: first.purpose,
      state: (open ?? first).state,
      expiresAt: first.expires_at.toISOString(),
      lines: rows.map((row) => ({
        location: directory.locationById.get(row.location_id)?.code ?? '?',
        quantity: row.quantity,
        openQuantity: row.open_quantity,
      })),
    };
  };
  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/reservations/:id',
    {
      config: { scope: 'read', perChannel: true },
      schema: { summary: 'One reservation', tags: ['reservations'], params: idParams, response: { 200: shown } },
    },
    async (req) => read(req.params.id, req),
  );
  app.delete<{ Params: Static<typeof idParams> }>(
    '/v1/reservations/:id',
    {
      config: { scope: 'write', perChannel: true },
      schema: {
        summary: 'Give a reservation back; once more does nothing',
        tags: ['reservations'],
        params: idParams,
        response: { 200: shown },
      },
    },
    async (req) => {
      await read(req.params.id, req);
      const released = await db.transaction((tx) => releaseReservations(tx, { ids, directory }, [req.params.id]));
      if (released > 0) hub.onCommit();
      return read(req.params.id, req);
    },
  );
  return desk;
}

/** For the document; the check itself answers with XD_KEY_MISSING instead of a schema's words. */
export const keyHeader = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ description: 'required; 1 to 200 printable ASCII characters' })),
});
