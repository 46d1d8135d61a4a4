/** What records say of units and amounts, where they say it. */
import { minorOfDecimal, PACK_LEVELS, QUANTITY_MAX, type SubmittedLine } from '../../canonical/index.ts';
import type { Fields } from './fields.ts';

/** Names of fields that a line may have beside quantity and unitPrice. */
export const LINE_UNITS = ['unit', 'packLevel', 'priceUnit', 'pricePer'] as const;

export function saidUnits(line: Fields): Pick<SubmittedLine, (typeof LINE_UNITS)[number]> {
  const said = (name: string) => line.raw[name] != null;
  return {
    ...(said('unit') && { unit: line.text('unit') }),
    ...(said('packLevel') && { packLevel: line.oneOf('packLevel', PACK_LEVELS) }),
    ...(said('priceUnit') && { priceUnit: line.text('priceUnit') }),
    ...(said('pricePer') && { pricePer: line.integer('pricePer', 1, QUANTITY_MAX) }),
  };
}

/** What one quantity counts. */
export function saidUnit(record: Fields): { unit?: string } {
  return record.raw.unit == null ? {} : { unit: record.text('unit') };
}

/** An amount as it is written, in minor units of its currency; what has more places than that is unreadable, never rounded. */
export function saidMinor(record: Fields, name: string, currency: string): number {
  const minor = minorOfDecimal(record.text(name), currency);
  if (minor === undefined || minor < 0)
    throw record.unreadable(
      name,
      `must be an amount in ${currency}, not negative and with no more places than that has`,
    );
  return minor;
}
