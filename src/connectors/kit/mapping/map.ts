/** Applies a declared mapping to one record, and tells each step of it. Pure. */
import { fail } from '../../../canonical/index.ts';
import { RECORD_LINES_MAX, Unreadable } from '../fields.ts';
import { type MapStep, openSteps } from '../told.ts';
import { type Expression, expressionOf } from './expression.ts';
import { decimalOf, formed, NotOfForm, timesExactly } from './forms.ts';
import { pointed, pointerOf } from './pointer.ts';
import type { FieldRule, MapSettings } from './schema.ts';

export interface Explained {
  result?: Record<string, unknown>;
  refused?: { reason: string; place: string; value: unknown };
  steps: MapStep[];
}

export interface Mapping {
  /** @throws Unreadable with the place in the message that arrived */
  map(record: unknown, place: string): Record<string, unknown>;
  /** One field alone: a record that can't be read as a whole may still say its key. */
  field(record: unknown, place: string, name: string): unknown;
  /** The same, told step by step. */
  explainMapping(record: unknown, place?: string): Explained;
}

type Rule = Exclude<FieldRule, string>;
interface Field {
  name: string;
  rule: Rule;
  from: readonly string[];
  expression: Expression | undefined;
}

interface Place {
  value: unknown;
  place: string;
  /** The record that holds the list this one is in. */
  outer?: Place;
}

/** @throws XD_ESTATE_INVALID naming the setting below `at` */
export function mappingOf(settings: MapSettings, at = 'settings.map'): Mapping {
  const fields = fieldsOf(settings, settings.fields, `${at}.fields`);
  const lists = Object.entries(settings.lists ?? {}).map(([name, list]) => {
    const place = `${at}.lists.${name}`;
    if ((list.from === undefined) === (list.jsonata === undefined))
      fail('XD_ESTATE_INVALID', `${place} needs either from or jsonata`, { place });
    if (list.from !== undefined) pointerOf(list.from, place);
    const expression = list.jsonata === undefined ? undefined : expressionOf(list.jsonata, `${place}.jsonata`);
    return { name, from: list.from, expression, fields: fieldsOf(settings, list.fields, `${place}.fields`) };
  });

  function apply(value: unknown, place: string, told: MapStep[] | undefined): Record<string, unknown> {
    const record: Place = { value, place };
    const result = rowOf(settings, fields, record, '', told);
    for (const { name, from, expression, fields: own } of lists) {
      const by = from ?? expression!.source;
      const step: MapStep = { field: name, step: from === undefined ? 'jsonata' : 'from', by, input: value };
      told?.push(step);
      const found = from === undefined ? evaluated(expression!, record, step, name) : pointed(value, from);
      // JSONata gives a list of one as the one.
      const entries = Array.isArray(found)
        ? found
        : found == null
          ? []
          : expression !== undefined
            ? [found]
            : undefined;
      const listPlace = from === undefined ? place : place + from;
      const refuse = (reason: string, given: unknown): never => {
        step.refused = reason;
        throw new Unreadable(`${reason} (${name})`, listPlace, given);
      };
      if (entries === undefined) return refuse('must be a list', found);
      if (entries.length > RECORD_LINES_MAX)
        return refuse(`must hold at most ${RECORD_LINES_MAX} lines`, entries.length);
      step.output = entries.length;
      result[name] = entries.map((entry: unknown, index) => {
        const line: Place = { value: entry, place: `${listPlace}/${index}`, outer: record };
        return rowOf(settings, own, line, `${name}/${index}/`, told);
      });
    }
    return result;
  }

  return {
    map: (record, place) => apply(record, place, openSteps()),
    field(value, place, name) {
      const field = fields.find((one) => one.name === name);
      return field && fieldOf(settings, field, { value, place }, {}, '', undefined);
    },
    explainMapping(record, place = '') {
      const steps: MapStep[] = [];
      try {
        return { result: apply(record, place, steps), steps };
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        const { reason, value } = error;
        return { refused: { reason, place: error.place, value }, steps };
      }
    },
  };
}

function fieldsOf(settings: MapSettings, declared: Readonly<Record<string, FieldRule>>, at: string): Field[] {
  return Object.entries(declared).map(([name, given]) => {
    const place = `${at}.${name}`;
    const refuse = (what: string): never => fail('XD_ESTATE_INVALID', `${place} ${what}`, { place });
    const rule: Rule = typeof given === 'string' ? { from: given } : given;
    const ways = ['from', 'jsonata', 'value'].filter((way) => rule[way as 'from'] !== undefined);
    if (ways.length !== 1) refuse('needs one of from, jsonata and value');
    const from = rule.from === undefined ? [] : [rule.from].flat();
    for (const pointer of from) pointerOf(pointer.replace(/^\^/, ''), place);
    if (rule.unit !== undefined) pointerOf(rule.unit.replace(/^\^/, ''), place);
    if (rule.table !== undefined && settings.tables?.[rule.table] === undefined)
      refuse(`names the table ${rule.table}, which isn't there`);
    if (rule.zone !== undefined) {
      try {
        new Intl.DateTimeFormat('en-US', { timeZone: rule.zone });
      } catch {
        refuse(`names the time zone ${rule.zone}, which isn't one`);
      }
    }
    const expression = rule.jsonata === undefined ? undefined : expressionOf(rule.jsonata, `${place}.jsonata`);
    return { name, rule, from, expression };
  });
}

