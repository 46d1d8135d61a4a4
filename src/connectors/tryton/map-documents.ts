/** Invoices, and opportunities that were won or lost. Pure. */
import type { CancelRequested, DocumentPosted, InboundItem } from '../../canonical/index.ts';
import {
  cancelItem,
  type Draft,
  documentItem,
  Fields,
  mapRecords,
  type OwnReferences,
  orderItem,
  readOr,
  scopes,
  Unreadable,
} from '../kit/index.ts';
import { isChange } from './find.ts';
import { idOfReference } from './lookups.ts';
import type { Raw } from './map.ts';
import { decimalText, minorOf, momentOf, unitsOf } from './values.ts';

export interface InvoicesPage {
  invoices: Raw[];
  lines: Raw[];
  saleLines: Raw[];
  sales: Raw[];
}
export interface InvoiceRow {
  invoice: Raw;
  lines: { line: Raw; lineNo: unknown; order: string }[];
}

/** Orders of the hub are `<channel>/<number>`; whatever people sell in Tryton itself has other references. */
const ORDER = /^[^/]+\/.+$/;

export function joinInvoices(page: InvoicesPage, own: OwnReferences): InvoiceRow[] {
  const saleLines = new Map(page.saleLines.map((row) => [row.id, row]));
  const sales = new Map(page.sales.map((row) => [row.id, row]));
  const orderOf = (saleId: unknown): string => {
    const sale = sales.get(saleId);
    const reference = String(sale?.reference ?? '');
    // What comes back and what was added are sales of their own, whose origin is the order.
    if (!own.isReturn(reference) && !isChange(reference)) return reference;
    return String((sale?.['origin.'] as Raw | null | undefined)?.reference ?? '');
  };
  return page.invoices.map((invoice) => ({
    invoice,
    lines: page.lines
      .filter((line) => line.invoice === invoice.id)
      .flatMap((line) => {
        const saleLine = saleLines.get(idOfReference(line.origin, 'sale.line'));
        return saleLine === undefined ? [] : [{ line, lineNo: saleLine.sequence, order: orderOf(saleLine.sale) }];
      }),
  }));
}

/** One document an order; an invoice over several orders is one to each. */
export function mapInvoices(rows: readonly InvoiceRow[], system: string): InboundItem[] {
  return mapRecords(rows, '/invoices', (raw, place) => {
    const { invoice, lines } = raw as InvoiceRow;
    const orders = [...new Set(lines.map(({ order }) => order))].filter((order) => ORDER.test(order));
    return orders.map((order) => mapInvoice(invoice, lines, order, orders.length > 1, place, system));
  });
}

function mapInvoice(
  raw: Raw,
  all: InvoiceRow['lines'],
  order: string,
  isShared: boolean,
  place: string,
  system: string,
): Draft {
  const invoice = new Fields(raw, place);
  const own = all.filter((line) => line.order === order);
  const amounts = () => own.map(({ line }, index) => minorOf(line.amount, `${place}/lines/${index}/amount`));
  const kindOf = (): DocumentPosted['document'] =>
    amounts().reduce((sum, amount) => sum + amount, 0) < 0 ? 'credit_note' : 'invoice';
  const numberOf = () => invoice.text('number') + (isShared ? ` ${order}` : '');
  return readOr(
    raw,
    scopes.document(system),
    () => `${kindOf()}/${numberOf()}`,
    () => {
      const document = kindOf();
      const sign = document === 'credit_note' ? -1 : 1;
      const lines = new Map<number, DocumentPosted['lines'][number]>();
      for (const [index, { line, lineNo: no }] of own.entries()) {
        const at = `${place}/lines/${index}`;
        const lineNo = new Fields({ lineNo: no }, at).lineNo('lineNo');
        const known = lines.get(lineNo) ?? { lineNo, quantity: 0, amountMinor: 0 };
        const quantity = known.quantity + sign * unitsOf(line.quantity, `${at}/quantity`);
        lines.set(lineNo, {
          lineNo,
          quantity,
          amountMinor: known.amountMinor + sign * minorOf(line.amount, `${at}/amount`),
        });
      }
      const goods = [...lines.values()].filter(({ quantity }) => quantity !== 0).sort((a, b) => a.lineNo - b.lineNo);
      if (goods.length === 0 || goods.some(({ quantity, amountMinor }) => quantity < 0 || amountMinor < 0))
        throw new Unreadable('must be all of one sign', `${place}/lines`, own.length);
      return documentItem(system, {
        kind: 'document.posted',
        document,
        number: numberOf(),
        order,
        currency: new Fields(raw['currency.'], `${place}/currency.`).currency('code'),
        totalMinor: goods.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
        occurredAt: dayOf(raw.invoice_date, `${place}/invoice_date`),
        lines: goods,
      });
    },
  );
}

