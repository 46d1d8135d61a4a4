/** A system's own truth, page by page, so that a year of it never has to be held at once. */
import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 5;
const TRUTH_PAGE = 400;
const EVENTS_PAGE = 500;

async function get<T>(url: string): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      const response = await fetch(url);
      if (!response.ok) throw new Error(`${url} answered ${response.status}`);
      return (await response.json()) as T;
    } catch (error) {
      if (tries === TRIES) throw new Error(`could not read ${url}`, { cause: error });
      await sleep(100 * tries);
    }
  }
}

interface Page<T> {
  records: T[];
  next: string | number | null;
  more: boolean;
}

/** Records of one kind in key order. @throws when the order is not kept: a page was lost or given twice */
export async function* truth<T extends { key: string }>(url: string, kind: string): AsyncGenerator<T> {
  let after: string | undefined;
  for (;;) {
    const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
    const page = await get<Page<T>>(`${url}/_control/truth?kind=${kind}&limit=${TRUTH_PAGE}${query}`);
    for (const record of page.records) {
      if (after !== undefined && record.key <= after) throw new Error(`${url} ${kind}: ${record.key} after ${after}`);
      after = record.key;
      yield record;
    }
    if (!page.more) return;
  }
}

/** The whole feed of a system, from its first record. @throws when a record is skipped or comes twice */
export async function* feed<T extends { seq: number }>(url: string): AsyncGenerator<T> {
  let after = 0;
  for (;;) {
    const page = await get<Page<T>>(`${url}/_control/events?after=${after}&limit=${EVENTS_PAGE}`);
    for (const record of page.records) {
      if (record.seq !== after + 1) throw new Error(`${url}: event ${record.seq} after ${after}`);
      after = record.seq;
      yield record;
    }
    if (!page.more) return;
  }
}

export function stats(url: string): Promise<Record<string, unknown>> {
  return get(`${url}/_control/stats`);
}
