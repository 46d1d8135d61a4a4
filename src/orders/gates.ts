/** What has a say in whether a new order may go on, once stock is decided: one gate a rule. An order passes all of them, or is held by each that objects. */
import type { Directory } from '../master/index.ts';
import type { Tx } from '../store/index.ts';
import { openAccountGate } from './account-gate.ts';
import { openCreditGate } from './credit-gate.ts';
import { openDegradedGate } from './degraded-gate.ts';
import type { RepricedLine } from './price-check.ts';
import { openPriceGate } from './price-gate.ts';
import { openQuantityGate } from './quantity-gate.ts';
import type {
  AcceptedMarks,
  NewHold,
  Order,
  OrderCommand,
  OrderEvent,
  OrderHold,
  ReleaseVerdict,
  SubmitCommand,
  Verdict,
} from './types.ts';

type Accepted = Extract<OrderEvent, { type: 'order.accepted' }>;

export interface Gate {
  /** What an order says, as it is taken: before anything of it is decided. What it returns is what is judged. */
  adjust?(submit: SubmitCommand): SubmitCommand;
  /** The same of what a change adds to an order, under numbers of its own. */
  adjustAdded?(order: Order, added: SubmitCommand): SubmitCommand;
  /** The most holds that it puts on one order. */
  readonly holdsMax: number;
  /** Called for one order after the other, in the order of the batch: what one takes, the next can't have. Read only but for the gate's own. */
  judge(submit: SubmitCommand, accepted: Accepted): Verdict;
  /** The same of what a change adds to an order, as if it were an order of its own; absent: it has no say in that. */
  judgeAdded?(order: Order, added: Accepted): Verdict;
  /** Whether a hold may be released; of a hold that is none of its own, yes. */
  release?(order: Order, hold: OrderHold, by: Releasing): ReleaseVerdict;
  /** An event was applied; the order is as it is after it. */
  applied?(order: Order, event: OrderEvent): void;
  /** Writes what it has given, with everything else of the transaction. */
  finish?(): Promise<void>;
}

export interface Releasing {
  isRule: boolean;
  /** Lines that are held for their price are to get the decided one. */
  reprice: boolean;
  /** Those that do, as a gate before said. */
  repriced?: readonly RepricedLine[] | undefined;
}

/**
 * Opened before orders are locked, in the order of this list: a gate that locks rows does so here, and they are the first of all locks.
 * Undefined: no work of the batch is its business.
 */
export type OpenGate = (
  tx: Tx,
  directory: Directory,
  works: readonly { command: OrderCommand; occurredAt?: string }[],
  more?: GateInputs,
) => Promise<Gate | undefined>;

export interface GateInputs {
  /** Accounts whose credit reports the caller will write in the same transaction. */
  reported?: readonly number[];
  /** The SKU itself; of a kit, what it is made of. */
  partsOf?: (skuId: number) => readonly number[];
  /** Of each work, the order that it is about; null: a new one, or none. */
  orderIds?: readonly (number | null)[];
}

// Credit last: an order that another gate refuses takes nothing of it.
const gates: readonly OpenGate[] = [openAccountGate, openDegradedGate, openQuantityGate, openPriceGate, openCreditGate];

export class Gates {
  readonly #open: readonly Gate[];

  private constructor(open: readonly Gate[]) {
    this.#open = open;
  }

  static async open(
    tx: Tx,
    directory: Directory,
    works: readonly { command: OrderCommand; occurredAt?: string }[],
    more?: GateInputs,
  ): Promise<Gates> {
    const open: Gate[] = [];
    for (const openGate of gates) {
      const gate = await openGate(tx, directory, works, more);
      if (gate !== undefined) open.push(gate);
    }
    return new Gates(open);
  }

  /** The most holds that one order may get: ids are taken for them before anything is decided. */
  get holdsMax(): number {
    return this.#open.reduce((sum, gate) => sum + gate.holdsMax, 0);
  }

  adjust(submit: SubmitCommand): SubmitCommand {
    let adjusted = submit;
    for (const gate of this.#open) adjusted = gate.adjust?.(adjusted) ?? adjusted;
    return adjusted;
  }

  adjustAdded(order: Order, added: SubmitCommand): SubmitCommand {
    let adjusted = added;
    for (const gate of this.#open) adjusted = gate.adjustAdded?.(order, adjusted) ?? adjusted;
    return adjusted;
  }

  judge(submit: SubmitCommand, accepted: Accepted): Verdict {
    const holds: NewHold[] = [];
    const marks: AcceptedMarks = {};
    for (const gate of this.#open) {
      const verdict = gate.judge(submit, accepted);
      if (!verdict.ok) return verdict;
      holds.push(...verdict.holds);
      Object.assign(marks, verdict.marks);
    }
    return { ok: true, holds, marks };
  }

  /** The first that objects says why; what others give with it stands in the release. */
  release(order: Order, hold: OrderHold, by: Omit<Releasing, 'repriced'>): ReleaseVerdict {
    const given: Extract<ReleaseVerdict, { ok: true }> = { ok: true };
    for (const gate of this.#open) {
      const verdict: ReleaseVerdict = gate.release?.(order, hold, { ...by, repriced: given.repriced }) ?? { ok: true };
      if (!verdict.ok) return verdict;
      Object.assign(given, verdict);
    }
    return given;
  }

  applied(order: Order, event: OrderEvent): void {
    for (const gate of this.#open) gate.applied?.(order, event);
  }

  judgeAdded(order: Order, added: Accepted): Verdict {
    const holds: NewHold[] = [];
    for (const gate of this.#open) {
      const verdict = gate.judgeAdded?.(order, added);
      if (verdict?.ok === false) return verdict;
      holds.push(...(verdict?.holds ?? []));
    }
    return { ok: true, holds };
  }

  async finish(): Promise<void> {
    for (const gate of this.#open) await gate.finish?.();
  }
}
