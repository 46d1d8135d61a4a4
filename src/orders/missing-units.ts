/**
 * Units that a WMS could not find: its books have them still, so they are deducted from what is free there, as if another system had allocated
 * them, until the place is counted or corrected.
 */
import { correctedSince, type OutsideReport, SHORT_PICKS, type StockSession, stockFact } from '../ledger/index.ts';
import type { NewFact } from '../log/index.ts';
import type { Tx } from '../store/index.ts';
import type { Order, OrderCommand, ShortPicked } from './types.ts';

type Missing = ReadonlyMap<string, OutsideReport>;

function keyOf(source: string, sourceId: string, skuId: number, locationId: number): string {
  return `${source}/${sourceId} ${skuId}@${locationId}`;
}

/** What short picks of the batch may set aside, by message, SKU and place. */
export function missingAt(
  works: readonly { command: OrderCommand }[],
  orderIds: readonly (number | null)[],
  orders: ReadonlyMap<number, Order>,
): Missing {
  const reports = new Map<string, OutsideReport>();
  works.forEach(({ command }, i) => {
    if (command.kind !== 'short_pick') return;
    const order = orders.get(orderIds[i]!);
    const locationId = order?.fulfilments.get(command.fulfilmentId)?.locationId;
    if (locationId === undefined) return;
    for (const { lineNo, quantity } of command.lines) {
      const skuId = order!.lines.get(lineNo)?.skuId;
      if (skuId === undefined) continue;
      const { source, sourceId, occurredAt } = command;
      const key = keyOf(source, sourceId, skuId, locationId);
      const known = reports.get(key);
      if (known !== undefined) known.quantity += quantity;
      else
        reports.set(key, {
          ...{ source: SHORT_PICKS, sourceId: `${source}/${sourceId}`, skuId, locationId, line: null, quantity },
          ...{ occurredAt, sourceSequence: null },
        });
    }
  });
  return reports;
}

/** Less what was counted or corrected there since they happened. The balances are locked. */
export async function withoutCorrected(tx: Tx, missing: Missing): Promise<void> {
  if (missing.size === 0) return;
  const all = [...missing.values()];
  for (const [i, corrected] of (await correctedSince(tx, all)).entries())
    all[i]!.quantity = Math.max(0, all[i]!.quantity - corrected);
}

/** @returns facts for those who follow stock */
export function setAsideMissing(
  stock: StockSession,
  missing: Missing,
  { source, sourceId, locationId, lines }: ShortPicked,
  companyId: number,
): NewFact[] {
  const facts: NewFact[] = [];
  for (const skuId of new Set(lines.map((line) => line.skuId))) {
    const report = missing.get(keyOf(source, sourceId, skuId, locationId));
    if (report === undefined || report.quantity === 0) continue;
    const { before, balance } = stock.reportOutside(report);
    const { version, outsideOpen: open, outsideDeducted: deducted } = balance;
    const { quantity, occurredAt } = report;
    const said = { source: report.source, sourceId: report.sourceId, quantity, line: null, open, deducted, before };
    facts.push(
      stockFact(
        ...(['stock.outside_allocation_changed', skuId, locationId, version, companyId, occurredAt, said] as const),
      ),
    );
  }
  return facts;
}
