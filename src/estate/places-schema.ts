/** Companies, calendars, locations, and from which of them orders are served. */
import { Type } from 'typebox';
import { WEEKDAYS } from '../promise/index.ts';
import { returnsSchema } from './charges-schema.ts';
import { closed, described } from './schema-parts.ts';

export const companySchema = Type.Object(
  {
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
    timeZone: Type.String({ minLength: 1, description: 'IANA name, e.g. Europe/London' }),
  },
  closed,
);

export const positionSchema = Type.Object(
  {
    latitude: Type.Number({ minimum: -90, maximum: 90, description: 'degrees, north positive' }),
    longitude: Type.Number({ minimum: -180, maximum: 180, description: 'degrees, east positive' }),
  },
  { ...closed, description: 'where distances are measured from' },
);

export const calendarSchema = Type.Object(
  {
    timeZone: Type.String({ minLength: 1, description: 'IANA name; its days and times of day are meant' }),
    workingDays: Type.Array(Type.Union(WEEKDAYS.map((day) => Type.Literal(day))), {
      description: 'days on which goods leave, e.g. mon',
    }),
    closed: Type.Optional(
      Type.Array(Type.String({ description: 'a day, YYYY-MM-DD' }), {
        maxItems: 2_000,
        description: 'days on which none leave although they are working days, YYYY-MM-DD; default none',
      }),
    ),
    cutOff: Type.String({ description: 'a time of day, HH:MM: what is there by then leaves on that day' }),
  },
  closed,
);

export const sourcingSchema = Type.Object(
  {
    rank: Type.Optional(
      Type.Array(Type.Union([Type.Literal('priority'), Type.Literal('distance'), Type.Literal('cost')]), {
        minItems: 1,
        maxItems: 3,
        description:
          'how its locations are ranked; the first that tells two apart decides; distance is from the location to where the order goes; default priority',
      }),
    ),
    splitMax: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'locations that one order is served from; asks only; default any number',
      }),
    ),
    lineSplitMax: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'locations that one line is served from; asks only; default as splitMax',
      }),
    ),
    shipComplete: Type.Optional(
      Type.Boolean({ description: 'whether nothing of an order leaves before all of it is there; default false' }),
    ),
    version: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 40,
        description: "kept with each promise; default: a fingerprint of the rule and of its locations' calendars",
      }),
    ),
  },
  { ...closed, description: 'from where its orders are served; default: by priority, from one location that has all' },
);

export const locationSchema = Type.Object(
  {
    company: described('whose stock lies there'),
    calendar: Type.Optional(described('when it ships; with one, orders are promised dates')),
    position: Type.Optional(positionSchema),
    costMinor: Type.Optional(
      Type.Integer({ minimum: 0, description: 'minor units: what serving an order from there costs; default 0' }),
    ),
    receivingDays: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 60,
        description: 'working days from when dated supply is due until it may leave; default 0',
      }),
    ),
    region: described('a label, kept with the location; nothing is decided by it'),
    priority: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 1000, description: 'lower is asked first; default 0' }),
    ),
    safetyStock: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'base units kept out of all promises, per SKU; applied to all balances at each start; default 0',
      }),
    ),
    returns: Type.Optional(returnsSchema('what becomes of goods that come back there; default: on hand at once')),
  },
  closed,
);
