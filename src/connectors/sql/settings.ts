/** What an estate says of a legacy database. */
import { type Static, Type } from 'typebox';
import { recordMapSchema } from '../kit/index.ts';

const closed = { additionalProperties: false };
const column = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_$]{0,62}$' });
const text = Type.String({ minLength: 1, maxLength: 20_000 });
const idType = Type.Unsafe<'integer' | 'text'>(Type.Union([Type.Literal('integer'), Type.Literal('text')]));

const cursorSchema = Type.Union([
  Type.Object(
    {
      by: Type.Literal('time'),
      at: column,
      id: column,
      idType,
      overlapSeconds: Type.Integer({
        minimum: 1,
        maximum: 604_800,
        description: 'the longest transaction there; 3,600 more where local times leap',
      }),
    },
    closed,
  ),
  Type.Object(
    {
      by: Type.Literal('sequence'),
      id: column,
      overlapRows: Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: 'numbers that may be given out and not yet committed',
      }),
    },
    closed,
  ),
  Type.Object(
    {
      by: Type.Literal('snapshot'),
      key: Type.Array(column, { minItems: 1, maxItems: 5 }),
      thingsMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 50_000, description: 'default 5000' })),
      gone: Type.Optional(
        Type.Record(Type.String(), Type.String(), {
          description: 'columns of a row that is gone, e.g. its quantity 0; default: nothing is told',
        }),
      ),
    },
    closed,
  ),
]);

export const feedSchema = Type.Object(
  {
    feed: Type.String({ pattern: '^[a-z][a-z0-9_-]{0,40}$' }),
    query: Type.String({
      minLength: 1,
      maxLength: 20_000,
      description: 'one select; :name stands for a value of params',
    }),
    params: Type.Optional(Type.Record(Type.String(), Type.String())),
    cursor: cursorSchema,
    map: recordMapSchema,
    pageRows: Type.Optional(Type.Integer({ minimum: 1, maximum: 5_000, description: 'default 500' })),
  },
  closed,
);
export type SqlFeed = Static<typeof feedSchema>;

export const writeSchema = Type.Object(
  {
    locate: Type.String({
      minLength: 1,
      maxLength: 20_000,
      description: 'one select by :reference; its column number is the answer',
    }),
    statements: Type.Array(
      Type.Object(
        {
          text,
          each: Type.Optional(Type.Literal('lines', { description: 'once per line, whose fields are :line_<field>' })),
          rows: Type.Optional(
            Type.Integer({ minimum: 0, description: 'how many it must change; otherwise nothing is' }),
          ),
        },
        closed,
      ),
      { minItems: 1, maxItems: 20 },
    ),
  },
  closed,
);
export type SqlWrite = Static<typeof writeSchema>;
const KINDS = [
  'sales_order',
  'order_change',
  'order_cancellation',
  'shipment_posting',
  'return_posting',
  'charge',
  'fulfilment',
  'fulfilment_cancel',
  'return_announcement',
] as const;

export const sqlSettings = Type.Object(
  {
    feeds: Type.Optional(
      Type.Array(feedSchema, { maxItems: 50, description: 'what is read, each by a query and a cursor' }),
    ),
    writes: Type.Optional(
      Type.Object(Object.fromEntries(KINDS.map((kind) => [kind, Type.Optional(writeSchema)])), {
        ...closed,
        description: 'without any, sessions are read-only',
      }),
    ),
  },
  closed,
);
export interface SqlSettings {
  feeds?: SqlFeed[];
  writes?: Partial<Record<(typeof KINDS)[number], SqlWrite>>;
}
