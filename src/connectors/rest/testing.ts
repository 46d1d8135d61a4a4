/** For tests: a system of orders that answers by each kind of paging, and changes while it is read. */
import type { FakeAnswer, FakeCall } from '../kit/testing.ts';
import type { FeedSettings, RestSettings } from './settings.ts';

export interface Row {
  id: number;
  changed: string;
}

export const rowsOf = (from: number, to: number): Row[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ id: from + index, changed: timeOf(from + index) }));

/** A second apart each. */
export function timeOf(second: number): string {
  return new Date(Date.UTC(2026, 2, 1) + second * 1000).toISOString();
}

export const map: FeedSettings['map'] = {
  fields: {
    id: { from: '/id', as: 'text' },
    movement: { value: 'adjusted' },
    sku: { value: 'A' },
    location: { value: 'L' },
    quantity: { value: 1 },
    reference: { from: '/id', as: 'text' },
    at: { from: '/changed', as: 'time' },
  },
};

export function feedOf(paging: FeedSettings['paging'], query: Record<string, string>): RestSettings {
  return {
    feeds: { things: { kind: 'movement', path: '/things', query, list: '/value', paging, pageMax: 3, map } },
    probe: { path: '/things' },
  };
}

/** `act` runs before each call, with its number from 1: that is when a page shifts. */
export function pagedServer(
  rows: { list: Row[] },
  act: (call: number) => void = () => {},
): (call: FakeCall) => FakeAnswer {
  let calls = 0;
  return ({ query, path }) => {
    calls += 1;
    act(calls);
    const limit = Number(query.limit ?? 3);
    const since = query.since ?? '';
    const list = rows.list.filter((row) => row.changed >= since);
    const offset =
      query.page !== undefined ? (Number(query.page) - 1) * limit : Number(query.offset ?? query.token ?? 0);
    const value = list.slice(offset, offset + limit);
    const end = offset + value.length;
    const isMore = end < list.length;
    return {
      json: { value, next: isMore ? String(end) : null },
      headers: {
        link: `<${path}>; rel="first"${isMore ? `, <${path}?limit=${limit}&offset=${end}>; rel="next"` : ''}`,
      },
    };
  };
}
