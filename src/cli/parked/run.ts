import { readFileSync } from 'node:fs';
import { fail, type InboundItem } from '../../canonical/index.ts';
import {
  editParked,
  findBody,
  getParked,
  listParked,
  type ParkedRecord,
  Receiver,
  type RecordTold,
  resolveParked,
  tellRecords,
} from '../../ingest/index.ts';
import { type Database, Ids } from '../../store/index.ts';
import type { Opened } from '../open.ts';
import { openRereads } from '../rereads.ts';
import { stepLines } from '../steps.ts';
import { table } from '../table.ts';
import { whoAmI } from '../who.ts';
import { listOutbound, type NamedOutbound, namesOf } from './outbound.ts';

const REPLAYS_MAX = 10_000;
const REPLAYS_PER_TRANSACTION = 100;
const BODY_SHOWN_MAX = 4_000;

export interface Which {
  state?: string;
  class?: string;
  system?: string;
  after?: number;
  limit?: number;
}

export function list(
  db: Database,
  { state = 'open', class: kind, system, after = 0, limit = 100 }: Which,
): Promise<ParkedRecord[]> {
  return listParked(db, { state, kind: kind ?? null, system: system ?? null, after, limit });
}

export function listed(records: readonly ParkedRecord[]): string[] {
  if (records.length === 0) return [];
  const rows = records.map((r) => [
    r.parkedId,
    r.class,
    r.system,
    `${r.scope} ${r.key}`,
    r.recordedAt.toISOString(),
    `${r.place === null || r.reason.includes(r.place) ? '' : `${r.place}: `}${r.reason}`.slice(0, 160),
  ]);
  return [table(['id', 'class', 'system', 'key', 'since', 'reason'], rows)];
}

export type Shown = ParkedRecord & {
  /** How it was read, as far as that went. */
  mapping: RecordTold | null;
  message?: { contentType: string; recordedAt: Date; body: string; truncated: boolean };
};

export async function show(db: Database, parkedId: number, options: { config?: string } = {}): Promise<Shown> {
  const parked = await getParked(db, parkedId);
  const record = { ...parked, mapping: await mappingOf(db, parked, options) };
  const found = await findBody(db, record.rawId);
  if (found === undefined) return record;
  const body = found.body.toString('utf8');
  return {
    ...record,
    message: {
      contentType: found.contentType,
      recordedAt: found.recordedAt,
      body: body.slice(0, BODY_SHOWN_MAX),
      truncated: body.length > BODY_SHOWN_MAX,
    },
  };
}

async function mappingOf(
  db: Database,
  { scope, key, rawId, item }: ParkedRecord,
  options: { config?: string },
): Promise<RecordTold | null> {
  const { rereads, close } = await openRereads(options, db);
  try {
    const [told] = await tellRecords(db, [{ scope, key, rawId, fingerprint: item.fingerprint }], rereads);
    return told ?? null;
  } finally {
    await close();
  }
}

/** It could not be read when it came, and the mapping was mended since. */
function isReadable({ state, item, mapping }: ParkedRecord & Partial<Shown>): boolean {
  return state === 'open' && item.command === undefined && mapping != null && mapping.command !== null;
}

export function shown(record: ParkedRecord & Partial<Shown>): string {
  const lines = [
    `parked ${record.parkedId}: ${record.class}, ${record.state}`,
    `  key      ${record.scope} ${record.key}`,
    `  reason   ${record.reason}`,
    `  place    ${record.place ?? '-'}`,
    ...(record.waitKey === null ? [] : [`  waits    for ${record.waitKey}`]),
    ...(record.resolution === null ? [] : [`  resolved ${record.resolution}`]),
    `  came     ${record.recordedAt.toISOString()} from ${record.system}, item ${record.itemNo} of message ${record.rawId}; tried ${record.attempts} times since`,
    '  item',
    indent(JSON.stringify(record.item, null, 2)),
    ...(record.mapping == null ? [] : stepLines(record.mapping).map((line) => `  ${line}`)),
    ...(record.mapping?.next && record.state === 'open' && record.item.command === undefined
      ? [`  then: crossdock parked edit ${record.parkedId} --reread --replay`]
      : []),
    ...(isReadable(record) ? [`  it can be read now: crossdock parked edit ${record.parkedId} --reread --replay`] : []),
  ];
  if (record.message !== undefined)
    lines.push(
      `  message (${record.message.contentType})${record.message.truncated ? ', its beginning' : ''}`,
      indent(record.message.body),
    );
  return lines.join('\n');
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ');
}

