/**
 * Soft holds for callers who wait: asked together, decided together, each with its permanent key in the same transaction.
 *
 * A key that was granted gets its first answer again, rebuilt from the rows, while they are kept. A refusal keeps nothing, so the same key may be
 * tried again when there is stock.
 */
import { CrossdockError } from '../canonical/index.ts';
import { type ReserveItem, reserveStock } from '../ledger/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import { type Database, type Ids, Lane, numbers, type Tx, texts } from '../store/index.ts';
import * as statements from './reservations.sql.ts';

export const HOLDS_PER_BATCH_MAX = 1_024;
export const HOLDS_WAITING_MAX = 20_000;
/**
 * Batches that may be decided at once. A SKU always takes the same lane, so that they wait for none of each other's rows.
 * One connection's work keeps one core of the database busy: with two, 1,024 callers on 10,000 SKUs got 22,000/s where one gave 17,000.
 */
const LANES = 2;

/** The fields a key stands for, in the order in which a difference is named. */
export const holdFields = ['channel', 'sku', 'quantity', 'location', 'partial', 'purpose', 'expiresInSeconds'] as const;

export interface HoldRequest {
  /** `reservation/<API key>` and the caller's key: unique for ever. */
  scope: string;
  key: string;
  channel: ChannelEntry;
  sku: string;
  skuId: number;
  quantity: number;
  location: string | null;
  locationId: number | null;
  partial: boolean;
  purpose: string;
  expiresSeconds: number;
}

export interface HoldLine {
  locationId: number;
  quantity: number;
}

export type HoldResult =
  | { status: 'held' | 'repeated'; reservationId: number; expiresAt: Date; lines: HoldLine[] }
  | { status: 'short'; asked: number; atp: number }
  /** The key was granted this one, which ended long ago and is no longer kept. */
  | { status: 'forgotten'; reservationId: number }
  | { status: 'conflict'; field: string; before: unknown };

export interface HoldDeps {
  db: Database;
  ids: Ids;
  directory: Directory;
  onCommit?: () => void;
}

interface Known {
  fingerprint: string;
  reservationId: number;
  expiresAt: Date | null;
  lines: HoldLine[];
}

/** The lane that reservations of this process go through. */
export class ReservationDesk {
  readonly #deps: HoldDeps;
  readonly #lanes: Lane<HoldRequest, HoldResult>[];

