/** Small readers of what the settings declare: selectors, templates, statuses, times. Pure. */
import { fail } from '../../canonical/index.ts';
import { expressionOf, pointed, pointerOf } from '../kit/index.ts';
import type { Selector } from './settings.ts';

export type Select = (value: unknown) => unknown;
export type Variables = Readonly<Record<string, string>>;

/** @throws XD_ESTATE_INVALID where it is neither a pointer nor an expression */
export function selectOf(selector: Selector, at: string): Select {
  if (typeof selector === 'string') {
    pointerOf(selector, at);
    return (value) => pointed(value, selector);
  }
  const expression = expressionOf(selector.jsonata, at);
  return (value) => {
    const done = expression.evaluate(value);
    return done.ok ? done.value : fail('XD_CONNECTOR_MALFORMED', `${at}: the expression ${done.reason}`);
  };
}

const NAME = /\{(\w+)\}/g;

/** Refuses names that nobody fills, at start: they would go out as they stand. */
export function checkTemplate(template: string, known: readonly string[], at: string): void {
  for (const [, name] of template.matchAll(NAME))
    if (!known.includes(name!))
      fail('XD_ESTATE_INVALID', `${at}: {${name}} is none of ${known.map((one) => `{${one}}`).join(', ')}`, {
        place: at,
      });
}

/** Filled and encoded; nothing that a record says can leave its place in the path. */
export function pathOf(template: string, query: Readonly<Record<string, string>>, variables: Variables): string {
  const path = template.replaceAll(NAME, (_, name: string) => segment(variables[name] ?? ''));
  const parameters = Object.entries(query).flatMap(([name, value]) => {
    const names = [...value.matchAll(NAME)].map((match) => match[1]!);
    if (names.some((one) => (variables[one] ?? '') === '')) return [];
    const filled = value.replaceAll(NAME, (_, one: string) => variables[one]!);
    return [`${encodeURIComponent(name)}=${encodeURIComponent(filled)}`];
  });
  if (parameters.length === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${parameters.join('&')}`;
}

/** `.` and `..` mean another path to every server, also encoded. */
function segment(text: string): string {
  if (text === '.' || text === '..') fail('XD_VALUE_INVALID', `${JSON.stringify(text)} can't stand in a path`);
  return encodeURIComponent(text);
}

/** What a system says of whether more follows: a link, a token, a number of them, true. */
export function isMore(found: unknown): boolean {
  return found !== undefined && found !== null && found !== false && found !== '' && found !== 0;
}

export function isStatus(status: number, declared: readonly (number | string)[] | undefined): boolean {
  return declared?.some((one) => one === status || one === `${Math.floor(status / 100)}xx`) ?? false;
}

/** `<…>; rel="next"` of a Link header (RFC 8288). */
export function nextLink(header: string | string[] | undefined): string | undefined {
  for (const [, target, parameters] of [header ?? []]
    .flat()
    .join(', ')
    .matchAll(/<([^>]*)>([^<]*)/g))
    if (/;\s*rel\s*=\s*("([^"]*\s)?next(\s[^"]*)?"|next\b)/i.test(parameters!)) return target;
  return undefined;
}
