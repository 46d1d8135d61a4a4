/**
 * The fields of master data that a system may own, by domain: what `owners` of an estate names, what provenance is kept for, and what
 * waits in the stewardship queue. A price is owned as a whole: its quantities belong together.
 */
export const masterFields = {
  product: {
    description: 'what it is called',
    unit: 'its base unit',
    gtin: 'of its trade item',
    lifecycle: 'active, phase_out or discontinued',
    weightG: 'of one base unit, in grams',
    lengthMm: 'of one base unit, in millimetres',
    widthMm: 'the same',
    heightMm: 'the same',
    kit: 'what it is made of',
    substitutes: 'what may be sent instead of it',
    units: 'its other units, all of them, with their numbers',
    orderMultiple: 'what it is ordered in multiples of, in base units',
    orderMinimum: 'the least that is ordered at once, in base units',
    orderRounding: 'what becomes of another quantity',
  },
  account: {
    name: 'what it is called',
    channel: 'where its demand comes from',
    parent: 'the account above it',
    paymentTerms: 'when it pays',
    hold: 'why its orders are held',
    priceList: 'whose prices it gets',
    priorityClass: 'who gains and loses when stock is short',
    shipComplete: 'whether its orders leave whole',
    region: 'where it is',
    addresses: 'where its goods go',
    mergedInto: 'the account that took its place',
  },
  price: {},
} as const satisfies Record<string, Record<string, string>>;

export type MasterDomain = keyof typeof masterFields;
export const masterDomains = Object.keys(masterFields) as MasterDomain[];
export type ProductField = keyof (typeof masterFields)['product'];
export type AccountField = keyof (typeof masterFields)['account'];

/** What becomes of a value that another system than the owner says. */
export type Ownership = 'refuse' | 'steward';

/** `domain` or `domain.field` -> system. */
export type Owners = Readonly<Record<string, string>>;

/** Who owns a field: named itself, else its domain; undefined: nobody. */
export function ownerOf(owners: Owners, domain: string, field?: string): string | undefined {
  return (field === undefined ? undefined : owners[`${domain}.${field}`]) ?? owners[domain];
}

/** All that may stand in `owners`. */
export function ownableNames(): string[] {
  return masterDomains.flatMap((domain) => [
    domain,
    ...Object.keys(masterFields[domain]).map((field) => `${domain}.${field}`),
  ]);
}
