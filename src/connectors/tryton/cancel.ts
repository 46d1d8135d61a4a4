/** Taking back what a fulfilment asked for, as long as it isn't picked. */
import type {
  DeliveryItem,
  DeliveryKind,
  FulfilmentCancelAnswer,
  FulfilmentCancelPayload,
  Outcome,
} from '../kit/index.ts';
import { notesBy, orderSaleOf, type Shipment, saleById, shipmentsBy } from './find.ts';
import { idOfReference, type Row } from './lookups.ts';
import { keepRest } from './rest.ts';
import type { Tryton } from './rpc.ts';
import { salesOf } from './sale.ts';
import type { Sinks } from './sink.ts';

const SHIPMENT = 'model.stock.shipment.out';
const NOT_PICKED: ReadonlySet<string> = new Set(['draft', 'waiting', 'assigned']);

/**
 * What is written on the shipment as a note before anything is done, and what makes a cancel that was sent twice one: quantities to end
 * with, not to subtract. `done` with the answer ends it.
 */
interface Note {
  lines: { lineNo: number; asked: number; from: number; to: number }[];
  done: boolean;
}

export function headOf(reference: string): string {
  return `crossdock cancel ${reference}`;
}

/** What of each line is still to be had. Pure. */
export function planCancel(asked: FulfilmentCancelPayload['lines'], there: ReadonlyMap<number, number>): Note {
  const lines = asked.map(({ lineNo, quantity }) => {
    const from = there.get(lineNo) ?? 0;
    return { lineNo, asked: quantity, from, to: Math.max(0, from - quantity) };
  });
  return { lines, done: false };
}

export function answerOf({ lines }: Note): FulfilmentCancelAnswer {
  return {
    lines: lines.map(({ lineNo, asked, from, to }) => ({ lineNo, cancelled: from - to, tooLate: asked - (from - to) })),
  };
}

function noteOf(row: Row): Note {
  return JSON.parse(String(row.message).split('\n').slice(1).join('\n')) as Note;
}

export function cancels(sinks: Sinks): [typeof cancel, DeliveryKind['locate']] {
  return [
    cancel,
    async (references, signal) => {
      const notes = await notesBy(sinks.tryton, references.map(headOf), signal);
      const found = new Map<string, unknown>();
      for (const reference of references) {
        const row = notes.get(headOf(reference));
        const note = row === undefined ? undefined : noteOf(row);
        if (note?.done === true) found.set(reference, answerOf(note));
      }
      return found;
    },
  ];
}

async function cancel({ tryton }: Sinks, { reference, payload }: DeliveryItem, signal: AbortSignal): Promise<Outcome> {
  const { fulfilment, lines } = payload as FulfilmentCancelPayload;
  const shipment = (await shipmentsBy(tryton, 'reference', [fulfilment], signal)).get(fulfilment)?.[0];
  if (shipment === undefined) return { outcome: 'refused', error: `Tryton has no shipment ${fulfilment}` };
  const moves = await outgoingOf(tryton, shipment, signal);
  const head = headOf(reference);
  const row = (await notesBy(tryton, [head], signal)).get(head);
  let note: Note;
  let noteId: number;
  if (row === undefined) {
    const isOpen = NOT_PICKED.has(shipment.state);
    // A shipment that people cancelled in Tryton is taken back already, whole.
    const isGone = shipment.state === 'cancelled';
    const there = new Map(isOpen ? moves.map(({ lineNo, quantity }) => [lineNo, quantity]) : []);
    note = isGone
      ? { lines: lines.map(({ lineNo, quantity }) => ({ lineNo, asked: quantity, from: quantity, to: 0 })), done: true }
      : { ...planCancel(lines, there), done: !isOpen };
    const values = { resource: `stock.shipment.out,${shipment.id}`, message: textOf(head, note) };
    const created = await tryton.write('model.ir.note.create', [[values]], signal);
    if (!created.done) return created.outcome;
    noteId = (created.value as number[])[0]!;
  } else {
    note = noteOf(row);
    noteId = row.id;
  }
  if (!note.done) {
    const outcome = await reduce(tryton, shipment, moves, note, signal);
    if (outcome === 'too_late') note = { ...note, lines: note.lines.map((line) => ({ ...line, to: line.from })) };
    else if (outcome !== undefined) return outcome;
    note = { ...note, done: true };
    const written = await tryton.write('model.ir.note.write', [[noteId], { message: textOf(head, note) }], signal);
    if (!written.done) return written.outcome;
  }
  return { outcome: 'confirmed', answer: answerOf(note) };
}

