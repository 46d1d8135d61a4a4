/**
 * A kit that is ordered: the line stands as it was ordered, and lines for what it is made of stand for its units, all of them only together. Their
 * amounts are shares of the kit's, so that everything that happens to them adds up to what was ordered. Pure, as `decide`.
 */
import { amountMinor, apportion, decimalOfMicros, isWholeMinor, minorMicros, taxOfUnits } from '../canonical/index.ts';
import type { AcceptedLine, KitPart } from './types.ts';

/** Lines of this hub's own begin above this: who ordered may go on numbering its own. */
export const OWN_LINES_ABOVE = 100_000;

interface Priced {
  unitPrice: string;
  pricePer: number;
  amountMinor: number;
}

/**
 * What each part of so many kits costs. At a price of whole minor units each kit is shared in the same way, so that any number of kits is worth what
 * was ordered; at another price the amount of all of them is shared.
 */
export function sharedPrices(
  { unitPrice, pricePer }: { unitPrice: string; pricePer?: number | undefined },
  kits: number,
  currency: string,
  parts: readonly KitPart[],
): Priced[] {
  const isWhole = isWholeMinor(unitPrice, currency, pricePer);
  const ofKits = isWhole ? 1 : kits;
  const shares = sharesOf(amountMinor(unitPrice, ofKits, currency, pricePer), ofKits, parts);
  return parts.map(({ quantity }, i) => {
    const price = priceOf(shares[i]!, quantity * ofKits, currency);
    return { ...price, amountMinor: amountMinor(price.unitPrice, quantity * kits, currency, price.pricePer) };
  });
}

/** By weight; where a part comes once in a kit it takes what would leave the others without a price of one. */
function sharesOf(totalMinor: number, kits: number, parts: readonly KitPart[]): number[] {
  const isWeighed = parts.every(({ weight }) => weight > 0);
  const shares = apportion(
    totalMinor,
    parts.map(({ quantity, weight }) => (isWeighed ? weight : quantity)),
  );
  const once = kits === 1 ? parts.findIndex(({ quantity }) => quantity === 1) : -1;
  if (once >= 0)
    parts.forEach(({ quantity }, i) => {
      const rest = shares[i]! % quantity;
      shares[i]! -= rest;
      shares[once]! += rest;
    });
  return shares;
}

/** An amount for so many units, as the price of as few of them as it is exact for. */
function priceOf(minor: number, units: number, currency: string): Omit<Priced, 'amountMinor'> {
  const micros = BigInt(minor) * minorMicros(currency);
  const common = divisor(micros, BigInt(units));
  return { unitPrice: decimalOfMicros(micros / common), pricePer: Number(BigInt(units) / common) };
}

function divisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : divisor(b, a % b);
}

/** Lines for the parts of a kit's units that were accepted, of which some wait; the kit's line gives these units up to them. */
export function kitLines(
  kit: AcceptedLine,
  kits: number,
  waiting: number,
  parts: readonly KitPart[],
  lineNos: readonly number[],
  currency: string,
): AcceptedLine[] {
  if (kits === 0) return [];
  const prices = sharedPrices(kit, kits, currency, parts);
  const tax = taxOfUnits(kit.taxMinor ?? 0, kits, kit.quantity);
  const taxes = apportion(
    tax,
    prices.map((price) => price.amountMinor),
  );
  return parts.map(({ skuId, quantity }, i): AcceptedLine => {
    const { pricePer, ...price } = prices[i]!;
    return {
      ...{ lineNo: lineNos[i]!, skuId, quantity: quantity * kits, ...price },
      ...(pricePer !== 1 && { pricePer }),
      ...(taxes[i] !== 0 && { taxMinor: taxes[i]! }),
      ...{ within: 0, withinShort: 0, backordered: quantity * waiting, refused: 0 },
      ...{ standsFor: kit.lineNo, perUnit: quantity, setNo: lineNos[0]! },
    };
  });
}
