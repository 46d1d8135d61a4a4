/** Orders of the shop in our words. Pure: from the fields of its GraphQL answers. */
import type { InboundItem } from '../../canonical/index.ts';
import {
  cancelItem,
  type Draft,
  Fields,
  mapRecords,
  orderItem,
  readOr,
  readRecord,
  scopes,
  Unreadable,
} from '../kit/index.ts';

/** What is read of an order. `orderPlacedQuantity` is what was sold, `quantity` what is left of it after cancels and changes. */
export const ORDER_FIELDS = `id code state orderPlacedAt updatedAt currencyCode
  channels { code } customer { emailAddress }
  lines { id createdAt quantity orderPlacedQuantity proratedUnitPrice proratedLinePrice productVariant { sku } }
  modifications { id createdAt lines { orderLineId quantity } }
  history(options: { filter: { type: { eq: "ORDER_CANCELLATION" } }, sort: { createdAt: ASC } }) {
    items { id createdAt data }
  }`;

/** The code that every Vendure gives its default channel. Each order is in it, those of other channels too. */
export const DEFAULT_CHANNEL = '__default_channel__';
/** What our own cancels give as their reason: what we wrote and read back is no news. */
export const OWN_REASON = 'crossdock';
const PRICE_DECIMALS = 6;

export interface OrderTerms {
  system: string;
  channel: string;
  company: string;
  /** Whose order it is where its buyer isn't one of our accounts. */
  account: string;
  /** By the buyer's e-mail address, in lower case. */
  accounts: Readonly<Record<string, string>>;
  /** The shop's channel whose orders these are. */
  shopChannel: string;
  /** The order's custom field with the reservations that were asked for at the checkout, if the shop does that. */
  reservationsField?: string;
}

/** What is read of an order where the shop asks for reservations: its custom field too. */
export function orderFields(reservationsField: string | undefined): string {
  return reservationsField === undefined ? ORDER_FIELDS : `${ORDER_FIELDS} customFields { ${reservationsField} }`;
}

export type Part = 'placed' | 'changed' | 'open';

/** `placed`: the orders, whole, with what was cancelled of them since; else only what was cancelled or changed. */
export function mapOrders(orders: readonly unknown[], terms: OrderTerms, part: Part): InboundItem[] {
  return mapRecords(orders, `/${part}`, (raw, place) =>
    readRecord(raw, place, terms.system, (order) => {
      if (order.raw.orderPlacedAt === null || !isOurs(order, terms)) return [];
      if (part !== 'placed') return mapChanges(order, terms);
      const sold = mapOrder(order, terms);
      // Its changes wait with it, under its number: a corrected order brings them.
      return sold.command === undefined ? [sold] : [sold, ...mapChanges(order, terms)];
    }),
  );
}

/** Whether it was placed in this channel: an order of another channel is in the default channel too. */
export function isOurs(order: Fields, { shopChannel }: Pick<OrderTerms, 'shopChannel'>): boolean {
  const codes = order.list('channels').map((channel) => (channel as { code?: unknown } | null)?.code);
  if (shopChannel === DEFAULT_CHANNEL) return codes.every((code) => code === DEFAULT_CHANNEL);
  return codes.includes(shopChannel);
}

/** A line with the number that it has for ever: by when it was made, since ids may be anything. Vendure keeps cancelled lines. */
export interface NumberedLine {
  lineNo: number;
  id: string;
  fields: Fields;
}

export function linesOf(order: Fields): NumberedLine[] {
  const byAge = (one: Fields, other: Fields) =>
    compare(one.text('createdAt'), other.text('createdAt')) || compareIds(one.text('id'), other.text('id'));
  return order
    .lines('lines')
    .sort(byAge)
    .map((fields, index) => ({ lineNo: index + 1, id: fields.text('id'), fields }));
}

export function skuOf(line: Fields): string {
  return new Fields(line.raw.productVariant, `${line.place}/productVariant`).sku('sku');
}

function mapOrder(order: Fields, terms: OrderTerms): Draft {
  const keyOf = () => order.text('code');
  return readOr(order.raw, scopes.order(terms.channel), keyOf, () => {
    const sold = linesOf(order).filter(({ fields }) => fields.integer('orderPlacedQuantity', 0) > 0);
    if (sold.length === 0) throw order.unreadable('lines', 'must hold a line that was sold');
    return orderItem({
      kind: 'order.submitted',
      channel: terms.channel,
      externalNo: keyOf(),
      company: terms.company,
      account: accountOf(order, terms),
      currency: order.currency('currencyCode'),
      orderedAt: order.time('orderPlacedAt'),
      lines: sold.map(({ lineNo, fields }) => ({
        lineNo,
        sku: skuOf(fields),
        quantity: fields.quantity('orderPlacedQuantity'),
        unitPrice: unitPrice(fields),
      })),
      ...reservationsOf(order, terms),
    });
  });
}

function reservationsOf(order: Fields, { reservationsField }: OrderTerms): { reservations?: string[] } {
  const fields = order.raw.customFields as Readonly<Record<string, unknown>> | null | undefined;
  const ids = reservationsField === undefined ? undefined : fields?.[reservationsField];
  if (!Array.isArray(ids) || ids.length === 0) return {};
  if (!ids.every((id) => typeof id === 'string' && /^\d{1,15}$/.test(id)))
    throw order.unreadable('customFields', `must hold ids of reservations in ${reservationsField}`);
  return { reservations: ids };
}

function accountOf(order: Fields, { account, accounts }: OrderTerms): string {
  const email = (order.raw.customer as { emailAddress?: unknown } | null | undefined)?.emailAddress;
  return typeof email === 'string' ? (accounts[email.toLowerCase()] ?? account) : account;
}

