import { CrossdockError } from '../../canonical/index.ts';
import { Fields, Unreadable } from './fields.ts';
import type { HttpClient } from './http.ts';
import { errorText } from './http-answers.ts';
import type { ConnectorContext, DeliveryItem, DeliveryKind, Outcome } from './types.ts';

/** A batch write: `{<list>: [...]}` → `{results: [{<key>, status, …}]}`, in the order given. */
export interface BatchRoute<Item> {
  path: string;
  list: string;
  itemsMax: number;
  /** The field that names an item, in what is sent and in what is answered. */
  keyName: string;
  keyOf(item: Item): string;
  bodyOf(item: Item): unknown;
  /** Reads what was answered to a success; throws {@link Unreadable} when it is not the contract. */
  answerOf?(result: Fields): unknown;
}

export interface LookupRoute<Value> {
  path: string;
  list: string;
  itemsMax: number;
  keyName: string;
  valueOf(found: Fields): Value;
}

/** An item's outcome, with the status it was given where there was one. */
export interface ItemAnswer {
  status: number | null;
  outcome: Outcome;
}

/**
 * Writes items and says what became of each. A request that was refused as a whole for its content surely had no effect; it
 * is halved until the one item that is to blame is alone and refused alone.
 */
export async function writeBatch<Item>(
  client: HttpClient,
  route: BatchRoute<Item>,
  items: readonly Item[],
  signal: AbortSignal,
): Promise<ItemAnswer[]> {
  if (items.length === 0) return [];
  if (items.length > route.itemsMax) return await inParts(client, route, items, route.itemsMax, signal);
  const answer = await client.write(route.path, { [route.list]: items.map((item) => route.bodyOf(item)) }, signal);
  if (answer.answered) return resultsOf(route, items, answer.value);
  if (answer.itemsToBlame && items.length > 1)
    return await inParts(client, route, items, Math.ceil(items.length / 2), signal);
  return items.map(() => ({ status: null, outcome: answer.outcome }));
}

async function inParts<Item>(
  client: HttpClient,
  route: BatchRoute<Item>,
  items: readonly Item[],
  size: number,
  signal: AbortSignal,
): Promise<ItemAnswer[]> {
  const answers: ItemAnswer[] = [];
  // One after the other: deliveries of one key are in order.
  for (let from = 0; from < items.length; from += size)
    answers.push(...(await writeBatch(client, route, items.slice(from, from + size), signal)));
  return answers;
}

function resultsOf<Item>(route: BatchRoute<Item>, items: readonly Item[], value: unknown): ItemAnswer[] {
  const results = (value as { results?: unknown } | null)?.results;
  if (!Array.isArray(results) || results.length !== items.length) {
    const error = `${route.path} answered what is not its contract: ${items.length} results expected`;
    return items.map(() => ({ status: null, outcome: { outcome: 'in_doubt', error } }));
  }
  return items.map((item, index) => {
    try {
      return resultOf(route, item, new Fields(results[index], `/results/${index}`));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return { status: null, outcome: { outcome: 'in_doubt', error: `${route.path} answered: ${error.message}` } };
    }
  });
}

function resultOf<Item>(route: BatchRoute<Item>, item: Item, result: Fields): ItemAnswer {
  const status = result.integer('status', 100, 599);
  if (result.raw[route.keyName] !== route.keyOf(item))
    throw result.unreadable(route.keyName, 'must be that of the item sent');
  const error = `${route.path} answered ${status}${errorText(result.raw.error)}`;
  if (status >= 200 && status < 300) {
    const answer = route.answerOf === undefined ? result.raw : route.answerOf(result);
    return { status, outcome: { outcome: 'confirmed', answer } };
  }
  if (status === 429) return { status, outcome: { outcome: 'later', error } };
  if (status >= 400 && status < 500) return { status, outcome: { outcome: 'refused', error, answer: result.raw } };
  return { status, outcome: { outcome: 'in_doubt', error } };
}

/** For routes that answer 409 to what does not fit what they hold: nothing was changed. */
export function unlessConflict({ status, outcome }: ItemAnswer): Outcome | { outcome: 'conflict' } {
  return status === 409 ? { outcome: 'conflict' } : outcome;
}

/**
 * What a system holds under these keys; a key can be there more than once.
 * @throws XD_CONNECTOR_*; "not found" is only said by an answer that is whole, since work is sent again on the strength of it
 */
