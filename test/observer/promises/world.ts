/** What the judges of the promises look at, and where each writes what it saw. */
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type pg from 'pg';
import type { Source } from '../source.ts';
import type { Warehouse } from '../warehouse.ts';
import type { Names } from './hub.ts';
import { Promised, type PromiseName } from './verdict.ts';

export const SYSTEMS = ['erp', 'crm', 'wms', 'shop', 'marketplace'] as const;
export type SystemName = (typeof SYSTEMS)[number];

export interface World {
  client: pg.ClientBase;
  names: Names;
  urls: Record<SystemName, string>;
  /** Folder with what each system kept of what it was told, `crm/crm.ndjson` or `crm.ndjson`. */
  journals: string;
  /** What the caller of the API was answered with 2xx, a line a call. */
  answered: string;
  source: Source;
  warehouse: Warehouse;
  askedBeyondStock: number;
  promises: Record<PromiseName, Promised>;
  seen: Seen;
}

/** Names that several judges ask for, kept by the first who reads the long lists they stand in. */
export interface Seen {
  /** Orders that a system holds, by its own key: how often (ERP), or at which version. */
  orders: Record<'erp' | 'crm' | 'shop' | 'marketplace', Map<string, number>>;
  documents: { kind: string; number: string; reference: string }[];
  /** How often ERP and WMS kept a cancellation of this reference: no truth of theirs shows it. */
  cancellations: Map<string, number>;
  /** The same of lines that were added. */
  changes: Map<string, number>;
  cancels: Map<string, number>;
}

export function nothingSeen(): Seen {
  const orders = { erp: new Map(), crm: new Map(), shop: new Map(), marketplace: new Map() };
  return { orders, documents: [], cancellations: new Map(), changes: new Map(), cancels: new Map() };
}

export function newPromises(): Record<PromiseName, Promised> {
  return {
    I1: new Promised(
      'on hand of the hub = closing + effects of its movements = what lies on the WMS’s shelves, by location and SKU',
      ['balances', 'movements', 'shelves of the WMS'],
    ),
    I2: new Promised(
      'reserved, allocated, exposed = what is open of reservations, allocations, exposures; allocated of a line = its allocations; what the WMS has to pick is allocated',
      ['balances', 'allocations', 'exposures', 'order lines', 'fulfilments of the WMS'],
    ),
    I3: new Promised(
      '0 ≤ reserved + allocated ≤ on hand − safety stock, or an open shortage with an owner; the WMS holds what it was asked to pick; dated supply is promised once',
      ['balances', 'fulfilments of the WMS'],
    ),
    I4: new Promised(
      'what shop and marketplace show ≤ what is set aside for them; set aside + reserved + allocated ≤ on hand − safety stock',
      ['balances', 'numbers shown'],
    ),
    I5: new Promised(
      'every record of a system’s feed and every item that was answered 2xx has one key in one state; only waiting and parked ones have one open parked record; only applied ones have an effect',
      ['keys', 'records of systems', 'answers to callers'],
    ),
    I6: new Promised(
      'each fact that a destination must hear of has one delivery or publication in one state, or lies beyond the cursor',
      ['facts with a destination', 'deliveries', 'publications'],
    ),
    I7: new Promised(
      'what the hub calls confirmed is there once; nothing is there that the hub did not tell; nothing that was not sent',
      ['orders in the ERP', 'orders in the CRM', 'orders in the channels', 'postings in the ERP', 'work in the WMS'],
    ),
    I8: new Promised(
      'facts of an order 1, 2, 3 …, played along the table in docs/reference/order-states.md, give its state, version and lines; systems were told along it, too',
      ['facts', 'steps', 'order lines', 'states told'],
    ),
    I9: new Promised(
      'versions in what each system kept, in the order in which it was told, never fall; it holds the newest it was told, and no less than the hub calls confirmed',
      ['versions told', 'keys', 'publications'],
    ),
    I10: new Promised(
      'amounts and currency of orders, lines, invoices and credit notes: hub = ERP = CRM = channel, and parts = whole',
      ['orders', 'lines', 'lines in the ERP', 'documents'],
    ),
    I11: new Promised(
      'what was answered 2xx and what feeds gave is in the tables: the message, its key, and what it brought',
      ['answers to callers', 'messages', 'effects of records'],
    ),
  };
}

/**
 * Lines of JSON of a file; a torn last one was never answered for.
 * @param starts only lines that begin so are read: most of a journal is lines of goods that nobody asks for here
 */
export async function* readLines<T>(path: string, starts?: RegExp): AsyncGenerator<T> {
  if (!existsSync(path)) return;
  let torn: unknown;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (torn !== undefined) throw torn;
    if (starts !== undefined && !starts.test(line)) continue;
    let read: T;
    try {
      read = JSON.parse(line) as T;
    } catch (error) {
      torn = new Error(`${path} can't be read`, { cause: error });
      continue;
    }
    yield read;
  }
}

/** What a system kept of these acts, in the order in which they happened to it. */
export function journalOf<T>(world: World, system: SystemName, acts: readonly string[]): AsyncGenerator<T> {
  const own = join(world.journals, system, `${system}.ndjson`);
  const starts = new RegExp(`^\\{"do":"(${acts.join('|')})"`);
  return readLines<T>(existsSync(own) ? own : join(world.journals, `${system}.ndjson`), starts);
}
