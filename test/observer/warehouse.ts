/** The WMS against itself (its stock is what its events add up to), against the plan and against what the ERP posted. */
import type { Findings } from './findings.ts';
import { feed, truth } from './pages.ts';
import type { Source } from './source.ts';
import { noParity, type Parity, type Tally } from './tally.ts';

interface Fulfilment {
  key: string;
  order: string;
  location: string;
  stage: string;
  lines: { lineNo: number; sku: string; quantity: number; cancelled: number; picked: number; shipped: number }[];
}
interface Return {
  key: string;
  order: string;
  arrived: boolean;
  lines: { lineNo: number; sku: string; quantity: number }[];
}
interface StockEvent {
  seq: number;
  type: 'picked' | 'shipped' | 'received' | 'adjusted' | 'returned';
  location: string;
  reference: string;
  lines: { sku: string; quantity: number }[];
}

export interface Warehouse {
  parity: Parity;
  /** On hand less what is released and not picked yet, by SKU over all locations: nobody may be shown more. */
  free: Map<string, number>;
  onHand: Map<string, number>;
  /** Units it was asked for and has not picked, by location and SKU. */
  toPick: Map<string, number>;
  /** What it was asked to do, by our references. */
  fulfilments: Set<string>;
  returns: Set<string>;
  units: { onHand: number; received: number; picked: number; shipped: number; returned: number; adjusted: number };
}

export async function compareWarehouse(
  source: Source,
  findings: Findings,
  url: string,
  erp: Tally,
): Promise<Warehouse> {
  const free = new Map<string, number>();
  const toPick = new Map<string, number>();
  const fulfilments = new Set<string>();
  const returns = new Set<string>();
  const add = (sums: Map<string, number>, key: string, units: number): void => {
    sums.set(key, (sums.get(key) ?? 0) + units);
  };
  const shipped = new Int32Array(source.rows);
  const returned = new Int32Array(source.rows);
  const parity = noParity();
  const touched = new Set<number>();

  const rowOf = (order: string, lineNo: number, sku: string, what: string): number | undefined => {
    const place = source.findOrder(order);
    const row = place === undefined ? undefined : source.findRow(source.orders[place]!, lineNo);
    if (row === undefined || source.sku(row) !== sku) {
      parity.extra += 1;
      findings.add(what, 'wms', `${order}/${lineNo}`, row === undefined ? null : source.sku(row), sku);
      return undefined;
    }
    touched.add(place!);
    return row;
  };

  for await (const fulfilment of truth<Fulfilment>(url, 'fulfilments')) {
    fulfilments.add(fulfilment.key);
    if (fulfilment.stage === 'waiting') findings.add('waits_for_stock', 'wms', fulfilment.key, null, fulfilment.stage);
    for (const line of fulfilment.lines) {
      const open = line.quantity - line.cancelled - line.picked;
      if (open > 0) {
        add(free, line.sku, -open);
        add(toPick, `${fulfilment.location}/${line.sku}`, open);
      }
      const row = rowOf(fulfilment.order, line.lineNo, line.sku, 'fulfilment_of_nothing');
      if (row !== undefined) shipped[row]! += line.shipped;
    }
  }
  for await (const back of truth<Return>(url, 'returns')) {
    returns.add(back.key);
    if (!back.arrived) findings.add('return_under_way', 'wms', back.key, null, back.order);
    for (const line of back.lines) {
      const row = rowOf(back.order, line.lineNo, line.sku, 'return_of_nothing');
      if (row !== undefined) returned[row]! += line.quantity;
    }
  }
  parity.orders = touched.size;
  for (const order of source.orders) {
    let isSame = true;
    for (const row of order.rows) {
      if (shipped[row]! > 0) parity.lines += 1;
      const key = source.key(order, row);
      isSame = findings.same('shipped', 'wms', key, erp.shipped[row]!, shipped[row]!) && isSame;
      isSame = findings.same('returned', 'wms', key, erp.returned[row]!, returned[row]!) && isSame;
    }
    if (!isSame) parity.different += 1;
  }

  const { units, byPlace, received, adjusted } = await addUpEvents(findings, url);
  const onHand = new Map<string, number>();
  for await (const stock of truth<{ key: string; onHand: number }>(url, 'stock')) {
    findings.same('on_hand', 'wms', stock.key, byPlace.get(stock.key) ?? 0, stock.onHand);
    byPlace.delete(stock.key);
    onHand.set(stock.key, stock.onHand);
    units.onHand += stock.onHand;
    add(free, stock.key.slice(stock.key.indexOf('/') + 1), stock.onHand);
  }
  for (const [key, sum] of byPlace) if (sum !== 0) findings.add('on_hand', 'wms', key, sum, null);
  for (const sku of new Set([...received.keys(), ...source.received.keys()])) {
    findings.same('received', 'wms', sku, source.received.get(sku) ?? 0, received.get(sku) ?? 0);
  }
  for (const [sku, sum] of adjusted) {
    const most = source.writtenOffMax.get(sku) ?? 0;
    if (sum > 0 || -sum > most) findings.add('written_off', 'wms', sku, -most, sum);
  }
  return { parity, free, onHand, toPick, fulfilments, returns, units };
}

async function addUpEvents(findings: Findings, url: string) {
  const units: Warehouse['units'] = { onHand: 0, received: 0, picked: 0, shipped: 0, returned: 0, adjusted: 0 };
  const byPlace = new Map<string, number>();
  const received = new Map<string, number>();
  const adjusted = new Map<string, number>();
  for await (const event of feed<StockEvent>(url)) {
    for (const { sku, quantity } of event.lines) {
      units[event.type] += quantity;
      if (event.type === 'shipped') continue;
      const key = `${event.location}/${sku}`;
      const sum = (byPlace.get(key) ?? 0) + (event.type === 'picked' ? -quantity : quantity);
      byPlace.set(key, sum);
      if (sum < 0) findings.add('negative', 'wms', key, 0, sum);
      if (event.type === 'received') received.set(sku, (received.get(sku) ?? 0) + quantity);
      if (event.type === 'adjusted') adjusted.set(sku, (adjusted.get(sku) ?? 0) + quantity);
    }
  }
  return { units, byPlace, received, adjusted };
}
