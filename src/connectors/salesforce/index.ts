import { CrossdockError } from '../../canonical/index.ts';
import {
  type Clock,
  type Connector,
  type ConnectorContext,
  type Declaration,
  defineConnector,
  type Outcome,
} from '../kit/index.ts';
import { bulkUpsert, type Load } from './bulk.ts';
import { Salesforce } from './client.ts';
import type { Read } from './map-master.ts';
import { settingsOf, settingsSchema } from './settings.ts';
import { orderStatus, REFERENCE, STATUS_MAX } from './sink.ts';
import { deletedBetween, type SnapshotKind, type SnapshotOptions, type SnapshotRecords, snapshot } from './snapshot.ts';
import { accounts, opportunities } from './source.ts';

export {
  type AccountRecord,
  ambiguousSkus,
  mergesOf,
  type PriceRecord,
  type ProductRecord,
  type Read,
} from './map-master.ts';

const LOAD_DEADLINE_MS = 1_800_000;

export const declaration: Declaration = {
  name: 'salesforce',
  summary:
    'Salesforce: won opportunities become orders, accounts see what became of them; products and price books are read.',
  provenAgainst: 'none: no live org was at hand; the sim of its public reference (sim/API.md)',
  sources: {
    opportunities: {
      domains: ['opportunities', 'orders', 'cancels'],
      cursor: 'keyset',
      overlapMs: 600_000,
      ordering: 'per_thing',
      push: false,
    },
    accounts: { domains: ['accounts'], cursor: 'keyset', overlapMs: 600_000, ordering: 'per_thing', push: false },
  },
  deliveries: {},
  states: { orderStatus: { batchMax: STATUS_MAX, readBack: 'version' } },
  needs: ['token'],
  settings: settingsSchema,
  limits: { callsPerSecond: 10, concurrency: 5 },
  quirks: [
    'The org may take so many calls in 24 hours, from everybody together: work begins later from 80 % on, and the last 3 % are left to others.',
    'Times are of whole seconds and are set before the commit: the feed reads ten minutes again, and rows of one time are told apart by id and content.',
    'A collection may be taken in part: each record is told by itself, and the version is written only when all lines are there.',
    'A query gives fewer rows than asked for where rows are wide, and lines of one record in several pages: all are read before a record counts.',
    'Sessions end when the org says so (INVALID_SESSION_ID): signed in once for all, what was refused is repeated once.',
    'Numbers may be written with an exponent and have more digits than a double: they are read as texts.',
    'Lines of opportunities have no number: they are numbered by their ids.',
  ],
};

export interface SalesforceConnector extends Connector {
  /** All accounts, products or prices, page by page, those deleted or merged away among them. */
  snapshot<K extends SnapshotKind>(
    kind: K,
    options: SnapshotOptions,
    signal: AbortSignal,
  ): AsyncGenerator<Read<SnapshotRecords[K]>[]>;
  /** What was deleted between two times, 15 days back at most; the next call begins at `coveredTo`. */
  deleted(kind: SnapshotKind, start: string, end: string, signal: AbortSignal): ReturnType<typeof deletedBetween>;
  /** Loads many records by their external id in one job. */
  load(load: Load, signal: AbortSignal): Promise<Outcome[]>;
}

export function createSalesforce(
  context: ConnectorContext,
  options: { clock?: Clock; nowMs?: () => number } = {},
): SalesforceConnector {
  const { system, channel, limits } = context;
  const settings = settingsOf(system, context.settings, channel !== null);
  const client = new Salesforce(context, settings, options);
  return {
    name: declaration.name,
    confirmedBy: 'read_back',
    sources:
      channel === null
        ? []
        : [opportunities(client, { system, channel }, settings.company!), accounts(client, system, settings.company!)],
    deliveries: {},
    orderStatus: orderStatus(client, limits),
    snapshot: (kind, asked, signal) => snapshot(client, kind, asked, signal),
    deleted: (kind, start, end, signal) => deletedBetween(client, kind, start, end, signal),
    load: (load, signal) => bulkUpsert(client, load, { deadlineMs: LOAD_DEADLINE_MS }, signal),
    probe: (signal) => probe(client, signal),
    pausedMs: () => client.pausedMs,
    close: () => client.close(),
  };
}

export const salesforce = defineConnector(declaration, (context) => createSalesforce(context));

/** Whether it lets us in, has the object for order states, and how many of the day's calls are left. */
async function probe(client: Salesforce, signal: AbortSignal): Promise<{ ok: boolean; detail: string }> {
  const { orderObject } = client.settings;
  try {
    await client.query(`SELECT ${REFERENCE}, Version__c FROM ${orderObject} LIMIT 1`, signal);
    const usage = client.allowance.usage;
    const calls = usage === null ? '' : `; ${usage.used} of ${usage.max} calls of the day are used`;
    return { ok: true, detail: `answers, lets us in and has ${orderObject}${calls}` };
  } catch (error) {
    if (error instanceof CrossdockError) return { ok: false, detail: `${error.code}: ${error.message}` };
    throw error;
  }
}
