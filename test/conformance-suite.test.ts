/** The suite itself: our connectors pass it, and a connector with a bug doesn't. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FilesSettings } from '../src/connectors/files/settings.ts';
import { connectors } from '../src/connectors/index.ts';
import { checks, type SystemDescription, testConnector } from '../src/connectors/kit/conformance/index.ts';
import type {
  Connector,
  ConnectorFactory,
  DeliveryItem,
  DeliveryKind,
  Outcome,
  Source,
} from '../src/connectors/kit/index.ts';
import { HttpClient } from '../src/connectors/kit/index.ts';

const root = join(import.meta.dirname, '..', 'src', 'connectors');
const descriptionOf = async (name: string) =>
  ((await import(join(root, name, 'conformance.ts'))) as { default: SystemDescription }).default;

/** These need a database: `conformance-databases.db.test.ts`. */
const ON_DATABASES = ['ledgersmb', 'sql'];
const isDescribed = (name: string) => existsSync(join(root, name, 'conformance.ts'));

describe('every connector of ours', () => {
  it('is described', () => {
    expect([...connectors.keys()].filter((name) => !isDescribed(name))).toEqual([]);
  });

  it.each([...connectors.keys()].filter((name) => isDescribed(name) && !ON_DATABASES.includes(name)))(
    '%s passes what it declares',
    async (name) => {
      const report = await testConnector(connectors.get(name)!, await descriptionOf(name), { name });
      expect(report.checks.filter(({ result }) => result === 'failed')).toEqual([]);
      expect(report.passed).toBeGreaterThanOrEqual(60);
      expect(report.passed + report.skipped).toBe(checks.length);
      for (const { result, detail } of report.checks) if (result === 'skipped') expect(detail).not.toBeNull();
    },
    480_000,
  );
});

it('checks have names of their own, and each says what holds', () => {
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  for (const { id, what } of checks) {
    expect(id).toMatch(/^[a-z]+\.[a-z0-9_]+$/);
    expect(what).not.toBe('');
  }
});

/** A shipped one with something of it replaced: a bug that somebody may write. */
function changed(name: string, change: (connector: Connector) => Partial<Connector>): ConnectorFactory {
  const factory = connectors.get(name)!;
  const made: ConnectorFactory = (context) => {
    const connector = factory(context);
    return { ...connector, ...change(connector) };
  };
  return Object.assign(made, { declaration: factory.declaration! });
}

const delivered = (name: string, change: (kind: DeliveryKind, name: string) => Partial<DeliveryKind>) =>
  changed(name, (connector) => ({
    deliveries: Object.fromEntries(
      Object.entries(connector.deliveries).map(([kind, sink]) => [kind, { ...sink, ...change(sink, kind) }]),
    ),
  }));

const outcomes = (name: string, change: (one: Outcome, item: DeliveryItem) => Outcome) =>
  delivered(name, (sink) => ({
    write: async (items, signal) => (await sink.write(items, signal)).map((one, i) => change(one, items[i]!)),
  }));

const read = (name: string, change: (source: Source) => Partial<Source>) =>
  changed(name, ({ sources }) => ({ sources: sources.map((source) => ({ ...source, ...change(source) })) }));

const in_doubt_as = (outcome: 'later' | 'confirmed' | 'refused') =>
  outcomes('sim-wms', (one) => (one.outcome === 'in_doubt' ? ({ outcome, error: 'a bug' } as Outcome) : one));

/** The drop box with other settings than its description says. */
const boxed = (change: (settings: FilesSettings) => FilesSettings): ConnectorFactory => {
  const factory = connectors.get('files')!;
  const made: ConnectorFactory = (context) =>
    factory({ ...context, settings: { ...change(context.settings as FilesSettings) } });
  return Object.assign(made, { declaration: factory.declaration! });
};
let built = 0;

