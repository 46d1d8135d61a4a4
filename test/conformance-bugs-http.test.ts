/** Bugs that somebody may write or declare in connectors over HTTP, each caught by its check; and further systems of rest and odata. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectors } from '../src/connectors/index.ts';
import { type SystemDescription, testConnector } from '../src/connectors/kit/conformance/index.ts';
import type { Connector, ConnectorFactory, FeedPage, Outcome, Source } from '../src/connectors/kit/index.ts';

const root = join(import.meta.dirname, '..', 'src', 'connectors');
const descriptionOf = async (name: string, which = 'default') =>
  ((await import(join(root, name, 'conformance.ts'))) as Record<string, SystemDescription>)[which]!;

describe('further systems', () => {
  it.each([
    ['rest', 'more', 60],
    ['odata', 'v2', 120],
  ])(
    '%s: %s passes what it declares',
    async (name, which, least) => {
      const report = await testConnector(connectors.get(name)!, await descriptionOf(name, which), { name });
      expect(report.checks.filter(({ result }) => result === 'failed')).toEqual([]);
      expect(report.passed).toBeGreaterThanOrEqual(least);
    },
    240_000,
  );
});

// biome-ignore lint/suspicious/noExplicitAny: settings as an estate file holds them.
type Declared = any;

/** Another declaration, held to what the right one says. */
function declared(name: string, change: (settings: Declared) => void): ConnectorFactory {
  const factory = connectors.get(name)!;
  const made: ConnectorFactory = (context) => {
    const settings = structuredClone(context.settings) as Declared;
    change(settings);
    return factory({ ...context, settings });
  };
  return Object.assign(made, { declaration: factory.declaration! });
}

function changed(name: string, change: (connector: Connector) => Partial<Connector>): ConnectorFactory {
  const factory = connectors.get(name)!;
  const made: ConnectorFactory = (context) => {
    const connector = factory(context);
    return { ...connector, ...change(connector) };
  };
  return Object.assign(made, { declaration: factory.declaration! });
}

const read = (name: string, poll: (source: Source) => Source['poll']) =>
  changed(name, ({ sources }) => ({ sources: sources.map((source) => ({ ...source, poll: poll(source) })) }));

const told = (name: string, change: (one: Outcome) => Outcome) =>
  changed(name, ({ deliveries }) => ({
    deliveries: Object.fromEntries(
      Object.entries(deliveries).map(([kind, sink]) => [
        kind,
        { ...sink, write: async (...args) => (await sink.write(...args)).map(change) },
      ]),
    ),
  }));

/** A keyset's place, so much later. */
function skipped(cursor: string, ms: number): string {
  const { p, h } = JSON.parse(cursor) as { p: { at: string }; h?: unknown };
  const at = new Date(Date.parse(`${p.at.slice(0, 19)}Z`) + ms).toISOString().replace('Z', '000000Z');
  return JSON.stringify({ p: { at, id: '' }, h });
}

const faultRule = (rule: object) =>
  declared('rest', (settings) => {
    settings.faults = [rule];
  });
const nothing = { body: Buffer.from('null'), contentType: 'application/json', items: [] };

/** What was handed over once counts as kept, whoever comes back. */
function neverAgain(source: Source): Source['poll'] {
  const seen = new Set<string>();
  return async (cursor, signal): Promise<FeedPage> => {
    const page = await source.poll(cursor, signal);
    const items = page.items.filter(({ scope, key }) => !seen.has(`${scope} ${key}`));
    for (const { scope, key } of items) seen.add(`${scope} ${key}`);
    return { ...page, items };
  };
}

