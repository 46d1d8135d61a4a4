/** The estate file's one source: the schema below; its types are read from it. Every key says what it does and its unit. */

import { type Static, Type } from 'typebox';
import { UNIT_PATTERN } from '../canonical/index.ts';
import type { ConnectorFactory } from '../connectors/kit/index.ts';
import { WEEKDAYS } from '../promise/index.ts';
import { matchingSchema } from './matching.ts';

const code = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$' });
const described = (description: string) => Type.String({ ...code, description });
const days = (description: string) => Type.Integer({ minimum: 1, description: `days: ${description}` });
const closed = { additionalProperties: false } as const;
const afterSeconds = () => Type.Integer({ minimum: 1, maximum: 86_400, description: 'without an answer; default 60' });

export const secretSchema = Type.Union([
  Type.Object({ secret: Type.Literal('env'), name: Type.String({ minLength: 1 }) }, closed),
  Type.Object({ secret: Type.Literal('file'), path: Type.String({ minLength: 1 }) }, closed),
]);

const chargeRule = (what: string) =>
  Type.Optional(
    Type.Object(
      {
        onCancel: Type.Optional(
          Type.Union([Type.Literal('keep'), Type.Literal('share')], {
            description:
              'when units are cancelled; keep (default): it stays whole, is invoiced with the first goods, and ends with the whole order alone; share: it is invoiced with what leaves and ends with what is cancelled, by amount of goods',
          }),
        ),
        onReturn: Type.Optional(
          Type.Union([Type.Literal('keep'), Type.Literal('share')], {
            description: 'when goods come back; keep (default): nothing of it is credited; share: by amount of goods',
          }),
        ),
      },
      { ...closed, description: what },
    ),
  );
const chargesSchema = Type.Object(
  {
    freight: chargeRule('of its freight'),
    other: chargeRule('of charges of kind other'),
    restockingFee: Type.Optional(
      Type.Object(
        {
          percent: Type.String({
            pattern: '^(100(\\.0{1,4})?|\\d{1,2}(\\.\\d{1,4})?)$',
            description: 'of what is credited, and of its tax, e.g. "15"; rounded once a posting',
          }),
          code: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'default RESTOCKING' })),
          exceptReasons: Type.Optional(
            Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
              maxItems: 100,
              description: 'reasons of returns that cost nothing, e.g. damaged',
            }),
          ),
        },
        { ...closed, description: 'what is kept back of a credit; default: nothing' },
      ),
    ),
  },
  {
    ...closed,
    description:
      'what becomes of the charges of its orders; allowances and surcharges always follow the goods, by amount; default: the others stay as agreed',
  },
);
const returnsSchema = (what: string) =>
  Type.Object(
    {
      inspect: Type.Boolean({
        description: 'true: goods that come back are not on hand before somebody has looked at them',
      }),
      credit: Type.Optional(
        Type.Union([Type.Literal('inspection'), Type.Literal('receipt')], {
          description: 'when the ERP is told what to credit of goods that are inspected; default inspection',
        }),
      ),
    },
    { ...closed, description: what },
  );

export const companySchema = Type.Object(
  {
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
    timeZone: Type.String({ minLength: 1, description: 'IANA name, e.g. Europe/London' }),
  },
  closed,
);

const positionSchema = Type.Object(
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

export const systemSchema = Type.Object(
  {
    connector: Type.String({
      minLength: 1,
      description: 'name of a connector that ships with Crossdock, e.g. sim-erp, or of one in connectors',
    }),
    url: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), secretSchema], { description: 'where it answers; default: nowhere' }),
    ),
    token: Type.Optional(Type.Union(secretSchema.anyOf, { description: 'what it is asked with' })),
    webhookSecret: Type.Optional(Type.Union(secretSchema.anyOf, { description: 'what its webhooks are signed with' })),
    settings: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: "the connector's own settings" }),
    ),
    limits: Type.Optional(
      Type.Object(
        {
          callsPerSecond: Type.Optional(
            Type.Number({
              exclusiveMinimum: 0,
              maximum: 10_000,
              description: 'reads and writes together; default 200',
            }),
          ),
          concurrency: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 64, description: 'calls at once; default 4' }),
          ),
          timeoutMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 120_000, description: 'default 10000' })),
          batchMax: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 1000,
              description: 'items a call; default: what the connector declares',
            }),
          ),
        },
        closed,
      ),
    ),
    effectHorizonMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3_600_000,
        description: 'how long after a write its effect may still appear; default 1000',
      }),
    ),
    quantities: Type.Optional(
      Type.Union([Type.Literal('gross'), Type.Literal('net')], {
        description:
          'what its counts say. gross: all that is there; net: less what it has allocated itself, as it reports; default gross',
      }),
    ),
    pollMs: Type.Optional(
      Type.Integer({
        minimum: 10,
        maximum: 3_600_000,
        description: 'pause after a poll that found something; default 1000',
      }),
    ),
    pollMsMax: Type.Optional(
      Type.Integer({
        minimum: 10,
        maximum: 86_400_000,
        description: 'to which that pause grows while nothing is found; default: pollMs',
      }),
    ),
    attemptsMax: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: 'tries before a write is parked; default 20' }),
    ),
  },
  closed,
);

