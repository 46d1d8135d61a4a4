/** How accounts and products of systems with codes of their own are matched with ours. */
import { Type } from 'typebox';
import type { Faults, Path } from './faults.ts';

const closed = { additionalProperties: false } as const;
const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });
const weight = Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100 }));

/** @param fields what records of the kind are compared by */
function kindSchema(what: string, fields: readonly string[], normalised: string) {
  const field = Type.Union(fields.map((name) => Type.Literal(name)));
  const weights = Type.Object(Object.fromEntries(fields.map((name) => [name, weight])), closed);
  return Type.Optional(
    Type.Object(
      {
        systems: Type.Array(Type.String({ minLength: 1 }), {
          minItems: 1,
          uniqueItems: true,
          description: `whose ${what} codes are their own: one without a crosswalk entry is never one of ours, and is matched before anything is done with it`,
        }),
        rules: Type.Array(
          Type.Union([
            Type.Object({ by: Type.Literal('exact'), field }, closed),
            Type.Object({ by: Type.Literal('normalised'), fields: Type.Array(field, { minItems: 1 }) }, closed),
            Type.Object(
              {
                ...{ by: Type.Literal('scored'), weights },
                same: share('from here on they are one'),
                unsure: share('from here on a person is asked'),
              },
              closed,
            ),
          ]),
          {
            minItems: 1,
            description: `in their order; the first that finds something decides. exact: one field; normalised: all of these, ${normalised}; scored: likeness by weights, from same on one ${what}, from unsure on a person is asked`,
          },
        ),
      },
      closed,
    ),
  );
}

export const matchingSchema = Type.Object(
  {
    account: kindSchema(
      'account',
      ['name', 'taxId', 'email', 'postalCode'],
      'without case, marks, punctuation and legal form',
    ),
    product: kindSchema('product', ['description', 'gtin'], 'without case, marks and punctuation'),
  },
  closed,
);

interface Loose {
  systems?: unknown;
  rules?: unknown;
}

/** What the schema can't say. */
export function checkMatching(
  { systems, rules }: Loose,
  path: Path,
  faults: Faults,
  checkSystem: (code: unknown, path: Path) => void,
): void {
  if (Array.isArray(systems)) for (const [i, code] of systems.entries()) checkSystem(code, [...path, 'systems', i]);
  if (!Array.isArray(rules)) return;
  rules.forEach((rule: unknown, i) => {
    const { by, same, unsure, weights } = (rule ?? {}) as Record<string, unknown>;
    if (by !== 'scored') return;
    if (typeof same === 'number' && typeof unsure === 'number' && unsure > same)
      faults.add([...path, 'rules', i, 'unsure'], `is ${unsure}, above same (${same})`);
    if (typeof weights === 'object' && weights !== null && Object.keys(weights).length === 0)
      faults.add([...path, 'rules', i, 'weights'], 'names no field');
  });
}
