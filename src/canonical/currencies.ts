/**
 * How many decimals the amounts of a currency have (ISO 4217, minor units). An amount in minor units means nothing without its currency:
 * 1,000 are ten pounds, a thousand yen or one dinar. The function `minor_places` in SQL says the same; a test keeps the two equal.
 */
const PLACES: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};
const OTHERS = 2;

/** Currencies whose amounts don't have two decimals, with those that they have. */
export const minorPlacesByCurrency: ReadonlyMap<string, number> = new Map(
  Object.entries(PLACES).flatMap(([places, codes]) => codes.split(' ').map((code) => [code, Number(places)] as const)),
);

export function minorPlacesOf(currency: string): number {
  return minorPlacesByCurrency.get(currency) ?? OTHERS;
}
