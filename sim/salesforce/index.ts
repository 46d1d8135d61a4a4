/**
 * A CRM that answers as the public references of Salesforce's REST, Bulk 2.0 and OAuth say, for the endpoints that the connector uses.
 * Made from those references alone: no org was asked.
 */
import { itemOf, listOf, Refusal, textOf } from '../lib/items.ts';
import {
  drive,
  type Kit,
  type Mount,
  type MountAnswer,
  type MountCall,
  type System,
  type Truth,
} from '../lib/system.ts';
import { Bulk } from './bulk.ts';
import { parseJson, toJson } from './json.ts';
import { Sessions } from './oauth.ts';
import { OBJECTS } from './objects.ts';
import { errorBody, Rest } from './rest.ts';
import { ApiError, Decimal, Store } from './store.ts';

const VERSION = 'v62.0';
const DRIVEN_MAX = 500;

export function salesforce(kit: Kit, token: string): System {
  const store = new Store(kit);
  const usage = { used: 0, max: 100_000 };
  const rest = new Rest(store, VERSION, () => usage);
  const bulk = new Bulk(store, kit, VERSION);
  const sessions = new Sessions(
    {
      clientId: 'crossdock',
      secret: token,
      publicKey: null,
      username: 'integration@example.test',
      audience: 'https://login.salesforce.com',
      instanceUrl: null,
    },
    kit.time.now,
  );
  let waiting = 0;

  const answered = ({ status, body, headers }: MountAnswer): MountAnswer => ({
    status,
    body: typeof body === 'string' ? body : toJson(body),
    headers: { 'sforce-limit-info': `api-usage=${usage.used}/${usage.max}`, ...headers },
  });
  const refused = (error: ApiError): MountAnswer => answered({ status: error.status, body: errorBody(error) });

  const run = (call: MountCall): MountAnswer => {
    const url = new URL(call.url, 'http://org');
    if (url.pathname === '/services/oauth2/token') return sessions.token(call);
    try {
      const [, version, path] = /^\/services\/data\/(v\d+\.0)(\/.*)$/.exec(url.pathname) ?? [];
      if (version !== VERSION || path === undefined)
        throw new ApiError('NOT_FOUND', 'The requested resource does not exist', 404);
      if (!sessions.holds(call.headers.authorization))
        throw new ApiError('INVALID_SESSION_ID', 'Session expired or invalid', 401);
      if (usage.used >= usage.max) throw new ApiError('REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.', 403);
      usage.used += 1;
      const isCsv = String(call.headers['content-type'] ?? '').startsWith('text/csv');
      const body = call.body.length === 0 ? undefined : isCsv ? call.body.toString('utf8') : parseJson(call.body);
      if (path.startsWith('/jobs/'))
        return answered(bulk.run(call.method, path.replace(/\/$/, ''), url.searchParams, body));
      const [, batch] = /batchSize=(\d+)/.exec(String(call.headers['sforce-query-options'] ?? '')) ?? [];
      const batchSize = batch === undefined ? undefined : Number(batch);
      const asked = { method: call.method, path: path.replace(/\/$/, ''), query: url.searchParams, body, batchSize };
      return answered(rest.run(asked));
    } catch (error) {
      if (error instanceof ApiError) return refused(error);
      throw error;
    }
  };

  const mount: Mount = {
    prefix: '/services/',
    run,
    faultOf(fault) {
      if (fault === 'tooMany') {
        return refused(new ApiError('REQUEST_LIMIT_EXCEEDED', 'ConcurrentRequests Limit exceeded.', 403));
      }
      if (fault === 'errorBefore')
        return refused(new ApiError('UNKNOWN_EXCEPTION', 'An unexpected error occurred.', 500));
      return refused(new ApiError('SERVER_UNAVAILABLE', 'Service unavailable', 503));
    },
  };

  /** What people do in the org. A record may be committed later than the time it carries, as one of a long transaction is. */
  const writeByPeople = (raw: unknown): object => {
    const { type, id, values, commitAfterMs } = itemOf(raw);
    const at = store.now();
    const given = itemOf(
      JSON.parse(JSON.stringify(values ?? {}), (_, value) =>
        typeof value === 'number' ? new Decimal(String(value)) : value,
      ),
    );
    const write = () => store.all(() => store.write(String(type), typeof id === 'string' ? id : undefined, given, at));
    if (typeof commitAfterMs !== 'number') return { ...write(), status: 201 };
    waiting += 1;
    kit.time.after(commitAfterMs, () => {
      waiting -= 1;
      write();
    });
    return { status: 202 };
  };
  const refusing = (act: () => object): object => {
    try {
      return act();
    } catch (error) {
      if (error instanceof ApiError) throw new Refusal(422, error.code, error.message);
      throw error;
    }
  };

  return {
    mount,
    routes: [
      drive('records', ({ body }) =>
        refusing(() => ({ results: listOf(body, 'records', DRIVEN_MAX).map((raw) => writeByPeople(raw)) })),
      ),
      drive('delete', ({ body }) =>
        refusing(() => {
          const item = itemOf(body);
          store.all(() => store.delete(textOf(item, 'type'), textOf(item, 'id')));
          return { status: 200 };
        }),
      ),
      drive('merge', ({ body }) =>
        refusing(() => {
          const item = itemOf(body);
          store.all(() => store.merge(textOf(item, 'winner'), textOf(item, 'loser')));
          return { status: 200 };
        }),
      ),
      // How the org is set up, and what goes wrong in it next.
      drive('org', ({ body }) => {
        const { app, multiCurrency, used, max, failures, rowsMax, childrenMax, bulkFailAfterRows } = itemOf(body);
        Object.assign(sessions.app, app);
        if (typeof multiCurrency === 'boolean') store.multiCurrency = multiCurrency;
        if (typeof used === 'number') usage.used = used;
        if (typeof max === 'number') usage.max = max;
        if (Array.isArray(failures)) store.failures = failures;
        if (rowsMax !== undefined) rest.paging.rowsMax = rowsMax as number | null;
        if (childrenMax !== undefined) rest.paging.childrenMax = childrenMax as number | null;
        if (typeof bulkFailAfterRows === 'number') bulk.failAfterRows = bulkFailAfterRows;
        return { status: 200 };
      }),
      drive('expire', () => {
        sessions.expireAll();
        return { status: 200 };
      }),
    ],
    restore: (entry) => store.restore(entry as Parameters<Store['restore']>[0]),
    restoreRecord: () => {},
    resume: () => {},
    pending: () => waiting,
    stats: () => ({ sessions: sessions.made, apiUsed: usage.used, backwards: store.backwards }),
    truths: Object.fromEntries(Object.keys(OBJECTS).map((name): [string, Truth] => [name, truth(name)])),
  };

  function truth(name: string): Truth {
    const table = store.tables.get(name)!;
    return {
      keys: () => table.keys(),
      size: () => table.size,
      read(key) {
        const values = Object.entries(table.get(key)!.values);
        return {
          key,
          ...Object.fromEntries(values.map(([field, value]) => [field, value instanceof Decimal ? value.text : value])),
        };
      },
    };
  }
}
