/** What the callers of a system are told when it can't take something: for one item of a batch, or for the whole call. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, code: string, message: string, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get body(): { error: { code: string; message: string } } {
    return { error: { code: this.code, message: this.message } };
  }
}

export type Item = Record<string, unknown>;

/** @throws Refusal 400 when the list is missing, 413 when it is longer than the named maximum */
export function listOf(body: unknown, name: string, itemsMax: number): unknown[] {
  const list = (body as Item | null | undefined)?.[name];
  if (!Array.isArray(list)) throw new Refusal(400, 'invalid', `${name} must be a list`);
  if (list.length > itemsMax) throw new Refusal(413, 'too_many', `${list.length} ${name}; at most ${itemsMax}`);
  return list;
}

/** Does one item after the other; a refused one answers with its key, status and error and never fails its neighbours. */
export function eachItem(body: unknown, name: string, itemsMax: number, key: string, act: (item: Item) => object) {
  const results = listOf(body, name, itemsMax).map((raw) => {
    const item = itemOf(raw);
    try {
      return act(item);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      return { [key]: item[key] ?? null, status: refusal.status, ...refusal.body };
    }
  });
  return { results };
}

/** For lookups: finds each key in turn; a key can have none, one or several. */
export function eachFound(body: unknown, name: string, itemsMax: number, find: (key: string) => object[]) {
  return { found: listOf(body, name, itemsMax).flatMap((key) => (typeof key === 'string' ? find(key) : [])) };
}

export function itemOf(raw: unknown): Item {
  return typeof raw === 'object' && raw !== null ? (raw as Item) : {};
}

export function textOf(item: Item, field: string): string {
  const value = item[field];
  if (typeof value !== 'string' || value === '') throw unfit(item, field, 'a text');
  return value;
}

export function textOrNull(item: Item, field: string): string | null {
  return item[field] == null ? null : textOf(item, field);
}

export function integerOf(item: Item, field: string): number {
  const value = item[field];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unfit(item, field, 'a whole number');
  return value;
}

export function integerOrNull(item: Item, field: string): number | null {
  return item[field] == null ? null : integerOf(item, field);
}

export function countOf(item: Item, field: string, min = 1): number {
  const value = integerOf(item, field);
  if (value < min) throw unfit(item, field, `at least ${min}`);
  return value;
}

/** A unit price stays the text it came as; it only has to be a decimal. */
export function priceOf(item: Item, field: string): string {
  const value = textOf(item, field);
  if (!/^\d+(\.\d+)?$/.test(value)) throw unfit(item, field, 'a decimal');
  return value;
}

export function linesOf(item: Item, atLeast = 1): Item[] {
  const lines = item.lines;
  if (!Array.isArray(lines) || lines.length < atLeast)
    throw new Refusal(422, 'empty', `lines must be a list of at least ${atLeast}`);
  return lines.map(itemOf);
}

function unfit(item: Item, field: string, wanted: string): Refusal {
  return new Refusal(422, 'invalid', `${field} must be ${wanted}, found ${JSON.stringify(item[field]) ?? 'nothing'}`);
}
