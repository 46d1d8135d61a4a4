import { countOf, eachFound, eachItem, type Item, integerOf, linesOf, textOf } from './lib/items.ts';
import { Lines, Texts } from './lib/lines.ts';
import { requestsOf } from './lib/requests.ts';
import { business, type Call, type Entry, type Kit, type System, truthOf } from './lib/system.ts';

const BATCH_MAX = 200;
/** Columns of a record's lines after line number and SKU, as they are named on the wire. */
const COUNTS = ['quantity', 'amountMinor', 'cancelled', 'backordered', 'shipped', 'invoiced', 'returned'] as const;
const WIDTH = 2 + COUNTS.length;

interface Held {
  version: number;
  status: string;
  account: string;
  currency: string;
  totalMinor: number;
  lines: Lines;
}

type Row = [lineNo: number, sku: string, ...counts: number[]];

/** What salespeople see of their accounts' orders. It takes what it is given, also an older version, and counts that. */
export function crm(kit: Kit): System {
  const skus = new Texts();
  const orders = new Map<string, Held>();
  const requests = requestsOf(kit, {});
  let backwards = 0;

  const restore = (entry: Entry): void => {
    const id = entry.id as string;
    const version = entry.version as number;
    if (version < (orders.get(id)?.version ?? 0)) backwards += 1;
    orders.set(id, {
      version,
      status: entry.status as string,
      account: entry.account as string,
      currency: entry.currency as string,
      totalMinor: entry.totalMinor as number,
      lines: new Lines(
        WIDTH,
        (entry.lines as Row[]).map(([lineNo, sku, ...counts]) => [lineNo, skus.idOf(sku), ...counts]),
      ),
    });
  };

  const upsert = (item: Item, call: Call): object => {
    const externalId = textOf(item, 'externalId');
    const status = orders.has(externalId) ? 200 : 201;
    const lines = linesOf(item).map((line): Row => {
      return [integerOf(line, 'lineNo'), textOf(line, 'sku'), ...COUNTS.map((name) => integerOf(line, name))];
    });
    const head = {
      version: countOf(item, 'version'),
      status: textOf(item, 'status'),
      account: textOf(item, 'account'),
    };
    const money = { currency: textOf(item, 'currency'), totalMinor: integerOf(item, 'totalMinor') };
    if (call.lost()) return { externalId, status };
    const entry = { do: 'upsert', id: externalId, ...head, ...money, lines };
    kit.keep(entry);
    restore(entry);
    return { externalId, status };
  };

  return {
    feedPath: '/requests',
    routes: [
      business('POST', '/orders/upsert', (call) =>
        eachItem(call.body, 'records', BATCH_MAX, 'externalId', (item) => upsert(item, call)),
      ),
      business('POST', '/orders/lookup', ({ body }) =>
        eachFound(body, 'externalIds', BATCH_MAX, (externalId) => {
          const held = orders.get(externalId);
          return held === undefined ? [] : [{ externalId, version: held.version }];
        }),
      ),
      ...requests.routes,
    ],
    restore,
    restoreRecord: requests.restoreRecord,
    resume: () => {},
    pending: () => 0,
    stats: () => ({ backwards, orders: orders.size }),
    truths: {
      orders: truthOf(orders, ({ lines, ...held }) => ({
        ...held,
        lines: lines.map((row) => ({
          lineNo: lines.get(row, 0),
          sku: skus.textOf(lines.get(row, 1)),
          ...Object.fromEntries(COUNTS.map((name, at) => [name, lines.get(row, at + 2)])),
        })),
      })),
    },
  };
}
