/** All that a connector said while it was tested: no secret may be in it. */
import { CrossdockError } from '../../../canonical/index.ts';

interface Listener {
  said: string[];
}

/** Keeps what was said, and gives it back. */
export function noted<T>(listener: Listener, value: T): T {
  listener.said.push(textOf(value));
  return value;
}

/** As a log would write it. */
export function textOf(value: unknown): string {
  if (!(value instanceof Error)) return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  const details = value instanceof CrossdockError ? JSON.stringify(value.details) : '';
  return `${value.name} ${value.message} ${details} ${value.cause === undefined ? '' : textOf(value.cause)}`;
}
