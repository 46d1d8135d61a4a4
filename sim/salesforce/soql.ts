/** The part of SOQL that the sim answers: fields and parents, one level of children, conditions, order, limit, count(). */
import { OBJECTS } from './objects.ts';
import { ApiError, Decimal, full, type Rec, type Store, type Value } from './store.ts';

interface Literal {
  kind: 'text' | 'number' | 'time' | 'date' | 'boolean' | 'null';
  text: string;
}
type Condition =
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition }
  | { field: string; op: string; values: Literal[] };

export interface Query {
  count: boolean;
  fields: string[];
  children: Query[];
  from: string;
  where: Condition | undefined;
  order: { field: string; descending: boolean }[];
  limit: number | undefined;
}

const TOKEN =
  /\s*(?:('(?:[^'\\]|\\.)*')|(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))|(\d{4}-\d\d-\d\d)|(-?\d+(?:\.\d+)?)|([A-Za-z_][\w.]*)|(<=|>=|!=|<|>|=|\(|\)|,))/y;

function malformed(what: string): ApiError {
  return new ApiError('MALFORMED_QUERY', what);
}

interface Token {
  kind: Literal['kind'] | 'word' | 'sign';
  text: string;
}

function tokensOf(soql: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (soql.slice(TOKEN.lastIndex).trim() !== '') {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(soql);
    if (found === null) throw malformed(`unexpected token at ${at}: ${soql.slice(at, at + 20)}`);
    const [, text, time, date, number, word, sign] = found;
    if (text !== undefined) tokens.push({ kind: 'text', text: text.slice(1, -1).replace(/\\(.)/g, '$1') });
    else if (time !== undefined)
      tokens.push({ kind: 'time', text: `${new Date(time).toISOString().slice(0, 19)}.000Z` });
    else if (date !== undefined) tokens.push({ kind: 'date', text: date });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else tokens.push({ kind: 'sign', text: sign! });
  }
  return tokens;
}

export function parseSoql(soql: string): Query {
  const tokens = tokensOf(soql);
  let at = 0;
  const peek = (): string => tokens[at]?.text.toUpperCase() ?? '';
  const isWord = (word: string): boolean => tokens[at]?.kind !== 'text' && peek() === word;
  const take = (word: string): void => {
    if (!isWord(word)) throw malformed(`expecting ${word}, found ${tokens[at]?.text ?? 'nothing'}`);
    at += 1;
  };
  const taken = (word: string): boolean => {
    const found = isWord(word);
    if (found) at += 1;
    return found;
  };
  const name = (): string => {
    const token = tokens[at++];
    if (token?.kind !== 'word') throw malformed(`expecting a name, found ${token?.text ?? 'nothing'}`);
    return token.text;
  };
  const literal = (): Literal => {
    const token = tokens[at++];
    if (token === undefined || token.kind === 'sign') throw malformed('expecting a value');
    if (token.kind !== 'word') return { kind: token.kind, text: token.text };
    const word = token.text.toLowerCase();
    if (word === 'true' || word === 'false') return { kind: 'boolean', text: word };
    if (word === 'null') return { kind: 'null', text: '' };
    throw malformed(`unexpected token: ${token.text}`);
  };
  const one = (): Condition => {
    if (taken('NOT')) return { not: one() };
    if (taken('(')) {
      const inner = condition();
      take(')');
      return inner;
    }
    const field = name();
    if (taken('IN')) {
      take('(');
      const values = [literal()];
      while (taken(',')) values.push(literal());
      take(')');
      return { field, op: 'IN', values };
    }
    const op = tokens[at++]?.text ?? '';
    if (!['=', '!=', '<', '>', '<=', '>='].includes(op)) throw malformed(`unexpected token: ${op}`);
    return { field, op, values: [literal()] };
  };
  const condition = (): Condition => {
    const first = one();
    if (isWord('AND')) {
      const all = [first];
      while (taken('AND')) all.push(one());
      if (isWord('OR')) throw malformed('unexpected token: OR');
      return { all };
    }
    if (isWord('OR')) {
      const any = [first];
      while (taken('OR')) any.push(one());
      if (isWord('AND')) throw malformed('unexpected token: AND');
      return { any };
    }
    return first;
  };
  const query = (): Query => {
    take('SELECT');
    const made: Query = {
      count: false,
      fields: [],
      children: [],
      from: '',
      where: undefined,
      order: [],
      limit: undefined,
    };
    do {
      if (taken('(')) {
        made.children.push(query());
        take(')');
      } else if (taken('COUNT')) {
        take('(');
        take(')');
        made.count = true;
      } else made.fields.push(name());
    } while (taken(','));
    take('FROM');
    made.from = name();
    if (taken('WHERE')) made.where = condition();
    if (taken('ORDER')) {
      take('BY');
      do {
        const field = name();
        const descending = taken('DESC');
        if (!descending) taken('ASC');
        made.order.push({ field, descending });
      } while (taken(','));
    }
    if (taken('LIMIT')) made.limit = Number(literal().text);
    return made;
  };
  const made = query();
  if (at < tokens.length) throw malformed(`unexpected token: ${tokens[at]!.text}`);
  return made;
}

