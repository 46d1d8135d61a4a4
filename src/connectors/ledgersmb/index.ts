import { Type } from 'typebox';
import { fail } from '../../canonical/index.ts';
import {
  type ConnectorFactory,
  type Declaration,
  type DeliveryKind,
  defineConnector,
  sqlClientFor,
} from '../kit/index.ts';
import { orderCancellations } from './cancel.ts';
import { orderChanges } from './change.ts';
import { type DocumentSettings, invoices } from './documents.ts';
import { BATCH_MAX } from './kind.ts';
import { salesOrders } from './sink.ts';
import { ledgerSources } from './source.ts';
import * as statements from './statements.sql.ts';

export { ledgerSnapshot } from './source.ts';

const settings = Type.Object(
  {
    company: Type.String({ minLength: 1, description: 'whose books these are' }),
    location: Type.String({ minLength: 1, description: 'where its stock is; it counts in one place only' }),
    units: Type.Record(Type.String(), Type.Integer({ minimum: 1 }), {
      description: 'pieces in a unit, e.g. ea 1, doz 12',
    }),
    writes: Type.Optional(
      Type.Boolean({ description: 'whether orders are written; default false: sessions are read-only' }),
    ),
    invoices: Type.Optional(
      Type.Boolean({
        description: 'whether shipments and returns are invoiced here, too; default false; needs writes',
      }),
    ),
    charges: Type.Optional(
      Type.Record(Type.String(), Type.String({ minLength: 1 }), {
        description: 'codes of charges → numbers of parts that are services; without it charges are not written',
      }),
    ),
    invoicesFrom: Type.Optional(
      Type.String({
        pattern: '^\\d{4}-\\d\\d-\\d\\d$',
        description: 'posted invoices of this day on are read; default: none are',
      }),
    ),
  },
  { additionalProperties: false },
);

const write = { batchMax: BATCH_MAX, idempotency: 'none' } as const;

const declaration: Declaration = {
  name: 'ledgersmb',
  summary:
    'LedgerSMB 1.6 by its tables: stock, open orders, invoices and master data in; orders and their invoices out',
  provenAgainst: 'LedgerSMB 1.6.33 (Debian), on PostgreSQL 15',
  sources: {
    products: { domains: ['products', 'prices'], cursor: 'snapshot', ordering: 'per_thing', push: false },
    accounts: { domains: ['accounts'], cursor: 'snapshot', ordering: 'per_thing', push: false },
    stock: { domains: ['stock'], cursor: 'snapshot', ordering: 'per_thing', push: false },
    invoices: { domains: ['invoices'], cursor: 'snapshot', ordering: 'per_thing', push: false },
    orders: { domains: ['orders'], cursor: 'snapshot', ordering: 'per_thing', push: false },
  },
  deliveries: {
    sales_order: { ...write, locator: 'first line of oe.intnotes: crossdock:<reference>' },
    order_change: { ...write, locator: 'a line of oe.intnotes: added <reference>' },
    order_cancellation: { ...write, locator: 'a line of oe.intnotes: cancelled <reference>' },
    shipment_posting: { ...write, locator: 'first line of ar.intnotes: crossdock:shipment_posting/<reference>' },
    return_posting: { ...write, locator: 'first line of ar.intnotes: crossdock:return_posting/<reference>' },
    charge: { ...write, locator: 'first line of ar.intnotes: crossdock:charge/<reference>' },
  },
  states: {},
  needs: [],
  settings,
  limits: { callsPerSecond: 50, concurrency: 2 },
  quirks: [
    'No row has a time of change: feeds compare snapshots.',
    'A credit limit of 0 means that there is none.',
    'Part numbers, purchase order numbers and tax ids repeat or are missing; on hand may be below 0.',
    'Taxes and exchange rates are decided by its Perl code, not by its tables: what needs them is refused.',
    'Where duties are separated an invoice is a draft until a person approves it.',
    'Its invoices name an order and no line of it: a part that stands on two lines of the order is parked.',
  ],
};

interface Settings extends DocumentSettings {
  writes?: boolean;
  invoices?: boolean;
  invoicesFrom?: string;
}

/** A ledger without an API, through its tables. */
export const ledgerSmb: ConnectorFactory = defineConnector(declaration, (context) => {
  const {
    writes = false,
    invoices: writesInvoices = false,
    invoicesFrom,
    ...own
  } = context.settings as unknown as Settings;
  if (writesInvoices && !writes) fail('XD_ESTATE_INVALID', `systems.${context.system}.settings.invoices needs writes`);
  const client = sqlClientFor(context, !writes);
  const deliveries: Record<string, DeliveryKind> = {};
  if (writes) {
    deliveries.sales_order = salesOrders(client, own, context.limits);
    deliveries.order_change = orderChanges(client, own, context);
    deliveries.order_cancellation = orderCancellations(client, own, context);
  }
  if (writesInvoices) Object.assign(deliveries, invoices(client, own, context));
  return {
    confirmedBy: 'answer',
    sources: ledgerSources(client, context.system, context.channel, own, invoicesFrom),
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
