import { type Static, Type } from 'typebox';

export const settings = Type.Object(
  {
    user: Type.String({ description: "The integration user's login; the system's token is their password." }),
    company: Type.Optional(Type.Integer({ minimum: 1, description: "Tryton's company id; default: the user's own." })),
    companyCode: Type.String({ description: 'Our code of that company.' }),
    warehouses: Type.Record(Type.String(), Type.String(), {
      description:
        "Our locations, each with the code of its warehouse in Tryton. An order's goods are planned for the first.",
      minProperties: 1,
    }),
    accounts: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description:
          'Accounts whose party in Tryton has another code than ours, such as the walk-in account of a shop.',
      }),
    ),
    units: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: "Our unit for a product's unit in Tryton, by its symbol; default: u is each.",
      }),
    ),
    credit: Type.Optional(
      Type.Boolean({
        description:
          'Whether what parties owe is told by a feed, too: all of them are read and compared at each poll. Default false: they are only asked for.',
      }),
    ),
    accountTerms: Type.Optional(
      Type.Boolean({ description: 'Whether accounts are told with their payment term, by its name. Default false.' }),
    ),
    trackingNotes: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 40,
        description:
          'Tracking numbers stand in notes on shipments that begin so, e.g. "Tracking:"; for a Tryton without packages that have them.',
      }),
    ),
    overlapMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3_600_000,
        description: 'How far back each pass reads again; at least as long as the longest transaction. Default 150000.',
      }),
    ),
    since: Type.Optional(
      Type.String({
        pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z$',
        description:
          'Feeds begin here instead of with the first record, e.g. 2026-01-01T00:00:00.000000Z; stock is then opened by a count.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type Settings = Static<typeof settings>;

/** Longer than any transaction over HTTP can be: the application server ends them after 120 s. */
export const OVERLAP_MS = 150_000;
