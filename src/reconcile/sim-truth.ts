/**
 * For the simulated estate only: its systems tell their own truth, page by page, in key order (`/_control/truth`, sim/API.md).
 * A real system is compared through its connector's snapshot instead.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { fail } from '../canonical/index.ts';

export const simSystems = ['erp', 'crm', 'wms', 'shop', 'marketplace'] as const;
export type SimSystem = (typeof simSystems)[number];

export interface ErpOrder {
  key: string;
  count: number;
  account: string;
  currency: string;
  totalMinor: number;
  lines: {
    lineNo: number;
    sku: string;
    quantity: number;
    amountMinor: number;
    cancelled: number;
    cancelledMinor: number;
    shipped: number;
    invoiced: number;
    invoicedMinor: number;
    returned: number;
    creditedMinor: number;
  }[];
}
export interface ErpCharge {
  key: string;
  count: number;
  kind: string;
  account: string;
  code: string;
  quantity: number;
  amountMinor: number;
  currency: string;
}
export interface CrmOrder {
  key: string;
  status: string;
  account: string;
  currency: string;
  totalMinor: number;
  lines: {
    lineNo: number;
    sku: string;
    quantity: number;
    amountMinor: number;
    cancelled: number;
    backordered: number;
    refused: number;
    shipped: number;
    invoiced: number;
    returned: number;
  }[];
}
export interface ChannelOrder {
  key: string;
  account: string;
  totalMinor: number;
  status: string | null;
  lines: {
    lineNo: number;
    sku: string;
    quantity: number;
    unitPrice: string;
    within: number;
    cancelled: number;
    shipped: number;
    returned: number;
    backordered: number;
    refused: number;
  }[];
}
export interface WmsFulfilment {
  key: string;
  order: string;
  location: string;
  lines: { lineNo: number; sku: string; quantity: number; cancelled: number; picked: number; shipped: number }[];
}
export interface WmsReturn {
  key: string;
  order: string;
  location: string;
  arrived: boolean;
  lines: { lineNo: number; sku: string; quantity: number }[];
}
export interface WmsStock {
  key: string;
  onHand: number;
}

const TRIES_MAX = 5;
const ANSWER_TIMEOUT_MS = 30_000;

interface Page<T> {
  records: T[];
  next: string | null;
  more: boolean;
}

/**
 * The truth of one kind as a stream that can be looked at before it is taken.
 * Orders are asked for a hundred at a time: two thousand of them are twenty megabytes of JSON.
 */
export class Truth<T extends { key: string }> {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #kind: string;
  readonly #limit: number;
  #records: readonly T[] = [];
  #at = 0;
  #after: string | null = null;
  #more = true;
  /** Asked for while the last one is worked through. */
  #next: Promise<Page<T>> | undefined;

  constructor(
    url: string,
    kind: string,
    { limit = 2_000, token }: { limit?: number; token?: string | undefined } = {},
  ) {
    this.#url = url;
    this.#kind = kind;
    this.#limit = limit;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** The next record, still there; undefined at the end. */
  async peek(): Promise<T | undefined> {
    while (this.#at >= this.#records.length) {
      if (!this.#more) return undefined;
      const page = await (this.#next ?? this.#ask(this.#after));
      for (const { key } of page.records) {
        // A merge join over an unordered stream would call everything missing or extra.
        if (this.#after !== null && key <= this.#after)
          fail('XD_CONNECTOR_MALFORMED', `${this.#url} ${this.#kind}: ${key} comes after ${this.#after}`);
        this.#after = key;
      }
      this.#records = page.records;
      this.#at = 0;
      this.#more = page.more;
      this.#next = page.more ? this.#ask(this.#after) : undefined;
      this.#next?.catch(() => {});
    }
    return this.#records[this.#at];
  }

  take(): void {
    this.#at++;
  }

  #ask(after: string | null): Promise<Page<T>> {
    const query = new URLSearchParams({
      kind: this.#kind,
      limit: String(this.#limit),
      ...(after !== null && { after }),
    });
    return readJson(`${this.#url}/_control/truth?${query}`, this.#headers);
  }
}

export function readSimStats(url: string, token?: string): Promise<Record<string, unknown>> {
  return readJson(`${url}/_control/stats`, token === undefined ? {} : { authorization: `Bearer ${token}` });
}

async function readJson<T>(url: string, headers: Record<string, string>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await request(url, { headers, headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: ANSWER_TIMEOUT_MS });
      if (answer.statusCode === 200) return (await answer.body.json()) as T;
      fail(
        'XD_CONNECTOR_UNAVAILABLE',
        `${url} answered ${answer.statusCode}: ${(await answer.body.text()).slice(0, 200)}`,
      );
    } catch (error) {
      if (tries === TRIES_MAX) fail('XD_CONNECTOR_UNAVAILABLE', `could not read ${url}`, {}, { cause: error });
      await sleep(100 * tries);
    }
  }
}
