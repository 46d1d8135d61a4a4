import type { CancelRequested, InboundItem } from '../../canonical/index.ts';
import {
  cancelItem,
  cancelKey,
  type Draft,
  Fields,
  mapRecords,
  orderItem,
  readLines,
  readOr,
  readRecord,
  refuseRepeatedLines,
  scopes,
} from '../kit/index.ts';

export interface Whose {
  system: string;
  channel: string;
}

/** What buyers did in the shop, from its feed or its webhook: orders it has sold already, and cancels. */
export function mapEvents(records: readonly unknown[], whose: Whose): InboundItem[] {
  return mapRecords(records, '/records', (raw, place) => mapEvent(raw, place, whose));
}

function mapEvent(raw: unknown, place: string, { system, channel }: Whose): Draft[] {
  return readRecord(raw, place, system, (record) => {
    const type = record.oneOf('type', ['order', 'cancel']);
    return type === 'order' ? [mapOrder(record, channel)] : mapCancel(record, channel);
  });
}

/** An order is taken whole or not at all: a part of it would be promised, charged and shipped as if it were all. */
function mapOrder(record: Fields, channel: string): Draft {
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
      lines: lines.map((line) => ({
        lineNo: line.lineNo('lineNo'),
        sku: line.sku('sku'),
        quantity: line.quantity('quantity'),
        unitPrice: line.unitPrice('unitPrice'),
        within: line.integer('within', 0, line.quantity('quantity')),
      })),
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
      }),
    );
  });
}
