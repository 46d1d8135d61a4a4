/** REST: queries with their pages, collections, composite requests, deleted records, limits. */
import type { MountAnswer } from '../lib/system.ts';
import { OBJECTS } from './objects.ts';
import { childrenOf, parentOf, parseSoql, type Query, rowsOf, valueAt } from './soql.ts';
import { ApiError, type Rec, type Store, type Value } from './store.ts';

const BATCH_DEFAULT = 2000;
const BATCH_MIN = 200;
const COLLECTION_MAX = 200;
const SUBREQUESTS_MAX = 25;
const COLLECTIONS_OF_COMPOSITE_MAX = 5;

type Json = Record<string, unknown>;

export interface Asked {
  method: string;
  /** Below `/services/data/vNN.0`. */
  path: string;
  query: URLSearchParams;
  body: unknown;
  batchSize: number | undefined;
}

/** What a test changes about how pages are cut. */
export interface Paging {
  /** Rows a page at most, of queries and of children in them; the org gives fewer than asked where rows are wide. */
  rowsMax: number | null;
  childrenMax: number | null;
}

export const errorBody = (error: ApiError): object[] => {
  const { message, code, fields } = error;
  return [{ message, errorCode: code, ...(fields.length > 0 && { fields }) }];
};

export class Rest {
  readonly #store: Store;
  readonly #version: string;
  readonly #usage: () => { used: number; max: number };
  readonly paging: Paging = { rowsMax: null, childrenMax: null };
  /** Pages still to come, as they were when the query was asked. */
  readonly #locators = new Map<string, { records: unknown[]; rowsMax: number }>();
  #queries = 0;

  constructor(store: Store, version: string, usage: () => { used: number; max: number }) {
    this.#store = store;
    this.#version = version;
    this.#usage = usage;
  }

