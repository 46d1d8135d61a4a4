/** What left, what was invoiced and what came back, for those who are told of each; most systems are told sums a line only. */
import { numbers, type Queryable } from '../store/index.ts';
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
  const beyond = [numbers(known.map(({ orderId }) => orderId)), numbers(known.map(({ version }) => version))];
  const ordered = wants.some((part) => part !== 'invoices') ? await orderedLines(db, beyond[0]!) : same;
  if (wants.includes('shipments'))
    for (const row of await db.query(statements.readToldShipments, beyond))
      told.get(row.order_id)!.shipments.push({
        shipment: row.shipment_no,
        source: row.source,
        locationId: row.location_id,
        tracking: row.tracking,
        carrier: row.carrier,
        parcels: row.parcels ?? (row.tracking === null ? [] : [{ tracking: row.tracking }]),
        at: row.shipped_at.toISOString(),
        lines: ordered(row.order_id, row.lines),
      });
  if (wants.includes('invoices'))
    for (const row of await db.query(statements.readToldInvoices, beyond))
      told.get(row.order_id)!.invoices.push({
        document: row.kind,
        number: row.invoice_no,
        source: row.source,
        currency: row.currency,
        amountMinor: row.total_minor,
        at: row.posted_at.toISOString(),
      });
  if (wants.includes('returns'))
    for (const row of await db.query(statements.readToldReceipts, beyond))
      told.get(row.order_id)!.returns.push({
        returnId: row.return_id,
        version: row.order_version,
        at: row.received_at.toISOString(),
        lines: ordered(row.order_id, row.lines),
      });
  return told;
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
  for (const row of await db.query(promisesTold, [numbers(orderIds)])) {
    const lines = told.get(row.order_id)!;
    const { quantity, promised_at: at, location_id: locationId, reason } = row;
    const part = { quantity, at: at?.toISOString() ?? null, locationId, reason };
    const known = lines.get(row.line_no);
    if (known === undefined) lines.set(row.line_no, { upon: row.upon, parts: [part] });
    else known.parts.push(part);
  }
  return told;
}

type Line = { lineNo: number; quantity: number; amountMinor: number };
const same = (_orderId: number, lines: Line[]): Line[] => lines;

async function orderedLines(db: Queryable, orderIds: string): Promise<typeof same> {
  const standIns = await db.query(statements.readStandIns, [orderIds]);
  if (standIns.length === 0) return same;
  const standsFor = new Map(standIns.map((row) => [`${row.order_id} ${row.line_no}`, row.root]));
  return (orderId, lines) => {
    const sums = new Map<number, Line>();
    for (const { lineNo: no, quantity, amountMinor } of lines) {
      const lineNo = standsFor.get(`${orderId} ${no}`) ?? no;
      const sum = sums.get(lineNo) ?? { lineNo, quantity: 0, amountMinor: 0 };
      sums.set(lineNo, { lineNo, quantity: sum.quantity + quantity, amountMinor: sum.amountMinor + amountMinor });
    }
    return [...sums.values()].sort((a, b) => a.lineNo - b.lineNo);
  };
}