export async function edit(
  db: Database,
  parkedId: number,
  { set, file, reread, config }: { set?: string[]; file?: string; reread?: boolean; config?: string },
): Promise<ParkedRecord> {
  if (reread === true) {
    const told = await mappingOf(db, await getParked(db, parkedId), { ...(config !== undefined && { config }) });
    const command = told?.command ?? null;
    if (command === null)
      fail(
        'XD_REFUSED',
        `parked ${parkedId} still can't be read: ${told?.refused?.reason ?? told?.untold ?? 'it is gone'}`,
        {
          parkedId,
        },
      );
    return editParked(db, parkedId, (item) => ({ ...item, command }));
  }
  if (file !== undefined) {
    const given = readItem(file);
    return editParked(db, parkedId, () => given);
  }
  return editParked(db, parkedId, (item) => {
    for (const change of set ?? []) assign(item, change);
    return item;
  });
}

function readItem(file: string): InboundItem {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    fail('XD_BODY_INVALID', `${file} can't be read as JSON`, { place: file }, { cause });
  }
  const item = (content as { item?: unknown } | null)?.item ?? content;
  if (typeof item !== 'object' || item === null || Array.isArray(item))
    fail('XD_BODY_INVALID', `${file} holds no item`, { place: file });
  return item as InboundItem;
}

/** `command.lines.0.sku=85123A`. What is on the way must be there: a new branch would be a typing error. */
function assign(item: InboundItem, change: string): void {
  const cut = change.indexOf('=');
  if (cut < 1) fail('XD_VALUE_INVALID', `--set takes path=value, not ${JSON.stringify(change)}`, { place: 'set' });
  const path = change.slice(0, cut).split('.');
  const text = change.slice(cut + 1);
  const last = path.pop()!;
  let target: unknown = item;
  for (const name of path) {
    const next: unknown =
      typeof target === 'object' && target !== null && Object.hasOwn(target, name)
        ? (target as Record<string, unknown>)[name]
        : undefined;
    if (typeof next !== 'object' || next === null)
      fail('XD_VALUE_INVALID', `there is no ${path.join('.')} in the item`, { place: path.join('.') });
    target = next;
  }
  const holder = target as Record<string, unknown>;
  if (path.length > 0 && !Object.hasOwn(holder, last))
    fail('XD_VALUE_INVALID', `there is no ${change.slice(0, cut)} in the item`, { place: change.slice(0, cut) });
  // A field that holds text keeps holding text: "00123" is a SKU, not a number.
  holder[last] = typeof holder[last] === 'string' ? text : parsed(text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export async function find(db: Database, ids: readonly number[], which: Which): Promise<ParkedRecord[]> {
  if (ids.length > 0) return Promise.all(ids.map((parkedId) => getParked(db, parkedId)));
  return list(db, { ...which, state: 'open', limit: REPLAYS_MAX });
}

export async function findOutbound(db: Database, which: Which): Promise<NamedOutbound[]> {
  return namesOf(await listOutbound(db, { ...which, limit: REPLAYS_MAX }));
}

export interface Replayed {
  parkedId: number;
  applied: boolean;
  class: string;
  reason: string;
}

/** Runs each again, a hundred to a transaction; where one breaks a transaction, each of these goes alone. */
export async function replay({ db, directory }: Opened, parkedIds: readonly number[]): Promise<Replayed[]> {
  for (const parkedId of parkedIds) {
    const { state, class: kind } = await getParked(db, parkedId);
    if (state !== 'open') fail('XD_REFUSED', `parked ${parkedId} is ${state} already`, { parkedId });
    if (kind === 'key_conflict')
      fail(
        'XD_REFUSED',
        `parked ${parkedId} is a second content of a key that was applied: running it would apply the key twice. Resolve it`,
        { parkedId },
      );
  }
  const receiver = new Receiver({ db, ids: new Ids(), directory });
  const faults = new Map<number, string>();
  for (let i = 0; i < parkedIds.length; i += REPLAYS_PER_TRANSACTION) {
    const some = parkedIds.slice(i, i + REPLAYS_PER_TRANSACTION);
    try {
      await receiver.replay(some);
    } catch {
      for (const one of some)
        await receiver
          .replay([one])
          .catch((error) => faults.set(one, error instanceof Error ? error.message : String(error)));
    }
  }
  const results: Replayed[] = [];
  for (const parkedId of parkedIds) {
    const record = await getParked(db, parkedId);
    results.push({
      parkedId,
      applied: record.state === 'replayed',
      class: record.class,
      reason: faults.get(parkedId) ?? record.reason,
    });
  }
  return results;
}

export const resolve = resolveParked;

/** A reason with who gave it. */
export function byMe(reason: string): string {
  return `${reason.trim()} (${whoAmI()})`;
}
