/** Merged accounts, and prices: upserts in sets. A changed price is a fact, so that the channels are told. */
import {
  type AccountMerged,
  fail,
  ownerOf,
  type PriceTier,
  quantityOf,
  toBasePrice,
  unitPriceOf,
} from '../canonical/index.ts';
import { appendFacts } from '../log/index.ts';
import { type Database, numbers, type Tx, texts } from '../store/index.ts';
import { findSameAccounts as findSame } from './directory.sql.ts';
import type { Directory } from './directory.ts';
import { addFinding, type Findings, failAtFirst, notOwnerFinding } from './findings.ts';
import { lockPriceWriters, withoutOverlaps } from './overlaps.ts';
import { readOwnerRules } from './owners.ts';
import { admitPrices } from './price-owners.ts';
import { PERSON } from './provenance.ts';
import * as statements from './records.sql.ts';
import { readUnits } from './units.ts';

export const RECORDS_MAX = 1_000;

export interface PriceRecord {
  /** Whose it is; may be left out where there is one company. */
  company?: string;
  sku: string;
  currency: string;
  unitPrice: string;
  /** What it, and each tier's, is the price of; default 1 of the base unit. */
  unit?: string;
  pricePer?: number;
  /** From this quantity on; default 1. Others of the list stay. */
  quantityMin?: number;
  /** All of the list's, instead: what isn't among them ends. */
  tiers?: readonly PriceTier[];
  priceList?: string;
  validFrom?: string;
  /** The last day; absent: until the next one of its kind begins. */
  validTo?: string;
  changedAt?: string;
  /** Who says it; absent: a person. */
  system?: string;
}

/** A record that was not taken, and why. */
export interface RefusedPrice {
  at: number;
  reason: string;
  /** The days of what it would have overlapped. */
  overlaps: { validFrom: string; validTo: string };
}

/** The prices of one SKU in one list and currency from one day on. */
interface Ladder {
  companyId: number;
  skuId: number;
  list: string;
  currency: string;
  from: string;
  to: string;
  tiers: { quantityMin: number; price: string; pricePer: number }[];
  /** Whether they are all. */
  whole: boolean;
  changedAt: string | null;
  /** Places of the records that it was made of. */
  records: number[];
  system: string;
}

/**
 * Accounts that their system replaced by others: in the order in which that was done. Both companies' codes are known.
 * @returns of merges that another system decides: that
 */
export async function mergeAccounts<R extends AccountMerged & { system?: string }>(
  tx: Tx,
  directory: Directory,
  merges: readonly R[],
): Promise<Findings<R>> {
  const findings: Findings<R> = new Map();
  const { owners } = await readOwnerRules(tx);
  const owner = ownerOf(owners, 'account', 'mergedInto');
  const may = merges.filter((merge) => {
    const { account, into, system = PERSON } = merge;
    if (owner === undefined || owner === system) return true;
    addFinding(findings, merge, notOwnerFinding(system, { field: 'mergedInto', owner, held: account, said: into }));
    return false;
  });
  if (may.length === 0) return findings;
  const done = may.sort((a, b) => Date.parse(a.changedAt) - Date.parse(b.changedAt));
  const companies = done.map(({ company }) => directory.companies.get(company)!);
  const ids = numbers(companies.map(({ companyId }) => companyId));
  const gone = texts(done.map(({ account }) => account));
  await tx.query(statements.addMerged, [ids, gone, texts(companies.map(({ currency }) => currency))]);
  await tx.query(statements.lockMerged, [ids, texts(done.flatMap(({ account, into }) => [account, into]))]);
  for (const [i, { account, into, changedAt }] of done.entries()) {
    const one = [numbers([companies[i]!.companyId]), texts([account]), texts([into]), texts([changedAt])];
    const merged = await tx.query(statements.mergeAccounts, one);
    if (merged.length > 0)
      await tx.query(statements.mergeFollowers, [
        numbers(merged.map((row) => row.account_id)),
        numbers(merged.map((row) => row.merged_into)),
      ]);
  }
  return findings;
}

