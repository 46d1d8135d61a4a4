/** Orders in the ERP, the CRM and the channels that sell by themselves, in one pass over the hub's own. */
import { acceptedOf } from '../orders/index.ts';
import type { Queryable } from '../store/index.ts';
import type { HubLineRow } from './hub.sql.ts';
import { type HubOrder, hubOrders } from './hub.ts';
import { Merge, newParity, note, type Parity } from './merge.ts';
import { type ChannelOrder, type CrmOrder, type ErpOrder, Truth } from './sim-truth.ts';

const ORDERS_PER_PAGE = 100;

export interface OrderComparison {
  erp: Parity;
  crm: Parity;
  /** By system code. */
  channels: Record<string, Parity>;
  /** Units sold within a number that the hub could not allocate, by its own account. */
  withinShort: number;
  /** Lines whose units sold within the number are not what the channel says it sold. */
  withinDifferent: number;
}

interface Side<T extends { key: string }> {
  parity: Parity;
  merge: Merge<T>;
}

function side<T extends { key: string; totalMinor: number; lines: readonly unknown[] }>(
  name: string,
  url: string,
  token: string | undefined,
): Side<T> {
  const parity = newParity();
  const truth = new Truth<T>(url, 'orders', { limit: ORDERS_PER_PAGE, token });
  const merge = new Merge<T>(truth, (record) => {
    count(parity, record);
    note(parity, 'extra', `${name} ${record.key}`);
  });
  return { parity, merge };
}

function count(parity: Parity, record: { totalMinor: number; lines: readonly unknown[] }): void {
  parity.orders++;
  parity.lines += record.lines.length;
  parity.amount.system += record.totalMinor;
}

export async function compareOrders(
  db: Queryable,
  urls: { erp: string; crm: string },
  channelUrls: Readonly<Record<string, string>>,
  token: string | undefined,
): Promise<OrderComparison> {
  const erp = side<ErpOrder>('erp', urls.erp, token);
  const crm = side<CrmOrder>('crm', urls.crm, token);
  const channels = new Map(
    Object.entries(channelUrls).map(([system, url]) => [system, side<ChannelOrder>(system, url, token)]),
  );
  let withinShort = 0;
  let withinDifferent = 0;
  for await (const page of hubOrders(db))
    for (const order of page) {
      const key = `${order.channel}/${order.external_no}`;
      const accepted = !order.is_told ? undefined : acceptedPart(order);
      if (accepted !== undefined) await judge(erp, key, accepted, erpDifference);
      const ordered = orderedPart(order);
      await judge(crm, key, ordered, crmDifference);
      for (const line of order.lines) withinShort += line.within_short;
      const own = order.system === null ? undefined : channels.get(order.system);
      if (own !== undefined)
        await judge(own, order.external_no, ordered, (hub, held) => {
          withinDifferent += differentWithin(hub, held);
          return channelDifference(hub, held);
        });
    }
  for (const { merge } of [erp, crm, ...channels.values()]) await merge.finish();
  for (const { parity } of [erp, crm, ...channels.values()])
    parity.amount.equal = parity.amount.hub === parity.amount.system;
  return {
    erp: erp.parity,
    crm: crm.parity,
    channels: Object.fromEntries([...channels].map(([system, { parity }]) => [system, parity])),
    withinShort,
    withinDifferent,
  };
}

async function judge<T extends { key: string; totalMinor: number; lines: readonly unknown[] }>(
  { parity, merge }: Side<T>,
  key: string,
  order: HubOrder,
  differenceOf: (order: HubOrder, held: T) => string | undefined,
): Promise<void> {
  parity.amount.hub += order.total_minor;
  const held = await merge.find(key);
  if (held === undefined) {
    note(parity, 'missing', key);
    return;
  }
  count(parity, held);
  const difference = differenceOf(order, held);
  if (difference !== undefined) note(parity, 'different', `${key}: ${difference}`);
}

/** The order as the ERP must hold it: what was accepted of it. Undefined when nothing was. */
function acceptedPart(order: HubOrder): HubOrder | undefined {
  if (order.lines.every((line) => line.refused === 0)) return order;
  const lines = order.lines
    .filter((line) => line.refused < line.quantity)
    .map((line) => {
      const { quantity, amountMinor } = acceptedOf(
        { ...line, unitPrice: line.unit_price, pricePer: line.price_per },
        order.currency,
      );
      return { ...line, quantity, amount_minor: amountMinor };
    });
  if (lines.length === 0) return undefined;
  return {
    ...order,
    lines,
    total_minor: order.charges_minor + lines.reduce((sum, line) => sum + line.amount_minor, 0),
  };
}

/** What became of a line, whichever line it was; and what was ordered, of those that somebody ordered. */
const SUMMED = ['refused', 'backordered', 'cancelled', 'shipped', 'invoiced', 'returned'] as const;
const ORDERED = ['quantity', 'amount_minor', 'within'] as const;

/**
 * The order as who ordered it is told of it: what became of the lines that stand for one, or were added to it, is added up with it. Its SKU
 * is the one that it was given last.
 */
