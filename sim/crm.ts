import { countOf, eachFound, eachItem, type Item, integerOf, linesOf, Refusal, textOf } from './lib/items.ts';
import { Lines, Texts } from './lib/lines.ts';
import { type Promised, type PromisedRows, promisedOf, withPromised } from './lib/promised.ts';
import { quotesOf } from './lib/quotes.ts';
import { requestsOf } from './lib/requests.ts';
import { business, type Call, type Entry, type Kit, type System, truthOf } from './lib/system.ts';

const BATCH_MAX = 200;
/** Columns of a record's lines after line number and SKU, as they are named on the wire. */
const COUNTS = [
  'quantity',
  'amountMinor',
  'cancelled',
  'backordered',
  'refused',
  'shipped',
  'invoiced',
  'returned',
] as const;
const WIDTH = 2 + COUNTS.length;

interface Held {
  version: number;
  status: string;
  account: string;
  currency: string;
  totalMinor: number;
  lines: Lines;
  /** By line; undefined: nobody ever said when anything leaves. */
  promised?: Map<number, Promised[]> | undefined;
}

/** The lines with those that changed in place of what they were. */
function withChanged(lines: Lines, rows: readonly number[][]): Lines {
  const added = rows.filter((row) => lines.rowOf(row[0]!) < 0);
  for (const row of rows) {
    const at = lines.rowOf(row[0]!);
    if (at >= 0) for (let column = 1; column < WIDTH; column++) lines.set(at, column, row[column]!);
  }
  if (added.length === 0) return lines;
  const known = lines.map((at) => Array.from({ length: WIDTH }, (_, column) => lines.get(at, column)));
  return new Lines(WIDTH, [...known, ...added]);
}

type Row = [lineNo: number, sku: string, ...counts: number[]];

/** What salespeople see of their accounts' orders. It takes what it is given, also an older version, and counts that. */
export function crm(kit: Kit): System {
  const skus = new Texts();
  const orders = new Map<string, Held>();
  const requests = requestsOf(kit, {});
  let backwards = 0;

  const quotes = quotesOf(kit);

  const restore = (entry: Entry): void => {
    if (quotes.restore(entry)) return;
    const id = entry.id as string;
    const version = entry.version as number;
    if (version < (orders.get(id)?.version ?? 0)) backwards += 1;
    const rows = (entry.lines as Row[]).map(([lineNo, sku, ...counts]) => [lineNo, skus.idOf(sku), ...counts]);
    orders.set(id, {
      version,
      status: entry.status as string,
      account: entry.account as string,
      currency: entry.currency as string,
      totalMinor: entry.totalMinor as number,
      lines: (entry.base as number) > 0 ? withChanged(orders.get(id)!.lines, rows) : new Lines(WIDTH, rows),
      promised: withPromised(orders.get(id)?.promised, (entry.promised ?? []) as PromisedRows, entry.base as number),
    });
  };

  const upsert = (item: Item, call: Call): object => {
    const externalId = textOf(item, 'externalId');
    const status = orders.has(externalId) ? 200 : 201;
    // What only says what changed must build on what is here.
    const base = item.base === undefined ? 0 : countOf(item, 'base', 0);
    const given = linesOf(item, base > 0 ? 0 : 1);
    const promised = promisedOf(given);
    const lines = given.map((line): Row => {
      return [integerOf(line, 'lineNo'), textOf(line, 'sku'), ...COUNTS.map((name) => integerOf(line, name))];
    });
    const head = {
      version: countOf(item, 'version'),
      status: textOf(item, 'status'),
      account: textOf(item, 'account'),
    };
    const money = { currency: textOf(item, 'currency'), totalMinor: integerOf(item, 'totalMinor') };
    const held = orders.get(externalId)?.version ?? 0;
    if (base > held) throw new Refusal(409, 'base_missing', `order ${externalId} is at version ${held}, not ${base}`);
    if (call.lost()) return { externalId, status };
    const entry = {
      do: 'upsert',
      id: externalId,
      base,
      ...head,
      ...money,
      lines,
      ...(promised.length > 0 && { promised }),
    };
    kit.keep(entry);
    restore(entry);
    return { externalId, status };
  };

  return {
    feedPath: '/requests',
    routes: [
      ...quotes.routes,
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
      orders: truthOf(orders, ({ lines, promised, ...held }) => ({
        ...held,
        lines: lines.map((row) => ({
          lineNo: lines.get(row, 0),
          sku: skus.textOf(lines.get(row, 1)),
          ...Object.fromEntries(COUNTS.map((name, at) => [name, lines.get(row, at + 2)])),
          ...(promised?.has(lines.get(row, 0)) && { promised: promised.get(lines.get(row, 0)) }),
        })),
      })),
    },
  };
}
