/** What has a say in whether a new order may go on, once stock is decided: one gate a rule. An order passes all of them, or is held by each that objects. */
import type { Directory } from '../master/index.ts';
import type { Tx } from '../store/index.ts';
import type { NewHold, OrderCommand, OrderEvent, SubmitCommand, Verdict } from './types.ts';

type Accepted = Extract<OrderEvent, { type: 'order.accepted' }>;

export interface Gate {
  /** The most holds that it puts on one order. */
  readonly holdsMax: number;
  /** Called for one order after the other, in the order of the batch: what one takes, the next can't have. Read only but for the gate's own. */
  judge(submit: SubmitCommand, accepted: Accepted): Verdict;
  /** Writes what it has given, with everything else of the transaction. */
  finish?(): Promise<void>;
}

/**
 * Opened before orders are locked, in the order of this list: a gate that locks rows does so here, and they are the first of all locks.
 * Undefined: no work of the batch is its business.
 */
export type OpenGate = (
  tx: Tx,
  directory: Directory,
  works: readonly { command: OrderCommand }[],
) => Promise<Gate | undefined>;

const gates: readonly OpenGate[] = [];

export class Gates {
  readonly #open: readonly Gate[];

  private constructor(open: readonly Gate[]) {
    this.#open = open;
  }

  static async open(tx: Tx, directory: Directory, works: readonly { command: OrderCommand }[]): Promise<Gates> {
    const open: Gate[] = [];
    for (const openGate of gates) {
      const gate = await openGate(tx, directory, works);
      if (gate !== undefined) open.push(gate);
    }
    return new Gates(open);
  }

  /** The most holds that one order may get: ids are taken for them before anything is decided. */
  get holdsMax(): number {
    return this.#open.reduce((sum, gate) => sum + gate.holdsMax, 0);
  }

  judge(submit: SubmitCommand, accepted: Accepted): Verdict {
    const holds: NewHold[] = [];
    for (const gate of this.#open) {
      const verdict = gate.judge(submit, accepted);
      if (!verdict.ok) return verdict;
      holds.push(...verdict.holds);
    }
    return { ok: true, holds };
  }

  async finish(): Promise<void> {
    for (const gate of this.#open) await gate.finish?.();
  }
}
