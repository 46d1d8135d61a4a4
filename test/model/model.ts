/**
 * What the hub should do, as plainly as it can be said: everything at once and in memory, one command after the other. Shares no code
 * with the hub; where both are wrong in the same way, the rules themselves are.
 */

export interface ModelLine {
  lineNo: number;
  /** The line of who ordered that it belongs to; its own number: that line. */
  root: number;
  /** By a change, after the order. */
  isAdded: boolean;
  /** Added, and the ERP doesn't know it. */
  awaitsErp: boolean;
  sku: string;
  quantity: number;
  /** Millionths of the major unit. */
  micros: bigint;
  backordered: number;
  picked: number;
  shipped: number;
  invoiced: number;
  cancelAsked: number;
  cancelled: number;
  returnExpected: number;
  returned: number;
  shippedMinor: number;
  invoicedMinor: number;
  cancelledMinor: number;
  returnedMinor: number;
}

/** Units that are allocated together leave together: a parcel to be, at one location. */
interface Parcel {
  location: string;
  /** Of the WMS; null: not asked of it. */
  reference: string | null;
  /** Waits to be seen at the WMS. */
  isAsked: boolean;
  /** `nth`: in the order in which they were allocated. */
  parts: { nth: number; lineNo: number; sku: string; open: number }[];
}

export interface ModelOrder {
  no: string;
  lines: ModelLine[];
  parcels: Parcel[];
  isConfirmed: boolean;
  isReleased: boolean;
  holds: number;
  changes: { number: number; isWhole: boolean; lines: number[] }[];
}

/** What a change says a line shall be. */
export interface Wish {
  /** null: a new line without a number. */
  lineNo: number | null;
  quantity: number;
  /** null: as it is. */
  sku: string | null;
  micros: bigint | null;
}

interface Ask {
  order: ModelOrder;
  parcel: Parcel;
  /** What is stopped too late stays with the order: a change asked, no cancel. */
  isChange: boolean;
  lines: { lineNo: number; quantity: number }[];
}
interface Back {
  order: ModelOrder;
  location: string;
  reference: string | null;
  lines: { lineNo: number; sku: string; left: number }[];
}

export type Answer = 'applied' | 'over_cancel';

/** What becomes of one line by a change. */
interface Turn {
  lineNo: number;
  less: number;
  more: { lineNo: number; root: number; sku: string; quantity: number; micros: bigint } | null;
}

export class Model {
  readonly orders: ModelOrder[] = [];
  readonly stock = new Map<string, { onHand: number; allocated: number }>();
  /** Shipments that were heard of and not invoiced. */
  readonly toInvoice: { order: string; lines: { lineNo: number; quantity: number; amountMinor: number }[] }[] = [];
  readonly asks: Ask[] = [];
  readonly backs: Back[] = [];
  readonly #places: readonly string[];
  #allocated = 0;

  constructor(skus: readonly string[], places: readonly string[]) {
    this.#places = places;
    for (const sku of skus) for (const place of places) this.stock.set(`${sku}@${place}`, { onHand: 0, allocated: 0 });
  }

