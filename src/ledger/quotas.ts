/** Quotas in one transaction: locked after the balances of their SKUs, asked by decisions, counted by what becomes of orders. */
import { type ChannelEntry, type Directory, readAccountTerms } from '../master/index.ts';
import { numbers, type Queryable, type Tx } from '../store/index.ts';
import { contains, type QuotaNode, type QuotaRoom, roomOf } from './quota-rule.ts';
import * as statements from './quotas.sql.ts';

export interface QuotaOrder {
  orderId: number;
  channelId: number;
  accountId: number;
  orderedAt: string;
}

interface Quota extends QuotaNode {
  skuId: number;
  from: number;
  to: number;
  /** Used and held when it was read. */
  first: number;
}

interface Use {
  orderId: number;
  lineNo: number;
  quotaId: number;
  units: number;
  changed: boolean;
}

export class QuotaBook {
  readonly #tx: Tx | undefined;
  readonly #bySku = new Map<number, Quota[]>();
  readonly #byId = new Map<number, Quota>();
  readonly #regions = new Map<number, string | null>();
  /** By order and SKU, so that a quota counts an order as a whole. */
  readonly #members = new Map<string, Set<number>>();
  readonly #uses = new Map<string, Use>();
  readonly #added = new Map<number, number>();

  private constructor(tx: Tx | undefined) {
    this.#tx = tx;
  }

  /** Locks quota by (sku_id, quota_id); whoever calls has locked balances of each of these SKUs. One look where there are no quotas. */
  static async open(
    tx: Tx,
    directory: Directory,
    skuIds: Iterable<number>,
    orders: readonly QuotaOrder[] = [],
  ): Promise<QuotaBook> {
    const book = new QuotaBook(tx);
    const skus = [...new Set(skuIds)];
    if (skus.length === 0) return book;
    const rows = await tx.query(statements.lockQuotas, [numbers(skus), sinceOf(orders)]);
    if (rows.length === 0) return book;
    await book.#fill(tx, directory, rows);
    await book.#readOrders(tx, orders);
    return book;
  }

  /** As they stand at this moment, without locks: for looking, never flushed. */
  static async view(
    db: Queryable,
    directory: Directory,
    skuIds: readonly number[],
    { accountIds = [], orders = [] }: { accountIds?: readonly number[]; orders?: readonly QuotaOrder[] } = {},
  ): Promise<QuotaBook> {
    const book = new QuotaBook(undefined);
    if (skuIds.length === 0) return book;
    const rows = await db.query(statements.viewQuotas, [numbers(skuIds), sinceOf(orders)]);
    if (rows.length === 0) return book;
    await book.#fill(db, directory, rows);
    await book.#readOrders(db, orders);
    await book.#readRegions(db, accountIds);
    return book;
  }

