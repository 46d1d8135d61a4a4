/** What the estate file says of a system that is reached by REST. */
import { type Static, Type } from 'typebox';
import { IdentitySettings, MapSettings, recordKinds, timeForms } from '../kit/index.ts';

const strict = { additionalProperties: false };
const text = (description: string) => Type.String({ description });
const Selector = Type.Union([Type.String(), Type.Object({ jsonata: Type.String() }, strict)], {
  description: 'JSON pointer ("" is all of it), or {jsonata}',
});
export type Selector = Static<typeof Selector>;
const Query = Type.Record(Type.String(), Type.String(), {
  description: 'parameters with {names}; one that has nothing to say is left out',
});
const Method = Type.Enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
const Status = Type.Union([Type.Integer({ minimum: 100, maximum: 599 }), Type.String({ pattern: '^[1-5]xx$' })]);

const FaultRule = Type.Object(
  {
    status: Type.Optional(Type.Array(Status)),
    where: Type.Optional(Selector),
    is: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()]))),
    class: Type.Enum(['later', 'refused', 'operator', 'in_doubt', 'signed_out']),
    message: Type.Optional(Selector),
    retryAfterMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 300_000 })),
  },
  { ...strict, description: 'the first that fits says what an answer means; without `is`, anything at `where` does' },
);
export type FaultRule = Static<typeof FaultRule>;

const Change = {
  at: text("pointer to a record's time of change"),
  overlapMs: Type.Integer({ minimum: 0, maximum: 604_800_000, description: 'how far back each pass begins again' }),
  form: Type.Optional(Type.Enum([...timeForms], { description: 'how the system wants times; default rfc3339' })),
};
const more = Type.Optional(Selector);
const over = Type.Optional(
  Type.Array(Status, { description: 'answers that say that the page is beyond the end, or that the token has ended' }),
);
const id = text('pointer to what names a record');

const Paging = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('keyset'),
      ...Change,
      id,
      ties: Type.Enum(['id', 'time']),
      numericIds: Type.Optional(Type.Boolean()),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('page'),
      first: Type.Optional(Type.Integer()),
      id,
      more,
      over,
      change: Type.Optional(Type.Object(Change, strict)),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('offset'),
      id,
      more,
      over,
      overlap: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'records read again; default 5' })),
      change: Type.Optional(Type.Object(Change, strict)),
    },
    strict,
  ),
  Type.Object(
    { kind: Type.Literal('token'), id, next: Selector, over, change: Type.Optional(Type.Object(Change, strict)) },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('link'),
      id,
      next: Type.Optional(Selector),
      recheck: Type.Optional(
        Type.Boolean({ description: 'the links are page numbers in disguise: the page before is looked at again' }),
      ),
      change: Type.Optional(Type.Object(Change, strict)),
    },
    strict,
  ),
]);
export type Paging = Static<typeof Paging>;

const Feed = Type.Object(
  {
    kind: Type.Enum([...recordKinds], { description: 'what its records are' }),
    method: Type.Optional(Type.Enum(['GET', 'POST'])),
    path: Type.String(),
    query: Type.Optional(Query),
    body: Type.Optional(
      Type.Object({ jsonata: Type.String() }, { ...strict, description: 'of a POST, over the variables' }),
    ),
    list: Selector,
    paging: Paging,
    pageMax: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      description: "records a page: the system's own maximum or less",
    }),
    map: MapSettings,
  },
  strict,
);
export type FeedSettings = Static<typeof Feed>;

const Body = Type.Union([MapSettings, Type.Object({ jsonata: Type.String() }, strict)], {
  description: 'fields whose names may be pointers ("/a/b"), or an expression that gives the whole body',
});