  #at(sku: string, place: string) {
    return this.stock.get(`${sku}@${place}`)!;
  }

  free(sku: string, place: string): number {
    const { onHand, allocated } = this.#at(sku, place);
    return onHand - allocated;
  }

  move(sku: string, place: string, quantity: number): void {
    this.#at(sku, place).onHand += quantity;
  }

  /** One place if one has all, in the order of priority; else the fullest first. */
  #take(sku: string, wanted: number): { place: string; quantity: number }[] {
    const whole = this.#places.find((place) => this.free(sku, place) >= wanted);
    const ranked =
      whole !== undefined ? [whole] : this.#places.toSorted((a, b) => this.free(sku, b) - this.free(sku, a));
    const taken = [];
    let missing = wanted;
    for (const place of ranked) {
      const quantity = Math.min(missing, Math.max(0, this.free(sku, place)));
      if (quantity === 0) continue;
      this.#at(sku, place).allocated += quantity;
      missing -= quantity;
      taken.push({ place, quantity });
    }
    return taken;
  }

  /** Gives lines what there is. What is given at once at one place leaves together, but for lines that the ERP has yet to confirm. */
  #allocate(order: ModelOrder, lines = order.lines): void {
    const parcels = new Map<string, Parcel>();
    for (const line of lines) {
      if (line.backordered === 0) continue;
      for (const { place, quantity } of this.#take(line.sku, line.backordered)) {
        const key = line.awaitsErp && lines === order.lines ? `${place} ${line.lineNo}` : place;
        let parcel = parcels.get(key);
        if (parcel === undefined) {
          parcel = { location: place, reference: null, isAsked: false, parts: [] };
          parcels.set(key, parcel);
        }
        parcel.parts.push({ nth: ++this.#allocated, lineNo: line.lineNo, sku: line.sku, open: quantity });
        line.backordered -= quantity;
      }
    }
    order.parcels.push(...parcels.values());
    this.#handOver(order);
  }

  submit(no: string, lines: readonly { sku: string; quantity: number; micros: bigint }[]): void {
    const order: ModelOrder = {
      no,
      lines: lines.map((line, i) => newLine({ ...line, lineNo: i + 1, root: i + 1 })),
      ...{ parcels: [], isConfirmed: false, isReleased: false, holds: 0, changes: [] },
    };
    this.orders.push(order);
    this.#allocate(order);
  }

  backorders(): void {
    for (const order of this.orders) if (order.holds === 0) this.#allocate(order);
  }

  /** The ERP has every order, and every line that was added. */
  confirm(): void {
    for (const order of this.orders) {
      order.isConfirmed = true;
      for (const line of order.lines) line.awaitsErp = false;
      this.#handOver(order);
    }
  }

  #handOver(order: ModelOrder): void {
    if (!order.isConfirmed || order.holds > 0) return;
    for (const parcel of order.parcels) {
      const open = parcel.parts.filter((part) => part.open > 0);
      if (open.length > 0 && open.every((part) => !lineOf(order, part.lineNo).awaitsErp)) parcel.isAsked = true;
    }
  }

  isOver(order: ModelOrder): boolean {
    const open = sum(order.lines, (line) => line.quantity - line.cancelled);
    return open === 0 || sum(order.lines, (line) => line.shipped) >= open;
  }

  hold(order: ModelOrder): void {
    order.holds++;
  }

  release(order: ModelOrder): void {
    order.holds--;
    this.#handOver(order);
  }

  cancel(order: ModelOrder, lineNo: number, quantity: number): Answer {
    const line = lineOf(order, lineNo);
    // Who names units that were added means those alone.
    const parts = line.root === lineNo ? partsOf(order, lineNo) : [line];
    if (quantity > leftOf(parts)) return 'over_cancel';
    this.#takeBack(order, parts, quantity, false);
    this.#endHolds(order);
    return 'applied';
  }

  cancelWhole(order: ModelOrder): void {
    for (const { lineNo, root } of order.lines) {
      const parts = partsOf(order, lineNo);
      if (root === lineNo) this.#takeBack(order, parts, leftOf(parts), false);
    }
    this.#endHolds(order);
  }

  /** Each unit as early as it can be stopped; at one stage the first line goes first. */
  #takeBack(order: ModelOrder, parts: readonly ModelLine[], quantity: number, isChange: boolean): void {
    let missing = quantity;
    for (const line of parts) missing -= this.#stopWaiting(line, missing);
    for (const line of parts) missing -= this.#stopHere(order, line, missing);
    for (const line of parts) missing -= this.#askToStop(order, line, missing, isChange);
    for (const line of parts) missing -= this.#expectBack(order, line, Math.min(missing, leftOf([line])));
  }

  #stopWaiting(line: ModelLine, wanted: number): number {
    const units = Math.min(line.backordered, wanted);
    line.backordered -= units;
    this.#undo(line, units, 'cancelled');
    return units;
  }

  /** What the WMS was not asked for. */
  #stopHere(order: ModelOrder, line: ModelLine, wanted: number): number {
    let missing = wanted;
    for (const { parcel, part } of openOf(order, line)) {
      if (parcel.isAsked) continue;
      const units = Math.min(part.open, missing);
      part.open -= units;
      missing -= units;
      this.#at(part.sku, parcel.location).allocated -= units;
    }
    this.#undo(line, wanted - missing, 'cancelled');
    return wanted - missing;
  }

  /** Less what the WMS was asked to stop before, whichever parcel that lies in. */
  #askToStop(order: ModelOrder, line: ModelLine, wanted: number, isChange: boolean): number {
    const open = sum(openOf(order, line), ({ parcel, part }) => (parcel.isAsked ? part.open : 0));
    // What comes back was picked, heard of or not: nobody asks for it again.
    const units = Math.max(0, Math.min(wanted, open - line.cancelAsked, leftOf([line])));
    let before = line.cancelAsked;
    let toAsk = units;
    for (const { parcel, part } of openOf(order, line)) {
      if (!parcel.isAsked) continue;
      const spoken = Math.min(part.open, before);
      before -= spoken;
      const ask = Math.min(part.open - spoken, toAsk);
      if (ask === 0) continue;
      toAsk -= ask;
      this.asks.push({ order, parcel, isChange, lines: [{ lineNo: line.lineNo, quantity: ask }] });
    }
    line.cancelAsked += units;
    return units;
  }

  /** All or nothing, unless what can't be changed is to be left as it is. @returns what each line was answered, or why nothing is changed */
  change(
    order: ModelOrder,
    { number, isWhole, isPartial, wishes }: { number: number; isWhole: boolean; isPartial: boolean; wishes: Wish[] },
  ): string {
    const named = wishes.flatMap(({ lineNo }) => lineNo ?? []);
    if (new Set(named).size < named.length) return 'duplicate_line';
    const removed = isWhole
      ? order.lines.filter((line) => line.root === line.lineNo && !named.includes(line.lineNo))
      : [];
    const all = [...wishes, ...removed.map(({ lineNo }) => ({ lineNo, quantity: 0, sku: null, micros: null }))];
    const newer = order.changes.filter((other) => number > 0 && other.number > number);
    const isOld = ({ lineNo }: Wish) => newer.some((other) => other.isWhole || other.lines.includes(lineNo!));
    const live = all.filter((wish) => !isOld(wish));
    if (live.length === 0) return 'duplicate';
    let last = Math.max(100_000, ...order.lines.map(({ lineNo }) => lineNo), ...named);
    const turns = live.map((wish) => this.#turn(order, wish, () => ++last));
    const refused = turns.filter((turn) => typeof turn === 'string');
    const done = turns.filter((turn) => typeof turn !== 'string');
    if (refused.length > 0 && (!isPartial || done.length === 0)) return refused[0]!;
    order.changes.push({ number, isWhole, lines: [...live, ...done].flatMap(({ lineNo }) => lineNo ?? []) });
    // An order that ended takes nothing more: where giving back would end it, what is added comes first.
    const atOnce = sum(done, ({ lineNo, less }) =>
      Math.min(less, this.#stoppable(order, partsOf(order, lineNo)).atOnce),
    );
    const isLast =
      sum(order.lines, (line) => line.shipped) >= sum(order.lines, (line) => line.quantity - line.cancelled) - atOnce;
    const before = order.lines;
    const giveBack = () => {
      for (const { lineNo, less } of done)
        this.#takeBack(
          order,
          before.filter((line) => line.root === lineNo),
          less,
          true,
        );
    };
    if (!isLast) giveBack();
    const added = done.flatMap(({ more }) => (more === null ? [] : newLine({ ...more, isAdded: true })));
    order.lines = [...order.lines, ...added].sort((a, b) => a.lineNo - b.lineNo);
    this.#allocate(order, added);
    if (isLast) giveBack();
    this.#endHolds(order);
    return 'applied';
  }

  /** Units that end now, and units that the WMS can be asked to stop. */
  #stoppable(order: ModelOrder, parts: readonly ModelLine[]): { atOnce: number; asked: number } {
    const open = (line: ModelLine, isAsked: boolean) =>
      sum(openOf(order, line), ({ parcel, part }) => (parcel.isAsked === isAsked ? part.open : 0));
    const atOnce = (line: ModelLine) => line.backordered + open(line, false);
    return {
      atOnce: sum(parts, atOnce),
      asked: sum(parts, (line) =>
        Math.max(0, Math.min(open(line, true) - line.cancelAsked, leftOf([line]) - atOnce(line))),
      ),
    };
  }

  /** What a wish asks of its line, or why that can't be. */
  #turn(order: ModelOrder, { lineNo, quantity, sku, micros }: Wish, takeLineNo: () => number): Turn | string {
    const line = order.lines.find((one) => one.lineNo === lineNo);
    if (line !== undefined && line.root !== lineNo) return 'line_taken';
    const refusal = this.isOver(order) ? 'order_ended' : order.holds > 0 ? 'order_held' : undefined;
    if (line === undefined) {
      if (quantity === 0 && lineNo !== null) return { lineNo, less: 0, more: null };
      if (quantity === 0 || sku === null) return 'unknown_line';
      if (refusal !== undefined) return refusal;
      if (micros === null) return 'no_price';
      const own = lineNo ?? takeLineNo();
      return { lineNo: own, less: 0, more: { lineNo: own, root: own, sku, quantity, micros } };
    }
    const parts = partsOf(order, line.lineNo);
    const current = parts.at(-1)!;
    const left = leftOf(parts);
    const isOther = sku !== null && sku !== current.sku && quantity > 0;
    const less = isOther ? left : Math.max(0, left - quantity);
    const { atOnce, asked } = this.#stoppable(order, parts);
    // Another SKU only where all of the old one ends now: else both could leave.
    if (less > atOnce + (isOther ? 0 : asked)) return 'too_late';
    const more = isOther ? quantity : Math.max(0, quantity - left);
    if (more === 0) return { lineNo: line.lineNo, less, more: null };
    if (refusal !== undefined) return refusal;
    if (isOther && micros === null) return 'no_price';
    const own = { lineNo: takeLineNo(), root: line.lineNo, quantity: more };
    return {
      lineNo: line.lineNo,
      less,
      more: { ...own, sku: isOther ? sku : current.sku, micros: micros ?? current.micros },
    };
  }

  #endHolds(order: ModelOrder): void {
    if (this.isOver(order)) order.holds = 0;
  }

  #expectBack(order: ModelOrder, line: ModelLine, quantity: number): number {
    if (quantity === 0) return 0;
    const [from] = allocationsOf(order, line);
    line.returnExpected += quantity;
    this.backs.push({
      ...{ order, location: from!.parcel.location, reference: null },
      lines: [{ lineNo: line.lineNo, sku: line.sku, left: quantity }],
    });
    return quantity;
  }

  /** The WMS says what of a cancel it could stop. */
  answer(ask: Ask, lines: readonly { lineNo: number; cancelled: number; tooLate: number }[]): void {
    for (const { lineNo, cancelled, tooLate } of lines) {
      const line = lineOf(ask.order, lineNo);
      line.cancelAsked -= cancelled + tooLate;
      let missing = cancelled;
      for (const part of ask.parcel.parts) {
        if (part.lineNo !== lineNo) continue;
        const units = Math.min(part.open, missing);
        part.open -= units;
        missing -= units;
        this.#at(part.sku, ask.parcel.location).allocated -= units;
      }
      if (missing > 0) throw new Error(`${ask.order.no} line ${lineNo}: ${missing} more were stopped than were open`);
      this.#undo(line, cancelled, 'cancelled');
      if (!ask.isChange) this.#expectBack(ask.order, line, tooLate);
    }
    this.#endHolds(ask.order);
  }

  #parcel(reference: string): { order: ModelOrder; parcel: Parcel } {
    for (const order of this.orders)
      for (const parcel of order.parcels) if (parcel.reference === reference) return { order, parcel };
    throw new Error(`no parcel ${reference}`);
  }

  pick(reference: string, lines: readonly { lineNo: number; quantity: number }[]): void {
    const { order, parcel } = this.#parcel(reference);
    for (const { lineNo, quantity } of lines) {
      let missing = quantity;
      for (const part of parcel.parts) {
        if (part.lineNo !== lineNo) continue;
        const units = Math.min(part.open, missing);
        part.open -= units;
        missing -= units;
        const at = this.#at(part.sku, parcel.location);
        at.allocated -= units;
        at.onHand -= units;
      }
      if (missing > 0) throw new Error(`${order.no} line ${lineNo}: ${missing} more were picked than were open`);
      lineOf(order, lineNo).picked += quantity;
    }
  }

  ship(reference: string, lines: readonly { lineNo: number; quantity: number }[]): void {
    const { order } = this.#parcel(reference);
    const invoice = [];
    for (const { lineNo, quantity } of lines) {
      const line = lineOf(order, lineNo);
      // Counted from the end, so that it meets what is undone, which is counted from the beginning.
      const upTo = (shipped: number) =>
        amount(line.micros, line.quantity) - amount(line.micros, line.quantity - shipped);
      const amountMinor = upTo(line.shipped + quantity) - upTo(line.shipped);
      line.shipped += quantity;
      line.shippedMinor += amountMinor;
      invoice.push({ lineNo, quantity, amountMinor });
    }
    this.toInvoice.push({ order: order.no, lines: invoice });
    this.#endHolds(order);
  }

  invoice(no: string, lines: readonly { lineNo: number; quantity: number; amountMinor: number }[]): void {
    const order = this.orders.find((one) => one.no === no)!;
    for (const { lineNo, quantity, amountMinor } of lines) {
      const line = lineOf(order, lineNo);
      line.invoiced += quantity;
      line.invoicedMinor += amountMinor;
    }
  }

  comeBack(reference: string, lines: readonly { lineNo: number; sku: string; quantity: number }[]): void {
    const back = this.backs.find((one) => one.reference === reference)!;
    for (const { lineNo, sku, quantity } of lines) {
      const line = lineOf(back.order, lineNo);
      line.returnExpected -= quantity;
      this.#undo(line, quantity, 'returned');
      this.#at(sku, back.location).onHand += quantity;
    }
  }

  #undo(line: ModelLine, quantity: number, how: 'cancelled' | 'returned'): void {
    const before = line.cancelled + line.returned;
    const minor = amount(line.micros, before + quantity) - amount(line.micros, before);
    line[how] += quantity;
    line[`${how}Minor`] += minor;
  }

  /** As the hub shows it. */
  stateOf(order: ModelOrder): string {
    const open = sum(order.lines, (line) => line.quantity - line.cancelled);
    const shipped = sum(order.lines, (line) => line.shipped);
    if (open === 0) return 'cancelled';
    if (shipped >= open) return sum(order.lines, (line) => line.invoiced) >= shipped ? 'closed' : 'shipped';
    if (shipped > 0) return 'partly_shipped';
    return order.isReleased ? 'released' : order.isConfirmed ? 'confirmed' : 'accepted';
  }

  allocatedOf(order: ModelOrder, line: ModelLine): number {
    return sum(openOf(order, line), ({ part }) => part.open);
  }
}

