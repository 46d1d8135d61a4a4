import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { Kit } from './system.ts';

const RECORDS_MAX = 50;
const ATTEMPTS_MAX = 5;
const TIMEOUT_MS = 2000;
const BACKOFF_MS = 200;
const GATHER_MS = 5;
const HELD_MS = 200;

interface Batch {
  id: string;
  body: string;
  records: number;
  attempts: number;
}

/**
 * Tells the other side about records of the feed soon after they come. A courtesy and no more: after five attempts, and
 * after a restart, it is given up, because the feed has everything. The shop never waits for it.
 */
export class WebhookSender {
  #kit: Kit;
  #url: string;
  #secret: string;
  #flushed: () => Promise<void> | undefined;
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  /** Last seq that was put into a batch; what is between it and the end of the feed still waits. */
  #taken = 0;
  #openRecords = 0;
  #gathering = false;
  #onWire = false;
  /** Batches whose next attempt is due. */
  #due: Batch[] = [];
  #held: Batch | undefined;
  #counts = { calls: 0, delivered: 0, failedAttempts: 0, givenUp: 0 };

  constructor(kit: Kit, url: string, secret: string, flushed: () => Promise<void> | undefined) {
    this.#kit = kit;
    this.#url = url;
    this.#secret = secret;
    this.#flushed = flushed;
  }

  start(): void {
    this.#taken = this.#kit.feed.last;
    this.#kit.feed.onAppended = () => this.#gather();
  }

  /** Records that are still to be sent or to be confirmed. */
  pending(): number {
    return this.#kit.feed.last - this.#taken + this.#openRecords;
  }

  stats(): object {
    return { ...this.#counts };
  }

  #gather(): void {
    if (this.#gathering || this.#onWire) return;
    this.#gathering = true;
    this.#kit.time.after(GATHER_MS, () => {
      this.#gathering = false;
      this.#pump();
    });
  }

  /** One call at a time, so that order is kept unless a fault or a failed attempt breaks it; retries don't hold up others. */
  async #pump(): Promise<void> {
    if (this.#onWire) return;
    this.#onWire = true;
    for (let batch = this.#next(); batch !== undefined; batch = this.#next()) {
      await this.#flushed();
      await this.#send(batch);
    }
    this.#onWire = false;
  }

  #next(): Batch | undefined {
    const due = this.#due.shift();
    if (due !== undefined) return due;
    const { feed, faults } = this.#kit;
    while (this.#taken < feed.last) {
      const records = feed.slice(this.#taken, RECORDS_MAX);
      const id = `whd-${this.#taken + 1}`;
      this.#taken += records.length;
      if (faults.rollWebhook('webhookNever')) continue;
      const batch = { id, body: `{"records":[${records.join(',')}]}`, records: records.length, attempts: 0 };
      this.#openRecords += records.length;
      if (this.#held !== undefined || !faults.rollWebhook('webhookDisordered')) return batch;
      this.#hold(batch);
    }
    return undefined;
  }

  /** Kept back until a later one has gone, or for a moment when none comes. */
  #hold(batch: Batch): void {
    this.#held = batch;
    this.#kit.time.after(HELD_MS, () => this.#release(batch));
  }

  #release(batch: Batch | undefined): void {
    if (batch === undefined || this.#held !== batch) return;
    this.#held = undefined;
    this.#due.push(batch);
    void this.#pump();
  }

  async #send(batch: Batch): Promise<void> {
    batch.attempts += 1;
    if (await this.#post(batch)) {
      this.#counts.delivered += 1;
      if (this.#kit.faults.rollWebhook('webhookTwice')) await this.#post(batch);
    } else {
      this.#counts.failedAttempts += 1;
      if (batch.attempts < ATTEMPTS_MAX) {
        this.#kit.time.after(BACKOFF_MS * 2 ** (batch.attempts - 1), () => {
          this.#due.push(batch);
          void this.#pump();
        });
        return;
      }
      this.#counts.givenUp += 1;
    }
    this.#openRecords -= batch.records;
    this.#release(this.#held);
  }

  /** @returns whether the other side said 2xx in time; it never rejects */
  #post({ id, body }: Batch): Promise<boolean> {
    this.#counts.calls += 1;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-shop-delivery': id,
      'x-shop-signature': `sha256=${createHmac('sha256', this.#secret).update(body).digest('hex')}`,
    };
    const req = request(this.#url, { method: 'POST', agent: this.#agent, headers, timeout: TIMEOUT_MS }, (res) => {
      res.resume();
      res.on('end', () => resolve(res.statusCode! >= 200 && res.statusCode! < 300));
      res.on('error', () => resolve(false));
      res.on('close', () => resolve(false));
    });
    // The socket's own timeout begins anew with every byte; this one is for the whole call.
    const deadline = setTimeout(() => req.destroy(), TIMEOUT_MS).unref();
    req.on('timeout', () => req.destroy());
    req.on('error', () => resolve(false));
    req.on('close', () => {
      clearTimeout(deadline);
      resolve(false);
    });
    req.end(body);
    return promise;
  }
}
