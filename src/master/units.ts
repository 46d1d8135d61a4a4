/** Units that a product may be counted in. */
export const UNITS: ReadonlySet<string> = new Set(['each']);
