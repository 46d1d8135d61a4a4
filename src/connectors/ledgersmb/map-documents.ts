/** Documents of the hub into lines of LedgerSMB's invoices, and its invoices into ours; pure. */
import { fail, type InboundItem, priceMicros } from '../../canonical/index.ts';
import {
  type ChangesBody,
  documentItem,
  Fields,
  mapRecords,
  type OrderDocumentPayload,
  readOr,
  type SqlRow,
  scopes,
  Unreadable,
} from '../kit/index.ts';
import { type LedgerSettings, piecesOf, skuOf, wholeOf } from './map.ts';
import { type Note, readNote } from './notes.ts';

/** A line of an order with the number that we know it by. */
export interface OrderRow extends SqlRow {
  lineNo: string;
}

export interface DocumentLine {
  row: OrderRow;
  /** In the ledger's unit. */
  count: number;
  price: string;
  amountMinor: number;
}

/** @throws XD_VALUE_INVALID where lines were added or taken away there: whose is whose would be a guess */
export function numbered(rows: readonly SqlRow[], { lineNos }: Note, order: string): OrderRow[] {
  if (lineNos !== undefined && lineNos.length !== rows.length)
    refuse(`order ${order} was changed there: it has ${rows.length} lines, and ${lineNos.length} were written`);
  return rows.map((row, index) => ({ ...row, lineNo: String(lineNos?.[index] ?? index + 1) }));
}

/** @throws XD_VALUE_INVALID why it can't be written */
export function mapDocumentLines(
  payload: OrderDocumentPayload['lines'],
  rows: readonly OrderRow[],
  { units }: LedgerSettings,
): DocumentLine[] {
  if (payload.length === 0) refuse('has no lines');
  return payload.map(({ lineNo, quantity, amountMinor }) => {
    const row = rows.find((one) => one.lineNo === String(lineNo)) ?? refuse(`the order has no line ${lineNo}`);
    const pieces = Object.hasOwn(units, row.unit ?? '')
      ? units[row.unit!]!
      : refuse(`line ${lineNo}: nobody mapped the unit "${row.unit}"`);
    if (quantity % pieces !== 0)
      refuse(`line ${lineNo}: ${quantity} pieces are no whole number of "${row.unit}" (${pieces})`);
    const count = quantity / pieces;
    return { row, count, price: priceFor(row.price ?? '', count, amountMinor, lineNo), amountMinor };
  });
}

/**
 * The order's price where it makes exactly the amount; else the one to six places that rounds to it, since shares of an order's amount
 * are differences of sums here. The ledger also rounds the sum of what its lines lost, and posts that nowhere: so little must be lost.
 */
function priceFor(price: string, count: number, amount: number, lineNo: number): string {
  const wanted = BigInt(amount) * 10_000n;
  if (/^\d+(\.\d{1,6})?$/.test(price) && priceMicros(price) * BigInt(count) === wanted) return price;
  const made = (wanted * 2n + BigInt(count)) / (2n * BigInt(count));
  const lost = wanted - made * BigInt(count);
  if (lost * lost >= 100n * 100n)
    refuse(`line ${lineNo}: no price to six places makes ${amount} of ${count} without a rest that the ledger drops`);
  return `${made / 1_000_000n}.${String(made % 1_000_000n).padStart(6, '0')}`;
}

/** Of the rest of an order, as its screen makes it: the sum is rounded, not each line. */
export function orderMinor(rows: readonly SqlRow[], counts: ReadonlyMap<string, number>): number {
  let micros = 0n;
  for (const { id, price, qty } of rows) {
    const count = wholeOf(qty, `/orderitems/${id}/qty`) - (counts.get(id!) ?? 0);
    micros += priceMicros(price ?? '0') * BigInt(count);
  }
  return Number((micros + 5_000n) / 10_000n);
}

export function moneyText(minor: number): string {
  const size = Math.abs(minor);
  return `${minor < 0 ? '-' : ''}${Math.trunc(size / 100)}.${String(size % 100).padStart(2, '0')}`;
}

export function minorOf(text: string | null | undefined, place: string): number {
  if (!/^-?\d{1,13}(\.\d{1,2})?$/.test(text ?? '')) throw new Unreadable('must be an amount in cents', place, text);
  const [whole = '', fraction = ''] = text!.replace('-', '').split('.');
  const minor = Number(whole + fraction.padEnd(2, '0'));
  return text!.startsWith('-') && minor !== 0 ? -minor : minor;
}

function refuse(why: string): never {
  return fail('XD_VALUE_INVALID', why);
}

