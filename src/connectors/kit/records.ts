/** Records of systems without a contract (rows, lines of files) into ours, as an estate declares it: field by field. Pure. */
import { type Static, Type } from 'typebox';
import { fail, type InboundItem } from '../../canonical/index.ts';
import { Fields, Unreadable } from './fields.ts';
import { type Draft, readOr } from './items.ts';
import { commandOf, keyFor, keyNames, kindFields, type RecordKind, recordKinds, scopeOf } from './record-commands.ts';
import { isTimeFormat, isZone, timeIn } from './times.ts';
import { isPassedBy, type MapStep, openSteps, passedBy, tellMapped } from './told.ts';

const closed = { additionalProperties: false };

const ruleSchema = Type.Object(
  {
    from: Type.Optional(Type.String({ minLength: 1, description: 'name of the column or element' })),
    value: Type.Optional(Type.String({ description: 'what it always is; with from: where the column is empty' })),
    codes: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: 'their code to ours; a code not in it is unreadable' }),
    ),
    decimal: Type.Optional(Type.Union([Type.Literal('.'), Type.Literal(',')], { description: 'default .' })),
    thousands: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1, description: 'between groups of three digits' }),
    ),
    time: Type.Optional(Type.String({ description: 'e.g. dd.MM.yyyy HH:mm; default: RFC 3339' })),
    zone: Type.Optional(Type.String({ description: 'whose clock it is, e.g. Europe/Berlin; default UTC' })),
    packs: Type.Optional(
      Type.Object(
        {
          by: Type.String({ minLength: 1, description: 'the column with the unit' }),
          units: Type.Record(Type.String(), Type.Integer({ minimum: 1 }), { description: 'base units in one of them' }),
        },
        closed,
      ),
    ),
  },
  closed,
);
export const recordMapSchema = Type.Object(
  {
    as: Type.Unsafe<RecordKind>(Type.Union(recordKinds.map((kind) => Type.Literal(kind)))),
    fields: Type.Record(Type.String(), Type.Union([Type.String({ minLength: 1 }), ruleSchema]), {
      description: 'our field to their column, or to a rule',
    }),
    lines: Type.Optional(
      Type.String({ minLength: 1, description: 'the list inside a record; default: each row is a line' }),
    ),
  },
  closed,
);
export type RecordMap = Static<typeof recordMapSchema>;
type Rule = Static<typeof ruleSchema>;

/** A record, and where it stands in what arrived, e.g. `/line/7`. */
export interface Placed {
  place: string;
  values: Readonly<Record<string, unknown>>;
  /** What is said of where it stands, to be read like the others; a record that comes again elsewhere is the same record. */
  own?: Readonly<Record<string, unknown>>;
  /** Why it is none; `values` then hold what was found. */
  fault?: string;
}

const WHOLE = new Set(['quantity', 'lineNo', 'pricePer']);
const MONEY = new Set(['total', 'amount', 'limit', 'openOrders', 'openInvoices']);
const TIMES = new Set(['occurredAt', 'orderedAt', 'dueAt', 'announcedAt', 'asOf']);

export interface RecordReader {
  /** Columns that the map reads. */
  readonly columns: readonly string[];
  /** What rows of one thing have in common; a page must not part them. Undefined: nothing. */
  groupOf(values: Readonly<Record<string, unknown>>): string | undefined;
  /** Items, numbered from 0. `revision` tells states of one thing apart that have neither number nor time of their own. */
  read(records: readonly Placed[], revision?: string): InboundItem[];
}

