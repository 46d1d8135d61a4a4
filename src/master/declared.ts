/** What the last start of the hub declared, read back: commands work on a database without its estate file at hand. */
import { type Queryable, sql } from '../store/index.ts';
import type { DeclaredEstate, DeclaredRules } from './declared-estate.ts';
import type { DeclaredReturns } from './entries.ts';
import type { DeclaredCalendar, DeclaredLocationSourcing } from './sourcing.ts';

const readCompanies = sql<{ code: string; currency: string; time_zone: string }>(
  'master_read_companies',
  'select code, currency, time_zone from company',
);
const readLocations = sql<{
  code: string;
  company: string;
  region: string;
  priority: number;
  returns: DeclaredReturns | null;
  settings: (DeclaredLocationSourcing & { rule?: DeclaredCalendar }) | null;
}>(
  'master_read_locations',
  'select l.code, c.code as company, l.region, l.priority, l.settings, l.returns from location l join company c using (company_id)',
);
const readChannels = sql<{ code: string; company: string; settings: DeclaredEstate['channels'][string] }>(
  'master_read_channels',
  'select h.code, c.code as company, h.settings from channel h join company c using (company_id)',
);
const readRules = sql<{ name: string; settings: unknown }>(
  'master_read_rules',
  'select name, settings from declared_rule',
);
const readDestinations = sql<{ code: string }>('master_read_destinations', 'select code from destination');

export async function readDeclared(db: Queryable): Promise<DeclaredEstate> {
  const companies = await db.query(readCompanies);
  const locations = await db.query(readLocations);
  const channels = await db.query(readChannels);
  const destinations = await db.query(readDestinations);
  const rules = await db.query(readRules);
  return {
    ...(Object.fromEntries(rules.map((row) => [row.name, row.settings])) as DeclaredRules),
    companies: Object.fromEntries(
      companies.map((row) => [row.code, { currency: row.currency, timeZone: row.time_zone }]),
    ),
    locations: Object.fromEntries(
      locations.map(({ code, company, region, priority, settings, returns }) => {
        const { rule: _, ...sourcing } = settings ?? {};
        return [
          code,
          { company, region, priority, safetyStock: null, ...sourcing, ...(returns !== null && { returns }) },
        ];
      }),
    ),
    calendars: Object.fromEntries(
      locations.flatMap(({ settings }) =>
        settings?.calendar !== undefined && settings.rule !== undefined ? [[settings.calendar, settings.rule]] : [],
      ),
    ),
    systems: Object.fromEntries(destinations.map((row) => [row.code, { quantities: null }])),
    channels: Object.fromEntries(
      channels.map((row) => [
        row.code,
        { ...row.settings, company: row.company, locations: row.settings.locations ?? [] },
      ]),
    ),
  };
}
