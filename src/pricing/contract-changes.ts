/** Contracts as systems tell them: the last change of each holds, with all of its prices where it names any. */
import type { ContractChanged } from '../canonical/index.ts';
import type { Directory } from '../master/index.ts';
import { numbers, type Tx, texts } from '../store/index.ts';
import { endOtherPrices } from './contracts.sql.ts';
import { writeContractPrices, writeContracts } from './contracts.ts';

/**
 * Accounts and SKUs are ours, and loaded.
 * @returns those that can't be taken, and why; an older change than what is there is none of them and changes nothing
 */
export async function changeContracts<R extends ContractChanged>(
  tx: Tx,
  directory: Directory,
  records: readonly R[],
): Promise<
  {
    record: R;
    class: 'price_overlap' | 'value_invalid';
    code: 'XD_PRICE_OVERLAP' | 'XD_VALUE_INVALID';
    field: string;
    reason: string;
  }[]
> {
  const newest = new Map<string, R>();
  for (const record of records) {
    const key = `${record.company}/${record.contract}`;
    const known = newest.get(key);
    if (known === undefined || Date.parse(record.changedAt) >= Date.parse(known.changedAt)) newest.set(key, record);
  }
  const list = [...newest.values()];
  if (list.length === 0) return [];
  const { refused, current } = await writeContracts(tx, directory, list);
  const priced = current.map((at) => list[at]!).filter(({ prices }) => prices !== undefined);
  if (priced.length > 0) {
    const companyId = (code: string) => directory.companies.get(code)!.companyId;
    const named = priced.flatMap(({ company, contract, prices }) =>
      prices!.map((price) => ({ company, contract, ...price })),
    );
    await tx.query(endOtherPrices, [
      numbers(priced.map(({ company }) => companyId(company))),
      texts(priced.map(({ contract }) => contract)),
      numbers(named.map(({ company }) => companyId(company))),
      texts(named.map(({ contract }) => contract)),
      numbers(named.map(({ sku }) => directory.findSkuId(sku)!)),
      numbers(named.map(({ quantityMin }) => quantityMin ?? 1)),
    ]);
    if (named.length > 0) await writeContractPrices(tx, directory, named);
  }
  return refused.map(({ at, field, reason, overlaps }) => ({
    record: list[at]!,
    ...(overlaps === undefined
      ? ({ class: 'value_invalid', code: 'XD_VALUE_INVALID' } as const)
      : ({ class: 'price_overlap', code: 'XD_PRICE_OVERLAP' } as const)),
    ...{ field, reason },
  }));
}
