/** Places of feeds that systems write each in their own way: times of change, links to the next page. Pure. */
import { fail } from '../../canonical/index.ts';

/** How a system wants times in a question. */
export const timeForms = ['rfc3339', 'exact', 'seconds', 'local', 'date', 'unix', 'unixMs'] as const;
export type TimeForm = (typeof timeForms)[number];

/** A link to the next page as a path below the system's URL. One that leads elsewhere is never followed: our credentials would go there. */
export function pathBelow(base: string, current: string, link: string): string {
  const root = new URL(base.endsWith('/') ? base : `${base}/`);
  const url = URL.parse(link, root.href.slice(0, -1) + current);
  const prefix = root.pathname.replace(/\/$/, '');
  if (url === null || url.origin !== root.origin || !`${url.pathname}/`.startsWith(`${prefix}/`))
    fail('XD_CONNECTOR_MALFORMED', 'the link to the next page leads to another place than the system');
  return url.pathname.slice(prefix.length) + url.search;
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