function rowOf(
  settings: MapSettings,
  fields: readonly Field[],
  record: Place,
  prefix: string,
  told: MapStep[] | undefined,
) {
  const row: Record<string, unknown> = {};
  for (const field of fields) {
    const value = fieldOf(settings, field, record, row, prefix, told);
    if (value !== undefined) row[field.name] = value;
  }
  return row;
}

const isThere = (value: unknown) => value !== undefined && value !== null && value !== '';

function fieldOf(
  settings: MapSettings,
  { name, rule, from, expression }: Field,
  record: Place,
  row: Readonly<Record<string, unknown>>,
  prefix: string,
  told: MapStep[] | undefined,
): unknown {
  let place = record.place;
  let value: unknown;
  let last: MapStep | undefined;
  const step = (kind: MapStep['step'], by: string, input: unknown, act: (step: MapStep) => unknown): void => {
    const taken: MapStep = { field: prefix + name, step: kind, by, input };
    told?.push(taken);
    last = taken;
    try {
      value = act(taken);
      taken.output = value;
    } catch (error) {
      if (!(error instanceof NotOfForm)) throw error;
      taken.refused = error.message;
      throw new Unreadable(`${error.message} (${name})`, place, input);
    }
  };

  if (expression !== undefined)
    step('jsonata', expression.source, record.value, (taken) => evaluated(expression, record, taken, name));
  else if (rule.value !== undefined) step('value', '', undefined, () => rule.value);
  else
    for (const pointer of from) {
      const [base, path] = pointer.startsWith('^') ? [record.outer ?? record, pointer.slice(1)] : [record, pointer];
      place = base.place + path;
      step('from', pointer, undefined, () => pointed(base.value, path));
      if (isThere(value)) break;
    }
  if (!isThere(value) && rule.default !== undefined) step('default', '', value, () => rule.default);
  if (!isThere(value)) {
    if (rule.optional === true) return undefined;
    if (rule.value === null || rule.default === null) return null;
    if (last !== undefined) last.refused = 'is missing';
    throw new Unreadable(`is missing (${name})`, place, value);
  }
  if (rule.table !== undefined) {
    const { codes, otherwise } = settings.tables![rule.table]!;
    step('table', rule.table, value, () => {
      const code = textOfCode(value);
      if (Object.hasOwn(codes, code)) return codes[code];
      if (otherwise !== undefined) return otherwise;
      throw new NotOfForm(`is no code of the table ${rule.table}`);
    });
    if (value === null) return null;
  }
  const { unit: unitPointer } = rule;
  if (unitPointer !== undefined) {
    const [base, path] = unitPointer.startsWith('^')
      ? [record.outer ?? record, unitPointer.slice(1)]
      : [record, unitPointer];
    const unit = pointed(base.value, path);
    step('unit', textOr(unit), value, () => {
      const sku = typeof row.sku === 'string' ? row.sku : '';
      const known = typeof unit === 'string' ? unit : '';
      const pack = settings.packs !== undefined && Object.hasOwn(settings.packs, sku) ? settings.packs[sku]! : {};
      const units = settings.units ?? {};
      const factor = Object.hasOwn(pack, known) ? pack[known] : Object.hasOwn(units, known) ? units[known] : undefined;
      if (factor === undefined) throw new NotOfForm(`is in the unit ${textOr(unit)}, which nobody mapped`);
      const amount = timesExactly(decimalOf(value), factor);
      if (amount.includes('.')) throw new NotOfForm(`is no whole number of base units (${amount})`);
      return amount;
    });
  }
  const { as } = rule;
  if (as !== undefined) step('as', as, value, () => formed(as, value, rule.zone));
  return value;
}

function evaluated(expression: Expression, record: Place, step: MapStep, name: string): unknown {
  const done = expression.evaluate(record.value, { record: (record.outer ?? record).value });
  if (done.ok) return done.value;
  step.refused = done.reason;
  throw new Unreadable(`the expression ${done.reason} (${name})`, record.place, null);
}

function textOfCode(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new NotOfForm('must be a code');
}

function textOr(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? JSON.stringify(value).slice(0, 40) : '(none)';
}
