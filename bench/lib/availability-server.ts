/** A server process of the availability benchmark: `product URL` is the hub's API, `bare` a Fastify route over a map. */
import Fastify from 'fastify';
import { createHub } from '../../src/app.ts';
import { listen } from '../../src/server.ts';
import { availabilityEstate, SKUS, skuCode } from './availability-estate.ts';

const [mode, databaseUrl] = process.argv.slice(2);

async function startProduct(): Promise<string> {
  const hub = await createHub({
    estate: availabilityEstate,
    databaseUrl: databaseUrl!,
    connectors: new Map(),
    role: 'api',
  });
  await hub.start();
  return (await listen(hub, { port: 0 })).url;
}

async function startBare(): Promise<string> {
  const atp = new Map(Array.from({ length: SKUS }, (_, i) => [skuCode(i + 1), 1_000 + i]));
  const app = Fastify();
  const response = {
    200: {
      type: 'object',
      properties: {
        channel: { type: 'string' },
        asOf: { type: 'string' },
        items: {
          type: 'array',
          items: {
            type: 'object',
            properties: { sku: { type: 'string' }, atp: { type: 'integer' }, unit: { type: 'string' } },
          },
        },
      },
    },
  };
  app.get<{ Querystring: { channel: string; sku: string[] } }>(
    '/v1/availability',
    { schema: { response } },
    async (request) => ({
      channel: request.query.channel,
      asOf: new Date().toISOString(),
      items: request.query.sku.map((sku) => ({ sku, atp: atp.get(sku)!, unit: 'each' })),
    }),
  );
  return app.listen({ host: '127.0.0.1', port: 0 });
}

const url = await (mode === 'product' ? startProduct() : startBare());
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send!({ cpuUs: user + system });
});
process.on('disconnect', () => process.exit(0));
process.send!({ url });
