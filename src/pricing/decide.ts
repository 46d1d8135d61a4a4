/**
 * The price of a SKU: the first of contract, the account's list, the channel's list and base that has one on the day, in the currency,
 * for the quantity. Pure; the same for the same candidates in any order. A stronger source wins also where it is dearer: it was agreed.
 */
import {
  type Asked,
  type Candidate,
  type DecidedPrice,
  type Look,
  type LookReason,
  type PriceDecision,
  type PriceRow,
  priceSources,
} from './types.ts';

export function decidePrice(asked: Asked, candidates: readonly Candidate[]): PriceDecision {
  let price: DecidedPrice | null = null;
  const looks: Look[] = [];
  for (const candidate of [...candidates].sort(byPrecedence)) {
    const found = lookInto(asked, candidate);
    if (found.why !== 'used') {
      looks.push(lookOf(candidate, found.why, found.row));
      continue;
    }
    looks.push(lookOf(candidate, price === null ? 'used' : 'outranked', found.row));
    if (price !== null) continue;
    const { unitPrice, pricePer, currency, quantityMin, validFrom, validTo } = found.row;
    const { source, name, accountId } = candidate;
    price = {
      ...{ unitPrice, pricePer, currency, source, name, accountId, quantityMin, validFrom, validTo },
      next: found.next,
    };
  }
  return { price, looks };
}

/** Nearer accounts come before farther ones. The rest only makes the order total. */
function byPrecedence(one: Candidate, other: Candidate): number {
  return (
    priceSources.indexOf(one.source) - priceSources.indexOf(other.source) ||
    one.distance - other.distance ||
    compare(other.contract?.validFrom ?? '', one.contract?.validFrom ?? '') ||
    compare(one.name, other.name)
  );
}

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);

type Found =
  | { why: 'used'; row: PriceRow; next: DecidedPrice['next'] }
  | { why: Exclude<LookReason, 'used' | 'outranked'>; row: PriceRow | undefined };

function lookInto({ quantity, day, currency }: Asked, { contract, rows }: Candidate): Found {
  const sorted = [...rows].sort(byTier);
  const nearest = tierAt(sorted, quantity) ?? sorted[0];
  if (contract !== null) {
    if (contract.validTo < day) return { why: 'contract_expired', row: nearest };
    if (contract.validFrom > day) return { why: 'contract_not_started', row: nearest };
    if (contract.currency !== currency) return { why: 'other_currency', row: nearest };
  }
  if (rows.length === 0) return { why: 'not_named', row: undefined };
  const inCurrency = sorted.filter((row) => row.currency === currency);
  if (inCurrency.length === 0) return { why: 'other_currency', row: nearest };
  const valid = inCurrency.filter((row) => row.validFrom <= day && row.validTo >= day);
  if (valid.length === 0) {
    const past = inCurrency.filter((row) => row.validTo < day);
    const last = past.reduce<PriceRow | undefined>(
      (newest, row) => (newest === undefined || row.validTo > newest.validTo ? row : newest),
      undefined,
    );
    return last === undefined ? { why: 'price_not_started', row: inCurrency[0] } : { why: 'price_expired', row: last };
  }
  // From the day on which all prices of a list were said, earlier ones have ended; what was said of single quantities since then adds to them.
  const since = valid.reduce((newest, row) => (row.whole && row.validFrom > newest ? row.validFrom : newest), '');
  const tiers: PriceRow[] = [];
  for (const row of valid) {
    if (row.validFrom < since) continue;
    if (tiers.at(-1)?.quantityMin !== row.quantityMin) tiers.push(row);
  }
  const tier = tierAt(tiers, quantity);
  if (tier === undefined) return { why: 'below_quantity', row: tiers[0] };
  const next = tiers.find((row) => row.quantityMin > quantity);
  return {
    why: 'used',
    row: tier,
    next:
      next === undefined ? null : { quantityMin: next.quantityMin, unitPrice: next.unitPrice, pricePer: next.pricePer },
  };
}

/** By quantity; of one quantity the newest first. What comes after that only makes the order total. */
function byTier(one: PriceRow, other: PriceRow): number {
  return (
    one.quantityMin - other.quantityMin ||
    compare(other.validFrom, one.validFrom) ||
    compare(one.validTo, other.validTo) ||
    compare(one.unitPrice, other.unitPrice) ||
    one.pricePer - other.pricePer
  );
}

/** The one that the quantity reaches. */
function tierAt(rows: readonly PriceRow[], quantity: number): PriceRow | undefined {
  return rows.findLast((row) => row.quantityMin <= quantity);
}

function lookOf({ source, name, accountId, contract }: Candidate, why: LookReason, row: PriceRow | undefined): Look {
  const { unitPrice = null, pricePer = null, quantityMin = null } = row ?? {};
  // A contract that names no price of it is still one of some days and one currency.
  const { currency = null, validFrom = null, validTo = null } = row ?? contract ?? {};
  return { ...{ source, name, accountId, why }, ...{ unitPrice, pricePer, currency, quantityMin, validFrom, validTo } };
}
