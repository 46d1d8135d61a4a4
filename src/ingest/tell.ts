/** How what came was read: the message as it was kept, read again, record by record, and told step by step. */
import type { InboundCommand, InboundItem } from '../canonical/index.ts';
import { type MapStep, tellItem } from '../connectors/kit/index.ts';
import { numbers, type Queryable, texts } from '../store/index.ts';
import * as statements from './parked.sql.ts';

/** A message may be larger, of the API alone. */
const MESSAGE_BYTES_MAX = 64 << 20;
export const MESSAGES_TOLD_MAX = 200;

/** How a system's kept messages are read, or why they can't be. */
export type Rereads = (system: string) => readonly ((body: Buffer) => InboundItem[])[] | string;

/** One thing that came, by the key under which it is known. */
export interface Came {
  scope: string;
  key: string;
  /** The message it came in; default: the first that brought the key. */
  rawId?: number;
  fingerprint?: string;
}

export interface RecordTold {
  scope: string;
  key: string;
  system: string;
  /** poll, webhook or api. */
  source: string | null;
  /** The number of the message that was kept. */
  message: number;
  recordedAt: string;
  /** Why there is nothing to tell. */
  untold: string | null;
  /** As the system gave it. */
  record?: unknown;
  steps: MapStep[];
  stepsLeftOut: number;
  /** What it asks for as it is read now; null: it can't be read, or is not told. */
  command: InboundCommand | null;
  refused: { reason: string; place: string; value: unknown } | null;
  /** Whether it reads as it did when it came: mappings change. Null: it is not known. */
  isAsItCame: boolean | null;
  /** What to do where it ended. */
  next: string | null;
}

/** @returns in the order given; what is not known under its key is left out */
export async function tellRecords(db: Queryable, came: readonly Came[], rereads: Rereads): Promise<RecordTold[]> {
  const asked = came.slice(0, MESSAGES_TOLD_MAX);
  const rows = await db.query(statements.findCame, [
    texts(asked.map(({ scope }) => scope)),
    texts(asked.map(({ key }) => key)),
    numbers(asked.map(({ rawId }) => rawId ?? null)),
  ]);
  const told: RecordTold[] = [];
  for (const row of rows) {
    const fingerprint = asked[row.nth - 1]!.fingerprint ?? row.fingerprint;
    const nothing = {
      ...{ scope: row.scope, key: row.key, system: row.system ?? '', source: row.source, message: row.raw_id },
      recordedAt: row.recorded_at.toISOString(),
      ...{ untold: null, steps: [], stepsLeftOut: 0, command: null, refused: null, isAsItCame: null, next: null },
    } satisfies RecordTold;
    // One body at a time: an order may have come in many pages.
    const [kept] = row.system === null ? [] : await db.query(statements.readKept, [row.raw_id, MESSAGE_BYTES_MAX]);
    told.push({ ...nothing, ...toldOf(row, fingerprint, kept?.body, rereads) });
  }
  return told;
}

function toldOf(
  { scope, key, system, source }: statements.CameRow,
  fingerprint: string,
  body: Buffer | null | undefined,
  rereads: Rereads,
): Partial<RecordTold> {
  if (system === null || body === undefined) return { untold: 'the message is older than what is kept' };
  if (body === null) return { untold: `the message has more than ${MESSAGE_BYTES_MAX >> 20} MB` };
  if (source === 'api') return { untold: 'it came by the API in our own words: nothing was mapped' };
  if (source === 'file') return { untold: 'it came by crossdock load in our own columns: nothing was mapped' };
  const reads = rereads(system);
  if (typeof reads === 'string') return { untold: reads };
  if (reads.length === 0) return { untold: `the connector of ${system} can't read a kept message again` };
  let isLate = false;
  let other: Partial<RecordTold> | undefined;
  for (const reread of reads) {
    let found: ReturnType<typeof tellItem>;
    try {
      found = tellItem({ scope, key, fingerprint }, () => reread(body));
    } catch {
      // A page of another feed, whose reader makes nothing of this one.
      continue;
    }
    if (found === 'late') isLate = true;
    if (found === undefined || found === 'late') continue;
    const { item, record, steps, stepsLeftOut } = found;
    const isAsItCame = item.fingerprint === fingerprint;
    const { command = null, unreadable = null } = item;
    const told = { record, steps, stepsLeftOut, command, refused: unreadable, isAsItCame, next: nextOf(steps) };
    if (isAsItCame) return told;
    other ??= told;
  }
  if (other !== undefined) return other;
  return {
    untold: isLate
      ? 'the message takes too long to be read again: an expression of the mapping is slow for each record'
      : 'as its feed is read today, the message holds nothing under this key',
  };
}

/** What to change so that a record like this one is read. */
function nextOf(steps: readonly MapStep[]): string | null {
  const last = steps.findLast(({ refused }) => refused !== undefined);
  if (last === undefined) return null;
  const name = last.field.slice(last.field.lastIndexOf('/') + 1);
  const source = 'or correct the record in the source system';
  switch (last.step) {
    case 'table': {
      const table = last.by === 'codes' ? `fields.${name}.codes` : `tables.${last.by}.codes`;
      return `Add ${JSON.stringify(last.input)} to ${table} of the mapping, ${source}.`;
    }
    case 'unit':
      return `Say in the mapping how many base units ${last.by} is (units, or packs of the SKU), ${source}.`;
    case 'jsonata':
      return `Correct the expression of ${last.field}, or make it cheaper, ${source}.`;
    case 'from':
    case 'default':
      return `Name another place for ${last.field} in the mapping, a default or optional, ${source}.`;
    case 'as':
      return `Say another form for ${last.field} in the mapping, ${source}.`;
    default:
      return `Correct the record in the source system, or what the mapping makes of ${last.by || 'it'}.`;
  }
}
