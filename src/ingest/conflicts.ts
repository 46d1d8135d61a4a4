/**
 * A key that comes again with other content: what differs from the content that came first. A key's fingerprint only says that it does;
 * the first message is kept as it came and read again here, which costs nothing while nobody repeats a key with other content.
 */
import { numbers, type Tx, texts } from '../store/index.ts';
import type { Difference, Entry } from './entry.ts';
import * as statements from './store.sql.ts';

/** Read again in one transaction, while it holds its locks. Beyond them a conflict names its key and no field. */
const MESSAGES_MAX = 8;
const MESSAGE_BYTES_MAX = 1_000_000;

/** Gives each conflict of these entries its difference, where the first content can still be read. */
export async function nameDifferences(tx: Tx, entries: readonly Entry[]): Promise<void> {
  const open = entries.filter(
    ({ result, item, message }) =>
      result?.status === 'conflict' &&
      result.difference === undefined &&
      item.command !== undefined &&
      message.reread !== undefined,
  );
  if (open.length === 0) return;
  const keys = await tx.query(statements.findFirst, [
    texts(open.map(({ item }) => item.scope)),
    texts(open.map(({ item }) => item.key)),
  ]);
  const rawIds = [...new Set(keys.map(({ raw_id }) => raw_id))].slice(0, MESSAGES_MAX);
  const bodies = await tx.query(statements.readFirst, [numbers(rawIds), MESSAGE_BYTES_MAX]);
  for (const { raw_id: rawId, body } of bodies)
    for (const { scope, key } of keys.filter((row) => row.raw_id === rawId))
      for (const { item, message, result } of open)
        if (item.scope === scope && item.key === key && result?.status === 'conflict')
          result.difference = differenceOf(reread(message.reread!, body, item)?.command, item.command);
}

/** The first content, or nothing: it came by another way than this one, whose reader makes nothing of it. */
function reread(read: NonNullable<Entry['message']['reread']>, body: Buffer, { scope, key }: Entry['item']) {
  try {
    return read(body).find((item) => item.scope === scope && item.key === key);
  } catch {
    return undefined;
  }
}

export function differenceOf(before: unknown, given: unknown): Difference | undefined {
  return before === undefined || given === undefined ? undefined : firstDifference(before, given, '');
}

function firstDifference(before: unknown, given: unknown, place: string): Difference | undefined {
  if (Object.is(before, given)) return undefined;
  if (Array.isArray(before) && Array.isArray(given)) {
    if (before.length !== given.length)
      return { place, before: `${before.length} entries`, given: `${given.length} entries` };
    return firstOf(before.keys(), (i) => firstDifference(before[i], given[i], `${place}[${i}]`));
  }
  if (!isRecord(before) || !isRecord(given)) return { place, before: before ?? null, given: given ?? null };
  const names = new Set([...Object.keys(given), ...Object.keys(before)]);
  return firstOf(names, (name) => firstDifference(before[name], given[name], place === '' ? name : `${place}.${name}`));
}

function firstOf<T>(list: Iterable<T>, find: (entry: T) => Difference | undefined): Difference | undefined {
  for (const entry of list) {
    const found = find(entry);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As a sentence, for whoever sent it and for whoever looks at what was set aside. */
export function conflictText(key: string, difference: Difference | undefined): string {
  if (difference === undefined) return `key ${key} came before with other content`;
  const { place, before, given } = difference;
  return `key ${key} came before with ${place} ${JSON.stringify(before)}, not ${JSON.stringify(given)}`;
}
