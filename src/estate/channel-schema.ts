/** Channels and the rules of their orders. */
import { Type } from 'typebox';
import { UNIT_PATTERN } from '../canonical/index.ts';
import { chargesSchema, returnsSchema } from './charges-schema.ts';
import { sourcingSchema } from './places-schema.ts';
import { closed, code, described } from './schema-parts.ts';

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
