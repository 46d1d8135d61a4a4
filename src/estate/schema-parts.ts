/** What schemas of the estate file are made of. */
import { Type } from 'typebox';

export const code = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$' });
export const described = (description: string) => Type.String({ ...code, description });
export const days = (description: string) => Type.Integer({ minimum: 1, description: `days: ${description}` });
export const closed = { additionalProperties: false } as const;
export const afterSeconds = () =>
  Type.Integer({ minimum: 1, maximum: 86_400, description: 'without an answer; default 60' });

export const secretSchema = Type.Union([
  Type.Object({ secret: Type.Literal('env'), name: Type.String({ minLength: 1 }) }, closed),
  Type.Object({ secret: Type.Literal('file'), path: Type.String({ minLength: 1 }) }, closed),
]);