export async function lookUp<Value>(
  client: HttpClient,
  route: LookupRoute<Value>,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Value[]>> {
  const wanted = [...new Set(keys)];
  const found = new Map<string, Value[]>();
  for (let from = 0; from < wanted.length; from += route.itemsMax) {
    const part = wanted.slice(from, from + route.itemsMax);
    const asked = new Set(part);
    const { value } = await client.read(route.path, signal, { [route.list]: part });
    const entries = (value as { found?: unknown } | null)?.found;
    if (!Array.isArray(entries)) return client.malformed('POST', route.path, 'found is not a list');
    for (const [index, entry] of entries.entries()) {
      try {
        const fields = new Fields(entry, `/found/${index}`);
        const key = fields.text(route.keyName);
        if (!asked.has(key)) throw fields.unreadable(route.keyName, 'must be one that was asked for');
        const values = found.get(key);
        if (values === undefined) found.set(key, [route.valueOf(fields)]);
        else values.push(route.valueOf(fields));
      } catch (error) {
        if (error instanceof Unreadable) client.malformed('POST', route.path, error.message);
        throw error;
      }
    }
  }
  return found;
}

/** The newest value of each key, for things that are there once. */
export async function lookUpOne<Value>(...args: Parameters<typeof lookUp<Value>>): Promise<Map<string, Value>> {
  const found = await lookUp(...args);
  return new Map([...found].map(([key, values]) => [key, values.at(-1)!]));
}

/**
 * A sink of one batch route whose items are looked up under the same keys; batches as the estate limits them.
 * @param told what an answer means where it is more than its outcome, as {@link unlessConflict}
 */
export function keyedSink<Item>(
  client: HttpClient,
  limits: ConnectorContext['limits'],
  write: BatchRoute<Item>,
  lookup: LookupRoute<number>,
  told: (answer: ItemAnswer) => Outcome | { outcome: 'conflict' } = ({ outcome }) => outcome,
) {
  return {
    batchMax: batchMaxOf(limits, write.itemsMax),
    write: async (items: readonly Item[], signal: AbortSignal) =>
      (await writeBatch(client, write, items, signal)).map(told),
    readBack: (keys: readonly string[], signal: AbortSignal) => lookUpOne(client, lookup, keys, signal),
  };
}

/** Deliveries whose payload is sent as it is, since the kit's payload shapes are the route's own. */
export function deliveryKind(
  client: HttpClient,
  limits: ConnectorContext['limits'],
  route: { write: string; list: string; lookup: string; itemsMax: number; lookupMax: number },
  answerOf: (fields: Fields) => unknown,
  answersOf: (answers: unknown[]) => unknown = (answers) => answers[0],
): DeliveryKind {
  const keyName = 'reference';
  const write: BatchRoute<DeliveryItem> = {
    path: route.write,
    list: route.list,
    itemsMax: route.itemsMax,
    keyName,
    keyOf: (item) => item.reference,
    // The reference is what it is looked up by; whatever the payload says, that is the one that goes.
    bodyOf: (item) => ({ ...(item.payload as object), reference: item.reference }),
    answerOf,
  };
  const lookup: LookupRoute<unknown> = {
    path: route.lookup,
    list: 'references',
    itemsMax: route.lookupMax,
    keyName,
    valueOf: answerOf,
  };
  return {
    batchMax: batchMaxOf(limits, route.itemsMax),
    write: async (items, signal) => (await writeBatch(client, write, items, signal)).map(({ outcome }) => outcome),
    async locate(references, signal) {
      const found = await lookUp(client, lookup, references, signal);
      return new Map([...found].map(([reference, answers]) => [reference, answersOf(answers)]));
    },
  };
}

/** What the connector declares, lowered by the estate where it says so. */
export function batchMaxOf(limits: ConnectorContext['limits'], declared: number): number {
  return Math.min(declared, limits.batchMax ?? declared);
}

/**
 * Whether a system answers, takes our token and is what it should be: an empty lookup, which costs nothing and has no effect.
 * Never throws: an operator wants the reason, not a stack.
 */
export async function probeBy(
  client: HttpClient,
  { path, list }: { path: string; list: string },
  signal: AbortSignal,
): Promise<{ ok: boolean; detail: string }> {
  try {
    const { value } = await client.read(path, signal, { [list]: [] });
    if (!Array.isArray((value as { found?: unknown } | null)?.found))
      client.malformed('POST', path, 'found is not a list');
    return { ok: true, detail: 'answers and takes our token' };
  } catch (error) {
    if (error instanceof CrossdockError) return { ok: false, detail: `${error.code}: ${error.message}` };
    throw error;
  }
}
