import { fail } from '../../canonical/index.ts';
import { type KeysetRow, keysetSource, type Place, type Source, type Whose } from '../kit/index.ts';
import { queryPageOf, type Salesforce } from './client.ts';
import { mapOpportunities, type Reading } from './map.ts';
import { type AccountReading, mapAccounts } from './map-accounts.ts';
import { parseExact, quoted, timeOf } from './values.ts';

/** Each carries its lines, so a page is of some hundred kB. */
const PAGE_RECORDS_MAX = 200;

/**
 * Won opportunities, and those called off, by (SystemModstamp, Id). Deleted ones are asked for, too. Its times are of whole seconds, so
 * many records share one; and one record may change twice within it, which only its content tells, and the kit looks at that.
 */
export function opportunities(client: Salesforce, whose: Whose, company: string): Source {
  const { settings } = client;
  const reading: Reading = { ...settings, company };
  return keysetSource({
    feed: 'opportunities',
    pageMax: PAGE_RECORDS_MAX,
    overlapMs: settings.overlapMs,
    map: (records) => mapOpportunities(records, whose, reading),
    rowsOf: recordsOf,
    async read(after, limit, signal) {
      client.mayBegin();
      const body = await readWhole(client, opportunityQuery(reading, after, limit), signal);
      const rows = recordsOf(body).map(rowOf);
      return { body, contentType: 'application/json', rows, more: rows.length >= limit };
    },
  });
}

/** Accounts that have one of ours, by (SystemModstamp, Id); those merged away and deleted, too, as long as the org keeps them (15 days). */
export function accounts(client: Salesforce, system: string, company: string): Source {
  const { settings } = client;
  const { accountField, accountParents, paymentTermsField } = settings;
  const reading: AccountReading = { system, company, accountField, accountParents, paymentTermsField };
  return keysetSource({
    feed: 'accounts',
    pageMax: PAGE_RECORDS_MAX,
    overlapMs: settings.overlapMs,
    map: (records) => mapAccounts(records, reading),
    rowsOf: recordsOf,
    async read(after, limit, signal) {
      client.mayBegin();
      const body = await readWhole(client, accountQuery(reading, after, limit), signal);
      const rows = recordsOf(body).map(rowOf);
      return { body, contentType: 'application/json', rows, more: rows.length >= limit };
    },
  });
}

function accountQuery(reading: AccountReading, after: Place | undefined, limit: number): string {
  const { accountField, accountParents, paymentTermsField } = reading;
  const fields = [
    ...['Id', 'Name', accountField, 'MasterRecordId', `MasterRecord.${accountField}`, 'IsDeleted', 'SystemModstamp'],
    ...(accountParents ? [`Parent.${accountField}`] : []),
    ...(paymentTermsField === null ? [] : [paymentTermsField]),
  ].join(', ');
  return (
    `SELECT ${fields} FROM Account WHERE ${accountField} != null${beyond(after)} ` +
    `ORDER BY SystemModstamp, Id LIMIT ${limit}`
  );
}

export function opportunityQuery(reading: Reading, after: Place | undefined, limit: number): string {
  const { accountField, skuField, currency, cancelStages } = reading;
  const money = currency === null ? ', CurrencyIsoCode' : '';
  const lines = `SELECT Id, Quantity, UnitPrice, Discount, Product2.${skuField} FROM OpportunityLineItems ORDER BY Id`;
  const fields = `Id, StageName, IsDeleted, CloseDate, LastStageChangeDate, SystemModstamp, Account.${accountField}${money}`;
  const wanted =
    cancelStages.length === 0
      ? 'IsWon = true'
      : `(IsWon = true OR StageName IN (${cancelStages.map(quoted).join(', ')}))`;
  return (
    `SELECT ${fields}, (${lines}) FROM Opportunity WHERE ${wanted}${beyond(after)} ` +
    `ORDER BY SystemModstamp, Id LIMIT ${limit}`
  );
}

function beyond(after: Place | undefined): string {
  if (after === undefined) return '';
  const { at, id } = after;
  if (id === '') return ` AND SystemModstamp >= ${at}`;
  return ` AND (SystemModstamp > ${at} OR (SystemModstamp = ${at} AND Id > ${quoted(id.slice(0, 18))}))`;
}

function rowOf(raw: unknown): KeysetRow {
  const { Id, SystemModstamp } = (raw ?? {}) as { Id?: unknown; SystemModstamp?: unknown };
  if (typeof Id !== 'string' || typeof SystemModstamp !== 'string')
    fail('XD_CONNECTOR_MALFORMED', 'a record without Id and SystemModstamp');
  return { at: timeOf(SystemModstamp, '/SystemModstamp'), id: Id, raw };
}

/**
 * A query's answer, whole. It is one page as it came; or, where it came in several or where lines of a record did, all of them in an
 * envelope, each as it came: `{"pages": […], "children": {"<address>": […]}}`.
 */
async function readWhole(client: Salesforce, soql: string, signal: AbortSignal): Promise<Buffer> {
  const pages = await client.query(soql, signal, true);
  const children: string[] = [];
  for (const page of pages)
    for (const record of (parseExact(page.toString('utf8')) as { records: unknown[] }).records) {
      const path = nextLinesOf(record);
      if (path === undefined) continue;
      const more = await client.pages(path, signal);
      children.push(`${JSON.stringify(path)}:[${more.map((body) => body.toString('utf8')).join(',')}]`);
    }
  if (pages.length === 1 && children.length === 0) return pages[0]!;
  const bodies = pages.map((body) => body.toString('utf8')).join(',');
  return Buffer.from(`{"pages":[${bodies}],"children":{${children.join(',')}}}`);
}

function nextLinesOf(record: unknown): string | undefined {
  const lines = (record as { OpportunityLineItems?: unknown } | null)?.OpportunityLineItems;
  if (lines == null) return undefined;
  // Where they are no page of records the map says so, of this record alone.
  return queryPageOf(lines)?.nextRecordsUrl;
}

/** The records in the bytes of {@link readWhole}, each with all its lines. */
export function recordsOf(body: Buffer): unknown[] {
  const value = parseExact(body.toString('utf8')) as { pages?: unknown[]; children?: Record<string, unknown[]> };
  const { pages = [value], children = {} } = value;
  return pages.flatMap((page) =>
    (page as { records: unknown[] }).records.map((record) => {
      const path = nextLinesOf(record);
      if (path === undefined) return record;
      const { OpportunityLineItems: first, ...rest } = record as { OpportunityLineItems: { records: unknown[] } };
      const more = (children[path] ?? []).flatMap((next) => (next as { records: unknown[] }).records);
      return { ...rest, OpportunityLineItems: { ...first, done: true, records: [...first.records, ...more] } };
    }),
  );
}
