/** Demand as the systems of channels list it: orders, whole, and cancels, line by line. */
import type { CancelRequested, InboundItem, OrderSubmitted } from '../../canonical/index.ts';
import { Fields } from './fields.ts';
import {
  cancelItem,
  cancelKey,
  type Draft,
  mapRecords,
  orderItem,
  readLines,
  readOr,
  readRecord,
  refuseRepeatedLines,
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

/** Maps records of type `order` and `cancel`. */
export function mapDemand(
  records: readonly unknown[],
  { system, channel }: Whose,
  lineOf: (line: Fields) => OrderLine,
): InboundItem[] {
  return mapRecords(records, '/records', (raw, place) =>
    readRecord(raw, place, system, (record) => {
      const type = record.oneOf('type', ['order', 'cancel']);
      return type === 'order' ? [mapOrder(record, channel, lineOf)] : mapCancel(record, channel);
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
