/** When what only several lines together make leaves. Pure. */

interface Part {
  quantity: number;
  at: string | null;
  locationId: number | null;
}

/** With the last of its parts, those of each line in the order in which they leave. What leaves from several places is from none. */
export function promisedSets<P extends Part>(lines: readonly { perUnit: number; parts: readonly P[] }[]): P[] {
  const sorted = lines.map(({ parts }) => [...parts].sort((a, b) => timeOf(a) - timeOf(b)));
  const next = lines.map(() => 0);
  const ended = lines.map(() => 0);
  const endOf = (i: number) => (ended[i]! + sorted[i]![next[i]!]!.quantity) / lines[i]!.perUnit;
  const told: P[] = [];
  let units = 0;
  while (sorted.every((parts, i) => next[i]! < parts.length)) {
    const ends = Math.min(...lines.map((_, i) => endOf(i)));
    const upTo = Math.floor(ends);
    if (upTo > units) {
      const parts = sorted.map((of, i) => of[next[i]!]!);
      const last = parts.reduce((latest, part) => (timeOf(part) > timeOf(latest) ? part : latest));
      const isOne = parts.every(({ locationId }) => locationId === last.locationId);
      told.push({ ...last, quantity: upTo - units, locationId: isOne ? last.locationId : null });
      units = upTo;
    }
    lines.forEach((_, i) => {
      if (endOf(i) > ends) return;
      ended[i]! += sorted[i]![next[i]!]!.quantity;
      next[i]!++;
    });
  }
  return told;
}

function timeOf({ at }: Part): number {
  return at === null ? Number.POSITIVE_INFINITY : Date.parse(at);
}
