/** What each event of the plan means in the systems: people's acts go to the systems, API calls and charges to the hub. */
import { createHash } from 'node:crypto';
import {
  type CancelBody,
  cancelBodies,
  chargeBodies,
  masterData,
  orderBody,
  receiptBody,
  referenceOf,
  zeroPriceBody,
} from './bodies.ts';
import { utcText } from './london.ts';
import { driveMerged } from './merged-stream.ts';
import { MutatedDrive } from './mutated-drive.ts';
import type { MutatedEvent, Mutations } from './mutations.ts';
import { COMPANY, CURRENCY, type FeedEvent, type Plan } from './plan.ts';
import type { Counts, ProgressFile } from './progress.ts';
import type { Sender, Taken } from './sender.ts';
import { homeOf } from './stock-plan.ts';

export const WINDOW_EVENTS = 200;
export const IN_FLIGHT_MAX = 64;
const DRIVE_ORDERS_MAX = 20;
const CANCELS_MAX = 50;
const MASTER_MAX = 1000;
const CHARGES_MAX = 500;
const RECEIPTS_MAX = 20;
const WRITE_OFF_EXPIRES_SECONDS = 3600;

type Invoice = Extract<FeedEvent, { type: 'order' | 'cancel' }>;
type Charges = Extract<FeedEvent, { type: 'charges' }>;
type Receiving = Extract<FeedEvent, { type: 'receipt' | 'zero_price_receipt' }>;

export class Drive {
  private readonly plan: Plan;
  private readonly sender: Sender;
  private readonly progress: ProgressFile;
  onAdvance: () => void = () => undefined;
  /** Waits until an event is due; without it everything is fed as fast as it is taken. */
  due: ((place: number) => Promise<void>) | undefined;

  private readonly events: readonly MutatedEvent[];
  private readonly lateEvents: readonly MutatedEvent[];
  private readonly mutated: MutatedDrive | undefined;
  private readonly changed: Mutations['changes'] | undefined;
  /** Of orders that their caller will change. */
  private readonly apiOrders = new Map<string, string>();

  constructor(plan: Plan, sender: Sender, progress: ProgressFile, mutations?: Mutations) {
    this.plan = plan;
    this.sender = sender;
    this.progress = progress;
    this.events = mutations?.events ?? plan.events;
    this.lateEvents = mutations?.late ?? [];
    this.changed = mutations?.changes;
    if (mutations !== undefined)
      this.mutated = new MutatedDrive(plan, mutations, sender, (number) => this.apiOrderId(number));
  }

  async master(): Promise<void> {
    const { products, accounts, prices } = masterData(this.plan);
    await this.inChunks('products', products, MASTER_MAX);
    await this.inChunks('accounts', accounts, MASTER_MAX);
    await this.inChunks('prices', prices, MASTER_MAX);
    await this.mutated?.prepare();
  }

  /** What waits until the goods are there. */
  async late(): Promise<void> {
    if (this.mutated !== undefined) this.progress.count(await this.mutated.late(this.lateEvents));
  }

  async opening(): Promise<void> {
    for (const receipt of this.plan.stock.opening) {
      await this.sender.people('wms', 'receipts', [receiptBody(receipt)], (body) => body.reference);
    }
  }

  feed(): Promise<void> {
    return driveMerged<MutatedEvent>({
      events: this.events,
      from: this.progress.current.frontier,
      window: WINDOW_EVENTS,
      inFlightMax: IN_FLIGHT_MAX,
      laneOf: (event) => this.laneOf(event),
      // What goes in one call goes at the moment of its first: at a pace each has its own.
      joins: (gathered, next) => this.due === undefined && joins(gathered, next),
      run: (events, places) => this.run(events, places),
      onFrontier: (frontier) => {
        this.progress.reach(frontier);
        this.onAdvance();
      },
    });
  }

