/**
 * Credit as a gate of orders: an order of a channel that checks is accepted within its account's limit, else held or refused. What it
 * takes of the limit falls with what is cancelled of it.
 */
import { type CreditDecision, CreditSession, readPaths } from '../credit/index.ts';
import type { Directory } from '../master/index.ts';
import { numbers, type Tx } from '../store/index.ts';
import { acceptedOf } from './accepted.ts';
import type { Gate, OpenGate, Releasing } from './gates.ts';
import { findHeldForCredit } from './holds.sql.ts';
import type { RepricedLine } from './price-check.ts';
import { findAccountsOf } from './store.sql.ts';
import type {
  CreditMark,
  Order,
  OrderCommand,
  OrderEvent,
  OrderHold,
  ReleaseVerdict,
  SubmitCommand,
  Verdict,
} from './types.ts';

type Accepted = Extract<OrderEvent, { type: 'order.accepted' }>;

/** Commands after which an order may stand for another amount. */
const CHANGING: ReadonlySet<OrderCommand['kind']> = new Set([
  'cancel',
  'answer_cancel',
  'resolve_exception',
  'release_hold',
  'change',
  'cancel_order',
  'short_pick',
  'request_return',
]);

export const openCreditGate: OpenGate = async (tx, directory, works, { reported = [], orderIds = [] } = {}) => {
  if (reported.length === 0 && ![...directory.channelById.values()].some((channel) => channel.checksCredit))
    return undefined;
  const accountIds = new Set<number>();
  const holdIds: number[] = [];
  const repricing: number[] = [];
  const changed: number[] = [];
  let isChanging = false;
  for (const [i, { command }] of works.entries()) {
    if (command.kind === 'submit') {
      if (directory.channelById.get(command.channelId)?.checksCredit === true) accountIds.add(command.accountId);
    } else if (command.kind === 'release_hold') {
      holdIds.push(command.holdId);
      if (command.reprice === true) repricing.push(command.holdId);
    } else if (command.kind === 'change') changed.push(orderIds[i] ?? 0);
    if (CHANGING.has(command.kind)) isChanging = true;
  }
  if (holdIds.length > 0)
    for (const row of await tx.query(findHeldForCredit, [numbers(holdIds), numbers(repricing)]))
      accountIds.add(row.account_id);
  // Whose an order is never changes, so it may be read before the order is locked.
  if (changed.length > 0)
    for (const row of await tx.query(findAccountsOf, [numbers(changed)]))
      if (directory.channelById.get(row.channel_id)?.checksCredit === true) accountIds.add(row.account_id);
  if (accountIds.size === 0 && !isChanging && reported.length === 0) return undefined;
  const paths = await readPaths(tx, [...accountIds]);
  return new CreditGate(tx, directory, await CreditSession.open(tx, directory.credit, paths, reported));
};

class CreditGate implements Gate {
  readonly holdsMax = 1;
  readonly #tx: Tx;
  readonly #directory: Directory;
  readonly #session: CreditSession;
  /** What was decided of units that are about to be added, by order. */
  readonly #judged = new Map<number, CreditDecision>();
  /** What an order stands for more at the prices that it is about to get; below 0: less. */
  readonly #dearerBy = new Map<number, number>();

  constructor(tx: Tx, directory: Directory, session: CreditSession) {
    this.#tx = tx;
    this.#directory = directory;
    this.#session = session;
  }

  judge(submit: SubmitCommand, accepted: Accepted): Verdict {
    const channel = this.#directory.channelById.get(submit.channelId)!;
    const amountMinor = accepted.lines.reduce((sum, line) => sum + acceptedOf(line, accepted.currency).amountMinor, 0);
    if (!channel.checksCredit || amountMinor === 0) return { ok: true, holds: [] };
    const { orderId, accountId, currency } = accepted;
    const decision = this.#session.decide(orderId, { accountId, amountMinor, currency });
    if (decision.decision === 'accepted') return { ok: true, holds: [], marks: { credit: recordOf(decision) } };
    const { reason, detail } = decision;
    // What a channel has sold already can't be refused.
    if (this.#directory.credit.onOver === 'refuse' && !channel.sellsByItself)
      return { ok: false, refused: reason, detail };
    return { ok: true, holds: [{ kind: 'credit', reason, detail }], marks: { credit: recordOf(decision) } };
  }

  /**
   * Units that a change adds are asked for like those of an order. What it gives back at the same time is not free before: a change that only
   * exchanges, at the very limit, is refused. One that is held for credit is asked for as a whole when it is released.
   */
  judgeAdded(order: Order, added: Accepted): Verdict {
    this.#judged.delete(order.orderId);
    const channel = this.#directory.channelById.get(order.channelId)!;
    const amountMinor = added.lines.reduce((sum, line) => sum + acceptedOf(line, order.currency).amountMinor, 0);
    if (!channel.checksCredit || amountMinor === 0 || isHeldForCredit(order)) return { ok: true, holds: [] };
    const { accountId, currency } = order;
    const orderMinor = openMinorOf(order) + amountMinor;
    const decision = this.#session.judge({ accountId, amountMinor, orderMinor, currency });
    if (decision.decision === 'refused') return { ok: false, refused: decision.reason, detail: decision.detail };
    this.#judged.set(order.orderId, decision);
    return { ok: true, holds: [] };
  }

  /** The claim is taken now, by what is known now. A person may go beyond the limit; a rule may not. */
  release(order: Order, hold: OrderHold, { isRule, repriced = [] }: Releasing): ReleaseVerdict {
    if (repriced.length > 0) return this.#judgeDearer(order, repriced);
    if (hold.kind !== 'credit' || order.progress.open === 0) return { ok: true };
    const amountMinor = openMinorOf(order);
    const { accountId, currency } = order;
    const decision = this.#session.decide(order.orderId, { accountId, amountMinor, currency, isOverridden: !isRule });
    if (decision.decision === 'refused') return { ok: false, refused: decision.reason, detail: decision.detail };
    return { ok: true, credit: recordOf(decision) };
  }

  /** What an order costs more at other prices takes more of the limit. A person decides, and may go beyond it. */
  #judgeDearer(order: Order, repriced: readonly RepricedLine[]): ReleaseVerdict {
    this.#judged.delete(order.orderId);
    const { accountId, currency } = order;
    const amountMinor = dearerBy(order, repriced);
    this.#dearerBy.set(order.orderId, amountMinor);
    const isChecked = this.#directory.channelById.get(order.channelId)?.checksCredit === true;
    if (!isChecked || isHeldForCredit(order) || amountMinor <= 0) return { ok: true };
    const decision = this.#session.judge({ accountId, amountMinor, currency, isOverridden: true });
    if (decision.decision === 'refused') return { ok: false, refused: decision.reason, detail: decision.detail };
    this.#judged.set(order.orderId, decision);
    return { ok: true, credit: recordOf(decision) };
  }

