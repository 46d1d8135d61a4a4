/** An order's price beside the one decided here. Pure. */
import { amountMinor, decimalOf, nearest } from '../canonical/index.ts';
import type { ChannelPrices } from '../master/index.ts';
import type { DecidedPrice, PriceDecision, PriceSource } from './types.ts';

export interface AskedLine {
  lineNo: number;
  skuId: number;
  quantity: number;
  unitPrice: string;
  /** Base units that the unit price is for; default 1. */
  pricePer?: number;
}

/** A line whose price is not the decided one, beyond what its channel tolerates. */
export interface PriceDifference {
  lineNo: number;
  skuId: number;
  quantity: number;
  askedPrice: string;
  askedPer: number;
  askedMinor: number;
  /** null: there is no price. */
  decided: Pick<DecidedPrice, 'unitPrice' | 'pricePer'> | null;
  decidedMinor: number | null;
  source: PriceSource | null;
  /** The contract's code, or the list's. */
  name: string | null;
}

export type Tolerance = Pick<ChannelPrices, 'tolerancePercent' | 'toleranceMinor'>;

/** @returns nothing where the line's amount is within the tolerance of the decided one */
export function differenceOf(
  line: AskedLine,
  currency: string,
  { price }: PriceDecision,
  tolerance: Tolerance,
): PriceDifference | undefined {
  const askedPer = line.pricePer ?? 1;
  const { lineNo, skuId, quantity, unitPrice: askedPrice } = line;
  const askedMinor = amountMinor(askedPrice, quantity, currency, askedPer);
  const asked = { lineNo, skuId, quantity, askedPrice, askedPer, askedMinor };
  if (price === null) return { ...asked, decided: null, decidedMinor: null, source: null, name: null };
  const decidedMinor = amountMinor(price.unitPrice, quantity, currency, price.pricePer);
  if (isWithin(askedMinor, decidedMinor, tolerance)) return undefined;
  const { unitPrice, pricePer, source, name } = price;
  return { ...asked, decided: { unitPrice, pricePer }, decidedMinor, source, name };
}

/** Either tolerance is enough; both limits are inside. */
export function isWithin(askedMinor: number, decidedMinor: number, tolerance: Tolerance): boolean {
  const off = Math.abs(askedMinor - decidedMinor);
  return (
    off <= tolerance.toleranceMinor ||
    BigInt(off) * PERCENT <= BigInt(decidedMinor) * scaled(tolerance.tolerancePercent)
  );
}

const DIGITS = 4;
const PERCENT = 100n * 10n ** BigInt(DIGITS);

function scaled(percent: string): bigint {
  const [whole, fraction = ''] = percent.split('.');
  return BigInt(whole + fraction.padEnd(DIGITS, '0'));
}

/** Per cent of the decided amount, to two places, with its sign; null where that is 0. */
export function percentOf(differenceMinor: number, decidedMinor: number): string | null {
  if (decidedMinor === 0) return null;
  const hundredths = String(nearest(BigInt(Math.abs(differenceMinor)) * 10_000n, BigInt(decidedMinor))).padStart(
    3,
    '0',
  );
  return `${differenceMinor < 0 ? '-' : ''}${hundredths.slice(0, -2)}.${hundredths.slice(-2)}`;
}

const LINES_SHOWN_MAX = 5;

/** What a person who decides about a held order reads. */
export function differencesText(
  differences: readonly PriceDifference[],
  skuCode: (skuId: number) => string,
  currency: string,
  nameOf: (lineNo: number) => string = (lineNo) => `line ${lineNo}`,
): string {
  const shown = differences.slice(0, LINES_SHOWN_MAX).map(({ lineNo, skuId, quantity, ...of }) => {
    const asked = `${nameOf(lineNo)}: ${quantity} × ${skuCode(skuId)} at ${priceText(of.askedPrice, of.askedPer)} ${currency}`;
    if (of.decided === null) return `${asked}; there is no price`;
    const where = of.source === 'contract' ? `contract ${of.name}` : `list ${of.name}`;
    const off = of.askedMinor - of.decidedMinor!;
    const percent = percentOf(off, of.decidedMinor!);
    return `${asked}; ${where} says ${priceText(of.decided.unitPrice, of.decided.pricePer)}: ${off > 0 ? '+' : ''}${decimalOf(off, currency)}${percent === null ? '' : ` (${percent} %)`}`;
  });
  const more = differences.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('. ');
}

function priceText(unitPrice: string, per: number): string {
  return per === 1 ? unitPrice : `${unitPrice} per ${per}`;
}
