/** Where a feed of files stands: in which file, behind how many records of it. */
import { fail } from '../../canonical/index.ts';

export interface Position {
  file?: string;
  identity?: string;
  digest?: string;
  count?: number;
  /** All of it was handed over. */
  ended?: true;
  bad?: { reason: string; line: number };
  /** Of the last good file. */
  columns?: readonly string[] | undefined;
  /** Files that were read and stay where they are, as long as they are there. */
  kept?: readonly string[] | undefined;
}

/** It is stored with each page. */
export const KEPT_MAX = 2_000;

export function positionText(position: Position): string {
  if ((position.kept?.length ?? 0) > KEPT_MAX)
    fail(
      'XD_CONNECTOR_REFUSED',
      `more than ${KEPT_MAX} files that were read lie in the folder: clear it, or let them be archived`,
    );
  const { kept = [], ...rest } = position;
  const plain = JSON.stringify({ ...rest, ...(kept.length > 0 && { kept }) });
  return plain === '{}' ? '' : plain;
}

export function positionOf(cursor: string, feed: string): Position {
  if (cursor === '') return {};
  try {
    const read: unknown = JSON.parse(cursor);
    const position = (
      typeof read === 'object' && read !== null && !Array.isArray(read) ? read : { count: read }
    ) as Position;
    const { file, digest, count, kept, columns } = position;
    const isWhole =
      (file === undefined && count === undefined) ||
      (typeof file === 'string' && typeof digest === 'string' && Number.isSafeInteger(count));
    if (isWhole && [kept ?? [], columns ?? []].every(Array.isArray)) return position;
  } catch {
    // Told below.
  }
  return fail('XD_VALUE_INVALID', `the cursor is not one of ${feed}`, { cursor: cursor.slice(0, 100) });
}