function orderedPart(order: HubOrder): HubOrder {
  if (order.lines.every((line) => line.stands_for === null && line.adds_to === null)) return order;
  const rootOf = (line: HubLineRow) => line.adds_to ?? line.stands_for ?? line.line_no;
  const lines = order.lines
    .filter((line) => rootOf(line) === line.line_no)
    .map((line) => {
      const whole = { ...line, refused: line.refused - line.substituted };
      for (const set of setsOf(order.lines.filter((part) => part !== line && rootOf(part) === line.line_no))) {
        const [part] = set as [HubLineRow];
        for (const name of SUMMED) whole[name] += unitsOf(set, name);
        if (part.stands_for !== null) continue;
        whole.refused -= part.substituted;
        for (const name of ORDERED) whole[name] += part[name];
        whole.sku = part.sku;
      }
      return whole;
    });
  return { ...order, lines };
}

/** Lines that only together stand for units of another. */
function setsOf(lines: readonly HubLineRow[]): HubLineRow[][] {
  return [...Map.groupBy(lines, (line) => line.set_no ?? line.line_no).values()];
}

/** Something became of an ordered unit when it did of all that it is made of; it waits as long as any of that does. */
function unitsOf(set: readonly HubLineRow[], name: (typeof SUMMED)[number]): number {
  const units = set.map((line) => line[name] / line.per_unit);
  return name === 'backordered' ? Math.ceil(Math.max(...units)) : Math.floor(Math.min(...units));
}

function differs(what: string, hub: unknown, system: unknown): string {
  return `${what} is ${String(system)} there, ${String(hub)} here`;
}

/** Compares named fields, then every line's, by line number. */
function firstDifference<L extends { lineNo: number }>(
  heads: readonly (readonly [string, unknown, unknown])[],
  hubLines: readonly HubLineRow[],
  lines: readonly L[],
  fieldsOf: (hub: HubLineRow, line: L) => readonly (readonly [string, unknown, unknown])[],
): string | undefined {
  for (const [what, hub, system] of heads) if (hub !== system) return differs(what, hub, system);
  if (hubLines.length !== lines.length) return differs('number of lines', hubLines.length, lines.length);
  const byNo = new Map(lines.map((line) => [line.lineNo, line]));
  for (const hub of hubLines) {
    const line = byNo.get(hub.line_no);
    if (line === undefined) return `line ${hub.line_no} is not there`;
    for (const [what, ours, theirs] of fieldsOf(hub, line))
      if (ours !== theirs) return differs(`line ${hub.line_no} ${what}`, ours, theirs);
  }
  return undefined;
}

function erpDifference(order: HubOrder, held: ErpOrder): string | undefined {
  return firstDifference(
    [
      ['count', 1, held.count],
      ['account', order.account, held.account],
      ['currency', order.currency, held.currency],
      ['total', order.total_minor, held.totalMinor],
    ],
    order.lines,
    held.lines,
    (hub, line) => [
      ['SKU', hub.sku, line.sku],
      ['quantity', hub.quantity, line.quantity],
      ['amount', hub.amount_minor, line.amountMinor],
      ['cancelled', hub.cancelled, line.cancelled],
      ['cancelled amount', hub.cancelled_minor, line.cancelledMinor],
      ['shipped', hub.shipped, line.shipped],
      ['invoiced', hub.invoiced, line.invoiced],
      ['invoiced amount', hub.invoiced_minor, line.invoicedMinor],
      ['returned', hub.returned, line.returned],
      ['credited amount', hub.credited_minor, line.creditedMinor],
    ],
  );
}

function crmDifference(order: HubOrder, held: CrmOrder): string | undefined {
  return firstDifference(
    [
      ['status', order.state, held.status],
      ['account', order.account, held.account],
      ['currency', order.currency, held.currency],
      ['total', order.total_minor, held.totalMinor],
    ],
    order.lines,
    held.lines,
    (hub, line) => [
      ['SKU', hub.sku, line.sku],
      ['quantity', hub.quantity, line.quantity],
      ['amount', hub.amount_minor, line.amountMinor],
      ['cancelled', hub.cancelled, line.cancelled],
      ['backordered', hub.backordered, line.backordered],
      ['refused', hub.refused, line.refused],
      ['shipped', hub.shipped, line.shipped],
      ['invoiced', hub.invoiced, line.invoiced],
      ['returned', hub.returned, line.returned],
    ],
  );
}

function channelDifference(order: HubOrder, held: ChannelOrder): string | undefined {
  return firstDifference(
    [
      ['status', order.state, held.status],
      ['account', order.account, held.account],
      ['total', order.total_minor, held.totalMinor],
    ],
    order.lines,
    held.lines,
    (hub, line) => [
      ['SKU', hub.sku, line.sku],
      ['quantity', hub.quantity, line.quantity],
      ['price', plainDecimal(hub.unit_price), plainDecimal(line.unitPrice)],
      ['within', hub.within, line.within],
      ['cancelled', hub.cancelled, line.cancelled],
      ['backordered', hub.backordered, line.backordered],
      ['refused', hub.refused, line.refused],
      ['shipped', hub.shipped, line.shipped],
      ['returned', hub.returned, line.returned],
    ],
  );
}

function differentWithin(order: HubOrder, held: ChannelOrder): number {
  const byNo = new Map(held.lines.map((line) => [line.lineNo, line.within]));
  return order.lines.filter((line) => line.within !== (byNo.get(line.line_no) ?? 0)).length;
}

/** "2.50" and "2.5" are one price. */
function plainDecimal(text: string): string {
  return text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text;
}
