/**
 * Connectors whose feeds and writes are declared in the estate file instead of written: what they have in common, whatever their protocol.
 * A protocol says how one feed, one kind of delivery and one state is read and written; which there are, the settings say.
 */
import { CrossdockError, deliveryKinds, fail } from '../../canonical/index.ts';
import { CallBudget } from './budget.ts';
import { systemClock } from './clock.ts';
import type { Declaration, Domain, SourceDeclaration, StateDeclaration } from './declare.ts';
import type { HttpClient } from './http.ts';
import { askedToWaitMs } from './http-answers.ts';
import { type Identity, type IdentitySettings, identityOf } from './identity.ts';
import { decimalOf, type RecordKind } from './mapping/index.ts';
import type {
  AvailabilitySink,
  Connector,
  ConnectorContext,
  DeliveryKind,
  OrderStatusState,
  Outcome,
  Source,
  StateItem,
  StateSink,
} from './types.ts';

/** What the settings of such a connector have; each protocol has its own kinds of them. */
export interface DeclaredSettings {
  auth?: IdentitySettings;
  feeds?: Readonly<Record<string, { kind: RecordKind }>>;
  deliveries?: Readonly<Record<string, object>>;
  availability?: object;
  prices?: object;
  orderStatus?: object;
  confirmedBy?: 'answer' | 'read_back';
}

type One<Many> = NonNullable<Many> extends Readonly<Record<string, infer Each>> ? Each : never;

/** How a protocol reads and writes what is declared; `at` is the setting's place, for refusals. */
export interface Protocol<S extends DeclaredSettings> {
  client: HttpClient;
  feed(name: string, declared: One<S['feeds']>, at: string): Source;
  delivery(declared: One<S['deliveries']>, at: string): DeliveryKind;
  availability(declared: NonNullable<S['availability']>, at: string): AvailabilitySink;
  states(
    declared: NonNullable<S['prices'] | S['orderStatus']>,
    keyOf: (item: StateItem) => string,
    at: string,
  ): StateSink;
  hint?: NonNullable<Connector['hint']>;
  /** Throws where the system is not what it should be. */
  probe(signal: AbortSignal): Promise<void>;
}

/** @param open is given who we are and what the system may be asked, and makes the client */
export function declaredSystem<S extends DeclaredSettings>(
  context: ConnectorContext,
  settings: S,
  open: (identity: Identity, budget: CallBudget, at: string) => Protocol<S>,
): Omit<Connector, 'name'> {
  const at = `systems.${context.system}.settings`;
  const stop = new AbortController();
  const { clock = systemClock } = context;
  const budget = new CallBudget(context.limits, clock);
  const identity = identityOf(context, settings.auth ?? { kind: 'none' }, stop.signal, clock, budget);
  const protocol = open(identity, budget, at);
  const { client } = protocol;
  const feeds = Object.entries(settings.feeds ?? {}) as [string, One<S['feeds']>][];
  for (const [feed, { kind }] of feeds as [string, { kind: RecordKind }][])
    if ((kind === 'order' || kind === 'cancel' || kind === 'return') && context.channel === null)
      fail(
        'XD_ESTATE_INVALID',
        `${at}.feeds.${feed}: no channel names ${context.system} as its system, so nobody's orders are here`,
      );
  const deliveries: Record<string, DeliveryKind> = {};
  for (const [kind, declared] of Object.entries(settings.deliveries ?? {})) {
    if (!(deliveryKinds as readonly string[]).includes(kind))
      fail('XD_ESTATE_INVALID', `${at}.deliveries.${kind} is none of ${deliveryKinds.join(', ')}`, { place: at });
    deliveries[kind] = protocol.delivery(declared as One<S['deliveries']>, `${at}.deliveries.${kind}`);
  }
  const { availability, prices, orderStatus } = settings;
  const { hint } = protocol;
  return {
    confirmedBy: settings.confirmedBy ?? 'read_back',
    sources: feeds.map(([feed, declared]) => protocol.feed(feed, declared, `${at}.feeds.${feed}`)),
    deliveries,
    ...(availability && { availability: protocol.availability(availability, `${at}.availability`) }),
    ...(prices && { prices: protocol.states(prices, ({ key }) => key, `${at}.prices`) }),
    ...(orderStatus && { orderStatus: protocol.states(orderStatus, externalNoOf, `${at}.orderStatus`) }),
    ...(hint && { hint }),
    async probe(signal) {
      try {
        await protocol.probe(signal);
        return { ok: true, detail: 'answers and knows us' };
      } catch (error) {
        if (error instanceof CrossdockError) return { ok: false, detail: `${error.code}: ${error.message}` };
        throw error;
      }
    },
    pausedMs: () => Math.max(client.pausedMs, identity.pausedMs?.() ?? 0),
    async close() {
      stop.abort();
      await Promise.all([client.close(), identity.close()]);
    },
  };
}

