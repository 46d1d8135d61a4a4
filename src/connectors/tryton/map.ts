/** What moved and what left. Pure: rows come with what they refer to, read at the same time. */
import type { InboundItem, Parcel } from '../../canonical/index.ts';
import { type Draft, Fields, item, mapRecords, type OwnReferences, readOr, readRecord, scopes } from '../kit/index.ts';
import { idOfReference } from './lookups.ts';
import { momentOf, unitsOf } from './values.ts';

export type Raw = Readonly<Record<string, unknown>>;

/** A page of moves as it is kept: Tryton's own answers, and which storage belongs to which location of ours. */
export interface MovesPage {
  moves: Raw[];
  locations: Raw[];
  shipments: Raw[];
  origins: Raw[];
  lines: Raw[];
  storages: Readonly<Record<string, string>>;
}

/** A move with what it refers to. */
export interface MoveRow {
  move: Raw;
  from: string | null;
  to: string | null;
  /** Of the shipment that it belongs to. */
  shipment: { number: unknown; reference: unknown } | null;
  line: { lineNo: unknown; order: unknown } | null;
}

export function joinMoves(page: MovesPage): MoveRow[] {
  const parents = new Map(page.locations.map(({ id, parent }) => [id, parent]));
  const locationOf = (id: unknown): string | null => {
    // Bins stand in storages; a tree that is a ring is none.
    for (let at = id, hops = 0; typeof at === 'number' && hops < 32; at = parents.get(at), hops += 1) {
      const location = page.storages[String(at)];
      if (location !== undefined) return location;
    }
    return null;
  };
  const shipments = new Map(page.shipments.map((row) => [row.ref, row]));
  const origins = new Map(page.origins.map(({ id, origin }) => [id, origin]));
  const lines = new Map(page.lines.map((row) => [row.id, row]));
  return page.moves.map((move) => {
    const shipment = shipments.get(move.shipment);
    // Goods are taken from the shelf for a move out of the door, which is for the line.
    const through = idOfReference(move.origin, 'stock.move');
    const lineId = idOfReference(through === null ? move.origin : origins.get(through), 'sale.line');
    const line = lines.get(lineId);
    return {
      move,
      from: locationOf(move.from_location),
      to: locationOf(move.to_location),
      shipment: shipment === undefined ? null : { number: shipment.number, reference: shipment.reference },
      line:
        line === undefined
          ? null
          : { lineNo: line.sequence, order: (line['sale.'] as Raw | null | undefined)?.reference },
    };
  });
}

/**
 * Each done move is one thing, for ever: it can't be changed in Tryton. One that leaves a storage for a fulfilment of ours is its pick;
 * one that enters it for a return of ours receives it; every other adjusts or receives. Inside one location nothing changes.
 */
export function mapMoves(rows: readonly MoveRow[], system: string, own: OwnReferences): InboundItem[] {
  return mapRecords(rows, '/moves', (raw, place) => {
    const row = raw as MoveRow;
    if (row.from === row.to || row.move.internal_quantity === 0) return [];
    return readRecord(row.move, place, system, (move) => {
      const id = String(move.integer('id', 1));
      const { lineNo, order } = row.line ?? {};
      const fulfilment = String(row.shipment?.reference ?? '');
      if (row.line !== null && row.from !== null && own.isFulfilment(fulfilment))
        return [work(row, move, 'picked', id, fulfilment, lineNo, system), ...sideOf(row, move, 'to', id, system)];
      if (row.line !== null && row.to !== null && own.isReturn(String(order)))
        return [
          work(row, move, 'returned', id, String(order), lineNo, system),
          ...sideOf(row, move, 'from', id, system),
        ];
      return [...sideOf(row, move, 'from', id, system), ...sideOf(row, move, 'to', id, system)];
    });
  });
}

function work(
  row: MoveRow,
  move: Fields,
  type: 'picked' | 'returned',
  id: string,
  reference: string,
  lineNo: unknown,
  system: string,
): Draft {
  const scope = scopes.event(type, system);
  return readOr(
    row,
    scope,
    () => id,
    () => {
      const line = new Fields({ lineNo }, move.place).lineNo('lineNo');
      const lines = [
        {
          lineNo: line,
          sku: skuOf(move),
          quantity: unitsOf(move.raw.internal_quantity, `${move.place}/internal_quantity`),
        },
      ];
      const occurredAt = momentOf(move.raw.write_date, `${move.place}/write_date`);
      // Not the time: Tryton touches done moves again when it computes costs anew.
      const fields = [reference, lines.map(({ sku, quantity }) => [line, sku, quantity])];
      if (type === 'picked')
        return item(scope, id, { kind: 'fulfilment.picked', fulfilment: reference, occurredAt, lines }, fields);
      return item(scope, id, { kind: 'return.received', returnReference: reference, occurredAt, lines }, fields);
    },
  );
}

