/** The keys of the estate file, walked from its schema: for the reference page, and to prove that none is silently ignored. */
import { estateSchema } from './schema.ts';

/** The little of JSON schema that the estate's uses. */
export interface KeySchema {
  type?: string;
  description?: string;
  properties?: Record<string, KeySchema>;
  patternProperties?: Record<string, KeySchema>;
  required?: string[];
  items?: KeySchema;
  anyOf?: KeySchema[];
  const?: unknown;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
}

export interface EstateKey {
  /** `locations.<code>.priority`; what people call themselves is `<code>`. */
  path: string;
  schema: KeySchema;
  isRequired: boolean;
  /** Holds a value itself, not only further keys. */
  isLeaf: boolean;
}

/** Every key, in the order of the schema. */
export function estateKeys(): EstateKey[] {
  const keys: EstateKey[] = [];
  const walk = (schema: KeySchema, path: string): void => {
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      const at = path === '' ? name : `${path}.${name}`;
      const held = [property, ...Object.values(property.patternProperties ?? {})];
      const isLeaf = held.every((one) => one.properties === undefined);
      keys.push({ path: at, schema: property, isRequired: schema.required?.includes(name) === true, isLeaf });
      walk(property, at);
      for (const value of Object.values(property.patternProperties ?? {})) walk(value, `${at}.<code>`);
    }
  };
  walk(estateSchema as unknown as KeySchema, '');
  return keys;
}
