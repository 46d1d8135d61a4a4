/** How people in the warehouse go about it, as far as it may be set: what they don't find, and what they do with what comes back. */
import { type Item, Refusal } from './lib/items.ts';
import type { Random } from './lib/prng.ts';
import type { GoodsLine } from './wms-fulfilment.ts';

export interface Habits {
  /** Share of orders of which units are not found at their first pick. */
  shortPicks: number;
  /** Whether goods that come back are looked at before they are put on a shelf. */
  inspects: boolean;
  /** Milliseconds until a fulfilment is picked, at speed 1. */
  pickMs: [min: number, max: number];
}

export const USUAL: Habits = { shortPicks: 0, inspects: false, pickMs: [10, 30] };

export function habitsOf(item: Item, before: Habits): Habits {
  const { shortPicks = before.shortPicks, inspects = before.inspects, pickMs = before.pickMs } = item;
  if (typeof shortPicks !== 'number' || !(shortPicks >= 0 && shortPicks <= 1))
    throw new Refusal(422, 'invalid', 'shortPicks must be from 0 to 1');
  if (typeof inspects !== 'boolean') throw new Refusal(422, 'invalid', 'inspects must be true or false');
  if (!Array.isArray(pickMs) || pickMs.length !== 2 || !(pickMs[0] >= 0 && pickMs[0] <= pickMs[1]))
    throw new Refusal(422, 'invalid', 'pickMs must be two numbers, the lower one first');
  return { shortPicks, inspects, pickMs: pickMs as [number, number] };
}

/** One line of the fulfilment that is not found in part or at all; undefined: everything is where it should be. */
export function notFoundOf(lines: readonly GoodsLine[], rate: number, random: Random): GoodsLine | undefined {
  if (lines.length === 0 || !random.chance(rate)) return undefined;
  const line = lines[random.between(0, lines.length - 1)]!;
  return { ...line, quantity: random.between(1, line.quantity) };
}

export interface InspectedLine {
  lineNo: number;
  sku: string;
  restock: number;
  scrap: number;
  quarantine: number;
  from: 'receipt' | 'quarantine';
  credited: boolean;
}

/** Most of what comes back is as new. What its buyer broke is not paid back, now and then. */
export function inspectionOf({ lineNo, sku, quantity }: GoodsLine, random: Random): InspectedLine {
  const line = { lineNo, sku, restock: 0, scrap: 0, quarantine: 0, from: 'receipt' as const, credited: true };
  const roll = random.next();
  if (roll < 0.6) return { ...line, restock: quantity };
  if (roll < 0.75) return { ...line, scrap: quantity, credited: random.chance(0.7) };
  const apart = random.between(1, quantity);
  return { ...line, restock: quantity - apart, quarantine: apart };
}

/** What was set apart is decided in the end. */
export function decidedOf({ lineNo, sku, quarantine }: InspectedLine, random: Random): InspectedLine {
  const restock = random.chance(0.5) ? quarantine : 0;
  return { lineNo, sku, restock, scrap: quarantine - restock, quarantine: 0, from: 'quarantine', credited: true };
}
