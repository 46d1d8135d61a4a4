/**
 * What the hub should do, as plainly as it can be said: everything at once and in memory, one command after the other. Shares no code
 * with the hub; where both are wrong in the same way, the rules themselves are.
 */
import {
  allocationsOf,
  amount,
  backLine,
  claimsOf,
  leftOf,
  lineOf,
  newLine,
  openMinor,
  openOf,
  partsOf,
  sum,
} from './model-lines.ts';
import type {
  Answer,
  Ask,
  Back,
  CreditReport,
  Inspection,
  ModelChannel,
  ModelLine,
  ModelOrder,
  Parcel,
  Turn,
  Wish,
} from './model-types.ts';

export class Model {
  readonly orders: ModelOrder[] = [];
  /** `missing`: on the books, and not where they should be. */
  readonly stock = new Map<string, { onHand: number; allocated: number; missing: number }>();
  /** Shipments that were heard of and not invoiced. */
  readonly toInvoice: { order: string; lines: { lineNo: number; quantity: number; amountMinor: number }[] }[] = [];
  readonly asks: Ask[] = [];
  readonly backs: Back[] = [];
  /** The ERP's word on the account, and since when. */
  credit: CreditReport = { at: -1, limit: 0, open: 0, orders: [], lines: [] };
  /** Came before the goods that they are about. */
  #inspections: Inspection[] = [];
  readonly #places: readonly string[];
  readonly #inspecting: readonly string[];
  #allocated = 0;

  /** @param inspecting places where goods that come back are on hand once somebody has looked at them */
  constructor(skus: readonly string[], places: readonly string[], inspecting: readonly string[]) {
    this.#places = places;
    this.#inspecting = inspecting;
    for (const sku of skus)
      for (const place of places) this.stock.set(`${sku}@${place}`, { onHand: 0, allocated: 0, missing: 0 });
  }

