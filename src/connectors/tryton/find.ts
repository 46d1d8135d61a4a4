/** What is there: sales and shipments by our references. */
import { escaped, idOfReference, idOrNull, type Row } from './lookups.ts';
import type { Tryton } from './rpc.ts';
import type { Sale, SaleLine } from './sale.ts';

const SALE_FIELDS = [
  ...['number', 'state', 'reference', 'origin', 'party', 'shipment_address', 'company', 'currency'],
  ...['invoice_address', 'payment_term', 'warehouse'],
];
const LINE_FIELDS = ['sale', 'sequence', 'product', 'product.code', 'unit', 'quantity', 'unit_price', 'taxes'];
/** How far a sale has come; of several with one reference the one that is furthest is ours. */
const STATES = ['cancelled', 'draft', 'quotation', 'confirmed', 'processing', 'done'];
export const CONFIRMED: ReadonlySet<string> = new Set(['confirmed', 'processing', 'done']);
/** Of a sale that holds what was added to an order: its origin is the order's sale. */
const CHANGE = /^A\/\d+(-\w+)?\/\d+$/;

/** Whose lines they are: of what was added, the sale that it was added to. */
export function orderSaleOf({ id, reference, origin }: { id: number; reference: unknown; origin: unknown }): number {
  return (isChange(reference) ? idOfReference(origin, 'sale.sale') : null) ?? id;
}

export function isChange(reference: unknown): boolean {
  return CHANGE.test(String(reference));
}

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

/** The sale of an order with its lines, once it is confirmed; those that were added to it, too. */
export async function saleBy(tryton: Tryton, reference: string, signal: AbortSignal): Promise<Sale | undefined> {
  const row = (await salesBy(tryton, [reference], signal)).get(reference)?.[0];
  return row === undefined ? undefined : await saleOfRow(tryton, row, signal);
}

export async function saleById(tryton: Tryton, id: number, signal: AbortSignal): Promise<Sale | undefined> {
  const [row] = await tryton.search('sale.sale', [['id', '=', id]], SALE_FIELDS, signal);
  return row === undefined ? undefined : await saleOfRow(tryton, row, signal);
}

async function saleOfRow(tryton: Tryton, row: Row, signal: AbortSignal): Promise<Sale | undefined> {
  if (!CONFIRMED.has(String(row.state))) return undefined;
  const added = [
    ['sale.origin', '=', `sale.sale,${row.id}`],
    ['sale.reference', 'like', 'A/%'],
    ['sale.state', 'in', [...CONFIRMED]],
  ];
  const domain = [
    ['type', '=', 'line'],
    ['OR', [['sale', '=', row.id]], added],
  ];
  const [lines, parties] = await Promise.all([
    tryton.search('sale.line', domain, LINE_FIELDS, signal),
    tryton.search('party.party', [['id', '=', row.party]], ['customer_location', 'customer_tax_rule'], signal),
  ]);
  return {
    id: row.id,
    number: row.number as string | null,
    state: String(row.state),
    reference: String(row.reference),
    party: Number(row.party),
    invoiceAddress: idOrNull(row.invoice_address),
    shipmentAddress: Number(row.shipment_address),
    paymentTerm: idOrNull(row.payment_term),
    warehouse: idOrNull(row.warehouse),
    company: Number(row.company),
    currency: Number(row.currency),
    customerLocation: Number(parties[0]?.customer_location),
    hasTaxRule: parties[0]?.customer_tax_rule != null,
    lines: lines.map(
      (line): SaleLine => ({
        id: line.id,
        sale: Number(line.sale),
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
