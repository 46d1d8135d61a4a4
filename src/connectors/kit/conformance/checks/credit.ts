/** An account's credit, asked for now: what is not known must never look like credit, and asking changes nothing. */
import type { CreditReported } from '../../../../canonical/index.ts';
import { type Check, isOverHttp, must, onStage, unless } from '../check.ts';
import { type FaultAnswer, html } from '../server.ts';
import { type Bench, refusalOf, SHORT_MS, SLACK_MS, type Stage, type StageOptions } from '../stage.ts';
import { isNamed } from './lookups.ts';

const isAsked = ({ description }: Bench) =>
  description.credit === undefined ? 'it is not asked for credit' : undefined;

const NOBODY = 'nobody-of-the-suite';
const ask = ({ connector, signal }: Stage, accounts: readonly { company: string; account: string }[]) =>
  connector.credit!.ask(accounts, signal);

const onCredit = (
  run: (stage: Stage, account: (n: number) => { company: string; account: string }) => Promise<void>,
) => {
  return (bench: Bench, options: StageOptions = {}) =>
    onStage(bench, options, (stage) => {
      must(stage.connector.credit !== undefined, 'it is described, and not built');
      return run(stage, bench.description.credit!);
    });
};

function mustBeWhole(report: CreditReported): void {
  const { currency, limitMinor, openOrdersMinor, openInvoicesMinor, asOf, orders = [] } = report;
  must(report.kind === 'credit.reported', `it is a ${report.kind}`);
  must(/^[A-Z]{3}$/.test(currency), `its currency is ${currency}`);
  must(limitMinor === null || (Number.isSafeInteger(limitMinor) && limitMinor >= 0), `its limit is ${limitMinor}`);
  must(Number.isSafeInteger(openOrdersMinor) && openOrdersMinor >= 0, `its open orders are ${openOrdersMinor}`);
  must(Number.isSafeInteger(openInvoicesMinor), `its open invoices are ${openInvoicesMinor}`);
  must(new Date(asOf).toISOString() === asOf, `it is as of ${asOf}`);
  must(new Set(orders).size === orders.length, 'it names an order twice');
}

const faults: [id: string, what: string, as: FaultAnswer, timeoutMs?: number][] = [
  ['500', 'a 500', { status: 500, json: {} }],
  ['429', 'a 429', { status: 429, json: {}, headers: { 'retry-after': '0' } }],
  ['401', 'a 401', { status: 401, json: {} }],
  ['html_200', 'a page of HTML with status 200', html],
  ['null_200', 'a 200 that says null', { json: null }],
  ['other_shape', 'a 200 of another shape', { json: { ok: true } }],
  ['half', 'half an answer', 'half'],
  ['reset', 'a reset', 'reset'],
  ['silence', 'silence', 'silence', SHORT_MS],
];

export const creditChecks: Check[] = [
  {
    id: 'credit.asked',
    level: 'contract',
    what: 'each account that it has is told whole under the names it was asked by; one that it has not is left out',
    skip: isAsked,
    run: onCredit(async (stage, account) => {
      const asked = [account(1), account(2)];
      const stranger = { company: asked[0]!.company, account: NOBODY };
      const reports = await ask(stage, [asked[0]!, stranger, asked[1]!]);
      const names = (list: readonly { company: string; account: string }[]) =>
        list
          .map((one) => `${one.company}/${one.account}`)
          .sort()
          .join(', ');
      must(names(reports) === names(asked), `asked for ${names(asked)} and a stranger, told ${names(reports)}`);
      for (const report of reports) mustBeWhole(report);
    }),
  },
  {
    id: 'credit.no_effect',
    level: 'safety',
    what: 'asking writes nothing, and asking for nobody asks nobody',
    skip: isAsked,
    run: onCredit(async (stage, account) => {
      must((await ask(stage, [])).length === 0, 'it told of an account that nobody asked for');
      const called = stage.server.calls.filter(({ role }) => role !== 'sign_in').length;
      must(called === 0, `asked for nobody it made ${called} calls`);
      await ask(stage, [account(1)]);
      must(stage.writes() === 0, `it made ${stage.writes()} writes`);
    }),
  },
  {
    id: 'credit.foreign',
    level: 'safety',
    what: 'the credit of somebody else is not taken for the one that was asked for',
    skip: unless(isAsked, isOverHttp),
    run: onCredit(async (stage, account) => {
      const own = account(1);
      stage.server.rewrite = (text) => text.replaceAll(own.account, `${own.account}0`);
      const reports = await ask(stage, [own]).catch(() => []);
      must(
        reports.every((one) => one.account !== own.account),
        `the answer spoke of ${own.account}0, and was told as ${own.account}`,
      );
    }),
  },
  {
    id: 'credit.stopped',
    level: 'contract',
    what: 'a question that is stopped ends at once, with an error',
    skip: unless(isAsked, isOverHttp),
    run: onCredit(async (stage, account) => {
      const stop = new AbortController();
      stage.server.fault = { as: 'silence' };
      const asking = refusalOf(stage.bench, () => stage.connector.credit!.ask([account(1)], stop.signal));
      await stage.server.nextCall();
      const began = performance.now();
      stop.abort();
      must((await asking) !== undefined, 'it gave an answer');
      must(performance.now() - began < SLACK_MS, 'it went on after it was stopped');
    }),
  },
  {
    id: 'credit.accounts_max',
    level: 'contract',
    what: 'as many accounts as it says are asked for at once',
    skip: isAsked,
    run: onCredit(async (stage, account) => {
      const { accountsMax } = stage.connector.credit!;
      must(Number.isSafeInteger(accountsMax) && accountsMax > 0, `accountsMax is ${accountsMax}`);
      const { company } = account(1);
      const many = Array.from({ length: Math.min(accountsMax, 500) - 1 }, (_, n) => ({
        company,
        account: `${NOBODY}-${n}`,
      }));
      const reports = await ask(stage, [...many, account(1)]);
      must(reports.length === 1, `of ${many.length + 1} accounts, one of them its own, it told ${reports.length}`);
    }),
  },
  ...faults.map(
    ([id, what, as, timeoutMs]): Check => ({
      id: `credit.${id}`,
      level: 'safety',
      what: `${what} is an error, never an account without debts`,
      skip: unless(isAsked, isOverHttp),
      run: (bench) =>
        onCredit(async (stage, account) => {
          stage.server.fault = { as };
          const began = performance.now();
          const error = await refusalOf(bench, () => ask(stage, [account(1)]));
          if (error === undefined) throw new Error('it gave an answer');
          must(isNamed(error), `the error has no code of the kit: ${error.name}: ${error.message.slice(0, 160)}`);
          if (timeoutMs === undefined) return;
          const took = performance.now() - began;
          must(took < 3 * timeoutMs + SLACK_MS, `it took ${Math.round(took)} ms`);
        })(bench, timeoutMs === undefined ? {} : { limits: { timeoutMs } }),
    }),
  ),
];
