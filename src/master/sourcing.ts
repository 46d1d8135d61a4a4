/** What an estate declares about from where and when its orders are served, made ready to decide by. */
import { fingerprint } from '../canonical/index.ts';
import { Calendar, type CalendarRule, type Position, type RankCriterion, type SourcingRule } from '../promise/index.ts';

export type DeclaredCalendar = CalendarRule;
/** Country -> beginning of a postal code, `*` for all others -> position. */
export type DeclaredPostalAreas = Record<string, Record<string, Position>>;

export interface DeclaredLocationSourcing {
  calendar?: string;
  position?: Position;
  costMinor?: number;
  receivingDays?: number;
}

export interface DeclaredSourcing {
  rank?: RankCriterion[];
  splitMax?: number;
  lineSplitMax?: number;
  shipComplete?: boolean;
  version?: string;
}

export interface LocationSourcing {
  calendar: Calendar | null;
  position: Position | null;
  costMinor: number;
  receivingDays: number;
}

export type ChannelSourcing = SourcingRule;

type Calendars = Record<string, DeclaredCalendar> | undefined;

/** @returns `settings`: as it is kept, with its calendar, for whoever reads it back without the estate file */
export function locationSourcing(
  declared: DeclaredLocationSourcing,
  calendars: Calendars,
): LocationSourcing & { settings: string | null } {
  const rule = declared.calendar === undefined ? undefined : calendars?.[declared.calendar];
  const settings = { ...declared, ...(rule !== undefined && { rule }) };
  return {
    calendar: rule === undefined ? null : new Calendar(rule),
    position: declared.position ?? null,
    costMinor: declared.costMinor ?? 0,
    receivingDays: declared.receivingDays ?? 0,
    settings: Object.keys(settings).length === 0 ? null : JSON.stringify(settings),
  };
}

/** A channel promises dates where it declares sourcing or one of its locations a calendar. */
export function channelSourcing(
  declared: { sourcing?: DeclaredSourcing; locations: string[] },
  estate: { locations: Record<string, DeclaredLocationSourcing>; calendars?: Calendars },
): { sourcing: ChannelSourcing | null; promisedBy: string | null } {
  const { sourcing } = declared;
  const rule = sourcing && {
    rank: sourcing.rank ?? (['priority'] as const),
    splitMax: sourcing.splitMax ?? null,
    lineSplitMax: sourcing.lineSplitMax ?? null,
    shipComplete: sourcing.shipComplete ?? false,
  };
  const places = declared.locations.toSorted().map((code) => {
    const { calendar, position, costMinor, receivingDays } = estate.locations[code]!;
    return [code, calendar === undefined ? null : estate.calendars?.[calendar], position, costMinor, receivingDays];
  });
  const promises = rule !== undefined || places.some(([, calendar]) => calendar !== null && calendar !== undefined);
  return {
    sourcing: rule ?? null,
    promisedBy: promises ? (sourcing?.version ?? ruleVersion([rule ?? null, places])) : null,
  };
}

/** Of the rule's content: another rule has another version. */
function ruleVersion(content: unknown): string {
  return fingerprint('sourcing', content).replace(/^.*:/, '').slice(0, 12);
}

/** Where orders to a postal code go, as the estate's table has it. */
export class PostalAreas {
  readonly #areas: DeclaredPostalAreas;

  constructor(areas: DeclaredPostalAreas = {}) {
    this.#areas = areas;
  }

  /** By the longest beginning of the code that is there; null: the table doesn't say. */
  find(country: string, postalCode: string): Position | null {
    const areas = this.#areas[country.toUpperCase()];
    if (areas === undefined) return null;
    const code = postalCode.toUpperCase().replace(/[^A-Z0-9]/g, '');
    for (let length = code.length; length > 0; length--) {
      const area = areas[code.slice(0, length)];
      if (area !== undefined) return area;
    }
    return areas['*'] ?? null;
  }
}
