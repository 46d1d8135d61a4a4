/** What each event of the plan means in the systems: people's acts go to the systems, API calls and charges to the hub. */
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
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
import type { Answer, Caller } from './caller.ts';
import { utcText } from './london.ts';
import { driveMerged } from './merged-stream.ts';
import { COMPANY, CURRENCY, type FeedEvent, type Plan } from './plan.ts';
import type { Counts, ProgressFile } from './progress.ts';
import { homeOf } from './stock-plan.ts';

export interface Urls {
  shop: string;
  marketplace: string;
  crm: string;
  wms: string;
  hub: string;
}

export const WINDOW_EVENTS = 200;
export const IN_FLIGHT_MAX = 64;
const DRIVE_ORDERS_MAX = 20;
const CANCELS_MAX = 50;
const MASTER_MAX = 1000;
const CHARGES_MAX = 500;
const RECEIPTS_MAX = 20;
const WRITE_OFF_EXPIRES_SECONDS = 3600;

type Invoice = Extract<FeedEvent, { type: 'order' | 'cancel' }>;
type Receiving = Extract<FeedEvent, { type: 'receipt' | 'zero_price_receipt' }>;

export class Drive {
  private readonly plan: Plan;
  private readonly urls: Urls;
  private readonly hubKey: string;
  private readonly caller: Caller;
  private readonly progress: ProgressFile;
  private readonly refusedFile: string;
  onAdvance: () => void = () => undefined;

  constructor(plan: Plan, urls: Urls, hubKey: string, caller: Caller, progress: ProgressFile, stateDir: string) {
    this.plan = plan;
    this.urls = urls;
    this.hubKey = hubKey;
    this.caller = caller;
    this.progress = progress;
    this.refusedFile = join(stateDir, 'refused.ndjson');
  }

  async master(): Promise<void> {
    const { products, accounts, prices } = masterData(this.plan);
    await this.inChunks('products', products, MASTER_MAX);
    await this.inChunks('accounts', accounts, MASTER_MAX);
    await this.inChunks('prices', prices, MASTER_MAX);
  }

  async opening(): Promise<void> {
    for (const receipt of this.plan.stock.opening) {
      await this.people('wms', 'receipts', 'receipts', [receiptBody(receipt)], [receipt.reference]);
    }
  }

  feed(): Promise<void> {
    return driveMerged<FeedEvent>({
      events: this.plan.events,
      from: this.progress.current.frontier,
      window: WINDOW_EVENTS,
      inFlightMax: IN_FLIGHT_MAX,
      laneOf: (event) => this.laneOf(event),
      joins: (gathered, next) => joins(gathered, next),
      run: (events, places) => this.run(events, places),
      onFrontier: (frontier) => {
        this.progress.reach(frontier);
        this.onAdvance();
      },
    });
  }

  private laneOf(event: FeedEvent): string {
    switch (event.type) {
      case 'order':
      case 'cancel':
        return event.channel === 'api' ? `api/${event.account}` : event.channel;
      case 'write_off':
        return `write_off/${this.plan.table.sku.at(event.rows[0]!)}`;
      default:
        return event.type;
    }
  }

  private async run(events: readonly FeedEvent[], places: readonly number[]): Promise<void> {
    const did = await this.act(events);
    events.forEach((event, index) => {
      const lines = 'rows' in event ? event.rows.length : 0;
      this.progress.did(places[index]!, { lines, ...(index === 0 ? did : {}) });
    });
  }

  private async act(events: readonly FeedEvent[]): Promise<Partial<Counts>> {
    const first = events[0]!;
    switch (first.type) {
      case 'order':
        return first.channel === 'api' ? this.apiOrder(first) : this.channelOrders(events as Invoice[]);
      case 'cancel':
        return this.cancels(first);
      case 'charges': {
        const rows = events.flatMap((event) => ('rows' in event ? event.rows : []));
        const refused = await this.inChunks('charges', chargeBodies(this.plan, rows), CHARGES_MAX);
        return { refused };
      }
      case 'receipt':
      case 'zero_price_receipt': {
        const bodies = (events as Receiving[]).map((event) =>
          event.type === 'receipt' ? receiptBody(event.receipt) : zeroPriceBody(this.plan, event),
        );
        const references = bodies.map((body) => body.reference);
        const refused = await this.people('wms', 'receipts', 'receipts', bodies, references);
        return { receipts: bodies.length, refused };
      }
      case 'write_off':
        return this.writeOff(first.rows[0]!);
    }
  }

