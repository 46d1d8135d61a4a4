/** Looking up: "not found" leads to a second send, so only a whole answer says it. */
import type { StateItem } from '../../types.ts';
import { type Check, hasDeliveries, hasSinks, isOverHttp, must, NotApplicable, unless } from '../check.ts';
import { type FaultAnswer, html } from '../server.ts';
import { markOf } from '../sinks.ts';
import { type Bench, refusalOf, SHORT_MS, SLACK_MS } from '../stage.ts';
import { eachSink } from './each-sink.ts';

const faults: [id: string, what: string, as: FaultAnswer, timeoutMs?: number][] = [
  ['500', 'a 500', { status: 500, json: {} }],
  ['429', 'a 429', { status: 429, json: {}, headers: { 'retry-after': '0' } }],
  ['401', 'a 401', { status: 401, json: {} }],
  ['404', 'a route that is gone', { status: 404, json: {} }],
  ['html_200', 'a page of HTML with status 200', html],
  ['null_200', 'a 200 that says null', { json: null }],
  ['other_shape', 'a 200 of another shape', { json: { ok: true } }],
  ['half', 'half an answer', 'half'],
  ['reset', 'a reset', 'reset'],
  ['silence', 'silence', 'silence', SHORT_MS],
  ['slow_loris', 'an answer that drips in byte by byte', 'drip', SHORT_MS],
  ['oversized', 'an answer that never ends', 'oversized'],
];

export const lookupChecks: Check[] = [
  {
    id: 'lookup.not_found',
    level: 'safety',
    what: 'what is not there is not found, and what is beside it is',
    skip: hasSinks,
    run: (bench) =>
      eachSink(bench, async ({ sink, signal, items }) => {
        const [one, other] = items(2);
        await sink.write([one!], signal);
        const there = await sink.look([one!, other!], signal);
        must(there[0] === true, 'what is there is not found');
        must(there[1] === false, 'what was never written is found');
      }),
  },
  {
    id: 'lookup.other_state',
    level: 'safety',
    what: 'a later state of a thing is not there because an earlier one is',
    skip: hasSinks,
    run: (bench) =>
      eachSink(bench, async ({ server, sink, signal, items }) => {
        if (sink.form !== 'state') throw new NotApplicable('it tells no states');
        const [one] = items(1);
        await sink.write([one!], signal);
        const told = () => server.calls.findLast(({ role }) => role === 'write')?.text;
        for (const status of [undefined, 'cancelled']) {
          const next = { ...one!, item: later(one!.item as StateItem, status) };
          const [there] = await sink.look([next], signal);
          if (there === false) continue;
          // Of lines that it doesn't tell nothing later is there to be found; its status everyone tells.
          const before = told();
          must(status === undefined && before !== undefined, 'what was never said of it is found');
          await sink.write([next], signal);
          must(told() === before, 'what was never said of it is found');
        }
      }),
  },
  {
    id: 'lookup.many',
    level: 'contract',
    what: 'more references than one request takes are all looked up',
    skip: hasSinks,
    run: (bench) =>
      eachSink(bench, async ({ sink, signal, items }) => {
        const many = items(Math.min(sink.batchMax, 250));
        await sink.write([many.at(-1)!], signal);
        const there = await sink.look(many, signal);
        must(there.at(-1) === true, 'the last is not found');
        must(there.filter((one) => one).length === 1, 'others are found that were never written');
      }),
  },
  {
    id: 'lookup.foreign',
    level: 'safety',
    what: 'an answer about somebody else is not taken for ours',
    skip: unless(hasDeliveries, isOverHttp),
    run: (bench) =>
      eachSink(bench, async ({ server, sink, signal, items }) => {
        if (sink.form !== 'delivery') throw new NotApplicable('it is no delivery');
        const [item] = items(1);
        await sink.write([item!], signal);
        const mark = markOf(item!.reference);
        server.rewrite = (text) => text.replaceAll(mark, `${mark}0`);
        const there = await sink.look([item!], signal).catch(() => [false]);
        must(there[0] === false, `the answer spoke of ${mark}0, and it was taken for ${mark}`);
      }),
  },
  {
    id: 'lookup.no_effect',
    level: 'safety',
    what: 'looking up changes nothing',
    skip: hasSinks,
    run: (bench) =>
      eachSink(bench, async ({ writes, sink, signal, items }) => {
        await sink.look(items(2), signal);
        must(writes() === 0, `it made ${writes()} writes`);
      }),
  },
  ...faults.map(
    ([id, what, as, timeoutMs]): Check => ({
      id: `lookup.${id}`,
      level: 'safety',
      what: `${what} is an error, never "not found"`,
      skip: unless(hasSinks, isOverHttp),
      run: (bench) =>
        eachSink(
          bench,
          async ({ server, sink, signal, items }) => {
            server.fault = { as };
            const began = performance.now();
            const error = await refusalOf(bench, () => sink.look(items(1), signal));
            must(error !== undefined, 'the lookup gave an answer');
            must(isNamed(error), `the error has no code of the kit: ${error.name}: ${error.message.slice(0, 160)}`);
            if (timeoutMs !== undefined) {
              const took = performance.now() - began;
              must(took < 3 * timeoutMs + SLACK_MS, `it took ${Math.round(took)} ms`);
            }
          },
          timeoutMs === undefined ? {} : { limits: { timeoutMs } },
        ),
    }),
  ),
  {
    id: 'lookup.second_write',
    level: 'safety',
    what: 'a second write of one reference has no second effect, or is at least seen by the lookup',
    skip: hasDeliveries,
    run: (bench) =>
      eachSink(bench, async ({ sink, signal, items, model, connector }) => {
        if (sink.form !== 'delivery') throw new NotApplicable('it is no delivery');
        if (model.effects === undefined) throw new NotApplicable('the model counts no effects');
        const [item] = items(1);
        await sink.write([item!], signal);
        const locate = connector.deliveries[sink.name]!;
        const once = JSON.stringify((await locate.locate([item!.reference], signal)).get(item!.reference));
        await sink.write([item!], signal);
        const effects = await model.effects(sink.name, item!.reference);
        if (effects === 1) return;
        must(declaredOf(bench, sink.name) !== 'native', `declared native, and a second write had effect ${effects}`);
        const twice = JSON.stringify((await locate.locate([item!.reference], signal)).get(item!.reference));
        must(once !== twice, 'it was done twice, and nothing tells');
      }),
  },
];

/** The next version of a state, with other content: systems that keep no version tell it by that. */
function later(item: StateItem, status: string | undefined): StateItem {
  const state = structuredClone(item.state) as {
    unitPrice?: string;
    status?: string;
    lines?: { cancelled: number }[];
  };
  if (state.unitPrice !== undefined) state.unitPrice = '98.76';
  if (state.status !== undefined && status !== undefined) state.status = status;
  for (const line of state.lines ?? []) line.cancelled += 1;
  return { ...item, version: item.version + 1, state };
}

function declaredOf(bench: Bench, kind: string): string | undefined {
  return (bench.declaration?.deliveries as Record<string, { idempotency: string }> | undefined)?.[kind]?.idempotency;
}

export function isNamed(error: Error): boolean {
  return /^XD_/.test(String((error as { code?: unknown }).code));
}