export const channelSchema = Type.Object(
  {
    company: described('whose orders it brings; all its locations are of this company'),
    system: Type.Optional(described('the system that it is; needed where it sells by itself')),
    sells: Type.Union([Type.Literal('by_itself'), Type.Literal('asks')], {
      description: 'by_itself: against the number it was told; asks: Crossdock decides before it promises',
    }),
    numberMeans: Type.Optional(
      Type.Union([Type.Literal('net_available'), Type.Literal('on_hand')], {
        description:
          'of one that sells by itself. net_available: what may still be sold; on_hand: it takes its open sales off by itself',
      }),
    ),
    locations: Type.Array(code, { minItems: 1, description: 'where it is served from, by their priority' }),
    share: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        description: 'of what is free, per location, shown and promised; default 1',
      }),
    ),
    cap: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'the most base units per SKU that are shown, and promised to one order',
      }),
    ),
    buffer: Type.Optional(
      Type.Integer({ minimum: 0, description: "base units kept out of this channel's number and orders; default 0" }),
    ),
    horizonDays: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 365,
        description: 'dated supply due within so many days may be promised; asks only; default 0',
      }),
    ),
    tolerance: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 0.9,
        description:
          'a number is published only when it differs by more than this part; to and from 0 always, and a lower one while backorders wait; default 0',
      }),
    ),
    onShort: Type.Optional(
      Type.Union([Type.Literal('backorder'), Type.Literal('refuse')], {
        description: 'what becomes of units that are neither there nor to come in time; default backorder',
      }),
    ),
    onOversold: Type.Optional(
      Type.Object(
        {
          policy: Type.Union(
            [Type.Literal('backorder'), Type.Literal('cancel'), Type.Literal('substitute'), Type.Literal('hold')],
            {
              description:
                "backorder: they wait for stock; cancel: they are refused and the channel takes them back; substitute: the product's substitutes are sent; hold: the order waits for a person",
            },
          ),
          otherwise: Type.Optional(
            Type.Union([Type.Literal('backorder'), Type.Literal('cancel'), Type.Literal('hold')], {
              description: 'for units that no substitute covers; default as onShort says',
            }),
          ),
        },
        {
          ...closed,
          description:
            'what becomes of units that it sold by itself beyond what is there; each is an exception of its order; by_itself only; default as onShort says',
        },
      ),
    ),
    onShortPick: Type.Optional(
      Type.Object(
        {
          policy: Type.Union(
            [
              Type.Literal('resource'),
              Type.Literal('backorder'),
              Type.Literal('cancel'),
              Type.Literal('substitute'),
              Type.Literal('hold'),
            ],
            {
              description:
                "resource: they are taken from another place; backorder: they wait for stock; cancel: the order goes on without them; substitute: the product's substitutes are sent; hold: the order waits for a person; default resource",
            },
          ),
          otherwise: Type.Optional(
            Type.Union([Type.Literal('backorder'), Type.Literal('cancel'), Type.Literal('hold')], {
              description: 'for units that no other place, or no substitute, covers; default backorder',
            }),
          ),
        },
        {
          ...closed,
          description:
            'what becomes of units that a WMS was told to pick and could not find; each is an exception of its order',
        },
      ),
    ),
    soldIn: Type.Optional(
      Type.Record(Type.String({ minLength: 1 }), Type.String({ pattern: UNIT_PATTERN }), {
        description:
          'by SKU: what its listing sells one of, where that is not the base unit; what it sold is taken so, and neither price nor number of it is sent (unit_mismatch), as the number would count base units; by_itself only',
      }),
    ),
    onOrderRule: Type.Optional(
      Type.Union([Type.Literal('take'), Type.Literal('hold')], {
        description:
          "what becomes of a quantity that it sold by itself and that a product's order rule does not allow: taken as it is, or held for a person; by_itself only; default take",
      }),
    ),
    risk: Type.Optional(
      Type.Union([Type.Literal('none'), Type.Literal('shared')], {
        description:
          'shared: shares may add up to more than 1, and verify leaves the channel out; fuller shelves: not applied by this version; default none',
      }),
    ),
    sourcing: Type.Optional(sourcingSchema),
    substitutes: Type.Optional(
      Type.Union([Type.Literal('never'), Type.Literal('offer'), Type.Literal('allow')], {
        description:
          "what becomes of units that its orders can't have, unless they say so themselves. allow: the product's substitutes are sent; offer: what they could cover is held until somebody decides; asks only; default never",
      }),
    ),
    reservationMaxSeconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 2_592_000, description: 'the longest soft hold; default 3600' }),
    ),
    credit: Type.Optional(
      Type.Union([Type.Literal('check'), Type.Literal('off')], {
        description: "check: its orders are decided against their account's credit; default off",
      }),
    ),
    prices: Type.Optional(
      Type.Object(
        {
          check: Type.Optional(
            Type.Union([Type.Literal('off'), Type.Literal('hold'), Type.Literal('reprice'), Type.Literal('accept')], {
              description:
                'what becomes of an order whose price is not the one decided here. off: nobody looks; hold: the order waits for a person; reprice: the line gets the decided price (asks only); accept: it is taken, and the difference kept; default off',
            }),
          ),
          tolerancePercent: Type.Optional(
            Type.String({
              pattern: '^\\d{1,3}(\\.\\d{1,4})?$',
              description: "per cent of a line's decided amount by which the asked one may differ; default '0'",
            }),
          ),
          toleranceMinor: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 1_000_000_000,
              description: 'minor units by which it may differ, whatever the per cent; default 0',
            }),
          ),
          list: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 100,
              description: "the channel's price list: before base, behind contracts and the account's own list",
            }),
          ),
        },
        closed,
      ),
    ),
    tax: Type.Optional(
      Type.Object(
        {
          rounding: Type.Union([Type.Literal('line'), Type.Literal('order')], {
            description:
              'line: the tax of each base is rounded and added up; order: bases are added up and their tax is rounded',
          }),
          toleranceMinor: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 100_000,
              description: 'minor units by which its tax of one code and rate may differ from that; default 0',
            }),
          ),
        },
        {
          ...closed,
          description:
            'how the taxes that its orders bring are compared; they are carried as they came; default: not at all',
        },
      ),
    ),
    returns: Type.Optional(
      returnsSchema('what becomes of goods that come back of its orders; default: as their location says'),
    ),
    charges: Type.Optional(chargesSchema),
  },
  closed,
);

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
    holds: Type.Optional(
      Type.Record(
        code,
        Type.Object(
          {
            owner: Type.Optional(
              Type.String({ minLength: 1, maxLength: 100, description: 'who decides; default operations' }),
            ),
            dueMinutes: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: 525_600,
                description: 'within which somebody should decide; default: no time',
              }),
            ),
            onDue: Type.Optional(
              Type.Union([Type.Literal('alert'), Type.Literal('cancel')], {
                description:
                  'what becomes of an order that nobody released by then. cancel: all of it is given up; default alert',
              }),
            ),
            onLift: Type.Optional(
              Type.Union([Type.Literal('release'), Type.Literal('keep')], {
                description:
                  'of account: what becomes of orders that wait for a hold of their account when that is taken off. keep: they wait for a person; default release',
              }),
            ),
          },
          closed,
        ),
        {
          description:
            'kind of hold (credit, price, account, quantity, manual, degraded) -> whose it is, and by when somebody decides',
        },
      ),
    ),
    credit: Type.Optional(
      Type.Object(
        {
          onOver: Type.Optional(
            Type.Union([Type.Literal('hold'), Type.Literal('refuse')], {
              description:
                'what becomes of an order beyond its account’s limit, or whose credit is not known; one that was sold already is held; default hold',
            }),
          ),
          freshMs: Type.Optional(
            Type.Integer({
              minimum: 100,
              maximum: 86_400_000,
              description: 'a report of this age counts as live; an older one is asked for anew; default 60000',
            }),
          ),
          liveTimeoutMs: Type.Optional(
            Type.Integer({
              minimum: 10,
              maximum: 30_000,
              description: "how long an order waits for the ERP's answer; default 1500",
            }),
          ),
          releaseWhenFree: Type.Optional(
            Type.Boolean({
              description: 'orders held for credit go on by themselves once there is room, oldest first; default true',
            }),
          ),
          groupReports: Type.Optional(
            Type.Union([Type.Literal('whole'), Type.Literal('own')], {
              description:
                'what the ERP reports of an account with others below it. whole: it contains theirs; own: it is of that account alone, and what is reported of those below that have no limit of their own is added; default whole',
            }),
          ),
          cached: Type.Optional(
            Type.Object(
              {
                orderMinorMax: Type.Optional(
                  Type.Integer({ minimum: 0, description: 'minor units, an order; default: what the limit allows' }),
                ),
                totalMinorMax: Type.Optional(
                  Type.Integer({
                    minimum: 0,
                    description:
                      'minor units, all of an account’s that no report shows yet; default: what the limit allows',
                  }),
                ),
                ageMinutesMax: Type.Optional(
                  Type.Integer({
                    minimum: 0,
                    maximum: 525_600,
                    description: 'on an older report nothing is accepted; default 1440',
                  }),
                ),
              },
              { ...closed, description: 'the most that is accepted on a report that is not live' },
            ),
          ),
        },
        { ...closed, description: 'of channels with credit: check' },
      ),
    ),
    repromise: Type.Optional(
      Type.Object(
        {
          auto: Type.Optional(
            Type.Boolean({
              description:
                'what a change touches (supply, lost goods, cancels) is decided anew at once, by the class of accounts, and some may lose by it; default false: who waits is given what nobody has, dearest class first',
            }),
          ),
        },
        { ...closed, description: 'who gets what waits and what is to come' },
      ),
    ),
    stages: Type.Optional(
      Type.Record(
        code,
        Type.Object(
          {
            targetMinutes: Type.Integer({
              minimum: 1,
              maximum: 525_600,
              description: 'an order that is longer there is an alert',
            }),
            owner: Type.Optional(
              Type.String({ minLength: 1, maxLength: 100, description: 'who looks after it; default operations' }),
            ),
          },
          closed,
        ),
        {
          description:
            'state of an order (accepted, confirmed, released, partly_shipped, shipped) -> how long it may be in it',
        },
      ),
    ),
    degradedModes: Type.Optional(
      Type.Object(
        {
          erp: Type.Optional(
            Type.Object(
              {
                afterSeconds: Type.Optional(afterSeconds()),
                acceptOrderMinorMax: Type.Optional(
                  Type.Integer({
                    minimum: 0,
                    description: 'minor units: a larger order is held until it is back; default: any order is accepted',
                  }),
                ),
                byClass: Type.Optional(
                  Type.Record(code, Type.Integer({ minimum: 0, description: 'minor units, instead' }), {
                    description: 'the same by class of account: win, gain, redistribute, fill, lose',
                  }),
                ),
              },
              {
                ...closed,
                description: 'orders are accepted on the credit that was reported last, marked, and told later',
              },
            ),
          ),
          wms: Type.Optional(
            Type.Object(
              {
                afterSeconds: Type.Optional(afterSeconds()),
                marginUnits: Type.Optional(
                  Type.Integer({
                    minimum: 0,
                    description: "base units kept out of each channel's numbers and orders; default 0",
                  }),
                ),
                marginPercent: Type.Optional(
                  Type.Integer({
                    minimum: 0,
                    maximum: 100,
                    description: 'per cent of what is free kept out; default 0',
                  }),
                ),
              },
              { ...closed, description: 'what was counted last is sold, less a margin' },
            ),
          ),
          crm: Type.Optional(
            Type.Object(
              { afterSeconds: Type.Optional(afterSeconds()) },
              { ...closed, description: 'nothing waits for it; that it was away is kept' },
            ),
          ),
        },
        { ...closed, description: 'what holds while the system of a domain is away' },
      ),
    ),
    retention: Type.Optional(
      Type.Object(
        {
          raw_record: Type.Optional(days('messages as they came; default 90')),
          fact: Type.Optional(days('facts; default 730')),
          stock_movement: Type.Optional(days('movements; their sums stay; default 730')),
          freshness: Type.Optional(days('lateness by flow and minute; default 30')),
          delivery: Type.Optional(
            days(
              'what systems were told of closed orders, of charges; never before the facts it came from; default 730',
            ),
          ),
          publication: Type.Optional(days('which states of closed orders systems hold; as delivery; default 730')),
          reservation: Type.Optional(days('soft holds, from their expiry on; default 90')),
          parked_record: Type.Optional(days('what was set aside, once it is replayed or resolved; default 90')),
          stage_alert: Type.Optional(days('alerts of orders that were stuck, once they ended; default 730')),
          promise: Type.Optional(days('what closed orders were promised; as delivery; default 730')),
          shortage: Type.Optional(days('shortages, once they ended; default 730')),
          load_plan: Type.Optional(days('plans of loads with their items: without one nothing is undone; default 730')),
          credit_claim: Type.Optional(days('what counted against a credit limit, once it does no more; default 730')),
        },
        { ...closed, description: 'how many days a kind of record is kept; everything else is kept for ever' },
      ),
    ),
    intake: Type.Optional(
      Type.Object(
        {
          inFlightMax: Type.Optional(
            Type.Integer({ minimum: 1, description: 'unfinished deliveries beyond which intake stops; default 4000' }),
          ),
          ageMaxMs: Type.Optional(
            Type.Integer({
              minimum: 1,
              description: 'age of the oldest unfinished delivery beyond which intake stops; default 5000',
            }),
          ),
        },
        closed,
      ),
    ),
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
