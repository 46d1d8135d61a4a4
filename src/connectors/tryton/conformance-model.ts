/**
 * Tryton 6 in memory, as far as this connector speaks to it: one URL, tagged values, errors with status 200, domains, buttons. What it
 * does on its own is what the real one was seen to do: a create that is not idempotent, a shipment planned at confirm, cancelled moves
 * that are planned anew unless they are ignored.
 */
import type { Answer, Call, Role } from '../kit/conformance/index.ts';

export type ModelRow = Record<string, unknown> & { id: number };
type Rpc = { id: number; method: string; params: unknown[] };
type Pairs = [number[], Record<string, unknown>][];

export class Refused extends Error {}

const isTagged = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && '__class__' in value;

/** Comparable with each other: tagged times as texts that sort. */
function comparable(value: unknown): unknown {
  if (!isTagged(value)) return value;
  if (value.__class__ === 'Decimal') return Number(value.decimal);
  const part = (name: string, digits = 2) => String(value[name] ?? 0).padStart(digits, '0');
  const day = `${part('year', 4)}-${part('month')}-${part('day')}`;
  return `${day}T${part('hour')}:${part('minute')}:${part('second')}.${part('microsecond', 6)}`;
}

/** A time of the suite's as Tryton writes it. */
export function taggedTime(at: string): Record<string, unknown> {
  const time = new Date(at);
  return {
    __class__: 'datetime',
    year: time.getUTCFullYear(),
    month: time.getUTCMonth() + 1,
    day: time.getUTCDate(),
    hour: time.getUTCHours(),
    minute: time.getUTCMinutes(),
    second: time.getUTCSeconds(),
    microsecond: time.getUTCMilliseconds() * 1_000,
  };
}

