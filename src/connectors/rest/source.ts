/** Feeds of a declared system: the request and the records of a page, and which kind of paging reads them. */
import { CrossdockError, fail } from '../../canonical/index.ts';
import {
  type ConnectorContext,
  changeTime,
  expressionOf,
  type HttpAnswer,
  keysetPages,
  keysetSource,
  nameIn,
  type Page,
  pagedSource,
  pathBelow,
  pointed,
  type Source,
  type Where,
  writtenTime,
} from '../kit/index.ts';
import { feedMap } from './map.ts';
import type { FeedSettings, Paging } from './settings.ts';
import { checkTemplate, isMore, isStatus, nextLink, pathOf, selectOf, type Variables } from './values.ts';
import type { Wire } from './wire.ts';

interface Answer {
  body: Buffer;
  contentType: string;
  value: unknown;
  headers: HttpAnswer['headers'];
  records: unknown[];
  path: string;
}

export function feedSource(wire: Wire, context: ConnectorContext, feed: string, settings: FeedSettings): Source {
  const { client } = wire;
  const at = `systems.${context.system}.settings.feeds.${feed}`;
  const { paging, query = {}, pageMax } = settings;
  const known = variablesOf(paging);
  for (const template of [settings.path, ...Object.values(query)]) checkTemplate(template, known, at);
  const { map, recordsOf, rowsOf } = feedMap(settings, context, at);
  const bodyExpression =
    settings.body === undefined ? undefined : expressionOf(settings.body.jsonata, `${at}.body.jsonata`);

  async function fetch(variables: Variables, signal: AbortSignal, link?: string): Promise<Answer> {
    // A link is whole; only what says who we are is not in it.
    const own = link ?? pathOf(settings.path, query, variables);
    const path = pathOf(own.replaceAll(/[{}]/g, encodeURIComponent), wire.query, {});
    const { method = 'GET' } = settings;
    const json = bodyExpression === undefined ? undefined : bodyOf(variables);
    const asked = await client.ask(
      { method, path, headers: wire.headers, ...(json !== undefined && { json }) },
      signal,
    );
    const records = recordsOf(asked.value);
    if (records === undefined)
      return client.malformed(
        method,
        path,
        `${typeof settings.list === 'string' && settings.list !== '' ? settings.list : 'the answer'} is not a list`,
      );
    return { ...asked, records, path: own };
  }

  function bodyOf(variables: Variables): unknown {
    const made = bodyExpression!.evaluate(variables);
    return made.ok ? made.value : fail('XD_CONNECTOR_MALFORMED', `${at}.body: the expression ${made.reason}`);
  }

  if (paging.kind === 'keyset') return byKeyset(paging);
  return byPages(paging);

  function byKeyset(keyset: Extract<Paging, { kind: 'keyset' }>): Source {
    const isNumeric = keyset.numericIds === true;
    return keysetSource({
      feed,
      pageMax,
      overlapMs: keyset.overlapMs,
      map,
      rowsOf,
      read: keysetPages({
        pageMax,
        ties: keyset.ties,
        placeOf(raw) {
          const [time, id] = [changeTime(pointed(raw, keyset.at)), nameIn(pointed(raw, keyset.id), isNumeric)];
          return time === undefined || id === undefined ? undefined : { at: time, id };
        },
        ask(after, size, signal) {
          const id = isNumeric ? (after?.id ?? '').replace(/^0+(?=.)/, '') : (after?.id ?? '');
          return fetch({ at: writtenTime(after?.at ?? '', keyset.form), id, limit: String(size) }, signal);
        },
      }),
    });
  }

  function byPages(by: Exclude<Paging, { kind: 'keyset' }>): Source {
    const { change } = by;
    const select = 'more' in by && by.more !== undefined ? selectOf(by.more, `${at}.paging.more`) : undefined;
    const next = 'next' in by && by.next !== undefined ? selectOf(by.next, `${at}.paging.next`) : undefined;
    const first = by.kind === 'page' ? String(by.first ?? 1) : by.kind === 'offset' ? '0' : '';
    return pagedSource({
      feed,
      map,
      rowsOf,
      idOf: (raw) => nameIn(pointed(raw, by.id), false),
      overlap: by.kind === 'offset' ? (by.overlap ?? 5) : 0,
      recheck: by.kind === 'page' || (by.kind === 'link' && by.recheck === true),
      ...(change && { change: { timeOf: (raw) => changeTime(pointed(raw, change.at)), overlapMs: change.overlapMs } }),
      first,
      async read(where: Where, since, signal): Promise<Page | 'restart'> {
        const variables = {
          since: writtenTime(since ?? '', change?.form),
          limit: String(pageMax),
          page: where,
          offset: where,
          token: where,
        };
        const link = by.kind === 'link' && where !== '' ? where : undefined;
        let answer: Answer;
        try {
          answer = await fetch(variables, signal, link);
        } catch (error) {
          const status = error instanceof CrossdockError ? error.details.status : undefined;
          if (typeof status !== 'number' || where === first || by.kind === 'link') throw error;
          // A token that has ended: what was read stays read, and the pass begins again.
          if (by.kind === 'token' && isStatus(status, by.over ?? [400, 404, 410])) return 'restart';
          if (by.kind !== 'token' && isStatus(status, by.over)) return { ...nothing, records: [], next: null };
          throw error;
        }
        const { body, contentType, records } = answer;
        return { body, contentType, records, next: nextOf(answer, where) };
      },
    });

    function nextOf(answer: Answer, where: Where): Where | null {
      const { value, headers, records, path } = answer;
      if (by.kind === 'link') {
        const link = next === undefined ? nextLink(headers.link) : next(value);
        return typeof link === 'string' && link !== '' ? pathBelow(context.url, path, link) : null;
      }
      if (by.kind === 'token') {
        const token = next!(value);
        return (typeof token === 'string' && token !== '') || typeof token === 'number' ? String(token) : null;
      }
      // Systems give fewer than they were asked for and have more: only an empty page is the end, or what says so.
      if (records.length === 0) return null;
      if (select !== undefined && !isMore(select(value))) return null;
      return String(by.kind === 'page' ? Number(where) + 1 : Number(where) + records.length);
    }
  }
}

const nothing = { body: Buffer.from('null'), contentType: 'application/json' };

function variablesOf({ kind }: Paging): string[] {
  if (kind === 'keyset') return ['at', 'id', 'limit'];
  return [...(kind === 'link' ? [] : [kind]), 'since', 'limit'];
}
