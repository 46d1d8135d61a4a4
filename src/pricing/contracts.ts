/** Contracts of accounts and their prices: upserts in sets. Of one account and currency no two are valid on the same day. */
import { fail, quantityOf, unitPriceOf } from '../canonical/index.ts';
import { type CompanyEntry, type Directory, daysOf, lockPriceWriters } from '../master/index.ts';
import { type Database, numbers, type Tx, texts } from '../store/index.ts';
import * as statements from './contracts.sql.ts';
import { NEVER_BEGAN, NO_END } from './types.ts';

export interface ContractRecord {
  /** May be left out where there is one company. */
  company?: string;
  account: string;
  contract: string;
  /** Default: the company's. */
  currency?: string;
  validFrom?: string;
  /** The last day; absent: it has no end yet. */
  validTo?: string;
  /** When its system changed it; absent: a person put it. */
  changedAt?: string;
}
export interface ContractPriceRecord {
  company?: string;
  contract: string;
  sku: string;
  unitPrice: string;
  /** Base units that the unit price is for; default 1. */
  pricePer?: number;
  quantityMin?: number;
}

/** A contract that was not taken: another one of its account is valid on days of it, or it is one of another account or currency. */
export interface RefusedContract {
  at: number;
  field: 'validFrom' | 'account' | 'currency';
  reason: string;
  overlaps?: { contract: string; validFrom: string; validTo: string };
}

interface Contract {
  at: number;
  companyId: number;
  accountId: number;
  account: string;
  code: string;
  currency: string;
  from: string;
  to: string;
  changedAt: string | null;
}

/**
 * Contracts, and prices of them or of others that are there.
 * @throws XD_PRICE_OVERLAP naming the first contract that overlaps; nothing is written then
 */
export async function putContracts(
  db: Database,
  directory: Directory,
  records: readonly ContractRecord[],
  prices: readonly ContractPriceRecord[] = [],
): Promise<{ written: number; prices: number }> {
  await loadAccountsOf(directory, records);
  await directory.loadSkus(prices.map((price) => price.sku.toUpperCase()));
  return db.transaction(async (tx) => {
    const { written, refused } = await writeContracts(tx, directory, records);
    if (refused.length > 0) {
      const { at, field, reason, overlaps } = refused[0]!;
      const place = `contracts[${at}].${field}`;
      if (overlaps === undefined) fail('XD_VALUE_INVALID', `${place}: ${reason}`, { place });
      fail('XD_PRICE_OVERLAP', `${place}: ${reason}`, { place, overlaps });
    }
    return { written, prices: prices.length === 0 ? 0 : await writeContractPrices(tx, directory, prices) };
  });
}

/** What {@link writeContracts} needs to be known before. */
export async function loadAccountsOf(directory: Directory, records: readonly ContractRecord[]): Promise<void> {
  const accounts = records.flatMap(({ company: code, account }) => {
    const company = findCompany(directory, code);
    return company === undefined ? [] : [{ companyId: company.companyId, code: account }];
  });
  await directory.loadAccounts(accounts);
  await directory.loadMerged(accounts);
}

