/** What events of returns changed, written in sets. */
import { numbers, type Tx, texts } from '../store/index.ts';
import type { ReturnEvent } from './return-types.ts';
import * as statements from './returns.sql.ts';
import type { Order } from './types.ts';

interface Of<Type extends ReturnEvent['type']> {
  order: Order;
  event: Extract<ReturnEvent, { type: Type }>;
  at: string;
  version: number;
}

export class ReturnWrites {
  readonly #touched = new Map<number, Order>();
  readonly #receipts: Of<'return.received'>[] = [];
  readonly #inspections: Of<'return.inspected'>[] = [];

  /** @param version that the order has by it */
  add(order: Order, event: ReturnEvent, at: string, version: number): void {
    this.#touched.set(event.returnId, order);
    if (event.type === 'return.received') this.#receipts.push({ order, event, at, version });
    if (event.type === 'return.inspected') this.#inspections.push({ order, event, at, version });
  }

  write(tx: Tx): void {
    if (this.#touched.size === 0) return;
    const rows = [...this.#touched].map(([returnId, order]) => ({
      orderId: order.orderId,
      ...order.returns.get(returnId)!,
    }));
    const authorised = (row: (typeof rows)[number]) =>
      [...row.lines.values()].map(({ lineNo, quantity }) => ({ lineNo, quantity }));
    tx.write(statements.writeReturns, [
      numbers(rows.map((r) => r.orderId)),
      numbers(rows.map((r) => r.returnId)),
      texts(rows.map((r) => r.reference)),
      numbers(rows.map((r) => r.locationId)),
      texts(rows.map((r) => JSON.stringify(authorised(r)))),
      texts(rows.map((r) => r.state)),
      texts(rows.map((r) => r.reason)),
      texts(rows.map((r) => r.inspection)),
    ]);
    const lines = rows.flatMap((row) => [...row.lines.values()].map((line) => ({ row, line })));
    tx.write(statements.writeReturnLines, [
      numbers(lines.map(({ row }) => row.orderId)),
      numbers(lines.map(({ row }) => row.returnId)),
      numbers(lines.map(({ line }) => line.lineNo)),
      numbers(lines.map(({ line }) => line.skuId)),
      numbers(lines.map(({ row }) => row.locationId)),
      numbers(lines.map(({ line }) => line.quantity)),
      numbers(lines.map(({ line }) => line.received)),
      numbers(lines.map(({ line }) => line.restocked)),
      numbers(lines.map(({ line }) => line.scrapped)),
      numbers(lines.map(({ line }) => line.quarantined)),
      numbers(lines.map(({ line }) => line.receivedMinor)),
      numbers(lines.map(({ line }) => line.decidedMinor)),
      numbers(lines.map(({ line }) => line.creditMinor)),
      numbers(lines.map(({ line }) => line.receivedTaxMinor)),
      numbers(lines.map(({ line }) => line.decidedTaxMinor)),
      numbers(lines.map(({ line }) => line.creditTaxMinor)),
    ]);
    if (this.#receipts.length > 0)
      tx.write(statements.insertReceipts, [
        numbers(this.#receipts.map(({ order }) => order.orderId)),
        numbers(this.#receipts.map(({ version }) => version)),
        numbers(this.#receipts.map(({ event }) => event.returnId)),
        texts(
          this.#receipts.map(({ event }) =>
            JSON.stringify(event.lines.map(({ lineNo, quantity, amountMinor }) => ({ lineNo, quantity, amountMinor }))),
          ),
        ),
        texts(this.#receipts.map(({ at }) => at)),
      ]);
    if (this.#inspections.length > 0)
      tx.write(statements.insertInspections, [
        numbers(this.#inspections.map(({ order }) => order.orderId)),
        numbers(this.#inspections.map(({ version }) => version)),
        numbers(this.#inspections.map(({ event }) => event.returnId)),
        texts(this.#inspections.map(({ event }) => JSON.stringify(event.lines.map(({ skuId: _, ...line }) => line)))),
        texts(this.#inspections.map(({ event }) => event.by)),
        texts(this.#inspections.map(({ event }) => event.reason)),
        texts(this.#inspections.map(({ at }) => at)),
      ]);
  }
}
