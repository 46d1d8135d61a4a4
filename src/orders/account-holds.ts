/**
 * Holds of accounts follow the master data. Lifted there, the orders that wait for it go on, or stay for people, as the estate says. Put there
 * later, orders that the ERP has not been told of are held, too: what it was told of is its own by then.
 */
import { type AccountTerms, type Directory, readAccountTerms } from '../master/index.ts';
import { type Database, databaseNow, numbers, type Tx } from '../store/index.ts';
import { ACCOUNT_ON_HOLD, accountHoldText } from './account-hold-text.ts';
import * as statements from './account-holds.sql.ts';
import { type OrderDeps, type OrderWork, processOrders } from './process.ts';

/** Orders looked at in one transaction: it holds their locks. */
const ORDERS_PER_TRANSACTION_MAX = 200;
const PAGES_MAX = 10;

export interface AccountHoldsRound {
  released: number;
  held: number;
}

/** Looks at all of them; who comes in between is looked at the next time. */
export async function followAccountHolds(
  db: Database,
  deps: OrderDeps,
  ordersMax = ORDERS_PER_TRANSACTION_MAX,
): Promise<AccountHoldsRound> {
  const round = { released: 0, held: 0 };
  if (deps.directory.holdTerms('account').onLift === 'release')
    round.released = await eachPage(
      ordersMax,
      (after) => db.query(statements.findAccountHolds, [after, ordersMax]),
      (page) => releaseLifted(db, deps, page),
    );
  round.held = await eachPage(
    ordersMax,
    (after) => db.query(statements.findUntoldOfHeld, [after, ordersMax]),
    (page) => holdUntold(db, deps, page),
  );
  return round;
}

async function eachPage<Row extends { at: number }>(
  rowsMax: number,
  find: (after: number) => Promise<Row[]>,
  work: (page: Row[]) => Promise<number>,
): Promise<number> {
  let done = 0;
  let after = 0;
  for (let page = 0; page < PAGES_MAX; page++) {
    const found = await find(after);
    if (found.length === 0) break;
    after = found.at(-1)!.at;
    done += await work(found);
    if (found.length < rowsMax) break;
  }
  return done;
}

async function releaseLifted(db: Database, deps: OrderDeps, page: readonly statements.HeldOrder[]): Promise<number> {
  const { directory } = deps;
  const occurredAt = (await databaseNow(db)).toISOString();
  return db.inTurn(async (tx) => {
    const terms = await readAccountTerms(
      tx,
      page.map(({ account_id }) => account_id),
    );
    const lifted = page.filter(({ account_id }) => terms.get(account_id)?.holdReason === null);
    if (lifted.length === 0) return 0;
    const lifters = await readLifters(tx, directory, terms);
    const works = lifted.map(
      ({ at: holdId, order_id: orderId, account_id }): OrderWork => ({
        reference: { orderId },
        command: { kind: 'release_hold', holdId, by: 'rule', reason: lifters(account_id), isRule: true },
        occurredAt,
      }),
    );
    return perform(tx, deps, works);
  });
}

/** Who took the hold off, as far as master data knows: of the nearest account of which anybody ever said anything about one. */
async function readLifters(
  tx: Tx,
  directory: Directory,
  terms: ReadonlyMap<number, AccountTerms>,
): Promise<(accountId: number) => string> {
  const ids = [...new Set([...terms.values()].flatMap(({ path }) => path))];
  await directory.loadAccountCodes(ids);
  const setBy = new Map(
    (await tx.query(statements.readHoldSetters, [numbers(ids)])).map((row) => [row.account_id, row.set_by]),
  );
  return (accountId) => {
    const of = terms.get(accountId)!.path.find((id) => setBy.has(id));
    const code = directory.accountCode(of ?? accountId);
    return of === undefined
      ? `account ${code} is not on hold any more`
      : `account ${code} is not on hold any more: ${setBy.get(of)} says so`;
  };
}

async function holdUntold(
  db: Database,
  deps: OrderDeps,
  page: readonly { order_id: number; account_id: number }[],
): Promise<number> {
  const { directory } = deps;
  const occurredAt = (await databaseNow(db)).toISOString();
  return db.inTurn(async (tx) => {
    const terms = await readAccountTerms(
      tx,
      page.map(({ account_id }) => account_id),
    );
    await directory.loadAccountCodes(
      [...terms.values()].flatMap(({ accountId, holdAccountId }) => [accountId, holdAccountId ?? accountId]),
    );
    const works = page.flatMap(({ order_id: orderId, account_id }): OrderWork[] => {
      const { holdReason, holdAccountId } = terms.get(account_id)!;
      if (holdReason === null || holdAccountId === null) return [];
      const detail = accountHoldText(directory, account_id, { holdReason, holdAccountId });
      const hold = { kind: 'account', reason: ACCOUNT_ON_HOLD, detail } as const;
      return [{ reference: { orderId }, command: { kind: 'hold', hold, dueAt: null, by: null }, occurredAt }];
    });
    return works.length === 0 ? 0 : perform(tx, deps, works);
  });
}

async function perform(tx: Tx, deps: OrderDeps, works: readonly OrderWork[]): Promise<number> {
  const batch = await processOrders(tx, deps, works);
  await batch.finish();
  return batch.results.filter((result) => result.outcome === 'applied' && result.events.length > 0).length;
}
