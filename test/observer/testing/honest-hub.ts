/**
 * A hub so simple that it can be checked by reading: when everybody has bought, it takes all orders one after the other,
 * gives what is on the shelves and tells every system. Its end state is what the observer must find nothing wrong with.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { amountMinor } from '../../../sim/feeder/money.ts';
import { truth } from '../pages.ts';

export type Urls = Record<'shop' | 'marketplace' | 'crm' | 'erp' | 'wms', string>;

export interface TakenOrder {
  number: string;
  channel: string;
  account: string;
  orderedAt: string;
  lines: { lineNo: number; sku: string; quantity: number; unitPrice: string }[];
}
export interface TakenCancel {
  lines: { order: string | null; lineNo: number | null; quantity: number }[];
}
export interface TakenCharge {
  reference: string;
  quantity: number;
  unitPrice: string;
  [field: string]: unknown;
}

interface Given {
  lineNo: number;
  sku: string;
  quantity: number;
  unitPrice: string;
  refused: number;
  cancelled: number;
  shipped: number;
  returned: number;
  from: Map<string, number>;
}

const TOKEN = 't';
const TOTAL = { company: 'UK', currency: 'GBP' };

export async function call(url: string, body: unknown): Promise<{ results: { status: number }[] }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { results: { status: number }[] };
  if (!response.ok) throw new Error(`${url}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

async function all(url: string, field: string, items: unknown[], chunk = 50): Promise<void> {
  for (let from = 0; from < items.length; from += chunk) {
    const { results } = await call(url, { [field]: items.slice(from, from + chunk) });
    const refused = results.find((result) => result.status >= 300);
    if (refused !== undefined) throw new Error(`${url}: ${JSON.stringify(refused)}`);
  }
}

async function settled(...urls: string[]): Promise<void> {
  for (const url of urls) {
    for (;;) {
      const stats = (await (await fetch(`${url}/_control/stats`)).json()) as { pending: number };
      if (stats.pending === 0) break;
      await sleep(5);
    }
  }
}

async function shelves(wms: string): Promise<Map<string, number>> {
  const stock = new Map<string, number>();
  for await (const { key, onHand } of truth<{ key: string; onHand: number }>(wms, 'stock')) stock.set(key, onHand);
  return stock;
}

/**
 * Half of what is asked back is cancelled before the pick, the rest comes back as a return, if it left at all. A salesperson's
 * buyer does not wait: what is not there is refused.
 */
function give(order: TakenOrder, asked: ReadonlyMap<string, number>, stock: Map<string, number>): Given[] {
  return order.lines.map((line) => {
    const undone = asked.get(`${order.number}/${line.lineNo}`) ?? 0;
    const early = Math.floor(undone / 2);
    let wanted = line.quantity - early;
    const from = new Map<string, number>();
    for (const location of ['LON', 'MAN', 'GLA']) {
      const key = `${location}/${line.sku}`;
      const taken = Math.min(wanted, stock.get(key) ?? 0);
      if (taken === 0) continue;
      stock.set(key, stock.get(key)! - taken);
      from.set(location, taken);
      wanted -= taken;
    }
    const shipped = line.quantity - early - wanted;
    const returned = Math.min(shipped, undone - early);
    const refused = order.channel === 'crm' && undone === 0 ? wanted : 0;
    return { ...line, refused, cancelled: undone - returned, shipped, returned, from };
  });
}

const accepted = (line: Given): number => line.quantity - line.refused;
const amount = (line: Given, quantity: number, before = 0): number =>
  Number(amountMinor(line.unitPrice, before + quantity) - amountMinor(line.unitPrice, before));

