/** Products and accounts as mapped records: what is not mapped is not said, `-` says that there is none. Pure. */
import {
  type AccountAddress,
  type AccountChanged,
  type ContractPriceChanged,
  LIFECYCLES,
  PRIORITY_CLASSES,
  type ProductChanged,
} from '../../../canonical/index.ts';
import type { Fields } from '../fields.ts';
import { type Draft, recordItem } from '../items.ts';
import { saidUnit } from '../said-units.ts';

const NONE = '-';
const MEASURES = ['weightG', 'lengthMm', 'widthMm', 'heightMm'] as const;

export function productItem(system: string, record: Fields): Draft {
  const command: ProductChanged = {
    kind: 'product.changed',
    sku: record.sku('sku'),
    changedAt: record.time('changedAt'),
    ...textsOf(record, ['description', 'unit', 'gtin']),
  };
  if (isSaid(record, 'lifecycle')) command.lifecycle = record.oneOf('lifecycle', [...LIFECYCLES]);
  for (const name of MEASURES) if (isSaid(record, name)) command[name] = record.integer(name, 0);
  if (isSaid(record, 'kit'))
    command.kit = linesOf(record, 'kit').map((line) => ({ sku: line.sku('sku'), quantity: line.quantity('quantity') }));
  if (isSaid(record, 'substitutes'))
    command.substitutes = linesOf(record, 'substitutes').map((line) => line.sku('sku'));
  return recordItem(system, command);
}

export function accountItem(system: string, record: Fields): Draft {
  const command: AccountChanged = {
    kind: 'account.changed',
    account: record.text('account'),
    company: record.text('company'),
    changedAt: record.time('changedAt'),
    ...textsOf(record, ['channel', 'name', 'taxId', 'email', 'postalCode']),
  };
  for (const name of ['parent', 'paymentTerms', 'priceList', 'region'] as const)
    if (isSaid(record, name)) command[name] = noneOf(record.text(name));
  // A box that is ticked says no more than that.
  const { hold, shipComplete } = record.raw;
  if (typeof hold === 'boolean') command.hold = hold ? 'on hold' : null;
  else if (isSaid(record, 'hold')) command.hold = noneOf(record.text('hold'));
  if (isSaid(record, 'priorityClass')) command.priorityClass = record.oneOf('priorityClass', [...PRIORITY_CLASSES]);
  if (typeof shipComplete === 'boolean') command.shipComplete = shipComplete;
  else if (isSaid(record, 'shipComplete')) throw record.unreadable('shipComplete', 'must be true or false');
  if (isSaid(record, 'addresses')) command.addresses = linesOf(record, 'addresses').map(addressOf);
  return recordItem(system, command);
}

export function contractItem(system: string, record: Fields): Draft {
  return recordItem(system, {
    kind: 'contract.changed',
    company: record.text('company'),
    account: record.text('account'),
    contract: record.text('contract'),
    ...(isSaid(record, 'currency') && { currency: record.currency('currency') }),
    ...textsOf(record, ['validFrom', 'validTo']),
    ...(isSaid(record, 'prices') && { prices: linesOf(record, 'prices').map(contractPriceOf) }),
    changedAt: record.time('changedAt'),
  });
}

function contractPriceOf(line: Fields): ContractPriceChanged {
  return {
    sku: line.sku('sku'),
    unitPrice: line.unitPrice('unitPrice'),
    ...(isSaid(line, 'quantityMin') && { quantityMin: line.quantity('quantityMin') }),
    ...saidUnit(line),
    ...(isSaid(line, 'pricePer') && { pricePer: line.integer('pricePer', 1) }),
  };
}

function addressOf(line: Fields): AccountAddress {
  return {
    code: line.text('code'),
    lines: ['line1', 'line2', 'line3'].flatMap((name) => (isSaid(line, name) ? [line.text(name)] : [])),
    country: line.text('country'),
    ...textsOf(line, ['name', 'city', 'postalCode']),
  };
}

/** Also none: then there is none any more. */
function linesOf(record: Fields, name: string): Fields[] {
  const list = record.raw[name];
  return Array.isArray(list) && list.length === 0 ? [] : record.lines(name);
}

function isSaid(record: Fields, name: string): boolean {
  return record.raw[name] != null;
}

function noneOf(text: string): string | null {
  return text === NONE ? null : text;
}

/** Those of them that are there. */
export function textsOf<Name extends string>(record: Fields, names: readonly Name[]): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  for (const name of names) if (isSaid(record, name)) found[name] = record.text(name);
  return found;
}
