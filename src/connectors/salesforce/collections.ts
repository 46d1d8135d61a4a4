/** Writing many records by their external id: by collections, each record with a result of its own, or all or none. */
import type { Outcome, WriteAnswer } from '../kit/index.ts';
import type { Salesforce } from './client.ts';
import { type ApiError, errorsOf, outcomeOf } from './errors.ts';
import { jsonOf } from './values.ts';

/** Records of one collection. */
export const COLLECTION_MAX = 200;
/** Collections of one composite request. */
export const COMPOSITE_COLLECTIONS_MAX = 5;

export interface Collection {
  object: string;
  externalId: string;
  records: readonly Readonly<Record<string, unknown>>[];
}
/** `gone`: what the record changes or hangs on was deleted meanwhile. */
export type RecordOutcome = { outcome: Outcome; gone: boolean };

const confirmed: RecordOutcome = { outcome: { outcome: 'confirmed' }, gone: false };
const inDoubt = (error: string): RecordOutcome => ({ outcome: { outcome: 'in_doubt', error }, gone: false });

/** One result a record, in their order; a refused one fails none of the others. */
export async function upsertEach(
  client: Salesforce,
  { object, externalId, records }: Collection,
  signal: AbortSignal,
): Promise<RecordOutcome[]> {
  const results: RecordOutcome[] = [];
  for (let from = 0; from < records.length; from += COLLECTION_MAX)
    results.push(...(await upsertPart(client, object, externalId, records.slice(from, from + COLLECTION_MAX), signal)));
  return results;
}

async function upsertPart(
  client: Salesforce,
  object: string,
  externalId: string,
  records: Collection['records'],
  signal: AbortSignal,
): Promise<RecordOutcome[]> {
  const path = `${client.settings.data}/composite/sobjects/${object}/${externalId}`;
  const body = jsonOf({ allOrNone: false, records: withType(object, records) });
  const answer = await client.send({ method: 'PATCH', path, raw: { body, contentType: 'application/json' } }, signal);
  if (answer.answered) return resultsOf(answer.value, records.length, object);
  if (answer.itemsToBlame && records.length > 1) {
    // Refused as a whole for what is in it: halved, until the one to blame is alone.
    const half = Math.ceil(records.length / 2);
    const parts = [records.slice(0, half), records.slice(half)];
    const results: RecordOutcome[] = [];
    for (const part of parts) results.push(...(await upsertPart(client, object, externalId, part, signal)));
    return results;
  }
  return records.map(() => wholeOf(answer));
}

/** All collections in one transaction and one call: one outcome for all of it. */
export async function upsertTogether(
  client: Salesforce,
  collections: readonly Collection[],
  signal: AbortSignal,
): Promise<RecordOutcome> {
  const { data } = client.settings;
  const compositeRequest = collections.map(({ object, externalId, records }, index) => ({
    method: 'PATCH',
    url: `${data}/composite/sobjects/${object}/${externalId}`,
    referenceId: `part${index}`,
    body: { allOrNone: true, records: withType(object, records) },
  }));
  const body = jsonOf({ allOrNone: true, compositeRequest });
  const request = {
    method: 'POST',
    path: `${data}/composite`,
    raw: { body, contentType: 'application/json' },
  } as const;
  const answer = await client.send(request, signal);
  if (!answer.answered) return wholeOf(answer);
  const parts = (answer.value as { compositeResponse?: unknown } | null)?.compositeResponse;
  if (!Array.isArray(parts) || parts.length !== collections.length)
    return inDoubt(`composite answered what is not its contract: ${collections.length} parts expected`);
  const errors: ApiError[] = [];
  let failed = false;
  for (const [index, part] of parts.entries()) {
    const { httpStatusCode, referenceId, body: told } = (part ?? {}) as Record<string, unknown>;
    if (referenceId !== `part${index}` || typeof httpStatusCode !== 'number')
      return inDoubt('composite answered a part that was not asked for');
    const isWhole = Array.isArray(told) && told.length === collections[index]!.records.length;
    if (httpStatusCode >= 400) errors.push(...errorsOf(told));
    else if (isWhole)
      for (const result of told) errors.push(...errorsOf((result as { errors?: unknown } | null)?.errors));
    else return inDoubt('composite answered a part that is not its contract');
    failed ||= httpStatusCode >= 400 || (told as { success?: unknown }[]).some((result) => result?.success !== true);
  }
  if (!failed) return confirmed;
  // All was rolled back for one of them; the others only say that.
  const causes = errors.filter(({ code }) => !ROLLED_BACK.has(code));
  return outcomeOf(causes.length > 0 ? causes : errors, collections.map(({ object }) => object).join(', '));
}

const ROLLED_BACK = new Set(['PROCESSING_HALTED', 'ALL_OR_NONE_OPERATION_ROLLED_BACK']);

function withType(object: string, records: Collection['records']): object[] {
  return records.map((record) => ({ attributes: { type: object }, ...record }));
}

function wholeOf(answer: Extract<WriteAnswer, { answered: false }>): RecordOutcome {
  return { outcome: answer.outcome, gone: false };
}

function resultsOf(value: unknown, count: number, object: string): RecordOutcome[] {
  const wrong = () => inDoubt(`${object} answered what is not its contract: ${count} results expected`);
  if (!Array.isArray(value) || value.length !== count) return Array.from({ length: count }, wrong);
  return value.map((result) => {
    const { success, errors } = (result ?? {}) as Record<string, unknown>;
    if (success === true) return confirmed;
    return success === false ? outcomeOf(errorsOf(errors), object) : wrong();
  });
}