  private laneOf(event: MutatedEvent): string {
    switch (event.type) {
      case 'order':
      case 'cancel':
      case 'change':
      case 'part_cancel':
      case 'return':
        return event.channel === 'api' ? `api/${event.account}` : event.channel;
      case 'write_off':
        return `write_off/${this.plan.table.sku.at(event.rows[0]!)}`;
      default:
        return event.type;
    }
  }

  private async run(events: readonly MutatedEvent[], places: readonly number[]): Promise<void> {
    await this.due?.(places[0]!);
    const did = await this.act(events);
    events.forEach((event, index) => {
      const lines = 'rows' in event ? event.rows.length : 0;
      this.progress.did(places[index]!, { lines, ...did[index] });
    });
  }

  /** @returns for each event what it came to; events of one call may be counted at different times */
  private async act(events: readonly MutatedEvent[]): Promise<Partial<Counts>[]> {
    const first = events[0]!;
    switch (first.type) {
      case 'order':
        return first.channel === 'api' ? [await this.apiOrder(first)] : this.channelOrders(events as Invoice[]);
      case 'cancel':
        return [await this.cancels(first)];
      case 'charges':
        return this.charges(events as Charges[]);
      case 'receipt':
      case 'zero_price_receipt':
        return this.receipts(events as Receiving[]);
      case 'write_off':
        return [await this.writeOff(first.rows[0]!)];
      default:
        return [await this.mutated!.act(first)];
    }
  }

  private async channelOrders(events: readonly Invoice[]): Promise<Partial<Counts>[]> {
    const channel = events[0]!.channel as 'shop' | 'marketplace' | 'crm';
    const orders = events.map((event) => orderBody(this.plan, event));
    const { refused } = await this.sender.people(channel, 'orders', orders, (order) => order.number);
    return orders.map((_, index) => (refused.has(index) ? { refused: 1 } : { orders: 1 }));
  }

  private async charges(events: readonly Charges[]): Promise<Partial<Counts>[]> {
    const rows = events.flatMap((event) => event.rows);
    const refused = await this.inChunks('charges', chargeBodies(this.plan, rows), CHARGES_MAX);
    let before = 0;
    return events.map((event) => {
      const from = before;
      before += event.rows.length;
      return { refused: event.rows.filter((_, index) => refused.has(from + index)).length };
    });
  }

  private async receipts(events: readonly Receiving[]): Promise<Partial<Counts>[]> {
    const bodies = events.map((event) =>
      event.type === 'receipt' ? receiptBody(event.receipt) : zeroPriceBody(this.plan, event),
    );
    const { refused } = await this.sender.people('wms', 'receipts', bodies, (body) => body.reference);
    return bodies.map((_, index) => (refused.has(index) ? { refused: 1 } : { receipts: 1 }));
  }

  private async apiOrder(event: Invoice): Promise<Partial<Counts>> {
    const { number, account, orderedAt, lines } = orderBody(this.plan, event);
    const body = {
      company: COMPANY,
      channel: 'api',
      externalNo: number,
      account,
      currency: CURRENCY,
      orderedAt,
      lines,
    };
    const answer = await this.sender.hub('orders', body, `api/${number}`);
    if (answer.status < 300) {
      if (this.changed?.has(number)) this.apiOrders.set(number, (answer.body as { orderId: string }).orderId);
      return { orders: 1 };
    }
    this.sender.note('hub/orders', number, answer.status, answer.body);
    return { refused: 1 };
  }

  private async apiOrderId(number: string): Promise<string | undefined> {
    const order = this.events.find((event): event is Invoice => event.type === 'order' && event.number === number);
    if (!this.apiOrders.has(number) && order !== undefined) await this.apiOrder(order);
    return this.apiOrders.get(number);
  }

  private async cancels(event: Invoice): Promise<Partial<Counts>> {
    const all = cancelBodies(this.plan, event);
    let refused = 0;
    for (let index = 0; index < all.length; index += CANCELS_MAX) {
      const cancels = all.slice(index, index + CANCELS_MAX);
      const taken = await (event.channel === 'api'
        ? this.apiCancels(cancels)
        : this.sender.people(event.channel, 'cancels', cancels, (cancel) => cancel.reference));
      refused += taken.refused.size;
    }
    return { cancels: all.length - refused, refused };
  }

