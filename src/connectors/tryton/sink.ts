import { CrossdockError } from '../../canonical/index.ts';
import {
  batchMaxOf,
  type ConnectorContext,
  type DeliveryItem,
  type DeliveryKind,
  type Outcome,
  type SalesOrderPayload,
} from '../kit/index.ts';
import { CONFIRMED, saleBy, salesBy } from './find.ts';
import type { Lookups, Row } from './lookups.ts';
import { adoptedBy } from './opportunity.ts';
import { keepRest } from './rest.ts';
import { laterBy, type Tryton, type Written } from './rpc.ts';
import { type Known, saleOf } from './sale.ts';

export const ORDERS_MAX = 10;

export interface Sinks {
  tryton: Tryton;
  lookups: Lookups;
  limits: ConnectorContext['limits'];
  /** The channel whose orders begin here as opportunities. */
  channel: string | null;
}

/**
 * An order becomes a sale in three steps that Tryton keeps apart: create, quote, confirm. Each is looked up before it is done, so a
 * crash between any two is gone on from. Only a confirmed sale is "there" for {@link DeliveryKind.locate}.
 */
export function salesOrders(sinks: Sinks): DeliveryKind {
  const { tryton, limits } = sinks;
  return {
    batchMax: batchMaxOf(limits, ORDERS_MAX),
    write: (items, signal) => tryton.serial(() => writeOrders(sinks, items, signal)),
    async locate(references, signal) {
      const answers = new Map<string, unknown>();
      for (const [reference, sales] of await salesBy(tryton, references, signal)) {
        if (!sales.some(({ state }) => CONFIRMED.has(String(state)))) continue;
        answers.set(reference, answerOf(sales));
      }
      return answers;
    },
  };
}

/** More than one number: somebody made the sale more than once. Drafts have none. */
function answerOf(sales: readonly Row[]): { number: string; numbers?: string[] } {
  const numbers = sales.filter(({ state }) => CONFIRMED.has(String(state))).map(({ number }) => String(number));
  return numbers.length === 1 ? { number: numbers[0]! } : { number: numbers[0]!, numbers };
}

async function writeOrders(sinks: Sinks, items: readonly DeliveryItem[], signal: AbortSignal): Promise<Outcome[]> {
  const { tryton } = sinks;
  const outcomes = new Map<string, Outcome>();
  const references = items.map(({ reference }) => reference);
  try {
    let held = await salesBy(tryton, references, signal);
    const missing = items.filter(({ reference }) => !held.has(reference));
    if (missing.length > 0) await createSales(sinks, missing, outcomes, signal);
    if (missing.length > 0) held = await salesBy(tryton, references, signal);
    const open = references.filter((reference) => !outcomes.has(reference));
    await quoteSales(tryton, held, open, outcomes, signal);
    // One by one: Tryton checks the credit of all sales of a call before it counts the first of them.
    for (const reference of open) await confirmSale(tryton, reference, held.get(reference), outcomes, signal);
    const done = await salesBy(tryton, references, signal);
    for (const [reference, sales] of done)
      if (sales.some(({ state }) => CONFIRMED.has(String(state))) && !outcomes.has(reference))
        outcomes.set(reference, { outcome: 'confirmed', answer: answerOf(sales) });
  } catch (error) {
    if (!(error instanceof CrossdockError)) throw error;
    // Only lookups throw. What was written before is found by the next try, so going on later doubles nothing.
    const outcome = laterBy(error);
    for (const reference of references) if (!outcomes.has(reference)) outcomes.set(reference, outcome);
  }
  return references.map(
    (reference) => outcomes.get(reference) ?? { outcome: 'in_doubt', error: `${reference} is not confirmed in Tryton` },
  );
}

async function createSales(
  { tryton, lookups, channel }: Sinks,
  items: readonly DeliveryItem[],
  outcomes: Map<string, Outcome>,
  signal: AbortSignal,
): Promise<void> {
  const orders = items.map(({ reference, payload }) => ({ ...(payload as SalesOrderPayload), reference }));
  const company = await tryton.company(signal);
  const products = await lookups.products(
    orders.flatMap(({ lines = [] }) => lines.map(({ sku }) => sku.toUpperCase())),
    signal,
  );
  const parties = await lookups.parties(
    orders.map(({ account }) => account),
    signal,
  );
  const [warehouse] = (await lookups.warehouses(signal)).values();
  const made: { reference: string; values: Record<string, unknown> }[] = [];
  for (const order of orders) {
    const known: Known = {
      company,
      currency: await lookups.currency(order.currency, signal),
      warehouse,
      party: parties.get(lookups.partyCode(order.account)),
      products,
    };
    const sale = saleOf(order, known);
    if ('refused' in sale) outcomes.set(order.reference, { outcome: 'refused', error: sale.refused });
    else {
      const adopted = await adoptedBy(tryton, channel, order.reference, sale.values, signal);
      if (adopted === undefined) made.push({ reference: order.reference, values: sale.values });
      else if (!adopted.done) outcomes.set(order.reference, adopted.outcome);
    }
  }
  await inHalves(made, outcomes, (part) =>
    tryton.write('model.sale.sale.create', [part.map(({ values }) => values)], signal),
  );
}

async function quoteSales(
  tryton: Tryton,
  held: ReadonlyMap<string, Row[]>,
  references: readonly string[],
  outcomes: Map<string, Outcome>,
  signal: AbortSignal,
): Promise<void> {
  const drafts = references.flatMap((reference) => {
    const sale = held.get(reference)?.[0];
    return sale?.state === 'draft' ? [{ reference, id: sale.id }] : [];
  });
  await inHalves(drafts, outcomes, (part) => tryton.write('model.sale.sale.quote', [part.map(({ id }) => id)], signal));
}

async function confirmSale(
  tryton: Tryton,
  reference: string,
  sales: readonly Row[] | undefined,
  outcomes: Map<string, Outcome>,
  signal: AbortSignal,
): Promise<void> {
  const sale = sales?.[0];
  if (sale === undefined || outcomes.has(reference)) return;
  if (sale.state === 'cancelled') {
    outcomes.set(reference, { outcome: 'refused', error: `sale ${sale.id} of ${reference} is cancelled in Tryton` });
    return;
  }
  if (!CONFIRMED.has(String(sale.state))) {
    const confirmed = await tryton.write('model.sale.sale.confirm', [[sale.id]], signal);
    if (!confirmed.done) {
      outcomes.set(reference, confirmed.outcome);
      return;
    }
  }
  // What Tryton planned by itself must not be picked before the hub has said from where.
  const there = await saleBy(tryton, reference, signal);
  if (there === undefined) return;
  const kept = await keepRest(tryton, there, signal);
  if (kept !== undefined) outcomes.set(reference, kept);
}

/** Writes all in one call; what is refused for its content is halved until the one to blame is alone. */
export async function inHalves<T extends { reference: string }>(
  items: readonly T[],
  outcomes: Map<string, Outcome>,
  write: (items: readonly T[]) => Promise<Written>,
): Promise<void> {
  if (items.length === 0) return;
  const written = await write(items);
  if (written.done) return;
  if (written.itemsToBlame && items.length > 1) {
    const half = Math.ceil(items.length / 2);
    await inHalves(items.slice(0, half), outcomes, write);
    await inHalves(items.slice(half), outcomes, write);
    return;
  }
  for (const { reference } of items) outcomes.set(reference, written.outcome);
}
