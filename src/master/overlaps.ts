/** Of prices that are to be put, those that would stand in the days of another one of their kind. */
import { numbers, type Tx, texts } from '../store/index.ts';
import type { Directory } from './directory.ts';
import { findOverlaps, lockPriceWriters as lockWriters } from './records.sql.ts';
import type { RefusedPrice } from './records.ts';

/** The prices of one SKU in one list and currency from one day to another. */
export interface Dated {
  companyId: number;
  skuId: number;
  list: string;
  currency: string;
  from: string;
  to: string;
  tiers: readonly { quantityMin: number }[];
  /** Whether they are all: what else its first day has ends. */
  whole: boolean;
  /** Places of the records that it was made of. */
  records: readonly number[];
}

interface Days {
  from: string;
  to: string;
}

/** Both days are inside. Days and the two infinities are in order as texts. Two without an end follow one another. */
export function overlap(one: Days, other: Days): boolean {
  if (one.from === other.from || (one.to === 'infinity' && other.to === 'infinity')) return false;
  return one.from <= other.to && other.from <= one.to;
}

/** Days as people read them. */
export function daysOf({ from, to }: Days): string {
  const since = from === '-infinity' ? 'from ever' : `from ${from}`;
  return to === 'infinity' ? `${since} on` : `${since} to ${to}`;
}

/**
 * The earlier of two records of one set is the one that is taken. One that is left out may have been what another would have replaced, so
 * the rest is looked at again until nothing more is left out.
 */
export async function withoutOverlaps<L extends Dated>(
  tx: Tx,
  directory: Pick<Directory, 'skuCode'>,
  asked: readonly L[],
): Promise<{ kept: L[]; refused: RefusedPrice[] }> {
  let kept = [...asked];
  const refused: RefusedPrice[] = [];
  for (;;) {
    const out = new Map<L, Days>();
    const rows = kept.flatMap((ladder) => ladder.tiers.map(({ quantityMin }) => ({ ladder, quantityMin })));
    const keys = (ladders: readonly L[]) => [
      numbers(ladders.map((p) => p.companyId)),
      numbers(ladders.map((p) => p.skuId)),
      texts(ladders.map((p) => p.list)),
      texts(ladders.map((p) => p.currency)),
      texts(ladders.map((p) => p.from)),
    ];
    if (rows.length > 0) {
      const ladders = rows.map(({ ladder }) => ladder);
      const ends = [texts(ladders.map((p) => p.to)), numbers(rows.map(({ quantityMin }) => quantityMin))];
      const put = [...rows, ...kept.filter(({ whole }) => whole).map((ladder) => ({ ladder, quantityMin: null }))];
      const puts = [...keys(put.map(({ ladder }) => ladder)), numbers(put.map(({ quantityMin }) => quantityMin))];
      const found = await tx.query(findOverlaps, [...keys(ladders), ...ends, ...puts]);
      for (const { at, valid_from: from, valid_to: to } of found)
        if (!out.has(ladders[at]!)) out.set(ladders[at]!, { from, to });
    }
    // What is left out stands in nobody's way.
    const seen = new Map<string, L[]>();
    for (const ladder of kept)
      for (const { quantityMin } of ladder.tiers) {
        const { companyId, skuId, list, currency } = ladder;
        const key = `${companyId}/${skuId}/${currency}/${quantityMin}/${list}`;
        const others = seen.get(key) ?? [];
        seen.set(key, others);
        const other = others.find((one) => !out.has(one) && overlap(one, ladder));
        if (other !== undefined && !out.has(ladder)) out.set(ladder, other);
        others.push(ladder);
      }
    if (out.size === 0) return { kept, refused };
    for (const [ladder, days] of out)
      for (const at of ladder.records)
        refused.push({
          at,
          reason: `the price of ${directory.skuCode(ladder.skuId)} in list ${ladder.list}, ${ladder.currency}, ${daysOf(ladder)} overlaps the one ${daysOf(days)}: end one of them first`,
          overlaps: { validFrom: days.from, validTo: days.to },
        });
    kept = kept.filter((ladder) => !out.has(ladder));
  }
}

/** Who writes prices or contracts of a company waits for who does: two at once, each sound, could overlap together. */
export async function lockPriceWriters(tx: Tx, companyIds: readonly number[]): Promise<void> {
  await tx.query(lockWriters, [numbers(companyIds)]);
}
