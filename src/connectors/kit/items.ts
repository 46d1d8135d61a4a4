import {
  type CancelRequested,
  type CreditReported,
  type DocumentPosted,
  fingerprint,
  type InboundCommand,
  type InboundItem,
  type OrderCancelRequested,
  type OrderChangeRequested,
  type OrderSubmitted,
  type OutsideAllocated,
  type RecordChanged,
  type ReturnInspected,
  type ReturnRequested,
  type StockMoved,
  type SubmittedLine,
  type SupplyAnnounced,
} from '../../canonical/index.ts';
import { cutDeep, Fields, Unreadable } from './fields.ts';
import { tellRecord, toldOf } from './told.ts';

/** An item whose number within its message is not known yet. */
export type Draft = Omit<InboundItem, 'itemNo'>;

/** The mapping's version in fingerprints: raise it when a mapping reads other fields than before. */
const MAPPING = 'v1';

/**
 * The business keys under which things from outside are known for ever. They hold nothing of a feed's position: the same
 * record arrives by webhook, by poll and once more after a restore, and is the same thing each time.
 */
export const scopes = {
  order: (channel: string) => `order/${channel}`,
  cancel: (channel: string) => `cancel/${channel}`,
  returnRequest: (channel: string) => `return/${channel}`,
  change: (channel: string) => `change/${channel}`,
  orderCancel: (channel: string) => `order_cancel/${channel}`,
  movement: (system: string) => `movement/${system}`,
  supply: (system: string) => `supply/${system}`,
  outsideAllocation: (system: string) => `outside_allocation/${system}`,
  document: (system: string) => `document/${system}`,
  credit: (system: string) => `credit/${system}`,
  event: (type: string, system: string) => `${type}/${system}`,
  /** Of records from which not even their kind can be read. */
  unreadable: (system: string) => `unreadable/${system}`,
} as const;

export function item(scope: string, key: string, command: InboundCommand, fields: unknown): Draft {
  return { scope, key, fingerprint: fingerprint(MAPPING, fields), command };
}

export function orderItem(command: OrderSubmitted): Draft {
  const { channel, externalNo, company, account, currency, orderedAt } = command;
  const lines = command.lines.map((line) => [
    line.lineNo,
    line.sku,
    line.quantity,
    line.unitPrice,
    line.within ?? null,
    ...saidIn(line),
  ]);
  const fields: unknown[] = [company, account, currency, orderedAt, lines];
  const { shipTo, requestedAt, shipComplete, substitutes } = command;
  const said = { shipTo, requestedAt, shipComplete, substitutes };
  if (Object.values(said).some((one) => one !== undefined)) fields.push(said);
  const { charges, taxes } = command;
  if (charges !== undefined || taxes !== undefined) fields.push({ charges, taxes });
  return item(scopes.order(channel), externalNo, command, fields);
}

/** What a line says of units: nothing for most of them, whose digests are as they were before there were any. */
function saidIn({ unit, packLevel, priceUnit, pricePer }: SubmittedLine): unknown[] {
  return (unit ?? packLevel ?? priceUnit ?? pricePer) === undefined ? [] : [{ unit, packLevel, priceUnit, pricePer }];
}

/** `<reference>/<order or ->/<line number or SKU>`: one cancel may name several orders, and things nobody knows the order of. */
export function cancelKey(line: Pick<CancelRequested, 'reference' | 'order' | 'lineNo' | 'sku'>): string {
  return `${line.reference}/${line.order ?? '-'}/${line.lineNo ?? line.sku}`;
}

export function cancelItem(command: CancelRequested): Draft {
  const { account, occurredAt, order, lineNo, sku, quantity } = command;
  return item(scopes.cancel(command.channel), cancelKey(command), command, [
    account,
    occurredAt,
    order,
    lineNo,
    sku,
    quantity,
    ...(command.unit === undefined ? [] : [{ unit: command.unit }]),
  ]);
}

/** `<reference>/<order>`: one request names one order, and is one thing. */
export function returnRequestItem(command: ReturnRequested): Draft {
  const { channel, order, reference, reason, occurredAt } = command;
  const lines = command.lines.map(({ lineNo, quantity }) => [lineNo, quantity]);
  return item(scopes.returnRequest(channel), `${reference}/${order}`, command, [reason ?? null, occurredAt, lines]);
}

