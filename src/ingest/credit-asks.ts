/**
 * Credit asked of the ERP before an order is decided: outside of any transaction, for a bounded time, each account once however many
 * orders wait for it. Where no answer comes the order is decided on what was reported last.
 */
import type { CreditReported, InboundItem } from '../canonical/index.ts';
import type { CreditSource } from '../connectors/kit/index.ts';
import { CreditSession, readAges, readCompanies, readPaths, writeReports } from '../credit/index.ts';
import type { Directory } from '../master/index.ts';
import type { Database } from '../store/index.ts';
import { translateCredit } from './translate-credit.ts';
import { isFault } from './translated.ts';

/** After one that failed, orders don't wait for another that will most likely fail, too. */
const PAUSE_MS = 5_000;
const REMEMBERED_MAX = 50_000;

export interface CreditAskDeps {
  db: Database;
  directory: Directory;
  /** Whose answer it is. */
  system: string;
  source: CreditSource;
  /** The ERP is known to be away: nothing is asked. */
  isAway?: () => boolean;
  onError?: (error: unknown) => void;
  /** Milliseconds; tests let them pass. */
  now?: () => number;
}

export class CreditAsks {
  readonly #deps: CreditAskDeps;
  readonly #now: () => number;
  /** Accounts that are asked for, each with what ends when its answer is written. */
  readonly #asked = new Map<number, Promise<void>>();
  /** Until when nobody needs to look how old the report is. */
  readonly #freshUntil = new Map<number, number>();
  #gathering: { accounts: Set<number>; done: Promise<void> } | undefined;
  #pausedUntil = 0;
  readonly #abort = new AbortController();

  constructor(deps: CreditAskDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? (() => performance.now());
  }

  /**
   * Resolves when the reports of these accounts, and of those above them, are fresh, or when it took too long.
   * @param isForced asks also where the last report is not old
   */
  async freshen(accountIds: readonly number[], isForced = false): Promise<void> {
    const { db, directory, isAway } = this.#deps;
    if (accountIds.length === 0 || this.#now() < this.#pausedUntil || isAway?.() === true) return;
    const all = [...new Set([...(await readPaths(db, accountIds)).values()].flat())];
    const stale = isForced ? all : await this.#staleOf(all);
    if (stale.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#pausedUntil = this.#now() + PAUSE_MS;
        resolve();
      }, directory.credit.liveTimeoutMs);
    });
    await Promise.race([Promise.all(stale.map((accountId) => this.#ask(accountId))), timeout]);
    clearTimeout(timer);
  }

  /** Ends what is under way; answers that still come are not written. */
  close(): void {
    this.#abort.abort();
  }

  async #staleOf(accountIds: readonly number[]): Promise<number[]> {
    const now = this.#now();
    const unsure = accountIds.filter((id) => (this.#freshUntil.get(id) ?? 0) <= now);
    const ages = await readAges(this.#deps.db, unsure);
    const { freshMs } = this.#deps.directory.credit;
    return unsure.filter((id) => {
      const left = freshMs - (ages.get(id) ?? Number.POSITIVE_INFINITY);
      if (left <= 0) return true;
      this.#remember(id, now + left);
      return false;
    });
  }

  #remember(accountId: number, until: number): void {
    if (this.#freshUntil.size >= REMEMBERED_MAX) this.#freshUntil.clear();
    this.#freshUntil.set(accountId, until);
  }

  #ask(accountId: number): Promise<void> {
    const underWay = this.#asked.get(accountId);
    if (underWay !== undefined) return underWay;
    let gathering = this.#gathering;
    if (gathering === undefined) {
      const accounts = new Set<number>();
      gathering = { accounts, done: new Promise((resolve) => setImmediate(() => resolve(this.#run(accounts)))) };
      this.#gathering = gathering;
    }
    gathering.accounts.add(accountId);
    this.#asked.set(accountId, gathering.done);
    return gathering.done;
  }

  /** Never throws: whoever waits decides on what is there. */
  async #run(accounts: Set<number>): Promise<void> {
    this.#gathering = undefined;
    const ids = [...accounts];
    const { directory, source, onError } = this.#deps;
    try {
      const named = await this.#named(ids);
      for (let from = 0; from < named.length; from += source.accountsMax) {
        const part = named.slice(from, from + source.accountsMax);
        await this.#write(await source.ask(part, this.#abort.signal));
      }
      // Also those that the ERP says nothing of: they are not asked for with each order.
      const until = this.#now() + directory.credit.freshMs;
      for (const id of ids) this.#remember(id, until);
    } catch (error) {
      this.#pausedUntil = this.#now() + PAUSE_MS;
      if (!this.#abort.signal.aborted) onError?.(error);
    } finally {
      for (const id of ids) this.#asked.delete(id);
    }
  }

  async #named(ids: readonly number[]): Promise<{ company: string; account: string }[]> {
    const { db, directory } = this.#deps;
    await directory.loadAccountCodes(ids);
    const companies = await readCompanies(db, ids);
    return ids.flatMap((id) => {
      const company = directory.companyById.get(companies.get(id) ?? 0);
      return company === undefined ? [] : [{ company: company.code, account: directory.accountCode(id) }];
    });
  }

  async #write(answers: readonly CreditReported[]): Promise<void> {
    const { db, directory, system, onError } = this.#deps;
    const reports = answers.flatMap((answer) => {
      const translated = translateCredit(directory, system, answer);
      if (!isFault(translated)) return translated.credit;
      onError?.(new Error(`credit of ${answer.account}: ${translated.place ?? ''} ${translated.reason}`));
      return [];
    });
    if (reports.length === 0 || this.#abort.signal.aborted) return;
    await db.inTurn(async (tx) => {
      const ids = reports.map(({ accountId }) => accountId);
      await CreditSession.open(tx, directory.credit, new Map(), ids);
      await writeReports(tx, directory.credit, reports);
    }, 'intake');
  }
}

/** Accounts of orders that are decided against their credit; none where no channel checks it. */
export async function askedAccounts(directory: Directory, items: readonly InboundItem[]): Promise<number[]> {
  const accounts = items.flatMap(({ command }) => {
    if (command?.kind !== 'order.submitted' || directory.channels.get(command.channel)?.checksCredit !== true)
      return [];
    const company = directory.companies.get(command.company);
    return company === undefined ? [] : [{ companyId: company.companyId, code: command.account }];
  });
  if (accounts.length === 0) return [];
  await directory.loadAccounts(accounts);
  await directory.loadMerged(accounts);
  return accounts.flatMap(({ companyId, code }) => {
    const id = directory.findAccountId(companyId, code);
    return id === undefined ? [] : [directory.followAccount(id)];
  });
}