  private async channelOrders(events: readonly Invoice[]): Promise<Partial<Counts>> {
    const channel = events[0]!.channel as 'shop' | 'marketplace' | 'crm';
    const orders = events.map((event) => orderBody(this.plan, event));
    const numbers = orders.map((order) => order.number);
    const refused = await this.people(channel, 'orders', 'orders', orders, numbers);
    return { orders: orders.length - refused, refused };
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
    const answer = await this.hub('orders', body, `api/${number}`);
    if (answer.status < 300) return { orders: 1 };
    this.refused('hub/orders', number, answer.status, answer.body);
    return { refused: 1 };
  }

  private async cancels(event: Invoice): Promise<Partial<Counts>> {
    const all = cancelBodies(this.plan, event);
    let refused = 0;
    for (let index = 0; index < all.length; index += CANCELS_MAX) {
      const cancels = all.slice(index, index + CANCELS_MAX);
      refused += await (event.channel === 'api'
        ? this.apiCancels(cancels)
        : this.people(
            event.channel,
            'cancels',
            'cancels',
            cancels,
            cancels.map((cancel) => cancel.reference),
          ));
    }
    return { cancels: all.length - refused, refused };
  }

  private async apiCancels(cancels: readonly CancelBody[]): Promise<number> {
    const cancellations = cancels.map((cancel) => ({ channel: 'api', ...cancel }));
    const references = cancels.map((cancel) => cancel.reference);
    const answer = await this.hub('cancellations', { cancellations }, `api/cancel/${references[0]}`);
    return this.countRefused('hub/cancellations', answer, references);
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
    const answer = await this.hub('reservations', body, `write_off/${reference}`);
    if (answer.status >= 300) {
      if (answer.status !== 409) this.refused('hub/reservations', reference, answer.status, answer.body);
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
    if (adjustments.length > 0) {
      const references = adjustments.map((adjustment) => adjustment.reference);
      await this.people('wms', 'adjustments', 'adjustments', adjustments, references);
    }
    return { unitsGranted, unitsNotGranted: asked - unitsGranted };
  }

  /** @returns how many were refused */
  private async people(
    system: keyof Urls,
    route: string,
    field: string,
    items: readonly unknown[],
    references: readonly string[],
  ): Promise<number> {
    const answer = await this.caller.post(`${this.urls[system]}/_drive/${route}`, { [field]: items });
    return this.countRefused(`${system}/${route}`, answer, references);
  }

  private hub(route: string, body: unknown, key: string): Promise<Answer> {
    return this.caller.post(`${this.urls.hub}/v1/${route}`, body, { bearer: this.hubKey, key });
  }

  /** Keys are made of the content, so a resume that cuts the chunks elsewhere can't meet its own key with other content. */
  private async inChunks(route: string, items: readonly unknown[], chunk: number): Promise<number> {
    let refused = 0;
    for (let index = 0; index < items.length; index += chunk) {
      const part = items.slice(index, index + chunk);
      const key = `${route}/${createHash('sha256').update(JSON.stringify(part)).digest('hex').slice(0, 32)}`;
      const answer = await this.hub(route, { [route]: part }, key);
      refused += this.countRefused(
        `hub/${route}`,
        answer,
        part.map((item) => nameOf(item)),
      );
    }
    return refused;
  }

  private countRefused(where: string, answer: Answer, references: readonly string[]): number {
    if (answer.status >= 300) {
      this.refused(where, references.join(' '), answer.status, answer.body);
      return references.length;
    }
    const results = (answer.body as { results?: { status?: number; error?: unknown }[] } | null)?.results;
    if (!Array.isArray(results)) return 0;
    let refused = 0;
    results.forEach((result, index) => {
      if (typeof result.status !== 'number' || result.status < 300) return;
      refused += 1;
      this.refused(where, references[index] ?? '?', result.status, result);
    });
    return refused;
  }

  private refused(where: string, reference: string, status: number, body: unknown): void {
    const line = JSON.stringify({ where, reference, status, body });
    appendFileSync(this.refusedFile, `${line.slice(0, 4000)}\n`);
  }
}

function nameOf(item: unknown): string {
  const { sku, account, reference } = item as { sku?: string; account?: string; reference?: string };
  return reference ?? sku ?? account ?? '?';
}

function joins(gathered: readonly FeedEvent[], next: FeedEvent): boolean {
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
