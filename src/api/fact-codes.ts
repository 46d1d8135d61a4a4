/** Facts with codes for ids: people know codes; the log keeps ids, because a code may be spelled anew. */
import type { Fact } from '../log/index.ts';
import type { ApiHub } from './hub.ts';

/** Loads the codes of all SKUs that the facts name. */
export async function loadCodesOf(facts: readonly Fact[], directory: ApiHub['directory']): Promise<void> {
  await directory.loadSkuCodes(facts.flatMap((fact) => skuIdsOf(fact.data)));
}

function skuIdsOf(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(skuIdsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'skuId' && typeof inner === 'number' ? [inner] : skuIdsOf(inner),
  );
}

/** The same data, its ids as codes. All codes were loaded before. */
export function withCodes(value: unknown, directory: ApiHub['directory']): unknown {
  if (Array.isArray(value)) return value.map((item) => withCodes(item, directory));
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'skuId' && typeof inner === 'number') result.sku = directory.skuCode(inner);
    else if (key === 'locationId' && typeof inner === 'number')
      result.location = directory.locationById.get(inner)?.code ?? String(inner);
    else if (key === 'channelId' && typeof inner === 'number')
      result.channel = directory.channelById.get(inner)?.code ?? String(inner);
    else if (key === 'companyId' && typeof inner === 'number')
      result.company = directory.companyById.get(inner)?.code ?? String(inner);
    else result[key] = withCodes(inner, directory);
  }
  return result;
}
