/** What changes and cancels of whole orders need of stock and of their order, beside what every command does. */
import type { Pair } from '../ledger/index.ts';
import { partsOf, rootOf } from './line-parts.ts';
import { withSets } from './sets.ts';
import type { Order, OrderCommand, OrderLine } from './types.ts';

/** Lines of which units may cease to wait by this. */
export function endingWait(command: OrderCommand, order: Order): readonly number[] {
  switch (command.kind) {
    case 'cancel':
      return partsOfLine(order, command.lineNo);
    case 'allocate_backorders':
      return withSets(order.lines, command.lineNos);
    case 'repromise':
      return command.lineNos;
    case 'reassign':
    case 'request_return':
      return command.lines.map(({ lineNo }) => lineNo);
    case 'change':
    case 'cancel_order':
      return [...order.lines.keys()];
    default:
      return [];
  }
}

function partsOfLine(order: Order, lineNo: number): number[] {
  return [lineNo, ...partsOf(order, lineNo).map((line) => line.lineNo)];
}

/** SKUs of which a change may add units. */
export function addedSkus(command: Extract<OrderCommand, { kind: 'change' }>, order: Order | undefined): number[] {
  return command.lines.flatMap(({ lineNo, skuId, quantity }) => {
    if (quantity === 0) return [];
    if (skuId !== null) return [skuId];
    return lineNo === null || order === undefined ? [] : partsOf(order, lineNo).map((line) => line.skuId);
  });
}

export function isPartOf(line: OrderLine | undefined, root: number): boolean {
  return line !== undefined && rootOf(line) === root;
}

/** Where an order has anything allocated. */
export function openPairs(order: Order | undefined): Pair[] {
  const pairs: Pair[] = [];
  for (const part of order?.allocations.values() ?? [])
    if (part.openQuantity > 0) pairs.push([part.skuId, part.locationId]);
  return pairs;
}
