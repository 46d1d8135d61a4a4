import { askedOf, type Fulfilment, STOCK, type Stock } from './wms-fulfilment.ts';

/**
 * Who gets the goods. A fulfilment is picked whole, when all of it is there. Until then it waits, but only in the queues of
 * the SKUs it misses: what it could have is left to others, so that one missing SKU never holds up a whole warehouse. In a
 * queue the oldest goes first, and a younger one waits behind it even if the goods would do for the younger.
 *
 * An attempt can end an older one's wait in one queue and begin it in another, so that those behind it get their turn; the
 * oldest never waits for anybody, the next only for the oldest, and so on, which is why it comes to rest.
 */
export class Picking {
  askedBeyondStock = 0;
  waiting = 0;
  #stocks: Stock[];
  #pick: (fulfilment: Fulfilment) => void;
  #missed: (fulfilment: Fulfilment, units: number) => void;
  #left: Stock[] = [];
  #settling = false;

  constructor(use: {
    stocks: Stock[];
    pick: (fulfilment: Fulfilment) => void;
    missed: (fulfilment: Fulfilment, units: number) => void;
  }) {
    this.#stocks = use.stocks;
    this.#pick = use.pick;
    this.#missed = use.missed;
  }

  attempt(fulfilment: Fulfilment): void {
    this.#try(fulfilment);
    this.#settle();
  }

  /** On hand rose. */
  arrived(stock: Stock): void {
    this.#left.push(stock);
    this.#settle();
  }

  /** A cancel took lines away: what is left may be there, or nothing may be left. */
  reduced(fulfilment: Fulfilment): void {
    if (fulfilment.waitsFor.length === 0) return;
    if (fulfilment.stage === 'cancelled') this.#waitFor(fulfilment, []);
    else this.#try(fulfilment);
    this.#settle();
  }

  #try(fulfilment: Fulfilment): void {
    const wanted: Stock[] = [];
    const { lines } = fulfilment;
    for (let row = 0; row < lines.count; row++) {
      const units = askedOf(lines, row);
      if (units === 0) continue;
      const stock = this.#stocks[lines.get(row, STOCK)]!;
      if (stock.need === 0) wanted.push(stock);
      stock.need += units;
    }
    const short: Stock[] = [];
    let missing = 0;
    for (const stock of wanted) {
      missing += Math.max(0, stock.need - stock.onHand);
      const first = stock.queue[0];
      if (stock.need > stock.onHand || (first !== undefined && first.rank < fulfilment.rank)) short.push(stock);
      stock.need = 0;
    }
    if (short.length > 0 && !fulfilment.tried) {
      fulfilment.tried = true;
      this.askedBeyondStock += missing;
      this.#missed(fulfilment, missing);
    }
    this.#waitFor(fulfilment, short);
    if (short.length === 0) this.#pick(fulfilment);
  }

  #waitFor(fulfilment: Fulfilment, stocks: Stock[]): void {
    const before = fulfilment.waitsFor;
    if (before.length === 0 && stocks.length > 0) this.waiting += 1;
    if (before.length > 0 && stocks.length === 0) this.waiting -= 1;
    fulfilment.waitsFor = stocks;
    for (const stock of before) {
      if (stocks.includes(stock)) continue;
      stock.queue.splice(stock.queue.indexOf(fulfilment), 1);
      this.#left.push(stock);
    }
    for (const stock of stocks) {
      if (before.includes(stock)) continue;
      let at = stock.queue.length;
      while (at > 0 && stock.queue[at - 1]!.rank > fulfilment.rank) at -= 1;
      stock.queue.splice(at, 0, fulfilment);
    }
  }

  #settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    for (let stock = this.#left.pop(); stock !== undefined; stock = this.#left.pop()) {
      for (let first = stock.queue[0]; first !== undefined; first = stock.queue[0]) {
        this.#try(first);
        if (stock.queue[0] === first) break;
      }
    }
    this.#settling = false;
  }
}
