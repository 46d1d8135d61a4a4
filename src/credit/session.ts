/**
 * Credit in one transaction: the rows of all accounts that are asked for are locked in one statement, before all other locks; what was
 * claimed against them is summed in the next; each order is decided in memory in turn; claims are written in one statement.
 */
import type { CreditPolicy } from '../master/index.ts';
import { numbers, type Tx, texts } from '../store/index.ts';
import * as statements from './credit.sql.ts';
import { type CreditAsk, type CreditBasis, type CreditDecision, decideCredit, type Standing } from './decide-credit.ts';

/** An account, then those above it, nearest first. */
export type AccountPath = readonly number[];

interface NewClaim {
  orderId: number;
  holderId: number;
  accountId: number;
  amountMinor: number;
  basis: CreditBasis;
  overByMinor: number;
}

export class CreditSession {
  readonly #policy: CreditPolicy;
  readonly #paths: ReadonlyMap<number, AccountPath>;
  readonly #standings: ReadonlyMap<number, Standing>;
  readonly #claims = new Map<number, NewClaim>();
  readonly #changes = new Map<number, number>();

  private constructor(
    policy: CreditPolicy,
    paths: ReadonlyMap<number, AccountPath>,
    standings: ReadonlyMap<number, Standing>,
  ) {
    this.#policy = policy;
    this.#paths = paths;
    this.#standings = standings;
  }

  /**
   * @param paths of the accounts whose orders are decided
   * @param reported accounts whose reports the caller will write in this transaction
   * Locks account_credit by account_id.
   */
  static async open(
    tx: Tx,
    policy: CreditPolicy,
    paths: ReadonlyMap<number, AccountPath>,
    reported: readonly number[] = [],
  ): Promise<CreditSession> {
    const asked = [...new Set([...paths.values()].flat())];
    const wanted = [...new Set([...asked, ...reported])];
    if (wanted.length === 0) return new CreditSession(policy, paths, new Map());
    let rows = await tx.query(statements.lockAccounts, [numbers(wanted)]);
    if (rows.length < wanted.length) {
      // Rare: an account's first time. What is locked already is locked again, in the same order.
      await tx.query(statements.addAccounts, [numbers(wanted)]);
      rows = await tx.query(statements.lockAccounts, [numbers(wanted)]);
    }
    const sums =
      asked.length === 0
        ? new Map<number, { claimed_minor: number; cached_minor: number }>()
        : new Map((await tx.query(statements.sumClaims, [numbers(asked)])).map((row) => [row.holder_id, row]));
    return new CreditSession(
      policy,
      paths,
      new Map(rows.map((row) => [row.account_id, standingOf(row, sums.get(row.account_id))])),
    );
  }

  /**
   * Decides for one order, and claims what it accepts; {@link flush} writes it. An order has one claim: whoever asks for one that has
   * any already made a mistake.
   */
  decide(orderId: number, ask: CreditAsk): CreditDecision {
    if (this.#claims.has(orderId)) throw new Error(`order ${orderId} has a claim already`);
    const standing = this.standingFor(ask.accountId);
    const decision = decideCredit(standing, this.#policy, ask);
    if (decision.decision === 'accepted' && ask.amountMinor > 0) {
      const { amountMinor, accountId } = ask;
      const { basis, overByMinor } = decision;
      standing.claimedMinor += amountMinor;
      if (basis === 'cached') standing.cachedMinor += amountMinor;
      this.#claims.set(orderId, { orderId, holderId: standing.holderId, accountId, amountMinor, basis, overByMinor });
    }
    return decision;
  }

  /** Decides for what is added to an order; the order's claim grows with it by {@link change}. */
  decideMore(ask: CreditAsk): CreditDecision {
    const standing = this.standingFor(ask.accountId);
    const decision = decideCredit(standing, this.#policy, ask);
    if (decision.decision === 'accepted') {
      standing.claimedMinor += ask.amountMinor;
      if (decision.basis === 'cached') standing.cachedMinor += ask.amountMinor;
    }
    return decision;
  }

  /** What counts for an account: its own limit, else the nearest above it that has one, else what was said of itself. */
  standingFor(accountId: number): Standing {
    const path = this.#paths.get(accountId);
    if (path === undefined) throw new Error(`the credit of account ${accountId} was not locked`);
    const known = path.flatMap((id) => this.#standings.get(id) ?? []);
    const holder = known.find((one) => one.asOf !== null && one.limitMinor !== null) ?? known[0];
    if (holder === undefined) throw new Error(`account ${accountId} is not there`);
    return holder;
  }

  /** What an order stands for changed, by a cancel or by what takes a line's place; the order is locked. Does nothing to one without a claim. */
  change(orderId: number, byMinor: number): void {
    if (byMinor === 0) return;
    const claim = this.#claims.get(orderId);
    if (claim === undefined) this.#changes.set(orderId, (this.#changes.get(orderId) ?? 0) + byMinor);
    else claim.amountMinor += byMinor;
  }

  flush(tx: Tx): void {
    const claims = [...this.#claims.values()].filter(({ amountMinor }) => amountMinor > 0);
    if (claims.length > 0)
      tx.write(statements.insertClaims, [
        numbers(claims.map((claim) => claim.orderId)),
        numbers(claims.map((claim) => claim.holderId)),
        numbers(claims.map((claim) => claim.accountId)),
        numbers(claims.map((claim) => claim.amountMinor)),
        texts(claims.map((claim) => claim.basis)),
        numbers(claims.map((claim) => claim.overByMinor)),
      ]);
    const changes = [...this.#changes].filter(([, byMinor]) => byMinor !== 0);
    if (changes.length > 0)
      tx.write(statements.changeClaims, [
        numbers(changes.map(([orderId]) => orderId)),
        numbers(changes.map(([, byMinor]) => byMinor)),
      ]);
  }
}

export function standingOf(
  row: statements.CreditRow,
  sums: { claimed_minor: number; cached_minor: number } | undefined,
): Standing {
  return {
    holderId: row.account_id,
    currency: row.currency,
    limitMinor: row.limit_minor,
    openOrdersMinor: row.open_orders_minor,
    openInvoicesMinor: row.open_invoices_minor,
    claimedMinor: sums?.claimed_minor ?? 0,
    cachedMinor: sums?.cached_minor ?? 0,
    asOf: row.as_of?.toISOString() ?? null,
    ageMs: row.age_ms,
  };
}
