/** Statements as an estate declares them, into those that a database takes; pure. */
import { fail } from '../../canonical/index.ts';
import type { Dialect, Place } from '../kit/index.ts';
import type { SqlFeed } from './settings.ts';

export interface Statement {
  text: string;
  values: unknown[];
}

/** Texts, quoted names and comments are left as they are; `::` is a cast. */
const PARTS = /'(?:[^']|'')*'|"[^"]*"|`[^`]*`|--[^\n]*|\/\*[\s\S]*?\*\/|::|:([A-Za-z_][A-Za-z0-9_]*)/g;

/**
 * `:name` as a bound value.
 * @throws XD_ESTATE_INVALID naming one that has none
 */
export function bound(
  text: string,
  values: Readonly<Record<string, unknown>>,
  dialect: Dialect,
  place: string,
  from = 0,
): Statement {
  const given: unknown[] = [];
  const made = text.replaceAll(PARTS, (part: string, name: string | undefined) => {
    if (name === undefined) return part;
    if (!Object.hasOwn(values, name))
      fail('XD_ESTATE_INVALID', `${place} has :${name}, and nothing of that name`, { place });
    const value = values[name];
    given.push(typeof value === 'object' && value !== null ? JSON.stringify(value) : (value ?? null));
    return dialect === 'mysql' ? '?' : `$${from + given.length}`;
  });
  return { text: made.trim().replace(/;\s*$/, ''), values: given };
}

function quoted(column: string, dialect: Dialect): string {
  return dialect === 'mysql' ? `q.\`${column}\`` : `q."${column}"`;
}

const ID_DIGITS = 20;
/** Numbers as texts that sort as they do. */
export function paddedId(id: string): string {
  return id.padStart(ID_DIGITS, '0');
}

/** The rows beyond `after`, in their order, with their place as `$at` and `$id`. */
export function keysetStatement(
  feed: SqlFeed,
  dialect: Dialect,
  place: string,
  after: Place | undefined,
  limit: number,
): Statement {
  const { cursor } = feed;
  if (cursor.by === 'snapshot') return fail('XD_ESTATE_INVALID', `${place} has no keyset`, { place });
  const isMysql = dialect === 'mysql';
  const { text, values } = bound(feed.query, feed.params ?? {}, dialect, `${place}.query`);
  const add = (value: unknown, type: string): string => {
    values.push(value);
    return isMysql ? '?' : `$${values.length}::${type}`;
  };
  const isText = cursor.by === 'time' && cursor.idType === 'text';
  const column = quoted(cursor.id, dialect);
  const id = !isText ? column : isMysql ? `cast(${column} as binary)` : `${column}::text collate "C"`;
  const idText = isText
    ? isMysql
      ? column
      : `${column}::text`
    : isMysql
      ? `lpad(${column}, ${ID_DIGITS}, '0')`
      : `lpad(${column}::text, ${ID_DIGITS}, '0')`;
  const idOf = (value: string) => (isText ? value : value === '' ? '-1' : String(BigInt(value)));
  const idType = isText ? 'text' : 'bigint';
  const names = isMysql ? ['`$at`', '`$id`'] : ['"$at"', '"$id"'];
  if (cursor.by === 'sequence') {
    const where = after === undefined ? '' : ` where ${id} > ${add(idOf(after.at), idType)}`;
    const page = ` order by ${id} limit ${limit}`;
    return { text: `select q.*, ${idText} as ${names[0]}, '' as ${names[1]} from (${text}) q${where}${page}`, values };
  }
  const at = quoted(cursor.at, dialect);
  // Whatever the column's type: a time without a zone is only put in order, by its own clock.
  const atText = isMysql
    ? `date_format(${at}, '%Y-%m-%dT%H:%i:%s.%fZ')`
    : `to_char((${at})::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
  let where = '';
  if (after !== undefined) {
    const time = isMysql ? after.at.replace('T', ' ').replace('Z', '') : after.at;
    const first = add(time, 'timestamptz');
    const again = isMysql ? add(time, '') : first;
    const last = add(idOf(after.id), idType);
    where = ` where (${at} > ${first} or (${at} = ${again} and ${id} > ${last}))`;
  }
  return {
    text: `select q.*, ${atText} as ${names[0]}, ${idText} as ${names[1]} from (${text}) q${where} order by ${at}, ${id} limit ${limit}`,
    values,
  };
}

export function snapshotStatement(feed: SqlFeed, dialect: Dialect, place: string, limit: number): Statement {
  const { text, values } = bound(feed.query, feed.params ?? {}, dialect, `${place}.query`);
  return { text: `select q.* from (${text}) q limit ${limit}`, values };
}
