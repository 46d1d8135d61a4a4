/** The WMS of a mutated run: what it was asked for, found, lost and took back, per order line; and every unit on its shelves explained. */
import type { Findings } from '../findings.ts';
import { feed, truth } from '../pages.ts';
import { readLines } from '../promises/world.ts';
import type { Source } from '../source.ts';
import { noParity } from '../tally.ts';
import type { Warehouse } from '../warehouse.ts';

interface Inspected {
  lineNo: number;
  sku: string;
  restock: number;
  scrap: number;
  quarantine: number;
  from: string;
  credited: boolean;
}
interface StockEvent {
  seq: number;
  type: 'picked' | 'short_picked' | 'shipped' | 'received' | 'adjusted' | 'returned' | 'inspected';
  location: string;
  reference: string;
  order: string | null;
  lines: { lineNo: number; sku: string; quantity: number }[];
}
interface Fulfilment {
  key: string;
  order: string;
  location: string;
  stage: string;
  lines: {
    lineNo: number;
    sku: string;
    quantity: number;
    cancelled: number;
    picked: number;
    shipped: number;
    short?: number;
  }[];
}
interface Return {
  key: string;
  order: string;
  arrived: boolean;
  lines: { lineNo: number; sku: string; quantity: number }[];
  inspected?: Inspected[];
}

/** Of one line as the WMS knows it, `<order>/<lineNo>`. */
export interface Worked {
  sku: string;
  asked: number;
  cancelled: number;
  picked: number;
  shipped: number;
  short: number;
  /** Units that it was asked to stop, too late. */
  tooLate: number;
  cameBack: number;
  /** Of those: good or gone, and those of them that are to be paid back. */
  decided: number;
  credited: number;
}
export interface MutatedWarehouse extends Warehouse {
  work: Map<string, Worked>;
  counts: {
    shortPicks: number;
    shortUnits: number;
    writtenOff: number;
    restocked: number;
    scrapped: number;
    quarantined: number;
  };
}

const noWork = (sku: string): Worked => ({
  ...{ sku, asked: 0, cancelled: 0, picked: 0, shipped: 0, short: 0 },
  ...{ tooLate: 0, cameBack: 0, decided: 0, credited: 0 },
});

