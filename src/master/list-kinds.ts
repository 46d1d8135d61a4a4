/** Lists that stand beside a product or an account, each planned as a whole. */
import type { Statement, Tx } from '../store/index.ts';
import { type AccountRecord, writeAccounts } from './accounts.ts';
import { type ProductRecord, writeProducts } from './products.ts';
import { column, type RecordKind, refuse } from './record-kind.ts';
import * as statements from './record-kinds.sql.ts';

const options = { whole: true, mustExist: true };

function ofProducts(
  name: string,
  field: 'substitutes' | 'kit' | 'units',
  lockTables: Statement,
  readLists: Statement<statements.ListRow>,
): RecordKind {
  const put = async (tx: Tx, records: readonly ProductRecord[]) =>
    refuse((await writeProducts(tx, records, options)).findings, records);
  return {
    ...{ name, keyFields: ['sku'], fields: [field], isSubject: false, isList: true },
    lock: (tx) => tx.query(lockTables),
    async read(db, keys) {
      const rows = await db.query(readLists, [column(keys, 0)]);
      return new Map(rows.map(({ at, subject_id: subjectId, list }) => [at, { subjectId, values: { [field]: list } }]));
    },
    put: (tx, _directory, records) => put(tx, records as unknown as ProductRecord[]),
    async withdraw(tx, _directory, keys) {
      await put(
        tx,
        keys.map(([sku]) => ({ sku: sku!, [field]: [] })),
      );
      return new Map();
    },
  };
}

const addresses: RecordKind = {
  ...{ name: 'addresses', keyFields: ['company', 'account'], fields: ['addresses'], isSubject: false, isList: true },
  lock: (tx) => tx.query(statements.lockAddressTables),
  async read(db, keys) {
    const rows = await db.query(statements.readAddressLists, [column(keys, 0), column(keys, 1)]);
    return new Map(rows.map(({ at, subject_id: subjectId, list }) => [at, { subjectId, values: { addresses: list } }]));
  },
  async put(tx, directory, records) {
    const all = records as unknown as AccountRecord[];
    refuse((await writeAccounts(tx, directory, all, options)).findings, all);
  },
  async withdraw(tx, directory, keys) {
    const none = keys.map(([company, account]) => ({ company: company!, account: account!, addresses: [] }));
    refuse((await writeAccounts(tx, directory, none, options)).findings, none);
    return new Map();
  },
};

export const listKinds: readonly RecordKind[] = [
  ofProducts('substitutes', 'substitutes', statements.lockSubstituteTables, statements.readSubstituteLists),
  ofProducts('kits', 'kit', statements.lockKitTables, statements.readKitLists),
  ofProducts('units', 'units', statements.lockUnitTables, statements.readUnitLists),
  addresses,
];
