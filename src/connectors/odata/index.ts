import { fail } from '../../canonical/index.ts';
import { type Declaration, declaredBy, declaredSystem, defineConnector, HttpClient } from '../kit/index.ts';
import { faultOf, headersOf, isServiceDocument } from './protocol.ts';
import { batchMaxOfService, type Service, withCsrf } from './service.ts';
import { type FeedSettings, OdataSettings } from './settings.ts';
import { availability, delivery, states } from './sink.ts';
import { feedSource } from './source.ts';

const declaration: Declaration = {
  name: 'odata',
  summary: 'systems with OData v2 or v4, such as SAP S/4HANA and Dynamics 365, declared in the estate file',
  provenAgainst: 'none: no live system was at hand; servers of its own tests keep the public rules of OData',
  // What a system has of these its settings say.
  sources: {},
  deliveries: {},
  states: {},
  bySettings: (settings) => declaredAs(settings as OdataSettings),
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
};

/** A system that is reached by OData v2 or v4, such as SAP S/4HANA and Dynamics 365, declared in the estate file. */
export const odata = defineConnector(declaration, (context) => {
  const settings = context.settings as OdataSettings;
  const { limits } = context;
  const { version } = settings;
  return declaredSystem(context, settings, (identity, budget, at) => {
    if (version === '2' && settings.batch?.form === 'json')
      fail('XD_ESTATE_INVALID', `${at}.batch.form: OData v2 has no JSON batch`, { place: `${at}.batch.form` });
    const query = new URLSearchParams(identity.query).toString();
    const pathOf = (set: string, options: Readonly<Record<string, string>>): string => {
      // %20 and not +: not every server reads a plus as a blank.
      const own = Object.entries(options).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
      const all = [...own, ...(query === '' ? [] : [query])].join('&');
      return `/${set}${all === '' ? '' : `?${all}`}`;
    };
    const isSap = settings.csrf === true;
    const auth = isSap ? withCsrf(identity.auth, identity.token, pathOf('', {})) : identity.auth;
    const client = new HttpClient(
      { ...context, token: isSap ? null : identity.token },
      { budget, faultOf, ...(auth && { auth }) },
    );
    const headers = { ...headersOf(version, settings.exactNumbers !== false), ...settings.headers };
    const service: Service = { client, version, url: context.url, headers, settings, query: identity.query, pathOf };
    return {
      client,
      feed: (feed, declared) => feedSource(service, context, feed, declared),
      delivery: (declared, place) => delivery(service, limits, declared, place),
      availability: (declared, place) => availability(service, limits, declared, place),
      states: (declared, keyOf, place) => states(service, limits, declared, keyOf, place),
      async probe(signal) {
        // The service document: small, and refused to whoever isn't known.
        const { value } = await client.ask({ method: 'GET', path: pathOf('', {}), headers }, signal);
        if (!isServiceDocument(value, version))
          client.malformed('GET', '/', `no service document of OData v${version}: is this another system?`);
      },
    };
  });
});

function declaredAs(settings: OdataSettings) {
  const batchMax = batchMaxOfService(settings);
  return declaredBy<OdataSettings>(settings, {
    push: false,
    feed: ({ paging }) => cursorOf(paging),
    delivery: ({ set, reference, idempotency }) => ({
      batchMax,
      locator: `${reference} of ${set}`,
      ...(idempotency && { idempotency }),
    }),
    state: () => ({ batchMax }),
    // Under the ETag of what was read, and only where that is what we think.
    guard: 'compare_and_set',
  });
}

function cursorOf(paging: FeedSettings['paging']) {
  if (paging.kind === 'keyset') return { cursor: 'keyset', overlapMs: paging.overlapMs } as const;
  // Deltas are the system's own; pages without a time are compared with what they were.
  if (paging.kind === 'delta' || paging.at === undefined) return { cursor: 'snapshot' } as const;
  return { cursor: 'keyset', overlapMs: paging.overlapMs ?? 0 } as const;
}
