/** Writes variants: stock, thresholds and prices go through one mutation. */
import type { Outcome } from '../kit/index.ts';
import type { Answered, Shop } from './client.ts';

/** Vendure updates one variant after the other; some requests at once are faster than one large one. */
export const UPDATE_MAX = 30;

const UPDATE = `mutation ($input: [UpdateProductVariantInput!]!) { updateProductVariants(input: $input) { id } }`;

export type VariantInput = Readonly<Record<string, unknown>> & { id: string };

/**
 * One outcome per input. The mutation is one transaction: what is refused had no effect, and is halved until the one that is to blame is
 * alone.
 */
export async function updateVariants(
  shop: Shop,
  inputs: readonly VariantInput[],
  signal: AbortSignal,
): Promise<Outcome[]> {
  const parts: VariantInput[][] = [];
  for (let from = 0; from < inputs.length; from += UPDATE_MAX) parts.push(inputs.slice(from, from + UPDATE_MAX));
  return (await Promise.all(parts.map((part) => updatePart(shop, part, signal)))).flat();
}

async function updatePart(shop: Shop, inputs: readonly VariantInput[], signal: AbortSignal): Promise<Outcome[]> {
  const answer = await shop.send(UPDATE, { input: inputs }, signal);
  if (!answer.answered) {
    if (!answer.itemsToBlame || inputs.length === 1) return inputs.map(() => answer.outcome);
    const half = Math.ceil(inputs.length / 2);
    return [
      ...(await updatePart(shop, inputs.slice(0, half), signal)),
      ...(await updatePart(shop, inputs.slice(half), signal)),
    ];
  }
  const rows = (answer.value as Answered).updateProductVariants;
  const written = new Set(Array.isArray(rows) ? rows.map((row) => (row as { id?: unknown } | null)?.id) : []);
  return inputs.map(({ id }) =>
    written.has(id) ? { outcome: 'confirmed' } : { outcome: 'in_doubt', error: `variant ${id} is not in the answer` },
  );
}
