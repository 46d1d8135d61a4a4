/** Lines whose price was not the decided one, as they came: kept with their order. */
import { numbers, type Tx, texts } from '../store/index.ts';
import { insertDifferences } from './price-differences.sql.ts';
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
