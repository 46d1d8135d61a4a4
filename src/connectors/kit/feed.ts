import { CrossdockError, fail, type InboundItem } from '../../canonical/index.ts';
import type { HttpClient } from './http.ts';
import type { FeedPage, Source } from './types.ts';

export interface KeysetFeed {
  client: HttpClient;
  feed: string;
  path: string;
  /** Records a page. */
  limitMax: number;
  map(records: readonly unknown[]): InboundItem[];
}

/**
 * A feed read by keyset: `GET path?after=&limit=` → `{records, next, more}`. The cursor is `next` as a decimal string.
 *
 * A page that is too large to be read is asked for again with half the records: refusing it would stop the feed for good at
 * a few orders of thousands of lines. A page that is not the contract throws, because the cursor can't be moved past it.
 */
export function keysetFeed({ client, feed, path, limitMax, map }: KeysetFeed): Source {
  let limit = limitMax;
  return {
    feed,
    reread: (body) => map((JSON.parse(body.toString('utf8')) as { records: unknown[] }).records),
    async poll(cursor, signal): Promise<FeedPage> {
      const after = cursorOf(cursor);
      const answer = await read(after, signal);
      limit = Math.min(limitMax, limit * 2);
      const { records, next, more } = (answer.value ?? {}) as { records?: unknown; next?: unknown; more?: unknown };
      const malformed = (what: string): never => client.malformed('GET', path, what);
      if (!Array.isArray(records)) return malformed('records is not a list');
      if (typeof next !== 'number' || !Number.isSafeInteger(next)) return malformed('next is not a whole number');
      if (typeof more !== 'boolean') return malformed('more is not true or false');
      if (next < after) return malformed(`next ${next} is before ${after}`);
      // Would be read again and again for ever, or skip nobody knows what.
      if (next === after && (more || records.length > 0)) return malformed(`next ${next} does not move on`);
      const { body, contentType } = answer;
      return { body, contentType, items: map(records), cursor: String(next), drained: !more };
    },
  };

  async function read(after: number, signal: AbortSignal): ReturnType<HttpClient['read']> {
    for (;;) {
      try {
        return await client.read(`${path}?after=${after}&limit=${limit}`, signal);
      } catch (error) {
        const tooLarge = error instanceof CrossdockError && error.details.reason === 'answer_too_large';
        if (!tooLarge || limit === 1) throw error;
        limit = Math.max(1, limit >> 1);
      }
    }
  }
}

/** A cursor of this kind as a number; '' is the beginning. */
export function cursorOf(cursor: string): number {
  if (cursor === '') return 0;
  if (!/^\d{1,15}$/.test(cursor)) fail('XD_VALUE_INVALID', 'the cursor is not one of this feed', { cursor });
  return Number(cursor);
}
