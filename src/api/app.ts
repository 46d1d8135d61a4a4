/** The HTTP application: one Fastify instance, the same rules for every route, one file per resource. */
import swagger from '@fastify/swagger';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { type FastifyInstance, fastify } from 'fastify';
import { alertRoutes } from './alerts.ts';
import { useKeys } from './auth.ts';
import { availabilityRoutes } from './availability.ts';
import { BODY_BYTES_MAX, useBodies } from './body.ts';
import { cancellationRoutes } from './cancellations.ts';
import { changeRoutes } from './changes.ts';
import { crosswalkRoutes } from './crosswalk.ts';
import { decisionRoutes } from './decisions.ts';
import { eventRoutes } from './events.ts';
import { exceptionRoutes } from './exceptions.ts';
import { healthRoutes } from './health.ts';
import { holdRoutes } from './holds.ts';
import type { ApiHub } from './hub.ts';
import { ingestRoutes } from './ingest.ts';
import { matchRoutes } from './matches.ts';
import { metricRoutes } from './metrics.ts';
import { modeRoutes } from './modes.ts';
import { orderPageRoutes } from './order-pages.ts';
import { orderRoutes } from './orders.ts';
import { frontPageRoutes } from './page.ts';
import { pageRoutes } from './pages.ts';
import { parkedRoutes } from './parked.ts';
import { parkedOutboundRoutes } from './parked-outbound.ts';
import { priceRoutes } from './prices.ts';
import { useProblems } from './problems.ts';
import { promiseRoutes } from './promises.ts';
import { purchasingRoutes } from './purchasing.ts';
import { quotaRoutes } from './quotas.ts';
import { recordPageRoutes } from './record-pages.ts';
import { recordRoutes } from './records.ts';
import { reservationRoutes } from './reservations.ts';
import { returnRoutes } from './returns.ts';
import { statusReader, statusRoutes } from './status.ts';
import { stewardshipRoutes } from './stewardship.ts';
import { stockRoutes } from './stock.ts';
import { takeBackRoutes } from './take-back.ts';

const PARAM_CHARACTERS_MAX = 200;

/** Builds the application; the caller listens and closes. */
export function buildApi(hub: ApiHub): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    routerOptions: { maxParamLength: PARAM_CHARACTERS_MAX },
    keepAliveTimeout: 72_000,
    requestTimeout: 60_000,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
  });
  useValidation(app);
  useProblems(app, hub.log);
  useBodies(app);
  useKeys(app, hub.db);
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Crossdock',
        version: '1',
        description:
          'Errors are problem+json (RFC 9457) with `code`. Quantities are base units; times RFC 3339 UTC; cursors opaque.',
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'API key xd_…' } } },
      security: [{ key: [] }],
    },
    transform: ({ schema, url, route }) => {
      const scope = route.config?.scope;
      return { schema: { ...schema, 'x-scope': scope } as typeof schema, url };
    },
  });
  app.register(async (routes) => {
    routes.get('/openapi.json', { config: { scope: 'read' }, schema: { hide: true } }, async () => app.swagger());
    healthRoutes(routes, hub);
    recordRoutes(routes, hub);
    crosswalkRoutes(routes, hub);
    recordPageRoutes(routes, hub);
    stewardshipRoutes(routes, hub);
    matchRoutes(routes, hub);
    pageRoutes(routes, hub);
    decisionRoutes(routes, hub);
    promiseRoutes(routes, hub);
    priceRoutes(routes, hub);
    availabilityRoutes(routes, hub);
    stockRoutes(routes, hub);
    orderRoutes(routes, hub);
    orderPageRoutes(routes, hub);
    takeBackRoutes(routes, hub);
    changeRoutes(routes, hub);
    alertRoutes(routes, hub);
    returnRoutes(routes, hub);
    exceptionRoutes(routes, hub);
    purchasingRoutes(routes, hub);
    quotaRoutes(routes, hub);
    holdRoutes(routes, hub);
    modeRoutes(routes, hub);
    cancellationRoutes(routes, hub);
    const desk = reservationRoutes(routes, hub);
    const readStatus = statusReader(hub, desk);
    statusRoutes(routes, readStatus);
    parkedRoutes(routes, hub);
    parkedOutboundRoutes(routes, hub);
    eventRoutes(routes, hub);
    metricRoutes(routes, readStatus);
    frontPageRoutes(routes);
    routes.addHook('onClose', async () => desk.drained());
  });
  app.register((routes) => ingestRoutes(routes, hub));
  return app;
}

/** Bodies are taken as they are: no coercion, nothing dropped, nothing added. Queries and paths are text, so they are read as numbers. */
function useValidation(app: FastifyInstance): void {
  const strict = new Ajv({ strict: false, verbose: true, useDefaults: false });
  const coercing = new Ajv({ strict: false, verbose: true, coerceTypes: 'array', useDefaults: true });
  addFormats.default(strict);
  addFormats.default(coercing);
  app.setValidatorCompiler(({ schema, httpPart }) =>
    (httpPart === 'body' ? strict : coercing).compile(schema as object),
  );
}
