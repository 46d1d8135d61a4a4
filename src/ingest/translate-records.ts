/** Products, accounts and prices as their systems tell them. */
import {
  type AccountMerged,
  type ContractChanged,
  type ContractPriceChanged,
  gtin14Of,
  type PriceTier,
  quantityOf,
  type RecordChanged,
  toBasePrice,
  unitPriceOf,
} from '../canonical/index.ts';
import { accountValues, checkProductUnits, type Directory, momentOf, productValues } from '../master/index.ts';
import { type Fault, fault, NOTHING, skuOf, type Translated, unmappedAccount, unmatchedSku } from './translated.ts';

const CODE_CHARS_MAX = 80;
const DAY = /^\d{4}-\d\d-\d\d$/;
const CURRENCY = /^[A-Z]{3}$/;

export function translateRecord(directory: Directory, system: string, command: RecordChanged): Translated | Fault {
  if (Number.isNaN(Date.parse(command.changedAt)))
    return fault('value_invalid', 'XD_VALUE_INVALID', 'changedAt is no time', 'changedAt');
  momentOf(command.changedAt);
  const [place, code] =
    'account' in command ? (['account', command.account] as const) : (['sku', command.sku] as const);
  if (code.length === 0 || code.length > CODE_CHARS_MAX)
    return fault('value_invalid', 'XD_VALUE_INVALID', `a code has 1 to ${CODE_CHARS_MAX} characters`, place);
  if (command.kind === 'product.changed') {
    checkProductUnits(command, 'product');
    const ours = (sku: string) => directory.ourCode(system, 'sku', sku, null);
    const { kit, substitutes } = command;
    const named = [...(kit ?? []).map((one) => one.sku), ...(substitutes ?? [])];
    for (const sku of named) {
      const unmatched = unmatchedSku(
        directory,
        system,
        sku,
        null,
        kit?.some((one) => one.sku === sku) ? 'kit' : 'substitutes',
      );
      if (unmatched !== undefined) return unmatched;
    }
    const record = {
      ...command,
      sku: ours(command.sku),
      ...(kit !== undefined && { kit: kit.map((one) => ({ ...one, sku: ours(one.sku) })) }),
      ...(substitutes !== undefined && { substitutes: substitutes.map(ours) }),
    };
    const values = productValues(record.sku, record);
    if ('reason' in values) return fault('value_invalid', 'XD_VALUE_INVALID', values.reason, values.place);
    if (command.gtin === undefined || command.gtin === '') return { ...NOTHING, records: [record] };
    const gtin = gtin14Of(command.gtin);
    if (gtin === undefined)
      return fault(
        'value_invalid',
        'XD_VALUE_INVALID',
        `${shown(command.gtin)} is no GTIN: digits or check digit`,
        'gtin',
      );
    return { ...NOTHING, records: [{ ...record, gtin }] };
  }
  if (!directory.companies.has(command.company))
    return fault('unknown_company', 'XD_UNKNOWN_COMPANY', `no company ${shown(command.company)}`, 'company');
  if (command.kind === 'account.changed') {
    const values = accountValues(command);
    if ('reason' in values) return fault('value_invalid', 'XD_VALUE_INVALID', values.reason, values.place);
    const ours = (account: string) => directory.ourCode(system, 'account', account, null);
    const { account, parent } = command;
    const record = { ...command, account: ours(account), ...(typeof parent === 'string' && { parent: ours(parent) }) };
    return { ...NOTHING, records: [record] };
  }
  if (command.kind === 'account.merged')
    return (
      unmappedAccount(directory, system, command.account, null, 'account') ??
      unmappedAccount(directory, system, command.into, null, 'into') ??
      translateMerge(directory, {
        ...command,
        account: directory.ourCode(system, 'account', command.account, null),
        into: directory.ourCode(system, 'account', command.into, null),
      })
    );
  if (command.kind === 'contract.changed') return translateContract(directory, system, command);
  const skuId = skuOf(directory, system, command.sku, 'sku');
  if (typeof skuId !== 'number') return skuId;
  if (!CURRENCY.test(command.currency))
    return fault('value_invalid', 'XD_VALUE_INVALID', 'currency is three capital letters', 'currency');
  const wrongDays = wrongDaysOf(command);
  if (wrongDays !== undefined) return wrongDays;
  const gap = gapOf(command.tiers);
  if (gap !== undefined) return fault('tier_gap', 'XD_VALUE_INVALID', gap, 'tiers');
  const { unit: priceUnit, pricePer: said = 1, ...rest } = command;
  const pricePer = said === 1 ? 1 : quantityOf(said, 'pricePer');
  const based = (text: string, place: string) => {
    const price = { unitPrice: unitPriceOf(text, place), pricePer };
    return priceUnit === undefined ? price : toBasePrice({ ...price, priceUnit }, directory.unitsOf(skuId), place);
  };
  const price = based(command.unitPrice, 'unitPrice');
  // One unit, so all of them are for as many base units.
  const tiers = command.tiers?.map((tier, i) => ({
    quantityMin: quantityOf(tier.quantityMin, `tiers[${i}].quantityMin`),
    unitPrice: based(tier.unitPrice, `tiers[${i}].unitPrice`).unitPrice,
  }));
  const record = {
    ...{ ...rest, unitPrice: price.unitPrice, sku: directory.ourCode(system, 'sku', command.sku, null) },
    ...(tiers !== undefined && { tiers }),
    ...(price.pricePer !== 1 && { pricePer: price.pricePer }),
  };
  return { ...NOTHING, records: [record] };
}

