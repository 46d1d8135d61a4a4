import { fail } from '../../../canonical/index.ts';

const POINTER = /^(\/([^/~]|~[01])*)*$/;

/** @throws XD_ESTATE_INVALID */
export function pointerOf(text: string, at: string): string {
  if (!POINTER.test(text))
    fail('XD_ESTATE_INVALID', `${at}: ${JSON.stringify(text)} is no JSON pointer`, { place: at });
  return text;
}

/** What stands there (RFC 6901); undefined where nothing does. Only what a record itself has: never its prototype's. */
export function pointed(value: unknown, pointer: string): unknown {
  let at = value;
  if (pointer === '') return at;
  for (const part of pointer.slice(1).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}
