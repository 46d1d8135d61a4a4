/** What the shop says of orders, in our words. Pure. */
import type { InboundItem } from '../../canonical/index.ts';
import {
  cancelItem,
  cancelKey,
  type Draft,
  Fields,
  mapRecords,
  orderItem,
  readOr,
  readRecord,
  scopes,
  Unreadable,
} from '../kit/index.ts';
import { canonicalDecimal, decimalText, perUnit } from './decimals.ts';

export interface OrderSettings {
  system: string;
  channel: string;
  company: string;
  /** For buyers that are nobody's account. */
  account: string;
  /** Accounts by the buyer's e-mail address, in lower case. */
  accounts: Readonly<Record<string, string>>;
}

/** An order, and of one that was edited: how it was placed, and its changes. */
export interface OrderRow {
  order: unknown;
  original?: unknown;
  changes?: readonly unknown[];
}

/** In the note of an order edit that we made: read back, it is no news. */
export const OUR_NOTE = 'crossdock';
/** In the metadata of a fulfilment: the shipment that it shows. */
export const OUR_SHIPMENT = 'crossdock_shipment';
/** In the metadata of an order: its invoices and credit notes, as a text for people. */
export const INVOICES = 'crossdock_invoices';
/** In the metadata of an order that we cancelled. */
export const OUR_CANCEL = 'crossdock_cancelled';
/** Where the checkout's hook leaves what it reserved. */
export const RESERVATIONS = 'crossdock_reservations';

/** `draft` has not been placed; of what the shop may call them later, nothing is assumed. */
const statuses = ['pending', 'completed', 'draft', 'archived', 'canceled', 'requires_action'] as const;

export function mapOrders(rows: readonly unknown[], settings: OrderSettings): InboundItem[] {
  return mapRecords(rows, '/orders', (raw, place) =>
    readRecord((raw as OrderRow | null)?.order, place, settings.system, (order) => {
      const externalNo = externalNoOf(order);
      if (order.oneOf('status', statuses) === 'draft') return [];
      return mapOrder(order, externalNo, raw as OrderRow, settings);
    }),
  );
}

function externalNoOf(order: Fields): string {
  return String(order.integer('display_id', 0));
}

function mapOrder(order: Fields, externalNo: string, row: OrderRow, settings: OrderSettings): Draft[] {
  const { channel } = settings;
  const account = accountOf(order, settings);
  const placed = row.original === undefined ? order : new Fields(row.original, `${order.place}/original`);
  const submitted = readOr(
    order.raw,
    scopes.order(channel),
    () => externalNo,
    () => {
      const reservations = reservationsOf(order);
      const lines = linesOf(placed).map(({ line }, index) => ({
        lineNo: index + 1,
        sku: skuOf(line),
        quantity: quantityOf(line),
        unitPrice: unitPriceOf(line),
      }));
      return orderItem({
        kind: 'order.submitted',
        channel,
        externalNo,
        company: settings.company,
        account,
        currency: order.text('currency_code').toUpperCase(),
        orderedAt: order.time('created_at'),
        lines,
        ...(reservations.length > 0 && { reservations }),
      });
    },
  );
  if (submitted.command === undefined) return [submitted];
  return [submitted, ...changesOf(order, externalNo, placed, row.changes ?? [], account, settings)];
}

function accountOf(order: Fields, { account, accounts }: OrderSettings): string {
  const email = order.raw.email;
  return (typeof email === 'string' ? accounts[email.toLowerCase()] : undefined) ?? account;
}

