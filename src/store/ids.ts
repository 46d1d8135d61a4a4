import { type Queryable, sql } from './database.ts';

const nextBlocks = {
  movement_id_seq: 1000,
  reservation_id_seq: 1000,
  allocation_id_seq: 1000,
  order_id_seq: 200,
  fulfilment_id_seq: 200,
  return_id_seq: 200,
  exception_id_seq: 200,
  order_hold_id_seq: 200,
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

/** Ids that belong to one piece of work alone. What it has left over goes back to the others. */
export class IdBlock {
  readonly #ids: number[];
  readonly #shared: number[];
  readonly #sequence: IdSequence;

  constructor(ids: number[], shared: number[], sequence: IdSequence) {
    this.#ids = ids;
    this.#shared = shared;
    this.#sequence = sequence;
  }

  take(): number {
    const id = this.#ids.pop();
    if (id === undefined) throw new Error(`more ids of ${this.#sequence} were taken than reserved`);
    return id;
  }

  giveBack(): void {
    for (const id of this.#ids.splice(0)) this.#shared.push(id);
  }
}

/**
 * Ids taken in blocks: one round trip per few hundred rows instead of one per row. Two pieces of work at once never share
 * an id, nor a promise of one: what is reserved is set aside. A block that a killed process held is lost, which leaves a gap
 * and nothing else.
 */
export class Ids {
  readonly #free = new Map<IdSequence, number[]>();

  /** Sets `count` ids aside. */
  async reserve(db: Queryable, sequence: IdSequence, count: number): Promise<IdBlock> {
    let free = this.#free.get(sequence);
    if (free === undefined) {
      free = [];
      this.#free.set(sequence, free);
    }
    // Again, when others took from the rest while we asked for more.
    while (free.length < count) {
      const size = nextBlocks[sequence];
      const rows = await db.query(statements.get(sequence)!, [Math.ceil((count - free.length) / size)]);
      const fresh: number[] = [];
      // The smallest is taken first: from the end.
      for (let r = rows.length - 1; r >= 0; r--) for (let i = size - 1; i >= 0; i--) fresh.push(rows[r]!.first + i);
      free.unshift(...fresh);
    }
    return new IdBlock(free.splice(free.length - count, count), free, sequence);
  }
}
