/** A hub in the small: the core's rooms over one database, driven step by step. No loops, no timers, no network. */
import type {
  CancelRequested,
  ChangedLineRequested,
  InboundItem,
  OrderChangeRequested,
  OrderSubmitted,
  OutsideAllocated,
  StockMoved,
} from '../../src/canonical/index.ts';
import { fingerprint } from '../../src/canonical/index.ts';
import {
  type AvailabilitySink,
  type Connector,
  changeItem,
  orderCancelItem,
  outsideAllocationItem,
} from '../../src/connectors/kit/index.ts';
import { type ItemResult, type Message, Receiver } from '../../src/ingest/index.ts';
import { logLag } from '../../src/log/index.ts';
import { type DeclaredEstate, Directory, putAccounts, putProducts } from '../../src/master/index.ts';
import { allocateBackorders, BACKORDER_CONSUMER, followBackorders } from '../../src/orders/index.ts';
import {
  BUCKETS,
  CONSUMER,
  DeliveryDispatcher,
  Freshness,
  leaseName,
  Outcomes,
  PlannedStreams,
  Publisher,
  planNext,
  type Routing,
  type Sender,
} from '../../src/outbound/index.ts';
import { Database, Ids, Leases } from '../../src/store/index.ts';
import { MemorySystem } from './memory-system.ts';

type Channels = DeclaredEstate['channels'];

/** One company, three locations; one channel that asks, two that sell by themselves. */
export function smallEstate(channels: Partial<Channels> = {}): DeclaredEstate {
  return {
    companies: { acme: { currency: 'GBP', timeZone: 'Europe/London' } },
    locations: {
      north: { company: 'acme', region: 'n', priority: 1 },
      south: { company: 'acme', region: 's', priority: 2 },
      west: { company: 'acme', region: 'w', priority: 3 },
    },
    systems: { erp: {}, wms: {}, crm: {}, shop: {}, marketplace: {} },
    channels: {
      api: { company: 'acme', sells: 'asks', locations: ['north', 'south', 'west'] },
      shop: {
        company: 'acme',
        system: 'shop',
        sells: 'by_itself',
        numberMeans: 'net_available',
        locations: ['north', 'south', 'west'],
      },
      marketplace: {
        company: 'acme',
        system: 'marketplace',
        sells: 'by_itself',
        numberMeans: 'on_hand',
        locations: ['north', 'south'],
      },
      ...(channels as Channels),
    },
  };
}

export const routing: Routing = { orders: 'erp', fulfilment: 'wms', accounts: 'crm' };

export function memorySystems(confirmedBy: 'answer' | 'read_back' = 'answer') {
  const erp = new MemorySystem(
    'erp',
    ['sales_order', 'order_change', 'order_cancellation', 'shipment_posting', 'return_posting', 'charge'],
    confirmedBy,
  );
  erp.answer = (kind, { reference }) => (kind === 'sales_order' ? { number: `SO-${reference}` } : {});
  const wms = new MemorySystem('wms', ['fulfilment', 'fulfilment_cancel', 'return_announcement'], confirmedBy);
  wms.answer = (kind, { payload }) =>
    kind === 'fulfilment_cancel'
      ? {
          lines: (payload as { lines: { lineNo: number; quantity: number }[] }).lines.map((line) => ({
            lineNo: line.lineNo,
            cancelled: line.quantity,
            tooLate: 0,
          })),
        }
      : {};
  const crm = new MemorySystem('crm', [], confirmedBy);
  const shop = new MemorySystem('shop', [], confirmedBy);
  const marketplace = new MemorySystem('marketplace', [], confirmedBy);
  return { erp, wms, crm, shop, marketplace };
}

export interface SmallHubOptions {
  url: string;
  holder?: string;
  estate?: DeclaredEstate;
  connectors?: Partial<Record<string, Connector>>;
  poolMax?: number;
  attemptsMax?: number;
  effectHorizonMs?: number;
  leaseMs?: number;
  random?: () => number;
  /** Whether the system that orders go to can be told of added lines. */
  takesChanges?: boolean;
  /** What is planned leaves at once, as in the hub. */
  atOnce?: boolean;
  /** Milliseconds, for the dispatchers. */
  now?: () => number;
  /** Instead of a database of its own. */
  db?: Database;
}

