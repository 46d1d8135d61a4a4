/** Business keys: claimed before anything is decided, settled once it is. */
import { isOtherContent } from '../canonical/index.ts';
import type { Directory } from '../master/index.ts';
import { numbers, type Tx, texts } from '../store/index.ts';
import { conflictText, differenceOf, nameDifferences } from './conflicts.ts';
import type { Entry, ItemResult } from './entry.ts';
import { sameByMerge } from './merges.ts';
import * as statements from './store.sql.ts';
import { businessTimeOf, isFault } from './translated.ts';

/**
 * Inserts the keys and counts their repeats; entries whose key is known get their result.
 * @returns entries that repeat a key which this very batch brings, each with the one that came first: its result is not known yet
 */
export async function claimKeys(tx: Tx, directory: Directory, entries: readonly Entry[]): Promise<Map<Entry, Entry>> {
  const byKey = new Map<string, [Entry, ...Entry[]]>();
  for (const entry of entries) {
    if (entry.result !== undefined) continue;
    const same = byKey.get(idOf(entry.item));
    if (same === undefined) byKey.set(idOf(entry.item), [entry]);
    else same.push(entry);
  }
  const repeated = new Map<Entry, Entry>();
  if (byKey.size === 0) return repeated;
  const firsts = [...byKey.values()].map(([first]) => first);
  const fresh = new Set(
    (
      await tx.query(statements.insertKeys, [
        texts(firsts.map((e) => e.item.scope)),
        texts(firsts.map((e) => e.item.key)),
        texts(firsts.map((e) => e.item.fingerprint)),
        numbers(firsts.map((e) => (isFault(e.translated) ? null : e.translated.orderId))),
        numbers(firsts.map((e) => e.rawId)),
        numbers(firsts.map((e) => e.item.itemNo)),
      ])
    ).map(idOf),
  );
  const repeats = [...byKey].map(([id, same]) => ({ id, same, times: same.length - (fresh.has(id) ? 1 : 0) }));
  const counted = repeats.filter(({ times }) => times > 0);
  if (counted.length === 0) return repeated;
  const rows = new Map(
    (
      await tx.query(statements.countRepeats, [
        texts(counted.map(({ same }) => same[0].item.scope)),
        texts(counted.map(({ same }) => same[0].item.key)),
        numbers(counted.map(({ times }) => times)),
      ])
    ).map((row) => [idOf(row), row]),
  );
  const known: { entry: Entry; row: statements.KnownKey }[] = [];
  for (const { id, same } of counted) {
    const [first, ...others] = same;
    if (fresh.has(id)) for (const entry of others) repeated.set(entry, first);
    else known.push(...same.map((entry) => ({ entry, row: rows.get(id)! })));
  }
  const differing = known
    .filter(({ entry, row }) => isOtherContent(row.fingerprint, entry.item.fingerprint))
    .map(({ entry, row: { fingerprint } }) => ({ entry, item: entry.item, fingerprint }));
  const same = await sameByMerge(tx, directory, differing);
  const others = new Set(differing.filter((one) => !same.has(one)).map(({ entry }) => entry));
  for (const { entry, row } of known)
    entry.result = others.has(entry)
      ? { status: 'conflict' }
      : { status: 'duplicate', orderId: row.subject, state: row.state };
  return repeated;
}

function idOf({ scope, key }: { scope: string; key: string }): string {
  return `${scope} ${key}`;
}

/** The same key twice in one batch: the second gets what became of the first. */
export function resultOfRepeat(entry: Entry, first: Entry): ItemResult {
  if (isOtherContent(first.item.fingerprint, entry.item.fingerprint))
    return { status: 'conflict', difference: differenceOf(first.item.command, entry.item.command) };
  const result = first.result!;
  if (result.status === 'applied') return { status: 'duplicate', orderId: result.orderId, state: 'a' };
  if (result.status === 'parked') return { status: 'duplicate', orderId: null, state: 'p' };
  if (result.status === 'waiting') return { status: 'duplicate', orderId: null, state: 'w' };
  return result;
}

/** What an item that was set aside waits for, if it would run by itself then. */
export function awaitedOf({ translated, result }: Entry): string | null {
  if (result?.status === 'parked' && result.waitKey !== undefined) return result.waitKey;
  return isFault(translated) ? (translated.waitKey ?? null) : null;
}

/** Writes what became of entries that were not applied: set aside, waiting, or forgotten because the caller was told. */
export async function settleEntries(tx: Tx, entries: readonly Entry[]): Promise<void> {
  await nameDifferences(tx, entries);
  const states: { scope: string; key: string; state: string; subject: number | null }[] = [];
  const removed: Entry[] = [];
  const parked: { entry: Entry; class: string; reason: string; place: string | null; waitKey: string | null }[] = [];
  for (const entry of entries) {
    const result = entry.result!;
    const { scope, key } = entry.item;
    const own = result.status === 'parked' ? (result.place ?? null) : null;
    const place = isFault(entry.translated) ? entry.translated.place : own;
    if (result.status === 'parked') {
      states.push({ scope, key, state: 'p', subject: null });
      parked.push({ entry, class: result.class, reason: result.reason, place, waitKey: awaitedOf(entry) });
    } else if (result.status === 'waiting') {
      states.push({ scope, key, state: 'w', subject: null });
      parked.push({ entry, class: 'waiting', reason: `waits for ${result.waitKey}`, place, waitKey: result.waitKey });
    } else if (result.status === 'conflict' && entry.message.onFault === 'park') {
      // The first content stays applied; what differs is looked at by a person.
      const { difference } = result;
      const reason = conflictText(key, difference);
      parked.push({ entry, class: 'key_conflict', reason, place: difference?.place ?? key, waitKey: null });
      entry.result = { status: 'parked', class: 'key_conflict', reason, difference };
    } else if (result.status === 'duplicate' && result.state === 's')
      states.push({ scope, key, state: 's', subject: null });
    else if (result.status === 'refused' && (!isFault(entry.translated) || entry.translated.byRule))
      removed.push(entry);
  }
  await writeStates(tx, states);
  if (removed.length > 0)
    tx.write(statements.removeKeys, [texts(removed.map((e) => e.item.scope)), texts(removed.map((e) => e.item.key))]);
  if (parked.length > 0)
    tx.write(statements.insertParked, [
      texts(parked.map((p) => p.entry.item.scope)),
      texts(parked.map((p) => p.entry.item.key)),
      texts(parked.map((p) => p.entry.message.system)),
      texts(parked.map((p) => p.class)),
      texts(parked.map((p) => p.reason)),
      texts(parked.map((p) => p.place)),
      texts(parked.map((p) => p.waitKey)),
      texts(parked.map((p) => JSON.stringify(p.entry.item))),
      numbers(parked.map((p) => p.entry.rawId)),
      numbers(parked.map((p) => p.entry.item.itemNo)),
      numbers(parked.map((p) => businessTimeOf(p.entry.item.command))),
    ]);
}

export async function writeStates(
  tx: Tx,
  states: readonly { scope: string; key: string; state: string; subject: number | null }[],
): Promise<void> {
  if (states.length === 0) return;
  tx.write(statements.setStates, [
    texts(states.map((s) => s.scope)),
    texts(states.map((s) => s.key)),
    texts(states.map((s) => s.state)),
    numbers(states.map((s) => s.subject)),
  ]);
}
