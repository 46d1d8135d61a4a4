/** Plays one run: each step is done to the hub and to the model, and both must stand the same. */
import type pg from 'pg';
import { expect } from 'vitest';
import type { InboundItem } from '../../src/canonical/index.ts';
import type { DeclaredEstate } from '../../src/master/index.ts';
import { holdOrder, listHolds, releaseHold } from '../../src/orders/index.ts';
import type { Effect, MemorySystem } from '../helpers/memory-system.ts';
import {
  cancel,
  changed,
  invoiced,
  memorySystems,
  moved,
  order,
  orderCancelled,
  picked,
  returned,
  SmallHub,
  shipped,
} from '../helpers/small-hub.ts';
import { amount, Model, type ModelLine, type ModelOrder } from './model.ts';
import { type Fact, Outside } from './outside.ts';
import type { Step } from './steps.ts';

const PLACES = ['north', 'south'];

const estate: DeclaredEstate = {
  companies: { acme: { currency: 'GBP', timeZone: 'Europe/London' } },
  locations: {
    north: { company: 'acme', region: 'n', priority: 1 },
    south: { company: 'acme', region: 's', priority: 2 },
  },
  systems: { erp: {}, wms: {} },
  channels: { api: { company: 'acme', sells: 'asks', locations: PLACES } },
};

/** The hub that all runs of a process share, one after the other; each has SKUs and orders of its own. */
export class Stage {
  readonly hub: SmallHub;
  readonly pool: pg.Pool;
  readonly erp: MemorySystem;
  readonly wms: MemorySystem;
  #runs = 0;

  private constructor(hub: SmallHub, pool: pg.Pool, systems: { erp: MemorySystem; wms: MemorySystem }) {
    this.hub = hub;
    this.pool = pool;
    this.erp = systems.erp;
    this.wms = systems.wms;
  }

  static async open(url: string, pool: pg.Pool): Promise<Stage> {
    const { erp, wms } = memorySystems();
    return new Stage(await SmallHub.open({ url, connectors: { erp, wms }, estate, leaseMs: 86_400_000 }), pool, {
      erp,
      wms,
    });
  }

  async play(steps: readonly (Step | null)[]): Promise<Run> {
    const run = new Run(this, `M${++this.#runs}`);
    await run.begin();
    for (const [i, step] of steps.entries()) {
      if (step === null) continue;
      try {
        await run.step(step);
        await run.compare();
      } catch (error) {
        throw new Error(`at step ${i + 1}, ${step.do}: ${error instanceof Error ? error.message : error}`);
      }
    }
    await run.end();
    return run;
  }
}

class Run {
  readonly #stage: Stage;
  readonly #name: string;
  readonly #skus: string[];
  readonly #model: Model;
  readonly #outside: Outside;
  readonly #orderIds = new Map<string, number>();
  /** What the WMS could stop, by the cancel's reference. */
  readonly #answers = new Map<string, { lineNo: number; cancelled: number; tooLate: number }[]>();
  #told = 0;
  #keys = 0;

  constructor(stage: Stage, name: string) {
    this.#stage = stage;
    this.#name = name;
    this.#skus = [`${name}A`, `${name}B`];
    this.#model = new Model(this.#skus, PLACES);
    this.#outside = new Outside(name);
  }

  async begin(): Promise<void> {
    const { hub, wms, erp } = this.#stage;
    await hub.seed(this.#skus);
    // A run that ended in a difference left work behind; it is nobody's any more.
    wms.answer = (kind, { payload }) =>
      kind === 'fulfilment_cancel'
        ? {
            lines: (payload as { lines: { lineNo: number }[] }).lines.map(({ lineNo }) => ({
              lineNo,
              cancelled: 0,
              tooLate: 0,
            })),
          }
        : {};
    await hub.settle();
    wms.effects.length = 0;
    erp.effects.length = 0;
    wms.answer = (kind, { reference, payload }) => {
      if (kind === 'fulfilment') this.#outside.take(payload as never);
      if (kind === 'return_announcement') this.#outside.expect(payload as never);
      if (kind !== 'fulfilment_cancel') return {};
      const lines = this.#outside.stop(payload as never);
      this.#answers.set(reference, lines);
      return { lines };
    };
  }

  #key(): string {
    return `${this.#name}-${++this.#keys}`;
  }

