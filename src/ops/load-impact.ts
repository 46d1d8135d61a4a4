/** What a planned load would touch: what stands in its items, and what hangs on that in orders and at channels. */
import type { Directory } from '../master/index.ts';
import type { Queryable } from '../store/index.ts';
import * as statements from './load-impact.sql.ts';

export interface LoadImpact {
  /** Of SKUs or accounts that are there already. */
  subjects: { kind: 'sku' | 'account'; count: number };
  openOrders: { orders: number; lines: number };
  /** Of prices. */
  prices?: {
    rise: statements.PriceMove | null;
    fall: statements.PriceMove | null;
    /** Prices that systems show now and that would be said again. */
    published: number;
    /** Who would be told, and of how many SKUs. */
    channels: { channel: string; skus: number }[];
  };
}

export async function readLoadImpact(
  db: Queryable,
  directory: Directory,
  kind: string,
  planId: number,
): Promise<LoadImpact> {
  const subject = ['accounts', 'addresses', 'contracts'].includes(kind) ? 'account' : 'sku';
  const [touched] = await db.query(statements.readTouched, [planId, subject, 'price']);
  const impact: LoadImpact = {
    subjects: { kind: subject, count: touched!.subjects },
    openOrders: { orders: touched!.open_orders, lines: touched!.open_lines },
  };
  if (kind !== 'prices') return impact;
  const moves = await db.query(statements.readPriceMoves, [planId]);
  const companies = new Map(
    (await db.query(statements.readCompaniesTouched, [planId])).map((row) => [row.company, row.skus]),
  );
  const moved = (which: 'rise' | 'fall') => {
    const found = moves.find((move) => move.which === which);
    if (found === undefined) return null;
    const { which: _, ...move } = found;
    return move;
  };
  return {
    ...impact,
    prices: {
      rise: moved('rise'),
      fall: moved('fall'),
      published: touched!.published,
      channels: directory.selfSelling.flatMap((channel) => {
        const skus = companies.get(directory.companyById.get(channel.companyId)!.code) ?? 0;
        return skus === 0 ? [] : [{ channel: channel.code, skus }];
      }),
    },
  };
}