function newLine(
  line: Pick<ModelLine, 'lineNo' | 'root' | 'sku' | 'quantity' | 'micros'> & { isAdded?: true },
): ModelLine {
  const { isAdded = false } = line;
  return {
    ...{ ...line, isAdded, awaitsErp: isAdded, backordered: line.quantity },
    ...{ picked: 0, shipped: 0, invoiced: 0, cancelAsked: 0, cancelled: 0, returnExpected: 0, returned: 0 },
    ...{ shippedMinor: 0, invoicedMinor: 0, cancelledMinor: 0, returnedMinor: 0 },
  };
}

function lineOf(order: ModelOrder, lineNo: number): ModelLine {
  return order.lines.find((line) => line.lineNo === lineNo)!;
}

/** The line of who ordered, and what was added to it. */
function partsOf(order: ModelOrder, root: number): ModelLine[] {
  return order.lines.filter((line) => line.root === root);
}

/** Units that nobody has taken back. */
function leftOf(parts: readonly ModelLine[]): number {
  return sum(parts, (line) => line.quantity - line.cancelled - line.cancelAsked - line.returnExpected - line.returned);
}

/** What was allocated to a line, the first first. */
function allocationsOf(order: ModelOrder, line: ModelLine): { parcel: Parcel; part: Parcel['parts'][number] }[] {
  return order.parcels
    .flatMap((parcel) => parcel.parts.map((part) => ({ parcel, part })))
    .filter(({ part }) => part.lineNo === line.lineNo)
    .sort((a, b) => a.part.nth - b.part.nth);
}

function openOf(order: ModelOrder, line: ModelLine): { parcel: Parcel; part: Parcel['parts'][number] }[] {
  return allocationsOf(order, line).filter(({ part }) => part.open > 0);
}

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((all, one) => all + of(one), 0);
}

/** Minor units of a price in millionths, half away from zero. */
export function amount(micros: bigint, quantity: number): number {
  return Number((micros * BigInt(quantity) + 5_000n) / 10_000n);
}
