/** An account's values in one form, so that they can be compared; what is none of them is told with its place. Pure. */
import { type AccountAddress, type AccountChanged, type AccountField, PRIORITY_CLASSES } from '../canonical/index.ts';
import type { WrongValue } from './product-values.ts';

export const ADDRESSES_MAX = 200;
const LINES_MAX = 10;
const TEXT_CHARACTERS_MAX = 500;
const CODE_CHARACTERS_MAX = 80;

export type AccountValues = Omit<Partial<AccountChanged>, 'kind' | 'changedAt' | 'account' | 'company'>;

export const NEW_ACCOUNT: Readonly<Record<AccountField, unknown>> = {
  ...{ name: '', channel: null, parent: null, paymentTerms: null, hold: null, priceList: null },
  ...{ priorityClass: 'redistribute', shipComplete: false, region: null, addresses: [], mergedInto: undefined },
};

/** Codes of others, and what is shown to people: empty is none. */
const CODES = ['parent', 'paymentTerms', 'priceList', 'region', 'channel'] as const;

export function accountValues(said: AccountValues): Partial<Record<AccountField, unknown>> | WrongValue {
  const values: Partial<Record<AccountField, unknown>> = {};
  for (const name of [...CODES, 'hold'] as const) {
    const value = said[name];
    if (value === undefined) continue;
    const max = name === 'hold' ? TEXT_CHARACTERS_MAX : CODE_CHARACTERS_MAX;
    if (value !== null && (typeof value !== 'string' || value.length > max))
      return { place: name, reason: `must be a text of at most ${max} characters` };
    values[name] = value === '' ? null : value;
  }
  if (said.name !== undefined) values.name = said.name;
  const { priorityClass, shipComplete, addresses } = said;
  if (priorityClass !== undefined) {
    if (!PRIORITY_CLASSES.includes(priorityClass))
      return {
        place: 'priorityClass',
        reason: `must be one of ${PRIORITY_CLASSES.join(', ')}, not ${JSON.stringify(String(priorityClass).slice(0, 40))}`,
      };
    values.priorityClass = priorityClass;
  }
  if (shipComplete !== undefined) {
    if (typeof shipComplete !== 'boolean') return { place: 'shipComplete', reason: 'must be true or false' };
    values.shipComplete = shipComplete;
  }
  if (addresses !== undefined) {
    const list = addressesOf(addresses);
    if ('reason' in list) return list;
    values.addresses = list;
  }
  return values;
}

function addressesOf(given: readonly AccountAddress[]): Required<AccountAddress>[] | WrongValue {
  if (given.length > ADDRESSES_MAX)
    return { place: 'addresses', reason: `${given.length} addresses, at most ${ADDRESSES_MAX}` };
  const seen = new Set<string>();
  const list: Required<AccountAddress>[] = [];
  for (const [i, { code, name = '', lines, city = '', postalCode = '', country }] of given.entries()) {
    const wrong = (field: string, reason: string) => ({ place: `addresses[${i}].${field}`, reason });
    if (code === '' || code.length > CODE_CHARACTERS_MAX)
      return wrong('code', `a code has 1 to ${CODE_CHARACTERS_MAX} characters`);
    if (seen.has(code)) return wrong('code', `two addresses are called ${JSON.stringify(code)}`);
    seen.add(code);
    if (!/^[A-Z]{2}$/.test(country))
      return wrong('country', `must be two capital letters, not ${JSON.stringify(country.slice(0, 40))}`);
    if (lines.length === 0 || lines.length > LINES_MAX) return wrong('lines', `an address has 1 to ${LINES_MAX} lines`);
    if ([name, city, postalCode, ...lines].some((text) => text.length > TEXT_CHARACTERS_MAX))
      return wrong('lines', `a line has at most ${TEXT_CHARACTERS_MAX} characters`);
    list.push({ code, name, lines: [...lines], city, postalCode, country });
  }
  return list.sort((a, b) => (a.code < b.code ? -1 : 1));
}
