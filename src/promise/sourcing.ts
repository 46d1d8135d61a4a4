/** From where an order is served: which places are asked first, and over how many it may be split. Pure. */

export interface Position {
  latitude: number;
  longitude: number;
}

export type RankCriterion = 'priority' | 'distance' | 'cost';

export interface SourcingRule {
  /** The first that tells two places apart decides; at last the channel's own order. */
  rank: readonly RankCriterion[];
  /** Places that one order may be served from; null: any number. */
  splitMax: number | null;
  /** The same, of one line. */
  lineSplitMax: number | null;
  /** Nothing leaves before everything of the order is there. */
  shipComplete: boolean;
}

export interface SourcingPlace {
  locationId: number;
  priority: number;
  position: Position | null;
  costMinor: number;
}

const EARTH_RADIUS_KM = 6_371;

/** Along a great circle. */
export function distanceKm(a: Position, b: Position): number {
  const radians = Math.PI / 180;
  const half = (from: number, to: number) => Math.sin(((to - from) * radians) / 2) ** 2;
  const h =
    half(a.latitude, b.latitude) +
    Math.cos(a.latitude * radians) * Math.cos(b.latitude * radians) * half(a.longitude, b.longitude);
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/**
 * Best first. Places that the rule can't tell apart stay in the order they are given in. A distance that nobody knows, because the order or
 * the place has no position, is further than any.
 */
export function rankPlaces(
  places: readonly SourcingPlace[],
  rank: readonly RankCriterion[],
  shipTo: Position | null,
): number[] {
  const keysOf = (place: SourcingPlace): number[] =>
    rank.map((criterion) => {
      if (criterion === 'priority') return place.priority;
      if (criterion === 'cost') return place.costMinor;
      return shipTo === null || place.position === null ? Number.MAX_VALUE : distanceKm(shipTo, place.position);
    });
  return places
    .map((place, at) => ({ locationId: place.locationId, at, keys: keysOf(place) }))
    .sort((a, b) => {
      for (let i = 0; i < rank.length; i++) if (a.keys[i] !== b.keys[i]) return a.keys[i]! - b.keys[i]!;
      return a.at - b.at;
    })
    .map(({ locationId }) => locationId);
}

/**
 * How many units each place gives, best place first. One that has all gives all. Else as few as can together; `fullest`: the fullest ones,
 * `ranked`: of all sets of so few places the best ranked one. Where even the most places that may be used have too little: the fullest.
 * @param there what each place could give, best ranked first
 * @param placesMax how many may give; null: any number
 * @returns the places that give, in the order in which they do
 */
export function splitOver(
  there: readonly number[],
  wanted: number,
  how: 'fullest' | 'ranked',
  placesMax: number | null = null,
): { at: number; quantity: number }[] {
  if (wanted <= 0) return [];
  const whole = there.findIndex((units) => units >= wanted);
  if (whole >= 0) return placesMax === 0 ? [] : [{ at: whole, quantity: wanted }];
  const fullest = there
    .map((units, at) => ({ units, at }))
    .filter(({ units }) => units > 0)
    .sort((a, b) => b.units - a.units || a.at - b.at);
  const most = Math.min(fullest.length, placesMax ?? fullest.length);
  let chosen = fullest.slice(0, most);
  let sum = 0;
  const few = chosen.findIndex(({ units }) => {
    sum += units;
    return sum >= wanted;
  });
  if (how === 'ranked' && few >= 0) chosen = bestOfSoFew(fullest, few + 1, wanted);
  let missing = wanted;
  const given: { at: number; quantity: number }[] = [];
  for (const { units, at } of chosen) {
    const quantity = Math.min(units, missing);
    if (quantity > 0) given.push({ at, quantity });
    missing -= quantity;
  }
  return given;
}

/** The best ranked of all sets of `count` places that have what is wanted: the best that leaves the rest a way, then the next. */
function bestOfSoFew(
  fullest: readonly { units: number; at: number }[],
  count: number,
  wanted: number,
): { units: number; at: number }[] {
  const chosen: { units: number; at: number }[] = [];
  const left = new Set(fullest);
  let missing = wanted;
  while (chosen.length < count && missing > 0) {
    const others = (without: { at: number }) => {
      let sum = 0;
      let more = count - chosen.length - 1;
      for (const place of left) {
        if (more === 0) break;
        if (place === without) continue;
        sum += place.units;
        more--;
      }
      return sum;
    };
    // Of all places; `left` keeps them fullest first.
    const ranked = [...left].sort((a, b) => a.at - b.at);
    const next = ranked.find((place) => place.units + others(place) >= missing)!;
    left.delete(next);
    chosen.push(next);
    missing -= next.units;
  }
  return chosen;
}

/** Sets of places beyond which not each is looked at: then the place that adds most is taken, and so on. */
const SETS_MAX = 5_000;

/**
 * The places that an order with a split limit is served from: together they have most of what it wants; of such sets the smallest, then the
 * best ranked.
 * @param wants by SKU: units, and what each place has of it; places best ranked first
 * @param fixed places that it is served from already: they count
 * @returns the places chosen, `fixed` among them
 */
export function choosePlaces(
  wants: readonly { wanted: number; there: readonly number[] }[],
  places: number,
  placesMax: number,
  fixed: readonly number[] = [],
): Set<number> {
  const isFixed = new Set(fixed);
  const open = Array.from({ length: places }, (_, at) => at).filter(
    (at) => !isFixed.has(at) && wants.some(({ there }) => there[at]! > 0),
  );
  const more = Math.max(0, placesMax - isFixed.size);
  const unitsOf = (added: readonly number[]) => {
    let units = 0;
    for (const { wanted, there } of wants) {
      let sum = 0;
      for (const at of isFixed) sum += Math.max(0, there[at]!);
      for (const at of added) sum += Math.max(0, there[at]!);
      units += Math.min(wanted, sum);
    }
    return units;
  };
  const chosen =
    more >= open.length || setsOf(open.length, more) <= SETS_MAX
      ? bestSet(open, Math.min(more, open.length), unitsOf)
      : greedySet(open, more, unitsOf);
  return new Set([...isFixed, ...chosen]);
}

function setsOf(of: number, most: number): number {
  let sets = 1;
  let sum = 1;
  for (let i = 0; i < most && sum <= SETS_MAX; i++) {
    sets = (sets * (of - i)) / (i + 1);
    sum += sets;
  }
  return sum;
}

/** Smaller sets before larger ones, better ranked before worse: the first of those with most units. */
function bestSet(open: readonly number[], most: number, unitsOf: (added: readonly number[]) => number): number[] {
  let best: number[] = [];
  let bestUnits = unitsOf(best);
  const all = unitsOf(open);
  for (let size = 1; size <= most && bestUnits < all; size++) {
    const walk = (from: number, set: number[]): void => {
      if (bestUnits === all) return;
      if (set.length === size) {
        const units = unitsOf(set);
        if (units > bestUnits) {
          best = [...set];
          bestUnits = units;
        }
        return;
      }
      for (let i = from; i < open.length; i++) walk(i + 1, [...set, open[i]!]);
    };
    walk(0, []);
  }
  return best;
}

function greedySet(open: readonly number[], most: number, unitsOf: (added: readonly number[]) => number): number[] {
  const chosen: number[] = [];
  let units = unitsOf(chosen);
  while (chosen.length < most) {
    let best: number | undefined;
    for (const at of open) {
      if (chosen.includes(at)) continue;
      const now = unitsOf([...chosen, at]);
      if (now > units) {
        units = now;
        best = at;
      }
    }
    if (best === undefined) break;
    chosen.push(best);
  }
  return chosen;
}