/** @returns for each of them the codes of the accounts that are the same one by now; none where it was never merged */
export async function findSameAccounts(
  tx: Tx,
  accounts: readonly { companyId: number; code: string }[],
): Promise<(companyId: number, code: string) => readonly string[]> {
  const rows = await tx.query(findSame, [
    numbers(accounts.map(({ companyId }) => companyId)),
    texts(accounts.map(({ code }) => code)),
  ]);
  const codes = Map.groupBy(rows, ({ company_id: companyId, code }) => `${companyId}/${code}`);
  return (companyId, code) => [...new Set(codes.get(`${companyId}/${code}`)?.map(({ same }) => same))];
}

/**
 * Adds or changes prices of companies and records `price.changed`, one for each company, for what really changed.
 * @throws XD_PRICE_OVERLAP naming the first that stands in the days of another; nothing is written then
 */
export async function putPrices(
  db: Database,
  directory: Directory,
  records: readonly PriceRecord[],
): Promise<{ written: number }> {
  await directory.loadSkus(records.map((record) => record.sku.toUpperCase()));
  return db.transaction(async (tx) => {
    const { findings, dropped } = await admitPrices(tx, directory, records);
    failAtFirst(findings, records, 'prices');
    const { written, refused } = await writePrices(tx, directory, records, dropped);
    if (refused.length > 0) {
      const { at, reason, overlaps } = refused[0]!;
      fail('XD_PRICE_OVERLAP', `prices[${at}].validFrom: ${reason}`, { place: `prices[${at}].validFrom`, overlaps });
    }
    return { written };
  });
}

/** As {@link putPrices}, of what counts, in the caller's transaction, but for those that overlap: they are named, and the rest is written. The SKUs' codes are loaded. */
export async function writePrices(
  tx: Tx,
  directory: Directory,
  records: readonly PriceRecord[],
  dropped: ReadonlySet<PriceRecord> = new Set(),
): Promise<{ written: number; refused: RefusedPrice[] }> {
  const only = directory.companies.size === 1 ? [...directory.companies.keys()][0] : undefined;
  const last = new Map<string, Ladder>();
  const inUnits = records.filter(({ unit }) => unit !== undefined);
  const units = await readUnits(
    tx,
    inUnits.flatMap(({ sku }) => directory.findSkuId(sku.toUpperCase()) ?? []),
  );
  records.forEach((record, i) => {
    if (dropped.has(record)) return;
    const place = `prices[${i}].company`;
    const code = record.company ?? only;
    if (code === undefined) fail('XD_VALUE_INVALID', `${place} is missing: there are several companies`, { place });
    const company = directory.companies.get(code);
    if (company === undefined) fail('XD_UNKNOWN_COMPANY', `${place}: no company ${code}`, { place });
    const skuId = directory.findSkuId(record.sku.toUpperCase());
    if (skuId === undefined)
      fail('XD_UNKNOWN_SKU', `prices[${i}].sku: no SKU ${JSON.stringify(record.sku.slice(0, 60))}`, {
        place: `prices[${i}].sku`,
      });
    const { unit, pricePer = 1 } = record;
    if (pricePer !== 1) quantityOf(pricePer, `prices[${i}].pricePer`);
    const tiers = (record.tiers ?? [{ quantityMin: record.quantityMin ?? 1, unitPrice: record.unitPrice }]).map(
      ({ quantityMin, unitPrice }) => {
        const at = `prices[${i}].unitPrice`;
        const price = { unitPrice: unitPriceOf(unitPrice, at), pricePer };
        const based = unit === undefined ? price : toBasePrice({ ...price, priceUnit: unit }, units.get(skuId)!, at);
        return {
          quantityMin: quantityOf(quantityMin, `prices[${i}].quantityMin`),
          ...{ price: based.unitPrice, pricePer: based.pricePer },
        };
      },
    );
    const entry: Ladder = {
      companyId: company.companyId,
      skuId,
      list: record.priceList ?? 'base',
      currency: record.currency,
      from: record.validFrom ?? '-infinity',
      to: record.validTo ?? 'infinity',
      tiers,
      whole: record.tiers !== undefined,
      changedAt: record.changedAt ?? null,
      records: [i],
      system: record.system ?? PERSON,
    };
    if (entry.to < entry.from)
      fail('XD_VALUE_INVALID', `prices[${i}].validTo: ${entry.to} is before ${entry.from}`, {
        place: `prices[${i}].validTo`,
      });
    const key = keyOf(entry);
    const before = last.get(key);
    if (before === undefined) last.set(key, entry);
    else if (!isBefore(entry.changedAt, before.changedAt)) last.set(key, entry.whole ? entry : onto(before, entry));
  });
  // Locked first: whether a set of prices is newer than what is there is one question for all of its rows.
  const asked = [...last.values()];
  await lockPriceWriters(tx, [...new Set(asked.map(({ companyId }) => companyId))]);
  const held = await tx.query(statements.lockPrices, keysOf(asked));
  const newest = new Map(asked.map((ladder, i) => [keyOf(ladder), held.find((row) => row.at === i)?.changed_at]));
  const { kept: all, refused } = await withoutOverlaps(
    tx,
    directory,
    asked.filter((ladder) => !isBefore(ladder.changedAt, newest.get(keyOf(ladder)) ?? null)),
  );
  const rows = all.flatMap((ladder) => ladder.tiers.map((tier) => ({ ...ladder, ...tier })));
  const whole = all.filter((ladder) => ladder.whole);
  const named = whole.flatMap((ladder, i) => ladder.tiers.map(({ quantityMin }) => ({ i, quantityMin })));
  const ended =
    whole.length === 0
      ? []
      : await tx.query(statements.endPrices, [
          ...keysOf(whole),
          numbers(named.map(({ i }) => i)),
          numbers(named.map(({ quantityMin }) => quantityMin)),
        ]);
  const values = [
    ...keysOf(rows),
    numbers(rows.map((p) => p.quantityMin)),
    texts(rows.map((p) => p.price)),
    texts(rows.map((p) => p.changedAt)),
    texts(rows.map((p) => p.to)),
    texts(rows.map((p) => String(p.whole))),
    texts(rows.map((p) => p.system)),
    numbers(rows.map((p) => p.pricePer)),
  ];
  const written = [...ended, ...(await tx.query(statements.upsertPrices, values))];
  const timed = all.filter(({ changedAt }) => changedAt !== null);
  if (timed.length > 0)
    await tx.query(statements.touchPrices, [...keysOf(timed), texts(timed.map((p) => p.changedAt))]);
  await tellPrices(tx, written);
  return { written: written.length, refused };
}

