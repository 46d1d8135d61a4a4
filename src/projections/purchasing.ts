/** What purchasing should know of a SKU: what waits, what is to come and to whom it is promised, and what nothing covers yet. */
import type { Queryable } from '../store/index.ts';
import * as statements from './purchasing.sql.ts';

export interface Outlook {
  company: string;
  sku: string;
  /** The base unit of all quantities. */
  unit: string;
  /** There, and promised to nobody. */
  free: number;
  /** Units that orders wait for; `held` of them wait for a person. */
  waiting: number;
  held: number;
  /** Promised beyond what is there: goods that were lost. */
  missing: number;
  /** Of the waiting units, those that are promised of what is to come. */
  promisedOfSupply: number;
  toCome: number;
  /** Of what is to come, what should be there by now. */
  overdue: number;
  /** To come and promised to nobody. What waits without a promise is served from it first. */
  toComeFree: number;
  /** Needed beyond everything that is there and to come: this much is to be bought, and no more. */
  short: number;
  supplies: {
    source: string;
    id: string;
    location: string;
    dueAt: string;
    toCome: number;
    promised: number;
    orders: number;
    overdue: boolean;
  }[];
}

export interface OutlookFilter {
  /** The company and SKU after which the page begins. */
  after?: readonly [company: string, sku: string] | undefined;
  sku?: string | undefined;
  company?: string | undefined;
  /** Only what is short. */
  short?: boolean | undefined;
  limit: number;
}

/** By company and SKU, of which something waits or is to come. */
export async function readPurchasing(db: Queryable, filter: OutlookFilter): Promise<Outlook[]> {
  const { after, sku = null, company = null, short = false, limit } = filter;
  const rows = await db.query(statements.readOutlook, [
    after?.[0] ?? null,
    after?.[1] ?? null,
    sku,
    company,
    short,
    limit,
  ]);
  return rows.map(outlookOf);
}

function outlookOf(row: statements.OutlookRow): Outlook {
  const { company, sku, unit, free, missing, waiting, held, committed, to_come: toCome, overdue } = row;
  const toComeFree = toCome - committed;
  return {
    ...{ company, sku, unit, free, waiting, held, missing, promisedOfSupply: committed, toCome, overdue, toComeFree },
    short: Math.max(0, waiting + missing - committed - free - toComeFree),
    supplies: (row.supplies ?? []).map((supply) => ({ ...supply, dueAt: new Date(supply.dueAt).toISOString() })),
  };
}
