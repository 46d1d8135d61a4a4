/**
 * A small service that keeps the public rules of OData v2 and v4 (questions, server paging, ETags, `$batch`, deltas) and SAP's CSRF tokens: for
 * tests and for the conformance suite. It is no SAP and no Dynamics: what those do beyond the rules it doesn't know.
 */

export type Entity = Record<string, unknown>;

/** Holds what a broken system lists instead of an entity. */
export const AS_IS = '@as-is';

interface ServiceCall {
  method: string;
  path: string;
  query: Readonly<Record<string, string>>;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** JSON, or a message of several parts as its text. */
  body: unknown;
}

interface ServiceAnswer {
  status?: number;
  json?: unknown;
  text?: string;
  headers?: Record<string, string>;
}

type Query = Readonly<Record<string, string>>;

export interface Service {
  answer(call: ServiceCall): ServiceAnswer & ({ json: unknown } | { text: string });
  sets: Record<string, Entity[]>;
  /** Writes that had an effect, in their order. */
  effects: string[];
  /** A page is never larger, whatever is asked. */
  serverPage: number;
  /** Runs before each call; a page shifts then. */
  before: (call: number) => void;
  /** Whether writes want a token. */
  csrf?: string;
  removed: Entity[];
  /** Sets whose changes it keeps track of by `version`: pages of them and what changes after go on from a place, and never shift. */
  tracked: Set<string>;
  /** Whether it refuses an entity for what is in it. */
  refuses: (entity: Entity) => boolean;
}

interface Inner {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: unknown;
}

/** @param key the property that names an entity, of all sets */
export function odataService(
  version: '2' | '4',
  key: string,
  sets: Record<string, Entity[]>,
  root: () => string,
): Service {
  let calls = 0;
  const etagOf = (entity: Entity) => `W/"${String(entity.version ?? 1)}"`;
  const addressOf = (set: string, entity: Entity) => `${set}('${encodeURIComponent(String(entity[key]))}')`;
  const dressed = (set: string, entity: Entity): Entity => {
    if (AS_IS in entity) return entity[AS_IS] as Entity;
    const { version: _, ...own } = entity;
    // As behind a proxy: the name that it has inside.
    if (version === '2')
      return { __metadata: { uri: `http://inside:8000/${addressOf(set, entity)}`, etag: etagOf(entity) }, ...own };
    return { '@odata.id': addressOf(set, entity), '@odata.etag': etagOf(entity), ...own };
  };
  const failed = (status: number, code: string) => ({
    status,
    json: { error: { code, message: version === '2' ? { lang: 'en', value: 'said' } : 'said' } },
  });

  const service: Service = {
    sets,
    effects: [],
    serverPage: 100,
    before: () => {},
    removed: [],
    tracked: new Set(),
    refuses: (entity) => entity.poison === true,
    answer(call) {
      calls += 1;
      service.before(calls);
      const { method, headers } = call;
      const path = decodeURIComponent(call.path).slice(1);
      if (service.csrf !== undefined && headers['x-csrf-token'] === 'Fetch')
        return { json: {}, headers: { 'x-csrf-token': service.csrf, 'set-cookie': 'SESSION=1; path=/; HttpOnly' } };
      const isSafe = method === 'GET';
      if (
        !isSafe &&
        service.csrf !== undefined &&
        (headers['x-csrf-token'] !== service.csrf || headers.cookie !== 'SESSION=1')
      )
        return { status: 403, text: 'CSRF token validation failed', headers: { 'x-csrf-token': 'Required' } };
      if (path === '$batch') return batch(call);
      return single({ method, url: path, headers: headers as Record<string, string>, body: call.body }, call.query);
    },
  };

  function single({ method, url, headers, body }: Inner, query: Query = {}): { status?: number; json: unknown } {
    if (url === '') return { json: version === '2' ? { d: { EntitySets: Object.keys(sets) } } : { value: [] } };
    const [, set = '', id] = /^(\w+)(?:\('(.*)'\))?$/.exec(url) ?? [];
    const list = sets[set];
    if (list === undefined) return failed(404, 'no such set');
    if (method === 'GET') return { json: page(set, list, query) };
    const given = body as Entity;
    if (method === 'POST' && headers['x-http-method'] === undefined) {
      if (service.refuses(given)) return failed(400, 'BAD');
      const entity = { ...given, [key]: `new-${list.length + 1}` };
      list.push(entity);
      service.effects.push(`POST ${set}`);
      return { status: 201, json: version === '2' ? { d: dressed(set, entity) } : dressed(set, entity) };
    }
    const entity = list.find((one) => one[key] === decodeURIComponent(id ?? ''));
    if (entity === undefined) return failed(404, 'no such entity');
    if (service.refuses(entity)) return failed(400, 'BAD');
    if (headers['if-match'] === undefined) return failed(428, 'If-Match is missing');
    if (headers['if-match'] !== etagOf(entity)) return failed(412, 'changed');
    Object.assign(entity, given, { version: Number(entity.version ?? 1) + 1 });
    service.effects.push(`${method} ${url}`);
    if (headers.prefer === 'return=representation') return { status: 200, json: dressed(set, entity) };
    return { status: 204, json: null };
  }

  function trackedPage(set: string, list: readonly Entity[], { $skiptoken, $deltatoken, ...query }: Query): unknown {
    const after = Number($skiptoken ?? $deltatoken ?? 0);
    const found = list
      .filter(({ version }) => Number(version) > after)
      .toSorted((a, b) => Number(a.version) - Number(b.version));
    const part = found.slice(0, service.serverPage);
    const last = Number(part.at(-1)?.version ?? after);
    const link = (token: string) => `${root()}/${set}?${new URLSearchParams({ ...query, [token]: String(last) })}`;
    const isMore = part.length < found.length;
    const gone = isMore ? [] : service.removed.splice(0);
    return {
      value: [...part.map((entity) => dressed(set, entity)), ...gone],
      ...(isMore ? { '@odata.nextLink': link('$skiptoken') } : { '@odata.deltaLink': link('$deltatoken') }),
    };
  }

  function page(set: string, list: Entity[], query: Query): unknown {
    if (service.tracked.has(set)) return trackedPage(set, list, query);
    const { $filter = '', $orderby = '', $top, $skiptoken, $deltatoken } = query;
    const names = $orderby.split(',').filter(Boolean);
    let found = list.filter((entity) => $filter === '' || matches($filter, entity));
    if ($deltatoken !== undefined) found = list.filter((entity) => Number(entity.version ?? 1) > Number($deltatoken));
    found = found.toSorted((a, b) => {
      const name = names.find((one) => a[one] !== b[one]);
      return name === undefined ? 0 : comparable(a[name]) < comparable(b[name]) ? -1 : 1;
    });
    if ($top !== undefined) found = found.slice(0, Number($top));
    const from = Number($skiptoken ?? 0);
    const part = found.slice(from, from + service.serverPage).map((entity) => dressed(set, entity));
    const end = from + part.length;
    const parameters = new URLSearchParams({ ...query, $skiptoken: String(end) });
    const next =
      end < found.length ? `${version === '2' ? 'http://inside:8000' : root()}/${set}?${parameters}` : undefined;
    const newest = Math.max(1, ...list.map((entity) => Number(entity.version ?? 1)));
    const delta = `${root()}/${set}?$deltatoken=${newest}`;
    const gone = $deltatoken === undefined ? [] : service.removed.splice(0);
    if (version === '2') return { d: { results: part, ...(next && { __next: next }) } };
    return { value: [...part, ...gone], ...(next ? { '@odata.nextLink': next } : { '@odata.deltaLink': delta }) };
  }

  function batch(call: ServiceCall): ServiceAnswer & ({ json: unknown } | { text: string }) {
    if (typeof call.body === 'object') {
      const { requests } = call.body as { requests: (Inner & { id: string })[] };
      const responses = requests.map((one) => ({ id: one.id, ...bodied(single(one)) }));
      // They may come in any order.
      return { json: { responses: responses.reverse() } };
    }
    const boundary = /boundary=(\S+)/.exec(String(call.headers['content-type']))![1]!;
    const parts = String(call.body).split(`--${boundary}\r\n`).slice(1);
    const answers = parts.map((part) => {
      const id = /Content-ID: (\d+)/.exec(part)![1]!;
      const [, method, url, rest] = /\r\n(\w+) (\S+) HTTP\/1\.1\r\n([\s\S]*)/.exec(part)!;
      const [head, ...body] = rest!.split('\r\n\r\n');
      const headers = Object.fromEntries(
        head!
          .split('\r\n')
          .map((line) => line.split(': '))
          .map(([name, value]) => [name!.toLowerCase(), value]),
      );
      const json = JSON.parse(body.join('').split('\r\n--')[0]!) as unknown;
      const { status = 200, json: value } = single({
        method: method!,
        url: decodeURIComponent(url!),
        headers: headers as Record<string, string>,
        body: json,
      });
      const text = value === null ? '' : JSON.stringify(value);
      const http = `HTTP/1.1 ${status} Said\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}\r\n`;
      const partHead = `Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n`;
      // A change set that failed answers with the error alone, and without its Content-ID.
      if (status >= 400) return `--outer\r\n${partHead}\r\n${http}`;
      return `--outer\r\nContent-Type: multipart/mixed; boundary=in${id}\r\n\r\n--in${id}\r\n${partHead}Content-ID: ${id}\r\n\r\n${http}--in${id}--\r\n`;
    });
    return {
      status: 202,
      text: `${answers.join('')}--outer--\r\n`,
      headers: { 'content-type': 'multipart/mixed; boundary=outer' },
    };
  }

  return service;
}

