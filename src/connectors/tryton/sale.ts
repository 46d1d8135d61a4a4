/** Sales as Tryton wants them: what we know of an order in the values of a create. Pure. */
import type { FulfilmentPayload, OrderChangePayload, SalesOrderPayload } from '../kit/index.ts';
import type { Party, Product, Warehouse } from './lookups.ts';
import { dateOf, decimalOf, priceFor, type Tagged } from './values.ts';

export interface Known {
  company: number;
  currency: number | undefined;
  warehouse: Warehouse | undefined;
  party: Party | undefined;
  products: ReadonlyMap<string, Product>;
}

/** The values of a sale, or why there can't be one. */
export type Made = { values: Record<string, unknown> } | { refused: string };

/**
 * `create` runs none of the client's on_change: unit, price, description, taxes and addresses are ours to say. The line's number is its
 * `sequence`, by which everything that happens to it is found again.
 *
 * `shipment_method` is `order` although the hub decides what ships from where: Tryton refuses `manual` together with an invoice per
 * shipment, and checks the credit limit for `order` only. What it plans by itself is kept a draft (see rest.ts).
 */
export function saleOf(order: SalesOrderPayload, known: Known): Made {
  const { party, currency, warehouse } = known;
  if (party === undefined) return { refused: `Tryton has no party for account ${order.account}` };
  if (party.invoiceAddress === null) return { refused: `party ${party.code} has no address in Tryton` };
  // Only the client applies them (on_change); a sale with the wrong tax would be worse than none.
  if (party.hasTaxRule) return { refused: `party ${party.code} has a tax rule in Tryton, which we can't apply` };
  if (currency === undefined) return { refused: `Tryton has no currency ${order.currency}` };
  // Its sale would lack them, and its invoice another total than the order's.
  if ((order.charges ?? []).length > 0)
    return { refused: `${order.reference} has charges, which this connector does not carry into Tryton` };
  if (warehouse === undefined) return { refused: 'none of settings.warehouses is a warehouse in Tryton' };
  const lines = linesOf(order.lines, known.products);
  if ('refused' in lines) return lines;
  return {
    values: {
      reference: order.reference,
      company: known.company,
      party: party.id,
      invoice_address: party.invoiceAddress,
      shipment_address: party.deliveryAddress,
      payment_term: party.paymentTerm,
      currency,
      warehouse: warehouse.id,
      sale_date: dateOf(order.orderedAt),
      invoice_method: 'shipment',
      shipment_method: 'order',
      lines: [['create', lines.made]],
    },
  };
}

function linesOf(
  asked: SalesOrderPayload['lines'],
  products: Known['products'],
): { made: Record<string, unknown>[] } | { refused: string } {
  const made: Record<string, unknown>[] = [];
  for (const line of asked) {
    const product = products.get(line.sku.toUpperCase());
    if (product === undefined) return { refused: `Tryton has no product with code ${line.sku}` };
    const price = priceFor(line.unitPrice, line.quantity, line.amountMinor);
    if (price === undefined)
      return {
        refused: `line ${line.lineNo}: no price with four digits makes ${line.quantity} x ${line.unitPrice} the ${line.amountMinor} that were agreed`,
      };
    made.push(lineOf(line.lineNo, product, line.quantity, price));
  }
  return { made };
}

function lineOf(lineNo: number, product: Product, quantity: number, price: string): Record<string, unknown> {
  return {
    type: 'line',
    sequence: lineNo,
    product: product.id,
    unit: product.unit,
    quantity,
    unit_price: decimalOf(price),
    description: product.name,
    taxes: [['add', product.taxes]],
  };
}

/** A line of a sale as it stands in Tryton. */
export interface SaleLine {
  id: number;
  sale: number;
  lineNo: number | null;
  sku: string;
  product: number;
  unit: number;
  quantity: number;
  unitPrice: unknown;
  taxes: number[];
}
export interface Sale {
  id: number;
  number: string | null;
  state: string;
  reference: string;
  party: number;
  invoiceAddress: number | null;
  shipmentAddress: number;
  paymentTerm: number | null;
  warehouse: number | null;
  company: number;
  currency: number;
  customerLocation: number;
  hasTaxRule: boolean;
  /** Its own, and those of sales that hold what was added to it. */
  lines: SaleLine[];
}

