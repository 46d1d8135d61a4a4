/** A decision as people and callers are told of it: codes for ids, no infinities. */
import { amountMinor } from '../canonical/index.ts';
import type { Directory } from '../master/index.ts';
import type { PriceQuestion } from './read.ts';
import { type LookReason, NEVER_BEGAN, NO_END, type PriceDecision, type PriceSource } from './types.ts';

export interface ToldPrice {
  sku: string;
  quantity: number;
  unit: string;
  /** null: there is no price; `reasons` say why. */
  unitPrice: string | null;
  /** Base units that the unit price is for. */
  pricePer: number | null;
  currency: string;
  amountMinor: number | null;
  source: PriceSource | null;
  contract: string | null;
  list: string | null;
  /** Whose contract it is: the account's or its ancestor's. */
  account: string | null;
  quantityMin: number | null;
  validFrom: string | null;
  validTo: string | null;
  /** The quantity from which the next price holds. */
  next: { quantityMin: number; unitPrice: string; pricePer: number } | null;
  reasons: ToldLook[];
}

export interface ToldLook {
  source: PriceSource;
  contract: string | null;
  list: string | null;
  account: string | null;
  why: LookReason;
  unitPrice: string | null;
  pricePer: number | null;
  currency: string | null;
  quantityMin: number | null;
  validFrom: string | null;
  validTo: string | null;
}

/** Codes of all SKUs and accounts that the decisions name are loaded on the way. */
export async function tellPrices(
  directory: Directory,
  questions: readonly Pick<PriceQuestion, 'skuId' | 'quantity' | 'currency'>[],
  decisions: readonly PriceDecision[],
): Promise<ToldPrice[]> {
  await directory.loadSkuCodes(questions.map(({ skuId }) => skuId));
  await directory.loadAccountCodes(decisions.flatMap(({ looks }) => looks.flatMap(({ accountId }) => accountId ?? [])));
  const codeOf = (accountId: number | null) => (accountId === null ? null : directory.accountCode(accountId));
  return questions.map(({ skuId, quantity, currency }, i) => {
    const { price, looks } = decisions[i]!;
    return {
      sku: directory.skuCode(skuId),
      ...{ quantity, unit: directory.skuUnit(skuId) },
      unitPrice: price?.unitPrice ?? null,
      pricePer: price?.pricePer ?? null,
      currency,
      amountMinor: price === null ? null : amountMinor(price.unitPrice, quantity, currency, price.pricePer),
      source: price?.source ?? null,
      ...nameOf(price),
      account: codeOf(price?.accountId ?? null),
      quantityMin: price?.quantityMin ?? null,
      validFrom: dayOf(price?.validFrom),
      validTo: dayOf(price?.validTo),
      next: price?.next ?? null,
      reasons: looks.map((look) => ({
        source: look.source,
        ...nameOf(look),
        account: codeOf(look.accountId),
        why: look.why,
        ...{ unitPrice: look.unitPrice, pricePer: look.pricePer, currency: look.currency },
        quantityMin: look.quantityMin,
        validFrom: dayOf(look.validFrom),
        validTo: dayOf(look.validTo),
      })),
    };
  });
}

function nameOf(from: { source: PriceSource; name: string } | null): { contract: string | null; list: string | null } {
  if (from === null) return { contract: null, list: null };
  return from.source === 'contract' ? { contract: from.name, list: null } : { contract: null, list: from.name };
}

function dayOf(day: string | null | undefined): string | null {
  return day === undefined || day === null || day === NEVER_BEGAN || day === NO_END ? null : day;
}

const words: Readonly<Record<LookReason, string>> = {
  used: 'used',
  outranked: 'has one, too; a stronger source has it already',
  contract_expired: 'has expired',
  contract_not_started: 'has not begun',
  price_expired: 'its price has ended',
  price_not_started: 'its price has not begun',
  other_currency: 'is in another currency',
  below_quantity: 'has prices from a higher quantity on only',
  not_named: 'has no price of it',
};

/** One sentence a look, for people. */
export function lookText(look: ToldLook): string {
  const what =
    look.contract !== null
      ? `contract ${look.contract}`
      : `${look.source === 'base' ? '' : `${look.source.replace('_', ' ')} `}${look.source === 'base' ? 'list base' : look.list}`;
  const whose = look.account === null ? '' : ` of ${look.account}`;
  const per = look.pricePer === null || look.pricePer === 1 ? '' : ` per ${look.pricePer}`;
  const days = [look.validFrom && `from ${look.validFrom}`, look.validTo && `to ${look.validTo}`]
    .filter(Boolean)
    .join(' ');
  const price =
    look.unitPrice === null
      ? days
      : [`${look.unitPrice} ${look.currency}${per}`, look.quantityMin === 1 ? '' : `from ${look.quantityMin} on`, days]
          .filter(Boolean)
          .join(', ');
  return `${what}${whose}: ${words[look.why]}${price === '' ? '' : ` (${price})`}`;
}
