import {
  deliveryKinds,
  holdKinds,
  masterDomains,
  orderStages,
  ownableNames,
  publicationKinds,
} from '../canonical/index.ts';
import type { Faults, Path } from './faults.ts';
import { checkMatching } from './matching.ts';
import { checkCalendar, checkSourcing } from './sourcing.ts';

type Loose = Record<string, unknown>;

const ownable = ownableNames();
/** Of a domain that there is, its fields; else the domains. */
function ownableNear(name: string): string[] {
  const domain = masterDomains.find((one) => name.startsWith(`${one}.`));
  if (domain === undefined) return name.includes('.') ? ownable : [...masterDomains];
  return ownable.filter((one) => one.startsWith(`${domain}.`));
}

/** Sums of shares are sums of decimals: 0.1 + 0.2 + 0.7 must not be too much. */
const SHARE_TOLERANCE = 1e-9;

/**
 * What the schema can't say: codes that name other things, shares that add up, time zones that exist. Runs on whatever there
 * is, also when the shape is wrong elsewhere, so that one look shows every fault.
 */
export function checkReferences(value: unknown, connectors: Iterable<string> | undefined, faults: Faults): void {
  const estate = recordOf(value);
  const part = (name: string): [string, Loose][] => {
    return Object.entries(recordOf(estate[name])).map(([code, settings]) => [code, recordOf(settings)]);
  };
  const codes = (name: string): string[] => Object.keys(recordOf(estate[name]));
  const known = {
    ...{ company: codes('companies'), location: codes('locations'), system: codes('systems') },
    calendar: codes('calendars'),
  };
  const isCompany = (code: unknown): code is string => typeof code === 'string' && known.company.includes(code);
  const names = (what: keyof typeof known, code: unknown, path: Path): void => {
    if (typeof code !== 'string' || known[what].includes(code)) return;
    faults.addUnknown(path, `no ${what} ${code}`, code, known[what]);
  };

  for (const [code, { currency, timeZone }] of part('companies')) {
    checkCurrency(currency, ['companies', code, 'currency'], faults);
    checkTimeZone(timeZone, ['companies', code, 'timeZone'], faults);
  }
  for (const [code, calendar] of part('calendars')) {
    checkTimeZone(calendar.timeZone, ['calendars', code, 'timeZone'], faults);
    checkCalendar(calendar, ['calendars', code], faults);
  }
  for (const [code, { company, calendar }] of part('locations')) {
    names('company', company, ['locations', code, 'company']);
    names('calendar', calendar, ['locations', code, 'calendar']);
  }
  for (const [name, factory] of Object.entries(recordOf(estate.connectors)))
    if (typeof factory !== 'function')
      faults.add(['connectors', name], `must be a connector's factory (a function), found ${typeof factory}`);
  if (connectors !== undefined) {
    const served = [...connectors, ...codes('connectors')];
    for (const [code, { connector }] of part('systems')) {
      if (typeof connector !== 'string' || served.includes(connector)) continue;
      faults.addUnknown(['systems', code, 'connector'], `no connector ${connector}`, connector, served);
    }
  }

  const locations = recordOf(estate.locations);
  const channelOfSystem = new Map<string, string>();
  for (const [code, channel] of part('channels')) {
    const path = ['channels', code];
    names('company', channel.company, [...path, 'company']);
    names('system', channel.system, [...path, 'system']);
    if (typeof channel.system === 'string') {
      const other = channelOfSystem.get(channel.system);
      // A connector gives its orders to one channel; a second one would never see any.
      if (other !== undefined) faults.add([...path, 'system'], `${channel.system} already serves channel ${other}`);
      else channelOfSystem.set(channel.system, code);
    }
    if (channel.onOversold !== undefined && channel.sells === 'asks')
      faults.add(
        [...path, 'onOversold'],
        'is for a channel that sells by itself: one that asks sells nothing it was not promised',
      );
    if (channel.sells === 'by_itself' && recordOf(channel.prices).check === 'reprice')
      faults.add(
        [...path, 'prices', 'check'],
        'must not be reprice: who bought of a channel that sells by itself has paid; hold or accept',
      );
    if (channel.substitutes !== undefined && channel.sells === 'by_itself')
      faults.add([...path, 'substitutes'], 'is for a channel that asks: one that sells by itself has onOversold');
    if (channel.soldIn !== undefined && channel.sells === 'asks')
      faults.add(
        [...path, 'soldIn'],
        'is for a channel that sells by itself: each line of one that asks says its unit',
      );
    if (channel.onOrderRule !== undefined && channel.sells === 'asks')
      faults.add(
        [...path, 'onOrderRule'],
        'is for a channel that sells by itself: of one that asks the product says what becomes of it',
      );
    if (channel.sells === 'by_itself') {
      if (channel.system === undefined)
        faults.add([...path, 'system'], 'is missing: a channel that sells by itself has one');
      if (channel.numberMeans === undefined)
        faults.add([...path, 'numberMeans'], 'is missing: what is the number of a channel that sells by itself?');
    }
    checkLocations(channel, path);
    checkSourcing(channel, path, faults);
  }
  checkShares(part('channels'), faults);

  for (const [domain, system] of Object.entries(recordOf(estate.routing))) names('system', system, ['routing', domain]);
  for (const kind of ['account', 'product'])
    checkMatching(recordOf(recordOf(estate.matching)[kind]), ['matching', kind], faults, (code, path) =>
      names('system', code, path),
    );
  for (const kind of codes('holds'))
    if (!(holdKinds as readonly string[]).includes(kind))
      faults.addUnknown(['holds', kind], `no kind of hold ${kind}`, kind, holdKinds);
    else if (kind !== 'account' && recordOf(recordOf(estate.holds)[kind]).onLift !== undefined)
      faults.add(['holds', kind, 'onLift'], 'is of account only: other holds are of their order alone');
  for (const stage of codes('stages'))
    if (!(orderStages as readonly string[]).includes(stage))
      faults.addUnknown(['stages', stage], `an order is never stuck in ${stage}`, stage, orderStages);
  for (const [field, system] of Object.entries(recordOf(estate.owners))) {
    if (!ownable.includes(field))
      faults.addUnknown(['owners', field], `no domain or field ${field}`, field, ownableNear(field));
    names('system', system, ['owners', field]);
  }
  for (const domain of codes('ownership'))
    if (!masterDomains.includes(domain as never))
      faults.addUnknown(['ownership', domain], `no domain ${domain}`, domain, masterDomains);
  if (known.system.includes('person'))
    faults.add(['systems', 'person'], 'must have another name: what people put is kept under it');
  const ends = [...known.system, ...codes('channels')];
  const told: readonly string[] = [...publicationKinds, ...deliveryKinds];
  for (const flow of codes('freshness')) {
    const [, kind = '', end] = /^([^:]*):(.+)$/.exec(flow) ?? [];
    if (end === undefined) faults.add(['freshness', flow], 'must be named kind:system, e.g. availability:shop');
    else if (!told.includes(kind)) faults.addUnknown(['freshness', flow], `nothing is told as ${kind}`, kind, told);
    else if (!ends.includes(end)) faults.addUnknown(['freshness', flow], `no system or channel ${end}`, end, ends);
  }

  function checkLocations(channel: Loose, path: Path): void {
    if (!Array.isArray(channel.locations)) return;
    const seen = new Set<unknown>();
    for (const [index, location] of channel.locations.entries()) {
      const at = [...path, 'locations', index];
      names('location', location, at);
      if (seen.has(location)) faults.add(at, `${String(location)} is there twice`);
      seen.add(location);
      const { company } = recordOf(locations[String(location)]);
      // A company that there is not has been named already.
      if (!isCompany(company) || !isCompany(channel.company)) continue;
      if (company !== channel.company)
        faults.add(at, `${String(location)} belongs to company ${company}, the channel to ${channel.company}`);
    }
  }
}

