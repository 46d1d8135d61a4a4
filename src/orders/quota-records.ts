/** Quotas as they are put and listed. */
import { fail } from '../canonical/index.ts';
import { nestingFaults, type Pair, StockSession } from '../ledger/index.ts';
import { appendFacts, type NewFact } from '../log/index.ts';
import type { Directory } from '../master/index.ts';
import { type Database, type Ids, numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import * as statements from './quotas.sql.ts';

/** SKUs of one transaction: it holds the locks of all their balances. */
const RECORDS_PER_TRANSACTION_MAX = 500;
const PERIODS_PER_TRANSACTION_MAX = 500;

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

/** An account lies in its own region: of quotas that name both, only the account is kept. */
async function withRegions(db: Queryable, all: readonly Resolved[]): Promise<Resolved[]> {
  const named = all.filter(({ region }) => region !== null);
  if (named.length === 0) return [...all];
  const rows = await db.query(statements.findRegions, [
    numbers(named.map(({ at }) => at)),
    numbers(named.map(({ companyId }) => companyId)),
    texts(named.map(({ region }) => region)),
    numbers(named.map(({ accountId }) => accountId)),
  ]);
  const found = new Map(rows.map((row) => [row.at, row]));
  return all.map((one) => {
    const row = found.get(one.at);
    if (row === undefined) return one;
    const place = `quotas[${one.at}].region`;
    if (!row.known) fail('XD_UNKNOWN_REGION', `${place}: no account is in region ${row.region}`, { place });
    if (one.accountId === null) return one;
    if (row.account_region !== row.region)
      fail('XD_VALUE_INVALID', `${place}: the account is in region ${row.account_region ?? 'none'}`, { place });
    return { ...one, region: null };
  });
}

/**
 * Quotas are added, or changed where one of the same node, SKU and beginning is there; what orders of its period hold already counts.
 * Kept is no more than what is free by then: nothing is taken from anybody.
 * Locks reservation, then stock_balance by (sku_id, location_id), then quota. @returns how many were added or really changed
 * @throws XD_QUOTA_OVERLAP, XD_QUOTA_OVER_PARENT, XD_UNKNOWN_*, XD_VALUE_INVALID naming the first bad record; nothing of its part is written then
 */
export async function putQuotas(
  db: Database,
  deps: { ids: Ids; directory: Directory },
  records: readonly QuotaRecord[],
  by: string,
): Promise<number> {
  const all = await withRegions(db, await resolve(deps.directory, records));
  let written = 0;
  for (let from = 0; from < all.length; from += RECORDS_PER_TRANSACTION_MAX)
    written += await db.inTurn((tx) => putPart(tx, deps, all.slice(from, from + RECORDS_PER_TRANSACTION_MAX), by));
  return written;
}

async function putPart(
  tx: Tx,
  { ids, directory }: { ids: Ids; directory: Directory },
  part: readonly Resolved[],
  by: string,
): Promise<number> {
  const places = [...directory.locationById.keys()];
  const skuIds = [...new Set(part.map(({ skuId }) => skuId))];
  // All of them: whoever promises a unit of these SKUs has locked one, and looks at quotas behind it.
  const pairs = skuIds.flatMap((skuId) => places.map((locationId): Pair => [skuId, locationId]));
  await tx.query(statements.countHolds, [numbers(skuIds)]);
  await StockSession.open(tx, ids, pairs);
  await tx.query(statements.countHolds, [numbers(skuIds)]);
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
  await checkNesting(tx, part, new Set(rows.map((row) => row.quota_id)));
  const quotaIds = numbers(rows.map((row) => row.quota_id));
  await tx.query(statements.dropUses, [quotaIds]);
  await tx.query(statements.addUses, [quotaIds]);
  await tx.query(statements.sumUses, [quotaIds]);
  const companyOf = new Map(part.map(({ channelId, companyId }) => [channelId, companyId]));
  await appendFacts(
    tx,
    changedFacts(rows, (row) => companyOf.get(row.channel_id)!, by),
  );
  return rows.length;
}

interface Changed {
  quota_id: number;
  sku_id: number;
  channel_id: number;
}

function changedFacts(rows: readonly Changed[], companyOf: (row: Changed) => number, by: string): NewFact[] {
  return [...Map.groupBy(rows, companyOf)].map(([companyId, changed]) => ({
    ...{ type: 'quota.changed', stream: `quota/${changed[0]!.quota_id}`, version: 0, companyId },
    occurredAt: new Date().toISOString(),
    data: { skuIds: [...new Set(changed.map((row) => row.sku_id))], quotaIds: changed.map((row) => row.quota_id), by },
  }));
}

/** @throws XD_QUOTA_OVER_PARENT if one that was written, or lies above or below such a one, doesn't fit */
async function checkNesting(tx: Tx, part: readonly Resolved[], written: ReadonlySet<number>): Promise<void> {
  const from = part.reduce((first, one) => (one.from < first ? one.from : first), part[0]!.from);
  const skuIds = [...new Set(part.map(({ skuId }) => skuId))];
  const rows = await tx.query(statements.readNested, [numbers(skuIds), from]);
  const rowOf = new Map(rows.map((row) => [row.quota_id, row]));
  const atOf = (quotaId: number): number | undefined => {
    const row = rowOf.get(quotaId)!;
    return part.find(
      (one) =>
        one.skuId === row.sku_id &&
        one.channelId === row.channel_id &&
        one.accountId === row.account_id &&
        (one.accountId !== null || one.region === row.region) &&
        Date.parse(one.from) === row.valid_from.getTime(),
    )?.at;
  };
  for (const ofOne of Map.groupBy(rows, (row) => `${row.sku_id}/${row.channel_id}`).values()) {
    const [fault] = nestingFaults(
      ofOne.map((row) => ({
        ...{ quotaId: row.quota_id, channelId: row.channel_id, region: row.region, accountId: row.account_id },
        ...{ ringFenced: row.ring_fenced, cap: row.cap, from: row.valid_from.getTime(), to: row.valid_to.getTime() },
      })),
      written,
    );
    if (fault === undefined) continue;
    const at = (written.has(fault.quotaId) ? atOf(fault.quotaId) : undefined) ?? atOf(fault.above);
    const place = `quotas[${at}].${fault.rule === 'cap_over_cap' ? 'cap' : 'ringFenced'}`;
    const above = rowOf.get(fault.above)!;
    const whose = above.account_id !== null ? 'account' : above.region !== null ? `region ${above.region}` : 'channel';
    const { rule, units, most } = fault;
    const what = {
      cap_over_cap: `a cap of ${units} lies below one of ${most}`,
      kept_over_cap: `${units} are kept below one that is promised ${most} at most`,
      kept_over_kept: `${units} are kept below one that is kept ${most}`,
    }[rule];
    fail('XD_QUOTA_OVER_PARENT', `${place}: ${what}, quota ${fault.above} of the ${whose}`, { place, rule });
  }
}

/**
 * Periods that have begun or ended since it was last told change numbers, and what who waits may have: the log says so.
 * @returns how many
 */
export async function tellQuotaPeriods(db: Database, directory: Directory): Promise<number> {
  for (let all = 0; ; ) {
    const told = await db.inTurn(async (tx) => {
      const rows = await tx.query(statements.tellPeriods, [PERIODS_PER_TRANSACTION_MAX]);
      const companyOf = ({ channel_id: id }: Changed) => directory.channelById.get(id)?.companyId ?? 0;
      if (rows.length > 0) await appendFacts(tx, changedFacts(rows, companyOf, 'crossdock'));
      return rows.length;
    });
    all += told;
    if (told < PERIODS_PER_TRANSACTION_MAX) return all;
  }
}