  run(asked: Asked): MountAnswer {
    const { method, path, query } = asked;
    const [, first = '', ...rest] = path.split('/');
    if (method === 'GET' && path === '/limits') {
      const { used, max } = this.#usage();
      return { status: 200, body: { DailyApiRequests: { Max: max, Remaining: max - used } } };
    }
    if (method === 'GET' && (first === 'query' || first === 'queryAll')) {
      if (rest.length > 0 && rest[0] !== '') return { status: 200, body: this.#more(rest[0]!) };
      return { status: 200, body: this.#query(query.get('q') ?? '', first === 'queryAll', asked.batchSize) };
    }
    if (path === '/composite' && method === 'POST') return { status: 200, body: this.#composite(asked.body) };
    if (first === 'composite' && rest[0] === 'sobjects' && method === 'PATCH' && rest.length === 3)
      return { status: 200, body: this.#collection(rest[1]!, rest[2]!, asked.body, false) };
    if (first === 'sobjects' && rest.length >= 2) return this.#record(asked, rest);
    throw new ApiError('NOT_FOUND', 'The requested resource does not exist', 404);
  }

  #record({ method, query, body }: Asked, [type, name, value]: string[]): MountAnswer {
    if (method === 'GET' && name === 'deleted') return { status: 200, body: this.#deleted(type!, query) };
    if (method === 'PATCH' && value !== undefined) {
      const [key, given] = [decodeURIComponent(value), body as Json];
      const { id, created } = this.#store.all(() => this.#store.upsert(type!, name!, key, given));
      return { status: created ? 201 : 200, body: { id, success: true, errors: [], created } };
    }
    if (method === 'DELETE' && value === undefined) {
      this.#store.all(() => this.#store.delete(type!, name!));
      return { status: 204, body: '' };
    }
    throw new ApiError('METHOD_NOT_ALLOWED', `HTTP Method '${method}' not allowed`, 405);
  }

  #query(soql: string, withDeleted: boolean, batchSize: number | undefined): object {
    const query = parseSoql(soql);
    const rows = rowsOf(this.#store, query, withDeleted);
    if (query.count) return { totalSize: rows.length, done: true, records: [] };
    for (const field of query.fields) checkPath(this.#store, query.from, field);
    const records = rows.map((rec) => this.#render(rec, query, withDeleted));
    const rowsMax = Math.min(
      Math.max(batchSize ?? BATCH_DEFAULT, BATCH_MIN),
      BATCH_DEFAULT,
      this.paging.rowsMax ?? BATCH_DEFAULT,
    );
    return this.#page(records, records.length, 0, rowsMax);
  }

  #page(records: unknown[], totalSize: number, from: number, rowsMax: number): object {
    if (from + rowsMax >= totalSize) return { totalSize, done: true, records: records.slice(from) };
    const locator = `01g${String(++this.#queries).padStart(12, '0')}AAA`;
    this.#locators.set(locator, { records, rowsMax });
    return this.#pageOf(locator, from);
  }

  #pageOf(locator: string, from: number): object {
    const { records, rowsMax } = this.#locators.get(locator)!;
    const next = from + rowsMax;
    const done = next >= records.length;
    const nextRecordsUrl = done ? undefined : `/services/data/${this.#version}/query/${locator}-${next}`;
    return { totalSize: records.length, done, nextRecordsUrl, records: records.slice(from, next) };
  }

  #more(name: string): object {
    const [, locator = '', from = ''] = /^(\w{18})-(\d+)$/.exec(name) ?? [];
    if (!this.#locators.has(locator)) throw new ApiError('INVALID_QUERY_LOCATOR', 'invalid query locator');
    return this.#pageOf(locator, Number(from));
  }

  #render(rec: Rec, query: Query, withDeleted: boolean): Json {
    const made: Json = { attributes: this.#attributes(rec) };
    for (const path of query.fields) this.#place(made, rec, path);
    for (const child of query.children) {
      const [object, field] = childrenOf(rec.type, child.from);
      const mine: Rec[] = [];
      for (const other of this.#store.tables.get(object)!.values())
        if (other.values[field] === rec.id) mine.push(other);
      const records = rowsOf(this.#store, child, withDeleted, mine).map((other) =>
        this.#render(other, child, withDeleted),
      );
      const rowsMax = this.paging.childrenMax ?? BATCH_DEFAULT;
      made[child.from] = records.length === 0 ? null : this.#page(records, records.length, 0, rowsMax);
    }
    return made;
  }

  #place(made: Json, rec: Rec, path: string): void {
    const dot = path.indexOf('.');
    if (dot < 0) {
      made[path] = shown(this.#store, rec, path);
      return;
    }
    const name = path.slice(0, dot);
    const [field, { to }] = parentOf(rec.type, name);
    const parent = this.#store.tables.get(to!)!.get(String(rec.values[field] ?? ''));
    if (parent === undefined) made[name] = null;
    else {
      made[name] ??= { attributes: this.#attributes(parent) };
      this.#place(made[name] as Json, parent, path.slice(dot + 1));
    }
  }

  #attributes({ type, id }: Rec): object {
    return { type, url: `/services/data/${this.#version}/sobjects/${type}/${id}` };
  }

  #collection(type: string, field: string, body: unknown, inTransaction: boolean): object[] {
    const { allOrNone, records } = (body ?? {}) as { allOrNone?: unknown; records?: unknown };
    if (!Array.isArray(records)) throw new ApiError('JSON_PARSER_ERROR', 'records must be a list');
    if (records.length > COLLECTION_MAX)
      throw new ApiError('EXCEEDED_MAX_SIZE_REQUEST', `at most ${COLLECTION_MAX} records`);
    this.#store.kind(type);
    const whole = allOrNone === true || inTransaction;
    const results: object[] = [];
    let failed = false;
    const run = (): void => {
      for (const raw of records) {
        try {
          results.push(this.#store.all(() => this.#one(type, field, raw as Json)));
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          failed = true;
          results.push(failure(error));
        }
      }
      if (failed && whole) throw new RolledBack();
    };
    try {
      this.#store.all(run);
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error;
      if (inTransaction) throw new CollectionFailed(rolledBack(results));
      return rolledBack(results);
    }
    return results;
  }

  #one(type: string, field: string, raw: Json): object {
    if ((raw.attributes as Json | undefined)?.type !== type)
      throw new ApiError('INVALID_TYPE', 'The attributes of a record must name its type');
    if ('Id' in raw || 'id' in raw) throw new ApiError('INVALID_FIELD', 'Id must not be set in an upsert');
    const key = raw[field];
    if (typeof key !== 'string' || key === '')
      throw new ApiError('MISSING_ARGUMENT', `${field} not specified`, 400, [field]);
    const { id, created } = this.#store.upsert(type, field, key, raw);
    return { id, success: true, errors: [], created };
  }

  #composite(body: unknown): object {
    const { allOrNone, compositeRequest } = (body ?? {}) as { allOrNone?: unknown; compositeRequest?: unknown };
    if (!Array.isArray(compositeRequest) || compositeRequest.length === 0 || compositeRequest.length > SUBREQUESTS_MAX)
      throw new ApiError('LIMIT_EXCEEDED', `from 1 to ${SUBREQUESTS_MAX} subrequests`);
    const requests = compositeRequest as { method: string; url: string; referenceId: string; body?: unknown }[];
    if (
      requests.filter(({ url }) => url.includes('/composite/sobjects') || url.includes('/query')).length >
      COLLECTIONS_OF_COMPOSITE_MAX
    )
      throw new ApiError('LIMIT_EXCEEDED', `at most ${COLLECTIONS_OF_COMPOSITE_MAX} collections and queries`);
    const answers: { body: unknown; httpHeaders: object; httpStatusCode: number; referenceId: string }[] = [];
    const run = (): void => {
      for (const { method, url, referenceId, body: own } of requests) {
        const told = (status: number, what: unknown) =>
          answers.push({ body: what, httpHeaders: {}, httpStatusCode: status, referenceId });
        const { pathname, searchParams } = new URL(url, 'http://org');
        const path = pathname.replace(/^\/services\/data\/v\d+\.0/, '');
        try {
          const collection = /^\/composite\/sobjects\/(\w+)\/(\w+)$/.exec(path);
          if (method === 'PATCH' && collection !== null)
            told(200, this.#collection(collection[1]!, collection[2]!, own, allOrNone === true));
          else {
            const { status, body: what } = this.run({
              method,
              path,
              query: searchParams,
              body: own,
              batchSize: undefined,
            });
            told(status, what);
          }
        } catch (error) {
          if (error instanceof CollectionFailed) told(200, error.results);
          else if (error instanceof ApiError) told(error.status, errorBody(error));
          else throw error;
          if (allOrNone === true) throw new RolledBack();
        }
      }
    };
    try {
      this.#store.all(run);
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error;
      const last = answers.length - 1;
      const message = 'The transaction was rolled back since another operation in the same transaction failed.';
      const halted = (referenceId: string) => ({
        body: [{ errorCode: 'PROCESSING_HALTED', message }],
        httpHeaders: {},
        httpStatusCode: 400,
        referenceId,
      });
      return {
        compositeResponse: requests.map(({ referenceId }, at) => (at === last ? answers[at]! : halted(referenceId))),
      };
    }
    return { compositeResponse: answers };
  }

  #deleted(type: string, query: URLSearchParams): object {
    const minute = (name: string): string => {
      const time = new Date(query.get(name) ?? '');
      if (Number.isNaN(time.getTime())) throw new ApiError('INVALID_REPLICATION_DATE', `${name} is no time`);
      // Seconds are not looked at.
      return `${time.toISOString().slice(0, 16)}:00.000Z`;
    };
    const [start, end] = [minute('start'), minute('end')];
    if (start >= end) throw new ApiError('INVALID_REPLICATION_DATE', 'start must be before end');
    this.#store.kind(type);
    const gone = [...this.#store.tables.get(type)!.values()].filter(
      ({ values }) =>
        values.IsDeleted === true && String(values.SystemModstamp) >= start && String(values.SystemModstamp) < end,
    );
    return {
      deletedRecords: gone.map(({ id, values }) => ({ id, deletedDate: timeShown(String(values.SystemModstamp)) })),
      earliestDateAvailable: '2010-01-01T00:00:00.000+0000',
      latestDateCovered: timeShown(end),
    };
  }
}

class RolledBack extends Error {}
class CollectionFailed extends Error {
  readonly results: object[];
  constructor(results: object[]) {
    super('failed');
    this.results = results;
  }
}

function failure({ code, message, fields }: ApiError): object {
  return { success: false, errors: [{ statusCode: code, message, fields }] };
}

/** Those that were good are told that they were undone. */
function rolledBack(results: object[]): object[] {
  const message = 'Record rolled back because not all records were valid and the request was using AllOrNone header';
  return results.map((result) =>
    (result as { success: boolean }).success
      ? failure(new ApiError('ALL_OR_NONE_OPERATION_ROLLED_BACK', message))
      : result,
  );
}

function checkPath(store: Store, type: string, path: string): void {
  const dot = path.indexOf('.');
  if (dot < 0) store.fieldOf(type, path);
  else checkPath(store, parentOf(type, path.slice(0, dot))[1].to!, path.slice(dot + 1));
}

export function shown(store: Store, rec: Rec, path: string): Value {
  const value = valueAt(store, rec, path);
  const isTime = typeof value === 'string' && OBJECTS[rec.type]!.fields[path]?.type === 'datetime';
  return isTime ? timeShown(value) : value;
}

/** As the org writes it in JSON: an offset without a colon. */
function timeShown(at: string): string {
  return at.replace('Z', '+0000');
}
