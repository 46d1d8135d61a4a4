/** Whether the process lives, has started, and can take work. Open to everyone: they tell nothing but that. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { databaseNow } from '../store/index.ts';
import type { ApiHub } from './hub.ts';
import { closed } from './schemas.ts';

const PROBE_MS_MAX = 1_000;
const answer = closed({ ok: Type.Boolean(), reasons: Type.Array(Type.String()) });

export function healthRoutes(app: FastifyInstance, hub: ApiHub): void {
  const probe = async (): Promise<string[]> => {
    const { ok, reasons } = hub.ready();
    const late = new Promise<string>((resolve) =>
      setTimeout(resolve, PROBE_MS_MAX, 'the database does not answer in time').unref(),
    );
    const database = await Promise.race([
      databaseNow(hub.db).then(
        () => undefined,
        () => 'the database does not answer',
      ),
      late,
    ]);
    return [...(ok ? [] : reasons.length > 0 ? reasons : ['not ready']), ...(database === undefined ? [] : [database])];
  };
  const options = (summary: string) => ({
    config: { scope: 'open' as const },
    schema: { summary, tags: ['health'], security: [], response: { 200: answer, 503: answer } },
  });
  app.get('/livez', options('The process answers'), async () => ({ ok: true, reasons: [] }));
  for (const [url, summary] of [
    ['/readyz', 'It can take work'],
    ['/startupz', 'It has started'],
  ] as const)
    app.get(url, options(summary), async (_, reply) => {
      const reasons = await probe();
      return reply.code(reasons.length === 0 ? 200 : 503).send({ ok: reasons.length === 0, reasons });
    });
}
