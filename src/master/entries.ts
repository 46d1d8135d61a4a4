/** What the estate declares, as everyone looks it up. */
import type { ChannelSourcing, LocationSourcing } from './sourcing.ts';

export interface CompanyEntry {
  companyId: number;
  code: string;
  currency: string;
  timeZone: string;
}
export interface LocationEntry extends LocationSourcing {
  locationId: number;
  code: string;
  companyId: number;
  region: string;
  priority: number;
  returns: DeclaredReturns | null;
}
export interface ChannelEntry {
  channelId: number;
  code: string;
  companyId: number;
  system: string | null;
  sellsByItself: boolean;
  numberMeans: 'net_available' | 'on_hand';
  /** In the order in which stock is asked. */
  locationIds: number[];
  share: number;
  cap: number | null;
  buffer: number;
  /** Dated supply counts when it is due within so many days; 0: none does. */
  horizonDays: number;
  tolerance: number;
  onShort: 'backorder' | 'refuse';
  /** What becomes of what it sold by itself and that can't be allocated; policy undefined: as onShort says. */
  onOversold: {
    policy: 'backorder' | 'cancel' | 'substitute' | 'hold' | undefined;
    otherwise: 'backorder' | 'cancel' | 'hold';
  };
  /** What becomes of units that its orders were to get and that a WMS could not find. */
  onShortPick: {
    policy: 'resource' | 'backorder' | 'cancel' | 'substitute' | 'hold';
    otherwise: 'backorder' | 'cancel' | 'hold';
  };
  sharedRisk: boolean;
  /** Of one that sells by itself: what it sold beside a product's order rule is held for a person; else it is taken as it is. */
  holdsQuantities: boolean;
  /** By SKU: what its listing sells one of, where that isn't the base unit. */
  soldIn: ReadonlyMap<string, string>;
  reservationMaxSeconds: number;
  /** Whether its orders are decided against their account's credit. */
  checksCredit: boolean;
  /** Whether other SKUs may be sent for what its orders can't have, where they say nothing of it; of one that asks. */
  substitutes: 'never' | 'offer' | 'allow';
  /** null: by priority, from one location that has all, else from the fullest. */
  sourcing: ChannelSourcing | null;
  /** What promises to its orders were made by; null: it promises no dates. */
  promisedBy: string | null;
  prices: ChannelPrices;
  /** null: as the location says. */
  returns: DeclaredReturns | null;
  /** How its taxes are compared with ours; null: they are not. */
  tax: DeclaredTax | null;
  charging: ChannelCharging;
}
/** What becomes of charges that are put on for other things than the goods. */
export interface ChannelCharging {
  freight: { onCancel: 'keep' | 'share'; onReturn: 'keep' | 'share' };
  other: { onCancel: 'keep' | 'share'; onReturn: 'keep' | 'share' };
  restockingFee: { percent: string; code: string; exceptReasons: readonly string[] } | null;
}
export interface DeclaredCharging {
  freight?: Partial<ChannelCharging['freight']>;
  other?: Partial<ChannelCharging['other']>;
  restockingFee?: { percent: string; code?: string; exceptReasons?: readonly string[] };
}
/** How tax is rounded where the channel sells, and how far its own sum may lie from that. */
export interface DeclaredTax {
  rounding: 'line' | 'order';
  toleranceMinor: number;
}
/** What becomes of an order's price that is not the one decided here, and which list the channel's prices stand in. */
export interface ChannelPrices {
  check: 'off' | 'hold' | 'reprice' | 'accept';
  /** An exact decimal: per cent of the decided amount. */
  tolerancePercent: string;
  /** Of a line's amount. Within either tolerance is within tolerance. */
  toleranceMinor: number;
  list: string | null;
}
/** What becomes of goods that come back. */
export interface DeclaredReturns {
  inspect: boolean;
  credit?: 'inspection' | 'receipt';
}
/** Whose a hold is, when somebody should have looked at it, and what becomes of its order then. */
export interface HoldTerms {
  owner: string;
  dueMinutes: number | null;
  onDue: 'alert' | 'cancel';
  /** Of accounts: what becomes of orders that wait for a hold once it is taken off. */
  onLift: 'release' | 'keep';
}

export interface DestinationEntry {
  destinationId: number;
  code: string;
}
