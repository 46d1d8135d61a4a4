/** Contracts of accounts, and their prices, from rows. */
import {
  type ContractPriceRecord,
  type ContractRecord,
  loadAccountsOf,
  putContractPrices,
  writeContracts,
} from '../../pricing/index.ts';
import type { RowFields } from './fields.ts';
import type { LoadContext, Reject } from './kinds.ts';

export const contractRows = ({ db, directory }: LoadContext, company: string | undefined) => ({
  required: ['contract', 'account'],
  optional: ['company', 'currency', 'valid_from', 'valid_to'],
  read: (row: RowFields): ContractRecord => {
    const currency = row.optional('currency');
    const validFrom = row.day('valid_from');
    const validTo = row.day('valid_to');
    return {
      company: row.text('company', company),
      contract: row.text('contract'),
      account: row.text('account'),
      ...(currency !== undefined && { currency }),
      ...(validFrom !== undefined && { validFrom }),
      ...(validTo !== undefined && { validTo }),
    };
  },
  /** What would stand in the days of another contract is named; the rest is loaded. */
  put: async (records: ContractRecord[]): Promise<Map<ContractRecord, Reject>> => {
    await loadAccountsOf(directory, records);
    const { refused } = await db.transaction((tx) => writeContracts(tx, directory, records));
    return new Map(
      refused.map(({ at, reason, overlaps }) => [
        records[at]!,
        { code: overlaps === undefined ? 'value_invalid' : 'price_overlap', reason },
      ]),
    );
  },
});

export const contractPriceRows = ({ db, directory }: LoadContext, company: string | undefined) => ({
  required: ['contract', 'sku', 'unit_price'],
  optional: ['company', 'quantity_min', 'price_per'],
  read: (row: RowFields): ContractPriceRecord => ({
    company: row.text('company', company),
    contract: row.text('contract'),
    sku: row.text('sku').toUpperCase(),
    unitPrice: row.unitPrice('unit_price'),
    pricePer: row.whole('price_per', 1, 1),
    quantityMin: row.whole('quantity_min', 1, 1),
  }),
  put: (records: ContractPriceRecord[]) => putContractPrices(db, directory, records),
});
