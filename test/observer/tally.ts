/** Numbers per order line that one system holds and the next is compared with; rows are rows of the source. */
export class Tally {
  readonly cancelled: Int32Array;
  readonly shipped: Int32Array;
  readonly invoiced: Int32Array;
  readonly returned: Int32Array;
  constructor(rows: number) {
    this.cancelled = new Int32Array(rows);
    this.shipped = new Int32Array(rows);
    this.invoiced = new Int32Array(rows);
    this.returned = new Int32Array(rows);
  }
}

/** How one system compares with the source. `amount` is the sum of all differences in minor units, whichever way they go. */
export interface Parity {
  orders: number;
  lines: number;
  missing: number;
  extra: number;
  different: number;
  amount: number;
}

export function noParity(): Parity {
  return { orders: 0, lines: 0, missing: 0, extra: 0, different: 0, amount: 0 };
}
