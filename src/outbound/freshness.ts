import { type Database, numbers, sql, texts } from '../store/index.ts';

const add = sql(
  'outbound_add_freshness',
  `insert into freshness as f (flow, recorded_at, le_ms, count, sum_ms, max_ms)
   select flow, date_trunc('minute', crossdock_now()), le_ms, count, sum_ms, max_ms
     from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[]) as t(flow, le_ms, count, sum_ms, max_ms)
    order by flow, le_ms
   on conflict (flow, recorded_at, le_ms) do update
     set count = f.count + excluded.count, sum_ms = f.sum_ms + excluded.sum_ms, max_ms = greatest(f.max_ms, excluded.max_ms)`,
);
const read = sql<{ flow: string; le_ms: number; count: number; max_ms: number }>(
  'outbound_read_freshness',
  `select flow, le_ms, sum(count)::bigint as count, max(max_ms)::bigint as max_ms from freshness
    where recorded_at >= date_trunc('minute', $1::timestamptz) group by flow, le_ms order by flow, le_ms`,
);

/** Upper edges of the buckets in ms, 8 % apart: a percentile read from them is at most 8 % too high. */
const EDGES: number[] = [];
for (let edge = 1; edge < 86_400_000; edge = Math.max(edge + 1, Math.ceil(edge * 1.08))) EDGES.push(edge);

export interface FlowFreshness {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/**
 * How late each flow was: from the change in the ledger (the database's clock) to the destination's confirmed write. Counted in
 * memory and added to the table in one statement now and then; at most that much is lost with a process.
 */
export class Freshness {
  readonly #flows = new Map<string, Map<number, { count: number; sum: number; max: number }>>();

  record(flow: string, ms: number): void {
    const value = Math.max(0, Math.round(ms));
    let low = 0;
    let high = EDGES.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (EDGES[middle]! >= value) high = middle;
      else low = middle + 1;
    }
    const edge = EDGES[low]!;
    let buckets = this.#flows.get(flow);
    if (buckets === undefined) {
      buckets = new Map();
      this.#flows.set(flow, buckets);
    }
    const bucket = buckets.get(edge);
    if (bucket === undefined) buckets.set(edge, { count: 1, sum: value, max: value });
    else {
      bucket.count++;
      bucket.sum += value;
      bucket.max = Math.max(bucket.max, value);
    }
  }

  async flush(db: Database): Promise<void> {
    const rows: { flow: string; edge: number; count: number; sum: number; max: number }[] = [];
    for (const [flow, buckets] of this.#flows)
      for (const [edge, bucket] of buckets) rows.push({ flow, edge, ...bucket });
    this.#flows.clear();
    if (rows.length === 0) return;
    await db.query(add, [
      texts(rows.map((r) => r.flow)),
      numbers(rows.map((r) => r.edge)),
      numbers(rows.map((r) => r.count)),
      numbers(rows.map((r) => r.sum)),
      numbers(rows.map((r) => r.max)),
    ]);
  }
}

/** Percentiles per flow since a moment, from the table. */
export async function readFreshness(db: Database, since: Date): Promise<Record<string, FlowFreshness>> {
  const byFlow = new Map<string, { edge: number; count: number; max: number }[]>();
  for (const row of await db.query(read, [since])) {
    const list = byFlow.get(row.flow) ?? [];
    list.push({ edge: row.le_ms, count: row.count, max: row.max_ms });
    byFlow.set(row.flow, list);
  }
  const result: Record<string, FlowFreshness> = {};
  for (const [flow, buckets] of byFlow) {
    const count = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
    const max = Math.max(...buckets.map((bucket) => bucket.max));
    const at = (part: number) => {
      let seen = 0;
      for (const bucket of buckets) {
        seen += bucket.count;
        if (seen >= part * count) return Math.min(bucket.edge, max);
      }
      return max;
    };
    result[flow] = { count, p50: at(0.5), p95: at(0.95), p99: at(0.99), max };
  }
  return result;
}
