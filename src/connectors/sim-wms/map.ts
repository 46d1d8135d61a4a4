import type { InboundItem } from '../../canonical/index.ts';
import {
  type Draft,
  Fields,
  inspectionItem,
  item,
  mapRecords,
  movementItem,
  readLines,
  readOr,
  readRecord,
  scopes,
} from '../kit/index.ts';

const TYPES = ['picked', 'short_picked', 'shipped', 'received', 'adjusted', 'returned', 'inspected'] as const;
/** Adjustments under this kind of reference were held under a reservation of ours. */
const RESERVATION_PREFIX = 'res:';
const ADJUSTMENT_MAX = 1_000_000_000;

/** What happened at the locations: goods that came, went, were found or lost. */
export function mapEvents(records: readonly unknown[], system: string): InboundItem[] {
  return mapRecords(records, '/records', (raw, place) => mapEvent(raw, place, system));
}

function mapEvent(raw: unknown, place: string, system: string): Draft[] {
  return readRecord(raw, place, system, (event) => {
    const type = event.oneOf('type', TYPES);
    if (type === 'received' || type === 'adjusted') return mapMovements(event, type, system);
    const scope = scopes.event(type, system);
    const idOf = () => event.text('id');
    return [
      readOr(raw, scope, idOf, () =>
        type === 'inspected' ? mapInspection(event, system) : mapWork(event, type, scope),
      ),
    ];
  });
}

/** A line each: one SKU that nobody knows yet must not hold back a pallet. */
function mapMovements(event: Fields, movement: 'received' | 'adjusted', system: string): Draft[] {
  const scope = scopes.movement(system);
  const idOf = () => event.text('id');
  return readLines(event, 'lines', scope, idOf, (value, place, index) => {
    const keyOf = () => `${idOf()}/${index}`;
    return readOr([event.raw.id, index, value], scope, keyOf, () => {
      const line = new Fields(value, place);
      const reference = event.text('reference');
      return movementItem(system, keyOf(), {
        kind: 'stock.moved',
        movement,
        sku: line.sku('sku'),
        location: event.text('location'),
        quantity: movement === 'received' ? line.quantity('quantity') : signedQuantity(line),
        reference,
        occurredAt: event.time('at'),
        sequence: sequenceOf(event),
        ...(reference.startsWith(RESERVATION_PREFIX) && { reservation: reference.slice(RESERVATION_PREFIX.length) }),
      });
    });
  });
}

/** Work that we asked for. Its references are ours (`F…`, `R…`), so that a WMS needs to know nothing else about us. */
function mapWork(event: Fields, type: 'picked' | 'short_picked' | 'shipped' | 'returned', scope: string): Draft {
  const id = event.text('id');
  const reference = event.text('reference');
  const occurredAt = event.time('at');
  const lines = event.lines('lines').map((line) => ({
    lineNo: line.lineNo('lineNo'),
    sku: line.sku('sku'),
    quantity: line.quantity('quantity'),
  }));
  const goods = lines.map(({ lineNo, sku, quantity }) => [lineNo, sku, quantity]);
  if (type === 'shipped') {
    const shipment = event.text('shipment');
    const tracking = event.textOrNull('tracking');
    const fields = [reference, shipment, tracking, occurredAt, goods];
    const command = {
      kind: 'fulfilment.shipped',
      fulfilment: reference,
      shipment,
      tracking,
      occurredAt,
      lines,
    } as const;
    return item(scope, id, command, fields);
  }
  const sequence = sequenceOf(event);
  const fields = [reference, occurredAt, sequence, goods];
  if (type === 'short_picked') {
    const reason = event.text('reason');
    const head = { kind: 'fulfilment.short_picked', fulfilment: reference, reason, occurredAt, sequence } as const;
    return item(scope, id, { ...head, lines }, [...fields, reason]);
  }
  if (type === 'picked')
    return item(scope, id, { kind: 'fulfilment.picked', fulfilment: reference, occurredAt, sequence, lines }, fields);
  return item(scope, id, { kind: 'return.received', returnReference: reference, occurredAt, sequence, lines }, fields);
}

/** What people made of goods that came back. */
function mapInspection(event: Fields, system: string): Draft {
  return inspectionItem(system, event.text('id'), {
    kind: 'return.inspected',
    returnReference: event.text('reference'),
    occurredAt: event.time('at'),
    sequence: sequenceOf(event),
    by: event.text('by'),
    lines: event.lines('lines').map((line) => ({
      lineNo: line.lineNo('lineNo'),
      restock: line.quantity('restock', 0),
      scrap: line.quantity('scrap', 0),
      quarantine: line.quantity('quarantine', 0),
      from: line.oneOf('from', ['receipt', 'quarantine'] as const),
      ...(line.raw.credited === false && { credited: false }),
    })),
  });
}

function sequenceOf(event: Fields): number {
  return event.integer('seq', 1);
}

function signedQuantity(line: Fields): number {
  const quantity = line.integer('quantity', -ADJUSTMENT_MAX, ADJUSTMENT_MAX);
  if (quantity === 0) throw line.unreadable('quantity', 'must not be 0');
  return quantity;
}
