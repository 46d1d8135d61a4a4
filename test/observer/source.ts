/** What the file says that every system must hold: the feeder's own reading of it, and what it then planned. */
import { channelOf } from '../../sim/feeder/channels.ts';
import { amountMinor, isWholeMinor } from '../../sim/feeder/money.ts';
import { type Plan, planFeed } from '../../sim/feeder/plan.ts';
import { readOrders } from '../../sim/feeder/reader.ts';
import { openingOf, suppliedOf } from '../../sim/feeder/stock-plan.ts';
import { KIND, type LineTable } from '../../sim/feeder/table.ts';

export interface SourceOrder {
  number: string;
  account: string;
  channel: string;
  /** Rows of its lines, by line number. */
  rows: number[];
}
export interface SourceLine {
  lineNo: number;
  sku: string;
  quantity: number;
  unitPrice: string;
  amountMinor: number;
}

/** Deliveries' weeks and places depend on the seed, their sums don't: those are all the observer uses. */
const ANY_SEED = 1;

export class Source {
  readonly orders: SourceOrder[] = [];
  readonly charges = new Map<string, number>();
  /** Units that must have come in and may have been written off, by SKU. */
  readonly received = new Map<string, number>();
  readonly writtenOffMax = new Map<string, number>();
  readonly cancelled: Int32Array;
  /** Units that the hub took no order for, by its own word to the CRM: the ERP must hold what is left. */
  readonly refused: Int32Array;
  private readonly byNumber = new Map<string, number>();
  private readonly table: LineTable;

  static async read(file: string, limitOrders?: number): Promise<Source> {
    const { table } = await readOrders(file, { limitOrders });
    return new Source(planFeed(table, ANY_SEED));
  }

  private constructor(plan: Plan) {
    const { table, events, matches } = plan;
    this.table = table;
    this.cancelled = matches.cancelled;
    this.refused = new Int32Array(table.length);
    for (const event of events) {
      if (event.type !== 'order') continue;
      this.byNumber.set(event.number, this.orders.length);
      this.orders.push({
        number: event.number,
        account: event.account,
        channel: channelOf(event.account),
        rows: event.rows,
      });
    }
    const demand = new Map<string, number>();
    const add = (sums: Map<string, number>, sku: string, units: number): void => {
      sums.set(sku, (sums.get(sku) ?? 0) + units);
    };
    for (let row = 0; row < table.length; row += 1) {
      const quantity = table.quantity.at(row);
      switch (table.kind.at(row)) {
        case KIND.order_line:
          add(demand, this.sku(row), quantity);
          break;
        case KIND.zero_price_receipt:
          add(this.received, this.sku(row), quantity);
          break;
        case KIND.stock_adjustment:
          add(this.writtenOffMax, this.sku(row), -quantity);
          break;
        case KIND.cancellation:
          break;
        default: {
          const reference = `${table.invoices.at(table.invoice.at(row))}/${table.lineNo.at(row)}`;
          this.charges.set(reference, Number(amountMinor(table.prices.at(table.price.at(row)), quantity)));
        }
      }
    }
    for (const [sku, units] of demand) add(this.received, sku, openingOf(units) + suppliedOf(units));
  }

  get rows(): number {
    return this.table.length;
  }

  /**
   * A system may know an order under a longer name (`shop/536365`): its last part is the order's number.
   * @returns its place in `orders`
   */
  findOrder(reference: string): number | undefined {
    return this.byNumber.get(reference) ?? this.byNumber.get(reference.slice(lastMark(reference) + 1));
  }

  /** A charge is named by invoice and line, whatever stands before. */
  findCharge(reference: string): string | undefined {
    if (this.charges.has(reference)) return reference;
    const line = lastMark(reference);
    const short = reference.slice(lastMark(reference.slice(0, Math.max(0, line))) + 1);
    return this.charges.has(short) ? short : undefined;
  }

  findRow(order: SourceOrder, lineNo: number): number | undefined {
    const { lineNo: column } = this.table;
    let low = 0;
    let high = order.rows.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const row = order.rows[middle]!;
      const found = column.at(row);
      if (found === lineNo) return row;
      if (found < lineNo) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  sku(row: number): string {
    return this.table.skus.at(this.table.sku.at(row));
  }
  quantity(row: number): number {
    return this.table.quantity.at(row);
  }
  /** Units ordered and not refused. */
  accepted(row: number): number {
    return this.quantity(row) - this.refused[row]!;
  }
  unitPrice(row: number): string {
    return this.table.prices.at(this.table.price.at(row));
  }
  lineNo(row: number): number {
    return this.table.lineNo.at(row);
  }
  /** What `quantity` units of this line cost at the order's price. */
  amount(row: number, quantity = this.quantity(row)): number {
    return Number(amountMinor(this.unitPrice(row), quantity));
  }
  /** Whether parts of this line add up without rounding. */
  isWhole(row: number): boolean {
    return isWholeMinor(this.unitPrice(row));
  }
  key(order: SourceOrder, row: number): string {
    return `${order.number}/${this.lineNo(row)}`;
  }
}

function lastMark(reference: string): number {
  return Math.max(reference.lastIndexOf('/'), reference.lastIndexOf(':'), reference.lastIndexOf('#'));
}
