/** What is pure about files that come in: names, columns, and records into items. */
import { type RecordReader, recordReader } from '../kit/index.ts';
import { BadFile, type FileRecord } from './formats.ts';
import type { Inbound } from './settings.ts';
import type { FileFault } from './text.ts';

export const CONTENT_TYPE = 'application/vnd.crossdock.file+json';

/** A page as it is kept: the records of a file with their lines, faulty ones as they came. The file itself is in the archive. */
export interface PageBody {
  file: string;
  changedAt: string;
  digest: string;
  records: FileRecord[];
  /** What concerns the file as a whole. */
  notes: Note[];
}

/** About a file as a whole. */
export interface Note {
  key: string;
  class: FileFault | 'file_gone' | 'file_columns_new';
  reason: string;
  place: string;
}

/** What a person can do about it. A file that was set aside lies in `reject`; null: it stays where it is. */
export function todoOf(kind: Note['class'], reject: string | null): string {
  const again = reject === null ? 'have the file sent again' : `move the file back from ${reject}`;
  switch (kind) {
    case 'file_columns':
      return `change the map of the feed, or ask for the agreed columns; then ${again}`;
    case 'file_unreadable':
      return 'ask for the file once more, whole and in the agreed format and encoding; what was read of it is known by its keys';
    case 'file_gone':
      return 'have the file sent again; what was read of it is known by its keys';
    case 'file_columns_new':
      return 'resolve it, or map the new ones';
  }
}

/** Columns that each record has of its own. */
const OWN = new Set(['$file', '$changedAt', '$line', '$ref']);

export function readerOf(inbound: Inbound, at: string, system: string, channel: string | null): RecordReader {
  return recordReader(inbound.map, `${at}.map`, system, channel);
}

/** `*` and `?`, whole names. */
export function isMatch(name: string, pattern: string): boolean {
  const source = pattern
    .replaceAll(/[^*?]/g, (c) => (/\w/.test(c) ? c : `\\${c}`))
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(name);
}

/**
 * Columns are found by their names, so their order doesn't matter. One that is read and isn't there makes the file bad: what is
 * there instead is told, as one of them may be the same column renamed.
 */
export function tellColumns(
  found: readonly string[],
  read: readonly string[],
  onNew: 'tell' | 'reject',
  before: readonly string[] | undefined,
): void {
  const missing = read.filter((name) => !OWN.has(name) && !found.includes(name));
  const fresh = found.filter((name) => !read.includes(name));
  if (missing.length > 0) {
    const news = fresh.length === 0 ? '' : `; instead there: ${fresh.join(', ')}`;
    throw new BadFile(`has other columns than agreed; missing: ${missing.join(', ')}${news}`, 1, 'file_columns');
  }
  const added = before === undefined ? [] : fresh.filter((name) => !before.includes(name));
  if (onNew === 'reject' && added.length > 0)
    throw new BadFile(`has columns that were not there before: ${added.join(', ')}`, 1, 'file_columns');
}
