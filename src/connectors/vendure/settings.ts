import { type Static, Type } from 'typebox';

const code = (description: string) => Type.String({ minLength: 1, maxLength: 200, description });

export const settings = Type.Object(
  {
    user: code('the administrator whose password is the token of the system'),
    company: code('the company whose orders these are'),
    account: code("whose order it is where the buyer isn't one of ours"),
    accounts: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: "our accounts by the buyer's e-mail address, in lower case",
      }),
    ),
    locations: Type.Array(code('a stock location of the shop, by name'), {
      minItems: 1,
      description: 'whose stock is told by us; the first carries the whole number',
    }),
    shopChannel: Type.Optional(code('the code of the shop channel that this is; default: its default channel')),
    shopChannelToken: Type.Optional(code('the token of that channel; needed beside shopChannel')),
    reserve: Type.Optional(
      Type.Integer({ description: "the shop's own reserve of every variant (outOfStockThreshold); default 0" }),
    ),
    correctLevels: Type.Optional(
      Type.Boolean({
        description: 'whether levels are compared with open orders, and set right with the number; default true',
      }),
    ),
    lookEveryMs: Type.Optional(
      Type.Integer({
        minimum: 1_000,
        description: 'how often everything open is looked at without a sign of a change; default 60000',
      }),
    ),
    reservationsField: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z][A-Za-z0-9_]*$',
        description:
          "the orders' custom field with reservations asked for at the checkout (examples/vendure-reservations)",
      }),
    ),
    settlePayments: Type.Optional(
      Type.Boolean({ description: 'capture authorised payments before the first shipment; default false' }),
    ),
    publicNotes: Type.Optional(
      Type.Boolean({ description: 'whether buyers see the notes about invoices and returns; default false' }),
    ),
    delivered: Type.Optional(Type.Boolean({ description: 'what is shipped counts as delivered; default false' })),
    fulfilmentHandler: Type.Optional(code("the code of the shop's fulfilment handler; default manual-fulfillment")),
    fulfilmentMethod: Type.Optional(code('how our fulfilments are called there; default Crossdock')),
    signatureHeader: Type.Optional(code('the header of webhooks with the HMAC; default x-peer-signature')),
  },
  { additionalProperties: false },
);

export type Settings = Static<typeof settings>;
