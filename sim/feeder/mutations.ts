/**
 * What goes otherwise than the file says: minds that change, goods that come back, accounts beyond their credit, SKUs that others may
 * stand for, prices that move. Pure: the plan and its seed decide, each order by its own number, so that a slice of the file meets the
 * same as the whole.
 */
import { CHANNELS } from './channels.ts';
import { amountMinor } from './money.ts';
import type { FeedEvent, Plan } from './plan.ts';
import { driftOf, type PriceStep } from './price-drift.ts';
import { hash32 } from './random.ts';

export interface MutationRates {
  /** Shares of orders. */
  changed: number;
  cancelledInPart: number;
  shortPicked: number;
  returned: number;
  /** Accounts whose limit is below what they order. */
  overCredit: number;
  /** SKUs that are substituted or stand in. */
  substitutes: number;
  /** Share of SKUs whose price moves while orders come. */
  pricesDrifting: number;
}

/** Of the real file, as they were asked for. */
export const USUAL_RATES: MutationRates = {
  changed: 0.05,
  cancelledInPart: 0.05,
  shortPicked: 0.03,
  returned: 0.02,
  overCredit: 10,
  substitutes: 200,
  pricesDrifting: 0.1,
};

/** @param text JSON of some of the rates, the others as usual; '' : all as usual. @throws of what is no rate */
export function mutationRates(text: string): MutationRates {
  const given = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) {
    if (!(name in USUAL_RATES)) throw new Error(`unknown rate ${name}; known: ${Object.keys(USUAL_RATES).join(', ')}`);
    if (typeof value !== 'number' || !(value >= 0)) throw new Error(`rate ${name} must be a number from 0`);
  }
  return { ...USUAL_RATES, ...given };
}

export interface ChangedLine {
  lineNo: number;
  /** All units of it from now on. */
  quantity: number;
  /** Of a line that was not there. */
  sku?: string;
  unitPrice?: string;
}
export type ChangeKind = 'raise' | 'lower' | 'remove' | 'add';
export interface Change {
  /** Its reference is the same in each system and each run. */
  reference: string;
  kinds: ChangeKind[];
  lines: ChangedLine[];
}
export interface PartCancel {
  reference: string;
  row: number;
  quantity: number;
}
export interface GivenBack {
  reference: string;
  reason: string;
  lines: { row: number; quantity: number }[];
}
export interface CreditLimit {
  account: string;
  limitMinor: number;
  /** What it pays in between; 0: nothing. */
  paysMinor: number;
}

export interface Mutations {
  rates: MutationRates;
  /** By order number; no order has two of these. */
  changes: Map<string, Change>;
  partCancels: Map<string, PartCancel>;
  returns: Map<string, GivenBack>;
  limits: CreditLimit[];
  /** A SKU and the one that may be sent instead: no SKU is in two pairs. */
  substitutes: Map<string, string>;
  prices: PriceStep[];
  /** With all that happens beside what the file says, each at its place. */
  events: MutatedEvent[];
  /** What waits until the goods are there. */
  late: MutatedEvent[];
}

type Order = Extract<FeedEvent, { type: 'order' | 'cancel' }>;
type OfOrder = Pick<Order, 'channel' | 'account' | 'number' | 'at'>;
export type MutatedEvent =
  | FeedEvent
  | (OfOrder & { type: 'change'; change: Change })
  | (OfOrder & { type: 'part_cancel'; cancel: PartCancel })
  | (OfOrder & { type: 'return'; back: GivenBack })
  | { type: 'price'; at: number; step: PriceStep }
  | { type: 'payment'; at: number; limit: CreditLimit };

/** Accounts that ask before they buy: whoever sells by itself has been paid. */
export const CHECKED_CHANNELS: readonly string[] = CHANNELS.filter((channel) => channel === 'crm' || channel === 'api');
const REASONS = ['too big', 'broken', 'not as shown', 'changed my mind'];
/** How many events later a mind changes, most of them at once. */
const LATER = [0, 0, 0, 40, 400] as const;
const RETURNS_LATER = [1_500, 4_000] as const;

