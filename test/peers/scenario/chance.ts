/** What the run wants: the same for one seed. */
import { skuOf } from '../skus.ts';

/** SKUs and units that one buyer wants. */
export type Wish = { sku: string; quantity: number }[];

/** SKUs that everybody wants. */
export const raced = Array.from({ length: 10 }, (_, i) => skuOf(60 + i));

/** Mulberry32. */
export function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One or two SKUs of those that are raced for. */
export function wishes(count: number, seed: number): Wish[] {
  const chance = chanceOf(seed);
  const pick = () => raced[Math.floor(chance() * raced.length)]!;
  return Array.from({ length: count }, () => {
    const [first, second] = [pick(), pick()];
    const lines = [{ sku: first, quantity: 1 + Math.floor(chance() * 3) }];
    if (chance() < 0.5 && second !== first) lines.push({ sku: second, quantity: 1 + Math.floor(chance() * 2) });
    return lines;
  });
}

export function unitsBySku(list: readonly Wish[]): Map<string, number> {
  const units = new Map(raced.map((sku) => [sku, 0]));
  for (const lines of list) for (const { sku, quantity } of lines) units.set(sku, units.get(sku)! + quantity);
  return units;
}
