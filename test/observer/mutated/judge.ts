/** Order by order and line by line: what was asked, and what each system holds of it at the end. */
import { amountMinor, isWholeMinor, sameDecimal } from '../../../sim/feeder/money.ts';
import type { Findings } from '../findings.ts';
import type { Source } from '../source.ts';
import { type ErpOrder, type Part, rootsOf, type ShownLine, type ShownOrder, sumOf } from './held.ts';
import type { MutatedWarehouse, Worked } from './warehouse.ts';
import type { ChangedLine, Wishes } from './wishes.ts';

/** An order line as its buyer knows it by now: of the file, or added by a change. */
interface Line {
  lineNo: number;
  sku: string;
  ordered: number;
  added: number;
  unitPrice: string;
  /** What is to be undone of it; a change that lowers it may come too late for some units. */
  cancels: number;
  lowers: number;
  returns: number;
}

interface Known {
  source: Source;
  findings: Findings;
  wishes: Wishes;
  held: ReadonlyMap<string, string[]>;
  warehouse: MutatedWarehouse;
  erp: Map<string, ErpOrder>;
  crm: Map<string, ShownOrder>;
  shown: Map<string, ShownOrder>;
  substitutes: ReadonlyMap<string, string>;
}

export class Judge {
  oversold = 0;
  readonly counts = {
    orders: { ordered: 0, inErp: 0, held: 0, givenUp: 0 },
    units: { ordered: 0, added: 0, refused: 0, cancelled: 0, shipped: 0, returned: 0, substituted: 0, open: 0 },
    amounts: { ordered: 0, cancelled: 0, invoiced: 0, credited: 0 },
  };
  readonly #known: Known;
  readonly #undoings: Map<string, Wishes['undoings']>;

  constructor(known: Known) {
    this.#known = known;
    this.#undoings = Map.groupBy(known.wishes.undoings, ({ order, lineNo }) => `${order}/${lineNo}`);
  }

  all(): void {
    const { source, findings, erp, crm, shown, warehouse } = this.#known;
    const known = new Set<string>();
    for (const order of source.orders) {
      const reference = `${order.channel}/${order.number}`;
      known.add(reference);
      this.#order(reference, order.channel, order.account, this.#linesOf(reference, order.rows));
    }
    for (const [system, orders] of [
      ['erp', erp],
      ['crm', crm],
      ['channels', shown],
    ] as const)
      for (const key of orders.keys()) if (!known.has(key)) findings.add('order_extra', system, key, null, key);
    // What the WMS was asked for must be an order's that the ERP has.
    for (const key of warehouse.work.keys()) {
      const order = erp.get(key.slice(0, key.lastIndexOf('/')));
      const lineNo = Number(key.slice(key.lastIndexOf('/') + 1));
      if (!order?.lines.some((line) => line.lineNo === lineNo)) findings.add('work_of_nothing', 'wms', key, null, key);
    }
  }

  #linesOf(reference: string, rows: readonly number[]): Line[] {
    const { source, wishes } = this.#known;
    const change = wishes.changes.get(reference);
    const byNo = new Map<number, ChangedLine>((change?.lines ?? []).map((line) => [line.lineNo, line]));
    const lines = rows.map((row): Line => {
      const ordered = source.quantity(row);
      const asked = byNo.get(source.lineNo(row))?.quantity ?? ordered;
      byNo.delete(source.lineNo(row));
      const head = { lineNo: source.lineNo(row), sku: source.sku(row), ordered, unitPrice: source.unitPrice(row) };
      return {
        ...head,
        added: Math.max(0, asked - ordered),
        cancels: 0,
        lowers: Math.max(0, ordered - asked),
        returns: 0,
      };
    });
    for (const { lineNo, quantity, sku, unitPrice } of byNo.values())
      lines.push({
        ...{ lineNo, sku: sku!, ordered: 0, added: quantity, unitPrice: unitPrice! },
        ...{ cancels: 0, lowers: 0, returns: 0 },
      });
    for (const line of lines)
      for (const { units, isReturn } of this.#undoings.get(`${reference}/${line.lineNo}`) ?? [])
        line[isReturn ? 'returns' : 'cancels'] += units;
    return lines;
  }

