/** Lines whose price was not the decided one, as they came: kept with their order. */
import { numbers, type Tx, texts } from '../store/index.ts';
import type { RepricedLine } from './price-check.ts';
import { insertDifferences, markRepriced } from './price-differences.sql.ts';
import { repriceLines } from './store.sql.ts';
import type { Order, OrderLine } from './types.ts';

export function writeDifferences(tx: Tx, lines: readonly [Order, OrderLine][]): void {
  const checks = lines.map(([, line]) => line.priceCheck!);
  tx.write(insertDifferences, [
    numbers(lines.map(([order]) => order.orderId)),
    numbers(lines.map(([, line]) => line.lineNo)),
    numbers(lines.map(([, line]) => line.skuId)),
    texts(checks.map(({ outcome }) => outcome)),
    texts(checks.map(({ askedPrice }) => askedPrice)),
    numbers(checks.map(({ askedPer }) => askedPer)),
    texts(checks.map(({ decidedPrice }) => decidedPrice)),
    numbers(checks.map(({ decidedPer }) => decidedPer)),
    texts(checks.map(({ source }) => source)),
    texts(checks.map(({ name }) => name)),
  ]);
}

/** Lines that have another price than they came with; their amounts follow. */
export function writeRepriced(tx: Tx, lines: readonly [Order, RepricedLine][]): void {
  const orderIds = numbers(lines.map(([order]) => order.orderId));
  const lineNos = numbers(lines.map(([, line]) => line.lineNo));
  const prices = texts(lines.map(([, line]) => line.unitPrice));
  const pers = numbers(lines.map(([, line]) => line.pricePer ?? 1));
  tx.write(repriceLines, [
    ...[orderIds, lineNos, prices, pers],
    numbers(lines.map(([, line]) => line.amountMinor)),
    numbers(lines.map(([, line]) => line.cancelledMinor)),
  ]);
  tx.write(markRepriced, [
    ...[orderIds, lineNos, prices, pers],
    texts(lines.map(([, line]) => line.source)),
    texts(lines.map(([, line]) => line.name)),
  ]);
}
