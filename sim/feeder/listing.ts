/**
 * People don't buy in a shop that lists nothing. Before the first order the feeder looks at what shop and marketplace
 * list, and waits until everything in stock is listed or the lists have stopped growing.
 */
import type { Caller } from './caller.ts';

const LOOK_MS = 250;
const STANDSTILL_MS_MAX = 4_000;
const NOTHING_MS_MAX = 20_000;
const PAGE_MAX = 2000;

/** @param expected SKUs with opening stock */
export async function waitForListings(caller: Caller, urls: readonly string[], expected: number): Promise<void> {
  await Promise.all(urls.map((url) => waitForListing(caller, url, expected)));
}

async function waitForListing(caller: Caller, url: string, expected: number): Promise<void> {
  let listed = 0;
  let changedAtMs = Date.now();
  for (;;) {
    const now = await countListed(caller, url);
    if (now >= expected) return;
    if (now !== listed) {
      listed = now;
      changedAtMs = Date.now();
    }
    if (Date.now() - changedAtMs > (listed === 0 ? NOTHING_MS_MAX : STANDSTILL_MS_MAX)) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function countListed(caller: Caller, url: string): Promise<number> {
  let count = 0;
  let after = '';
  for (;;) {
    const query = `kind=numbers&limit=${PAGE_MAX}${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`;
    const { body } = await caller.get(`${url}/_control/truth?${query}`);
    const page = body as { records?: { available?: number }[]; next?: string | null; more?: boolean };
    count += page.records?.filter((record) => (record.available ?? 0) > 0).length ?? 0;
    if (page.more !== true || page.next === null || page.next === undefined) return count;
    after = String(page.next);
  }
}