/** By their ids: the shop lists them in an order that changes from one read to the next. */
export function linesOf(order: Fields): { id: string; line: Fields }[] {
  return order
    .lines('items')
    .map((line) => ({ id: line.text('id'), line }))
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function skuOf(line: Fields): string {
  if (line.raw.variant_sku == null || line.raw.variant_sku === '')
    throw line.unreadable('variant_sku', 'must be the SKU of a variant; give the variant one, then replay this order');
  return line.sku('variant_sku');
}

export function quantityOf(line: Fields): number {
  const text = decimalText(line.raw.raw_quantity, line.raw.quantity);
  const quantity = Number(text);
  if (text === undefined || !Number.isSafeInteger(quantity) || quantity < 1 || quantity > 1_000_000_000)
    throw line.unreadable('quantity', 'must be a whole number from 1 to 1000000000');
  return quantity;
}

/** Net of tax and of what was discounted on the line, per unit. */
function unitPriceOf(line: Fields): string {
  const hasTaxInside = line.raw.is_tax_inclusive === true;
  const discount = decimalText(line.raw.raw_discount_subtotal, line.raw.discount_subtotal) ?? '0';
  const price = (text: string | undefined, field: string): string => {
    if (text === undefined) throw line.unreadable(field, 'must be a decimal number');
    return text;
  };
  const exact = canonicalDecimal(price(decimalText(line.raw.raw_unit_price, line.raw.unit_price), 'unit_price'));
  const isPlain = !hasTaxInside && canonicalDecimal(discount) === '0';
  const text = isPlain
    ? exact
    : perUnit(price(decimalText(line.raw.raw_subtotal, line.raw.subtotal), 'subtotal'), discount, quantityOf(line));
  if (text.startsWith('-') || (text.split('.')[1]?.length ?? 0) > 6)
    throw line.unreadable('unit_price', 'must be at least 0 and have at most 6 decimal places');
  return text;
}

function reservationsOf(order: Fields): string[] {
  const list = (order.raw.metadata as Record<string, unknown> | null | undefined)?.[RESERVATIONS];
  return Array.isArray(list) ? list.filter((id): id is string => typeof id === 'string' && /^\d{1,18}$/.test(id)) : [];
}

interface Action {
  action?: unknown;
  details?: { reference_id?: unknown; quantity?: unknown } | null;
  ordering?: unknown;
}

/** Units that fell, edit by edit, then what is left of an order that was cancelled. Keys name the edit, so no page matters. */
function changesOf(
  order: Fields,
  externalNo: string,
  placed: Fields,
  changes: readonly unknown[],
  account: string,
  { channel }: OrderSettings,
): Draft[] {
  const drafts: Draft[] = [];
  const left = new Map(
    linesOf(placed).map(({ id, line }, index) => [
      id,
      { lineNo: index + 1, sku: skuOf(line), quantity: quantityOf(line) },
    ]),
  );
  const cancel = (reference: string, occurredAt: string, line: { lineNo: number; sku: string }, quantity: number) => {
    const { lineNo, sku } = line;
    const named = { reference, order: externalNo, lineNo, sku };
    drafts.push(cancelItem({ kind: 'order.cancel_requested', channel, account, occurredAt, ...named, quantity }));
  };
  for (const [index, raw] of [...changes].sort(byVersion).entries()) {
    const change = new Fields(raw, `${order.place}/changes/${index}`);
    if (change.raw.status !== 'confirmed') continue;
    const isOurs = typeof change.raw.internal_note === 'string' && change.raw.internal_note.startsWith(OUR_NOTE);
    const reference = change.text('id');
    const after = new Map<string, number>();
    for (const { action, details, ordering } of actionsOf(change)) {
      const line = String(details?.reference_id);
      if (action === 'ITEM_UPDATE') after.set(line, Number(details?.quantity));
      else if (action === 'ITEM_REMOVE')
        after.set(line, (after.get(line) ?? left.get(line)?.quantity ?? 0) - Number(details?.quantity));
      else if (action === 'ITEM_ADD') drafts.push(grown(change, raw, `${reference}/${String(ordering)}`, channel));
    }
    for (const [id, quantity] of after) {
      const line = left.get(id);
      if (line === undefined) continue;
      if (!Number.isSafeInteger(quantity) || quantity < 0 || quantity > line.quantity)
        drafts.push(grown(change, raw, `${reference}/${line.lineNo}`, channel));
      if (!(quantity < line.quantity)) continue;
      if (!isOurs) cancel(reference, change.time('confirmed_at'), line, line.quantity - quantity);
      line.quantity = quantity;
    }
  }
  const metadata = order.raw.metadata as Record<string, unknown> | null | undefined;
  if (order.raw.status === 'canceled' && metadata?.[OUR_CANCEL] == null)
    for (const line of left.values())
      if (line.quantity > 0) cancel(order.text('id'), order.time('canceled_at'), line, line.quantity);
  return drafts;
}

/** An order that was accepted does not grow: what was added is for a person. */
function grown(change: Fields, raw: unknown, key: string, channel: string): Draft {
  return readOr(
    raw,
    scopes.cancel(channel),
    () => cancelKey({ reference: key, order: null, lineNo: null, sku: 'added' }),
    () => {
      throw new Unreadable('adds units to an order; let the buyer place another order for them', change.place, raw);
    },
  );
}

function actionsOf(change: Fields): Action[] {
  const list = change.raw.actions;
  if (!Array.isArray(list)) return [];
  return (list as Action[]).toSorted((a, b) => Number(a.ordering) - Number(b.ordering));
}

function byVersion(a: unknown, b: unknown): number {
  return Number((a as { version?: unknown })?.version) - Number((b as { version?: unknown })?.version);
}