const bugs: [bug: string, base: string, factory: ConnectorFactory, check: string, which?: string][] = [
  // Keyset feeds and pages.
  [
    'a feed by time goes on from its end',
    'rest',
    declared('rest', ({ feeds }) => {
      feeds.orders.paging.overlapMs = 0;
    }),
    'feed.late_commit',
  ],
  [
    'a feed by time goes on from its end',
    'odata',
    declared('odata', ({ feeds }) => {
      feeds.accounts.paging.overlapMs = 0;
    }),
    'feed.late_commit',
  ],
  [
    'the next page begins a second after the last record',
    'odata',
    read('odata', (source) => async (cursor, signal) => {
      const page = await source.poll(cursor, signal);
      const isKeyset = !page.drained && source.feed === 'accounts';
      return isKeyset ? { ...page, cursor: skipped(page.cursor, 1_000) } : page;
    }),
    'feed.same_second',
  ],
  ['what was handed over counts as kept', 'rest', read('rest', neverAgain), 'feed.page_not_kept'],
  ['what was handed over counts as kept', 'odata', read('odata', neverAgain), 'feed.end_not_kept'],
  [
    'links that are page numbers are trusted',
    'rest',
    declared('rest', ({ feeds }) => {
      feeds.documents.paging.recheck = false;
    }),
    'feed.delete_between_pages',
    'more',
  ],
  // Who we are.
  ['a session is kept for ever', 'rest', faultRule({ status: [401], class: 'later' }), 'session.read_renewed'],
  ['a session is kept for ever', 'rest', faultRule({ status: [401], class: 'later' }), 'session.write_renewed'],
  ['a 401 is the fault of the item', 'rest', faultRule({ status: [401], class: 'refused' }), 'write.401_once'],
  [
    'who is not known any more is refused for good',
    'odata',
    told('odata', (one) =>
      one.outcome === 'later' && /sign in/.test(one.error) ? { outcome: 'refused', error: one.error } : one,
    ),
    'write.401_always',
  ],
  [
    'it signs in again at once, until it is let in',
    'rest',
    (context) => {
      const factory = connectors.get('rest')!;
      const all: Connector[] = [];
      const fresh = () => all[all.push(factory(context)) - 1]!;
      const base = fresh();
      const kinds = Object.entries(base.deliveries).map(([kind, sink]): [string, typeof sink] => [
        kind,
        {
          ...sink,
          async write(items, signal) {
            for (let tries = 3; ; tries -= 1) {
              const outcomes = await fresh().deliveries[kind]!.write(items, signal);
              if (tries === 0 || outcomes.every(({ outcome }) => outcome !== 'later')) return outcomes;
            }
          },
        },
      ]);
      const close = async () => void (await Promise.all(all.map((one) => one.close())));
      return { ...base, deliveries: Object.fromEntries(kinds), close };
    },
    'write.401_always',
  ],
  [
    'a page that was refused is passed over',
    'rest',
    read('rest', (source) => async (cursor, signal) => {
      try {
        return await source.poll(cursor, signal);
      } catch (error) {
        const { details } = error as { details?: { status?: number } };
        if (details?.status !== 401 || source.feed !== 'orders') throw error;
        return { ...nothing, cursor: skipped(cursor, 3_600_000), drained: false };
      }
    }),
    'session.not_ended',
  ],
  // Pauses.
  ['Retry-After is not read', 'rest', faultRule({ status: [429], class: 'later' }), 'write.pause_holds'],
  ['Retry-After is not read', 'rest', faultRule({ status: [429], class: 'later' }), 'read.429'],
  [
    'Retry-After is taken for milliseconds',
    'odata',
    told('odata', (one) =>
      one.outcome === 'later' && one.retryAfterMs !== undefined
        ? { ...one, retryAfterMs: one.retryAfterMs / 1_000 }
        : one,
    ),
    'write.pause_holds',
  ],
  [
    'Retry-After as a date is read by our own clock',
    'rest',
    told('rest', (one) =>
      one.outcome === 'later' && one.retryAfterMs !== undefined
        ? { ...one, retryAfterMs: Date.parse('2030-01-01T00:00:40Z') - Date.now() }
        : one,
    ),
    'write.retry_after_date',
  ],
  [
    'a 503 that says when to come back is believed to have done nothing',
    'rest',
    faultRule({ status: [503], class: 'later' }),
    'write.503_retry_after',
  ],
  // Times and amounts.
  [
    'an offset is cut off',
    'rest',
    declared('rest', ({ feeds }) => {
      feeds.orders.map.fields.orderedAt = { jsonata: "$substring(created, 0, 19) & 'Z'", as: 'time' };
    }),
    'record.time_zone',
  ],
  [
    'local times are those of the machine',
    'rest',
    declared('rest', ({ feeds }) => {
      feeds.shipments.map.fields.at.zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
    }),
    'record.dst',
  ],
  [
    '30 February is 2 March',
    'rest',
    declared('rest', ({ feeds }) => {
      feeds.orders.map.fields.orderedAt = { jsonata: '$toMillis(created)', as: 'unixMs' };
    }),
    'record.broken',
  ],
  [
    'an amount goes through a float',
    'rest',
    declared('rest', ({ feeds }) => {
      feeds.orders.map.lists.lines.fields.unitPrice = { jsonata: '$string($number(net))' };
    }),
    'record.decimal_exact',
  ],
  [
    'an amount is a float',
    'rest',
    read('rest', (source) => async (cursor, signal) => {
      const page = await source.poll(cursor, signal);
      const asFloat = (command: object) => ({
        ...command,
        ...('unitPrice' in command && { unitPrice: Number(command.unitPrice) }),
      });
      return {
        ...page,
        items: page.items.map((item) => (item.command ? { ...item, command: asFloat(item.command) } : item)),
      } as FeedPage;
    }),
    'record.decimals',
  ],
  // Writes.
  [
    'each state counts as there',
    'rest',
    changed('rest', ({ prices }) => ({
      prices: { ...prices!, holds: async (items) => new Set(items.map(({ key }) => key)) },
    })),
    'lookup.not_found',
  ],
  [
    'a system that makes a second entity of a second POST is declared as one that does not',
    'odata',
    declared('odata', ({ deliveries }) => {
      deliveries.sales_order.idempotency = 'native';
    }),
    'lookup.second_write',
  ],
  [
    'a number is set whatever is there',
    'odata',
    changed('odata', ({ availability }) => ({
      availability: {
        ...availability!,
        write: (items, signal) =>
          availability!.write(
            items.map((item) => ({ ...item, from: null })),
            signal,
          ),
      },
    })),
    'write.number_over_sale',
  ],
  [
    'what an answer speaks of is not looked at',
    'rest',
    declared('rest', ({ deliveries }) => void delete deliveries.sales_order.write.key),
    'write.foreign_200',
  ],
  [
    'a hint of anybody is taken',
    'rest',
    changed('rest', () => ({ hint: () => ['orders'] })),
    'webhook.wrong_signature',
  ],
  ['a hint names a feed that is not there', 'rest', changed('rest', () => ({ hint: () => ['all'] })), 'hint.feeds'],
  [
    'a probe that takes any JSON',
    'rest',
    declared('rest', ({ probe }) => void delete probe.has),
    'probe.other',
    'more',
  ],
];

describe('a connector with a bug', () => {
  it.each(bugs)(
    '(%s, %s) is caught by its check',
    async (_bug, base, factory, check, which = 'default') => {
      const description = await descriptionOf(base, which);
      const report = await testConnector(factory, description, { only: [check] });
      expect(report.checks.map(({ id, result }) => [id, result])).toContainEqual([check, 'failed']);
      // The same check passes without the bug, so it is the bug that it sees.
      const good = await testConnector(connectors.get(base)!, description, { only: [check] });
      expect(good).toMatchObject({ failed: 0, skipped: 0 });
    },
    120_000,
  );
});