/** @param key what tells it from other inspections by that system, for ever */
export function inspectionItem(system: string, key: string, command: ReturnInspected): Draft {
  const { returnReference, requestedAs, occurredAt, sequence, by, reason } = command;
  const named = requestedAs === undefined ? null : [requestedAs.channel, requestedAs.order, requestedAs.reference];
  const lines = command.lines.map((line) => [
    ...[line.lineNo, line.restock, line.scrap, line.quarantine],
    ...[line.from ?? null, line.credited ?? null],
  ]);
  const fields = [returnReference, named, occurredAt, sequence ?? null, by, reason ?? null, lines];
  return item(scopes.event('inspected', system), key, command, fields);
}

/** Changes of one order may be named as those of another are. */
export function changeItem(command: OrderChangeRequested): Draft {
  const { channel, order, reference, number, occurredAt, whole, partial } = command;
  const lines = command.lines.map(({ lineNo, sku, quantity, unitPrice, within, requestedOn }) => [
    ...[lineNo ?? null, sku ?? null, quantity, unitPrice ?? null, within ?? null, requestedOn ?? null],
  ]);
  const fields = [number ?? null, occurredAt, whole === true, partial === true, lines];
  return item(scopes.change(channel), `${order}/${reference}`, command, fields);
}

export function orderCancelItem(command: OrderCancelRequested): Draft {
  const { channel, order, reference, occurredAt } = command;
  return item(scopes.orderCancel(channel), `${order}/${reference}`, command, [occurredAt]);
}

export function movementItem(system: string, key: string, command: StockMoved): Draft {
  const { movement, sku, location, quantity, reference, occurredAt, sequence, reservation, supply, net } = command;
  const fields: unknown[] = [movement, sku, location, quantity, reference, occurredAt];
  fields.push(sequence ?? null, reservation ?? null);
  if (supply !== undefined) fields.push(supply.source ?? null, supply.id);
  if (net !== undefined) fields.push({ net });
  if (command.unit !== undefined) fields.push({ unit: command.unit });
  return item(scopes.movement(system), key, command, fields);
}

/**
 * An announcement's key names the supply and what tells this announcement from those before and after it: when it was made, unless
 * the message knows something better.
 */
export function supplyItem(system: string, command: SupplyAnnounced, revision: string = command.announcedAt): Draft {
  const { source, supply, sku, location, quantity, dueAt } = command;
  return item(scopes.supply(system), `${source ?? '-'}/${supply}/${sku}@${location} ${revision}`, command, [
    quantity,
    dueAt,
    ...(command.unit === undefined ? [] : [{ unit: command.unit }]),
  ]);
}

/** A report's key names what it is about and what tells it from those before and after it: its number in the source's order, else its time. */
export function outsideAllocationItem(system: string, command: OutsideAllocated): Draft {
  const { reference, sku, location, quantity, occurredAt, sequence, line } = command;
  const fields: unknown[] = [quantity, occurredAt];
  fields.push(line === undefined ? null : [line.channel, line.externalNo, line.lineNo]);
  if (command.unit !== undefined) fields.push({ unit: command.unit });
  const key = `${reference}/${sku}@${location} ${sequence ?? occurredAt}`;
  return item(scopes.outsideAllocation(system), key, command, fields);
}

export function documentItem(system: string, command: DocumentPosted): Draft {
  const { document, number, order, currency, totalMinor, occurredAt } = command;
  const lines = command.lines.map((line) => [line.lineNo, line.quantity, line.amountMinor]);
  const fields: unknown[] = [order, currency, totalMinor, occurredAt, lines];
  const { charges, taxMinor } = command;
  const lineTaxes = command.lines.map((line) => line.taxMinor ?? null);
  if (charges !== undefined || taxMinor !== undefined || lineTaxes.some((tax) => tax !== null))
    fields.push({ charges, taxMinor, lineTaxes });
  return item(scopes.document(system), `${document}/${number}`, command, fields);
}

/** A report's key names the account, the moment that it shows, and what it says: some sources round their times. */
export function creditItem(system: string, command: CreditReported): Draft {
  const { account, company, currency, limitMinor, openOrdersMinor, openInvoicesMinor, asOf, orders, orderLines } =
    command;
  const fields: unknown[] = [currency, limitMinor, openOrdersMinor, openInvoicesMinor, orders ?? null];
  if (orderLines !== undefined) fields.push(orderLines);
  const digest = fingerprint(MAPPING, fields);
  return item(scopes.credit(system), `${company}/${account} ${asOf} ${digest.slice(-8)}`, command, fields);
}

