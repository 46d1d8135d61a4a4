/** What an item becomes: work to do, or a fault with class and place; and the look-ups that every translation needs. */
import type { ErrorCode, RecordChanged } from '../canonical/index.ts';
import type { CreditReport } from '../credit/index.ts';
import type { Movement, OutsideReport, SupplyChange } from '../ledger/index.ts';
import type { NewFact } from '../log/index.ts';
import type { ChannelEntry, Directory, LocationEntry } from '../master/index.ts';
import type { OrderWork } from '../orders/index.ts';

export interface Fault {
  /** What it is set aside as. */
  class: string;
  code: ErrorCode;
  reason: string;
  place: string | null;
  /** What lets it run when it comes: `<scope> <key>` of an item, `sku <code>` or `account/<company id> <code>`. */
  waitKey?: string;
}

export interface StockWork {
  movement: Movement;
  companyId: number;
  /** The hold under which it happens. */
  reservationId: number | null;
}

/** What another system says it has allocated. */
export interface OutsideWork {
  report: OutsideReport;
  companyId: number;
  correlationId: string;
}

/** What one item asks for. */
export interface Translated {
  works: OrderWork[];
  stock: StockWork[];
  facts: NewFact[];
  supplies: SupplyChange[];
  outside: OutsideWork[];
  records: RecordChanged[];
  credit: CreditReport[];
  /** For `submit`: the id the order will have. */
  orderId: number | null;
  /** What to wait for if the order isn't known. */
  waitKey?: string;
}

export const NOTHING: Translated = {
  works: [],
  stock: [],
  supplies: [],
  outside: [],
  facts: [],
  records: [],
  credit: [],
  orderId: null,
};

export function isFault(result: Translated | Fault): result is Fault {
  return 'class' in result;
}

export function fault(kind: string, code: ErrorCode, reason: string, place: string | null): Fault {
  return { class: kind, code, reason, place };
}

export function skuOf(directory: Directory, system: string, code: string, place: string): number | Fault {
  const ours = directory.ourCode(system, 'sku', code);
  return (
    directory.findSkuId(ours) ?? {
      ...fault('unknown_sku', 'XD_UNKNOWN_SKU', `no SKU ${JSON.stringify(code.slice(0, 60))}`, place),
      waitKey: `sku ${ours}`,
    }
  );
}

export function channelOf(directory: Directory, code: string): ChannelEntry | Fault {
  return (
    directory.channels.get(code) ??
    fault('unknown_channel', 'XD_UNKNOWN_CHANNEL', `no channel ${JSON.stringify(code.slice(0, 60))}`, 'channel')
  );
}

export function locationOf(directory: Directory, code: string): LocationEntry | Fault {
  return (
    directory.locations.get(code) ??
    fault('unknown_location', 'XD_UNKNOWN_LOCATION', `no location ${JSON.stringify(code.slice(0, 60))}`, 'location')
  );
}