function dayOf(value: unknown, place: string): string {
  const { year, month, day } = (value ?? {}) as { year?: number; month?: number; day?: number };
  const at = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (Number.isNaN(at.getTime())) throw new Unreadable('must be a tagged date', place, value);
  return at.toISOString();
}

export interface OpportunitiesPage {
  opportunities: Raw[];
  sales: Raw[];
  lines: Raw[];
}
export interface OpportunityRow {
  opportunity: Raw;
  sale: Raw;
  lines: Raw[];
}

export function joinOpportunities(page: OpportunitiesPage): (OpportunityRow & { opportunity: Raw })[] {
  return page.opportunities.flatMap((opportunity) => {
    const [saleId] = (opportunity.sales ?? []) as unknown[];
    const sale = page.sales.find(({ id }) => id === saleId);
    if (sale === undefined) return [];
    const lines = page.lines
      .filter((line) => line.sale === saleId)
      .sort((a, b) => Number(a.sequence ?? 0) - Number(b.sequence ?? 0) || Number(a.id) - Number(b.id));
    return [{ opportunity, sale, lines }];
  });
}

export interface Opening {
  channel: string;
  companyCode: string;
  /** Our account of a party's code. */
  accountOf(code: string): string;
}

/**
 * A converted opportunity is an order that asks; its lines and prices are those of the draft sale Tryton made of it. Once the hub's order
 * has taken that draft over it carries our reference, and is no news. One whose sale was cancelled asks to be cancelled.
 */
export function mapOpportunities(rows: readonly OpportunityRow[], opening: Opening): InboundItem[] {
  return mapRecords(rows, '/opportunities', (raw, place) => {
    const row = raw as OpportunityRow;
    const isOurs = row.sale.reference != null;
    const isCancelled = row.sale.state === 'cancelled';
    const asked = !isOurs && (row.sale.state === 'draft' || isCancelled) ? [mapOrder(row, opening, place)] : [];
    return isCancelled ? [...asked, ...mapCancels(row, opening, place)] : asked;
  });
}

function mapOrder({ opportunity: raw, sale, lines }: OpportunityRow, opening: Opening, place: string): Draft {
  const { channel, companyCode } = opening;
  const opportunity = new Fields(raw, place);
  const keyOf = () => opportunity.text('number');
  return readOr(raw, scopes.order(channel), keyOf, () => {
    if (lines.length === 0) throw opportunity.unreadable('lines', 'must hold at least one line');
    return orderItem({
      kind: 'order.submitted',
      channel,
      externalNo: keyOf(),
      company: companyCode,
      account: accountOf(sale, opening, place),
      currency: new Fields(sale['currency.'], `${place}/currency.`).currency('code'),
      orderedAt: momentOf(sale.create_date, `${place}/create_date`),
      lines: lines.map((line, index) => {
        const at = `${place}/lines/${index}`;
        const quantity = unitsOf(line.quantity, `${at}/quantity`);
        return {
          lineNo: index + 1,
          sku: skuOf(line, at),
          quantity: new Fields({ quantity }, at).quantity('quantity'),
          unitPrice: new Fields({ price: decimalText(line.unit_price, `${at}/unit_price`) }, at).unitPrice('price'),
        };
      }),
    });
  });
}

function mapCancels({ opportunity: raw, sale, lines }: OpportunityRow, opening: Opening, place: string): Draft[] {
  const isOurs = sale.reference != null;
  const opportunity = new Fields(raw, place);
  return lines.map((line, index) => {
    const at = `${place}/lines/${index}`;
    const order = () => opportunity.text('number');
    const lineNo = isOurs ? Number(line.sequence) : index + 1;
    return readOr(
      line,
      scopes.cancel(opening.channel),
      () => `lost/${order()}/${lineNo}`,
      () => {
        const command: CancelRequested = {
          kind: 'order.cancel_requested',
          channel: opening.channel,
          reference: 'lost',
          account: accountOf(sale, opening, place),
          occurredAt: momentOf(raw.write_date, `${place}/write_date`),
          order: order(),
          lineNo: new Fields({ lineNo }, at).lineNo('lineNo'),
          sku: skuOf(line, at),
          quantity: unitsOf(line.quantity, `${at}/quantity`),
        };
        return cancelItem(command);
      },
    );
  });
}

function accountOf(sale: Raw, { accountOf: of }: Opening, place: string): string {
  return of(new Fields(sale['party.'], `${place}/party.`).text('code'));
}

function skuOf(line: Raw, place: string): string {
  return new Fields(line['product.'], `${place}/product.`).sku('code');
}
