/** Accounts: what systems and people say of them is weighed field by field under the lock of their rows, and written in sets. */
import { type AccountAddress, type AccountField, fail, ownerOf } from '../canonical/index.ts';
import { type Database, numbers, type Tx, texts } from '../store/index.ts';
import { ACCOUNT_DEPTH_MAX } from './account-terms.ts';
import { type AccountValues, accountValues, NEW_ACCOUNT } from './account-values.ts';
import * as statements from './accounts.sql.ts';
import { findAccountCodes } from './directory.sql.ts';
import type { Directory } from './directory.ts';
import { addFinding, type Finding, type Findings, failAtFirst, shown } from './findings.ts';
import { cycleThrough, longestThrough } from './graph.ts';
import { mayCreate, readOwnerRules } from './owners.ts';
import type { WriteOptions, Written } from './products.ts';
import { momentOf, PERSON } from './provenance.ts';
import { endMoot, queueForSteward } from './stewardship.ts';
import { type ForSteward, WeighedRecord } from './weighed-record.ts';

/** What is absent is not said. */
export interface AccountRecord extends AccountValues {
  account: string;
  company: string;
  changedAt?: string;
  system?: string;
}

/** Adds or changes accounts, all or none. @throws XD_UNKNOWN_COMPANY, XD_NOT_OWNER and others, naming place and value */
export async function putAccounts(
  db: Database | Tx,
  directory: Directory,
  records: readonly AccountRecord[],
): Promise<{ written: number }> {
  const put = async (tx: Tx) => {
    const { written, findings } = await writeAccounts(tx, directory, records, { whole: true });
    failAtFirst(findings, records, 'accounts');
    return { written };
  };
  return 'transaction' in db ? db.transaction(put) : put(db);
}

interface Sayer<R> {
  record: R;
  companyId: number;
  key: string;
  system: string;
  values: Partial<Record<AccountField, unknown>>;
}

/** Locks the accounts' rows in the order of company and code. @throws XD_UNKNOWN_COMPANY */
export async function writeAccounts<R extends AccountRecord>(
  tx: Tx,
  directory: Directory,
  records: readonly R[],
  options: WriteOptions = {},
): Promise<Written<R>> {
  const { whole = false, mustExist = false } = options;
  const findings: Findings<R> = new Map();
  const said: Sayer<R>[] = [];
  for (const [i, record] of records.entries()) {
    const company = directory.companies.get(record.company);
    if (company === undefined)
      fail('XD_UNKNOWN_COMPANY', `accounts[${i}].company: no company ${record.company}`, {
        place: `accounts[${i}].company`,
      });
    const values = accountValues(record);
    if ('reason' in values)
      addFinding(findings, record, {
        ...{ class: 'value_invalid', code: 'XD_VALUE_INVALID', field: values.place },
        reason: values.reason,
      });
    else {
      const { companyId } = company;
      const key = keyOf(companyId, record.account);
      said.push({ record, companyId, key, system: record.system ?? PERSON, values });
    }
  }
  if (said.length === 0) return { written: 0, findings };
  const rules = options.rules ?? (await readOwnerRules(tx));
  const mayAdd = byKey(said.filter(({ system }) => !mustExist && mayCreate(rules, 'account', system)));
  // Always, as products are: the lock on the table comes first.
  const added = new Set(
    (
      await tx.query(statements.addAccounts, [
        ...namesOf(mayAdd),
        texts(mayAdd.map(({ companyId }) => directory.companyById.get(companyId)!.currency)),
      ])
    ).map((row) => keyOf(row.company_id, row.code)),
  );
  const rows = await tx.query(statements.lockAccounts, namesOf(byKey(said)));
  const addresses = new Map<number, AccountAddress[]>();
  if (said.some(({ values }) => values.addresses !== undefined))
    for (const row of await tx.query(statements.readAddresses, [numbers(rows.map((one) => one.account_id))]))
      addresses.set(row.account_id, [...(addresses.get(row.account_id) ?? []), addressOf(row)]);
  const above = rows.flatMap((row) => row.parent_id ?? []);
  const codes = new Map(
    above.length === 0
      ? []
      : (await tx.query(findAccountCodes, [numbers(above)])).map((row) => [row.account_id, row.code]),
  );
  const held = new Map(
    rows.map((row) => {
      const parent = row.parent_id === null ? null : codes.get(row.parent_id)!;
      // What was taken back is as if it had never been.
      const record = row.is_withdrawn
        ? new WeighedRecord({ ...NEW_ACCOUNT }, {}, {})
        : new WeighedRecord(valuesOf(row, parent, addresses), row.said, row.set_by);
      return [keyOf(row.company_id, row.code), { row, parts: false, record }];
    }),
  );
  const parents = await Parents.read(tx, said, held);
  const steward: ForSteward = { queued: [], moot: [] };
  const taken = new Set<string>();
  for (const { record, companyId, key, system, values } of said) {
    const found = held.get(key);
    const isGone = found?.row.is_withdrawn === true && !taken.has(key);
    if (found === undefined || (isGone && (mustExist || !mayCreate(rules, 'account', system)))) {
      addFinding(findings, record, unknownAccount(rules.owners.account, mustExist, companyId, record.account));
      continue;
    }
    const parent = parents.codeOf(companyId, values.parent);
    const fields = { ...values, ...(parent !== undefined && { parent }) };
    const before = found.record.values.parent as string | null;
    const check = (field: string, value: unknown) =>
      field === 'parent' ? parents.put(companyId, record.account, value as string | null) : undefined;
    const at = record.changedAt === undefined ? null : momentOf(record.changedAt);
    const id = { domain: 'account', companyId, record: record.account } as const;
    const own = found.record.weigh(id, { system, at, fields }, rules, { check, whole }, steward);
    for (const finding of own) addFinding(findings, record, finding);
    if (whole && own.length > 0) {
      parents.restore(companyId, record.account, before);
      continue;
    }
    taken.add(key);
    if (isGone) {
      found.record.isNews = true;
      found.record.changed.add('addresses');
      added.add(key);
    }
    // It is still there: a change of its own that is later than its merge parts the two.
    const { row } = found;
    const counts = (ownerOf(rules.owners, 'account', 'mergedInto') ?? system) === system;
    if (at !== null && counts && (row.changed_at === null || at > row.changed_at)) {
      if (row.merged_into !== null) found.parts = true;
      found.record.isNews = true;
      if (found.record.at === null || at > found.record.at) found.record.at = at;
    }
  }
  const unused = rows.filter((row) => {
    const key = keyOf(row.company_id, row.code);
    return added.has(key) && !taken.has(key);
  });
  if (unused.length > 0) tx.write(statements.removeAccounts, [numbers(unused.map((row) => row.account_id))]);
  const changed = [...held.values()].filter(({ record }) => record.isChanged);
  writeRows(tx, changed, parents);
  writeAddresses(tx, changed);
  await queueForSteward(tx, steward.queued);
  await endMoot(tx, steward.moot);
  const written = [...held].filter(
    ([key, { record }]) => taken.has(key) && (added.has(key) || record.changed.size > 0),
  );
  return { written: written.length, findings };
}

