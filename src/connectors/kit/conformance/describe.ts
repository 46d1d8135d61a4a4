/**
 * "How my system answers": what the author of a connector says of the system, so that the suite can stand in for it. The suite brings the
 * faults; the description brings the good days.
 */
import type { AvailabilityItem, ConnectorContext, DeliveryItem, StateItem } from '../types.ts';
import type { Database } from './database.ts';
import type { Folder } from './folder.ts';

export interface Call {
  method: string;
  path: string;
  query: Readonly<Record<string, string>>;
  /** The same with names that come more than once (`id[]=1&id[]=2`). */
  params: URLSearchParams;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as JSON; undefined where it is none. */
  body: unknown;
  text: string;
}

export interface Answer {
  status?: number;
  json?: unknown;
  /** Instead of `json`: as it is. */
  text?: string;
  headers?: Readonly<Record<string, string>>;
}

/** write: has an effect; read: has none; sign_in: says who we are. */
export type Role = 'read' | 'write' | 'sign_in';

/** A record of a feed. The suite moves rows about; the system answers with what is there. */
export interface FeedRow {
  /** Which thing it is. */
  n: number;
  /** The system's time of its last change, RFC 3339 in UTC with seconds. */
  at: string;
  /** Grows with each change that is committed. */
  seq: number;
  raw: unknown;
}

export type FeedRows = Readonly<Record<string, readonly FeedRow[]>>;

/** The system while all is well; made anew for each check. */
export interface SystemModel {
  /** With effect. undefined: there is no such route. */
  answer(call: Call): Answer | undefined;
  /** Default: GET reads, everything else writes. */
  roleOf?(call: Call): Role;
  /** How often a delivery of this kind and reference had an effect. Without it nothing is said about effects. */
  effects?(kind: string, reference: string): number | Promise<number>;
  /** From now on who signed in before is not known any more, until they sign in again. */
  endSessions?(): void;
  /** What the system would sell of a SKU now. */
  sellable?(sku: string): number | undefined;
  /** Sells so many by itself, without the hub knowing. */
  sell?(sku: string, units: number): void;
  /** As {@link sell}, and its level keeps nothing of it: systems that lose updates go on selling what is gone. */
  hide?(sku: string, units: number): void;
  /** From now on what goes by this reference is refused, alone, in the way that the system refuses one among many. */
  refuse?(reference: string): void;
  /** From now on no lines are added to this order: a person closed or cancelled it there. */
  endOrder?(order: string): void | Promise<void>;
  /** Does by itself what a delivery of {@link SystemDescription.lookedUp} says. */
  did?(kind: string, reference: string): void;
}

/** Changes what is about to be read: for what no writer writes. */
export type Spoil = (text: string) => string | Buffer;

/** What stands in for a system that has a transport of its own; made anew for each check. */
export interface Stand {
  /** Where it is, as the estate would say it. */
  url: string;
  /** Brings what is there to what the rows are; done before each poll. */
  bring(): Promise<void>;
  /** How many writes had an effect that others see. */
  writes(): number;
  effects?(kind: string, reference: string): number | Promise<number>;
  refuse?(reference: string): void;
  /** As of a model. */
  endOrder?(order: string): void | Promise<void>;
  /** Brings what writes need; done before each of them. */
  ready?(): Promise<void>;
  /** Of a drop box: what goes wrong with files. */
  folder?: Folder;
  /** Of a database: what goes wrong with connections and statements. */
  database?: Database;
  close(): Promise<void>;
}

/** Where a stand-in may be made. */
export interface StandPlace {
  /** A PostgreSQL where schemas and roles may be made, by its URL; empty unless {@link SystemDescription.standsIn} asks for it. */
  database: string;
  /** What the connector is given to sign in with. */
  token: string;
}

export interface FeedDescription {
  /**
   * The n-th thing as the system lists it. Nothing but the place (time of change, sequence) may differ between two calls with one `n`, and n
   * must stand in it so that two things have two keys.
   */
  record(n: number, at: string, seq: number): unknown;
  /** More rows than the connector asks for at once; the suite pages through 1.5 times as many. */
  pageMax: number;
  /** Names of the fields that hold the place: they are not broken by the suite, since paging hangs on them. */
  placeFields: readonly string[];
  /** Records that no one can read, each in its own way; at least one. */
  broken(at: string, seq: number): readonly unknown[];
  /** A record with a kind or a status that came with a newer release of the system. */
  unknownEnum?(at: string, seq: number): unknown;
  /** How the system lists what was deleted, or merged into another: as a record of its own. */
  deleted?(n: number, at: string, seq: number): unknown;
  merged?(n: number, into: number, at: string, seq: number): unknown;
  /** Of feeds that compare, where a state that comes back is told again: what of a key names the thing. The rest names the reading. */
  thingOf?(key: string): string;
  /** The time of a thing, in the system's way of writing it in this offset (`+05:30`); default: RFC 3339 texts are rewritten. */
  inOffset?(raw: unknown, offset: string): unknown;
}

export interface WebhookDescription {
  /** The bytes that the system posts for these records of `feed`. */
  body(records: readonly unknown[]): Buffer;
  feed: string;
  headers(body: Buffer, secret: string): Record<string, string>;
}

export interface SystemDescription {
  /** http: everything goes over one URL; own: another transport, which needs a `stand`, and what needs HTTP is skipped. */
  transport?: 'http' | 'own';
  /** What the connector is built with. */
  context?: Partial<Pick<ConnectorContext, 'channel' | 'token' | 'webhookSecret'>> & {
    /** By the stand-in's address, where they name one: of a token, of a second service. */
    settings?: ConnectorContext['settings'] | ((url: string) => ConnectorContext['settings']);
  };
  /** What of the settings must never be seen. */
  secrets?: readonly string[];
  /** Over HTTP. */
  system?(rows: FeedRows): SystemModel;
  /** Over a transport of its own. */
  stand?(rows: FeedRows, spoil: Spoil, place: StandPlace): Stand | Promise<Stand>;
  /** What its stand-in is made in, which whoever runs the suite has to give. */
  standsIn?: 'database';
  feeds?: Readonly<Record<string, FeedDescription>>;
  /** Feeds that are declared and held by other tests, each with why the suite can't: such as one whose keys name the reading. */
  undescribed?: Readonly<Record<string, string>>;
  /** The n-th item of each kind. The reference, or what follows its last slash, must stand in the request that writes it. */
  deliveries?: Readonly<Record<string, (n: number) => DeliveryItem>>;
  /** Of these, what the system does itself: the connector writes nothing, and looks whether it is done. */
  lookedUp?: readonly string[];
  availability?: (n: number) => AvailabilityItem;
  prices?: (n: number) => StateItem;
  orderStatus?: (n: number) => StateItem;
  /** The n-th account that has credit; two of them at least. */
  credit?: (n: number) => { company: string; account: string };
  webhook?: WebhookDescription;
  hint?: WebhookDescription;
  /** Checks that can't hold for this system, each with why; shown in the report. */
  skip?: Readonly<Record<string, string>>;
}

/** Says it with types; nothing else happens. */
export function describeSystem(description: SystemDescription): SystemDescription {
  return description;
}
