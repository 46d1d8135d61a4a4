/**
 * Cancelled quantities, taken off an order that the hub wrote as its screen (`OE.pm`, `save`) would save it: less of a line, no line of
 * nothing, the sum rounded. An order that was entered there is left to that screen, which makes all its lines anew.
 */
import type { ConnectorContext, DeliveryKind, OrderDocumentPayload, SqlClient, SqlRun } from '../kit/index.ts';
import { SqlRefused } from '../kit/index.ts';
import * as sql from './documents.sql.ts';
import { findOrder } from './documents.ts';
import { ledgerKind, orRefused } from './kind.ts';
import { type LedgerSettings, wholeOf } from './map.ts';
import { mapDocumentLines, minorOf, moneyText, numbered, orderMinor } from './map-documents.ts';
import { cancelNoteOf, linesNoteOf, notesIn, readNote } from './notes.ts';

export function orderCancellations(
  client: SqlClient,
  settings: LedgerSettings,
  { limits, channel }: ConnectorContext,
): DeliveryKind {
  return ledgerKind<OrderDocumentPayload>(client, limits, {
    noteOf: cancelNoteOf,
    find: sql.notedBy,
    write: (run, payload) => cancel(run, payload, channel, settings),
  });
}

async function cancel(
  run: SqlRun,
  payload: OrderDocumentPayload,
  channel: string | null,
  settings: LedgerSettings,
): Promise<{ number: string }> {
  const order = await findOrder(run, payload.order, channel);
  const note = readNote(order.intnotes);
  const number = order.ordnumber!;
  if (note.reference === undefined)
    throw new SqlRefused(`order ${number} was entered there, and its screen makes all its lines anew: cancel it there`);
  const { rows, counts, minor } = orRefused(() => {
    const known = numbered(order.rows, note, number);
    const taken = new Map<string, number>();
    for (const { row, count } of mapDocumentLines(payload.lines, known, settings)) {
      const left = wholeOf(row.qty, `line ${row.lineNo}`) - wholeOf(row.ship, `line ${row.lineNo}`);
      if (count > left) throw new SqlRefused(`line ${row.lineNo} has ${left} left, and ${count} are to be cancelled`);
      taken.set(row.id!, count);
    }
    return { rows: known, counts: taken, minor: orderMinor(known, taken) };
  });
  const cancelled = payload.lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  const wanted = orRefused(() => minorOf(order.amount, `order ${number}`)) - cancelled;
  if (minor !== wanted) throw new SqlRefused(`the ledger makes ${minor} of what is left, which is ${wanted} here`);
  await run(sql.lowerLines, [[...counts.keys()], [...counts.values()]]);
  await run(sql.dropLines, [order.id]);
  const left = rows.filter((row) => Number(row.qty) > (counts.get(row.id!) ?? 0));
  const lines = linesNoteOf(left.map(({ lineNo }) => Number(lineNo)));
  const [first = '', ...others] = notesIn(order.intnotes);
  const kept = others.filter((line) => !line.startsWith('lines '));
  const notes = [first, lines, ...kept, cancelNoteOf(payload.reference)].join('\n');
  await run(sql.changeOrder, [order.id, moneyText(minor), notes]);
  await run(sql.closeShipped, [order.id]);
  return { number };
}