function keyOf(companyId: number, code: string): string {
  return `${companyId}/${code}`;
}

function byKey<R extends { account: string }>(said: readonly Sayer<R>[]): { companyId: number; code: string }[] {
  const names = new Map(said.map(({ companyId, record, key }) => [key, { companyId, code: record.account }] as const));
  return [...names.values()];
}

function namesOf(names: readonly { companyId: number; code: string }[]): [string, string] {
  return [numbers(names.map(({ companyId }) => companyId)), texts(names.map(({ code }) => code))];
}

function valuesOf(
  row: statements.AccountRow,
  parent: string | null,
  addresses: ReadonlyMap<number, AccountAddress[]>,
): Record<string, unknown> {
  return {
    ...NEW_ACCOUNT,
    ...{ name: row.name, channel: row.channel, parent, paymentTerms: row.payment_terms },
    ...{ hold: row.hold_reason, priceList: row.price_list, priorityClass: row.priority_class },
    ...{ shipComplete: row.ship_complete, region: row.region },
    addresses: (addresses.get(row.account_id) ?? []).sort((a, b) => (a.code < b.code ? -1 : 1)),
  };
}

function addressOf({ code, name, lines, city, postal_code, country }: statements.AddressRow): AccountAddress {
  return { code, name, lines, city, postalCode: postal_code, country };
}

function unknownAccount(owner: string | undefined, mustExist: boolean, companyId: number, code: string): Finding {
  const reason = `no account ${shown(code)}`;
  if (mustExist) return { class: 'unknown_account', code: 'XD_UNKNOWN_ACCOUNT', field: 'account', reason };
  return {
    ...{ class: 'unknown_account', code: 'XD_NOT_OWNER', field: 'account' },
    reason: `${reason}; ${owner} owns accounts and has not told of it`,
    waitKey: `account/${companyId} ${code}`,
  };
}

/** What is above what, as far as a batch reaches. */
class Parents {
  readonly #edges = new Map<string, string[]>();
  /** By what an account is called: the account that it is by now. */
  readonly #known = new Map<string, { id: number; code: string }>();

  /** Locks what it reads against other writers of parents, if any is said to change. */
  static async read<R extends { account: string }>(
    tx: Tx,
    said: readonly Sayer<R>[],
    held: ReadonlyMap<string, { record: WeighedRecord }>,
  ): Promise<Parents> {
    const parents = new Parents();
    const named = said.filter(
      ({ key, values }) => values.parent !== undefined && held.get(key)?.record.values.parent !== values.parent,
    );
    // Those that stay as they are are written with the others.
    const names = said.flatMap(({ companyId, key, values }) =>
      [held.get(key)?.record.values.parent, values.parent].flatMap((code) =>
        typeof code === 'string' ? [{ companyId, code }] : [],
      ),
    );
    if (named.length > 0) await tx.query(statements.lockParents);
    if (names.length > 0)
      for (const row of await tx.query(statements.findParents, namesOf(names)))
        parents.#known.set(keyOf(row.company_id, row.code), { id: row.parent_id, code: row.parent });
    if (named.length > 0) {
      const around = [...byKey(named), ...names];
      for (const row of await tx.query(statements.readParentsAround, namesOf(around)))
        parents.#edges.set(keyOf(row.company_id, row.code), [keyOf(row.company_id, row.parent)]);
    }
    return parents;
  }

