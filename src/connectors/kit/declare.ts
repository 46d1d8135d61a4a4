/** What a connector says of itself: the docs, the estate's checks and the conformance kit are made from it. */
import { type TObject, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { fail } from '../../canonical/index.ts';
import { inOneUnit } from './one-unit.ts';
import type { Connector, ConnectorContext, ConnectorFactory, DeliveryKindName, Source } from './types.ts';

/** What records are about. */
export const domains = [
  'orders',
  'opportunities',
  'cancels',
  'stock',
  'supply',
  'shipments',
  'invoices',
  'returns',
  'products',
  'prices',
  'accounts',
  'credit',
] as const;
export type Domain = (typeof domains)[number];

export interface SourceDeclaration {
  domains: readonly Domain[];
  /**
   * sequence: a number that only grows · keyset: a time and an id, with an overlap for what commits late · snapshot: all of it, compared
   * with the last · file: one file after the other
   */
  cursor: 'sequence' | 'keyset' | 'snapshot' | 'file';
  /** How far back is read again, in ms: a change that commits later than this after its own time is found by comparing only. */
  overlapMs?: number;
  /** Whether records of one thing come in their order. */
  ordering: 'none' | 'per_thing';
  /** Whether the system says by itself that something happened; the feed is what counts. */
  push: boolean;
}

export interface WriteDeclaration {
  batchMax: number;
  /** By what it is looked up: the system's field that holds our reference. */
  locator: string;
  /** native: the system refuses or ignores a second write of one reference; none: it is looked up before. */
  idempotency: 'native' | 'none';
  /** One write at a time, because the system fails otherwise. */
  serial?: boolean;
}

export interface StateDeclaration {
  batchMax: number;
  /** version: the system keeps ours · content: what is there is compared with what was said · none: only the answer says it */
  readBack: 'version' | 'content' | 'none';
  /** Of numbers: whether one is set only where it still is what we think, or by how much it differs. */
  guard?: 'compare_and_set' | 'difference' | 'orders_through' | 'none';
}

export interface Declaration {
  name: string;
  /** One sentence for the list of connectors. */
  summary: string;
  /** The system and its releases that it was run against, or "none" with the reason. */
  provenAgainst: string;
  sources: Readonly<Record<string, SourceDeclaration>>;
  deliveries: Readonly<Partial<Record<DeliveryKindName, WriteDeclaration>>>;
  states: Readonly<Partial<Record<'availability' | 'prices' | 'orderStatus', StateDeclaration>>>;
  /** Whether it can be asked what accounts owe: how many at once. */
  credit?: { accountsMax: number };
  /** Whether it can be asked what it would ask, shows or has quoted: how many at once. */
  quotes?: { batchMax: number };
  /** What it needs besides a URL. */
  needs: readonly ('token' | 'webhookSecret' | 'channel')[];
  /** Its settings in the estate; each says what it is. */
  settings: TObject;
  /** Of connectors whose feeds and writes the estate declares: what these settings make of the three above, which are empty. */
  bySettings?(settings: Readonly<Record<string, unknown>>): Pick<Declaration, 'sources' | 'deliveries' | 'states'>;
  /** What the system takes; the estate may say less. */
  limits: { callsPerSecond: number; concurrency: number };
  /** Known ways in which the system lies or fails, each with what the connector does about it. */
  quirks: readonly string[];
}

export const noSettings = Type.Object({}, { additionalProperties: false });

/**
 * A factory with its declaration. Settings are checked against it before anything is built, and what is built is held to it.
 * @throws XD_ESTATE_INVALID naming the setting
 */
export function defineConnector(
  declaration: Declaration,
  create: (context: ConnectorContext) => Omit<Connector, 'name'>,
): ConnectorFactory {
  const check = Compile(declaration.settings);
  const factory = (context: ConnectorContext): Connector => {
    const [fault] = check.Errors(context.settings);
    if (fault !== undefined) {
      const at = fault.instancePath.replaceAll('/', '.');
      // Said so of a key where no more are allowed.
      const isUnknown = fault.message === 'schema is false';
      fail(
        'XD_ESTATE_INVALID',
        `systems.${context.system}.settings${at}: ${isUnknown ? `${declaration.name} has no such setting` : fault.message}`,
        {
          place: `systems.${context.system}.settings${at}`,
        },
      );
    }
    for (const need of declaration.needs)
      if (context[need] === null)
        fail(
          'XD_ESTATE_INVALID',
          need === 'channel'
            ? `systems.${context.system}: no channel names it as its system, and ${declaration.name} sells`
            : `systems.${context.system}.${need} is missing: ${declaration.name} needs one`,
        );
    const made = inOneUnit(create(context));
    return {
      name: declaration.name,
      salesFeeds: salesFeeds(declaredWith(declaration, context.settings), made.sources),
      ...made,
    };
  };
  return Object.assign(factory, { declaration });
}

/** What it can with these settings. */
export function declaredWith(declaration: Declaration, settings: Readonly<Record<string, unknown>>): Declaration {
  return declaration.bySettings === undefined ? declaration : { ...declaration, ...declaration.bySettings(settings) };
}

const sells: readonly Domain[] = ['orders', 'opportunities'];

/** A feed of which nothing is declared may bring anything. */
function salesFeeds({ sources }: Declaration, made: readonly Source[]): string[] {
  const domainsOf = (feed: string): readonly Domain[] => sources[feed]?.domains ?? sells;
  const feeds = [...new Set(made.map(({ feed }) => feed))];
  const isOfOrders = (feed: string) => domainsOf(feed).some((domain) => sells.includes(domain));
  const isOfCancels = (feed: string) => domainsOf(feed).includes('cancels');
  return [...feeds.filter(isOfOrders), ...feeds.filter((feed) => !isOfOrders(feed) && isOfCancels(feed))];
}

export function salesFeedsOf({ salesFeeds: told, sources }: Connector): readonly string[] {
  return told ?? sources.map(({ feed }) => feed);
}
