/** The bodies that are sent, built from the plan at the moment of sending. */
import { channelOf } from './channels.ts';
import { utcText } from './london.ts';
import { COMPANY, CURRENCY, type FeedEvent, type Plan } from './plan.ts';
import { hash32 } from './random.ts';
import { LOCATIONS, type Location, type Receipt } from './stock-plan.ts';
import { KINDS } from './table.ts';

type Invoice = Extract<FeedEvent, { type: 'order' | 'cancel' }>;

export interface OrderLineBody {
  lineNo: number;
  sku: string;
  quantity: number;
  unitPrice: string;
}
export interface OrderBody {
  number: string;
  account: string;
  company: string;
  currency: string;
  orderedAt: string;
  lines: OrderLineBody[];
}
export interface CancelLineBody {
  order: string | null;
  lineNo: number | null;
  sku: string;
  quantity: number;
  unitPrice: string;
}
export interface CancelBody {
  reference: string;
  account: string;
  at: string;
  lines: CancelLineBody[];
}

export function orderBody(plan: Plan, event: Invoice): OrderBody {
  const { table } = plan;
  return {
    number: event.number,
    account: event.account,
    company: COMPANY,
    currency: CURRENCY,
    orderedAt: utcText(event.at),
    lines: event.rows.map((row) => ({
      lineNo: table.lineNo.at(row),
      sku: table.skus.at(table.sku.at(row)),
      quantity: table.quantity.at(row),
      unitPrice: table.prices.at(table.price.at(row)),
    })),
  };
}

export function referenceOf(plan: Plan, row: number): string {
  return `${plan.table.invoices.at(plan.table.invoice.at(row))}/${plan.table.lineNo.at(row)}`;
}

/**
 * One cancel per line of the C… invoice. What undoes an order line carries that line's price: the order's price is agreed,
 * and undoing it gives back what was agreed. What finds no original carries the price the file has.
 */
export function cancelBodies(plan: Plan, event: Invoice): CancelBody[] {
  const { table, matches } = plan;
  return event.rows.map((row) => {
    const lines: CancelLineBody[] = [];
    const to = matches.to.get(row) ?? 0;
    for (let index = matches.from.get(row) ?? 0; index < to; index += 1) {
      const original = matches.original[index]!;
      const known = original >= 0;
      lines.push({
        order: known ? table.invoices.at(table.invoice.at(original)) : null,
        lineNo: known ? table.lineNo.at(original) : null,
        sku: table.skus.at(table.sku.at(row)),
        quantity: matches.quantity[index]!,
        unitPrice: table.prices.at(table.price.at(known ? original : row)),
      });
    }
    return { reference: referenceOf(plan, row), account: event.account, at: utcText(event.at), lines };
  });
}

export interface ChargeBody {
  reference: string;
  kind: string;
  account: string;
  code: string;
  description: string;
  quantity: number;
  unitPrice: string;
  currency: string;
  at: string;
}

export function chargeBodies(plan: Plan, rows: readonly number[]): ChargeBody[] {
  const { table } = plan;
  return rows.map((row) => ({
    reference: referenceOf(plan, row),
    kind: KINDS[table.kind.at(row)]!,
    account: table.accounts.at(table.account.at(row)),
    code: table.codes.at(table.sku.at(row)),
    description: table.chargeTexts.get(row) ?? '',
    quantity: table.quantity.at(row),
    unitPrice: table.prices.at(table.price.at(row)),
    currency: CURRENCY,
    at: utcText(table.at.at(row)),
  }));
}

export interface ReceiptBody {
  reference: string;
  location: Location;
  at: string;
  lines: { sku: string; quantity: number }[];
}

export function receiptBody(receipt: Receipt): ReceiptBody {
  return { ...receipt, at: utcText(receipt.at) };
}

export function zeroPriceBody(plan: Plan, event: { at: number; rows: readonly number[] }): ReceiptBody {
  const { table } = plan;
  const reference = `zero/${referenceOf(plan, event.rows[0]!)}`;
  return {
    reference,
    location: LOCATIONS[hash32(`${plan.seed}/${reference}`) % LOCATIONS.length]!,
    at: utcText(event.at),
    lines: event.rows.map((row) => ({
      sku: table.skus.at(table.sku.at(row)),
      quantity: table.quantity.at(row),
    })),
  };
}

export interface MasterData {
  products: { sku: string; description: string; unit: 'each' }[];
  accounts: { account: string; company: string; channel: string; name?: string }[];
  prices: { sku: string; currency: string; unitPrice: string; priceList: 'base' }[];
}

export function masterData(plan: Plan): MasterData {
  const { table } = plan;
  return {
    products: table.skus.list.map((sku, index) => ({
      sku,
      description: table.descriptions[index] || sku,
      unit: 'each' as const,
    })),
    accounts: table.accounts.list.map((account) => ({ account, company: COMPANY, channel: channelOf(account) })),
    prices: table.skus.list.flatMap((sku, index) => {
      const unitPrice = plan.basePrices[index];
      return unitPrice === undefined ? [] : [{ sku, currency: CURRENCY, unitPrice, priceList: 'base' as const }];
    }),
  };
}
