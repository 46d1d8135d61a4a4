import { Ajv, type ErrorObject } from 'ajv';
import type { Faults, Path } from './faults.ts';
import { estateSchema } from './schema.ts';

type Schema = Record<string, unknown>;

/** Their values are never shown: somebody may have written the secret itself there. */
const HIDDEN = new Set(['token', 'webhookSecret', 'url']);

const ajv = new Ajv({ allErrors: true, strict: false, verbose: true });
const check = ajv.compile(closedRecords(estateSchema as unknown as Schema) as object);

/** Compares with the schema; each fault is one sentence, also where the schema tried several alternatives. */
export function checkShape(value: unknown, faults: Faults): void {
  if (check(value)) return;
  const errors = check.errors ?? [];
  // A union tells of each alternative and then of itself; people want the last only.
  const unions = errors.filter((error) => error.keyword === 'anyOf');
  const isDetail = (error: ErrorObject): boolean =>
    unions.some((union) => union !== error && error.schemaPath.startsWith(`${union.schemaPath}/`));
  const seen = new Set<string>();
  for (const error of errors) {
    if (isDetail(error)) continue;
    const before = faults.all.length;
    addFault(error, value, faults);
    const added = faults.all[before];
    if (added === undefined) continue;
    const text = `${added.path} ${added.message}`;
    if (seen.has(text)) faults.all.length = before;
    seen.add(text);
  }
}

function addFault(error: ErrorObject, root: unknown, faults: Faults): void {
  const path = pathOf(error.instancePath, root);
  const params = error.params as Record<string, unknown>;
  const parent = (error.parentSchema ?? {}) as Schema;
  const found = foundText(path, error.data);
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const patterns = Object.keys((parent.patternProperties ?? {}) as object);
      if (patterns.length > 0) faults.add([...path, key], `is not a code: it ${codeRule(patterns)}`);
      else
        faults.addUnknown([...path, key], `unknown key ${key}`, key, Object.keys((parent.properties ?? {}) as object));
      return;
    }
    case 'required': {
      const key = String(params.missingProperty);
      const property = ((parent.properties ?? {}) as Record<string, Schema>)[key];
      const hint = typeof property?.description === 'string' ? ` (${property.description})` : '';
      faults.add([...path, key], `is missing${hint}`);
      return;
    }
    case 'anyOf': {
      const constants = constantsOf(error.schema);
      const wrong = typeof error.data === 'string' ? error.data : '';
      if (constants === undefined) faults.add(path, `must be ${alternativesOf(error.schema)}${found}`);
      else faults.addUnknown(path, `must be one of ${constants.join(', ')}${found}`, wrong, constants);
      return;
    }
    case 'pattern':
      faults.add(path, `${codeRule([String(params.pattern)], parent)}${found}`);
      return;
    case 'minProperties':
    case 'minItems':
      faults.add(path, `must hold at least ${params.limit}`);
      return;
    case 'minLength':
      faults.add(path, 'must not be empty');
      return;
    default:
      faults.add(path, `${error.message ?? 'is wrong'}${found}`);
  }
}

function codeRule([pattern]: string[], schema: Schema = {}): string {
  if (pattern?.startsWith('^[A-Za-z0-9]'))
    return 'must be 1 to 40 letters, digits, "_", "." or "-", a letter or digit first';
  if (typeof schema.description === 'string') return `must be ${schema.description}`;
  return `must match ${pattern}`;
}

function foundText(path: Path, data: unknown): string {
  if (data === undefined || path.some((part) => HIDDEN.has(String(part)))) return '';
  if (typeof data === 'object' && data !== null) return `, found ${Array.isArray(data) ? 'a list' : 'an object'}`;
  const text = JSON.stringify(data) ?? typeof data;
  return `, found ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`;
}

function constantsOf(schema: unknown): string[] | undefined {
  const branches = schema as Schema[];
  return branches.every((branch) => typeof branch.const === 'string')
    ? branches.map((branch) => branch.const as string)
    : undefined;
}

/** The alternatives of this schema that are not constants are texts and secrets. */
function alternativesOf(schema: unknown): string {
  const hasText = (schema as Schema[]).some((branch) => branch.type === 'string');
  return `${hasText ? 'a text, ' : ''}env('NAME') or file('PATH')`;
}

/** A JSON pointer as path; a number only where the value there really is a list. */
function pathOf(pointer: string, root: unknown): Path {
  let at = root as Record<string, unknown> | undefined;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const inList = Array.isArray(at);
      at = at?.[key] as typeof at;
      return inList ? Number(key) : key;
    });
}

/** Records by code let keys pass that are no codes, values unseen; here they are refused. */
function closedRecords(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closedRecords);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy: Schema = {};
  for (const [key, value] of Object.entries(schema)) copy[key] = closedRecords(value);
  if (copy.patternProperties !== undefined) copy.additionalProperties ??= false;
  return copy;
}
