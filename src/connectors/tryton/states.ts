/**
 * What became of an order, on the opportunity that it came from: one note, whose text follows from the order's newest state. Tryton moves
 * the opportunity itself (won with its sale, lost with it) and has no field for what follows.
 */
import { CrossdockError } from '../../canonical/index.ts';
import {
  batchMaxOf,
  factsOf,
  type OrderStatusState,
  type Outcome,
  type StateItem,
  type StateSink,
} from '../kit/index.ts';
import { notesBy } from './find.ts';
import type { Row } from './lookups.ts';
import { laterBy } from './rpc.ts';
import type { Sinks } from './sink.ts';

const STATES_MAX = 10;

export function headOf(key: string): string {
  return `crossdock order ${key}`;
}

/** Pure. What there is to tell, line by line; nothing of an order that only moves along: its sale says that. */
export function linesOf(state: OrderStatusState): string[] {
  const units = (of: (line: OrderStatusState['lines'][number]) => number) =>
    state.lines
      .filter((line) => of(line) > 0)
      .map((line) => `${of(line)} x ${line.sku}`)
      .join(', ');
  const waiting = units((line) => line.backordered);
  const gone = units((line) => line.cancelled + line.refused);
  return [
    ...factsOf(state).map(({ text }) => text),
    ...promisesOf(state.lines),
    ...(waiting === '' ? [] : [`waiting for stock: ${waiting}`]),
    ...(gone === '' ? [] : [`cancelled: ${gone}`]),
  ];
}

/** When what is not shipped yet is to leave, where the channel promises that: a line a day, the earliest first. */
function promisesOf(lines: OrderStatusState['lines']): string[] {
  const parts = lines.flatMap(({ sku, promised = [] }) => promised.map((part) => ({ ...part, sku })));
  const days = Map.groupBy(parts, ({ at }) => at?.slice(0, 10) ?? '');
  return [...days]
    .sort(([one], [other]) => (one === '' ? 1 : other === '' ? -1 : one < other ? -1 : 1))
    .map(([day, own]) => {
      const goods = own.map(({ quantity, sku }) => `${quantity} x ${sku}`).join(', ');
      return day === '' ? `promised for no day yet: ${goods}` : `promised for ${day}: ${goods}`;
    });
}

function textOf(item: StateItem): string {
  const lines = linesOf(item.state as OrderStatusState);
  return [headOf(item.key), ...(lines.length === 0 ? ['nothing to tell any more'] : lines)].join('\n');
}

/** Whether the opportunity says it. Before there is anything to tell it has no note. */
function isThere(item: StateItem, note: Row | undefined): boolean {
  if (note === undefined) return linesOf(item.state as OrderStatusState).length === 0;
  return note.message === textOf(item);
}

/** Of the channel whose orders are Tryton's opportunities; of orders of other channels Tryton has no record beside their sale. */
export function orderStatus(sinks: Sinks, channel: string): StateSink {
  const { tryton } = sinks;
  const isOurs = (item: StateItem) => (item.state as OrderStatusState).channel === channel;
  const notesOf = (items: readonly StateItem[], signal: AbortSignal) =>
    items.length === 0
      ? new Map<string, Row>()
      : notesBy(
          tryton,
          items.map(({ key }) => headOf(key)),
          signal,
        );

  const writeAll = async (items: readonly StateItem[], signal: AbortSignal): Promise<Outcome[]> => {
    const ours = items.filter(isOurs);
    let notes: Map<string, Row>;
    let opportunities: Map<string, number>;
    try {
      notes = await notesOf(ours, signal);
      const changed = ours.filter((item) => !isThere(item, notes.get(headOf(item.key))));
      const fresh = changed.filter(({ key }) => !notes.has(headOf(key)));
      opportunities = await opportunitiesBy(sinks, fresh, signal);
    } catch (error) {
      if (!(error instanceof CrossdockError)) throw error;
      return items.map(() => laterBy(error));
    }
    const outcomes: Outcome[] = [];
    for (const item of items) {
      const note = notes.get(headOf(item.key));
      if (!isOurs(item) || isThere(item, note)) {
        outcomes.push({ outcome: 'confirmed' });
        continue;
      }
      const { externalNo } = item.state as OrderStatusState;
      const id = opportunities.get(externalNo);
      if (note === undefined && id === undefined) {
        outcomes.push({ outcome: 'refused', error: `Tryton has no opportunity ${externalNo}` });
        continue;
      }
      const message = textOf(item);
      const written =
        note === undefined
          ? await tryton.write('model.ir.note.create', [[{ resource: `sale.opportunity,${id}`, message }]], signal)
          : await tryton.write('model.ir.note.write', [[note.id], { message }], signal);
      outcomes.push(written.done ? { outcome: 'confirmed' } : written.outcome);
    }
    return outcomes;
  };

  return {
    batchMax: batchMaxOf(sinks.limits, STATES_MAX),
    wants: ['shipments', 'invoices', 'returns'],
    write: (items, signal) => tryton.serial(() => writeAll(items, signal)),
    readBack: () => Promise.resolve(new Map()),
    async holds(items, signal) {
      const notes = await notesOf(items.filter(isOurs), signal);
      const shown = items.filter((item) => !isOurs(item) || isThere(item, notes.get(headOf(item.key))));
      return new Set(shown.map(({ key }) => key));
    },
  };
}

async function opportunitiesBy(
  { tryton }: Sinks,
  items: readonly StateItem[],
  signal: AbortSignal,
): Promise<Map<string, number>> {
  if (items.length === 0) return new Map();
  const numbers = items.map((item) => (item.state as OrderStatusState).externalNo);
  const domain = [
    ['number', 'in', numbers],
    ['company', '=', await tryton.company(signal)],
  ];
  const rows = await tryton.search('sale.opportunity', domain, ['number'], signal);
  return new Map(rows.map(({ number, id }) => [String(number), id]));
}
