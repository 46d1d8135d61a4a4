/** When it makes sense to try again: by itself later, never with this content, or after a person has acted. */
export type Retry = 'later' | 'never' | 'operator';

export interface ErrorKind {
  readonly status: number;
  readonly retry: Retry;
  readonly meaning: string;
}

/** Every code Crossdock answers or logs. `docs/reference/errors.md` is generated from this table. */
export const errorKinds = {
  XD_SETUP_FAILED: { status: 500, retry: 'operator', meaning: 'Set-up could not be completed.' },
  XD_ESTATE_INVALID: {
    status: 500,
    retry: 'operator',
    meaning: 'The estate file has an unknown, missing or wrong key.',
  },
  XD_STORE_UNAVAILABLE: { status: 503, retry: 'later', meaning: 'The database does not answer.' },
  XD_STORE_IN_DOUBT: {
    status: 503,
    retry: 'later',
    meaning: 'The connection broke at commit; the outcome could not be read yet.',
  },
  XD_STORE_SERIALIZATION: { status: 503, retry: 'later', meaning: 'The transaction lost a race too often.' },
  XD_STORE_UNSAFE: { status: 500, retry: 'operator', meaning: 'A database setting can lose acknowledged data.' },
  XD_STORE_VERSION: { status: 500, retry: 'operator', meaning: 'The server version is not supported.' },
  XD_STORE_MIGRATION: { status: 500, retry: 'operator', meaning: 'Migrations do not fit this code.' },
  XD_LOG_EPOCH: {
    status: 503,
    retry: 'operator',
    meaning: 'The log was restored into another cluster: run crossdock restored.',
  },
  XD_STORE_EMBEDDED: { status: 500, retry: 'operator', meaning: 'The embedded database could not be started.' },
  XD_BODY_INVALID: { status: 400, retry: 'never', meaning: 'The body is not valid JSON or does not fit the schema.' },
  XD_BODY_TOO_LARGE: { status: 413, retry: 'never', meaning: 'The body is larger than this route takes.' },
  XD_BODY_TOO_DEEP: { status: 400, retry: 'never', meaning: 'The body is nested deeper than 32 levels.' },
  XD_UNAUTHENTICATED: { status: 401, retry: 'never', meaning: 'No API key, or one that is not known.' },
  XD_FORBIDDEN: { status: 403, retry: 'never', meaning: 'The API key lacks the scope.' },
  XD_NOT_FOUND: { status: 404, retry: 'never', meaning: 'There is no such thing.' },
  XD_UNKNOWN_SKU: { status: 422, retry: 'never', meaning: 'No SKU of this code, and no crosswalk entry.' },
  XD_UNKNOWN_CHANNEL: { status: 422, retry: 'never', meaning: 'No channel of this code.' },
  XD_UNKNOWN_LOCATION: { status: 422, retry: 'never', meaning: 'No location of this code.' },
  XD_UNKNOWN_COMPANY: { status: 422, retry: 'never', meaning: 'No company of this code.' },
  XD_UNKNOWN_ACCOUNT: { status: 422, retry: 'never', meaning: 'No account of this code in the company.' },
  XD_UNKNOWN_ORDER: { status: 404, retry: 'never', meaning: 'No order of this number in the channel.' },
  XD_UNKNOWN_UNIT: { status: 422, retry: 'never', meaning: 'No conversion for this unit.' },
  XD_NOT_OWNER: { status: 409, retry: 'never', meaning: 'Another system owns the field.' },
  XD_ACCOUNT_CYCLE: { status: 422, retry: 'never', meaning: 'An account would stand above itself.' },
  XD_KIT_CYCLE: { status: 422, retry: 'never', meaning: 'A kit would be made of itself.' },
  XD_SUBSTITUTE_CYCLE: { status: 422, retry: 'never', meaning: 'A SKU would stand for itself in the end.' },
  XD_UNIT_IN_USE: {
    status: 409,
    retry: 'operator',
    meaning: 'The base unit of a product can not change while something is counted in it.',
  },
  XD_UNIT_INEXACT: { status: 422, retry: 'never', meaning: 'The quantity is no whole number of base units.' },
  XD_ORDER_QUANTITY: {
    status: 422,
    retry: 'never',
    meaning: 'The quantity is below the least, or no multiple, that may be ordered of the product.',
  },
  XD_KEY_MISSING: { status: 400, retry: 'never', meaning: 'The Idempotency-Key header is missing.' },
  XD_KEY_CONFLICT: { status: 422, retry: 'never', meaning: 'The key was used before with other content.' },
  XD_VALUE_INVALID: { status: 422, retry: 'never', meaning: 'A value is out of range or of the wrong form.' },
  XD_PRICE_OVERLAP: {
    status: 409,
    retry: 'never',
    meaning: 'A price or contract holds on days that another one of its kind has already.',
  },
  XD_UNKNOWN_REGION: { status: 422, retry: 'never', meaning: 'No account of the company is in this region.' },
  XD_QUOTA_OVER_PARENT: {
    status: 422,
    retry: 'never',
    meaning: 'What is kept for a node, or its cap, is more than the quota that it lies below allows.',
  },
  XD_QUOTA_OVERLAP: {
    status: 409,
    retry: 'never',
    meaning: 'Another quota of the same channel, region, account and SKU holds in that time.',
  },
  XD_REFUSED: { status: 409, retry: 'never', meaning: 'A business rule refused it.' },
  XD_ATP_SHORT: { status: 409, retry: 'never', meaning: 'Not enough available to promise.' },
  XD_BUSY: { status: 503, retry: 'later', meaning: 'Work in flight is at its bound; come back after Retry-After.' },
  XD_CONNECTOR_UNAVAILABLE: { status: 503, retry: 'later', meaning: 'The system did not answer or answered 5xx.' },
  XD_CONNECTOR_RATE_LIMITED: { status: 503, retry: 'later', meaning: 'The system asked us to wait.' },
  XD_CONNECTOR_REFUSED: { status: 502, retry: 'operator', meaning: 'The system refused the write.' },
  XD_CONNECTOR_MALFORMED: {
    status: 502,
    retry: 'operator',
    meaning: 'The system answered something that is not its contract.',
  },
  XD_INTERNAL: { status: 500, retry: 'operator', meaning: 'A fault in Crossdock.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

/**
 * A fault or refused request with its code, the value found, and what was being done.
 * `details` are shown to the caller: ids and codes only, never payloads or secrets.
 */
export class CrossdockError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Record<string, unknown> = {}, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'CrossdockError';
    this.code = code;
    this.details = details;
  }

  get httpStatus(): number {
    return errorKinds[this.code].status;
  }

  get retry(): Retry {
    return errorKinds[this.code].retry;
  }
}

/** Throws a {@link CrossdockError}; reads as a statement. */
export function fail(
  code: ErrorCode,
  message: string,
  details?: Record<string, unknown>,
  options?: { cause?: unknown },
): never {
  throw new CrossdockError(code, message, details, options);
}
