/** Where the units of an order come from, as promises know it. Pure. */
import type { Directory } from '../master/index.ts';
import type { PromiseSource, PromiseTime } from '../promise/index.ts';
import type { OrderEvent, OrderTerms } from './types.ts';

export function promiseTime(directory: Directory, now: number, terms: OrderTerms | undefined): PromiseTime {
  return {
    now,
    requestedAt: terms?.requestedAt === undefined ? null : Date.parse(terms.requestedAt),
    placeOf: (locationId) => directory.locationById.get(locationId),
  };
}

/** Of a new order, by line; lines of which nothing was accepted are left out. */
export function sourcesOf(event: Extract<OrderEvent, { type: 'order.accepted' }>): Map<number, PromiseSource[]> {
  const byLine = new Map<number, PromiseSource[]>();
  const add = (lineNo: number, source: PromiseSource) => {
    if (source.quantity === 0) return;
    const list = byLine.get(lineNo);
    if (list === undefined) byLine.set(lineNo, [source]);
    else list.push(source);
  };
  const covered = new Map<number, number>();
  for (const { lineNo, locationId, quantity } of event.allocations)
    add(lineNo, { kind: 'stock', locationId, quantity });
  for (const { lineNo, locationId, supplyId, dueAt, quantity } of event.commitments) {
    add(lineNo, { kind: 'supply', locationId, supplyId, dueAt, quantity });
    covered.set(lineNo, (covered.get(lineNo) ?? 0) + quantity);
  }
  for (const { lineNo, backordered, held = 0 } of event.lines)
    for (const source of waitingSources(backordered - (covered.get(lineNo) ?? 0), held)) add(lineNo, source);
  return byLine;
}

/** Units that wait for what nobody has announced, and those that wait for a person. */
export function waitingSources(uncovered: number, held: number): PromiseSource[] {
  const ofHeld = Math.min(held, uncovered);
  return [
    { kind: 'none', reason: 'no_supply', quantity: uncovered - ofHeld },
    { kind: 'none', reason: 'held', quantity: ofHeld },
  ];
}
