/** A system in memory behind the connector's contract: it keeps what it got, and fails in the way it is told. */
import {
  type AvailabilitySink,
  type Connector,
  type DeliveryItem,
  type DeliveryKind,
  mayStart,
  type Outcome,
  type StateItem,
  type StateSink,
} from '../../src/connectors/kit/index.ts';

/**
 * What happens to one item of a write.
 * ok: done and said so · lied: said to be done, lost · lost: no answer, nothing done · silent: done, no answer ·
 * late: no answer, done when {@link MemorySystem.settleLate} is called · again: surely not done · away: no request came through ·
 * refused: never
 */
export type Fate = 'ok' | 'lied' | 'lost' | 'silent' | 'late' | 'again' | 'away' | 'refused';

export interface Effect {
  kind: string;
  reference: string;
  payload: unknown;
}

/** As the kit's client answers to a write that may not leave any more. */
export const notPermitted: Outcome = { outcome: 'later', error: 'given up before it was sent' };

export class MemorySystem implements Connector {
  readonly name: string;
  readonly confirmedBy: 'answer' | 'read_back';
  readonly sources = [];
  /** Tests read them themselves. */
  salesFeeds: readonly string[] = ['orders'];
  readonly deliveries: Record<string, DeliveryKind> = {};
  readonly orderStatus: StateSink;
  readonly prices: StateSink;
  availability?: AvailabilitySink;
  /** Every effect in the order in which it happened; a doubled one is here twice. */
  readonly effects: Effect[] = [];
  readonly #answers = new Map<string, unknown>();
  readonly states = new Map<string, StateItem>();
  /** Versions that went back at some key. */
  backwards = 0;
  writes = 0;
  lookups = 0;
  /** How long it asks to be left alone. */
  askedMs = 0;
  fate: (kind: string, item: { reference: string; payload: unknown }) => Fate = () => 'ok';
  /** What the system answers to a write that it takes. */
  answer: (kind: string, item: DeliveryItem) => unknown = () => ({});
  /** Runs while a write waits for its turn, before its first byte; then it is asked whether it still may leave. */
  beforeFirstByte: (() => Promise<void>) | undefined;
  /** Runs while a write is on its way: tests hold it here. */
  onTheWay: (() => Promise<void>) | undefined;
  #late: (() => void)[] = [];

  constructor(name: string, kinds: readonly string[], confirmedBy: 'answer' | 'read_back' = 'answer', batchMax = 50) {
    this.name = name;
    this.confirmedBy = confirmedBy;
    for (const kind of kinds) this.deliveries[kind] = this.#delivery(kind, batchMax);
    this.orderStatus = this.#states('order_status', batchMax);
    this.prices = this.#states('price', batchMax);
  }

  countOf(kind: string, reference: string): number {
    return this.effects.filter((effect) => effect.kind === kind && effect.reference === reference).length;
  }

  of(kind: string): Effect[] {
    return this.effects.filter((effect) => effect.kind === kind);
  }

  pausedMs(): number {
    return this.askedMs;
  }

  settleLate(): void {
    for (const apply of this.#late.splice(0)) apply();
  }

  #delivery(kind: string, batchMax: number): DeliveryKind {
    const apply = (item: DeliveryItem): unknown => {
      this.effects.push({ kind, ...item });
      const answer = this.answer(kind, item);
      this.#answers.set(`${kind} ${item.reference}`, answer);
      return answer;
    };
    return {
      batchMax,
      write: async (items, signal) => {
        await this.beforeFirstByte?.();
        if (!mayStart(signal)) return items.map(() => notPermitted);
        this.writes++;
        await this.onTheWay?.();
        return items.map((item) => this.#outcome(this.fate(kind, item), () => apply(item), {}));
      },
      locate: async (references) => {
        this.lookups++;
        const found = new Map<string, unknown>();
        for (const reference of references) {
          const key = `${kind} ${reference}`;
          if (this.#answers.has(key)) found.set(reference, this.#answers.get(key));
        }
        return found;
      },
    };
  }

  #states(kind: string, batchMax: number): StateSink {
    const apply = (item: StateItem): void => {
      const before = this.states.get(`${kind} ${item.key}`);
      if (before !== undefined && before.version > item.version) this.backwards++;
      this.states.set(`${kind} ${item.key}`, item);
    };
    return {
      batchMax,
      write: async (items, signal) => {
        await this.beforeFirstByte?.();
        if (!mayStart(signal)) return items.map(() => notPermitted);
        this.writes++;
        await this.onTheWay?.();
        return items.map((item) =>
          this.#outcome(this.fate(kind, { reference: item.key, payload: item.state }), () => apply(item)),
        );
      },
      readBack: async (keys) => {
        this.lookups++;
        const versions = new Map<string, number>();
        for (const key of keys) {
          const item = this.states.get(`${kind} ${key}`);
          if (item !== undefined) versions.set(key, item.version);
        }
        return versions;
      },
    };
  }

  #outcome(fate: Fate, apply: () => unknown, lied?: unknown): Outcome {
    switch (fate) {
      case 'ok':
        return { outcome: 'confirmed', answer: apply() };
      case 'lied':
        return { outcome: 'confirmed', answer: lied };
      case 'silent':
        apply();
        return { outcome: 'in_doubt', error: 'the connection was cut' };
      case 'lost':
        return { outcome: 'in_doubt', error: 'the connection was cut' };
      case 'late':
        this.#late.push(apply);
        return { outcome: 'in_doubt', error: 'no answer in time' };
      case 'again':
        return { outcome: 'later', error: '429' };
      case 'away':
        return { outcome: 'later', error: 'could not be reached', ofSystem: true };
      case 'refused':
        return { outcome: 'refused', error: '409 no' };
    }
  }

  async probe(): Promise<{ ok: boolean; detail: string }> {
    return { ok: true, detail: 'in memory' };
  }

  async close(): Promise<void> {}
}
