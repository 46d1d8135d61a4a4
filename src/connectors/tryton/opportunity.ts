/** Opportunities that were won: Tryton makes a draft sale of each by itself, which the hub's order takes over instead of a second one. */
import type { Tryton, Written } from './rpc.ts';

/**
 * Makes the draft that an opportunity was converted to the sale of our order: our reference and our lines instead of its own, in one
 * transaction. @returns undefined when there is no such draft
 */
export async function adoptedBy(
  tryton: Tryton,
  channel: string | null,
  reference: string,
  values: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Written | undefined> {
  if (channel === null || !reference.startsWith(`${channel}/`)) return undefined;
  const number = reference.slice(channel.length + 1);
  const domain = [['number', '=', number]];
  const [opportunity] = await tryton.search('sale.opportunity', domain, ['sales'], signal);
  const sales = (opportunity?.sales ?? []) as number[];
  if (sales.length === 0) return undefined;
  const [sale] = await tryton.search('sale.sale', [['id', 'in', sales]], ['state', 'reference', 'lines'], signal);
  if (sale === undefined) return undefined;
  if (sale.state !== 'draft' || sale.reference != null) {
    const error = `the sale of opportunity ${number} is ${String(sale.state)} in Tryton, not a draft to take over`;
    return { done: false, outcome: { outcome: 'refused', error }, itemsToBlame: true };
  }
  const lines = [['delete', sale.lines], ...(values.lines as unknown[])];
  return tryton.write('model.sale.sale.write', [[sale.id], { ...values, lines }], signal);
}
