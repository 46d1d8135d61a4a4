/**
 * What the hub writes into internal notes, which nobody prints: by it things are found again. Lines, since people write below them; a
 * browser makes the ends of lines longer, which is no difference.
 *
 * Orders: `crossdock:<reference>`, `lines 1,2,4` (our numbers of its rows, in their order), `cancelled <reference>` for each cancellation,
 * `added <reference>` for each change.
 * Invoices: `crossdock:<kind>/<reference>`, `order <reference>`, `lines …`.
 */

export function noteOf(reference: string): string {
  return `crossdock:${reference}`;
}

export function documentNoteOf(kind: string, reference: string): string {
  return noteOf(`${kind}/${reference}`);
}

export function cancelNoteOf(reference: string): string {
  return `cancelled ${reference}`;
}

export function changeNoteOf(reference: string): string {
  return `added ${reference}`;
}

export function linesNoteOf(lineNos: readonly number[]): string {
  return `lines ${lineNos.join(',')}`;
}

export interface Note {
  /** What follows `crossdock:`; undefined: it is not the hub's. */
  reference: string | undefined;
  order: string | undefined;
  /** Undefined: they are 1, 2, 3 … */
  lineNos: number[] | undefined;
}

export function readNote(text: string | null | undefined): Note {
  const lines = notesIn(text);
  const after = (start: string) => lines.find((line) => line.startsWith(start))?.slice(start.length);
  const [first = ''] = lines;
  if (!first.startsWith('crossdock:')) return { reference: undefined, order: undefined, lineNos: undefined };
  const numbers = after('lines ');
  const isList = numbers !== undefined && /^\d{1,9}(,\d{1,9})*$/.test(numbers);
  return {
    reference: first.slice('crossdock:'.length),
    order: after('order '),
    lineNos: isList ? numbers.split(',').map(Number) : undefined,
  };
}

export function notesIn(text: string | null | undefined): string[] {
  return (text ?? '').split(/\r?\n/);
}
