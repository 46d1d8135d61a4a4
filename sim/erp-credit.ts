import { eachFound, eachItem, type Item, integerOf, integerOrNull, Refusal, textOf } from './lib/items.ts';
import { business, type Call, drive, type Entry, type Kit, type Route } from './lib/system.ts';

const LIMITS_MAX = 200;
const LOOKUP_MAX = 200;

interface Account {
  company: string;
  account: string;
  currency: string;
  openOrdersMinor: number;
  openInvoicesMinor: number;
  /** References of orders of which something is neither invoiced nor cancelled, with how much. */
  orders: Map<string, number>;
  /** Lines that were added to them, as `<order>#<line>`. */
  orderLines: Map<string, Set<string>>;
  /** undefined: nobody ever set one. */
  limitMinor: number | null | undefined;
}

/**
 * What each account owes and may owe. Credit is shown only of accounts for which a limit was set (or that there is none): an ERP in
 * which nobody keeps credit says nothing of it.
 */
export class CreditBook {
  readonly #kit: Kit;
  readonly #accounts = new Map<string, Account>();
  readonly #accountOfOrder = new Map<string, Account>();
  readonly #payments = new Set<string>();
  #at = 0;

  constructor(kit: Kit) {
    this.#kit = kit;
  }

  #accountOf(company: string, account: string, currency: string): Account {
    const key = `${company}/${account}`;
    let known = this.#accounts.get(key);
    if (known === undefined) {
      known = {
        ...{ company, account, currency, openOrdersMinor: 0, openInvoicesMinor: 0 },
        ...{ orders: new Map(), orderLines: new Map(), limitMinor: undefined },
      };
      this.#accounts.set(key, known);
    }
    return known;
  }

  ordered(entry: Entry): void {
    const account = this.#accountOf(entry.company as string, entry.account as string, entry.currency as string);
    const reference = entry.reference as string;
    this.#accountOfOrder.set(reference, account);
    this.#open(account, reference, entry.totalMinor as number);
  }

  /** Lines came to an order; what was shown before lacked them. */
  added(order: string, lineNos: readonly number[], amountMinor: number): void {
    const account = this.#accountOfOrder.get(order);
    if (account === undefined) return;
    const lines = account.orderLines.get(order) ?? new Set();
    for (const lineNo of lineNos) lines.add(`${order}#${lineNo}`);
    account.orderLines.set(order, lines);
    this.#open(account, order, amountMinor);
  }

  cancelled(order: string, amountMinor: number): void {
    const account = this.#accountOfOrder.get(order);
    if (account !== undefined) this.#open(account, order, -amountMinor);
  }

  invoiced(order: string, amountMinor: number): void {
    const account = this.#accountOfOrder.get(order);
    if (account === undefined) return;
    account.openInvoicesMinor += amountMinor;
    this.#open(account, order, -amountMinor);
  }

  credited(order: string, amountMinor: number): void {
    const account = this.#accountOfOrder.get(order);
    if (account !== undefined) account.openInvoicesMinor -= amountMinor;
  }

  #open(account: Account, order: string, byMinor: number): void {
    const left = (account.orders.get(order) ?? 0) + byMinor;
    account.openOrdersMinor += byMinor;
    if (left > 0) account.orders.set(order, left);
    else {
      account.orders.delete(order);
      account.orderLines.delete(order);
    }
  }

  /** Says in the feed how an account stands now. */
  tell(order: string): void {
    const account = this.#accountOfOrder.get(order);
    if (account !== undefined) this.#tell(account);
  }

  #tell(account: Account): void {
    if (account.limitMinor !== undefined) this.#kit.feed.append({ kind: 'credit', ...this.#shown(account) });
  }

  /** No two states of one moment: of two, a reader must know which is the later one. */
  #now(): string {
    this.#at = Math.max(this.#kit.time.now(), this.#at + 1);
    return new Date(this.#at).toISOString();
  }

  #shown({ company, account, currency, limitMinor, openOrdersMinor, openInvoicesMinor, ...shown }: Account) {
    return {
      ...{ company, account, currency, limitMinor: limitMinor ?? null, openOrdersMinor, openInvoicesMinor },
      ...{
        orders: [...shown.orders.keys()],
        orderLines: [...shown.orderLines.values()].flatMap((lines) => [...lines]),
      },
      at: this.#now(),
    };
  }

  restore(entry: Entry): void {
    const account = this.#accountOf(entry.company as string, entry.account as string, entry.currency as string);
    if (entry.do === 'credit_limit') account.limitMinor = entry.limitMinor as number | null;
    else {
      account.openInvoicesMinor -= entry.amountMinor as number;
      this.#payments.add(entry.reference as string);
    }
  }

  #commit(entry: Entry): void {
    this.#kit.keep(entry);
    this.restore(entry);
    this.#tell(this.#accountOf(entry.company as string, entry.account as string, entry.currency as string));
  }

  get routes(): Route[] {
    const headOf = (item: Item) => ({
      ...{ company: textOf(item, 'company'), account: textOf(item, 'account'), currency: textOf(item, 'currency') },
    });
    const setLimits = ({ body }: Call) =>
      eachItem(body, 'limits', LIMITS_MAX, 'account', (item) => {
        const limitMinor = integerOrNull(item, 'limitMinor');
        if (limitMinor !== null && limitMinor < 0) throw new Refusal(422, 'invalid', 'limitMinor must not be below 0');
        this.#commit({ do: 'credit_limit', ...headOf(item), limitMinor });
        return { account: item.account, status: 200 };
      });
    const pay = ({ body }: Call) =>
      eachItem(body, 'payments', LIMITS_MAX, 'reference', (item) => {
        const reference = textOf(item, 'reference');
        if (this.#payments.has(reference)) return { reference, status: 200 };
        this.#commit({ do: 'payment', reference, ...headOf(item), amountMinor: integerOf(item, 'amountMinor') });
        return { reference, status: 201 };
      });
    return [
      business('POST', '/credit-limits/batch', setLimits),
      business('POST', '/payments/batch', pay),
      // What people in the ERP do.
      drive('limits', setLimits),
      drive('payments', pay),
      business('POST', '/credit/lookup', ({ body }) =>
        eachFound(body, 'accounts', LOOKUP_MAX, (key) => {
          const account = this.#accounts.get(key);
          return account?.limitMinor === undefined ? [] : [{ key, ...this.#shown(account) }];
        }),
      ),
    ];
  }
}
