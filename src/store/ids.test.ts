import { describe, expect, it } from 'vitest';
import type { Queryable } from './database.ts';
import { Ids } from './ids.ts';

/** Answers like nextval on a sequence that counts in steps of 1,000, after `ms`. */
function sequence(): Queryable {
  let next = 1;
  return {
    query: async <Row>(_statement: unknown, values: readonly unknown[] = []) => {
      await new Promise((resolve) => setImmediate(resolve));
      const rows = Array.from({ length: values[0] as number }, () => {
        const first = next;
        next += 1_000;
        return { first };
      });
      return rows as Row[];
    },
  };
}

describe('ids', () => {
  it('are taken in ascending order', async () => {
    const block = await new Ids().reserve(sequence(), 'movement_id_seq', 3);
    expect([block.take(), block.take(), block.take()]).toEqual([1, 2, 3]);
  });

  it('that one piece of work reserved can not be taken by another', async () => {
    const db = sequence();
    const ids = new Ids();
    (await ids.reserve(db, 'movement_id_seq', 0)).giveBack();
    const blocks = await Promise.all(Array.from({ length: 5 }, () => ids.reserve(db, 'movement_id_seq', 900)));
    const taken = blocks.flatMap((block) => Array.from({ length: 900 }, () => block.take()));
    expect(new Set(taken).size).toBe(4_500);
    for (const block of blocks)
      expect(() => block.take()).toThrow('more ids of movement_id_seq were taken than reserved');
  });

  it('that are left over are taken next', async () => {
    const db = sequence();
    const ids = new Ids();
    const block = await ids.reserve(db, 'movement_id_seq', 10);
    block.take();
    block.giveBack();
    expect((await ids.reserve(db, 'movement_id_seq', 1)).take()).toBe(2);
  });
});
