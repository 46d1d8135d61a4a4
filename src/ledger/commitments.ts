/**
 * What orders may be promised of dated supply, and what they are. Units that lie in no shelf yet are never reserved or allocated: a
 * backordered unit holds a commitment until it is served or cancelled, so that one supply is promised once.
 */
import type { ChannelEntry } from '../master/index.ts';
import { numbers, type Queryable, type Tx } from '../store/index.ts';
import type { Pair } from './stock.ts';
import * as statements from './supply.sql.ts';

export interface SupplyOffer {
  supplyId: number;
  locationId: number;
  quantity: number;
  dueAt: string;
}

export interface OrderLineKey {
  orderId: number;
  lineNo: number;
}

interface Supply extends SupplyOffer {
  committed: number;
  dueInDays: number;
}

interface Commitment extends OrderLineKey {
  supplyId: number;
  quantity: number;
  changed: boolean;
}

/** The balances that guard what these lines hold of dated supply. Whoever has locked the order can only see it shrink meanwhile. */
export async function pairsOfCommitments(db: Queryable, lines: readonly OrderLineKey[]): Promise<Pair[]> {
  return (await readCommitments(db, lines)).map((row): Pair => [row.sku_id, row.location_id]);
}

async function readCommitments(
  db: Queryable,
  lines: readonly OrderLineKey[],
): Promise<readonly statements.CommitmentRow[]> {
  // Two works of one batch may be about the same line.
  const each = [...new Map(lines.map((line) => [`${line.orderId}/${line.lineNo}`, line])).values()];
  if (each.length === 0) return [];
  return db.query(statements.readLineCommitments, [
    numbers(each.map((line) => line.orderId)),
    numbers(each.map((line) => line.lineNo)),
  ]);
}

/** Dated supply in one transaction: read under the locks of its balances, changed in memory, written in sets. */
export class Commitments {
  readonly #tx: Tx | undefined;
  readonly #supplies = new Map<number, Supply[]>();
  readonly #byLine = new Map<string, Commitment[]>();
  /** Units that wait for a SKU and hold no commitment: they came first. */
  readonly #uncovered = new Map<number, number>();

  private constructor(tx: Tx | undefined) {
    this.#tx = tx;
  }

  /**
   * @param skuIds what may be newly promised; the places of the channels that ask are locked
   * @param lines lines that may cease to wait; the pairs of {@link pairsOfCommitments} are locked
   * @param backordered units waiting per SKU
   */
  static async open(
    tx: Tx,
    skuIds: readonly number[],
    lines: readonly OrderLineKey[],
    backordered: (skuIds: readonly number[]) => Promise<ReadonlyMap<number, number>>,
  ): Promise<Commitments> {
    const book = new Commitments(tx);
    const held = await readCommitments(tx, lines);
    await book.#fill(tx, skuIds, held, backordered);
    return book;
  }

  /** The same as it stands at this moment, without locks: for looking, never flushed. */
  static async view(
    db: Queryable,
    skuIds: readonly number[],
    backordered: (skuIds: readonly number[]) => Promise<ReadonlyMap<number, number>>,
  ): Promise<Commitments> {
    const book = new Commitments(undefined);
    await book.#fill(db, skuIds, [], backordered);
    return book;
  }

