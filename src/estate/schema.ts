/** The estate file's one source: the schema below; its types are read from it. Every key says what it does and its unit. */

import { type Static, Type } from 'typebox';
import type { ConnectorFactory } from '../connectors/kit/index.ts';
import { channelSchema } from './channel-schema.ts';
import { matchingSchema } from './matching.ts';
import { calendarSchema, companySchema, locationSchema, positionSchema } from './places-schema.ts';
import { policies } from './policies-schema.ts';
import { closed, code, described, type secretSchema } from './schema-parts.ts';
import { systemSchema } from './system-schema.ts';

export const estateSchema = Type.Object(
  {
    name: described('of the whole; in the log of each start'),
    companies: Type.Record(code, companySchema, { minProperties: 1 }),
    calendars: Type.Optional(Type.Record(code, calendarSchema, { description: 'when locations ship' })),
    postalAreas: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Z]{2}$' }),
        Type.Record(Type.String({ pattern: '^([A-Z0-9]{1,10}|\\*)$' }), positionSchema),
        {
          description:
            'country (ISO 3166) -> beginning of a postal code, * for all others -> where orders to it go; the longest beginning holds',
        },
      ),
    ),
    locations: Type.Record(code, locationSchema, { minProperties: 1 }),
    connectors: Type.Optional(
      Type.Record(code, Type.Unsafe<ConnectorFactory>({}), {
        description:
          'connectors of your own by name, imported into the estate file; one that ships with Crossdock needs no entry',
      }),
    ),
    systems: Type.Record(code, systemSchema),
    channels: Type.Record(code, channelSchema, { minProperties: 1 }),
    routing: Type.Object(
      {
        orders: Type.Optional(described('orders, cancellations, postings and charges go there')),
        fulfilment: Type.Optional(described('fulfilments, their cancels and returns go there')),
        accounts: Type.Optional(described("every order's status goes there")),
      },
      { ...closed, description: 'which system serves a domain: orders (ERP), fulfilment (WMS), accounts (CRM)' },
    ),
    owners: Type.Optional(
      Type.Record(Type.String(), code, {
        description:
          'domain (product, account, price) or domain.field -> the system whose word counts; of a field that nobody owns the latest change holds',
      }),
    ),
    ownership: Type.Optional(
      Type.Record(code, Type.Union([Type.Literal('refuse'), Type.Literal('steward')]), {
        description:
          'domain -> what becomes of a value that another system than the owner says; refuse: set aside and shown (not_owner); steward: a person takes it or not; default refuse',
      }),
    ),
    partners: Type.Optional(
      Type.Record(code, Type.Object({ name: Type.String(), account: Type.Optional(Type.String()) }, closed), {
        description: 'organisations that messages are exchanged with; not applied by this version',
      }),
    ),
    freshness: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object({ targetMs: Type.Integer({ minimum: 1, description: 'shown, and measured against' }) }, closed),
        {
          description: 'flow (kind:system, e.g. availability:shop) -> how late it may be at p99, ms',
        },
      ),
    ),
    matching: Type.Optional(matchingSchema),
    ...policies,
  },
  closed,
);

export type Estate = Static<typeof estateSchema>;
export type SystemSettings = Static<typeof systemSchema>;
export type ChannelSettings = Static<typeof channelSchema>;
export type Secret = Static<typeof secretSchema>;

/** A secret by reference to an environment variable; its value never stands in the estate file. */
export function env(name: string): Secret {
  return { secret: 'env', name };
}

/** A secret by reference to a file's content (trailing newline dropped). */
export function file(path: string): Secret {
  return { secret: 'file', path };
}

/** Declares an estate; the types check it while you write, the schema when it is loaded. */
export function defineEstate(estate: Estate): Estate {
  return estate;
}
