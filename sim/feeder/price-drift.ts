/** How an ERP's prices move while orders come: a few per cent up and down, and now and then a mistake that somebody corrects. Pure. */
import type { Plan } from './plan.ts';
import { hash32 } from './random.ts';

export interface PriceStep {
  sku: string;
  unitPrice: string;
  /** When, as a part of all that happens: 0 is the beginning, 1 the end. */
  place: number;
}

const STEPS_MAX = 4;
/** Per cent by which a step moves the price. */
const MOVE_MAX = 12;
const MISTAKES = 0.15;
/** A typing mistake: a tenth of the price. */
const MISTAKE_DIVISOR = 10n;
/** How long it takes until somebody sees it, as a part of all that happens. */
const MISTAKE_LASTS = 0.08;

/** @param share of the SKUs that were ever sold */
export function driftOf(plan: Plan, share: number): PriceStep[] {
  const { seed, table, basePrices } = plan;
  const steps: PriceStep[] = [];
  table.skus.list.forEach((sku, index) => {
    const base = basePrices[index];
    const number = (name: string, below: number) => hash32(`${seed}/drift/${name}/${sku}`) % below;
    if (base === undefined || number('moves', 10_000) >= share * 10_000) return;
    let minor = minorOf(base);
    if (minor === 0n) return;
    const count = 1 + number('steps', STEPS_MAX);
    for (let step = 0; step < count; step += 1) {
      const place = (step + number(`at${step}`, 1_000) / 1_000) / count;
      const percent = BigInt(100 - MOVE_MAX + number(`by${step}`, 2 * MOVE_MAX + 1));
      minor = (minor * percent) / 100n > 0n ? (minor * percent) / 100n : 1n;
      if (number(`mistake${step}`, 1_000) < MISTAKES * 1_000)
        steps.push({ sku, unitPrice: decimalOf(minor > MISTAKE_DIVISOR ? minor / MISTAKE_DIVISOR : 1n), place });
      steps.push({ sku, unitPrice: decimalOf(minor), place: Math.min(1, place + MISTAKE_LASTS) });
    }
  });
  return steps.sort((a, b) => a.place - b.place || (a.sku < b.sku ? -1 : a.sku > b.sku ? 1 : 0));
}

/** Of a price of two places and more, what of it is whole minor units. */
function minorOf(price: string): bigint {
  const [whole = '0', part = ''] = price.split('.');
  return BigInt(whole) * 100n + BigInt(part.padEnd(2, '0').slice(0, 2));
}

function decimalOf(minor: bigint): string {
  return `${minor / 100n}.${String(minor % 100n).padStart(2, '0')}`;
}