  async #receive(system: string, item: InboundItem, expected: string): Promise<void> {
    const [result] = await this.#stage.hub.receive(system, [item]);
    const shown = result!.status === 'parked' || result!.status === 'refused' ? result!.class : result!.status;
    expect(shown, `${item.scope} ${item.key}`).toBe(expected);
  }

  #order(nth: number): ModelOrder | undefined {
    return this.#model.orders[nth % Math.max(1, this.#model.orders.length)];
  }

  async step(step: Step): Promise<void> {
    const model = this.#model;
    const outside = this.#outside;
    const { hub } = this.#stage;
    switch (step.do) {
      case 'receive':
        return this.#move(step.sku, step.place, step.units);
      case 'lose': {
        // Never what was promised: a shortage is another test's.
        const free = model.free(this.#skus[step.sku]!, PLACES[step.place]!);
        if (free > 0) await this.#move(step.sku, step.place, -Math.min(free, step.units));
        return;
      }
      case 'order': {
        const no = this.#key();
        const lines = step.lines.map(({ sku, units, price }) => ({ sku: this.#skus[sku]!, quantity: units, price }));
        model.submit(
          no,
          lines.map((line) => ({ ...line, micros: microsOf(line.price) })),
        );
        const [result] = await hub.receive('api', [
          order(
            'api',
            no,
            lines.map(({ sku, quantity, price }) => ({ sku, quantity, unitPrice: price })),
          ),
        ]);
        this.#orderIds.set(no, (result as { orderId: number }).orderId);
        return;
      }
      case 'cancel': {
        const target = this.#order(step.nth);
        if (target === undefined) return;
        const line = target.lines[step.line % target.lines.length]!;
        const item = cancel('api', target.no, line.lineNo, step.units, this.#key(), line.sku);
        await this.#receive('shop', item, model.cancel(target, line.lineNo, step.units));
        if (step.twice) await this.#receive('shop', item, 'duplicate');
        return;
      }
      case 'cancel_whole': {
        const target = this.#order(step.nth);
        if (target === undefined) return;
        model.cancelWhole(target);
        const item = orderCancelled('api', target.no, this.#key());
        await this.#receive('shop', item, 'applied');
        if (step.twice) await this.#receive('shop', item, 'duplicate');
        return;
      }
      case 'change':
        return this.#change(step);
      case 'hold': {
        const target = this.#order(step.nth);
        if (target === undefined || model.isOver(target)) return;
        model.hold(target);
        const hold = { reason: 'waits', detail: this.#key(), by: 'ann' };
        await holdOrder(hub.db, hub.deps, this.#orderIds.get(target.no)!, hold);
        return;
      }
      case 'release': {
        const held = model.orders.filter((one) => one.holds > 0);
        const target = held[step.nth % Math.max(1, held.length)];
        if (target === undefined) return;
        const [hold] = await listHolds(hub.db, { orderId: this.#orderIds.get(target.no)!, state: 'open', limit: 1 });
        model.release(target);
        await releaseHold(hub.db, hub.deps, hold!.holdId, { by: 'bob' });
        return;
      }
      case 'backorders':
        model.backorders();
        await hub.backorders(this.#skus);
        return;
      case 'tell':
        return this.#tell();
      case 'pick':
        return outside.pick(step.nth, step.units);
      case 'ship':
        return outside.ship(step.nth, step.units);
      case 'give_back':
        return outside.giveBack(step.nth, step.units);
      case 'invoice': {
        const [shipment] = model.toInvoice.splice(step.nth % Math.max(1, model.toInvoice.length), 1);
        if (shipment !== undefined) outside.invoice(shipment.order, shipment.lines);
        return;
      }
      case 'deliver': {
        const [fact] = outside.mail.splice(step.nth % Math.max(1, outside.mail.length), 1);
        if (fact === undefined) return;
        this.#hear(fact);
        outside.delivered.push(fact);
        await this.#receive(fact.kind === 'invoiced' ? 'erp' : 'wms', itemOf(fact), 'applied');
        if (step.times > 1) await this.#receive(fact.kind === 'invoiced' ? 'erp' : 'wms', itemOf(fact), 'duplicate');
        return;
      }
      case 'deliver_again': {
        const fact = outside.delivered[step.nth % Math.max(1, outside.delivered.length)];
        if (fact !== undefined)
          await this.#receive(fact.kind === 'invoiced' ? 'erp' : 'wms', itemOf(fact), 'duplicate');
        return;
      }
    }
  }

  async #change(step: Extract<Step, { do: 'change' }>): Promise<void> {
    const target = this.#order(step.nth);
    if (target === undefined) return;
    const { number, isWhole, isPartial } = step;
    const lines = step.lines.map(({ line, units, sku, price, isNumbered }) => ({
      lineNo: target.lines[line]?.lineNo ?? (isNumbered ? 10 + line : null),
      quantity: units,
      sku: sku === null ? null : this.#skus[sku]!,
      price,
    }));
    const item = changed(
      ...(['api', target.no, this.#key()] as const),
      lines.map(({ lineNo, sku, price, quantity }) => ({
        ...{ quantity, ...(lineNo !== null && { lineNo }) },
        ...{ ...(sku !== null && { sku }), ...(price !== null && { unitPrice: price }) },
      })),
      { whole: isWhole, partial: isPartial, ...(number > 0 && { number }) },
    );
    const wishes = lines.map(({ price, ...line }) => ({ ...line, micros: price === null ? null : microsOf(price) }));
    await this.#receive('shop', item, this.#model.change(target, { number, isWhole, isPartial, wishes }));
    if (step.twice) await this.#receive('shop', item, 'duplicate');
  }

  async #move(sku: number, place: number, quantity: number): Promise<void> {
    this.#model.move(this.#skus[sku]!, PLACES[place]!, quantity);
    await this.#receive('wms', moved(this.#key(), this.#skus[sku]!, PLACES[place]!, quantity), 'applied');
  }

  #hear(fact: Fact): void {
    if (fact.kind === 'picked') this.#model.pick(fact.fulfilment, fact.lines);
    else if (fact.kind === 'shipped') this.#model.ship(fact.fulfilment, fact.lines);
    else if (fact.kind === 'invoiced') this.#model.invoice(fact.order, fact.lines);
    else this.#model.comeBack(fact.reference, fact.lines);
  }

  /** Every system is told everything. What the WMS was asked must be what the model asks, each once. */
  async #tell(): Promise<void> {
    const { hub, wms } = this.#stage;
    await hub.settle();
    this.#model.confirm();
    const effects = wms.effects.slice(this.#told);
    this.#told = wms.effects.length;
    for (const effect of effects) this.#match(effect);
    const left = {
      parcels: this.#model.orders.flatMap((one) =>
        one.parcels.filter((parcel) => parcel.isAsked && parcel.reference === null).map(() => one.no),
      ),
      asks: this.#model.asks.map((ask) => ask.order.no),
      backs: this.#model.backs.filter((back) => back.reference === null).map((back) => back.order.no),
    };
    const parts = Object.values(left).flat().length;
    if (parts > 0) throw new Error(`asked by the model, and not of the WMS: ${JSON.stringify(left)}`);
  }

  #match({ kind, payload }: Effect): void {
    const model = this.#model;
    const told = payload as {
      reference: string;
      order: string;
      location: string;
      fulfilment: string;
      lines: { lineNo: number; quantity: number }[];
    };
    const same = (lines: readonly { lineNo: number; units: number }[]) => {
      const sums = new Map<number, number>();
      for (const { lineNo, units } of lines) sums.set(lineNo, (sums.get(lineNo) ?? 0) + units);
      const wanted = [...sums].filter(([, units]) => units > 0).sort(([a], [b]) => a - b);
      return (
        JSON.stringify(wanted) ===
        JSON.stringify(told.lines.map((l) => [l.lineNo, l.quantity]).sort((a, b) => a[0]! - b[0]!))
      );
    };
    if (kind === 'fulfilment') {
      const target = model.orders.find((one) => `api/${one.no}` === told.order);
      const parcel = target?.parcels.find(
        (one) =>
          one.isAsked &&
          one.reference === null &&
          one.location === told.location &&
          same(one.parts.map(({ lineNo, open }) => ({ lineNo, units: open }))),
      );
      if (parcel === undefined)
        throw new Error(`the WMS was asked what the model does not ask: ${JSON.stringify(payload)}`);
      parcel.reference = told.reference;
      target!.isReleased = true;
    } else if (kind === 'fulfilment_cancel') {
      const at = model.asks.findIndex(
        (ask) =>
          ask.parcel.reference === told.fulfilment &&
          same(ask.lines.map(({ lineNo, quantity }) => ({ lineNo, units: quantity }))),
      );
      if (at < 0) throw new Error(`the WMS was asked to stop what the model does not: ${JSON.stringify(payload)}`);
      const [ask] = model.asks.splice(at, 1);
      model.answer(ask!, this.#answers.get(told.reference)!);
    } else if (kind === 'return_announcement') {
      const back = model.backs.find(
        (one) =>
          one.reference === null &&
          `api/${one.order.no}` === told.order &&
          one.location === told.location &&
          same(one.lines.map(({ lineNo, left }) => ({ lineNo, units: left }))),
      );
      if (back === undefined)
        throw new Error(`a return was announced that the model does not expect: ${JSON.stringify(payload)}`);
      back.reference = told.reference;
    }
  }

  async compare(): Promise<void> {
    const { pool } = this.#stage;
    const lines = await pool.query(
      `select o.external_no as no, o.state, o.holds, l.line_no, coalesce(l.adds_to, l.line_no) as root, l.awaits_erp, l.allocated, l.backordered, l.picked, l.shipped, l.invoiced, l.cancel_asked, l.cancelled,
              l.return_expected, l.returned, l.shipped_minor, l.invoiced_minor, l.cancelled_minor, l.returned_minor
         from sales_order o join order_line l using (order_id)
        where o.order_id = any($1::bigint[]) order by o.order_id, l.line_no`,
      [[...this.#orderIds.values()]],
    );
    const model = this.#model;
    const wanted = model.orders.flatMap((one) =>
      one.lines.map((line) =>
        [
          ...[
            one.no,
            model.stateOf(one),
            one.holds,
            line.lineNo,
            line.root,
            line.awaitsErp,
            model.allocatedOf(one, line),
            line.backordered,
            line.picked,
          ],
          ...[line.shipped, line.invoiced, line.cancelAsked, line.cancelled, line.returnExpected, line.returned],
          ...[line.shippedMinor, line.invoicedMinor, line.cancelledMinor, line.returnedMinor],
        ].join(' '),
      ),
    );
    same(
      lines.rows.map((row) => Object.values(row).join(' ')),
      wanted,
    );
    const stock = await pool.query(
      `select s.code || '@' || p.code as at, b.on_hand, b.allocated from stock_balance b join sku s using (sku_id) join location p using (location_id)
        where s.code = any($1::text[]) and (b.on_hand, b.allocated) <> (0, 0) order by 1`,
      [this.#skus],
    );
    const balances = [...model.stock]
      .filter(([, { onHand, allocated }]) => onHand !== 0 || allocated !== 0)
      .map(([at, { onHand, allocated }]) => `${at} ${onHand} ${allocated}`)
      .sort();
    same(
      stock.rows.map((row) => `${row.at} ${row.on_hand} ${row.allocated}`),
      balances,
    );
  }

  /** All mail arrives, everyone is told; then the ERP holds what the model holds. */
  async end(): Promise<void> {
    while (this.#outside.mail.length > 0) await this.step({ do: 'deliver', nth: 0, times: 1 });
    await this.step({ do: 'tell' });
    await this.compare();
    const erp = this.#stage.erp;
    const sums = new Map<string, { units: number; minor: number }>();
    for (const { kind, payload } of erp.effects) {
      const told = payload as { reference: string; order: string; lines: { quantity: number; amountMinor: number }[] };
      const name = `${kind} ${kind === 'sales_order' ? told.reference : told.order}`;
      const sum = sums.get(name) ?? { units: 0, minor: 0 };
      for (const { quantity, amountMinor } of told.lines) {
        sum.units += quantity;
        sum.minor += amountMinor;
      }
      sums.set(name, sum);
    }
    const wanted = new Map<string, { units: number; minor: number }>();
    for (const one of this.#model.orders) {
      const add = (kind: string, of: (line: ModelLine) => [units: number, minor: number]) => {
        const parts = one.lines.map(of);
        const units = parts.reduce((sum, part) => sum + part[0], 0);
        if (units > 0)
          wanted.set(`${kind} api/${one.no}`, { units, minor: parts.reduce((sum, part) => sum + part[1], 0) });
      };
      const whole = ({ micros, quantity }: ModelLine): [number, number] => [quantity, amount(micros, quantity)];
      add('sales_order', (line) => (line.isAdded ? [0, 0] : whole(line)));
      add('order_change', (line) => (line.isAdded ? whole(line) : [0, 0]));
      add('order_cancellation', (line) => [line.cancelled, line.cancelledMinor]);
      add('shipment_posting', (line) => [line.shipped, line.shippedMinor]);
      add('return_posting', (line) => [line.returned, line.returnedMinor]);
    }
    expect(Object.fromEntries([...sums].sort())).toEqual(Object.fromEntries([...wanted].sort()));
    expect(erp.effects.length).toBe(new Set(erp.effects.map(({ kind, reference }) => `${kind} ${reference}`)).size);
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

function itemOf(fact: Fact): InboundItem {
  switch (fact.kind) {
    case 'picked':
      return picked(fact.key, fact.fulfilment, fact.lines);
    case 'shipped':
      return shipped(fact.key, fact.fulfilment, fact.lines);
    case 'returned':
      return returned(fact.key, fact.reference, fact.lines);
    case 'invoiced':
      return invoiced(fact.key, `api/${fact.order}`, fact.lines);
  }
}
