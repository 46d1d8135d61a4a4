/** Quantities and prices of what came, in base units: exactly, or a fault that names its place. */
import {
  type PackLevel,
  quantityOf,
  ruled,
  type SubmittedLine,
  toBase,
  toBasePrice,
  unitOf,
  unitPriceOf,
} from '../canonical/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import type { SubmitCommand } from '../orders/index.ts';
import { type Fault, fault } from './translated.ts';

/** A line in base units, and what it said where that was something else. */
export type BaseLine = Omit<SubmitCommand['lines'][number], 'lineNo' | 'skuId'>;

/** @param unit absent: the base unit */
export function baseQuantity(
  directory: Directory,
  skuId: number,
  said: { quantity: number | string; unit?: string | undefined; packLevel?: PackLevel | undefined },
  place: string,
  min = 1,
): number {
  const { quantity, unit, packLevel } = said;
  if (unit === undefined && packLevel === undefined && typeof quantity === 'number')
    return quantityOf(quantity, place, min);
  const units = directory.unitsOf(skuId);
  return toBase({ quantity, unit: unit ?? units.base, packLevel }, units, place, min);
}

export function baseLine(
  directory: Directory,
  channel: ChannelEntry,
  skuId: number,
  line: SubmittedLine,
  at: string,
): BaseLine | Fault {
  const place = `${at}.quantity`;
  const unit = line.unit ?? soldIn(directory, channel, skuId);
  const base = baseQuantity(directory, skuId, { ...line, unit }, place);
  const result: BaseLine = {
    quantity: base,
    unitPrice: unitPriceOf(line.unitPrice, `${at}.unitPrice`),
    within: withinOf(directory, channel, skuId, { ...line, ...(unit !== undefined && { unit }) }, at),
  };
  // What a channel sold by itself is sold: it is taken as it is, or looked at, never refused or rounded.
  const found = channel.sellsByItself && !channel.holdsQuantities ? undefined : directory.orderRule(skuId);
  const rule = found === undefined || !channel.sellsByItself ? found : { ...found, rounding: 'hold' as const };
  const { quantity, breaks } = rule === undefined ? { quantity: base } : ruled(base, rule);
  if (breaks !== undefined && rule!.rounding === 'hold') result.breaks = breaks;
  else if (breaks !== undefined && quantity === base) {
    const { multiple, minimum } = rule!;
    const reason = `${base} is not what may be ordered of SKU ${line.sku}: at least ${minimum}, in multiples of ${multiple}`;
    return { ...fault(breaks, 'XD_ORDER_QUANTITY', reason, place), byRule: true };
  }
  const { priceUnit, pricePer = 1, unitPrice } = line;
  if (unit === undefined && priceUnit === undefined && quantity === base)
    return pricePer === 1 ? result : { ...result, pricePer: quantityOf(pricePer, `${at}.pricePer`) };
  const units = directory.unitsOf(skuId);
  const [said, saidPrice] = [unit ?? units.base, priceUnit ?? unit ?? units.base];
  const price = toBasePrice(
    { unitPrice, priceUnit: saidPrice, pricePer: quantityOf(pricePer, `${at}.pricePer`) },
    units,
    `${at}.unitPrice`,
  );
  return {
    ...result,
    quantity,
    unitPrice: price.unitPrice,
    ...(price.pricePer !== 1 && { pricePer: price.pricePer }),
    asked: {
      quantity: String(line.quantity),
      unit: said,
      packLevel: unitOf(units, said, line.packLevel, `${at}.unit`).packLevel,
      base,
      ...{ unitPrice, priceUnit: saidPrice, pricePer },
      ...(quantity !== base && { rounding: rule!.rounding as 'up' | 'nearest' | 'down' }),
    },
  };
}

/** What one of a SKU is on a channel that sells it by another unit than the hub counts. */
export function soldIn(directory: Directory, { soldIn: units }: ChannelEntry, skuId: number): string | undefined {
  return units.size === 0 ? undefined : units.get(directory.skuCode(skuId));
}

function withinOf(
  directory: Directory,
  { sellsByItself }: ChannelEntry,
  skuId: number,
  { within, unit }: SubmittedLine,
  at: string,
): number | null {
  if (!sellsByItself) return 0;
  return within === undefined ? null : baseQuantity(directory, skuId, { quantity: within, unit }, `${at}.within`, 0);
}