let holders = 0;

export class SmallHub {
  readonly db: Database;
  readonly ids = new Ids();
  readonly receiver: Receiver;
  readonly leases: Leases;
  readonly freshness = new Freshness();
  readonly errors: unknown[] = [];
  readonly dispatchers = new Map<string, DeliveryDispatcher>();
  readonly publishers = new Map<string, Publisher>();
  readonly directory: Directory;
  readonly #senders = new Map<number, Sender>();
  readonly #planned = new PlannedStreams();
  readonly #abort = new AbortController();
  readonly #takesChanges: boolean | undefined;

  private constructor(options: SmallHubOptions, db: Database, directory: Directory) {
    this.db = db;
    this.directory = directory;
    this.#takesChanges = options.takesChanges;
    this.receiver = new Receiver({ db, ...this.deps });
    this.leases = new Leases({
      db,
      holder: options.holder ?? `small-hub-${process.pid}-${++holders}`,
      ttlMs: options.leaseMs ?? 600_000,
    });
    for (const [code, connector] of Object.entries(options.connectors ?? {})) {
      if (connector === undefined) continue;
      const common = {
        db,
        deps: this.deps,
        leases: this.leases,
        destination: directory.destinations.get(code)!,
        connector,
        concurrency: 2,
        effectHorizonMs: options.effectHorizonMs ?? 0,
        attemptsMax: options.attemptsMax ?? 20,
        freshness: this.freshness,
        random: options.random ?? (() => 0),
        onCommit: () => {},
        onError: (error: unknown) => this.errors.push(error),
        signal: this.#abort.signal,
      };
      const outcomes = new Outcomes({ db, deps: this.deps, freshness: this.freshness, onCommit: () => {} });
      const dispatcher = new DeliveryDispatcher({
        ...common,
        outcomes,
        ...(options.now === undefined ? {} : { now: options.now }),
      });
      this.dispatchers.set(code, dispatcher);
      if (options.atOnce === true) this.#senders.set(common.destination.destinationId, dispatcher);
      const channel = [...directory.channels.values()].find((c) => c.system === code && c.sellsByItself) ?? null;
      this.publishers.set(code, new Publisher({ ...common, channel }));
      this.leases.want(Array.from({ length: BUCKETS }, (_, bucket) => leaseName(code, bucket)));
    }
  }

  static async open(options: SmallHubOptions): Promise<SmallHub> {
    const db =
      options.db ?? new Database({ url: options.url, poolMax: options.poolMax ?? 6, applicationName: 'small hub' });
    const hub = new SmallHub(options, db, await Directory.open(db, options.estate ?? smallEstate()));
    if (Object.keys(options.connectors ?? {}).length > 0) await hub.leases.beat();
    return hub;
  }