/** The facts of prices that really changed, one for each company. */
export async function tellPrices(tx: Tx, written: readonly { company_id: number; sku_id: number }[]): Promise<void> {
  const changed = Map.groupBy(written, (row) => row.company_id);
  if (changed.size > 0)
    await appendFacts(
      tx,
      [...changed].map(([companyId, prices]) => ({
        type: 'price.changed',
        stream: 'price',
        version: 0,
        companyId,
        occurredAt: new Date().toISOString(),
        data: { skuIds: [...new Set(prices.map((row) => row.sku_id))] },
      })),
    );
}

const keyOf = ({ companyId, skuId, list, currency, from }: Ladder) =>
  `${companyId}/${skuId}/${list}/${currency}/${from}`;

function keysOf(ladders: readonly Omit<Ladder, 'tiers'>[]) {
  return [
    numbers(ladders.map((p) => p.companyId)),
    numbers(ladders.map((p) => p.skuId)),
    texts(ladders.map((p) => p.list)),
    texts(ladders.map((p) => p.currency)),
    texts(ladders.map((p) => p.from)),
  ];
}

function isBefore(one: string | null, other: string | Date | null): boolean {
  return one !== null && other !== null && Date.parse(one) < new Date(other).getTime();
}

/** Single prices put over those that the same set says already. */
function onto(before: Ladder, { tiers, to, changedAt, records }: Ladder): Ladder {
  const said = new Map(before.tiers.map((tier) => [tier.quantityMin, tier]));
  for (const tier of tiers) said.set(tier.quantityMin, tier);
  const at = [...before.records, ...records];
  return { ...before, to, tiers: [...said.values()], changedAt: changedAt ?? before.changedAt, records: at };
}
