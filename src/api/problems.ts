/** Every error as problem+json (RFC 9457) with our code; nothing of the inside but ids and codes. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CrossdockError, type ErrorCode, errorKinds, type Retry } from '../canonical/index.ts';
import { isConnectionFault, isSerializationFault } from '../store/index.ts';
import type { ApiLog } from './hub.ts';

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  /** whether sending the same again makes sense: `later`, `never`, or after an `operator` has acted */
  retry: Retry;
  detail: string;
  place?: string;
  [detail: string]: unknown;
}

const DETAIL_CHARACTERS_MAX = 500;

export function problemOf(error: CrossdockError): Problem {
  const { status, meaning, retry } = errorKinds[error.code];
  return {
    ...error.details,
    type: `urn:crossdock:error:${error.code}`,
    title: meaning,
    status,
    code: error.code,
    retry,
    detail: error.message.slice(0, DETAIL_CHARACTERS_MAX),
  };
}

/** Whatever was thrown, as an error of ours. */
export function crossdockErrorOf(error: unknown, bodyBytesMax?: number): CrossdockError {
  if (error instanceof CrossdockError) return error;
  const { code, validation, validationContext, message } = error as FastifyError;
  if (validation !== undefined) return invalid(validation[0]!, validationContext ?? 'body');
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new CrossdockError(
        'XD_BODY_TOO_LARGE',
        `the body is larger than the ${bodyBytesMax} bytes that this route takes`,
        { place: 'body', bodyBytesMax },
      );
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new CrossdockError('XD_BODY_INVALID', 'the content type must be application/json', {
        place: 'content-type',
      });
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return new CrossdockError('XD_BODY_INVALID', message);
  }
  if (isConnectionFault(error))
    return new CrossdockError('XD_STORE_UNAVAILABLE', 'the database does not answer', {}, { cause: error });
  if (isSerializationFault(error))
    return new CrossdockError('XD_STORE_SERIALIZATION', 'lost a race too often', {}, { cause: error });
  // Class 22: data that the database can't hold. Our own checks should have named it; this keeps it the caller's error.
  if (/^22[0-9A-Z]{3}$/.test(String(code)))
    return new CrossdockError('XD_VALUE_INVALID', 'a value is beyond what can be stored', {}, { cause: error });
  return new CrossdockError('XD_INTERNAL', 'a fault in Crossdock; its log says more', {}, { cause: error });
}

interface SchemaError {
  keyword: string;
  instancePath: string;
  message?: string;
  params: Record<string, unknown>;
  data?: unknown;
}

const RANGE_KEYWORDS = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'pattern',
  'format',
  'enum',
  'const',
  'anyOf',
]);

function invalid(raw: unknown, part: string): CrossdockError {
  const error = raw as SchemaError;
  const place = placeOf(error, part);
  const code: ErrorCode = part !== 'body' || RANGE_KEYWORDS.has(error.keyword) ? 'XD_VALUE_INVALID' : 'XD_BODY_INVALID';
  const { keyword, params } = error;
  if (keyword === 'additionalProperties')
    return new CrossdockError(code, `${place} is not a key of this request`, { place });
  if (keyword === 'required') return new CrossdockError(code, `${place} is missing`, { place });
  const rule =
    keyword === 'pattern' ? 'has characters or a form that are not allowed here' : (error.message ?? 'is wrong');
  const allowed = Array.isArray(params.allowedValues) ? `: ${params.allowedValues.join(', ')}` : '';
  return new CrossdockError(code, `${place} ${rule}${allowed}${foundText(error.data)}`, { place });
}

function placeOf(error: SchemaError, part: string): string {
  const key = error.params.missingProperty ?? error.params.additionalProperty;
  const pointer = key === undefined ? error.instancePath : `${error.instancePath}/${String(key).slice(0, 60)}`;
  let place = '';
  for (const step of pointer.split('/').slice(1)) {
    if (/^\d+$/.test(step)) place += `[${step}]`;
    else place += `${place === '' ? '' : '.'}${step.replaceAll('~1', '/').replaceAll('~0', '~')}`;
  }
  return place === '' ? part : place;
}

function foundText(data: unknown): string {
  if (data === undefined) return '';
  if (typeof data === 'object' && data !== null) return `, found ${Array.isArray(data) ? 'a list' : 'an object'}`;
  const text = JSON.stringify(data);
  return `, found ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`;
}

export function sendProblem(reply: FastifyReply, error: CrossdockError): FastifyReply {
  const problem = problemOf(error);
  // The log names it too, so that what a caller saw can be found there.
  if (problem.status >= 500) problem.requestId = reply.request.id;
  if (problem.status === 503) reply.header('retry-after', String(error.details.retryAfterSeconds ?? 1));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="crossdock"');
  // As text, so that no route's response schema takes a detail away.
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

export function useProblems(app: FastifyInstance, log: ApiLog): void {
  app.setErrorHandler((thrown, request: FastifyRequest, reply) => {
    const error = crossdockErrorOf(thrown, request.routeOptions.bodyLimit);
    if (error.httpStatus >= 500 && error.code !== 'XD_BUSY') {
      const cause = error.cause instanceof Error ? error.cause : undefined;
      log.error(
        {
          code: error.code,
          requestId: request.id,
          method: request.method,
          route: request.routeOptions.url,
          reason: cause?.message ?? error.message,
          stack: (cause ?? error).stack,
        },
        'request failed',
      );
    }
    return sendProblem(reply, error);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new CrossdockError('XD_NOT_FOUND', `there is no ${request.method} ${request.url.split('?')[0]!.slice(0, 200)}`),
    ),
  );
}
