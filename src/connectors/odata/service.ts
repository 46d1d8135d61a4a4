/** One service root: what each call carries, questions, single writes and batches. */
import { randomUUID } from 'node:crypto';
import { fail } from '../../canonical/index.ts';
import type { Auth, HttpAnswer, HttpClient, HttpRequest, Outcome, WriteAnswer } from '../kit/index.ts';
import { jsonAnswers, jsonBatch, multipartAnswers, multipartBatch, type Part, type PartAnswer } from './batch.ts';
import {
  type Address,
  entityOf,
  errorOf,
  jsonType,
  type Listed,
  listed,
  literal,
  ownPath,
  recordOf,
  type Version,
} from './protocol.ts';
import type { LiteralType, OdataSettings } from './settings.ts';

export interface Service {
  client: HttpClient;
  version: Version;
  url: string;
  headers: Readonly<Record<string, string>>;
  settings: OdataSettings;
  /** Parameters of every call. */
  query: Readonly<Record<string, string>>;
  pathOf(set: string, options: Readonly<Record<string, string>>): string;
}

export type Written = Outcome | { outcome: 'conflict' };
/** A write and what names what it writes, in the entity that is answered; or what it is refused with before it is sent. */
export type Prepared = { part: Part; about: { property: string; value: string } } | { refused: string };
type Sent = Extract<Prepared, { part: Part }>;

/** Keys of one question: so many that an URL stays below what servers and proxies take. */
const LOOKUP_KEYS_MAX = 20;
const LOOKUP_PAGES_MAX = 50;
const ERROR_CHARS_MAX = 200;

/** How many writes go at once. */
export function batchMaxOfService({ batch }: OdataSettings): number {
  return batch?.itemsMax ?? 1;
}

