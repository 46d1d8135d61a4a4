/** A seeded generator (splitmix32): a run can be repeated by its seed, and needs no package. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [min, max]. */
  between(min: number, max: number): number;
  /** True in `rate` of the calls; rate 0 is never and rate 1 is always. */
  chance(rate: number): boolean;
}

export function seededRandom(...seeds: (number | string)[]): Random {
  let state = hashOf(seeds.join('/'));
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296;
  };
  return {
    next,
    between: (min, max) => min + Math.floor(next() * (max - min + 1)),
    chance: (rate) => rate > 0 && next() < rate,
  };
}

/** FNV-1a: neighbouring seeds must not give neighbouring streams. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}
