/** Writes in several calls, and what the system does by itself. */
import { type Check, forEach, hasDeliveries, isOverHttp, must, NotApplicable, onStage, unless } from '../check.ts';
import { type FaultAnswer, html } from '../server.ts';
import { sinksOf } from '../sinks.ts';
import type { Bench, Stage } from '../stage.ts';
import { courseOf, eachSink, mustBe, status } from './each-sink.ts';

const TRIES_MAX = 4;

const faults: [what: string, as: FaultAnswer, afterEffect: boolean][] = [
  ['a 500 before its effect', status(500), false],
  ['a 500 after its effect', status(500), true],
  ['a reset after its effect', 'reset', true],
  ['a 429', status(429, { 'retry-after': '0' }), false],
];

/** As the hub goes about it: what is in doubt is looked up, and what is not found or was put off is written again. */
async function writtenToItsEnd(stage: Stage, name: string): Promise<string[]> {
  const { bench, signal } = stage;
  const told: string[] = [];
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    // Another process each time: nothing that the first remembers may be what holds it together.
    const sink = sinksOf(bench, stage.another()).find((one) => one.name === name)!;
    const item = sink.item(1);
    const [one] = await sink.write([item], signal);
    told.push(one!.outcome);
    if (one!.outcome === 'confirmed' || one!.outcome === 'refused') return told;
    if (one!.outcome === 'in_doubt' && (await sink.look([item], signal))[0] === true) return told;
  }
  return told;
}

const ownWork = ({ description }: Bench) =>
  (description.lookedUp ?? []).length === 0 ? 'the system does nothing by itself that it is also told of' : undefined;

/** Each kind that is only looked up, with its first item. */
function eachOwn(bench: Bench, run: (stage: Stage, name: string, write: () => Promise<string>) => Promise<void>) {
  return forEach(
    (bench.description.lookedUp ?? []).map((name) => ({ name })),
    ({ name }) =>
      onStage(bench, {}, (stage) =>
        run(stage, name, async () => {
          const item = bench.description.deliveries![name]!(1);
          const kind = (stage.connector.deliveries as Record<string, Stage['connector']['deliveries']['charge']>)[
            name
          ]!;
          return (await kind.write([item], stage.signal))[0]!.outcome;
        }),
      ),
  );
}

const wroteNothing = ({ server }: Stage) =>
  must(!server.calls.some(({ role }) => role === 'write'), 'it wrote, though the system does it by itself');

export const stepChecks: Check[] = [
  {
    id: 'write.every_step',
    level: 'safety',
    what: 'whichever of its calls fails, looked up and tried again a write comes to its end, with one effect',
    skip: unless(hasDeliveries, isOverHttp),
    run: (bench) =>
      eachSink(bench, async ({ sink: { name, form }, model }) => {
        if (form !== 'delivery') throw new NotApplicable('it is no delivery');
        if (model.effects === undefined) throw new NotApplicable('the model counts no effects');
        const { calls } = await courseOf(bench, name);
        for (let at = 0; at < calls; at += 1)
          for (const [what, as, afterEffect] of faults)
            await onStage(bench, {}, async (stage) => {
              let writes = 0;
              const when = (_call: unknown, role: string) => role === 'write' && writes++ === at;
              stage.server.fault = { as, afterEffect, when };
              const told = await writtenToItsEnd(stage, name);
              const where = `call ${at + 1} of ${calls} met ${what}, and it was told ${told.join(', ')}`;
              must(told.at(-1) === 'confirmed' || told.at(-1) === 'in_doubt', where);
              const effects = stage.model.effects!(name, bench.description.deliveries![name]!(1).reference);
              must(effects === 1, `${where}: ${effects} effects`);
              const sink = sinksOf(bench, stage.another()).find((one) => one.name === name)!;
              must((await sink.look([sink.item(1)], stage.signal))[0] === true, `${where}: it is not found`);
            });
      }),
  },
  {
    id: 'work.not_done',
    level: 'safety',
    what: 'what the system has not done by itself is not confirmed, and nothing is written',
    skip: ownWork,
    run: (bench) =>
      eachOwn(bench, async (stage, _name, write) => {
        mustBe([{ outcome: await write() }], ['refused', 'later'], 'the system has not done it');
        wroteNothing(stage);
      }),
  },
  {
    id: 'work.done',
    level: 'contract',
    what: 'what the system has done by itself is confirmed, and nothing is written',
    skip: unless(ownWork, (bench) =>
      bench.description.system?.({}).did === undefined ? 'the model does nothing by itself' : undefined,
    ),
    run: (bench) =>
      eachOwn(bench, async (stage, name, write) => {
        stage.model.did!(name, bench.description.deliveries![name]!(1).reference);
        mustBe([{ outcome: await write() }], ['confirmed'], 'the system has done it');
        wroteNothing(stage);
      }),
  },
  ...(
    [
      ['500', 'a 500', status(500)],
      ['html_200', 'a page of HTML with status 200', html],
      ['null_200', 'a 200 that says null', { json: null }],
      ['reset', 'a reset', 'reset'],
    ] as const
  ).map(
    ([id, what, as]): Check => ({
      id: `work.${id}`,
      level: 'safety',
      what: `${what} says nothing of whether the system has done it: for later or in doubt`,
      skip: unless(ownWork, isOverHttp),
      run: (bench) =>
        eachOwn(bench, async (stage, name, write) => {
          stage.model.did?.(name, bench.description.deliveries![name]!(1).reference);
          stage.server.fault = { as };
          mustBe([{ outcome: await write() }], ['later', 'in_doubt'], 'nobody knows whether it is done');
        }),
    }),
  ),
];
