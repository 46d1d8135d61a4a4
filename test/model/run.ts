/** One run: what each step does to the hub and to the model, and what of the two must be the same. */
import { expect } from 'vitest';
import type { InboundItem } from '../../src/canonical/index.ts';
import { creditItem, returnRequestItem } from '../../src/connectors/kit/index.ts';
import { holdOrder, listHolds, releaseHold } from '../../src/orders/index.ts';
import type { Effect } from '../helpers/memory-system.ts';
import {
  cancel,
  changed,
  invoiced,
  item,
  moved,
  order,
  orderCancelled,
  picked,
  returned,
  type SmallHub,
  shipped,
  shortPicked,
} from '../helpers/small-hub.ts';
import { Model } from './model.ts';
import { amount } from './model-lines.ts';
import type { ModelChannel, ModelLine, ModelOrder } from './model-types.ts';
import { type Fact, Outside } from './outside.ts';
import type { Step } from './steps.ts';

export const PLACES = ['north', 'south'];
/** Goods that come back there are on hand once somebody has looked at them. */
export const INSPECTING = ['south'];
const CHANNELS: ModelChannel[] = [
  { code: 'api', checksCredit: false, notFound: 'backorder' },
  { code: 'trade', checksCredit: true, notFound: 'cancel' },
];
const DAY = '2026-03-02T10:00:00.000Z';
/** After everything else that happens at a place: nothing that was written off before says anything of it. */
const NOT_FOUND_AT = '2026-03-03T10:00:00.000Z';

type Told = Record<'reference' | 'order' | 'location' | 'fulfilment', string> & {
  lines: { lineNo: number; quantity: number }[];
};

export class Run {
  readonly name: string;
  readonly skus: readonly string[];
  readonly model: Model;
  readonly #hub: SmallHub;
  readonly #outside: Outside;
  readonly #orderIds = new Map<string, number>();
  /** What the WMS could stop, by the cancel's reference. */
  readonly #answers = new Map<string, { lineNo: number; cancelled: number; tooLate: number }[]>();
  readonly #began = Date.now();
  #keys = 0;
  #reports = 0;
  readonly #refunded = new Set<string>();

  constructor({ hub }: { hub: SmallHub }, name: string) {
    this.#hub = hub;
    this.name = name;
    this.skus = [`${name}A`, `${name}B`];
    this.model = new Model(this.skus, PLACES, INSPECTING);
    this.#outside = new Outside(name, INSPECTING);
  }

  get ids(): number[] {
    return [...this.#orderIds.values()];
  }

  async begin(): Promise<void> {
    await this.step({ do: 'report', limit: 10_000, open: 0, shows: [] });
    await this.step({ do: 'deliver', nth: 0, times: 1 });
  }

  /** What the ERP or the WMS answers. */
  answer(kind: string, { reference, payload }: { reference: string; payload: unknown }): unknown {
    if (kind === 'fulfilment') this.#outside.take(payload as never);
    if (kind === 'return_announcement') this.#outside.expect(payload as never);
    if (kind !== 'fulfilment_cancel') return {};
    const lines = this.#outside.stop(payload as never);
    this.#answers.set(reference, lines);
    return { lines };
  }

  #key(): string {
    return `${this.name}-${++this.#keys}`;
  }