  async #fill(
    tx: Queryable,
    skuIds: readonly number[],
    held: readonly statements.CommitmentRow[],
    backordered: (skuIds: readonly number[]) => Promise<ReadonlyMap<number, number>>,
  ): Promise<void> {
    for (const row of held)
      this.#listOf({ orderId: row.order_id, lineNo: row.line_no }).push({
        supplyId: row.supply_id,
        orderId: row.order_id,
        lineNo: row.line_no,
        quantity: row.quantity,
        changed: false,
      });
    const wanted = new Set([...skuIds, ...held.map((row) => row.sku_id)]);
    if (wanted.size === 0) return;
    for (const row of await tx.query(statements.readSupplies, [numbers([...wanted])])) {
      const list = this.#supplies.get(row.sku_id) ?? [];
      this.#supplies.set(row.sku_id, list);
      list.push({
        supplyId: row.supply_id,
        locationId: row.location_id,
        quantity: row.open,
        committed: row.committed,
        dueAt: row.due_at.toISOString(),
        dueInDays: row.due_in_days,
      });
    }
    if (this.#supplies.size === 0) return;
    const waiting = await backordered([...this.#supplies.keys()]);
    for (const [skuId, list] of this.#supplies) {
      const committed = list.reduce((sum, supply) => sum + supply.committed, 0);
      this.#uncovered.set(skuId, Math.max(0, (waiting.get(skuId) ?? 0) - committed));
    }
  }

  /** Nothing dated is touched, the usual case. */
  get isEmpty(): boolean {
    return this.#supplies.size === 0;
  }

  #listOf({ orderId, lineNo }: OrderLineKey): Commitment[] {
    const key = `${orderId}/${lineNo}`;
    let list = this.#byLine.get(key);
    if (list === undefined) {
      list = [];
      this.#byLine.set(key, list);
    }
    return list;
  }

  /** What the channel may promise of it, soonest first. A channel that sells by itself is promised physical stock only. */
  offers(channel: ChannelEntry, skuId: number): SupplyOffer[] {
    if (channel.sellsByItself || channel.horizonDays === 0) return [];
    const offers: SupplyOffer[] = [];
    let before = this.#uncovered.get(skuId) ?? 0;
    for (const { supplyId, locationId, quantity, committed, dueAt, dueInDays } of this.#supplies.get(skuId) ?? []) {
      if (dueInDays > channel.horizonDays || !channel.locationIds.includes(locationId)) continue;
      const left = quantity - committed;
      const passed = Math.min(left, before);
      before -= passed;
      if (left > passed) offers.push({ supplyId, locationId, quantity: left - passed, dueAt });
    }
    return offers;
  }

  /** What a line that was read or committed holds, soonest first. */
  of(line: OrderLineKey & { skuId: number }): SupplyOffer[] {
    return (this.#byLine.get(`${line.orderId}/${line.lineNo}`) ?? [])
      .filter(({ quantity }) => quantity > 0)
      .map(({ supplyId, quantity }) => {
        const { locationId, dueAt } = this.#supply(line.skuId, supplyId);
        return { supplyId, locationId, quantity, dueAt };
      });
  }

  /** A new line waits for so many units, of which some hold a commitment. */
  commit(
    line: OrderLineKey & { skuId: number; backordered: number },
    parts: readonly { supplyId: number; quantity: number }[],
  ): void {
    const { orderId, lineNo, skuId } = line;
    let uncovered = line.backordered;
    for (const { supplyId, quantity } of parts) {
      const supply = this.#supply(skuId, supplyId);
      supply.committed += quantity;
      if (supply.committed > supply.quantity)
        throw new Error(`committing ${quantity} of supply ${supplyId} promises more than is to come`);
      this.#listOf(line).push({ supplyId, orderId, lineNo, quantity, changed: true });
      uncovered -= quantity;
    }
    this.#wait(skuId, uncovered);
  }

  /** What of all that is to come is promised to nobody, soonest first. */
  open(skuId: number): SupplyOffer[] {
    return (this.#supplies.get(skuId) ?? []).map(({ supplyId, locationId, quantity, committed, dueAt }) => ({
      ...{ supplyId, locationId, dueAt, quantity: Math.max(0, quantity - committed) },
    }));
  }

  /** Units of it that are promised to nobody. */
  left(skuId: number, supplyId: number): number {
    const supply = this.#supplies.get(skuId)?.find((entry) => entry.supplyId === supplyId);
    return supply === undefined ? 0 : Math.max(0, supply.quantity - supply.committed);
  }

  /** A line is promised so many units more of a supply, or fewer. */
  change(line: OrderLineKey & { skuId: number }, supplyId: number, units: number): void {
    const supply = this.#supply(line.skuId, supplyId);
    const list = this.#listOf(line);
    let commitment = list.find((one) => one.supplyId === supplyId);
    if (commitment === undefined) {
      commitment = { supplyId, orderId: line.orderId, lineNo: line.lineNo, quantity: 0, changed: true };
      list.push(commitment);
    }
    commitment.quantity += units;
    commitment.changed = true;
    supply.committed += units;
    if (commitment.quantity < 0 || supply.committed > supply.quantity)
      throw new Error(`${units} of supply ${supplyId} for order ${line.orderId} are not there to be promised or taken`);
    this.#wait(line.skuId, -units);
  }

  /** A line waits for `backordered` units, `served` less than before: what it holds beyond that is free again, latest first. */
  serve(line: OrderLineKey & { skuId: number; backordered: number }, served: number): void {
    const list = this.#listOf(line);
    let excess = list.reduce((sum, { quantity }) => sum + quantity, 0) - line.backordered;
    let uncovered = served;
    for (const commitment of list.toReversed()) {
      if (excess <= 0) break;
      const ended = Math.min(commitment.quantity, excess);
      commitment.quantity -= ended;
      commitment.changed = true;
      this.#supply(line.skuId, commitment.supplyId).committed -= ended;
      excess -= ended;
      uncovered -= ended;
    }
    this.#wait(line.skuId, -uncovered);
  }

  #supply(skuId: number, supplyId: number): Supply {
    const supply = this.#supplies.get(skuId)?.find((entry) => entry.supplyId === supplyId);
    if (supply === undefined) throw new Error(`supply ${supplyId} of SKU ${skuId} was not read`);
    return supply;
  }

  #wait(skuId: number, units: number): void {
    const before = this.#uncovered.get(skuId);
    if (before !== undefined) this.#uncovered.set(skuId, Math.max(0, before + units));
  }

  async flush(): Promise<void> {
    await writeCommitments(
      this.#tx!,
      [...this.#byLine.values()].flat().filter((commitment) => commitment.changed),
    );
  }
}

/** Writes commitments as they stand; those of 0 end. */
export async function writeCommitments(
  tx: Tx,
  changed: readonly (OrderLineKey & { supplyId: number; quantity: number })[],
): Promise<void> {
  if (changed.length === 0) return;
  const values = [
    numbers(changed.map((c) => c.supplyId)),
    numbers(changed.map((c) => c.orderId)),
    numbers(changed.map((c) => c.lineNo)),
    numbers(changed.map((c) => c.quantity)),
  ];
  tx.write(statements.writeCommitments, values);
  if (changed.some((c) => c.quantity === 0)) await tx.query(statements.endCommitments, values);
}

/** What is still to come of these SKUs, soonest first, and what of it is promised to nobody; as it stands, without locks. */
export async function readOpenSupplies(
  db: Queryable,
  skuIds: readonly number[],
): Promise<{ skuId: number; supplyId: number; locationId: number; left: number; dueAt: string }[]> {
  const rows = await db.query(statements.readSupplies, [numbers(skuIds)]);
  return rows.map((row) => ({
    ...{ skuId: row.sku_id, supplyId: row.supply_id, locationId: row.location_id },
    ...{ left: row.open - row.committed, dueAt: row.due_at.toISOString() },
  }));
}
