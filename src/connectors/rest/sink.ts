/** Writes of a declared system: deliveries, numbers, prices, order states. */
import { fail } from '../../canonical/index.ts';
import {
  type AvailabilitySink,
  batchMaxOf,
  type ConnectorContext,
  type DeliveryKind,
  type HttpRequest,
  isSaid,
  mappingOf,
  notSent,
  type Outcome,
  pointed,
  type StateItem,
  type StateSink,
} from '../kit/index.ts';
import type { DeliverySettings, RestSettings, WriteSettings } from './settings.ts';
import { checkTemplate, isStatus, pathOf, selectOf } from './values.ts';
import { answerMapping, bodyOf, type LookUp, lookUpOf, mapped, methodOf, type Wire } from './wire.ts';

type Limits = ConnectorContext['limits'];
type Told = Outcome | { outcome: 'conflict' } | { outcome: 'already' };

interface Item {
  key: string;
  input: unknown;
}

const ERROR_CHARS_MAX = 200;

export function batchMaxOfWrite({ batch }: WriteSettings): number {
  return batch?.itemsMax ?? 1;
}

/** Writes items and says what became of each; never throws. */
export function writer(wire: Wire, settings: WriteSettings, at: string) {
  const { batch } = settings;
  for (const template of [
    settings.path,
    ...Object.values(settings.query ?? {}),
    ...Object.values(settings.headers ?? {}),
  ])
    checkTemplate(template, batch === undefined ? ['key'] : [], at);
  const body = bodyOf(settings.body, `${at}.body`);
  const answer = answerMapping(settings.answer, `${at}.answer`);
  const results = batch === undefined ? undefined : selectOf(batch.results, `${at}.batch.results`);
  const method = methodOf(settings);

  function requestOf(key: string, json: unknown): HttpRequest {
    const headers: Record<string, string> = { ...wire.headers };
    // What no header can carry is encoded; a key that is written so is the same key each time.
    for (const [name, template] of Object.entries(settings.headers ?? {}))
      headers[name] = template.replaceAll('{key}', key.replaceAll(/[^\x21-\x7e]/gu, encodeURIComponent));
    const path = pathOf(settings.path, { ...settings.query, ...wire.query }, { key });
    return {
      method,
      path,
      headers,
      answers: [answer, results, settings.key].every((one) => one === undefined) ? 'any' : 'json',
      ...(json !== undefined && { json }),
    };
  }

  function confirmed(value: unknown): Outcome {
    if (answer === undefined) return { outcome: 'confirmed', answer: value ?? null };
    const read = mapped(answer, value);
    if (read.ok) return { outcome: 'confirmed', answer: read.value };
    return { outcome: 'in_doubt', error: `${settings.path} answered what was not declared: ${read.reason}` };
  }

  function ofWhole(status: number | undefined, outcome: Outcome): Told {
    if (status !== undefined && outcome.outcome === 'refused') {
      if (isStatus(status, settings.conflict ?? [412])) return { outcome: 'conflict' };
      if (isStatus(status, settings.already)) return { outcome: 'already' };
    }
    return outcome;
  }

  async function one({ key, input }: Item, signal: AbortSignal): Promise<Told> {
    const made = body(input);
    if (!made.ok) return { outcome: 'refused', error: made.reason.slice(0, ERROR_CHARS_MAX) };
    const told = await wire.client.send(requestOf(key, made.body), signal);
    if (!told.answered) return ofWhole(told.status, told.outcome);
    // A page of HTML with 200 is what proxies and sign-in pages give: nobody knows what became of the write.
    if (told.value === undefined && told.body.length > 0)
      return { outcome: 'in_doubt', error: `${settings.path} answered ${told.status}, not JSON` };
    if (settings.key !== undefined && String(pointed(told.value, settings.key)) !== key)
      return { outcome: 'in_doubt', error: `${settings.path} answered of something else than was written` };
    return confirmed(told.value);
  }

  async function many(items: readonly Item[], signal: AbortSignal): Promise<Told[]> {
    const told: Told[] = new Array<Told>(items.length);
    const bodies: { index: number; body: unknown }[] = [];
    for (const [index, { input }] of items.entries()) {
      const made = body(input);
      if (made.ok) bodies.push({ index, body: made.body });
      else told[index] = { outcome: 'refused', error: made.reason.slice(0, ERROR_CHARS_MAX) };
    }
    await part(bodies);
    return told;

    /** Refused as a whole for what is in it, it is halved until the item to blame is alone. */
    async function part(bodies: readonly { index: number; body: unknown }[]): Promise<void> {
      if (bodies.length === 0) return;
      if (bodies.length > batch!.itemsMax) return await parts(bodies, batch!.itemsMax);
      const sent = await wire.client.send(requestOf('', listed(bodies.map((one) => one.body))), signal);
      if (!sent.answered && sent.itemsToBlame && bodies.length > 1)
        return await parts(bodies, Math.ceil(bodies.length / 2));
      if (!sent.answered) {
        for (const { index } of bodies) told[index] = ofWhole(sent.status, sent.outcome);
        return;
      }
      let list: unknown;
      try {
        list = results!(sent.value);
      } catch {
        list = undefined;
      }
      const byKey = new Map<string, unknown>();
      for (const raw of [list ?? []].flat()) byKey.set(String(pointed(raw, batch!.key)), raw);
      for (const { index } of bodies) told[index] = resultOf(byKey.get(items[index]!.key));
    }

    async function parts(bodies: readonly { index: number; body: unknown }[], size: number): Promise<void> {
      for (let from = 0; from < bodies.length; from += size) await part(bodies.slice(from, from + size));
    }
  }

  function listed(list: unknown[]): unknown {
    const names = batch!.list === '' ? [] : batch!.list.slice(1).split('/');
    return names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), list);
  }

  function resultOf(result: unknown): Told {
    if (result === undefined) return { outcome: 'in_doubt', error: `${settings.path} says nothing of this item` };
    const said = pointed(result, batch!.status);
    const message = batch!.message === undefined ? undefined : pointed(result, batch!.message);
    const shown = `${settings.path}: ${typeof message === 'string' ? message : String(said)}`;
    const error = shown.toWellFormed().replaceAll('\0', '').slice(0, ERROR_CHARS_MAX);
    const means = (list: readonly unknown[] | undefined) => list?.includes(said) ?? false;
    if (means(batch!.confirmed)) return confirmed(result);
    if (means(batch!.conflict)) return { outcome: 'conflict' };
    if (means(batch!.later)) return { outcome: 'later', error };
    // A state that nobody declared is no refusal: it may mean that the system is still at it.
    return means(batch!.refused) ? { outcome: 'refused', error } : { outcome: 'in_doubt', error };
  }

  return async (items: readonly Item[], signal: AbortSignal): Promise<Told[]> => {
    if (batch !== undefined) return await many(items, signal);
    const told: Told[] = [];
    for (const item of items) told.push(await one(item, signal));
    return told;
  };
}

