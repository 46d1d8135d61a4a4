/**
 * How a record was read, told step by step.
 *
 * Maps are pure and synchronous: nothing else runs between the question and its answer. So a teller stands open for one call of
 * {@link tellItem}, and what maps stand on (`readOr`, `mapRecords`, declared mappings) tells it what it does. What is told is the map
 * itself at work on the bytes that were kept, never a second description of it. While nobody asks it costs one comparison a record.
 */
import type { InboundItem } from '../../canonical/index.ts';

/** One step of a field's way: what went in, what came out, or why nothing did. */
export interface MapStep {
  /** `sku`, or `lines/0/sku`; empty: the record as a whole. */
  field: string;
  step: 'from' | 'jsonata' | 'value' | 'default' | 'table' | 'unit' | 'as' | 'command';
  /** What the step is by: the pointer or column, the expression, the table's name, the unit, the form; of `command` its kind, or the place that it has none by. */
  by: string;
  /** Of `from` and `value` absent: it is the record, or nothing. */
  input?: unknown;
  /** Absent: nothing was there. */
  output?: unknown;
  refused?: string;
}

/** Which item; of several with its key the one with its content. */
export interface Wanted {
  scope: string;
  key: string;
  fingerprint?: string;
}

export interface Told {
  item: InboundItem;
  /** As the map was handed it; undefined where the connector's own code reads the message as a whole. */
  record: unknown;
  steps: MapStep[];
  /** Beyond {@link STEPS_MAX}; where it ended is never left out. */
  stepsLeftOut: number;
}

/** Declared maps may run expressions that are slow for every record, and nothing else runs meanwhile. */
export const TELL_MS_MAX = 5_000;
export const STEPS_MAX = 5_000;
/** Of one value, as JSON; the record and the command may have more. */
const VALUE_CHARS_MAX = 4_000;
const RECORD_CHARS_MAX = 200_000;

type Drafted = Omit<InboundItem, 'itemNo'>;

interface Reading {
  raw: unknown;
  steps: MapStep[];
  mapped: unknown;
  made: Drafted | undefined;
}

interface Teller {
  wanted: Wanted;
  until: number;
  open: Reading[];
  done: Reading[];
  records: { raw: unknown; made: Drafted }[];
  late: boolean;
}

let teller: Teller | undefined;

/**
 * What {@link Source.reread} makes of one record of a kept message, and how.
 * @returns `'late'` when the time was over before it was met; undefined when the message holds no such item
 */
export function tellItem(wanted: Wanted, reread: () => readonly InboundItem[]): Told | 'late' | undefined {
  const own: Teller = { wanted, until: performance.now() + TELL_MS_MAX, open: [], done: [], records: [], late: false };
  const before = teller;
  teller = own;
  let items: readonly InboundItem[];
  try {
    items = reread();
  } finally {
    teller = before;
  }
  const found = items.filter(({ scope, key }) => scope === wanted.scope && key === wanted.key);
  const item = found.find(({ fingerprint }) => fingerprint === wanted.fingerprint) ?? found[0];
  if (item === undefined) return own.late ? 'late' : undefined;
  const reading = own.done.findLast(({ made }) => made !== undefined && isOf(made, item));
  const raw = reading === undefined ? own.records.find(({ made }) => isOf(made, item))?.raw : reading.raw;
  const steps = [...(reading?.steps ?? [])];
  const kind = item.command?.kind ?? '';
  const whole: MapStep = { field: '', step: 'command', by: kind, input: reading?.mapped ?? raw };
  if (item.command !== undefined) steps.push({ ...whole, output: item.command });
  else if (!steps.some(({ refused }) => refused !== undefined))
    steps.push({ ...whole, by: item.unreadable?.place ?? '', refused: item.unreadable?.reason ?? 'asks for nothing' });
  const shown = steps.slice(0, STEPS_MAX);
  // The last one is where it ended.
  if (steps.length > STEPS_MAX) shown[STEPS_MAX - 1] = steps.at(-1)!;
  return {
    item,
    record: shortened(raw, RECORD_CHARS_MAX),
    steps: shown.map(shortStep),
    stepsLeftOut: steps.length - shown.length,
  };
}

/** Where the record that is read now tells its steps; undefined: nobody asks. */
export function openSteps(): MapStep[] | undefined {
  return teller?.open.at(-1)?.steps;
}

/** What a declared mapping made of the record that is read now, before it became a command. */
export function tellMapped(mapped: unknown): void {
  const reading = teller?.open.at(-1);
  if (reading !== undefined) reading.mapped = mapped;
}

/** Runs `read`; what it tells meanwhile is of `raw`. */
export function toldOf<T extends Drafted>(raw: unknown, read: () => T): T {
  if (teller === undefined) return read();
  const own = teller;
  const reading: Reading = { raw, steps: [], mapped: undefined, made: undefined };
  own.open.push(reading);
  try {
    reading.made = read();
    return reading.made as T;
  } finally {
    own.open.pop();
    own.done.push(reading);
  }
}

/** From which record of a message something was made. */
export function tellRecord(raw: unknown, made: Drafted): void {
  teller?.records.push({ raw, made });
}

/**
 * Whether a record need not be read, as somebody asks for another one. Keys hold the name that `named` gives; without a name it is read
 * only if what is asked for has none either.
 */
export function isPassedBy(scope: string, named: () => string | undefined): boolean {
  if (teller === undefined) return false;
  const { wanted, until } = teller;
  if (scope !== wanted.scope) return true;
  if (performance.now() > until) {
    teller.late = true;
    return true;
  }
  if (wanted.key.startsWith('unreadable:')) return false;
  const name = named();
  return name === undefined || !wanted.key.toUpperCase().includes(name.toUpperCase());
}

/** What stands for a record that was passed by; no key is empty. */
export function passedBy(scope: string): Drafted {
  return { scope, key: '', fingerprint: '' };
}

function isOf(made: Drafted, { command, unreadable }: InboundItem): boolean {
  return command === undefined ? unreadable !== undefined && made.unreadable === unreadable : made.command === command;
}

function shortStep(step: MapStep): MapStep {
  const charsMax = step.step === 'command' ? RECORD_CHARS_MAX : VALUE_CHARS_MAX;
  const short = { ...step };
  for (const name of ['input', 'output'] as const) {
    if (short[name] === undefined) delete short[name];
    else short[name] = shortened(short[name], charsMax);
  }
  return short;
}

function shortened(value: unknown, charsMax: number): unknown {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value) ?? '';
  return text.length <= charsMax ? value : `${text.slice(0, charsMax)}… (${text.length} characters)`;
}
