/** What lies outside the hub: the tasks of the WMS, the ERP's invoices and credit reports, and the mail in which their facts travel. */
import type { CreditReport, Inspection } from './model-types.ts';

export interface TaskLine {
  lineNo: number;
  sku: string;
  asked: number;
  stopped: number;
  /** Physically; the hub may not have heard of it. */
  picked: number;
  shipped: number;
  /** Not found. */
  missing: number;
}

export interface Task {
  reference: string;
  order: string;
  lines: TaskLine[];
}

export type Fact =
  | { kind: 'picked'; key: string; fulfilment: string; lines: { lineNo: number; sku: string; quantity: number }[] }
  | { kind: 'short'; key: string; fulfilment: string; lines: { lineNo: number; sku: string; quantity: number }[] }
  | { kind: 'refunded'; key: string; order: string; lines: { lineNo: number; quantity: number; amountMinor: number }[] }
  | { kind: 'inspected'; key: string; inspection: Inspection }
  | { kind: 'credit'; key: string; report: CreditReport }
  | { kind: 'shipped'; key: string; fulfilment: string; lines: { lineNo: number; sku: string; quantity: number }[] }
  | {
      kind: 'invoiced';
      key: string;
      order: string;
      lines: { lineNo: number; quantity: number; amountMinor: number }[];
    }
  | { kind: 'returned'; key: string; reference: string; lines: { lineNo: number; sku: string; quantity: number }[] };

export interface Coming {
  reference: string;
  order: string;
  location: string;
  lines: { lineNo: number; sku: string; left: number; toInspect: number; quarantined: number }[];
}

export class Outside {
  readonly tasks: Task[] = [];
  readonly coming: Coming[] = [];
  /** Not delivered yet, in the order in which they were sent. */
  readonly mail: Fact[] = [];
  readonly delivered: Fact[] = [];
  readonly #name: string;
  readonly #inspecting: readonly string[];
  #facts = 0;

  constructor(name: string, inspecting: readonly string[]) {
    this.#name = name;
    this.#inspecting = inspecting;
  }

