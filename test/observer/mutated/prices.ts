/** Prices that move: orders of the API beyond the tolerance are held, and no others; whichever of the SKU's prices held when it was looked. */
import type { Plan } from '../../../sim/feeder/plan.ts';
import type { Findings } from '../findings.ts';
import { feed } from '../pages.ts';
import type { Source } from '../source.ts';
import type { ErpOrder } from './held.ts';
import type { Wishes } from './wishes.ts';

export interface PriceCounts {
  moved: number;
  held: number;
  releasedByPerson: number;
}
interface Known {
  held: ReadonlyMap<string, string[]>;
  wishes: Wishes;
  source: Source;
  plan: Plan;
  erp: ReadonlyMap<string, ErpOrder>;
}

/** As examples/wholesaler/exceptions.config.ts declares it. */
const CHECKED = 'api';
const TOLERANCE_PERCENT = 300n;
const PLACES = 6;

/** A decimal as whole millionths. */
function micros(text: string): bigint {
  const [whole = '0', part = ''] = text.split('.');
  return BigInt(whole + part.padEnd(PLACES, '0').slice(0, PLACES));
}

export async function judgePrices(findings: Findings, url: string, known: Known): Promise<PriceCounts> {
  const { held, wishes, source, plan, erp } = known;
  const prices = new Map<string, bigint[]>();
  const add = (sku: string, price: string) => prices.set(sku, [...(prices.get(sku) ?? []), micros(price)]);
  plan.table.skus.list.forEach((sku, index) => {
    const base = plan.basePrices[index];
    if (base !== undefined) add(sku, base);
  });
  let moved = 0;
  for await (const record of feed<{ seq: number; kind: string; sku: string; unitPrice: string }>(url)) {
    if (record.kind !== 'price') continue;
    moved += 1;
    add(record.sku, record.unitPrice);
  }
  const released = new Set(wishes.released.filter(({ kind }) => kind === 'price').map(({ order }) => order));
  const beyond = (asked: bigint, price: bigint) => {
    const apart = asked > price ? asked - price : price - asked;
    return apart * 100n > price * TOLERANCE_PERCENT;
  };
  let count = 0;
  for (const order of source.orders) {
    const reference = `${order.channel}/${order.number}`;
    const isHeld = held.get(reference)?.includes('price') === true;
    if (isHeld) count += 1;
    if (isHeld && order.channel !== CHECKED) findings.add('held_unchecked', 'hub', reference, order.channel, 'price');
    if (order.channel !== CHECKED) continue;
    const lines = order.rows.map((row) => ({
      asked: micros(source.unitPrice(row)),
      of: prices.get(source.sku(row)) ?? [],
    }));
    const mayBeHeld = lines.some(({ asked, of }) => of.some((price) => beyond(asked, price)));
    const mustBeHeld = lines.some(({ asked, of }) => of.every((price) => beyond(asked, price)));
    if ((isHeld || released.has(reference)) && !mayBeHeld)
      findings.add('held_at_its_price', 'hub', reference, null, 'price');
    if (mustBeHeld && erp.has(reference) && !released.has(reference))
      findings.add('beyond_tolerance', 'erp', reference, null, reference);
  }
  return { moved, held: count, releasedByPerson: released.size };
}
