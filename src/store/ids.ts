import { type Queryable, sql } from './database.ts';

const nextBlocks = {
  movement_id_seq: 1000,
  reservation_id_seq: 1000,
  allocation_id_seq: 1000,
  order_id_seq: 200,
  fulfilment_id_seq: 200,
  return_id_seq: 200,
  raw_id_seq: 500,
} as const;
export type IdSequence = keyof typeof nextBlocks;

const statements = new Map(
  (Object.keys(nextBlocks) as IdSequence[]).map((name) => [
    name,
    sql<{ first: number }>(
      `ids_${name}`,
      // The name comes from the constant table above, never from outside.
      `select nextval('${name}') as first from generate_series(1, $1::int)`,
    ),
  ]),
);

/**
 * Ids taken in blocks: one round trip per few hundred rows instead of one per row. A block that a killed process held is
 * lost, which leaves a gap and nothing else.
 */
export class Ids {
  readonly #free = new Map<IdSequence, number[]>();

  /** Makes sure that `count` ids can be taken without waiting. */
  async reserve(db: Queryable, sequence: IdSequence, count: number): Promise<void> {
    const free = this.#free.get(sequence) ?? [];
    this.#free.set(sequence, free);
    if (free.length >= count) return;
    const size = nextBlocks[sequence];
    const rows = await db.query(statements.get(sequence)!, [Math.ceil((count - free.length) / size)]);
    const fresh: number[] = [];
    for (const { first } of rows) for (let i = 0; i < size; i++) fresh.push(first + i);
    fresh.reverse();
    free.unshift(...fresh);
  }

  take(sequence: IdSequence): number {
    const id = this.#free.get(sequence)?.pop();
    if (id === undefined) throw new Error(`no id of ${sequence} was reserved`);
    return id;
  }
}
