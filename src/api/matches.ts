/** Accounts and products that arrived from a system and may be one of ours: listed, and decided by a person. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { apartMatch, getMatch, listMatches, type MatchCase, mergeMatch, undoMatch } from '../master/index.ts';
import { keyOf } from './auth.ts';
import { pageOf, readCursor } from './cursors.ts';
import type { ApiHub } from './hub.ts';
import { closed, code, cursor, idParams, limit, prose, text } from './schemas.ts';

const query = closed({
  state: Type.Optional(Type.Enum(['open', 'merged', 'apart', 'undone'])),
  system: Type.Optional(code()),
  kind: Type.Optional(Type.Enum(['account', 'product'])),
  cursor: Type.Optional(cursor()),
  limit: limit(),
});
const decision = {
  by: Type.Optional(text(100, 'who decided; default: the key')),
  reason: Type.Optional(prose(500)),
};
const merge = closed({
  ...decision,
  code: Type.Optional(text(100, 'which candidate; needed where there are several')),
});
const other = closed(decision);
const record = Type.Record(Type.String(), Type.String(), {
  description: 'of an account name, taxId, email, postalCode; of a product description, gtin',
});
const nullable = () => Type.Union([Type.String(), Type.Null()]);
const shape = Type.Object({
  matchId: Type.String(),
  kind: Type.String(),
  system: Type.String(),
  company: Type.Union([Type.String(), Type.Null()], { description: 'null: a product, which all companies share' }),
  outsideId: Type.String(),
  record,
  state: Type.String(),
  code: Type.Union([Type.String(), Type.Null()], { description: 'what it is here, once that is decided' }),
  decidedBy: Type.Union([Type.String(), Type.Null()], { description: 'a person, or rule' }),
  reason: nullable(),
  recordedAt: Type.String(),
  decidedAt: nullable(),
  candidates: Type.Array(Type.Object({ code: Type.String(), rule: Type.String(), score: Type.String(), record })),
});

export function matchRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;
  const shown = (one: MatchCase): Static<typeof shape> => ({
    ...one,
    matchId: String(one.matchId),
    record: one.record as Record<string, string>,
    candidates: one.candidates.map((candidate) => ({
      ...candidate,
      record: candidate.record as Record<string, string>,
    })),
    recordedAt: one.recordedAt.toISOString(),
    decidedAt: one.decidedAt?.toISOString() ?? null,
  });

  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/matches',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Accounts and products of systems that may be ours, newest first',
        description: 'open: it waits for a person, and so do its orders.',
        tags: ['records'],
        querystring: query,
        response: { 200: Type.Object({ matches: Type.Array(shape), nextCursor: nullable() }) },
      },
    },
    async (request) => {
      const { state = null, system = null, kind = null, limit: asked } = request.query;
      const before = readCursor(request.query.cursor, ['number'])?.[0] ?? null;
      const page = pageOf(
        await listMatches(db, directory, { state, system, kind, before, limit: asked + 1 }),
        asked,
        (one) => [one.matchId],
      );
      return { matches: page.shown.map(shown), nextCursor: page.nextCursor };
    },
  );
  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/matches/:id',
    {
      config: { scope: 'read' },
      schema: { summary: 'One of them', tags: ['records'], params: idParams, response: { 200: shape } },
    },
    async (request) => shown(await getMatch(db, directory, request.params.id)),
  );

  const decisions = {
    merge: [
      mergeMatch,
      merge,
      'They are the same: what waited runs as this one’s. Refused where stock or open orders of two products would be added up',
    ],
    apart: [apartMatch, other, 'It is none of them, and never proposed again: one of its own'],
    undo: [undoMatch, other, 'Take a merge back: from now on it is one of its own'],
  } as const;
  for (const [name, [decide, body, summary]] of Object.entries(decisions))
    app.post<{ Params: Static<typeof idParams>; Body: Static<typeof merge> }>(
      `/v1/matches/:id/${name}`,
      {
        config: { scope: 'operate' },
        schema: {
          summary,
          description: 'The same again does nothing.',
          tags: ['records'],
          params: idParams,
          body,
          response: { 200: shape },
        },
      },
      async (request) => {
        const { by = `key ${keyOf(request).keyId}`, reason, code: chosen } = request.body;
        const one = await decide(db, directory, request.params.id, { by, reason, code: chosen });
        hub.onCommit();
        return shown(one);
      },
    );
}