/** A number in [0, 1) that hangs on seed and name alone. */
function roll(seed: number, name: string): number {
  return hash32(`${seed}/${name}`) / 4_294_967_296;
}
function pick<T>(seed: number, name: string, from: readonly T[]): T {
  return from[hash32(`${seed}/${name}`) % from.length]!;
}
/** From 1 to `most`. */
function count(seed: number, name: string, most: number): number {
  return 1 + (hash32(`${seed}/${name}`) % Math.max(1, most));
}

export function mutate(plan: Plan, rates: MutationRates = USUAL_RATES): Mutations {
  const { seed } = plan;
  const orders = plan.events.filter((event): event is Order => event.type === 'order');
  const mutations: Mutations = {
    rates,
    changes: new Map(),
    partCancels: new Map(),
    returns: new Map(),
    limits: limitsOf(plan, orders, rates.overCredit),
    substitutes: substitutesOf(plan, rates.substitutes),
    prices: driftOf(plan, rates.pricesDrifting),
    events: [],
    late: [],
  };
  const { changed, cancelledInPart, returned } = rates;
  for (const order of orders) {
    const kind = roll(seed, `mutation/${order.number}`);
    // What the file itself undoes is left to the file: then it can be said of each unit why it is where it is.
    const free = order.rows.filter((row) => plan.matches.cancelled[row] === 0);
    if (free.length === 0) continue;
    if (kind < changed) mutations.changes.set(order.number, changeOf(plan, order, free));
    else if (kind < changed + cancelledInPart) mutations.partCancels.set(order.number, partCancelOf(plan, order, free));
    else if (kind < changed + cancelledInPart + returned)
      mutations.returns.set(order.number, givenBackOf(plan, order, free));
  }
  place(plan, mutations);
  return mutations;
}

function changeOf(plan: Plan, order: Order, free: readonly number[]): Change {
  const { table, seed } = plan;
  const { number } = order;
  const change: Change = { reference: `CH-${number}`, kinds: [], lines: [] };
  const left = [...free];
  const lines = 1 + Number(free.length > 1 && roll(seed, `two/${number}`) < 0.3);
  for (let n = 0; n < lines; n += 1) {
    const of = roll(seed, `change/${number}/${n}`);
    if (of < 0.2 && n === 0) {
      const added = newLine(plan, order);
      if (added !== undefined) {
        change.kinds.push('add');
        change.lines.push(added);
        continue;
      }
    }
    const [row] = left.splice(hash32(`${seed}/line/${number}/${n}`) % left.length, 1) as [number];
    const quantity = table.quantity.at(row);
    const lineNo = table.lineNo.at(row);
    if (of < 0.35 && order.rows.length > 2) {
      change.kinds.push('remove');
      change.lines.push({ lineNo, quantity: 0 });
    } else if (of < 0.65 && quantity > 1) {
      change.kinds.push('lower');
      change.lines.push({ lineNo, quantity: quantity - count(seed, `less/${number}/${n}`, quantity - 1) });
    } else {
      change.kinds.push('raise');
      change.lines.push({ lineNo, quantity: quantity + count(seed, `more/${number}/${n}`, Math.ceil(quantity / 2)) });
    }
  }
  return change;
}

/** A SKU that the order has not got, at its usual price, below all lines of its invoice. */
function newLine(plan: Plan, order: Order): ChangedLine | undefined {
  const { table, seed, basePrices } = plan;
  const own = new Set(order.rows.map((row) => table.sku.at(row)));
  for (let tries = 0; tries < 20; tries += 1) {
    const sku = hash32(`${seed}/new/${order.number}/${tries}`) % table.skus.list.length;
    const unitPrice = basePrices[sku];
    if (own.has(sku) || unitPrice === undefined || Number(unitPrice) === 0) continue;
    const last = Math.max(...order.rows.map((row) => table.lineNo.at(row)));
    // Lines of other kinds are numbered, too: room for all that an invoice may have.
    const quantity = count(seed, `units/${order.number}`, 6);
    return { lineNo: last + 10_000, quantity, sku: table.skus.at(sku), unitPrice };
  }
  return undefined;
}

function partCancelOf(plan: Plan, order: Order, free: readonly number[]): PartCancel {
  const { seed, table } = plan;
  const row = pick(seed, `cancel/${order.number}`, free);
  // A part of the line where there is one, so that the order goes on without it.
  const most = Math.max(1, table.quantity.at(row) - 1);
  return { reference: `PC-${order.number}`, row, quantity: count(seed, `cancelled/${order.number}`, most) };
}

