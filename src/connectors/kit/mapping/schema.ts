/** A mapping as the estate file declares it: `systems.<code>.settings`, or a part of it. */
import { type Static, Type } from 'typebox';

const strict = { additionalProperties: false };
const Scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);
const Pointer = Type.String({
  description: 'JSON pointer: "/a/0/b"; in a list, "^/a" begins at the record that holds it',
});

/** What a value is made to be, or refused. Decimals never pass through a float. */
export const valueForms = [
  'text',
  'sku',
  'integer',
  'quantity',
  'decimal',
  'number',
  'minor',
  'time',
  'unix',
  'unixMs',
  'date',
  'boolean',
  'any',
] as const;
export type ValueForm = (typeof valueForms)[number];

export const FieldRule = Type.Union(
  [
    Pointer,
    Type.Object(
      {
        from: Type.Optional(
          Type.Union([Pointer, Type.Array(Pointer, { minItems: 1 })], {
            description: 'where it stands; the first that is there',
          }),
        ),
        jsonata: Type.Optional(
          Type.String({ description: 'an expression over the record; $record is the one that holds a list' }),
        ),
        value: Type.Optional(Scalar),
        default: Type.Optional(Type.Union([Scalar], { description: 'where nothing is there' })),
        table: Type.Optional(Type.String({ description: 'the code table it is looked up in' })),
        unit: Type.Optional(
          Type.Union([Pointer], { description: 'where its unit of measure stands: it becomes base units' }),
        ),
        zone: Type.Optional(Type.String({ description: 'IANA time zone of times without an offset' })),
        as: Type.Optional(Type.Enum([...valueForms])),
        optional: Type.Optional(Type.Boolean({ description: 'left out where nothing is there' })),
      },
      strict,
    ),
  ],
  { description: 'where a field comes from' },
);
export type FieldRule = Static<typeof FieldRule>;

const Fields = Type.Record(Type.String(), FieldRule);

export const MapSettings = Type.Object(
  {
    fields: Fields,
    lists: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object(
          {
            from: Type.Optional(Pointer),
            jsonata: Type.Optional(Type.String()),
            fields: Fields,
          },
          strict,
        ),
        { description: 'lists of the record, each entry mapped by fields of its own' },
      ),
    ),
    tables: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object(
          { codes: Type.Record(Type.String(), Scalar), otherwise: Type.Optional(Type.Union([Scalar])) },
          strict,
        ),
        {
          description:
            "code tables: theirs to ours; a code that isn't there is refused unless `otherwise` says what it is",
        },
      ),
    ),
    units: Type.Optional(
      Type.Record(Type.String(), Type.String({ pattern: '^\\d{1,9}(\\.\\d{1,6})?$' }), {
        description: 'base units in one unit of measure, as a decimal text',
      }),
    ),
    packs: Type.Optional(
      Type.Record(Type.String(), Type.Record(Type.String(), Type.String({ pattern: '^\\d{1,9}(\\.\\d{1,6})?$' })), {
        description: 'the same for one SKU, which wins: {"A-1": {"CASE": "12"}}',
      }),
    ),
  },
  { ...strict, description: 'fields, code tables, units, defaults and expressions' },
);
export type MapSettings = Static<typeof MapSettings>;