/** All that hold lines of it. */
export function salesOf({ id, lines }: Sale): number[] {
  return [...new Set([id, ...lines.map(({ sale }) => sale)])];
}

/**
 * What is added to an order. A sale that is processed can't be changed, so it is a second one of the same customer, terms and places, whose
 * origin is the first.
 */
export function changeOf(change: OrderChangePayload, sale: Sale, products: Known['products'], today: string): Made {
  if (sale.hasTaxRule)
    return { refused: `the party of ${sale.reference} has a tax rule in Tryton, which we can't apply` };
  for (const { lineNo } of change.lines)
    if (sale.lines.some((line) => line.lineNo === lineNo))
      return { refused: `sale ${sale.reference} has a line ${lineNo} in Tryton already` };
  const lines = linesOf(change.lines, products);
  if ('refused' in lines) return lines;
  return {
    values: {
      reference: change.reference,
      origin: `sale.sale,${sale.id}`,
      company: sale.company,
      party: sale.party,
      invoice_address: sale.invoiceAddress,
      shipment_address: sale.shipmentAddress,
      payment_term: sale.paymentTerm,
      currency: sale.currency,
      warehouse: sale.warehouse,
      sale_date: dateOf(today),
      invoice_method: 'shipment',
      shipment_method: 'order',
      lines: [['create', lines.made]],
    },
  };
}

/** A shipment of some of a sale's lines from one warehouse, in draft. */
export function shipmentOf(asked: FulfilmentPayload, sale: Sale, warehouse: Warehouse, today: string): Made {
  const moves: Record<string, unknown>[] = [];
  const plannedDate: Tagged = dateOf(today);
  for (const { lineNo, sku, quantity } of asked.lines) {
    const line = sale.lines.find((candidate) => candidate.lineNo === lineNo);
    if (line === undefined) return { refused: `sale ${sale.reference} has no line ${lineNo} in Tryton` };
    if (line.sku.toUpperCase() !== sku.toUpperCase())
      return { refused: `line ${lineNo} of ${sale.reference} is ${line.sku} in Tryton, not ${sku}` };
    moves.push({
      product: line.product,
      uom: line.unit,
      quantity,
      unit_price: line.unitPrice,
      currency: sale.currency,
      company: sale.company,
      from_location: warehouse.output,
      to_location: sale.customerLocation,
      planned_date: plannedDate,
      origin: `sale.line,${line.id}`,
    });
  }
  return {
    values: {
      reference: asked.reference,
      company: sale.company,
      customer: sale.party,
      delivery_address: sale.shipmentAddress,
      warehouse: warehouse.id,
      planned_date: plannedDate,
      outgoing_moves: [['create', moves]],
    },
  };
}

/** What comes back: a sale of negative quantities, from which Tryton makes the return shipment and the credit note. */
export function returnOf(asked: FulfilmentPayload, sale: Sale, warehouse: Warehouse, today: string): Made {
  const lines: Record<string, unknown>[] = [];
  for (const { lineNo, sku, quantity } of asked.lines) {
    const line = sale.lines.find((candidate) => candidate.lineNo === lineNo);
    if (line === undefined || line.sku.toUpperCase() !== sku.toUpperCase())
      return { refused: `sale ${sale.reference} has no line ${lineNo} of ${sku} in Tryton` };
    lines.push({
      type: 'line',
      sequence: lineNo,
      product: line.product,
      unit: line.unit,
      quantity: -quantity,
      unit_price: line.unitPrice,
      description: line.sku,
      taxes: [['add', line.taxes]],
    });
  }
  return {
    values: {
      reference: asked.reference,
      origin: `sale.sale,${sale.id}`,
      company: sale.company,
      party: sale.party,
      invoice_address: sale.shipmentAddress,
      shipment_address: sale.shipmentAddress,
      currency: sale.currency,
      warehouse: warehouse.id,
      sale_date: dateOf(today),
      invoice_method: 'shipment',
      shipment_method: 'order',
      lines: [['create', lines]],
    },
  };
}