export async function judgeWarehouse(
  source: Source,
  findings: Findings,
  url: string,
  journal: string,
): Promise<MutatedWarehouse> {
  const work = new Map<string, Worked>();
  const at = (order: string, lineNo: number, sku: string): Worked => {
    const key = `${order}/${lineNo}`;
    const found = work.get(key) ?? noWork(sku);
    work.set(key, found);
    if (found.sku !== sku) findings.add('sku', 'wms', key, found.sku, sku);
    return found;
  };
  const free = new Map<string, number>();
  const add = (sums: Map<string, number>, key: string, units: number): void =>
    void sums.set(key, (sums.get(key) ?? 0) + units);
  const toPick = new Map<string, number>();
  const fulfilments = new Map<string, Fulfilment>();
  for await (const fulfilment of truth<Fulfilment>(url, 'fulfilments')) {
    fulfilments.set(fulfilment.key, fulfilment);
    if (fulfilment.stage === 'waiting') findings.add('waits_for_stock', 'wms', fulfilment.key, null, fulfilment.stage);
    for (const { lineNo, sku, quantity, cancelled, picked, shipped, short = 0 } of fulfilment.lines) {
      const line = at(fulfilment.order, lineNo, sku);
      line.asked += quantity;
      line.cancelled += cancelled;
      line.picked += picked;
      line.shipped += shipped;
      line.short += short;
      const open = quantity - cancelled - picked - short;
      if (open > 0) {
        add(free, sku, -open);
        add(toPick, `${fulfilment.location}/${sku}`, open);
      }
      findings.same('picked_and_kept', 'wms', `${fulfilment.key}/${lineNo}`, picked, shipped);
    }
  }
  const returns = new Set<string>();
  for await (const back of truth<Return>(url, 'returns')) {
    returns.add(back.key);
    if (!back.arrived) findings.add('return_under_way', 'wms', back.key, null, back.order);
    for (const { lineNo, sku, quantity } of back.lines) at(back.order, lineNo, sku).cameBack += quantity;
    judgeInspection(findings, back, at);
  }
  for await (const entry of readLines<{ fulfilment: string; lines: [number, number, number][] }>(
    journal,
    /^\{"do":"cancel"/,
  )) {
    const fulfilment = fulfilments.get(entry.fulfilment)!;
    for (const [lineNo, , tooLate] of entry.lines) {
      const { sku } = fulfilment.lines.find((line) => line.lineNo === lineNo)!;
      at(fulfilment.order, lineNo, sku).tooLate += tooLate;
    }
  }
  const { onHand, units, counts } = await judgeShelves(source, findings, url, fulfilments);
  for (const [key, held] of onHand) add(free, key.slice(key.indexOf('/') + 1), held);
  const parity = noParity();
  parity.orders = new Set([...fulfilments.values()].map(({ order }) => order)).size;
  parity.lines = work.size;
  return { parity, free, onHand, toPick, fulfilments: new Set(fulfilments.keys()), returns, units, work, counts };
}

/** Each unit that came in was looked at once, and what was set apart was decided once. */
function judgeInspection(
  findings: Findings,
  back: Return,
  at: (order: string, lineNo: number, sku: string) => Worked,
): void {
  for (const { lineNo, sku, quantity } of back.lines) {
    const line = at(back.order, lineNo, sku);
    const seen = (back.inspected ?? []).filter((one) => one.lineNo === lineNo);
    const of = (from: string) => seen.filter((one) => one.from === from);
    const looked = of('receipt').reduce((sum, one) => sum + one.restock + one.scrap + one.quarantine, 0);
    const apart = of('receipt').reduce((sum, one) => sum + one.quarantine, 0);
    const decided = of('quarantine').reduce((sum, one) => sum + one.restock + one.scrap, 0);
    findings.same('inspected', 'wms', `${back.key}/${lineNo}`, quantity, looked);
    findings.same('quarantine_decided', 'wms', `${back.key}/${lineNo}`, apart, decided);
    for (const { restock, scrap, credited } of seen) {
      line.decided += restock + scrap;
      if (credited) line.credited += restock + scrap;
    }
  }
}

/** On hand is what events add up to; goods come as planned, and go as picks, write-offs that were granted, or units that were not found. */
async function judgeShelves(
  source: Source,
  findings: Findings,
  url: string,
  fulfilments: ReadonlyMap<string, Fulfilment>,
) {
  const units = { onHand: 0, received: 0, picked: 0, shipped: 0, returned: 0, adjusted: 0 };
  const counts = { shortPicks: 0, shortUnits: 0, writtenOff: 0, restocked: 0, scrapped: 0, quarantined: 0 };
  const byPlace = new Map<string, number>();
  const received = new Map<string, number>();
  const adjusted = new Map<string, number>();
  const lost = new Map<string, number>();
  const add = (sums: Map<string, number>, key: string, by: number): void =>
    void sums.set(key, (sums.get(key) ?? 0) + by);
  const move = (location: string, sku: string, by: number): void => {
    add(byPlace, `${location}/${sku}`, by);
    if (byPlace.get(`${location}/${sku}`)! < 0)
      findings.add('negative', 'wms', `${location}/${sku}`, 0, byPlace.get(`${location}/${sku}`)!);
  };
  for await (const event of feed<StockEvent>(url)) {
    const { type, location, reference } = event;
    if (type === 'inspected') {
      for (const { sku, restock, scrap, quarantine } of event.lines as unknown as Inspected[]) {
        move(location, sku, restock);
        units.returned += restock;
        counts.restocked += restock;
        counts.scrapped += scrap;
        counts.quarantined += quarantine;
      }
      continue;
    }
    if (type === 'short_picked') counts.shortPicks += 1;
    for (const { sku, quantity } of event.lines) {
      if (type === 'short_picked') {
        counts.shortUnits += quantity;
        add(lost, `${reference} ${location}/${sku}`, quantity);
        if (!fulfilments.has(reference)) findings.add('short_of_nothing', 'wms', reference, null, quantity);
        continue;
      }
      // On hand only as far as somebody looked at it.
      if (type === 'returned') continue;
      units[type] += quantity;
      if (type === 'shipped') continue;
      move(location, sku, type === 'picked' ? -quantity : quantity);
      if (type === 'received') add(received, sku, quantity);
      if (type !== 'adjusted') continue;
      if (!reference.startsWith('short:')) {
        add(adjusted, sku, quantity);
        continue;
      }
      counts.writtenOff -= quantity;
      add(lost, `${reference.slice('short:'.length)} ${location}/${sku}`, quantity);
    }
  }
  for (const [key, left] of lost) if (left !== 0) findings.add('not_found_and_kept', 'wms', key, 0, left);
  const onHand = new Map<string, number>();
  for await (const stock of truth<{ key: string; onHand: number }>(url, 'stock')) {
    findings.same('on_hand', 'wms', stock.key, byPlace.get(stock.key) ?? 0, stock.onHand);
    byPlace.delete(stock.key);
    onHand.set(stock.key, stock.onHand);
    units.onHand += stock.onHand;
  }
  for (const [key, sum] of byPlace) if (sum !== 0) findings.add('on_hand', 'wms', key, sum, null);
  for (const sku of new Set([...received.keys(), ...source.received.keys()]))
    findings.same('received', 'wms', sku, source.received.get(sku) ?? 0, received.get(sku) ?? 0);
  for (const [sku, sum] of adjusted) {
    const most = source.writtenOffMax.get(sku) ?? 0;
    if (sum > 0 || -sum > most) findings.add('written_off', 'wms', sku, -most, sum);
  }
  return { onHand, units, counts };
}
