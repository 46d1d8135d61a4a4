import type { Declaration } from '../kit/index.ts';
import { ACCOUNTS_MAX } from './credit.ts';
import { QUOTES_MAX } from './quotes.ts';
import { OVERLAP_MS, settings } from './settings.ts';

const keyset = (domains: Declaration['sources'][string]['domains']) => ({
  domains,
  cursor: 'keyset' as const,
  overlapMs: OVERLAP_MS,
  ordering: 'none' as const,
  push: false,
});
const looked = (batchMax: number, locator: string) => ({
  batchMax,
  locator,
  idempotency: 'none' as const,
  serial: true,
});

export const declaration: Declaration = {
  name: 'tryton',
  summary: 'Tryton ERP: sales, warehouse, invoices and opportunities over JSON-RPC.',
  provenAgainst: 'Tryton 6.0.29 (Debian 12) with its own PostgreSQL 15',
  sources: {
    moves: keyset(['stock']),
    shipments: keyset(['shipments']),
    invoices: keyset(['invoices']),
    opportunities: keyset(['opportunities', 'orders', 'cancels']),
    products: keyset(['products', 'prices']),
    products_new: keyset(['products', 'prices']),
    price_lists: keyset(['prices']),
    price_lists_new: keyset(['prices']),
    accounts: keyset(['accounts']),
    accounts_new: keyset(['accounts']),
    credit: { domains: ['credit'], cursor: 'snapshot', ordering: 'per_thing', push: false },
  },
  deliveries: {
    sales_order: looked(10, 'sale.sale reference'),
    order_change: looked(10, 'sale.sale reference, origin is the order'),
    order_cancellation: looked(10, 'stock.shipment.out reference, cancelled and ignored'),
    shipment_posting: looked(10, 'stock.shipment.out number, done'),
    return_posting: looked(10, 'return sale of the order, received'),
    fulfilment: looked(10, 'stock.shipment.out reference'),
    fulfilment_cancel: looked(10, 'ir.note on the shipment'),
    return_announcement: looked(10, 'sale.sale reference'),
  },
  states: { orderStatus: { batchMax: 10, readBack: 'content' } },
  credit: { accountsMax: ACCOUNTS_MAX },
  quotes: { batchMax: QUOTES_MAX },
  needs: ['token'],
  settings,
  limits: { callsPerSecond: 40, concurrency: 4 },
  quirks: [
    'References are not unique: looked up before each create, and again before each step.',
    'Confirming and assigning take whole tables with NOWAIT: one write at a time, locked is later.',
    'Confirming plans a shipment of everything at once: it is kept a draft until fulfilments take it.',
    'The credit limit is checked for sales shipped on order only, and before the sales of one call count: confirmed one by one.',
    'Amounts are rounded half to even: prices are set so that amounts agree, or the order is refused.',
    'write_date is when the transaction began: feeds begin again from before.',
  ],
};
