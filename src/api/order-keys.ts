/**
 * Binds an Idempotency-Key to the order it was sent with, so that a key used for a second order is noticed.
 *
 * The binding is committed before the order is decided: it says only which order the key means, so a retry after any fault, or
 * a corrected order under the same number, finds what it needs. A key that already is `channel/externalNo` says so itself
 * and needs no row.
 */
import { CrossdockError } from '../canonical/index.ts';
import { type Database, Lane, sql, texts } from '../store/index.ts';

const CLAIMS_PER_BATCH_MAX = 256;
const CLAIMS_WAITING_MAX = 10_000;

const insertClaims = sql<{ scope: string; key: string }>(
  'api_insert_order_key_claims',
  `insert into inbound (scope, key, state, fingerprint, raw_id, item_no)
   select scope, key, 'a', fingerprint, 0, 0 from unnest($1::text[], $2::text[], $3::text[]) as t(scope, key, fingerprint)
    order by scope, key
   on conflict do nothing returning scope, key`,
);
const readClaims = sql<{ scope: string; key: string; fingerprint: string }>(
  'api_read_order_key_claims',
  `select i.scope, i.key, i.fingerprint from inbound i
     join unnest($1::text[], $2::text[]) as t(scope, key) on i.scope = t.scope and i.key = t.key`,
);

interface Claim {
  scope: string;
  key: string;
  order: string;
}

/** The lane that claims of this process go through. @returns the order that each key means */
export class OrderKeys {
  readonly #lane: Lane<Claim, string>;

  constructor(db: Database) {
    this.#lane = new Lane({
      name: 'order keys',
      itemsMax: CLAIMS_PER_BATCH_MAX,
      waitingMax: CLAIMS_WAITING_MAX,
      run: (claims) => claim(db, claims),
      overflow: (waiting) => new CrossdockError('XD_BUSY', `${waiting} orders wait already`, { retryAfterSeconds: 1 }),
    });
  }

  /** @throws XD_KEY_CONFLICT naming the order that the key was used for */
  async bind(apiKeyId: string, key: string, channel: string, externalNo: string): Promise<void> {
    const order = `${channel}/${externalNo}`;
    if (key === order) return;
    const before = await this.#lane.submit({ scope: `request/${apiKeyId}`, key, order });
    if (before !== order)
      throw new CrossdockError(
        'XD_KEY_CONFLICT',
        `Idempotency-Key ${key} was used before for order ${before}, not ${order}`,
        {
          place: 'externalNo',
          field: 'externalNo',
          key,
          before,
          given: order,
        },
      );
  }
}

async function claim(db: Database, claims: readonly Claim[]): Promise<string[]> {
  const first = new Map<string, Claim>();
  for (const item of claims) if (!first.has(idOf(item))) first.set(idOf(item), item);
  const all = [...first.values()];
  const keys = [texts(all.map((item) => item.scope)), texts(all.map((item) => item.key))];
  const fresh = await db.query(insertClaims, [...keys, texts(all.map((item) => item.order))]);
  const meant = new Map(all.map((item) => [idOf(item), item.order]));
  // Read in a statement of its own: what another process committed meanwhile is seen by now.
  if (fresh.length < all.length)
    for (const row of await db.query(readClaims, keys)) meant.set(idOf(row), row.fingerprint);
  return claims.map((item) => meant.get(idOf(item))!);
}

function idOf({ scope, key }: { scope: string; key: string }): string {
  return `${scope} ${key}`;
}
