/** Values that systems say of fields that others own, for a person to take or not. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { masterDomains } from '../canonical/index.ts';
import { decideStewardship, getStewardship, listStewardship, type StewardshipItem } from '../master/index.ts';
import { keyOf } from './auth.ts';
import { pageOf, readCursor } from './cursors.ts';
import type { ApiHub } from './hub.ts';
import { closed, code, cursor, idParams, limit, prose, text } from './schemas.ts';

const query = closed({
  state: Type.Optional(Type.Enum(['open', 'accepted', 'rejected'])),
  domain: Type.Optional(Type.Enum([...masterDomains])),
  system: Type.Optional(code()),
  record: Type.Optional(text(300, 'code of a SKU or an account; of a price <SKU>/<list>/<currency>/<first day or ->')),
  cursor: Type.Optional(cursor()),
  limit: limit(),
});
const decision = closed({
  by: Type.Optional(text(100, 'who decided; default: the key')),
  reason: Type.Optional(prose(500)),
});
const shape = Type.Object({
  itemId: Type.String(),
  domain: Type.String(),
  company: Type.Union([Type.String(), Type.Null()]),
  record: Type.String(),
  field: Type.String(),
  held: Type.Unknown({ description: 'when it was said' }),
  said: Type.Unknown(),
  system: Type.String({ description: 'who said it' }),
  owner: Type.String(),
  changedAt: Type.String(),
  state: Type.String(),
  decidedBy: Type.Union([Type.String(), Type.Null()]),
  reason: Type.Union([Type.String(), Type.Null()]),
  recordedAt: Type.String(),
  endedAt: Type.Union([Type.String(), Type.Null()]),
});

export function stewardshipRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;
  const shown = ({ itemId, companyId, changedAt, recordedAt, endedAt, ...rest }: StewardshipItem) => ({
    ...rest,
    itemId: String(itemId),
    company: directory.companyById.get(companyId ?? 0)?.code ?? null,
    changedAt: changedAt.toISOString(),
    recordedAt: recordedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  });

  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/stewardship',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Values that systems said of fields that others own, newest first',
        tags: ['records'],
        querystring: query,
        response: {
          200: Type.Object({ items: Type.Array(shape), nextCursor: Type.Union([Type.String(), Type.Null()]) }),
        },
      },
    },
    async (request) => {
      const { cursor: from, limit: most, ...wanted } = request.query;
      const before = readCursor(from, ['number'])?.[0];
      const rows = await listStewardship(db, { ...wanted, before, limit: most + 1 });
      const page = pageOf(rows, most, (row) => [row.itemId]);
      return { items: page.shown.map(shown), nextCursor: page.nextCursor };
    },
  );

  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/stewardship/:id',
    {
      config: { scope: 'read' },
      schema: { summary: 'One of them', tags: ['records'], params: idParams, response: { 200: shape } },
    },
    async (request) => shown(await getStewardship(db, request.params.id)),
  );

  for (const [verb, state, summary] of [
    ['accept', 'accepted', 'Take the value: it holds until its owner says something later than it did before'],
    ['reject', 'rejected', 'Do not take it: the same value of that system is not asked again'],
  ] as const)
    app.post<{ Params: Static<typeof idParams>; Body: Static<typeof decision> }>(
      `/v1/stewardship/:id/${verb}`,
      {
        config: { scope: 'operate' },
        schema: {
          summary,
          description: 'The same decision again does nothing; another one is refused.',
          tags: ['records'],
          params: idParams,
          body: decision,
          response: { 200: shape },
        },
      },
      async (request) => {
        const { by = `key ${keyOf(request).keyId}`, reason } = request.body;
        const item = await decideStewardship(db, directory, request.params.id, { state, by, reason });
        hub.onCommit();
        return shown(item);
      },
    );
}
