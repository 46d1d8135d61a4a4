/** Given events, when a command, then events or a refusal: an order without a database. Tests only. */
import { decide } from './decide.ts';
import { evolve } from './evolve.ts';
import type {
  ChangeLine,
  ChargePolicy,
  DecideContext,
  Decision,
  Inspection,
  KitPart,
  Offered,
  OnShortPick,
  Order,
  OrderCommand,
  OrderEvent,
  Oversold,
  SplitRule,
  SubmitCommand,
  Verdict,
} from './types.ts';

export interface Shelf {
  skuId: number;
  locationId: number;
  free: number;
  own: number;
}

/** What is there and what was set aside, changed by events as the ledger would change it. */
export class World {
  order: Order | undefined;
  readonly shelves: Shelf[];
  readonly history: OrderEvent[] = [];
  onShort: 'backorder' | 'refuse' = 'backorder';
  takesChanges = true;
  onShortPick: OnShortPick = { policy: 'resource', otherwise: 'backorder' };
  oversold: Oversold | undefined;
  /** Of goods that come back. */
  inspection: Inspection | undefined;
  charging: ChargePolicy | undefined;
  consent: 'offer' | 'allow' | undefined;
  /** Per SKU, best first. */
  instead: Record<number, number[]> = {};
  split: SplitRule | undefined;
  /** What kits are made of. */
  kits: Record<number, KitPart[]> = {};
  /** Dated supply that may be promised, per SKU. */
  toCome: Record<number, { supplyId: number; locationId: number; quantity: number; dueAt: string }[]> = {};
  /** What another system has allocated to a line, by line number and location. */
  kept: Record<number, Record<number, number>> = {};
  /** What the gates say of a new order. */
  verdict: Verdict = { ok: true, holds: [] };
  /** Units that were not found, wherever they are. */
  missing = 0;
  readonly lost: { skuId: number; locationId: number; quantity: number }[] = [];
  #ids = { allocation: 100, fulfilment: 10, return: 50, exception: 900, hold: 700 };

  constructor(shelves: readonly (readonly [skuId: number, locationId: number, free: number, own?: number])[]) {
    this.shelves = shelves.map(([skuId, locationId, free, own = 0]) => ({ skuId, locationId, free, own }));
  }

  get context(): DecideContext {
    return {
      offers: (skuId): Offered => ({
        places: this.shelves
          .filter((shelf) => shelf.skuId === skuId)
          .map(({ locationId, free, own }) => ({ locationId, free, own, physical: free + own })),
        allocatable: Number.POSITIVE_INFINITY,
        promisable: Number.POSITIVE_INFINITY,
      }),
      kept: (_, locationId, lineNo) => this.kept[lineNo]?.[locationId] ?? 0,
      supplies: (skuId) => this.toCome[skuId] ?? [],
      supplyLeft: (skuId, supplyId) =>
        (this.toCome[skuId] ?? []).find((one) => one.supplyId === supplyId)?.quantity ?? 0,
      promisedOf: (_lineNo, _skuId, supplyId) => (supplyId === undefined ? 0 : Number.POSITIVE_INFINITY),
      onShort: this.onShort,
      takesChanges: this.takesChanges,
      onShortPick: this.onShortPick,
      oversold: this.oversold,
      consent: this.consent,
      substitutes: (skuId) => this.instead[skuId] ?? [],
      split: this.split,
      kit: (skuId) => this.kits[skuId],
      judge: () => this.verdict,
      judgeRelease: () => ({ ok: true }),
      holdTerms: () => ({ owner: 'operations', dueMinutes: null }),
      takeHoldId: () => this.#ids.hold++,
      takeExceptionId: () => this.#ids.exception++,
      takeAllocationId: () => this.#ids.allocation++,
      takeFulfilmentId: () => this.#ids.fulfilment++,
      takeReturnId: () => this.#ids.return++,
      charging: this.charging,
      inspection: () => this.inspection,
    };
  }

  shelf(skuId: number, locationId: number): Shelf {
    return this.shelves.find((shelf) => shelf.skuId === skuId && shelf.locationId === locationId)!;
  }

  /** Decides, and applies what was decided. */
  when(command: OrderCommand): Decision {
    const decision = decide(this.order, command, this.context);
    if (!decision.ok) return decision;
    for (const event of decision.events) {
      this.order = evolve(this.order, event);
      this.history.push(event);
      this.#apply(event);
    }
    return decision;
  }

  /** @throws unless it is accepted */
  given(...commands: OrderCommand[]): this {
    for (const command of commands) {
      const decision = this.when(command);
      if (!decision.ok) throw new Error(`${command.kind} was refused: ${decision.refused}, ${decision.detail}`);
    }
    return this;
  }

