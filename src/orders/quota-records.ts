/** Quotas as they are put and listed. */
import { fail } from '../canonical/index.ts';
import { type Pair, StockSession } from '../ledger/index.ts';
import { appendFacts } from '../log/index.ts';
import type { Directory } from '../master/index.ts';
import { type Database, type Ids, numbers, type Queryable, texts } from '../store/index.ts';
import * as statements from './quotas.sql.ts';

/** SKUs of one transaction: it holds the locks of all their balances. */
const RECORDS_PER_TRANSACTION_MAX = 500;

export interface QuotaRecord {
  sku: string;
  channel: string;
  region?: string | undefined;
  account?: string | undefined;
  from: string;
  to: string;
  ringFenced?: number | undefined;
  cap?: number | null | undefined;
  borrow?: boolean | undefined;
  lend?: boolean | undefined;
}

export interface QuotaTold {
  quotaId: string;
  sku: string;
  channel: string;
  region: string | null;
  account: string | null;
  from: string;
  to: string;
  ringFenced: number;
  cap: number | null;
  borrow: boolean;
  lend: boolean;
  /** Allocated and picked of the orders that it counts, and what they hold of dated supply. */
  used: number;
  recordedAt: string;
  recordedBy: string;
}

export interface QuotaFilter {
  quotaIds?: readonly number[] | undefined;
  sku?: string | undefined;
  channelId?: number | undefined;
  /** Ended ones too. */
  all?: boolean | undefined;
  after?: number | undefined;
  limit?: number | undefined;
}

export async function readQuotas(db: Queryable, directory: Directory, filter: QuotaFilter): Promise<QuotaTold[]> {
  const { quotaIds, sku, channelId, all = quotaIds !== undefined, after, limit = 1_000 } = filter;
  const rows = await db.query(statements.listQuotas, [
    quotaIds === undefined ? null : numbers(quotaIds),
    ...[sku ?? null, channelId ?? null, all, after ?? null, limit],
  ]);
  return rows.map((row) => ({
    quotaId: String(row.quota_id),
    sku: row.sku,
    channel: directory.channelById.get(row.channel_id)?.code ?? String(row.channel_id),
    ...{ region: row.region, account: row.account, from: row.valid_from.toISOString(), to: row.valid_to.toISOString() },
    ...{ ringFenced: row.ring_fenced, cap: row.cap, borrow: row.borrow, lend: row.lend },
    used: row.used + row.committed,
    ...{ recordedAt: row.recorded_at.toISOString(), recordedBy: row.recorded_by },
  }));
}

interface Resolved {
  at: number;
  skuId: number;
  channelId: number;
  companyId: number;
  region: string | null;
  accountId: number | null;
  from: string;
  to: string;
  ringFenced: number;
  cap: number | null;
  borrow: boolean;
  lend: boolean;
}

async function resolve(directory: Directory, records: readonly QuotaRecord[]): Promise<Resolved[]> {
  const channelOf = (code: string, i: number) =>
    directory.channels.get(code) ??
    fail('XD_UNKNOWN_CHANNEL', `quotas[${i}].channel: no channel ${code}`, { place: `quotas[${i}].channel` });
  await directory.loadSkus(records.map(({ sku }) => sku.toUpperCase()));
  await directory.loadAccounts(
    records.flatMap(({ account, channel }, i) =>
      account === undefined ? [] : [{ companyId: channelOf(channel, i).companyId, code: account }],
    ),
  );
  const seen = new Map<string, number>();
  return records.map((record, at): Resolved => {
    const bad = (field: string, why: string): never =>
      fail('XD_VALUE_INVALID', `quotas[${at}].${field}: ${why}`, { place: `quotas[${at}].${field}` });
    const { channelId, companyId } = channelOf(record.channel, at);
    const skuId =
      directory.findSkuId(record.sku.toUpperCase()) ??
      fail('XD_UNKNOWN_SKU', `quotas[${at}].sku: no SKU ${record.sku}`, { place: `quotas[${at}].sku` });
    const accountId =
      record.account === undefined
        ? null
        : (directory.findAccountId(companyId, record.account) ??
          fail('XD_UNKNOWN_ACCOUNT', `quotas[${at}].account: no account ${record.account}`, {
            place: `quotas[${at}].account`,
          }));
    const { ringFenced = 0, cap = null, borrow = false, lend = false, region = null } = record;
    const [from, to] = [new Date(record.from), new Date(record.to)];
    if (!(to.getTime() > from.getTime())) bad('to', 'must be after from');
    for (const [field, value] of [['ringFenced', ringFenced] as const, ['cap', cap ?? 0] as const])
      if (!Number.isSafeInteger(value) || value < 0) bad(field, 'must be a whole number of base units, 0 or more');
    if (ringFenced === 0 && cap === null && record.ringFenced === undefined)
      bad('ringFenced', 'a quota says what is kept, or at most promised, or both');
    if (cap !== null && cap < ringFenced) bad('cap', `is less than what is kept, ${ringFenced}`);
    const key = [skuId, channelId, region, accountId, from.getTime()].join('/');
    if (seen.has(key)) bad('from', `the same quota as quotas[${seen.get(key)}]`);
    seen.set(key, at);
    return {
      ...{ at, skuId, channelId, companyId, region, accountId, ringFenced, cap, borrow, lend },
      ...{ from: from.toISOString(), to: to.toISOString() },
    };
  });
}