/** What a move is to the location that it leaves or enters. */
function sideOf(row: MoveRow, move: Fields, side: 'from' | 'to', id: string, system: string): Draft[] {
  const location = row[side];
  if (location === null) return [];
  const scope = scopes.movement(system);
  const key = `${id}/${side}`;
  return [
    readOr(
      row,
      scope,
      () => key,
      () => {
        const quantity = unitsOf(move.raw.internal_quantity, `${move.place}/internal_quantity`);
        const shipment = String(move.raw.shipment ?? '');
        // From a supplier or through the goods-in of one: a receipt. Found, made, brought from another location: an adjustment.
        const movement = side === 'to' && shipment.startsWith('stock.shipment.in,') ? 'received' : 'adjusted';
        const sku = skuOf(move);
        const signed = side === 'from' ? -quantity : quantity;
        const reference = String(row.shipment?.number ?? move.raw.origin ?? `move ${id}`);
        const occurredAt = momentOf(move.raw.write_date, `${move.place}/write_date`);
        const command = {
          kind: 'stock.moved',
          movement,
          sku,
          location,
          quantity: signed,
          reference,
          occurredAt,
        } as const;
        return item(scope, key, command, [movement, sku, location, signed]);
      },
    ),
  ];
}

function skuOf(move: Fields): string {
  return new Fields(move.raw['product.'], `${move.place}/product.`).sku('code');
}

export interface ShipmentsPage {
  shipments: Raw[];
  moves: Raw[];
  lines: Raw[];
  /** Where this Tryton has them: packages with their shipping references, and notes that begin as the estate says. */
  packages?: Raw[];
  notes?: Raw[];
}
export interface ShipmentRow {
  shipment: Raw;
  packages: Raw[];
  notes: string[];
  moves: { move: Raw; lineNo: unknown }[];
}

export function joinShipments(page: ShipmentsPage): ShipmentRow[] {
  const lines = new Map(page.lines.map((row) => [row.id, row]));
  const ofShipment = (field: string, shipment: Raw) => (row: Raw) =>
    row[field] === `stock.shipment.out,${String(shipment.id)}`;
  return page.shipments.map((shipment) => ({
    shipment,
    packages: (page.packages ?? []).filter(ofShipment('shipment', shipment)),
    notes: (page.notes ?? []).filter(ofShipment('resource', shipment)).map(({ message }) => String(message)),
    moves: page.moves
      .filter((move) => move.shipment === `stock.shipment.out,${String(shipment.id)}`)
      .flatMap((move) => {
        const line = lines.get(idOfReference(move.origin, 'sale.line'));
        return line === undefined ? [] : [{ move, lineNo: line.sequence }];
      }),
  }));
}

/**
 * How the goods travel: packages name their parcels, notes name them word by word after their beginning. No part of a fingerprint: it may
 * be known later than that they left, and it is told once.
 */
function travelOf({ shipment, packages, notes }: ShipmentRow, noteHead: string | undefined) {
  const parcels = new Map<string, Parcel>();
  for (const { shipping_reference: tracking, shipping_tracking_url: url } of packages)
    if (isText(tracking)) parcels.set(tracking, { tracking, ...(isText(url) && { url }) });
  // Without a beginning, no page has notes.
  for (const note of notes)
    for (const tracking of note.slice(noteHead?.length).split(/[\s,;]+/))
      if (isText(tracking)) parcels.set(tracking, parcels.get(tracking) ?? { tracking });
  const found = [...parcels.values()];
  const carrier = (shipment['carrier.'] as Raw | null | undefined)?.rec_name;
  return {
    tracking: found[0]?.tracking ?? null,
    ...(isText(carrier) && { carrier }),
    ...(found.some(({ url }, i) => i > 0 || url !== undefined) && { parcels: found }),
  };
}

/** One that the hub can keep. */
function isText(value: unknown): value is string {
  return (
    typeof value === 'string' && value !== '' && value.length <= 200 && value.isWellFormed() && !value.includes('\0')
  );
}

/** Shipments of ours that left. @param noteHead how notes with tracking numbers begin */
export function mapShipments(
  rows: readonly ShipmentRow[],
  system: string,
  own: OwnReferences,
  noteHead?: string,
): InboundItem[] {
  return mapRecords(rows, '/shipments', (raw, place) => {
    const row = raw as ShipmentRow;
    if (!own.isFulfilment(String(row.shipment.reference))) return [];
    const scope = scopes.event('shipped', system);
    const shipment = new Fields(row.shipment, place);
    const keyOf = () => shipment.text('number');
    return [
      readOr(row.shipment, scope, keyOf, () => {
        const merged = new Map<number, { lineNo: number; sku: string; quantity: number }>();
        for (const [index, { move, lineNo }] of row.moves.entries()) {
          const fields = new Fields({ ...move, lineNo }, `${place}/moves/${index}`);
          const quantity = unitsOf(move.internal_quantity, `${fields.place}/internal_quantity`);
          const line = merged.get(fields.lineNo('lineNo')) ?? {
            lineNo: fields.lineNo('lineNo'),
            sku: skuOf(fields),
            quantity: 0,
          };
          merged.set(line.lineNo, { ...line, quantity: line.quantity + quantity });
        }
        const lines = [...merged.values()].filter(({ quantity }) => quantity > 0).sort((a, b) => a.lineNo - b.lineNo);
        if (lines.length === 0) throw shipment.unreadable('moves', 'must hold goods of the order');
        const fulfilment = shipment.text('reference');
        const occurredAt = momentOf(row.shipment.write_date, `${place}/write_date`);
        const goods = lines.map(({ lineNo, sku, quantity }) => [lineNo, sku, quantity]);
        const command = {
          kind: 'fulfilment.shipped',
          fulfilment,
          shipment: keyOf(),
          ...travelOf(row, noteHead),
          occurredAt,
          lines,
        } as const;
        return item(scope, keyOf(), command, [fulfilment, goods]);
      }),
    ];
  });
}
