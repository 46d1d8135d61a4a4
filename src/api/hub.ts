import type { InboundItem } from '../canonical/index.ts';
import type { Receiver } from '../ingest/index.ts';
import type { Directory } from '../master/index.ts';
import type { Freshness } from '../outbound/index.ts';
import type { Database, Ids } from '../store/index.ts';

/** The little of a logger that the API needs; pino's fits. Ids and codes only, never payloads. */
export interface ApiLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What the API needs of the hub it serves. */
export interface ApiHub {
  db: Database;
  directory: Directory;
  ids: Ids;
  receiver: Receiver;
  freshness: Freshness;
  /** Flow (`availability:shop`) -> how late it may be at p99. */
  freshnessTargetsMs?: Readonly<Record<string, number>>;
  /** How long what is remembered holds is measured on it; the process's own clock unless given. */
  nowMs?: () => number;
  /** Whether intake must wait: work in flight is at its bound. */
  mustWait(): boolean;
  ready(): { ok: boolean; reasons: string[] };
  /** Checks a webhook's signature over the raw bytes and maps it. Undefined: there is no such system, or it posts nothing. */
  webhook(
    system: string,
    headers: Readonly<Record<string, string | undefined>>,
    body: Buffer,
  ): InboundItem[] | undefined;
  /** Checks a webhook that is only a hint, and reads what it names now. False: that system sends none. */
  hint?(system: string, headers: Readonly<Record<string, string | undefined>>, body: Buffer): boolean;
  /** The items of a message of that system, from its bytes as they were kept. */
  reread?(system: string, body: Buffer): InboundItem[];
  /** The same, feed by feed; or why it can't be read again. */
  rereads?(system: string): readonly ((body: Buffer) => InboundItem[])[] | string;
  /** Called after each commit made here that others may have work from. */
  onCommit(): void;
  log: ApiLog;
}
