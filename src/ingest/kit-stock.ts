/** Stock, or supply, that somebody reports of a kit: a kit has none of its own, it is made up of what its components have. */
import { readKits } from '../master/index.ts';
import type { Tx } from '../store/index.ts';
import type { Entry } from './entry.ts';
import { fault, isFault } from './translated.ts';

/** What can't be booked is a fault of its own record. That there is none of it says nothing, and is taken. */
export async function refuseKitStock(tx: Tx, entries: readonly Entry[]): Promise<void> {
  const reported: { entry: Entry; skuId: number }[] = [];
  for (const entry of entries) {
    if (isFault(entry.translated)) continue;
    const { stock, supplies, outside } = entry.translated;
    for (const { movement } of stock)
      if (movement.kind !== 'counted' || movement.quantity > 0) reported.push({ entry, skuId: movement.skuId });
    for (const { skuId, change } of supplies)
      if (!('announced' in change) || change.announced.quantity > 0) reported.push({ entry, skuId });
    for (const { report } of outside) if (report.quantity > 0) reported.push({ entry, skuId: report.skuId });
  }
  if (reported.length === 0) return;
  const kits = await readKits(
    tx,
    reported.map(({ skuId }) => skuId),
  );
  for (const { entry, skuId } of reported) {
    const sku = kits.get(skuId);
    if (sku !== undefined)
      entry.translated = fault(
        ...([
          'kit_has_no_stock',
          'XD_VALUE_INVALID',
          `${sku} is a kit and has no stock of its own: report what it is made of`,
          'sku',
        ] as const),
      );
  }
}
