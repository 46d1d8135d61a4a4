/** What kinds of records there are, what each needs, under which keys they are known, and the commands that are made of them. */
import { type CancelRequested, minorMicros, priceMicros } from '../../canonical/index.ts';
import type { Fields } from './fields.ts';
import {
  cancelItem,
  cancelKey,
  creditItem,
  type Draft,
  documentItem,
  item,
  movementItem,
  orderItem,
  outsideAllocationItem,
  refuseRepeatedLines,
  scopes,
  supplyItem,
} from './items.ts';
import { LINE_UNITS, saidMinor, saidUnit, saidUnits } from './said-units.ts';

const WORK_KINDS = ['picked', 'shipped', 'returned', 'invoice', 'credit_note'] as const;
export const recordKinds = [
  'order',
  'cancel',
  'counted',
  'received',
  'adjusted',
  'supply',
  'allocated',
  'credit',
  ...WORK_KINDS,
] as const;
export type RecordKind = (typeof recordKinds)[number];
const SIGNED_MAX = 1_000_000_000;

interface KindFields {
  /** What rows of one thing have in common. Absent: each row is a thing. */
  group?: string;
  needed: readonly string[];
  optional?: readonly string[];
}

const goods = ['lineNo', 'sku', 'quantity'];
export const kindFields: Readonly<Record<RecordKind, KindFields>> = {
  order: {
    group: 'externalNo',
    needed: ['externalNo', 'account', 'company', 'currency', 'orderedAt', 'sku', 'quantity', 'unitPrice'],
    optional: ['lineNo', ...LINE_UNITS],
  },
  cancel: { needed: ['reference', 'account', 'occurredAt', 'sku', 'quantity'], optional: ['order', 'lineNo', 'unit'] },
  counted: { needed: ['sku', 'location', 'quantity', 'occurredAt'], optional: ['id', 'reference', 'unit'] },
  received: { needed: ['id', 'sku', 'location', 'quantity', 'occurredAt'], optional: ['reference', 'unit'] },
  adjusted: { needed: ['id', 'sku', 'location', 'quantity', 'occurredAt'], optional: ['reference', 'unit'] },
  supply: { needed: ['supply', 'sku', 'location', 'quantity', 'dueAt', 'announcedAt'], optional: ['unit'] },
  allocated: { needed: ['reference', 'sku', 'location', 'quantity', 'occurredAt'], optional: ['unit'] },
  credit: {
    needed: ['account', 'company', 'currency', 'openOrders', 'openInvoices', 'asOf'],
    optional: ['limit', 'orders', 'orderLines'],
  },
  picked: { group: 'id', needed: ['id', 'fulfilment', 'occurredAt', ...goods] },
  shipped: {
    group: 'id',
    needed: ['id', 'fulfilment', 'shipment', 'occurredAt', ...goods],
    optional: ['tracking', 'carrier'],
  },
  returned: { group: 'id', needed: ['id', 'returnReference', 'occurredAt', ...goods] },
  invoice: {
    group: 'number',
    needed: ['number', 'order', 'currency', 'total', 'occurredAt', 'lineNo', 'quantity', 'amount'],
    optional: ['tax'],
  },
  credit_note: {
    group: 'number',
    needed: ['number', 'order', 'currency', 'total', 'occurredAt', 'lineNo', 'quantity', 'amount'],
    optional: ['tax'],
  },
};
/** In the currency's own minor units; what has more places is unreadable, never rounded. */
function minorIn(fields: Fields, name: string, currency: string, isSigned = false): number {
  const micros = priceMicros(fields.text(name));
  const unit = minorMicros(currency);
  if (micros % unit !== 0n || (micros < 0n && !isSigned))
    throw fields.unreadable(name, `must be an amount with no more places than ${currency} has`);
  return Number(micros / unit);
}

export function scopeOf(kind: RecordKind, system: string, channel: string | null): string {
  if (kind === 'order') return scopes.order(channel!);
  if (kind === 'cancel') return scopes.cancel(channel!);
  if (kind === 'supply') return scopes.supply(system);
  if (kind === 'allocated') return scopes.outsideAllocation(system);
  if (kind === 'credit') return scopes.credit(system);
  if (kind === 'invoice' || kind === 'credit_note') return scopes.document(system);
  if (kind === 'picked' || kind === 'shipped' || kind === 'returned') return scopes.event(kind, system);
  return scopes.movement(system);
}