function givenBackOf(plan: Plan, order: Order, free: readonly number[]): GivenBack {
  const { seed, table } = plan;
  const first = pick(seed, `return/${order.number}`, free);
  const rows = [first, ...free.filter((row) => row !== first).slice(0, hash32(`${seed}/rows/${order.number}`) % 2)];
  const lines = rows.map((row) => ({
    row,
    quantity: count(seed, `back/${order.number}/${row}`, table.quantity.at(row)),
  }));
  return { reference: `RMA-${order.number}`, reason: pick(seed, `why/${order.number}`, REASONS), lines };
}

/** Accounts that order more than once, and may owe about half of what they will. */
function limitsOf(plan: Plan, orders: readonly Order[], accounts: number): CreditLimit[] {
  const { table, seed } = plan;
  const bought = new Map<string, { orders: number; minor: number }>();
  for (const { channel, account, rows } of orders) {
    if (!CHECKED_CHANNELS.includes(channel)) continue;
    const sum = bought.get(account) ?? { orders: 0, minor: 0 };
    sum.orders += 1;
    for (const row of rows)
      sum.minor += Number(amountMinor(table.prices.at(table.price.at(row)), table.quantity.at(row)));
    bought.set(account, sum);
  }
  const rank = (account: string) => hash32(`${seed}/over/${account}`);
  const often = [...bought.keys()].filter((account) => bought.get(account)!.orders > 1);
  const once = [...bought.keys()].filter((account) => bought.get(account)!.orders === 1);
  const chosen = [often, once].flatMap((group) => group.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)));
  return chosen.slice(0, accounts).map((account) => {
    const tenths = 3 + (hash32(`${seed}/limit/${account}`) % 4);
    const limitMinor = Math.floor((bought.get(account)!.minor * tenths) / 10);
    return { account, limitMinor, paysMinor: roll(seed, `pays/${account}`) < 0.5 ? Math.ceil(limitMinor / 2) : 0 };
  });
}

/** Pairs of SKUs that were ordered; who stands in has nobody standing in for it. */
function substitutesOf(plan: Plan, skus: number): Map<string, string> {
  const { table, seed, basePrices } = plan;
  const sold = table.skus.list.filter((_, index) => basePrices[index] !== undefined);
  const rank = (sku: string) => hash32(`${seed}/substitute/${sku}`);
  const chosen = sold.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)).slice(0, skus - (skus % 2));
  const pairs = new Map<string, string>();
  for (let index = 0; index + 1 < chosen.length; index += 2) pairs.set(chosen[index]!, chosen[index + 1]!);
  return pairs;
}

/** Puts what happens beside the file where it happens: in the lane of its order, behind it. */
function place(plan: Plan, mutations: Mutations): void {
  const { seed, events } = plan;
  const at = new Map<number, MutatedEvent[]>();
  const put = (where: number, event: MutatedEvent): void => {
    if (where >= events.length) mutations.late.push(event);
    else at.set(where, [...(at.get(where) ?? []), event]);
  };
  events.forEach((event, index) => {
    if (event.type !== 'order') return;
    const { channel, account, number, at: time } = event;
    const head = { channel, account, number, at: time };
    const later = index + pick(seed, `later/${number}`, LATER);
    const change = mutations.changes.get(number);
    if (change !== undefined) put(Math.min(later, events.length - 1), { type: 'change', ...head, change });
    const cancel = mutations.partCancels.get(number);
    if (cancel !== undefined) put(Math.min(later, events.length - 1), { type: 'part_cancel', ...head, cancel });
    const back = mutations.returns.get(number);
    if (back !== undefined) put(index + pick(seed, `back/${number}`, RETURNS_LATER), { type: 'return', ...head, back });
  });
  for (const step of mutations.prices) {
    const where = Math.min(events.length - 1, Math.floor(step.place * events.length));
    if (where >= 0) put(where, { type: 'price', at: events[where]!.at, step });
  }
  for (const limit of mutations.limits) {
    const where = Math.floor(events.length * (0.5 + roll(seed, `paid/${limit.account}`) / 3));
    if (limit.paysMinor > 0 && where < events.length) put(where, { type: 'payment', at: events[where]!.at, limit });
  }
  events.forEach((event, index) => {
    mutations.events.push(event, ...(at.get(index) ?? []));
  });
}
