/** What left, what was invoiced and what came back, for those who are told of each; most systems are told sums a line only. */
import { numbers, type Queryable } from '../store/index.ts';
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
 * A statement for each part that is wanted, none where none is.
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
        lines: row.lines,
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
        lines: row.lines,
      });
  return told;
}
