/**
 * Deliveries that leave as soon as they are planned, when the process that plans also sends to their system: written as on their
 * way, and sent when that is committed. Nobody looks for them, and they are marked only once.
 */
import type { Held } from './buckets.ts';
import type { ClaimedDelivery } from './deliver.sql.ts';
import type { PlannedDelivery } from './plan.sql.ts';

/** What a sender takes now. */
export interface Offer {
  /** The buckets that are ours, each with the fencing token under which its deliveries are on their way. */
  held: Held;
  /** When it was made, in ms of the sender's clock: before anything is marked. */
  at: number;
  /** How many it takes. */
  room: number;
  serves(kind: string): boolean;
}

export interface Sender {
  /** Undefined: nothing may leave at once. */
  offer(): Offer | undefined;
  /** Sends what is committed as on its way under what was offered. */
  sendAtOnce(rows: readonly ClaimedDelivery[], offer: Offer): void;
}

interface Planned {
  destinationId: number;
  bucket: number;
  key: number;
  kind: string;
  reference: string;
  orderId: number | null;
  payload: unknown;
}

export class AtOnce {
  readonly #senders: ReadonlyMap<number, Sender>;
  readonly #offers = new Map<number, Offer | undefined>();

  constructor(senders: ReadonlyMap<number, Sender>) {
    this.#senders = senders;
  }

  /** Under which fencing token each may leave; null: it waits its turn. Of a key only the first may. */
  epochs(deliveries: readonly Planned[]): (number | null)[] {
    const keys = new Set<string>();
    return deliveries.map(({ destinationId, bucket, key, kind }) => {
      const name = `${destinationId}/${key}`;
      const isFirst = !keys.has(name);
      keys.add(name);
      const offer = this.#offerOf(destinationId);
      if (!isFirst || offer === undefined || offer.room <= 0 || !offer.serves(kind)) return null;
      const epoch = offer.held.get(bucket);
      if (epoch === undefined) return null;
      offer.room--;
      return epoch;
    });
  }

  #offerOf(destinationId: number): Offer | undefined {
    if (!this.#offers.has(destinationId)) this.#offers.set(destinationId, this.#senders.get(destinationId)?.offer());
    return this.#offers.get(destinationId);
  }

  /** Once `written` is committed. */
  send(deliveries: readonly Planned[], written: readonly PlannedDelivery[]): void {
    const leaving = new Map<string, PlannedDelivery>();
    for (const row of written) if (row.leaves) leaving.set(nameOf(row.destination_id, row), row);
    if (leaving.size === 0) return;
    const bySystem = new Map<number, ClaimedDelivery[]>();
    for (const { destinationId, bucket, kind, reference, orderId, payload } of deliveries) {
      const name = nameOf(destinationId, { kind, reference });
      const row = leaving.get(name);
      if (row === undefined) continue;
      leaving.delete(name);
      const rows = bySystem.get(destinationId) ?? [];
      bySystem.set(destinationId, rows);
      rows.push({
        delivery_id: row.delivery_id,
        kind,
        reference,
        bucket,
        state: 'n',
        attempts: 0,
        order_id: orderId,
        payload,
        recorded_at: row.recorded_at,
      });
    }
    for (const [destinationId, rows] of bySystem)
      this.#senders.get(destinationId)!.sendAtOnce(rows, this.#offers.get(destinationId)!);
  }
}

function nameOf(destinationId: number, { kind, reference }: { kind: string; reference: string }): string {
  return `${destinationId}/${kind}/${reference}`;
}