  #send(fact: Fact): void {
    this.mail.push(fact);
  }

  key(): string {
    return `${this.#name}-${++this.#facts}`;
  }

  /** The WMS takes what it is asked for. */
  take(payload: {
    reference: string;
    order: string;
    lines: { lineNo: number; sku: string; quantity: number }[];
  }): void {
    const lines = payload.lines.map(({ lineNo, sku, quantity }) => ({
      ...{ lineNo, sku, asked: quantity },
      ...{ stopped: 0, picked: 0, shipped: 0, missing: 0 },
    }));
    this.tasks.push({ reference: payload.reference, order: payload.order, lines });
  }

  /** It stops what it has not picked, also what it was about to say that it has not found; the rest is too late. */
  stop(payload: { fulfilment: string; lines: { lineNo: number; quantity: number }[] }) {
    const task = this.tasks.find((one) => one.reference === payload.fulfilment);
    return payload.lines.map(({ lineNo, quantity }) => {
      const line = task?.lines.find((one) => one.lineNo === lineNo);
      // It was never told of that: the model didn't ask either, and says so.
      if (line === undefined) return { lineNo, cancelled: 0, tooLate: 0 };
      const stopped = Math.min(quantity, openOf(line));
      line.stopped += stopped;
      const cancelled = stopped + this.#unsay(payload.fulfilment, line, quantity - stopped);
      return { lineNo, cancelled, tooLate: Math.min(quantity - cancelled, line.picked) };
    });
  }

  #unsay(fulfilment: string, line: TaskLine, wanted: number): number {
    let missing = wanted;
    for (const fact of this.mail) {
      if (fact.kind !== 'short' || fact.fulfilment !== fulfilment) continue;
      for (const said of fact.lines) {
        if (said.lineNo !== line.lineNo) continue;
        const units = Math.min(said.quantity, missing);
        said.quantity -= units;
        line.missing -= units;
        line.stopped += units;
        missing -= units;
      }
      fact.lines = fact.lines.filter((said) => said.quantity > 0);
    }
    const said = this.mail.filter((fact) => fact.kind !== 'short' || fact.lines.length > 0);
    this.mail.splice(0, this.mail.length, ...said);
    return wanted - missing;
  }

  expect(payload: {
    reference: string;
    order: string;
    location: string;
    lines: { lineNo: number; sku: string; quantity: number }[];
  }): void {
    const lines = payload.lines.map(({ lineNo, sku, quantity }) => ({
      ...{ lineNo, sku, left: quantity, toInspect: 0, quarantined: 0 },
    }));
    this.coming.push({ ...payload, lines });
  }

  /** Picks up to so many units of each line of a task, and says so. */
  pick(nth: number, units: number): void {
    this.#work('picked', nth, units);
  }

  /** Finds so many units of each line of a task not, and says so. */
  miss(nth: number, units: number): void {
    this.#work('short', nth, units);
  }

  #work(kind: 'picked' | 'short', nth: number, units: number): void {
    const open = this.tasks.filter((task) => task.lines.some((line) => openOf(line) > 0));
    const task = open[nth % Math.max(1, open.length)];
    if (task === undefined) return;
    const lines = [];
    for (const line of task.lines) {
      const quantity = Math.min(units, openOf(line));
      if (quantity === 0) continue;
      line[kind === 'picked' ? 'picked' : 'missing'] += quantity;
      lines.push({ lineNo: line.lineNo, sku: line.sku, quantity });
    }
    this.#send({ kind, key: this.key(), fulfilment: task.reference, lines });
  }

  ship(nth: number, units: number): void {
    const open = this.tasks.filter((task) => task.lines.some((line) => line.picked > line.shipped));
    const task = open[nth % Math.max(1, open.length)];
    if (task === undefined) return;
    const lines = [];
    for (const line of task.lines) {
      const quantity = Math.min(units, line.picked - line.shipped);
      if (quantity === 0) continue;
      line.shipped += quantity;
      lines.push({ lineNo: line.lineNo, sku: line.sku, quantity });
    }
    this.#send({ kind: 'shipped', key: this.key(), fulfilment: task.reference, lines });
  }

  giveBack(nth: number, units: number): void {
    const open = this.coming.filter((one) => one.lines.some((line) => line.left > 0));
    const coming = open[nth % Math.max(1, open.length)];
    if (coming === undefined) return;
    const lines = [];
    for (const line of coming.lines) {
      const quantity = Math.min(units, line.left);
      if (quantity === 0) continue;
      line.left -= quantity;
      if (this.#inspecting.includes(coming.location)) line.toInspect += quantity;
      lines.push({ lineNo: line.lineNo, sku: line.sku, quantity });
    }
    this.#send({ kind: 'returned', key: this.key(), reference: coming.reference, lines });
  }

  invoice(order: string, lines: { lineNo: number; quantity: number; amountMinor: number }[]): void {
    this.#send({ kind: 'invoiced', key: this.key(), order, lines });
  }

  /** Looks at goods that came back, those of one line, as far as there are any. */
  inspect(nth: number, wanted: Pick<Inspection, 'from' | 'restock' | 'scrap' | 'quarantine'>): void {
    const { from } = wanted;
    const there = from === 'receipt' ? 'toInspect' : 'quarantined';
    const all = this.coming.flatMap(({ reference, lines }) => lines.map((line) => ({ reference, line })));
    const open = all.filter(({ line }) => line[there] > 0);
    const found = open[nth % Math.max(1, open.length)];
    if (found === undefined) return;
    const { reference, line } = found;
    let left = line[there];
    const take = (units: number) => {
      const taken = Math.min(units, left);
      left -= taken;
      return taken;
    };
    const restock = take(wanted.restock);
    const scrap = take(wanted.scrap);
    const quarantine = from === 'quarantine' ? 0 : take(wanted.quarantine);
    if (restock + scrap + quarantine === 0) return;
    line[there] -= restock + scrap + quarantine;
    line.quarantined += quarantine;
    const inspection = { reference, lineNo: line.lineNo, from, restock, scrap, quarantine };
    this.#send({ kind: 'inspected', key: this.key(), inspection });
  }

  /** The ERP credits something without being asked, or because it was: it doesn't say. */
  refund(order: string, lines: { lineNo: number; quantity: number; amountMinor: number }[]): void {
    this.#send({ kind: 'refunded', key: this.key(), order, lines });
  }

  report(report: CreditReport): void {
    this.#send({ kind: 'credit', key: this.key(), report });
  }
}

function openOf(line: TaskLine): number {
  return line.asked - line.stopped - line.picked - line.missing;
}