function likeness(pattern: string, flags: string): RegExp {
  const source = pattern.replace(/\\(.)|([%_])|([\s\S])/g, (_all, escaped, wildcard, other) => {
    if (wildcard !== undefined) return wildcard === '%' ? '[\\s\\S]*' : '[\\s\\S]';
    return String(escaped ?? other).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, flags);
}

export class TrytonModel {
  readonly tables = new Map<string, ModelRow[]>();
  readonly #refused = new Set<string>();
  /** Rows that a search of a model is to find besides its table's. */
  readonly extra: (model: string, context: Record<string, unknown>) => readonly ModelRow[];
  #id = 1_000_000;

  constructor(tables: Readonly<Record<string, readonly ModelRow[]>>, extra: TrytonModel['extra'] = () => []) {
    this.extra = extra;
    for (const [model, rows] of Object.entries(tables)) this.tables.set(model, [...rows]);
  }

  refuse(mark: string): void {
    this.#refused.add(mark);
  }

  roleOf(call: Call): Role {
    const method = String((call.body as Rpc | undefined)?.method ?? '');
    if (method === 'common.db.login') return 'sign_in';
    return /\.(search_read|fields_get|get_preferences)$/.test(method) ? 'read' : 'write';
  }

  answer(call: Call): Answer | undefined {
    const { id, method, params } = (call.body ?? {}) as Rpc;
    if (call.method !== 'POST' || typeof method !== 'string' || !Array.isArray(params)) return undefined;
    if (method === 'common.db.login') return { json: { id, result: [7, 'session-of-the-suite'] } };
    if (!String(call.headers.authorization ?? '').startsWith('Session ')) return { status: 401, text: '' };
    try {
      const [, model = '', action = ''] = /^model\.(.*)\.(\w+)$/.exec(method) ?? [];
      return { json: { id, result: this.#do(model, action, params.slice(0, -1), params.at(-1), call.text) } };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { json: { id, error: ['UserError', [error.message, '', null]] } };
    }
  }

  of(model: string): ModelRow[] {
    const table = this.tables.get(model) ?? [];
    this.tables.set(model, table);
    return table;
  }

  all(model: string, context: Record<string, unknown> = {}): ModelRow[] {
    return [...this.of(model), ...this.extra(model, context)];
  }

  add(model: string, values: Record<string, unknown>): ModelRow {
    this.#id += 1;
    const row: ModelRow = { ...values, id: this.#id };
    this.of(model).push(row);
    return row;
  }

  find(model: string, id: unknown): ModelRow | undefined {
    return this.all(model).find((row) => row.id === id);
  }

  /** What each model and button does. */
  #do(model: string, action: string, params: unknown[], context: unknown, text: string): unknown {
    if (model === 'res.user' && action === 'get_preferences') return { company: 1, language: 'en' };
    // Of what its modules could have, it has none.
    if (action === 'fields_get') return {};
    if (action === 'search_read') return this.#search(model, params, context as Record<string, unknown>);
    for (const mark of this.#refused) if (text.includes(mark)) throw new Refused(`not this one (${mark.length})`);
    const ids = params[0] as number[];
    switch (`${model}.${action}`) {
      case 'sale.sale.create':
        return (params[0] as Record<string, unknown>[]).map((values) => this.#createSale(values).id);
      case 'sale.sale.write':
        for (const [written, { lines = [], ...values }] of pairsOf(params)) {
          for (const id of written) Object.assign(this.#must(model, id), values);
          this.#writeLines(written[0]!, lines as unknown[][]);
        }
        return null;
      case 'sale.sale.quote':
        for (const id of ids) this.#step(model, id, ['draft'], 'quotation', { number: String(id) });
        return null;
      case 'sale.sale.confirm':
        for (const id of ids) this.#step(model, id, ['quotation'], 'processing');
        for (const id of ids) this.#plan(this.#must(model, id));
        return null;
      case 'sale.sale.process':
        for (const id of ids) this.#plan(this.#must(model, id));
        return null;
      case 'sale.line.write':
        for (const [, { moves_ignored: ignored }] of pairsOf(params))
          for (const [, moves] of ignored as [string, number[]][])
            for (const id of moves) this.#must('stock.move', id).sale_exception_state = 'ignored';
        return null;
      case 'stock.shipment.out.create':
        return (params[0] as Record<string, unknown>[]).map((values) => this.#createShipment(values, 'draft').id);
      case 'stock.shipment.out.wait':
        return this.#ship(ids, ['draft', 'assigned', 'waiting'], 'waiting');
      case 'stock.shipment.out.draft':
        return this.#ship(ids, ['waiting', 'draft'], 'draft');
      case 'stock.shipment.out.cancel':
        return this.#ship(ids, ['draft', 'waiting', 'assigned', 'cancelled'], 'cancelled');
      case 'stock.shipment.out.assign_try':
        this.#ship(ids, ['waiting', 'assigned'], 'assigned');
        return true;
      case 'stock.shipment.out.delete':
      case 'stock.move.delete':
        this.tables.set(
          model,
          this.of(model).filter(({ id }) => !ids.includes(id)),
        );
        return null;
      case 'stock.move.write':
      case 'ir.note.write':
        for (const [written, values] of pairsOf(params))
          for (const id of written) Object.assign(this.#must(model, id), values);
        return null;
      case 'ir.note.create':
        return (params[0] as Record<string, unknown>[]).map((values) => this.add(model, values).id);
    }
    throw new Error(`the model of Tryton has no ${model}.${action}`);
  }

  #must(model: string, id: number): ModelRow {
    const row = this.of(model).find((candidate) => candidate.id === id);
    if (row === undefined) throw new Refused(`You are trying to read records "${id}" that don't exist anymore.`);
    return row;
  }

  #step(model: string, id: number, from: string[], to: string, values: object = {}): void {
    const row = this.#must(model, id);
    if (!from.includes(String(row.state))) throw new Refused(`${model} ${id} is ${String(row.state)}`);
    Object.assign(row, { state: to }, values);
  }

  #createSale({ lines, ...values }: Record<string, unknown>): ModelRow {
    const sale = this.add('sale.sale', { number: null, state: 'draft', origin: null, ...values });
    this.#writeLines(sale.id, (lines ?? []) as unknown[][]);
    return sale;
  }

  #writeLines(sale: number, steps: readonly unknown[][]): void {
    for (const [what, list] of steps) {
      if (what === 'delete')
        this.tables.set(
          'sale.line',
          this.of('sale.line').filter(({ id }) => !(list as number[]).includes(id)),
        );
      if (what === 'create')
        for (const line of list as Record<string, unknown>[]) this.add('sale.line', { ...line, sale, taxes: [] });
    }
  }

  /** Goods that no move is for, or whose move was cancelled and not ignored, are planned as one shipment, waiting to be assigned. */
  #plan(sale: ModelRow): void {
    const outgoing = this.of('sale.line')
      .filter((line) => line.sale === sale.id && Number(line.quantity) > 0)
      .flatMap((line) => {
        const moves = this.of('stock.move').filter(({ origin }) => origin === `sale.line,${line.id}`);
        const taken = moves.filter((move) => move.state !== 'cancelled' || move.sale_exception_state === 'ignored');
        const rest = Number(line.quantity) - taken.reduce((sum, { quantity }) => sum + Number(quantity), 0);
        return rest > 0 ? [{ product: line.product, origin: `sale.line,${line.id}`, quantity: rest }] : [];
      });
    if (outgoing.length === 0) return;
    this.#createShipment({ reference: sale.reference, outgoing_moves: [['create', outgoing]] }, 'waiting');
  }

  #createShipment({ outgoing_moves: moves, ...values }: Record<string, unknown>, state: string): ModelRow {
    const shipment = this.add('stock.shipment.out', { ...values, state });
    shipment.number = String(shipment.id);
    for (const [, list] of (moves ?? []) as [string, Record<string, unknown>[]][])
      for (const move of list)
        this.add('stock.move', {
          ...move,
          state: 'draft',
          shipment: `stock.shipment.out,${shipment.id}`,
          sale_exception_state: '',
        });
    return shipment;
  }

  #ship(ids: readonly number[], from: string[], to: string): null {
    for (const id of ids) {
      this.#step('stock.shipment.out', id, from, to);
      for (const move of this.of('stock.move'))
        if (move.shipment === `stock.shipment.out,${id}`) {
          if (to === 'cancelled') move.state = 'cancelled';
          else if (move.state !== 'cancelled') move.state = to === 'assigned' ? 'assigned' : 'draft';
        }
    }
    return null;
  }

  #search(model: string, params: unknown[], context: Record<string, unknown>): ModelRow[] {
    const [domain, offset, limit, order, fields] = params as [unknown[], number, number | null, unknown, string[]];
    // What was deactivated is found only by who asks for it.
    const hidden = context.active_test === false || JSON.stringify(domain).includes('"active"');
    const found = this.all(model, context).filter(
      (row) => (hidden || row.active !== false) && this.#all(model, row, domain),
    );
    for (const [field, direction] of [...((order ?? []) as [string, string][])].reverse())
      found.sort((a, b) => {
        const [one, other] = [comparable(a[field]), comparable(b[field])] as [string, string];
        const sign = one === other ? 0 : one === null || one === undefined || one < other ? -1 : 1;
        return direction.startsWith('DESC') ? -sign : sign;
      });
    const part = found.slice(offset, limit === null ? undefined : offset + limit);
    return part.map((row) => this.#read(model, row, fields));
  }

  #all(model: string, row: ModelRow, domain: readonly unknown[]): boolean {
    return this.#fits(model, row, domain[0] === 'OR' ? domain : ['AND', ...domain]);
  }

  #fits(model: string, row: ModelRow, [how, ...clauses]: readonly unknown[]): boolean {
    const one = (clause: unknown): boolean => {
      const list = clause as unknown[];
      if (list[0] === 'OR') return this.#fits(model, row, list);
      if (list.length === 0 || Array.isArray(list[0])) return this.#all(model, row, list);
      return this.#holds(model, row, list as [string, string, unknown, string?]);
    };
    return how === 'OR' ? clauses.some(one) : clauses.every(one);
  }

  #holds(model: string, row: ModelRow, [field, operator, wanted, parent]: [string, string, unknown, string?]): boolean {
    const value = this.#value(model, row, field);
    const [is, than] = [comparable(value) ?? null, comparable(wanted) ?? null] as [string, string];
    switch (operator) {
      case '=':
        return is === than;
      case '!=':
        return is !== than;
      case '>':
        return is !== null && is > than;
      case '>=':
        return is !== null && is >= than;
      case '<':
        return is !== null && is < than;
      case 'in': {
        if (field === 'active') return (wanted as unknown[]).includes(is ?? true);
        const list = wanted as unknown[];
        // The database compares numbers with numbers: anything else fails the whole call.
        if (field === 'id' && list.some((one) => !Number.isSafeInteger(one)))
          throw new Refused('invalid input syntax for type integer');
        return list.includes(is);
      }
      case 'like':
      case 'ilike':
        return typeof is === 'string' && likeness(than, operator === 'like' ? '' : 'i').test(is);
      case 'child_of': {
        const above = parent === undefined ? 'parent' : parent;
        for (let at: unknown = value, hops = 0; typeof at === 'number' && hops < 9; hops += 1) {
          if ((wanted as number[]).includes(at)) return true;
          at = this.find('stock.location', at)?.[above];
        }
        return field === above && (wanted as number[]).includes(row.id);
      }
    }
    throw new Error(`the model of Tryton has no operator ${operator}`);
  }

  #value(model: string, row: ModelRow, field: string): unknown {
    const [head, tail] = field.split('.', 2) as [string, string | undefined];
    if (tail === undefined) return row[head];
    return this.#target(model, row, head)?.[tail];
  }

  /** What a field refers to: given with the row, or in a table of its own. */
  #target(model: string, row: ModelRow, field: string): Record<string, unknown> | null | undefined {
    if (`${field}.` in row) return row[`${field}.`] as Record<string, unknown> | null;
    const into = TARGETS[`${model}.${field}`] ?? TARGETS[field];
    return into === undefined ? undefined : (this.find(into, row[field]) ?? null);
  }

  #read(model: string, row: ModelRow, fields: readonly string[]): ModelRow {
    const out: ModelRow = { id: row.id };
    for (const field of fields) {
      const [head, tail] = field.split('.', 2) as [string, string | undefined];
      if (tail === undefined) {
        // A field that a spoiled record lacks stays away.
        if (field in row || !('write_date' in row)) out[field] = row[field] ?? null;
        continue;
      }
      const target = this.#target(model, row, head);
      if (target === undefined) continue;
      const told = (out[`${head}.`] ?? {}) as Record<string, unknown>;
      out[`${head}.`] =
        typeof target !== 'object' || target === null || Array.isArray(target)
          ? target
          : { ...told, ...(`${head}.` in row ? target : { [tail]: target[tail] ?? null }), id: target.id ?? null };
    }
    return out;
  }
}

const TARGETS: Readonly<Record<string, string>> = {
  product: 'product.product',
  currency: 'currency.currency',
  sale: 'sale.sale',
  party: 'party.party',
  replaced_by: 'party.party',
  default_uom: 'product.uom',
  sale_uom: 'product.uom',
  account_category: 'product.category',
};

function pairsOf(params: readonly unknown[]): Pairs {
  const pairs: Pairs = [];
  for (let i = 0; i < params.length; i += 2) pairs.push([params[i], params[i + 1]] as Pairs[number]);
  return pairs;
}
