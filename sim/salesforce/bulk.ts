/** Bulk API 2.0: ingest jobs and query jobs. Jobs live in memory: a restart forgets them, what they wrote stays. */
import type { Kit, MountAnswer } from '../lib/system.ts';
import { parseCsv, toCsv } from './json.ts';
import { shown } from './rest.ts';
import { parentOf, parseSoql, rowsOf } from './soql.ts';
import { ApiError, Decimal, type Rec, type Store } from './store.ts';

const WORK_MS = 200;
const NULL = '#N/A';

interface Ingest {
  id: string;
  object: string;
  operation: string;
  externalIdFieldName: string;
  state: 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted';
  csv: string | undefined;
  header: string[];
  good: string[][];
  bad: string[][];
  left: string[][];
  errorMessage?: string;
}
interface QueryJob {
  id: string;
  query: string;
  operation: string;
  state: 'InProgress' | 'JobComplete' | 'Failed';
  rows: string[][];
  errorMessage?: string;
}

export class Bulk {
  readonly #store: Store;
  readonly #kit: Kit;
  readonly #version: string;
  readonly #ingests = new Map<string, Ingest>();
  readonly #queries = new Map<string, QueryJob>();
  #made = 0;
  /** The next job ends as failed after so many rows; a test's wish. */
  failAfterRows: number | null = null;

  constructor(store: Store, kit: Kit, version: string) {
    this.#store = store;
    this.#kit = kit;
    this.#version = version;
  }

  run(method: string, path: string, query: URLSearchParams, body: unknown): MountAnswer {
    const [, , kind = '', id = '', part = ''] = path.split('/');
    if (kind === 'ingest') return this.#ingest(method, id, part, body);
    if (kind === 'query') return this.#query(method, id, part, query, body);
    throw new ApiError('NOT_FOUND', 'The requested resource does not exist', 404);
  }

