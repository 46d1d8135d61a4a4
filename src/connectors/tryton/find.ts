/** What is there: sales and shipments by our references. */
import { escaped, idOrNull, type Row } from './lookups.ts';
import type { Tryton } from './rpc.ts';
import type { Sale, SaleLine } from './sale.ts';

const SALE_FIELDS = ['number', 'state', 'reference', 'party', 'shipment_address', 'company', 'currency'];
const LINE_FIELDS = ['sale', 'sequence', 'product', 'product.code', 'unit', 'quantity', 'unit_price', 'taxes'];
/** How far a sale has come; of several with one reference the one that is furthest is ours. */
const STATES = ['cancelled', 'draft', 'quotation', 'confirmed', 'processing', 'done'];
export const CONFIRMED: ReadonlySet<string> = new Set(['confirmed', 'processing', 'done']);

/** Sales under these references, the furthest first. Nothing in Tryton keeps a reference from being there twice. */
export async function salesBy(
  tryton: Tryton,
  references: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Row[]>> {
  const rows = await tryton.search('sale.sale', [['reference', 'in', references]], SALE_FIELDS, signal, {
    order: [['id', 'ASC']],
  });
  rows.sort((a, b) => STATES.indexOf(String(b.state)) - STATES.indexOf(String(a.state)) || a.id - b.id);
  return grouped(rows, (row) => String(row.reference));
}

/** The sale of an order with its lines, once it is confirmed. */
export async function saleBy(tryton: Tryton, reference: string, signal: AbortSignal): Promise<Sale | undefined> {
  const row = (await salesBy(tryton, [reference], signal)).get(reference)?.[0];
  if (row === undefined || !CONFIRMED.has(String(row.state))) return undefined;
  const [lines, parties] = await Promise.all([
    tryton.search(
      'sale.line',
      [
        ['sale', '=', row.id],
        ['type', '=', 'line'],
      ],
      LINE_FIELDS,
      signal,
    ),
    tryton.search('party.party', [['id', '=', row.party]], ['customer_location'], signal),
  ]);
  return {
    id: row.id,
    number: row.number as string | null,
    state: String(row.state),
    reference,
    party: Number(row.party),
    shipmentAddress: Number(row.shipment_address),
    company: Number(row.company),
    currency: Number(row.currency),
    customerLocation: Number(parties[0]?.customer_location),
    lines: lines.map(
      (line): SaleLine => ({
        id: line.id,
        sale: row.id,
        lineNo: idOrNull(line.sequence),
        sku: String((line['product.'] as { code?: unknown } | null)?.code ?? ''),
        product: Number(line.product),
        unit: Number(line.unit),
        quantity: Number(line.quantity),
        unitPrice: line.unit_price,
        taxes: line.taxes as number[],
      }),
    ),
  };
}

export interface Shipment {
  id: number;
  number: string;
  state: string;
  reference: string;
}

export async function shipmentsBy(
  tryton: Tryton,
  field: 'reference' | 'number',
  values: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Shipment[]>> {
  const domain = [[field, 'in', values]];
  const rows = await tryton.search('stock.shipment.out', domain, ['number', 'state', 'reference'], signal, {
    order: [['id', 'ASC']],
  });
  const found = rows.map((row) => row as unknown as Shipment);
  return grouped(found, (shipment) => String(shipment[field]));
}

/** Notes of ours on a shipment begin with this and what they are about. */
export async function notesBy(
  tryton: Tryton,
  heads: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Row>> {
  const domain = ['OR', ...heads.map((head) => [['message', 'like', `${escaped(head)}\n%`]])];
  const rows = await tryton.search('ir.note', domain, ['message'], signal, { order: [['id', 'ASC']] });
  return new Map(rows.map((row) => [String(row.message).split('\n')[0]!, row]));
}

function grouped<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}