/**
 * Quotas are added, or changed where one of the same node, SKU and beginning is there; what orders of its period hold already counts.
 * Kept is no more than what is free by then: nothing is taken from anybody.
 * Locks stock_balance by (sku_id, location_id), then quota. @returns how many were added or really changed
 * @throws XD_QUOTA_OVERLAP, XD_UNKNOWN_*, XD_VALUE_INVALID naming the first bad record; nothing of its part is written then
 */
export async function putQuotas(
  db: Database,
  deps: { ids: Ids; directory: Directory },
  records: readonly QuotaRecord[],
  by: string,
): Promise<number> {
  const all = await resolve(deps.directory, records);
  let written = 0;
  for (let from = 0; from < all.length; from += RECORDS_PER_TRANSACTION_MAX)
    written += await db.inTurn((tx) => putPart(tx, deps, all.slice(from, from + RECORDS_PER_TRANSACTION_MAX), by));
  return written;
}

async function putPart(
  tx: Parameters<Parameters<Database['inTurn']>[0]>[0],
  { ids, directory }: { ids: Ids; directory: Directory },
  part: readonly Resolved[],
  by: string,
): Promise<number> {
  const places = [...directory.locationById.keys()];
  const skuIds = [...new Set(part.map(({ skuId }) => skuId))];
  // All of them: whoever promises a unit of these SKUs has locked one, and looks at quotas behind it.
  const pairs = skuIds.flatMap((skuId) => places.map((locationId): Pair => [skuId, locationId]));
  await StockSession.open(tx, ids, pairs);
  const nodes = [
    numbers(part.map(({ skuId }) => skuId)),
    numbers(part.map(({ channelId }) => channelId)),
    texts(part.map(({ region }) => region)),
    numbers(part.map(({ accountId }) => accountId)),
    texts(part.map(({ from }) => from)),
    texts(part.map(({ to }) => to)),
  ];
  const overlapOf = (at: number, other: { from: string; to: string }): never => {
    const place = `quotas[${at}].from`;
    return fail('XD_QUOTA_OVERLAP', `${place}: another one of it holds from ${other.from} to ${other.to}`, { place });
  };
  for (const [i, one] of part.entries())
    for (const other of part.slice(0, i))
      if (
        one.skuId === other.skuId &&
        one.channelId === other.channelId &&
        one.region === other.region &&
        one.accountId === other.accountId &&
        one.from < other.to &&
        one.to > other.from
      )
        overlapOf(one.at, other);
  const [overlapping] = await tx.query(statements.findOverlapping, [numbers(part.map(({ at }) => at)), ...nodes]);
  if (overlapping !== undefined)
    overlapOf(overlapping.at, {
      from: overlapping.valid_from.toISOString(),
      to: overlapping.valid_to.toISOString(),
    });
  const rows = await tx.query(statements.putQuotas, [
    ...nodes,
    numbers(part.map(({ ringFenced }) => ringFenced)),
    numbers(part.map(({ cap }) => cap)),
    texts(part.map(({ borrow }) => String(borrow))),
    texts(part.map(({ lend }) => String(lend))),
    by,
  ]);
  if (rows.length === 0) return 0;
  const quotaIds = numbers(rows.map((row) => row.quota_id));
  await tx.query(statements.dropUses, [quotaIds]);
  await tx.query(statements.addUses, [quotaIds]);
  await tx.query(statements.sumUses, [quotaIds]);
  const companyOf = new Map(part.map(({ skuId, companyId }) => [skuId, companyId]));
  for (const [companyId, changed] of Map.groupBy(rows, (row) => companyOf.get(row.sku_id)!))
    await appendFacts(tx, [
      {
        ...{ type: 'quota.changed', stream: `quota/${changed[0]!.quota_id}`, version: 0, companyId },
        occurredAt: new Date().toISOString(),
        data: {
          skuIds: [...new Set(changed.map((row) => row.sku_id))],
          quotaIds: changed.map((row) => row.quota_id),
          by,
        },
      },
    ]);
  return rows.length;
}