/**
 * Net of tax, after all discounts, exact for the whole line: a discount that doesn't divide evenly among the units is in the line's
 * total only. Of a line that was cut down already Vendure says no such total any more; what it says of a unit stays.
 */
export function unitPrice(line: Fields): string {
  const sold = line.quantity('orderPlacedQuantity');
  const each = line.integer('proratedUnitPrice', 0);
  if (line.integer('quantity', 0) !== sold) return decimal(BigInt(each), 1n);
  return decimal(BigInt(line.integer('proratedLinePrice', 0)), BigInt(sold));
}

/** Cents over a number of units as a decimal of the major unit, half up where it never ends. */
export function decimal(cents: bigint, units: bigint): string {
  const scale = 10n ** BigInt(PRICE_DECIMALS - 2);
  const scaled = (2n * cents * scale + units) / (2n * units);
  const digits = scaled.toString().padStart(PRICE_DECIMALS + 1, '0');
  const fraction = digits.slice(-PRICE_DECIMALS).replace(/0{1,4}$/, '');
  return `${digits.slice(0, -PRICE_DECIMALS)}.${fraction}`;
}

/**
 * Cancels, each with the number that the shop's history gives it; a change of the order that takes units away is one too.
 * What a change adds is told nobody by a cancel or an order: it is set aside for a person.
 */
function mapChanges(order: Fields, terms: OrderTerms): Draft[] {
  const code = order.text('code');
  const lines = new Map(linesOf(order).map((line) => [line.id, line]));
  const drafts: Draft[] = [];
  const history = new Fields(order.raw.history, `${order.place}/history`);
  for (const [index, raw] of history.list('items').entries())
    drafts.push(...mapCancel(new Fields(raw, `${history.place}/items/${index}`), code, lines, order, terms));
  for (const [index, raw] of order.list('modifications').entries())
    drafts.push(...mapModification(new Fields(raw, `${order.place}/modifications/${index}`), code, lines, terms));
  if (order.raw.state === 'Cancelled') drafts.push(...mapEnd(order, code, lines, terms));
  return drafts;
}

/** A process of the shop's own can end an order without cancelling its lines; nothing comes after that state. */
function mapEnd(order: Fields, code: string, lines: ReadonlyMap<string, NumberedLine>, terms: OrderTerms): Draft[] {
  const left = [...lines.values()].filter(
    ({ fields }) => fields.integer('quantity', 0) > 0 && fields.integer('orderPlacedQuantity', 0) > 0,
  );
  return left.map(({ lineNo, fields }) =>
    cancelItem({
      kind: 'order.cancel_requested',
      channel: terms.channel,
      reference: 'ended',
      account: accountOf(order, terms),
      occurredAt: order.time('updatedAt'),
      order: code,
      lineNo,
      sku: skuOf(fields),
      quantity: fields.quantity('quantity'),
    }),
  );
}

function mapCancel(
  entry: Fields,
  code: string,
  lines: ReadonlyMap<string, NumberedLine>,
  order: Fields,
  terms: OrderTerms,
): Draft[] {
  const data = new Fields(entry.raw.data, `${entry.place}/data`);
  if (typeof data.raw.reason === 'string' && data.raw.reason.startsWith(OWN_REASON)) return [];
  const reference = `H${entry.text('id')}`;
  const cancelled = data.list('lines').map((raw, index) => new Fields(raw, `${data.place}/lines/${index}`));
  return cancelled.flatMap((part) => {
    const line = lines.get(idOf(part));
    // What was added after the sale never reached us, and neither does its end.
    if (line !== undefined && line.fields.integer('orderPlacedQuantity', 0) === 0) return [];
    return readOr(
      [entry.raw, code],
      scopes.cancel(terms.channel),
      () => `${reference}/${code}/${idOf(part)}`,
      () => {
        if (line === undefined) throw part.unreadable('orderLineId', 'must be a line of the order');
        return cancelItem({
          kind: 'order.cancel_requested',
          channel: terms.channel,
          reference,
          account: accountOf(order, terms),
          occurredAt: entry.time('createdAt'),
          order: code,
          lineNo: line.lineNo,
          sku: skuOf(line.fields),
          quantity: part.quantity('quantity'),
        });
      },
    );
  });
}

function mapModification(
  change: Fields,
  code: string,
  lines: ReadonlyMap<string, NumberedLine>,
  { channel }: OrderTerms,
): Draft[] {
  const id = change.text('id');
  const added = change
    .list('lines')
    .map((raw, index) => new Fields(raw, `${change.place}/lines/${index}`))
    .filter((line) => typeof line.raw.quantity === 'number' && line.raw.quantity > 0);
  return added.map((line) => {
    const known = lines.get(idOf(line));
    const what = `${line.raw.quantity} of ${known === undefined ? 'a line' : skuOf(known.fields)}`;
    return readOr(
      [change.raw, code],
      scopes.event('order_changed', channel),
      () => `${code}/M${id}/${idOf(line)}`,
      () => {
        throw new Unreadable(
          `was added to order ${code} in the shop after its sale (${what}): enter it as an order of its own`,
          line.place,
          line.raw,
        );
      },
    );
  });
}

/** The history keeps the database's own ids, numbers where the API says texts. */
function idOf(part: Fields): string {
  const { orderLineId } = part.raw;
  return typeof orderLineId === 'number' ? String(orderLineId) : part.text('orderLineId');
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Numbers by their size, everything else as texts. */
export function compareIds(one: string, other: string): number {
  const areNumbers = /^\d+$/.test(one) && /^\d+$/.test(other);
  return areNumbers && one.length !== other.length ? one.length - other.length : compare(one, other);
}