function plain(told: Told, what: string): Outcome {
  if (told.outcome === 'conflict') return { outcome: 'refused', error: `${what} is not what was expected there` };
  if (told.outcome === 'already') return { outcome: 'in_doubt', error: `${what} is said to be there already` };
  return told;
}

function orConflict(told: Told, what: string): Outcome | { outcome: 'conflict' } {
  return told.outcome === 'conflict' ? told : plain(told, what);
}

/**
 * Most systems make a second document of a second write. So unless it is declared that this one doesn't, what is there already is looked
 * up first; a lookup that fails leaves everything as it is.
 */
export function delivery(wire: Wire, limits: Limits, settings: DeliverySettings, at: string): DeliveryKind {
  const write = writer(wire, settings.write, `${at}.write`);
  const lookUp = lookUpOf(wire, settings.locate, `${at}.locate`);
  const answer = answerMapping(settings.answer, `${at}.answer`);
  const heldOf = (found: readonly unknown[]): unknown => {
    const answers = found.map((raw) => {
      if (answer === undefined) return raw;
      const read = mapped(answer, raw);
      return read.ok ? read.value : wire.client.malformed('GET', settings.locate.path, read.reason);
    });
    return answers[0];
  };
  const isNative = settings.idempotency === 'native';

  return {
    batchMax: batchMaxOf(limits, batchMaxOfWrite(settings.write)),
    async write(items, signal) {
      const outcomes = new Map<number, Outcome>();
      if (!isNative) {
        let found: Map<string, unknown[]>;
        try {
          found = await lookUp(
            items.map(({ reference }) => reference),
            signal,
          );
          for (const [index, { reference }] of items.entries()) {
            const held = found.get(reference);
            if (held !== undefined) outcomes.set(index, { outcome: 'confirmed', answer: heldOf(held) });
          }
        } catch (error) {
          return notSent(items, error);
        }
      }
      const open = [...items.entries()].filter(([index]) => !outcomes.has(index));
      const told = await write(
        open.map(([, { reference, payload }]) => ({ key: reference, input: { ...(payload as object), reference } })),
        signal,
      );
      for (const [place, [index, { reference }]] of open.entries())
        outcomes.set(index, await settled(told[place]!, reference, signal));
      return items.map((_, index) => outcomes.get(index)!);
    },
    async locate(references, signal) {
      const found = await lookUp(references, signal);
      return new Map([...found].map(([reference, held]) => [reference, heldOf(held)]));
    },
  };

  async function settled(told: Told, reference: string, signal: AbortSignal): Promise<Outcome> {
    if (told.outcome !== 'already') return plain(told, reference);
    try {
      const held = (await lookUp([reference], signal)).get(reference);
      if (held !== undefined) return { outcome: 'confirmed', answer: heldOf(held) };
    } catch {
      // It is looked up again, as everything that is in doubt.
    }
    return plain(told, reference);
  }
}