  private async apiCancels(cancels: readonly CancelBody[]): Promise<Taken> {
    const cancellations = cancels.map((cancel) => ({ channel: 'api', ...cancel }));
    const key = `api/cancel/${cancels[0]!.reference}`;
    return this.sender.hubBatch('cancellations', cancellations, key, (cancel) => cancel.reference);
  }

  /** Nobody may write off what is promised to somebody: first the hub gives the units free, then they leave the shelf. */
  private async writeOff(row: number): Promise<Partial<Counts>> {
    const { table, seed } = this.plan;
    const sku = table.skus.at(table.sku.at(row));
    const asked = -table.quantity.at(row);
    const reference = referenceOf(this.plan, row);
    const body = {
      channel: 'api',
      sku,
      quantity: asked,
      location: homeOf(seed, sku),
      partial: true,
      purpose: 'write_off',
      expiresInSeconds: WRITE_OFF_EXPIRES_SECONDS,
    };
    const answer = await this.sender.hub('reservations', body, `write_off/${reference}`);
    if (answer.status >= 300) {
      if (answer.status !== 409) this.sender.note('hub/reservations', reference, answer.status, answer.body);
      return { unitsNotGranted: asked };
    }
    const reservation = answer.body as {
      reservationId: string | number;
      lines: { location: string; quantity: number }[];
    };
    const granted = reservation.lines.filter((line) => line.quantity > 0);
    const unitsGranted = granted.reduce((sum, line) => sum + line.quantity, 0);
    const adjustments = granted.map((line, index) => ({
      // One reservation may lie in several places; each adjustment needs a reference of its own.
      reference: index === 0 ? `res:${reservation.reservationId}` : `res:${reservation.reservationId}/${line.location}`,
      location: line.location,
      at: utcText(table.at.at(row)),
      lines: [{ sku, quantity: -line.quantity }],
    }));
    let unitsTaken = 0;
    if (adjustments.length > 0) {
      const { results } = await this.sender.people('wms', 'adjustments', adjustments, (each) => each.reference);
      // The WMS takes what it has: less than was granted means that the hub believed in units which aren't there.
      for (const result of results as { lines?: { quantity: number }[] }[]) {
        for (const line of result.lines ?? []) unitsTaken -= line.quantity;
      }
    }
    return { unitsGranted, unitsNotGranted: asked - unitsGranted, unitsGrantedInVain: unitsGranted - unitsTaken };
  }

  /** Keys are made of the content, so a resume that cuts the chunks elsewhere can't meet its own key with other content. */
  private async inChunks(route: string, items: readonly unknown[], chunk: number): Promise<Set<number>> {
    const refused = new Set<number>();
    for (let from = 0; from < items.length; from += chunk) {
      const part = items.slice(from, from + chunk);
      const key = `${route}/${createHash('sha256').update(JSON.stringify(part)).digest('hex').slice(0, 32)}`;
      const taken = await this.sender.hubBatch(route, part, key, nameOf);
      for (const index of taken.refused) refused.add(from + index);
    }
    return refused;
  }
}

function nameOf(item: unknown): string {
  const { sku, account, reference } = item as { sku?: string; account?: string; reference?: string };
  return reference ?? sku ?? account ?? '?';
}

function joins(gathered: readonly MutatedEvent[], next: MutatedEvent): boolean {
  const first = gathered[0]!;
  if (first.type !== next.type) return false;
  switch (first.type) {
    case 'order':
      return first.channel !== 'api' && gathered.length < DRIVE_ORDERS_MAX;
    case 'charges':
      return gathered.length < DRIVE_ORDERS_MAX;
    case 'zero_price_receipt':
    case 'receipt':
      return gathered.length < RECEIPTS_MAX;
    default:
      return false;
  }
}
