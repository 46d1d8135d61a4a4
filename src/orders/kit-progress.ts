/** What became of an ordered kit, in kits. Pure. */
import { begunUnits, setsOf, wholeUnits } from './sets.ts';
import type { Order, OrderLine } from './types.ts';

export interface KitProgress {
  /** Neither refused nor given up to nobody. */
  accepted: number;
  /** Of which all parts are set aside, or have been picked. */
  allocated: number;
  backordered: number;
  picked: number;
  shipped: number;
  invoiced: number;
  cancelled: number;
  returned: number;
}

/** Of the line itself; what was added to it are kits of lines of their own. undefined: it is no kit. */
export function kitProgress(order: Pick<Order, 'lines'>, line: OrderLine): KitProgress | undefined {
  if (line.substituted === 0) return undefined;
  const parts = [...order.lines.values()].filter((part) => part.standsFor === line.lineNo && part.setNo !== null);
  const [set] = setsOf(parts);
  if (set === undefined) return undefined;
  const whole = (of: (part: OrderLine) => number) => wholeUnits(set, of);
  return {
    accepted: line.substituted,
    allocated: whole((part) => part.allocated + part.picked),
    backordered: begunUnits(set, (part) => part.backordered),
    picked: whole((part) => part.picked),
    shipped: whole((part) => part.shipped),
    invoiced: whole((part) => part.invoiced),
    cancelled: whole((part) => part.cancelled),
    returned: whole((part) => part.returned),
  };
}