  applied(order: Order, event: OrderEvent): void {
    const { orderId, accountId, currency } = order;
    if (event.type === 'order.lines_cancelled')
      for (const { lineNo, amountMinor } of event.lines)
        this.#session.change(orderId, claimedWith(order, lineNo), -amountMinor);
    else if (event.type === 'order.lines_added') {
      const decision = this.#judged.get(orderId);
      this.#judged.delete(orderId);
      for (const { lineNo, standsFor, ...line } of event.lines) {
        const { amountMinor } = acceptedOf(line, currency);
        // What is held for credit is asked for as a whole when it is released.
        if (decision === undefined) this.#session.change(orderId, 0, amountMinor);
        else {
          const own = event.untold === true ? 0 : (standsFor ?? lineNo);
          this.#session.add(orderId, own, accountId, amountMinor, decision);
        }
      }
    } else if (event.type === 'order.repriced') {
      const decision = this.#judged.get(orderId);
      this.#judged.delete(orderId);
      const byMinor = this.#dearerBy.get(orderId) ?? 0;
      if (decision === undefined) this.#session.change(orderId, 0, byMinor);
      else this.#session.add(orderId, 0, accountId, byMinor, decision);
    } else if (event.type === 'order.exception_resolved') {
      const line = order.lines.get(event.lineNo)!;
      const before = acceptedOf({ ...line, refused: line.refused - event.refused }, currency).amountMinor;
      const added = event.lines.reduce(
        (sum, { lineNo }) => sum + acceptedOf(order.lines.get(lineNo)!, currency).amountMinor,
        0,
      );
      const change = acceptedOf(line, currency).amountMinor - before + added;
      this.#session.change(orderId, claimedWith(order, event.lineNo), change);
    }
  }

  async finish(): Promise<void> {
    this.#session.flush(this.#tx);
  }
}

function isHeldForCredit(order: Order): boolean {
  return [...order.holds.values()].some((hold) => hold.kind === 'credit' && hold.releasedBy === null);
}

function dearerBy(order: Order, repriced: readonly RepricedLine[]): number {
  return repriced.reduce((sum, { lineNo, unitPrice, pricePer, cancelledMinor }) => {
    const line = order.lines.get(lineNo)!;
    const before = acceptedOf(line, order.currency).amountMinor - line.cancelledMinor;
    const after = acceptedOf({ ...line, unitPrice, pricePer }, order.currency).amountMinor - cancelledMinor;
    return sum + after - before;
  }, 0);
}

/** The line with whose claim a line counts, if it has one of its own: the added one, or the one it stands for. 0: it came with the order. */
function claimedWith(order: Order, lineNo: number): number {
  const line = order.lines.get(lineNo);
  return line === undefined || line.addsTo === null ? 0 : (line.standsFor ?? lineNo);
}

/** What an order stands for: what was accepted, less what was cancelled. All its lines are loaded. */
function openMinorOf(order: Order): number {
  let minor = 0;
  for (const line of order.lines.values()) minor += acceptedOf(line, order.currency).amountMinor - line.cancelledMinor;
  return minor;
}

/** As it stands in the order's facts. */
function recordOf(decision: CreditDecision): CreditMark {
  const { basis, holderId, amountMinor, currency, limitMinor, exposureMinor, asOf, ageSeconds } = decision;
  return {
    decision: decision.decision === 'accepted' ? 'accepted' : 'held',
    ...(decision.decision === 'refused' && { reason: decision.reason }),
    ...{ basis, holderId, amountMinor, currency, limitMinor, exposureMinor, asOf, ageSeconds },
    ...(decision.decision === 'accepted' && decision.overByMinor > 0 && { overByMinor: decision.overByMinor }),
  };
}