/** What is there under these keys; a list that goes on is read to its end, since "not found" leads to another write. */
export async function lookUp(
  service: Service,
  {
    set,
    property,
    type = 'string',
    filter,
  }: { set: string; property: string; type?: LiteralType; filter?: string | undefined },
  keys: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, unknown[]>> {
  const { client, version } = service;
  const found = new Map<string, unknown[]>();
  const distinct = [...new Set(keys)];
  for (let from = 0; from < distinct.length; from += LOOKUP_KEYS_MAX) {
    const asked = distinct.slice(from, from + LOOKUP_KEYS_MAX);
    const any = asked.map((key) => `${property} eq ${literal(key, type, version)}`).join(' or ');
    let path = service.pathOf(set, { $filter: filter === undefined ? any : `(${filter}) and (${any})` });
    for (let pages = 0; ; pages += 1) {
      const { value } = await client.ask({ method: 'GET', path, headers: service.headers }, signal);
      const page: Listed | undefined = listed(value, version);
      if (page === undefined) return client.malformed('GET', path, 'no list of entities');
      for (const entity of page.records) {
        const key = recordOf(entity)[property];
        // Servers compare texts by their own rules: any case, without blanks. Only the very key counts.
        if (typeof key === 'string' && asked.includes(key)) found.set(key, [...(found.get(key) ?? []), entity]);
      }
      if (page.next === null) break;
      if (pages === LOOKUP_PAGES_MAX) client.malformed('GET', path, 'a lookup without an end');
      path = ownPath(service.url, path, page.next);
    }
  }
  return found;
}

/** An entity's own path below the service root. One that leads elsewhere is never written to. */
export function pathOfEntity(service: Service, address: Address): string {
  return ownPath(service.url, '/', address.url);
}

/** Writes and says what became of each, one after the other or in batches. */
export async function writeAll(
  service: Service,
  prepared: readonly Prepared[],
  signal: AbortSignal,
): Promise<Written[]> {
  const told: Written[] = new Array<Written>(prepared.length);
  const open: { index: number; sent: Sent }[] = [];
  for (const [index, one] of prepared.entries()) {
    if ('refused' in one) told[index] = { outcome: 'refused', error: one.refused.slice(0, ERROR_CHARS_MAX) };
    else open.push({ index, sent: one });
  }
  const { batch } = service.settings;
  if (batch === undefined || open.length === 1)
    for (const { index, sent } of open) told[index] = await writeOne(service, sent, signal);
  else
    for (let from = 0; from < open.length; from += batch.itemsMax) {
      const some = open.slice(from, from + batch.itemsMax);
      const answers = await writeBatch(
        service,
        batch.form,
        some.map(({ sent }) => sent),
        signal,
      );
      for (const [place, { index }] of some.entries()) told[index] = answers[place]!;
    }
  return told;
}

async function writeOne(service: Service, sent: Sent, signal: AbortSignal): Promise<Written> {
  const { method, url, headers, body } = sent.part;
  const raw = { body: JSON.stringify(body), contentType: typeOf(service) };
  const path = service.pathOf(url, {});
  const request = { method, path, raw, headers: { ...service.headers, ...headers }, answers: 'any' } as HttpRequest;
  const answer = await service.client.send(request, signal);
  if (!answer.answered) return ofWhole(answer);
  if (answer.value === undefined && answer.body.length > 0)
    return { outcome: 'in_doubt', error: `${url} answered ${answer.status}, not JSON` };
  return done(sent, answer.status, entityOf(answer.value, service.version));
}

/** With content it is the entity that was written; without, 204 says that there is none. Every other answer is about something else. */
function done({ part, about }: Sent, status: number, entity: unknown): Written {
  if (status === 204) return { outcome: 'confirmed', answer: null };
  if (recordOf(entity)[about.property] === about.value) return { outcome: 'confirmed', answer: entity };
  const error = `${part.url} answered ${status} and nothing that says that ${about.property} is ${about.value}`;
  return { outcome: 'in_doubt', error: error.slice(0, ERROR_CHARS_MAX) };
}

function ofWhole(answer: Extract<WriteAnswer, { answered: false }>): Written {
  return answer.outcome.outcome === 'refused' && answer.status === 412 ? { outcome: 'conflict' } : answer.outcome;
}

async function writeBatch(
  service: Service,
  form: 'json' | 'multipart',
  parts: readonly Sent[],
  signal: AbortSignal,
): Promise<Written[]> {
  const { client, version } = service;
  const contentType = { 'content-type': typeOf(service) };
  const whole = parts.map(({ part }) => ({
    ...part,
    headers: { accept: 'application/json', ...contentType, ...part.headers },
  }));
  const path = service.pathOf('$batch', {});
  // Else a server stops at the first write that it refuses.
  const headers = { ...service.headers, ...(version === '4' && { prefer: 'odata.continue-on-error' }) };
  const boundary = `batch_${randomUUID()}`;
  const sent = await client.send(
    form === 'json'
      ? { method: 'POST', path, headers, json: jsonBatch(whole) }
      : {
          ...{ method: 'POST', path, answers: 'any' },
          headers: { ...headers, accept: 'multipart/mixed' },
          raw: { body: multipartBatch(whole, boundary), contentType: `multipart/mixed; boundary=${boundary}` },
        },
    signal,
  );
  // Refused as a whole, e.g. for its size: each alone tells which is to blame.
  if (!sent.answered && sent.itemsToBlame && parts.length > 1) {
    const half = Math.ceil(parts.length / 2);
    const first = await writeBatch(service, form, parts.slice(0, half), signal);
    return [...first, ...(await writeBatch(service, form, parts.slice(half), signal))];
  }
  if (!sent.answered) return parts.map(() => ofWhole(sent));
  const answers =
    form === 'json'
      ? jsonAnswers(sent.value, parts.length)
      : multipartAnswers(sent.body, String(sent.headers['content-type'] ?? ''), parts.length);
  return answers.map((answer, index) => ofPart(parts[index]!, answer, version));
}

function ofPart(sent: Sent, answer: PartAnswer | undefined, version: Version): Written {
  if (answer === undefined) return { outcome: 'in_doubt', error: '$batch says nothing of this write' };
  const { status, value } = answer;
  const error = `$batch: ${status} ${errorOf(value) ?? ''}`
    .toWellFormed()
    .replaceAll('\0', '')
    .trim()
    .slice(0, ERROR_CHARS_MAX);
  if (status >= 200 && status < 300) return done(sent, status, entityOf(value, version));
  if (status === 412) return { outcome: 'conflict' };
  // 424: not tried, because another one failed.
  if (status === 429 || status === 424) return { outcome: 'later', error };
  return status >= 400 && status < 500 && status !== 408
    ? { outcome: 'refused', error }
    : { outcome: 'in_doubt', error };
}

function typeOf({ version, settings }: Service): string {
  return jsonType(version, settings.exactNumbers !== false);
}

/**
 * SAP's gateways take a write only with a token that was fetched in the same session: the token goes with the cookies that came with it.
 * It ends with the session; a refusal asks for another one and had no effect.
 */
export function withCsrf(auth: Auth | undefined, token: string | null, path: string): Auth {
  return {
    async signIn(send) {
      const who =
        auth === undefined ? (token === null ? {} : { authorization: `Bearer ${token}` }) : await auth.signIn(send);
      const answer: HttpAnswer = await send({
        method: 'GET',
        path,
        headers: { ...who, 'x-csrf-token': 'Fetch' },
        answers: 'any',
      });
      const fetched = answer.headers['x-csrf-token'];
      const cookies = [answer.headers['set-cookie'] ?? []].flat().map((cookie) => cookie.split(';')[0]!);
      // Declared is that there is one: without it each write would be sent in vain, and what answered may be no gateway at all.
      if (typeof fetched !== 'string')
        fail('XD_CONNECTOR_MALFORMED', `GET ${path} gave no CSRF token, with status ${answer.status}`);
      return { ...who, 'x-csrf-token': fetched, ...(cookies.length > 0 && { cookie: cookies.join('; ') }) };
    },
    ...(auth?.isOver && { isOver: () => auth.isOver!() }),
  };
}