export function availability(
  wire: Wire,
  limits: Limits,
  settings: NonNullable<RestSettings['availability']>,
  at: string,
): AvailabilitySink {
  const write = writer(wire, settings.write, `${at}.write`);
  const lookUp = lookUpOf(wire, settings.readBack, `${at}.readBack`);
  return {
    batchMax: batchMaxOf(limits, batchMaxOfWrite(settings.write)),
    async write(items, signal) {
      const told = await write(
        items.map((item) => ({
          key: item.sku,
          input: { ...item, difference: item.from === null ? null : item.quantity - item.from },
        })),
        signal,
      );
      return told.map((one, index) => orConflict(one, items[index]!.sku));
    },
    async readBack(skus, signal) {
      const found = await lookUp(skus, signal);
      return new Map(
        [...found].map(([sku, held]) => {
          const number = Number(pointed(held.at(-1), settings.quantity));
          if (!Number.isSafeInteger(number) || pointed(held.at(-1), settings.quantity) == null)
            wire.client.malformed('GET', settings.readBack.path, `no whole number at ${settings.quantity}`);
          return [sku, number];
        }),
      );
    },
  };
}

/** Systems keep no version of ours: what is there is compared with what was said, field by field, as texts. */
export function states(
  wire: Wire,
  limits: Limits,
  settings: NonNullable<RestSettings['prices']>,
  keyOf: (item: StateItem) => string,
  at: string,
): StateSink {
  const write = writer(wire, settings.write, `${at}.write`);
  const lookUp: LookUp = lookUpOf(wire, settings.readBack, `${at}.readBack`);
  const same = mappingOf(settings.same, `${at}.same`);
  if (Object.keys(settings.same.fields).length === 0)
    fail('XD_ESTATE_INVALID', `${at}.same compares nothing`, { place: `${at}.same` });
  return {
    batchMax: batchMaxOf(limits, batchMaxOfWrite(settings.write)),
    async write(items, signal) {
      const told = await write(
        items.map((item) => ({
          key: keyOf(item),
          input: { ...(item.state as object), key: keyOf(item), version: item.version },
        })),
        signal,
      );
      return told.map((one, index) => orConflict(one, items[index]!.key));
    },
    readBack: async () => new Map(),
    async holds(items, signal) {
      const found = await lookUp(items.map(keyOf), signal);
      const there = items.filter((item) => {
        const held = found.get(keyOf(item))?.at(-1);
        if (held === undefined) return false;
        const read = mapped(same, held);
        const state = item.state as Readonly<Record<string, unknown>>;
        return read.ok && Object.entries(read.value).every(([name, value]) => isSaid(state[name], value));
      });
      return new Set(there.map(({ key }) => key));
    },
  };
}
