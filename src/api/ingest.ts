/** What systems post by themselves: kept as it came, acknowledged after commit. The signature is the credential. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { fail } from '../canonical/index.ts';
import { LARGE_BODY_BYTES_MAX, rawBodyOf } from './body.ts';
import type { ApiHub } from './hub.ts';
import { closed, code } from './schemas.ts';

const params = closed({ system: code() });
const taken = closed({ items: Type.Integer() });

/** In a context of its own: here a body may be anything, and nobody parses it before its signature was checked. */
export async function ingestRoutes(app: FastifyInstance, hub: ApiHub): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    request.rawBody = body as Buffer;
    done(null, undefined);
  });
  app.post<{ Params: Static<typeof params> }>(
    '/ingest/:system',
    {
      bodyLimit: LARGE_BODY_BYTES_MAX,
      config: { scope: 'open' },
      schema: {
        summary: "A system's webhook, raw; its signature is the credential",
        tags: ['ingest'],
        security: [],
        params,
        response: { 202: taken },
      },
    },
    async (request, reply) => {
      const { system } = request.params;
      // A hint is not kept: it says only that something is there, and that is read.
      if (hub.hint?.(system, flat(request.headers), rawBodyOf(request)) === true) {
        reply.code(202);
        return { items: 0 };
      }
      const items = hub.webhook(system, flat(request.headers), rawBodyOf(request));
      if (items === undefined)
        fail('XD_NOT_FOUND', `no system ${JSON.stringify(system.slice(0, 60))} posts here`, { place: 'system' });
      const results = await hub.receiver.receive({
        system,
        source: 'webhook',
        contentType: request.headers['content-type'] ?? 'application/octet-stream',
        body: rawBodyOf(request),
        items,
        onFault: 'park',
        reread: (body) => hub.reread?.(system, body) ?? [],
      });
      reply.code(202);
      return { items: results.length };
    },
  );
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | undefined> {
  const result: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers)) result[name] = Array.isArray(value) ? value.join(', ') : value;
  return result;
}
