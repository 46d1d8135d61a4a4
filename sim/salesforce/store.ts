/** Records of the org: what is in them, which writes it refuses, and what a write of many rolls back. */
import type { Kit } from '../lib/system.ts';
import { idOf, OBJECTS, type ObjectKind, withSuffix } from './objects.ts';

/** Numbers stay the text they came as: they are decimals here. Times are RFC 3339 in UTC, of whole seconds. */
export type Value = string | boolean | Decimal | null;
export class Decimal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export interface Rec {
  id: string;
  type: string;
  values: Record<string, Value>;
}

/** An error in the shape of the answers: of a whole request, or of one record. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: string[];
  constructor(code: string, message: string, status = 400, fields: string[] = []) {
    super(message);
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

/** A refusal that a test asked for, of a record by its external id. */
export interface Failure {
  key: string;
  code: string;
  message: string;
  times: number;
}

export interface Written {
  id: string;
  created: boolean;
}

type Entry = { do: 'put'; type: string; id: string; values: Record<string, string | boolean | null | [string]> };

export const WON_STAGES = new Set(['Closed Won']);

export class Store {
  readonly tables = new Map<string, Map<string, Rec>>(Object.keys(OBJECTS).map((name) => [name, new Map()]));
  /** `object field` → value → id, of what is not deleted. */
  readonly #external = new Map<string, string>();
  readonly #kit: Kit;
  #made = 0;
  #entries: Entry[] | undefined;
  #undo: (() => void)[] = [];
  multiCurrency = true;
  failures: Failure[] = [];
  /** Older versions written over newer ones. */
  backwards = 0;

  constructor(kit: Kit) {
    this.#kit = kit;
  }

  now(): string {
    return `${new Date(this.#kit.time.now()).toISOString().slice(0, 19)}.000Z`;
  }

  kind(type: string): ObjectKind {
    const kind = Object.hasOwn(OBJECTS, type) ? OBJECTS[type] : undefined;
    if (kind === undefined) throw new ApiError('NOT_FOUND', 'The requested resource does not exist', 404);
    return kind;
  }

  fieldOf(type: string, name: string) {
    const field = this.kind(type).fields[name];
    if (field === undefined || (name === 'CurrencyIsoCode' && !this.multiCurrency))
      throw new ApiError('INVALID_FIELD', `No such column '${name}' on sobject of type ${type}`, 400, [name]);
    return field;
  }

  find(type: string, field: string, value: string): Rec | undefined {
    const id = field === 'Id' ? full(value) : this.#external.get(keyOf(type, field, value));
    return id === undefined ? undefined : this.tables.get(type)!.get(id);
  }

