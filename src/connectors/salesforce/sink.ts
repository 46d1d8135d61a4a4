import { CrossdockError } from '../../canonical/index.ts';
import {
  askedToWaitMs,
  batchMaxOf,
  type ConnectorContext,
  type OrderStatusState,
  type Outcome,
  type StateItem,
  type StateSink,
} from '../kit/index.ts';
import { queryPageOf, type Salesforce } from './client.ts';
import {
  COLLECTION_MAX,
  COMPOSITE_COLLECTIONS_MAX,
  type Collection,
  upsertEach,
  upsertTogether,
} from './collections.ts';
import { documentsOf } from './documents.ts';
import { majorOf, parseExact, plainDecimal, quoted } from './values.ts';

/** Orders of one write: one collection of them, with lines in as many as they need. */
export const STATUS_MAX = COLLECTION_MAX;
/** The query stands in an address, of which 16 kB are taken. */
const LOOKUP_CHARS_MAX = 9_000;

export const REFERENCE = 'Crossdock_Reference__c';
const VERSION = 'Version__c';

type Answer = Outcome | { outcome: 'conflict' };

/**
 * An order's state is a record and its lines. The version is written with the last call and only where all lines were taken, so that it
 * never says more than is there: what was cut off in the middle is told again. One order alone goes in one call, all of it or none.
 */
export function orderStatus(client: Salesforce, limits: ConnectorContext['limits']): StateSink {
  return {
    batchMax: batchMaxOf(limits, STATUS_MAX),
    takesChanges: true,
    ...(client.settings.documentObject !== null && { wants: ['shipments', 'invoices', 'returns'] as const }),
    readBack: (keys, signal) => versionsOf(client, keys, signal),
    write: (items, signal) => writeStates(client, items, signal),
  };
}

async function writeStates(client: Salesforce, items: readonly StateItem[], signal: AbortSignal): Promise<Answer[]> {
  let held: Map<string, number>;
  try {
    client.mayBegin();
    const builtOn = items.filter(({ base }) => base > 0).map(({ key }) => key);
    held = builtOn.length === 0 ? new Map() : await versionsOf(client, builtOn, signal);
  } catch (error) {
    if (!(error instanceof CrossdockError)) throw error;
    // Only asked so far, so nothing had an effect.
    const retryAfterMs = askedToWaitMs(error);
    const later = { outcome: 'later', error: error.message, ofSystem: true } as const;
    return items.map(() => (retryAfterMs === undefined ? later : { ...later, retryAfterMs }));
  }
  const answers = new Map<StateItem, Answer>();
  for (const item of items) {
    const foreign = currencyRefusal(client, item);
    if (item.base > (held.get(item.key) ?? 0)) answers.set(item, { outcome: 'conflict' });
    else if (foreign !== undefined) answers.set(item, foreign);
  }
  const open = items.filter((item) => !answers.has(item));
  const alone = open.length === 1 ? partsOf(client, open[0]!) : undefined;
  if (alone !== undefined && alone.length <= COMPOSITE_COLLECTIONS_MAX)
    answers.set(open[0]!, await writeOne(client, open[0]!, alone, signal));
  else await writeMany(client, open, answers, signal);
  return items.map((item) => answers.get(item)!);
}

/** An order with its lines and documents, as the collections of one call. */
function partsOf(client: Salesforce, item: StateItem): Collection[] {
  const parts: Collection[] = [orders(client, [orderRecord(client, item, true)])];
  const add = (of: Omit<Collection, 'records'>, records: Collection['records']) => {
    for (let from = 0; from < records.length; from += COLLECTION_MAX)
      parts.push({ ...of, records: records.slice(from, from + COLLECTION_MAX) });
  };
  add(allLines(client), linesOf(client, item));
  const documents = allDocuments(client);
  if (documents !== undefined) add(documents, documentsOf(client, item, REFERENCE));
  return parts;
}

async function writeOne(
  client: Salesforce,
  item: StateItem,
  parts: readonly Collection[],
  signal: AbortSignal,
): Promise<Answer> {
  const { outcome, gone } = await upsertTogether(client, parts, signal);
  return gone && item.base > 0 ? { outcome: 'conflict' } : outcome;
}

async function writeMany(
  client: Salesforce,
  items: readonly StateItem[],
  answers: Map<StateItem, Answer>,
  signal: AbortSignal,
): Promise<void> {
  const left = () => items.filter((item) => !answers.has(item));
  const note = (item: StateItem, { outcome, gone }: { outcome: Outcome; gone: boolean }): void => {
    if (outcome.outcome === 'confirmed') return;
    const before = answers.get(item);
    // Of several lines, one that will never pass decides.
    if (before !== undefined && before.outcome !== 'later') return;
    answers.set(item, gone && item.base > 0 ? { outcome: 'conflict' } : outcome);
  };
  // What lines hang on must be there before them. It gets no version yet.
  const whole = left().filter(({ base }) => base === 0);
  const heads = await upsertEach(
    client,
    orders(
      client,
      whole.map((item) => orderRecord(client, item, false)),
    ),
    signal,
  );
  for (const [index, item] of whole.entries()) note(item, heads[index]!);

  const rows = left().flatMap((item) => linesOf(client, item).map((record) => ({ item, record })));
  const lines = { ...allLines(client), records: rows.map(({ record }) => record) };
  for (const [index, result] of (await upsertEach(client, lines, signal)).entries()) note(rows[index]!.item, result);

  const documents = allDocuments(client);
  const told =
    documents === undefined
      ? []
      : left().flatMap((item) => documentsOf(client, item, REFERENCE).map((record) => ({ item, record })));
  if (documents !== undefined && told.length > 0) {
    const records = told.map(({ record }) => record);
    for (const [index, result] of (await upsertEach(client, { ...documents, records }, signal)).entries())
      note(told[index]!.item, result);
  }

  const complete = left();
  const ended = await upsertEach(
    client,
    orders(
      client,
      complete.map((item) => orderRecord(client, item, true)),
    ),
    signal,
  );
  for (const [index, item] of complete.entries()) answers.set(item, ended[index]!.outcome);
}

