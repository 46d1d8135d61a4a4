/**
 * Deciding one order's credit: 1,024 callers, each waiting for its own answer.
 * Both sides lock the account's row, sum what is claimed against it, write the claim and a fact, and answer after the commit.
 */
import type pg from 'pg';
import { type CreditDecision, CreditSession } from '../src/credit/index.ts';
import { appendFacts } from '../src/log/index.ts';
import { creditPolicyOf } from '../src/master/index.ts';
import { Database, Lane } from '../src/store/index.ts';
import {
  type BenchResult,
  type CaseResult,
  describeMachine,
  expect,
  measureCase,
  type Rounds,
  randomFrom,
  runCallers,
  zipf,
} from './lib/measure.ts';
import { openPool, openSetting, type Setting } from './lib/setting.ts';

const CALLERS = 1_024;
const CONNECTIONS = 16;
const ACCOUNTS = 10_000;
const LIMIT_MINOR = 1_000_000_000;
const AMOUNT_MINOR = 1_250;
const SEED = 20_260_101;
/** As many as reservations are decided together. */
const DECIDED_TOGETHER_MAX = 1_024;

interface Ask {
  orderId: number;
  accountId: number;
}
type Decide = (ask: Ask) => Promise<CreditDecision['decision']>;

export async function run(rounds: Rounds): Promise<BenchResult> {
  const setting = await openSetting();
  const db = new Database({ url: setting.url });
  const pool = await openPool(setting.url, CONNECTIONS);
  try {
    await setting.rows(`insert into company (code, currency, time_zone) values ('ACME', 'GBP', 'Europe/London')`);
    await setting.rows(
      `insert into account (company_id, code, name, currency)
       select company_id, 'A' || n, '', 'GBP' from company, generate_series(1, $1::int) as n order by n`,
      [ACCOUNTS],
    );
    await setting.rows(
      `insert into account_credit (account_id, currency, limit_minor, as_of, source, version)
       select account_id, 'GBP', $1::bigint, crossdock_now(), 'erp', 1 from account`,
      [LIMIT_MINOR],
    );
    const [first] = await setting.rows<{ id: string }>('select min(account_id) as id from account');
    const base = Number(first!.id);
    const byLane = lane(db);
    const byRowLock: Decide = (ask) => decideByRowLock(pool, ask);
    const skewed = zipf(ACCOUNTS, randomFrom(SEED));
    const compare = (name: string, pick: () => number, baselineTotal: number, productTotal: number) =>
      measureCase(
        {
          case: name,
          unit: 'decisions/s',
          atLeast: 8,
          between: () => tidy(setting),
          baseline: () => round(setting, baselineTotal, pick, byRowLock),
          product: () => round(setting, productTotal, pick, byLane),
        },
        rounds,
      );
    const cases: CaseResult[] = [
      await compare('hot', () => base, 2_000, 20_000),
      await compare('skewed-10000', () => base + skewed(), 5_000, 40_000),
    ];
    const last = await lastCredit(setting, byLane, base);
    return {
      name: 'credit',
      machine: await describeMachine(setting),
      cases,
      figures: {
        'the last credit of one account': last,
        callers: CALLERS,
        baselineConnections: CONNECTIONS,
        seed: SEED,
      },
    };
  } finally {
    await db.end();
    await pool.end();
    await setting.close();
  }
}

let orders = 0;

async function round(setting: Setting, total: number, pick: () => number, decide: Decide): Promise<number> {
  const asks = Array.from({ length: total }, (): Ask => ({ orderId: ++orders, accountId: pick() }));
  let accepted = 0;
  const seconds = await runCallers(CALLERS, total, async (n) => {
    if ((await decide(asks[n]!)) === 'accepted') accepted++;
  });
  expect(accepted, total, 'decisions accepted');
  const [row] = await setting.rows<Record<'claims' | 'minor' | 'facts', string>>(
    `select (select count(*) from credit_claim where ended_at is null) as claims,
            (select coalesce(sum(amount_minor), 0) from credit_claim where ended_at is null) as minor,
            (select count(*) from fact) as facts`,
  );
  expect(Number(row!.claims), total, 'claims written');
  expect(Number(row!.minor), total * AMOUNT_MINOR, 'claimed');
  expect(Number(row!.facts), total, 'facts written');
  return total / seconds;
}

