/** The declared machine, as its page for people tells it, and an order that is played along it. Knows nothing of how the hub does it. */
import { readFileSync } from 'node:fs';

const PAGE = new URL('../../../docs/reference/order-states.md', import.meta.url);

export interface Machine {
  /** State → the states it may become. */
  next: ReadonlyMap<string, ReadonlySet<string>>;
  /** Event → the states it may meet; `any` of them, or `none` yet. */
  meets: ReadonlyMap<string, ReadonlySet<string> | 'any' | 'none'>;
}

const named = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);

/** @throws when the page no longer has the two tables */
export function readMachine(page = readFileSync(PAGE, 'utf8')): Machine {
  const table = (head: string): string[][] => {
    const from = page.indexOf(`| ${head} |`);
    if (from < 0) throw new Error(`no table of ${head}s in order-states.md`);
    const [, , ...lines] = page
      .slice(from, page.indexOf('\n\n', from) + 1 || undefined)
      .trim()
      .split('\n');
    return lines.map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
  };
  const next = new Map(table('state').map((cells) => [named(cells[0]!)[0]!, new Set(named(cells.at(-1)!))]));
  const meets = new Map<string, ReadonlySet<string> | 'any' | 'none'>(
    table('event').map((cells) => {
      const may = cells.at(-1)!;
      return [named(cells[0]!)[0]!, may === 'any' ? 'any' : may === 'no order yet' ? 'none' : new Set(named(may))];
    }),
  );
  if (next.size < 2 || meets.size < 2) throw new Error('order-states.md tells of no machine');
  return { next, meets };
}

export const LINE_COUNTS = [
  'quantity',
  'refused',
  'backordered',
  'allocated',
  'picked',
  'shipped',
  'invoiced',
  'cancelled',
  'returned',
] as const;
export type PlayedLine = Record<(typeof LINE_COUNTS)[number], number>;

interface Part {
  lineNo: number;
  quantity: number;
}
/** What facts say, as far as it moves units. */
export interface Told {
  document?: string;
  lines?: (Part & { refused?: number; backordered?: number; fromBackorder?: number })[];
  lineNo?: number;
  refused?: number;
  allocations?: Part[];
  released?: Part[];
}

const noUnits = (): PlayedLine => Object.fromEntries(LINE_COUNTS.map((name) => [name, 0])) as PlayedLine;

export class PlayedOrder {
  readonly lines = new Map<number, PlayedLine>();
  state: string | undefined;
  version = 0;
  /** Sums over all lines, kept as they change: an order of hundreds of lines has hundreds of facts. */
  readonly #sums = noUnits();
  #isConfirmed = false;
  #isReleased = false;

  /** @returns what may not be, in words */
  play(machine: Machine, version: number, type: string, told: Told): string | undefined {
    if (version !== this.version + 1) return `version ${version} follows ${this.version}`;
    this.version = version;
    const may = machine.meets.get(type);
    if (may === undefined) return `${type} is no declared event`;
    const isMet =
      may === 'any' ? this.state !== undefined : may === 'none' ? this.state === undefined : may.has(this.state ?? '');
    if (!isMet) return `${type} meets an order that is ${this.state ?? 'not there'}`;
    const fault = this.#move(type, told);
    if (fault !== undefined) return fault;
    const before = this.state;
    this.state = this.#stateNow();
    if (before === undefined || before === this.state || machine.next.get(before)?.has(this.state)) return undefined;
    return `${type} (version ${version}) moves it from ${before} to ${this.state}`;
  }

  #move(type: string, told: Told): string | undefined {
    const touched = new Set<number>();
    const add = (parts: readonly Part[] | undefined, name: keyof PlayedLine, sign = 1): void => {
      for (const { lineNo, quantity } of parts ?? []) {
        const line = this.lines.get(lineNo);
        if (line === undefined) continue;
        line[name] += sign * quantity;
        this.#sums[name] += sign * quantity;
        touched.add(lineNo);
      }
    };
    switch (type) {
      case 'order.accepted':
      case 'order.lines_added':
        for (const { lineNo, quantity, refused = 0, backordered = 0 } of told.lines!) {
          this.lines.set(lineNo, noUnits());
          add([{ lineNo, quantity }], 'quantity');
          add([{ lineNo, quantity: refused }], 'refused');
          add([{ lineNo, quantity: backordered }], 'backordered');
        }
        add(told.allocations, 'allocated');
        break;
      case 'order.confirmed':
        this.#isConfirmed = true;
        break;
      case 'fulfilment.released':
        this.#isReleased = true;
        break;
      case 'order.lines_allocated':
        add(told.allocations, 'allocated');
        add(told.allocations, 'backordered', -1);
        break;
      case 'fulfilment.short_picked':
        add(told.lines, 'backordered');
        add(told.lines, 'allocated', -1);
        break;
      case 'stock.picked':
        add(told.lines, 'picked');
        add(told.lines, 'allocated', -1);
        break;
      case 'shipment.confirmed':
        add(told.lines, 'shipped');
        break;
      case 'document.posted':
        if (told.document === 'invoice') add(told.lines, 'invoiced');
        break;
      case 'order.lines_cancelled':
        add(told.lines, 'cancelled');
        add(told.released, 'allocated', -1);
        for (const { lineNo, fromBackorder = 0 } of told.lines!)
          add([{ lineNo, quantity: fromBackorder }], 'backordered', -1);
        break;
      case 'order.exception_resolved':
        // Units that the line gives up; other lines may stand for them, on which they are allocated at once.
        if (told.refused! > 0) {
          add([{ lineNo: told.lineNo!, quantity: told.refused! }], 'refused');
          add([{ lineNo: told.lineNo!, quantity: told.refused! }], 'backordered', -1);
        }
        for (const { lineNo, quantity } of told.lines!) {
          this.lines.set(lineNo, noUnits());
          add([{ lineNo, quantity }], 'quantity');
        }
        add(told.allocations, 'allocated');
        break;
      case 'return.received':
        add(told.lines, 'returned');
        break;
    }
    for (const lineNo of touched) {
      const line = this.lines.get(lineNo)!;
      const { quantity, allocated, backordered, picked, cancelled, refused } = line;
      if (quantity !== allocated + backordered + picked + cancelled + refused)
        return `${type} leaves line ${lineNo} with ${quantity} ≠ ${allocated} + ${backordered} + ${picked} + ${cancelled} + ${refused}`;
      const least = LINE_COUNTS.find((name) => line[name] < 0);
      if (least !== undefined) return `${type} leaves line ${lineNo} with ${line[least]} ${least}`;
    }
    return undefined;
  }

  /** The first rule that fits, from the top of the page's table. */
  #stateNow(): string {
    const { quantity: ordered, refused, cancelled, shipped, invoiced } = this.#sums;
    const open = ordered - refused - cancelled;
    if (refused === ordered) return 'refused';
    if (open === 0) return 'cancelled';
    if (shipped === open) return invoiced >= shipped ? 'closed' : 'shipped';
    if (shipped > 0) return 'partly_shipped';
    if (this.#isReleased) return 'released';
    return this.#isConfirmed ? 'confirmed' : 'accepted';
  }
}
