/**
 * Tells one destination the newest state of things: availability, prices, order status. Only the newest counts; what to say is
 * computed when it is sent, and what the other side confirmed (by reading it back) is kept.
 */
import { prioritised } from '../connectors/kit/index.ts';
import { NumberDoubts } from './doubt-numbers.ts';
import { Publications, type PublisherOptions } from './publications.ts';
import { NumberPublisher } from './publish-numbers.ts';
import { type Gather, StatePublisher } from './publish-states.ts';

export type { PublisherOptions } from './publications.ts';

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #numbers: NumberPublisher | undefined;
  readonly #doubts: NumberDoubts;
  readonly #states: StatePublisher;

  constructor(options: PublisherOptions) {
    const publications = new Publications(options);
    this.#options = options;
    // Stock goes before bulk at the system too: all calls share its budget, whichever loop they come from.
    const numbersOptions = { ...options, signal: prioritised(options.signal, 'urgent') };
    this.#numbers =
      options.channel === null ? undefined : new NumberPublisher(numbersOptions, publications, options.channel);
    this.#doubts = new NumberDoubts(options, publications);
    this.#states = new StatePublisher({ ...options, signal: prioritised(options.signal, 'bulk') }, publications);
  }

  /** One round of stock numbers: settle what was read back, then say what changed. @returns how many rows were worked on */
  async availabilityRound(): Promise<number> {
    const sink = this.#options.connector.availability;
    return this.#numbers === undefined || sink === undefined ? 0 : this.#numbers.round(sink);
  }

  /** As a round, but resolves when all that is due is under way. @returns how many rows were looked at */
  async availabilityStep(): Promise<number> {
    const sink = this.#options.connector.availability;
    return this.#numbers === undefined || sink === undefined ? 0 : this.#numbers.step(sink);
  }

  /** Frees what the channel may no longer believe. @returns how many numbers were looked at */
  async settleNumbers(): Promise<number> {
    return this.#numbers?.settle() ?? 0;
  }

  /** Asks the channel which of its numbers can't be right. @returns how many are read back for it */
  async doubtNumbers(): Promise<number> {
    const sink = this.#options.connector.availability;
    return this.#numbers === undefined || sink === undefined ? 0 : this.#doubts.round(sink);
  }

  /** Resolves when no number is on its way. */
  async settled(): Promise<void> {
    await this.#numbers?.settled();
  }

  /**
   * One round of prices and order states.
   * @param gatherMs how long a change must have stood
   * @returns how many rows were worked on
   */
  stateRound(gatherMs: Gather = { order_status: 0, price: 0 }): Promise<number> {
    return this.#states.round(gatherMs);
  }
}