  #ingest(method: string, id: string, part: string, body: unknown): MountAnswer {
    if (id === '' && method === 'POST') return { status: 200, body: this.#create(body as Record<string, unknown>) };
    const job = this.#ingests.get(id);
    if (job === undefined) throw new ApiError('NOT_FOUND', 'The requested resource does not exist', 404);
    if (method === 'PUT' && part === 'batches') {
      if (job.state !== 'Open' || job.csv !== undefined)
        throw new ApiError('INVALIDJOBSTATE', 'Uploading data is allowed once, into an open job');
      job.csv = String(body);
      return { status: 201, body: '' };
    }
    if (method === 'PATCH' && part === '') return { status: 200, body: this.#change(job, body as { state?: unknown }) };
    if (method === 'DELETE' && part === '') {
      if (job.state === 'InProgress' || job.state === 'UploadComplete')
        throw new ApiError('API_ERROR', 'a job under way is not deleted');
      this.#ingests.delete(id);
      return { status: 204, body: '' };
    }
    if (method !== 'GET') throw new ApiError('METHOD_NOT_ALLOWED', `HTTP Method '${method}' not allowed`, 405);
    switch (part) {
      case '':
        return { status: 200, body: this.#told(job) };
      case 'successfulResults':
        return csv([['sf__Id', 'sf__Created', ...job.header], ...job.good]);
      case 'failedResults':
        return csv([['sf__Id', 'sf__Error', ...job.header], ...job.bad]);
      case 'unprocessedrecords':
        return csv([job.header, ...job.left]);
      default:
        throw new ApiError('NOT_FOUND', 'The requested resource does not exist', 404);
    }
  }

  #create(given: Record<string, unknown>): object {
    const { object, operation, externalIdFieldName, contentType } = given;
    this.#store.kind(String(object));
    if (operation !== 'upsert') throw new ApiError('INVALIDJOB', `operation ${String(operation)} is not simulated`);
    if (typeof externalIdFieldName !== 'string') throw new ApiError('INVALIDJOB', 'externalIdFieldName is missing');
    if (contentType !== undefined && contentType !== 'CSV') throw new ApiError('INVALIDJOB', 'contentType must be CSV');
    const job: Ingest = {
      id: `750${String(++this.#made).padStart(12, '0')}AAA`,
      object: String(object),
      operation,
      externalIdFieldName,
      state: 'Open',
      csv: undefined,
      header: [],
      good: [],
      bad: [],
      left: [],
    };
    this.#ingests.set(job.id, job);
    return { ...this.#told(job), contentUrl: `services/data/${this.#version}/jobs/ingest/${job.id}/batches` };
  }

  #change(job: Ingest, { state }: { state?: unknown }): object {
    if (state === 'Aborted' && job.state !== 'JobComplete') job.state = 'Aborted';
    else if (state === 'UploadComplete' && job.state === 'Open') {
      job.state = 'UploadComplete';
      this.#kit.time.after(WORK_MS / this.#kit.speed, () => {
        if (job.state === 'UploadComplete') this.#work(job);
      });
    } else throw new ApiError('INVALIDJOBSTATE', `a job that is ${job.state} can't become ${String(state)}`);
    return this.#told(job);
  }

  #work(job: Ingest): void {
    job.state = 'InProgress';
    try {
      const [header = [], ...rows] = parseCsv(job.csv ?? '');
      job.header = header;
      const key = header.indexOf(job.externalIdFieldName);
      if (key < 0) throw new ApiError('INVALIDJOB', `InvalidBatch : Field name not found : ${job.externalIdFieldName}`);
      const stopAt = this.failAfterRows ?? rows.length;
      this.failAfterRows = null;
      for (const [index, row] of rows.entries()) {
        if (index >= stopAt) job.left.push(row);
        else this.#row(job, row, row[key] ?? '');
      }
      job.state = stopAt < rows.length ? 'Failed' : 'JobComplete';
      if (job.state === 'Failed') job.errorMessage = 'InternalServerError : stopped on the way';
    } catch (error) {
      job.state = 'Failed';
      job.errorMessage = (error as Error).message;
    }
  }

  #row(job: Ingest, row: string[], key: string): void {
    try {
      if (row.length !== job.header.length) throw new ApiError('INVALIDROW', 'the row has another number of columns');
      const given: Record<string, unknown> = {};
      for (const [at, name] of job.header.entries()) {
        const cell = row[at]!;
        // Nothing means: leave it as it is.
        if (cell === '') continue;
        const [parent, field] = name.split('.') as [string, string?];
        if (field !== undefined) given[parent] = { [field]: cell };
        else given[name] = cell === NULL ? null : this.#cell(job.object, name, cell);
      }
      const { id, created } = this.#store.all(() =>
        this.#store.upsert(job.object, job.externalIdFieldName, key, given),
      );
      job.good.push([id, String(created), ...row]);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      job.bad.push(['', `${error.code}:${error.message}:${error.fields.join(' ')} --`, ...row]);
    }
  }

  #cell(object: string, name: string, cell: string): unknown {
    return this.#store.fieldOf(object, name).type === 'number' ? new Decimal(cell) : cell;
  }

  #told(job: Ingest): object {
    const { id, operation, object, state, externalIdFieldName, errorMessage } = job;
    const numberRecordsProcessed = new Decimal(String(job.good.length + job.bad.length)).text;
    return {
      id,
      operation,
      object,
      state,
      externalIdFieldName,
      apiVersion: Number(this.#version.slice(1)),
      contentType: 'CSV',
      lineEnding: 'LF',
      columnDelimiter: 'COMMA',
      numberRecordsProcessed: Number(numberRecordsProcessed),
      numberRecordsFailed: job.bad.length,
      ...(errorMessage !== undefined && { errorMessage }),
    };
  }

  #query(method: string, id: string, part: string, query: URLSearchParams, body: unknown): MountAnswer {
    if (id === '' && method === 'POST') {
      const { operation, query: soql } = body as { operation?: unknown; query?: unknown };
      const made = `750${String(++this.#made).padStart(12, '0')}AAA`;
      const job: QueryJob = {
        id: made,
        query: String(soql),
        operation: String(operation),
        state: 'InProgress',
        rows: [],
      };
      if (parseSoql(job.query).children.length > 0)
        throw new ApiError('INVALIDJOB', 'nested queries are not supported in bulk queries');
      this.#queries.set(job.id, job);
      this.#kit.time.after(WORK_MS / this.#kit.speed, () => this.#select(job));
      return { status: 200, body: told(job) };
    }
    const job = this.#queries.get(id);
    if (job === undefined) throw new ApiError('NOT_FOUND', 'The requested resource does not exist', 404);
    if (method === 'DELETE') {
      this.#queries.delete(id);
      return { status: 204, body: '' };
    }
    if (part === '') return { status: 200, body: told(job) };
    if (job.state !== 'JobComplete') throw new ApiError('INVALIDJOBSTATE', 'the job has no results yet');
    const from = Number(Buffer.from(query.get('locator') ?? '', 'base64url').toString() || 0);
    const rowsMax = Number(query.get('maxRecords') ?? 0) || job.rows.length;
    const rows = job.rows.slice(1).slice(from, from + rowsMax);
    const next = from + rowsMax;
    const locator = next < job.rows.length - 1 ? Buffer.from(String(next)).toString('base64url') : 'null';
    const answer = csv([job.rows[0]!, ...rows]);
    return {
      ...answer,
      headers: { ...answer.headers, 'sforce-locator': locator, 'sforce-numberofrecords': String(rows.length) },
    };
  }

  #select(job: QueryJob): void {
    try {
      const query = parseSoql(job.query);
      const rows = rowsOf(this.#store, query, job.operation === 'queryAll');
      job.rows = [query.fields, ...rows.map((rec) => query.fields.map((path) => this.#text(rec, path)))];
      job.state = 'JobComplete';
    } catch (error) {
      job.state = 'Failed';
      job.errorMessage = (error as Error).message;
    }
  }

  #text(rec: Rec, path: string): string {
    const dot = path.indexOf('.');
    if (dot < 0) {
      const value = shown(this.#store, rec, path);
      // Times have a Z here, and an offset in JSON.
      if (typeof value === 'string') return value.replace(/\+0000$/, 'Z');
      return value === null ? '' : value instanceof Decimal ? value.text : String(value);
    }
    const [field, { to }] = parentOf(rec.type, path.slice(0, dot));
    const parent = this.#store.tables.get(to!)!.get(String(rec.values[field] ?? ''));
    return parent === undefined ? '' : this.#text(parent, path.slice(dot + 1));
  }
}

function told({ id, operation, state, errorMessage }: QueryJob): object {
  return { id, operation, state, contentType: 'CSV', ...(errorMessage !== undefined && { errorMessage }) };
}

function csv(rows: string[][]): MountAnswer {
  return { status: 200, body: toCsv(rows), headers: { 'content-type': 'text/csv' } };
}
