/** What an order says of from where and when it is to be served, as the orders room knows it. */
import { fail, type OrderSubmitted } from '../canonical/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import type { OrderTerms } from '../orders/index.ts';

const TIME_MIN = Date.UTC(1970, 0, 1);
const TIME_MAX = Date.UTC(2200, 0, 1);

/**
 * @returns undefined: nothing is said, and nothing is kept
 * @throws XD_VALUE_INVALID naming the place
 */
export function termsOf(
  directory: Directory,
  channel: ChannelEntry,
  accountId: number | null,
  {
    shipTo,
    requestedAt,
    // What the order says holds; else what is said of its account or of its channel.
    shipComplete = (accountId !== null && directory.shipsComplete(accountId)) || channel.sourcing?.shipComplete,
  }: Pick<OrderSubmitted, 'shipTo' | 'requestedAt' | 'shipComplete'>,
): OrderTerms | undefined {
  const position = shipTo === undefined ? undefined : positionOf(directory, shipTo);
  if (requestedAt !== undefined) {
    const ms = Date.parse(requestedAt);
    if (!(ms >= TIME_MIN && ms < TIME_MAX))
      fail('XD_VALUE_INVALID', `requestedAt must be a time from 1970 to 2199, not ${JSON.stringify(requestedAt)}`, {
        place: 'requestedAt',
      });
  }
  const terms: OrderTerms = {
    ...(position !== undefined && { shipTo: position }),
    ...(requestedAt !== undefined && { requestedAt }),
    ...(shipComplete === true && { shipComplete }),
  };
  return Object.keys(terms).length === 0 ? undefined : terms;
}

function positionOf(
  directory: Directory,
  { position, country, postalCode }: NonNullable<OrderSubmitted['shipTo']>,
): OrderTerms['shipTo'] {
  if (position === undefined)
    return country === undefined ? undefined : (directory.postalAreas.find(country, postalCode ?? '') ?? undefined);
  const { latitude, longitude } = position;
  for (const [name, value, max] of [
    ['latitude', latitude, 90],
    ['longitude', longitude, 180],
  ] as const)
    if (typeof value !== 'number' || !(Math.abs(value) <= max)) {
      const place = `shipTo.position.${name}`;
      fail('XD_VALUE_INVALID', `${place} must be a number from -${max} to ${max}, not ${JSON.stringify(value)}`, {
        place,
      });
    }
  return { latitude, longitude };
}