const Write = Type.Object(
  {
    method: Type.Optional(Method),
    path: Type.String(),
    query: Type.Optional(Query),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: 'with {names}, e.g. Idempotency-Key' }),
    ),
    body: Type.Optional(Body),
    answer: Type.Optional(MapSettings),
    key: Type.Optional(
      text('pointer in the answer to the key of what was written; an answer about something else is in doubt'),
    ),
    already: Type.Optional(Type.Array(Status, { description: 'answers that say that it is there: it is looked up' })),
    conflict: Type.Optional(
      Type.Array(Status, { description: 'answers that say that it is not what we think; default 412' }),
    ),
    batch: Type.Optional(
      Type.Object(
        {
          itemsMax: Type.Integer({ minimum: 1, maximum: 1000 }),
          list: text('pointer in the body where the items go; "" makes the body a list'),
          results: Selector,
          key: text('pointer in a result to the key of its item'),
          status: text('pointer in a result to what says how it went'),
          confirmed: Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
          later: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Number()]))),
          conflict: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Number()]))),
          refused: Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
          message: Type.Optional(Type.String()),
        },
        {
          ...strict,
          description: 'many at once, each with an outcome of its own; what no result speaks of is in doubt',
        },
      ),
    ),
  },
  strict,
);
export type WriteSettings = Static<typeof Write>;

const Lookup = Type.Object(
  {
    method: Type.Optional(Type.Enum(['GET', 'POST'])),
    path: Type.String({ description: '{key} asks for one at a time, {keys} for several, by commas' }),
    query: Type.Optional(Query),
    body: Type.Optional(Type.Object({ jsonata: Type.String() }, strict)),
    itemsMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    list: Selector,
    key: text('pointer in what is found to its key'),
    /** Without it an answer is taken for whole. */
    more,
    notFound: Type.Optional(Type.Array(Status, { description: 'answers that say that it is not there, e.g. 404' })),
  },
  strict,
);
export type LookupSettings = Static<typeof Lookup>;

const Delivery = Type.Object(
  {
    write: Write,
    locate: Lookup,
    answer: Type.Optional(MapSettings),
    idempotency: Type.Optional(
      Type.Enum(['native', 'none'], { description: 'none: looked up before each write; default' }),
    ),
  },
  strict,
);
export type DeliverySettings = Static<typeof Delivery>;

const same = Type.Union([MapSettings], {
  description: "fields of what is found that must equal the state's of the same names",
});

export const RestSettings = Type.Object(
  {
    auth: Type.Optional(IdentitySettings),
    headers: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'of every call; no secrets' })),
    faults: Type.Optional(
      Type.Array(FaultRule, {
        description: 'what its answers mean where HTTP does not say; asked first, in their order',
      }),
    ),
    feeds: Type.Optional(Type.Record(Type.String(), Feed, { description: 'what is read, by the name of the feed' })),
    deliveries: Type.Optional(
      Type.Record(Type.String(), Delivery, { description: 'what is written once, by the kind of delivery' }),
    ),
    availability: Type.Optional(
      Type.Object(
        { write: Write, readBack: Lookup, quantity: Type.String({ description: 'pointer to the number' }) },
        { ...strict, description: 'where the numbers of a channel are set and read back' },
      ),
    ),
    prices: Type.Optional(
      Type.Object({ write: Write, readBack: Lookup, same }, { ...strict, description: 'where prices are set' }),
    ),
    orderStatus: Type.Optional(
      Type.Object({ write: Write, readBack: Lookup, same }, { ...strict, description: 'where order states are told' }),
    ),
    hint: Type.Optional(
      Type.Object(
        {
          header: text('of the HMAC-SHA256 over the body, by systems.<code>.webhookSecret'),
          encoding: Type.Enum(['hex', 'base64']),
          prefix: Type.Optional(Type.String()),
        },
        { ...strict, description: 'webhooks, which only say that the feeds are worth reading' },
      ),
    ),
    confirmedBy: Type.Optional(
      Type.Enum(['answer', 'read_back'], {
        description: 'whether an answer of success is believed, or looked up before it counts; default read_back',
      }),
    ),
    probe: Type.Object(
      {
        path: Type.String(),
        has: Type.Optional(Selector),
      },
      {
        ...strict,
        description:
          'what is asked to see whether it answers; `has`: what only this system says, else any JSON will do',
      },
    ),
  },
  strict,
);
export type RestSettings = Static<typeof RestSettings>;