/** As {@link putContracts}, but for those that are refused: they are named, and the rest is written. `current`: contracts of which these say the latest. */
export async function writeContracts(
  tx: Tx,
  directory: Directory,
  records: readonly ContractRecord[],
): Promise<{ written: number; refused: RefusedContract[]; current: number[] }> {
  const other: RefusedContract[] = [];
  const last = new Map<string, Contract>();
  records.forEach((record, at) => {
    const company = companyOf(directory, record.company, `contracts[${at}].company`);
    const accountId = directory.findAccountId(company.companyId, record.account);
    const place = `contracts[${at}].account`;
    if (accountId === undefined)
      fail(
        'XD_UNKNOWN_ACCOUNT',
        `${place}: no account ${JSON.stringify(record.account.slice(0, 60))} in company ${company.code}`,
        { place },
      );
    const { validFrom: from = NEVER_BEGAN, validTo: to = NO_END, currency = company.currency } = record;
    if (!/^[A-Z]{3}$/.test(currency))
      fail('XD_VALUE_INVALID', `contracts[${at}].currency: three capital letters, not ${currency.slice(0, 10)}`, {
        place: `contracts[${at}].currency`,
      });
    const end = `contracts[${at}].validTo`;
    if (to < from) fail('XD_VALUE_INVALID', `${end}: ${to} is before ${from}`, { place: end });
    last.set(`${company.companyId}/${record.contract}`, {
      ...{ at, companyId: company.companyId, account: record.account, code: record.contract, currency, from, to },
      // Of an account that was merged into another: the other's.
      accountId: directory.followAccount(accountId),
      changedAt: record.changedAt ?? null,
    });
  });
  const asked = [...last.values()];
  await lockPriceWriters(tx, [...new Set(asked.map(({ companyId }) => companyId))]);
  const known = await tx.query(statements.findContracts, [
    numbers(asked.map(({ companyId }) => companyId)),
    texts(asked.map(({ code }) => code)),
  ]);
  const before = new Map(known.map((row) => [`${row.company_id}/${row.code}`, row]));
  const fresh = asked.filter((contract) => {
    const row = before.get(`${contract.companyId}/${contract.code}`);
    if (row === undefined) return true;
    const { at, changedAt, account, currency, code } = contract;
    if (changedAt !== null && row.changed_at !== null && Date.parse(changedAt) < row.changed_at.getTime()) return false;
    // Its prices were agreed with somebody, in a currency: with another it is another contract.
    if (row.account_id !== contract.accountId)
      other.push({ at, field: 'account', reason: `contract ${code} is not one of ${account}` });
    else if (row.currency !== currency)
      other.push({ at, field: 'currency', reason: `contract ${code} is in ${row.currency}, not ${currency}` });
    else return true;
    return false;
  });
  const { kept, refused } = await withoutOverlaps(
    tx,
    fresh,
    (contract) => before.get(`${contract.companyId}/${contract.code}`)?.contract_id,
  );
  const written = await tx.query(statements.upsertContracts, [
    numbers(kept.map(({ companyId }) => companyId)),
    numbers(kept.map(({ accountId }) => accountId)),
    texts(kept.map(({ code }) => code)),
    texts(kept.map(({ currency }) => currency)),
    texts(kept.map(({ from }) => from)),
    texts(kept.map(({ to }) => to)),
    texts(kept.map(({ changedAt }) => changedAt)),
  ]);
  return { written: written.length, refused: [...other, ...refused], current: kept.map(({ at }) => at) };
}

/** The earlier of two of one set is taken; looked at again until no more is left out, as one left out keeps what it would have replaced. */
async function withoutOverlaps(
  tx: Tx,
  asked: readonly Contract[],
  idOf: (contract: Contract) => number | undefined,
): Promise<{ kept: Contract[]; refused: RefusedContract[] }> {
  let kept = [...asked];
  const refused: RefusedContract[] = [];
  for (;;) {
    const ids = kept.flatMap((contract) => idOf(contract) ?? []);
    const there = await tx.query(statements.findContractsOf, [
      numbers(kept.map(({ accountId }) => accountId)),
      texts(kept.map(({ currency }) => currency)),
      texts(kept.map(({ from }) => from)),
      texts(kept.map(({ to }) => to)),
      numbers(ids),
    ]);
    const others = Map.groupBy(
      there.map((row) => ({ ...row, from: row.valid_from, to: row.valid_to })),
      (row) => `${row.account_id}/${row.currency}`,
    );
    const taken: Contract[] = [];
    let isLess = false;
    for (const contract of kept) {
      const key = `${contract.accountId}/${contract.currency}`;
      const other = (others.get(key) ?? []).find((one) => sharesDays(one, contract));
      if (other === undefined) {
        taken.push(contract);
        others.set(key, [...(others.get(key) ?? []), asOther(contract)]);
        continue;
      }
      isLess = true;
      refused.push({
        at: contract.at,
        field: 'validFrom',
        reason: `contract ${contract.code} of ${contract.account}, ${contract.currency}, ${daysOf(contract)} overlaps contract ${other.code} ${daysOf(other)}: end one of them first`,
        overlaps: { contract: other.code, validFrom: other.from, validTo: other.to },
      });
    }
    kept = taken;
    if (!isLess) return { kept, refused };
  }
}

