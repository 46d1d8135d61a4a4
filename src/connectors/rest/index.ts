import { createHmac, timingSafeEqual } from 'node:crypto';
import { fail } from '../../canonical/index.ts';
import {
  type ConnectorContext,
  type Declaration,
  declaredBy,
  declaredSystem,
  defineConnector,
  HttpClient,
} from '../kit/index.ts';
import { faultsOf } from './faults.ts';
import { type Paging, RestSettings, type WriteSettings } from './settings.ts';
import { availability, batchMaxOfWrite, delivery, states } from './sink.ts';
import { feedSource } from './source.ts';
import { pathOf, selectOf } from './values.ts';
import type { Wire } from './wire.ts';

const declaration: Declaration = {
  name: 'rest',
  summary: 'any system with a REST API, declared in the estate file',
  provenAgainst: 'none: servers of its own tests, one for each kind of signing in, paging and failing',
  // What a system has of these its settings say.
  sources: {},
  deliveries: {},
  states: {},
  bySettings: (settings) => declaredAs(settings as RestSettings),
  needs: [],
  settings: RestSettings,
  limits: { callsPerSecond: 5, concurrency: 2 },
  quirks: [
    'pages that shift while they are read: each page is tied to the one before, and a pass whose tie is lost begins again',
    '200 with an error in it: `faults` say what it is',
    '200 with HTML: a read fails, a write is in doubt',
  ],
};

/** A system that is reached by REST and declared in the estate file alone. */
export const rest = defineConnector(declaration, (context) => {
  const settings = context.settings as RestSettings;
  const { limits } = context;
  return declaredSystem(context, settings, (identity, budget, at) => {
    const client = new HttpClient(
      { ...context, token: identity.token },
      {
        budget,
        faultOf: faultsOf(settings.faults ?? [], `${at}.faults`),
        ...(identity.auth && { auth: identity.auth }),
      },
    );
    const wire: Wire = { client, headers: settings.headers ?? {}, query: identity.query };
    const { path, has } = settings.probe;
    const found = has === undefined ? undefined : selectOf(has, `${at}.probe.has`);
    return {
      client,
      feed: (feed, declared) => feedSource(wire, context, feed, declared),
      delivery: (declared, place) => delivery(wire, limits, declared, place),
      availability: (declared, place) => availability(wire, limits, declared, place),
      states: (declared, keyOf, place) => states(wire, limits, declared, keyOf, place),
      ...(settings.hint && { hint: hintOf(context, settings.hint, Object.keys(settings.feeds ?? {})) }),
      async probe(signal) {
        const { value } = await client.ask(
          { method: 'GET', path: pathOf(path, wire.query, {}), headers: wire.headers },
          signal,
        );
        if (found !== undefined && found(value) == null)
          client.malformed('GET', path, 'it has not what `probe.has` names: is this another system?');
      },
    };
  });
});

function declaredAs(settings: RestSettings) {
  return declaredBy<RestSettings>(settings, {
    push: settings.hint !== undefined,
    feed: ({ paging }) => cursorOf(paging),
    delivery: ({ write, locate, idempotency }) => ({
      batchMax: batchMaxOfWrite(write),
      locator: `${locate.key} of ${locate.path}`,
      ...(idempotency && { idempotency }),
    }),
    state: (declared) => ({ batchMax: batchMaxOfWrite((declared as { write: WriteSettings }).write) }),
  });
}

function cursorOf(paging: Paging) {
  if (paging.kind === 'keyset') return { cursor: 'keyset', overlapMs: paging.overlapMs } as const;
  const { change } = paging;
  return change === undefined
    ? ({ cursor: 'snapshot' } as const)
    : ({ cursor: 'keyset', overlapMs: change.overlapMs } as const);
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
