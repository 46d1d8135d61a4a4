/** A message, each of its items on the way through one transaction, and what became of it. */
import type { ErrorCode, InboundItem } from '../canonical/index.ts';
import type { OrderEvent } from '../orders/index.ts';
import type { Fault, Translated } from './translated.ts';

export interface Message {
  system: string;
  source: 'webhook' | 'poll' | 'api' | 'file';
  contentType: string;
  body: Buffer;
  items: InboundItem[];
  /** Items in the body, where only some of them are taken. */
  itemsInBody?: number;
  /** From a system: set aside what can't be applied. From a caller who waits: refuse it and keep nothing. */
  onFault: 'park' | 'refuse';
  /** Reads a message of this kind that was kept, as this one was read: for what came first under a key. */
  reread?: ((body: Buffer) => readonly InboundItem[]) | undefined;
  /** Set when the message is a page of a feed: the cursor moves with it. */
  feed?: { feed: string; from: string; to: string; drainedAt: Date | null };
}

/** The first field in which two contents of one key differ. */
export interface Difference {
  place: string;
  before: unknown;
  given: unknown;
}

export type ItemResult =
  | { status: 'applied'; orderId: number | null; events: OrderEvent[] }
  | { status: 'duplicate'; orderId: number | null; state: 'a' | 'w' | 'p' | 's' }
  | { status: 'conflict'; difference?: Difference | undefined }
  | {
      status: 'parked';
      class: string;
      reason: string;
      place?: string;
      difference?: Difference | undefined;
      /** What lets it run by itself when it comes. */
      waitKey?: string;
    }
  | { status: 'waiting'; waitKey: string }
  | { status: 'refused'; class: string; code: ErrorCode; reason: string; place: string | null };

export interface Entry {
  message: Message;
  rawId: number;
  item: InboundItem;
  translated: Translated | Fault;
  result: ItemResult | undefined;
}

export function parkedResult(fault: Fault): ItemResult {
  return { status: 'parked', class: fault.class, reason: fault.reason };
}

export function refusedResult(fault: Fault): ItemResult {
  return { status: 'refused', class: fault.class, code: fault.code, reason: fault.reason, place: fault.place };
}

export function refusalOf(entry: Entry, kind: string, detail: string, code: ErrorCode = 'XD_REFUSED'): ItemResult {
  return entry.message.onFault === 'park'
    ? { status: 'parked', class: kind, reason: detail }
    : { status: 'refused', class: kind, code, reason: detail, place: null };
}
