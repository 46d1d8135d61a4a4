/** From where lines are served that only together make what was ordered: whole units of it, at one place where one has them. Pure. */
import { splitOver } from '../promise/index.ts';

export interface SetPart {
  /** Units in one ordered one. */
  perUnit: number;
  /** What it has already. */
  has: number;
  /** The most that it still waits for. */
  waits: number;
}

export interface SetPlaces {
  /** By part and place, as in `locationIds`. */
  there: readonly (readonly number[])[];
  /** The most that may be taken for each part. */
  most: readonly number[];
  locationIds: readonly number[];
  how: 'fullest' | 'ranked';
  /** Places that may be taken from in any case. */
  used: readonly number[];
  /** How many others besides; null: any number. */
  placesMax: number | null;
  /** Places that may not be taken from. */
  not?: readonly number[];
}

export interface PlacedSets {
  /** `fromOwn`: units out of what is set aside for the channel; whoever takes them says so. */
  taken: { part: number; locationId: number; quantity: number; fromOwn?: number }[];
  /** Ordered units that it is enough for, with what the parts had. */
  units: number;
}

/**
 * What some parts have beyond others is made up first; then whole units place by place, as one line would be served; then such of which each part
 * comes from where it is. Nothing is taken that would be left over.
 * @param upTo ordered units that are wanted in all
 */
export function placeSets(parts: readonly SetPart[], upTo: number, places: SetPlaces): PlacedSets {
  const { locationIds, how } = places;
  const ids = locationIds.map((_, at) => at).filter((at) => !places.not?.includes(locationIds[at]!));
  const left = places.there.map((units) => [...units]);
  const has = parts.map((part) => part.has);
  const goal = Math.min(
    upTo,
    ...parts.map(({ perUnit, has, waits }, i) => Math.floor((has + Math.min(waits, places.most[i]!)) / perUnit)),
  );
  const taken = new Map<string, { part: number; locationId: number; quantity: number }>();
  const open = new Set(ids.filter((at) => places.used.includes(locationIds[at]!)));
  let more = places.placesMax ?? ids.length;
  const take = (part: number, at: number, quantity: number) => {
    if (quantity === 0) return;
    if (!open.has(at)) more--;
    open.add(at);
    left[part]![at]! -= quantity;
    has[part]! += quantity;
    const known = taken.get(`${part} ${at}`);
    if (known !== undefined) known.quantity += quantity;
    else taken.set(`${part} ${at}`, { part, locationId: locationIds[at]!, quantity });
  };
  const level = () => Math.min(...parts.map(({ perUnit }, i) => Math.floor(has[i]! / perUnit)));
  /** Each part from where it is, as many units as all of them can make up. */
  const mix = (to: number) => {
    const best = [...ids]
      .filter((at) => !open.has(at))
      .map((at) => ({
        at,
        units: parts.reduce(
          (sum, { perUnit }, i) => sum + Math.min(left[i]![at]!, Math.max(0, to * perUnit - has[i]!)),
          0,
        ),
      }))
      .filter(({ units }) => units > 0)
      .sort((a, b) => b.units - a.units || a.at - b.at);
    const from = [...ids].filter((at) => open.has(at) || best.slice(0, more).some((one) => one.at === at));
    const units = Math.min(
      to,
      ...parts.map(({ perUnit }, i) =>
        Math.floor((has[i]! + from.reduce((sum, at) => sum + left[i]![at]!, 0)) / perUnit),
      ),
    );
    if (units <= level()) return;
    parts.forEach(({ perUnit }, i) => {
      const there = from.map((at) => left[i]![at]!);
      for (const { at, quantity } of splitOver(there, units * perUnit - has[i]!, how)) take(i, from[at]!, quantity);
    });
  };
  if (goal <= level()) return { taken: [], units: Math.max(0, level()) };
  mix(Math.min(goal, Math.max(...parts.map(({ perUnit }, i) => Math.ceil(has[i]! / perUnit)))));
  const isEven = () => parts.every(({ perUnit }, i) => has[i] === level() * perUnit);
  if (isEven() && level() < goal) {
    const wholeAt = (at: number) => Math.min(...parts.map(({ perUnit }, i) => Math.floor(left[i]![at]! / perUnit)));
    for (const [from, placesMax] of [
      [ids.filter((at) => open.has(at)), null],
      [ids.filter((at) => !open.has(at)), more],
    ] as const)
      for (const { at, quantity } of splitOver(from.map(wholeAt), goal - level(), how, placesMax))
        parts.forEach(({ perUnit }, i) => {
          take(i, from[at]!, quantity * perUnit);
        });
    if (level() < goal) mix(goal);
  }
  return { taken: [...taken.values()].sort((a, b) => a.part - b.part), units: level() };
}
