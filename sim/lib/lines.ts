/** Texts that repeat (a year has 540,000 lines of 3,800 SKUs) as small numbers. */
export class Texts {
  #ids = new Map<string, number>();
  #texts: string[] = [];

  idOf(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    this.#ids.set(text, this.#texts.length);
    this.#texts.push(text);
    return this.#texts.length - 1;
  }

  textOf(id: number): string {
    return this.#texts[id]!;
  }
}

/**
 * The lines of one document as numbers in a row: eight bytes a field instead of an object a line. Column 0 is always the
 * line number.
 */
export class Lines {
  readonly width: number;
  #cells: Float64Array;

  constructor(width: number, rows: number[][]) {
    this.width = width;
    this.#cells = new Float64Array(width * rows.length);
    for (let row = 0; row < rows.length; row++) this.#cells.set(rows[row]!, row * width);
  }

  get count(): number {
    return this.#cells.length / this.width;
  }

  append(rows: number[][]): void {
    const more = new Lines(this.width, rows);
    const cells = new Float64Array(this.#cells.length + more.#cells.length);
    cells.set(this.#cells);
    cells.set(more.#cells, this.#cells.length);
    this.#cells = cells;
  }

  get(row: number, column: number): number {
    return this.#cells[row * this.width + column]!;
  }

  set(row: number, column: number, value: number): void {
    this.#cells[row * this.width + column] = value;
  }

  add(row: number, column: number, value: number): void {
    this.#cells[row * this.width + column]! += value;
  }

  /** The row of a line number, or -1. Lines mostly count up from 1, so that the row is tried there first. */
  rowOf(lineNo: number): number {
    if (lineNo >= 1 && lineNo <= this.count && this.get(lineNo - 1, 0) === lineNo) return lineNo - 1;
    for (let row = 0; row < this.count; row++) if (this.get(row, 0) === lineNo) return row;
    return -1;
  }

  map<T>(each: (row: number) => T): T[] {
    return Array.from({ length: this.count }, (_, row) => each(row));
  }
}

/**
 * Quantity × unit price in minor units (two decimals), half a unit rounded up. Whole numbers all the way: no fraction of
 * money sits in a float.
 */
export function amountMinorOf(quantity: number, unitPrice: string): number {
  const point = unitPrice.indexOf('.');
  const decimals = point < 0 ? 0 : unitPrice.length - point - 1;
  const digits = quantity * Number(point < 0 ? unitPrice : unitPrice.slice(0, point) + unitPrice.slice(point + 1));
  if (decimals <= 2) return digits * 10 ** (2 - decimals);
  const divisor = 10 ** (decimals - 2);
  const rest = digits % divisor;
  return (digits - rest) / divisor + (rest * 2 >= divisor ? 1 : 0);
}