async function tidy(setting: Setting): Promise<void> {
  await setting.rows('truncate credit_claim');
  await setting.rows('truncate fact');
  await setting.rows('vacuum (analyze) account_credit');
}

/** More is asked than there is: as many are accepted as fit, to the minor unit. */
async function lastCredit(setting: Setting, decide: Decide, accountId: number): Promise<Record<string, number>> {
  await tidy(setting);
  const room = 700;
  const limit = room * AMOUNT_MINOR + AMOUNT_MINOR - 1;
  await setting.rows('update account_credit set limit_minor = $2::bigint where account_id = $1::bigint', [
    accountId,
    limit,
  ]);
  let accepted = 0;
  await runCallers(CALLERS, 2_000, async () => {
    if ((await decide({ orderId: ++orders, accountId })) === 'accepted') accepted++;
  });
  expect(accepted, room, 'orders that fit below the limit');
  return { asked: 2_000, fit: room, accepted };
}

function lane(db: Database): Decide {
  const policy = creditPolicyOf({ freshMs: 3_600_000 });
  const queue = new Lane<Ask, CreditDecision['decision']>({
    name: 'credit bench',
    itemsMax: DECIDED_TOGETHER_MAX,
    weigh: () => 1,
    weightMax: DECIDED_TOGETHER_MAX,
    waitingMax: 10_000,
    enter: () => db.turn('intake'),
    overflow: () => new Error('more callers than may wait'),
    run: (asks) =>
      db.transaction(async (tx) => {
        const paths = new Map(asks.map(({ accountId }) => [accountId, [accountId]]));
        const session = await CreditSession.open(tx, policy, paths);
        const decisions = asks.map(({ orderId, accountId }) =>
          session.decide(orderId, { accountId, amountMinor: AMOUNT_MINOR, currency: 'GBP' }),
        );
        session.flush(tx);
        const now = new Date().toISOString();
        await appendFacts(
          tx,
          asks.flatMap((ask, i) =>
            decisions[i]!.decision === 'refused'
              ? []
              : [
                  {
                    type: FACT,
                    stream: `order/${ask.orderId}`,
                    version: 1,
                    companyId: 1,
                    occurredAt: now,
                    data: decisions[i],
                  },
                ],
          ),
        );
        return decisions.map(({ decision }) => decision);
      }),
  });
  return (ask) => queue.submit(ask);
}

const FACT = 'order.accepted';
const lockAccount = {
  name: 'bench_lock_account',
  text: `select currency, limit_minor, open_orders_minor, open_invoices_minor, as_of from account_credit where account_id = $1::bigint for update`,
};
const sumClaims = {
  name: 'bench_sum_claims',
  text: `select coalesce(sum(amount_minor), 0)::bigint as claimed from credit_claim where holder_id = $1::bigint and ended_at is null`,
};
const insertClaim = {
  name: 'bench_insert_claim',
  text: `insert into credit_claim (order_id, holder_id, account_id, amount_minor, taken_minor, basis)
         values ($1::bigint, $2::bigint, $2::bigint, $3::bigint, $3::bigint, 'live')`,
};
const insertFact = {
  name: 'bench_insert_credit_fact',
  text: `insert into fact (type, stream, stream_version, company_id, occurred_at, data)
         values ($1::text, $2::text, 1, 1, $3::timestamptz, $4::json)`,
};

/** The baseline: what order platforms do, each statement prepared. */
async function decideByRowLock(pool: pg.Pool, { orderId, accountId }: Ask): Promise<CreditDecision['decision']> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const [account] = (await client.query(lockAccount, [accountId])).rows;
    const [{ claimed }] = (await client.query(sumClaims, [accountId])).rows;
    const exposureMinor = account.open_orders_minor + account.open_invoices_minor + claimed;
    const fits = exposureMinor + AMOUNT_MINOR <= account.limit_minor;
    if (fits) {
      await client.query(insertClaim, [orderId, accountId, AMOUNT_MINOR]);
      const now = new Date().toISOString();
      const data = {
        ...{ decision: 'accepted', overByMinor: 0, basis: 'live', holderId: accountId, amountMinor: AMOUNT_MINOR },
        ...{ currency: 'GBP', limitMinor: account.limit_minor, exposureMinor, asOf: account.as_of, ageSeconds: 0 },
      };
      await client.query(insertFact, [FACT, `order/${orderId}`, now, JSON.stringify(data)]);
    }
    await client.query('commit');
    return fits ? 'accepted' : 'refused';
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}
