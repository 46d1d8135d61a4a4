/** Demand as the systems of channels list it: orders, their changes and returns, whole, and cancels, line by line. */
import type { CancelRequested, InboundItem, OrderSubmitted } from '../../canonical/index.ts';
import { Fields } from './fields.ts';
import {
  cancelItem,
  cancelKey,
  changeItem,
  type Draft,
  mapRecords,
  orderItem,
  readLines,
  readOr,
  readRecord,
  refuseRepeatedLines,
  returnRequestItem,
  scopes,
} from './items.ts';
import { saidUnit, saidUnits } from './said-units.ts';

/** From whom a record is, and whose orders it holds. */
export interface Whose {
  system: string;
  channel: string;
}

type OrderLine = OrderSubmitted['lines'][number];

/** A line of a channel that asks before it promises. */
export function askedLine(line: Fields): OrderLine {
  return {
    lineNo: line.lineNo('lineNo'),
    sku: line.sku('sku'),
    quantity: line.quantity('quantity'),
    unitPrice: line.unitPrice('unitPrice'),
    ...saidUnits(line),
  };
}

/** A line of a channel that sells by itself: sold already, `within` of it inside the channel's number. */
export function soldLine(line: Fields): OrderLine {
  return { ...askedLine(line), within: line.integer('within', 0, line.quantity('quantity')) };
}

/** Maps records of type `order`, `cancel`, `change` and `return`. */
export function mapDemand(
  records: readonly unknown[],
  { system, channel }: Whose,
  lineOf: (line: Fields) => OrderLine,
): InboundItem[] {
  return mapRecords(records, '/records', (raw, place) =>
    readRecord(raw, place, system, (record) => {
      const type = record.oneOf('type', ['order', 'cancel', 'change', 'return']);
      if (type === 'cancel') return mapCancel(record, channel);
      if (type === 'change') return [mapChange(record, channel)];
      return [type === 'return' ? mapReturn(record, channel) : mapOrder(record, channel, lineOf)];
    }),
  );
}

/** An order is taken whole or not at all: a part of it would be promised, charged and shipped as if it were all. */
function mapOrder(record: Fields, channel: string, lineOf: (line: Fields) => OrderLine): Draft {
  const keyOf = () => record.text('number');
  return readOr(record.raw, scopes.order(channel), keyOf, () => {
    const lines = record.lines('lines');
    refuseRepeatedLines(lines, 'lineNo');
    return orderItem({
      kind: 'order.submitted',
      channel,
      externalNo: keyOf(),
      company: record.text('company'),
      account: record.text('account'),
      currency: record.currency('currency'),
      orderedAt: record.time('orderedAt'),
      lines: lines.map(lineOf),
    });
  });
}

/** What lines of an order shall be from now on. Half a change is none: it is read whole or not at all. */
function mapChange(record: Fields, channel: string): Draft {
  const keyOf = () => `${record.text('order')}/${record.text('reference')}`;
  return readOr(record.raw, scopes.change(channel), keyOf, () => {
    const lines = record.lines('lines');
    refuseRepeatedLines(lines, 'lineNo');
    return changeItem({
      kind: 'order.change_requested',
      channel,
      order: record.text('order'),
      reference: record.text('reference'),
      occurredAt: record.time('at'),
      lines: lines.map((line) => ({
        lineNo: line.lineNo('lineNo'),
        quantity: line.quantity('quantity', 0),
        ...(line.raw.sku !== undefined && { sku: line.sku('sku') }),
        ...(line.raw.unitPrice !== undefined && { unitPrice: line.unitPrice('unitPrice') }),
        ...(line.raw.within !== undefined && { within: line.integer('within', 0) }),
      })),
    });
  });
}

function mapReturn(record: Fields, channel: string): Draft {
  const keyOf = () => `${record.text('reference')}/${record.text('order')}`;
  return readOr(record.raw, scopes.returnRequest(channel), keyOf, () =>
    returnRequestItem({
      kind: 'return.requested',
      channel,
      order: record.text('order'),
      reference: record.text('reference'),
      reason: record.text('reason'),
      occurredAt: record.time('at'),
      lines: record.lines('lines').map((line) => ({
        lineNo: line.lineNo('lineNo'),
        quantity: line.quantity('quantity'),
      })),
    }),
  );
}

function mapCancel(record: Fields, channel: string): Draft[] {
  const scope = scopes.cancel(channel);
  const referenceOf = () => record.text('reference');
  return readLines(record, 'lines', scope, referenceOf, (value, place) => {
    const named = (): Pick<CancelRequested, 'reference' | 'order' | 'lineNo' | 'sku'> => {
      const line = new Fields(value, place);
      const lineNo = line.raw.lineNo == null ? null : line.lineNo('lineNo');
      return { reference: referenceOf(), order: line.textOrNull('order'), lineNo, sku: line.sku('sku') };
    };
    const keyOf = () => cancelKey(named());
    return readOr([record.raw.reference, value], scope, keyOf, () =>
      cancelItem({
        kind: 'order.cancel_requested',
        channel,
        account: record.text('account'),
        occurredAt: record.time('at'),
        ...named(),
        quantity: new Fields(value, place).quantity('quantity'),
        ...saidUnit(new Fields(value, place)),
      }),
    );
  });
}
