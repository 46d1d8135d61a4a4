import { type Source, type SqlClient, type SqlRow, snapshotSource } from '../kit/index.ts';
import { postedInvoices } from './documents.sql.ts';
import {
  type LedgerAccount,
  type LedgerProduct,
  type LedgerSettings,
  mapAccountChanges,
  mapAccounts,
  mapOrders,
  mapProductChanges,
  mapProducts,
  mapStock,
} from './map.ts';
import { mapInvoices } from './map-documents.ts';
import * as statements from './statements.sql.ts';

const THINGS_MAX = 20_000;
const ROWS_MAX = 200_000;

/** No row has a time of change, so all feeds compare. */
export function ledgerSources(
  client: SqlClient,
  system: string,
  channel: string | null,
  settings: LedgerSettings,
  invoicesFrom: string | undefined,
): Source[] {
  const read =
    (text: string, ...values: string[]) =>
    async (signal: AbortSignal) =>
      client.reading(signal, async (run) => {
        const { rows } = await run(text, [ROWS_MAX, ...values]);
        const [clock] = (await run(statements.now, [])).rows;
        return { rows, readAt: clock!.t! };
      });
  const stock = snapshotSource({
    feed: 'stock',
    key: ['partnumber'],
    thingsMax: THINGS_MAX,
    read: read(statements.stock),
    map: (body) => mapStock(body, system, settings),
  });
  const products = snapshotSource({
    feed: 'products',
    key: ['partnumber'],
    thingsMax: THINGS_MAX,
    read: read(statements.products),
    map: (body) => mapProductChanges(body, system, settings),
  });
  const accounts = snapshotSource({
    feed: 'accounts',
    key: ['meta_number'],
    thingsMax: THINGS_MAX,
    read: read(statements.accounts),
    map: (body) => mapAccountChanges(body, system, settings),
  });
  const sources = [products, accounts, stock];
  if (invoicesFrom !== undefined)
    sources.push(
      snapshotSource({
        feed: 'invoices',
        key: ['invnumber'],
        thingsMax: THINGS_MAX,
        read: read(postedInvoices, invoicesFrom),
        map: (body) => mapInvoices(body, system, channel, settings),
      }),
    );
  if (channel === null) return sources;
  const orders = snapshotSource({
    feed: 'orders',
    key: ['ordnumber'],
    thingsMax: THINGS_MAX,
    read: read(statements.openOrders),
    map: (body) => mapOrders(body, channel, settings),
  });
  return [...sources, orders];
}

/** Master data at one moment, with what the feeds have no facts for: units, credit limits, likely duplicates. */
export async function ledgerSnapshot(
  client: SqlClient,
  settings: LedgerSettings,
  signal: AbortSignal,
): Promise<{ products: LedgerProduct[]; accounts: LedgerAccount[] }> {
  const [products, accounts] = await client.reading(
    signal,
    async (run): Promise<[SqlRow[], SqlRow[]]> => [
      (await run(statements.products, [ROWS_MAX])).rows,
      (await run(statements.accounts, [ROWS_MAX])).rows,
    ],
  );
  return { products: mapProducts(products, settings), accounts: mapAccounts(accounts) };
}