  /** All that `act` writes, or nothing of it where it throws. Inside of another one it is a part of that. */
  all<T>(act: () => T): T {
    if (this.#entries !== undefined) {
      const [entries, undone] = [this.#entries.length, this.#undo.length];
      try {
        return act();
      } catch (error) {
        for (const undo of this.#undo.splice(undone).reverse()) undo();
        this.#entries.splice(entries);
        throw error;
      }
    }
    this.#entries = [];
    this.#undo = [];
    try {
      const result = act();
      for (const entry of this.#entries) this.#kit.keep(entry);
      return result;
    } catch (error) {
      for (const undo of this.#undo.reverse()) undo();
      throw error;
    } finally {
      this.#entries = undefined;
      this.#undo = [];
    }
  }

  /** Creates, or changes what holds `value` in `field`. @throws ApiError as the org refuses it */
  upsert(type: string, field: string, value: string, given: Record<string, unknown>): Written {
    if (this.fieldOf(type, field).external !== true)
      throw new ApiError('INVALID_FIELD', `Field name provided, ${field} does not match an External ID`);
    this.#failAsAsked(value);
    const held = this.find(type, field, value);
    return this.write(type, held?.id, { ...given, [field]: value });
  }

  write(type: string, id: string | undefined, given: Record<string, unknown>, at = this.now()): Written {
    const held = id === undefined ? undefined : this.tables.get(type)?.get(full(id));
    if (id !== undefined && (held === undefined || held.values.IsDeleted === true))
      throw new ApiError('ENTITY_IS_DELETED', 'entity is deleted');
    const values = { ...held?.values };
    for (const [name, value] of Object.entries(given)) {
      if (name === 'attributes') continue;
      const [field, read] = this.#read(type, name, value);
      values[field] = read;
    }
    for (const [name, field] of Object.entries(this.kind(type).fields))
      if (field.required && values[name] == null)
        throw new ApiError('REQUIRED_FIELD_MISSING', `Required fields are missing: [${name}]`, 400, [name]);
    if (type === 'Opportunity') {
      values.IsWon = WON_STAGES.has(String(values.StageName));
      if (values.StageName !== held?.values.StageName) values.LastStageChangeDate = at;
    }
    values.IsDeleted = false;
    values.CreatedDate ??= at;
    values.SystemModstamp = at;
    if (held !== undefined && Number(textOf(values.Version__c)) < Number(textOf(held.values.Version__c)))
      this.backwards += 1;
    const made = held?.id ?? idOf(this.kind(type).prefix, ++this.#made);
    this.put({ id: made, type, values: { ...values, Id: made } });
    if (type === 'OpportunityLineItem') this.touch('Opportunity', String(values.OpportunityId), at);
    return { id: made, created: held === undefined };
  }

  /** Marks it and what hangs on it as deleted: it can still be asked for with all that were deleted. */
  delete(type: string, id: string, at = this.now(), masterRecordId: string | null = null): void {
    const held = this.tables.get(type)?.get(full(id));
    if (held === undefined || held.values.IsDeleted === true)
      throw new ApiError('ENTITY_IS_DELETED', 'entity is deleted', 404);
    const merged: Record<string, Value> = masterRecordId === null ? {} : { MasterRecordId: masterRecordId };
    this.put({ ...held, values: { ...held.values, ...merged, IsDeleted: true, SystemModstamp: at } });
    for (const [name, kind] of Object.entries(OBJECTS))
      for (const [field, { to, master }] of Object.entries(kind.fields))
        if (to === type && master)
          for (const child of [...this.tables.get(name)!.values()])
            if (child.values[field] === held.id && child.values.IsDeleted === false) this.delete(name, child.id, at);
  }

  /** One account takes the place of another: what referred to that refers to this. */
  merge(winner: string, loser: string): void {
    const at = this.now();
    for (const [name, kind] of Object.entries(OBJECTS))
      for (const [field, { to }] of Object.entries(kind.fields))
        if (to === 'Account' && field !== 'MasterRecordId')
          for (const rec of this.tables.get(name)!.values())
            if (rec.values[field] === full(loser))
              this.put({ ...rec, values: { ...rec.values, [field]: full(winner), SystemModstamp: at } });
    this.delete('Account', loser, at, full(winner));
  }

  touch(type: string, id: string, at: string): void {
    const held = this.tables.get(type)!.get(id);
    if (held !== undefined) this.put({ ...held, values: { ...held.values, SystemModstamp: at } });
  }

  put(rec: Rec): void {
    const table = this.tables.get(rec.type)!;
    const before = table.get(rec.id);
    for (const [name, field] of Object.entries(OBJECTS[rec.type]!.fields)) {
      if (!field.external || rec.values.IsDeleted === true || rec.values[name] == null) continue;
      const other = this.#external.get(keyOf(rec.type, name, String(rec.values[name])));
      if (other !== undefined && other !== rec.id)
        throw new ApiError('DUPLICATE_VALUE', `duplicate value found: ${name} duplicates value on record: ${other}`);
    }
    const swap = (from: Rec | undefined, to: Rec | undefined): void => {
      if (from !== undefined) this.#index(from, (key) => this.#external.delete(key));
      if (to === undefined) table.delete(rec.id);
      else {
        table.set(rec.id, to);
        this.#index(to, (key) => this.#external.set(key, to.id));
      }
    };
    swap(before, rec);
    if (this.#entries !== undefined) this.#undo.push(() => swap(rec, before));
    const values = Object.entries(rec.values).map(([name, value]) => [
      name,
      value instanceof Decimal ? [value.text] : value,
    ]);
    this.#entries?.push({ do: 'put', type: rec.type, id: rec.id, values: Object.fromEntries(values) });
  }

  restore({ type, id, values }: Entry): void {
    const read = Object.entries(values).map(([name, value]) => [
      name,
      Array.isArray(value) ? new Decimal(value[0]) : value,
    ]);
    this.put({ type, id, values: Object.fromEntries(read) });
    this.#made += 1;
  }

  #index(rec: Rec, act: (key: string) => void): void {
    if (rec.values.IsDeleted === true) return;
    for (const [name, field] of Object.entries(OBJECTS[rec.type]!.fields))
      if (field.external && rec.values[name] != null) act(keyOf(rec.type, name, String(rec.values[name])));
  }

  #failAsAsked(key: string): void {
    const failure = this.failures.find((one) => one.key === key && one.times > 0);
    if (failure === undefined) return;
    failure.times -= 1;
    throw new ApiError(failure.code, failure.message);
  }

  /** A field as it is kept; a relationship by an external id becomes the id. */
  #read(type: string, name: string, value: unknown): [field: string, value: Value] {
    const fields = this.kind(type).fields;
    if (typeof value === 'object' && value !== null && !(value instanceof Decimal)) {
      const found = Object.entries(fields).find(([, { parent }]) => parent === name);
      const [by] = Object.entries(value).filter(([key]) => key !== 'attributes');
      if (found === undefined || by === undefined) throw new ApiError('INVALID_FIELD', `No such column '${name}'`);
      const [field, { to }] = found;
      const target = this.find(to!, by[0], String(by[1]));
      if (target === undefined || target.values.IsDeleted === true)
        throw new ApiError(
          'INVALID_FIELD',
          `Foreign key external ID: ${by[1]} not found for field ${by[0]} in entity ${to}`,
        );
      return [field, target.id];
    }
    const field = this.fieldOf(type, name);
    const wrong = (): ApiError =>
      new ApiError('INVALID_TYPE_ON_FIELD_IN_RECORD', `${name}: value not of required type: ${String(value)}`, 400, [
        name,
      ]);
    if (field.computed)
      throw new ApiError('INVALID_FIELD_FOR_INSERT_UPDATE', `Unable to create/update fields: ${name}`, 400, [name]);
    if (value === null) return [name, null];
    switch (field.type) {
      case 'number': {
        const text = value instanceof Decimal ? value.text : String(value);
        if (!/^-?\d{1,16}(\.\d+)?$/.test(text)) throw wrong();
        return [name, new Decimal(text)];
      }
      case 'boolean':
        if (value !== true && value !== false && value !== 'true' && value !== 'false') throw wrong();
        return [name, String(value) === 'true'];
      case 'reference':
        if (typeof value !== 'string' || !/^[0-9A-Za-z]{15}([A-Z0-5]{3})?$/.test(value))
          throw new ApiError('MALFORMED_ID', `${name}: id value of incorrect type: ${String(value)}`, 400, [name]);
        return [name, full(value)];
      default: {
        if (typeof value !== 'string') throw wrong();
        if (field.max !== undefined && value.length > field.max) {
          const message = `${name}: data value too large: ${value.slice(0, 40)} (max length=${field.max})`;
          throw new ApiError('STRING_TOO_LONG', message, 400, [name]);
        }
        return [name, value === '' ? null : value];
      }
    }
  }
}

const textOf = (value: Value | undefined): string => (value instanceof Decimal ? value.text : '0');

export function full(id: string): string {
  return id.length === 15 ? withSuffix(id) : id;
}

function keyOf(type: string, field: string, value: string): string {
  // External ids are compared without case unless the field says otherwise; these don't.
  return `${type} ${field} ${value.toLowerCase()}`;
}
