/** Lines of the model as they are asked for. */
import type { BackLine, Claim, ModelLine, ModelOrder, Parcel } from './model-types.ts';

export function newLine(
  line: Pick<ModelLine, 'lineNo' | 'root' | 'sku' | 'quantity' | 'micros'> & { isAdded?: boolean },
): ModelLine {
  const { isAdded = false } = line;
  return {
    ...{ ...line, isAdded, awaitsErp: isAdded, backordered: line.quantity },
    ...{ picked: 0, shipped: 0, invoiced: 0, cancelAsked: 0, cancelled: 0, returnExpected: 0, returned: 0 },
    claim: null,
    ...{ shippedMinor: 0, invoicedMinor: 0, cancelledMinor: 0, returnedMinor: 0 },
    ...{ creditedMinor: 0, dueMinor: 0, creditAskedMinor: 0 },
  };
}

export function backLine({ lineNo, sku }: ModelLine, left: number): BackLine {
  return {
    lineNo,
    sku,
    left,
    received: 0,
    restocked: 0,
    scrapped: 0,
    quarantined: 0,
    receivedMinor: 0,
    decidedMinor: 0,
  };
}

export function claimsOf(order: ModelOrder): Claim[] {
  return [order.claim, ...order.lines.flatMap(({ claim }) => claim ?? [])];
}

/** What an order stands for. */
export function openMinor(order: ModelOrder): number {
  return sum(order.lines, (line) => amount(line.micros, line.quantity) - line.cancelledMinor);
}

export function lineOf(order: ModelOrder, lineNo: number): ModelLine {
  return order.lines.find((line) => line.lineNo === lineNo)!;
}

/** The line of who ordered, and what was added to it. */
export function partsOf(order: ModelOrder, root: number): ModelLine[] {
  return order.lines.filter((line) => line.root === root);
}

/** Units that nobody has taken back. */
export function leftOf(parts: readonly ModelLine[]): number {
  return sum(parts, (line) => line.quantity - line.cancelled - line.cancelAsked - line.returnExpected - line.returned);
}

/** What was allocated to a line, the first first. */
export function allocationsOf(order: ModelOrder, line: ModelLine): { parcel: Parcel; part: Parcel['parts'][number] }[] {
  return order.parcels
    .flatMap((parcel) => parcel.parts.map((part) => ({ parcel, part })))
    .filter(({ part }) => part.lineNo === line.lineNo)
    .sort((a, b) => a.part.nth - b.part.nth);
}

export function openOf(order: ModelOrder, line: ModelLine): { parcel: Parcel; part: Parcel['parts'][number] }[] {
  return allocationsOf(order, line).filter(({ part }) => part.open > 0);
}

export function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((all, one) => all + of(one), 0);
}

/** Minor units of a price in millionths, half away from zero. */
export function amount(micros: bigint, quantity: number): number {
  return Number((micros * BigInt(quantity) + 5_000n) / 10_000n);
}
