/**
 * Half a million lines in a few megabytes: one typed array per column, texts kept once. Everything that is planned later
 * works on these arrays, so the file is read once and never held as rows.
 */
export const KINDS = [
  'order_line',
  'cancellation',
  'stock_adjustment',
  'zero_price_receipt',
  'charge',
  'charge_credit',
  'ledger_entry',
] as const;
export type Kind = (typeof KINDS)[number];

export const KIND = {
  order_line: 0,
  cancellation: 1,
  stock_adjustment: 2,
  zero_price_receipt: 3,
  charge: 4,
  charge_credit: 5,
  ledger_entry: 6,
} as const satisfies Record<Kind, number>;

type Numbers = Uint8Array | Uint32Array | Int32Array;

class Column<T extends Numbers> {
  values: T;
  length = 0;
  private readonly make: (length: number) => T;
  constructor(make: (length: number) => T) {
    this.make = make;
    this.values = make(4096);
  }
  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = this.make(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length] = value;
    this.length += 1;
  }
  at(index: number): number {
    const value = this.values[index];
    if (value === undefined || index >= this.length) throw new RangeError(`row ${index} of ${this.length}`);
    return value;
  }
}

/** Each distinct text once, found by number. */
export class Texts {
  readonly list: string[] = [];
  private readonly index = new Map<string, number>();
  add(text: string): number {
    let id = this.index.get(text);
    if (id === undefined) {
      id = this.list.length;
      // A field is a slice of the piece of file it came from; without a copy it would keep that whole piece alive.
      const own = Buffer.from(text).toString();
      this.list.push(own);
      this.index.set(own, id);
    }
    return id;
  }
  find(text: string): number | undefined {
    return this.index.get(text);
  }
  at(id: number): string {
    const text = this.list[id];
    if (text === undefined) throw new RangeError(`text ${id} of ${this.list.length}`);
    return text;
  }
}

const unsigned = (length: number): Uint32Array => new Uint32Array(length);

export class LineTable {
  readonly kind = new Column((length) => new Uint8Array(length));
  readonly invoice = new Column(unsigned);
  /** Position in the invoice, in file order, from 1; all kinds count, so invoice + position names one line of the file. */
  readonly lineNo = new Column(unsigned);
  /** A SKU for goods, a charge code for charges and ledger entries (in `codes`). */
  readonly sku = new Column(unsigned);
  readonly quantity = new Column((length) => new Int32Array(length));
  readonly price = new Column(unsigned);
  readonly account = new Column(unsigned);
  /** Seconds since 1970, UTC. */
  readonly at = new Column(unsigned);
  readonly invoices = new Texts();
  readonly skus = new Texts();
  readonly codes = new Texts();
  readonly prices = new Texts();
  readonly accounts = new Texts();
  /** The first description that a SKU has in the file, by SKU number. */
  readonly descriptions: string[] = [];
  /** Descriptions of charges and ledger entries, by row. */
  readonly chargeTexts = new Map<number, string>();
  /** Lines read, set-aside ones included. */
  read = 0;
  rejected = 0;

  get length(): number {
    return this.kind.length;
  }

  byKind(): Record<Kind, number> {
    const counts = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>;
    for (let row = 0; row < this.length; row += 1) counts[KINDS[this.kind.at(row)]!] += 1;
    return counts;
  }
}
