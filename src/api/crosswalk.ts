/** What systems' own codes mean here, each for its time. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { fail } from '../canonical/index.ts';
import { type CrosswalkEntry, listCrosswalk, putCrosswalk, RECORDS_MAX } from '../master/index.ts';
import { keyOf } from './auth.ts';
import { pageOf, readCursor } from './cursors.ts';
import type { ApiHub } from './hub.ts';
import { closed, code, limit, list, text, time, utcOf } from './schemas.ts';

const kind = () => Type.Enum(['sku', 'account', 'location']);
const query = closed({
  system: Type.Optional(code()),
  kind: Type.Optional(kind()),
  outsideId: Type.Optional(text(200)),
  code: Type.Optional(code()),
  at: Type.Optional(time()),
  // Outside ids are longer than codes.
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000, pattern: '^[A-Za-z0-9_-]+$' })),
  limit: limit(),
});
const body = closed({
  entries: list(
    closed({
      system: code(),
      kind: kind(),
      outsideId: text(200, 'what the system calls it'),
      code: code(),
      validFrom: Type.Optional(time()),
      validTo: Type.Optional(time()),
    }),
    RECORDS_MAX,
  ),
});
const entryShape = Type.Object({
  system: Type.String(),
  kind: Type.String(),
  outsideId: Type.String(),
  code: Type.String(),
  validFrom: Type.Union([Type.String(), Type.Null()], { description: 'null: it always did' }),
  validTo: Type.Union([Type.String(), Type.Null()], { description: 'from when on not any more; null: it has no end' }),
  recordedAt: Type.String(),
  recordedBy: Type.Union([Type.String(), Type.Null()]),
});

export function crosswalkRoutes(app: FastifyInstance, hub: ApiHub): void {
  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/crosswalk',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'What systems’ own codes mean here',
        description: '`at`: only entries that hold then.',
        tags: ['records'],
        querystring: query,
        response: {
          200: Type.Object({ entries: Type.Array(entryShape), nextCursor: Type.Union([Type.String(), Type.Null()]) }),
        },
      },
    },
    async (request) => {
      const { system, kind: of, outsideId, code: ours, at, limit: asked } = request.query;
      const from = readCursor(request.query.cursor, ['text', 'text', 'text', 'text']);
      const rows = await listCrosswalk(hub.db, {
        ...{ system: system ?? null, kind: of ?? null, outsideId: outsideId ?? null, code: ours ?? null },
        at: at === undefined ? null : utcOf(at, 'at'),
        after: from === undefined ? null : afterOf(from),
        limit: asked + 1,
      });
      const page = pageOf(rows, asked, (row) => [row.system, row.kind, row.outsideId, row.validFrom ?? '']);
      return { entries: page.shown.map(shown), nextCursor: page.nextCursor };
    },
  );
  app.put<{ Body: Static<typeof body> }>(
    '/v1/crosswalk',
    {
      config: { scope: 'write' },
      schema: {
        summary: 'Add entries, or change those that begin at the same moment',
        description:
          'All or none. Two entries of one outside id never hold at once (`overlap`): put the earlier one’s `validTo` first. What was set aside for want of an entry runs by itself.',
        tags: ['records'],
        body,
        response: { 200: closed({ written: Type.Integer({ description: 'added or really changed' }) }) },
      },
    },
    async (request) => {
      const entries = request.body.entries.map(({ validFrom, validTo, ...entry }, i) => ({
        ...entry,
        validFrom: validFrom === undefined ? null : utcOf(validFrom, `entries[${i}].validFrom`),
        validTo: validTo === undefined ? null : utcOf(validTo, `entries[${i}].validTo`),
      }));
      const result = await putCrosswalk(hub.db, entries, `key ${keyOf(request).keyId}`);
      if (result.written > 0) hub.onCommit();
      return result;
    },
  );
}

function afterOf([system, of, outsideId, validFrom]: readonly string[]) {
  if (validFrom !== '' && Number.isNaN(Date.parse(validFrom!)))
    fail('XD_VALUE_INVALID', 'cursor is not one of this list', { place: 'cursor' });
  const kind = of as CrosswalkEntry['kind'];
  return { system: system!, kind, outsideId: outsideId!, validFrom: validFrom === '' ? null : validFrom! };
}

function shown(entry: CrosswalkEntry): Static<typeof entryShape> {
  return { ...entry, recordedAt: entry.recordedAt.toISOString() };
}