  #apply(event: OrderEvent): void {
    switch (event.type) {
      case 'order.lines_added':
      case 'order.accepted':
        for (const { skuId, locationId, quantity, fromExposure } of event.allocations) {
          const shelf = this.shelf(skuId, locationId);
          shelf.own -= fromExposure;
          shelf.free -= quantity - fromExposure;
        }
        return;
      case 'order.lines_reassigned':
        for (const { skuId, locationId, quantity } of event.released) this.shelf(skuId, locationId).free += quantity;
        for (const { skuId, locationId, quantity } of event.allocations) this.shelf(skuId, locationId).free -= quantity;
        return;
      case 'order.exception_resolved':
      case 'order.lines_allocated':
        for (const { skuId, locationId, quantity } of event.allocations) this.shelf(skuId, locationId).free -= quantity;
        return;
      case 'order.lines_cancelled':
        for (const { skuId, locationId, quantity } of event.released) this.shelf(skuId, locationId).free += quantity;
        return;
      case 'return.inspected':
        for (const { skuId, restock } of event.lines) this.shelf(skuId, event.locationId).free += restock;
        return;
      case 'fulfilment.short_picked':
        for (const { skuId, quantity } of event.lines) {
          this.missing += quantity;
          this.lost.push({ skuId, locationId: event.locationId, quantity });
        }
        return;
      case 'return.received':
        if (event.inspection !== undefined) return;
        for (const { skuId, quantity } of event.lines) this.shelf(skuId, event.locationId).free += quantity;
        return;
    }
  }

  line(lineNo = 1) {
    return this.order!.lines.get(lineNo)!;
  }

  /** `1: 10 allocated 4 backordered 6`: what is not zero. */
  shown(lineNo = 1): string {
    const line = this.line(lineNo);
    const parts = [
      ['allocated', line.allocated],
      ['backordered', line.backordered],
      ['held', line.held],
      ['refused', line.refused],
      ['substituted', line.substituted],
      ['picked', line.picked],
      ['shipped', line.shipped],
      ['invoiced', line.invoiced],
      ['asked', line.cancelAsked],
      ['cancelled', line.cancelled],
      ['expected', line.returnExpected],
      ['returned', line.returned],
    ] as const;
    return [`${line.quantity}`, ...parts.filter(([, n]) => n !== 0).map(([name, n]) => `${name} ${n}`)].join(' ');
  }

  /** Open units by location, e.g. `{1: 4, 2: 6}`. */
  allocated(): Record<number, number> {
    const by: Record<number, number> = {};
    for (const a of this.order!.allocations.values())
      if (a.openQuantity > 0) by[a.locationId] = (by[a.locationId] ?? 0) + a.openQuantity;
    return by;
  }
}

type LineInput = { skuId?: number; quantity: number; unitPrice?: string; within?: number | null };

export function submit(...lines: LineInput[]): SubmitCommand {
  return {
    kind: 'submit',
    orderId: 7,
    companyId: 1,
    channelId: 1,
    accountId: 1,
    externalNo: 'O1',
    currency: 'GBP',
    orderedAt: '2026-03-02T10:00:00.000Z',
    lines: lines.map((line, i) => ({ lineNo: i + 1, skuId: 1, unitPrice: '1.00', within: 0, ...line })),
  };
}

export const confirm: OrderCommand = { kind: 'confirm', erpNumber: 'SO1' };

export function cancel(quantity: number, lineNo = 1, reference = 'C1'): OrderCommand {
  return { kind: 'cancel', reference, lineNo, quantity };
}

/** `[lineNo, quantity]` a line, or more of it. */
export function change(
  lines: readonly (readonly [lineNo: number, quantity: number] | Partial<ChangeLine>)[],
  rest: Partial<Extract<OrderCommand, { kind: 'change' }>> = {},
): OrderCommand {
  const none = { lineNo: null, skuId: null, quantity: 0, unitPrice: null, within: null, requestedOn: null };
  return {
    ...{ kind: 'change', reference: 'CH1', number: null, isWhole: false, partial: false },
    lines: lines.map((line) =>
      Array.isArray(line) ? { ...none, lineNo: line[0] as number, quantity: line[1] as number } : { ...none, ...line },
    ),
    ...rest,
  };
}

export function pick(fulfilmentId: number, quantity: number, lineNo = 1): OrderCommand {
  return { kind: 'pick', fulfilmentId, source: 'wms', sourceId: 'p', sequence: null, lines: [{ lineNo, quantity }] };
}

export function shortPick(fulfilmentId: number, quantity: number, lineNo = 1): OrderCommand {
  return {
    ...{ kind: 'short_pick', fulfilmentId, source: 'wms', sourceId: 'sp', reason: 'empty bin', occurredAt: '' },
    lines: [{ lineNo, quantity }],
  };
}

export function ship(fulfilmentId: number, quantity: number, lineNo = 1): OrderCommand {
  return { kind: 'ship', fulfilmentId, source: 'wms', shipment: 'S', tracking: null, lines: [{ lineNo, quantity }] };
}

export function answer(fulfilmentId: number, cancelled: number, tooLate: number, lineNo = 1): OrderCommand {
  return { kind: 'answer_cancel', reference: 'A', fulfilmentId, lines: [{ lineNo, cancelled, tooLate }] };
}

export function receiveReturn(returnId: number, quantity: number, lineNo = 1): OrderCommand {
  return {
    kind: 'receive_return',
    returnId,
    source: 'wms',
    sourceId: 'b',
    sequence: null,
    lines: [{ lineNo, quantity }],
  };
}

export function requestReturn(quantity: number, lineNo = 1, reference = 'RMA'): OrderCommand {
  return { kind: 'request_return', reference, reason: null, lines: [{ lineNo, quantity }] };
}

/** Of the return with this id. */
export function inspect(
  returnId: number,
  units: { restock?: number; scrap?: number; quarantine?: number },
  rest: { from?: 'receipt' | 'quarantine'; credited?: boolean; lineNo?: number } = {},
): OrderCommand {
  const line = {
    lineNo: 1,
    restock: 0,
    scrap: 0,
    quarantine: 0,
    from: 'receipt',
    credited: true,
    ...units,
    ...rest,
  } as const;
  return {
    ...{ kind: 'inspect_return', returnId, source: 'wms', sourceId: 'i', sequence: null, by: 'ann', reason: null },
    lines: [line],
  };
}

export function invoice(quantity: number, amountMinor: number, lineNo = 1): OrderCommand {
  return {
    kind: 'post_document',
    document: 'invoice',
    source: 'erp',
    number: 'I1',
    totalMinor: amountMinor,
    currency: 'GBP',
    lines: [{ lineNo, quantity, amountMinor }],
  };
}
