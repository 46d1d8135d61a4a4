/** When what an order gets leaves: of each part the place, the date and why. Pure: now is passed in. */
import type { Calendar } from './calendar.ts';

/**
 * stock: it lies there; supply: it is still to come; no_supply: it waits for what nobody has announced; held: it waits for a person;
 * no_calendar: it is there, and nobody has declared when that place ships; ship_complete: it waits for the rest of its order, which has no date
 */
export type PromiseReason = 'stock' | 'supply' | 'no_supply' | 'held' | 'no_calendar' | 'ship_complete';

export interface PromisePart {
  quantity: number;
  /** null: nobody knows. */
  at: string | null;
  locationId: number | null;
  supplyId: number | null;
  /** Of its supply, as it was announced when this was promised. */
  dueAt: string | null;
  reason: PromiseReason;
}

/** Where units come from. */
export type PromiseSource = { quantity: number } & (
  | { kind: 'stock'; locationId: number }
  | { kind: 'supply'; locationId: number; supplyId: number; dueAt: string }
  | { kind: 'none'; reason: 'no_supply' | 'held' }
);

export interface PromisePlace {
  calendar: Calendar | null;
  /** Working days from when supply is due until it may leave. */
  receivingDays: number;
}

export interface PromiseTime {
  now: number;
  /** Nothing is promised before. */
  requestedAt: number | null;
  placeOf(locationId: number): PromisePlace | undefined;
}

/** The moment from which units of this source may leave; null: nobody knows. */
function readyAt(source: PromiseSource, { now, placeOf }: PromiseTime): number | null {
  if (source.kind === 'none') return null;
  if (source.kind === 'stock') return now;
  const { calendar, receivingDays } = placeOf(source.locationId) ?? { calendar: null, receivingDays: 0 };
  const due = Math.max(now, Date.parse(source.dueAt));
  return calendar === null ? due : calendar.afterWorkingDays(due, receivingDays);
}

function partOf(source: PromiseSource, ready: number | null, time: PromiseTime): PromisePart {
  const { quantity } = source;
  const nowhere = { quantity, at: null, locationId: null, supplyId: null, dueAt: null };
  if (source.kind === 'none') return { ...nowhere, reason: source.reason };
  const { locationId } = source;
  const from = source.kind === 'supply' ? { supplyId: source.supplyId, dueAt: source.dueAt } : {};
  const there = { ...nowhere, locationId, ...from };
  if (ready === null) return { ...there, reason: 'ship_complete' };
  const calendar = time.placeOf(locationId)?.calendar ?? null;
  if (calendar === null) return { ...there, reason: 'no_calendar' };
  const at = calendar.nextShip(Math.max(ready, time.requestedAt ?? ready));
  return { ...there, at: new Date(at).toISOString(), reason: source.kind };
}

/** Each source by itself. */
export function promiseOf(sources: readonly PromiseSource[], time: PromiseTime): PromisePart[] {
  return merged(sources.map((source) => partOf(source, readyAt(source, time), time)));
}

/** Of an order that leaves only as a whole: no part leaves before all are there. In the order of lines given. */
export function promiseComplete(lines: readonly (readonly PromiseSource[])[], time: PromiseTime): PromisePart[][] {
  let all: number | null = time.now;
  for (const source of lines.flat()) {
    const ready = readyAt(source, time);
    all = all === null || ready === null ? null : Math.max(all, ready);
  }
  return lines.map((sources) => merged(sources.map((source) => partOf(source, all, time))));
}

/** Soonest first, what has no date last; what is one in everything but its units is one part. */
export function merged(parts: readonly PromisePart[]): PromisePart[] {
  const byKey = new Map<string, PromisePart>();
  for (const part of parts) {
    if (part.quantity === 0) continue;
    const key = `${part.at} ${part.locationId} ${part.supplyId} ${part.dueAt} ${part.reason}`;
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, { ...part });
    else known.quantity += part.quantity;
  }
  return [...byKey.values()].sort(
    (a, b) =>
      compare(a.at ?? '~', b.at ?? '~') ||
      (a.locationId ?? 0) - (b.locationId ?? 0) ||
      (a.supplyId ?? 0) - (b.supplyId ?? 0) ||
      compare(a.reason, b.reason),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function isSamePromise(a: readonly PromisePart[], b: readonly PromisePart[]): boolean {
  const keys = ['quantity', 'at', 'locationId', 'supplyId', 'dueAt', 'reason'] as const;
  return a.length === b.length && a.every((part, i) => keys.every((key) => part[key] === b[i]![key]));
}
