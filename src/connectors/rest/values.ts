/** Small readers of what the settings declare: selectors, templates, statuses, times. Pure. */
import { fail } from '../../canonical/index.ts';
import { expressionOf, pointed, pointerOf } from '../kit/index.ts';
import type { Selector, TimeForm } from './settings.ts';

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

export function isStatus(status: number, declared: readonly (number | string)[] | undefined): boolean {
  return declared?.some((one) => one === status || one === `${Math.floor(status / 100)}xx`) ?? false;
}

/** A link to the next page as a path below the system's URL. One that leads elsewhere is never followed: our credentials would go there. */
export function pathBelow(base: string, current: string, link: string): string {
  const root = new URL(base.endsWith('/') ? base : `${base}/`);
  const url = URL.parse(link, root.href.slice(0, -1) + current);
  const prefix = root.pathname.replace(/\/$/, '');
  if (url === null || url.origin !== root.origin || !`${url.pathname}/`.startsWith(`${prefix}/`))
    fail('XD_CONNECTOR_MALFORMED', 'the link to the next page leads to another place than the system');
  return url.pathname.slice(prefix.length) + url.search;
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

const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/;
const FRACTION_DIGITS = 9;

/** A time of change in UTC with nine digits, so that texts sort as times. One without an offset is taken as it stands. */
export function changeTime(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return full(value < 1e11 ? value * 1000 : value, '');
  if (typeof value !== 'string') return undefined;
  const v2 = /^\/Date\((-?\d{1,15})([+-]\d{4})?\)\/$/.exec(value);
  if (v2 !== null) return full(Number(v2[1]), '');
  const [, day, time, fraction = '', offset = 'Z'] = TIME.exec(value) ?? [];
  return day === undefined ? undefined : full(Date.parse(`${day}T${time}${offset}`), fraction);
}

function full(ms: number, fraction: string): string | undefined {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return undefined;
  const iso = at.toISOString();
  const digits = (fraction === '' ? iso.slice(20, 23) : fraction).padEnd(FRACTION_DIGITS, '0');
  return `${iso.slice(0, 19)}.${digits}Z`;
}

/** As the system wants it; rounded down where it wants fewer digits, since more is read rather than less. */
export function writtenTime(at: string, form: TimeForm = 'rfc3339'): string {
  if (at === '') return '';
  switch (form) {
    case 'exact':
      return at.replace(/(\.\d*?)0*Z$/, (_, digits: string) => (digits === '.' ? 'Z' : `${digits}Z`));
    case 'seconds':
      return `${at.slice(0, 19)}Z`;
    case 'local':
      return at.slice(0, 23);
    case 'date':
      return at.slice(0, 10);
    case 'unix':
      return String(Math.floor(Date.parse(`${at.slice(0, 19)}Z`) / 1000));
    case 'unixMs':
      return String(Date.parse(`${at.slice(0, 23)}Z`));
    default:
      return `${at.slice(0, 23)}Z`;
  }
}
