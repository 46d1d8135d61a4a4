/** What differs between kinds of records that are matched: where their codes stand, and how one of their own is added. */
import { numbers, type Tx, texts } from '../store/index.ts';
import { writeAccounts } from './accounts.ts';
import type { Directory } from './directory.ts';
import { writeIdentities } from './match-index.ts';
import type { MatchKind, MatchRecord } from './match-rules.ts';
import * as statements from './matches.sql.ts';
import { addProducts } from './products.sql.ts';
import { writeProducts } from './products.ts';
import { addMerged } from './records.sql.ts';

export interface ArrivedRecord {
  kind: MatchKind;
  system: string;
  /** Of products 0: they are all companies'. */
  companyId: number;
  outsideId: string;
  record: MatchRecord;
}

/** Before whatever a system says of it later. */
const EVER = '1970-01-01T00:00:00Z';

export const matchedKinds = {
  account: {
    crosswalk: 'account',
    codeOf: (outsideId: string) => outsideId,
    taken: statements.findTakenAccountCodes,
    async add(tx: Tx, directory: Directory, code: string, { system, companyId, record }: ArrivedRecord) {
      const { currency, code: company } = directory.companyById.get(companyId)!;
      await tx.query(addMerged, [numbers([companyId]), texts([code]), texts([currency])]);
      await writeIdentities(tx, [{ companyId, account: code, system, record }]);
      // As its system said it; what another system owns stays as it is.
      if (record.name !== undefined)
        await writeAccounts(tx, directory, [{ account: code, company, name: record.name, system, changedAt: EVER }]);
    },
  },
  product: {
    crosswalk: 'sku',
    codeOf: (outsideId: string) => outsideId.toUpperCase(),
    taken: statements.findTakenProductCodes,
    async add(tx: Tx, _directory: Directory, code: string, { system, record: { description, gtin } }: ArrivedRecord) {
      await tx.query(addProducts, [texts([code])]);
      await writeProducts(tx, [
        {
          ...{ sku: code, system, changedAt: EVER },
          ...(description !== undefined && { description }),
          ...(gtin !== undefined && { gtin }),
        },
      ]);
    },
  },
} as const;
