/** Writes of entity sets: creates that are looked up first, and updates that hold only what was read (ETag). */
import { fail } from '../../canonical/index.ts';
import {
  type AvailabilitySink,
  batchMaxOf,
  type ConnectorContext,
  type DeliveryKind,
  decimalOf,
  isSaid,
  notSent,
  type Outcome,
  type StateItem,
  type StateSink,
} from '../kit/index.ts';
import { makeOf } from './map.ts';
import { addressOf, recordOf } from './protocol.ts';
import {
  batchMaxOfService,
  lookUp,
  type Prepared,
  pathOfEntity,
  type Service,
  type Written,
  writeAll,
} from './service.ts';
import type { CreateSettings, OdataSettings, UpdateSettings } from './settings.ts';

type Limits = ConnectorContext['limits'];

function sizeOf({ settings }: Service, limits: Limits): number {
  return batchMaxOf(limits, batchMaxOfService(settings));
}

function plain(told: Written, what: string): Outcome {
  return told.outcome === 'conflict' ? { outcome: 'refused', error: `${what} was changed by somebody else` } : told;
}

/** OData has no idempotency of its own: a second POST makes a second entity. So what is there is looked up first. */
export function delivery(service: Service, limits: Limits, settings: CreateSettings, at: string): DeliveryKind {
  const make = makeOf(settings.body, `${at}.body`);
  const answer = settings.answer === undefined ? undefined : makeOf(settings.answer, `${at}.answer`);
  const by = { set: settings.set, property: settings.reference };
  const answerOf = (entity: unknown): Outcome => {
    if (answer === undefined) return { outcome: 'confirmed', answer: entity };
    const read = answer(entity);
    return read.ok ? { outcome: 'confirmed', answer: read.value } : { outcome: 'in_doubt', error: read.reason };
  };
  const heldOf = (held: readonly unknown[]): unknown => {
    const told = answerOf(held[0]);
    return told.outcome === 'confirmed'
      ? told.answer
      : service.client.malformed('GET', settings.set, 'what is found has no answer');
  };
  return {
    batchMax: sizeOf(service, limits),
    async write(items, signal) {
      let found = new Map<string, unknown[]>();
      try {
        if (settings.idempotency !== 'native')
          found = await lookUp(
            service,
            by,
            items.map(({ reference }) => reference),
            signal,
          );
      } catch (error) {
        return notSent(items, error);
      }
      const open = items.filter(({ reference }) => !found.has(reference));
      const prepared = open.map(({ reference, payload }): Prepared => {
        const made = make({ ...(payload as object), reference });
        if (!made.ok) return { refused: made.reason };
        // What it is looked up by must be in it, whatever the map says.
        const body = { ...made.value, [settings.reference]: reference };
        const headers: Record<string, string> = service.version === '4' ? { prefer: 'return=representation' } : {};
        const about = { property: settings.reference, value: reference };
        return { part: { method: 'POST', url: settings.set, headers, body }, about };
      });
      const told = new Map(
        (await writeAll(service, prepared, signal)).map((one, index) => [open[index]!.reference, one]),
      );
      return items.map(({ reference }) => {
        const held = found.get(reference);
        if (held !== undefined) return answerOf(held[0]);
        const outcome = plain(told.get(reference)!, reference);
        return outcome.outcome === 'confirmed' ? answerOf(outcome.answer) : outcome;
      });
    },
    async locate(references, signal) {
      const found = await lookUp(service, by, references, signal);
      return new Map([...found].map(([reference, held]) => [reference, heldOf(held)]));
    },
  };
}

interface Update {
  key: string;
  input: object;
  /** Whether what is there is what we think; false: conflict. */
  fits(entity: Readonly<Record<string, unknown>>): boolean;
}

