/** Calls as the estate declares them: paths from templates, what says who we are, bodies from maps, lookups by key. */
import { CrossdockError, fail } from '../../canonical/index.ts';
import {
  expressionOf,
  type HttpClient,
  type Mapping,
  type MapSettings,
  type Method,
  mappingOf,
  pointed,
  Unreadable,
} from '../kit/index.ts';
import type { LookupSettings, WriteSettings } from './settings.ts';
import { checkTemplate, isMore, isStatus, pathOf, selectOf, type Variables } from './values.ts';

export interface Wire {
  client: HttpClient;
  /** Of every call. */
  headers: Readonly<Record<string, string>>;
  /** Parameters of every call. */
  query: Readonly<Record<string, string>>;
}

const LOOKUP_PAGE_MAX = 100;

/** Gives a body, or why there can be none: nothing is sent then. */
export type BodyOf = (input: unknown) => { ok: true; body: unknown } | { ok: false; reason: string };

export function bodyOf(settings: WriteSettings['body'], at: string): BodyOf {
  if (settings === undefined) return () => ({ ok: true, body: undefined });
  if ('jsonata' in settings) {
    const expression = expressionOf(settings.jsonata, `${at}.jsonata`);
    return (input) => {
      const made = expression.evaluate(input);
      if (!made.ok) return { ok: false, reason: `${at}: the expression ${made.reason}` };
      return made.value === undefined
        ? { ok: false, reason: `${at}: the expression gives nothing` }
        : { ok: true, body: made.value };
    };
  }
  const mapping = mappingOf(settings, at);
  return (input) => {
    const made = mapped(mapping, input);
    return made.ok ? { ok: true, body: nested(made.value) } : { ok: false, reason: `${at}: ${made.reason}` };
  };
}

export function mapped(
  mapping: Mapping,
  input: unknown,
): { ok: true; value: Record<string, unknown> } | { ok: false; reason: string } {
  try {
    return { ok: true, value: mapping.map(input, '') };
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, reason: error.message };
    throw error;
  }
}

/** Names that are pointers stand deeper: `/order/buyer` → `{order: {buyer}}`. */
export function nested(flat: unknown): unknown {
  if (Array.isArray(flat)) return flat.map(nested);
  if (typeof flat !== 'object' || flat === null) return flat;
  const made: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(flat)) {
    const parts = name.startsWith('/') ? name.slice(1).split('/') : [name];
    let at = made;
    for (const part of parts.slice(0, -1)) {
      at[part] ??= Object.create(null);
      at = at[part] as Record<string, unknown>;
    }
    at[parts.at(-1)!] = nested(value);
  }
  return made;
}

export function answerMapping(settings: MapSettings | undefined, at: string): Mapping | undefined {
  return settings === undefined ? undefined : mappingOf(settings, at);
}

/** What is there under these keys; a key may be there more than once. */
export type LookUp = (keys: readonly string[], signal: AbortSignal) => Promise<Map<string, unknown[]>>;

/** "Not found" is said only by a whole, well-formed answer, or by a status that was declared to say it. */
export function lookUpOf(wire: Wire, settings: LookupSettings, at: string): LookUp {
  const templates = [settings.path, ...Object.values(settings.query ?? {})];
  for (const template of templates) checkTemplate(template, ['key', 'keys'], at);
  const list = selectOf(settings.list, `${at}.list`);
  const body = settings.body === undefined ? undefined : expressionOf(settings.body.jsonata, `${at}.body.jsonata`);
  const more = settings.more === undefined ? undefined : selectOf(settings.more, `${at}.more`);
  const isSingle = templates.some((template) => template.includes('{key}'));
  if (!isSingle && body === undefined && !templates.some((template) => template.includes('{keys}')))
    fail('XD_ESTATE_INVALID', `${at} needs {key} or {keys}: else it asks for everything`, { place: at });
  const size = isSingle ? 1 : Math.min(settings.itemsMax ?? LOOKUP_PAGE_MAX, LOOKUP_PAGE_MAX * 10);
  const { method = body === undefined ? 'GET' : 'POST' } = settings;

  async function ask(keys: readonly string[], signal: AbortSignal): Promise<unknown[]> {
    const variables: Variables = { key: keys[0]!, keys: keys.join(',') };
    const path = pathOf(settings.path, { ...settings.query, ...wire.query }, variables);
    let json: unknown;
    if (body !== undefined) {
      const made = body.evaluate({ key: keys[0], keys });
      if (!made.ok) fail('XD_CONNECTOR_MALFORMED', `${at}.body: the expression ${made.reason}`);
      json = made.value;
    }
    try {
      const { value } = await wire.client.ask(
        { method, path, headers: wire.headers, ...(json !== undefined && { json }) },
        signal,
      );
      // What lies on another page would be taken for not there, and written once more.
      if (more !== undefined && isMore(more(value)))
        wire.client.malformed(method, settings.path, 'a lookup whose answer goes on: ask for fewer at a time');
      const found = list(value);
      if (Array.isArray(found)) return found as unknown[];
      // The one itself, or what an expression gives of an empty list.
      if (typeof found === 'object' && found !== null) return [found];
      if (found === undefined && typeof settings.list === 'object') return [];
      return wire.client.malformed(method, settings.path, 'what was asked for is no list');
    } catch (error) {
      const status = error instanceof CrossdockError ? error.details.status : undefined;
      if (typeof status === 'number' && isStatus(status, settings.notFound)) return [];
      throw error;
    }
  }

  return async (keys, signal) => {
    const found = new Map<string, unknown[]>();
    const distinct = [...new Set(keys)];
    for (let from = 0; from < distinct.length; from += size) {
      const asked = distinct.slice(from, from + size);
      for (const raw of await ask(asked, signal)) {
        const value = pointed(raw, settings.key);
        const key = typeof value === 'number' || typeof value === 'string' ? String(value) : undefined;
        if (key === undefined)
          wire.client.malformed(method, settings.path, `something found has no key at ${settings.key}`);
        // Searches find more than they were asked for: by prefix, by any case. Only the very key counts.
        if (!asked.includes(key)) continue;
        found.set(key, [...(found.get(key) ?? []), raw]);
      }
    }
    return found;
  };
}

export function methodOf(settings: WriteSettings): Method {
  return (settings.method ?? 'POST') as Method;
}
