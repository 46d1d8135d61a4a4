/** What this system's error codes mean. */
import type { Fault, HttpAnswer, Outcome } from '../kit/index.ts';

export interface ApiError {
  code: string;
  message: string;
}

/** How long a system that has no calls left for today is left alone; then it is asked again whether it has. */
export const DAILY_LIMIT_PAUSE_MS = 300_000;
const CONCURRENT_LIMIT_PAUSE_MS = 5_000;

/** Surely without effect, and gone by itself. */
const LATER = new Set([
  'UNABLE_TO_LOCK_ROW',
  'ALL_OR_NONE_OPERATION_ROLLED_BACK',
  'PROCESSING_HALTED',
  'QUERY_TIMEOUT',
  'INVALID_QUERY_LOCATOR',
  'FUNCTIONALITY_TEMPORARILY_UNAVAILABLE',
  'UNKNOWN_EXCEPTION',
]);
/** A person must change something in the org or in the estate; the record itself may be fine. */
const OPERATOR: Readonly<Record<string, string>> = {
  FIELD_CUSTOM_VALIDATION_EXCEPTION: 'a validation rule of the org refuses it',
  DUPLICATES_DETECTED:
    'a duplicate rule of the org refuses it: merge the records, or let the rule pass the integration user',
  DUPLICATE_VALUE: 'another record holds this unique value',
  CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: 'a trigger or flow of the org fails',
  INSUFFICIENT_ACCESS: 'the integration user may not',
  INSUFFICIENT_ACCESS_OR_READONLY: 'the integration user may not',
  INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY: 'the integration user may not',
  INVALID_FIELD:
    'a field is missing in the org or hidden from the integration user, or nothing has the external id named',
  INVALID_FIELD_FOR_INSERT_UPDATE: 'the integration user may not write this field',
  INVALID_TYPE: 'an object is missing in the org or hidden from the integration user',
  MALFORMED_QUERY: 'a name in the settings does not fit the org',
  NOT_FOUND: 'an object or the version of the API does not exist',
  API_DISABLED_FOR_ORG: 'the org has no API access',
  STORAGE_LIMIT_EXCEEDED: 'the org has no room left',
};

/** The errors in an answer that is one: `[{errorCode, message}]`, and `{statusCode, message}` of a record. */
export function errorsOf(value: unknown): ApiError[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one): ApiError[] => {
    const { errorCode, statusCode, message } = (one ?? {}) as Record<string, unknown>;
    const code = typeof errorCode === 'string' ? errorCode : statusCode;
    return typeof code === 'string' ? [{ code, message: typeof message === 'string' ? message : '' }] : [];
  });
}

const textOf = ({ code, message }: ApiError): string => `${code}: ${message}`;

/** Of a whole request. Without a code, HTTP says it; 5xx stay in doubt: an answer may be lost after the effect. */
export function faultOf({ status, value }: HttpAnswer): Fault | undefined {
  if (status < 400 || status >= 500) return undefined;
  const [error] = errorsOf(value);
  if (error === undefined) return undefined;
  const { code } = error;
  if (code === 'INVALID_SESSION_ID') return { class: 'signed_out', message: textOf(error) };
  if (code === 'REQUEST_LIMIT_EXCEEDED') {
    const isConcurrent = error.message.startsWith('Concurrent');
    const retryAfterMs = isConcurrent ? CONCURRENT_LIMIT_PAUSE_MS : DAILY_LIMIT_PAUSE_MS;
    return { class: 'later', message: textOf(error), retryAfterMs };
  }
  if (LATER.has(code)) return { class: 'later', message: textOf(error) };
  const operator = OPERATOR[code];
  if (operator !== undefined) return { class: 'operator', message: `${textOf(error)} (${operator})` };
  return { class: 'refused', message: textOf(error) };
}

/** Of a record that was not taken: it surely had no effect. `gone`: what it changes or hangs on was deleted meanwhile. */
export function outcomeOf(errors: readonly ApiError[], what: string): { outcome: Outcome; gone: boolean } {
  const gone = errors.some(({ code }) => code === 'ENTITY_IS_DELETED');
  // What will never pass decides over what may pass later.
  const worst = errors.find(({ code }) => !LATER.has(code)) ?? errors[0];
  if (worst === undefined) return { outcome: { outcome: 'in_doubt', error: `${what}: failed without a reason` }, gone };
  if (LATER.has(worst.code) || gone) return { outcome: { outcome: 'later', error: `${what}: ${textOf(worst)}` }, gone };
  const operator = OPERATOR[worst.code];
  const hint = operator === undefined ? '' : ` (${operator})`;
  return { outcome: { outcome: 'refused', error: `${what}: ${textOf(worst).slice(0, 300)}${hint}` }, gone };
}
