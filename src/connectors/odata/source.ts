/** Feeds of entity sets: by (time, id), by what the system says changed, or by its pages alone. */
import { CrossdockError, fail } from '../../canonical/index.ts';
import {
  type ConnectorContext,
  changeTime,
  keysetPages,
  keysetSource,
  nameIn,
  type Page,
  pagedSource,
  type Source,
  writtenTime,
} from '../kit/index.ts';
import { feedMap } from './map.ts';
import { type Listed, listed, literal, ownPath, recordOf, type Version } from './protocol.ts';
import type { Service } from './service.ts';
import type { FeedSettings, LiteralType } from './settings.ts';

const PROPERTY = /^[A-Za-z_][\w/]*$/;
/** Links that the system does not know any more: the pass begins again. */
const GONE = new Set([400, 404, 410]);

export function feedSource(service: Service, context: ConnectorContext, feed: string, settings: FeedSettings): Source {
  const at = `systems.${context.system}.settings.feeds.${feed}`;
  const { client, version } = service;
  const { paging, pageMax } = settings;
  for (const name of [paging.id, 'at' in paging ? paging.at : undefined])
    if (name !== undefined && !PROPERTY.test(name))
      fail('XD_ESTATE_INVALID', `${at}.paging: ${JSON.stringify(name)} is no property`, { place: `${at}.paging` });
  const { map, rowsOf } = feedMap(settings, context, version, at);

  type Got = Listed & { body: Buffer; contentType: string; path: string };
  async function get(path: string, signal: AbortSignal, headers: Readonly<Record<string, string>> = {}): Promise<Got> {
    const asked = await client.ask({ method: 'GET', path, headers: { ...service.headers, ...headers } }, signal);
    const page = listed(asked.value, version);
    if (page === undefined) return client.malformed('GET', path, 'no list of entities');
    return { ...page, body: asked.body, contentType: asked.contentType, path };
  }

  function pathOf(filter: string | undefined, orderBy: string | undefined, top: number | undefined): string {
    const filters = [settings.filter, filter].filter((one) => one !== undefined && one !== '').map((one) => `(${one})`);
    return service.pathOf(settings.set, {
      ...(filters.length > 0 && { $filter: filters.join(' and ') }),
      ...(orderBy && { $orderby: orderBy }),
      ...(top && { $top: String(top) }),
      ...(settings.select && { $select: settings.select.join(',') }),
      ...(settings.expand && { $expand: settings.expand.join(',') }),
    });
  }

  if (paging.kind === 'keyset') {
    const { atType = 'datetimeoffset', idType = 'string', ties = 'id', overlapMs } = paging;
    const isNumeric = idType === 'number';
    return keysetSource({
      feed,
      pageMax,
      overlapMs,
      map,
      rowsOf,
      read: keysetPages({
        pageMax,
        ties,
        placeOf(raw) {
          const record = recordOf(raw);
          const [time, id] = [changeTime(record[paging.at]), nameIn(record[paging.id], isNumeric)];
          return time === undefined || id === undefined ? undefined : { at: time, id };
        },
        async ask(after, size, signal) {
          const filter =
            after === undefined
              ? undefined
              : beyond(paging.at, literalTime(after.at, atType, version), () => {
                  if (ties === 'time' || after.id === '') return undefined;
                  const id = isNumeric ? after.id.replace(/^0+(?=.)/, '') : after.id;
                  return `${paging.id} gt ${literal(id, idType, version)}`;
                });
          const page = await get(pathOf(filter, `${paging.at},${paging.id}`, size), signal);
          // A server may page below what was asked for: the rest of this question follows its links.
          const records = [...page.records];
          let { next, path } = page;
          let isWhole = true;
          while (next !== null && records.length < size) {
            path = ownPath(context.url, path, next);
            const more = await get(path, signal);
            if (more.next === next) client.malformed('GET', path, 'the next link leads to itself');
            records.push(...more.records);
            next = more.next;
            isWhole = false;
          }
          // Kept as one page: what was put together is written as the system writes one.
          const body = isWhole
            ? page.body
            : Buffer.from(JSON.stringify(version === '2' ? { d: { results: records } } : { value: records }));
          return { body, contentType: page.contentType, records };
        },
      }),
    });
  }

  const isDelta = paging.kind === 'delta';
  const change = paging.kind === 'pages' && paging.at !== undefined ? { ...paging, at: paging.at } : undefined;
  return pagedSource({
    feed,
    first: '',
    overlap: 0,
    recheck: !isDelta,
    map,
    rowsOf,
    idOf: (raw) => nameIn(recordOf(raw)[paging.id], false),
    ...(change && {
      change: { timeOf: (raw) => changeTime(recordOf(raw)[change.at]), overlapMs: change.overlapMs ?? 0 },
    }),
    async read(where, since, signal): Promise<Page | 'restart'> {
      const { atType = 'datetimeoffset' } = change ?? {};
      const filter =
        since === undefined || change === undefined
          ? undefined
          : `${change.at} ge ${literalTime(since, atType, version)}`;
      const orderBy = change === undefined ? (isDelta ? undefined : paging.id) : `${change.at},${paging.id}`;
      const path = where === '' ? pathOf(filter, orderBy, undefined) : where;
      const prefer = isDelta ? `odata.track-changes,odata.maxpagesize=${pageMax}` : `odata.maxpagesize=${pageMax}`;
      try {
        const page = await get(path, signal, version === '4' ? { prefer } : {});
        const { records, next, changes, body, contentType } = page;
        return {
          ...{ records, body, contentType },
          next: next === null ? null : ownPath(context.url, path, next),
          ...(isDelta && changes !== undefined && { changes: ownPath(context.url, path, changes) }),
        };
      } catch (error) {
        const status = error instanceof CrossdockError ? error.details.status : undefined;
        if (where !== '' && typeof status === 'number' && GONE.has(status)) return 'restart';
        throw error;
      }
    },
  });
}

function beyond(property: string, time: string, idBeyond: () => string | undefined): string {
  const id = idBeyond();
  return id === undefined ? `${property} ge ${time}` : `${property} gt ${time} or (${property} eq ${time} and ${id})`;
}

function literalTime(at: string, type: LiteralType, version: Version): string {
  return literal(writtenTime(at, 'exact'), type, version);
}
