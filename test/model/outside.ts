/** What lies outside the hub: the tasks of the WMS, the ERP's invoices, and the mail in which their facts travel. */

export interface TaskLine {
  lineNo: number;
  sku: string;
  asked: number;
  stopped: number;
  /** Physically; the hub may not have heard of it. */
  picked: number;
  shipped: number;
}

export interface Task {
  reference: string;
  order: string;
  lines: TaskLine[];
}

export type Fact =
  | { kind: 'picked'; key: string; fulfilment: string; lines: { lineNo: number; sku: string; quantity: number }[] }
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
  lines: { lineNo: number; sku: string; left: number }[];
}

export class Outside {
  readonly tasks: Task[] = [];
  readonly coming: Coming[] = [];
  /** Not delivered yet, in the order in which they were sent. */
  readonly mail: Fact[] = [];
  readonly delivered: Fact[] = [];
  readonly #name: string;
  #facts = 0;

  constructor(name: string) {
    this.#name = name;
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
      ...{ stopped: 0, picked: 0, shipped: 0 },
    }));
    this.tasks.push({ reference: payload.reference, order: payload.order, lines });
  }

  /** It stops what it has not picked; the rest is too late. */
  stop(payload: { fulfilment: string; lines: { lineNo: number; quantity: number }[] }) {
    const task = this.tasks.find((one) => one.reference === payload.fulfilment);
    return payload.lines.map(({ lineNo, quantity }) => {
      const line = task?.lines.find((one) => one.lineNo === lineNo);
      // It was never told of that: the model didn't ask either, and says so.
      if (line === undefined) return { lineNo, cancelled: 0, tooLate: 0 };
      const cancelled = Math.min(quantity, line.asked - line.stopped - line.picked);
      line.stopped += cancelled;
      return { lineNo, cancelled, tooLate: quantity - cancelled };
    });
  }

  expect(payload: {
    reference: string;
    order: string;
    location: string;
    lines: { lineNo: number; sku: string; quantity: number }[];
  }): void {
    const lines = payload.lines.map(({ lineNo, sku, quantity }) => ({ lineNo, sku, left: quantity }));
    this.coming.push({ ...payload, lines });
  }

  /** Picks up to so many units of each line of a task, and says so. */
  pick(nth: number, units: number): void {
    const open = this.tasks.filter((task) => task.lines.some((line) => line.asked - line.stopped > line.picked));
    const task = open[nth % Math.max(1, open.length)];
    if (task === undefined) return;
    const lines = [];
    for (const line of task.lines) {
      const quantity = Math.min(units, line.asked - line.stopped - line.picked);
      if (quantity === 0) continue;
      line.picked += quantity;
      lines.push({ lineNo: line.lineNo, sku: line.sku, quantity });
    }
    this.#send({ kind: 'picked', key: this.key(), fulfilment: task.reference, lines });
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
      lines.push({ lineNo: line.lineNo, sku: line.sku, quantity });
    }
    this.#send({ kind: 'returned', key: this.key(), reference: coming.reference, lines });
  }

  invoice(order: string, lines: { lineNo: number; quantity: number; amountMinor: number }[]): void {
    this.#send({ kind: 'invoiced', key: this.key(), order, lines });
  }
}