  constructor(deps: HoldDeps) {
    this.#deps = deps;
    this.#lanes = Array.from(
      { length: LANES },
      (_, n) =>
        new Lane({
          name: `reservations ${n}`,
          itemsMax: HOLDS_PER_BATCH_MAX,
          waitingMax: HOLDS_WAITING_MAX / LANES,
          run: (requests) => this.#run(requests),
          overflow: (waiting) =>
            new CrossdockError('XD_BUSY', `${waiting} reservations wait already`, { retryAfterSeconds: 1 }),
        }),
    );
  }

  get waiting(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  }

  /** Resolves after commit. */
  reserve(request: HoldRequest): Promise<HoldResult> {
    return this.#lanes[request.skuId % LANES]!.submit(request);
  }

  async drained(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.drained()));
  }

  async #run(requests: readonly HoldRequest[]): Promise<HoldResult[]> {
    const results = await this.#deps.db.transaction((tx) => this.#decide(tx, requests));
    this.#deps.onCommit?.();
    return results;
  }

  async #decide(tx: Tx, requests: readonly HoldRequest[]): Promise<HoldResult[]> {
    const reservationIds = await this.#deps.ids.reserve(tx, 'reservation_id_seq', requests.length);
    const known = await readKnown(tx, requests);
    const results = new Array<HoldResult>(requests.length);
    const fresh: { at: number; request: HoldRequest; item: ReserveItem }[] = [];
    const again: number[] = [];
    const first = new Map<string, number>();
    requests.forEach((request, at) => {
      const id = idOf(request);
      const before = known.get(id);
      if (before !== undefined) results[at] = repeatedOf(request, before);
      else if (first.has(id)) again.push(at);
      else {
        first.set(id, at);
        const { channel, skuId, quantity, locationId, partial, purpose, expiresSeconds } = request;
        const reservationId = reservationIds.take();
        fresh.push({
          at,
          request,
          item: { reservationId, channel, skuId, quantity, locationId, partial, purpose, expiresSeconds },
        });
      }
    });
    if (fresh.length > 0) await this.#hold(tx, fresh, results);
    // The same key twice in one batch: the second gets what the first got.
    for (const at of again) {
      const request = requests[at]!;
      const index = first.get(idOf(request))!;
      const result = results[index]!;
      if (result.status !== 'held') results[at] = result;
      else results[at] = repeatedOf(request, { ...result, fingerprint: fingerprintOf(requests[index]!) });
    }
    return results;
  }

  async #hold(
    tx: Tx,
    fresh: readonly { at: number; request: HoldRequest; item: ReserveItem }[],
    results: HoldResult[],
  ): Promise<void> {
    const decided = await reserveStock(
      tx,
      this.#deps,
      fresh.map(({ item }) => item),
    );
    const granted: { at: number; request: HoldRequest; reservationId: number; expiresAt: Date; lines: HoldLine[] }[] =
      [];
    fresh.forEach(({ at, request }, i) => {
      const result = decided[i]!;
      if (result.ok) {
        const { reservationId, expiresAt, lines } = result;
        granted.push({ at, request, reservationId, expiresAt, lines });
      } else results[at] = { status: 'short', asked: result.asked, atp: result.atp };
    });
    if (granted.length === 0) return;
    const rows = await tx.query(statements.insertHoldKeys, [
      texts(granted.map(({ request }) => request.scope)),
      texts(granted.map(({ request }) => request.key)),
      texts(granted.map(({ request }) => fingerprintOf(request))),
      numbers(granted.map(({ reservationId }) => reservationId)),
    ]);
    // Another process took a key between our look and our write: all of it is decided again, and then the key is known.
    if (rows.length < granted.length)
      throw Object.assign(new Error('a reservation key was taken by another process'), { code: '40001' });
    for (const { at, reservationId, expiresAt, lines } of granted)
      results[at] = { status: 'held', reservationId, expiresAt, lines };
  }
}

function idOf(request: HoldRequest): string {
  return `${request.scope} ${request.key}`;
}

/** The content itself, being short: so a difference can be named. */
function fingerprintOf(request: HoldRequest): string {
  const { channel, sku, quantity, location, partial, purpose, expiresSeconds } = request;
  return `r1:${JSON.stringify([channel.code, sku, quantity, location, partial, purpose, expiresSeconds])}`;
}

function repeatedOf(request: HoldRequest, known: Known): HoldResult {
  const given = fingerprintOf(request);
  if (given !== known.fingerprint) {
    const before = JSON.parse(known.fingerprint.slice(3)) as unknown[];
    const now = JSON.parse(given.slice(3)) as unknown[];
    const index = now.findIndex((value, i) => value !== before[i]);
    return { status: 'conflict', field: holdFields[index] ?? 'key', before: before[index] };
  }
  if (known.expiresAt === null) return { status: 'forgotten', reservationId: known.reservationId };
  const order = request.channel.locationIds;
  const lines = [...known.lines].sort((a, b) => order.indexOf(a.locationId) - order.indexOf(b.locationId));
  return { status: 'repeated', reservationId: known.reservationId, expiresAt: known.expiresAt, lines };
}

async function readKnown(tx: Tx, requests: readonly HoldRequest[]): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  const rows = await tx.query(statements.readHolds, [
    texts(requests.map((r) => r.scope)),
    texts(requests.map((r) => r.key)),
  ]);
  for (const row of rows) {
    const id = `${row.scope} ${row.key}`;
    let entry = known.get(id);
    if (entry === undefined) {
      entry = { fingerprint: row.fingerprint, reservationId: row.reservation_id, expiresAt: row.expires_at, lines: [] };
      known.set(id, entry);
    }
    // The same key may be asked twice in one batch, and each time brings the rows again.
    if (row.location_id !== null && !entry.lines.some((line) => line.locationId === row.location_id))
      entry.lines.push({ locationId: row.location_id, quantity: row.quantity! });
  }
  return known;
}