function textOf(head: string, note: Note): string {
  return `${head}\n${JSON.stringify(note)}`;
}

interface Outgoing {
  id: number;
  lineNo: number;
  quantity: number;
  /** The order's. */
  sale: number;
}

async function reduce(
  tryton: Tryton,
  shipment: Shipment,
  moves: readonly Outgoing[],
  { lines }: Note,
  signal: AbortSignal,
): Promise<Outcome | 'too_late' | undefined> {
  // Between the note and now: picked by people, or cancelled by our own try before this one.
  if (!NOT_PICKED.has(shipment.state) && shipment.state !== 'cancelled') return 'too_late';
  const target = new Map(lines.map(({ lineNo, to }) => [lineNo, to]));
  const changed = moves.filter(({ lineNo, quantity }) => (target.get(lineNo) ?? quantity) !== quantity);
  const left = moves.some(({ lineNo, quantity }) => (target.get(lineNo) ?? quantity) > 0);
  const steps: [method: string, params: unknown[]][] = [];
  if (shipment.state === 'assigned') steps.push([`${SHIPMENT}.wait`, [[shipment.id]]]);
  if (shipment.state === 'assigned' || shipment.state === 'waiting') steps.push([`${SHIPMENT}.draft`, [[shipment.id]]]);
  if (shipment.state !== 'cancelled') {
    const smaller = changed.filter(({ lineNo }) => target.get(lineNo)! > 0);
    const gone = changed.filter(({ lineNo }) => target.get(lineNo) === 0);
    const writes = smaller.flatMap(({ id, lineNo }) => [[id], { quantity: target.get(lineNo) }]);
    if (writes.length > 0) steps.push(['model.stock.move.write', writes]);
    if (gone.length > 0) steps.push(['model.stock.move.delete', [gone.map(({ id }) => id)]]);
    steps.push([left ? `${SHIPMENT}.wait` : `${SHIPMENT}.cancel`, [[shipment.id]]]);
  }
  for (const [method, params] of steps) {
    const written = await tryton.write(method, params, signal);
    if (written.done) continue;
    // Only somebody who picked it meanwhile makes Tryton refuse the way back to a draft.
    return written.itemsToBlame && /\.(wait|draft)$/.test(method) ? 'too_late' : written.outcome;
  }
  if (left && shipment.state === 'assigned') await tryton.write(`${SHIPMENT}.assign_try`, [[shipment.id]], signal);
  const order = moves[0]?.sale;
  if (order === undefined || changed.length === 0) return undefined;
  // What was given back is planned again by Tryton, and kept a draft until the hub says what becomes of it.
  const sale = await saleById(tryton, order, signal);
  if (sale === undefined) return undefined;
  const processed = await tryton.write('model.sale.sale.process', [salesOf(sale)], signal);
  if (!processed.done) return processed.outcome;
  return await keepRest(tryton, sale, signal);
}

async function outgoingOf(tryton: Tryton, shipment: Shipment, signal: AbortSignal): Promise<Outgoing[]> {
  const domain = [['shipment', '=', `stock.shipment.out,${shipment.id}`]];
  const moves = await tryton.search(
    'stock.move',
    [...domain, ['state', '!=', 'cancelled']],
    ['origin', 'quantity'],
    signal,
  );
  const ids = moves.map(({ origin }) => idOfReference(origin, 'sale.line')).filter((id) => id !== null);
  const fields = ['sequence', 'sale', 'sale.reference', 'sale.origin'];
  const lines = await tryton.search('sale.line', [['id', 'in', ids]], fields, signal);
  const byId = new Map(lines.map((line) => [line.id, line]));
  return moves.flatMap(({ id, origin, quantity }) => {
    const line = byId.get(idOfReference(origin, 'sale.line') ?? 0);
    if (line === undefined) return [];
    const { reference, origin: of } = (line['sale.'] ?? {}) as { reference?: unknown; origin?: unknown };
    const sale = orderSaleOf({ id: Number(line.sale), reference, origin: of });
    return [{ id, lineNo: Number(line.sequence), quantity: Number(quantity), sale }];
  });
}
