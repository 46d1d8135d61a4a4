/** A number that depends on nothing but its seed and its name, so that a plan is the same on every machine and after a resume. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  // FNV alone leaves the low bits poor; this is the finishing step of MurmurHash3.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A whole number from 0 to below `below`. */
export function seeded(seed: number, name: string, below: number): number {
  return hash32(`${seed}/${name}`) % below;
}
