/** Charges and taxes of an order, as the orders room knows them. What a shop worked out is carried as it said; what differs from our rule is kept beside it. */
import { chargeKinds, fail, type OrderSubmitted, taxMinor, taxOfBases, taxRateOf } from '../canonical/index.ts';
import type { ChannelEntry } from '../master/index.ts';
import type { Charged, OrderTax } from '../orders/index.ts';

const CHARGES_MAX = 100;
const TAXES_MAX = 5_000;
const MINOR_MAX = 1_000_000_000_000;

/**
 * @returns undefined where there are none: nothing is kept
 * @throws XD_VALUE_INVALID naming the place
 */
export function chargedOf(
  channel: ChannelEntry,
  { charges = [], taxes = [], lines }: Pick<OrderSubmitted, 'charges' | 'taxes' | 'lines'>,
): Charged | undefined {
  if (charges.length === 0 && taxes.length === 0) return undefined;
  if (charges.length > CHARGES_MAX) wrong('charges', `must be at most ${CHARGES_MAX}, not ${charges.length}`);
  if (taxes.length > TAXES_MAX) wrong('taxes', `must be at most ${TAXES_MAX}, not ${taxes.length}`);
  const lineNos = new Set(lines.map(({ lineNo }) => lineNo));
  const charged: Charged = {
    charges: charges.map(({ kind, code, amountMinor }, i) => {
      const at = `charges[${i}]`;
      if (!chargeKinds.includes(kind)) wrong(`${at}.kind`, `must be one of ${chargeKinds.join(', ')}`);
      return { chargeNo: i + 1, kind, code, amountMinor: minorOf(amountMinor, `${at}.amountMinor`) };
    }),
    taxes: taxes.map((tax, i): OrderTax => {
      const at = `taxes[${i}]`;
      const { lineNo = null, charge: chargeNo = null } = tax;
      if (lineNo !== null && chargeNo !== null) wrong(at, 'is of a line or of a charge, not of both');
      if (lineNo !== null && !lineNos.has(lineNo))
        wrong(`${at}.lineNo`, `names line ${lineNo}, which the order has not`);
      if (chargeNo !== null && !(Number.isInteger(chargeNo) && chargeNo >= 1 && chargeNo <= charges.length))
        wrong(`${at}.charge`, `names charge ${chargeNo} of ${charges.length}`);
      return {
        ...{ taxNo: i + 1, lineNo, chargeNo, code: tax.code, rate: taxRateOf(tax.rate, `${at}.rate`) },
        baseMinor: minorOf(tax.baseMinor, `${at}.baseMinor`),
        taxMinor: minorOf(tax.taxMinor, `${at}.taxMinor`),
        ownMinor: null,
      };
    }),
  };
  if (channel.tax !== null) compare(charged.taxes, channel.tax);
  return charged;
}

/** By code and rate: within the tolerance what was said counts, beyond it the order is wrong. */
function compare(taxes: readonly OrderTax[], { rounding, toleranceMinor }: NonNullable<ChannelEntry['tax']>): void {
  const groups = new Map<string, OrderTax[]>();
  for (const tax of taxes) {
    tax.ownMinor = taxMinor(tax.baseMinor, tax.rate);
    const key = `${tax.code} ${tax.rate}`;
    groups.set(key, [...(groups.get(key) ?? []), tax]);
  }
  for (const [key, group] of groups) {
    const bases = group.map(({ baseMinor }) => baseMinor);
    const own = taxOfBases(bases, group[0]!.rate, rounding);
    const said = group.reduce((sum, tax) => sum + tax.taxMinor, 0);
    if (Math.abs(own - said) > toleranceMinor)
      wrong(
        `taxes[${group[0]!.taxNo - 1}].taxMinor`,
        `tax ${key.slice(0, 60)} % is ${said} in all; by ${rounding} it is ${own}, and ${toleranceMinor} may lie between`,
      );
  }
}

function minorOf(value: unknown, place: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || Math.abs(value) > MINOR_MAX)
    wrong(place, `must be whole minor units from -${MINOR_MAX} to ${MINOR_MAX}`);
  return value;
}

function wrong(place: string, what: string): never {
  fail('XD_VALUE_INVALID', `${place} ${what}`, { place });
}
