/** What the system of `conformance.ts` says of orders after they were placed: changes, cancels, returns, what inspection found. */
import type { FeedDescription } from '../kit/conformance/index.ts';
import type { Entry } from './conformance-tables.ts';
import type { RestSettings } from './settings.ts';

type Feeds = NonNullable<RestSettings['feeds']>;
type Kind = Feeds[string]['kind'];

const at = '2026-03-02T10:00:00Z';
const moment = { from: '/when', as: 'time' } as const;
const lineNo = { from: '/pos', as: 'integer' } as const;
const units = (from: string) => ({ from, as: 'quantity', optional: true }) as const;

/** Their feeds as the estate declares them, by page number. */
export function laterFeeds(pageMax: number): Feeds {
  const feed = (kind: Kind, path: string, map: Feeds[string]['map']): Feeds[string] => ({
    ...{ kind, path, list: '/items', pageMax, query: { page: '{page}', size: '{limit}', since: '{since}' } },
    paging: { kind: 'page', id: '/id', more: '/hasMore', change: { at: '/changed', overlapMs: 120_000 } },
    map,
  });
  return {
    changes: feed('change', '/changes', {
      fields: {
        ...{ order: '/no', reference: '/id', at: moment, number: { from: '/revision', as: 'integer' } },
        whole: { from: '/all', as: 'any', optional: true },
      },
      lists: {
        lines: {
          from: '/rows',
          fields: {
            lineNo: { ...lineNo, optional: true },
            sku: { from: '/item', as: 'sku', optional: true },
            quantity: { from: '/n', unit: '/uom', as: 'quantity' },
            unitPrice: { from: '/net', as: 'decimal', optional: true },
          },
        },
      },
      units: { PCE: '1', DZN: '12' },
    }),
    withdrawals: feed('order_cancel', '/withdrawals', { fields: { order: '/no', reference: '/id', at: moment } }),
    returns: feed('return', '/returns', {
      fields: { order: '/no', reference: '/id', at: moment, reason: { from: '/why', optional: true } },
      lists: { lines: { from: '/rows', fields: { lineNo, quantity: { from: '/n', as: 'quantity' } } } },
    }),
    inspections: feed('inspected', '/inspections', {
      fields: { id: '/id', reference: '/rma', at: moment, by: '/who', reason: { from: '/why', optional: true } },
      lists: {
        lines: {
          from: '/rows',
          fields: { lineNo, restock: units('/good'), scrap: units('/bad'), quarantine: units('/unsure') },
        },
      },
    }),
  };
}

export const laterPaths = {
  changes: '/changes',
  withdrawals: '/withdrawals',
  returns: '/returns',
  inspections: '/inspections',
};

const idOf = (letter: string, n: number) => `${letter}${String(n).padStart(6, '0')}`;

function change(n: number, changed: string, more: Entry = {}): Entry {
  return {
    ...{ id: idOf('c', n), changed, no: '536365', when: at, revision: 3, all: false },
    rows: [
      { pos: 1, n: '2', uom: 'DZN' },
      { item: '71053', n: '1', uom: 'PCE', net: '3.39' },
    ],
    ...more,
  };
}

function back(n: number, changed: string, more: Entry = {}): Entry {
  return { id: idOf('r', n), changed, no: '536365', when: at, why: 'damaged', rows: [{ pos: 1, n: '2' }], ...more };
}

function inspection(n: number, changed: string, more: Entry = {}): Entry {
  return {
    ...{ id: idOf('i', n), changed, rma: 'R12', when: at, who: 'jane', why: null },
    rows: [{ pos: 1, good: '1', bad: '1', unsure: null }],
    ...more,
  };
}

export function laterDescriptions(pageMax: number): Record<keyof typeof laterPaths, FeedDescription> {
  const place = { pageMax, placeFields: ['id', 'changed'] };
  const withdrawal = (n: number, changed: string) => ({ id: idOf('w', n), changed, no: '536365', when: at });
  return {
    changes: {
      ...{ ...place, record: (n: number, changed: string) => change(n, changed) },
      broken: (changed, seq) => [
        change(seq, changed, { rows: [] }),
        change(seq, changed, { when: '2026-02-30T10:00:00Z' }),
        change(seq, changed, { rows: [{ pos: 1, n: '1.5', uom: 'PCE' }] }),
        change(seq, changed, { rows: [{ pos: 1, n: '1', uom: 'a unit that nobody mapped' }] }),
        change(seq, changed, { rows: [1, 1].map((pos) => ({ pos, n: '1', uom: 'PCE' })) }),
      ],
    },
    withdrawals: {
      ...{ ...place, record: withdrawal },
      broken: (changed, seq) => [{ ...withdrawal(seq, changed), no: null }],
    },
    returns: {
      ...{ ...place, record: (n: number, changed: string) => back(n, changed) },
      broken: (changed, seq) => [
        back(seq, changed, { rows: [] }),
        back(seq, changed, { rows: [{ pos: 1, n: '0' }] }),
        back(seq, changed, { rows: [{ pos: 'one', n: '1' }] }),
      ],
    },
    inspections: {
      ...{ ...place, record: (n: number, changed: string) => inspection(n, changed) },
      broken: (changed, seq) => [
        inspection(seq, changed, { who: null }),
        inspection(seq, changed, { rows: [{ pos: 1, good: '-1' }] }),
        inspection(seq, changed, { rows: null }),
      ],
    },
  };
}
