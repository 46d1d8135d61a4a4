/** What left, what was invoiced and what came back, for those who are told of each; most systems are told sums a line only. */
import { numbers, type Queryable } from '../store/index.ts';
import type { ChargeProgress } from './billing-types.ts';
import { readBilling } from './charges.sql.ts';
import { promisedSets } from './promise-sets.ts';
import { readToldPromises as promisesTold } from './promises.sql.ts';
import * as statements from './told.sql.ts';

/** What a system can be told of an order beside its lines. */
export type ToldPart = 'shipments' | 'invoices' | 'returns';

export interface ToldDocuments {
  shipments: {
    shipment: string;
    source: string;
    locationId: number;
    tracking: string | null;
    carrier: string | null;
    parcels: { tracking: string; url?: string }[];
    at: string;
    lines: { lineNo: number; quantity: number; amountMinor: number }[];
  }[];
  invoices: {
    document: 'invoice' | 'credit_note';
    number: string;
    source: string;
    currency: string;
    amountMinor: number;
    taxMinor?: number;
    at: string;
  }[];
  returns: {
    returnId: number;
    /** The order's version that it made: goods of one return come back in parts. */
    version: number;
    at: string;
    lines: { lineNo: number; quantity: number; amountMinor: number }[];
  }[];
}

/**
 * Reads without locking, in the order in which they came: of each order what came after the version that is known of it (0: all).
 * A statement for each part that is wanted, none where none is. Lines are those that were ordered, whatever left in their place.
 */
export async function readToldDocuments(
  db: Queryable,
  known: readonly { orderId: number; version: number }[],
  wants: readonly ToldPart[],
): Promise<Map<number, ToldDocuments>> {
  const told = new Map<number, ToldDocuments>();
  if (known.length === 0 || wants.length === 0) return told;
  for (const { orderId } of known) told.set(orderId, { shipments: [], invoices: [], returns: [] });
  const orderIds = numbers(known.map(({ orderId }) => orderId));
  const beyond = [orderIds, numbers(known.map(({ version }) => version))];
  const standIns = wants.some((part) => part !== 'invoices') ? await db.query(statements.readStandIns, [orderIds]) : [];
  // Of kits that left in parts it says with which part they were whole: all that left before is read, too.
  const inSets = new Set(standIns.filter((row) => row.set_no !== null).map((row) => row.order_id));
  const from = [orderIds, numbers(known.map(({ orderId, version }) => (inSets.has(orderId) ? 0 : version)))];
  const versions = new Map(known.map(({ orderId, version }) => [orderId, version]));
  if (wants.includes('shipments')) {
    const ordered = orderedLines(standIns);
    for (const row of await db.query(statements.readToldShipments, from)) {
      const lines = ordered(row.order_id, row.lines);
      if (row.order_version <= versions.get(row.order_id)!) continue;
      told.get(row.order_id)!.shipments.push({
        shipment: row.shipment_no,
        source: row.source,
        locationId: row.location_id,
        tracking: row.tracking,
        carrier: row.carrier,
        parcels: row.parcels ?? (row.tracking === null ? [] : [{ tracking: row.tracking }]),
        at: row.shipped_at.toISOString(),
        lines,
      });
    }
  }
  if (wants.includes('invoices'))
    for (const row of await db.query(statements.readToldInvoices, beyond))
      told.get(row.order_id)!.invoices.push({
        document: row.kind,
        number: row.invoice_no,
        source: row.source,
        currency: row.currency,
        amountMinor: row.total_minor,
        ...(row.tax_minor !== null && { taxMinor: row.tax_minor }),
        at: row.posted_at.toISOString(),
      });
  if (wants.includes('returns')) {
    const ordered = orderedLines(standIns);
    for (const row of await db.query(statements.readToldReceipts, from)) {
      const lines = ordered(row.order_id, row.lines);
      if (row.order_version <= versions.get(row.order_id)!) continue;
      told.get(row.order_id)!.returns.push({
        returnId: row.return_id,
        version: row.order_version,
        at: row.received_at.toISOString(),
        lines,
      });
    }
  }
  return told;
}

/** Units of a line that came back and are inspected: each is in one of them. */
export interface ToldInspection {
  inInspection: number;
  restocked: number;
  scrapped: number;
  quarantined: number;
}

/** By order and ordered line. */
export async function readToldInspections(
  db: Queryable,
  orderIds: readonly number[],
): Promise<Map<number, Map<number, ToldInspection>>> {
  const told = new Map<number, Map<number, ToldInspection>>();
  if (orderIds.length === 0) return told;
  for (const row of await db.query(statements.readToldInspections, [numbers(orderIds)])) {
    const { received, restocked, scrapped, quarantined } = row;
    const lines = told.get(row.order_id) ?? new Map<number, ToldInspection>();
    const inInspection = received - restocked - scrapped - quarantined;
    told.set(row.order_id, lines.set(row.line_no, { inInspection, restocked, scrapped, quarantined }));
  }
  return told;
}

