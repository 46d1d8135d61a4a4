/** From a page to items, as the feed's settings declare it. Pure: no transport, no state. */
import type { InboundItem } from '../../canonical/index.ts';
import { type ConnectorContext, mappedItems, mappingOf } from '../kit/index.ts';
import type { FeedSettings } from './settings.ts';
import { selectOf } from './values.ts';

export interface FeedMap {
  map(records: readonly unknown[]): InboundItem[];
  /** The records of an answer; undefined: it is not what was declared. */
  recordsOf(value: unknown): unknown[] | undefined;
  /** Those of bytes that were read already. */
  rowsOf(body: Buffer): unknown[];
}

/** @throws XD_ESTATE_INVALID naming the setting below `at` */
export function feedMap(
  { kind, list, map: declared }: Pick<FeedSettings, 'kind' | 'list' | 'map'>,
  { system, channel }: Pick<ConnectorContext, 'system' | 'channel'>,
  at: string,
): FeedMap {
  const select = selectOf(list, `${at}.list`);
  const mapping = mappingOf(declared, `${at}.map`);
  const place = typeof list === 'string' ? list : '';
  const recordsOf = (value: unknown): unknown[] | undefined => {
    const found = select(value);
    if (Array.isArray(found)) return found;
    // JSONata gives nothing for an empty list and the one for a list of one.
    if (typeof list === 'object') return found == null ? [] : [found];
    return undefined;
  };
  return {
    map: (records) => mappedItems({ kind, mapping, system, channel }, records, place),
    recordsOf,
    rowsOf: (body) => recordsOf(JSON.parse(body.toString('utf8'))) ?? [],
  };
}
