/** What people found or lost: signed, and never more than there is. */
import { type Item, integerOf, linesOf, textOf } from './lib/items.ts';
import type { Entry } from './lib/system.ts';
import type { GoodsLine } from './wms-fulfilment.ts';

interface Use {
  onHand: (location: string, sku: string) => number;
  append: (event: { at: string; location: string; reference: string; lines: GoodsLine[] }) => void;
  keep: (entry: Entry) => void;
  arrived: (location: string, sku: string) => void;
}

export class Adjustments {
  /** What each did, by reference: asked again, it answers the same. */
  readonly #done = new Map<string, [sku: string, quantity: number][]>();
  readonly #use: Use;

  constructor(use: Use) {
    this.#use = use;
  }

  applied(reference: string, lines: readonly GoodsLine[]): void {
    this.#done.set(
      reference,
      lines.map(({ sku, quantity }) => [sku, quantity]),
    );
  }

  restore(entry: Entry): void {
    this.#done.set(entry.reference as string, entry.lines as [string, number][]);
  }

  adjust(item: Item): object {
    const reference = textOf(item, 'reference');
    if (this.#done.has(reference)) return this.#answer(reference, 200);
    const location = textOf(item, 'location');
    const at = textOf(item, 'at');
    const left = new Map<string, number>();
    const applied = linesOf(item).map((line): [string, number] => {
      const sku = textOf(line, 'sku');
      const before = left.get(sku) ?? this.#use.onHand(location, sku);
      const quantity = Math.max(integerOf(line, 'quantity'), -before) + 0;
      left.set(sku, before + quantity);
      return [sku, quantity];
    });
    const lines = applied.flatMap(([sku, quantity], row) =>
      quantity === 0 ? [] : [{ lineNo: row + 1, sku, quantity }],
    );
    if (lines.length > 0) this.#use.append({ at, location, reference, lines });
    // After the event, which holds the effect: a tear between the two loses lines of the answer and nothing else.
    if (lines.length < applied.length) this.#use.keep({ do: 'adjustment', reference, lines: applied });
    for (const { sku, quantity } of lines) if (quantity > 0) this.#use.arrived(location, sku);
    return this.#answer(reference, 201);
  }

  #answer(reference: string, status: number): object {
    return { reference, status, lines: this.#done.get(reference)!.map(([sku, quantity]) => ({ sku, quantity })) };
  }
}