/**
 * Each channel that sells by itself may believe its share of what is free. Together they must not be able to sell more than
 * there is; who wants that says so with `risk: 'shared'` and is not counted.
 */
function checkShares(channels: [string, Loose][], faults: Faults): void {
  const byLocation = new Map<string, { sum: number; channels: string[] }>();
  for (const [code, { sells, risk, share = 1, locations }] of channels) {
    if (sells !== 'by_itself' || risk === 'shared' || typeof share !== 'number' || !Array.isArray(locations)) continue;
    for (const location of new Set(locations)) {
      if (typeof location !== 'string') continue;
      const at = byLocation.get(location) ?? { sum: 0, channels: [] };
      byLocation.set(location, { sum: at.sum + share, channels: [...at.channels, code] });
    }
  }
  for (const [location, { sum, channels: sharing }] of byLocation) {
    if (sum <= 1 + SHARE_TOLERANCE) continue;
    const total = Number(sum.toFixed(6));
    faults.add(
      ['channels', sharing.at(-1)!, 'share'],
      `shares of ${location} add up to ${total} (${sharing.join(', ')}); at most 1, or risk: 'shared'`,
    );
  }
}

function checkTimeZone(value: unknown, path: Path, faults: Faults): void {
  if (typeof value !== 'string' || value === '') return;
  if (isTimeZone(value)) return;
  faults.addUnknown(path, `no time zone ${value}`, value, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
}

/** Also the aliases, which are not in the list of supported values. Fixed offsets would be an hour wrong half the year. */
function isTimeZone(value: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return !/^[+-]/.test(value);
  } catch {
    return false;
  }
}

function checkCurrency(value: unknown, path: Path, faults: Faults): void {
  if (typeof value !== 'string' || !/^[A-Z]{3}$/.test(value)) return;
  const known = Intl.supportedValuesOf('currency');
  if (!known.includes(value)) faults.addUnknown(path, `no currency ${value}`, value, known);
}

function recordOf(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}