export async function settleAll(
  urls: Urls,
  orders: TakenOrder[],
  cancels: TakenCancel[],
  charges: TakenCharge[],
): Promise<void> {
  const asked = new Map<string, number>();
  for (const { order, lineNo, quantity } of cancels.flatMap((cancel) => cancel.lines)) {
    if (order !== null) asked.set(`${order}/${lineNo}`, (asked.get(`${order}/${lineNo}`) ?? 0) + quantity);
  }
  const stock = await shelves(urls.wms);
  const given = orders.map((order) => ({ order, lines: give(order, asked, stock), reference: `UK/${order.number}` }));

  await all(
    `${urls.erp}/sales-orders/batch`,
    'orders',
    given.flatMap(({ order, lines, reference }) => {
      const taken = lines.filter((line) => accepted(line) > 0);
      if (taken.length === 0) return [];
      return {
        ...TOTAL,
        reference,
        account: order.account,
        orderedAt: order.orderedAt,
        totalMinor: taken.reduce((sum, line) => sum + amount(line, accepted(line)), 0),
        lines: taken.map((line) => ({
          lineNo: line.lineNo,
          sku: line.sku,
          quantity: accepted(line),
          unitPrice: line.unitPrice,
          amountMinor: amount(line, accepted(line)),
        })),
      };
    }),
  );
  const changes = (what: string, pick: (line: Given) => number, price: (line: Given) => number) =>
    given.flatMap(({ reference, lines }) => {
      const changed = lines.filter((line) => pick(line) > 0);
      if (changed.length === 0) return [];
      const of = changed.map((line) => ({ lineNo: line.lineNo, quantity: pick(line), amountMinor: price(line) }));
      return [{ reference: `${reference}/${what}`, order: reference, lines: of }];
    });
  const cancelled = changes(
    'cancel',
    (line) => line.cancelled,
    (line) => amount(line, line.cancelled),
  );
  await all(`${urls.erp}/cancellations/batch`, 'cancellations', cancelled);

  const fulfilments = given.flatMap(({ reference, lines }) =>
    [...new Set(lines.flatMap((line) => [...line.from.keys()]))].map((location) => ({
      reference: `${reference}/${location}`,
      order: reference,
      location,
      lines: lines
        .filter((line) => line.from.has(location))
        .map((line) => ({ lineNo: line.lineNo, sku: line.sku, quantity: line.from.get(location)! })),
    })),
  );
  await all(`${urls.wms}/fulfilments/batch`, 'fulfilments', fulfilments);
  await settled(urls.wms);
  // One shipment an order: a line that is done is invoiced with whatever of its amount was not cancelled.
  const rest = (line: Given): number =>
    line.shipped + line.cancelled === accepted(line)
      ? amount(line, accepted(line)) - amount(line, line.cancelled)
      : amount(line, line.shipped);
  const shipments = changes('ship', (line) => line.shipped, rest);
  const at = { location: 'LON', shippedAt: '2011-12-31T00:00:00Z' };
  await all(
    `${urls.erp}/shipments/batch`,
    'shipments',
    shipments.map((shipment) => ({ ...shipment, ...at })),
  );
  const returns = changes(
    'return',
    (line) => line.returned,
    (line) => amount(line, line.returned, accepted(line) - line.returned),
  );
  await all(`${urls.erp}/returns/batch`, 'returns', returns);
  const goods = given.flatMap(({ reference, lines }) => {
    const back = lines.filter((line) => line.returned > 0);
    if (back.length === 0) return [];
    const of = back.map((line) => ({ lineNo: line.lineNo, sku: line.sku, quantity: line.returned }));
    return [{ reference: `${reference}/return`, order: reference, location: 'LON', lines: of }];
  });
  await all(`${urls.wms}/returns/batch`, 'returns', goods);
  await settled(urls.erp, urls.wms);

  const state = { version: 2, status: 'settled' };
  const owed = (line: Given): number => accepted(line) - line.cancelled - line.shipped;
  await all(
    `${urls.crm}/orders/upsert`,
    'records',
    given.map(({ order, lines }) => ({
      ...state,
      externalId: order.number,
      account: order.account,
      currency: 'GBP',
      totalMinor: lines.reduce((sum, line) => sum + amount(line, line.quantity), 0),
      lines: lines.map((line) => ({
        lineNo: line.lineNo,
        sku: line.sku,
        quantity: line.quantity,
        amountMinor: amount(line, line.quantity),
        cancelled: line.cancelled,
        backordered: owed(line),
        refused: line.refused,
        shipped: line.shipped,
        invoiced: line.shipped,
        returned: line.returned,
      })),
    })),
  );
  for (const channel of ['shop', 'marketplace'] as const) {
    const items = given
      .filter(({ order }) => order.channel === channel)
      .map(({ order, lines }) => ({
        ...state,
        number: order.number,
        lines: lines.map((line) => ({ ...line, backordered: owed(line) })),
      }));
    await all(`${urls[channel]}/orders/status`, 'items', items);
  }
  await all(
    `${urls.erp}/charges/batch`,
    'charges',
    charges.map((charge) => ({ ...charge, amountMinor: Number(amountMinor(charge.unitPrice, charge.quantity)) })),
  );
  const left = [...(await shelves(urls.wms))].filter(([key]) => key.startsWith('LON/'));
  const numbers = left.map(([key, onHand]) => ({ sku: key.slice(4), from: null, to: Math.floor(onHand / 2) }));
  await all(`${urls.shop}/inventory/set`, 'items', numbers, 250);
}
