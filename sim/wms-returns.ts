/** Goods that come back: put on their shelf as they come, or looked at first, as the people of the warehouse go about it. */
import type { Random } from './lib/prng.ts';
import type { Entry } from './lib/system.ts';
import type { GoodsLine } from './wms-fulfilment.ts';
import { decidedOf, type InspectedLine, inspectionOf } from './wms-habits.ts';

const ARRIVE_MS = [20, 80] as const;
const INSPECT_MS = [20, 80] as const;

interface Return {
  order: string;
  location: string;
  arrived: boolean;
  /** undefined: goods are put on their shelf as they come. */
  inspected?: InspectedLine[];
  lines: [lineNo: number, sku: string, quantity: number][];
}

interface Use {
  named: (name: string) => Random;
  delay: (ms: readonly [number, number], act: () => void) => void;
  append: (
    event: { location: string; reference: string; order: string } & (
      | { type: 'returned'; lines: GoodsLine[] }
      | { type: 'inspected'; by: string; lines: InspectedLine[] }
    ),
  ) => void;
  /** Goods were put on a shelf. */
  arrived: (location: string, sku: string) => void;
}

export class Returns {
  readonly all = new Map<string, Return>();
  /** Those of which goods are still to come, to be looked at or to be decided. */
  awaited = 0;
  readonly #use: Use;

  constructor(use: Use) {
    this.#use = use;
  }

  announce(reference: string, entry: Entry, inspects: boolean): void {
    this.all.set(reference, {
      order: entry.order as string,
      location: entry.location as string,
      arrived: false,
      lines: entry.lines as Return['lines'],
      ...(inspects && { inspected: [] }),
    });
    this.awaited += 1;
  }

  arriveSoon(reference: string): void {
    this.#use.delay(ARRIVE_MS, () => {
      const { order, location, lines, inspected } = this.all.get(reference)!;
      const goods = lines.map(([lineNo, sku, quantity]) => ({ lineNo, sku, quantity }));
      this.#use.append({ type: 'returned', location, reference, order, lines: goods });
      if (inspected !== undefined) this.#inspectSoon(reference);
      else for (const { sku } of goods) this.#use.arrived(location, sku);
    });
  }

  #inspectSoon(reference: string): void {
    this.#use.delay(INSPECT_MS, () => {
      const back = this.all.get(reference)!;
      const { order, location, lines } = back;
      const inspected = back.inspected!;
      const random = this.#use.named(`inspect/${order}/${lines[0]![0]}/${inspected.length}`);
      const found =
        inspected.length === 0
          ? lines.map(([lineNo, sku, quantity]) => inspectionOf({ lineNo, sku, quantity }, random))
          : inspected.filter((line) => line.quarantine > 0).map((line) => decidedOf(line, random));
      this.#use.append({ type: 'inspected', location, reference, order, by: 'returns desk', lines: found });
      if (isAwaited(back)) this.#inspectSoon(reference);
      for (const { sku, restock } of found) if (restock > 0) this.#use.arrived(location, sku);
    });
  }

  /** @returns what is on the shelves with it */
  applyReturned(reference: string, lines: GoodsLine[]): GoodsLine[] {
    const back = this.all.get(reference)!;
    back.arrived = true;
    if (back.inspected !== undefined) return [];
    this.awaited -= 1;
    return lines;
  }

  /** The same of goods that were looked at. */
  applyInspected(reference: string, lines: InspectedLine[]): GoodsLine[] {
    const back = this.all.get(reference)!;
    back.inspected!.push(...lines);
    if (!isAwaited(back)) this.awaited -= 1;
    return lines.flatMap(({ lineNo, sku, restock }) => (restock > 0 ? [{ lineNo, sku, quantity: restock }] : []));
  }

  resume(): void {
    for (const [reference, back] of this.all)
      if (!back.arrived) this.arriveSoon(reference);
      else if (isAwaited(back)) this.#inspectSoon(reference);
  }
}

function isAwaited({ arrived, inspected }: Return): boolean {
  if (!arrived) return true;
  if (inspected === undefined) return false;
  const apart = inspected.filter(({ quarantine }) => quarantine > 0).length;
  const decided = inspected.filter(({ from }) => from === 'quarantine').length;
  return inspected.length === 0 || decided < apart;
}

export function truthOfReturn({ lines, inspected, ...rest }: Return): object {
  return {
    ...rest,
    lines: lines.map(([lineNo, sku, quantity]) => ({ lineNo, sku, quantity })),
    ...(inspected !== undefined && { inspected }),
  };
}
