/** What becomes of charges, and of goods that come back. */
import { Type } from 'typebox';
import { closed } from './schema-parts.ts';

export const chargeRule = (what: string) =>
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
export const chargesSchema = Type.Object(
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
export const returnsSchema = (what: string) =>
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