/** Channels know their orders by their own numbers. */
function externalNoOf({ state }: StateItem): string {
  return (state as OrderStatusState).externalNo;
}

const domainOf: Readonly<Record<RecordKind, Domain>> = {
  order: 'orders',
  cancel: 'cancels',
  change: 'orders',
  order_cancel: 'cancels',
  movement: 'stock',
  supply: 'supply',
  picked: 'shipments',
  short_picked: 'shipments',
  shipped: 'shipments',
  returned: 'returns',
  return: 'returns',
  inspected: 'returns',
  document: 'invoices',
  product: 'products',
  account: 'accounts',
  price: 'prices',
  contract: 'prices',
};

/** How a protocol answers for what is declared. */
export interface DeclaredAs<S extends DeclaredSettings> {
  feed(declared: One<S['feeds']>): Pick<SourceDeclaration, 'cursor' | 'overlapMs'>;
  delivery(declared: One<S['deliveries']>): { batchMax: number; locator: string; idempotency?: 'native' | 'none' };
  state(declared: object): { batchMax: number };
  /** What keeps a number from being set over a sale; left out where the estate's own words do. */
  guard?: StateDeclaration['guard'];
  push: boolean;
}

/** What these settings make of a declaration. */
export function declaredBy<S extends DeclaredSettings>(
  settings: S,
  as: DeclaredAs<S>,
): ReturnType<NonNullable<Declaration['bySettings']>> {
  const { availability, prices, orderStatus } = settings;
  const content = { readBack: 'content' } as const;
  return {
    sources: mapped(settings.feeds, (feed) => ({
      domains: [domainOf[feed.kind]],
      ...as.feed(feed as One<S['feeds']>),
      // A list holds each thing once, as it is now.
      ordering: 'per_thing',
      push: as.push,
    })),
    deliveries: mapped(settings.deliveries, (declared) => {
      const { idempotency = 'none', ...said } = as.delivery(declared as One<S['deliveries']>);
      return { ...said, idempotency };
    }),
    states: {
      ...(availability && {
        availability: { ...as.state(availability), ...content, ...(as.guard && { guard: as.guard }) },
      }),
      ...(prices && { prices: { ...as.state(prices), ...content } }),
      ...(orderStatus && { orderStatus: { ...as.state(orderStatus), ...content } }),
    },
  };
}

function mapped<One, To>(many: Readonly<Record<string, One>> | undefined, to: (one: One) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(many ?? {}).map(([name, one]) => [name, to(one)]));
}

/** Nothing was sent, since what is there could not be looked up before: for later, and not before the system wants to be asked again. */
export function notSent(items: readonly unknown[], error: unknown): Outcome[] {
  const why = error instanceof Error ? error.message : 'unknown error';
  const retryAfterMs = askedToWaitMs(error);
  const outcome: Outcome = {
    outcome: 'later',
    error: `not sent, since it could not be looked up: ${why}`,
    ofSystem: true,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  return items.map(() => outcome);
}

/** Whether what is there is what was said: 12.5 is 12.50. */
export function isSaid(said: unknown, there: unknown): boolean {
  if (String(said) === String(there)) return true;
  try {
    return decimalOf(said) === decimalOf(there);
  } catch {
    return false;
  }
}

/** What names a record. Numbers, where they are to sort as such, as texts of one length. */
export function nameIn(value: unknown, isNumeric: boolean): string | undefined {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  if (text === '') return undefined;
  return isNumeric && /^\d{1,20}$/.test(text) ? text.padStart(20, '0') : text;
}
