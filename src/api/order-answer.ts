/** What a caller is told about an order: the decision as it was made, and the order as it stands. */
import { isSamePrice, type SubmittedLine } from '../canonical/index.ts';
import type { Directory } from '../master/index.ts';
import { evolve, type Order, type OrderEvent } from '../orders/index.ts';
import type { PromisePart } from '../promise/index.ts';
import { kitDecision, kitState } from './kit-answer.ts';
import { decimalOf } from './schemas.ts';

export type Accepted = Extract<OrderEvent, { type: 'order.accepted' }>;

type Decision = 'allocated' | 'backordered' | 'partly_allocated' | 'refused';

function decisionOf(quantity: number, allocated: number, backordered: number): Decision {
  if (allocated === quantity) return 'allocated';
  if (allocated > 0) return 'partly_allocated';
  return backordered > 0 ? 'backordered' : 'refused';
}

/** The first answer, from the fact: the same whenever it is asked for. SKU codes must be loaded. */
export function decisionAnswer(directory: Directory, accepted: Accepted): object {
  const byLine = new Map<number, { location: string; quantity: number }[]>();
  for (const { lineNo, locationId, quantity } of accepted.allocations) {
    const parts = byLine.get(lineNo) ?? [];
    byLine.set(lineNo, parts);
    const location = directory.locationById.get(locationId)?.code ?? String(locationId);
    const same = parts.find((part) => part.location === location);
    if (same === undefined) parts.push({ location, quantity });
    else same.quantity += quantity;
  }
  return {
    orderId: String(accepted.orderId),
    channel: directory.channelById.get(accepted.channelId)?.code ?? null,
    externalNo: accepted.externalNo,
    state: evolve(undefined, accepted).state,
    currency: accepted.currency,
    total: decimalOf(accepted.totalMinor, accepted.currency),
    totalMinor: accepted.totalMinor,
    ...(accepted.degraded !== undefined && { degraded: accepted.degraded }),
    ...(accepted.credit !== undefined && { credit: creditAnswer(accepted.credit) }),
    ...(accepted.charges !== undefined && {
      chargesMinor: accepted.charges.reduce((sum, charge) => sum + charge.amountMinor, 0),
      taxMinor: (accepted.taxes ?? []).reduce((sum, tax) => sum + tax.taxMinor, 0),
    }),
    lines: accepted.lines.map((line) => {
      const allocated = byLine.get(line.lineNo) ?? [];
      const kit = kitDecision(accepted, line);
      const units = kit?.allocated ?? allocated.reduce((sum, part) => sum + part.quantity, 0);
      const { backordered, refused } = kit ?? line;
      return {
        lineNo: line.lineNo,
        sku: directory.skuCode(line.skuId),
        quantity: line.quantity,
        unit: directory.skuUnit(line.skuId),
        decision: decisionOf(line.quantity, units, backordered),
        allocated,
        backordered,
        ...(kit !== undefined && { kits: units }),
        ...(line.standsFor !== undefined && { standsFor: line.standsFor, perUnit: line.perUnit ?? 1 }),
        expected: accepted.commitments
          .filter((part) => part.lineNo === line.lineNo)
          .map(({ dueAt, locationId, quantity }) => ({
            dueAt,
            location: directory.locationById.get(locationId)?.code ?? String(locationId),
            quantity,
          })),
        ...(accepted.promises !== undefined && {
          promised: promisedAnswer(
            directory,
            accepted.promises.lines.find(({ lineNo }) => lineNo === line.lineNo)?.parts ?? [],
          ),
        }),
        refused,
        unitPrice: line.unitPrice,
        ...(line.pricePer !== undefined && { pricePer: line.pricePer }),
        amountMinor: line.amountMinor,
        ...(line.priceCheck !== undefined && { priceCheck: line.priceCheck }),
        ...(line.asked !== undefined && { ordered: line.asked }),
      };
    }),
  };
}

function creditAnswer(credit: NonNullable<Accepted['credit']>): object {
  const { decision, reason = null, basis, amountMinor, limitMinor, exposureMinor, asOf, ageSeconds } = credit;
  return {
    ...{ decision, reason, basis, amountMinor, limitMinor, exposureMinor, asOf, ageSeconds },
    availableMinor: limitMinor === null ? null : limitMinor - exposureMinor,
  };
}

/** When what leaves, and from where. */
export function promisedAnswer(directory: Directory, parts: readonly PromisePart[]): object[] {
  return parts.map(({ quantity, at, locationId, reason }) => ({
    quantity,
    at,
    location: locationId === null ? null : (directory.locationById.get(locationId)?.code ?? String(locationId)),
    reason,
  }));
}

