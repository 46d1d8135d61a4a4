/** The SKUs that all peers have, with the numbers that `tryton/seed.py` uses as well. */
export const skuOf = (n: number) => `SKU-${String(n).padStart(4, '0')}`;
export const skus = (count: number) => Array.from({ length: count }, (_, k) => k + 1);
export const centsOf = (n: number) => 500 + ((n * 137) % 9500);

/** What lies in the two locations of a shop at first. The ERP's own numbers differ on purpose. */
export const openingEast = (n: number) => (n % 9 === 0 ? 0 : 20 + ((n * 31) % 400));
export const openingWest = (n: number) => ((n + 1) % 9 === 0 ? 0 : 20 + ((n * 31 + 57) % 400));
export const SKUS = 120;