  async #receive(system: string, one: InboundItem, expected: string): Promise<void> {
    const [result] = await this.#hub.receive(system, [one]);
    const shown = result!.status === 'parked' || result!.status === 'refused' ? result!.class : result!.status;
    expect(shown, `${one.scope} ${one.key}`).toBe(expected);
  }

  /** A person or a channel asks; where it asks twice, the second time changes nothing. */
  async #ask(one: InboundItem, expected: string, isTwice: boolean): Promise<void> {
    await this.#receive('shop', one, expected);
    if (isTwice) await this.#receive('shop', one, 'duplicate');
  }

  #order(nth: number): ModelOrder | undefined {
    return this.model.orders[nth % Math.max(1, this.model.orders.length)];
  }

  async step(step: Step): Promise<void> {
    const { model } = this;
    const outside = this.#outside;
    switch (step.do) {
      // Of all runs that are played together.
      case 'tell':
        return;
      case 'receive':
        return this.#move(step.sku, step.place, step.units);
      case 'lose': {
        // Never what was promised: a shortage is another test's.
        const free = model.free(this.skus[step.sku]!, PLACES[step.place]!);
        if (free > 0) await this.#move(step.sku, step.place, -Math.min(free, step.units));
        return;
      }
      case 'order':
        return this.#submit(step);
      case 'cancel': {
        const target = this.#order(step.nth);
        if (target === undefined) return;
        const line = target.lines[step.line % target.lines.length]!;
        const expected = model.cancel(target, line.lineNo, step.units);
        const { code } = target.channel;
        return this.#ask(cancel(code, target.no, line.lineNo, step.units, this.#key(), line.sku), expected, step.twice);
      }
      case 'cancel_whole': {
        const target = this.#order(step.nth);
        if (target === undefined) return;
        model.cancelWhole(target);
        return this.#ask(orderCancelled(target.channel.code, target.no, this.#key()), 'applied', step.twice);
      }
      case 'change':
        return this.#change(step);
      case 'send_back': {
        const target = this.#order(step.nth);
        if (target === undefined) return;
        // Who has the goods names the lines that it ordered.
        const own = target.lines.filter((line) => line.root === line.lineNo);
        const { lineNo } = own[step.line % own.length]!;
        const expected = model.sendBack(target, lineNo, step.units);
        const asked = returnRequestItem({
          ...{ kind: 'return.requested', channel: target.channel.code, order: target.no, reference: this.#key() },
          ...{ occurredAt: DAY, lines: [{ lineNo, quantity: step.units }] },
        });
        return this.#ask({ ...asked, itemNo: 0 }, expected, step.twice);
      }
      case 'hold': {
        const target = this.#order(step.nth);
        if (target === undefined || model.isOver(target)) return;
        model.hold(target);
        const hold = { reason: 'waits', detail: this.#key(), by: 'ann' };
        await holdOrder(this.#hub.db, this.#hub.deps, this.#orderIds.get(target.no)!, hold);
        return;
      }
      case 'release': {
        const held = model.orders.filter((one) => one.holds.length > 0);
        const target = held[step.nth % Math.max(1, held.length)];
        if (target !== undefined) await this.#release(target);
        return;
      }
      case 'backorders':
        model.backorders();
        await this.#hub.backorders(this.skus);
        return;
      case 'pick':
        return outside.pick(step.nth, step.units);
      case 'miss':
        return outside.miss(step.nth, step.units);
      case 'ship':
        return outside.ship(step.nth, step.units);
      case 'give_back':
        return outside.giveBack(step.nth, step.units);
      case 'inspect': {
        const { nth, isQuarantined, ...units } = step;
        return outside.inspect(nth, { ...units, from: isQuarantined ? 'quarantine' : 'receipt' });
      }
      case 'report': {
        // The ERP can't know of what it was not told.
        const known = model.orders.filter(({ isConfirmed, channel }) => isConfirmed && channel.checksCredit);
        const shown = known.filter((_, i) => step.shows[i] === true);
        const lines = shown.flatMap(({ no, lines }) =>
          lines.filter((line) => line.isAdded && !line.awaitsErp).map(({ lineNo }) => `${no}#${lineNo}`),
        );
        const orders = shown.map(({ no }) => no);
        return outside.report({ at: ++this.#reports, limit: step.limit, open: step.open, orders, lines });
      }
      case 'refund': {
        const target = this.#order(step.nth);
        const line = target?.lines[step.line % target.lines.length];
        if (line === undefined) return;
        // Once a line, and only what was shipped and is to come back: credit without either is a finding of its own.
        const quantity = Math.min(step.units, line.shipped, line.returned + line.returnExpected);
        const name = `${target!.no}#${line.lineNo}`;
        if (quantity === 0 || this.#refunded.has(name)) return;
        this.#refunded.add(name);
        const amountMinor = amount(line.micros, line.quantity) - amount(line.micros, line.quantity - quantity);
        return outside.refund(target!.no, [{ lineNo: line.lineNo, quantity, amountMinor }]);
      }
      case 'invoice': {
        const [shipment] = model.toInvoice.splice(step.nth % Math.max(1, model.toInvoice.length), 1);
        if (shipment !== undefined) outside.invoice(shipment.order, shipment.lines);
        return;
      }
      case 'deliver': {
        const nth = step.nth % Math.max(1, outside.mail.length);
        const fact = outside.mail[nth];
        if (fact === undefined || this.#isUnclear(fact)) return;
        outside.mail.splice(nth, 1);
        outside.delivered.push(fact);
        const system = this.#systemOf(fact);
        await this.#receive(system, this.#itemOf(fact), this.#hear(fact));
        if (step.times > 1) await this.#receive(system, this.#itemOf(fact), 'duplicate');
        return;
      }
      case 'deliver_again': {
        const fact = outside.delivered[step.nth % Math.max(1, outside.delivered.length)];
        if (fact !== undefined) await this.#receive(this.#systemOf(fact), this.#itemOf(fact), 'duplicate');
        return;
      }
    }
  }

  async #submit(step: Extract<Step, { do: 'order' }>): Promise<void> {
    const no = this.#key();
    const channel = CHANNELS[step.channel]!;
    const lines = step.lines.map(({ sku, units, price }) => ({ sku: this.skus[sku]!, quantity: units, price }));
    this.model.submit(
      ...([no, channel] as const),
      lines.map((line) => ({ ...line, micros: microsOf(line.price) })),
    );
    const parts = lines.map(({ sku, quantity, price }) => ({ sku, quantity, unitPrice: price }));
    const account = channel.checksCredit ? this.name : 'A1';
    const [result] = await this.#hub.receive('api', [order(channel.code, no, parts, { account })]);
    expect(result).toMatchObject({ status: 'applied' });
    this.#orderIds.set(no, (result as { orderId: number }).orderId);
  }

  async #change(step: Extract<Step, { do: 'change' }>): Promise<void> {
    const target = this.#order(step.nth);
    if (target === undefined) return;
    const { number, isWhole, isPartial } = step;
    const lines = step.lines.map(({ line, units, sku, price, isNumbered }) => ({
      lineNo: target.lines[line]?.lineNo ?? (isNumbered ? 10 + line : null),
      quantity: units,
      sku: sku === null ? null : this.skus[sku]!,
      price,
    }));
    const asked = changed(
      ...([target.channel.code, target.no, this.#key()] as const),
      lines.map(({ lineNo, sku, price, quantity }) => ({
        ...{ quantity, ...(lineNo !== null && { lineNo }) },
        ...{ ...(sku !== null && { sku }), ...(price !== null && { unitPrice: price }) },
      })),
      { whole: isWhole, partial: isPartial, ...(number > 0 && { number }) },
    );
    const wishes = lines.map(({ price, ...line }) => ({ ...line, micros: price === null ? null : microsOf(price) }));
    await this.#ask(asked, this.model.change(target, { number, isWhole, isPartial, wishes }), step.twice);
  }

  async #move(sku: number, place: number, quantity: number): Promise<void> {
    this.model.move(this.skus[sku]!, PLACES[place]!, quantity);
    await this.#receive('wms', moved(this.#key(), this.skus[sku]!, PLACES[place]!, quantity), 'applied');
  }

  async #release(target: ModelOrder): Promise<void> {
    const { db, deps } = this.#hub;
    const wanted = target.holds.at(-1)!;
    const holds = await listHolds(db, { orderId: this.#orderIds.get(target.no)!, state: 'open', limit: 100 });
    this.model.release(target, wanted);
    await releaseHold(db, deps, holds.find(({ kind }) => kind === wanted)!.holdId, { by: 'bob' });
  }

  /**
   * What of a cancel that is under way a short pick settles is known only where all that is open of the line lies in one fulfilment: how many
   * units were asked back is kept by line. Else it waits until the WMS has answered.
   */
  #isUnclear(fact: Fact): boolean {
    if (fact.kind !== 'short') return false;
    const { order: of } = this.model.parcelOf(fact.fulfilment);
    return fact.lines.some(({ lineNo }) => {
      const line = of.lines.find((one) => one.lineNo === lineNo)!;
      const open = of.parcels.filter((parcel) => parcel.parts.some((part) => part.lineNo === lineNo && part.open > 0));
      return line.cancelAsked > 0 && open.some((parcel) => parcel.reference !== fact.fulfilment);
    });
  }

  #hear(fact: Fact): string {
    const { model } = this;
    switch (fact.kind) {
      case 'picked':
        return model.pick(fact.fulfilment, fact.lines);
      case 'short':
        return model.shortPick(fact.fulfilment, fact.lines);
      case 'shipped':
        return model.ship(fact.fulfilment, fact.lines);
      case 'invoiced':
        return model.invoice(fact.order, fact.lines);
      case 'refunded':
        return model.refund(fact.order, fact.lines);
      case 'returned':
        return model.comeBack(fact.reference, fact.lines);
      case 'inspected':
        return model.inspect(fact.inspection);
      case 'credit':
        return model.report(fact.report);
    }
  }

  #systemOf(fact: Fact): string {
    return ['invoiced', 'refunded', 'credit'].includes(fact.kind) ? 'erp' : 'wms';
  }

  #itemOf(fact: Fact): InboundItem {
    switch (fact.kind) {
      case 'picked':
        return picked(fact.key, fact.fulfilment, fact.lines);
      case 'short':
        return shortPicked(fact.key, fact.fulfilment, fact.lines, NOT_FOUND_AT);
      case 'shipped':
        return shipped(fact.key, fact.fulfilment, fact.lines);
      case 'returned':
        return returned(fact.key, fact.reference, fact.lines);
      case 'invoiced':
        return invoiced(fact.key, this.#referenceOf(fact.order), fact.lines);
      case 'refunded':
        return invoiced(fact.key, this.#referenceOf(fact.order), fact.lines, 'credit_note');
      case 'inspected': {
        const { reference: returnReference, ...line } = fact.inspection;
        return item('inspected/wms', fact.key, {
          ...{ kind: 'return.inspected', returnReference, occurredAt: DAY, by: 'ann', lines: [line] },
        });
      }
      case 'credit': {
        const { at, limit, open, orders, lines } = fact.report;
        const draft = creditItem('erp', {
          ...{ kind: 'credit.reported', account: this.name, company: 'acme', currency: 'GBP', limitMinor: limit },
          ...{ openOrdersMinor: open, openInvoicesMinor: 0, orders: orders.map((no) => this.#referenceOf(no)) },
          orderLines: lines.map((line) => `${this.#referenceOf(line.split('#')[0]!)}#${line.split('#')[1]}`),
          asOf: new Date(this.#began - 3_600_000 + at * 1_000).toISOString(),
        });
        return { ...draft, itemNo: 0 };
      }
    }
  }

  #referenceOf(no: string): string {
    return `${this.model.orders.find((one) => one.no === no)!.channel.code}/${no}`;
  }

  /** Every system was told everything. What the WMS was asked must be what the model asks, each once. */
  told(effects: readonly Effect[]): void {
    const { model } = this;
    model.confirm();
    for (const effect of effects) this.#match(effect);
    const left = {
      parcels: model.orders.flatMap((one) =>
        one.parcels.filter((parcel) => parcel.isAsked && parcel.reference === null).map(() => one.no),
      ),
      asks: model.asks.map((ask) => ask.order.no),
      backs: model.backs.filter((back) => back.reference === null).map((back) => back.order.no),
    };
    const parts = Object.values(left).flat().length;
    if (parts > 0) throw new Error(`asked by the model, and not of the WMS: ${JSON.stringify(left)}`);
  }

  #match({ kind, payload }: Effect): void {
    const { model } = this;
    const told = payload as Told;
    const isSame = (lines: readonly { lineNo: number; units: number }[]) => {
      const sums = new Map<number, number>();
      for (const { lineNo, units } of lines) sums.set(lineNo, (sums.get(lineNo) ?? 0) + units);
      const wanted = [...sums].filter(([, units]) => units > 0).sort(([a], [b]) => a - b);
      const asked = told.lines.map((line) => [line.lineNo, line.quantity]).sort((a, b) => a[0]! - b[0]!);
      return JSON.stringify(wanted) === JSON.stringify(asked);
    };
    const isOf = ({ no, channel }: ModelOrder) => `${channel.code}/${no}` === told.order;
    if (kind === 'fulfilment') {
      const target = model.orders.find(isOf);
      const parcel = target?.parcels.find(
        (one) =>
          one.isAsked &&
          one.reference === null &&
          one.location === told.location &&
          isSame(one.parts.map(({ lineNo, open }) => ({ lineNo, units: open }))),
      );
      if (parcel === undefined)
        throw new Error(`the WMS was asked what the model does not ask: ${JSON.stringify(payload)}`);
      parcel.reference = told.reference;
      target!.isReleased = true;
    } else if (kind === 'fulfilment_cancel') {
      const at = model.asks.findIndex(
        (ask) =>
          ask.parcel.reference === told.fulfilment &&
          isSame(ask.lines.map(({ lineNo, quantity }) => ({ lineNo, units: quantity }))),
      );
      if (at < 0) throw new Error(`the WMS was asked to stop what the model does not: ${JSON.stringify(payload)}`);
      const [ask] = model.asks.splice(at, 1);
      model.answer(ask!, this.#answers.get(told.reference)!);
    } else if (kind === 'return_announcement') {
      const back = model.backs.find(
        (one) =>
          one.reference === null &&
          isOf(one.order) &&
          one.location === told.location &&
          isSame(one.lines.map(({ lineNo, left }) => ({ lineNo, units: left }))),
      );
      if (back === undefined)
        throw new Error(`a return was announced that the model does not expect: ${JSON.stringify(payload)}`);
      back.reference = told.reference;
    }
  }

  /** @param process what the database holds, a row each */
  compare(process: readonly Record<string, unknown>[]): void {
    const { model } = this;
    const wanted: Record<string, unknown>[] = model.orders.flatMap((one) =>
      one.lines.map((line) => ({
        ...{ order: one.no, state: model.stateOf(one), holds: one.holds.length, is_told: one.isTold },
        ...{ line: line.lineNo, root: line.root, awaits_erp: line.awaitsErp, allocated: model.allocatedOf(one, line) },
        ...{ backordered: line.backordered, picked: line.picked, shipped: line.shipped, invoiced: line.invoiced },
        ...{ cancel_asked: line.cancelAsked, cancelled: line.cancelled, return_expected: line.returnExpected },
        ...{ returned: line.returned, shipped_minor: line.shippedMinor, invoiced_minor: line.invoicedMinor },
        ...{ cancelled_minor: line.cancelledMinor, returned_minor: line.returnedMinor },
        credited_minor: line.creditedMinor,
      })),
    );
    for (const [stock, { onHand, allocated, missing }] of model.stock)
      if (onHand !== 0 || allocated !== 0 || missing !== 0) wanted.push({ stock, on_hand: onHand, allocated, missing });
    const backs = Map.groupBy(model.backs, ({ order: of, location }) => `${of.no}@${location}`);
    for (const list of backs.values()) {
      const lines = list.flatMap((one) => one.lines);
      const sum = (of: 'received' | 'restocked' | 'scrapped' | 'quarantined') =>
        lines.reduce((all, line) => all + line[of], 0);
      const { order: of, location } = list[0]!;
      const units = { received: sum('received'), restocked: sum('restocked') };
      wanted.push({
        ...{ back: of.no, at: location, ...units, scrapped: sum('scrapped'), quarantined: sum('quarantined') },
      });
    }
    wanted.push({ credit: 'credit', claimed: model.claimed });
    const shown = (row: Record<string, unknown>) =>
      Object.entries(row)
        .filter(([, value]) => value !== 0 && value !== '0' && value !== false)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ');
    same(process.map(shown), wanted.map(shown));
  }

  /** All mail arrives, nothing is held any more, all goods are looked at, what was shipped is invoiced. */
  async comeToRest(): Promise<void> {
    const outside = this.#outside;
    for (const shipment of this.model.toInvoice.splice(0)) outside.invoice(shipment.order, shipment.lines);
    for (const from of ['receipt', 'quarantine'] as const)
      for (const { lines } of outside.coming)
        for (const _ of lines) outside.inspect(0, { from, restock: 1_000, scrap: 0, quarantine: 0 });
    for (let left = outside.mail.length; left > 0; left--) {
      const nth = outside.mail.findIndex((fact) => !this.#isUnclear(fact));
      if (nth >= 0) await this.step({ do: 'deliver', nth, times: 1 });
    }
    for (const target of this.model.orders) while (target.holds.length > 0) await this.#release(target);
  }

  /** The ERP holds what the model holds, to the minor unit. */
  checkErp(effects: readonly Effect[]): void {
    const sums = new Map<string, { units: number; minor: number }>();
    for (const { kind, payload } of effects) {
      const told = payload as Told & { lines: { amountMinor: number }[] };
      const name = `${kind} ${kind === 'sales_order' ? told.reference : told.order}`;
      const sum = sums.get(name) ?? { units: 0, minor: 0 };
      for (const { quantity, amountMinor } of told.lines) {
        sum.units += quantity;
        sum.minor += amountMinor;
      }
      sums.set(name, sum);
    }
    const wanted = new Map<string, { units: number; minor: number }>();
    for (const one of this.model.orders) {
      const add = (kind: string, of: (line: ModelLine) => [units: number, minor: number]) => {
        const parts = one.lines.map(of);
        const units = parts.reduce((sum, part) => sum + part[0], 0);
        const minor = parts.reduce((sum, part) => sum + part[1], 0);
        if (units > 0) wanted.set(`${kind} ${one.channel.code}/${one.no}`, { units, minor });
      };
      const whole = ({ micros, quantity }: ModelLine): [number, number] => [quantity, amount(micros, quantity)];
      add('sales_order', (line) => (line.isAdded ? [0, 0] : whole(line)));
      add('order_change', (line) => (line.isAdded ? whole(line) : [0, 0]));
      add('order_cancellation', (line) => [line.cancelled, line.cancelledMinor]);
      add('shipment_posting', (line) => [line.shipped, line.shippedMinor]);
      add('return_posting', (line) => [line.returned, line.creditAskedMinor]);
    }
    const shown = (all: Map<string, { units: number; minor: number }>) =>
      [...all].map(([name, { units, minor }]) => `${name}: ${units} units, ${minor} minor`);
    same(shown(sums), shown(wanted));
    expect(effects.length, 'told once each').toBe(
      new Set(effects.map(({ kind, reference }) => `${kind} ${reference}`)).size,
    );
  }
}

/** Rows that differ, in words: what a counterexample shows. */
function same(process: readonly string[], model: readonly string[]): void {
  const only = (rows: readonly string[], others: readonly string[], whose: string) =>
    rows.filter((row) => !others.includes(row)).map((row) => `${whose}: ${row}`);
  const differences = [...only(process, model, 'process'), ...only(model, process, 'model  ')];
  if (differences.length > 0) throw new Error(differences.join('\n'));
}

function microsOf(price: string): bigint {
  return BigInt(Math.round(Number(price) * 1e6));
}