/** @throws XD_ESTATE_INVALID naming the field of the map that is wrong */
export function recordReader(map: RecordMap, at: string, system: string, channel: string | null): RecordReader {
  const kind = map.as;
  const { group, needed, optional = [] } = kindFields[kind];
  const wrong = (name: string, what: string): never =>
    fail('XD_ESTATE_INVALID', `${at}.fields.${name} ${what}`, { place: `${at}.fields.${name}` });
  for (const name of needed) if (map.fields[name] === undefined) wrong(name, `is missing: ${kind} needs it`);
  const rules = new Map<string, Rule>();
  for (const [name, given] of Object.entries(map.fields)) {
    if (!needed.includes(name) && !optional.includes(name)) wrong(name, `is no field of ${kind}`);
    const rule: Rule = typeof given === 'string' ? { from: given } : given;
    if (rule.from === undefined && rule.value === undefined) wrong(name, 'needs from or value');
    if (rule.time !== undefined && !isTimeFormat(rule.time)) wrong(name, 'has a time without yyyy, MM and dd');
    if (rule.zone !== undefined && !isZone(rule.zone)) wrong(name, `has a zone that nobody knows: ${rule.zone}`);
    rules.set(name, rule);
  }
  if ((kind === 'order' || kind === 'cancel') && channel === null)
    fail('XD_ESTATE_INVALID', `systems.${system}: no channel names it as its system, and it has ${kind}s`);
  const groupRule = group === undefined ? undefined : rules.get(group);
  const textAt = (values: Placed['values'], column: string | undefined) =>
    column === undefined || values[column] == null ? '' : String(values[column]).trim();
  const translated = (values: Placed['values'], place: string, prefix: string): Fields => {
    const told = openSteps();
    return new Fields(
      Object.fromEntries([...rules].map(([name, rule]) => [name, valueAt(name, rule, values, place, told, prefix)])),
      place,
    );
  };

  /** Each step is told to `told` as it is taken: the column, the constant, the code, the form, the pack. */
  function valueAt(
    name: string,
    rule: Rule,
    values: Placed['values'],
    place: string,
    told?: MapStep[],
    prefix = '',
  ): unknown {
    const step = (kind: MapStep['step'], by: string, input: unknown, output: unknown): void => {
      told?.push({ field: prefix + name, step: kind, by, input, output });
    };
    const stop = (kind: MapStep['step'], by: string, input: unknown, error: Unreadable): never => {
      told?.push({ field: prefix + name, step: kind, by, input, refused: error.reason });
      throw error;
    };
    const found = textAt(values, rule.from);
    if (found.includes('\ufffd'))
      stop(
        'from',
        rule.from!,
        found,
        new Unreadable(
          'is not in the declared encoding: change it in the estate or ask for the agreed one',
          `${place}/${rule.from}`,
          found,
        ),
      );
    if (rule.from !== undefined) step('from', rule.from, undefined, found === '' ? undefined : found);
    let text = found === '' ? (rule.value ?? '') : found;
    if (found === '' && rule.value !== undefined)
      step(rule.from === undefined ? 'value' : 'default', '', undefined, rule.value);
    const isFor = (reason: string) => new Unreadable(reason, `${place}/${rule.from ?? name}`, found);
    if (text === '') return undefined;
    if (rule.codes !== undefined) {
      const code = Object.hasOwn(rule.codes, text) ? rule.codes[text] : undefined;
      if (code === undefined)
        return stop(
          'table',
          'codes',
          text,
          isFor(`is a code that nobody mapped; known: ${Object.keys(rule.codes).join(', ')}`),
        );
      step('table', 'codes', text, code);
      text = code;
    }
    if (TIMES.has(name)) {
      if (rule.time === undefined) return text;
      const by = `${rule.time} ${rule.zone ?? 'UTC'}`;
      const time = timeIn(text, rule.time, rule.zone ?? 'UTC');
      if (time === null) return stop('as', by, text, isFor(`must be a time like ${rule.time}`));
      step('as', by, text, time);
      return time;
    }
    if (!WHOLE.has(name) && !MONEY.has(name) && name !== 'unitPrice') return text;
    const form = WHOLE.has(name) ? 'integer' : 'decimal';
    const number = plainNumber(text, rule);
    if (number === null)
      return stop('as', form, text, isFor(`must be a number with "${rule.decimal ?? '.'}" before its fraction`));
    const whole = form === 'decimal' ? number : /^(-?\d{1,10})(\.0*)?$/.exec(number)?.[1];
    if (whole === undefined) return stop('as', form, text, isFor('must be a whole number'));
    step('as', form, text, form === 'decimal' ? whole : Number(whole));
    if (form === 'decimal') return number;
    if (rule.packs === undefined) return Number(whole);
    const unit = textAt(values, rule.packs.by);
    const units = Object.hasOwn(rule.packs.units, unit) ? rule.packs.units[unit] : undefined;
    if (units === undefined)
      return stop(
        'unit',
        JSON.stringify(unit),
        Number(whole),
        new Unreadable('is a unit that nobody mapped', `${place}/${rule.packs.by}`, unit),
      );
    step('unit', JSON.stringify(unit), Number(whole), Number(whole) * units);
    return Number(whole) * units;
  }

  /** Rows of one thing, in the order they came; a list inside a record gives a row for each of its entries. */
  function rowsOf(things: readonly Placed[]): { values: Placed['values']; place: string }[] {
    const placed = things.map((thing) => ({ values: allOf(thing), place: thing.place }));
    if (map.lines === undefined) return placed;
    return placed.flatMap(({ values, place }) => {
      const found = values[map.lines!];
      const list = Array.isArray(found) ? found : found == null || found === '' ? [] : [found];
      return list.map((line, index) => ({
        values: { ...values, ...(line as object) },
        place: `${place}/${map.lines}/${index}`,
      }));
    });
  }

  function draftOf(things: readonly Placed[], revision: string | undefined): Draft {
    const { place } = things[0]!;
    const raw = things.map(({ values }) => values);
    const scope = scopeOf(kind, system, channel);
    if (isPassedBy(scope, () => named(things))) return passedBy(scope);
    const keyOf = (told?: MapStep[]) => {
      const faulty = things.find((one) => one.fault !== undefined);
      if (faulty !== undefined) throw new Unreadable(faulty.fault!, faulty.place, faulty.values);
      const first = rowsOf(things)[0];
      if (first === undefined) throw new Unreadable('must hold at least one line', place, raw[0]);
      return keyFor(kind, new Fields(keyFields(first.values, first.place, told), first.place), revision);
    };
    const isOneRow = group === undefined && map.lines === undefined;
    return readOr(
      raw,
      scope,
      () => keyOf(),
      () => {
        checkKey();
        const rows = rowsOf(things).map(({ values, place: at }, index) =>
          translated(values, at, isOneRow ? '' : `rows/${index}/`),
        );
        tellMapped(rows.length === 1 ? rows[0]!.raw : rows.map((row) => row.raw));
        return commandOf(kind, system, channel, rows, keyOf());
      },
    );

    /** The fields of the key are read again with all others: their steps are told there, and here only if it ends here. */
    function checkKey(): void {
      const steps: MapStep[] = [];
      try {
        keyOf(steps);
      } catch (error) {
        openSteps()?.push(...steps);
        throw error;
      }
    }
  }

  /** What each key of the kind holds. */
  function named(things: readonly Placed[]): string | undefined {
    const [name] = keyNames(kind).filter((one) => one !== 'id' || rules.has('id'));
    const first = rowsOf(things)[0];
    if (first === undefined || name === undefined) return undefined;
    try {
      const value = valueAt(name, rules.get(name)!, first.values, first.place);
      return typeof value === 'string' ? value : undefined;
    } catch (error) {
      if (error instanceof Unreadable) return undefined;
      throw error;
    }
  }

  function keyFields(values: Placed['values'], place: string, told?: MapStep[]): Record<string, unknown> {
    const read = keyNames(kind).filter((name) => rules.has(name));
    return Object.fromEntries(read.map((name) => [name, valueAt(name, rules.get(name)!, values, place, told)]));
  }

  return {
    columns: [...new Set([...rules.values()].flatMap(({ from, packs }) => [from, packs?.by]))].filter(
      (name): name is string => name !== undefined,
    ),
    groupOf: (values) => (map.lines !== undefined ? undefined : textAt(values, groupRule?.from) || undefined),
    read(records, revision) {
      const things: Placed[][] = [];
      let last: string | undefined;
      for (const one of records) {
        const name = one.fault === undefined && map.lines === undefined ? textAt(allOf(one), groupRule?.from) : '';
        if (name !== '' && name === last) things.at(-1)!.push(one);
        else things.push([one]);
        last = name === '' ? undefined : name;
      }
      return things.map((rows, itemNo) => ({ ...draftOf(rows, revision), itemNo }));
    },
  };
}

function allOf({ values, own }: Placed): Placed['values'] {
  return own === undefined ? values : { ...values, ...own };
}

/** `1.234,50` as `1234.50`; null: none. */
function plainNumber(text: string, { decimal = '.', thousands }: Rule): string | null {
  let plain = text.replace(/^\+/, '');
  if (thousands !== undefined && plain.includes(thousands)) {
    const [whole] = plain.split(decimal);
    if (!whole!.split(thousands).every((part, index) => (index === 0 ? /^-?\d{1,3}$/ : /^\d{3}$/).test(part)))
      return null;
    plain = plain.replaceAll(thousands, '');
  }
  if (decimal !== '.') {
    if (plain.includes('.')) return null;
    plain = plain.replace(decimal, '.');
  }
  return /^-?\d{1,12}(\.\d{1,6})?$/.test(plain) ? plain : null;
}
