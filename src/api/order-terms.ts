/** What an order may say of from where and when it is to be served. */
import { type Static, type TObject, Type } from 'typebox';
import type { OrderSubmitted } from '../canonical/index.ts';
import { closed, text, time, utcOf } from './schemas.ts';

export const orderTerms = {
  shipTo: Type.Optional(
    closed(
      {
        position: Type.Optional(
          closed({
            latitude: Type.Number({ minimum: -90, maximum: 90, description: 'degrees, north positive' }),
            longitude: Type.Number({ minimum: -180, maximum: 180, description: 'degrees, east positive' }),
          }),
        ),
        country: Type.Optional(Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166' })),
        postalCode: Type.Optional(text(20)),
      },
      "where it goes, for channels that rank locations by distance: a position, or what the estate's postal areas have one for",
    ),
  ),
  requestedAt: Type.Optional({ ...time(), description: 'RFC 3339; it is promised not before' }),
  shipComplete: Type.Optional(
    Type.Boolean({ description: 'nothing of it leaves before all of it is there; default as the channel declares' }),
  ),
};

export const consent = {
  substitutes: Type.Optional(
    Type.Union([Type.Literal('never'), Type.Literal('offer'), Type.Literal('allow')], {
      description:
        "units that it can't have. allow: the product's substitutes are sent; offer: what they could cover is held until somebody decides; default as the channel declares",
    }),
  ),
};

export function termsOf(
  body: Static<TObject<typeof orderTerms>>,
): Pick<OrderSubmitted, 'shipTo' | 'requestedAt' | 'shipComplete'> {
  return {
    ...(body.shipTo !== undefined && { shipTo: body.shipTo }),
    ...(body.requestedAt !== undefined && { requestedAt: utcOf(body.requestedAt, 'requestedAt') }),
    ...(body.shipComplete !== undefined && { shipComplete: body.shipComplete }),
  };
}
