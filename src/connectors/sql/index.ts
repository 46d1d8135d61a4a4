import { fail } from '../../canonical/index.ts';
import {
  type ConnectorFactory,
  type Declaration,
  type Domain,
  defineConnector,
  type SourceDeclaration,
  sqlClientFor,
} from '../kit/index.ts';
import { type SqlFeed, type SqlSettings, sqlSettings } from './settings.ts';
import { sqlDelivery } from './sink.ts';
import { sqlSource, timeOf } from './source.ts';

const write = { batchMax: 50, locator: 'the query `locate` of the estate', idempotency: 'none' } as const;
const domainsOf: Readonly<Record<SqlFeed['map']['as'], readonly Domain[]>> = {
  order: ['orders'],
  cancel: ['cancels'],
  counted: ['stock'],
  received: ['stock'],
  adjusted: ['stock'],
  supply: ['supply'],
  allocated: ['stock'],
  credit: ['credit'],
  picked: ['shipments'],
  shipped: ['shipments'],
  returned: ['returns'],
  invoice: ['invoices'],
  credit_note: ['invoices'],
};
const cursors = { time: 'keyset', sequence: 'sequence', snapshot: 'snapshot' } as const;

function sourceOf({ cursor, map }: SqlFeed): SourceDeclaration {
  return {
    domains: domainsOf[map.as],
    cursor: cursors[cursor.by],
    ...(cursor.by === 'time' && { overlapMs: cursor.overlapSeconds * 1000 }),
    ordering: 'per_thing',
    push: false,
  };
}

const declaration: Declaration = {
  name: 'sql',
  summary:
    'legacy databases, PostgreSQL and MySQL or MariaDB, by declared queries; read-only unless writes are declared',
  provenAgainst: 'PostgreSQL 15 and 18, MariaDB 10.11',
  sources: {},
  deliveries: {},
  states: {},
  bySettings(settings) {
    const { feeds = [], writes = {} } = settings as SqlSettings;
    return {
      sources: Object.fromEntries(feeds.map((one) => [one.feed, sourceOf(one)])),
      deliveries: Object.fromEntries(Object.keys(writes).map((kind) => [kind, write])),
      states: {},
    };
  },
  needs: [],
  settings: sqlSettings,
  limits: { callsPerSecond: 50, concurrency: 4 },
  quirks: [
    'A change that commits later than the overlap after its own time is never met: set it beyond the longest transaction.',
    'Columns that are filled by the application may go back; those of a trigger or a default do not.',
  ],
};

/** Tables of a system that has no other way in. */
export const sql: ConnectorFactory = defineConnector(declaration, (context) => {
  const { feeds = [], writes = {} } = context.settings as SqlSettings;
  const place = `systems.${context.system}.settings`;
  const twice = feeds.find(({ feed }, index) => feeds.findIndex((other) => other.feed === feed) !== index);
  if (twice !== undefined) fail('XD_ESTATE_INVALID', `${place}.feeds has ${twice.feed} twice`, { place });
  const client = sqlClientFor(context, Object.keys(writes).length === 0);
  return {
    confirmedBy: 'answer',
    sources: feeds.map((feed, index) => sqlSource(client, feed, context, `${place}.feeds.${index}`)),
    deliveries: Object.fromEntries(
      Object.entries(writes).map(([kind, one]) => [
        kind,
        sqlDelivery(client, kind, one, context, `${place}.writes.${kind}`),
      ]),
    ),
    async probe(signal) {
      try {
        const at = await client.reading(signal, (run) => timeOf(client, run));
        return { ok: true, detail: `answers, its time is ${at}` };
      } catch (error) {
        return { ok: false, detail: (error as Error).message };
      }
    },
    pausedMs: () => client.pausedMs,
    close: () => client.close(),
  };
});