/** A record's key names it, when it changed and to what: systems change things twice in what they call one moment. */
export function recordItem(system: string, command: RecordChanged): Draft {
  const { kind, changedAt, ...fields } = command;
  const name =
    'contract' in command
      ? `${command.company}/${command.contract}`
      : 'account' in command
        ? `${command.company}/${command.account}`
        : command.sku;
  const digest = fingerprint(MAPPING, fields);
  return item(scopes.event(kind, system), `${name} ${changedAt} ${digest.slice(-8)}`, command, fields);
}

/** Reads one thing; what can't be read becomes an item without a command. */
export function readOr(raw: unknown, scope: string, keyOf: () => string, read: () => Draft): Draft {
  return toldOf(raw, () => {
    try {
      return read();
    } catch (error) {
      return refused(error, raw, scope, keyOf);
    }
  });
}

/**
 * The item of something unreadable. Its key is the business key where that much could be read, so that a corrected copy meets
 * it; otherwise a digest of the record, so that the same record arriving again is the same.
 */
function refused(error: unknown, raw: unknown, scope: string, keyOf?: () => string): Draft {
  if (!(error instanceof Unreadable)) throw error;
  const digest = fingerprint(MAPPING, cutDeep(raw ?? null));
  const { reason, place, value } = error;
  return {
    scope,
    key: keyOr(keyOf, `unreadable:${digest}`),
    fingerprint: digest,
    unreadable: { reason, place, value },
  };
}

function keyOr(keyOf: (() => string) | undefined, otherwise: string): string {
  try {
    return keyOf?.() ?? otherwise;
  } catch (error) {
    if (error instanceof Unreadable) return otherwise;
    throw error;
  }
}

/** Maps a message's records one by one and numbers their items from 0. `place` is the list's JSON pointer. */
export function mapRecords(
  records: readonly unknown[],
  place: string,
  mapOne: (raw: unknown, place: string) => Draft[],
): InboundItem[] {
  const items: InboundItem[] = [];
  for (const [index, raw] of records.entries())
    for (const draft of mapOne(raw, `${place}/${index}`)) {
      tellRecord(raw, draft);
      items.push({ ...draft, itemNo: items.length });
    }
  return items;
}

/** A message that holds no records at all, as one item to be parked. */
export function unreadableMessage(system: string, body: Buffer, reason: string, place: string): InboundItem[] {
  const text = body.toString('utf8');
  return [{ ...refused(new Unreadable(reason, place, text), text, scopes.unreadable(system)), itemNo: 0 }];
}

/** Reads a record of any kind; one whose kind can't be told is an item of the system's `unreadable` scope. */
export function readRecord(raw: unknown, place: string, system: string, read: (record: Fields) => Draft[]): Draft[] {
  try {
    return read(new Fields(raw, place));
  } catch (error) {
    return [refused(error, raw, scopes.unreadable(system))];
  }
}

/**
 * Reads a record whose lines are items of their own: one that can't be read holds none of the others up. Repeats are kept apart.
 */
export function readLines(
  record: Fields,
  name: string,
  scope: string,
  keyOf: () => string,
  readLine: (value: unknown, place: string, index: number) => Draft,
): Draft[] {
  let entries: ReturnType<Fields['entries']>;
  try {
    entries = record.entries(name);
  } catch (error) {
    return [refused(error, record.raw, scope, keyOf)];
  }
  const apart = repeatsApart();
  return entries.map(({ value, place }, index) => apart(readLine(value, place, index)));
}

/** Gives the n-th thing of one key that it is handed a key of its own (`…#2`): repeats on paper are real lines, not copies. */
export function repeatsApart(): (draft: Draft) => Draft {
  const times = new Map<string, number>();
  return (draft) => {
    const id = `${draft.scope} ${draft.key}`;
    const time = (times.get(id) ?? 0) + 1;
    times.set(id, time);
    return time === 1 ? draft : { ...draft, key: `${draft.key}#${time}` };
  };
}

/** Line numbers name lines for ever, so no two lines may share one. */
export function refuseRepeatedLines(lines: readonly Fields[], name: string): void {
  const seen = new Set<unknown>();
  for (const line of lines) {
    if (seen.has(line.raw[name])) throw line.unreadable(name, 'must not appear twice');
    seen.add(line.raw[name]);
  }
}