/** An order as it stands. SKU and account codes must be loaded. */
export function orderAnswer(
  directory: Directory,
  order: Order,
  promises: ReadonlyMap<number, readonly PromisePart[]> = new Map(),
): object {
  const locationCode = (id: number) => directory.locationById.get(id)?.code ?? String(id);
  return {
    orderId: String(order.orderId),
    company: directory.companyById.get(order.companyId)?.code ?? null,
    channel: directory.channelById.get(order.channelId)?.code ?? null,
    externalNo: order.externalNo,
    account: directory.accountCode(order.accountId),
    state: order.state,
    version: order.version,
    orderedAt: order.orderedAt,
    erpNumber: order.erpNumber,
    currency: order.currency,
    total: decimalOf(order.totalMinor, order.currency),
    totalMinor: order.totalMinor,
    chargesMinor: order.chargesMinor,
    taxMinor: order.taxMinor,
    charges: [...(order.billing?.charges.values() ?? [])],
    lines: [...order.lines.values()].map((line) => {
      const open = [...order.allocations.values()].filter(
        (part) => part.lineNo === line.lineNo && part.openQuantity > 0,
      );
      return {
        lineNo: line.lineNo,
        sku: directory.skuCode(line.skuId),
        quantity: line.quantity,
        unit: directory.skuUnit(line.skuId),
        unitPrice: line.unitPrice,
        pricePer: line.pricePer,
        ordered: line.asked ?? null,
        amountMinor: line.amountMinor,
        allocated: open.map((part) => ({ location: locationCode(part.locationId), quantity: part.openQuantity })),
        backordered: line.backordered,
        promised: promisedAnswer(directory, promises.get(line.lineNo) ?? []),
        held: line.held,
        refused: line.refused,
        substituted: line.substituted,
        standsFor: line.standsFor,
        perUnit: line.perUnit,
        kit: kitState(order, line),
        addsTo: line.addsTo,
        picked: line.picked,
        shipped: line.shipped,
        invoiced: line.invoiced,
        cancelAsked: line.cancelAsked,
        cancelled: line.cancelled,
        returnExpected: line.returnExpected,
        returned: line.returned,
        invoicedMinor: line.invoicedMinor,
        cancelledMinor: line.cancelledMinor,
        creditedMinor: line.creditedMinor,
      };
    }),
    returns: [...order.returns.values()].map((r) => ({
      returnId: String(r.returnId),
      reference: r.reference,
      location: locationCode(r.locationId),
      state: r.state,
      reason: r.reason,
      lines: [...r.lines.values()].map(
        ({ lineNo, quantity, received, restocked, scrapped, quarantined, ...money }) => ({
          ...{ lineNo, quantity, received, restocked, scrapped, quarantined },
          ...{ creditMinor: money.creditMinor, creditTaxMinor: money.creditTaxMinor },
        }),
      ),
    })),
  };
}

/** What an order was submitted with, to be compared with a second submission of its key. */
export interface Submitted {
  company: string;
  account: string;
  currency: string;
  orderedAt: string;
  lines: SaidLine[];
}

interface SaidLine {
  lineNo: number;
  sku: string;
  /** Of `unit`. */
  quantity: number | string;
  unit: string | null;
  unitPrice: string;
  priceUnit: string | null;
  pricePer: number;
}

/** A line as it was said first, whatever it came to. A unit that was not said is null. */
export function saidOf({
  lineNo,
  quantity,
  unitPrice,
  pricePer = 1,
  asked,
}: Accepted['lines'][number]): Omit<SaidLine, 'sku'> {
  if (asked === undefined) return { lineNo, quantity, unit: null, unitPrice, priceUnit: null, pricePer };
  return { ...asked, lineNo };
}

/** A line as it is said now. */
export function saidBy(line: SubmittedLine): SaidLine {
  const { lineNo, sku, unit = null, unitPrice, priceUnit = unit, pricePer = 1 } = line;
  return { lineNo, sku, quantity: line.quantity, unit, unitPrice, priceUnit, pricePer };
}

/** The first field in which two submissions of one key differ, as a place in the request. */
export function differenceOf(
  before: Submitted,
  given: Submitted,
): { place: string; before: unknown; given: unknown } | undefined {
  for (const field of ['company', 'account', 'currency', 'orderedAt'] as const)
    if (before[field] !== given[field]) return { place: field, before: before[field], given: given[field] };
  if (before.lines.length !== given.lines.length)
    return { place: 'lines', before: `${before.lines.length} lines`, given: `${given.lines.length} lines` };
  for (let i = 0; i < given.lines.length; i++) {
    const was = before.lines[i]!;
    const is = given.lines[i]!;
    for (const field of ['lineNo', 'sku', 'quantity'] as const)
      if (String(was[field]) !== String(is[field]))
        return { place: `lines[${i}].${field}`, before: was[field], given: is[field] };
    // A unit that one of them did not say may be the base unit.
    for (const field of ['unit', 'priceUnit'] as const)
      if (was[field] !== null && is[field] !== null && was[field] !== is[field])
        return { place: `lines[${i}].${field}`, before: was[field], given: is[field] };
    // "2.5" and "2.50" are one price, but not the text that came first.
    if (was.unitPrice !== is.unitPrice && !isSamePrice(was, is))
      return { place: `lines[${i}].unitPrice`, before: was.unitPrice, given: is.unitPrice };
  }
  return undefined;
}