  get deps() {
    return { ids: this.ids, directory: this.directory, takesChanges: this.#takesChanges };
  }

  /** Nothing new leaves. */
  abort(): void {
    this.#abort.abort();
  }

  /** Resolves when no delivery is under way. */
  async sent(): Promise<void> {
    for (const dispatcher of this.dispatchers.values()) await dispatcher.settled();
  }

  async close(): Promise<void> {
    await this.receiver.drained();
    await this.db.end();
  }

  async seed(skus: readonly string[], accounts: readonly string[] = ['A1']): Promise<void> {
    await putProducts(
      this.db,
      skus.map((sku) => ({ sku })),
    );
    await putAccounts(
      this.db,
      this.directory,
      accounts.map((account) => ({ account, company: 'acme' })),
    );
    await this.directory.loadSkus(skus);
    await this.directory.loadSkuCodes(skus.map((sku) => this.sku(sku)));
  }

  sku(code: string): number {
    return this.directory.findSkuId(code)!;
  }

  location(code: string): number {
    return this.directory.locations.get(code)!.locationId;
  }

  receive(system: string, items: InboundItem[], rest: Partial<Message> = {}): Promise<ItemResult[]> {
    return this.receiver.receive({
      system,
      source: 'webhook',
      contentType: 'application/json',
      body: Buffer.from(JSON.stringify(items)),
      items: items.map((item, itemNo) => ({ ...item, itemNo })),
      onFault: system === 'api' ? 'refuse' : 'park',
      ...rest,
    });
  }

  /**
   * Plans until nothing is left to read. Transactions of other test files hold readers back, also from another database: what
   * they hide for the moment is waited for.
   */
  async plan(limit?: number): Promise<void> {
    const deps = {
      db: this.db,
      directory: this.directory,
      routing,
      senders: this.#senders,
      planned: this.#planned,
    };
    for (;;) {
      while ((await planNext(deps, limit)) > 0);
      if ((await logLag(this.db, CONSUMER)).behind === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async backorders(skus: readonly string[]): Promise<number> {
    const skuIds = skus.map((sku) => this.sku(sku));
    return this.db.transaction(async (tx) => (await allocateBackorders(tx, this.deps, skuIds)).served);
  }

  /** Gives what was freed to who waits, until nothing is left to read; see {@link plan}. @returns how many orders got something */
  async follow(): Promise<number> {
    for (let all = 0; ; await new Promise((resolve) => setTimeout(resolve, 2))) {
      all += (await followBackorders(this.db, this.deps)).served;
      if ((await logLag(this.db, BACKORDER_CONSUMER)).behind === 0) return all;
    }
  }

  /** Plans and delivers and publishes until everything rests. @returns how many rounds that took */
  async settle(roundsMax = 60): Promise<number> {
    for (let round = 1; round <= roundsMax; round++) {
      await this.plan();
      let worked = 0;
      for (const dispatcher of this.dispatchers.values()) worked += await dispatcher.round();
      for (const publisher of this.publishers.values())
        worked += (await publisher.stateRound()) + (await publisher.availabilityRound());
      if (worked === 0) return round;
    }
    throw new Error(`not at rest after ${roundsMax} rounds; errors: ${this.errors.join('; ')}`);
  }
}

/** Retries that wait for a moment become due at once. */
export function dueNow(): string {
  return `update delivery set next_at = '-infinity' where state in ('n', 'd') and next_at > crossdock_now();
          update publication set next_at = '-infinity' where state in ('n', 'd') and next_at > crossdock_now()`;
}

const DAY = '2026-03-02T10:00:00.000Z';

export interface OrderLineInput {
  lineNo?: number;
  sku: string;
  quantity: number;
  unitPrice?: string;
  within?: number;
}

export function order(
  channel: string,
  externalNo: string,
  lines: readonly OrderLineInput[],
  rest: Partial<OrderSubmitted> = {},
): InboundItem {
  const command: OrderSubmitted = {
    kind: 'order.submitted',
    channel,
    externalNo,
    company: 'acme',
    account: 'A1',
    currency: 'GBP',
    orderedAt: DAY,
    lines: lines.map((line, i) => ({ lineNo: i + 1, unitPrice: '1.00', ...line })),
    ...rest,
  };
  return item(`order/${channel}`, externalNo, command);
}

export function cancel(
  channel: string,
  orderNo: string,
  lineNo: number,
  quantity: number,
  reference: string,
  sku = 'X',
): InboundItem {
  const command: CancelRequested = {
    kind: 'order.cancel_requested',
    channel,
    reference,
    account: 'A1',
    occurredAt: DAY,
    order: orderNo,
    lineNo,
    sku,
    quantity,
  };
  return item(`cancel/${channel}`, `${reference}/${orderNo}/${lineNo}`, command);
}

type ChangeInput = Omit<OrderChangeRequested, 'kind' | 'channel' | 'order' | 'reference' | 'occurredAt' | 'lines'>;

/** `[lineNo, quantity]` a line, or more of it. */
export function changed(
  channel: string,
  orderNo: string,
  reference: string,
  lines: readonly (readonly [lineNo: number, quantity: number] | ChangedLineRequested)[],
  rest: ChangeInput = {},
): InboundItem {
  const command: OrderChangeRequested = {
    ...{ kind: 'order.change_requested', channel, order: orderNo, reference, occurredAt: DAY, ...rest },
    lines: lines.map((line) => ('quantity' in line ? line : { lineNo: line[0], quantity: line[1] })),
  };
  return { ...changeItem(command), itemNo: 0 };
}

export function orderCancelled(channel: string, orderNo: string, reference: string): InboundItem {
  const command = {
    kind: 'order.whole_cancel_requested',
    channel,
    order: orderNo,
    reference,
    occurredAt: DAY,
  } as const;
  return { ...orderCancelItem(command), itemNo: 0 };
}

export function moved(
  key: string,
  sku: string,
  location: string,
  quantity: number,
  rest: Partial<StockMoved> = {},
): InboundItem {
  const command: StockMoved = {
    kind: 'stock.moved',
    movement: quantity >= 0 ? 'received' : 'adjusted',
    sku,
    location,
    quantity,
    reference: key,
    occurredAt: DAY,
    ...rest,
  };
  return item('movement/wms', key, command);
}

/** What another system has allocated: `api/A 1` is line 1 of order A of channel api. */
export function allocatedOutside(
  system: string,
  reference: string,
  sku: string,
  location: string,
  quantity: number,
  rest: Partial<Omit<OutsideAllocated, 'line'>> & { line?: string | undefined } = {},
): InboundItem {
  const { line, occurredAt = DAY, ...other } = rest;
  const [channel, externalNo, lineNo] = (line ?? '').split(/[/ ]/);
  return {
    ...outsideAllocationItem(system, {
      kind: 'stock.allocated_outside',
      ...{ reference, sku, location, quantity, occurredAt, ...other },
      ...(line === undefined ? {} : { line: { channel: channel!, externalNo: externalNo!, lineNo: Number(lineNo) } }),
    }),
    itemNo: 0,
  };
}

type Lines = { lineNo: number; sku: string; quantity: number }[];

export function picked(
  key: string,
  fulfilment: string,
  lines: Lines,
  occurredAt = DAY,
  sequence?: number,
): InboundItem {
  const order = sequence === undefined ? {} : { sequence };
  return item('picked/wms', key, { kind: 'fulfilment.picked', fulfilment, occurredAt, ...order, lines });
}

export function shortPicked(key: string, fulfilment: string, lines: Lines, occurredAt = DAY): InboundItem {
  const command = { kind: 'fulfilment.short_picked', fulfilment, reason: 'empty bin', occurredAt, lines } as const;
  return item('short_picked/wms', key, command);
}

export function shipped(key: string, fulfilment: string, lines: Lines): InboundItem {
  return item('shipped/wms', key, {
    kind: 'fulfilment.shipped',
    fulfilment,
    shipment: `SH-${key}`,
    tracking: null,
    occurredAt: DAY,
    lines,
  });
}

export function returned(key: string, returnReference: string, lines: Lines): InboundItem {
  return item('returned/wms', key, { kind: 'return.received', returnReference, occurredAt: DAY, lines });
}

export function invoiced(
  number: string,
  reference: string,
  lines: { lineNo: number; quantity: number; amountMinor: number }[],
  document: 'invoice' | 'credit_note' = 'invoice',
): InboundItem {
  return item('document/erp', `${document}/${number}`, {
    kind: 'document.posted',
    document,
    number,
    order: reference,
    currency: 'GBP',
    totalMinor: lines.reduce((sum, line) => sum + line.amountMinor, 0),
    occurredAt: DAY,
    lines,
  });
}

export function item(scope: string, key: string, command: NonNullable<InboundItem['command']>): InboundItem {
  return { scope, key, fingerprint: fingerprint('t1', command), itemNo: 0, command };
}

/** A sink that a test gives its own behaviour. */
export function withAvailability(system: MemorySystem, sink: AvailabilitySink): MemorySystem {
  system.availability = sink;
  return system;
}
