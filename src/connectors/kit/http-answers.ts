/** What answers say: how long to wait, why something was refused, whether it may be sent again. */
import { CrossdockError } from '../../canonical/index.ts';
import type { WriteAnswer } from './http-contract.ts';
import type { Outcome } from './types.ts';

/** The longest pause we believe a system that it wants; whoever means more will say so again. */
export const RETRY_AFTER_MS_MAX = 300_000;
const ERROR_CHARS_MAX = 200;

/** Seconds, or a date that is read against the answer's own Date, so that a clock that is off doesn't matter. */
export function retryAfterMsOf(headers: Readonly<Record<string, string | string[] | undefined>>): number | undefined {
  const text = headers['retry-after'];
  if (typeof text !== 'string') return undefined;
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * 1000, RETRY_AFTER_MS_MAX);
  const at = Date.parse(text);
  const { date } = headers;
  const now = typeof date === 'string' ? Date.parse(date) : Date.now();
  if (Number.isNaN(at) || Number.isNaN(now)) return undefined;
  return Math.min(Math.max(0, at - now), RETRY_AFTER_MS_MAX);
}

export function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Shorter ones are words that stand in any text. */
const CREDENTIAL_CHARS_MIN = 8;

/**
 * An answer without the credentials of its call: systems repeat them in their errors, and what an answer says is logged, kept and shown.
 * They are looked for as they were sent, and without what stands before them (`Bearer …`).
 */
export function hushed(body: Buffer, credentials: readonly string[]): Buffer {
  const secrets = credentials
    .flatMap((value) => [value, value.slice(value.lastIndexOf(' ') + 1), encodeURIComponent(value)])
    .filter((secret) => secret.length >= CREDENTIAL_CHARS_MIN && body.includes(secret));
  if (secrets.length === 0) return body;
  // Byte for byte, so that what is no text stays as it is.
  let text = body.toString('latin1');
  for (const secret of secrets) text = text.replaceAll(secret, '***');
  return Buffer.from(text, 'latin1');
}

/** What the other side says about its refusal, if it says it in one of the usual shapes; bounded, since it is theirs. */
export function saidBy(answer: unknown): string {
  const value = answer as { error?: unknown; message?: unknown; detail?: unknown } | null | undefined;
  return errorText(value?.error ?? value?.detail ?? value?.message);
}

/** `: code: message` of an error object, or nothing. */
export function errorText(error: unknown): string {
  const parts = typeof error === 'string' ? [error] : [(error as Item)?.code, (error as Item)?.message];
  const text = parts.filter((part) => typeof part === 'string' && part !== '').join(': ');
  return text === '' ? '' : `: ${bounded(text)}`;
}

export function bounded(text: string): string {
  return text.toWellFormed().replaceAll('\0', '').slice(0, ERROR_CHARS_MAX);
}

type Item = { code?: unknown; message?: unknown } | null | undefined;

export function shortError(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const code = (error as { code?: unknown }).code;
  // An AggregateError (several addresses tried) has an empty message.
  return typeof code === 'string' ? code : error.message.slice(0, ERROR_CHARS_MAX);
}

/** How long the system asked us to wait, where the error of a call says so. */
export function askedToWaitMs(error: unknown): number | undefined {
  const asked = error instanceof CrossdockError ? error.details.retryAfterMs : undefined;
  return typeof asked === 'number' ? asked : undefined;
}

export function later(error: string, retryAfterMs?: number): WriteAnswer {
  const outcome: Outcome = {
    outcome: 'later',
    error,
    ofSystem: true,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  return { answered: false, outcome, itemsToBlame: false };
}

export function inDoubt(error: string): WriteAnswer {
  return { answered: false, outcome: { outcome: 'in_doubt', error }, itemsToBlame: false };
}
