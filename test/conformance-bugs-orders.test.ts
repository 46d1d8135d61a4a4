/** Bugs that somebody may write in what is added to orders and in what accounts owe, each caught by its check. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CreditReported } from '../src/canonical/index.ts';
import { connectors } from '../src/connectors/index.ts';
import { type SystemDescription, testConnector } from '../src/connectors/kit/conformance/index.ts';
import type { Connector, ConnectorFactory, CreditSource, DeliveryKind } from '../src/connectors/kit/index.ts';

const root = join(import.meta.dirname, '..', 'src', 'connectors');
const descriptionOf = async (name: string) =>
  ((await import(join(root, name, 'conformance.ts'))) as { default: SystemDescription }).default;

function changed(name: string, change: (connector: Connector) => Partial<Connector>): ConnectorFactory {
  const factory = connectors.get(name)!;
  const made: ConnectorFactory = (context) => {
    const connector = factory(context);
    return { ...connector, ...change(connector) };
  };
  return Object.assign(made, { declaration: factory.declaration! });
}

const delivered = (name: string, kind: string, change: (sink: DeliveryKind) => Partial<DeliveryKind>) =>
  changed(name, ({ deliveries }) => ({
    deliveries: { ...deliveries, [kind]: { ...deliveries[kind]!, ...change(deliveries[kind]!) } },
  }));

const asked = (name: string, change: (ask: CreditSource['ask'], connector: Connector) => CreditSource['ask']) =>
  changed(name, (connector) => ({
    credit: { ...connector.credit!, ask: change(connector.credit!.ask.bind(connector.credit), connector) },
  }));

const refusalsAs = (outcome: 'later' | 'confirmed', kind = 'order_change') =>
  delivered('sim-erp', kind, (sink) => ({
    write: async (items, signal) =>
      (await sink.write(items, signal)).map((one) =>
        one.outcome === 'refused' ? (outcome === 'later' ? { outcome, error: 'a bug' } : { outcome }) : one,
      ),
  }));
const elsewhere = (report: CreditReported, account: string): CreditReported => ({ ...report, account });

const bugs: [bug: string, base: string, factory: ConnectorFactory, check: string][] = [
  ['what is too late is tried for ever', 'sim-erp', refusalsAs('later'), 'change.too_late'],
  ['what is too late is told as done', 'sim-erp', refusalsAs('confirmed'), 'change.too_late'],
  ['lines of an order that is not there are told as done', 'sim-erp', refusalsAs('confirmed'), 'change.unknown_order'],
  [
    'of two documents one is found',
    'sim-erp',
    delivered('sim-erp', 'order_change', (sink) => ({
      locate: async (references, signal) => {
        const found = await sink.locate(references, signal);
        return new Map(
          [...found].map(([reference, one]) => [reference, { number: (one as { number: string }).number }]),
        );
      },
    })),
    'change.again',
  ],
  [
    'only ordered lines are cancelled',
    'tryton',
    delivered('tryton', 'order_cancellation', (sink) => ({
      write: async (items, signal) =>
        items.some(({ payload }) =>
          (payload as { lines: { lineNo: number }[] }).lines.some(({ lineNo }) => lineNo > 100_000),
        )
          ? items.map(() => ({ outcome: 'refused' as const, error: 'no such line' }))
          : sink.write(items, signal),
    })),
    'change.then_cancel',
  ],
  [
    'lines are added whatever their price is for',
    'sim-erp',
    delivered('sim-erp', 'order_change', (sink) => ({
      write: (items, signal) =>
        sink.write(
          items.map((item) => {
            const { lines, ...payload } = item.payload as { lines: object[] };
            return { ...item, payload: { ...payload, lines: lines.map((line) => ({ ...line, pricePer: 1 })) } };
          }),
          signal,
        ),
    })),
    'write.price_per',
  ],
  ...(['500', 'html_200', 'reset', 'silence'] as const).map((id): (typeof bugs)[number] => [
    'an ERP that does not answer has no debtors',
    'sim-erp',
    asked('sim-erp', (ask) => (accounts, signal) => ask(accounts, signal).catch(() => [])),
    `credit.${id}`,
  ]),
  [
    'of several only one is told',
    'sim-erp',
    asked('sim-erp', (ask) => async ([first], signal) => {
      const told = await ask([first!], signal);
      return told.map((report) => elsewhere(report, first!.account));
    }),
    'credit.asked',
  ],
  [
    'whom it does not know owes nothing',
    'tryton',
    asked('tryton', (ask) => async (accounts, signal) => {
      const told = await ask(accounts, signal);
      const [first] = told;
      const missing = accounts.filter(({ account }) => !told.some((one) => one.account === account));
      return [...told, ...missing.map(({ account }) => elsewhere({ ...first!, openOrdersMinor: 0 }, account))];
    }),
    'credit.asked',
  ],
  [
    'asking leaves something behind',
    'sim-erp',
    asked('sim-erp', (ask, { deliveries }) => async (accounts, signal) => {
      const payload = { order: 'shop/1', lines: [] };
      if (accounts.length > 0) await deliveries.charge!.write([{ reference: 'C-asked', payload }], signal);
      return ask(accounts, signal);
    }),
    'credit.no_effect',
  ],
  [
    'only the first of many is asked for',
    'sim-erp',
    asked('sim-erp', (ask) => (accounts, signal) => ask(accounts.slice(0, 2), signal)),
    'credit.accounts_max',
  ],
  [
    'credit that is declared is not built',
    'sim-erp',
    changed('sim-erp', () => ({ credit: undefined as never })),
    'declaration.credit',
  ],
];

describe('a connector with a bug', () => {
  it.each(bugs)(
    '(%s, %s) is caught by its check',
    async (_bug, base, factory, check) => {
      const only = [check];
      const report = await testConnector(factory, await descriptionOf(base), { only });
      expect(report.checks.map(({ id, result }) => [id, result])).toContainEqual([check, 'failed']);
      const good = await testConnector(connectors.get(base)!, await descriptionOf(base), { only });
      expect(good).toMatchObject({ failed: 0, passed: 1 });
    },
    120_000,
  );
});
