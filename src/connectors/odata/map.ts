/** From a page to items, and from ours to entities, as the settings declare it. Pure. */
import type { InboundItem } from '../../canonical/index.ts';
import {
  type ConnectorContext,
  expressionOf,
  type MapSettings,
  mappedItems,
  mappingOf,
  Unreadable,
} from '../kit/index.ts';
import { listed, type Version } from './protocol.ts';
import type { FeedSettings } from './settings.ts';

/** @throws XD_ESTATE_INVALID naming the setting below `at` */
export function feedMap(
  { kind, map: declared }: Pick<FeedSettings, 'kind' | 'map'>,
  { system, channel }: Pick<ConnectorContext, 'system' | 'channel'>,
  version: Version,
  at: string,
) {
  const mapping = mappingOf(declared, `${at}.map`);
  const place = version === '2' ? '/d/results' : '/value';
  return {
    map: (records: readonly unknown[]): InboundItem[] =>
      mappedItems({ kind, mapping, system, channel }, records, place),
    rowsOf: (body: Buffer): unknown[] => listed(JSON.parse(body.toString('utf8')), version)?.records ?? [],
  };
}

export type Made = { ok: true; value: Record<string, unknown> } | { ok: false; reason: string };
export type Make = (input: unknown) => Made;

export function makeOf(settings: MapSettings | { jsonata: string }, at: string): Make {
  if ('jsonata' in settings) {
    const expression = expressionOf(settings.jsonata, `${at}.jsonata`);
    return (input) => {
      const made = expression.evaluate(input);
      if (!made.ok) return { ok: false, reason: `${at}: the expression ${made.reason}` };
      if (typeof made.value !== 'object' || made.value === null || Array.isArray(made.value))
        return { ok: false, reason: `${at}: the expression gives no entity` };
      return { ok: true, value: made.value as Record<string, unknown> };
    };
  }
  const mapping = mappingOf(settings, at);
  return (input) => {
    try {
      return { ok: true, value: mapping.map(input, '') };
    } catch (error) {
      if (error instanceof Unreadable) return { ok: false, reason: `${at}: ${error.message}` };
      throw error;
    }
  };
}