/** Invoices and credit notes, once they are posted: drafts are nobody's news. */
export function mapInvoices(
  { changes }: ChangesBody,
  system: string,
  channel: string | null,
  settings: LedgerSettings,
): InboundItem[] {
  const told = changes.filter(({ rows }) => rows.length > 0 && orderOf(rows[0]!, channel) !== undefined);
  return mapRecords(told, '/changes', (raw, place) => {
    const { key, rows } = raw as ChangesBody['changes'][number];
    const first = rows[0]!;
    const document = first.reverse === 'true' ? 'credit_note' : 'invoice';
    return [
      readOr(
        raw,
        scopes.document(system),
        () => `${document}/${key[0]}`,
        () => {
          if (Number(first.orders) > 1 && readNote(first.intnotes).order === undefined)
            throw new Unreadable(
              `is the number of ${first.orders} orders`,
              `${place}/rows/0/ordnumber`,
              first.ordnumber,
            );
          if (first.curr?.trim() !== first.own_curr)
            throw new Unreadable('is at a rate, which only the application knows', `${place}/rows/0/curr`, first.curr);
          const lines = linesOf(rows, document === 'credit_note' ? -1 : 1, place, settings);
          return documentItem(system, {
            kind: 'document.posted',
            document,
            number: key[0]!,
            order: orderOf(first, channel)!,
            currency: new Fields({ curr: first.curr?.trim() }, `${place}/rows/0`).currency('curr'),
            totalMinor: lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
            occurredAt: new Fields({ at: `${first.transdate}T00:00:00Z` }, place).time('at'),
            lines,
          });
        },
      ),
    ];
  });
}

/** Written by us: it says so. Else the order of its number, if that is ours or was read from here. */
function orderOf(row: SqlRow, channel: string | null): string | undefined {
  const own = readNote(row.intnotes);
  if (own.reference !== undefined) return own.order;
  const { reference } = readNote(row.order_note);
  return reference ?? (channel === null ? undefined : `${channel}/${row.ordnumber}`);
}

function linesOf(rows: readonly SqlRow[], sign: 1 | -1, place: string, { units }: LedgerSettings) {
  const { reference, lineNos } = readNote(rows[0]!.intnotes);
  const inOrder = [...rows].sort((one, other) => Number(one.line_id) - Number(other.line_id));
  const orderNos = readNote(rows[0]!.order_note).lineNos;
  const lines = new Map<number, { lineNo: number; quantity: number; amountMinor: number }>();
  let sum = 0;
  for (const [index, row] of inOrder.entries()) {
    const at = `${place}/lines/${index}`;
    const amountMinor = sign * minorOf(row.amount, `${at}/amount`);
    sum += amountMinor;
    const lineNo = reference === undefined ? lineNoOf(row, orderNos, at) : (lineNos?.[index] ?? index + 1);
    // Freight and the like, which nobody ordered.
    if (lineNo === undefined) continue;
    const known = lines.get(lineNo) ?? { lineNo, quantity: 0, amountMinor: 0 };
    const quantity = sign * wholeOf(row.quantity, `${at}/quantity`) * piecesOf(row.unit, units, `${at}/unit`);
    if (quantity <= 0) throw new Unreadable('must be all of one sign', `${at}/quantity`, row.quantity);
    lines.set(lineNo, { lineNo, quantity: known.quantity + quantity, amountMinor: known.amountMinor + amountMinor });
  }
  const net = sign * minorOf(rows[0]!.netamount, `${place}/netamount`);
  if (sum !== net) throw new Unreadable(`its lines make ${sum} of ${net}`, `${place}/netamount`, rows[0]!.netamount);
  if (lines.size === 0) throw new Unreadable('has no line of its order', `${place}/lines`, rows.length);
  return [...lines.values()].sort((one, other) => one.lineNo - other.lineNo);
}

/** An invoice names an order and no line of it: its part must stand on one line only. */
function lineNoOf(row: SqlRow, orderNos: readonly number[] | undefined, place: string): number | undefined {
  const found = row.rows == null ? [] : row.rows.split(',').map(Number);
  const sku = skuOf(row.partnumber ?? '');
  if (found.length > 1)
    throw new Unreadable(`stands on ${found.length} lines of the order`, `${place}/partnumber`, sku);
  const [only] = found;
  if (only !== undefined) return orderNos === undefined ? only : orderNos[only - 1];
  if (row.service === 'true') return undefined;
  throw new Unreadable('stands on no line of the order', `${place}/partnumber`, sku);
}
