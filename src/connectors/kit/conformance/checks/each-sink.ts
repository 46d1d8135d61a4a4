/** Stages of sinks, and what is asked of their outcomes. */
import { forEach, must, onStage } from '../check.ts';
import type { Answer, SystemDescription } from '../describe.ts';
import { markOf, type Sink, type SinkItem, type Told } from '../sinks.ts';
import { type Bench, type Stage, type StageOptions, waits } from '../stage.ts';

export interface SinkStage extends Stage {
  sink: Sink;
  items(count: number, from?: number): SinkItem[];
}

/** Runs over each sink, each on a stage of its own. */
export async function eachSink(
  bench: Bench,
  run: (stage: SinkStage) => Promise<void>,
  options: StageOptions = {},
): Promise<void> {
  let names: string[] = [];
  await onStage(bench, {}, async ({ sinks }) => {
    names = sinks.map(({ name }) => name);
  });
  await forEach(
    names.map((name) => ({ name })),
    ({ name }) =>
      onStage(bench, options, async (stage) => {
        const sink = stage.sinks.find((one) => one.name === name)!;
        const items = (count: number, from = 1) => Array.from({ length: count }, (_, i) => sink.item(from + i));
        await run({ ...stage, sink, items });
      }),
    waits(options),
  );
}

export const isWrite = (_call: unknown, role: string) => role === 'write';

/** How many write calls named it. */
export function writesOf({ server }: Stage, { reference }: SinkItem): number {
  const mark = markOf(reference);
  return server.calls.filter((call) => call.role === 'write' && (call.text + call.path).includes(mark)).length;
}

export async function effectsOf({ model, sink }: SinkStage, { reference }: SinkItem): Promise<number | undefined> {
  return sink.form === 'delivery' ? await model.effects?.(sink.name, reference) : undefined;
}

/** How one item is written on a good day: by how many calls, and which of them (from 0) has the effect. */
export interface Course {
  calls: number;
  effectAt: number;
}

const courses = new WeakMap<SystemDescription, Map<string, Course>>();

/** Some systems take a delivery in steps: made, quoted, confirmed. What fails before the last of them is another case than what fails after. */
export async function courseOf(bench: Bench, name: string): Promise<Course> {
  const known = courses.get(bench.description) ?? new Map<string, Course>();
  courses.set(bench.description, known);
  const before = known.get(name);
  if (before !== undefined) return before;
  const course: Course = { calls: 0, effectAt: 0 };
  await onStage(bench, {}, async (stage) => {
    const { model, server, signal } = stage;
    const sink = stage.sinks.find((one) => one.name === name)!;
    const item = sink.item(1);
    const answer = model.answer.bind(model);
    let hadEffect = false;
    model.answer = (call) => {
      const given = answer(call);
      if (server.calls.at(-1)?.role === 'write') {
        // A model that answers calls counts at once.
        const effects = (sink.form === 'delivery' ? model.effects?.(name, item.reference) : undefined) as
          | number
          | undefined;
        if (!hadEffect && (effects ?? 1) > 0) [hadEffect, course.effectAt] = [true, course.calls];
        course.calls += 1;
      }
      return given;
    };
    await sink.write([item], signal);
  });
  known.set(name, course);
  return course;
}

function told(outcomes: readonly Told[]): string {
  return outcomes.map(({ outcome, error }) => (error === undefined ? outcome : `${outcome} (${error})`)).join(', ');
}

export function mustBe(outcomes: readonly Told[], wanted: readonly string[], why: string): void {
  must(outcomes.length > 0, 'no outcome was given');
  for (const one of outcomes) must(wanted.includes(one.outcome), `${told(outcomes)}: ${why}`);
}

export const DOUBT = ['in_doubt'];
export const UNKNOWN = 'nobody knows whether it had an effect, so it is in doubt';

export const status = (code: number, headers: Record<string, string> = {}): Answer => ({
  status: code,
  json: { error: { code: `conformance_${code}`, message: 'as the suite wants it' } },
  headers,
});