  #at(sku: string, place: string) {
    return this.stock.get(`${sku}@${place}`)!;
  }

  free(sku: string, place: string): number {
    const { onHand, allocated, missing } = this.#at(sku, place);
    return onHand - allocated - missing;
  }

  move(sku: string, place: string, quantity: number): void {
    this.#at(sku, place).onHand += quantity;
  }

  /** One place if one has all, in the order of priority; else the fullest first. */
  #take(sku: string, wanted: number, places = this.#places): { place: string; quantity: number }[] {
    const whole = places.find((place) => this.free(sku, place) >= wanted);
    const ranked = whole !== undefined ? [whole] : places.toSorted((a, b) => this.free(sku, b) - this.free(sku, a));
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
    this.#give(
      order,
      lines.map((line) => ({ line, units: line.backordered, isApart: line.awaitsErp && lines === order.lines })),
    );
  }

  #give(
    order: ModelOrder,
    wanted: readonly { line: ModelLine; units: number; isApart: boolean }[],
    places = this.#places,
  ): void {
    const parcels = new Map<string, Parcel>();
    for (const { line, units, isApart } of wanted) {
      if (units === 0) continue;
      for (const { place, quantity } of this.#take(line.sku, units, places)) {
        const key = isApart ? `${place} ${line.lineNo}` : place;
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

  submit(no: string, channel: ModelChannel, lines: readonly { sku: string; quantity: number; micros: bigint }[]): void {
    const order: ModelOrder = {
      ...{ no, channel },
      lines: lines.map((line, i) => newLine({ ...line, lineNo: i + 1, root: i + 1 })),
      ...{ parcels: [], isTold: true, isConfirmed: false, isReleased: false, holds: [], changes: [] },
      claim: { minor: null, change: 0 },
    };
    this.orders.push(order);
    this.#allocate(order);
    if (!channel.checksCredit) return;
    if (this.#fits(openMinor(order))) order.claim.minor = openMinor(order);
    else {
      order.holds.push('credit');
      order.isTold = false;
    }
  }

  /** What the ERP knows of, and what the hub has accepted that no report shows. */
  #fits(minor: number): boolean {
    return this.credit.open + this.claimed + minor <= this.credit.limit;
  }

  get claimed(): number {
    return sum(this.orders.flatMap(claimsOf), ({ minor }) => minor ?? 0);
  }

  /** Of two reports the later one. What it shows counts no more: orders and lines that it contains, and those that the ERP has invoiced. */
  report(report: CreditReport): Answer {
    if (report.at <= this.credit.at) return 'duplicate';
    this.credit = report;
    for (const order of this.orders) {
      if (report.orders.includes(order.no) || sum(order.lines, (line) => line.invoiced) > 0) order.claim.minor = null;
      for (const { claim, lineNo, invoiced } of order.lines)
        if (claim !== null && (report.lines.includes(`${order.no}#${lineNo}`) || invoiced > 0)) claim.minor = null;
    }
    return 'applied';
  }

  /** What is held for credit goes on where there is room by now, the oldest first. */
  releaseFitting(): void {
    for (const order of this.orders)
      if (order.holds.includes('credit') && this.#fits(openMinor(order))) this.release(order, 'credit');
  }

  backorders(): void {
    for (const order of this.orders) if (order.holds.length === 0) this.#allocate(order);
  }

  /** The ERP has every order, and every line that was added. */
  confirm(): void {
    for (const order of this.orders) {
      if (!order.isTold) continue;
      order.isConfirmed = true;
      for (const line of order.lines) line.awaitsErp = false;
      this.#handOver(order);
    }
  }

  #handOver(order: ModelOrder): void {
    if (!order.isConfirmed || order.holds.length > 0) return;
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
    order.holds.push('manual');
  }

  /** By a person, also beyond the limit. */
  release(order: ModelOrder, kind: 'credit' | 'manual'): void {
    order.holds.splice(order.holds.lastIndexOf(kind), 1);
    if (kind === 'credit') order.claim.minor = openMinor(order);
    if (order.holds.length === 0) order.isTold = true;
    this.#handOver(order);
  }

  cancel(order: ModelOrder, lineNo: number, quantity: number): Answer {
    const line = lineOf(order, lineNo);
    // Who names units that were added means those alone.
    const parts = line.root === lineNo ? partsOf(order, lineNo) : [line];
    if (quantity > leftOf(parts)) return 'over_cancel';
    this.#takeBack(order, parts, quantity, false);
    this.#end(order);
    return 'applied';
  }

  cancelWhole(order: ModelOrder): void {
    for (const { lineNo, root } of order.lines) {
      const parts = partsOf(order, lineNo);
      if (root === lineNo) this.#takeBack(order, parts, leftOf(parts), false);
    }
    this.#end(order);
  }

  /** Each unit as early as it can be stopped; at one stage the first line goes first. */
  #takeBack(order: ModelOrder, parts: readonly ModelLine[], quantity: number, isChange: boolean): void {
    let missing = quantity;
    for (const line of parts) missing -= this.#stopWaiting(order, line, missing);
    for (const line of parts) missing -= this.#stopHere(order, line, missing);
    for (const line of parts) missing -= this.#askToStop(order, line, missing, isChange);
    for (const line of parts) missing -= this.#expectBack(order, line, Math.min(missing, leftOf([line])));
  }

  #stopWaiting(order: ModelOrder, line: ModelLine, wanted: number): number {
    const units = Math.min(line.backordered, wanted);
    line.backordered -= units;
    this.#undo(order, line, units, 'cancelled');
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
    this.#undo(order, line, wanted - missing, 'cancelled');
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
    const asked = sum(done, ({ more }) => (more === null ? 0 : amount(more.micros, more.quantity)));
    // What is given back with it is not free before.
    if (order.channel.checksCredit && asked > 0 && !order.holds.includes('credit') && !this.#fits(asked))
      return 'over_credit';
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
    const added = done.flatMap(({ more }) => (more === null ? [] : newLine({ ...more, isAdded: order.isTold })));
    // What the ERP is told apart from the order counts apart from it.
    if (!order.isTold) order.claim.change += asked;
    else if (order.channel.checksCredit)
      for (const line of added) line.claim = { minor: amount(line.micros, line.quantity), change: 0 };
    order.lines = [...order.lines, ...added].sort((a, b) => a.lineNo - b.lineNo);
    this.#allocate(order, added);
    if (isLast) giveBack();
    this.#end(order);
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
    const refusal = this.isOver(order)
      ? 'order_ended'
      : order.holds.length > 0 && order.isTold
        ? 'order_held'
        : undefined;
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

  /** Of a command: what it changed of the claim counts; of an order that is over nothing is held. */
  #end(order: ModelOrder): void {
    for (const claim of claimsOf(order)) {
      if (claim.minor !== null) claim.minor += claim.change;
      if (claim.minor !== null && claim.change !== 0 && claim.minor <= 0) claim.minor = null;
      claim.change = 0;
    }
    if (!this.isOver(order)) return;
    order.holds = [];
    order.isTold = true;
  }

  #expectBack(order: ModelOrder, line: ModelLine, quantity: number): number {
    if (quantity === 0) return 0;
    const [from] = allocationsOf(order, line);
    line.returnExpected += quantity;
    this.backs.push({
      ...{ order, location: from!.parcel.location, reference: null },
      lines: [backLine(line, quantity)],
    });
    return quantity;
  }

  /** The WMS says what of a cancel it could stop. */
  answer(ask: Ask, lines: readonly { lineNo: number; cancelled: number; tooLate: number }[]): void {
    for (const { lineNo, ...said } of lines) {
      const line = lineOf(ask.order, lineNo);
      // Of what it was asked to stop, some was not found, and nobody waits for an answer to that.
      const cancelled = Math.min(said.cancelled, line.cancelAsked);
      const tooLate = Math.min(said.tooLate, line.cancelAsked - cancelled);
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
      this.#undo(ask.order, line, cancelled, 'cancelled');
      if (!ask.isChange) this.#expectBack(ask.order, line, tooLate);
    }
    this.#end(ask.order);
  }

  parcelOf(reference: string): { order: ModelOrder; parcel: Parcel } {
    for (const order of this.orders)
      for (const parcel of order.parcels) if (parcel.reference === reference) return { order, parcel };
    throw new Error(`no parcel ${reference}`);
  }

  pick(reference: string, lines: readonly { lineNo: number; quantity: number }[]): Answer {
    const { order, parcel } = this.parcelOf(reference);
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
    return 'applied';
  }

  ship(reference: string, lines: readonly { lineNo: number; quantity: number }[]): Answer {
    const { order } = this.parcelOf(reference);
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
    this.#end(order);
    return 'applied';
  }

  invoice(no: string, lines: readonly { lineNo: number; quantity: number; amountMinor: number }[]): Answer {
    const order = this.orders.find((one) => one.no === no)!;
    for (const { lineNo, quantity, amountMinor } of lines) {
      const line = lineOf(order, lineNo);
      line.invoiced += quantity;
      line.invoicedMinor += amountMinor;
    }
    return 'applied';
  }

  comeBack(reference: string, lines: readonly { lineNo: number; sku: string; quantity: number }[]): Answer {
    const back = this.#back(reference);
    const isInspected = this.#inspecting.includes(back.location);
    for (const { lineNo, sku, quantity } of lines) {
      const line = lineOf(back.order, lineNo);
      const there = back.lines.find((one) => one.lineNo === lineNo)!;
      line.returnExpected -= quantity;
      const before = line.returnedMinor;
      this.#undo(back.order, line, quantity, 'returned');
      there.received += quantity;
      there.receivedMinor += line.returnedMinor - before;
      if (isInspected) continue;
      this.#credit(line, line.returnedMinor - before);
      there.restocked += quantity;
      this.#at(sku, back.location).onHand += quantity;
    }
    return 'applied';
  }

  /** A refund may have come before the goods. */
  #credit(line: ModelLine, minor: number): void {
    const already = Math.min(minor, Math.max(0, line.creditedMinor - line.dueMinor));
    line.dueMinor += minor;
    line.creditAskedMinor += minor - already;
  }

  refund(no: string, lines: readonly { lineNo: number; amountMinor: number }[]): Answer {
    const order = this.orders.find((one) => one.no === no)!;
    for (const { lineNo, amountMinor } of lines) lineOf(order, lineNo).creditedMinor += amountMinor;
    return 'applied';
  }

  #back(reference: string): Back {
    return this.backs.find((one) => one.reference === reference)!;
  }

  /** Somebody has looked at goods that came back. It waits for them where nobody has heard of them yet. */
  inspect(inspection: Inspection): Answer {
    if (this.#inspect(inspection)) return 'applied';
    this.#inspections.push(inspection);
    return 'waiting';
  }

  /** What waited is looked at again. */
  inspectWaiting(): void {
    for (let before = -1; before !== this.#inspections.length; ) {
      before = this.#inspections.length;
      this.#inspections = this.#inspections.filter((one) => !this.#inspect(one));
    }
  }

  #inspect({ reference, lineNo, from, restock, scrap, quarantine }: Inspection): boolean {
    const back = this.#back(reference);
    const line = back.lines.find((one) => one.lineNo === lineNo)!;
    const { received, restocked, scrapped, quarantined } = line;
    const there = from === 'quarantine' ? quarantined : received - restocked - scrapped - quarantined;
    if (there < restock + scrap + quarantine) return false;
    if (from === 'quarantine') line.quarantined -= restock + scrap + quarantine;
    line.restocked += restock;
    line.scrapped += scrap;
    line.quarantined += quarantine;
    this.#at(line.sku, back.location).onHand += restock;
    // So much of what came in is decided, and so much of its amount; once all is, all of it.
    const decided = BigInt(line.restocked + line.scrapped);
    const minor = Math.max(line.decidedMinor, Number((BigInt(line.receivedMinor) * decided) / BigInt(line.received)));
    this.#credit(lineOf(back.order, lineNo), minor - line.decidedMinor);
    line.decidedMinor = minor;
    return true;
  }

  /** Who has the goods wants to give them back. What never left is cancelled instead. */
  sendBack(order: ModelOrder, lineNo: number, quantity: number): Answer {
    const parts = partsOf(order, lineNo);
    if (quantity > leftOf(parts)) return 'over_return';
    let missing = quantity;
    const away = (part: ModelLine) =>
      Math.max(0, Math.min(leftOf([part]), part.picked - part.returned - part.returnExpected));
    const notAway = new Map(parts.map((part) => [part, leftOf([part]) - away(part)]));
    const expected: { line: ModelLine; quantity: number }[] = [];
    for (const part of parts) {
      const units = Math.min(missing, away(part));
      missing -= units;
      if (units > 0) expected.push({ line: part, quantity: units });
    }
    this.#expectTogether(order, expected);
    for (const part of parts) {
      const units = Math.min(missing, notAway.get(part)!);
      missing -= units;
      this.#takeBack(order, [part], units, false);
    }
    this.#end(order);
    return 'applied';
  }

  /** One return a place. */
  #expectTogether(order: ModelOrder, list: readonly { line: ModelLine; quantity: number }[]): void {
    const backs = new Map<string, Back>();
    for (const { line, quantity } of list) {
      const [from] = allocationsOf(order, line);
      const { location } = from!.parcel;
      const back = backs.get(location) ?? { order, location, reference: null, lines: [] };
      if (!backs.has(location)) this.backs.push(back);
      backs.set(location, back);
      back.lines.push(backLine(line, quantity));
      line.returnExpected += quantity;
    }
  }

  /** The WMS has not found what it was asked for. The books of the place keep it, and nobody is promised it. */
  shortPick(reference: string, lines: readonly { lineNo: number; quantity: number }[]): Answer {
    const { order, parcel } = this.parcelOf(reference);
    const openHere = (lineNo: number) => sum(parcel.parts, (part) => (part.lineNo === lineNo ? part.open : 0));
    for (const { lineNo, quantity } of lines) {
      const line = lineOf(order, lineNo);
      // What has left was there, heard of or not.
      if (quantity > openHere(lineNo) || quantity > line.picked + this.#askedFor(order, line) - line.shipped)
        return 'over_short';
    }
    const wanted = [];
    for (const { lineNo, quantity } of lines) {
      const line = lineOf(order, lineNo);
      let missing = quantity;
      for (const part of parcel.parts) {
        if (part.lineNo !== lineNo) continue;
        const units = Math.min(part.open, missing);
        part.open -= units;
        missing -= units;
        this.#at(part.sku, parcel.location).allocated -= units;
        this.#at(part.sku, parcel.location).missing += units;
      }
      line.backordered += quantity;
      // Who asked for fewer gets fewer, and nobody need answer for what is not there.
      const unwanted = Math.min(quantity, Math.max(0, line.cancelAsked - this.allocatedOf(order, line)));
      line.cancelAsked -= unwanted;
      this.#stopWaiting(order, line, unwanted);
      wanted.push({ line, units: quantity - unwanted, isApart: false });
    }
    const before = wanted.map(({ line }) => line.backordered);
    const elsewhere = this.#places.filter((place) => place !== parcel.location);
    if (order.holds.length === 0) this.#give(order, wanted, elsewhere);
    if (order.channel.notFound === 'cancel')
      for (const [i, { line, units }] of wanted.entries())
        this.#stopWaiting(order, line, units - (before[i]! - line.backordered));
    this.#end(order);
    return 'applied';
  }

  #askedFor(order: ModelOrder, line: ModelLine): number {
    return sum(openOf(order, line), ({ parcel, part }) => (parcel.isAsked ? part.open : 0));
  }

  #undo(order: ModelOrder, line: ModelLine, quantity: number, how: 'cancelled' | 'returned'): void {
    // Units that came back have the amount with which they left, which is counted from the end.
    const upTo = (units: number) =>
      how === 'cancelled'
        ? amount(line.micros, units)
        : amount(line.micros, line.quantity) - amount(line.micros, line.quantity - units);
    const minor = upTo(line[how] + quantity) - upTo(line[how]);
    line[how] += quantity;
    line[`${how}Minor`] += minor;
    if (how === 'cancelled') (line.claim ?? order.claim).change -= minor;
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
