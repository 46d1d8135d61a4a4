/** What differs between the price decided here and one that was found elsewhere. Pure. */
import { amountMinor } from '../canonical/index.ts';
import { type DecidedPrice, isWithin, percentOf } from '../pricing/index.ts';

export interface FoundPrice {
  unitPrice: string;
  pricePer: number;
  currency: string;
}

export type PriceFindingKind =
  /** Another amount for the quantity. */
  | 'differs'
  /** A price in another currency. Nothing is converted: how much they differ is not known. */
  | 'other_currency'
  /** There is a price here and none there. */
  | 'missing'
  /** There is a price there and none here. */
  | 'unexpected'
  /** What it was to be told is not known to be there. */
  | 'not_confirmed';

export interface PriceFinding {
  /** A system's code, `orders` or `invoices`. */
  where: string;
  kind: PriceFindingKind;
  account: string | null;
  sku: string;
  quantity: number;
  date: string;
  /** Of an order's line: `<channel>/<number> <line>`. */
  line: string | null;
  decided: (FoundPrice & { source: string; name: string }) | null;
  found: FoundPrice | null;
  decidedMinor: number | null;
  foundMinor: number | null;
  differenceMinor: number | null;
  /** Of the decided amount. */
  percent: string | null;
  /** What was done about it, or why it is so, where that is known. */
  note: string | null;
}

export interface Tolerance {
  tolerancePercent: string;
  toleranceMinor: number;
}

type Compared = Pick<
  PriceFinding,
  'kind' | 'decided' | 'found' | 'decidedMinor' | 'foundMinor' | 'differenceMinor' | 'percent'
>;

/** @returns nothing where the two agree */
export function comparePrices(
  quantity: number,
  decided: DecidedPrice | null,
  found: FoundPrice | null,
  tolerance: Tolerance,
): Compared | undefined {
  const told = decidedOf(decided);
  const amountOf = (price: FoundPrice | null) =>
    price === null ? null : amountMinor(price.unitPrice, quantity, price.currency, price.pricePer);
  const [decidedMinor, foundMinor] = [amountOf(told), amountOf(found)];
  const sides = { decided: told, found, decidedMinor, foundMinor, differenceMinor: null, percent: null };
  if (told === null || found === null) {
    if (told === found) return undefined;
    return { ...sides, kind: told === null ? 'unexpected' : 'missing' };
  }
  if (told.currency !== found.currency) return { ...sides, kind: 'other_currency' };
  return differing(sides, tolerance);
}

/** Amounts of what is the same by name, e.g. what was invoiced, and what it would have been. */
export function compareAmounts(
  decided: DecidedPrice | null,
  decidedMinor: number | null,
  foundMinor: number,
  tolerance: Tolerance,
): Compared | undefined {
  const sides = { decided: decidedOf(decided), found: null, decidedMinor, foundMinor };
  if (decidedMinor === null) return { ...sides, kind: 'unexpected', differenceMinor: null, percent: null };
  return differing({ ...sides, differenceMinor: null, percent: null }, tolerance);
}

function differing(sides: Omit<Compared, 'kind'>, tolerance: Tolerance): Compared | undefined {
  const { decidedMinor, foundMinor } = sides;
  if (isWithin(foundMinor!, decidedMinor!, tolerance)) return undefined;
  const differenceMinor = foundMinor! - decidedMinor!;
  return { ...sides, kind: 'differs', differenceMinor, percent: percentOf(differenceMinor, decidedMinor!) };
}

function decidedOf(price: DecidedPrice | null): PriceFinding['decided'] {
  if (price === null) return null;
  const { unitPrice, pricePer, currency, source, name } = price;
  return { unitPrice, pricePer, currency, source, name };
}
