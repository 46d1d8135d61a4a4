/** Opaque cursors: the last key of a page, so that rows that come or go meanwhile neither repeat nor hide others. */
import { fail } from '../canonical/index.ts';

export type CursorPart = string | number;

export function cursorOf(parts: readonly CursorPart[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @param form one sample per part: what kind it has to be of */
export function readCursor<const T extends readonly ('text' | 'number')[]>(
  cursor: string | undefined,
  form: T,
): { [K in keyof T]: T[K] extends 'number' ? number : string } | undefined {
  if (cursor === undefined) return undefined;
  try {
    const parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown;
    const fits =
      Array.isArray(parts) &&
      parts.length === form.length &&
      parts.every((part, i) =>
        form[i] === 'number'
          ? Number.isSafeInteger(part)
          : typeof part === 'string' && !part.includes('\0') && part.length <= 200,
      );
    if (fits) return parts as never;
  } catch {
    // Told below, like any other cursor that isn't ours.
  }
  fail('XD_VALUE_INVALID', 'cursor is not one of this list', { place: 'cursor' });
}

/** A page: one row more was read than is shown, so that the end is known without another request. */
export function pageOf<T>(
  rows: readonly T[],
  limit: number,
  keyOf: (row: T) => readonly CursorPart[],
): { shown: T[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { shown, nextCursor: rows.length > limit && last !== undefined ? cursorOf(keyOf(last)) : null };
}
