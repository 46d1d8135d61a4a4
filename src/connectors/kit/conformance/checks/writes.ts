/** Writing: what may have had an effect is never sent twice, and what had none is never believed. */
import { permitted } from '../../permit.ts';
import type { Connector } from '../../types.ts';
import { type Check, hasSinks, isOverHttp, must, NotApplicable, onStage, unless } from '../check.ts';
import type { SystemDescription } from '../describe.ts';
import { markOf, type Told } from '../sinks.ts';
import { type Bench, SLACK_MS } from '../stage.ts';
import { DOUBT, eachSink, effectsOf, isWrite, mustBe, status } from './each-sink.ts';

const sinkWith = (name: keyof SystemDescription, why: string) => (bench: Bench) =>
  bench.description[name] === undefined ? why : undefined;

/** Not the server that signs us in: it would keep the call from the system. */
const isSystem = (_: unknown, role: string) => role !== 'sign_in';

/** How long to wait: the outcome says it, or the connector for all of its calls; the hub heeds both. */
const waitOf = ({ retryAfterMs }: Told, connector: Connector) => retryAfterMs ?? connector.pausedMs?.() ?? 0;

export const writeChecks: Check[] = [
  {
    id: 'write.confirmed',
    level: 'contract',
    what: 'on a good day each item is confirmed, once, and is there',
    skip: hasSinks,
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const { sink, signal } = stage;
        const items = stage.items(Math.min(3, sink.batchMax));
        const outcomes = await sink.write(items, signal);
        must(outcomes.length === items.length, `${items.length} items, ${outcomes.length} outcomes`);
        mustBe(outcomes, ['confirmed'], 'nothing was wrong');
        for (const item of items)
          must(((await effectsOf(stage, item)) ?? 1) === 1, `${item.reference} had no or two effects`);
        const there = await sink.look(items, signal);
        must(
          there.every((one) => one),
          'what was confirmed is not found',
        );
      }),
  },
  {
    id: 'write.nothing',
    level: 'manners',
    what: 'a batch of nothing calls nobody',
    skip: hasSinks,
    run: (bench) =>
      eachSink(bench, async ({ sink, signal, writes }) => {
        must((await sink.write([], signal)).length === 0, 'it gave an outcome for nothing');
        must(writes() === 0, 'it called');
      }),
  },
  {
    id: 'write.full_batch',
    level: 'contract',
    what: 'a full batch gets an outcome for each item, in the order given',
    skip: hasSinks,
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const { sink, signal } = stage;
        const items = stage.items(Math.min(sink.batchMax, 500));
        const outcomes = await sink.write(items, signal);
        must(outcomes.length === items.length, `${items.length} items, ${outcomes.length} outcomes`);
        mustBe(outcomes, ['confirmed'], 'nothing was wrong');
      }),
  },
  {
    id: 'write.beyond_batch',
    level: 'contract',
    what: 'of more than a batch nothing is dropped',
    skip: hasSinks,
    run: (bench) =>
      eachSink(
        bench,
        async ({ sink, signal, items }) => {
          const outcomes = await sink.write(items(5), signal);
          must(outcomes.length === 5, `5 items, ${outcomes.length} outcomes`);
          mustBe(outcomes, ['confirmed', 'later'], 'nothing was wrong');
        },
        { limits: { batchMax: 2 } },
      ),
  },
  {
    id: 'write.poison',
    level: 'safety',
    what: 'one item that the system refuses the whole batch for is refused alone; its neighbours arrive, once',
    skip: unless(hasSinks, isOverHttp),
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const { server, sink, signal } = stage;
        const count = Math.min(5, sink.batchMax);
        const items = stage.items(count);
        const bad = items[Math.floor(count / 2)]!;
        const mark = JSON.stringify(markOf(bad.reference)).slice(1, -1);
        server.fault = {
          as: status(422),
          when: (call, role) => role === 'write' && (call.text + call.path).includes(mark),
        };
        const outcomes = await sink.write(items, signal);
        for (const [index, item] of items.entries()) {
          const { outcome } = outcomes[index]!;
          const wanted = item === bad ? 'refused' : 'confirmed';
          must(outcome === wanted, `${item === bad ? 'the bad item' : 'a neighbour'} is ${outcome}, not ${wanted}`);
          const effects = await effectsOf(stage, item);
          must(effects === undefined || effects === (item === bad ? 0 : 1), `${item.reference} had ${effects} effects`);
        }
      }),
  },
  {
    id: 'write.partial',
    level: 'safety',
    what: 'of a batch that the system takes in part each item gets its own outcome',
    skip: hasSinks,
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const { model, sink, signal } = stage;
        if (sink.batchMax < 3) throw new NotApplicable('it writes one by one');
        if (model.refuse === undefined) throw new NotApplicable('the model refuses no single item');
        const items = stage.items(3);
        model.refuse(items[1]!.reference);
        const outcomes = (await sink.write(items, signal)).map(({ outcome }) => outcome);
        must(outcomes.join(', ') === 'confirmed, refused, confirmed', outcomes.join(', '));
      }),
  },
  {
    id: 'write.unreachable',
    level: 'contract',
    what: 'where nobody listens nothing was sent, and it is for later',
    skip: unless(hasSinks, isOverHttp),
    run: (bench) =>
      eachSink(
        bench,
        async ({ sink, signal, items }) =>
          mustBe(await sink.write(items(1), signal), ['later'], 'no byte can have left'),
        { url: 'http://127.0.0.1:9' },
      ),
  },
  {
    id: 'write.401_once',
    level: 'safety',
    what: 'a 401 that is none (a system under load) is signed in again or for later; the item is not refused',
    skip: unless(hasSinks, isOverHttp),
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const { server, sink, signal, items } = stage;
        const [item] = items(1);
        server.fault = { as: status(401), when: isWrite, times: 1 };
        const outcomes = await sink.write([item!], signal);
        mustBe(outcomes, ['later', 'confirmed'], 'who we are is not the fault of the item');
        const effects = await effectsOf(stage, item!);
        const isDone = outcomes[0]!.outcome === 'confirmed';
        must(effects === undefined || effects === (isDone ? 1 : 0), `${effects} effects`);
        server.fault = undefined;
        const [there] = await sink.look([item!], signal).catch(() => [undefined]);
        must(there === undefined || there === isDone, `told as ${outcomes[0]!.outcome}, found: ${there}`);
      }),
  },
  {
    id: 'write.401_always',
    level: 'safety',
    what: 'expired credentials: for later, without a storm of sign-ins, and no item is refused',
    skip: unless(hasSinks, isOverHttp),
    run: (bench) =>
      eachSink(bench, async ({ server, sink, signal, items }) => {
        server.fault = { as: status(401) };
        for (const item of items(5)) mustBe(await sink.write([item], signal), ['later'], 'the item is not to blame');
        must(server.calls.length <= 20, `5 writes made ${server.calls.length} calls`);
        const signIns = server.calls.filter(({ role }) => role === 'sign_in').length;
        must(signIns <= 2, `it signed in ${signIns} times in a moment`);
      }),
  },
  {
    id: 'write.pause_holds',
    level: 'safety',
    what: 'while the system wants to be left alone nothing is sent, and it is told how long that lasts',
    skip: unless(hasSinks, isOverHttp),
    run: (bench) =>
      eachSink(bench, async ({ server, sink, signal, items, connector }) => {
        server.fault = { as: status(429, { 'retry-after': '30' }), when: isSystem };
        const [first] = await sink.write(items(1), signal);
        must(waitOf(first!, connector) > 20_000, `retryAfterMs is ${first!.retryAfterMs}`);
        must((connector.pausedMs?.() ?? 0) > 20_000, 'pausedMs does not say so');
        const before = server.calls.length;
        server.fault = undefined;
        mustBe(await sink.write(items(1, 2), signal), ['later'], 'the system asked to be left alone');
        must(server.calls.length === before, 'it called in the pause');
      }),
  },
  {
    id: 'write.retry_after_date',
    level: 'contract',
    what: 'Retry-After as a date is read against the system’s own clock',
    skip: unless(hasSinks, isOverHttp),
    run: (bench) =>
      eachSink(bench, async ({ server, sink, signal, items, connector }) => {
        const now = Date.parse('2030-01-01T00:00:00Z');
        const headers = { date: new Date(now).toUTCString(), 'retry-after': new Date(now + 40_000).toUTCString() };
        server.fault = { as: status(429, headers), when: isSystem };
        const [one] = await sink.write(items(1), signal);
        const ms = waitOf(one!, connector);
        must(ms > 30_000 && ms <= 40_000, `asked for 40 s by a clock that differs, it waits ${ms} ms`);
      }),
  },
  {
    id: 'write.permission_gone',
    level: 'safety',
    what: 'a write whose lease is gone before the first byte is not sent',
    skip: hasSinks,
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const [item] = stage.items(1);
        const outcomes = await stage.sink.write(
          [item!],
          permitted(stage.signal, () => false),
        );
        mustBe(outcomes, ['later'], 'nothing may have left');
        must(stage.writes() === 0, 'it was sent');
        must(((await effectsOf(stage, item!)) ?? 0) === 0, 'it had an effect');
      }),
  },
  {
    id: 'write.permission_lost_between',
    level: 'safety',
    what: 'the lease is asked for before each call, not only before the first',
    skip: unless(hasSinks, isOverHttp),
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const { server, sink, signal } = stage;
        // To say who we are is for all calls, and no part of the write.
        const own = () => server.calls.filter(({ role }) => role !== 'sign_in').length;
        const outcomes = await sink.write(
          stage.items(2),
          permitted(signal, () => own() === 0),
        );
        must(own() <= 1, `${own() - 1} calls went after the lease was lost`);
        must(outcomes.length === 2, `2 items, ${outcomes.length} outcomes`);
      }),
  },
  {
    id: 'write.stopped_in_flight',
    level: 'safety',
    what: 'a write that is stopped in flight is in doubt, at once',
    skip: unless(hasSinks, isOverHttp),
    run: (bench) =>
      eachSink(bench, async ({ server, sink, items }) => {
        const stop = new AbortController();
        server.fault = { as: 'silence', when: isWrite };
        const writing = sink.write(items(1), stop.signal);
        while (!server.calls.some(({ role }) => role === 'write')) await server.nextCall();
        const began = performance.now();
        stop.abort();
        mustBe(await writing, DOUBT, 'its bytes had left');
        must(performance.now() - began < SLACK_MS, 'it went on after it was stopped');
      }),
  },
  {
    id: 'write.stopped_before',
    level: 'safety',
    what: 'a write that is stopped before it began is not sent',
    skip: hasSinks,
    run: (bench) =>
      eachSink(bench, async ({ writes, sink, items }) => {
        mustBe(await sink.write(items(1), AbortSignal.abort()), ['later'], 'nothing left');
        must(writes() === 0, 'it was sent');
      }),
  },
  {
    id: 'write.number_zero',
    level: 'safety',
    what: 'the number 0 is written as 0: it ends the selling',
    skip: sinkWith('availability', 'it shows no numbers'),
    run: (bench) =>
      onStage(bench, {}, async ({ connector, signal }) => {
        const item = { ...bench.description.availability!(1), quantity: 0 };
        const [one] = await connector.availability!.write([item], signal);
        must(one!.outcome === 'confirmed', `it is ${one!.outcome}`);
        const shown = (await connector.availability!.readBack([item.sku], signal)).get(item.sku);
        must(shown === 0, `${shown} is shown`);
      }),
  },
  {
    id: 'write.number_over_sale',
    level: 'safety',
    what: 'a sale that the system made and nobody has read is never written over',
    skip: sinkWith('availability', 'it shows no numbers'),
    run: (bench) =>
      onStage(bench, {}, async ({ connector, signal, model }) => {
        if (model.sell === undefined || model.sellable === undefined)
          throw new NotApplicable('the model sells nothing by itself');
        const first = bench.description.availability!(1);
        await connector.availability!.write([{ ...first, quantity: 10 }], signal);
        model.sell(first.sku, 4);
        await connector.availability!.write([{ ...first, from: 10, quantity: 9 }], signal);
        const left = model.sellable(first.sku)!;
        // Refused, 6 of the 10 are left; set, 9 less the 4.
        must(left <= 6, `10 were to be sold, then 9, 4 were sold meanwhile, and ${left} more would be`);
      }),
  },
  {
    id: 'write.number_hidden',
    level: 'safety',
    what: 'units that were sold and that the level hides are named, once they are sure, by reading only; then no more is shown than is left',
    skip: sinkWith('availability', 'it shows no numbers'),
    run: (bench) =>
      onStage(bench, {}, async ({ connector, signal, model, server }) => {
        const { doubtful, write, readBack } = connector.availability!;
        if (model.hide === undefined) throw new NotApplicable('its level hides nothing');
        must(doubtful !== undefined, 'its level lies, and nothing names the numbers that can not be right');
        const { sku } = bench.description.availability!(1);
        const ordersThrough = bench.description.availability!(1).ordersThrough;
        await write([{ sku, from: null, quantity: 10, ordersThrough }], signal);
        const look = async () => [...(await doubtful(signal)), ...(await doubtful(signal))];
        must(!(await look()).includes(sku), 'it doubts a number that is right');
        model.hide(sku, 4);
        const before = server.calls.filter(({ role }) => role === 'write').length;
        must((await doubtful(signal)).length === 0, 'what was seen once may be a sale that is just made');
        must((await doubtful(signal)).includes(sku), 'what the level hides is not found');
        must(server.calls.filter(({ role }) => role === 'write').length === before, 'it wrote instead of telling');
        const shown = (await readBack([sku], signal)).get(sku)!;
        const [told] = await write([{ sku, from: shown, quantity: 6, ordersThrough }], signal);
        must(told!.outcome === 'confirmed', `the number that is left is ${told!.outcome}`);
        const left = (await readBack([sku], signal)).get(sku)!;
        must(left <= 6, `10 were told, 4 of them sold, and ${left} are shown`);
        must(!(await look()).includes(sku) || left <= 6, 'it can not be set right');
      }),
  },
];