/** What a key is made of. Nothing else is read for it: a wrong quantity must not hide which order it is in. */
export function keyNames(kind: RecordKind): readonly string[] {
  if (kind === 'order') return ['externalNo'];
  if (kind === 'cancel') return ['reference', 'order', 'lineNo', 'sku'];
  if (kind === 'invoice' || kind === 'credit_note') return ['number'];
  if (kind === 'supply') return ['supply', 'sku', 'location', 'announcedAt'];
  if (kind === 'allocated') return ['reference', 'sku', 'location', 'occurredAt'];
  if (kind === 'credit') return ['company', 'account', 'asOf'];
  return kind === 'counted' ? ['id', 'sku', 'location', 'occurredAt'] : ['id'];
}

export function keyFor(kind: RecordKind, fields: Fields, revision: string | undefined): string {
  if (kind === 'order') return fields.text('externalNo');
  if (kind === 'cancel') return cancelKey(cancelled(fields));
  if (kind === 'invoice' || kind === 'credit_note') return `${kind}/${fields.text('number')}`;
  if (kind === 'supply')
    return `-/${fields.text('supply')}/${fields.sku('sku')}@${fields.text('location')} ${fields.time('announcedAt')}`;
  if (kind === 'allocated')
    return `${fields.text('reference')}/${fields.sku('sku')}@${fields.text('location')} ${fields.time('occurredAt')}`;
  if (kind === 'credit') return `${fields.text('company')}/${fields.text('account')} ${fields.time('asOf')}`;
  if (kind !== 'counted' || fields.raw.id !== undefined) return fields.text('id');
  return `${fields.sku('sku')}@${fields.text('location')} ${revision ?? fields.time('occurredAt')}`;
}

function cancelled(line: Fields): Pick<CancelRequested, 'reference' | 'order' | 'lineNo' | 'sku'> {
  const lineNo = line.raw.lineNo === undefined ? null : line.lineNo('lineNo');
  return { reference: line.text('reference'), order: line.textOrNull('order'), lineNo, sku: line.sku('sku') };
}

