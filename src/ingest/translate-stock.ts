/** Stock that moves by itself, and stock that is to come. */
import {
  fail,
  type InboundItem,
  type OutsideAllocated,
  quantityOf,
  type StockMoved,
  type SupplyAnnounced,
} from '../canonical/index.ts';
import { type SupplyChange, stockFact } from '../ledger/index.ts';
import type { NewFact } from '../log/index.ts';
import type { Directory } from '../master/index.ts';
import { baseQuantity } from './translate-quantities.ts';
import {
  businessTimeOf,
  channelOf,
  type Fault,
  fault,
  locationOf,
  NOTHING,
  type OutsideWork,
  type StockWork,
  skuOf,
  type Translated,
} from './translated.ts';

export function translateMovement(
  directory: Directory,
  system: string,
  item: InboundItem,
  command: StockMoved,
): Translated | Fault {
  const skuId = skuOf(directory, system, command.sku, 'sku', businessTimeOf(command));
  if (typeof skuId !== 'number') return skuId;
  const location = locationOf(directory, system, command.location, businessTimeOf(command));
  if ('class' in location) return location;
  const { companyId, locationId } = location;
  const { movement, unit, occurredAt, supply } = command;
  const size = movement === 'adjusted' ? Math.abs(command.quantity) : command.quantity;
  const base = baseQuantity(directory, skuId, { quantity: size, unit }, 'quantity', movement === 'counted' ? 0 : 1);
  const quantity = size === command.quantity ? base : -base;
  if (supply !== undefined && movement !== 'received')
    return fault('value_invalid', 'XD_VALUE_INVALID', `${movement} brings no supply; only a receipt does`, 'supply');
  if (command.net !== undefined && movement !== 'counted')
    return fault('value_invalid', 'XD_VALUE_INVALID', `${movement} is not net of anything; only a count is`, 'net');
  const net = movement === 'counted' && (command.net ?? directory.countsNet(system));
  const reservationId = command.reservation === undefined ? null : Number(command.reservation);
  const supplies: SupplyChange[] = [];
  if (supply !== undefined)
    supplies.push({
      source: supply.source ?? system,
      sourceId: supply.id,
      skuId,
      locationId,
      companyId,
      occurredAt,
      correlationId: `${item.scope}/${item.key}`,
      change: { received: quantity },
    });
  return {
    ...NOTHING,
    supplies,
    stock: [
      {
        companyId,
        reservationId: reservationId !== null && Number.isSafeInteger(reservationId) ? reservationId : null,
        movement: {
          skuId,
          locationId,
          kind: movement,
          quantity,
          source: system,
          sourceId: item.key,
          sourceSequence: command.sequence ?? null,
          occurredAt,
          ...(net ? { net } : {}),
        },
      },
    ],
  };
}

export function translateAnnouncement(
  directory: Directory,
  system: string,
  item: InboundItem,
  command: SupplyAnnounced,
): Translated | Fault {
  const skuId = skuOf(directory, system, command.sku, 'sku', businessTimeOf(command));
  if (typeof skuId !== 'number') return skuId;
  const location = locationOf(directory, system, command.location, businessTimeOf(command));
  if ('class' in location) return location;
  const announced = {
    quantity: baseQuantity(directory, skuId, command, 'quantity', 0),
    dueAt: timeOf(command.dueAt, 'dueAt'),
    announcedAt: timeOf(command.announcedAt, 'announcedAt'),
  };
  return {
    ...NOTHING,
    supplies: [
      {
        source: command.source ?? system,
        sourceId: command.supply,
        skuId,
        locationId: location.locationId,
        companyId: location.companyId,
        occurredAt: announced.announcedAt,
        correlationId: `${item.scope}/${item.key}`,
        change: { announced },
      },
    ],
  };
}

export function translateOutside(
  directory: Directory,
  system: string,
  item: InboundItem,
  command: OutsideAllocated,
): Translated | Fault {
  const skuId = skuOf(directory, system, command.sku, 'sku', businessTimeOf(command));
  if (typeof skuId !== 'number') return skuId;
  const location = locationOf(directory, system, command.location, businessTimeOf(command));
  if ('class' in location) return location;
  const { companyId, locationId } = location;
  let line: OutsideWork['report']['line'] = null;
  if (command.line !== undefined) {
    const channel = channelOf(directory, command.line.channel);
    if ('class' in channel) return { ...channel, place: 'line.channel' };
    const lineNo = quantityOf(command.line.lineNo, 'line.lineNo');
    line = { channelId: channel.channelId, externalNo: command.line.externalNo, lineNo };
  }
  const report = {
    ...{ source: system, sourceId: command.reference, skuId, locationId, line },
    quantity: baseQuantity(directory, skuId, command, 'quantity', 0),
    occurredAt: timeOf(command.occurredAt, 'occurredAt'),
    sourceSequence: command.sequence ?? null,
  };
  return { ...NOTHING, outside: [{ report, companyId, correlationId: `${item.scope}/${item.key}` }] };
}

export function factOfReport(
  { report, companyId, correlationId }: OutsideWork,
  balance: { version: number; outsideOpen: number; outsideDeducted: number },
  before: number,
): NewFact {
  const { source, sourceId, skuId, locationId, line, quantity, occurredAt } = report;
  const { version, outsideOpen: open, outsideDeducted: deducted } = balance;
  const data = { source, sourceId, quantity, line, open, deducted, before };
  const fact = stockFact('stock.outside_allocation_changed', skuId, locationId, version, companyId, occurredAt, data);
  return { ...fact, correlationId };
}

function timeOf(text: string, place: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    fail('XD_VALUE_INVALID', `${place} must be a time, not ${JSON.stringify(String(text).slice(0, 60))}`, { place });
  return time.toISOString();
}

const movementFact = {
  received: 'stock.received',
  adjusted: 'stock.adjusted',
  counted: 'stock.counted',
  picked: 'stock.picked',
  returned: 'return.received',
} as const;

export function factOfMovement(work: StockWork, version: number, effect: number, found: number): NewFact {
  const { movement, companyId } = work;
  return stockFact(
    movementFact[movement.kind],
    movement.skuId,
    movement.locationId,
    version,
    companyId,
    movement.occurredAt,
    {
      quantity: movement.quantity,
      effect,
      source: movement.source,
      sourceId: movement.sourceId,
      ...(found > 0 && { found }),
    },
  );
}