/** Contracts never follow one another by themselves: one without an end is valid for ever. */
function sharesDays(one: { from: string; to: string }, other: { from: string; to: string }): boolean {
  return one.from <= other.to && other.from <= one.to;
}

function asOther(contract: Contract) {
  const { accountId: account_id, currency, code, from, to } = contract;
  return { account_id, currency, code, from, to, valid_from: from, valid_to: to };
}

/** Adds or changes prices of contracts. Others of the contract stay. */
export async function putContractPrices(
  db: Database,
  directory: Directory,
  records: readonly ContractPriceRecord[],
): Promise<{ written: number }> {
  await directory.loadSkus(records.map((record) => record.sku.toUpperCase()));
  return { written: await db.transaction((tx) => writeContractPrices(tx, directory, records)) };
}

/** As {@link putContractPrices}, in the caller's transaction. The SKUs' codes are loaded. */
export async function writeContractPrices(
  tx: Tx,
  directory: Directory,
  records: readonly ContractPriceRecord[],
): Promise<number> {
  const asked = records.map((record, i) => {
    const skuId = directory.findSkuId(record.sku.toUpperCase());
    const place = `prices[${i}].sku`;
    if (skuId === undefined)
      fail('XD_UNKNOWN_SKU', `${place}: no SKU ${JSON.stringify(record.sku.slice(0, 60))}`, { place });
    return {
      ...{ skuId, code: record.contract },
      companyId: companyOf(directory, record.company, `prices[${i}].company`).companyId,
      quantityMin: quantityOf(record.quantityMin ?? 1, `prices[${i}].quantityMin`),
      unitPrice: unitPriceOf(record.unitPrice, `prices[${i}].unitPrice`),
      pricePer: quantityOf(record.pricePer ?? 1, `prices[${i}].pricePer`),
    };
  });
  const found = await tx.query(statements.findContracts, [
    numbers(asked.map(({ companyId }) => companyId)),
    texts(asked.map(({ code }) => code)),
  ]);
  const ids = new Map(found.map((row) => [`${row.company_id}/${row.code}`, row.contract_id]));
  const last = new Map(
    asked.map((price, i) => {
      const place = `prices[${i}].contract`;
      const contractId =
        ids.get(`${price.companyId}/${price.code}`) ??
        fail('XD_NOT_FOUND', `${place}: no contract ${JSON.stringify(price.code.slice(0, 60))}`, { place });
      return [`${contractId}/${price.skuId}/${price.quantityMin}`, { ...price, contractId }] as const;
    }),
  );
  const prices = [...last.values()];
  const written = await tx.query(statements.upsertContractPrices, [
    numbers(prices.map(({ contractId }) => contractId)),
    numbers(prices.map(({ skuId }) => skuId)),
    numbers(prices.map(({ quantityMin }) => quantityMin)),
    texts(prices.map(({ unitPrice }) => unitPrice)),
    numbers(prices.map(({ pricePer }) => pricePer)),
  ]);
  return written.length;
}

function findCompany({ companies }: Directory, code: string | undefined): CompanyEntry | undefined {
  return code === undefined && companies.size === 1 ? [...companies.values()][0] : companies.get(code ?? '');
}

function companyOf(directory: Directory, code: string | undefined, place: string): CompanyEntry {
  const company = findCompany(directory, code);
  if (company !== undefined) return company;
  if (code === undefined) fail('XD_VALUE_INVALID', `${place} is missing: there are several companies`, { place });
  return fail('XD_UNKNOWN_COMPANY', `${place}: no company ${code}`, { place });
}