let leaked = 0;
let again = 0;
const n = () => {
  again += 1;
  return again;
};
const bugs: [bug: string, base: string, factory: ConnectorFactory, check: string][] = [
  ['in doubt is told as later', 'sim-wms', in_doubt_as('later'), 'write.timeout_after_commit'],
  ['in doubt is told as later', 'sim-wms', in_doubt_as('later'), 'write.500_after'],
  ['in doubt is told as done', 'sim-wms', in_doubt_as('confirmed'), 'write.html_200'],
  ['in doubt is told as refused', 'sim-wms', in_doubt_as('refused'), 'write.reset_before'],
  [
    'a write that failed is sent again at once',
    'sim-erp',
    delivered('sim-erp', (sink) => ({
      async write(items, signal) {
        const first = await sink.write(items, signal);
        return first.some(({ outcome }) => outcome === 'in_doubt') ? sink.write(items, signal) : first;
      },
    })),
    'write.500_after',
  ],
  [
    'what was refused for one item is refused for all',
    'sim-wms',
    delivered('sim-wms', (sink) => ({
      async write(items, signal) {
        const all = await sink.write(items, signal);
        const bad = all.find(({ outcome }) => outcome === 'refused');
        return bad === undefined ? all : all.map(() => bad);
      },
    })),
    'write.poison',
  ],
  [
    'an outcome is missing',
    'sim-wms',
    delivered('sim-wms', (sink) => ({ write: async (items, signal) => (await sink.write(items, signal)).slice(1) })),
    'write.full_batch',
  ],
  [
    'what an item is told is that of its neighbour',
    'sim-wms',
    delivered('sim-wms', (sink) => ({
      write: async (items, signal) => {
        const all = await sink.write(items, signal);
        return [...all.slice(1), ...all.slice(0, 1)];
      },
    })),
    'write.partial',
  ],
  [
    'a lookup that failed is told as not found',
    'sim-wms',
    delivered('sim-wms', (sink) => ({ locate: (refs, signal) => sink.locate(refs, signal).catch(() => new Map()) })),
    'lookup.500',
  ],
  [
    'a lookup never finds anything',
    'sim-wms',
    delivered('sim-wms', () => ({ locate: async () => new Map() })),
    'lookup.not_found',
  ],
  [
    'a lookup never finds anything, so what failed is done twice',
    'sim-erp',
    delivered('sim-erp', () => ({ locate: async () => new Map() })),
    'write.every_step',
  ],
  [
    'a sale that is half made is made anew',
    'tryton',
    delivered('tryton', (sink, kind) =>
      kind !== 'sales_order'
        ? {}
        : {
            async write(items, signal) {
              const there = await sink.locate(
                items.map(({ reference }) => reference),
                signal,
              );
              const fresh = items.map((item) => ({ ...item, reference: `${item.reference}/${n()}` }));
              return there.size === items.length ? sink.write(items, signal) : sink.write(fresh, signal);
            },
          },
    ),
    'write.every_step',
  ],
  [
    'what the system does by itself is taken for done',
    'tryton',
    delivered('tryton', (_sink, kind) =>
      kind === 'shipment_posting'
        ? { write: async (items) => items.map(() => ({ outcome: 'confirmed' as const, answer: {} })) }
        : {},
    ),
    'work.not_done',
  ],
  [
    'what the system does by itself is refused while it does not answer',
    'tryton',
    delivered('tryton', (sink, kind) =>
      kind === 'shipment_posting'
        ? {
            write: async (items, signal) =>
              (await sink.write(items, signal)).map((one) =>
                one.outcome === 'later' ? { outcome: 'refused' as const, error: 'a bug' } : one,
              ),
          }
        : {},
    ),
    'work.500',
  ],
  [
    'a lookup writes',
    'sim-wms',
    delivered('sim-wms', (sink) => ({
      async locate(refs, signal) {
        await sink.write([{ reference: 'F-probe', payload: {} }], signal);
        return sink.locate(refs, signal);
      },
    })),
    'lookup.no_effect',
  ],
  [
    'the signal is not passed on',
    'sim-wms',
    delivered('sim-wms', (sink) => ({ write: (items) => sink.write(items, new AbortController().signal) })),
    'write.permission_gone',
  ],
  [
    'a page that failed is read as an empty one',
    'sim-erp',
    read('sim-erp', (source) => ({
      poll: (cursor, signal) =>
        source.poll(cursor, signal).catch(() => {
          return { body: Buffer.from('{}'), contentType: 'application/json', items: [], cursor, drained: true };
        }),
    })),
    'read.html_200',
  ],
  [
    'keys hold the place in the page',
    'sim-erp',
    read('sim-erp', (source) => ({
      async poll(cursor, signal) {
        const page = await source.poll(cursor, signal);
        return { ...page, items: page.items.map((item, index) => ({ ...item, key: `${item.key}/${index}` })) };
      },
    })),
    'feed.keys_independent_of_page',
  ],
  ['a kept page can not be read again', 'sim-erp', read('sim-erp', () => ({ reread: () => [] })), 'feed.reread'],
  [
    'after a page one record is left out',
    'sim-erp',
    read('sim-erp', (source) => ({
      async poll(cursor, signal) {
        const page = await source.poll(cursor, signal);
        return page.drained ? page : { ...page, cursor: String(Number(page.cursor) + 1) };
      },
    })),
    'feed.reads_all',
  ],
  [
    'what can not be read is dropped',
    'sim-shop',
    read('sim-shop', (source) => ({
      async poll(cursor, signal) {
        const page = await source.poll(cursor, signal);
        return { ...page, items: page.items.filter((item) => item.unreadable === undefined) };
      },
    })),
    'record.broken',
  ],
  [
    'times are kept as they come',
    'sim-erp',
    read('sim-erp', (source) => ({
      async poll(cursor, signal) {
        const page = await source.poll(cursor, signal);
        const raws = (JSON.parse(page.body.toString()) as { records: { at: string }[] }).records;
        const items = page.items.map((item, i) => ({
          ...item,
          command: { ...item.command!, occurredAt: raws[i]!.at },
        }));
        return { ...page, items: items as typeof page.items };
      },
    })),
    'record.time_zone',
  ],
  [
    'a webhook of anybody is taken',
    'sim-shop',
    changed('sim-shop', ({ sources }) => ({ webhook: (_headers, body) => sources[0]!.reread!(body) })),
    'webhook.wrong_signature',
  ],
  [
    'a probe that always says yes',
    'sim-erp',
    changed('sim-erp', () => ({ probe: async () => ({ ok: true, detail: 'fine' }) })),
    'probe.other',
  ],
  [
    'a probe that says our token',
    'sim-erp',
    (context) => ({
      ...connectors.get('sim-erp')!(context),
      probe: async () => ({ ok: true, detail: `signed in with ${context.token}` }),
    }),
    'secret.said',
  ],
  [
    'a log line with the token',
    'sim-erp',
    (context) => {
      process.stderr.write(leaked++ === 0 ? `connecting with ${context.token}\n` : '');
      return connectors.get('sim-erp')!(context);
    },
    'secret.said',
  ],
  [
    'reads with a budget of their own',
    'sim-erp',
    (context) => {
      const reader = new HttpClient(context);
      const base = connectors.get('sim-erp')!(context);
      const writer = connectors.get('sim-erp')!(context);
      return {
        ...base,
        deliveries: writer.deliveries,
        close: async () => void (await Promise.all([reader.close(), base.close(), writer.close()])),
      };
    },
    'budget.concurrency',
  ],
  [
    'a number that is set absolutely over a sale',
    'sim-shop',
    changed('sim-shop', ({ availability }) => ({
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
    'a feed that writes while it is polled',
    'medusa',
    changed('medusa', ({ sources, availability }) => ({
      sources: sources.map((source) => ({
        ...source,
        async poll(cursor, signal) {
          await availability!.write([{ sku: 'SKU77110', from: null, quantity: 7, ordersThrough: '' }], signal);
          return source.poll(cursor, signal);
        },
      })),
    })),
    'feed.no_effect',
  ],
  [
    'nothing names what the level hides',
    'vendure',
    changed('vendure', ({ availability }) => ({
      availability: { ...availability!, doubtful: async () => [] },
    })),
    'write.number_hidden',
  ],
  [
    'a sale that is just made is taken for a level that lies',
    'medusa',
    changed('medusa', ({ availability }) => ({
      availability: { ...availability!, doubtful: async () => ['SKU77110'] },
    })),
    'write.number_hidden',
  ],
  [
    'a state is there because its thing is',
    'vendure',
    changed('vendure', ({ prices }) => ({
      prices: { ...prices!, holds: async (items) => new Set(items.map(({ key }) => key)) },
    })),
    'lookup.other_state',
  ],
  [
    'each call signs in by itself',
    'vendure',
    (context) => {
      const base = connectors.get('vendure')!(context);
      const availability = {
        ...base.availability!,
        async readBack(skus: readonly string[], signal: AbortSignal) {
          const own = connectors.get('vendure')!(context);
          try {
            return await own.availability!.readBack(skus, signal);
          } finally {
            await own.close();
          }
        },
      };
      return { ...base, availability };
    },
    'session.shared',
  ],
  [
    'a write whose sign-in failed is told as in doubt',
    'vendure',
    changed('vendure', ({ prices }) => ({
      prices: {
        ...prices!,
        write: async (items, signal) =>
          (await prices!.write(items, signal)).map((one) =>
            one.outcome === 'later' ? { outcome: 'in_doubt', error: 'a bug' } : one,
          ),
      },
    })),
    'session.500',
  ],
  ['a hint of anybody is taken', 'vendure', changed('vendure', () => ({ hint: () => ['orders'] })), 'webhook.unsigned'],
  [
    'a hint names what no feed is called',
    'medusa',
    changed('medusa', ({ hint }) => ({ hint: (headers, body) => [...hint!(headers, body), 'reservations'] })),
    'hint.feeds',
  ],
  [
    'a hint falls over a message that is none',
    'medusa',
    changed('medusa', ({ hint }) => ({
      hint: (headers, body) => {
        const feeds = hint!(headers, body);
        void (JSON.parse(body.toString()) as { event: string }).event.startsWith('order.');
        return feeds;
      },
    })),
    'hint.garbage',
  ],
  [
    'a hint counts once only',
    'vendure',
    changed('vendure', ({ hint }) => {
      const seen = new Set<string>();
      return {
        hint: (headers, body) => {
          const feeds = seen.has(body.toString()) ? [] : hint!(headers, body);
          seen.add(body.toString());
          return feeds;
        },
      };
    }),
    'hint.replayed',
  ],
  ['it goes on after it was closed', 'sim-erp', changed('sim-erp', () => ({ close: async () => {} })), 'close.ends'],
  [
    'a feed that nobody declared',
    'sim-erp',
    changed('sim-erp', ({ sources }) => ({ sources: [...sources, { ...sources[0]!, feed: 'secretly' }] })),
    'declaration.sources',
  ],
  [
    'a last line without its end is taken for whole',
    'files',
    boxed(({ inbound = [], ...rest }) => ({
      ...rest,
      inbound: inbound.map((one) => ({ ...one, finalNewline: false })),
    })),
    'file.half',
  ],
  [
    'what was sent is remembered by the process alone',
    'files',
    boxed(({ outbound = {}, ...rest }) => {
      built += 1;
      const own = Object.entries(outbound).map(([kind, one]) => [kind, { ...one, sent: `sent-${built}/${kind}` }]);
      return { ...rest, outbound: Object.fromEntries(own) };
    }),
    'file.out_taken',
  ],
  [
    'a folder that can not be listed is read as an empty one',
    'files',
    read('files', (source) => ({
      poll: (cursor, signal) =>
        source.poll(cursor, signal).catch(() => {
          return { body: Buffer.alloc(0), contentType: '', items: [], cursor, drained: true };
        }),
    })),
    'file.folder_refuses',
  ],
  ...['file.columns_renamed', 'file.columns_twice', 'file.vanishes', 'file.empty', 'file.huge_line'].map(
    (check): (typeof bugs)[number] => [
      'files that can not be read are passed over',
      'files',
      read('files', (source) => ({
        async poll(cursor, signal) {
          const page = await source.poll(cursor, signal);
          return { ...page, items: page.items.filter((item) => item.unreadable === undefined) };
        },
      })),
      check,
    ],
  ),
  [
    'a price is written whatever it is for',
    'sim-shop',
    changed('sim-shop', ({ prices }) => ({
      prices: {
        ...prices!,
        write: (items, signal) =>
          prices!.write(
            items.map((item) => ({ ...item, state: { unitPrice: '10.20', currency: 'GBP' } })),
            signal,
          ),
      },
    })),
    'write.unit_mismatch',
  ],
  [
    'an order is written whatever its price is for',
    'rest',
    delivered('rest', (sink) => ({
      write: (items, signal) =>
        sink.write(
          items.map((item) => {
            const lines = (item.payload as { lines: object[] }).lines?.map((line) => ({ ...line, pricePer: 1 }));
            return lines === undefined ? item : { ...item, payload: { ...(item.payload as object), lines } };
          }),
          signal,
        ),
    })),
    'write.price_per',
  ],
  [
    'batches larger than declared',
    'sim-erp',
    delivered('sim-erp', () => ({ batchMax: 5_000 })),
    'declaration.batch_sizes',
  ],
];

describe('a connector with a bug', () => {
  it.each(bugs)(
    '(%s, %s) is caught by its check',
    async (_bug, base, factory, check) => {
      const withoutDeclaration = factory.declaration === undefined;
      const only = check === 'secret.said' ? ['probe.well', 'secret.said'] : [check];
      const report = await testConnector(factory, await descriptionOf(base), { only });
      void withoutDeclaration;
      expect(report.checks.map(({ id, result }) => [id, result])).toContainEqual([check, 'failed']);
      // The same check passes without the bug, so it is the bug that it sees.
      const good = await testConnector(connectors.get(base)!, await descriptionOf(base), { only });
      expect(good.failed).toBe(0);
    },
    60_000,
  );

  it('a check that a description leaves out is skipped with its reason, and one that does not exist is told', async () => {
    const description = await descriptionOf('sim-erp');
    const factory = changed('sim-erp', () => ({ probe: async () => ({ ok: true, detail: 'fine' }) }));
    const skip = { 'probe.other': 'it can not be told from others', 'probe.nothing': 'no' };
    const report = await testConnector(factory, { ...description, skip }, { only: ['probe.other'] });
    expect(report).toMatchObject({ passed: 0, failed: 1, skipped: 1 });
    expect(report.checks[0]).toMatchObject({
      result: 'skipped',
      detail: expect.stringContaining('it can not be told'),
    });
    expect(report.checks[1]!.detail).toContain('probe.nothing');
  });
});
