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
import { faultOf, headersOf } from './protocol.ts';
import { type Service, withCsrf } from './service.ts';
import { OdataSettings } from './settings.ts';
import { availability, delivery, states } from './sink.ts';
import { feedSource } from './source.ts';

/** A system that is reached by OData v2 or v4, such as SAP S/4HANA and Dynamics 365, declared in the estate file. */
export const odata = defineConnector(
  {
    name: 'odata',
    summary: 'systems with OData v2 or v4, such as SAP S/4HANA and Dynamics 365, declared in the estate file',
    provenAgainst: 'none: no live system was at hand; servers of its own tests keep the public rules of OData',
    // What a system has of these its settings say.
    sources: {},
    deliveries: {},
    states: {},
    needs: [],
    settings: OdataSettings,
    limits: { callsPerSecond: 5, concurrency: 2 },
    quirks: [
      'a second POST makes a second entity: each create is looked up by its reference first',
      'SAP takes writes only with a CSRF token and its cookies: fetched, and fetched again when it has ended',
      'v2 writes decimals as texts and times as /Date(…)/',
      'a server may page below what it is asked for: its next links are followed',
      'ids that sort otherwise than texts (guids): ties by time',
    ],
  },
  create,
);

function create(context: ConnectorContext): Omit<Connector, 'name'> {
  const settings = context.settings as OdataSettings;
  const { limits, system } = context;
  const { version } = settings;
  const at = `systems.${system}.settings`;
  if (version === '2' && settings.batch?.form === 'json')
    fail('XD_ESTATE_INVALID', `${at}.batch.form: OData v2 has no JSON batch`, { place: `${at}.batch.form` });
  const stop = new AbortController();
  const identity = identityOf(context, settings.auth ?? { kind: 'none' }, stop.signal);
  const service = (): Service => {
    const query = new URLSearchParams(identity.query).toString();
    const pathOf = (set: string, options: Readonly<Record<string, string>>): string => {
      // %20 and not +: not every server reads a plus as a blank.
      const own = Object.entries(options).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
      const all = [...own, ...(query === '' ? [] : [query])].join('&');
      return `/${set}${all === '' ? '' : `?${all}`}`;
    };
    const auth = settings.csrf === true ? withCsrf(identity.auth, identity.token, pathOf('', {})) : identity.auth;
    const client = new HttpClient(
      { ...context, token: settings.csrf === true ? null : identity.token },
      { faultOf, ...(auth && { auth }) },
    );
    const headers = { ...headersOf(version, settings.exactNumbers !== false), ...settings.headers };
    return { client, version, url: context.url, headers, settings, query: identity.query, pathOf };
  };
  const made = service();
  const { client } = made;
  const deliveries: Record<string, DeliveryKind> = {};
  for (const [kind, declared] of Object.entries(settings.deliveries ?? {})) {
    if (!(deliveryKinds as readonly string[]).includes(kind))
      fail('XD_ESTATE_INVALID', `${at}.deliveries.${kind} is none of ${deliveryKinds.join(', ')}`, { place: at });
    deliveries[kind] = delivery(made, limits, declared, `${at}.deliveries.${kind}`);
  }
  const { prices, orderStatus } = settings;
  return {
    confirmedBy: settings.confirmedBy ?? 'read_back',
    sources: Object.entries(settings.feeds ?? {}).map(([feed, declared]) => feedSource(made, context, feed, declared)),
    deliveries,
    ...(settings.availability && {
      availability: availability(made, limits, settings.availability, `${at}.availability`),
    }),
    ...(prices && { prices: states(made, limits, prices, ({ key }) => key, `${at}.prices`) }),
    ...(orderStatus && {
      orderStatus: states(
        made,
        limits,
        orderStatus,
        ({ state }) => (state as OrderStatusState).externalNo,
        `${at}.orderStatus`,
      ),
    }),
    async probe(signal) {
      try {
        // The service document: small, and refused to whoever isn't known.
        await client.ask({ method: 'GET', path: made.pathOf('', {}), headers: made.headers }, signal);
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
