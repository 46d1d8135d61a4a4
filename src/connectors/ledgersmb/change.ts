/**
 * Lines that are added to an order that the hub wrote, as its screen (`OE.pm`, `save`) would save it: more lines, the sum rounded. One that
 * was entered there is left to that screen, which makes all its lines anew.
 */
import type { ConnectorContext, DeliveryKind, OrderChangePayload, SqlClient, SqlRow, SqlRun } from '../kit/index.ts';
import { SqlRefused } from '../kit/index.ts';
import * as sql from './documents.sql.ts';
import { findOrder } from './documents.ts';
import { ledgerKind, orRefused } from './kind.ts';
import { type LedgerSettings, linesIn } from './map.ts';
import { minorOf, moneyText, numbered, orderMinor } from './map-documents.ts';
import { changeNoteOf, linesNoteOf, notesIn, readNote } from './notes.ts';
import { partsBy, refuseUnknownRules } from './sink.ts';
import * as statements from './statements.sql.ts';

export function orderChanges(
  client: SqlClient,
  settings: LedgerSettings,
  { limits, channel }: ConnectorContext,
): DeliveryKind {
  return ledgerKind<OrderChangePayload>(client, limits, {
    noteOf: changeNoteOf,
    find: sql.notedBy,
    write: (run, payload) => add(run, payload, channel, settings),
  });
}

async function add(
  run: SqlRun,
  payload: OrderChangePayload & { reference: string },
  channel: string | null,
  settings: LedgerSettings,
): Promise<{ number: string }> {
  const order = await findOrder(run, payload.order, channel);
  const note = readNote(order.intnotes);
  const number = order.ordnumber!;
  if (note.reference === undefined)
    throw new SqlRefused(`order ${number} was entered there, and its screen makes all its lines anew: change it there`);
  refuseUnknownRules((await run(statements.rules, [])).rows[0]!, order.curr?.trim() ?? '');
  if (order.taxes !== '0' || order.taxincluded === 'true')
    throw new SqlRefused(`customer ${order.meta_number} has taxes, which only the application calculates`);
  // Shipped, we closed it ourselves. With something left to ship a person did, who wants no more of it.
  if (order.closed === 'true' && order.rows.some(({ qty, ship }) => qty !== ship))
    throw new SqlRefused(`order ${number} was closed there before all of it was shipped: it takes no more`);
  const parts = await partsBy(run, payload.lines);
  const { known, lines, minor } = orRefused(() => {
    const rows = numbered(order.rows, note, number);
    const taken = payload.lines.find(({ lineNo }) => rows.some((row) => row.lineNo === String(lineNo)));
    if (taken !== undefined) throw new SqlRefused(`order ${number} has a line ${taken.lineNo} already`);
    const made = linesIn(payload.lines, parts, settings).lines;
    const fresh = made.map(({ count, price }, n): SqlRow => ({ id: `new ${n}`, qty: String(count), price }));
    return { known: rows, lines: made, minor: orderMinor([...order.rows, ...fresh], new Map()) };
  });
  const wanted = orRefused(() => minorOf(order.amount, `order ${number}`)) + payload.totalMinor;
  if (minor !== wanted)
    throw new SqlRefused(`the ledger makes ${minor} of what is ${wanted} here: it rounds the sum, not the lines`);
  for (const { part, count, price } of lines)
    await run(statements.insertLine, [order.id, part.id, part.description, count, price, part.unit]);
  const lineNos = [...known.map((row) => Number(row.lineNo)), ...payload.lines.map(({ lineNo }) => lineNo)];
  const [first = '', ...others] = notesIn(order.intnotes);
  const kept = others.filter((line) => !line.startsWith('lines '));
  const notes = [first, linesNoteOf(lineNos), ...kept, changeNoteOf(payload.reference)].join('\n');
  await run(sql.changeOrder, [order.id, moneyText(minor), notes]);
  await run(sql.openAgain, [order.id]);
  return { number };
}
