/** Lines that only together make a unit of what was ordered, beside those whose every unit does alone. Pure. */
import { leftOf } from './line-parts.ts';
import type { Order, OrderLine } from './types.ts';

export type LineSet = readonly OrderLine[];

/** The lines by set; a line that is in none is one by itself. */
export function setsOf(lines: Iterable<OrderLine>): LineSet[] {
  return [...Map.groupBy(lines, ({ setNo, lineNo }) => setNo ?? lineNo).values()];
}

/** Ordered units that all of these quantities together make. */
export function wholeUnits(set: LineSet, of: (line: OrderLine) => number): number {
  return Math.min(...set.map((line) => Math.floor(of(line) / line.perUnit)));
}

/** Ordered units that any of these quantities is a part of. */
export function begunUnits(set: LineSet, of: (line: OrderLine) => number): number {
  return Math.max(...set.map((line) => Math.ceil(of(line) / line.perUnit)));
}

export function sumWhole(sets: readonly LineSet[], of: (line: OrderLine) => number): number {
  return sets.reduce((sum, set) => sum + wholeUnits(set, of), 0);
}

export function sumBegun(sets: readonly LineSet[], of: (line: OrderLine) => number): number {
  return sets.reduce((sum, set) => sum + begunUnits(set, of), 0);
}

/** With all lines of the sets that any of these is in. */
export function withSets(lines: ReadonlyMap<number, OrderLine>, lineNos: Iterable<number>): number[] {
  const found = new Set(lineNos);
  const setNos = new Set([...found].flatMap((lineNo) => lines.get(lineNo)?.setNo ?? []));
  if (setNos.size > 0) for (const line of lines.values()) if (setNos.has(line.setNo ?? 0)) found.add(line.lineNo);
  return [...found];
}

/** What a line has of what it is to deliver, without what the WMS is to stop. */
export function hasOf(line: OrderLine): number {
  return line.allocated + line.picked - line.cancelAsked;
}

/** The set of a line, of an order of which it is read whole. */
export function setOf({ lines }: Order, line: OrderLine): LineSet {
  return line.setNo === null ? [line] : [...lines.values()].filter(({ setNo }) => setNo === line.setNo);
}

/** Units of a line that the WMS is asked to stop although who ordered wants them. */
export function stillWanted(set: LineSet, line: OrderLine): number {
  if (line.setNo === null) return 0;
  return Math.max(0, Math.min(line.cancelAsked, begunUnits(set, leftOf) * line.perUnit - leftOf(line)));
}

/**
 * Of units that the WMS has answered for, those that who ordered still wants: it was asked to stop them because what they belong to can't be made up
 * now. Stopped, they wait again; where it was too late, they stay.
 */
export function stoppedParts(
  order: Order,
  line: OrderLine,
  cancelled: number,
  tooLate: number,
): { again: number; stays: number } {
  if (line.setNo === null) return { again: 0, stays: 0 };
  const still = stillWanted(setOf(order, line), line);
  const again = Math.min(cancelled, still);
  return { again, stays: Math.min(tooLate, still - again) };
}
