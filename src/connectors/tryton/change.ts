/** What is added to an order, and the steps that a sale of ours takes beside the order's own. */
import type { DeliveryItem, OrderChangePayload, Outcome } from '../kit/index.ts';
import { CONFIRMED, saleBy, salesBy } from './find.ts';
import { keepRest } from './rest.ts';
import { changeOf, type Made } from './sale.ts';
import type { Sinks } from './sink.ts';

/** The order's own delivery is another one: it may come a moment later. */
const SALE_MISSING_MS = 2_000;

export function noSale(order: string): Outcome {
  return { outcome: 'later', error: `no confirmed sale ${order} in Tryton yet`, retryAfterMs: SALE_MISSING_MS };
}

/** Sales under these references that count: drafts and quotations are gone on from. */
export async function confirmedSales(
  { tryton }: Sinks,
  references: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for (const [reference, sales] of await salesBy(tryton, references, signal)) {
    const numbers = sales.filter(({ state }) => CONFIRMED.has(String(state))).map(({ number }) => number);
    if (numbers.length === 0) continue;
    found.set(reference, { reference, number: numbers[0], ...(numbers.length > 1 && { numbers }) });
  }
  return found;
}

/**
 * A sale is made once, quoted and confirmed; each step is looked up before it is done. What is to be made is asked for only where nothing
 * is there.
 */
export async function confirmSaleOf(
  { tryton }: Sinks,
  reference: string,
  valuesOf: () => Promise<Made | Outcome>,
  signal: AbortSignal,
): Promise<Outcome> {
  const find = async () => (await salesBy(tryton, [reference], signal)).get(reference)?.[0];
  let sale = await find();
  if (sale === undefined) {
    const made = await valuesOf();
    if ('outcome' in made) return made;
    if ('refused' in made) return { outcome: 'refused', error: made.refused };
    const created = await tryton.write('model.sale.sale.create', [[made.values]], signal);
    if (!created.done) return created.outcome;
    sale = await find();
  }
  for (const [state, step] of [
    ['draft', 'quote'],
    ['quotation', 'confirm'],
  ]) {
    if (sale?.state !== state) continue;
    const written = await tryton.write(`model.sale.sale.${step}`, [[sale!.id]], signal);
    if (!written.done) return written.outcome;
    sale = await find();
  }
  if (sale === undefined || !CONFIRMED.has(String(sale.state)))
    return { outcome: 'refused', error: `${reference} is ${String(sale?.state)} in Tryton` };
  return { outcome: 'confirmed', answer: { reference, number: sale.number } };
}

/** Too late only where somebody cancelled the sale there: one that is done takes more, as a second sale. */
export async function addLines(
  sinks: Sinks,
  { reference, payload }: DeliveryItem,
  signal: AbortSignal,
): Promise<Outcome> {
  const { tryton, lookups } = sinks;
  const change = { ...(payload as OrderChangePayload), reference };
  const added = await confirmSaleOf(
    sinks,
    reference,
    async () => {
      const order = await saleBy(tryton, change.order, signal);
      if (order === undefined) return await whyNot(sinks, change.order, signal);
      const skus = change.lines.map(({ sku }) => sku.toUpperCase());
      return changeOf(change, order, await lookups.products(skus, signal), new Date().toISOString());
    },
    signal,
  );
  if (added.outcome !== 'confirmed') return added;
  // What Tryton planned of it must not be picked before the hub has said from where.
  const order = await saleBy(tryton, change.order, signal);
  if (order === undefined) return noSale(change.order);
  return (await keepRest(tryton, order, signal)) ?? added;
}

async function whyNot({ tryton }: Sinks, order: string, signal: AbortSignal): Promise<Outcome> {
  const sale = (await salesBy(tryton, [order], signal)).get(order)?.[0];
  if (sale?.state !== 'cancelled') return noSale(order);
  return { outcome: 'refused', error: `sale ${String(sale.number ?? sale.id)} of ${order} is cancelled in Tryton` };
}
