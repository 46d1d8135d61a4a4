/** What each system says by itself at the end, order by order and SKU by SKU. */
import type { Json } from '../medusa-shop.ts';
import * as vendure from '../vendure-shop.ts';
import { raced } from './chance.ts';
import type { World } from './world.ts';

export interface ShopOrder {
  reference: string;
  units: number;
  isCancelled: boolean;
  shippedUnits: number;
  /** All that the shop shows of invoices and tracking, as one text. */
  notes: string;
}

/** The same of an opportunity of the CRM. */
export interface CrmRecord {
  reference: string;
  notes: string;
}

const PAGE = 100;

export async function medusaOrders({ shop }: World): Promise<ShopOrder[]> {
  const found: Json[] = [];
  const fields = 'id,display_id,status,metadata,*items,*items.detail,*fulfillments.labels';
  for (let offset = 0; ; offset += PAGE) {
    const { orders } = await shop.admin('GET', `/admin/orders?limit=${PAGE}&offset=${offset}&fields=${fields}`);
    found.push(...orders);
    if (orders.length < PAGE) break;
  }
  return found.map(({ display_id, status, items, metadata, fulfillments }) => ({
    reference: `medusa/${display_id}`,
    units: sum(items, (item) => item.detail.quantity),
    isCancelled: status === 'canceled',
    shippedUnits: sum(items, (item) => item.detail.shipped_quantity),
    notes: JSON.stringify([metadata, fulfillments]),
  }));
}

export async function vendureOrders({ admin }: World): Promise<ShopOrder[]> {
  const found: Json[] = [];
  const query = `query ($skip: Int!) { orders(options: { take: ${PAGE}, skip: $skip, filter: { orderPlacedAt: { isNull: false } }, sort: { id: ASC } }) { items {
    id code state lines { orderPlacedQuantity } fulfillments { state trackingCode lines { quantity } }
    history(options: { take: 100 }) { items { type data } } } } }`;
  for (let skip = 0; ; skip += PAGE) {
    const { items } = await admin.ask(query, { skip });
    found.push(...items);
    if (items.length < PAGE) break;
  }
  return found.map(({ code, state, lines, fulfillments, history }) => ({
    reference: `vendure/${code}`,
    units: sum(lines, (line) => line.orderPlacedQuantity),
    isCancelled: state === 'Cancelled',
    shippedUnits: sum(
      (fulfillments as Json[]).filter((one) => one.state === 'Shipped' || one.state === 'Delivered'),
      (one) => sum(one.lines, (line) => line.quantity),
    ),
    notes: JSON.stringify([history.items, fulfillments]),
  }));
}

export async function opportunities({ erp }: World): Promise<CrmRecord[]> {
  const rows = (await erp.searchRead('sale.opportunity', [['state', '=', 'won']], ['number'])) as Json[];
  const notes = (await erp.searchRead(
    'ir.note',
    [['resource', 'like', 'sale.opportunity,%']],
    ['resource', 'message'],
  )) as Json[];
  return rows.map(({ id, number }) => ({
    reference: `crm/${number}`,
    notes: notes
      .filter(({ resource }) => String(resource) === `sale.opportunity,${id}`)
      .map(({ message }) => message)
      .join('\n'),
  }));
}

export interface Sale {
  id: number;
  reference: string;
  state: string;
  /** Units that left, and came back. */
  shipped: number;
  returned: number;
  /** Minor units, without tax; credit notes negative. */
  invoicedMinor: number;
  opportunity: string | null;
}

/** Sales with a reference of the hub's, and returns counted at the order they belong to. */
export async function trytonSales({ erp }: World): Promise<Sale[]> {
  const fields = ['reference', 'state', 'origin', 'shipments', 'shipment_returns', 'invoices'];
  const rows = (await erp.searchRead('sale.sale', [['reference', '!=', null]], fields)) as Json[];
  const moves = (await erp.searchRead(
    'stock.move',
    [
      ['state', '=', 'done'],
      ['origin', 'like', 'sale.line,%'],
    ],
    ['origin', 'quantity'],
  )) as Json[];
  const lines = (await erp.searchRead('sale.line', [['type', '=', 'line']], ['sale', 'quantity'])) as Json[];
  const saleOfLine = new Map(lines.map(({ id, sale }) => [id as number, sale as number]));
  const invoices = (await erp.searchRead(
    'account.invoice',
    [['state', 'in', ['posted', 'paid']]],
    ['untaxed_amount'],
  )) as Json[];
  const amountOf = new Map(invoices.map(({ id, untaxed_amount }) => [id as number, minorOf(untaxed_amount)]));
  const movedOf = new Map<number, number>();
  for (const { origin, quantity } of moves) {
    const sale = saleOfLine.get(Number(String(origin).split(',')[1]))!;
    movedOf.set(sale, (movedOf.get(sale) ?? 0) + quantity);
  }
  const sales = new Map<number, Sale>();
  for (const row of rows) {
    if (!String(row.reference).includes('/')) continue;
    sales.set(row.id, {
      id: row.id,
      reference: row.reference,
      state: row.state,
      shipped: movedOf.get(row.id) ?? 0,
      returned: 0,
      invoicedMinor: sum(row.invoices, (id) => amountOf.get(id as unknown as number) ?? 0),
      opportunity: String(row.origin ?? '').startsWith('sale.opportunity,') ? row.origin : null,
    });
  }
  for (const row of rows) {
    const order = sales.get(Number(String(row.origin ?? '').replace('sale.sale,', '')));
    if (String(row.reference).includes('/') || order === undefined) continue;
    order.returned += movedOf.get(row.id) ?? 0;
    order.invoicedMinor += sum(row.invoices, (id) => amountOf.get(id as unknown as number) ?? 0);
  }
  return [...sales.values()];
}

/** `medusa/SKU` → what the shop would sell. */
export async function shown({ shop, items, admin }: World): Promise<Map<string, number>> {
  const numbers = new Map<string, number>();
  for (const sku of raced) {
    const levels = Object.values(await shop.levels(items.get(sku)!.inventory));
    numbers.set(
      `medusa/${sku}`,
      levels.reduce((units, { stocked, reserved }) => units + Math.max(0, stocked - reserved), 0),
    );
    const { stockLevels, outOfStockThreshold } = await vendure.variantOf(admin, sku);
    const free = sum(stockLevels, ({ stockOnHand, stockAllocated }) => stockOnHand - stockAllocated);
    numbers.set(`vendure/${sku}`, Math.max(0, free - outOfStockThreshold));
  }
  return numbers;
}

/** Tagged decimals, as cents. */
function minorOf(value: Json): number {
  return Math.round(Number(value.decimal) * 100);
}

function sum(list: readonly Json[], of: (one: Json) => number): number {
  return list.reduce((total, one) => total + Number(of(one)), 0);
}
