import { Type } from 'typebox';
import {
  type ConnectorFactory,
  type Declaration,
  type DeliveryKind,
  defineConnector,
  sqlClientFor,
} from '../kit/index.ts';
import type { LedgerSettings } from './map.ts';
import { salesOrders } from './sink.ts';
import { ledgerSources } from './source.ts';
import * as statements from './statements.sql.ts';

export { ledgerSnapshot } from './source.ts';

const settings = Type.Object(
  {
    company: Type.String({ minLength: 1 }),
    location: Type.String({ minLength: 1, description: 'where its stock is; it counts in one place only' }),
    units: Type.Record(Type.String(), Type.Integer({ minimum: 1 }), {
      description: 'pieces in a unit, e.g. ea 1, doz 12',
    }),
    writes: Type.Optional(
      Type.Boolean({ description: 'whether orders are written; default false: sessions are read-only' }),
    ),
  },
  { additionalProperties: false },
);

const declaration: Declaration = {
  name: 'ledgersmb',
  summary: 'LedgerSMB 1.6 by its tables: stock, open orders and master data in, sales orders out',
  provenAgainst: 'LedgerSMB 1.6.33 (Debian), on PostgreSQL 15',
  sources: {
    products: { domains: ['products', 'prices'], cursor: 'snapshot', ordering: 'per_thing', push: false },
    accounts: { domains: ['accounts'], cursor: 'snapshot', ordering: 'per_thing', push: false },
    stock: { domains: ['stock'], cursor: 'snapshot', ordering: 'per_thing', push: false },
    orders: { domains: ['orders'], cursor: 'snapshot', ordering: 'per_thing', push: false },
  },
  deliveries: { sales_order: { batchMax: 20, locator: 'oe.intnotes = crossdock:<reference>', idempotency: 'none' } },
  states: {},
  needs: [],
  settings,
  limits: { callsPerSecond: 50, concurrency: 2 },
  quirks: [
    'No row has a time of change: feeds compare snapshots.',
    'A credit limit of 0 means that there is none.',
    'Part numbers, purchase order numbers and tax ids repeat or are missing; on hand may be below 0.',
    'Taxes, exchange rates and postings of invoices are decided by its Perl code, not by its tables.',
  ],
};

/** A ledger without an API, through its tables. */
export const ledgerSmb: ConnectorFactory = defineConnector(declaration, (context) => {
  const { writes = false, ...own } = context.settings as unknown as LedgerSettings & { writes?: boolean };
  const client = sqlClientFor(context, !writes);
  const deliveries: Record<string, DeliveryKind> = {};
  if (writes) deliveries.sales_order = salesOrders(client, own, context.limits);
  return {
    confirmedBy: 'answer',
    sources: ledgerSources(client, context.system, context.channel, own),
    deliveries,
    async probe(signal) {
      try {
        const { rows } = await client.reading(signal, (run) => run(statements.rules, []));
        const version = rows[0]?.version ?? 'unknown';
        return { ok: version.startsWith('1.6'), detail: `LedgerSMB ${version}` };
      } catch (error) {
        return { ok: false, detail: (error as Error).message };
      }
    },
    pausedMs: () => client.pausedMs,
    close: () => client.close(),
  };
});
