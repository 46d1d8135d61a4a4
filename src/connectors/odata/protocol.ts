/** What OData v2 and v4 write differently: literals, lists, links, errors. Pure. From the public specifications. */
import { fail } from '../../canonical/index.ts';
import { type Fault, type HttpAnswer, pathBelow } from '../kit/index.ts';
import type { LiteralType } from './settings.ts';

export type Version = '2' | '4';

/** A value in a question. Texts are quoted, and a quote in them doubled: nothing that a record says ends its literal. */
export function literal(value: string, type: LiteralType, version: Version): string {
  const quoted = `'${value.replaceAll("'", "''")}'`;
  switch (type) {
    case 'string':
      return quoted;
    case 'number':
      if (!/^-?\d{1,20}$/.test(value)) fail('XD_VALUE_INVALID', `${JSON.stringify(value.slice(0, 40))} is no number`);
      return value;
    case 'guid':
      if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value))
        fail('XD_VALUE_INVALID', `${JSON.stringify(value.slice(0, 40))} is no guid`);
      return version === '2' ? `guid${quoted}` : value;
    case 'datetime':
      // Of v2: a wall clock's time without an offset.
      return version === '2' ? `datetime'${value.replace(/Z$/, '')}'` : value;
    case 'datetimeoffset':
      return version === '2' ? `datetimeoffset'${value}'` : value;
    case 'date':
      return version === '2' ? `datetime'${value.slice(0, 10)}T00:00:00'` : value.slice(0, 10);
  }
}

export interface Listed {
  records: unknown[];
  next: string | null;
  /** Where what changes after this is found. */
  changes: string | undefined;
}

/** v2 `{d: {results, __next, __delta}}` (early ones `{d: […]}`), v4 `{value, @odata.nextLink, @odata.deltaLink}`. */
export function listed(value: unknown, version: Version): Listed | undefined {
  const whole = recordOf(value);
  const at = version === '2' ? (Array.isArray(whole.d) ? { results: whole.d } : recordOf(whole.d)) : whole;
  const records: unknown = version === '2' ? at.results : at.value;
  if (!Array.isArray(records)) return undefined;
  const [next, changes] = version === '2' ? [at.__next, at.__delta] : [at['@odata.nextLink'], at['@odata.deltaLink']];
  const linkOf = (link: unknown) => (typeof link === 'string' && link !== '' ? link : undefined);
  return { records, next: linkOf(next) ?? null, changes: linkOf(changes) };
}

/** What a service root answers: the sets that it has. Every other JSON is another system's. */
export function isServiceDocument(value: unknown, version: Version): boolean {
  const { d, value: sets } = recordOf(value);
  return version === '2' ? Array.isArray(recordOf(d).EntitySets) : Array.isArray(sets);
}

/** The entity of an answer to a create. */
export function entityOf(value: unknown, version: Version): unknown {
  return version === '2' ? recordOf(value).d : value;
}

/**
 * A link as a path below the service root. Systems behind a proxy write the name they have inside into their links: only the path is taken,
 * and what is asked is always the system that the estate names.
 */
export function ownPath(root: string, current: string, link: string): string {
  const { origin } = new URL(root);
  return pathBelow(root, current, link.replace(/^https?:\/\/[^/]*/i, origin));
}

export interface Address {
  /** As the system says it: absolute, or below the service root. */
  url: string;
  etag: string | undefined;
}

/** Where an entity is written; undefined: it doesn't say. */
export function addressOf(entity: unknown, version: Version): Address | undefined {
  const record = recordOf(entity);
  const metadata = recordOf(record.__metadata);
  const [url, etag] =
    version === '2'
      ? [metadata.uri, metadata.etag]
      : [record['@odata.editLink'] ?? record['@odata.id'], record['@odata.etag']];
  if (typeof url !== 'string' || url === '') return undefined;
  return { url, etag: typeof etag === 'string' && etag !== '' ? etag : undefined };
}

/** `code: message` of `{error: {code, message}}`; in v2 the message is `{lang, value}`. */
export function errorOf(value: unknown): string | undefined {
  const error = recordOf(value).error;
  if (error === undefined || error === null) return undefined;
  const { code, message } = recordOf(error);
  const said = typeof message === 'string' ? message : recordOf(message).value;
  return [code, said].filter((part) => typeof part === 'string' && part !== '').join(': ') || 'an error without words';
}

export function faultOf(answer: HttpAnswer): Fault | undefined {
  const { status, headers, value } = answer;
  // SAP: the token of a session that has ended. Nothing was done; it is fetched anew.
  if (status === 403 && String(headers['x-csrf-token'] ?? '').toLowerCase() === 'required')
    return { class: 'signed_out', message: 'the CSRF token is not taken any more' };
  const said = errorOf(value);
  if (said === undefined) return undefined;
  // A server that fails while it streams has said 200 already.
  if (status >= 200 && status < 300) return { class: 'in_doubt', message: said };
  // HTTP says the rest; 4xx for its content gets the words that only OData has.
  const isContent = [400, 409, 412, 422, 428].includes(status);
  return isContent ? { class: 'refused', message: said } : undefined;
}

export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** The headers that tell a server which version is spoken, and v4 to write decimals as texts. */
export function headersOf(version: Version, exactNumbers: boolean): Record<string, string> {
  if (version === '2') return { dataserviceversion: '2.0', maxdataserviceversion: '2.0', accept: 'application/json' };
  const accept = exactNumbers ? 'application/json;IEEE754Compatible=true' : 'application/json';
  return { 'odata-version': '4.0', 'odata-maxversion': '4.0', accept };
}

export function jsonType(version: Version, exactNumbers: boolean): string {
  return version === '4' && exactNumbers ? 'application/json;IEEE754Compatible=true' : 'application/json';
}