/** How far each charge of an order has come. */
export async function readToldCharges(
  db: Queryable,
  orderIds: readonly number[],
): Promise<Map<number, ChargeProgress[]>> {
  if (orderIds.length === 0) return new Map();
  const rows = await db.query(readBilling, [numbers(orderIds)]);
  return new Map(rows.map((row) => [row.order_id, row.charges ?? []]));
}

/** What holds now, by order and ordered line. */
export interface ToldPromise {
  upon: string;
  parts: { quantity: number; at: string | null; locationId: number | null; reason: string }[];
}

export async function readToldPromises(
  db: Queryable,
  orderIds: readonly number[],
): Promise<Map<number, Map<number, ToldPromise>>> {
  const told = new Map<number, Map<number, ToldPromise>>(orderIds.map((orderId) => [orderId, new Map()]));
  if (orderIds.length === 0) return told;
  const rows = await db.query(promisesTold, [numbers(orderIds)]);
  for (const row of rows) {
    if (row.set_no !== null) continue;
    const { quantity, promised_at: at, location_id: locationId, reason } = row;
    addPromise(told, row, [{ quantity, at: at?.toISOString() ?? null, locationId, reason }]);
  }
  const ofSets = rows.filter((row) => row.set_no !== null);
  for (const of of Map.groupBy(ofSets, (row) => `${row.order_id} ${row.set_no}`).values())
    addPromise(
      told,
      of[0]!,
      promisedSets(
        [...Map.groupBy(of, (row) => row.own_line_no).values()].map((rows) => ({
          perUnit: rows[0]!.per_unit,
          parts: rows.map(({ quantity, promised_at: at, location_id: locationId, reason }) => ({
            ...{ quantity, at: at?.toISOString() ?? null, locationId, reason },
          })),
        })),
      ),
    );
  return told;
}

type Told = Awaited<ReturnType<typeof readToldPromises>>;
type PromiseOf = { order_id: number; line_no: number; upon: string };

function addPromise(
  told: Told,
  { order_id: orderId, line_no: lineNo, upon }: PromiseOf,
  parts: ToldPromise['parts'],
): void {
  const lines = told.get(orderId)!;
  const known = lines.get(lineNo);
  if (known === undefined) lines.set(lineNo, { upon, parts });
  else known.parts.push(...parts);
}

type Line = { lineNo: number; quantity: number; amountMinor: number };
type StandIn = { order_id: number; line_no: number; root: number; per_unit: number; set_no: number | null };

/**
 * Lines as who ordered knows them. A kit counts with the part that made it whole, so that documents add up to what left; it is called with one
 * document after the other.
 */
function orderedLines(standIns: readonly StandIn[]): (orderId: number, lines: Line[]) => Line[] {
  if (standIns.length === 0) return (_orderId, lines) => lines;
  const known = new Map(standIns.map((row) => [`${row.order_id} ${row.line_no}`, row]));
  const sets = Map.groupBy(
    standIns.filter((row) => row.set_no !== null),
    (row) => `${row.order_id} ${row.set_no}`,
  );
  const units = new Map<string, number>();
  const wholeOf = (set: string) =>
    Math.min(
      ...sets.get(set)!.map((row) => Math.floor((units.get(`${row.order_id} ${row.line_no}`) ?? 0) / row.per_unit)),
    );
  return (orderId, lines) => {
    const sums = new Map<number, Line>();
    const add = (lineNo: number, quantity: number, amountMinor: number) => {
      const sum = sums.get(lineNo) ?? { lineNo, quantity: 0, amountMinor: 0 };
      sums.set(lineNo, { lineNo, quantity: sum.quantity + quantity, amountMinor: sum.amountMinor + amountMinor });
    };
    for (const { lineNo: no, quantity, amountMinor } of lines) {
      const key = `${orderId} ${no}`;
      const row = known.get(key);
      if (row === undefined || row.set_no === null) {
        add(row?.root ?? no, quantity, amountMinor);
        continue;
      }
      const set = `${orderId} ${row.set_no}`;
      const before = wholeOf(set);
      units.set(key, (units.get(key) ?? 0) + quantity);
      add(row.root, wholeOf(set) - before, amountMinor);
    }
    return [...sums.values()].sort((a, b) => a.lineNo - b.lineNo);
  };
}