/** Reads, compares, and writes under the ETag of what was read: what somebody else changed between is a conflict, never overwritten. */
function updater(service: Service, settings: UpdateSettings, at: string) {
  const make = makeOf(settings.body, `${at}.body`);
  const by = { set: settings.set, property: settings.key, filter: settings.filter };
  const isTunnel = service.settings.merge === 'tunnel';
  const read = (keys: readonly string[], signal: AbortSignal) => lookUp(service, by, keys, signal);

  async function write(updates: readonly Update[], signal: AbortSignal): Promise<Written[]> {
    let found: Map<string, unknown[]>;
    try {
      found = await read(
        updates.map(({ key }) => key),
        signal,
      );
    } catch (error) {
      return notSent(updates, error);
    }
    const told: Written[] = new Array<Written>(updates.length);
    const open: { index: number; part: Prepared }[] = [];
    for (const [index, { key, input, fits }] of updates.entries()) {
      const held = found.get(key) ?? [];
      if (held.length !== 1) {
        const error = `${settings.set} holds ${held.length} entities of ${settings.key} ${key}: one is meant`;
        told[index] = { outcome: 'refused', error };
      } else if (!fits(recordOf(held[0]))) told[index] = { outcome: 'conflict' };
      else open.push({ index, part: partOf(held[0], key, input) });
    }
    const answers = await writeAll(
      service,
      open.map(({ part }) => part),
      signal,
    );
    for (const [place, { index }] of open.entries()) told[index] = answers[place]!;
    return told;
  }

  function partOf(entity: unknown, key: string, input: object): Prepared {
    const made = make(input);
    if (!made.ok) return { refused: made.reason };
    const address = addressOf(entity, service.version);
    // Without a tag nothing keeps it from overwriting what was changed meanwhile.
    if (address?.etag === undefined) return { refused: `${settings.set} gives no ETag: it can't be written safely` };
    const url = pathOfEntity(service, address).replace(/^\//, '');
    // Where the system gives the entity back, it says what it wrote; many answer 204 all the same.
    const headers = { 'if-match': address.etag, ...(service.version === '4' && { prefer: 'return=representation' }) };
    const about = { property: settings.key, value: key };
    const body = made.value;
    if (isTunnel)
      return { part: { method: 'POST', url, headers: { ...headers, 'x-http-method': 'MERGE' }, body }, about };
    return { part: { method: 'PATCH', url, headers, body }, about };
  }

  return { read, write };
}

export function availability(
  service: Service,
  limits: Limits,
  settings: NonNullable<OdataSettings['availability']>,
  at: string,
): AvailabilitySink {
  const { read, write } = updater(service, settings, at);
  const numberOf = (entity: Readonly<Record<string, unknown>>): number => {
    try {
      const number = Number(decimalOf(entity[settings.quantity]));
      if (Number.isSafeInteger(number)) return number;
    } catch {
      // Told below.
    }
    return service.client.malformed('GET', settings.set, `no whole number in ${settings.quantity}`);
  };
  return {
    batchMax: sizeOf(service, limits),
    write: (items, signal) =>
      write(
        items.map((item) => ({
          key: item.sku,
          input: item,
          fits: (entity) => item.from === null || numberOf(entity) === item.from,
        })),
        signal,
      ),
    async readBack(skus, signal) {
      const found = await read(skus, signal);
      return new Map(
        [...found].flatMap(([sku, held]) => (held.length === 1 ? [[sku, numberOf(recordOf(held[0]))] as const] : [])),
      );
    },
  };
}

/** No version of ours is kept: what is there is compared with what was said. */
export function states(
  service: Service,
  limits: Limits,
  settings: NonNullable<OdataSettings['prices']>,
  keyOf: (item: StateItem) => string,
  at: string,
): StateSink {
  const { read, write } = updater(service, settings, at);
  if (Object.keys(settings.same.fields).length === 0)
    fail('XD_ESTATE_INVALID', `${at}.same compares nothing`, { place: `${at}.same` });
  const same = makeOf(settings.same, `${at}.same`);
  return {
    batchMax: sizeOf(service, limits),
    write: (items, signal) =>
      write(
        items.map((item) => ({
          key: keyOf(item),
          input: { ...(item.state as object), key: keyOf(item) },
          fits: () => true,
        })),
        signal,
      ),
    readBack: async () => new Map(),
    async holds(items, signal) {
      const found = await read(items.map(keyOf), signal);
      const there = items.filter((item) => {
        const held = found.get(keyOf(item)) ?? [];
        const seen = held.length === 1 ? same(held[0]) : undefined;
        const state = item.state as Readonly<Record<string, unknown>>;
        return seen?.ok === true && Object.entries(seen.value).every(([name, value]) => isSaid(state[name], value));
      });
      return new Set(there.map(({ key }) => key));
    },
  };
}
