/**
 * What Tryton planned by itself. Confirming a sale makes one shipment of all its goods in the sale's warehouse; the hub says what ships
 * from where. So that shipment is kept a draft, which nobody can assign, and holds what no fulfilment or cancellation has taken yet.
 *
 * Its quantities are never counted on from what they were: they follow from the sale's lines and from everybody else's moves, so that
 * doing it once more after a crash changes nothing. A fulfilment takes its part before the rest gives it up: while the moves of a line
 * add up to less than was sold, Tryton would plan the difference anew.
 */
import type { Outcome } from '../kit/index.ts';
import { idOfReference, type Row } from './lookups.ts';
import type { Tryton } from './rpc.ts';
import type { Sale } from './sale.ts';

/** References of what we make ourselves: fulfilments, and cancellations. A planned shipment has its sale's, `<channel>/<number>`. */
const OURS = /^(F\d+(-\w+)?|C\/\d+(-\w+)?\/\d+)$/;
const CANCELLATION = /^C\/\d+(-\w+)?\/\d+$/;
const OPEN: ReadonlySet<unknown> = new Set(['draft', 'waiting', 'assigned']);

export interface RestMove {
  id: number;
  line: number;
  quantity: number;
  state: string;
  /** Of the customer shipment that it belongs to. */
  shipment: { id: number; state: string; reference: string | null };
}

export interface RestPlan {
  /** Shipments to be drafts; with those that must be taken back from assigned first. */
  unassign: number[];
  draft: number[];
  quantities: { move: number; quantity: number }[];
  remove: number[];
  /** Shipments of which nothing is left. */
  empty: number[];
}

/** What to do so that drafts hold exactly what nobody has taken. Pure. */
export function planRest(lines: readonly { id: number; quantity: number }[], moves: readonly RestMove[]): RestPlan {
  const plan: RestPlan = { unassign: [], draft: [], quantities: [], remove: [], empty: [] };
  const isRest = (move: RestMove) =>
    !OURS.test(move.shipment.reference ?? '') && OPEN.has(move.shipment.state) && OPEN.has(move.state);
  const left = new Map<number, number>();
  for (const line of lines) {
    const mine = moves.filter((move) => move.line === line.id);
    // Cancelled moves of our own references were taken and given back, except those of a cancellation, which stay away.
    const taken = mine.filter((move) => !isRest(move) && (move.state !== 'cancelled' || isCancellation(move)));
    let rest = Math.max(0, line.quantity - taken.reduce((sum, { quantity }) => sum + quantity, 0));
    for (const move of mine.filter(isRest)) {
      const quantity = Math.min(rest, move.quantity);
      rest -= quantity;
      left.set(move.id, quantity);
      if (quantity === 0) plan.remove.push(move.id);
      else if (quantity !== move.quantity) plan.quantities.push({ move: move.id, quantity });
    }
  }
  const shipments = new Map(moves.filter(isRest).map(({ shipment }) => [shipment.id, shipment]));
  for (const { id, state } of shipments.values()) {
    if (state === 'assigned') plan.unassign.push(id);
    if (state !== 'draft') plan.draft.push(id);
    if (moves.every((move) => move.shipment.id !== id || left.get(move.id) === 0)) plan.empty.push(id);
  }
  return plan;
}

function isCancellation(move: RestMove): boolean {
  return CANCELLATION.test(move.shipment.reference ?? '');
}

/** Moves of a sale's lines out of the warehouse, with their shipments. */
export async function movesOf(tryton: Tryton, sale: Sale, signal: AbortSignal): Promise<RestMove[]> {
  const origins = sale.lines.map(({ id }) => `sale.line,${id}`);
  const fields = ['origin', 'quantity', 'state', 'shipment'];
  const moves = await tryton.search('stock.move', [['origin', 'in', origins]], fields, signal);
  const ids = [...new Set(moves.map(shipmentOf).filter((id) => id !== null))];
  const shipments = await tryton.search('stock.shipment.out', [['id', 'in', ids]], ['state', 'reference'], signal);
  const byId = new Map(shipments.map((row) => [row.id, row]));
  return moves.flatMap((move) => {
    const shipment = byId.get(shipmentOf(move) ?? 0);
    if (shipment === undefined) return [];
    return [
      {
        id: move.id,
        line: idOfReference(move.origin, 'sale.line') ?? 0,
        quantity: Number(move.quantity),
        state: String(move.state),
        shipment: {
          id: shipment.id,
          state: String(shipment.state),
          reference: shipment.reference as string | null,
        },
      },
    ];
  });
}

function shipmentOf(move: Row): number | null {
  return idOfReference(move.shipment, 'stock.shipment.out');
}

/** @returns why it could not be done; undefined when it is done */
export async function keepRest(tryton: Tryton, sale: Sale, signal: AbortSignal): Promise<Outcome | undefined> {
  const plan = planRest(sale.lines, await movesOf(tryton, sale, signal));
  const steps: [method: string, params: unknown[]][] = [];
  const shipment = 'model.stock.shipment.out';
  if (plan.unassign.length > 0) steps.push([`${shipment}.wait`, [plan.unassign]]);
  if (plan.draft.length > 0) steps.push([`${shipment}.draft`, [plan.draft]]);
  // One call, one transaction: write takes any number of (ids, values).
  if (plan.quantities.length > 0)
    steps.push(['model.stock.move.write', plan.quantities.flatMap(({ move, quantity }) => [[move], { quantity }])]);
  if (plan.remove.length > 0) steps.push(['model.stock.move.delete', [plan.remove]]);
  if (plan.empty.length > 0) steps.push([`${shipment}.delete`, [plan.empty]]);
  for (const [method, params] of steps) {
    const written = await tryton.write(method, params, signal);
    if (!written.done) return written.outcome;
  }
  return undefined;
}
