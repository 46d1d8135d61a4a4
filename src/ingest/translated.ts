/** What an item becomes: work to do, or a fault with class and place; and the look-ups that every translation needs. */
import type { ErrorCode, InboundCommand, RecordChanged } from '../canonical/index.ts';
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
  /** By a rule that changes: whoever repeats what was decided before it did is told the first answer. */
  byRule?: true;
  /** What lets it run when it comes: `<scope> <key>` of an item, `sku <code>`, `account/<company id> <code>` `location <code>` or `crosswalk/<kind> <outside id>`. */
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

export function skuOf(
  directory: Directory,
  system: string,
  code: string,
  place: string,
  at: number | null = null,
): number | Fault {
  const ours = directory.ourCode(system, 'sku', code, at);
  return (
    unmatchedSku(directory, system, code, at, place) ??
    directory.findSkuId(ours) ?? {
      ...fault('unknown_sku', 'XD_UNKNOWN_SKU', `no SKU ${JSON.stringify(code.slice(0, 60))}`, place),
      waitKey: `sku ${ours}`,
    }
  );
}

/** As {@link unmappedAccount}, of a product. */
export function unmatchedSku(
  directory: Directory,
  system: string,
  sku: string,
  at: number | null,
  place: string,
): Fault | undefined {
  if (!directory.hasOwnCodes(system, 'product')) return undefined;
  if (directory.mappedCode(system, 'sku', sku, at) !== undefined) return undefined;
  const reason = `SKU ${JSON.stringify(sku.slice(0, 60))} of ${system} is not matched with one of ours`;
  return { ...fault('unknown_sku', 'XD_UNKNOWN_SKU', reason, place), waitKey: `crosswalk/sku ${sku}` };
}

/** Of a system whose codes never are ours: one that nobody has matched yet. It runs by itself once somebody has. */
export function unmappedAccount(
  directory: Directory,
  system: string,
  account: string,
  at: number | null,
  place: string,
): Fault | undefined {
  if (!directory.hasOwnCodes(system, 'account')) return undefined;
  if (directory.mappedCode(system, 'account', account, at) !== undefined) return undefined;
  const reason = `account ${JSON.stringify(account.slice(0, 60))} of ${system} is not matched with one of ours`;
  return { ...fault('unknown_account', 'XD_UNKNOWN_ACCOUNT', reason, place), waitKey: `crosswalk/account ${account}` };
}

export function channelOf(directory: Directory, code: string): ChannelEntry | Fault {
  return (
    directory.channels.get(code) ??
    fault('unknown_channel', 'XD_UNKNOWN_CHANNEL', `no channel ${JSON.stringify(code.slice(0, 60))}`, 'channel')
  );
}

export function locationOf(
  directory: Directory,
  system: string,
  code: string,
  at: number | null = null,
): LocationEntry | Fault {
  const ours = directory.ourCode(system, 'location', code, at);
  return (
    directory.locations.get(ours) ?? {
      ...fault(
        'unknown_location',
        'XD_UNKNOWN_LOCATION',
        `no location ${JSON.stringify(code.slice(0, 60))}`,
        'location',
      ),
      waitKey: `location ${ours}`,
    }
  );
}

/**
 * When what an item says happened in business: codes in it are those of that time. null: now; a record is as its system has it now,
 * whenever it changed last.
 */
export function businessTimeOf(command: InboundCommand | undefined): number | null {
  if (command === undefined) return null;
  const text =
    command.kind === 'order.submitted'
      ? command.orderedAt
      : command.kind === 'supply.announced'
        ? command.announcedAt
        : command.kind === 'credit.reported'
          ? command.asOf
          : 'occurredAt' in command
            ? command.occurredAt
            : undefined;
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? null : time;
}
