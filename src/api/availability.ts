/** What may be promised to a channel, and why. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import type { ChannelEntry } from '../master/index.ts';
import { checkChannel } from './auth.ts';
import { AvailabilityLoader } from './availability-loader.ts';
import { explainAvailability } from './explain.ts';
import { explainPast } from './explain-past.ts';
import type { ApiHub } from './hub.ts';
import { channelOf, skuIdOf, skuIdsOf } from './lookups.ts';
import { closed, code, list, sku, skuCodeOf, time, utcOf } from './schemas.ts';

export const SKUS_MAX = 500;

const query = closed({ channel: code(), sku: list(sku(), SKUS_MAX) });
const answer = closed({
  channel: Type.String(),
  asOf: Type.String({ format: 'date-time', description: "the database's time at which the numbers were true" }),
  items: Type.Array(closed({ sku: Type.String(), atp: Type.Integer({ minimum: 0 }), unit: Type.String() })),
});
const explainParams = closed({ sku: sku() });
const explainQuery = closed({ channel: code(), at: Type.Optional(time()) });

export function availabilityRoutes(app: FastifyInstance, hub: ApiHub): void {
  const loaders = new Map<number, AvailabilityLoader>();
  const loaderOf = (channel: ChannelEntry): AvailabilityLoader => {
    let loader = loaders.get(channel.channelId);
    if (loader === undefined) {
      loader = new AvailabilityLoader(hub.db, hub.directory, channel);
      loaders.set(channel.channelId, loader);
    }
    return loader;
  };
  // The part of an item that hardly ever changes, written once; the answer is then a join of texts.
  const opened = new Map<number, string>();
  let unitsVersion = 0;
  const openedOf = (skuId: number): string => {
    let start = opened.get(skuId);
    if (start === undefined) {
      start = `{"sku":${JSON.stringify(hub.directory.skuCode(skuId))},"unit":${JSON.stringify(hub.directory.skuUnit(skuId))},"atp":`;
      opened.set(skuId, start);
    }
    return start;
  };

  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/availability',
    {
      config: { scope: 'read', perChannel: true },
      schema: {
        summary: 'Available to promise, per SKU, for one channel',
        tags: ['availability'],
        querystring: query,
        response: { 200: answer },
      },
    },
    async (request, reply) => {
      const { channel: code, sku: codes } = request.query;
      checkChannel(request, code);
      const channel = channelOf(hub, code);
      const skuIds = knownIds(hub, codes) ?? (await skuIdsOf(hub, codes.map(skuCodeOf), (i) => `sku[${i}]`));
      await hub.directory.readChangedUnits();
      if (unitsVersion !== hub.directory.unitsVersion) {
        unitsVersion = hub.directory.unitsVersion;
        opened.clear();
      }
      const { places, done } = loaderOf(channel).load(skuIds);
      const { asOf, atp } = await done;
      let body = `{"channel":${JSON.stringify(channel.code)},"asOf":"${asOf}","items":[`;
      for (let i = 0; i < skuIds.length; i++)
        body += `${i === 0 ? '' : ','}${openedOf(skuIds[i]!)}${atp[places[i]!]!}}`;
      reply.type('application/json; charset=utf-8');
      return reply.send(`${body}]}`);
    },
  );

  app.get<{ Params: Static<typeof explainParams>; Querystring: Static<typeof explainQuery> }>(
    '/v1/availability/:sku/explain',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Every input of a number, now or at a past time',
        tags: ['availability'],
        params: explainParams,
        querystring: explainQuery,
      },
    },
    async (request) => {
      const channel = channelOf(hub, request.query.channel);
      const skuId = await skuIdOf(hub, skuCodeOf(request.params.sku), 'sku');
      const { at } = request.query;
      if (at === undefined) return explainAvailability(hub, channel, skuId);
      return explainPast(hub, channel, skuId, utcOf(at, 'at'));
    },
  );
}

/** Ids of codes that are all known already, the usual case; undefined: something has to be looked up. */
function knownIds(hub: ApiHub, codes: readonly string[]): number[] | undefined {
  const ids = new Array<number>(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const id = hub.directory.findSkuId(codes[i]!);
    if (id === undefined) return undefined;
    ids[i] = id;
  }
  return ids;
}
