/** Lines that are held for their price, released at the decided one. */
import { amountMinor, isWholeMinor } from '../canonical/index.ts';
import type { Directory } from '../master/index.ts';
import { dayIn, readPrices } from '../pricing/index.ts';
import { numbers, type Tx } from '../store/index.ts';
import type { RepricedLine } from './price-check.ts';
import { type HeldPriceRow, readHeldPrices } from './price-differences.sql.ts';
import type { Order, OrderHold, OrderLine, ReleaseVerdict } from './types.ts';

/**
 * As they were decided when the order came, which is what whoever releases it has read; of lines that had no price, as it is decided now for
 * the day of the order. They change under the order's lock only, and so does whether the hold is open: what is read before it is locked is
 * either still so, or the hold is released.
 */
export async function readReprices(
  tx: Tx,
  directory: Directory,
  holdIds: readonly number[],
): Promise<Map<number, HeldPriceRow[]>> {
  const rows = await tx.query(readHeldPrices, [numbers(holdIds)]);
  const unknown = rows.filter((row) => row.decided_price === null);
  const decisions = await readPrices(
    tx,
    directory,
    unknown.map((row) => ({
      ...{ companyId: row.company_id, accountId: row.account_id, channelId: row.channel_id, skuId: row.sku_id },
      ...{ quantity: row.quantity, currency: row.currency },
      day: dayIn(directory.companyById.get(row.company_id)!.timeZone, row.ordered_at.toISOString()),
    })),
  );
  unknown.forEach((row, i) => {
    const { price } = decisions[i]!;
    if (price === null) return;
    Object.assign(row, { decided_price: price.unitPrice, decided_per: price.pricePer });
    Object.assign(row, { source: price.source, name: price.name });
  });
  return Map.groupBy(rows, (row) => row.hold_id);
}

export function repriced(
  order: Order,
  { kind }: OrderHold,
  rows: readonly HeldPriceRow[],
  sellsByItself: boolean,
): ReleaseVerdict {
  const no = (refused: string, detail: string): ReleaseVerdict => ({ ok: false, refused, detail });
  if (kind !== 'price' || rows.length === 0)
    return no('not_a_price', `a hold of kind ${kind} has no decided prices: release it without`);
  if (sellsByItself)
    return no('paid_already', 'the channel sold it by itself, and who bought has paid: its prices stand');
  if (order.progress.told) return no('told_already', 'the ERP has the order with its prices');
  const lines: RepricedLine[] = [];
  for (const { line_no: lineNo, decided_price: unitPrice, decided_per, ...row } of rows) {
    const line = order.lines.get(lineNo)!;
    if (unitPrice === null) return no('no_price', `line ${lineNo} still has no price: give it one first`);
    const pricePer = decided_per ?? 1;
    const parts = [...order.lines.values()].filter((part) => part.standsFor === lineNo);
    for (const part of [line, ...parts]) {
      const problem = problemOf(part, line, unitPrice, pricePer, order.currency, parts.length > 0);
      if (problem !== undefined) return no(...problem);
      lines.push({
        ...{ lineNo: part.lineNo, unitPrice, ...(pricePer !== 1 && { pricePer }) },
        amountMinor: amountMinor(unitPrice, part.quantity, order.currency, pricePer),
        cancelledMinor: amountMinor(unitPrice, part.cancelled, order.currency, pricePer),
        ...{ beforeMinor: part.amountMinor, askedPrice: row.asked_price, askedPer: row.asked_per },
        ...{ source: row.source!, name: row.name! },
      });
    }
  }
  return { ok: true, repriced: lines };
}

/** Why a line can't have another price by itself. */
function problemOf(
  part: OrderLine,
  line: OrderLine,
  unitPrice: string,
  pricePer: number,
  currency: string,
  isSplit: boolean,
): [string, string] | undefined {
  const instead = 'cancel the order and take it anew';
  if (part.taxMinor !== 0)
    return [
      'taxed_line',
      `line ${part.lineNo} came with tax of its own price, and who says another is not here: ${instead}`,
    ];
  if (part.unitPrice !== line.unitPrice || part.pricePer !== line.pricePer)
    return ['priced_by_parts', `line ${line.lineNo} is delivered by lines with prices of their own: ${instead}`];
  if (isSplit && !isWholeMinor(unitPrice, currency, pricePer))
    return [
      'not_whole',
      `line ${line.lineNo} is delivered by several, and ${unitPrice} can't be split among them: ${instead}`,
    ];
  return undefined;
}
