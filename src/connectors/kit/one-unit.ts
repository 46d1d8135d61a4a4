/**
 * Prices and quantities leave in one unit, or not at all. A price for several units that reaches a system which knows only a price of one
 * is that price of one, exactly, or the write is refused; a price and a number that count different things are refused both, as a shop
 * that shows pieces at the price of a box sells them so. Every connector made by {@link defineConnector} is held to it.
 */
import { priceOfUnit } from '../../canonical/index.ts';
import type { Connector, DeliveryItem, DeliveryKind, Outcome, PriceState, StateItem, StateSink } from './types.ts';

export const UNIT_INEXACT = 'unit_inexact';
export const UNIT_MISMATCH = 'unit_mismatch';

interface PricedLine {
  lineNo?: number;
  unitPrice?: string;
  pricePer?: number;
}

/** A line at the price of one base unit; undefined: it has none with six places. */
export function lineOfOne<L extends PricedLine>(line: L): Omit<L, 'pricePer'> | undefined {
  const { pricePer = 1, ...rest } = line;
  if (pricePer === 1 || line.unitPrice === undefined) return rest;
  const unitPrice = priceOfUnit({ unitPrice: line.unitPrice, pricePer });
  return unitPrice === undefined ? undefined : { ...rest, unitPrice };
}

/** Why a price must not stand beside the number that is shown with it; undefined: they count the same. */
export function unitMismatchOf({ unit, quantityUnit }: PriceState): string | undefined {
  if (unit === quantityUnit) return undefined;
  return `${UNIT_MISMATCH}: the price is for one ${unit ?? 'base unit'}, and the number shown counts ${quantityUnit ?? 'base units'}`;
}

/** A state at the price of one of its unit, or why it may not be written. */
export function priceOfOne(state: PriceState): PriceState | { refused: string } {
  const { unit, quantityUnit, pricePer = 1, ...rest } = state;
  const mismatch = unitMismatchOf(state);
  if (mismatch !== undefined) return { refused: mismatch };
  const said = { ...(unit !== undefined && { unit }), ...(quantityUnit !== undefined && { quantityUnit }) };
  const unitPrice = priceOfUnit({ unitPrice: rest.unitPrice, pricePer });
  return unitPrice === undefined
    ? { refused: `${UNIT_INEXACT}: ${rest.unitPrice} for ${pricePer} has no price of one with six places` }
    : { ...rest, unitPrice: pricePer === 1 ? rest.unitPrice : unitPrice, ...said };
}

type Made = Omit<Connector, 'name'>;

export function inOneUnit<C extends Made>(connector: C): C {
  const deliveries = Object.fromEntries(
    Object.entries(connector.deliveries).map(([kind, served]) => [
      kind,
      served.takesPricePer === true ? served : deliveryOfOne(served),
    ]),
  );
  return { ...connector, deliveries, ...(connector.prices !== undefined && { prices: pricesOfOne(connector.prices) }) };
}

function deliveryOfOne(kind: DeliveryKind): DeliveryKind {
  return {
    ...kind,
    locate: (references, signal) => kind.locate(references, signal),
    write: (items, signal) =>
      // Hardly any has such a line.
      items.some(hasPer) ? writeRest(items, itemOfOne, (rest) => kind.write(rest, signal)) : kind.write(items, signal),
  };
}

function pricesOfOne(sink: StateSink): StateSink {
  const stateOf = (item: StateItem): StateItem | { refused: string } => {
    const state = priceOfOne(item.state as PriceState);
    return 'refused' in state ? state : { ...item, state };
  };
  return {
    ...sink,
    readBack: (keys, signal) => sink.readBack(keys, signal),
    write: (items, signal) => writeRest(items, stateOf, (rest) => sink.write(rest, signal)),
    ...(sink.holds !== undefined && {
      holds: (items, signal) =>
        sink.holds!(
          items.flatMap((item) => {
            const made = stateOf(item);
            return 'refused' in made ? [] : [made];
          }),
          signal,
        ),
    }),
  };
}

/** What is refused here is not sent; the others are, and each has the outcome at its own place. */
async function writeRest<I, O extends { outcome: string }>(
  items: readonly I[],
  make: (item: I) => I | { refused: string },
  write: (items: I[]) => Promise<O[]>,
): Promise<(O | Outcome)[]> {
  const made = items.map(make);
  const isRefused = (item: I | { refused: string }): item is { refused: string } =>
    typeof item === 'object' && item !== null && 'refused' in item;
  const rest = made.filter((item): item is I => !isRefused(item));
  const written = rest.length === 0 ? [] : [...(await write(rest))];
  return made.map((item) => (isRefused(item) ? { outcome: 'refused', error: item.refused } : written.shift()!));
}

const linesOf = (payload: unknown) => (payload as { lines?: readonly PricedLine[] } | null)?.lines ?? [];

function hasPer({ payload }: DeliveryItem): boolean {
  return linesOf(payload).some((line) => (line.pricePer ?? 1) !== 1);
}

function itemOfOne(item: DeliveryItem): DeliveryItem | { refused: string } {
  if (!hasPer(item)) return item;
  const lines = [];
  for (const line of linesOf(item.payload)) {
    const made = lineOfOne(line);
    if (made === undefined)
      return {
        refused: `${UNIT_INEXACT}: line ${line.lineNo} is ${line.unitPrice} for ${line.pricePer}, which has no price of one with six places`,
      };
    lines.push(made);
  }
  return { ...item, payload: { ...(item.payload as object), lines } };
}
