import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fail } from '../canonical/index.ts';
import type { Secret } from './schema.ts';

/** Where references are resolved. */
export interface SecretSources {
  env: Readonly<Record<string, string | undefined>>;
  readFile: (path: string) => string;
}

/** The process's environment, and files relative to `folder` (that of the estate file). */
export function secretSources(folder: string = process.cwd()): SecretSources {
  return { env: process.env, readFile: (path) => readFileSync(resolve(folder, path), 'utf8') };
}

/**
 * The value behind a reference. `place` says who wants it, e.g. `systems.erp.token`.
 * @throws XD_ESTATE_INVALID naming the variable or file, never a value
 */
export function resolveSecret(secret: Secret, sources: SecretSources, place?: string): string {
  const wanted = place === undefined ? '' : `${place}: `;
  if (secret.secret === 'env') {
    const value = sources.env[secret.name];
    if (value === undefined || value === '')
      fail('XD_ESTATE_INVALID', `${wanted}environment variable ${secret.name} is not set`, { name: secret.name });
    return value;
  }
  const { path } = secret;
  let content: string;
  try {
    content = sources.readFile(path);
  } catch (cause) {
    const code = (cause as { code?: unknown }).code ?? 'unreadable';
    fail('XD_ESTATE_INVALID', `${wanted}file ${path} can't be read (${String(code)})`, { path }, { cause });
  }
  const value = content.replace(/\r?\n$/, '');
  if (value === '') fail('XD_ESTATE_INVALID', `${wanted}file ${path} is empty`, { path });
  return value;
}

/** A text that may be written out or be a reference, such as a URL. */
export function resolveText(text: string | Secret, sources: SecretSources, place?: string): string {
  return typeof text === 'string' ? text : resolveSecret(text, sources, place);
}
