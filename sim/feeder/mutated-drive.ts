/** What the mutations of a plan mean in the systems: people act in shop, marketplace, CRM and ERP, callers ask the hub. */
import { setTimeout as wait } from 'node:timers/promises';
import { channelOf } from './channels.ts';
import { utcText } from './london.ts';
import { CHECKED_CHANNELS, type MutatedEvent, type Mutations } from './mutations.ts';
import { COMPANY, CURRENCY, type Plan } from './plan.ts';
import type { Counts } from './progress.ts';
import { hash32 } from './random.ts';
import type { Sender } from './sender.ts';

const LIMITS_MAX = 200;
const PRODUCTS_MAX = 500;
/** The WMS takes its time, so that a mind that changes at once is in time, and one that changes later may be. */
const PICK_MS = [150, 600];
const REST_MS = 300;
const REST_MS_MAX = 60_000;
/** Who decides what is held, in answers and facts. */
const PERSON = 'ann of the office';

type Acted<T extends MutatedEvent['type']> = Extract<MutatedEvent, { type: T }>;

export class MutatedDrive {
  private readonly plan: Plan;
  private readonly mutations: Mutations;
  private readonly sender: Sender;
  /** Submits an order of the API again, under its own key: the same answer, with its id. */
  private readonly orderIdOf: (number: string) => Promise<string | undefined>;

  constructor(
    plan: Plan,
    mutations: Mutations,
    sender: Sender,
    orderIdOf: (number: string) => Promise<string | undefined>,
  ) {
    this.plan = plan;
    this.mutations = mutations;
    this.sender = sender;
    this.orderIdOf = orderIdOf;
  }

  /** Before the first order: limits in the ERP, substitutes, and how the warehouse goes about it. */
  async prepare(): Promise<void> {
    const { limits, substitutes, rates } = this.mutations;
    const known = new Map(limits.map((limit) => [limit.account, limit.limitMinor]));
    const all = this.plan.table.accounts.list.filter((account) => CHECKED_CHANNELS.includes(channelOf(account)));
    for (let from = 0; from < all.length; from += LIMITS_MAX) {
      const part = all.slice(from, from + LIMITS_MAX).map((account) => ({
        ...{ company: COMPANY, account, currency: CURRENCY, limitMinor: known.get(account) ?? null },
      }));
      await this.sender.people('erp', 'limits', part, ({ account }) => account);
    }
    const products = [...substitutes].map(([sku, instead]) => ({ sku, substitutes: [instead] }));
    for (let from = 0; from < products.length; from += PRODUCTS_MAX) {
      const part = products.slice(from, from + PRODUCTS_MAX);
      const key = `substitutes/${part[0]!.sku}/${part.length}`;
      await this.sender.hubBatch('products', part, key, ({ sku }) => sku);
    }
    await this.sender.drive('wms', 'habits', { shortPicks: rates.shortPicked, inspects: true, pickMs: PICK_MS });
  }

  async act(event: MutatedEvent): Promise<Partial<Counts>> {
    switch (event.type) {
      case 'change':
        return this.change(event);
      case 'part_cancel':
        return this.partCancel(event);
      case 'return':
        return this.giveBack(event);
      case 'price': {
        const { sku, unitPrice } = event.step;
        const price = { sku, company: COMPANY, currency: CURRENCY, unitPrice };
        await this.sender.people('erp', 'prices', [price], (one) => one.sku);
        return { prices: 1 };
      }
      case 'payment': {
        const { account, paysMinor } = event.limit;
        const payment = { reference: `PAY-${account}`, company: COMPANY, account, currency: CURRENCY };
        await this.sender.people('erp', 'payments', [{ ...payment, amountMinor: paysMinor }], (one) => one.reference);
        return { payments: 1 };
      }
      default:
        throw new Error(`${event.type} is nothing that goes otherwise`);
    }
  }

  private async change({ channel, number, at, change }: Acted<'change'>): Promise<Partial<Counts>> {
    const { reference, lines } = change;
    if (channel !== 'api') {
      const asked = { order: number, reference, at: utcText(at), lines };
      const { refused } = await this.sender.people(channel, 'changes', [asked], (one) => one.reference);
      return refused.size > 0 ? { refused: 1 } : { changes: 1 };
    }
    const orderId = await this.orderIdOf(number);
    if (orderId === undefined) return { refused: 1 };
    const body = { reference, at: utcText(at), lines };
    const answer = await this.sender.hub(`orders/${orderId}/changes`, body, `api/${reference}`);
    if (answer.status >= 300) this.sender.note('hub/changes', reference, answer.status, answer.body);
    return { changes: 1 };
  }

