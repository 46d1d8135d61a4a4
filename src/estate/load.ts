import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CrossdockError, fail } from '../canonical/index.ts';
import { Faults } from './faults.ts';
import { resolveOwnModules } from './own-modules.ts';
import { checkReferences } from './references.ts';
import type { Estate } from './schema.ts';
import { checkShape } from './shape.ts';

export interface ValidateOptions {
  /** Names of the connectors that ship with Crossdock; without them connector names are not checked. */
  connectors?: Iterable<string>;
  /** What the estate came from, for the message. */
  from?: string;
}

/** Imports an estate file (TypeScript or JavaScript; default export or one named `estate`) and validates it. */
export async function loadEstate(path: string, options: Omit<ValidateOptions, 'from'> = {}): Promise<Estate> {
  const file = resolve(path);
  resolveOwnModules();
  let module: { default?: unknown; estate?: unknown };
  try {
    module = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as typeof module;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CrossdockError('XD_ESTATE_INVALID', `${file} could not be read: ${reason}`, { file }, { cause });
  }
  const value = module.default ?? module.estate;
  if (value === undefined)
    fail('XD_ESTATE_INVALID', `${file} exports no estate: export default defineEstate({…})`, { file });
  return validateEstate(value, { ...options, from: file });
}

/**
 * @returns the same value, now known to be an estate
 * @throws XD_ESTATE_INVALID with every fault at once in `details.faults`: path, message, and the nearest right word
 */
export function validateEstate(value: unknown, { connectors, from = 'the estate' }: ValidateOptions = {}): Estate {
  const faults = new Faults();
  checkShape(value, faults);
  checkReferences(value, connectors, faults);
  const { all } = faults;
  if (all.length > 0) {
    const lines = all.map(({ path, message }) => `\n  ${path}: ${message}`).join('');
    fail('XD_ESTATE_INVALID', `${from} has ${all.length === 1 ? '1 fault' : `${all.length} faults`}:${lines}`, {
      faults: all,
    });
  }
  return value as Estate;
}