export function commandOf(
  kind: RecordKind,
  system: string,
  channel: string | null,
  rows: readonly Fields[],
  key: string,
): Draft {
  const first = rows[0]!;
  const same = (names: readonly string[]) => {
    for (const name of names)
      for (const row of rows)
        if (row.raw[name] !== first.raw[name]) throw row.unreadable(name, 'differs between lines of one record');
  };
  const lines = rows.map((row, index) => ({
    row,
    lineNo: row.raw.lineNo === undefined ? index + 1 : row.lineNo('lineNo'),
  }));
  if (rows.length > 1 && first.raw.lineNo !== undefined) refuseRepeatedLines(rows, 'lineNo');
  if (kind === 'order') {
    same(['account', 'company', 'currency', 'orderedAt']);
    return orderItem({
      kind: 'order.submitted',
      channel: channel!,
      externalNo: first.text('externalNo'),
      company: first.text('company'),
      account: first.text('account'),
      currency: first.currency('currency'),
      orderedAt: first.time('orderedAt'),
      lines: lines.map(({ row, lineNo }) => ({
        lineNo,
        sku: row.sku('sku'),
        quantity: row.quantity('quantity'),
        unitPrice: row.unitPrice('unitPrice'),
        ...saidUnits(row),
      })),
    });
  }
  if (kind === 'cancel')
    return cancelItem({
      kind: 'order.cancel_requested',
      channel: channel!,
      account: first.text('account'),
      occurredAt: first.time('occurredAt'),
      ...cancelled(first),
      quantity: first.quantity('quantity'),
      ...saidUnit(first),
    });
  if (kind === 'supply')
    return supplyItem(system, {
      kind: 'supply.announced',
      supply: first.text('supply'),
      sku: first.sku('sku'),
      location: first.text('location'),
      quantity: first.quantity('quantity', 0),
      ...saidUnit(first),
      dueAt: first.time('dueAt'),
      announcedAt: first.time('announcedAt'),
    });
  if (kind === 'allocated')
    return outsideAllocationItem(system, {
      kind: 'stock.allocated_outside',
      reference: first.text('reference'),
      sku: first.sku('sku'),
      location: first.text('location'),
      quantity: first.quantity('quantity', 0),
      ...saidUnit(first),
      occurredAt: first.time('occurredAt'),
    });
  if (kind === 'credit') {
    const currency = first.currency('currency');
    const orders = first.textOrNull('orders');
    const orderLines = first.textOrNull('orderLines');
    const draft = creditItem(system, {
      kind: 'credit.reported',
      account: first.text('account'),
      company: first.text('company'),
      currency,
      limitMinor: first.textOrNull('limit') === null ? null : minorIn(first, 'limit', currency),
      openOrdersMinor: minorIn(first, 'openOrders', currency),
      openInvoicesMinor: minorIn(first, 'openInvoices', currency, true),
      asOf: first.time('asOf'),
      ...(orders !== null && { orders: orders.split(/\s+/) }),
      ...(orderLines !== null && { orderLines: orderLines.split(/\s+/) }),
    });
    return { ...draft, key };
  }
  if (kind === 'invoice' || kind === 'credit_note') {
    same(['order', 'currency', 'total', 'occurredAt']);
    const currency = first.currency('currency');
    return documentItem(system, {
      kind: 'document.posted',
      document: kind,
      number: first.text('number'),
      order: first.text('order'),
      currency,
      totalMinor: saidMinor(first, 'total', currency),
      occurredAt: first.time('occurredAt'),
      lines: lines.map(({ row, lineNo }) => ({
        lineNo,
        quantity: row.quantity('quantity'),
        amountMinor: saidMinor(row, 'amount', currency),
        ...(row.raw.tax !== undefined && { taxMinor: saidMinor(row, 'tax', currency) }),
      })),
    });
  }
  if (kind === 'counted' || kind === 'received' || kind === 'adjusted') {
    const quantity =
      kind === 'adjusted'
        ? first.integer('quantity', -SIGNED_MAX, SIGNED_MAX)
        : first.quantity('quantity', kind === 'counted' ? 0 : 1);
    if (kind === 'adjusted' && quantity === 0) throw first.unreadable('quantity', 'must not be 0');
    return movementItem(system, key, {
      kind: 'stock.moved',
      movement: kind,
      sku: first.sku('sku'),
      location: first.text('location'),
      quantity,
      ...saidUnit(first),
      reference: first.textOrNull('reference') ?? key,
      occurredAt: first.time('occurredAt'),
    });
  }
  return workOf(kind, system, rows, key);
}

function workOf(kind: 'picked' | 'shipped' | 'returned', system: string, rows: readonly Fields[], key: string): Draft {
  const first = rows[0]!;
  const occurredAt = first.time('occurredAt');
  const lines = rows.map((row) => ({
    lineNo: row.lineNo('lineNo'),
    sku: row.sku('sku'),
    quantity: row.quantity('quantity'),
  }));
  const scope = scopes.event(kind, system);
  const told = lines.map(({ lineNo, sku, quantity }) => [lineNo, sku, quantity]);
  if (kind === 'returned') {
    const returnReference = first.text('returnReference');
    const command = { kind: 'return.received', returnReference, occurredAt, lines } as const;
    return item(scope, key, command, [returnReference, occurredAt, null, told]);
  }
  const fulfilment = first.text('fulfilment');
  if (kind === 'picked')
    return item(scope, key, { kind: 'fulfilment.picked', fulfilment, occurredAt, lines }, [
      fulfilment,
      occurredAt,
      null,
      told,
    ]);
  const shipment = first.text('shipment');
  const tracking = first.textOrNull('tracking');
  // Told later than the rest by few; without it, the fingerprint is what it was before there was one.
  const carrier = first.textOrNull('carrier');
  const carried = carrier === null ? {} : { carrier };
  const command = {
    kind: 'fulfilment.shipped',
    fulfilment,
    shipment,
    tracking,
    ...carried,
    occurredAt,
    lines,
  } as const;
  return item(scope, key, command, [fulfilment, shipment, tracking, occurredAt, told, ...Object.values(carried)]);
}
