/** All accounts, products or prices as they are now, page by page. */
import { CrossdockError, fail } from '../../canonical/index.ts';
import { bulkQuery } from './bulk.ts';
import { queryPageOf, type Salesforce } from './client.ts';
import {
  type AccountRecord,
  mapAccount,
  mapPrice,
  mapProduct,
  type PriceRecord,
  type ProductRecord,
  type Read,
  readEach,
} from './map-master.ts';
import { parseExact, quoted, timeOf } from './values.ts';

const PAGE_RECORDS_MAX = 2_000;
const BULK_DEADLINE_MS = 1_800_000;

export interface SnapshotRecords {
  accounts: AccountRecord;
  products: ProductRecord;
  prices: PriceRecord;
}
export type SnapshotKind = keyof SnapshotRecords;

export interface SnapshotOptions {
  /** By a bulk query: for more than some ten thousand. */
  bulk?: boolean;
}

interface Asking<K extends SnapshotKind> {
  object: string;
  fields: string[];
  map(records: readonly unknown[]): Read<SnapshotRecords[K]>[];
}

function asking({ settings }: Salesforce): { [K in SnapshotKind]: Asking<K> } {
  const money = settings.currency === null ? ['CurrencyIsoCode'] : [];
  return {
    accounts: {
      object: 'Account',
      fields: ['Id', 'Name', settings.accountField, 'MasterRecordId', 'IsDeleted', ...money],
      map: (records) => readEach(records, (record) => mapAccount(record, settings)),
    },
    products: {
      object: 'Product2',
      fields: ['Id', 'Name', settings.skuField, 'QuantityUnitOfMeasure', 'IsActive', 'IsDeleted'],
      map: (records) => readEach(records, (record) => mapProduct(record, settings)),
    },
    prices: {
      object: 'PricebookEntry',
      fields: [
        ...['Id', 'Pricebook2Id', 'Pricebook2.Name', 'Pricebook2.IsStandard', `Product2.${settings.skuField}`],
        ...['UnitPrice', 'IsActive', ...money],
      ],
      map: (records) => readEach(records, (record) => mapPrice(record, settings)),
    },
  };
}

/** With those deleted or merged away, as long as the system keeps them (15 days). Read by id, so that nothing that changes shifts a page. */
export async function* snapshot<K extends SnapshotKind>(
  client: Salesforce,
  kind: K,
  options: SnapshotOptions,
  signal: AbortSignal,
): AsyncGenerator<Read<SnapshotRecords[K]>[]> {
  const { object, fields, map } = asking(client)[kind];
  const select = `SELECT ${fields.join(', ')} FROM ${object}`;
  client.mayBegin();
  if (options.bulk === true) {
    const asked = { withDeleted: true, deadlineMs: BULK_DEADLINE_MS };
    for await (const rows of bulkQuery(client, select, asked, signal)) yield map(rows.map(nested));
    return;
  }
  for (let after = ''; ; ) {
    const beyond = after === '' ? '' : ` WHERE Id > ${quoted(after)}`;
    const bodies = await client.query(`${select}${beyond} ORDER BY Id LIMIT ${PAGE_RECORDS_MAX}`, signal, true);
    const records = bodies.flatMap((body) => queryPageOf(parseExact(body.toString('utf8')))!.records);
    yield map(records);
    if (records.length < PAGE_RECORDS_MAX) return;
    const last = (records.at(-1) as { Id?: unknown } | null)?.Id;
    if (typeof last !== 'string' || last <= after)
      fail('XD_CONNECTOR_MALFORMED', `${object}: pages that don't go on from ${after}`);
    after = last;
  }
}

/** `{"Pricebook2.Name": "x"}` → `{Pricebook2: {Name: "x"}}`. */
function nested(row: Readonly<Record<string, string>>): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(row)) {
    const [name, field] = path.split('.') as [string, string?];
    if (field === undefined) record[name] = value;
    else record[name] = { ...(record[name] as object | undefined), [field]: value };
  }
  return record;
}

/**
 * Ids of what was deleted between two times, at most 15 days back. `coveredTo` is where the next call begins: a deletion that was still under
 * way at `end` is told only then.
 */
export async function deletedBetween(
  client: Salesforce,
  kind: SnapshotKind,
  start: string,
  end: string,
  signal: AbortSignal,
): Promise<{ deleted: { id: string; at: string }[]; coveredTo: string }> {
  const { object } = asking(client)[kind];
  const path = `${client.settings.data}/sobjects/${object}/deleted/?start=${encodeURIComponent(start)}&end=${encodeURIComponent(end)}`;
  const { value } = await client.ask({ method: 'GET', path }, signal);
  const { deletedRecords, earliestDateAvailable, latestDateCovered } = (value ?? {}) as Record<string, unknown>;
  if (!Array.isArray(deletedRecords)) client.malformed('GET', path, 'deletedRecords is not a list');
  try {
    const since = timeOf(earliestDateAvailable, '/earliestDateAvailable');
    if (since > new Date(start).toISOString())
      fail(
        'XD_CONNECTOR_REFUSED',
        `${object}: deletions are known from ${since} only, not from ${start}: compare all of it instead`,
      );
    return {
      deleted: deletedRecords.map(({ id, deletedDate }, index) => ({
        id: String(id),
        at: timeOf(deletedDate, `/deletedRecords/${index}/deletedDate`),
      })),
      coveredTo: timeOf(latestDateCovered, '/latestDateCovered'),
    };
  } catch (error) {
    if (error instanceof CrossdockError) throw error;
    return client.malformed('GET', path, (error as Error).message);
  }
}