  /** The account that it was merged into, if it was; undefined: nothing is said. */
  codeOf(companyId: number, said: unknown): string | null | undefined {
    if (typeof said !== 'string') return said === null ? null : undefined;
    return this.#known.get(keyOf(companyId, said))?.code ?? said;
  }

  idOf(companyId: number, code: string): number {
    return this.#known.get(keyOf(companyId, code))!.id;
  }

  /** Takes it, so that those after it are judged with it, unless it can't be. */
  put(companyId: number, code: string, parent: string | null): Finding | undefined {
    const key = keyOf(companyId, code);
    if (parent === null) {
      this.#edges.delete(key);
      return undefined;
    }
    if (!this.#known.has(keyOf(companyId, parent)))
      return {
        ...{ class: 'unknown_account', code: 'XD_UNKNOWN_ACCOUNT', field: 'parent' },
        reason: `no account ${shown(parent)} that ${code} could stand below`,
        waitKey: `account/${companyId} ${parent}`,
      };
    const before = this.#edges.get(key);
    this.#edges.set(key, [keyOf(companyId, parent)]);
    const cycle = cycleThrough(this.#edges, key);
    const accounts = cycle === undefined ? longestThrough(this.#edges, key) + 1 : 0;
    if (cycle === undefined && accounts <= ACCOUNT_DEPTH_MAX) return undefined;
    if (before === undefined) this.#edges.delete(key);
    else this.#edges.set(key, before);
    const path = cycle?.map((one) => one.slice(one.indexOf('/') + 1)).join(' > ');
    if (path !== undefined)
      return {
        ...{ class: 'account_cycle', code: 'XD_ACCOUNT_CYCLE', field: 'parent' },
        reason: `${code} would stand above itself: ${path}`,
      };
    return {
      ...{ class: 'account_depth', code: 'XD_VALUE_INVALID', field: 'parent' },
      reason: `the accounts through ${code} stand ${accounts} deep, at most ${ACCOUNT_DEPTH_MAX}`,
    };
  }

  restore(companyId: number, code: string, parent: string | null): void {
    if (parent === null) this.#edges.delete(keyOf(companyId, code));
    else this.#edges.set(keyOf(companyId, code), [keyOf(companyId, parent)]);
  }
}

interface HeldAccount {
  row: statements.AccountRow;
  parts: boolean;
  record: WeighedRecord;
}

function writeRows(tx: Tx, changed: readonly HeldAccount[], parents: Parents): void {
  if (changed.length === 0) return;
  const column = (field: AccountField) => changed.map(({ record }) => record.values[field] as string | null);
  tx.write(statements.updateAccounts, [
    numbers(changed.map(({ row }) => row.account_id)),
    texts(column('channel')),
    texts(column('name')),
    numbers(
      changed.map(({ row, record }) => {
        const parent = record.values.parent as string | null;
        return parent === null ? null : parents.idOf(row.company_id, parent);
      }),
    ),
    ...(['paymentTerms', 'hold', 'priceList', 'priorityClass'] as const).map((field) => texts(column(field))),
    texts(changed.map(({ record }) => String(record.values.shipComplete))),
    texts(column('region')),
    texts(changed.map(({ record }) => JSON.stringify(record.provenance.said))),
    texts(changed.map(({ record }) => JSON.stringify(record.provenance.setters))),
    texts(changed.map(({ record }) => record.at)),
    texts(changed.map(({ parts }) => String(parts))),
  ]);
}

function writeAddresses(tx: Tx, changed: readonly HeldAccount[]): void {
  const listed = changed.filter(({ record }) => record.changed.has('addresses'));
  if (listed.length === 0) return;
  const rows = listed.flatMap(({ row, record }) =>
    (record.values.addresses as Required<AccountAddress>[]).map((one) => ({ id: row.account_id, ...one })),
  );
  tx.write(statements.removeAddresses, [numbers(listed.map(({ row }) => row.account_id))]);
  tx.write(statements.insertAddresses, [
    numbers(rows.map((row) => row.id)),
    texts(rows.map((row) => row.code)),
    texts(rows.map((row) => row.name)),
    texts(rows.map((row) => JSON.stringify(row.lines))),
    texts(rows.map((row) => row.city)),
    texts(rows.map((row) => row.postalCode)),
    texts(rows.map((row) => row.country)),
  ]);
}