/** The value at the end of a path such as `Account.Name`; null where the way ends before. */
export function valueAt(store: Store, rec: Rec, path: string): Value {
  const dot = path.indexOf('.');
  if (dot < 0) {
    store.fieldOf(rec.type, path);
    return rec.values[path] ?? null;
  }
  const [field, { to }] = parentOf(rec.type, path.slice(0, dot));
  const parent = store.tables.get(to!)!.get(String(rec.values[field] ?? ''));
  return parent === undefined ? null : valueAt(store, parent, path.slice(dot + 1));
}

export function parentOf(type: string, name: string) {
  const found = Object.entries(OBJECTS[type]!.fields).find(([, { parent }]) => parent === name);
  if (found === undefined)
    throw new ApiError('INVALID_FIELD', `Didn't understand relationship '${name}' in field path`);
  return found;
}

/** The child object's name and the field that leads back. */
export function childrenOf(type: string, name: string): [object: string, field: string] {
  for (const [object, kind] of Object.entries(OBJECTS))
    for (const [field, { to, children }] of Object.entries(kind.fields))
      if (to === type && children === name) return [object, field];
  throw new ApiError('INVALID_TYPE', `sObject type '${name}' is not supported.`);
}

export function rowsOf(store: Store, query: Query, withDeleted: boolean, among?: Iterable<Rec>): Rec[] {
  if (!Object.hasOwn(OBJECTS, query.from) && among === undefined)
    throw new ApiError('INVALID_TYPE', `sObject type '${query.from}' is not supported.`);
  const rows: Rec[] = [];
  for (const rec of among ?? store.tables.get(query.from)!.values())
    if (
      (withDeleted || rec.values.IsDeleted === false) &&
      (query.where === undefined || holds(store, rec, query.where))
    )
      rows.push(rec);
  rows.sort((a, b) => {
    for (const { field, descending } of query.order) {
      const by = compare(valueAt(store, a, field), valueAt(store, b, field));
      if (by !== 0) return descending ? -by : by;
    }
    return 0;
  });
  return query.limit === undefined ? rows : rows.slice(0, query.limit);
}

function compare(a: Value, b: Value): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (a instanceof Decimal && b instanceof Decimal) return Number(a.text) - Number(b.text);
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

function holds(store: Store, rec: Rec, where: Condition): boolean {
  if ('all' in where) return where.all.every((one) => holds(store, rec, one));
  if ('any' in where) return where.any.some((one) => holds(store, rec, one));
  if ('not' in where) return !holds(store, rec, where.not);
  const { field, op, values } = where;
  const found = valueAt(store, rec, field);
  const isId = /(^|\.)\w*Id$/.test(field);
  const order = (literal: Literal): number => {
    if (literal.kind === 'number') return compare(found, new Decimal(literal.text));
    if (literal.kind === 'boolean') return compare(String(found ?? false), literal.text);
    if (literal.kind !== 'text') return compare(found, literal.text);
    if (isId) return compare(found, full(literal.text));
    // Texts are compared without case.
    return compare(typeof found === 'string' ? found.toLowerCase() : found, literal.text.toLowerCase());
  };
  const [first] = values;
  if (first!.kind === 'null') return op === '=' ? found === null : found !== null;
  if (op === 'IN') return found !== null && values.some((literal) => order(literal) === 0);
  if (op === '!=') return found === null || order(first!) !== 0;
  if (found === null) return false;
  const by = order(first!);
  if (op === '=') return by === 0;
  if (op === '<') return by < 0;
  if (op === '>') return by > 0;
  return op === '<=' ? by <= 0 : by >= 0;
}