function wrongDaysOf(record: { validFrom?: string; validTo?: string }): Fault | undefined {
  for (const place of ['validFrom', 'validTo'] as const) {
    const day = record[place];
    if (day !== undefined && (!DAY.test(day) || Number.isNaN(Date.parse(day))))
      return fault('value_invalid', 'XD_VALUE_INVALID', `${place} is no day`, place);
  }
  const { validFrom, validTo } = record;
  if (validFrom !== undefined && validTo !== undefined && validTo < validFrom)
    return fault('value_invalid', 'XD_VALUE_INVALID', `validTo ${validTo} is before validFrom ${validFrom}`, 'validTo');
  return undefined;
}

/** All of it or nothing: a contract of which some prices are missing would answer with the list's. */
function translateContract(directory: Directory, system: string, command: ContractChanged): Translated | Fault {
  const { contract, currency, prices } = command;
  if (contract.length === 0 || contract.length > CODE_CHARS_MAX)
    return fault('value_invalid', 'XD_VALUE_INVALID', `a code has 1 to ${CODE_CHARS_MAX} characters`, 'contract');
  if (currency !== undefined && !CURRENCY.test(currency))
    return fault('value_invalid', 'XD_VALUE_INVALID', 'currency is three capital letters', 'currency');
  const wrong = wrongDaysOf(command) ?? unmappedAccount(directory, system, command.account, null, 'account');
  if (wrong !== undefined) return wrong;
  const { companyId } = directory.companies.get(command.company)!;
  const account = directory.ourCode(system, 'account', command.account, null);
  if (directory.findAccountId(companyId, account) === undefined) {
    const reason = `contract ${shown(contract)} is of ${shown(account)}, and there is no such account`;
    const waitKey = `account/${companyId} ${account}`;
    return { ...fault('unknown_account', 'XD_UNKNOWN_ACCOUNT', reason, 'account'), waitKey };
  }
  const seen = new Set<string>();
  const based: ContractPriceChanged[] = [];
  for (const [i, price] of (prices ?? []).entries()) {
    const place = `prices[${i}]`;
    const skuId = skuOf(directory, system, price.sku, `${place}.sku`);
    if (typeof skuId !== 'number') return skuId;
    const quantityMin = quantityOf(price.quantityMin ?? 1, `${place}.quantityMin`);
    if (seen.has(`${skuId}/${quantityMin}`))
      return fault('value_invalid', 'XD_VALUE_INVALID', `two prices of ${price.sku} from ${quantityMin} on`, place);
    seen.add(`${skuId}/${quantityMin}`);
    const said = {
      unitPrice: unitPriceOf(price.unitPrice, `${place}.unitPrice`),
      pricePer: quantityOf(price.pricePer ?? 1, `${place}.pricePer`),
    };
    const units = directory.unitsOf(skuId);
    const { unitPrice, pricePer } =
      price.unit === undefined ? said : toBasePrice({ ...said, priceUnit: price.unit }, units, `${place}.unitPrice`);
    const sku = directory.ourCode(system, 'sku', price.sku, null);
    based.push({ sku, unitPrice, quantityMin, ...(pricePer !== 1 && { pricePer }) });
  }
  return { ...NOTHING, records: [{ ...command, account, ...(prices !== undefined && { prices: based }) }] };
}

function translateMerge(directory: Directory, command: AccountMerged): Translated | Fault {
  const { companyId } = directory.companies.get(command.company)!;
  const into = directory.findAccountId(companyId, command.into);
  if (into === undefined) {
    const reason = `${shown(command.account)} was merged into ${shown(command.into)}, and there is no such account`;
    const waitKey = `account/${companyId} ${command.into}`;
    return { ...fault('unknown_account', 'XD_UNKNOWN_ACCOUNT', reason, 'into'), waitKey };
  }
  const own = directory.findAccountId(companyId, command.account);
  if (own === into || (own !== undefined && directory.followAccount(into) === own)) {
    const reason = `${shown(command.account)} was merged into ${shown(command.into)}, which is merged into it`;
    return fault('merge_ring', 'XD_VALUE_INVALID', reason, 'into');
  }
  return { ...NOTHING, records: [command] };
}

/** Why there is no one price for each quantity. Tiers may lie as far apart as they like: the lower one holds up to the next. */
function gapOf(tiers: readonly PriceTier[] | undefined): string | undefined {
  if (tiers === undefined) return undefined;
  if (!tiers.some(({ quantityMin }) => quantityMin === 1)) {
    const lowest = tiers.reduce((least, { quantityMin }) => Math.min(least, quantityMin), Number.MAX_SAFE_INTEGER);
    return tiers.length === 0 ? 'the list has no price' : `the list has a price from ${lowest} on, and none from 1`;
  }
  const seen = new Set<number>();
  for (const { quantityMin } of tiers) {
    if (seen.has(quantityMin)) return `the list has two prices from ${quantityMin} on`;
    seen.add(quantityMin);
  }
  return undefined;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
