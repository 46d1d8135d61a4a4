import { createHmac, timingSafeEqual } from 'node:crypto';
import { CrossdockError, deliveryKinds, fail } from '../../canonical/index.ts';
import {
  type Connector,
  type ConnectorContext,
  type DeliveryKind,
  defineConnector,
  HttpClient,
  identityOf,
  type OrderStatusState,
} from '../kit/index.ts';
import { faultsOf } from './faults.ts';
import { RestSettings } from './settings.ts';
import { availability, delivery, states } from './sink.ts';
import { feedSource } from './source.ts';
import { pathOf } from './values.ts';
import type { Wire } from './wire.ts';

/** A system that is reached by REST and declared in the estate file alone. */
export const rest = defineConnector(
  {
    name: 'rest',
    summary: 'any system with a REST API, declared in the estate file',
    provenAgainst: 'none: servers of its own tests, one for each kind of signing in, paging and failing',
    // What a system has of these its settings say.
    sources: {},
    deliveries: {},
    states: {},
    needs: [],
    settings: RestSettings,
    limits: { callsPerSecond: 5, concurrency: 2 },
    quirks: [
      'pages that shift while they are read: each page is tied to the one before, and a pass whose tie is lost begins again',
      '200 with an error in it: `faults` say what it is',
      '200 with HTML: a read fails, a write is in doubt',
    ],
  },
  create,
);

function create(context: ConnectorContext): Omit<Connector, 'name'> {
  const settings = context.settings as RestSettings;
  const { limits } = context;
  const at = `systems.${context.system}.settings`;
  const stop = new AbortController();
  const identity = identityOf(context, settings.auth ?? { kind: 'none' }, stop.signal);
  const client = new HttpClient(
    { ...context, token: identity.token },
    { faultOf: faultsOf(settings.faults ?? [], `${at}.faults`), ...(identity.auth && { auth: identity.auth }) },
  );
  const wire: Wire = { client, headers: settings.headers ?? {}, query: identity.query };
  const deliveries: Record<string, DeliveryKind> = {};
  for (const [kind, declared] of Object.entries(settings.deliveries ?? {})) {
    if (!(deliveryKinds as readonly string[]).includes(kind))
      fail('XD_ESTATE_INVALID', `${at}.deliveries.${kind} is none of ${deliveryKinds.join(', ')}`, { place: at });
    deliveries[kind] = delivery(wire, limits, declared, `${at}.deliveries.${kind}`);
  }
  const { prices, orderStatus } = settings;
  return {
    confirmedBy: settings.confirmedBy ?? 'read_back',
    sources: Object.entries(settings.feeds ?? {}).map(([feed, declared]) => feedSource(wire, context, feed, declared)),
    deliveries,
    ...(settings.availability && {
      availability: availability(wire, limits, settings.availability, `${at}.availability`),
    }),
    ...(prices && { prices: states(wire, limits, prices, ({ key }) => key, `${at}.prices`) }),
    ...(orderStatus && {
      orderStatus: states(
        wire,
        limits,
        orderStatus,
        ({ state }) => (state as OrderStatusState).externalNo,
        `${at}.orderStatus`,
      ),
    }),
    ...(settings.hint && { hint: hintOf(context, settings.hint, Object.keys(settings.feeds ?? {})) }),
    async probe(signal) {
      try {
        const path = pathOf(settings.probe.path, wire.query, {});
        await client.ask({ method: 'GET', path, headers: wire.headers }, signal);
        return { ok: true, detail: 'answers and knows us' };
      } catch (error) {
        if (error instanceof CrossdockError) return { ok: false, detail: `${error.code}: ${error.message}` };
        throw error;
      }
    },
    pausedMs: () => client.pausedMs,
    async close() {
      stop.abort();
      await Promise.all([client.close(), identity.close()]);
    },
  };
}

type Hint = NonNullable<RestSettings['hint']>;

/** What is in the message counts for nothing: the feeds are read. */
function hintOf({ system, webhookSecret }: ConnectorContext, { header, encoding, prefix = '' }: Hint, feeds: string[]) {
  // An empty secret would make a signature that anybody can make.
  if (webhookSecret === null || webhookSecret === '')
    fail('XD_ESTATE_INVALID', `systems.${system}.webhookSecret is missing: hints are signed with it`);
  return (headers: Readonly<Record<string, string | undefined>>, body: Buffer): string[] => {
    const expected = Buffer.from(prefix + createHmac('sha256', webhookSecret).update(body).digest(encoding));
    const given = Buffer.from(headers[header.toLowerCase()] ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      fail('XD_UNAUTHENTICATED', `the signature of the webhook is not that of ${system}`);
    return feeds;
  };
}
