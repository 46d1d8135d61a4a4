/** What was set aside: to be seen, and to be run again. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { fail } from '../canonical/index.ts';
import { getParked, type Rereads, tellRecords } from '../ingest/index.ts';
import { pageOf, readCursor } from './cursors.ts';
import type { ApiHub } from './hub.ts';
import { nextStepOf } from './next-steps.ts';
import { closed, code, cursor, idParams, limit } from './schemas.ts';
import * as statements from './status.sql.ts';

const query = closed({
  state: Type.Optional(Type.Enum(['open', 'replayed', 'resolved'])),
  class: Type.Optional(code()),
  system: Type.Optional(code()),
  cursor: Type.Optional(cursor()),
  limit: limit(),
});

function shown(row: statements.ParkedRow): object {
  return {
    parkedId: String(row.parked_id),
    scope: row.scope,
    key: row.key,
    system: row.system,
    class: row.class,
    reason: row.reason,
    place: row.place,
    waitsFor: row.wait_key,
    state: row.state,
    attempts: row.attempts,
    resolution: row.resolution,
    recordedAt: row.recorded_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    next: row.state === 'open' ? nextStepOf('parked_record', row.class) : null,
  };
}

/** As the connectors of this process read. */
export function rereadsOf(hub: ApiHub): Rereads {
  return (system) => hub.rereads?.(system) ?? 'this process has no connectors';
}

export function parkedRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db } = hub;
  const read = async (id: number) => {
    const [row] = await db.query(statements.readParked, [id]);
    return row ?? fail('XD_NOT_FOUND', `nothing is parked under ${id}`, { place: 'id' });
  };

  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/parked',
    {
      config: { scope: 'read' },
      schema: { summary: 'What was set aside, newest first', tags: ['operations'], querystring: query },
    },
    async (request) => {
      const { state = 'open', class: kind, system, limit } = request.query;
      const before = readCursor(request.query.cursor, ['number'])?.[0] ?? null;
      const rows = await db.query(statements.listParked, [before, state, kind ?? null, system ?? null, limit + 1]);
      const page = pageOf(rows, limit, (row) => [row.parked_id]);
      return { parked: page.shown.map(shown), nextCursor: page.nextCursor };
    },
  );
  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/parked/:id',
    {
      config: { scope: 'operate' },
      schema: { summary: 'One of them with its content', tags: ['operations'], params: idParams },
    },
    async (request) => {
      const row = await read(request.params.id);
      return { ...shown(row), item: row.item };
    },
  );
  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/parked/:id/mapping',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'How one of them was read, step by step, and where that ended',
        description: 'Read again from the message that was kept, as the estate maps it now.',
        tags: ['operations'],
        params: idParams,
      },
    },
    async (request) => {
      const { scope, key, rawId, item } = await getParked(db, request.params.id);
      const { fingerprint } = item;
      const [told] = await tellRecords(db, [{ scope, key, rawId, fingerprint }], rereadsOf(hub));
      return told ?? fail('XD_NOT_FOUND', `nothing came under the key of parked ${request.params.id}`, { place: 'id' });
    },
  );
  app.post<{ Params: Static<typeof idParams> }>(
    '/v1/parked/:id/replay',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Run it again under its own key',
        description: 'No body. What still fails stays parked with its new reason.',
        tags: ['operations'],
        params: idParams,
      },
    },
    async (request) => {
      const before = await read(request.params.id);
      if (before.state !== 'open')
        fail('XD_REFUSED', `parked ${request.params.id} is ${before.state} already`, { place: 'id' });
      const { applied } = await hub.receiver.replay([request.params.id]);
      return { applied: applied === 1, ...shown(await read(request.params.id)) };
    },
  );
}
