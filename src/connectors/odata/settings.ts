/** What the estate file says of a system that is reached by OData. */
import { type Static, Type } from 'typebox';
import { IdentitySettings, MapSettings, recordKinds } from '../kit/index.ts';

const strict = { additionalProperties: false };
const text = (description: string) => Type.String({ description });

/** How a value stands in a question. OData v2 writes types before texts, v4 doesn't. */
export const literalTypes = ['string', 'number', 'guid', 'datetime', 'datetimeoffset', 'date'] as const;
export type LiteralType = (typeof literalTypes)[number];
const LiteralName = Type.Enum([...literalTypes]);

const Feed = Type.Object(
  {
    kind: Type.Enum([...recordKinds], { description: 'what its records are' }),
    set: text('the entity set, e.g. A_SalesOrder'),
    filter: Type.Optional(text('in OData, beside what paging asks for')),
    select: Type.Optional(Type.Array(Type.String())),
    expand: Type.Optional(Type.Array(Type.String())),
    pageMax: Type.Integer({ minimum: 1, maximum: 5_000 }),
    paging: Type.Union([
      Type.Object(
        {
          kind: Type.Literal('keyset'),
          at: text('the property that says when it changed'),
          atType: Type.Optional(LiteralName),
          id: text('the property that names it'),
          idType: Type.Optional(LiteralName),
          ties: Type.Optional(
            Type.Enum(['id', 'time'], {
              description: 'time where ids sort in another way than texts: guids; default id',
            }),
          ),
          overlapMs: Type.Integer({ minimum: 0, maximum: 604_800_000 }),
        },
        strict,
      ),
      Type.Object(
        { kind: Type.Literal('delta'), id: text('the property that names it') },
        { ...strict, description: 'next links, then what changed since, as the system keeps track of it' },
      ),
      Type.Object(
        {
          kind: Type.Literal('pages'),
          id: text('the property that names it'),
          at: Type.Optional(text('the property that says when it changed')),
          atType: Type.Optional(LiteralName),
          overlapMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 604_800_000 })),
        },
        { ...strict, description: 'next links only; the page before is looked at again after each' },
      ),
    ]),
    map: MapSettings,
  },
  strict,
);
export type FeedSettings = Static<typeof Feed>;

const Body = Type.Union([MapSettings, Type.Object({ jsonata: Type.String() }, strict)], {
  description: 'the properties of the entity, by fields or by one expression that gives all of it',
});

const Create = Type.Object(
  {
    set: Type.String(),
    reference: text('the property that holds our reference'),
    body: Body,
    answer: Type.Optional(MapSettings),
    idempotency: Type.Optional(Type.Enum(['native', 'none'])),
  },
  strict,
);
export type CreateSettings = Static<typeof Create>;

const Update = Type.Object(
  {
    set: Type.String(),
    key: text('the property that holds the SKU, or the order number'),
    filter: Type.Optional(text('which of its entities: a plant, a price list')),
    body: Body,
  },
  strict,
);
export type UpdateSettings = Static<typeof Update>;

const withSame = { same: MapSettings };

export const OdataSettings = Type.Object(
  {
    version: Type.Enum(['2', '4'], { description: 'of OData, as the service says in its $metadata' }),
    auth: Type.Optional(IdentitySettings),
    headers: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'of every call; no secrets' })),
    csrf: Type.Optional(Type.Boolean({ description: 'writes need a token that is fetched first (SAP)' })),
    batch: Type.Optional(
      Type.Object(
        {
          form: Type.Enum(['json', 'multipart'], { description: 'json is of v4 only' }),
          itemsMax: Type.Integer({ minimum: 1, maximum: 1_000 }),
        },
        { ...strict, description: 'several writes in one $batch; without it, one after the other' },
      ),
    ),
    exactNumbers: Type.Optional(
      Type.Boolean({ description: 'v4: decimals as texts (IEEE754Compatible); default true' }),
    ),
    merge: Type.Optional(
      Type.Enum(['patch', 'tunnel'], { description: 'tunnel: POST with X-HTTP-Method: MERGE (v2); default patch' }),
    ),
    feeds: Type.Optional(Type.Record(Type.String(), Feed, { description: 'what is read, by the name of the feed' })),
    deliveries: Type.Optional(
      Type.Record(Type.String(), Create, { description: 'what is created once, by the kind of delivery' }),
    ),
    availability: Type.Optional(
      Type.Object(
        { ...Update.properties, quantity: text('the property that holds the number') },
        { ...strict, description: 'where the numbers of a channel are set and read back' },
      ),
    ),
    prices: Type.Optional(
      Type.Object({ ...Update.properties, ...withSame }, { ...strict, description: 'where prices are set' }),
    ),
    orderStatus: Type.Optional(
      Type.Object({ ...Update.properties, ...withSame }, { ...strict, description: 'where order states are told' }),
    ),
    confirmedBy: Type.Optional(
      Type.Enum(['answer', 'read_back'], {
        description: 'whether an answer of success is believed, or looked up before it counts; default read_back',
      }),
    ),
  },
  strict,
);
export type OdataSettings = Static<typeof OdataSettings>;
