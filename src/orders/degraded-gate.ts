/**
 * While the ERP is away, orders are accepted up to what the estate declares, by the class of their account; what is beyond is held. All of
 * them are marked, and looked at again once it is back.
 */
import { type Directory, readAccountTerms } from '../master/index.ts';
import { noteDegradedOrders, readOpenModes } from '../modes/index.ts';
import type { Tx } from '../store/index.ts';
import { acceptedOf } from './accepted.ts';
import type { Gate, OpenGate } from './gates.ts';
import type { Order, OrderEvent, SubmitCommand, Verdict } from './types.ts';

type Accepted = Extract<OrderEvent, { type: 'order.accepted' }>;

export const openDegradedGate: OpenGate = async (tx, directory, works) => {
  const declared = directory.rules.degradedModes?.erp;
  if (declared === undefined) return undefined;
  const submits = works.flatMap(({ command }) => (command.kind === 'submit' ? [command] : []));
  if (submits.length === 0) return undefined;
  const mode = (await readOpenModes(tx)).find(({ domain }) => domain === 'erp');
  if (mode === undefined) return undefined;
  const { acceptOrderMinorMax = null, byClass = {} } = declared;
  const terms = await readAccountTerms(
    tx,
    submits.map(({ accountId }) => accountId),
  );
  const maxOf = (accountId: number) => {
    const priorityClass = terms.get(accountId)?.priorityClass;
    return (priorityClass === undefined ? undefined : byClass[priorityClass]) ?? acceptOrderMinorMax;
  };
  return new DegradedGate(tx, directory, mode.modeId, maxOf);
};

class DegradedGate implements Gate {
  readonly holdsMax = 1;
  readonly #tx: Tx;
  readonly #directory: Directory;
  readonly #modeId: number;
  readonly #maxOf: (accountId: number) => number | null;
  readonly #held = new Set<number>();
  readonly #accepted: number[] = [];

  constructor(tx: Tx, directory: Directory, modeId: number, maxOf: (accountId: number) => number | null) {
    this.#tx = tx;
    this.#directory = directory;
    this.#modeId = modeId;
    this.#maxOf = maxOf;
  }

  judge(submit: SubmitCommand, accepted: Accepted): Verdict {
    const amountMinor = accepted.lines.reduce((sum, line) => sum + acceptedOf(line, accepted.currency).amountMinor, 0);
    const max = this.#maxOf(submit.accountId);
    const marks = { degraded: 'erp' } as const;
    if (max === null || amountMinor <= max) return { ok: true, holds: [], marks };
    this.#held.add(submit.orderId);
    const channel = this.#directory.channelById.get(submit.channelId)?.code;
    const detail = `the ERP is away: at most ${max} is accepted of an order of this account, not ${amountMinor} (minor units, ${accepted.currency}; channel ${channel})`;
    return { ok: true, holds: [{ kind: 'degraded', reason: 'erp_away', detail }], marks };
  }

  /** Only what became an order: another gate may have refused it. */
  applied(order: Order, event: OrderEvent): void {
    if (event.type === 'order.accepted' && event.degraded === 'erp') this.#accepted.push(order.orderId);
  }

  async finish(): Promise<void> {
    noteDegradedOrders(
      this.#tx,
      this.#accepted.map((orderId) => ({ orderId, modeId: this.#modeId, isHeld: this.#held.has(orderId) })),
    );
  }
}