  async #readOrders(db: Queryable, orders: readonly QuotaOrder[]): Promise<void> {
    if (orders.length === 0) return;
    const orderIds = numbers([...new Set(orders.map(({ orderId }) => orderId))]);
    for (const row of await db.query(statements.readUses, [orderIds, numbers([...this.#byId.keys()])])) {
      const { order_id: orderId, line_no: lineNo, quota_id: quotaId, units } = row;
      this.#uses.set(`${orderId}/${lineNo}/${quotaId}`, { orderId, lineNo, quotaId, units, changed: false });
      this.#membersIn(orderId, this.#byId.get(quotaId)!.skuId).add(quotaId);
    }
    await this.#readRegions(
      db,
      orders.map((order) => order.accountId),
    );
  }

  async #readRegions(db: Queryable, accountIds: readonly number[]): Promise<void> {
    if ([...this.#byId.values()].every(({ region }) => region === null)) return;
    for (const terms of (await readAccountTerms(db, accountIds)).values())
      this.#regions.set(terms.accountId, terms.region);
  }

  async #fill(db: Queryable, directory: Directory, rows: readonly statements.QuotaRow[]): Promise<void> {
    const channels = [...directory.channelById.values()];
    // Only then may anything wait for what is to come.
    const committed = new Map(
      channels.some(({ horizonDays }) => horizonDays > 0)
        ? (await db.query(statements.readCommitted, [numbers(rows.map((row) => row.quota_id))])).map((row) => [
            row.quota_id,
            row.quantity,
          ])
        : [],
    );
    const selling = new Set(
      rows.map((row) => row.channel_id).filter((id) => directory.channelById.get(id)?.sellsByItself),
    );
    const setAside = new Map(
      selling.size === 0
        ? []
        : (
            await db.query(statements.readSetAside, [numbers([...selling]), numbers(rows.map((row) => row.sku_id))])
          ).map((row) => [`${row.channel_id}/${row.sku_id}`, row.quantity]),
    );
    const held = new Map(
      (await db.query(statements.readHeld, [numbers(rows.map((row) => row.sku_id))])).map((row) => [
        `${row.channel_id}/${row.sku_id}`,
        row.quantity,
      ]),
    );
    for (const row of rows) {
      const isChannel = row.region === null && row.account_id === null;
      const quota: Quota = {
        quotaId: row.quota_id,
        skuId: row.sku_id,
        channelId: row.channel_id,
        region: row.region,
        accountId: row.account_id,
        from: row.valid_from.getTime(),
        to: row.valid_to.getTime(),
        ringFenced: row.ring_fenced,
        cap: row.cap,
        borrow: row.borrow,
        lend: row.lend,
        used: row.used + (committed.get(row.quota_id) ?? 0),
        held: isChannel ? (held.get(`${row.channel_id}/${row.sku_id}`) ?? 0) : 0,
        setAside: isChannel ? (setAside.get(`${row.channel_id}/${row.sku_id}`) ?? 0) : 0,
        isRunning: row.is_running,
        first: 0,
      };
      quota.first = quota.used + quota.held;
      this.#byId.set(quota.quotaId, quota);
      const list = this.#bySku.get(quota.skuId);
      if (list === undefined) this.#bySku.set(quota.skuId, [quota]);
      else list.push(quota);
    }
  }

  get isEmpty(): boolean {
    return this.#byId.size === 0;
  }

  has(skuId: number): boolean {
    return this.#bySku.has(skuId);
  }

  #membersIn(orderId: number, skuId: number): Set<number> {
    const key = `${orderId}/${skuId}`;
    let members = this.#members.get(key);
    if (members === undefined) {
      members = new Set();
      this.#members.set(key, members);
    }
    return members;
  }

  /** An order stays with the quotas that have counted it; else they are those of whom it comes from, when it was ordered. */
  #membersOf(skuId: number, { orderId, channelId, accountId, orderedAt }: QuotaOrder): Set<number> {
    const known = this.#membersIn(orderId, skuId);
    if (known.size > 0) return known;
    const at = Date.parse(orderedAt);
    const asker = { channelId, accountId, region: this.#regions.get(accountId) ?? null };
    for (const quota of this.#bySku.get(skuId) ?? [])
      if (quota.from <= at && at < quota.to && contains(quota, asker)) known.add(quota.quotaId);
    return known;
  }

  /** A soft hold of a channel was made, or a part of it ended. */
  hold(channelId: number, skuId: number, units: number): void {
    for (const quota of this.#bySku.get(skuId) ?? [])
      if (quota.channelId === channelId && quota.region === null && quota.accountId === null) quota.held += units;
  }

  /** What an order may have of a SKU; undefined: no quota is in its way. */
  roomOf(skuId: number, order: QuotaOrder): QuotaRoom | undefined {
    const quotas = this.#bySku.get(skuId);
    if (quotas === undefined) return undefined;
    const { channelId, accountId } = order;
    const asker = { channelId, accountId, region: this.#regions.get(accountId) ?? null };
    return roomOf(quotas, asker, this.#membersOf(skuId, order));
  }

  /** What may be said to this account by now, or to anybody who buys there, whoever it is. */
  roomOfChannel(
    skuId: number,
    { channelId }: Pick<ChannelEntry, 'channelId'>,
    accountId: number | null = null,
  ): QuotaRoom | undefined {
    const quotas = this.#bySku.get(skuId);
    if (quotas === undefined) return undefined;
    const asker = { channelId, accountId, region: accountId === null ? null : (this.#regions.get(accountId) ?? null) };
    const running = quotas.filter((quota) => quota.isRunning && contains(quota, asker));
    return roomOf(quotas, asker, new Set(running.map(({ quotaId }) => quotaId)));
  }

  /** A line has so many units by now, allocated and picked; of what it holds of dated supply, so many more or fewer than before. */
  count(order: QuotaOrder, line: { lineNo: number; skuId: number }, units: number, committed: number): void {
    if (!this.#bySku.has(line.skuId)) return;
    for (const quotaId of this.#membersOf(line.skuId, order)) {
      const quota = this.#byId.get(quotaId);
      if (quota === undefined) continue;
      const key = `${order.orderId}/${line.lineNo}/${quotaId}`;
      let use = this.#uses.get(key);
      if (use === undefined) {
        use = { orderId: order.orderId, lineNo: line.lineNo, quotaId, units: 0, changed: true };
        this.#uses.set(key, use);
      }
      const more = units - use.units;
      quota.used += more + committed;
      if (more === 0) continue;
      use.units = units;
      use.changed = true;
      this.#added.set(quotaId, (this.#added.get(quotaId) ?? 0) + more);
    }
  }

  /** So many units more are promised to an order, or fewer: for looking ahead, never flushed. */
  move(order: QuotaOrder, skuId: number, units: number): void {
    if (!this.#bySku.has(skuId)) return;
    for (const quotaId of this.#membersOf(skuId, order)) {
      const quota = this.#byId.get(quotaId);
      if (quota !== undefined) quota.used += units;
    }
  }

  /** Of the quotas of a SKU as they were read; '' : there are none. */
  basisOf(skuId: number): string {
    const parts = (this.#bySku.get(skuId) ?? []).map(
      ({ quotaId, first, cap, ringFenced, borrow, lend, setAside, isRunning }) =>
        [quotaId, first, cap, ringFenced, borrow, lend, setAside, isRunning].join(),
    );
    return parts.sort().join(';');
  }

  /** What an order may keep, where others were given more since this was read: a cap that was over before takes nothing from anybody. */
  keepsOf(skuId: number, order: QuotaOrder): number {
    let left = Number.POSITIVE_INFINITY;
    for (const quotaId of this.#bySku.has(skuId) ? this.#membersOf(skuId, order) : []) {
      const quota = this.#byId.get(quotaId);
      if (quota === undefined || quota.cap === null) continue;
      left = Math.min(left, Math.max(quota.cap, quota.first) - quota.used - quota.held);
    }
    return Math.max(0, left);
  }

  async flush(): Promise<void> {
    const uses = [...this.#uses.values()].filter(({ changed }) => changed);
    if (uses.length === 0) return;
    for (const use of uses) use.changed = false;
    await this.#tx!.query(statements.writeUses, [
      numbers(uses.map((use) => use.orderId)),
      numbers(uses.map((use) => use.lineNo)),
      numbers(uses.map((use) => use.quotaId)),
      numbers(uses.map((use) => use.units)),
    ]);
    const added = [...this.#added].filter(([, units]) => units !== 0);
    this.#added.clear();
    if (added.length > 0)
      await this.#tx!.query(statements.addUsed, [
        numbers(added.map(([id]) => id)),
        numbers(added.map(([, units]) => units)),
      ]);
  }
}

/** When the first of them was ordered: an order is counted by quotas of that time. */
function sinceOf(orders: readonly QuotaOrder[]): string | null {
  if (orders.length === 0) return null;
  return new Date(
    orders.reduce((first, { orderedAt }) => Math.min(first, Date.parse(orderedAt)), Number.POSITIVE_INFINITY),
  ).toISOString();
}
