/** The kits of a new order: what is taken for whole ones of them, what of them waits, and the lines that stand for them. Pure, as `decide`. */
import { amountMinor, QUANTITY_MAX } from '../canonical/index.ts';
import { refused } from './decision.ts';
import type { FulfilmentAt } from './exceptions.ts';
import { kitLines, OWN_LINES_ABOVE } from './kit-lines.ts';
import type { Taker } from './taker.ts';
import type {
  AcceptedLine,
  DecideContext,
  Decision,
  KitPart,
  NewAllocation,
  NewCommitment,
  NewHold,
  OrderEvent,
  SubmitCommand,
} from './types.ts';

type Line = SubmitCommand['lines'][number];

/** What lines ask of the shelves. */
export function wantsOf(
  lines: readonly Line[],
  context: DecideContext,
): readonly { skuId: number; quantity: number }[] {
  if (!lines.some(({ skuId }) => context.kit?.(skuId) !== undefined)) return lines;
  return lines.flatMap((line) => {
    const parts = context.kit!(line.skuId);
    return parts === undefined
      ? [line]
      : parts.map(({ skuId, quantity }) => ({ skuId, quantity: quantity * line.quantity }));
  });
}

export class OrderedKits {
  readonly allocations: NewAllocation[] = [];
  readonly commitments: NewCommitment[] = [];
  readonly raised: OrderEvent[] = [];
  readonly holds: NewHold[] = [];
  /** Kits that the channel sold within the number it was shown. */
  readonly used = new Map<number, number>();
  readonly #command: SubmitCommand;
  readonly #context: DecideContext;
  readonly #taker: Taker;
  readonly #fulfilmentAt: FulfilmentAt;
  readonly #taken: { lineNo: number; kits: number; waiting: number; parts: readonly KitPart[]; lineNos: number[] }[] =
    [];
  #lastLineNo = 0;

  constructor(command: SubmitCommand, context: DecideContext, taker: Taker, fulfilmentAt: FulfilmentAt) {
    this.#command = command;
    this.#context = context;
    this.#taker = taker;
    this.#fulfilmentAt = fulfilmentAt;
  }

  /** 0: there are none. */
  get lastLineNo(): number {
    return this.#lastLineNo;
  }

  /** Takes what whole kits need; a kit that can't be made up takes nothing. */
  take(line: Line, parts: readonly KitPart[]): AcceptedLine | Extract<Decision, { ok: false }> {
    const { lineNo, skuId, quantity, unitPrice, pricePer } = line;
    const { currency } = this.#command;
    const most = parts.find((part) => part.quantity * quantity > QUANTITY_MAX);
    if (most !== undefined)
      return refused(
        'quantity_too_large',
        `line ${lineNo}: ${quantity} kits with ${most.quantity} of one component are more than ${QUANTITY_MAX}`,
      );
    const lineNos = parts.map(() => this.#nextLineNo());
    const set = parts.map((part, i) => ({
      ...{ lineNo: lineNos[i]!, skuId: part.skuId, perUnit: part.quantity },
      ...{ has: 0, waits: part.quantity * quantity },
    }));
    const fromOwn = this.#context.kitsFromOwn === true;
    const { taken, units: there } = this.#taker.takeSets(lineNos[0]!, set, quantity, fromOwn);
    for (const { part, locationId, quantity: units, fromOwn: fromExposure = 0 } of taken)
      this.allocations.push({
        ...{
          allocationId: this.#context.takeAllocationId(),
          lineNo: lineNos[part]!,
          skuId: set[part]!.skuId,
          locationId,
        },
        ...{ fulfilmentId: this.#fulfilmentAt(locationId), quantity: units, fromExposure },
      });
    const missing = quantity - there;
    const promised = this.#taker.commitSets(set, missing);
    this.commitments.push(...promised.taken);
    // What a channel that can't say sold and what is there is taken for what it was shown.
    const within = Math.min(line.within ?? (fromOwn ? there : 0), quantity);
    if (within > 0) this.used.set(skuId, (this.used.get(skuId) ?? 0) + within);
    const withinShort = Math.max(0, within - there);
    const refuse = this.#context.onShort === 'refuse' && (line.within ?? 0) === 0;
    let gone = refuse ? missing - promised.units : 0;
    const { oversold } = this.#context;
    const beyond = oversold === undefined ? 0 : line.within === null ? missing - promised.units : withinShort;
    if (beyond > 0) gone = this.#oversold(line, beyond, refuse, gone);
    const kits = quantity - gone;
    this.#taken.push({ lineNo, kits, waiting: kits - there, parts, lineNos });
    return {
      ...{ lineNo, skuId, quantity, unitPrice },
      ...(pricePer !== undefined && { pricePer }),
      ...(line.priceCheck !== undefined && { priceCheck: line.priceCheck }),
      amountMinor: amountMinor(unitPrice, quantity, currency, pricePer),
      ...{ within, withinShort },
      ...(line.asked !== undefined && { asked: line.asked }),
      ...{ backordered: 0, refused: quantity },
      ...(kits > 0 && { substituted: kits }),
    };
  }

  /** A kit is sent as it is made up or not at all: no other SKU stands for it. @returns kits that are given up */
  #oversold(line: Line, units: number, isRefused: boolean, gone: number): number {
    const { policy: rule = isRefused ? 'cancel' : 'backorder', otherwise } = this.#context.oversold!;
    const policy = rule === 'substitute' ? otherwise : rule;
    if (policy === 'hold')
      this.holds.push({
        ...{ kind: 'manual', reason: 'kit_oversold' },
        detail: `line ${line.lineNo}: ${units} kits were sold that are not there`,
      });
    const cancelled = policy === 'cancel' ? units : 0;
    this.raised.push({
      ...{ type: 'order.exception_raised', exceptionId: this.#context.takeExceptionId(), kind: 'oversold' },
      ...{ lineNo: line.lineNo, skuId: line.skuId, units, policy: policy === 'cancel' ? 'cancel' : 'backorder' },
      ...{ held: 0, backordered: units - cancelled, cancelled, substituted: 0 },
    });
    return gone - (isRefused ? units : 0) + cancelled;
  }

  /** The lines that stand for them; the kits' own are as they are with their tax. */
  lines(ordered: readonly AcceptedLine[]): AcceptedLine[] {
    return this.#taken.flatMap(({ lineNo, kits, waiting, parts, lineNos }) =>
      kitLines(
        ordered.find((line) => line.lineNo === lineNo)!,
        ...([kits, waiting, parts, lineNos, this.#command.currency] as const),
      ),
    );
  }

  #nextLineNo(): number {
    if (this.#lastLineNo === 0)
      this.#lastLineNo = Math.max(OWN_LINES_ABOVE, ...this.#command.lines.map(({ lineNo }) => lineNo));
    return ++this.#lastLineNo;
  }
}