function bodied({ status = 200, json }: { status?: number; json: unknown }) {
  return { status, headers: { 'Content-Type': 'application/json' }, ...(json !== null && { body: json }) };
}

/** `a eq 'x' and (b gt 3 or c ge datetimeoffset'…')`. */
export function matches(filter: string, entity: Entity): boolean {
  const tokens = filter.match(/\(|\)|(?:datetimeoffset|datetime|guid)?'(?:[^']|'')*'|[^\s()]+/g) ?? [];
  let at = 0;
  const or = (): boolean => {
    let value = and();
    while (tokens[at] === 'or') {
      at += 1;
      const next = and();
      value = value || next;
    }
    return value;
  };
  const and = (): boolean => {
    let value = term();
    while (tokens[at] === 'and') {
      at += 1;
      const next = term();
      value = value && next;
    }
    return value;
  };
  const term = (): boolean => {
    if (tokens[at] === '(') {
      at += 1;
      const value = or();
      at += 1;
      return value;
    }
    const [name, operator, text] = [tokens[at]!, tokens[at + 1]!, tokens[at + 2]!];
    at += 3;
    const own = comparable(entity[name]);
    const other = comparable(text.replace(/^\w*'([\s\S]*)'$/, '$1').replaceAll("''", "'"));
    if (operator === 'ne') return text === 'null' ? entity[name] != null : own !== other;
    return operator === 'eq' ? own === other : operator === 'gt' ? own > other : own >= other;
  };
  return or();
}

function comparable(value: unknown): string | number {
  const ticks = /^\/Date\((\d+)/.exec(String(value));
  if (ticks !== null) return Number(ticks[1]);
  return /^\d{4}-\d\d-\d\dT/.test(String(value)) ? Date.parse(String(value)) : String(value);
}
