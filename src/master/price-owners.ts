/** Which of the prices that systems and people say are changes that count: no echoes, and none that another system owns. */
import { ownerOf } from '../canonical/index.ts';
import { numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import type { Directory } from './directory.ts';
import { type Exchange, hear, priceText, type Told, tell } from './echoes.ts';
import { addFinding, type Findings, notOwnerFinding } from './findings.ts';
import { policyOf, readOwnerRules } from './owners.ts';
import * as statements from './price-owners.sql.ts';
import { momentOf, PERSON } from './provenance.ts';
import type { PriceRecord } from './records.ts';
import { endMoot, type Moot, type Queued, queueForSteward } from './stewardship.ts';

export const BASE_LIST = 'base';
const DECIMAL = /^\d{1,12}(\.\d{1,6})?$/;

interface Saying<R> {
  record: R;
  system: string;
  companyId: number;
  skuId: number;
  list: string;
  at: string | null;
}

/** What of these records does not count. The SKUs' codes are loaded; what is wrong in them is told by who writes them. */
export async function admitPrices<R extends PriceRecord>(
  tx: Tx,
  directory: Directory,
  records: readonly R[],
): Promise<{ dropped: ReadonlySet<R>; findings: Findings<R> }> {
  const findings: Findings<R> = new Map();
  const rules = await readOwnerRules(tx);
  const owner = ownerOf(rules.owners, 'price');
  // Without an owner a person's price always counts.
  if (owner === undefined && records.every(({ system }) => system === undefined))
    return { dropped: new Set(), findings };
  const sayings = records.map((record) => sayingOf(directory, record));
  const known = sayings.filter((one) => one !== undefined);
  const dropped = new Set<R>(await dropEchoes(tx, directory, known));
  const left = known.filter(({ record }) => !dropped.has(record));
  const queued: Queued[] = [];
  const moot: Moot[] = [];
  const settled: Saying<R>[] = [];
  const held = await readHeld(tx, left);
  for (const [i, saying] of left.entries()) {
    const { record, system, companyId, at } = saying;
    const rows = held.get(i) ?? [];
    const id = { domain: 'price', companyId, record: nameOf(saying), field: 'price' } as const;
    if (isHeld(record, rows)) {
      if (at !== null) moot.push({ ...id, system, at });
      // Whoever set it may say it again; from others it is nothing new, and takes it over from nobody.
      if (system === PERSON || rows.every((row) => row.set_by === system || row.set_by === '')) continue;
      dropped.add(record);
      settled.push(saying);
    } else if (owner !== undefined && owner !== system) {
      dropped.add(record);
      const not = {
        field: 'price',
        owner,
        held: rows.map(({ quantity_min, unit_price }) => [quantity_min, unit_price]),
        said: saidOf(record),
      };
      if (policyOf(rules, 'price', system) === 'refuse') addFinding(findings, record, notOwnerFinding(system, not));
      else queued.push({ ...id, ...not, system, at });
    }
  }
  await keepSaid(tx, directory, settled);
  await queueForSteward(tx, queued);
  await endMoot(tx, rules.ownership.price === 'steward' ? moot : []);
  return { dropped, findings };
}

/** Before it is told: what it shows from then on may be this. Locks as {@link admitPrices} does. */
export async function keepToldPrices(
  tx: Tx,
  of: { destinationId: number; companyId: number; currency: string },
  prices: readonly { skuId: number; unitPrice: string; pricePer?: number | undefined }[],
  at: Date,
): Promise<void> {
  const rows = prices.map(({ skuId }) => ({ ...of, skuId, list: BASE_LIST }));
  const exchanges = await lockExchanges(tx, rows, true);
  writeExchanges(
    tx,
    rows.map((row, i) => {
      const { told, saidAt } = exchanges[i]!;
      const { unitPrice, pricePer } = prices[i]!;
      return { ...row, told: tell(told, priceText(unitPrice, pricePer), at.toISOString()), saidAt };
    }),
  );
}

/** @returns the SKUs whose price that system set itself and shows, as far as is known: it needs not be told */
export async function findOwnPrices(
  db: Queryable,
  of: { destinationId: number; code: string; companyId: number; currency: string },
  prices: readonly { skuId: number; name: string; quantityMin: number; validFrom: string }[],
): Promise<Set<number>> {
  if (prices.length === 0) return new Set();
  const rows = await db.query(statements.findOwn, [
    ...[of.destinationId, of.code, of.companyId],
    numbers(prices.map((one) => one.skuId)),
    texts(prices.map((one) => one.name)),
    numbers(prices.map((one) => one.quantityMin)),
    texts(prices.map((one) => one.validFrom)),
    ...[of.currency, BASE_LIST],
  ]);
  return new Set(rows.map((row) => row.sku_id));
}

/** @returns records that say what their system was told, or what it said before something newer */
async function dropEchoes<R extends PriceRecord>(
  tx: Tx,
  directory: Directory,
  sayings: readonly Saying<R>[],
): Promise<R[]> {
  const heard = sayings.flatMap((saying) => {
    const destination = directory.destinations.get(saying.system);
    const { record, at } = saying;
    if (destination === undefined || at === null || record.validFrom !== undefined || !isOnePrice(record)) return [];
    return [{ saying, at, row: rowOf(destination.destinationId, saying) }];
  });
  const byRow = Map.groupBy(heard, ({ row }) => JSON.stringify(row));
  const rows = [...byRow.values()].map(([first]) => first!.row);
  const exchanges = await lockExchanges(tx, rows, false);
  const dropped: R[] = [];
  const changed: (Exchange & ExchangeKey)[] = [];
  for (const [i, group] of [...byRow.values()].entries()) {
    const before = exchanges[i];
    if (before === undefined) continue;
    let now = before;
    for (const { saying, at } of group) {
      const { record } = saying;
      const result = hear(now, priceText(record.unitPrice, perOf(record)), at);
      now = result.after;
      if (result.heard !== 'change') dropped.push(record);
    }
    if (now !== before) changed.push({ ...rows[i]!, ...now });
  }
  writeExchanges(tx, changed);
  return dropped;
}

/** That they said what is held anyway: what they said before it is old, though nothing was written of it. */
async function keepSaid<R extends PriceRecord>(
  tx: Tx,
  directory: Directory,
  settled: readonly Saying<R>[],
): Promise<void> {
  const last = new Map<string, ExchangeKey & { saidAt: string }>();
  for (const saying of settled) {
    const destination = directory.destinations.get(saying.system);
    if (destination === undefined || saying.at === null || saying.record.validFrom !== undefined) continue;
    const row = rowOf(destination.destinationId, saying);
    const before = last.get(JSON.stringify(row));
    if (before === undefined || saying.at > before.saidAt) last.set(JSON.stringify(row), { ...row, saidAt: saying.at });
  }
  const rows = [...last.values()];
  const exchanges = await lockExchanges(tx, rows, true);
  writeExchanges(
    tx,
    rows.flatMap((row, i) => {
      const { told, saidAt } = exchanges[i]!;
      return row.saidAt > saidAt ? [{ ...row, told }] : [];
    }),
  );
}

interface ExchangeKey {
  destinationId: number;
  companyId: number;
  skuId: number;
  list: string;
  currency: string;
}

function rowOf<R extends PriceRecord>(
  destinationId: number,
  { companyId, skuId, list, record }: Saying<R>,
): ExchangeKey {
  return { destinationId, companyId, skuId, list, currency: record.currency };
}

const keysOf = (rows: readonly ExchangeKey[]) => [
  numbers(rows.map((row) => row.destinationId)),
  numbers(rows.map((row) => row.companyId)),
  numbers(rows.map((row) => row.skuId)),
  texts(rows.map((row) => row.list)),
  texts(rows.map((row) => row.currency)),
];

async function lockExchanges(tx: Tx, rows: readonly ExchangeKey[], isMade: boolean): Promise<(Exchange | undefined)[]> {
  const found: (Exchange | undefined)[] = rows.map(() => undefined);
  if (rows.length === 0) return found;
  if (isMade) tx.write(statements.addExchanges, keysOf(rows));
  for (const row of await tx.query(statements.lockExchanges, keysOf(rows)))
    found[row.at] = { told: row.told as Told, saidAt: row.said_at };
  return found;
}

function writeExchanges(tx: Tx, rows: readonly (ExchangeKey & Exchange)[]): void {
  if (rows.length === 0) return;
  tx.write(statements.writeExchanges, [
    ...keysOf(rows),
    texts(rows.map((row) => JSON.stringify(row.told))),
    texts(rows.map((row) => row.saidAt)),
  ]);
}

/** Undefined: it names something that there is not; whoever writes it says so. */
function sayingOf<R extends PriceRecord>(directory: Directory, record: R): Saying<R> | undefined {
  const only = directory.companies.size === 1 ? [...directory.companies.values()][0] : undefined;
  const company = record.company === undefined ? only : directory.companies.get(record.company);
  const skuId = directory.findSkuId(record.sku.toUpperCase());
  if (
    company === undefined ||
    skuId === undefined ||
    !tiersOf(record).every(({ unitPrice }) => DECIMAL.test(unitPrice))
  )
    return undefined;
  const at = record.changedAt === undefined ? null : momentOf(record.changedAt);
  const list = record.priceList ?? BASE_LIST;
  return { record, system: record.system ?? PERSON, companyId: company.companyId, skuId, list, at };
}

async function readHeld<R extends PriceRecord>(
  tx: Tx,
  sayings: readonly Saying<R>[],
): Promise<Map<number, statements.HeldPriceRow[]>> {
  if (sayings.length === 0) return new Map();
  const rows = await tx.query(statements.readHeld, [
    numbers(sayings.map((one) => one.companyId)),
    numbers(sayings.map((one) => one.skuId)),
    texts(sayings.map((one) => one.list)),
    texts(sayings.map(({ record }) => record.currency)),
    texts(sayings.map(({ record }) => record.validFrom ?? '-infinity')),
  ]);
  return Map.groupBy(rows, (row) => row.at);
}

function isOnePrice({ tiers, quantityMin }: PriceRecord): boolean {
  return tiers === undefined ? (quantityMin ?? 1) === 1 : tiers.length === 1;
}

function tiersOf(record: PriceRecord): { quantityMin: number; unitPrice: string }[] {
  const { tiers, quantityMin = 1, unitPrice } = record;
  return [...(tiers ?? [{ quantityMin, unitPrice }])].sort((a, b) => a.quantityMin - b.quantityMin);
}

function isHeld(record: PriceRecord, rows: readonly statements.HeldPriceRow[]): boolean {
  const tiers = tiersOf(record);
  if (record.tiers !== undefined && tiers.length !== rows.length) return false;
  // Said in another unit: whether it is the same is seen when it is written.
  if (record.unit !== undefined) return false;
  return tiers.every(({ quantityMin, unitPrice }) => {
    const row = rows.find((one) => one.quantity_min === quantityMin);
    return row !== undefined && priceText(row.unit_price, row.price_per) === priceText(unitPrice, perOf(record));
  });
}

/** Base units that the price is for. */
function perOf(record: PriceRecord): number | undefined {
  return (record as { pricePer?: number }).pricePer;
}

/** As it is written once it is accepted. */
function saidOf(record: PriceRecord): Omit<PriceRecord, 'system' | 'changedAt'> {
  const { system: _, changedAt: __, ...said } = record;
  delete (said as { kind?: string }).kind;
  return said;
}

function nameOf<R extends PriceRecord>({ record, list }: Saying<R>): string {
  return `${record.sku.toUpperCase()}/${list}/${record.currency}/${record.validFrom ?? '-'}`;
}