  #order(reference: string, channel: string, account: string, lines: readonly Line[]): void {
    const { findings, held, erp, crm, shown, wishes } = this.#known;
    this.counts.orders.ordered += 1;
    const customer = crm.get(reference);
    if (customer === undefined) {
      findings.add('order_missing', 'crm', reference, reference, null);
      return;
    }
    findings.same('account', 'crm', reference, account, customer.account);
    const booked = erp.get(reference);
    const isHeld = held.has(reference);
    if (isHeld) this.counts.orders.held += 1;
    if (wishes.givenUp.has(reference)) this.counts.orders.givenUp += 1;
    if (booked !== undefined) {
      this.counts.orders.inErp += 1;
      findings.same('order_count', 'erp', reference, 1, booked.count);
      findings.same('account', 'erp', reference, account, booked.account);
      findings.same('currency', 'erp', reference, 'GBP', booked.currency);
      findings.same('total', 'erp', reference, sumOf(booked.lines, 'amountMinor'), booked.totalMinor);
      // An order that is held stays with the hub.
      if (isHeld) findings.add('held_and_told', 'erp', reference, null, held.get(reference)!.join());
    } else if (!isHeld && customer.lines.some((line) => line.quantity > line.cancelled + line.refused))
      findings.add('order_missing', 'erp', reference, reference, null);
    const parts = rootsOf(booked?.lines ?? []);
    let total = 0;
    for (const line of lines)
      total += this.#line(reference, channel, line, parts.get(line.lineNo) ?? [], booked !== undefined, isHeld);
    const wanted = new Set(lines.map(({ lineNo }) => lineNo));
    for (const lineNo of parts.keys())
      if (!wanted.has(lineNo)) findings.add('line_extra', 'erp', `${reference}/${lineNo}`, null, lineNo);
    for (const { lineNo } of customer.lines)
      if (!wanted.has(lineNo)) findings.add('line_extra', 'crm', `${reference}/${lineNo}`, null, lineNo);
    findings.same('total', 'crm', reference, total, customer.totalMinor);
    this.counts.amounts.ordered += total;
    if (channel !== 'shop' && channel !== 'marketplace') return;
    const sold = shown.get(reference);
    if (sold === undefined) findings.add('order_missing', channel, reference, reference, null);
    else findings.same('total', channel, reference, total, sold.totalMinor);
  }

  /** @returns what it costs as it was ordered, with what was added */
  #line(
    reference: string,
    channel: string,
    line: Line,
    parts: readonly Part[],
    isBooked: boolean,
    isHeld: boolean,
  ): number {
    const { findings, crm, shown, warehouse } = this.#known;
    const key = `${reference}/${line.lineNo}`;
    const { units } = this.counts;
    const cost = (quantity: number) => Number(amountMinor(line.unitPrice, quantity));
    const amount = (line.ordered > 0 ? cost(line.ordered) : 0) + (line.added > 0 ? cost(line.added) : 0);
    const told = crm.get(reference)!.lines.find(({ lineNo }) => lineNo === line.lineNo);
    if (told === undefined) {
      findings.add('line_missing', 'crm', key, line.sku, null);
      return amount;
    }
    const quantity = line.ordered + line.added;
    units.ordered += line.ordered;
    units.added += line.added;
    units.refused += told.refused;
    findings.same('sku', 'crm', key, line.sku, told.sku);
    findings.same('quantity', 'crm', key, quantity, told.quantity);
    findings.same('amount', 'crm', key, amount, told.amountMinor);
    const sum = (name: 'quantity' | 'cancelled' | 'shipped' | 'invoiced' | 'returned') => sumOf(parts, name);
    const work = parts.map((part) => warehouse.work.get(`${reference}/${part.lineNo}`));
    const short = work.reduce((all, one) => all + (one?.short ?? 0), 0);
    if (isBooked) {
      findings.same('accepted', 'erp', key, quantity - told.refused, sum('quantity'));
      for (const name of ['cancelled', 'shipped', 'invoiced', 'returned'] as const)
        findings.same(name, 'crm', key, sum(name), told[name]);
      this.#undone(key, channel, line, parts, work, short);
      for (const [i, part] of parts.entries()) this.#part(`${reference}/${part.lineNo}`, channel, line, part, work[i]);
    }
    const open = quantity - told.refused - told.cancelled - told.shipped;
    units.cancelled += told.cancelled;
    units.shipped += told.shipped;
    units.returned += told.returned;
    units.open += open;
    // At rest what is neither shipped nor given up waits; only of an order that is held some of it may be set aside.
    if (!isHeld) findings.same('backordered', 'crm', key, open, told.backordered);
    if (open < 0) findings.add('line_beyond', 'crm', key, quantity, quantity - open);
    if (this.#known.wishes.givenUp.has(reference)) findings.same('given_up', 'crm', key, 0, open);
    const sold = shown.get(reference)?.lines.find(({ lineNo }) => lineNo === line.lineNo);
    if (channel === 'shop' || channel === 'marketplace') this.#shown(channel, key, line, told, sold, short);
    return amount;
  }

  /** What was asked to be undone was undone, in one way or the other, and nothing else was. */
  #undone(
    key: string,
    channel: string,
    line: Line,
    parts: readonly Part[],
    work: readonly (Worked | undefined)[],
    short: number,
  ): void {
    const { findings, wishes } = this.#known;
    const reference = key.slice(0, key.lastIndexOf('/'));
    if (wishes.givenUp.has(reference)) return;
    const tooLate = work.reduce((all, one) => all + (one?.tooLate ?? 0), 0);
    const undone = sumOf(parts, 'cancelled') + sumOf(parts, 'returned');
    const accepted = sumOf(parts, 'quantity');
    const asked = Math.min(accepted, line.cancels + line.returns + line.lowers);
    // Units that a change gave up may have been picked by then; those of a cancel come back.
    const least = asked - Math.min(line.lowers, tooLate);
    // What was not found is given up where the channel has it so.
    const most = asked + (channel === 'api' ? short : 0);
    if (undone < least || undone > most)
      findings.add('undone', 'erp', key, least === most ? asked : `${least} to ${most}`, undone);
  }

  #part(key: string, channel: string, line: Line, part: Part, work: Worked | undefined): void {
    const { findings, substitutes } = this.#known;
    const cost = (units: number) => Number(amountMinor(line.unitPrice, units));
    const isWhole = isWholeMinor(line.unitPrice);
    findings.same('amount', 'erp', key, cost(part.quantity), part.amountMinor);
    findings.same('invoiced', 'erp', key, part.shipped, part.invoiced);
    if (part.cancelled + part.shipped > part.quantity || part.returned > part.shipped)
      findings.add('line_beyond', 'erp', key, part.quantity, part.cancelled + part.shipped);
    if (part.sku !== line.sku) {
      this.counts.units.substituted += part.quantity;
      if (channel !== 'api') findings.add('no_consent', 'erp', key, line.sku, part.sku);
      if (substitutes.get(line.sku) !== part.sku) findings.add('no_substitute', 'erp', key, line.sku, part.sku);
    }
    const money = (code: string, units: number, minor: number): void => {
      const exact = cost(units);
      if (isWhole || units === 0 ? exact !== minor : Math.abs(exact - minor) > 1)
        findings.add(code, 'erp', key, exact, minor);
    };
    money('invoiced_amount', part.invoiced, part.invoicedMinor);
    money('cancelled_amount', part.cancelled, part.cancelledMinor);
    if (part.cancelled + part.invoiced === part.quantity)
      findings.same('line_amount', 'erp', key, part.amountMinor, part.cancelledMinor + part.invoicedMinor);
    const { counts } = this;
    counts.amounts.cancelled += part.cancelledMinor;
    counts.amounts.invoiced += part.invoicedMinor;
    counts.amounts.credited += part.creditedMinor;
    findings.same('shipped', 'wms', key, part.shipped, work?.shipped ?? 0);
    if (work === undefined) {
      findings.same('returned', 'wms', key, part.returned, 0);
      return;
    }
    findings.same('sku', 'wms', key, part.sku, work.sku);
    findings.same('returned', 'wms', key, part.returned, work.decided);
    money('credited_amount', work.credited, part.creditedMinor);
    // Asked again of another place only for what was not found or stopped here.
    const most = part.quantity + work.short + work.cancelled;
    if (work.asked > most) findings.add('asked_twice', 'wms', key, most, work.asked);
  }

  #shown(channel: string, key: string, line: Line, told: ShownLine, sold: ShownLine | undefined, short: number): void {
    const { findings } = this.#known;
    if (sold === undefined) {
      findings.add('line_missing', channel, key, line.sku, null);
      return;
    }
    for (const name of ['sku', 'quantity', 'cancelled', 'refused', 'shipped', 'returned', 'backordered'] as const)
      findings.same(name, channel, key, told[name], sold[name]);
    if (!sameDecimal(line.unitPrice, sold.unitPrice!))
      findings.add('unit_price', channel, key, line.unitPrice, sold.unitPrice!);
    // What it sold within its number was there, but for what the warehouse then didn't find.
    const missing = sold.within! - told.shipped - told.cancelled - short;
    if (missing <= 0) return;
    this.oversold += missing;
    findings.add('oversold', channel, key, sold.within!, sold.within! - missing);
  }
}
