/** What a caller is told of an ordered kit, in kits; of what it is made of, the lines that stand for it tell. */
import { kitProgress, type Order, type OrderLine } from '../orders/index.ts';
import type { Accepted } from './order-answer.ts';

/** What was decided of it: kits that are set aside whole, those that wait, and those that are refused. undefined: it is none. */
export function kitDecision(
  accepted: Accepted,
  line: Accepted['lines'][number],
): { allocated: number; backordered: number; refused: number } | undefined {
  const parts = accepted.lines.filter((part) => part.standsFor === line.lineNo && part.setNo !== undefined);
  if (parts.length === 0) return undefined;
  const kits = line.substituted ?? 0;
  const backordered = Math.max(...parts.map((part) => Math.ceil(part.backordered / (part.perUnit ?? 1))));
  return { allocated: kits - backordered, backordered, refused: line.quantity - kits };
}

/** How far it is. null: it is none. */
export function kitState(order: Order, line: OrderLine): object | null {
  return kitProgress(order, line) ?? null;
}
