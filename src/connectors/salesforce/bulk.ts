/** Bulk API 2.0, for loads of more than some thousand records: one job costs the day's calls less than a collection of 200 each does. */
import { parse } from 'csv-parse/sync';
import { CrossdockError, fail } from '../../canonical/index.ts';
import type { Outcome } from '../kit/index.ts';
import type { Salesforce } from './client.ts';
import { outcomeOf } from './errors.ts';

/** A job takes 150 MB, counted after the system has encoded it. */
const UPLOAD_BYTES_MAX = 90_000_000;
const RESULT_ROWS_MAX = 20_000;
const POLL_MS_MIN = 1_000;
const POLL_MS_MAX = 30_000;
const NULL = '#N/A';

export interface Load {
  object: string;
  externalId: string;
  /** Of each row, under the names of its columns; `Parent__r.External__c` refers by an external id; null empties a field. */
  rows: readonly Readonly<Record<string, string | null>>[];
}
export interface BulkOptions {
  /** How long a job may take, in ms, before what became of it is left in doubt. */
  deadlineMs: number;
  uploadBytesMax?: number;
}

/** Loads rows by their external id, each with an outcome of its own, in the order given. */
export async function bulkUpsert(
  client: Salesforce,
  load: Load,
  options: BulkOptions,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const { rows, externalId } = load;
  const keys = rows.map((row) => row[externalId] ?? '');
  if (keys.includes('') || new Set(keys).size < keys.length)
    fail('XD_VALUE_INVALID', `each row of a load needs a ${externalId} of its own: results are told by it`);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const head = csvLine(columns);
  const outcomes: Outcome[] = [];
  let part: string[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    const from = outcomes.length;
    const told = await ingest(client, load, head + part.join(''), options, signal);
    for (const key of keys.slice(from, from + part.length))
      outcomes.push(
        told instanceof Map
          ? (told.get(key) ?? { outcome: 'in_doubt', error: `the job told nothing of ${key}` })
          : told,
      );
    part = [];
    bytes = 0;
  };
  for (const row of rows) {
    const line = csvLine(columns.map((name) => (name in row ? (row[name] ?? NULL) : '')));
    const length = Buffer.byteLength(line);
    if (part.length > 0 && bytes + length > (options.uploadBytesMax ?? UPLOAD_BYTES_MAX)) await flush();
    part.push(line);
    bytes += length;
  }
  if (part.length > 0) await flush();
  return outcomes;
}

/** What became of each row, by its external id; or of all, where no job was worked off. */
async function ingest(
  client: Salesforce,
  { object, externalId }: Load,
  csv: string,
  { deadlineMs }: BulkOptions,
  signal: AbortSignal,
): Promise<Map<string, Outcome> | Outcome> {
  const jobs = `${client.settings.data}/jobs/ingest`;
  const spec = { object, operation: 'upsert', externalIdFieldName: externalId, contentType: 'CSV', lineEnding: 'LF' };
  const created = await client.send({ method: 'POST', path: jobs, json: spec }, signal);
  // A job that was never closed does nothing, also one that was made without our hearing of it.
  if (!created.answered) return unbegun(created.outcome);
  const { id } = (created.value ?? {}) as { id?: unknown };
  if (typeof id !== 'string' || !/^\w{15,18}$/.test(id)) client.malformed('POST', jobs, 'a job without an id');
  const job = `${jobs}/${id}`;
  const upload = {
    method: 'PUT',
    path: `${job}/batches`,
    raw: { body: csv, contentType: 'text/csv' },
    answers: 'text',
  } as const;
  const uploaded = await client.send(upload, signal);
  if (!uploaded.answered) {
    await client.send({ method: 'PATCH', path: job, json: { state: 'Aborted' } }, signal);
    return unbegun(uploaded.outcome);
  }
  const closed = await client.send({ method: 'PATCH', path: job, json: { state: 'UploadComplete' } }, signal);
  if (!closed.answered && closed.outcome.outcome !== 'in_doubt') return closed.outcome;
  try {
    const state = await ended(client, job, deadlineMs, signal);
    // Closing it did not arrive: nothing was done, and nothing will be.
    if (state === 'Open') return { outcome: 'later', error: `job ${id} was not closed` };
    return await resultsOf(client, job, externalId, signal);
  } catch (error) {
    if (!(error instanceof CrossdockError)) throw error;
    return { outcome: 'in_doubt', error: `job ${id}: ${error.message}` };
  }
}