function orders({ settings }: Salesforce, records: Collection['records']): Collection {
  return { object: settings.orderObject, externalId: REFERENCE, records };
}

function allLines({ settings }: Salesforce): Omit<Collection, 'records'> {
  return { object: settings.lineObject, externalId: REFERENCE };
}

function allDocuments({ settings }: Salesforce): Omit<Collection, 'records'> | undefined {
  return settings.documentObject === null ? undefined : { object: settings.documentObject, externalId: REFERENCE };
}

function currencyRefusal({ settings }: Salesforce, { key, state }: StateItem): Outcome | undefined {
  const { currency } = state as OrderStatusState;
  if (settings.currency === null || settings.currency === currency) return undefined;
  return { outcome: 'refused', error: `${key} is in ${currency}, and the org has ${settings.currency} only` };
}

export function orderRecord({ settings }: Salesforce, { key, version, state }: StateItem, isTold: boolean) {
  const { channel, externalNo, account, currency, status, totalMinor } = state as OrderStatusState;
  return {
    [REFERENCE]: key,
    Channel__c: channel,
    Order_Number__c: externalNo,
    Account__r: { [settings.accountField]: account },
    ...(settings.currency === null && { CurrencyIsoCode: currency }),
    ...(isTold && { Status__c: status, Total__c: majorOf(totalMinor), [VERSION]: version }),
  };
}

/** When all of it is to leave; null: of some of it nobody knows, or nothing is left to promise. */
export function lastPromise(parts: readonly { at: string | null }[]): string | null {
  if (parts.some(({ at }) => at === null)) return null;
  return parts.reduce<string | null>((last, { at }) => (last === null || at! > last ? at : last), null);
}

export function linesOf({ settings }: Salesforce, { key, state }: StateItem) {
  const { currency, lines } = state as OrderStatusState;
  return lines.map((line) => ({
    [REFERENCE]: `${key}/${line.lineNo}`,
    Order__r: { [REFERENCE]: key },
    Line_Number__c: line.lineNo,
    Sku__c: line.sku,
    Quantity__c: line.quantity,
    Amount__c: majorOf(line.amountMinor),
    Cancelled__c: line.cancelled,
    Backordered__c: line.backordered,
    Refused__c: line.refused,
    Shipped__c: line.shipped,
    Invoiced__c: line.invoiced,
    Returned__c: line.returned,
    ...(settings.promiseField !== null &&
      line.promised !== undefined && { [settings.promiseField]: lastPromise(line.promised) }),
    ...(settings.currency === null && { CurrencyIsoCode: currency }),
  }));
}

/** The versions that are there. @throws XD_CONNECTOR_* unless the answer is whole */
async function versionsOf(
  client: Salesforce,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const { orderObject } = client.settings;
  const wanted = new Set(keys);
  const versions = new Map<string, number>();
  for (const part of inAddresses([...wanted])) {
    const soql = `SELECT ${REFERENCE}, ${VERSION} FROM ${orderObject} WHERE ${REFERENCE} IN (${part.join(', ')})`;
    for (const body of await client.query(soql, signal))
      for (const record of queryPageOf(parseExact(body.toString('utf8')))!.records) {
        const { [REFERENCE]: key, [VERSION]: version } = (record ?? {}) as Record<string, unknown>;
        const plain = version == null ? '0' : plainDecimal(version);
        if (typeof key !== 'string' || plain === undefined || !/^\d{1,15}$/.test(plain))
          client.malformed(
            'GET',
            `${client.settings.data}/query`,
            `${orderObject} without reference or with a version that is none`,
          );
        // Texts are compared without case there; a namesake is not the one that was asked for. One without a version was begun only.
        if (wanted.has(key) && plain !== '0') versions.set(key, Number(plain));
      }
  }
  return versions;
}

function inAddresses(keys: readonly string[]): string[][] {
  const parts: string[][] = [];
  let chars = 0;
  for (const text of keys.map(quoted)) {
    const length = encodeURIComponent(text).length + 6;
    if (parts.length === 0 || chars + length > LOOKUP_CHARS_MAX) {
      parts.push([]);
      chars = 0;
    }
    parts.at(-1)!.push(text);
    chars += length;
  }
  return parts;
}
