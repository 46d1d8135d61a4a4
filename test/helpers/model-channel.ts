/**
 * A shop or a marketplace as a model: it sells by itself within the number it shows, and is as unreliable as it is told. Its own
 * truth is exact, so a test can say at any moment what it may still sell and what it has sold unread.
 */
import type { InboundItem } from '../../src/canonical/index.ts';
import {
  type AvailabilityItem,
  type AvailabilitySink,
  type FeedPage,
  mayStart,
  type Source,
} from '../../src/connectors/kit/index.ts';
import { type Fate, notPermitted } from './memory-system.ts';
import { order } from './small-hub.ts';

interface Sale {
  seq: number;
  sku: string;
  within: number;
  item: InboundItem;
}

const PAGE_MAX = 3;

export class ModelChannel {
  readonly code: string;
  readonly means: 'net_available' | 'on_hand';
  readonly #series: string;
  readonly sales: Sale[] = [];
  /** The next fates of written items; `ok` when there are no more. */
  readonly fates: Fate[] = [];
  /** How many of the next reads back fail. */
  unreadable = 0;
  /** Runs while a write waits for its turn, before its first byte; then it is asked whether it still may leave. */
  beforeFirstByte: (() => Promise<void>) | undefined;
  /** Runs while a write is on its way, before it takes effect. */
  onTheWay: (() => Promise<void>) | undefined;
  /** Runs after its numbers were read and before we have the answer. */
  afterReading: (() => Promise<void>) | undefined;
  /** Runs after a write took effect and before its answer is read. */
  beforeAnswer: (() => Promise<void> | void) | undefined;
  readonly #net = new Map<string, number>();
  readonly #told = new Map<string, { quantity: number; through: number }>();
  #late: (() => void)[] = [];
  writes = 0;

  /** @param series begins its order numbers, which are for ever: another in the same database has another */
  constructor(code: string, means: 'net_available' | 'on_hand', series = code) {
    this.code = code;
    this.means = means;
    this.#series = series;
  }

  /** What it may sell now. */
  available(sku: string): number {
    if (this.means === 'net_available') return this.#net.get(sku) ?? 0;
    const told = this.#told.get(sku);
    return told === undefined ? 0 : Math.max(0, told.quantity - this.#soldAfter(sku, told.through));
  }

  /** Units sold within its number beyond `seq`: what a reader who has read to there does not know. */
  #soldAfter(sku: string, seq: number): number {
    return this.sales.filter((sale) => sale.sku === sku && sale.seq > seq).reduce((sum, sale) => sum + sale.within, 0);
  }

  unread(sku: string, readTo: number): number {
    return this.#soldAfter(sku, readTo);
  }

  sell(sku: string, quantity: number): void {
    const within = Math.min(quantity, this.available(sku));
    const seq = this.sales.length + 1;
    const no = `${this.#series}-${seq}`;
    this.sales.push({ seq, sku, within, item: order(this.code, no, [{ sku, quantity, within }]) });
    if (this.means === 'net_available' && within > 0) this.#net.set(sku, this.#net.get(sku)! - within);
  }

  /** Loses an update of its level: it goes on selling so many that are gone. */
  hide(sku: string, units: number): void {
    this.#net.set(sku, (this.#net.get(sku) ?? 0) + units);
  }

  /** What was on its way arrives: called before the effect horizon is over. */
  settleLate(): void {
    for (const apply of this.#late.splice(0)) apply();
  }

  #outcome(item: AvailabilityItem, fate: Fate): Awaited<ReturnType<AvailabilitySink['write']>>[number] {
    switch (fate) {
      case 'ok':
        return this.#apply(item) ? { outcome: 'confirmed' } : { outcome: 'conflict' };
      case 'lied':
        return { outcome: 'confirmed' };
      case 'silent':
        this.#apply(item);
        return { outcome: 'in_doubt', error: 'cut' };
      case 'lost':
        return { outcome: 'in_doubt', error: 'cut' };
      case 'late':
        this.#late.push(() => this.#apply(item));
        return { outcome: 'in_doubt', error: 'no answer in time' };
      case 'again':
        return { outcome: 'later', error: '429' };
      case 'away':
        return { outcome: 'later', error: 'could not be reached', ofSystem: true };
      case 'refused':
        return { outcome: 'refused', error: '422' };
    }
  }

  #apply({ sku, from, quantity, ordersThrough }: AvailabilityItem): boolean {
    if (this.means === 'on_hand') {
      this.#told.set(sku, { quantity, through: Number(ordersThrough || 0) });
      return true;
    }
    if ((this.#net.get(sku) ?? null) !== from) return false;
    this.#net.set(sku, quantity);
    return true;
  }

  readonly sink: AvailabilitySink = {
    batchMax: 10,
    write: async (items, signal) => {
      await this.beforeFirstByte?.();
      if (!mayStart(signal)) return items.map(() => notPermitted);
      this.writes++;
      await this.onTheWay?.();
      const outcomes = items.map((item) => this.#outcome(item, this.fates.shift() ?? 'ok'));
      await this.beforeAnswer?.();
      return outcomes;
    },
    readBack: async (skus) => {
      if (this.unreadable > 0) {
        this.unreadable--;
        throw new Error('could not be read');
      }
      const numbers = new Map<string, number>();
      for (const sku of skus) {
        const number = this.means === 'on_hand' ? this.#told.get(sku)?.quantity : this.#net.get(sku);
        if (number !== undefined) numbers.set(sku, number);
      }
      await this.afterReading?.();
      return numbers;
    },
  };

  readonly source: Source = {
    feed: 'orders',
    poll: async (cursor): Promise<FeedPage> => {
      const from = Number(cursor || 0);
      const page = this.sales.slice(from, from + PAGE_MAX);
      const to = from + page.length;
      return {
        body: Buffer.from(JSON.stringify(page.map((sale) => sale.item))),
        contentType: 'application/json',
        items: page.map((sale, itemNo) => ({ ...sale.item, itemNo })),
        cursor: String(to),
        drained: to === this.sales.length,
      };
    },
  };
}