function unbegun(outcome: Outcome): Outcome {
  return outcome.outcome === 'in_doubt' ? { outcome: 'later', error: `${outcome.error}; no job was closed` } : outcome;
}

const ENDED = new Set(['JobComplete', 'Failed', 'Aborted', 'Open']);

async function ended(client: Salesforce, job: string, deadlineMs: number, signal: AbortSignal): Promise<string> {
  const end = client.clock.now() + deadlineMs;
  for (let pauseMs = POLL_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)) {
    const { value } = await client.ask({ method: 'GET', path: job }, signal);
    const { state, errorMessage } = (value ?? {}) as { state?: unknown; errorMessage?: unknown };
    if (typeof state !== 'string') client.malformed('GET', job, 'a job without a state');
    // A query that failed has no results; an ingest that failed tells which rows it did.
    if (state === 'Failed' && job.includes('/jobs/query/'))
      fail('XD_CONNECTOR_REFUSED', `the query failed: ${String(errorMessage).slice(0, 200)}`);
    if (ENDED.has(state)) return state;
    if (client.clock.now() + pauseMs > end) fail('XD_CONNECTOR_UNAVAILABLE', `not worked off within ${deadlineMs} ms`);
    await paused(client, pauseMs, signal);
  }
}

function paused(client: Salesforce, ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = (): void => {
    cancel();
    reject(new CrossdockError('XD_CONNECTOR_UNAVAILABLE', 'stopped while a job was worked off', {}));
  };
  const cancel = client.clock.after(ms, () => {
    signal.removeEventListener('abort', stop);
    resolve();
  });
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return promise;
}

async function resultsOf(
  client: Salesforce,
  job: string,
  externalId: string,
  signal: AbortSignal,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const read = async (part: string, tell: (row: Record<string, string>) => Outcome): Promise<void> => {
    const { value } = await client.ask(
      { method: 'GET', path: `${job}/${part}/`, answers: 'text', headers: CSV },
      signal,
    );
    for (const row of rowsOf(value as string)) outcomes.set(row[externalId] ?? '', tell(row));
  };
  await read('unprocessedrecords', () => ({ outcome: 'later', error: 'the job ended before this row' }));
  await read('failedResults', ({ sf__Error = '' }) => {
    const [, code = 'UNKNOWN', message = ''] = /^([A-Z_]+):(.*)$/s.exec(sf__Error) ?? [];
    return outcomeOf([{ code, message }], 'bulk').outcome;
  });
  await read('successfulResults', ({ sf__Id, sf__Created }) => ({
    outcome: 'confirmed',
    answer: { id: sf__Id, created: sf__Created === 'true' },
  }));
  return outcomes;
}

const CSV = { accept: 'text/csv' };

/** The rows of a query, in pages, each as the texts it has. */
export async function* bulkQuery(
  client: Salesforce,
  soql: string,
  options: { withDeleted: boolean; deadlineMs: number; rowsMax?: number },
  signal: AbortSignal,
): AsyncGenerator<Record<string, string>[]> {
  const jobs = `${client.settings.data}/jobs/query`;
  const operation = options.withDeleted ? 'queryAll' : 'query';
  const created = await client.ask({ method: 'POST', path: jobs, json: { operation, query: soql } }, signal);
  const { id } = (created.value ?? {}) as { id?: unknown };
  if (typeof id !== 'string' || !/^\w{15,18}$/.test(id)) client.malformed('POST', jobs, 'a job without an id');
  const job = `${jobs}/${id}`;
  await ended(client, job, options.deadlineMs, signal);
  const rowsMax = options.rowsMax ?? RESULT_ROWS_MAX;
  for (let locator = ''; locator !== 'null'; ) {
    const from = locator === '' ? '' : `&locator=${encodeURIComponent(locator)}`;
    const path = `${job}/results?maxRecords=${rowsMax}${from}`;
    const { value, headers } = await client.ask({ method: 'GET', path, answers: 'text', headers: CSV }, signal);
    const next = headers['sforce-locator'];
    if (typeof next !== 'string' || next === locator)
      client.malformed('GET', path, 'results without a new Sforce-Locator');
    yield rowsOf(value as string);
    locator = next;
  }
}

function rowsOf(csv: string): Record<string, string>[] {
  if (csv.trim() === '') return [];
  try {
    return parse(csv, { columns: true, bom: true, skip_empty_lines: true });
  } catch (error) {
    return fail('XD_CONNECTOR_MALFORMED', `results that are no CSV: ${(error as Error).message.slice(0, 200)}`);
  }
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`;
}