  private async partCancel({ channel, account, number, at, cancel }: Acted<'part_cancel'>): Promise<Partial<Counts>> {
    const { table } = this.plan;
    const { reference, row, quantity } = cancel;
    const sku = table.skus.at(table.sku.at(row));
    const unitPrice = table.prices.at(table.price.at(row));
    const line = { order: number, lineNo: table.lineNo.at(row), sku, quantity, unitPrice };
    const asked = { reference, account, at: utcText(at), lines: [line] };
    const nameOf = (one: { reference: string }) => one.reference;
    const { refused } = await (channel === 'api'
      ? this.sender.hubBatch('cancellations', [{ channel, ...asked }], `api/cancel/${reference}`, nameOf)
      : this.sender.people(channel, 'cancels', [asked], nameOf));
    return refused.size > 0 ? { refused: 1 } : { cancelledInPart: 1 };
  }

  private async giveBack({ channel, number, at, back }: Acted<'return'>): Promise<Partial<Counts>> {
    const { table } = this.plan;
    const { reference, reason } = back;
    const lines = back.lines.map(({ row, quantity }) => ({ lineNo: table.lineNo.at(row), quantity }));
    const asked = { order: number, reference, reason, at: utcText(at), lines };
    if (channel !== 'api') {
      const { refused } = await this.sender.people(channel, 'returns', [asked], (one) => one.reference);
      return refused.size > 0 ? { refused: 1 } : { returns: 1 };
    }
    const answer = await this.sender.hub('returns', { channel, ...asked }, `api/${reference}`);
    if (answer.status >= 300) this.sender.note('hub/returns', reference, answer.status, answer.body);
    return { returns: 1 };
  }

  /** Once the warehouse has nothing left to do: goods come back, and a person decides what is held. */
  async late(events: readonly MutatedEvent[]): Promise<Partial<Counts>> {
    await this.rest();
    const sum: Record<string, number> = {};
    const add = (counts: Partial<Counts>): void => {
      for (const [name, value] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + value;
    };
    for (const event of events) add(await this.act(event));
    await this.rest();
    add(await this.decideHolds());
    return sum;
  }

  /** Of those that are held for credit or price some go on, some are given up, and some nobody looked at yet. */
  private async decideHolds(): Promise<Partial<Counts>> {
    const counts = { released: 0, givenUp: 0, leftHeld: 0 };
    type Hold = { holdId: string; orderId: string; order: string; kind: string };
    const holds: Hold[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await this.sender.look(`holds?state=open&limit=100${cursor}`);
      const page = body as { holds: Hold[]; nextCursor: string | null };
      holds.push(...page.holds);
      if (page.nextCursor === null) break;
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
    for (const { holdId, orderId, order } of holds) {
      const of = hash32(`${this.plan.seed}/decide/${order}`) % 3;
      if (of === 0) {
        counts.leftHeld += 1;
        continue;
      }
      const [route, body] =
        of === 1
          ? [`holds/${holdId}/release`, { by: PERSON, reason: 'agreed by telephone' }]
          : [`orders/${orderId}/cancel`, { reference: `GIVEN-UP-${order}` }];
      const answer = await this.sender.hub(route, body, `decide/${holdId}`);
      if (answer.status >= 300) this.sender.note(`hub/${route}`, order, answer.status, answer.body);
      else if (of === 1) counts.released += 1;
      else counts.givenUp += 1;
    }
    return counts;
  }

  /** Nothing is under way in the warehouse in two looks in a row, or it takes too long. */
  private async rest(): Promise<void> {
    let calm = 0;
    for (let spent = 0; calm < 3 && spent < REST_MS_MAX; spent += REST_MS) {
      const { body } = await this.sender.stats('wms');
      const { pending, fulfilments } = body as { pending?: number; fulfilments?: number };
      calm = pending === 0 && (fulfilments ?? 0) > 0 ? calm + 1 : 0;
      await wait(REST_MS);
    }
  }
}
