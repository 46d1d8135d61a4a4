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
  /** A line that was added to an order which the ERP has; 0: the order as it is told first. */
  lineNo: number;
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
  readonly #claims = new Map<string, NewClaim>();
  readonly #changes = new Map<string, { orderId: number; lineNo: number; byMinor: number; isCached: boolean }>();

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
        ? new Map<number, statements.SumRow>()
        : new Map((await tx.query(sumsFor(policy), [numbers(asked)])).map((row) => [row.holder_id, row]));
    return new CreditSession(
      policy,
      paths,
      new Map(rows.map((row) => [row.account_id, standingOf(row, sums.get(row.account_id))])),
    );
  }

  /**
   * Decides for one order, and claims what it accepts; {@link flush} writes it. An order has one claim of its own: whoever asks for one that
   * has any already made a mistake.
   */
  decide(orderId: number, ask: CreditAsk): CreditDecision {
    if (this.#claims.has(keyOf(orderId, 0))) throw new Error(`order ${orderId} has a claim already`);
    const decision = this.judge(ask);
    if (decision.decision === 'accepted' && ask.amountMinor > 0)
      this.#claim(orderId, 0, ask.accountId, ask.amountMinor, decision);
    return decision;
  }

  /** Takes nothing: what of it comes about is {@link add}ed. */
  judge(ask: CreditAsk): CreditDecision {
    return decideCredit(this.standingFor(ask.accountId), this.#policy, ask);
  }

  /**
   * Units that were {@link judge}d came to an order.
   * @param lineNo the line that was added where the ERP has the order without it: it has a claim of its own, which ends when a report shows
   * that very line. 0: the ERP is told of it with the order, and it counts with it.
   */
  add(orderId: number, lineNo: number, accountId: number, amountMinor: number, decision: CreditDecision): void {
    if (amountMinor === 0 || decision.decision !== 'accepted') return;
    if (lineNo > 0) {
      this.#claim(orderId, lineNo, accountId, amountMinor, decision);
      return;
    }
    const standing = this.standingFor(accountId);
    const isCached = decision.basis === 'cached';
    standing.claimedMinor += amountMinor;
    if (isCached) standing.cachedMinor += amountMinor;
    this.change(orderId, 0, amountMinor, isCached);
  }

  #claim(
    orderId: number,
    lineNo: number,
    accountId: number,
    amountMinor: number,
    { basis, overByMinor }: Extract<CreditDecision, { decision: 'accepted' }>,
  ): void {
    const standing = this.standingFor(accountId);
    standing.claimedMinor += amountMinor;
    if (basis === 'cached') standing.cachedMinor += amountMinor;
    const key = keyOf(orderId, lineNo);
    const known = this.#claims.get(key);
    if (known !== undefined) known.amountMinor += amountMinor;
    else
      this.#claims.set(key, {
        ...{ orderId, lineNo, holderId: standing.holderId, accountId, amountMinor, basis, overByMinor },
      });
  }

  /** What counts for an account: its own limit, else the nearest above it that has one, else what was said of itself. */
  standingFor(accountId: number): Standing {
    const path = this.#paths.get(accountId);
    if (path === undefined) throw new Error(`the credit of account ${accountId} was not locked`);
    const holder = holderOf(path.flatMap((id) => this.#standings.get(id) ?? []));
    if (holder === undefined) throw new Error(`account ${accountId} is not there`);
    return holder;
  }

  /**
   * What a line of an order stands for changed, by a cancel or by what takes its place; the order is locked. Does nothing to what has no open
   * claim. `lineNo` 0: of a line that came with the order.
   */
  change(orderId: number, lineNo: number, byMinor: number, isCached = false): void {
    if (byMinor === 0) return;
    // An order that takes its own claim now was told to nobody yet: no line of it has another.
    const claim = this.#claims.get(keyOf(orderId, lineNo)) ?? this.#claims.get(keyOf(orderId, 0));
    if (claim !== undefined) {
      claim.amountMinor += byMinor;
      return;
    }
    const key = keyOf(orderId, lineNo);
    const known = this.#changes.get(key);
    if (known === undefined) this.#changes.set(key, { orderId, lineNo, byMinor, isCached });
    else {
      known.byMinor += byMinor;
      known.isCached ||= isCached;
    }
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
        numbers(claims.map((claim) => claim.lineNo)),
      ]);
    const changes = [...this.#changes.values()].filter(({ byMinor }) => byMinor !== 0);
    if (changes.length > 0)
      tx.write(statements.changeClaims, [
        numbers(changes.map((change) => change.orderId)),
        numbers(changes.map((change) => change.lineNo)),
        numbers(changes.map((change) => change.byMinor)),
        changes.map((change) => change.isCached),
      ]);
  }
}

/** Whose limit counts, of an account and those above it, nearest first. */
export function holderOf(known: readonly Standing[]): Standing | undefined {
  return known.find((one) => one.asOf !== null && one.limitMinor !== null) ?? known[0];
}

export function sumsFor(policy: CreditPolicy) {
  return policy.groupReports === 'own' ? statements.sumGroups : statements.sumClaims;
}

function keyOf(orderId: number, lineNo: number): string {
  return `${orderId}/${lineNo}`;
}

export function standingOf(row: statements.CreditRow, sums: statements.SumRow | undefined): Standing {
  return {
    holderId: row.account_id,
    currency: row.currency,
    limitMinor: row.limit_minor,
    openOrdersMinor: row.open_orders_minor,
    openInvoicesMinor: row.open_invoices_minor,
    belowMinor: (sums?.below_orders_minor ?? 0) + (sums?.below_invoices_minor ?? 0),
    foreignBelow: sums?.foreign_below ?? 0,
    claimedMinor: sums?.claimed_minor ?? 0,
    cachedMinor: sums?.cached_minor ?? 0,
    asOf: row.as_of?.toISOString() ?? null,
    ageMs: row.age_ms,
  };
}
