/**
 * What the hub should do, as plainly as it can be said: everything at once and in memory, one command after the other. Shares no code
 * with the hub; where both are wrong in the same way, the rules themselves are.
 */

export interface ModelLine {
  lineNo: number;
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
  parts: { lineNo: number; sku: string; open: number }[];
}

export interface ModelOrder {
  no: string;
  lines: ModelLine[];
  parcels: Parcel[];
  isConfirmed: boolean;
  isReleased: boolean;
  isHanded: boolean;
  holds: number;
}

interface Ask {
  order: ModelOrder;
  parcel: Parcel;
  lines: { lineNo: number; quantity: number }[];
}
interface Back {
  order: ModelOrder;
  location: string;
  reference: string | null;
  lines: { lineNo: number; sku: string; left: number }[];
}

export type Answer = 'applied' | 'over_cancel';

export class Model {
  readonly orders: ModelOrder[] = [];
  readonly stock = new Map<string, { onHand: number; allocated: number }>();
  /** Shipments that were heard of and not invoiced. */
  readonly toInvoice: { order: string; lines: { lineNo: number; quantity: number; amountMinor: number }[] }[] = [];
  readonly asks: Ask[] = [];
  readonly backs: Back[] = [];
  readonly #places: readonly string[];

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

  /** Gives lines what there is. What is given at once at one place leaves together. */
  #allocate(order: ModelOrder): void {
    const parcels = new Map<string, Parcel>();
    for (const line of order.lines) {
      if (line.backordered === 0) continue;
      for (const { place, quantity } of this.#take(line.sku, line.backordered)) {
        let parcel = parcels.get(place);
        if (parcel === undefined) {
          parcel = { location: place, reference: null, isAsked: false, parts: [] };
          parcels.set(place, parcel);
        }
        parcel.parts.push({ lineNo: line.lineNo, sku: line.sku, open: quantity });
        line.backordered -= quantity;
      }
    }
    order.parcels.push(...parcels.values());
    this.#handOver(order);
  }

  submit(no: string, lines: readonly { sku: string; quantity: number; micros: bigint }[]): void {
    const order: ModelOrder = {
      no,
      lines: lines.map(({ sku, quantity, micros }, i) => ({
        ...{ lineNo: i + 1, sku, quantity, micros, backordered: quantity },
        ...{ picked: 0, shipped: 0, invoiced: 0, cancelAsked: 0, cancelled: 0, returnExpected: 0, returned: 0 },
        ...{ shippedMinor: 0, invoicedMinor: 0, cancelledMinor: 0, returnedMinor: 0 },
      })),
      ...{ parcels: [], isConfirmed: false, isReleased: false, isHanded: false, holds: 0 },
    };
    this.orders.push(order);
    this.#allocate(order);
  }

  backorders(): void {
    for (const order of this.orders) if (order.holds === 0) this.#allocate(order);
  }

  /** The ERP has every order. */
  confirm(): void {
    for (const order of this.orders) {
      order.isConfirmed = true;
      this.#handOver(order);
    }
  }

  #handOver(order: ModelOrder): void {
    if (!order.isConfirmed || order.holds > 0) return;
    for (const parcel of order.parcels)
      if (!parcel.isAsked && parcel.parts.some((part) => part.open > 0)) {
        parcel.isAsked = true;
        order.isHanded = true;
      }
  }

  isOver(order: ModelOrder): boolean {
    const open = order.lines.reduce((sum, line) => sum + line.quantity - line.cancelled, 0);
    const shipped = order.lines.reduce((sum, line) => sum + line.shipped, 0);
    return open === 0 || shipped >= open;
  }

  hold(order: ModelOrder): void {
    order.holds++;
  }

  release(order: ModelOrder): void {
    order.holds--;
    this.#handOver(order);
  }

  cancel(order: ModelOrder, lineNo: number, quantity: number): Answer {
    const line = order.lines.find((one) => one.lineNo === lineNo)!;
    if (quantity > line.quantity - line.cancelled - line.cancelAsked - line.returnExpected - line.returned)
      return 'over_cancel';
    let missing = quantity;
    const waiting = Math.min(line.backordered, missing);
    line.backordered -= waiting;
    missing -= waiting;
    let cancelled = waiting;
    for (const parcel of order.parcels)
      for (const part of parcel.parts) {
        if (order.isHanded || part.lineNo !== lineNo) continue;
        const units = Math.min(part.open, missing);
        part.open -= units;
        this.#at(part.sku, parcel.location).allocated -= units;
        missing -= units;
        cancelled += units;
      }
    this.#undo(line, cancelled, 'cancelled');
    // What the WMS was told to pick it is asked for: less what it was asked for before, whichever parcel that lies in.
    const open = order.parcels.map((parcel) => ({
      parcel,
      units: parcel.parts.reduce((sum, part) => sum + (part.lineNo === lineNo ? part.open : 0), 0),
    }));
    let before = line.cancelAsked;
    const all = order.isHanded ? open.reduce((sum, { units }) => sum + units, 0) : 0;
    let toAsk = Math.min(missing, Math.max(0, all - before));
    missing -= toAsk;
    line.cancelAsked += toAsk;
    for (const { parcel, units } of open) {
      const spoken = Math.min(units, before);
      before -= spoken;
      const ask = Math.min(units - spoken, toAsk);
      if (ask === 0) continue;
      toAsk -= ask;
      this.asks.push({ order, parcel, lines: [{ lineNo, quantity: ask }] });
    }
    if (missing > 0) this.#expectBack(order, line, missing);
    this.#endHolds(order);
    return 'applied';
  }

  #endHolds(order: ModelOrder): void {
    if (this.isOver(order)) order.holds = 0;
  }

  #expectBack(order: ModelOrder, line: ModelLine, quantity: number): void {
    const from = order.parcels.find((parcel) => parcel.parts.some((part) => part.lineNo === line.lineNo))!;
    line.returnExpected += quantity;
    this.backs.push({
      ...{ order, location: from.location, reference: null },
      lines: [{ lineNo: line.lineNo, sku: line.sku, left: quantity }],
    });
  }

  /** The WMS says what of a cancel it could stop. */
  answer(ask: Ask, lines: readonly { lineNo: number; cancelled: number; tooLate: number }[]): void {
    for (const { lineNo, cancelled, tooLate } of lines) {
      const line = ask.order.lines.find((one) => one.lineNo === lineNo)!;
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
      if (tooLate > 0) this.#expectBack(ask.order, line, tooLate);
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
      order.lines.find((line) => line.lineNo === lineNo)!.picked += quantity;
    }
  }

  ship(reference: string, lines: readonly { lineNo: number; quantity: number }[]): void {
    const { order } = this.#parcel(reference);
    const invoice = [];
    for (const { lineNo, quantity } of lines) {
      const line = order.lines.find((one) => one.lineNo === lineNo)!;
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
      const line = order.lines.find((one) => one.lineNo === lineNo)!;
      line.invoiced += quantity;
      line.invoicedMinor += amountMinor;
    }
  }

  comeBack(reference: string, lines: readonly { lineNo: number; sku: string; quantity: number }[]): void {
    const back = this.backs.find((one) => one.reference === reference)!;
    for (const { lineNo, sku, quantity } of lines) {
      const line = back.order.lines.find((one) => one.lineNo === lineNo)!;
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
    const sum = (of: (line: ModelLine) => number) => order.lines.reduce((all, line) => all + of(line), 0);
    const open = sum((line) => line.quantity - line.cancelled);
    const shipped = sum((line) => line.shipped);
    if (open === 0) return 'cancelled';
    if (shipped >= open) return sum((line) => line.invoiced) >= shipped ? 'closed' : 'shipped';
    if (shipped > 0) return 'partly_shipped';
    return order.isReleased ? 'released' : order.isConfirmed ? 'confirmed' : 'accepted';
  }

  allocatedOf(order: ModelOrder, lineNo: number): number {
    let units = 0;
    for (const parcel of order.parcels) for (const part of parcel.parts) if (part.lineNo === lineNo) units += part.open;
    return units;
  }
}

/** Minor units of a price in millionths, half away from zero. */
export function amount(micros: bigint, quantity: number): number {
  return Number((micros * BigInt(quantity) + 5_000n) / 10_000n);
}
