/** What the directory needs of an estate. */
import type { Ownership } from '../canonical/index.ts';
import type { DeclaredCredit } from './credit-policy.ts';
import type { DeclaredModes } from './degraded-policy.ts';
import type { ChannelPrices, DeclaredCharging, DeclaredReturns } from './entries.ts';
import type { MatchKind, MatchRule } from './match-rules.ts';
import type { DeclaredCalendar, DeclaredLocationSourcing, DeclaredPostalAreas, DeclaredSourcing } from './sourcing.ts';

/** Rules that are no channel's, location's or system's own. */
export interface DeclaredRules {
  /** Which system serves a domain. */
  routing?: { orders?: string; fulfilment?: string; accounts?: string };
  degradedModes?: DeclaredModes;
  credit?: DeclaredCredit;
  holds?: Record<
    string,
    { owner?: string; dueMinutes?: number; onDue?: 'alert' | 'cancel'; onLift?: 'release' | 'keep' }
  >;
  matching?: Partial<Record<MatchKind, { systems: readonly string[]; rules: readonly MatchRule[] }>>;
  /** Domain or domain.field -> system. */
  owners?: Record<string, string>;
  ownership?: Record<string, Ownership>;
}
export const ruleNames = [
  'holds',
  'credit',
  'matching',
  'owners',
  'ownership',
  'degradedModes',
  'routing',
] as const satisfies readonly (keyof DeclaredRules)[];

/** What the directory needs of an estate; the estate room's type fits it. */
export interface DeclaredEstate extends DeclaredRules {
  companies: Record<string, { currency: string; timeZone: string }>;
  /** `safetyStock`: null leaves what the last start declared, for whoever only reads it back. */
  locations: Record<
    string,
    {
      company: string;
      region: string;
      priority?: number;
      safetyStock?: number | null;
      returns?: DeclaredReturns;
    } & DeclaredLocationSourcing
  >;
  calendars?: Record<string, DeclaredCalendar>;
  postalAreas?: DeclaredPostalAreas;
  /** `quantities`: null leaves what the last start declared. */
  systems: Record<string, { quantities?: 'gross' | 'net' | null }>;
  channels: Record<
    string,
    {
      company: string;
      system?: string;
      sells: 'by_itself' | 'asks';
      numberMeans?: 'net_available' | 'on_hand';
      locations: string[];
      share?: number;
      cap?: number;
      buffer?: number;
      horizonDays?: number;
      tolerance?: number;
      onShort?: 'backorder' | 'refuse';
      onOversold?: {
        policy: 'backorder' | 'cancel' | 'substitute' | 'hold';
        otherwise?: 'backorder' | 'cancel' | 'hold';
      };
      onShortPick?: {
        policy: 'resource' | 'backorder' | 'cancel' | 'substitute' | 'hold';
        otherwise?: 'backorder' | 'cancel' | 'hold';
      };
      risk?: 'none' | 'shared';
      onOrderRule?: 'take' | 'hold';
      soldIn?: Record<string, string>;
      reservationMaxSeconds?: number;
      sourcing?: DeclaredSourcing;
      substitutes?: 'never' | 'offer' | 'allow';
      prices?: { check?: ChannelPrices['check']; tolerancePercent?: string; toleranceMinor?: number; list?: string };
      credit?: 'check' | 'off';
      returns?: DeclaredReturns;
      tax?: { rounding: 'line' | 'order'; toleranceMinor?: number };
      charges?: DeclaredCharging;
    }
  >;
}
