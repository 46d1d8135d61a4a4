/**
 * The stock of a year: 60 % of each SKU's demand before the first order, 30 % of it in deliveries over the year, so that
 * shortages happen, are filled and some remain. Everything is decided by the seed and the SKU, nothing by chance.
 */
import { hash32, seeded } from './random.ts';

export const LOCATIONS = ['LON', 'MAN', 'GLA'] as const;
export type Location = (typeof LOCATIONS)[number];

export const RECEIPT_LINES_MAX = 500;
const WEEK_SECONDS = 7 * 24 * 3600;
const DAY_SECONDS = 24 * 3600;
/** A SKU is delivered every fourth week or so, the weeks of one SKU differing from those of the next. */
const WEEKS_BETWEEN_DELIVERIES = 4;

export interface ReceiptLine {
  sku: string;
  quantity: number;
}
export interface Receipt {
  reference: string;
  location: Location;
  /** Seconds since 1970, UTC. */
  at: number;
  lines: ReceiptLine[];
}

/** Tenths of a quantity, rounded half up. */
export function tenthsOf(quantity: number, tenths: number): number {
  return Math.floor((quantity * tenths + 5) / 10);
}

export function openingOf(demand: number): number {
  return tenthsOf(demand, 6);
}
export function suppliedOf(demand: number): number {
  return tenthsOf(demand, 3);
}

/** Shares of the three locations for one SKU: each between a ninth and seven ninths or so. */
function weightsOf(seed: number, sku: string): [number, number, number] {
  const weight = (location: Location): number => 20 + seeded(seed, `share/${sku}/${location}`, 81);
  return [weight('LON'), weight('MAN'), weight('GLA')];
}

/** @returns whole units per location that add up to `total` */
export function spread(seed: number, sku: string, total: number): [number, number, number] {
  const [a, b, c] = weightsOf(seed, sku);
  const sum = a + b + c;
  const first = Math.floor((total * a) / sum);
  const second = Math.floor((total * (a + b)) / sum) - first;
  return [first, second, total - first - second];
}

/** Where a SKU mostly lies, and where a person would go to write it off. */
export function homeOf(seed: number, sku: string): Location {
  const weights = weightsOf(seed, sku);
  return LOCATIONS[weights.indexOf(Math.max(...weights))]!;
}

function batched(prefix: string, location: Location, at: number, lines: ReceiptLine[]): Receipt[] {
  const receipts: Receipt[] = [];
  for (let index = 0; index < lines.length; index += RECEIPT_LINES_MAX) {
    const number = index / RECEIPT_LINES_MAX + 1;
    receipts.push({
      reference: `${prefix}/${location}/${number}`,
      location,
      at,
      lines: lines.slice(index, index + RECEIPT_LINES_MAX),
    });
  }
  return receipts;
}

export interface StockPlan {
  opening: Receipt[];
  weekly: Receipt[];
  openingUnits: number;
  weeklyUnits: number;
}

/** @param demand units ordered by SKU; @param first, @param last seconds of the first and the last order */
export function planStock(seed: number, demand: ReadonlyMap<string, number>, first: number, last: number): StockPlan {
  const plan: StockPlan = { opening: [], weekly: [], openingUnits: 0, weeklyUnits: 0 };
  const weeks = Math.max(1, Math.ceil((last - first) / WEEK_SECONDS));
  const opening = LOCATIONS.map((): ReceiptLine[] => []);
  const weekly = Array.from({ length: weeks }, () => LOCATIONS.map((): ReceiptLine[] => []));
  for (const [sku, units] of demand) {
    const atStart = openingOf(units);
    plan.openingUnits += atStart;
    spread(seed, sku, atStart).forEach((quantity, index) => {
      if (quantity > 0) opening[index]!.push({ sku, quantity });
    });

    const supplied = suppliedOf(units);
    plan.weeklyUnits += supplied;
    const deliveries = Math.min(supplied, Math.max(1, Math.floor(weeks / WEEKS_BETWEEN_DELIVERIES)));
    const phase = seeded(seed, `phase/${sku}`, weeks);
    let sent = 0;
    for (let delivery = 0; delivery < deliveries; delivery += 1) {
      const week = (phase + Math.floor((delivery * weeks) / deliveries)) % weeks;
      const due = Math.floor((supplied * (delivery + 1)) / deliveries);
      const location = hash32(`${seed}/delivery/${sku}/${delivery}`) % LOCATIONS.length;
      weekly[week]![location]!.push({ sku, quantity: due - sent });
      sent = due;
    }
  }
  LOCATIONS.forEach((location, index) => {
    plan.opening.push(...batched('opening', location, first - DAY_SECONDS, opening[index]!));
  });
  for (let week = 0; week < weeks; week += 1) {
    // Mid-week, so that the last delivery comes before the last order also when the file is a single day.
    const at = first + Math.floor(((week + 0.5) * (last - first)) / weeks);
    LOCATIONS.forEach((location, index) => {
      plan.weekly.push(...batched(`weekly/${week + 1}`, location, at, weekly[week]![index]!));
    });
  }
  return plan;
}
