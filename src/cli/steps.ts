/** How a record was read, as text. */
import type { RecordTold } from '../ingest/index.ts';
import { paint } from './output.ts';

const STEPS_SHOWN_MAX = 60;
const VALUE_CHARS_MAX = 70;
const FIELD_CHARS_MAX = 30;

/** One line a step: field, step, what by, input → output; where it ended, and what to do. */
export function stepLines(told: RecordTold): string[] {
  const { steps, untold, stepsLeftOut, next, isAsItCame, message, source, system } = told;
  const head = `read   ${told.scope} ${told.key}, of message ${message} (${source ?? 'no longer kept'}${system ? `, ${system}` : ''})`;
  if (untold !== null) return [head, `  ${untold}`];
  const shown = steps.length > STEPS_SHOWN_MAX ? [...steps.slice(0, STEPS_SHOWN_MAX - 1), steps.at(-1)!] : steps;
  const left = steps.length - shown.length + stepsLeftOut;
  const width = Math.min(FIELD_CHARS_MAX, Math.max(...shown.map(({ field }) => field.length)));
  const lines = shown.map(({ field, step, by, input, output, refused }) => {
    const hasInput = step !== 'from' && step !== 'value' && step !== 'default';
    const went = [`${step} ${cut(by)}`.trimEnd().padEnd(26), ...(hasInput ? [textOf(input)] : [])];
    if (refused !== undefined)
      return `${paint('red', '✗', process.stdout)} ${field.padEnd(width)}  ${went.join('  ')}  ${paint('red', `✗ ${refused}`, process.stdout)}`;
    return `  ${field.padEnd(width)}  ${went.join('  ')} → ${textOf(output)}`;
  });
  if (left > 0)
    lines.splice(
      lines.length - 1,
      0,
      `  … ${left} more steps; --json has ${stepsLeftOut > 0 ? 'more of them' : 'them all'}`,
    );
  return [
    head,
    ...lines.map((line) => `  ${line}`),
    ...(isAsItCame === false ? ['  it reads otherwise than when it came: the mapping has changed since'] : []),
    ...(next === null ? [] : [`  next: ${next}`]),
  ];
}

function textOf(value: unknown): string {
  return value === undefined ? '(nothing)' : cut(JSON.stringify(value) ?? '');
}

function cut(text: string): string {
  const plain = text.replaceAll(/\s+/g, ' ');
  return plain.length <= VALUE_CHARS_MAX ? plain : `${plain.slice(0, VALUE_CHARS_MAX - 1)}…`;
}
