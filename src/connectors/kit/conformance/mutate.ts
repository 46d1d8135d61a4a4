/** Records with one thing in them changed. */

/** What stands where something else should. */
export const STRANGE: readonly unknown[] = [
  null,
  '',
  ' ',
  'NaN',
  '0x10',
  '1e3',
  "'; drop table x; --",
  -1,
  0,
  true,
  [],
  {},
  [null],
  'x'.repeat(5_000),
  '2026-02-30T00:00:00Z',
  '9999-99-99',
];

type Path = readonly (string | number)[];

function leavesOf(value: unknown, path: Path = []): { path: Path; leaf: unknown }[] {
  if (typeof value !== 'object' || value === null) return [{ path, leaf: value }];
  return Object.entries(value).flatMap(([name, inner]) =>
    leavesOf(inner, [...path, Array.isArray(value) ? Number(name) : name]),
  );
}

/** One copy for each leaf that fits and each value; undefined takes the field away. */
export function mutants(
  record: unknown,
  placeFields: readonly string[],
  values: readonly unknown[],
  fits: (leaf: unknown) => boolean = () => true,
): { place: string; raw: unknown }[] {
  const made: { place: string; raw: unknown }[] = [];
  for (const { path, leaf } of leavesOf(record)) {
    const name = path.at(-1);
    if (name === undefined || placeFields.includes(String(path[0])) || !fits(leaf)) continue;
    for (const value of values) {
      const raw = structuredClone(record);
      let target = raw as Record<string | number, unknown>;
      for (const step of path.slice(0, -1)) target = target[step] as Record<string | number, unknown>;
      if (value === undefined) delete target[name];
      else target[name] = value;
      made.push({ place: `/${path.join('/')} = ${JSON.stringify(value)?.slice(0, 40)}`, raw });
    }
  }
  return made;
}

export function replaceLeaves(value: unknown, change: (leaf: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return change(value);
  if (Array.isArray(value)) return value.map((inner) => replaceLeaves(inner, change));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, replaceLeaves(inner, change)]));
}

export function numbersIn(value: unknown): number[] {
  return leavesOf(value).flatMap(({ leaf }) => (typeof leaf === 'number' ? [leaf] : []));
}

/** RFC 3339 texts in UTC, in another offset. */
export function isoTimesIn(record: unknown, offset: string): unknown {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(offset)!;
  const ms = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  return replaceLeaves(record, (leaf) => {
    if (typeof leaf !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(leaf)) return leaf;
    const digits = leaf.slice(19, -1);
    return `${new Date(Date.parse(leaf) + ms).toISOString().slice(0, 19)}${digits}${offset}`;
  });
}
